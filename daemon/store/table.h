/*
 * table.h - rows into a table: the hot path of the store.
 *
 * A layout is how rows of one shape are written: the columns of a row set in their order, the write
 * mode, and the statement prepared for them. A source sends the same shape again and again, so a
 * table keeps the last few; which one fits is found by its signature, a string of all it depends
 * on.
 */
#ifndef GATHERD_STORE_TABLE_H
#define GATHERD_STORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "gatherd/error.h"
#include "gatherd/row.h"
#include "store/outcome.h"
#include "store/schema.h"

struct layout; /* opaque */

/* Writes the signature of rows of this source into `signature`, which is reused. */
int layout_sign(struct text *signature, const struct mapping *mapping, const struct row_set *set,
                struct error *err);

/* The table's layout of that signature, now the first of its list; NULL: none. */
struct layout *layout_find(struct table *table, const struct text *signature);

/* Whether the table's columns take the types of these values without a change. */
bool layout_fits(const struct layout *layout, const struct row_set *set);

/* Makes and keeps a layout for a table that fits. NULL: failed. */
struct layout *layout_add(sqlite3 *db, struct table *table, const struct mapping *mapping,
                          const struct row_set *set, const struct text *signature,
                          struct error *err);

void layouts_free(struct layout *first);

/* Who is told of each row that is not written. -1 ends the writing. */
struct rejecter {
    int (*reject)(void *context, const struct row *row, const char *reason, struct error *err);
    void *context;
};

/*
 * Writes the rows and counts them in `outcome`. A row without its key, or refused by the database,
 * goes to `rejecter`, and the rest goes on. -1 with ERROR_FAILED: the database undid the whole
 * transaction because of this run.
 */
int layout_write(struct layout *layout, const struct mapping *mapping, const struct row_set *set,
                 int64_t fetched_ms, struct outcome *outcome, const struct rejecter *rejecter,
                 struct error *err);

#endif
