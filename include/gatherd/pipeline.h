/*
 * pipeline.h - owns every stage and connects them: store, queue, schedule, processors, fetchers.
 *
 * All calls come from the main thread. The stages reach each other only through the hooks that
 * the pipeline hands them.
 */
#ifndef GATHERD_PIPELINE_H
#define GATHERD_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/config.h"
#include "gatherd/error.h"
#include "gatherd/row.h"
#include "gatherd/steer.h"

struct pipeline; /* opaque */

struct pipeline_options {
    bool once; /* every source runs once, now */
    const char *const
        *only; /* with once: these sources alone; borrowed until pipeline_start() returns */
    size_t only_count;
    /* With once, and one source in `only`: what it walks instead; borrowed as well. NULL: nothing.
     */
    const char *backfill_from;
    const char *backfill_to;
    /*
     * Called after the commit that ends a run with what became of it (result->total), from a
     * processor thread, never two at a time. NULL: nobody is told.
     */
    void (*committed)(void *context, const struct result *result);
    void *context;
};

/*
 * Opens the store and starts every thread; takes its own reference to the configuration. NULL: an
 * error, and whatever had started has been stopped again. When it returns, every thread runs.
 */
struct pipeline *pipeline_start(struct config *config, const struct pipeline_options *options,
                                struct error *err);

/*
 * Goes on under a new configuration that has been checked. Runs in flight finish under the one they
 * began with; thread counts and queue limits follow; the database stays (a log line says so when
 * the new file names another). On -1 everything is as before.
 */
int pipeline_reload(struct pipeline *pipeline, struct config *config, struct error *err);

/* Regular upkeep: about once a second. Returns 0, or -1 and the error that must end the process. */
int pipeline_tick(struct pipeline *pipeline, struct error *err);

/* Whether the next tick has something to do that should not wait long. */
bool pipeline_wants_tick(const struct pipeline *p);

/* With `once`: whether every run is over. Waits up to `timeout_ms` for it. */
bool pipeline_idle(struct pipeline *pipeline, int64_t timeout_ms);

/* Whether every thread has shown progress within the last `limit_ms`. */
bool pipeline_is_alive(struct pipeline *pipeline, int64_t limit_ms);

/* For what commands ask of a running daemon, from any thread; until pipeline_stop(). */
struct steer *pipeline_steer(struct pipeline *pipeline);

/*
 * Counts since the start. At any moment: received = committed + queued + in_work, and a committed
 * response is either rows or a dead letter.
 */
struct pipeline_stats {
    size_t sources;
    size_t failing;
    size_t overdue;
    size_t held_up;   /* due, and waiting because a rate limit, a spacing or a server says so */
    size_t in_flight; /* transfers */
    uint64_t requests;
    uint64_t received;  /* responses and failures put into the queue */
    uint64_t committed; /* ... recorded in the database */
    uint64_t failed;    /* ... of them as failed runs */
    uint64_t queued;
    uint64_t in_work;  /* taken from the queue, not yet committed */
    uint64_t rows;     /* inserted or updated */
    uint64_t rejected; /* records in the dead letters */
    uint64_t peak_queue_items;
    uint64_t peak_queue_bytes;
};

struct pipeline_stats pipeline_stats(struct pipeline *pipeline);

/*
 * Stops in order, losing nothing, and says what was done: no new runs; transfers in flight get
 * shutdown_timeout; the queue drains; final checkpoint. Frees the pipeline. -1: responses could not
 * be committed in time (they are requested again after the next start) or the store failed before;
 * the process must then end without further calls, for threads may still be running.
 */
int pipeline_stop(struct pipeline *pipeline, struct pipeline_stats *stats, struct error *err);

#endif
