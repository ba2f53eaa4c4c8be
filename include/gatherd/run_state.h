/*
 * run_state.h - what a source remembers from one run to the next.
 *
 * It is saved in the transaction that commits what it was learned with, so it is never ahead of the
 * rows; the run carries it, and it changes only after the commit. A source with nothing to remember
 * costs a NULL. One thread at a time, as the run it belongs to.
 */
#ifndef GATHERD_RUN_STATE_H
#define GATHERD_RUN_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "gatherd/hash.h"
#include "gatherd/text.h"

/* What tells an unchanged answer from a new one. One piece of memory, since there are many. */
struct validators {
    uint64_t fingerprint; /* source->answer_fingerprint at that time: with another they are void */
    struct hash128 body_hash;
    bool has_body_hash;  /* with skip_unchanged */
    uint16_t request;    /* which request they are for: see fetch/validators.h */
    char *etag;          /* in `bytes`, as it came; NULL: none */
    char *last_modified; /* the same */
    char bytes[];
};

/* With copies of the two, each of which may be empty: none. NULL: out of memory. */
struct validators *validators_create(struct slice etag, struct slice last_modified);
void validators_free(struct validators *validators); /* NULL is allowed */

/* Whether both say the same; NULL says nothing. */
bool validators_same(const struct validators *a, const struct validators *b);

struct position; /* position.h */

struct run_state {
    struct validators *validators; /* owned; NULL: none */
    struct position *position;     /* owned; NULL: none, or it has no `incremental` */
};

void run_state_clear(struct run_state *state); /* frees what it holds */

#endif
