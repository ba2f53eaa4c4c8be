/*
 * retention.h - rows that have grown too old or too many, deleted little by little.
 *
 * Each table with a retention is gone through in passes: if it is bounded in rows, the newest are
 * counted from their end; then the oldest beyond a bound are deleted, in the order of an index by
 * time. A pass is made of steps of some milliseconds, each a transaction of its own, and a pause
 * follows it that is long beside the time it took.
 */
#ifndef GATHERD_STORE_RETENTION_H
#define GATHERD_STORE_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "gatherd/config.h"
#include "gatherd/error.h"

struct store;
struct retention_list; /* opaque */

/*
 * The column by which the rows of a table grow old; NULL: they stay. Of versions it is the end of
 * their validity, so that the present one has none.
 */
const char *retention_column(const struct mapping *mapping);

/* What is bounded in a configuration, copied. NULL: out of memory. */
struct retention_list *retention_list_create(const struct config *config);
void retention_list_free(struct retention_list *list); /* NULL is allowed */

/*
 * One step for one table whose time has come; `*more`: another one is due at once. Who calls it
 * holds store->mutex. -1: the transaction was undone; ERROR_SPACE and ERROR_BUSY: it may be tried
 * again.
 */
int retention_step(struct store *store, bool *more, struct error *err);

/* retention_sql.c: the statements for one table. */

struct text;
struct table;
struct schema;

/* Values of `mapping`'s rows in `table`, oldest first: rowid, whether it is to go, and whether it
 * may not: ?1 and ?2 are time and rowid of the newest that is one too many, ?3 is the time before
 * which all go, ?4 how many are wanted. False: a column is not there. */
bool retention_put_oldest(struct text *sql, const struct table *table, const char *column);

/* Time and rowid, newest first, behind (?1, ?2). */
bool retention_put_newest(struct text *sql, const struct table *table, const char *column);

/* Deletes at most ?2 rows of `child` that the row ?1 of `table`, of `mapping`, is the ancestor of.
 */
bool retention_put_children(struct text *sql, const struct table *table,
                            const struct mapping *mapping, const struct table *child,
                            const struct mapping *child_mapping);

#endif
