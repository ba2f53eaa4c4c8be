#include "gatherd/pipeline.h"

#include <assert.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gatherd/clock.h"
#include "gatherd/debug_log.h"
#include "gatherd/fetcher.h"
#include "gatherd/log.h"
#include "gatherd/processor.h"
#include "gatherd/queue.h"
#include "gatherd/schedule.h"
#include "gatherd/steer.h"
#include "gatherd/store.h"
#include "gatherd/token_cache.h"
#include "gatherd/trouble.h"

#define CHECKPOINT_EVERY_MS (60 * 1000)
#define USER_AGENT          "gatherd/" GATHERD_VERSION
#define JOIN_SLICE_MS       200  /* how soon a drain notices a fatal error */
#define DRAIN_RESERVE_MS    2000 /* of shutdown_timeout, for the commits after the transfers */
#define START_WAIT_MS       (10 * 1000) /* for a new thread's first turn: a machine that is busy */
#define START_LOOK_MS       1

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

/* --- What the fetchers ask for. --- */

/*
 * A lane opens when its fetcher is handed over, which wakes it. Until then a start or a reload may
 * still fail, and then no run is to be in the hands of a thread that goes.
 */
static bool lane_is_open(struct pipeline *p, unsigned lane)
{
    bool open;

    pthread_rwlock_rdlock(&p->lanes_lock);
    open = lane < p->lane_count;
    pthread_rwlock_unlock(&p->lanes_lock);
    return open;
}

/* What a run of a source with `incremental` asks for: known before its first request. */
static void begin_position(struct run *run)
{
    struct error err = {0};

    if (run->requests == 0 && run->state.position != NULL && run_unfinished_id(run) == 0)
        position_end(run->state.position);
    if (run->state.position == NULL)
        run->state.position = position_create(NULL);
    if (run->state.position == NULL) {
        run_fail(run, RUN_FAILED_POSITION, "out of memory for the position");
        return;
    }
    if (position_begin(run->state.position, run->source, clock_wall_ms(), &err) == -1)
        run_fail(run, RUN_FAILED_POSITION, "%s", err.text);
    run->silent = run->state.position->nothing;
}

static struct run *take(void *context, unsigned lane, int64_t *wait_ms)
{
    struct pipeline *p = context;
    struct run *run;

    *wait_ms = -1;
    if (!lane_is_open(p, lane))
        return NULL;
    run = schedule_take(p->schedule, lane, clock_now(), wait_ms);
    if (run != NULL && run->source->incremental != NULL && !run_is_round(run))
        begin_position(run);
    return run;
}

static const char *const hold_words[] = {
    [HOLD_NONE] = "",
    [HOLD_SOURCE] = "source",
    [HOLD_HOST] = "host",
    [HOLD_RATE_LIMIT] = "rate_limit",
};

static void heed(struct pipeline *p, const struct run *run)
{
    const struct source *source = run->source;
    int64_t until_ms = 0;
    enum schedule_hold hold = schedule_heed(p->schedule, run, clock_now(), &until_ms);

    if (hold != HOLD_NONE)
        trouble_log_hold(source, hold_words[hold],
                         hold == HOLD_RATE_LIMIT ? source->rate_limit_name
                         : hold == HOLD_HOST     ? source->host
                                                 : source->name,
                         until_ms);
}

static void transfer_ended(void *context, struct run *run)
{
    struct pipeline *p = context;

    heed(p, run);
    schedule_transfer_ended(p->schedule, run);
}

static int64_t retry_delay(void *context, const struct run *run)
{
    struct pipeline *p = context;

    heed(p, run);
    return schedule_retry_delay(p->schedule, run);
}

static void retry(void *context, struct run *run, int64_t delay_ms)
{
    struct pipeline *p = context;

    schedule_retry(p->schedule, run, clock_now(), delay_ms);
}

static void give_up(void *context, struct run *run)
{
    struct pipeline *p = context;

    schedule_return(p->schedule, run, false, clock_now());
}

static void wake_lane(void *context, unsigned lane)
{
    struct pipeline *p = context;

    pthread_rwlock_rdlock(&p->lanes_lock);
    if (lane < p->lane_count && p->lanes[lane] != NULL)
        fetcher_wake(p->lanes[lane]);
    pthread_rwlock_unlock(&p->lanes_lock);
}

