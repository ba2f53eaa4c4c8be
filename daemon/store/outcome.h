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

/* What becomes of the source's validators. */
enum validators_change {
    VALIDATORS_KEEP,
    VALIDATORS_LEARN, /* those of the run's answer take their place */
    VALIDATORS_FORGET,
};

struct outcome {
    int64_t run_id;
    enum run_failure failure; /* of the run, or RUN_FAILED_STORE */
    unsigned failures;        /* in a row, this one included */
    size_t inserted;
    size_t updated;
    size_t unchanged;
    size_t rejected;    /* children too; the three above are of the source's own table */
    size_t child_rows;  /* inserted, updated or removed */
    bool unfinished;    /* a page follows: neither the run nor its source's state moves on */
    struct tally total; /* of the run, with the pages before and what was taken back of them */
    enum validators_change validators_change;
    struct error refusal; /* why the table could not take the run; ERROR_NONE: it could */
    struct error kept;    /* why it keeps the rows of earlier pages; ERROR_NONE: it let them go */
};

#endif
