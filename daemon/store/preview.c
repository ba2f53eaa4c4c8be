#include "store/preview.h"

#include <stdio.h>

#include "gatherd/text.h"
#include "store/migrate.h"

/*
 * Views and triggers may use functions that only their owner's program has; nothing here needs
 * them, so one that cannot be made is left out.
 */
static int copy_statements(sqlite3 *from, sqlite3 *to, const char *query, bool must,
                           struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (sqlite_prepare(from, query, &stmt, err) == -1)
        return -1;
    while ((rc = sqlite_step(stmt, "schema", err)) == 1) {
        if (sqlite_exec(to, sqlite_column_string(stmt, 0), must ? err : NULL) == -1 && must) {
            rc = -1;
            break;
        }
    }
    sqlite3_finalize(stmt);
    return rc;
}

/* The tables behind a virtual table come with it. */
static int copy_schema(sqlite3 *from, sqlite3 *to, struct error *err)
{
    static const char tables[] = "SELECT s.sql FROM sqlite_schema AS s JOIN pragma_table_list AS l"
                                 " ON l.name = s.name AND l.schema = 'main'"
                                 " WHERE s.type = 'table' AND l.type IN ('table', 'virtual') AND "
                                 "s.name NOT LIKE 'sqlite\\_%'"
                                 " ESCAPE '\\' ORDER BY s.rowid";
    static const char others[] = "SELECT sql FROM sqlite_schema"
                                 " WHERE type <> 'table' AND sql IS NOT NULL ORDER BY rowid";

    return copy_statements(from, to, tables, true, err) == -1
               ? -1
               : copy_statements(from, to, others, false, err);
}

static int copy_columns(sqlite3 *from, sqlite3 *to, struct error *err)
{
    sqlite3_stmt *read = NULL;
    sqlite3_stmt *write = NULL;
    int rc = -1;

    if (sqlite_prepare(from, "SELECT * FROM _gatherd_columns", &read, err) == -1 ||
        sqlite_prepare(to, "INSERT INTO _gatherd_columns VALUES (?, ?, ?, ?, ?, ?, ?)", &write,
                       err) == -1)
        goto out;
    while ((rc = sqlite_step(read, "_gatherd_columns", err)) == 1) {
        for (int i = 0; i < sqlite3_column_count(read); i++)
            sqlite3_bind_value(write, i + 1, sqlite3_column_value(read, i));
        if (sqlite_run(write, "_gatherd_columns", err) == -1) {
            rc = -1;
            break;
        }
    }
out:
    sqlite3_finalize(read);
    sqlite3_finalize(write);
    return rc;
}

static int copy_version(sqlite3 *from, sqlite3 *to, struct error *err)
{
    int64_t version = 0;
    char sql[64];

    if (sqlite_integer(from, "PRAGMA user_version", &version, err) == -1)
        return -1;
    snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", (int)version);
    return sqlite_exec(to, sql, err);
}

sqlite3 *preview_open(sqlite3 *from, struct error *err)
{
    sqlite3 *to = NULL;

    if (sqlite3_open(":memory:", &to) != SQLITE_OK) {
        error_set(err, ERROR_NOMEM, "schema: out of memory");
        sqlite3_close(to);
        return NULL;
    }
    if (copy_schema(from, to, err) == 0 && copy_columns(from, to, err) == 0 &&
        copy_version(from, to, err) == 0 && migrate_run(to, err) == 0)
        return to;
    sqlite3_close(to);
    return NULL;
}