/* Without memory for it the run ends when the store is closed or opened again. */
static void drop(void *context, int64_t run_id)
{
    struct pipeline *p = context;
    struct dropped *dropped = malloc(sizeof(*dropped));

    if (dropped == NULL)
        return;
    pthread_mutex_lock(&p->report_mutex);
    *dropped = (struct dropped){run_id, p->dropped};
    p->dropped = dropped;
    pthread_mutex_unlock(&p->report_mutex);
}

/* --- What the processors ask for. --- */

static void find_items(void *context, struct run *run, void (*alive)(void *), void *alive_context)
{
    struct pipeline *p = context;
    struct error err = {0};

    run->found =
        store_find_items(p->store, run->source, run->source_id, alive, alive_context, &err);
    if (run->found == NULL)
        run_fail(run, RUN_FAILED_ITEMS, "%s", err.text);
}

static void set_items(void *context, struct run *run)
{
    struct pipeline *p = context;
    size_t missing = schedule_set_items(p->schedule, run, run->found, clock_now());

    if (missing > 0)
        log_error("out of memory for items", LOG_STR("source", run->source->name),
                  LOG_INT("items", missing));
}

static void plan(void *context, struct run *run)
{
    struct pipeline *p = context;

    schedule_plan(p->schedule, run, clock_now());
}

static enum store_status commit(void *context, struct batch *batch, struct error *err)
{
    struct pipeline *p = context;

    return store_commit(p->store, batch, err);
}

static void count_response(struct pipeline *p, const struct result *result)
{
    const struct run *run = result->run;

    atomic_fetch_add(&p->rows, result->inserted + result->updated);
    atomic_fetch_add(&p->rejected, result->rejected);
    if (run->failure != RUN_OK)
        atomic_fetch_add(&p->failed, 1);
    atomic_fetch_add(&p->requests, result->requests);
    atomic_fetch_add(&p->committed, 1);
}

static void log_result(struct pipeline *p, const struct result *result)
{
    const struct run *run = result->run;
    struct item_news news;

    debug_log_run(result);
    if (run->item == NULL) {
        trouble_log(result, clock_monotonic_ms());
        return;
    }
    news = schedule_item_news(p->schedule, run, result->total.rejected > 0, clock_now());
    trouble_log_item(result, &news);
}

static void committed(void *context, const struct result *result)
{
    struct pipeline *p = context;

    if (result->run->failure == RUN_FAILED_STORE)
        schedule_refused(p->schedule, result->run);
    count_response(p, result);
    steer_note(&p->steer, result);
    if (result->more && result->run->failure == RUN_OK) {
        debug_log_page(result);
        return; /* what is said of a run is said at its end */
    }
    if (!p->options.once) /* there the table at the end says it */
        log_result(p, result);
    if (p->options.committed != NULL) {
        pthread_mutex_lock(&p->report_mutex);
        p->options.committed(p->options.context, result);
        pthread_mutex_unlock(&p->report_mutex);
    }
}

static void finished(void *context, struct run *run)
{
    struct pipeline *p = context;

    schedule_return(p->schedule, run, true, clock_now());
}

static void next_page(void *context, struct run *run)
{
    struct pipeline *p = context;

    schedule_next_page(p->schedule, run, clock_now());
}

static void fatal(void *context, const struct error *err)
{
    struct pipeline *p = context;

    pthread_mutex_lock(&p->report_mutex);
    if (p->fatal.code == ERROR_NONE)
        p->fatal = *err;
    pthread_mutex_unlock(&p->report_mutex);
}

/* --- Threads. --- */

static struct fetcher *start_fetcher(struct pipeline *p, const struct config *config, unsigned lane,
                                     struct error *err)
{
    struct fetcher_options options = {
        .lane = lane,
        .max_in_flight = config->max_in_flight,
        .user_agent = USER_AGENT,
        .tokens = p->tokens,
    };
    struct fetcher_hooks hooks = {p, take, transfer_ended, retry_delay, retry, give_up};

    return fetcher_start(&options, p->queue, &hooks, err);
}

