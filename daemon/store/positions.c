#include "store/positions.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/position.h"

int positions_open(struct positions_table *table, sqlite3 *db, struct error *err)
{
    static const char load[] = "SELECT cursor, ties FROM _gatherd_state"
                               " WHERE source_id = ? AND item = '' AND cursor IS NOT NULL";
    static const char save[] = "INSERT INTO _gatherd_state (source_id, item, cursor, ties)"
                               " VALUES (?1, ?4, ?2, ?3) ON CONFLICT (source_id, item)"
                               " DO UPDATE SET cursor = excluded.cursor, ties = excluded.ties";
    static const char forget[] = "UPDATE _gatherd_state SET cursor = NULL, ties = NULL"
                                 " WHERE source_id = ?";

    if (sqlite_prepare(db, load, &table->load, err) == -1 ||
        sqlite_prepare(db, save, &table->save, err) == -1)
        return -1;
    return sqlite_prepare(db, forget, &table->forget, err);
}

void positions_close(struct positions_table *table)
{
    sqlite3_finalize(table->load);
    sqlite3_finalize(table->save);
    sqlite3_finalize(table->forget);
    text_free(&table->ties);
}

static int out_of_memory(struct error *err)
{
    error_set(err, ERROR_NOMEM, "_gatherd_state: out of memory");
    return -1;
}

/* Each hash is two numbers of the machine's order; a blob that somebody cut is read as far as it
 * goes. */
static int read_ties(sqlite3_stmt *stmt, int column, struct ties *ties)
{
    const char *data = sqlite3_column_blob(stmt, column);
    size_t length = (size_t)sqlite3_column_bytes(stmt, column);
    struct hash128 hash;

    for (size_t at = 0; at + sizeof(hash) <= length; at += sizeof(hash)) {
        memcpy(&hash, data + at, sizeof(hash));
        if (ties_add(ties, hash) == -1)
            return -1;
    }
    return 0;
}

int positions_read(sqlite3_stmt *stmt, int column, struct position **position, struct error *err)
{
    *position = NULL;
    if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
        return 0;
    *position = position_create(sqlite_column_string(stmt, column));
    if (*position != NULL && read_ties(stmt, column + 1, &(*position)->saved.ties) == 0)
        return 0;
    position_free(*position);
    *position = NULL;
    return out_of_memory(err);
}

int positions_load(struct positions_table *table, int64_t source_id, struct position **position,
                   struct error *err)
{
    sqlite3_stmt *stmt = table->load;
    int rc;

    *position = NULL;
    sqlite3_bind_int64(stmt, 1, source_id);
    rc = sqlite_step(stmt, "_gatherd_state", err);
    if (rc == 1)
        rc = positions_read(stmt, 0, position, err);
    sqlite3_reset(stmt);
    return rc == -1 ? -1 : 0;
}

int positions_write_ties(const struct ties *ties, struct text *out, struct error *err)
{
    const struct hash128 *tie = NULL;

    text_clear(out);
    while ((tie = ties_next(ties, tie)) != NULL)
        text_append(out, (const char *)tie, sizeof(*tie));
    return text_failed(out) ? out_of_memory(err) : 0;
}

static int save(struct positions_table *table, int64_t source_id, const char *item,
                const struct mark *mark, struct error *err)
{
    if (positions_write_ties(&mark->ties, &table->ties, err) == -1)
        return -1;
    sqlite3_bind_int64(table->save, 1, source_id);
    sqlite_bind_string(table->save, 2, mark->cursor);
    sqlite_bind_string(table->save, 4, item);
    if (table->ties.length > 0)
        sqlite3_bind_blob64(table->save, 3, table->ties.data, table->ties.length, SQLITE_STATIC);
    return sqlite_run(table->save, "_gatherd_state", err);
}

static bool is_same(const struct mark *a, const struct mark *b)
{
    return a->cursor != NULL && b->cursor != NULL && strcmp(a->cursor, b->cursor) == 0 &&
           a->ties.count == b->ties.count;
}

int positions_update(struct positions_table *table, const struct result *result,
                     const struct outcome *outcome, struct error *err)
{
    const struct run *run = result->run;
    const struct mark *to_save;

    if (outcome->failure != RUN_OK || run->state.position == NULL || run->silent ||
        !moves_position(result) || run->state.position->walking)
        return 0;
    to_save = &run->state.position->to_save;
    if (to_save->cursor == NULL || is_same(to_save, &run->state.position->saved))
        return 0;
    return save(table, run->source_id, run_item_key(run), to_save, err);
}

int positions_set(struct positions_table *table, int64_t source_id, const char *cursor,
                  struct error *err)
{
    struct mark mark = {.cursor = (char *)cursor};

    if (cursor != NULL)
        return save(table, source_id, "", &mark, err);
    sqlite3_bind_int64(table->forget, 1, source_id);
    return sqlite_run(table->forget, "_gatherd_state", err);
}
