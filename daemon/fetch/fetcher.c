/*
 * The fetcher's thread: who starts, who goes on, who is over.
 *
 * A turn of its loop starts what may start, lets the engine work until something happened, and
 * deals with the transfers that are over. A run is taken only into a place reserved in the queue,
 * so handing it over cannot wait; with the queue full nothing is taken, and queue_on_room() wakes
 * the loop. A run leaves in one of three ways: into the queue, back to the schedule for another
 * attempt, or back to the schedule unrecorded because the process stops.
 */
#include "gatherd/fetcher.h"

#include <assert.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>

#include "fetch/engine.h"
#include "fetch/tokens.h"
#include "fetch/transfer.h"
#include "gatherd/clock.h"
#include "gatherd/debug_log.h"
#include "gatherd/log.h"
#include "gatherd/thread.h"

/* The longest turn, so that the heartbeat shows a thread that lives. */
#define HEARTBEAT_MS 1000

/* Easy handles that may rest for the sake of their TLS sessions; one is some 10 KB. */
#define MAX_RESTING 256

/* Of the memory that a request is made in; the next one needs about as much. */
#define SCRATCH_KEEP_BYTES (256u * 1024)

#define NEVER INT64_MAX

struct fetcher {
    /* Set by fetcher_start(), never changed. */
    unsigned lane;
    unsigned max_in_flight;
    struct transfer_options transfer_options;
    struct queue *queue; /* borrowed */
    struct fetcher_hooks hooks;
    struct arena *scratch;       /* owned; the thread's: where requests are made */
    struct tls_files *tls_files; /* owned; the thread's */
    struct engine *engine;       /* its owner is the thread; any thread may engine_wake() */
    struct token_listener listener;
    pthread_t thread;

    _Atomic int64_t stop_at_ms; /* monotonic: the end of the grace; NEVER: go on */

    /* Written by the thread, read by fetcher_stats(). */
    atomic_size_t in_flight;
    _Atomic uint64_t requests;
    _Atomic uint64_t bytes;
    _Atomic uint64_t retries;
    _Atomic int64_t heartbeat_ms;
    atomic_bool ended;

    /* Below: the thread only. */
    int64_t take_at_ms;  /* when a run may be due; NEVER: not before a wake-up */
    size_t waiting;      /* of those in flight: transfers that wait for a token */
    int64_t patience_ms; /* monotonic: when the first of them has waited long enough */
    size_t created;
    struct transfer *transfers[]; /* owned; first those in flight, then those that rest */
};

static size_t in_flight(const struct fetcher *fetcher)
{
    return atomic_load_explicit(&fetcher->in_flight, memory_order_relaxed);
}

static void set_in_flight(struct fetcher *fetcher, size_t count)
{
    atomic_store_explicit(&fetcher->in_flight, count, memory_order_relaxed);
}