static struct processor *start_processor(struct pipeline *p, const struct config *config,
                                         unsigned number, struct error *err)
{
    struct processor_options options = {
        .number = number,
        .batch_max_rows = config->batch_max_rows,
    };
    struct processor_hooks hooks = {
        .context = p,
        .find_items = find_items,
        .plan = plan,
        .commit = commit,
        .committed = committed,
        .set_items = set_items,
        .finished = finished,
        .next_page = next_page,
        .fatal = fatal,
    };

    return processor_start(&options, p->queue, &hooks, err);
}

/* Puts a thread that was told to end on the list; without memory for that, waits for it here. */
static void retire(struct pipeline *p, struct fetcher *fetcher, struct processor *processor)
{
    struct retired *entry = malloc(sizeof(*entry));

    if (entry == NULL) {
        fetcher_free(fetcher);
        processor_free(processor);
        return;
    }
    *entry = (struct retired){fetcher, processor, p->retired};
    p->retired = entry;
}

static bool has_ended(const struct retired *entry)
{
    return entry->fetcher != NULL ? fetcher_has_ended(entry->fetcher)
                                  : processor_has_ended(entry->processor);
}

/* Whether this retired thread is to be joined now. */
typedef bool reap_choice(const struct retired *entry);

static bool is_fetcher(const struct retired *entry)
{
    return entry->fetcher != NULL;
}

static bool is_any(const struct retired *entry)
{
    (void)entry;
    return true;
}

static void reap(struct pipeline *p, reap_choice *chosen)
{
    struct retired **link = &p->retired;

    while (*link != NULL) {
        struct retired *entry = *link;

        if (!chosen(entry)) {
            link = &entry->next;
            continue;
        }
        *link = entry->next;
        fetcher_free(entry->fetcher);
        processor_free(entry->processor);
        free(entry);
    }
}

/* From here on the schedule's wake-ups go to `fetchers`. */
static void set_lanes(struct pipeline *p, struct fetcher **fetchers, unsigned count)
{
    pthread_rwlock_wrlock(&p->lanes_lock);
    p->lanes = fetchers;
    p->lane_count = count;
    pthread_rwlock_unlock(&p->lanes_lock);
}

struct crew {
    struct fetcher **fetchers;
    unsigned fetcher_count;
    struct processor **processors;
    unsigned processor_count;
};

/*
 * Tells threads to go that were started for a configuration which is not to be after all. Nobody
 * waits for them here: one of them may have begun something, and may end it.
 */
static void dismiss(struct pipeline *p, struct crew *crew, int64_t grace_ms)
{
    for (unsigned i = 0; i < crew->fetcher_count; i++) {
        if (crew->fetchers[i] == NULL)
            continue;
        fetcher_stop(crew->fetchers[i], grace_ms);
        retire(p, crew->fetchers[i], NULL);
    }
    for (unsigned i = 0; i < crew->processor_count; i++) {
        if (crew->processors[i] == NULL)
            continue;
        processor_retire(crew->processors[i]);
        retire(p, NULL, crew->processors[i]);
    }
    free(crew->fetchers);
    free(crew->processors);
    *crew = (struct crew){0};
}

/* Every new thread has made its first turn: a heartbeat is 0 before. */
static bool all_run(const struct crew *crew)
{
    for (unsigned i = 0; i < crew->fetcher_count; i++) {
        if (crew->fetchers[i] != NULL && fetcher_stats(crew->fetchers[i]).heartbeat_ms == 0)
            return false;
    }
    for (unsigned i = 0; i < crew->processor_count; i++) {
        if (crew->processors[i] != NULL && processor_stats(crew->processors[i]).heartbeat_ms == 0)
            return false;
    }
    return true;
}

static int wait_until_all_run(const struct crew *crew, struct error *err)
{
    const struct timespec look = {0, START_LOOK_MS * 1000000};
    int64_t deadline = clock_monotonic_ms() + START_WAIT_MS;

    while (!all_run(crew)) {
        if (clock_monotonic_ms() > deadline) {
            error_set(err, ERROR_UNAVAILABLE, "threads did not begin to run within %d seconds",
                      START_WAIT_MS / 1000);
            return -1;
        }
        nanosleep(&look, NULL);
    }
    return 0;
}

