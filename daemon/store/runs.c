#include "store/runs.h"

#include "store/unfinished.h"

int runs_open(struct runs *runs, sqlite3 *db, struct error *err)
{
    static const char insert[] =
        "INSERT INTO _gatherd_runs (id, source, source_id, scheduled_at, started_at, finished_at,"
        " outcome, failure, http_status, requests, bytes, records, inserted, updated, unchanged,"
        " rejected, skipped_slots, dns_ms, connect_ms, tls_ms, first_byte_ms, total_ms, queue_ms,"
        " error, pages, append_table, not_modified, item, items, items_left_out, filtered,"
        " child_rows, deleted, marked) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
        " ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27,"
        " ?28, ?29, ?30, ?31, ?32, ?33, ?34)"
        " ON CONFLICT (id) DO UPDATE SET finished_at = excluded.finished_at,"
        " outcome = excluded.outcome, failure = excluded.failure,"
        " http_status = excluded.http_status, requests = excluded.requests,"
        " bytes = excluded.bytes, records = excluded.records, inserted = excluded.inserted,"
        " updated = excluded.updated, unchanged = excluded.unchanged,"
        " rejected = excluded.rejected, skipped_slots = excluded.skipped_slots,"
        " dns_ms = excluded.dns_ms, connect_ms = excluded.connect_ms, tls_ms = excluded.tls_ms,"
        " first_byte_ms = excluded.first_byte_ms, total_ms = excluded.total_ms,"
        " queue_ms = excluded.queue_ms, error = excluded.error, pages = excluded.pages,"
        " append_table = excluded.append_table, not_modified = excluded.not_modified,"
        " filtered = excluded.filtered, child_rows = excluded.child_rows,"
        " deleted = excluded.deleted, marked = excluded.marked";

    return sqlite_prepare(db, insert, &runs->insert, err);
}

void runs_close(struct runs *runs)
{
    sqlite3_finalize(runs->insert);
    text_free(&runs->error);
    text_free(&runs->tables);
}

const char *runs_error_text(struct text *text, const struct run *run, const struct outcome *outcome)
{
    const char *what = outcome->refusal.code != ERROR_NONE ? outcome->refusal.text : run->error;

    if (what == NULL || (run_page(run) <= 1 && outcome->kept.code == ERROR_NONE))
        return what;
    text_clear(text);
    text_format(text, "page %u: %s", run_page(run), what);
    if (outcome->kept.code != ERROR_NONE)
        text_format(text, "; the rows of earlier pages could not be removed: %s",
                    outcome->kept.text);
    return text_failed(text) ? what : text_string(text);
}

static const char *outcome_name(const struct outcome *outcome)
{
    if (outcome->unfinished)
        return "unfinished";
    if (outcome->failure != RUN_OK)
        return "failed";
    return outcome->total.rejected > 0 ? "partial" : "success";
}

static void bind_time(sqlite3_stmt *stmt, int index, int64_t ms, char text[CLOCK_TEXT_SIZE])
{
    sqlite_bind_string(stmt, index, ms == 0 ? NULL : clock_format(ms, text));
}

/* What did not happen has no duration. */
static void bind_duration(sqlite3_stmt *stmt, int index, int64_t us)
{
    if (us > 0)
        sqlite3_bind_double(stmt, index, (double)us / 1000.0);
    else
        sqlite3_bind_null(stmt, index);
}

static void bind_count(sqlite3_stmt *stmt, int index, size_t count)
{
    sqlite3_bind_int64(stmt, index, (sqlite3_int64)count);
}

static void bind_timing(sqlite3_stmt *stmt, const struct run *run, const struct moment *moment)
{
    int64_t queued_us =
        run->received_mono_us == 0 ? 0 : moment->monotonic_us - run->received_mono_us;

    bind_duration(stmt, 18, run->timing.dns_us);
    bind_duration(stmt, 19, run->timing.connect_us);
    bind_duration(stmt, 20, run->timing.tls_us);
    bind_duration(stmt, 21, run->timing.first_byte_us);
    bind_duration(stmt, 22, run->timing.total_us);
    bind_duration(stmt, 23, queued_us);
}

/* The tables that hold rows of this run as long as it is not known to end well. */
static int bind_append_tables(struct runs *runs, const struct run *run,
                              const struct outcome *outcome, struct error *err)
{
    if (!outcome->unfinished || run->source->mapping.write_mode != WRITE_APPEND)
        return 0;
    text_clear(&runs->tables);
    if (unfinished_list_tables(&runs->tables, &run->source->mapping, err) == -1)
        return -1;
    sqlite_bind_string(runs->insert, 26, text_string(&runs->tables));
    return 0;
}

static void bind_items(sqlite3_stmt *stmt, const struct run *run)
{
    if (run->item != NULL)
        sqlite_bind_string(stmt, 28, run->item->key);
    if (run->found == NULL)
        return;
    bind_count(stmt, 29, run->found->items->count);
    bind_count(stmt, 30, run->found->items->left_out);
}

int runs_add(struct runs *runs, const struct result *result, const struct outcome *outcome,
             const struct moment *moment, struct error *err)
{
    const struct run *run = result->run;
    sqlite3_stmt *stmt = runs->insert;
    char scheduled[CLOCK_TEXT_SIZE];
    char started[CLOCK_TEXT_SIZE];

    if (bind_append_tables(runs, run, outcome, err) == -1)
        return -1;
    sqlite3_bind_int64(stmt, 1, outcome->run_id);
    sqlite_bind_string(stmt, 2, run->source->name);
    sqlite3_bind_int64(stmt, 3, run->source_id);
    bind_time(stmt, 4, run->scheduled_at_ms, scheduled);
    bind_time(stmt, 5, run->started_at_ms, started);
    sqlite_bind_string(stmt, 6, outcome->unfinished ? NULL : moment->text);
    sqlite_bind_string(stmt, 7, outcome_name(outcome));
    sqlite_bind_string(stmt, 8, run_failure_name(outcome->failure));
    if (run->response.status != 0)
        sqlite3_bind_int(stmt, 9, run->response.status);
    bind_count(stmt, 10, run->requests);
    bind_count(stmt, 11, outcome->total.bytes);
    bind_count(stmt, 12, outcome->total.records);
    bind_count(stmt, 13, outcome->total.inserted);
    bind_count(stmt, 14, outcome->total.updated);
    bind_count(stmt, 15, outcome->total.unchanged);
    bind_count(stmt, 16, outcome->total.rejected);
    bind_count(stmt, 17, run->skipped);
    bind_count(stmt, 31, outcome->total.filtered);
    bind_timing(stmt, run, moment);
    sqlite_bind_string(stmt, 24, runs_error_text(&runs->error, run, outcome));
    bind_count(stmt, 25, run_page(run) > 0 ? run_page(run) : 1);
    sqlite3_bind_int(stmt, 27, run->not_modified);
    bind_items(stmt, run);
    bind_count(stmt, 33, outcome->total.deleted);
    bind_count(stmt, 34, outcome->total.marked);
    if (run->source->mapping.child_count > 0)
        bind_count(stmt, 32, outcome->total.child_rows);
    return sqlite_run(stmt, "_gatherd_runs", err);
}
