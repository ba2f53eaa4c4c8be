#include "store/migrate.h"

#include <stddef.h>
#include <stdio.h>

#include "gatherd/clock.h"

struct migration {
    const char *name;
    const char *sql;
};

/*
 * What stands here was applied to people's databases: a change is a new entry at the end.
 *
 * Run ids need no AUTOINCREMENT: the highest id ever given is the last_run_id of some source, and
 * rows of sources stay for ever, so store.c counts from there.
 */
static const struct migration migrations[] = {
    {"internal tables",
     "CREATE TABLE _gatherd_sources ("
     "id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, url TEXT, table_name TEXT, added_at TEXT,"
     "next_due_at TEXT, last_run_id INTEGER, last_run_at TEXT, last_success_at TEXT,"
     "consecutive_failures INTEGER NOT NULL DEFAULT 0, runs INTEGER NOT NULL DEFAULT 0,"
     "failed_runs INTEGER NOT NULL DEFAULT 0, rows_inserted INTEGER NOT NULL DEFAULT 0,"
     "rows_updated INTEGER NOT NULL DEFAULT 0, skipped_slots INTEGER NOT NULL DEFAULT 0,"
     "last_error TEXT) STRICT;"

     "CREATE TABLE _gatherd_runs ("
     "id INTEGER PRIMARY KEY, source TEXT NOT NULL, source_id INTEGER NOT NULL,"
     "scheduled_at TEXT, started_at TEXT, finished_at TEXT, outcome TEXT NOT NULL, failure TEXT,"
     "http_status INTEGER, requests INTEGER, bytes INTEGER, records INTEGER, inserted INTEGER,"
     "updated INTEGER, unchanged INTEGER, rejected INTEGER, skipped_slots INTEGER,"
     "dns_ms REAL, connect_ms REAL, tls_ms REAL, first_byte_ms REAL, total_ms REAL, queue_ms REAL,"
     "error TEXT) STRICT;"

     "CREATE TABLE _gatherd_dead_letters ("
     "id INTEGER PRIMARY KEY, run_id INTEGER, source TEXT NOT NULL, table_name TEXT,"
     "kind TEXT NOT NULL, position INTEGER, line INTEGER, column INTEGER, reason TEXT NOT NULL,"
     "content_type TEXT, content ANY, bytes INTEGER, hash TEXT NOT NULL, first_at TEXT,"
     "last_at TEXT, occurrences INTEGER NOT NULL DEFAULT 1) STRICT;"
     "CREATE UNIQUE INDEX _gatherd_dead_letters_same"
     " ON _gatherd_dead_letters (hash, source, reason, kind);"

     "CREATE TABLE _gatherd_schema_changes ("
     "id INTEGER PRIMARY KEY, at TEXT, table_name TEXT NOT NULL COLLATE NOCASE, column_name TEXT,"
     "change TEXT NOT NULL, old_value TEXT, new_value TEXT, run_id INTEGER) STRICT;"

     "CREATE TABLE _gatherd_columns ("
     "table_name TEXT NOT NULL COLLATE NOCASE, member TEXT NOT NULL, column_name TEXT NOT NULL,"
     "type TEXT NOT NULL, settled INTEGER NOT NULL, added_at TEXT, added_by_run INTEGER,"
     "PRIMARY KEY (table_name, member)) STRICT, WITHOUT ROWID;"

     "CREATE TABLE _gatherd_migrations ("
     "version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT;"},
};

#define VERSION ((int64_t)(sizeof(migrations) / sizeof(migrations[0])))

/* SQLite reads the file here for the first time: what is no database shows now. */
static int read_identity(sqlite3 *db, int64_t *id, int64_t *version, int64_t *objects,
                         struct error *err)
{
    if (sqlite_integer(db, "PRAGMA application_id", id, err) == -1 ||
        sqlite_integer(db, "PRAGMA user_version", version, err) == -1)
        return -1;
    return sqlite_integer(db, "SELECT count(*) FROM sqlite_schema", objects, err);
}

int migrate_check(sqlite3 *db, const char *path, struct error *err)
{
    struct error cause = {0};
    int64_t id = 0;
    int64_t version = 0;
    int64_t objects = 0;

    if (read_identity(db, &id, &version, &objects, &cause) == -1) {
        int rc = sqlite3_errcode(db) & 0xff;

        if (rc == SQLITE_NOTADB)
            error_set(err, ERROR_UNAVAILABLE, "%s is not a SQLite database; choose another path",
                      path);
        else if (rc == SQLITE_CORRUPT)
            error_set(err, ERROR_IO,
                      "%s is damaged (%s); restore a backup, or move the file away to start anew",
                      path, sqlite3_errmsg(db));
        else
            error_set(err, cause.code, "%s: %s", path, cause.text);
        return -1;
    }
    if (id == 0 && objects == 0)
        return 0;
    if (id != SQLITE_APPLICATION_ID) {
        error_set(err, ERROR_UNAVAILABLE,
                  "%s is not a gatherd database (it holds tables of another program); choose "
                  "another path",
                  path);
        return -1;
    }
    if (version > VERSION) {
        error_set(err, ERROR_UNAVAILABLE,
                  "%s was written by a newer gatherd (database version %lld, this program knows "
                  "%lld); upgrade gatherd, or choose another path",
                  path, (long long)version, (long long)VERSION);
        return -1;
    }
    return 0;
}

static int record_migration(sqlite3 *db, int64_t version, struct error *err)
{
    static const char sql[] =
        "INSERT INTO _gatherd_migrations (version, name, applied_at) VALUES (?, ?, ?)";
    char now[CLOCK_TEXT_SIZE];
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (sqlite_prepare(db, sql, &stmt, err) == -1)
        return -1;
    sqlite3_bind_int64(stmt, 1, version);
    sqlite_bind_string(stmt, 2, migrations[version - 1].name);
    sqlite_bind_string(stmt, 3, clock_format(clock_wall_ms(), now));
    rc = sqlite_run(stmt, "migration", err);
    sqlite3_finalize(stmt);
    return rc;
}

static int apply_from(sqlite3 *db, int64_t version, struct error *err)
{
    char identity[96];

    for (int64_t v = version; v < VERSION; v++) {
        if (sqlite_exec(db, migrations[v].sql, err) == -1 || record_migration(db, v + 1, err) == -1)
            return -1;
    }
    snprintf(identity, sizeof(identity), "PRAGMA application_id = %d; PRAGMA user_version = %lld",
             SQLITE_APPLICATION_ID, (long long)VERSION);
    return sqlite_exec(db, identity, err);
}

int migrate_run(sqlite3 *db, struct error *err)
{
    int64_t version = 0;

    if (sqlite_integer(db, "PRAGMA user_version", &version, err) == -1)
        return -1;
    if (version == VERSION)
        return 0;
    if (sqlite_exec(db, "BEGIN IMMEDIATE", err) == -1)
        return -1;
    if (apply_from(db, version, err) == 0 && sqlite_exec(db, "COMMIT", err) == 0)
        return 0;
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return -1;
}