static int start_crew(struct pipeline *p, const struct config *config, struct crew *crew,
                      struct error *err)
{
    bool all = p->config != NULL && p->config->max_in_flight != config->max_in_flight;

    for (unsigned i = p->processor_count; i < config->processors; i++) {
        crew->processors[i] = start_processor(p, config, i, err);
        if (crew->processors[i] == NULL)
            return -1;
    }
    for (unsigned i = all ? 0 : p->fetcher_count; i < config->fetchers; i++) {
        crew->fetchers[i] = start_fetcher(p, config, i, err);
        if (crew->fetchers[i] == NULL)
            return -1;
    }
    return wait_until_all_run(crew, err);
}

/*
 * Starts the threads that `config` needs beside those there are: all fetchers anew where
 * max_in_flight changed, otherwise the missing ones. NULL entries stand for threads that stay. On
 * -1 the crew is to be dismissed.
 */
static int hire(struct pipeline *p, const struct config *config, struct crew *crew,
                struct error *err)
{
    *crew = (struct crew){0};
    crew->fetchers = calloc(config->fetchers, sizeof(struct fetcher *));
    crew->processors = calloc(config->processors, sizeof(struct processor *));
    if (crew->fetchers == NULL || crew->processors == NULL) {
        error_set(err, ERROR_NOMEM, "threads: out of memory");
        return -1;
    }
    crew->fetcher_count = config->fetchers;
    crew->processor_count = config->processors;
    return start_crew(p, config, crew, err);
}

/* The new crew takes over: threads it replaces or has no place for are retired. */
static void hand_over(struct pipeline *p, struct crew *crew, const struct config *config)
{
    for (unsigned i = 0; i < p->fetcher_count; i++) {
        if (i < crew->fetcher_count && crew->fetchers[i] == NULL) {
            crew->fetchers[i] = p->fetchers[i];
            continue;
        }
        fetcher_stop(p->fetchers[i], config->shutdown_timeout_ms);
        retire(p, p->fetchers[i], NULL);
    }
    for (unsigned i = 0; i < p->processor_count; i++) {
        if (i < crew->processor_count && crew->processors[i] == NULL) {
            crew->processors[i] = p->processors[i];
            processor_set_batch_max_rows(p->processors[i], config->batch_max_rows);
            continue;
        }
        processor_retire(p->processors[i]);
        retire(p, NULL, p->processors[i]);
    }
    set_lanes(p, crew->fetchers, crew->fetcher_count);
    free(p->fetchers);
    free(p->processors);
    p->fetchers = crew->fetchers;
    p->fetcher_count = crew->fetcher_count;
    p->processors = crew->processors;
    p->processor_count = crew->processor_count;
    for (unsigned i = 0; i < p->fetcher_count; i++)
        fetcher_wake(p->fetchers[i]);
}

/* --- Start, reload, stop. --- */

/* What a reload cannot change is said, each time, never silently kept. */
static void warn_of_what_stays(const struct config *opened, const struct config *new)
{
    if (strcmp(opened->database, new->database) != 0)
        log_warning("the database cannot change while gatherd runs; restart to use the new one",
                    LOG_STR("database", opened->database), LOG_STR("new", new->database));
    if (opened->synchronous != new->synchronous)
        log_warning("synchronous cannot change while gatherd runs; restart to use the new value",
                    LOG_STR("database", opened->database));
}

static void pipeline_free(struct pipeline *p)
{
    struct dropped *next;

    if (p->schedule != NULL)
        steer_close(&p->steer);
    schedule_free(p->schedule);
    for (struct dropped *d = p->dropped; d != NULL; d = next) {
        next = d->next;
        free(d);
    }
    queue_free(p->queue);
    token_cache_free(p->tokens);
    store_close(p->store);
    config_unref(p->config);
    config_unref(p->opened);
    free(p->fetchers);
    free(p->processors);
    pthread_rwlock_destroy(&p->lanes_lock);
    pthread_mutex_destroy(&p->report_mutex);
    free(p);
}

/* The only source walks a range instead of what is its own. */
static int begin_backfill(const struct pipeline_options *options, const struct config *config,
                          struct source_state *states, struct error *err)
{
    const struct source *source;
    struct source_state *saved;

