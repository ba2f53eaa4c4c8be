#include "store/state.h"

#include <string.h>

#include "gatherd/bare_url.h"
#include "store/runs.h"

int state_open(struct state *state, sqlite3 *db, struct error *err)
{
    static const char add[] =
        "INSERT INTO _gatherd_sources (name, url, table_name, added_at) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (name) DO UPDATE SET url = excluded.url, table_name = excluded.table_name"
        " WHERE url IS NOT excluded.url OR table_name IS NOT excluded.table_name";
    static const char load[] =
        "SELECT id, next_due_at, consecutive_failures, added_at, last_success_scheduled_at"
        " FROM _gatherd_sources WHERE name = ?";
    /*
     * The INSERT is for a row that somebody deleted while its source went on. The run of an item
     * (?16) moves neither the due time nor what else is said of the source's own.
     */
    static const char update[] =
        "INSERT INTO _gatherd_sources (id, name, url, table_name, added_at, next_due_at,"
        " last_run_id, last_run_at, last_success_at, consecutive_failures, runs, failed_runs,"
        " rows_inserted, rows_updated, skipped_slots, last_error, last_success_scheduled_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?5, ?8, ?9, 1, ?10, ?11, ?12, ?13, ?14, ?15)"
        " ON CONFLICT (id) DO UPDATE SET next_due_at = iif(?16, next_due_at, excluded.next_due_at),"
        " last_run_id = excluded.last_run_id, last_run_at = excluded.last_run_at,"
        " last_success_at = coalesce(excluded.last_success_at, last_success_at),"
        " consecutive_failures = iif(?16, consecutive_failures, excluded.consecutive_failures),"
        " runs = runs + 1,"
        " failed_runs = failed_runs + excluded.failed_runs,"
        " rows_inserted = rows_inserted + excluded.rows_inserted,"
        " rows_updated = rows_updated + excluded.rows_updated,"
        " skipped_slots = skipped_slots + excluded.skipped_slots,"
        " last_error = coalesce(excluded.last_error, last_error),"
        " last_success_scheduled_at = coalesce(iif(?16, NULL, excluded.last_success_scheduled_at),"
        " last_success_scheduled_at)";
    static const char failures[] = "SELECT consecutive_failures FROM _gatherd_sources WHERE id = ?";

    if (sqlite_prepare(db, add, &state->add, err) == -1 ||
        sqlite_prepare(db, load, &state->load, err) == -1 ||
        sqlite_prepare(db, update, &state->update, err) == -1)
        return -1;
    return sqlite_prepare(db, failures, &state->failures, err);
}

void state_close(struct state *state)
{
    sqlite3_finalize(state->add);
    sqlite3_finalize(state->load);
    sqlite3_finalize(state->update);
    sqlite3_finalize(state->failures);
    text_free(&state->url);
    text_free(&state->error);
}

static const char *shown_url(struct text *out, const char *url)
{
    text_clear(out);
    bare_url(out, url);
    return text_string(out);
}

int state_register(struct state *state, const struct source *source, const char *now,
                   struct source_state *saved, struct error *err)
{
    sqlite3_stmt *load = state->load;
    int rc;

    sqlite_bind_string(state->add, 1, source->name);
    sqlite_bind_string(state->add, 2, shown_url(&state->url, source->url));
    sqlite_bind_string(state->add, 3, source->mapping.table);
    sqlite_bind_string(state->add, 4, now);
    if (text_failed(&state->url)) {
        error_set(err, ERROR_NOMEM, "_gatherd_sources: out of memory");
        return -1;
    }
    if (sqlite_run(state->add, "_gatherd_sources", err) == -1)
        return -1;
    sqlite_bind_string(load, 1, source->name);
    rc = sqlite_step(load, "_gatherd_sources", err);
    if (rc == 1) {
        saved->id = sqlite3_column_int64(load, 0);
        if (clock_parse(sqlite_column_string(load, 1), &saved->next_due_ms) == -1)
            saved->next_due_ms = -1;
        saved->failures = (unsigned)sqlite3_column_int64(load, 2);
        if (clock_parse(sqlite_column_string(load, 3), &saved->added_ms) == -1)
            saved->added_ms = 0;
        if (clock_parse(sqlite_column_string(load, 4), &saved->success_slot_ms) == -1)
            saved->success_slot_ms = 0;
    } else if (rc == 0) {
        error_set(err, ERROR_INTERNAL, "_gatherd_sources: no row of source %s", source->name);
    }
    sqlite3_reset(load);
    sqlite3_clear_bindings(load);
    return rc == 1 ? 0 : -1;
}

int state_failures(struct state *state, int64_t source_id, unsigned *failures, struct error *err)
{
    int rc;

    sqlite3_bind_int64(state->failures, 1, source_id);
    rc = sqlite_step(state->failures, "_gatherd_sources", err);
    *failures = rc == 1 ? (unsigned)sqlite3_column_int64(state->failures, 0) : 0;
    sqlite3_reset(state->failures);
    return rc == -1 ? -1 : 0;
}

int state_update(struct state *state, const struct result *result, const struct outcome *outcome,
                 const struct moment *moment, struct error *err)
{
    const struct run *run = result->run;
    sqlite3_stmt *stmt = state->update;
    bool failed = outcome->failure != RUN_OK;
    bool refused = outcome->refusal.code != ERROR_NONE;
    char due[CLOCK_TEXT_SIZE];
    char slot[CLOCK_TEXT_SIZE];

    sqlite3_bind_int64(stmt, 1, run->source_id);
    sqlite_bind_string(stmt, 2, run->source->name);
    sqlite_bind_string(stmt, 3, shown_url(&state->url, run->source->url));
    sqlite_bind_string(stmt, 4, run->source->mapping.table);
    sqlite_bind_string(stmt, 5, moment->text);
    sqlite_bind_string(stmt, 6,
                       clock_format(refused ? run->refused_due_ms : run->next_due_ms, due));
    sqlite3_bind_int64(stmt, 7, outcome->run_id);
    sqlite_bind_string(stmt, 8, failed ? NULL : moment->text);
    sqlite3_bind_int64(stmt, 9, outcome->failures);
    sqlite3_bind_int(stmt, 10, failed);
    sqlite3_bind_int64(stmt, 11, (sqlite3_int64)outcome->total.inserted);
    sqlite3_bind_int64(stmt, 12, (sqlite3_int64)outcome->total.updated);
    sqlite3_bind_int64(stmt, 13, run->skipped);
    sqlite_bind_string(stmt, 14, runs_error_text(&state->error, run, outcome));
    sqlite_bind_string(stmt, 15, failed ? NULL : clock_format(run->scheduled_at_ms, slot));
    sqlite3_bind_int(stmt, 16, run->item != NULL);
    if (text_failed(&state->url)) {
        error_set(err, ERROR_NOMEM, "_gatherd_sources: out of memory");
        return -1;
    }
    return sqlite_run(stmt, "_gatherd_sources", err);
}
