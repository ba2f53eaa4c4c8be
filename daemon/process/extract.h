/*
 * extract.h - the records of one document to the rows of one table.
 *
 * With `fields` each field's path is followed from the record: what a path of names and indexes
 * finds is the value; what any other path finds is one JSON array of it all, or NULL when that is
 * nothing. Without `fields` every member of a record is a column, in the order of first appearance,
 * but for those in `exclude`; of equal names the last wins; a record that is no object becomes the
 * column `value`. A null record, and one with a value that does not fit its declared type, goes to
 * the dead letters.
 */
#ifndef GATHERD_PROCESS_EXTRACT_H
#define GATHERD_PROCESS_EXTRACT_H

#include "gatherd/arena.h"
#include "gatherd/config.h"
#include "gatherd/row.h"
#include "process/decode.h"

/*
 * Columns that members may make in one response: what SQLite takes (SQLITE_MAX_COLUMN, 2000) less
 * the two that every table has of its own. A record with more would cost the whole run its table.
 */
#define EXTRACT_MAX_COLUMNS 1998

/* What begins the columns of an item's values, which come first in the rows of its run. */
#define EXTRACT_ITEM_PREFIX "_item_"

struct computer;

/*
 * For result->run, fills rows, dead_letters and records. A row spans all columns up to its last
 * value, so records of few members each, but all with different names, would take far more memory
 * than their text: where that happens, or where `records` finds no records, `*failure` says so, and
 * nothing of the response is used. `computer` may be NULL where the source calculates nothing. 0,
 * or -1: out of memory.
 */
int extract_rows(const struct source *source, const struct decoded *decoded, struct arena *arena,
                 struct computer *computer, struct result *result, const char **failure);

#endif