    if (options->backfill_from == NULL)
        return 0;
    source = config_find_source(config, options->only[0]);
    saved = &states[source->index];
    if (saved->state.position == NULL)
        saved->state.position = position_create(NULL);
    if (saved->state.position == NULL) {
        error_set(err, ERROR_NOMEM, "out of memory for the position");
        return -1;
    }
    if (position_start_backfill(saved->state.position, source->incremental, options->backfill_from,
                                options->backfill_to, err) == -1)
        return -1;
    saved->state.position->backfill->live_again_ms = INT64_MAX;
    return 0;
}

/* Beside the database, whose lock keeps others from writing it. */
static struct token_cache *create_tokens(const struct config *config, struct error *err)
{
    struct token_cache *tokens = NULL;
    struct text path = {0};

    text_format(&path, "%s-tokens", config->database);
    if (text_failed(&path))
        error_set(err, ERROR_NOMEM, "tokens: out of memory");
    else
        tokens = token_cache_create(path.data, err);
    text_free(&path);
    return tokens;
}

/* The sources of `config` become the schedule's, with what the store remembers of them. */
static int configure_schedule(struct pipeline *p, struct config *config, struct error *err)
{
    struct source_state *states = calloc(config->source_count, sizeof(*states));
    int rc = -1;

    if (states == NULL) {
        error_set(err, ERROR_NOMEM, "sources: out of memory");
        return -1;
    }
    if (store_register(p->store, config, states, err) == 0 &&
        begin_backfill(&p->options, config, states, err) == 0)
        rc = schedule_configure(p->schedule, config, states, p->options.only, p->options.only_count,
                                clock_now(), err);
    source_states_free(states, config->source_count);
    return rc;
}

static struct pipeline *create(const struct pipeline_options *options, struct error *err)
{
    struct pipeline *p = calloc(1, sizeof(*p));

    if (p == NULL) {
        error_set(err, ERROR_NOMEM, "pipeline: out of memory");
        return NULL;
    }
    p->options = *options;
    pthread_rwlock_init(&p->lanes_lock, NULL);
    pthread_mutex_init(&p->report_mutex, NULL);
    p->checkpointed_at_ms = clock_monotonic_ms();
    return p;
}

struct pipeline *pipeline_start(struct config *config, const struct pipeline_options *options,
                                struct error *err)
{
    struct store_options store_options = {.synchronous = config->synchronous};
    struct schedule_options schedule_options = {
        .lanes = config->fetchers,
        .seed = (uint64_t)clock_wall_ms() ^ (uint64_t)clock_monotonic_us(),
        .once = options->once,
        .wake = wake_lane,
        .dropped = drop,
    };
    struct pipeline *p = create(options, err);
    struct crew crew;

    if (p == NULL)
        return NULL;
    p->store = store_open(config->database, &store_options, err);
    if (p->store == NULL)
        goto fail;
    p->queue = queue_create(config->queue_max_items, config->queue_max_bytes);
    if (p->queue == NULL) {
        error_set(err, ERROR_NOMEM, "queue: out of memory");
        goto fail;
    }
    p->tokens = create_tokens(config, err);
    if (p->tokens == NULL)
        goto fail;
    schedule_options.wake_context = p;
    schedule_options.dropped_context = p;
    p->schedule = schedule_create(&schedule_options, err);
    if (p->schedule != NULL)
        steer_open(&p->steer, p->schedule, p->store);
    if (p->schedule == NULL || configure_schedule(p, config, err) == -1)
        goto fail;
    if (hire(p, config, &crew, err) == -1)
        goto dismiss;
    p->config = config_ref(config);
    p->opened = config_ref(config);
    hand_over(p, &crew, config);
    p->options.only = NULL; /* was borrowed */
    p->options.only_count = 0;
    malloc_trim(0); /* reading the configuration took more than it left */
    return p;

dismiss: /* no lane is open, so none of them has anything in hand */
    dismiss(p, &crew, 0);
    queue_shutdown(p->queue, QUEUE_DRAIN, NULL, NULL);
    reap(p, is_any);
fail:
    pipeline_free(p);
    return NULL;
}

