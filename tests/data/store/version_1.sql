-- The internal tables as version 1 made them, with one source.
CREATE TABLE _gatherd_sources ( -- one row a source; it stays when the source goes
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  url TEXT, -- without its query
  table_name TEXT,
  added_at TEXT,
  next_due_at TEXT,
  last_run_id INTEGER, -- in _gatherd_runs
  last_run_at TEXT,
  last_success_at TEXT,
  consecutive_failures INTEGER NOT NULL DEFAULT 0, -- 0: the last run was a success
  runs INTEGER NOT NULL DEFAULT 0,
  failed_runs INTEGER NOT NULL DEFAULT 0,
  rows_inserted INTEGER NOT NULL DEFAULT 0,
  rows_updated INTEGER NOT NULL DEFAULT 0,
  skipped_slots INTEGER NOT NULL DEFAULT 0, -- polls that a slow run made impossible
  last_error TEXT -- of the last failed run
) STRICT;
CREATE TABLE _gatherd_runs ( -- one row a run: one execution of one source
  id INTEGER PRIMARY KEY, -- the _run_id of its rows
  source TEXT NOT NULL,
  source_id INTEGER NOT NULL,
  scheduled_at TEXT, -- its slot
  started_at TEXT, -- its first request
  finished_at TEXT, -- its commit
  outcome TEXT NOT NULL, -- success, partial (records rejected) or failed
  failure TEXT, -- network, timeout, tls, status, limit, redirect, decode, records or store
  http_status INTEGER,
  requests INTEGER, -- sent, with retries and redirects
  bytes INTEGER, -- of the body, decompressed
  records INTEGER,
  inserted INTEGER,
  updated INTEGER,
  unchanged INTEGER,
  rejected INTEGER, -- in _gatherd_dead_letters
  skipped_slots INTEGER,
  dns_ms REAL, -- of the last request, each from its start
  connect_ms REAL,
  tls_ms REAL,
  first_byte_ms REAL,
  total_ms REAL,
  queue_ms REAL, -- from its end to the commit
  error TEXT
) STRICT;
CREATE TABLE _gatherd_dead_letters ( -- what could not be stored
  id INTEGER PRIMARY KEY,
  run_id INTEGER, -- the latest that had it
  source TEXT NOT NULL,
  table_name TEXT,
  kind TEXT NOT NULL, -- body or record
  position INTEGER, -- of the record in its response, from 0
  line INTEGER, -- in the body, from 1
  column INTEGER, -- in characters, from 1
  reason TEXT NOT NULL,
  content_type TEXT,
  content ANY, -- TEXT, or a BLOB when it is not UTF-8
  bytes INTEGER,
  hash TEXT NOT NULL, -- XXH3-128 of the content
  first_at TEXT,
  last_at TEXT,
  occurrences INTEGER NOT NULL DEFAULT 1 -- the same content for the same reason
) STRICT;
CREATE UNIQUE INDEX _gatherd_dead_letters_same ON _gatherd_dead_letters (hash, source, reason, kind);
CREATE TABLE _gatherd_schema_changes ( -- what happened to the tables
  id INTEGER PRIMARY KEY,
  at TEXT,
  table_name TEXT NOT NULL COLLATE NOCASE,
  column_name TEXT,
  change TEXT NOT NULL, -- create_table, add_column, settle, widen, rename or rekey
  old_value TEXT,
  new_value TEXT,
  run_id INTEGER
) STRICT;
CREATE TABLE _gatherd_columns ( -- which member of the records a column holds
  table_name TEXT NOT NULL COLLATE NOCASE,
  member TEXT NOT NULL,
  column_name TEXT NOT NULL,
  type TEXT NOT NULL,
  settled INTEGER NOT NULL, -- 0: only NULLs so far
  added_at TEXT,
  added_by_run INTEGER,
  PRIMARY KEY (table_name, member)
) STRICT, WITHOUT ROWID;
CREATE TABLE _gatherd_migrations ( -- what made these tables
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  applied_at TEXT NOT NULL
) STRICT;
INSERT INTO _gatherd_sources (id, name, url, table_name, next_due_at, runs)
 VALUES (7, 't', 'https://example.org/', 't', '2026-03-09T04:05:06.078Z', 3);
INSERT INTO _gatherd_migrations VALUES (1, 'internal tables', '2026-01-01T00:00:00.000Z');
PRAGMA application_id = 1735682148;
PRAGMA user_version = 1;
