/*
 * children.h - rows that are one parent's, and those among them that it has no more.
 */
#ifndef GATHERD_STORE_CHILDREN_H
#define GATHERD_STORE_CHILDREN_H

#include <stddef.h>

#include "gatherd/error.h"
#include "gatherd/row.h"
#include "store/layout.h"
#include "store/schema.h"

/* The children of one parent after the other, in one table. */
struct family {
    /* Set by who uses it. */
    sqlite3 *db;
    struct schema *schema;
    const struct row_set *set;
    size_t parent;    /* its place among set->parents */
    const char *time; /* of the response */

    size_t removed; /* rows of this table and of those below it, so far */

    size_t *parent_key; /* owned: places of its key's columns */
    size_t parent_key_count;
    struct rowids {
        int64_t *list; /* owned; reused */
        size_t count;
        size_t capacity;
    } there, present;
};

/*
 * Removes the children of the parent that are in the table and not among its rows from `first` to
 * `end`, which have all been written; and all that they were parents of. Where there are none,
 * nothing is written. -1 with ERROR_FAILED: a table does not let them go (a trigger of the user's).
 */
int children_remove_vanished(struct family *family, const struct layout *layout, size_t first,
                             size_t end, struct error *err);

void family_free(struct family *family); /* not the struct itself */

#endif