int pipeline_reload(struct pipeline *p, struct config *config, struct error *err)
{
    unsigned lanes = p->fetcher_count;
    struct crew crew;

    /* A lane without a fetcher waits for one, and a fetcher without a lane takes nothing: so either
     * may come first, and shrinking back never fails. */
    if (schedule_set_lanes(p->schedule, config->fetchers, err) == -1)
        return -1;
    if (hire(p, config, &crew, err) == -1 || configure_schedule(p, config, err) == -1)
        goto dismiss;
    warn_of_what_stays(p->opened, config);
    debug_log_reload(p->config, config);
    hand_over(p, &crew, config);
    queue_set_limits(p->queue, config->queue_max_items, config->queue_max_bytes);
    config_unref(p->config);
    p->config = config_ref(config);
    return 0;

dismiss:
    dismiss(p, &crew, p->config->shutdown_timeout_ms);
    schedule_set_lanes(p->schedule, lanes, NULL);
    return -1;
}

/* The first fatal error that a processor reported, if any. */
static int fatal_error(struct pipeline *p, struct error *err)
{
    struct error first;

    pthread_mutex_lock(&p->report_mutex);
    first = p->fatal;
    pthread_mutex_unlock(&p->report_mutex);
    if (first.code == ERROR_NONE)
        return 0;
    error_set(err, first.code, "%s", first.text);
    return -1;
}

/*
 * Without space the log cannot be moved, and nothing is lost: it grows, or the commits wait, and
 * the next checkpoint tries again.
 */
static int checkpoint(struct pipeline *p, struct error *err)
{
    struct error cause = {0};
    bool failed = store_checkpoint(p->store, &cause) == -1;

    if (failed && cause.code != ERROR_SPACE) {
        *err = cause;
        return -1;
    }
    if (failed && !p->checkpoint_failing)
        log_warning("checkpoint put off", LOG_STR("error", cause.text));
    else if (!failed && p->checkpoint_failing)
        log_info("checkpoints work again", LOG_STR("database", p->opened->database));
    p->checkpoint_failing = failed;
    return 0;
}

static struct dropped *take_dropped(struct pipeline *p)
{
    struct dropped *first;

    pthread_mutex_lock(&p->report_mutex);
    first = p->dropped;
    if (first != NULL)
        p->dropped = first->next;
    pthread_mutex_unlock(&p->report_mutex);
    return first;
}

/* A full disk or a lock leaves them to a later tick; at the latest the next start does it. */
static int end_dropped_runs(struct pipeline *p, struct error *err)
{
    struct dropped *dropped;

    while ((dropped = take_dropped(p)) != NULL) {
        struct error cause = {0};
        int rc = store_interrupt(p->store, dropped->run_id,
                                 "its source was removed before the run's last page", &cause);

        if (rc == -1 && (cause.code == ERROR_SPACE || cause.code == ERROR_BUSY)) {
            drop(p, dropped->run_id);
            free(dropped);
            return 0;
        }
        free(dropped);
        if (rc == -1) {
            *err = cause;
            return -1;
        }
    }
    return 0;
}

static void log_long_lines(struct pipeline *p)
{
    struct schedule_notice notice;

    while (schedule_next_notice(p->schedule, clock_now(), &notice))
        trouble_log_line(hold_words[notice.hold], notice.name, notice.waiting, notice.until_ms);
}

int pipeline_tick(struct pipeline *p, struct error *err)
{
    int64_t now = clock_monotonic_ms();

    if (fatal_error(p, err) == -1 || end_dropped_runs(p, err) == -1)
        return -1;
    reap(p, has_ended);
    log_long_lines(p);
    if (now - p->checkpointed_at_ms < CHECKPOINT_EVERY_MS)
        return 0;
    p->checkpointed_at_ms = now;
    return checkpoint(p, err);
}

bool pipeline_idle(struct pipeline *p, int64_t timeout_ms)
{
    return schedule_wait_idle(p->schedule, timeout_ms) == 0;
}

