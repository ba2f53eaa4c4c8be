/*
 * walk.h - what a walk over all pages keeps until its end: which keys it has seen.
 *
 * A walk is a run of a source whose mode asks what the API no longer has: `replace`, or
 * `on_missing`. What it keeps lies in TEMP tables of the writing connection (also spool.h), each
 * row under the run's id: they take part in its transactions, memory for them is bounded by
 * SQLite's cache, and nothing of them is in people's databases. A process that ends loses them
 * with their runs, which are made again.
 */
#ifndef GATHERD_STORE_WALK_H
#define GATHERD_STORE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/config.h"
#include "gatherd/error.h"
#include "gatherd/text.h"
#include "store/schema.h"
#include "store/sqlite.h"

/* Of keys of %zu columns: run, k1, k2... */
#define WALK_SEEN_TABLE "temp._gatherd_seen_%zu"
#define WALK_GONE_TABLE "temp._gatherd_gone_%zu"

/* Whether the mode asks which rows are gone. */
bool walk_finds_missing(const struct mapping *mapping);

/* Whether it notes the keys for that: rows without a key are told by their place instead. */
bool walk_notes_seen(const struct mapping *mapping);

/* Makes the table for keys of so many columns unless it is there. */
int walk_make_seen(sqlite3 *db, size_t key_count, struct error *err);

/* "NOT EXISTS (...)": the row of `table` is none that run ?1 has seen. */
void walk_put_unseen(struct text *sql, const struct table *table, size_t key_count);

/* The same of the keys of rows that are gone: the walk's end notes and removes them. */
int walk_make_gone(sqlite3 *db, size_t key_count, struct error *err);

/*
 * "(a, b) IN (...)": the columns of these members are a key that run ?1 has noted as gone. False: a
 * column is not there, so no row can be.
 */
bool walk_put_gone(struct text *sql, const struct table *table, const char *const *members,
                   size_t count);

/* Drops all that is kept for the run. */
int walk_forget(sqlite3 *db, int64_t run_id, struct error *err);

#endif
