/*
 * The items of a source with for_each: taking over the list that a round has found, and whose turn
 * it is.
 */
#include <assert.h>
#include <stdlib.h>

#include "gatherd/schedule.h"
#include "schedule/entry.h"

/* Items that are looked at with the mutex held: some hundred microseconds. */
#define SLICE 256

struct round *round_create(struct entry *owner)
{
    struct round *round = calloc(1, sizeof(*round));

    if (round == NULL)
        return NULL;
    round->owner = owner;
    TAILQ_INIT(&round->all);
    TAILQ_INIT(&round->queued);
    return round;
}

void round_free(struct round *round)
{
    if (round == NULL)
        return;
    assert(round->items.count == 0);
    map_free(&round->items);
    free(round);
}

/* --- Turns. --- */

void round_append(struct schedule *s, struct entry *e)
{
    assert(e->place == ENTRY_NOWHERE);
    e->place = ENTRY_QUEUED;
    TAILQ_INSERT_TAIL(&e->round->queued, e, turn);
    s->queued++;
}

void round_advance(struct schedule *s, struct round *round, struct instant now)
{
    struct entry *e = TAILQ_FIRST(&round->queued);

    if (round->front != NULL || e == NULL)
        return;
    entry_withdraw(s, e);
    round->front = e;
    entry_queue(s, e, now.monotonic_ms);
}

bool round_recall(struct schedule *s, struct round *round)
{
    bool any = !TAILQ_EMPTY(&round->queued) || round->front != NULL;

    while (!TAILQ_EMPTY(&round->queued))
        entry_withdraw(s, TAILQ_FIRST(&round->queued));
    if (round->front != NULL)
        entry_withdraw(s, round->front);
    round->front = NULL;
    return any;
}

/* --- Coming and going. --- */

static void count(struct schedule *s, const struct entry *e)
{
    s->items++;
    s->pending += !e->ran;
    e->round->fresh += !e->ran;
}

/* Once for each, when it goes or when it is known that it will. */
static void uncount(struct schedule *s, struct entry *e)
{
    entry_set_failures(s, e, 0);
    s->items--;
    s->pending -= !e->ran;
    e->round->fresh -= !e->ran;
}

void round_forget(struct schedule *s, struct entry *e)
{
    struct round *round = e->round;

    if (e->source != NULL)
        uncount(s, e);
    if (round->front == e)
        round->front = NULL;
    map_remove(&round->items, &e->node);
    TAILQ_REMOVE(&round->all, e, of_round);
}

/* It goes now, or when it is back. */
static void dismiss(struct schedule *s, struct entry *e, struct entry_list *dropped)
{
    if (e->place != ENTRY_OUT) {
        entry_forget(s, e);
        TAILQ_INSERT_TAIL(dropped, e, of_round);
    } else if (e->source != NULL) {
        uncount(s, e);
        e->source = NULL;
    }
}

void round_dissolve(struct schedule *s, struct round *round, struct entry_list *dropped)
{
    struct entry *next;

    for (struct entry *e = TAILQ_FIRST(&round->all); e != NULL; e = next) {
        next = TAILQ_NEXT(e, of_round);
        dismiss(s, e, dropped);
    }
}

/* --- Parents: the sources whose rows are the items. --- */

static struct entry *parent_of(const struct schedule *s, const struct entry *e)
{
    struct map_node *node;

    if (e->source == NULL || entry_is_item(e) || e->source->for_each == NULL ||
        e->source->for_each->source == NULL)
        return NULL;
    node = map_find(&s->entries, e->source->for_each->source);
    return node != NULL && entry_of_node(node)->source != NULL ? entry_of_node(node) : NULL;
}

void round_find_parents(struct schedule *s)
{
    for (struct entry *e = entry_next(s, NULL); e != NULL; e = entry_next(s, e))
        e->parent = false;
    for (struct entry *e = entry_next(s, NULL); e != NULL; e = entry_next(s, e)) {
        struct entry *parent = parent_of(s, e);

        if (parent == NULL)
            continue;
        parent->parent = true;
        if (s->once && !parent->ran && e->place == ENTRY_DUE)
            entry_withdraw(s, e);
    }
}

