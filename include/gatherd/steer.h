/*
 * steer.h - what commands ask of a running pipeline: `gatherd state`, `backfill`, `replay`,
 * `failed`.
 *
 * Any thread may call. What a run carries from one run to the next is changed only while it is not
 * under way, together with what the database says of it.
 */
#ifndef GATHERD_STEER_H
#define GATHERD_STEER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "gatherd/error.h"
#include "gatherd/row.h"
#include "gatherd/schedule.h"
#include "gatherd/store.h"

struct walk; /* a backfill that somebody watches */

struct steer {
    struct schedule *schedule; /* both borrowed */
    struct store *store;
    pthread_mutex_t mutex; /* guards all below */
    struct walk *walks;    /* owned */
    struct config *config; /* owned reference: in force now; NULL: none yet */
    bool replaying;
};

enum steering {
    STEER_DONE,
    STEER_BUSY,   /* the source's run is under way: ask again in a moment */
    STEER_FAILED, /* see the error */
};

void steer_open(struct steer *steer, struct schedule *schedule, struct store *store);
void steer_close(struct steer *steer);

/* The configuration that is in force from now on; it takes its own reference. */
void steer_set_config(struct steer *steer, struct config *config);

/* The one in force, with a reference of the caller's. */
struct config *steer_config(struct steer *steer);

/* One replay at a time, so that other commands find a thread. False: there is one. */
bool steer_begin_replay(struct steer *steer);
void steer_end_replay(struct steer *steer);

/* Puts the cursor of a source where somebody says; it is checked against `incremental`. */
enum steering steer_set_cursor(struct steer *steer, const char *source, const char *cursor,
                               struct error *err);

/* Forgets all that the source remembers: cursor and validators, of its items with for_each. */
enum steering steer_reset(struct steer *steer, const char *source, struct error *err);

/* Begins to walk a range of the past, and to note how it goes. One at a time for each source. */
enum steering steer_start_backfill(struct steer *steer, const char *source, const char *from,
                                   const char *to, struct error *err);

struct walk_report {
    size_t runs; /* committed, failed ones included */
    size_t inserted;
    size_t updated;
    size_t rejected;
    bool done;       /* the range has been walked to its end */
    char to[80];     /* how far it has come; "" : nowhere yet */
    char error[200]; /* of the last run, when it failed; "": it did not */
};

/* How the walk of a source stands. */
void steer_report(struct steer *steer, const char *source, struct walk_report *report);

/* Ends the watching, and the walk itself when it is not done; STEER_BUSY as above. */
enum steering steer_stop_backfill(struct steer *steer, const char *source);

/* A run has been committed: notes it, when it is a step of a walk. */
void steer_note(struct steer *steer, const struct result *result);

#endif
