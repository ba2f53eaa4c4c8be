/*
 * history.h - write_mode: history. The table is that of an upsert; a second one has every version
 * of each of its rows, the present one too, with the time from when and until when it was valid.
 *
 * A version is valid from the time its response was there, or a millisecond after the version
 * before it where the clock was set back. It is valid until the next one, or until the walk that
 * did not find its row any more.
 */
#ifndef GATHERD_STORE_HISTORY_H
#define GATHERD_STORE_HISTORY_H

#include <stdint.h>

#include "gatherd/error.h"
#include "gatherd/row.h"
#include "store/outcome.h"
#include "store/schema.h"
#include "store/scope.h"
#include "store/table.h"

/*
 * Makes the table of versions fit the rows and returns how they are written; where it is new, what
 * the table has becomes its first versions. NULL on error.
 */
struct layout *history_fit(struct schema *schema, const struct mapping *mapping,
                           const struct row_set *set, const struct outcome *outcome,
                           const struct moment *moment, struct error *err);

/* Writes one row of the present, and the version that it makes, if it does. */
int history_write_row(struct writing *writing, const struct row *row, enum row_fate *fate,
                      struct error *err);

/*
 * Writes the statement that ends the versions of rows that are no more in the table, among those of
 * one parent: its key is ?1 and those behind it, then comes the time. 1; 0: there are none; or -1.
 */
int history_put_end_of_family(struct text *sql, struct schema *schema,
                              const struct mapping *mapping, size_t parent_key_count,
                              struct error *err);

/* Ends the versions of all rows whose columns `key` are among the gone of the run: walk.h. */
int history_end_gone(struct schema *schema, const struct mapping *mapping, const char *const *key,
                     size_t key_count, int64_t run_id, const char *time, struct error *err);

#endif