void round_follow_parent(struct schedule *s, const struct entry *parent, struct instant now)
{
    for (struct map_node *n = map_next(&s->entries, NULL); n != NULL;
         n = map_next(&s->entries, n)) {
        struct entry *e = entry_of_node(n);

        if (parent_of(s, e) != parent || (s->once && e->ran))
            continue;
        if (e->place == ENTRY_OUT) { /* it may have looked too early */
            e->round->outdated = true;
            continue;
        }
        entry_withdraw(s, e);
        entry_due_now(e, now);
        entry_queue(s, e, e->due_ms);
    }
}

/* --- A list. --- */

struct taking {
    struct schedule *s;
    struct round *round;
    const struct run *run; /* the round's */
    struct found_items *found;
    struct instant now;
    size_t next; /* in the list */
    bool begun;
    struct entry_list dropped;
};

static struct line *line_of(const struct entry *owner)
{
    return owner->next_line != NULL ? owner->next_line : owner->line;
}

static void set_item(struct entry *e, struct items *items, const struct source_item *item)
{
    struct items *old = e->run.items;

    e->run.items = items_ref(items);
    e->run.item = item;
    e->node.name = item->key; /* the same text */
    items_unref(old);
}

static struct entry *create_item(struct taking *t, size_t i)
{
    const struct entry *owner = t->round->owner;
    const struct source_item *item = &t->found->items->list[i];
    struct source_state *state = &t->found->states[i];
    struct entry *e = entry_create("");

    if (e == NULL)
        return NULL;
    set_item(e, t->found->items, item);
    map_insert(&t->round->items, &e->node, item->key);
    TAILQ_INSERT_TAIL(&t->round->all, e, of_round);
    e->round = t->round;
    e->source = owner->source;
    e->line = line_ref(line_of(owner));
    e->run.source_id = owner->run.source_id;
    e->run.previous_scheduled_at_ms = state->success_slot_ms;
    e->succeeded = state->success_slot_ms != 0;
    e->run.state = state->state;
    state->state = (struct run_state){0};
    count(t->s, e);
    entry_set_failures(t->s, e, state->failures);
    return e;
}

/* After failures, or while its answer is fresh, an item sits out some rounds. */
static bool is_due(const struct taking *t, const struct entry *e)
{
    return !e->patient || t->now.monotonic_ms + entry_tolerance_ms(e->source) >= e->due_ms;
}

static void make_due(struct taking *t, struct entry *e)
{
    e->slot_ms = t->run->scheduled_at_ms;
    e->slot_mono_ms = t->now.monotonic_ms + e->slot_ms - t->now.wall_ms;
    e->due_ms = t->now.monotonic_ms;
    round_append(t->s, e);
}

/* False: out of memory for it. */
static bool seat_item(struct taking *t, size_t i)
{
    const struct source_item *item = &t->found->items->list[i];
    struct map_node *node = map_find(&t->round->items, item->key);
    struct entry *e = node != NULL ? entry_of_node(node) : create_item(t, i);

    if (e == NULL)
        return false;
    if (e->source == NULL) { /* it was gone, and its run is still out */
        e->source = t->round->owner->source;
        count(t->s, e);
    }
    e->number = t->round->number;
    TAILQ_REMOVE(&t->round->all, e, of_round);
    TAILQ_INSERT_TAIL(&t->round->all, e, of_round);
    if (e->place == ENTRY_OUT || e->begun)
        return true;
    if (node != NULL)
        set_item(e, t->found->items, item);
    if (e->place == ENTRY_NOWHERE && is_due(t, e))
        make_due(t, e);
    return true;
}

/* How many of the slice there was memory for. */
static size_t seat_slice(struct taking *t)
{
    size_t count = t->found->items->count;
    size_t end = count - t->next > SLICE ? t->next + SLICE : count;
    size_t before = t->next;

    if (map_reserve(&t->round->items, t->round->items.count + (end - before)) == -1 ||
        entry_reserve_heaps(t->s, line_of(t->round->owner), end - before) == -1)
        return 0;
    while (t->next < end && seat_item(t, t->next))
        t->next++;
    return t->next - before;
}

