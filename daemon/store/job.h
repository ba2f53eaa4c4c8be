/*
 * job.h - the rows of one result on their way into their tables, for write_rows.c and
 * write_walk.c.
 */
#ifndef GATHERD_STORE_JOB_H
#define GATHERD_STORE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/json.h"
#include "store/contract.h"
#include "store/parts.h"
#include "store/spool.h"
#include "store/table.h"

struct job {
    struct store *store;
    const struct result *result;
    struct outcome *outcome;
    const struct moment *moment;

    /* The sets at hand: the result's, or those of a piece of an earlier page. */
    const struct row_set *rows;
    const struct row_set *children;
    size_t child_count;
    int64_t fetched_ms;              /* when they were there */
    const struct spool_piece *piece; /* NULL: the result's */
    bool notes_seen;                 /* of the source's own rows the keys are noted: walk.h */

    const struct row_set *set; /* that is being written ... */
    struct contract_view view; /* ... as its contract lets it through */
    struct json_locator locator;
    struct rejecter rejecter;
    struct outcome child_outcome; /* counts of the rows of children */
    uint8_t *fates; /* owned: of all rows, set behind set; NULL: there are no children */
};

/* --- write_rows.c --- */

/* The mapping of a set at hand. */
const struct mapping *job_mapping(const struct job *job, const struct row_set *set);

/* Takes up the sets of a piece, and again those of the result with NULL. -1: out of memory. */
int job_take(struct job *job, const struct spool_piece *piece, struct error *err);

/*
 * Makes the table of a set fit; `writing` is ready for table_begin(). 1; 0: there is nothing that
 * could become a table; or -1.
 */
int job_prepare(struct job *job, const struct row_set *set, struct writing *writing,
                struct error *err);

/* Forgets what it holds. */
void job_free(struct job *job);

/* Writes the sets at hand. -1 with ERROR_FAILED: some rows may be written. */
int job_write(struct job *job, struct error *err);

/* --- write_walk.c --- */

/* The same for a source that asks what the API has no more: at the end of a walk, that too. */
int job_write_walk(struct job *job, struct error *err);

#endif
