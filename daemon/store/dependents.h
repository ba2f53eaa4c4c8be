/*
 * dependents.h - what stands beside a data table for those who read it: its indexes and its
 * full-text search.
 *
 * They are looked at when a table is first written to, after each change of it, and when a mapping
 * wants others. That it was done is remembered in a few bytes a table, longer than the table
 * itself: with thousands of tables in turn, looking would cost more than writing the rows.
 */
#ifndef GATHERD_STORE_DEPENDENTS_H
#define GATHERD_STORE_DEPENDENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/config.h"
#include "gatherd/error.h"
#include "store/outcome.h"
#include "store/schema.h"

struct fitted; /* a table, and what it was fitted to */

struct dependents {
    struct fitted *slots; /* owned; NULL: none yet */
    size_t capacity;      /* a power of two, or 0 */
    size_t count;
};

/*
 * Makes and removes what the mapping says, as far as the table has the columns; `changed` is set
 * when there was anything to do, and else left alone. With ERROR_FAILED nothing was changed.
 */
int dependents_fit(struct dependents *dependents, sqlite3 *db, const struct schema_log *log,
                   const struct table *table, const struct mapping *mapping, int64_t run_id,
                   const struct moment *moment, bool *changed, struct error *err);

/* The table is another one now. */
void dependents_forget_table(struct dependents *dependents, const char *table);

/* All of them, and the memory. */
void dependents_forget(struct dependents *dependents);

#endif
