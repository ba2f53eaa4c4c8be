#include "store/item_state.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/clock.h"
#include "store/positions.h"
#include "store/validators.h"

int item_state_open(struct item_state *state, sqlite3 *db, struct error *err)
{
    static const char update[] =
        "INSERT INTO _gatherd_state"
        " (source_id, item, consecutive_failures, last_success_scheduled_at)"
        " VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (source_id, item) DO UPDATE SET"
        " consecutive_failures = excluded.consecutive_failures, last_success_scheduled_at ="
        " coalesce(excluded.last_success_scheduled_at, last_success_scheduled_at)";
    static const char failures[] =
        "SELECT consecutive_failures FROM _gatherd_state WHERE source_id = ? AND item = ?";

    if (sqlite_prepare(db, update, &state->update, err) == -1)
        return -1;
    return sqlite_prepare(db, failures, &state->failures, err);
}

void item_state_close(struct item_state *state)
{
    sqlite3_finalize(state->update);
    sqlite3_finalize(state->failures);
}

/* --- Reading: the rows come in the order of their keys, and so do the items. --- */

struct place {
    const char *key;
    size_t index; /* in the list */
};

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct place *)a)->key, ((const struct place *)b)->key);
}

static struct place *sort_items(const struct items *items)
{
    struct place *places = calloc(items->count + 1, sizeof(*places));

    for (size_t i = 0; places != NULL && i < items->count; i++)
        places[i] = (struct place){items->list[i].key, i};
    if (places != NULL)
        qsort(places, items->count, sizeof(*places), compare_keys);
    return places;
}

static int read_row(sqlite3_stmt *stmt, bool lost, struct source_state *state, struct error *err)
{
    state->failures = (unsigned)sqlite3_column_int64(stmt, 6);
    if (clock_parse(sqlite_column_string(stmt, 7), &state->success_slot_ms) == -1)
        state->success_slot_ms = 0;
    if (positions_read(stmt, 8, &state->state.position, err) == -1)
        return -1;
    return lost ? 0 : validators_read(stmt, &state->state.validators, err);
}

static int merge(sqlite3_stmt *stmt, bool lost, struct found_items *found,
                 const struct place *places, struct error *err)
{
    size_t i = 0;
    int rc;

    while ((rc = sqlite_step(stmt, "_gatherd_state", err)) == 1 && i < found->items->count) {
        const char *key = sqlite_column_string(stmt, 5);

        while (i < found->items->count && strcmp(places[i].key, key) < 0)
            i++;
        if (i < found->items->count && strcmp(places[i].key, key) == 0 &&
            read_row(stmt, lost, &found->states[places[i].index], err) == -1)
            return -1;
    }
    return rc == -1 ? -1 : 0;
}

static bool is_any_missing(sqlite3 *db, const struct mapping *mapping)
{
    bool missing = sqlite3_table_column_metadata(db, "main", mapping->table, NULL, NULL, NULL, NULL,
                                                 NULL, NULL) != SQLITE_OK;

    for (size_t i = 0; i < mapping->child_count && !missing; i++)
        missing = is_any_missing(db, &mapping->children[i]);
    return missing;
}

static int load(sqlite3 *db, const struct source *source, int64_t source_id,
                struct found_items *found, const struct place *places, struct error *err)
{
    static const char sql[] =
        "SELECT fingerprint, request, etag, last_modified, body_hash, item, consecutive_failures,"
        " last_success_scheduled_at, cursor, ties FROM _gatherd_state WHERE source_id = ? AND item "
        "> ''"
        " ORDER BY item";
    bool lost = is_any_missing(db, &source->mapping);
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (sqlite_prepare(db, sql, &stmt, err) == -1)
        return -1;
    sqlite3_bind_int64(stmt, 1, source_id);
    rc = merge(stmt, lost, found, places, err);
    sqlite3_finalize(stmt);
    return rc;
}

int item_state_load(sqlite3 *db, const struct source *source, int64_t source_id,
                    struct found_items *found, struct error *err)
{
    struct place *places = sort_items(found->items);
    int rc = -1;

    found->states = calloc(found->items->count + 1, sizeof(found->states[0]));
    if (places != NULL && found->states != NULL)
        rc = load(db, source, source_id, found, places, err);
    else
        error_set(err, ERROR_NOMEM, "for_each: out of memory");
    free(places);
    return rc;
}

/* --- Writing. --- */

int item_state_failures(struct item_state *state, const struct run *run, unsigned *failures,
                        struct error *err)
{
    sqlite3_stmt *stmt = state->failures;
    int rc;

    sqlite3_bind_int64(stmt, 1, run->source_id);
    sqlite_bind_string(stmt, 2, run_item_key(run));
    rc = sqlite_step(stmt, "_gatherd_state", err);
    *failures = rc == 1 ? (unsigned)sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return rc == -1 ? -1 : 0;
}

int item_state_update(struct item_state *state, const struct run *run,
                      const struct outcome *outcome, struct error *err)
{
    sqlite3_stmt *stmt = state->update;
    bool failed = outcome->failure != RUN_OK;
    char slot[CLOCK_TEXT_SIZE];

    sqlite3_bind_int64(stmt, 1, run->source_id);
    sqlite_bind_string(stmt, 2, run_item_key(run));
    sqlite3_bind_int64(stmt, 3, outcome->failures);
    sqlite_bind_string(stmt, 4, failed ? NULL : clock_format(run->scheduled_at_ms, slot));
    return sqlite_run(stmt, "_gatherd_state", err);
}
