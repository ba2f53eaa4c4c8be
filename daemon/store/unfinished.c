#include "store/unfinished.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/clock.h"
#include "gatherd/log.h"
#include "gatherd/text.h"
#include "store/names.h"
#include "store/raw.h"
#include "store/schema.h"

#define SEPARATOR "," /* no name of a table holds one: see table_name_problem() */

/* --- Rows --- */

/*
 * The run's rows are the last of the table, and found from the end without a walk through all the
 * rows before, unless a user put some of an older run between them. The + keeps an index on
 * _run_id from being used, which would sort those before.
 */
static void write_delete(struct text *sql, const char *table, bool from_end)
{
    text_add(sql, "DELETE FROM ");
    name_quote(sql, table);
    text_add(sql, " WHERE " COLUMN_RUN_ID " = ?1");
    if (!from_end)
        return;
    text_add(sql, " AND rowid > coalesce((SELECT rowid FROM ");
    name_quote(sql, table);
    text_add(sql, " WHERE +" COLUMN_RUN_ID " < ?1 ORDER BY rowid DESC LIMIT 1),"
                  " -9223372036854775808)");
}

static int delete_rows(sqlite3 *db, const char *table, bool from_end, int64_t run_id,
                       int64_t *removed, struct error *err)
{
    struct text sql = {0};
    sqlite3_stmt *stmt = NULL;
    int rc = -1;

    write_delete(&sql, table, from_end);
    if (text_failed(&sql)) {
        schema_no_memory(err);
    } else if (sqlite_prepare(db, text_string(&sql), &stmt, err) == 0) {
        sqlite3_bind_int64(stmt, 1, run_id);
        rc = sqlite_run(stmt, table, err);
        *removed = sqlite3_changes64(db);
        sqlite3_finalize(stmt);
    }
    text_free(&sql);
    return rc;
}

static int delete_from_table(sqlite3 *db, const char *table, bool from_end, int64_t run_id,
                             int64_t *removed, struct error *err)
{
    struct table *known = table_create(table);
    int64_t deleted = 0;
    int rc = 0;

    if (known == NULL)
        return schema_no_memory(err);
    if (table_read_columns(db, known, err) == -1)
        rc = -1;
    else if (known->count > 0)
        rc = delete_rows(db, table, from_end, run_id, &deleted, err);
    *removed += deleted;
    table_free(known);
    return rc;
}

static int delete_from_all(sqlite3 *db, const char *tables, bool from_end, int64_t run_id,
                           int64_t *removed, struct error *err)
{
    char *names = strdup(tables);
    char *rest = names;
    int rc = 0;

    if (names == NULL)
        return schema_no_memory(err);
    for (char *name; rc == 0 && (name = strsep(&rest, SEPARATOR)) != NULL;)
        rc = delete_from_table(db, name, from_end, run_id, removed, err);
    free(names);
    return rc;
}

int unfinished_remove_rows(sqlite3 *db, const char *tables, int64_t run_id, int64_t expected,
                           struct error *err)
{
    int64_t removed = 0;

    if (delete_from_all(db, tables, true, run_id, &removed, err) == -1)
        return -1;
    return removed >= expected ? 0 : delete_from_all(db, tables, false, run_id, &removed, err);
}

static void list_tables(struct text *tables, const struct mapping *mapping)
{
    if (tables->length > 0)
        text_add(tables, SEPARATOR);
    text_add(tables, mapping->table);
    for (size_t i = 0; i < mapping->child_count; i++)
        list_tables(tables, &mapping->children[i]);
}

int unfinished_list_tables(struct text *tables, const struct mapping *mapping, struct error *err)
{
    list_tables(tables, mapping);
    return text_failed(tables) ? schema_no_memory(err) : 0;
}

/* --- Runs --- */

struct unfinished {
    int64_t run_id;
    int64_t inserted; /* into all its tables */
    char *tables;     /* owned; NULL: its rows stay */
};

/* The next one behind run->run_id: 1, and it is filled; 0: none. */
static int next_unfinished(sqlite3 *db, struct unfinished *run, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (sqlite_prepare(
            db,
            "SELECT id, append_table, inserted + coalesce(child_rows, 0) FROM _gatherd_runs"
            " WHERE outcome = 'unfinished' AND id > ? ORDER BY id LIMIT 1",
            &stmt, err) == -1)
        return -1;
    sqlite3_bind_int64(stmt, 1, run->run_id);
    rc = sqlite_step(stmt, "_gatherd_runs", err);
    if (rc == 1) {
        const char *name = (const char *)sqlite3_column_text(stmt, 1);

        run->run_id = sqlite3_column_int64(stmt, 0);
        run->inserted = sqlite3_column_int64(stmt, 2);
        run->tables = name != NULL ? strdup(name) : NULL;
        if (name != NULL && run->tables == NULL)
            rc = schema_no_memory(err);
    }
    sqlite3_finalize(stmt);
    return rc;
}

