#include "gatherd/processor.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/clock.h"
#include "gatherd/computer.h"
#include "gatherd/log.h"
#include "gatherd/thread.h"
#include "gatherd/xml.h"

#define TURN_ITEMS       256                 /* most responses taken from the queue at once */
#define TURN_BYTES       (16u * 1024 * 1024) /* and their bytes, so that others get some too */
#define TURN_WAIT_MS     1000                /* at most between two heartbeats */
#define ARENA_KEEP_BYTES (8u * 1024 * 1024)
#define BATCH_BYTES      (64u * 1024 * 1024) /* a batch whose arena is beyond this is full */
#define FIRST_BACKOFF_MS 100
#define LAST_BACKOFF_MS  5000

struct processor {
    /* Set by processor_start(), never changed. */
    struct queue *queue; /* borrowed */
    struct processor_hooks hooks;
    unsigned number;
    pthread_t thread;

    /* Written by any thread or read by any thread: atomics, each for itself. */
    atomic_bool retired;
    atomic_bool ended;
    atomic_size_t batch_max_rows;
    atomic_uint_fast64_t responses;
    atomic_uint_fast64_t batches;
    atomic_uint_fast64_t commit_retries;
    _Atomic int64_t heartbeat_ms;

    /* Processor thread only. */
    struct arena *arena;       /* owned; reset for each batch */
    struct computer *computer; /* owned */
    struct queue_item items[TURN_ITEMS];
    struct result results[TURN_ITEMS];
    bool was_ok[TURN_ITEMS];   /* before the commit, which may fail a run */
    struct dead_letter letter; /* for a response that leaves no memory to make one */
};

static void beat(struct processor *p)
{
    atomic_store_explicit(&p->heartbeat_ms, clock_monotonic_ms(), memory_order_relaxed);
}

static struct run *run_of(const struct queue_item *item)
{
    return item->data;
}

/* --- Filling a batch --- */

/*
 * The response needs more memory than there is, with nothing else held. It fails alone and its body
 * is kept: neither the process nor any other source pays for it.
 */
static void give_up(struct processor *p, struct run *run, struct result *result)
{
    run_fail(run, RUN_FAILED_LIMIT,
             "out of memory while reading a body of %zu bytes; lower max_body_size, or give the "
             "process more memory",
             run->response.body_bytes);
    log_error("out of memory while reading a response", LOG_STR("source", run->source->name),
              LOG_INT("bytes", run->response.body_bytes));
    *result = (struct result){.run = run, .body = run->response.body};
    if (run->response.body == NULL)
        return;
    p->letter = (struct dead_letter){.reason = run->error != NULL ? run->error
                                                                  : run_failure_name(run->failure)};
    result->dead_letters = &p->letter;
    result->dead_letter_count = 1;
}

static void show_life(void *context)
{
    beat(context);
}

static void process_round(struct processor *p, struct run *run, struct result *result)
{
    const struct source *source = run->source;
    struct error err = {0};

    *result = (struct result){.run = run};
    if (run->failure != RUN_OK || run->found != NULL)
        return;
    p->hooks.find_items(p->hooks.context, run, show_life, p);
    if (run->failure == RUN_OK &&
        items_check_names(run->found->items, source->item_names, &err) == -1)
        run_fail(run, RUN_FAILED_ITEMS, "%s", err.text);
}

/* 0, or -1: out of memory. */
static int process(struct processor *p, struct run *run, struct result *result)
{
    if (!run_is_round(run))
        return process_response(run, p->arena, p->computer, result);
    process_round(p, run, result);
    return 0;
}

/*
 * Processes responses until the batch is full or there are no more. One for which memory runs out
 * is left for the next batch, where it has all of it.
 */
static struct batch fill_batch(struct processor *p, const struct queue_item *items, size_t count)
{
    struct batch batch = {.results = p->results};
    size_t max_rows = atomic_load_explicit(&p->batch_max_rows, memory_order_relaxed);
    size_t rows = 0;

