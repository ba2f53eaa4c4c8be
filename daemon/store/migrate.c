#include "store/migrate.h"

#include <stddef.h>
#include <stdio.h>

#include "gatherd/clock.h"

struct migration {
    const char *name;
    const char *sql;
};

/*
 * What stands here was applied to people's databases: a change is a new entry at the end. The
 * comments inside go with the tables: `.schema` shows them to whoever opens the database.
 *
 * Run ids need no AUTOINCREMENT: the highest id ever given is the last_run_id of some source, and
 * rows of sources stay for ever, so store.c counts from there.
 */
static const struct migration migrations[] = {
    {"internal tables",
     "CREATE TABLE _gatherd_sources ( -- one row a source; it stays when the source goes\n"
     "  id INTEGER PRIMARY KEY,\n"
     "  name TEXT NOT NULL UNIQUE,\n"
     "  url TEXT, -- without its query\n"
     "  table_name TEXT,\n"
     "  added_at TEXT,\n"
     "  next_due_at TEXT,\n"
     "  last_run_id INTEGER, -- in _gatherd_runs\n"
     "  last_run_at TEXT,\n"
     "  last_success_at TEXT,\n"
     "  consecutive_failures INTEGER NOT NULL DEFAULT 0, -- 0: the last run was a success\n"
     "  runs INTEGER NOT NULL DEFAULT 0,\n"
     "  failed_runs INTEGER NOT NULL DEFAULT 0,\n"
     "  rows_inserted INTEGER NOT NULL DEFAULT 0,\n"
     "  rows_updated INTEGER NOT NULL DEFAULT 0,\n"
     "  skipped_slots INTEGER NOT NULL DEFAULT 0, -- polls that a slow run made impossible\n"
     "  last_error TEXT -- of the last failed run\n"
     ") STRICT;"

     "CREATE TABLE _gatherd_runs ( -- one row a run: one execution of one source\n"
     "  id INTEGER PRIMARY KEY, -- the _run_id of its rows\n"
     "  source TEXT NOT NULL,\n"
     "  source_id INTEGER NOT NULL,\n"
     "  scheduled_at TEXT, -- its slot\n"
     "  started_at TEXT, -- its first request\n"
     "  finished_at TEXT, -- its commit\n"
     "  outcome TEXT NOT NULL, -- success, partial (records rejected) or failed\n"
     "  failure TEXT, -- network, timeout, tls, status, limit, redirect, decode, records or store\n"
     "  http_status INTEGER,\n"
     "  requests INTEGER, -- sent, with retries and redirects\n"
     "  bytes INTEGER, -- of the body, decompressed\n"
     "  records INTEGER,\n"
     "  inserted INTEGER,\n"
     "  updated INTEGER,\n"
     "  unchanged INTEGER,\n"
     "  rejected INTEGER, -- in _gatherd_dead_letters\n"
     "  skipped_slots INTEGER,\n"
     "  dns_ms REAL, -- of the last request, each from its start\n"
     "  connect_ms REAL,\n"
     "  tls_ms REAL,\n"
     "  first_byte_ms REAL,\n"
     "  total_ms REAL,\n"
     "  queue_ms REAL, -- from its end to the commit\n"
     "  error TEXT\n"
     ") STRICT;"

     "CREATE TABLE _gatherd_dead_letters ( -- what could not be stored\n"
     "  id INTEGER PRIMARY KEY,\n"
     "  run_id INTEGER, -- the latest that had it\n"
     "  source TEXT NOT NULL,\n"
     "  table_name TEXT,\n"
     "  kind TEXT NOT NULL, -- body or record\n"
     "  position INTEGER, -- of the record in its response, from 0\n"
     "  line INTEGER, -- in the body, from 1\n"
     "  column INTEGER, -- in characters, from 1\n"
     "  reason TEXT NOT NULL,\n"
     "  content_type TEXT,\n"
     "  content ANY, -- TEXT, or a BLOB when it is not UTF-8\n"
     "  bytes INTEGER,\n"
     "  hash TEXT NOT NULL, -- XXH3-128 of the content\n"
     "  first_at TEXT,\n"
     "  last_at TEXT,\n"
     "  occurrences INTEGER NOT NULL DEFAULT 1 -- the same content for the same reason\n"
     ") STRICT;"
     "CREATE UNIQUE INDEX _gatherd_dead_letters_same"
     " ON _gatherd_dead_letters (hash, source, reason, kind);"

     "CREATE TABLE _gatherd_schema_changes ( -- what happened to the tables\n"
     "  id INTEGER PRIMARY KEY,\n"
     "  at TEXT,\n"
     "  table_name TEXT NOT NULL COLLATE NOCASE,\n"
     "  column_name TEXT,\n"
     "  change TEXT NOT NULL, -- create_table, add_column, settle, widen, rename or rekey\n"
     "  old_value TEXT,\n"
     "  new_value TEXT,\n"
     "  run_id INTEGER\n"
     ") STRICT;"

     "CREATE TABLE _gatherd_columns ( -- which member of the records a column holds\n"
     "  table_name TEXT NOT NULL COLLATE NOCASE,\n"
     "  member TEXT NOT NULL,\n"
     "  column_name TEXT NOT NULL,\n"
     "  type TEXT NOT NULL,\n"
     "  settled INTEGER NOT NULL, -- 0: only NULLs so far\n"
     "  added_at TEXT,\n"
     "  added_by_run INTEGER,\n"
     "  PRIMARY KEY (table_name, member)\n"
     ") STRICT, WITHOUT ROWID;"

     "CREATE TABLE _gatherd_migrations ( -- what made these tables\n"
     "  version INTEGER PRIMARY KEY,\n"
     "  name TEXT NOT NULL,\n"
     "  applied_at TEXT NOT NULL\n"
     ") STRICT;"},
    {"runs of many pages",
     "ALTER TABLE _gatherd_runs ADD COLUMN"
     " pages /* the last one asked for, from 1 */ INTEGER;"
     "ALTER TABLE _gatherd_runs ADD COLUMN"
     " append_table /* of an unfinished run: its rows go from there if it does not end well */"
     " TEXT;"
     "CREATE INDEX _gatherd_runs_unfinished ON _gatherd_runs (id) WHERE outcome = 'unfinished';"
     "ALTER TABLE _gatherd_dead_letters ADD COLUMN"
     " page /* of its run, from 1; NULL without pagination */ INTEGER;"},

    {"the slot of the last success",
     "ALTER TABLE _gatherd_sources ADD COLUMN"
     " last_success_scheduled_at TEXT /* its slot: {previous_scheduled_at} of the next run */"},

    {"state of sources",
     "CREATE TABLE _gatherd_state ( -- what a source remembers for its next run\n"
     "  source_id INTEGER NOT NULL, -- in _gatherd_sources\n"
     "  item TEXT NOT NULL, -- '': the source as a whole\n"
     "  fingerprint INTEGER, -- of the configuration that the following belongs to\n"
     "  request INTEGER, -- which request: 16 bits of its hash\n"
     "  etag ANY, -- as it came, to be sent back; a BLOB when it is not UTF-8\n"
     "  last_modified TEXT, -- the same\n"
     "  body_hash TEXT, -- XXH3-128 of the last body, with skip_unchanged\n"
     "  run_id INTEGER, -- that learned them\n"
     "  PRIMARY KEY (source_id, item)\n"
     ") STRICT, WITHOUT ROWID;"
     "ALTER TABLE _gatherd_runs ADD COLUMN"
     " not_modified /* 1: HTTP 304, or the body was the last one: nothing was read */ INTEGER;"},

    {"cursors", "ALTER TABLE _gatherd_state ADD COLUMN"
                " cursor /* with incremental: how far the source has been read */ TEXT;"
                "ALTER TABLE _gatherd_state ADD COLUMN"
                " ties /* hashes of the records that have the cursor's own value */ BLOB;"},

    {"items of for_each",
     "ALTER TABLE _gatherd_state ADD COLUMN"
     " consecutive_failures /* of an item; 0: its last run was a success */ INTEGER;"
     "ALTER TABLE _gatherd_state ADD COLUMN"
     " last_success_scheduled_at /* of an item: {previous_scheduled_at} of its next run */ TEXT;"
     "ALTER TABLE _gatherd_runs ADD COLUMN"
     " item /* for_each: which item; NULL: the source's own run, or its round */ TEXT;"
     "ALTER TABLE _gatherd_runs ADD COLUMN items /* of a round: how many it found */ INTEGER;"
     "ALTER TABLE _gatherd_runs ADD COLUMN"
     " items_left_out /* of a round: rows with a NULL or BLOB, which are no items */ INTEGER;"},

    {"rows that where leaves out",
     "ALTER TABLE _gatherd_runs ADD COLUMN filtered /* rows that `where` left out */ INTEGER;"},

    {"views of the configuration", "CREATE TABLE _gatherd_views ( -- what `views` has made\n"
                                   "  name TEXT PRIMARY KEY COLLATE NOCASE,\n"
                                   "  sql TEXT NOT NULL\n"
                                   ") STRICT, WITHOUT ROWID;"},

    {"children", "ALTER TABLE _gatherd_runs ADD COLUMN"
                 " child_rows /* inserted, updated or removed in the tables of children; the other"
                 " counts are of the source's own */ INTEGER;"},

    {"rows that go",
     "ALTER TABLE _gatherd_runs ADD COLUMN"
     " deleted /* rows that the run removed: replace, or on_missing: delete */ INTEGER;"
     "ALTER TABLE _gatherd_runs ADD COLUMN"
     " marked /* rows that it marked as missing: on_missing: mark */ INTEGER;"},

    {"dead letters by time", "CREATE INDEX _gatherd_dead_letters_time"
                             " ON _gatherd_dead_letters (last_at);"},

    {"bodies, and dead letters that can be replayed",
     "CREATE TABLE _gatherd_generations ( -- which mapping of a source was in force from when\n"
     "  source TEXT NOT NULL,\n"
     "  generation INTEGER NOT NULL, -- from 1\n"
     "  fingerprint INTEGER NOT NULL, -- of records, fields, table ...: all that makes rows\n"
     "  since TEXT NOT NULL,\n"
     "  PRIMARY KEY (source, generation)\n"
     ") STRICT, WITHOUT ROWID;"
     "ALTER TABLE _gatherd_dead_letters ADD COLUMN"
     " generation /* in _gatherd_generations: the mapping that refused it last */ INTEGER;"
     "ALTER TABLE _gatherd_dead_letters ADD COLUMN"
     " failure /* of a body: why its run failed, as in _gatherd_runs */ TEXT;"
     "ALTER TABLE _gatherd_dead_letters ADD COLUMN http_status INTEGER;"
     "ALTER TABLE _gatherd_dead_letters ADD COLUMN url /* without its query */ TEXT;"
     "ALTER TABLE _gatherd_dead_letters ADD COLUMN"
     " head /* headers of its response, without those that may hold secrets */ ANY;"
     "ALTER TABLE _gatherd_dead_letters ADD COLUMN"
     " item /* for_each: which item; '': none */ TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE _gatherd_dead_letters ADD COLUMN"
     " item_values /* the same by its names, as JSON */ TEXT;"
     "ALTER TABLE _gatherd_dead_letters ADD COLUMN scheduled_at /* slot of its run */ TEXT;"
     "ALTER TABLE _gatherd_dead_letters ADD COLUMN"
     " fetched_at /* when its response was there */ TEXT;"
     "ALTER TABLE _gatherd_dead_letters ADD COLUMN"
     " records_before /* of its run, in the responses before */ INTEGER;"
     "DROP INDEX _gatherd_dead_letters_same;"
     "CREATE UNIQUE INDEX _gatherd_dead_letters_same"
     " ON _gatherd_dead_letters (hash, source, reason, kind, item);"
     "CREATE INDEX _gatherd_dead_letters_run ON _gatherd_dead_letters (run_id);"

     "CREATE TABLE _gatherd_raw ( -- bodies of answers, kept with store_raw\n"
     "  id INTEGER PRIMARY KEY,\n"
     "  run_id INTEGER NOT NULL, -- in _gatherd_runs, and the _run_id of its rows\n"
     "  source_id INTEGER NOT NULL, -- in _gatherd_sources\n"
     "  item TEXT, -- for_each: which item\n"
     "  item_values TEXT, -- the same by its names, as JSON\n"
     "  page INTEGER, -- of its run, from 1; NULL without pagination\n"
     "  scheduled_at TEXT, -- slot of its run\n"
     "  fetched_at TEXT NOT NULL, -- when it was there: the _fetched_at of its rows\n"
     "  http_status INTEGER,\n"
     "  url TEXT, -- without its query\n"
     "  content_type TEXT,\n"
     "  cursor TEXT, -- with incremental, in tables that append: what was known before ...\n"
     "  ties BLOB, -- ... so that the same records are left out again\n"
     "  keep_until TEXT NOT NULL, -- by the store_raw of that time\n"
     "  head_bytes INTEGER NOT NULL, -- of headers, which stand before the body in content\n"
     "  bytes INTEGER NOT NULL, -- of the body\n"
     "  dictionary INTEGER, -- in _gatherd_dictionaries; NULL: none\n"
     "  content BLOB NOT NULL -- a zstd frame\n"
     ") STRICT;"
     "CREATE INDEX _gatherd_raw_source ON _gatherd_raw (source_id, fetched_at);"
     "CREATE INDEX _gatherd_raw_run ON _gatherd_raw (source_id, run_id);"

     "CREATE TABLE _gatherd_dictionaries ( -- what bodies of a source have in common, for zstd\n"
     "  id INTEGER PRIMARY KEY,\n"
     "  source_id INTEGER NOT NULL,\n"
     "  made_at TEXT NOT NULL,\n"
     "  samples INTEGER NOT NULL,\n"
     "  content BLOB NOT NULL\n"
     ") STRICT;"
     "CREATE INDEX _gatherd_dictionaries_source ON _gatherd_dictionaries (source_id);"},
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