/* Runs the statement with the run's id, the time, whether its rows are gone, and the reason. */
static int run_with(sqlite3 *db, const char *sql, int64_t run_id, bool removed, const char *why,
                    struct error *err)
{
    char now[CLOCK_TEXT_SIZE];
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (sqlite_prepare(db, sql, &stmt, err) == -1)
        return -1;
    sqlite3_bind_int64(stmt, 1, run_id);
    sqlite_bind_string(stmt, 2, clock_format(clock_wall_ms(), now));
    sqlite3_bind_int(stmt, 3, removed);
    sqlite_bind_string(stmt, 4, why);
    rc = sqlite_run(stmt, "_gatherd_runs", err);
    sqlite3_finalize(stmt);
    return rc;
}

/* The source's row, and that of its item, count the run as any other that failed; when it is due
 * stays as it is. */
static int record_end(sqlite3 *db, int64_t run_id, bool removed, const char *why, struct error *err)
{
    static const char end_run[] =
        "UPDATE _gatherd_runs SET outcome = 'failed', failure = 'interrupted', finished_at = ?2,"
        " inserted = iif(?3, 0, inserted), child_rows = iif(?3, 0, child_rows), append_table = "
        "NULL, error = ?4 WHERE id = ?1";
    static const char count_run[] =
        "UPDATE _gatherd_sources SET runs = runs + 1, failed_runs = failed_runs + 1,"
        " consecutive_failures = consecutive_failures + (r.item IS NULL), last_run_id = r.id,"
        " last_run_at = ?2,"
        " rows_inserted = rows_inserted + r.inserted, rows_updated = rows_updated + r.updated,"
        " last_error = ?4"
        " FROM (SELECT id, source_id, item, inserted, updated FROM _gatherd_runs WHERE id = ?1) AS "
        "r"
        " WHERE _gatherd_sources.id = r.source_id AND ?3 IS NOT NULL";
    static const char count_item[] =
        "INSERT INTO _gatherd_state (source_id, item, consecutive_failures)"
        " SELECT source_id, item, 1 FROM _gatherd_runs WHERE id = ?1 AND item IS NOT NULL"
        " AND ?2 IS NOT NULL AND ?3 IS NOT NULL AND ?4 IS NOT NULL"
        " ON CONFLICT (source_id, item)"
        " DO UPDATE SET consecutive_failures = coalesce(consecutive_failures, 0) + 1";

    if (run_with(db, end_run, run_id, removed, why, err) == -1)
        return -1;
    if (run_with(db, count_run, run_id, removed, why, err) == -1)
        return -1;
    return run_with(db, count_item, run_id, removed, why, err);
}

static int end_in_transaction(sqlite3 *db, const struct unfinished *run, bool removing,
                              const char *why, struct error *err)
{
    if (sqlite_exec(db, "BEGIN IMMEDIATE", err) == -1)
        return -1;
    if ((!removing ||
         (unfinished_remove_rows(db, run->tables, run->run_id, run->inserted, err) == 0 &&
          raw_forget_run(db, run->run_id, err) == 0)) &&
        record_end(db, run->run_id, removing, why, err) == 0 && sqlite_exec(db, "COMMIT", err) == 0)
        return 0;
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return -1;
}

/* A table that keeps its rows must not keep gatherd from starting. */
static int end_one(sqlite3 *db, const struct unfinished *run, const char *why, struct error *err)
{
    struct error cause = {0};
    struct text text = {0};
    int rc;

    if (end_in_transaction(db, run, run->tables != NULL, why, &cause) == 0)
        return 0;
    if (cause.code != ERROR_FAILED || run->tables == NULL) {
        error_set(err, cause.code, "%s", cause.text);
        return -1;
    }
    log_warning("rows of an interrupted run could not be removed", LOG_STR("tables", run->tables),
                LOG_INT("run", run->run_id), LOG_STR("error", cause.text));
    text_format(&text, "%s; its rows could not be removed from %s: %s", why, run->tables,
                cause.text);
    rc = end_in_transaction(db, run, false, text_string(&text), err);
    text_free(&text);
    return rc;
}

int unfinished_end(sqlite3 *db, int64_t run_id, const char *why, struct error *err)
{
    struct unfinished run = {.run_id = run_id == 0 ? 0 : run_id - 1};
    int rc;

    do {
        rc = next_unfinished(db, &run, err);
        if (rc == 1 && (run_id == 0 || run.run_id == run_id) && end_one(db, &run, why, err) == -1)
            rc = -1;
        free(run.tables);
        run.tables = NULL;
    } while (rc == 1 && run_id == 0);
    return rc == -1 ? -1 : 0;
}
