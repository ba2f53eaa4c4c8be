/*
 * scope.h - the rows of a table that one walk is about: all of them, or with for_each those of its
 * item.
 */
#ifndef GATHERD_STORE_SCOPE_H
#define GATHERD_STORE_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/error.h"
#include "gatherd/items.h"
#include "gatherd/run.h"
#include "gatherd/text.h"
#include "store/schema.h"
#include "store/sqlite.h"

struct scope {
    const struct table *table; /* borrowed */
    const struct source_item *item;
    const struct table_column *columns[ITEMS_MAX_NAMES]; /* of the item's values */
    size_t count;
};

/* False: the table has no row that the run could be about. */
bool scope_find(struct scope *scope, const struct table *table, const struct run *run);

/* " AND ..." for each value of the item, as parameter `first` and those behind it. */
void scope_put(struct text *sql, const struct scope *scope, unsigned first);
void scope_bind(sqlite3_stmt *stmt, const struct scope *scope, unsigned first);

/* How many rows it has; `where` may be "", or " AND ..." without parameters. */
int scope_count(sqlite3 *db, const struct scope *scope, const char *where, int64_t *count,
                struct error *err);

/*
 * Runs a statement whose parameters are ?1, an integer, ?2, a text, and from ?3 on the item's
 * values. `*changes` rows were changed by it.
 */
int scope_run(sqlite3 *db, const struct scope *scope, const struct text *sql, int64_t number,
              const char *string, int64_t *changes, struct error *err);

#endif