static void count(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

/* The pool. */

static void swap_transfers(struct fetcher *fetcher, size_t a, size_t b)
{
    struct transfer *transfer = fetcher->transfers[a];

    fetcher->transfers[a] = fetcher->transfers[b];
    fetcher->transfers[b] = transfer;
    fetcher->transfers[a]->place = a;
    fetcher->transfers[b]->place = b;
}

static bool create_transfer(struct fetcher *fetcher)
{
    struct transfer *transfer = transfer_create(fetcher->engine, &fetcher->transfer_options);

    if (transfer == NULL)
        return false;
    transfer->place = fetcher->created;
    fetcher->transfers[fetcher->created++] = transfer;
    return true;
}

/*
 * libcurl keeps TLS sessions by easy handle, and with one of them a handshake costs half (0.8 ms
 * against 1.5 ms). So a resting transfer that has served the host comes before all others; failing
 * that a new one, up to a bound, so that hosts do not push each other's sessions out; failing that
 * the one that has rested longest. Brings it to `place`, the first that rests.
 */
static bool choose_for_tls(struct fetcher *fetcher, size_t place, uint64_t affinity)
{
    size_t most = fetcher->max_in_flight < MAX_RESTING ? fetcher->max_in_flight : MAX_RESTING;

    for (size_t i = place; i < fetcher->created; i++) {
        if (fetcher->transfers[i]->affinity == affinity) {
            swap_transfers(fetcher, place, i);
            return true;
        }
    }
    if ((place == fetcher->created || fetcher->created < most) && !create_transfer(fetcher))
        return false;
    swap_transfers(fetcher, place, fetcher->created - 1);
    return true;
}

static bool is_tls(const struct source *source)
{
    return strncasecmp(source->url, "https:", 6) == 0;
}

/* Without TLS, the one that ended last is the best: its memory is still warm. */
static struct transfer *get_transfer(struct fetcher *fetcher, const struct source *source)
{
    size_t place = in_flight(fetcher);
    bool found;

    assert(place < fetcher->max_in_flight);
    if (is_tls(source))
        found = choose_for_tls(fetcher, place, transfer_affinity(source));
    else
        found = place < fetcher->created || create_transfer(fetcher);
    if (!found)
        return NULL;
    set_in_flight(fetcher, place + 1);
    return fetcher->transfers[place];
}

static void put_transfer(struct fetcher *fetcher, struct transfer *transfer)
{
    size_t last = in_flight(fetcher) - 1;

    swap_transfers(fetcher, transfer->place, last);
    set_in_flight(fetcher, last);
}

/* Ways out. After each of these the run is another's. */

static void give_up(struct fetcher *fetcher, struct run *run)
{
    run_clear_response(run);
    queue_release(fetcher->queue);
    fetcher->hooks.give_up(fetcher->hooks.context, run);
}

static bool try_again(struct fetcher *fetcher, struct run *run)
{
    const struct fetcher_hooks *hooks = &fetcher->hooks;
    int64_t delay_ms;

    if (!run->retryable)
        return false;
    delay_ms = hooks->retry_delay(hooks->context, run);
    if (delay_ms < 0)
        return false;
    debug_log_retry(run, delay_ms);
    run_clear_response(run);
    queue_release(fetcher->queue);
    count(&fetcher->retries, 1);
    hooks->retry(hooks->context, run, delay_ms);
    return true;
}

/* The attempt is over: run->response or run->failure says how. */
static void hand_over(struct fetcher *fetcher, struct run *run)
{
    size_t bytes = run->response.body_bytes + run->response.head.length + sizeof(*run);

    count(&fetcher->bytes, run->response.body_bytes);
    if (try_again(fetcher, run))
        return;
    run->received_mono_us = clock_monotonic_us();
    fetcher->hooks.transfer_ended(fetcher->hooks.context, run);
    if (queue_put_reserved(fetcher->queue, run, bytes) == QUEUE_OK)
        return;
    /* Shut down at once: the reservation is used up. */
    run_clear_response(run);
    fetcher->hooks.give_up(fetcher->hooks.context, run);
}

/* Under way: perhaps without a request, until another transfer has got a token. */
static void note_waiting(struct fetcher *fetcher, const struct transfer *transfer)
{
    int64_t deadline_ms = transfer_waits_until_ms(transfer);

    if (deadline_ms == NEVER)
        return;
    fetcher->patience_ms = fetcher->waiting == 0 || deadline_ms < fetcher->patience_ms
                               ? deadline_ms
                               : fetcher->patience_ms;
    fetcher->waiting++;
}

/* Starting. */

static void start_run(struct fetcher *fetcher, struct run *run)
{
    struct transfer *transfer;
    unsigned requests = run->requests;

    if (run_is_round(run)) { /* it makes no request */
        run->started_at_ms = clock_wall_ms();
        hand_over(fetcher, run);
        return;
    }
    if (run->silent || run->failure != RUN_OK) { /* it has failed before it could ask */
        hand_over(fetcher, run);
        return;
    }
    transfer = get_transfer(fetcher, run->source);
    if (transfer == NULL) {
        run_fail(run, RUN_FAILED_NETWORK, "out of memory for a transfer");
        run->retryable = true;
        run->retry_after_ms = -1;
        hand_over(fetcher, run);
        return;
    }
    if (!transfer_begin(transfer, run)) {
        put_transfer(fetcher, transfer);
        hand_over(fetcher, run);
        return;
    }
    note_waiting(fetcher, transfer);
    count(&fetcher->requests, run->requests - requests);
}

static bool is_stopping(const struct fetcher *fetcher)
{
    return atomic_load(&fetcher->stop_at_ms) != NEVER;
}

/* Takes one run and starts it; false when there is none to take now. */
static bool start_next(struct fetcher *fetcher)
{
    int64_t wait_ms = -1;
    struct run *run;

    if (queue_reserve(fetcher->queue) != QUEUE_OK) {
        fetcher->take_at_ms = NEVER; /* queue_on_room() wakes us */
        return false;
    }
    run = fetcher->hooks.take(fetcher->hooks.context, fetcher->lane, &wait_ms);
    if (run == NULL) {
        queue_release(fetcher->queue);
        fetcher->take_at_ms = wait_ms < 0 ? NEVER : clock_monotonic_ms() + wait_ms;
        return false;
    }
    start_run(fetcher, run);
    return true;
}

static void start_due(struct fetcher *fetcher)
{
    if (fetcher->take_at_ms != 0 && fetcher->take_at_ms > clock_monotonic_ms())
        return;
    fetcher->take_at_ms = 0;
    while (!is_stopping(fetcher) && in_flight(fetcher) < fetcher->max_in_flight &&
           start_next(fetcher))
        ;
}

/* Ending. */

static void end_or_go_on(struct fetcher *fetcher, struct transfer *transfer, bool under_way,
                         struct run *run, unsigned requests)
{
    count(&fetcher->requests, run->requests - requests);
    if (under_way) {
        note_waiting(fetcher, transfer);
        return;
    }
    put_transfer(fetcher, transfer);
    fetcher->take_at_ms = 0; /* a place is free, and perhaps the host */
    hand_over(fetcher, run);
}

static void end_done(struct fetcher *fetcher)
{
    CURLcode code;
    CURL *easy;

    while ((easy = engine_next_done(fetcher->engine, &code)) != NULL) {
        struct transfer *transfer = NULL;
        struct run *run;
        unsigned requests;

        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
        run = transfer->run;
        requests = run->requests;
        end_or_go_on(fetcher, transfer, transfer_go_on(transfer, code), run, requests);
    }
}

/* Those that wait for a token ask again: it has come, or failed, or took too long. */
static void resume_waiting(struct fetcher *fetcher)
{
    if (fetcher->waiting == 0)
        return;
    fetcher->waiting = 0;
    for (size_t i = in_flight(fetcher); i > 0; i--) { /* one that ends changes with the last */
        struct transfer *transfer = fetcher->transfers[i - 1];
        struct run *run = transfer->run;
        unsigned requests = run->requests;

        if (transfer_waits_until_ms(transfer) != NEVER)
            end_or_go_on(fetcher, transfer, transfer_resume(transfer), run, requests);
    }
}

static void give_up_all(struct fetcher *fetcher)
{
    size_t left = in_flight(fetcher);

    if (left > 0)
        log_info("requests given up: the time to stop has passed",
                 LOG_INT("fetcher", fetcher->lane), LOG_INT("requests", left));
    while (in_flight(fetcher) > 0) {
        struct transfer *transfer = fetcher->transfers[in_flight(fetcher) - 1];
        struct run *run = transfer->run;

        transfer_abort(transfer);
        put_transfer(fetcher, transfer);
        give_up(fetcher, run);
    }
}

/* The thread. */

/* Until a run may be due or the grace ends; a due run is no reason while there is no place. */
static int64_t next_wait(const struct fetcher *fetcher, int64_t now_ms)
{
    int64_t until_ms = now_ms + HEARTBEAT_MS;
    int64_t stop_at_ms = atomic_load(&fetcher->stop_at_ms);

    if (stop_at_ms != NEVER)
        until_ms = stop_at_ms < until_ms ? stop_at_ms : until_ms;
    else if (in_flight(fetcher) < fetcher->max_in_flight && fetcher->take_at_ms < until_ms)
        until_ms = fetcher->take_at_ms;
    if (fetcher->waiting > 0 && fetcher->patience_ms < until_ms)
        until_ms = fetcher->patience_ms;
    return until_ms > now_ms ? until_ms - now_ms : 0;
}

static bool is_over(const struct fetcher *fetcher, int64_t now_ms)
{
    int64_t stop_at_ms = atomic_load(&fetcher->stop_at_ms);

    return stop_at_ms != NEVER && (in_flight(fetcher) == 0 || stop_at_ms <= now_ms);
}

static void *run_loop(void *argument)
{
    struct fetcher *fetcher = argument;
    int64_t now_ms = clock_monotonic_ms();
    bool woken;

    while (!is_over(fetcher, now_ms)) {
        start_due(fetcher);
        now_ms = clock_monotonic_ms();
        atomic_store_explicit(&fetcher->heartbeat_ms, now_ms, memory_order_relaxed);
        woken = engine_turn(fetcher->engine, next_wait(fetcher, now_ms));
        if (woken)
            fetcher->take_at_ms = 0;
        end_done(fetcher);
        now_ms = clock_monotonic_ms();
        if (woken || (fetcher->waiting > 0 && fetcher->patience_ms <= now_ms))
            resume_waiting(fetcher);
    }
    give_up_all(fetcher);
    atomic_store_explicit(&fetcher->ended, true, memory_order_release);
    return NULL;
}

/* Any thread. */

static void on_room(void *context)
{
    fetcher_wake(context);
}

static void on_token(void *context)
{
    fetcher_wake(context);
}

void fetcher_wake(struct fetcher *fetcher)
{
    engine_wake(fetcher->engine);
}

void fetcher_stop(struct fetcher *fetcher, int64_t grace_ms)
{
    int64_t stop_at_ms = clock_monotonic_ms() + (grace_ms > 0 ? grace_ms : 0);
    int64_t before = atomic_load(&fetcher->stop_at_ms);

    while (stop_at_ms < before &&
           !atomic_compare_exchange_weak(&fetcher->stop_at_ms, &before, stop_at_ms))
        ;
    fetcher_wake(fetcher);
}

bool fetcher_has_ended(const struct fetcher *fetcher)
{
    return atomic_load_explicit(&fetcher->ended, memory_order_acquire);
}

struct fetcher_stats fetcher_stats(const struct fetcher *fetcher)
{
    return (struct fetcher_stats){
        .in_flight = in_flight(fetcher),
        .requests = atomic_load_explicit(&fetcher->requests, memory_order_relaxed),
        .bytes = atomic_load_explicit(&fetcher->bytes, memory_order_relaxed),
        .retries = atomic_load_explicit(&fetcher->retries, memory_order_relaxed),
        .heartbeat_ms = atomic_load_explicit(&fetcher->heartbeat_ms, memory_order_relaxed),
    };
}

/* Making and freeing. */

int fetcher_global_start(struct error *err)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);

    if (code == CURLE_OK)
        return 0;
    error_set(err, ERROR_UNAVAILABLE, "libcurl does not start: %s", curl_easy_strerror(code));
    return -1;
}

