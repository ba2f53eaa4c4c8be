/* Start, reload, ticks, stop: the pipeline as the commands see it. */
#include "gatherd/pipeline.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/clock.h"
#include "gatherd/debug_log.h"
#include "gatherd/log.h"
#include "gatherd/trouble.h"
#include "pipeline/parts.h"

#define CHECKPOINT_EVERY_MS (60 * 1000)
#define TEND_EVERY_MS       1000 /* idle it costs a look at the clock */
#define JOIN_SLICE_MS       200  /* how soon a drain notices a fatal error */
#define DRAIN_RESERVE_MS    2000 /* of shutdown_timeout, for the commits after the transfers */

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
        .wake = pipeline_wake_lane,
        .dropped = pipeline_drop,
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
    if (crew_hire(p, config, &crew, err) == -1)
        goto dismiss;
    p->config = config_ref(config);
    steer_set_config(&p->steer, config);
    p->opened = config_ref(config);
    crew_hand_over(p, &crew, config);
    p->options.only = NULL; /* was borrowed */
    p->options.only_count = 0;
    malloc_trim(0); /* reading the configuration took more than it left */
    return p;

dismiss: /* no lane is open, so none of them has anything in hand */
    crew_dismiss(p, &crew, 0);
    queue_shutdown(p->queue, QUEUE_DRAIN, NULL, NULL);
    crew_reap_all(p);
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
    if (crew_hire(p, config, &crew, err) == -1 || configure_schedule(p, config, err) == -1)
        goto dismiss;
    warn_of_what_stays(p->opened, config);
    debug_log_reload(p->config, config);
    crew_hand_over(p, &crew, config);
    queue_set_limits(p->queue, config->queue_max_items, config->queue_max_bytes);
    config_unref(p->config);
    p->config = config_ref(config);
    steer_set_config(&p->steer, config);
    return 0;

dismiss:
    crew_dismiss(p, &crew, p->config->shutdown_timeout_ms);
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
            pipeline_drop(p, dropped->run_id);
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
        trouble_log_line(pipeline_hold_words[notice.hold], notice.name, notice.waiting,
                         notice.until_ms);
}

/* What waits for space or a lock is done at a later tick. */
static int tend(struct pipeline *p, int64_t now, struct error *err)
{
    struct error cause = {0};
    bool more = false;

    if (now < p->tend_at_ms)
        return 0;
    p->tend_at_ms = now + TEND_EVERY_MS;
    if (store_tend(p->store, &more, &cause) == -1) {
        if (cause.code == ERROR_SPACE || cause.code == ERROR_BUSY)
            return 0;
        *err = cause;
        return -1;
    }
    if (more)
        p->tend_at_ms = now;
    return 0;
}

bool pipeline_wants_tick(const struct pipeline *p)
{
    return p->tend_at_ms <= clock_monotonic_ms();
}

int pipeline_tick(struct pipeline *p, struct error *err)
{
    int64_t now = clock_monotonic_ms();

    if (fatal_error(p, err) == -1 || end_dropped_runs(p, err) == -1)
        return -1;
    crew_reap_ended(p);
    log_long_lines(p);
    if (tend(p, now, err) == -1)
        return -1;
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
    crew_stop_fetchers(p, timeout - reserve);
    if (drain(p, deadline, err) == -1)
        return -1; /* a processor may be inside the store: nothing can be freed */
    for (unsigned i = 0; i < p->processor_count; i++)
        processor_free(p->processors[i]);
    crew_reap_all(p);
    *stats = pipeline_stats(p);
    pipeline_free(p);
    return 0;
}