    arena_reset(p->arena);
    while (batch.count < count && (batch.count == 0 || rows < max_rows) &&
           arena_used(p->arena) < BATCH_BYTES) {
        struct run *run = run_of(&items[batch.count]);
        struct result *result = &p->results[batch.count];

        if (batch.count > 0 && run_is_round(run))
            break; /* what is processed is committed before items are looked for */
        beat(p);
        if (process(p, run, result) == -1) {
            if (batch.count > 0)
                break;
            arena_reset(p->arena);
            give_up(p, run, result);
        }
        p->hooks.plan(p->hooks.context, run);
        rows += result_row_count(result);
        batch.count++;
    }
    return batch;
}

/* --- Committing it --- */

/* Nothing shortens the wait, but the heartbeat goes on. */
static void pause_ms(struct processor *p, int64_t ms)
{
    struct timespec end = clock_deadline(ms);

    beat(p);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == EINTR)
        continue;
    beat(p);
}

static void note_failures(struct processor *p, const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        p->was_ok[i] = batch->results[i].run->failure == RUN_OK;
}

/*
 * The commit was rolled back whole, and so is what it said about the runs. They are planned anew,
 * because a due time that was made before a long wait has passed.
 */
static void prepare_again(struct processor *p, struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct result *result = &batch->results[i];
        struct run *run = result->run;

        result->inserted = 0;
        result->updated = 0;
        result->unchanged = 0;
        result->deleted = 0;
        result->marked = 0;
        result->rejected = 0;
        result->child_rows = 0;
        result->total = (struct tally){0};
        if (p->was_ok[i] && run->failure != RUN_OK) {
            run->failure = RUN_OK;
            free(run->error);
            run->error = NULL;
        }
        p->hooks.plan(p->hooks.context, run);
    }
}

/*
 * Commits, trying again for as long as the database has no space or is locked: the queue fills
 * meanwhile, fetchers stop starting transfers, and nothing is dropped.
 */
static enum store_status commit(struct processor *p, struct batch *batch, struct error *err)
{
    int64_t backoff_ms = FIRST_BACKOFF_MS;
    enum store_status status;
    bool held = false;

    note_failures(p, batch);
    for (;;) {
        *err = (struct error){0};
        status = p->hooks.commit(p->hooks.context, batch, err);
        if (status != STORE_RETRY)
            break;
        if (!held)
            log_warning("the database is full or locked: holding responses",
                        LOG_INT("responses", batch->count), LOG_STR("error", err->text));
        held = true;
        atomic_fetch_add_explicit(&p->commit_retries, 1, memory_order_relaxed);
        pause_ms(p, backoff_ms);
        prepare_again(p, batch);
        backoff_ms = 2 * backoff_ms < LAST_BACKOFF_MS ? 2 * backoff_ms : LAST_BACKOFF_MS;
    }
    if (held && status == STORE_OK)
        log_info("the database takes responses again", LOG_INT("responses", batch->count));
    return status;
}

/* After the commit, which may have refused the page. */
static bool goes_on(const struct result *result)
{
    return result->more && result->run->failure == RUN_OK;
}

/* What the commit made of the position. In ascending order each page saves it. */
static void move_position(const struct result *result, bool more)
{
    struct run *run = result->run;
    bool ok = run->failure == RUN_OK;

    if (run->source->incremental == NULL || run->state.position == NULL)
        return;
    if (ok)
        position_page_committed(run->state.position, moves_position(result));
    if (!more)
        position_end(run->state.position);
}

/*
 * After the commit. The last hook may hand the run to another thread at once: it is not touched any
 * more.
 */
static void finish(struct processor *p, const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        p->hooks.committed(p->hooks.context, &batch->results[i]);
    atomic_fetch_add_explicit(&p->responses, batch->count, memory_order_relaxed);
    atomic_fetch_add_explicit(&p->batches, 1, memory_order_relaxed);
    for (size_t i = 0; i < batch->count; i++) {
        struct run *run = batch->results[i].run;
        bool more = goes_on(&batch->results[i]);
        enum queue_status status;

        move_position(&batch->results[i], more);
        if (run->found != NULL && run->failure == RUN_OK)
            p->hooks.set_items(p->hooks.context, run);
        run_clear_response(run);
        status = queue_task_done(p->queue);
        assert(status == QUEUE_OK);
        (void)status;
        (more ? p->hooks.next_page : p->hooks.finished)(p->hooks.context, run);
    }
    beat(p);
}

