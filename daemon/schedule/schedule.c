/*
 * The life of an entry: due, taken, its transfer ended, perhaps tried again, planned, back.
 */
#include "gatherd/schedule.h"

#include <assert.h>
#include <stdlib.h>

#include "schedule/backoff.h"
#include "schedule/entry.h"

static int init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    int rc = pthread_condattr_init(&attributes);

    if (rc != 0)
        return rc;
    rc = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (rc == 0)
        rc = pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
    return rc;
}

struct schedule *schedule_create(const struct schedule_options *options, struct error *err)
{
    struct schedule *s = calloc(1, sizeof(*s));

    assert(options->lanes > 0 && options->wake != NULL);
    if (s == NULL)
        goto fail;
    s->once = options->once;
    s->wake = options->wake;
    s->wake_context = options->wake_context;
    s->dropped = options->dropped;
    s->dropped_context = options->dropped_context;
    s->random.state = options->seed;
    if (pthread_mutex_init(&s->mutex, NULL) != 0)
        goto free_schedule;
    if (init_condition(&s->idle) != 0)
        goto destroy_mutex;
    if (schedule_set_lanes(s, options->lanes, NULL) == -1)
        goto destroy_condition;
    return s;

destroy_condition:
    pthread_cond_destroy(&s->idle);
destroy_mutex:
    pthread_mutex_destroy(&s->mutex);
free_schedule:
    free(s);
fail:
    error_set(err, ERROR_NOMEM, "schedule: out of memory");
    return NULL;
}

static void free_entry(struct schedule *s, struct entry *e)
{
    struct entry_list items = TAILQ_HEAD_INITIALIZER(items);
    struct entry *item;

    if (e->round != NULL)
        round_dissolve(s, e->round, &items);
    while ((item = TAILQ_FIRST(&items)) != NULL) {
        TAILQ_REMOVE(&items, item, of_round);
        entry_free(item);
    }
    entry_forget(s, e);
    entry_free(e);
}

