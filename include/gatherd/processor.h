/*
 * processor.h - a thread that turns responses into rows and has them committed.
 *
 * It takes what is ready from the queue, decodes each body, selects the records, extracts the
 * fields, and commits all of it as one batch; then it marks the items done and returns the runs. A
 * commit that has no space or meets a lock is tried again, with backoff, while the items are held.
 */
#ifndef GATHERD_PROCESSOR_H
#define GATHERD_PROCESSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/error.h"
#include "gatherd/queue.h"
#include "gatherd/row.h"

struct processor; /* opaque */

/* How a processor reaches schedule and store; called from its thread, from nowhere else. */
struct processor_hooks {
    void *context;
    /*
     * Finds the items of a round: run->found, or its failure. `alive` is to be called now and then
     * while it takes time.
     */
    void (*find_items)(void *context, struct run *run, void (*alive)(void *), void *alive_context);
    void (*plan)(void *context, struct run *run); /* before the commit: schedule_plan() */
    enum store_status (*commit)(void *context, struct batch *batch, struct error *err);
    void (*committed)(void *context, const struct result *result); /* counts and logs it */
    void (*set_items)(void *context, struct run *run);             /* of a round that succeeded */
    /* After task_done, they give the baton back: at the end of a run, or when a page follows. */
    void (*finished)(void *context, struct run *run);
    void (*next_page)(void *context, struct run *run);
    void (*fatal)(void *context, const struct error *err); /* the process must end */
};

struct processor_options {
    unsigned number; /* in the thread's name */
    size_t batch_max_rows;
};

struct processor_stats {
    uint64_t responses;
    uint64_t batches;
    uint64_t commit_retries;
    int64_t heartbeat_ms; /* monotonic time of its last sign of progress; 0: the first is to come */
};

/* Creates the processor and starts its thread. `queue` is borrowed until processor_free(). */
struct processor *processor_start(const struct processor_options *options, struct queue *queue,
                                  const struct processor_hooks *hooks, struct error *err);

/* Ends after its present batch, leaving the queue to the others. Any thread. */
void processor_retire(struct processor *processor);

/* A new limit for the next batch. Any thread. */
void processor_set_batch_max_rows(struct processor *processor, size_t rows);

/* The thread has ended, so that processor_free() would not wait. Any thread. */
bool processor_has_ended(const struct processor *processor);

/* Waits for the thread's end (the queue is shut down, or it is retired) and frees. NULL is allowed.
 */
void processor_free(struct processor *processor);

struct processor_stats processor_stats(const struct processor *processor); /* any thread */

struct computer;

/*
 * One response to rows, without any thread: decode, select, extract, calculate. Fills `result` for
 * run, whose failure it sets when the body is not what was configured. Everything made is in
 * `arena`. `computer` may be NULL where the source calculates nothing. -1: out of memory.
 */
int process_response(struct run *run, struct arena *arena, struct computer *computer,
                     struct result *result);

#endif
