/*
 * fetcher.h - a thread that has many HTTP transfers in flight at once.
 *
 * One epoll loop over one or more curl multi handles. It reserves a place in the queue, takes a run
 * that is due, sends its request, and puts the run with its response (or its failure) into the
 * queue. A round makes no request and goes straight on. No place in the queue: it takes nothing.
 * The loop never blocks but in epoll_wait(2), and for the time that a refresh token which a server
 * has exchanged takes to the disk.
 */
#ifndef GATHERD_FETCHER_H
#define GATHERD_FETCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/error.h"
#include "gatherd/queue.h"
#include "gatherd/run.h"
#include "gatherd/token_cache.h"

struct fetcher; /* opaque */

/* How a fetcher reaches the schedule; called from its thread, from nowhere else. */
struct fetcher_hooks {
    void *context;
    struct run *(*take)(void *context, unsigned lane, int64_t *wait_ms); /* schedule_take() */
    void (*transfer_ended)(void *context, struct run *run);
    int64_t (*retry_delay)(void *context, const struct run *run);
    void (*retry)(void *context, struct run *run, int64_t delay_ms);
    void (*give_up)(void *context, struct run *run); /* stopped in flight: back, unrecorded */
};

struct fetcher_options {
    unsigned lane;          /* also the number in the thread's name */
    unsigned max_in_flight; /* at least 1 */
    /* Borrowed until fetcher_free(). */
    const char *user_agent;
    const char *ca_file;        /* PEM file of the authorities to trust; NULL: the system's */
    struct token_cache *tokens; /* shared by all fetchers; NULL: no source needs one */
};

struct fetcher_stats {
    size_t in_flight;
    uint64_t requests;
    uint64_t bytes; /* of decoded bodies */
    uint64_t retries;
    int64_t heartbeat_ms; /* monotonic time of its last turn of the loop; 0: the first is to come */
};

/* Once in the process, before any thread: initialises libcurl. 0 or -1. */
int fetcher_global_start(struct error *err);
void fetcher_global_stop(void);

/* Creates the fetcher and starts its thread. `queue` is borrowed until fetcher_free(). */
struct fetcher *fetcher_start(const struct fetcher_options *options, struct queue *queue,
                              const struct fetcher_hooks *hooks, struct error *err);

/* Something may be due now, or room appeared. Any thread. */
void fetcher_wake(struct fetcher *fetcher);

/*
 * Takes nothing more; transfers in flight may go on for `grace_ms`, then they are given up. Returns
 * at once; any thread; a second call can shorten the time.
 */
void fetcher_stop(struct fetcher *fetcher, int64_t grace_ms);

/* The thread has ended, so that fetcher_free() would not wait. Any thread. */
bool fetcher_has_ended(const struct fetcher *fetcher);

/* Waits for the thread's end (after fetcher_stop()) and frees. NULL is allowed. */
void fetcher_free(struct fetcher *fetcher);

struct fetcher_stats fetcher_stats(const struct fetcher *fetcher); /* any thread */

#endif
