/*
 * repeats.h - rows of one set that have the same key.
 *
 * Written one after the other, two records of one key would change the row at each poll, though the
 * response is always the same.
 */
#ifndef GATHERD_STORE_REPEATS_H
#define GATHERD_STORE_REPEATS_H

#include <stdbool.h>

#include "gatherd/error.h"
#include "gatherd/row.h"
#include "store/layout.h"

/*
 * Finds the rows whose key stands in a later row of the set, too: `*repeated` has true for each,
 * and is NULL where there are none. The caller frees it.
 */
int repeats_find(const struct layout *layout, const struct row_set *set, bool **repeated,
                 struct error *err);

#endif
