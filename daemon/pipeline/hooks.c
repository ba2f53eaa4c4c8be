/* What the stages ask of each other, connected here; none of it is called with a lock held. */
#include <stdlib.h>

#include "gatherd/clock.h"
#include "gatherd/debug_log.h"
#include "gatherd/log.h"
#include "gatherd/trouble.h"
#include "pipeline/parts.h"

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

const char *const pipeline_hold_words[] = {
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
        trouble_log_hold(source, pipeline_hold_words[hold],
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

void pipeline_wake_lane(void *context, unsigned lane)
{
    struct pipeline *p = context;

    pthread_rwlock_rdlock(&p->lanes_lock);
    if (lane < p->lane_count && p->lanes[lane] != NULL)
        fetcher_wake(p->lanes[lane]);
    pthread_rwlock_unlock(&p->lanes_lock);
}

/* Without memory for it the run ends when the store is closed or opened again. */
void pipeline_drop(void *context, int64_t run_id)
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

struct fetcher_hooks pipeline_fetcher_hooks(struct pipeline *p)
{
    return (struct fetcher_hooks){p, take, transfer_ended, retry_delay, retry, give_up};
}

struct processor_hooks pipeline_processor_hooks(struct pipeline *p)
{
    return (struct processor_hooks){
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
}