void fetcher_global_stop(void)
{
    curl_global_cleanup();
}

/* What create() made. */
static void free_parts(struct fetcher *fetcher)
{
    arena_free(fetcher->scratch);
    tls_files_free(fetcher->tls_files);
    free(fetcher);
}

static struct fetcher *create(const struct fetcher_options *options, struct queue *queue,
                              const struct fetcher_hooks *hooks)
{
    struct fetcher *fetcher =
        calloc(1, sizeof(*fetcher) + options->max_in_flight * sizeof(struct transfer *));

    if (fetcher == NULL)
        return NULL;
    fetcher->scratch = arena_create(SCRATCH_KEEP_BYTES);
    fetcher->tls_files = tls_files_create();
    if (fetcher->scratch == NULL || fetcher->tls_files == NULL) {
        free_parts(fetcher);
        return NULL;
    }
    fetcher->lane = options->lane;
    fetcher->max_in_flight = options->max_in_flight;
    fetcher->transfer_options = (struct transfer_options){.user_agent = options->user_agent,
                                                          .ca_file = options->ca_file,
                                                          .scratch = fetcher->scratch,
                                                          .tls_files = fetcher->tls_files,
                                                          .tokens = options->tokens};
    fetcher->queue = queue;
    fetcher->hooks = *hooks;
    fetcher->listener = (struct token_listener){.wake = on_token, .context = fetcher};
    atomic_init(&fetcher->stop_at_ms, NEVER);
    atomic_init(&fetcher->heartbeat_ms, 0);
    return fetcher;
}

