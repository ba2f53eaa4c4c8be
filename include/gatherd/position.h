/*
 * position.h - how far a source with `incremental` has been read, and what its run asks for now.
 *
 * The cursor is the greatest value that the records of successful runs had, and moves in the
 * transaction that commits them. A run asks from there, less `lookback`, up to the end of its
 * window: a `step` further, or all there is. The lower bound is closed: what has the cursor's own
 * value comes again, and either meets its key in the table or, where there is none, is known by its
 * hash (a tie).
 *
 * It belongs to its run and travels with it; what is saved is the store's.
 */
#ifndef GATHERD_POSITION_H
#define GATHERD_POSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/config.h"
#include "gatherd/hash.h"
#include "gatherd/text.h"
#include "gatherd/ties.h"

/* A value and the records that have it. */
struct mark {
    char *cursor; /* owned; NULL: there is none yet */
    struct ties ties;
};

/* A range of the past that is walked once, without the cursor: `gatherd backfill`. */
struct backfill {
    char *from; /* owned, both */
    char *to;
    struct mark done;      /* how far it has come */
    int64_t live_again_ms; /* Unix time at which a run of the source's own comes between */
};

struct position {
    struct mark saved;         /* as of the last commit */
    struct mark seen;          /* the greatest among the pages of this run that are committed */
    struct mark next;          /* the same with the page at hand: becomes `seen` after its commit */
    struct mark to_save;       /* what becomes `saved` after the commit that ends the run */
    struct backfill *backfill; /* owned; NULL: the run is the source's own */

    /* What this run asks for; owned, NULL: no bound, or between two runs. */
    char *from;
    char *to;
    int64_t asked_at_ms; /* Unix time; the cursor never goes beyond it */
    bool begun;
    bool walking; /* it is a step of the backfill ... */
    bool walked;  /* ... and its last one, committed */
    bool nothing; /* the range is walked to its end: there is nothing to ask for */
    bool last;    /* `to` is the end of the range */
    bool closed;  /* `to` has passed: no record will be added before it, so the cursor goes there */
    bool passed;  /* row_order desc: the records have come to what is known; no page is needed */
};

/*
 * A position for a run of a source; it takes over no memory. NULL: out of memory. `cursor` NULL:
 * nothing is saved.
 */
struct position *position_create(const char *cursor);
void position_free(struct position *position); /* NULL is allowed */

/*
 * Begins to walk a range; the runs of the source's own go on, one each `interval`. 0, or -1: out of
 * memory (ERROR_NOMEM), or the range does not go with the rule (ERROR_USAGE).
 */
int position_start_backfill(struct position *position, const struct incremental *rule,
                            const char *from, const char *to, struct error *err);
void position_stop_backfill(struct position *position);

/*
 * Decides what a run asks for, at its first request and not again until position_end(). 0, or -1:
 * out of memory, or the saved cursor does not go with the configuration (ERROR_CONFIG).
 */
int position_begin(struct position *position, const struct source *source, int64_t now_ms,
                   struct error *err);

/* Whether a value is of the rule's type, and of the kind of those before it. */
bool position_compares(const struct position *position, const struct incremental *rule,
                       struct slice value);

/* Whether a record of this value and text was stored when the cursor came to where it is. */
bool position_is_tie(const struct position *position, const struct incremental *rule,
                     struct slice value, struct hash128 hash);

/* A page is looked at, for the first time or anew: what was noted of it is forgotten. 0 or -1. */
int position_start_page(struct position *position);

/*
 * Notes the value of a record of the page at hand, and with a hash the record itself. A time beyond
 * the request's own moves nothing. 0, or -1: out of memory.
 */
int position_note(struct position *position, const struct incremental *rule, struct slice value,
                  const struct hash128 *hash);

/*
 * What the cursor is when the run ends with the page at hand: put into `to_save`. A window that is
 * closed takes the cursor to its end. 0, or -1: out of memory.
 */
int position_settle(struct position *position, const struct incremental *rule);

/* When the run ends well there is more to be asked for at once: a window, or a backfill. */
bool position_has_more(const struct position *position);

/* The page at hand is committed; `saved` says that `to_save` is too. */
void position_page_committed(struct position *position, bool saved);

/* The run is over: its window is forgotten, and a backfill that has come to its end. */
void position_end(struct position *position);

#endif