void schedule_free(struct schedule *s)
{
    struct map_node *next;

    if (s == NULL)
        return;
    assert(s->out == 0);
    for (struct map_node *node = map_next(&s->entries, NULL); node != NULL; node = next) {
        struct entry *e = entry_of_node(node);

        next = map_next(&s->entries, node);
        free_entry(s, e);
    }
    map_free(&s->entries);
    lines_free(&s->lines);
    for (unsigned i = 0; i < s->lane_count; i++)
        heap_free(&s->lanes[i].heap);
    free(s->lanes);
    config_unref(s->config);
    pthread_cond_destroy(&s->idle);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

static void start_run(struct schedule *s, struct entry *e, struct instant now)
{
    struct run *run = &e->run;

    run->config = config_ref(s->config);
    run->source = e->source;
    run->scheduled_at_ms = entry_slot_now(e, e->source, now);
    entry_set_previous(e);
    run->attempt = 0;
    run->started_at_ms = 0;
    run->requests = 0;
    run->next_due_ms = 0;
    run->failures = e->failures;
    run->skipped = 0;
}

/* Its rounds ask no host. */
static bool makes_rounds(const struct entry *e)
{
    return !entry_is_item(e) && !e->begun && e->source->for_each != NULL;
}

/* The next item of its source may come. */
static void leave_front(struct schedule *s, struct entry *e, struct instant now)
{
    e->round->out++;
    if (e->round->front != e)
        return; /* it is between two requests */
    e->round->front = NULL;
    round_advance(s, e->round, now);
}

static struct run *hand_out(struct schedule *s, struct entry *e, struct instant now)
{
    e->in_flight = !makes_rounds(e);
    if (e->in_flight)
        line_started(&s->lines, e->line);
    else
        e->round->outdated = false;
    e->planned = false;
    e->place = ENTRY_OUT;
    s->out++;
    if (entry_is_item(e))
        leave_front(s, e, now);
    if (!e->begun)
        start_run(s, e, now);
    e->begun = false;
    return &e->run;
}

static int64_t not_before_ms(const struct entry *e)
{
    return entry_owner(e)->not_before_ms;
}

static struct entry *first_ready(struct schedule *s, unsigned lane)
{
    struct waiter *waiter = lines_first_ready(&s->lines, lane);

    return waiter != NULL ? entry_of_waiter(waiter) : NULL;
}

static struct entry *first_due(const struct schedule *s, unsigned lane, struct instant now)
{
    int64_t due_ms;
    struct heap_item *item = heap_first(&s->lanes[lane].heap, &due_ms);

    return item != NULL && due_ms <= now.monotonic_ms ? entry_of_item(item) : NULL;
}

/*
 * The entry whose turn it is, taken out of its place. Who has been due longest goes first, be it in
 * a line or in the heap, so neither can starve the other. An entry whose host or rate limit is
 * busy, or has others in line, goes to the end of that line: each does so once for each time it is
 * due.
 */
static struct entry *next_entry(struct schedule *s, unsigned lane, struct instant now)
{
    for (;;) {
        struct entry *ready = first_ready(s, lane);
        struct entry *due = first_due(s, lane, now);
        int64_t earliest_ms;

        if (ready != NULL && (due == NULL || ready->due_ms <= due->due_ms)) {
            entry_withdraw(s, ready);
            if (not_before_ms(ready) <= now.monotonic_ms)
                return ready;
            entry_queue(s, ready, not_before_ms(ready)); /* another item has heard of it since */
            continue;
        }
        if (due == NULL)
            return NULL;
        entry_withdraw(s, due);
        earliest_ms = entry_earliest(due, now);
        if (earliest_ms > now.monotonic_ms)
            entry_queue(s, due, earliest_ms);
        else if (makes_rounds(due) || line_may_start(&s->lines, due->line))
            return due;
        else
            entry_wait(s, due);
    }
}

struct run *schedule_take(struct schedule *s, unsigned lane, struct instant now, int64_t *wait_ms)
{
    struct entry *e = NULL;
    struct run *run = NULL;
    uint64_t wakes;

    pthread_mutex_lock(&s->mutex);
    *wait_ms = -1;
    if (!s->stopped && lane < s->lane_count) {
        lines_set_now(&s->lines, now.monotonic_ms);
        s->lanes[lane].asleep = false;
        schedule_follow_clock(s, now);
        e = next_entry(s, lane, now);
        *wait_ms = e != NULL ? 0 : schedule_tell_wait(s, lane, now);
    }
    if (e != NULL)
        run = hand_out(s, e, now);
    wakes = schedule_collect_wakes(s);
    pthread_mutex_unlock(&s->mutex);
    schedule_send_wakes(s, wakes);
    return run;
}

static void end_transfer(struct schedule *s, struct entry *e)
{
    if (e->in_flight)
        line_ended(&s->lines, e->line);
    e->in_flight = false;
}

void schedule_transfer_ended(struct schedule *s, struct run *run)
{
    struct entry *e = entry_of_run(run);
    uint64_t wakes;

    pthread_mutex_lock(&s->mutex);
    assert(e->place == ENTRY_OUT);
    end_transfer(s, e);
    wakes = schedule_collect_wakes(s);
    pthread_mutex_unlock(&s->mutex);
    schedule_send_wakes(s, wakes);
}

int64_t schedule_retry_delay(struct schedule *s, const struct run *run)
{
    int64_t delay_ms;

    pthread_mutex_lock(&s->mutex);
    delay_ms = backoff_retry_delay(run, &s->random);
    pthread_mutex_unlock(&s->mutex);
    return delay_ms;
}

bool schedule_is_idle(const struct schedule *s)
{
    return s->out == 0 && (!s->once || s->stopped || s->pending == 0);
}

/* The entry is with us again: nowhere, until it is given a place. */
static void come_back(struct schedule *s, struct entry *e)
{
    assert(e->place == ENTRY_OUT);
    end_transfer(s, e);
    e->place = ENTRY_NOWHERE;
    s->out--;
    if (entry_is_item(e))
        e->round->out--;
}

/* The run comes back for another request, `attempt` requests after the first for the same page. */
static void go_on_with(struct schedule *s, struct entry *e, unsigned attempt, struct instant now,
                       int64_t delay_ms)
{
    struct entry_list gone = TAILQ_HEAD_INITIALIZER(gone);
    uint64_t wakes;

    pthread_mutex_lock(&s->mutex);
    lines_set_now(&s->lines, now.monotonic_ms);
    come_back(s, e);
    if (e->source == NULL) {
        entry_leave(s, e, &gone);
    } else {
        e->run.attempt = attempt;
        e->begun = true;
        entry_queue(s, e, now.monotonic_ms + delay_ms);
    }
    if (schedule_is_idle(s))
        pthread_cond_broadcast(&s->idle);
    wakes = schedule_collect_wakes(s);
    pthread_mutex_unlock(&s->mutex);
    entry_drop_all(s, &gone);
    schedule_send_wakes(s, wakes);
}

void schedule_retry(struct schedule *s, struct run *run, struct instant now, int64_t delay_ms)
{
    go_on_with(s, entry_of_run(run), run->attempt + 1, now, delay_ms);
}

void schedule_next_page(struct schedule *s, struct run *run, struct instant now)
{
    run_clear_response(run);
    pages_advance(run->pages);
    go_on_with(s, entry_of_run(run), 0, now, 0);
}

void schedule_plan(struct schedule *s, struct run *run, struct instant now)
{
    struct entry *e = entry_of_run(run);

    pthread_mutex_lock(&s->mutex);
    assert(e->place == ENTRY_OUT);
    entry_plan(s, e, now);
    pthread_mutex_unlock(&s->mutex);
}

void schedule_refused(struct schedule *s, struct run *run)
{
    struct entry *e = entry_of_run(run);

    pthread_mutex_lock(&s->mutex);
    assert(e->place == ENTRY_OUT);
    entry_refused(e);
    pthread_mutex_unlock(&s->mutex);
}

/* Its configuration changed while its round was out: what that found was not taken over. */
static bool is_outdated(const struct entry *e)
{
    return e->round != NULL && e->round->outdated;
}

static void count_first(struct schedule *s, struct entry *e)
{
    s->pending--;
    if (entry_is_item(e))
        e->round->fresh--;
    e->ran = true;
}

/* Whoever takes the rows of this source for items need wait no longer, once all items have run. */
static void count_end(struct schedule *s, struct entry *e, struct instant now)
{
    struct entry *owner = entry_owner(e);
    bool succeeds = e->run.failures == 0;
    bool news = s->once || (succeeds && !e->succeeded);

    entry_set_failures(s, e, e->run.failures);
    if (succeeds) {
        e->run.previous_scheduled_at_ms = e->run.scheduled_at_ms;
        e->succeeded = true;
    }
    if (!e->ran && !e->again)
        count_first(s, e);
    if (news && owner->parent && owner->ran && (owner->round == NULL || owner->round->fresh == 0))
        round_follow_parent(s, owner, now);
}

/*
 * A run whose end is on record is due as planned. One that is not was never made, as far as the
 * database knows, and its slot is still to be served.
 */
static void go_on(struct schedule *s, struct entry *e, bool recorded, struct instant now)
{
    if (e->next_line != NULL) {
        line_put(&s->lines, e->line);
        e->line = e->next_line;
        e->next_line = NULL;
    }
    if (!recorded) {
        entry_queue(s, e, now.monotonic_ms);
        return;
    }
    count_end(s, e, now);
    entry_adopt_plan(e);
    if (entry_is_item(e) && !e->again)
        return;                 /* a round makes it due */
    entry_follow_clock(e, now); /* it was set since the plan was made */
    if (e->wanted && e->due_ms < now.monotonic_ms + SCHEDULE_BORROW_MS)
        e->due_ms = now.monotonic_ms + SCHEDULE_BORROW_MS;
    if (!s->once || e->again)
        entry_queue(s, e, is_outdated(e) ? now.monotonic_ms : e->due_ms);
}

/* Takes what the run owns out of it, to be freed without the lock. */
static struct run strip(struct run *run)
{
    struct run answer = *run;

    run->config = NULL;
    run->source = NULL;
    run->pages = NULL;
    run->response = (struct response){0};
    run->error = NULL;
    run->learned = NULL;
    run->found = NULL;
    run_clear_response(run);
    return answer;
}

void schedule_return(struct schedule *s, struct run *run, bool recorded, struct instant now)
{
    struct entry *e = entry_of_run(run);
    struct entry_list gone = TAILQ_HEAD_INITIALIZER(gone);
    struct run answer;
    uint64_t wakes;

    if (!recorded && run_unfinished_id(run) != 0) {
        run_clear_response(run);
        go_on_with(s, e, run->attempt, now, 0);
        return;
    }
    pthread_mutex_lock(&s->mutex);
    lines_set_now(&s->lines, now.monotonic_ms);
    come_back(s, e);
    if (recorded && !e->planned)
        entry_plan(s, e, now);
    answer = strip(run);
    if (e->source == NULL)
        entry_leave(s, e, &gone);
    else
        go_on(s, e, recorded, now);
    if (schedule_is_idle(s))
        pthread_cond_broadcast(&s->idle);
    wakes = schedule_collect_wakes(s);
    pthread_mutex_unlock(&s->mutex);
    run_clear_response(&answer);
    pages_free(answer.pages);
    config_unref(answer.config);
    entry_drop_all(s, &gone);
    schedule_send_wakes(s, wakes);
}

void schedule_stop(struct schedule *s)
{
    pthread_mutex_lock(&s->mutex);
    s->stopped = true;
    pthread_cond_broadcast(&s->idle);
    pthread_mutex_unlock(&s->mutex);
}

int schedule_wait_idle(struct schedule *s, int64_t timeout_ms)
{
    struct timespec deadline = clock_deadline(timeout_ms < 0 ? 0 : timeout_ms);
    bool idle;
    int rc = 0;

    pthread_mutex_lock(&s->mutex);
    while (!schedule_is_idle(s) && rc == 0) {
        if (timeout_ms < 0)
            pthread_cond_wait(&s->idle, &s->mutex);
        else
            rc = pthread_cond_timedwait(&s->idle, &s->mutex, &deadline);
    }
    idle = schedule_is_idle(s);
    pthread_mutex_unlock(&s->mutex);
    return idle ? 0 : -1;
}

struct schedule_stats schedule_stats(struct schedule *s, struct instant now)
{
    struct schedule_stats stats = {0};

    pthread_mutex_lock(&s->mutex);
    stats.sources = s->sources;
    stats.out = s->out;
    stats.failing = s->failing;
    lines_set_now(&s->lines, now.monotonic_ms);
    stats.held_up = lines_held_up(&s->lines);
    stats.items = s->items;
    stats.overdue = s->lines.waiting - stats.held_up + s->queued;
    for (unsigned i = 0; i < s->lane_count; i++)
        stats.overdue += heap_count_until(&s->lanes[i].heap, now.monotonic_ms);
    pthread_mutex_unlock(&s->mutex);
    return stats;
}