/* Rounds come last: reading their items may take long, and responses do not wait for it. */
static void put_rounds_last(struct processor *p, size_t count)
{
    struct queue_item rounds[TURN_ITEMS];
    size_t round_count = 0;
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (run_is_round(run_of(&p->items[i])))
            rounds[round_count++] = p->items[i];
        else
            p->items[kept++] = p->items[i];
    }
    if (round_count > 0)
        memcpy(&p->items[kept], rounds, round_count * sizeof(rounds[0]));
}

/* All that was taken in one turn, in as many batches as it needs. -1: the process must end. */
static int process_turn(struct processor *p, size_t count)
{
    size_t done = 0;

    put_rounds_last(p, count);
    while (done < count) {
        struct batch batch = fill_batch(p, p->items + done, count - done);
        struct error err;

        if (commit(p, &batch, &err) != STORE_OK) {
            p->hooks.fatal(p->hooks.context, &err);
            return -1;
        }
        finish(p, &batch);
        done += batch.count;
    }
    return 0;
}

/* --- The thread --- */

static void *processor_main(void *argument)
{
    struct processor *p = argument;

    while (!atomic_load_explicit(&p->retired, memory_order_relaxed)) {
        size_t count = 0;
        enum queue_status status;

        beat(p);
        status = queue_get_many(p->queue, p->items, TURN_ITEMS, TURN_BYTES, &count, TURN_WAIT_MS);
        if (status == QUEUE_SHUTDOWN)
            break;
        if (status == QUEUE_OK && process_turn(p, count) == -1)
            break;
    }
    atomic_store_explicit(&p->ended, true, memory_order_release);
    return NULL;
}

static void destroy(struct processor *p)
{
    if (p == NULL)
        return;
    arena_free(p->arena);
    computer_free(p->computer);
    free(p);
}

struct processor *processor_start(const struct processor_options *options, struct queue *queue,
                                  const struct processor_hooks *hooks, struct error *err)
{
    struct processor *p = calloc(1, sizeof(*p));

    if (p != NULL) {
        p->arena = arena_create(ARENA_KEEP_BYTES);
        p->computer = computer_create();
    }
    if (p == NULL || p->arena == NULL || p->computer == NULL) {
        error_set(err, ERROR_NOMEM, "processor %u: out of memory", options->number);
        destroy(p);
        return NULL;
    }
    xml_start();
    p->queue = queue;
    p->hooks = *hooks;
    p->number = options->number;
    atomic_init(&p->batch_max_rows, options->batch_max_rows);
    if (thread_start(&p->thread, "processor", p->number, processor_main, p, err) == -1) {
        destroy(p);
        return NULL;
    }
    return p;
}

void processor_retire(struct processor *processor)
{
    atomic_store_explicit(&processor->retired, true, memory_order_relaxed);
}

void processor_set_batch_max_rows(struct processor *processor, size_t rows)
{
    atomic_store_explicit(&processor->batch_max_rows, rows, memory_order_relaxed);
}

bool processor_has_ended(const struct processor *processor)
{
    return atomic_load_explicit(&processor->ended, memory_order_acquire);
}

void processor_free(struct processor *processor)
{
    if (processor == NULL)
        return;
    pthread_join(processor->thread, NULL);
    destroy(processor);
}

struct processor_stats processor_stats(const struct processor *processor)
{
    return (struct processor_stats){
        .responses = atomic_load_explicit(&processor->responses, memory_order_relaxed),
        .batches = atomic_load_explicit(&processor->batches, memory_order_relaxed),
        .commit_retries = atomic_load_explicit(&processor->commit_retries, memory_order_relaxed),
        .heartbeat_ms = atomic_load_explicit(&processor->heartbeat_ms, memory_order_relaxed),
    };
}
