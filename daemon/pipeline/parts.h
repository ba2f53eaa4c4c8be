/*
 * parts.h - what the parts of the pipeline share: the struct itself, its threads, its hooks.
 */
#ifndef GATHERD_PIPELINE_PARTS_H
#define GATHERD_PIPELINE_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "gatherd/error.h"
#include "gatherd/fetcher.h"
#include "gatherd/pipeline.h"
#include "gatherd/processor.h"
#include "gatherd/queue.h"
#include "gatherd/schedule.h"
#include "gatherd/steer.h"
#include "gatherd/store.h"
#include "gatherd/token_cache.h"

/* Threads that have been told to end and are joined when they have: nobody waits for them. */
struct retired {
    struct fetcher *fetcher; /* one of the two is set */
    struct processor *processor;
    struct retired *next;
};

/* A run that will not end, because its source went between two of its pages. */
struct dropped {
    int64_t run_id;
    struct dropped *next;
};

struct pipeline {
    /* Set by pipeline_start() before any thread runs, never changed. */
    struct pipeline_options options;
    struct store *store;
    struct queue *queue;
    struct token_cache *tokens;
    struct schedule *schedule;
    struct steer steer;
    struct config *opened; /* owned reference: the store was opened as this one says */

    /* Main thread only. */
    struct config *config;     /* owned reference */
    struct fetcher **fetchers; /* fetcher_count, one a lane */
    unsigned fetcher_count;
    struct processor **processors;
    unsigned processor_count;
    struct retired *retired;
    int64_t checkpointed_at_ms;
    bool checkpoint_failing;
    int64_t tend_at_ms; /* monotonic: when the store is to be tended next */

    /* The fetchers as the schedule's wake-up sees them: it may come from any thread. */
    pthread_rwlock_t lanes_lock; /* guards lanes and lane_count */
    struct fetcher **lanes;
    unsigned lane_count;

    /* One options.committed at a time; guards fatal and dropped. */
    pthread_mutex_t report_mutex;
    struct error fatal;
    struct dropped *dropped; /* owned: for the next tick, which may wait for the disk */

    atomic_uint_fast64_t committed;
    atomic_uint_fast64_t failed;
    atomic_uint_fast64_t rows;
    atomic_uint_fast64_t rejected;
    atomic_uint_fast64_t requests;
};

/* --- hooks.c: what the stages ask for; each from the threads of the stage. --- */

struct fetcher_hooks pipeline_fetcher_hooks(struct pipeline *p);
struct processor_hooks pipeline_processor_hooks(struct pipeline *p);

/* A lane of the schedule has something to do: struct schedule_options.wake. */
void pipeline_wake_lane(void *context, unsigned lane);

/* A run of which pages were committed will not end: struct schedule_options.dropped. */
void pipeline_drop(void *context, int64_t run_id);

/* In words for the log, by enum hold. */
extern const char *const pipeline_hold_words[];

/* --- crew.c: the threads. Main thread only. --- */

struct crew {
    struct fetcher **fetchers;
    unsigned fetcher_count;
    struct processor **processors;
    unsigned processor_count;
};

/*
 * Starts the threads that `config` needs beside those there are: all fetchers anew where
 * max_in_flight changed, otherwise the missing ones. NULL entries stand for threads that stay. On
 * -1 the crew is to be dismissed.
 */
int crew_hire(struct pipeline *p, const struct config *config, struct crew *crew,
              struct error *err);

/*
 * Tells threads to go that were started for a configuration which is not to be after all. Nobody
 * waits for them here: one of them may have begun something, and may end it.
 */
void crew_dismiss(struct pipeline *p, struct crew *crew, int64_t grace_ms);

/* The new crew takes over: threads it replaces or has no place for are retired. */
void crew_hand_over(struct pipeline *p, struct crew *crew, const struct config *config);

/* Joins and frees the retired threads that have ended. */
void crew_reap_ended(struct pipeline *p);

/* Waits for all retired threads. */
void crew_reap_all(struct pipeline *p);

/*
 * Ends the fetchers, retired ones too: what they have in flight arrives or is given up within
 * `grace_ms`, and none of them puts anything into the queue after this.
 */
void crew_stop_fetchers(struct pipeline *p, int64_t grace_ms);

#endif
