/*
 * fetch_rig.h - a real fetcher and a real queue, with a schedule that a test controls.
 */
#ifndef GATHERD_TEST_FETCH_RIG_H
#define GATHERD_TEST_FETCH_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/config.h"
#include "gatherd/fetcher.h"
#include "gatherd/queue.h"
#include "gatherd/run.h"

#define RIG_RUNS 2048

struct rig_options {
    unsigned max_in_flight; /* 0: 64 */
    size_t queue_items;     /* 0: 2048 */
    const char *ca_file;
    unsigned attempts; /* requests in one run; 0: 1, so that nothing is retried */
};

struct rig; /* opaque */

struct rig *rig_start(const struct rig_options *options);

/* Stops the fetcher at once, frees everything. */
void rig_end(struct rig *rig);

/* A source for http://127.0.0.1:PORT/..., with limits that suit tests; valid until rig_end(). */
struct source *rig_source(struct rig *rig, const char *url);

/* The same in two steps, for a run that remembers something. */
struct run *rig_make_run(struct rig *rig, const struct source *source);
void rig_add_run(struct rig *rig, struct run *run);

/* Makes a run of the source due now, and wakes the fetcher. */
struct run *rig_add(struct rig *rig, const struct source *source);

/* The next run from the queue; fails the test when none comes within 30 seconds. */
struct run *rig_get(struct rig *rig);

/* rig_source(), rig_add() and rig_get() at once. */
struct run *rig_fetch(struct rig *rig, const char *url);

struct fetcher *rig_fetcher(struct rig *rig);
struct queue *rig_queue(struct rig *rig);

struct rig_counts {
    unsigned taken;
    unsigned ended;         /* transfer_ended() */
    unsigned retried;       /* retry() */
    unsigned given_up;      /* give_up() */
    int64_t retry_after_ms; /* of the last run that retry_delay() was asked about */
};

struct rig_counts rig_counts(struct rig *rig);

/* Waits up to 30 seconds until `wanted` of the requests started are in flight. */
bool rig_wait_in_flight(struct rig *rig, size_t wanted);

#endif
