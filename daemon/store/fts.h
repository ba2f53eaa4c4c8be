/*
 * fts.h - full-text search over columns of a table: TABLE_fts, an FTS5 table (SQLite's manual, FTS5
 * Extension).
 *
 *     SELECT t.* FROM posts_fts JOIN posts AS t ON t.rowid = posts_fts.rowid
 *     WHERE posts_fts MATCH 'sqlite' ORDER BY rank
 *
 * It holds words only, and no copy of the texts: those are read from the table (external content).
 * Triggers keep it in step with whatever writes to the table, also by hand.
 */
#ifndef GATHERD_STORE_FTS_H
#define GATHERD_STORE_FTS_H

#include "gatherd/config.h"
#include "gatherd/error.h"
#include "store/outcome.h"
#include "store/schema.h"

/*
 * Makes it as the mapping has it, as far as the table has its columns, or removes it where it is
 * wanted no more; `changed` is set when there was anything to do, and else left alone.
 * ERROR_FAILED: a table of that name is there which is not ours.
 */
int fts_fit(sqlite3 *db, const struct schema_log *log, const struct table *table,
            const struct mapping *mapping, int64_t run_id, const struct moment *moment,
            bool *changed, struct error *err);

/* Reads all texts anew, where the table has full-text search: its rows have moved or changed. */
int fts_rebuild(sqlite3 *db, const char *table, struct error *err);

#endif
