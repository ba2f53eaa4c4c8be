/*
 * contract.h - what a table does about records that are not as those before: schema_contract.
 *
 * Without one, or where it says evolve, the table changes to fit. It is about what the API sends: a
 * table that is not there yet, a column that the operator declares, and one that has held NULLs
 * only, take what comes.
 */
#ifndef GATHERD_STORE_CONTRACT_H
#define GATHERD_STORE_CONTRACT_H

#include <stdbool.h>

#include "gatherd/error.h"
#include "gatherd/row.h"
#include "store/schema.h"

struct ruling; /* contract.c */

/* A set of rows as the contract lets them through; the set itself where nothing is against it. */
struct contract_view {
    const struct row_set *set; /* `own`, or the one that was given */

    /* contract.c only. */
    struct row_set own;     /* columns and rows are owned */
    struct value *values;   /* owned; of the rows */
    struct ruling *rulings; /* owned; one a column of the set that was given */
    size_t ruling_count;
};

/*
 * Holds the rows against the contract of their mapping. Rows that it does not take are in the view
 * with the reason in `refused`; values that it leaves out are noted once in
 * _gatherd_schema_changes. ERROR_FAILED: it takes no such rows at all. The view is to be freed in
 * any case.
 */
int contract_apply(sqlite3 *db, const struct table *table, const struct mapping *mapping,
                   const struct row_set *set, const struct outcome *outcome,
                   const struct moment *moment, struct contract_view *view, struct error *err);

void contract_view_free(struct contract_view *view);

#endif
