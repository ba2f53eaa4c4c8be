/*
 * outcome.h - what a transaction makes of one result, before it is known whether it commits.
 *
 * Results and runs are written only after the commit: when it fails, they are as they were.
 */
#ifndef GATHERD_STORE_OUTCOME_H
#define GATHERD_STORE_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/clock.h"
#include "gatherd/error.h"
#include "gatherd/run.h"

/* The time of a transaction. */
struct moment {
    int64_t wall_ms;
    int64_t monotonic_us;
    char text[CLOCK_TEXT_SIZE];
};

struct raw_body; /* raw.h */

/* What becomes of the source's validators. */
enum validators_change {
    VALIDATORS_KEEP,
    VALIDATORS_LEARN, /* those of the run's answer take their place */
    VALIDATORS_FORGET,
};

struct outcome {
    int64_t run_id;
    enum run_failure failure; /* of the run, or refused_as */
    unsigned failures;        /* in a row, this one included */
    size_t inserted;
    size_t updated;
    size_t unchanged;
    size_t deleted;
    size_t marked;
    size_t rejected;    /* children too; the five above are of the source's own table */
    size_t child_rows;  /* inserted, updated or removed */
    size_t present;     /* rows of this response that are in the source's own table */
    bool noted;         /* something was kept for the end of the walk: see walk.h */
    bool gaps;          /* the walk cannot tell what is gone: see struct pages */
    bool unfinished;    /* a page follows: neither the run nor its source's state moves on */
    struct tally total; /* of the run, with the pages before and what was taken back of them */
    enum validators_change validators_change;
    struct error refusal;        /* why the table could not take the run; ERROR_NONE: it could */
    enum run_failure refused_as; /* RUN_FAILED_STORE, or RUN_FAILED_SHRINK */
    int64_t fetched_ms;          /* Unix time: the _fetched_at of the rows */
    const struct raw_body *body; /* of the response, to be kept; NULL or empty: it is not */
    char reason[300];            /* of a replay: why the first record was refused; "": none was */
    struct error kept; /* why it keeps the rows of earlier pages; ERROR_NONE: it let them go */
};

/* For another attempt at the same result: what is refused is remembered. */
static inline void outcome_clear_counts(struct outcome *outcome)
{
    outcome->inserted = outcome->updated = outcome->unchanged = outcome->rejected = 0;
    outcome->deleted = outcome->marked = outcome->present = outcome->child_rows = 0;
    outcome->noted = outcome->gaps = false;
    outcome->reason[0] = '\0';
}

#endif
