/*
 * replay.h - kept bodies and dead letters through today's mapping, without asking an API again.
 *
 * Each goes the way of a live answer, process_response() and store_commit(), but the run that it
 * belongs to was made before: its rows carry that run and its time, and neither the schedule nor
 * what the source remembers moves. A replay goes on in steps of one short transaction each, so that
 * polling goes on between them, and said again it changes nothing. Any thread; one at a time for
 * each replay.
 */
#ifndef GATHERD_REPLAY_H
#define GATHERD_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "gatherd/config.h"
#include "gatherd/error.h"
#include "gatherd/kept.h"
#include "gatherd/store.h"

struct replay; /* opaque */

/* What was not stored, and why; borrowed for the call. */
struct replay_failure {
    int64_t letter_id; /* 0: a kept body */
    const char *source;
    int64_t run_id;
    unsigned page;      /* 0: its source has no pagination */
    int64_t fetched_ms; /* Unix time */
    const char *reason; /* may hold what came from outside */
};

struct replay_wish {
    const struct letter_choice *letters; /* NULL: bodies */

    /* Of bodies: */
    const char *source;
    int64_t since_ms; /* Unix time ... */
    int64_t until_ms; /* ... and the first that is out of it */
    const char *into; /* the table, or with a _ at its end what goes before its name; NULL: its own
                       */

    void (*failed)(void *context, const struct replay_failure *failure);
    void *context;
};

struct replay_report {
    size_t total; /* how many there are */
    size_t done;
    size_t failed; /* of those done: whole bodies and dead letters that were not stored */
    size_t inserted;
    size_t updated;
    size_t unchanged;
    size_t child_rows; /* inserted, updated or removed in the tables of children */
    size_t rejected;   /* records of bodies that were stored otherwise */
};

/*
 * The configuration is what holds, and counted; the store and what the wish points to are borrowed
 * until replay_close(). NULL: ERROR_USAGE where the wish cannot be (no such source, a table that is
 * another's), or what the store says.
 */
struct replay *replay_open(struct store *store, struct config *config,
                           const struct replay_wish *wish, struct error *err);
void replay_close(struct replay *replay); /* NULL is allowed */

enum replay_status {
    REPLAY_MORE,
    REPLAY_DONE,
    REPLAY_BUSY,   /* no space, or locked by another: the step can be tried again */
    REPLAY_FAILED, /* see the error */
};

enum replay_status replay_step(struct replay *replay, struct error *err);

const struct replay_report *replay_report(const struct replay *replay);

/* The table that bodies go into. */
const char *replay_table(const struct replay *replay);

/*
 * Of all that makes rows, in one source (`name`) or in all of them (NULL): equal ones mean that two
 * programs have the same mapping in mind.
 */
uint64_t replay_fingerprint(const struct config *config, const char *name);

#endif