/* Those that the list does not have stand first. False: there are none left. */
static bool dismiss_slice(struct taking *t)
{
    struct entry *e = TAILQ_FIRST(&t->round->all);

    for (size_t i = 0; i < SLICE && e != NULL && e->number != t->round->number; i++) {
        TAILQ_REMOVE(&t->round->all, e, of_round);
        TAILQ_INSERT_TAIL(&t->round->all, e, of_round);
        e->number = t->round->number;
        dismiss(t->s, e, &t->dropped);
        e = TAILQ_FIRST(&t->round->all);
    }
    return e != NULL && e->number != t->round->number;
}

/* The configuration changed since the round began. */
static bool is_void(const struct taking *t)
{
    return t->round->owner->source == NULL || t->round->outdated;
}

/* A piece of the work. False: it is done. */
static bool take_slice(struct taking *t)
{
    if (is_void(t))
        return false;
    if (t->next < t->found->items->count)
        return seat_slice(t) > 0;
    return dismiss_slice(t);
}

size_t schedule_set_items(struct schedule *s, struct run *run, struct found_items *found,
                          struct instant now)
{
    struct entry *owner = entry_of_run(run);
    struct taking t = {.s = s, .round = owner->round, .run = run, .found = found, .now = now};
    bool more = true;
    size_t missing = 0;

    TAILQ_INIT(&t.dropped);
    while (more) {
        uint64_t wakes;

        pthread_mutex_lock(&s->mutex);
        assert(owner->place == ENTRY_OUT && run_is_round(run));
        lines_set_now(&s->lines, now.monotonic_ms);
        t.round->number += !t.begun;
        t.begun = true;
        more = take_slice(&t);
        missing = is_void(&t) ? 0 : found->items->count - t.next;
        round_advance(s, t.round, now);
        wakes = schedule_collect_wakes(s);
        pthread_mutex_unlock(&s->mutex);
        schedule_send_wakes(s, wakes);
        entry_drop_all(s, &t.dropped);
    }
    return missing;
}

/* --- What people are told. --- */

#define REPEAT_MS (60 * 60 * 1000)

static enum trouble_line next_line(struct round *round, size_t failing, bool failed, bool rejected,
                                   int64_t now_ms)
{
    int64_t *said_ms = failed ? &round->failing_said_ms : &round->rejecting_said_ms;

    if (failed || rejected) {
        if (*said_ms != 0 && now_ms - *said_ms < REPEAT_MS)
            return TROUBLE_NO_LINE;
        *said_ms = now_ms;
        return failed ? TROUBLE_FAILING : TROUBLE_REJECTING;
    }
    if (round->failing_said_ms == 0 || failing > 0)
        return TROUBLE_NO_LINE;
    round->failing_said_ms = 0;
    return TROUBLE_WELL_AGAIN;
}

struct item_news schedule_item_news(struct schedule *s, const struct run *run, bool rejected,
                                    struct instant now)
{
    const struct entry *e = entry_of_run(run);
    bool failed = run->failure != RUN_OK;
    struct item_news news = {0};

    pthread_mutex_lock(&s->mutex);
    news.failing = e->round->failing - (e->failures > 0) + failed;
    news.line = next_line(e->round, news.failing, failed, rejected, now.monotonic_ms);
    pthread_mutex_unlock(&s->mutex);
    return news;
}

size_t schedule_forget_items(struct schedule *s, struct run *run)
{
    struct round *round = entry_of_run(run)->round;
    struct entry_list dropped;
    size_t left = 0;

    TAILQ_INIT(&dropped);
    pthread_mutex_lock(&s->mutex);
    if (round != NULL) {
        round_dissolve(s, round, &dropped);
        left = round->items.count;
    }
    pthread_mutex_unlock(&s->mutex);
    entry_drop_all(s, &dropped);
    return left;
}