bool pipeline_is_alive(struct pipeline *p, int64_t limit_ms)
{
    int64_t oldest = clock_monotonic_ms() - limit_ms;

    for (unsigned i = 0; i < p->fetcher_count; i++) {
        if (fetcher_stats(p->fetchers[i]).heartbeat_ms < oldest)
            return false;
    }
    for (unsigned i = 0; i < p->processor_count; i++) {
        if (processor_stats(p->processors[i]).heartbeat_ms < oldest)
            return false;
    }
    return true;
}

/*
 * Ends the fetchers, retired ones too: what they have in flight arrives or is given up within
 * `grace_ms`, and none of them puts anything into the queue after this.
 */
static void stop_fetchers(struct pipeline *p, int64_t grace_ms)
{
    set_lanes(p, NULL, 0);
    for (unsigned i = 0; i < p->fetcher_count; i++)
        fetcher_stop(p->fetchers[i], grace_ms);
    for (struct retired *entry = p->retired; entry != NULL; entry = entry->next) {
        if (entry->fetcher != NULL)
            fetcher_stop(entry->fetcher, grace_ms);
    }
    for (unsigned i = 0; i < p->fetcher_count; i++)
        fetcher_free(p->fetchers[i]);
    p->fetcher_count = 0;
    reap(p, is_fetcher);
}

/* Waits until all that was received is committed. */
static int drain(struct pipeline *p, int64_t deadline_ms, struct error *err)
{
    queue_shutdown(p->queue, QUEUE_DRAIN, NULL, NULL);
    for (;;) {
        int64_t left = deadline_ms - clock_monotonic_ms();

        if (queue_join(p->queue, left < 0               ? 0
                                 : left < JOIN_SLICE_MS ? left
                                                        : JOIN_SLICE_MS) == QUEUE_OK)
            return fatal_error(p, err);
        if (fatal_error(p, err) == -1)
            return -1;
        if (left <= 0) {
            error_set(err, ERROR_SPACE,
                      "%zu responses could not be committed before shutdown_timeout; they are "
                      "requested again after the next start",
                      queue_stats(p->queue).unfinished);
            return -1;
        }
    }
}

struct steer *pipeline_steer(struct pipeline *p)
{
    return &p->steer;
}

struct pipeline_stats pipeline_stats(struct pipeline *p)
{
    struct schedule_stats schedule = schedule_stats(p->schedule, clock_now());
    /* In this order: what is committed between the two looks still counts as in work. */
    uint64_t committed_runs = atomic_load(&p->committed);
    struct queue_stats queue = queue_stats(p->queue);
    struct pipeline_stats stats = {
        .sources = schedule.sources,
        .failing = schedule.failing,
        .overdue = schedule.overdue,
        .held_up = schedule.held_up,
        .requests = atomic_load(&p->requests),
        .received = queue.total_put,
        .committed = committed_runs,
        .failed = atomic_load(&p->failed),
        .queued = queue.length,
        .in_work = queue.total_put - queue.length - committed_runs,
        .rows = atomic_load(&p->rows),
        .rejected = atomic_load(&p->rejected),
        .peak_queue_items = queue.peak_length,
        .peak_queue_bytes = queue.peak_bytes,
    };

    for (unsigned i = 0; i < p->fetcher_count; i++)
        stats.in_flight += fetcher_stats(p->fetchers[i]).in_flight;
    return stats;
}

int pipeline_stop(struct pipeline *p, struct pipeline_stats *stats, struct error *err)
{
    int64_t timeout = p->config->shutdown_timeout_ms;
    int64_t reserve = timeout / 4 < DRAIN_RESERVE_MS ? timeout / 4 : DRAIN_RESERVE_MS;
    /* However short the patience with transfers is, what has arrived is not given up for it. */
    int64_t deadline =
        clock_monotonic_ms() + (timeout > DRAIN_RESERVE_MS ? timeout : DRAIN_RESERVE_MS);

    schedule_stop(p->schedule);
    stop_fetchers(p, timeout - reserve);
    if (drain(p, deadline, err) == -1)
        return -1; /* a processor may be inside the store: nothing can be freed */
    for (unsigned i = 0; i < p->processor_count; i++)
        processor_free(p->processors[i]);
    reap(p, is_any);
    *stats = pipeline_stats(p);
    pipeline_free(p);
    return 0;
}