struct fetcher *fetcher_start(const struct fetcher_options *options, struct queue *queue,
                              const struct fetcher_hooks *hooks, struct error *err)
{
    struct fetcher *fetcher;

    assert(options->max_in_flight > 0);
    fetcher = create(options, queue, hooks);
    if (fetcher == NULL) {
        error_set(err, ERROR_NOMEM, "fetcher %u: out of memory", options->lane);
        return NULL;
    }
    fetcher->engine = engine_create(options->max_in_flight, err);
    if (fetcher->engine == NULL)
        goto free_fetcher;
    if (queue_on_room(queue, on_room, fetcher) == -1) {
        error_set(err, ERROR_NOMEM, "fetcher %u: out of memory", options->lane);
        goto free_engine;
    }
    if (options->tokens != NULL)
        tokens_listen(options->tokens, &fetcher->listener);
    if (thread_start(&fetcher->thread, "fetcher", options->lane, run_loop, fetcher, err) == 0)
        return fetcher;
    queue_on_room(queue, NULL, fetcher);
    if (options->tokens != NULL)
        tokens_ignore(options->tokens, &fetcher->listener);

free_engine:
    engine_free(fetcher->engine);
free_fetcher:
    free_parts(fetcher);
    return NULL;
}

void fetcher_free(struct fetcher *fetcher)
{
    if (fetcher == NULL)
        return;
    pthread_join(fetcher->thread, NULL);
    queue_on_room(fetcher->queue, NULL, fetcher);
    if (fetcher->transfer_options.tokens != NULL)
        tokens_ignore(fetcher->transfer_options.tokens, &fetcher->listener);
    for (size_t i = 0; i < fetcher->created; i++)
        transfer_free(fetcher->transfers[i]);
    engine_free(fetcher->engine);
    free_parts(fetcher);
}
