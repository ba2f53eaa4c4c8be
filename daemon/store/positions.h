/*
 * positions.h - the cursor of _gatherd_state: how far a source with `incremental` has been read.
 */
#ifndef GATHERD_STORE_POSITIONS_H
#define GATHERD_STORE_POSITIONS_H

#include "gatherd/error.h"
#include "gatherd/row.h"
#include "store/outcome.h"
#include "store/sqlite.h"

struct positions_table {
    sqlite3_stmt *load;
    sqlite3_stmt *save;
    sqlite3_stmt *forget;
    struct text ties; /* reused */
};

int positions_open(struct positions_table *table, sqlite3 *db, struct error *err);
void positions_close(struct positions_table *table);

/* What is saved of a source; NULL: nothing. The caller owns it. */
int positions_load(struct positions_table *table, int64_t source_id, struct position **position,
                   struct error *err);

/* The same of a row that has cursor and ties in this column and the next. */
int positions_read(sqlite3_stmt *stmt, int column, struct position **position, struct error *err);

/* Writes ties as a row holds them, over what `out` held. */
int positions_write_ties(const struct ties *ties, struct text *out, struct error *err);

/* Saves what the result took the position to, where its commit is to do that. */
int positions_update(struct positions_table *table, const struct result *result,
                     const struct outcome *outcome, struct error *err);

/*
 * Puts the cursor where somebody says, without ties; NULL: as if nothing had been seen,
 * by any of its items either.
 */
int positions_set(struct positions_table *table, int64_t source_id, const char *cursor,
                  struct error *err);

#endif
