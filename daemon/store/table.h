/*
 * table.h - rows into a table: the hot path of the store.
 */
#ifndef GATHERD_STORE_TABLE_H
#define GATHERD_STORE_TABLE_H

#include <stdint.h>

#include "gatherd/error.h"
#include "gatherd/row.h"
#include "store/layout.h"
#include "store/outcome.h"

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
