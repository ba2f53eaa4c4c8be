/*
 * validators.h - _gatherd_state: what a source remembers for its next run, saved with the rows that
 * it was learned with.
 *
 * A source without anything to remember has no row. What the run carries and what the table holds
 * are the same after each commit.
 */
#ifndef GATHERD_STORE_VALIDATORS_H
#define GATHERD_STORE_VALIDATORS_H

#include "gatherd/error.h"
#include "gatherd/row.h"
#include "store/outcome.h"
#include "store/sqlite.h"

struct validators_table {
    sqlite3 *db; /* borrowed */
    sqlite3_stmt *load;
    sqlite3_stmt *save;
    sqlite3_stmt *forget;
    sqlite3_stmt *known; /* whether _gatherd_columns speaks of a table */
};

int validators_open(struct validators_table *table, sqlite3 *db, struct error *err);
void validators_close(struct validators_table *table);

/*
 * What is saved of a source; NULL: nothing. Where its table has been dropped, what is saved is
 * forgotten: an answer that did not change would never fill it again.
 */
int validators_load(struct validators_table *table, const struct source *source, int64_t source_id,
                    struct validators **validators, struct error *err);

/*
 * The same of a row that begins with fingerprint, request, etag, last_modified and body_hash.
 * Whether the table was dropped is for the caller to look at.
 */
int validators_read(sqlite3_stmt *stmt, struct validators **validators, struct error *err);

/*
 * Decides what becomes of the run's validators (outcome->validators_change) and saves it. Called
 * once the run is recorded, when SQLite has seen what other programs did to the schema.
 */
int validators_update(struct validators_table *table, const struct result *result,
                      struct outcome *outcome, struct error *err);

/* After the commit: the run has what was saved. */
void validators_settle(struct run *run, const struct outcome *outcome);

/* As if no answer had come; `item` NULL: for any of them, and for the source as a whole. */
int validators_forget(struct validators_table *table, int64_t source_id, const char *item,
                      struct error *err);

#endif
