/*
 * Taking over a configuration, in two steps: prepare() gets everything that can fail to be had, an
 * entry and a line for each source and room in map and heaps, and can be undone; the second step
 * cannot fail. So a reload either happens or leaves no trace.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "schedule/entry.h"
#include "schedule/rhythm.h"

/* What becomes of one source. */
struct seat {
    const struct source *source;
    struct source_state *state;
    struct entry *entry; /* NULL: this source is not to run */
    struct line *line;   /* referenced; NULL: the entry's own is right */
    size_t items;        /* of the entry: as many more references to `line` are for them */
    bool fresh;          /* the entry was made for this seat; commit() puts it into the map */
};

struct change {
    struct seat *seats; /* owned, one for each source of the configuration */
    size_t count;
    struct entry_list dropped; /* entries to be freed when the mutex is free */
};

/* Which sources are to run: those that are enabled and, with `only`, named. NULL: no memory. */
static bool *choose_sources(const struct config *config, const char *const *only, size_t only_count)
{
    bool *chosen = calloc(config->source_count + 1, sizeof(*chosen));

    if (chosen == NULL)
        return NULL;
    for (size_t i = 0; only != NULL && i < only_count; i++) {
        const struct source *source = config_find_source(config, only[i]);

        if (source != NULL)
            chosen[source->index] = source->enabled;
    }
    for (size_t i = 0; only == NULL && i < config->source_count; i++)
        chosen[i] = config->sources[i].enabled;
    return chosen;
}

static const char *limit_name(const struct source *source)
{
    return source->rate_limit != NULL ? source->rate_limit->name : NULL;
}

static int prepare_entry(struct schedule *s, struct seat *seat)
{
    struct map_node *node = map_find(&s->entries, seat->source->name);

    seat->fresh = node == NULL;
    seat->entry = node != NULL ? entry_of_node(node) : entry_create(seat->source->name);
    if (seat->entry == NULL)
        return -1;
    if (seat->source->for_each == NULL || seat->entry->round != NULL)
        return 0;
    seat->entry->round = round_create(seat->entry);
    return seat->entry->round != NULL ? 0 : -1;
}

static int prepare_seat(struct schedule *s, struct seat *seat)
{
    const struct source *source = seat->source;

    if (prepare_entry(s, seat) == -1)
        return -1;
    if (!seat->fresh && line_is_for(seat->entry->line, source->host, limit_name(source)))
        return 0;
    seat->line = line_get(&s->lines, source->host, limit_name(source));
    if (seat->line == NULL)
        return -1;
    for (; seat->entry->round != NULL && seat->items < seat->entry->round->items.count;
         seat->items++)
        line_ref(seat->line);
    return 0;
}

static void put_item_lines(struct schedule *s, struct seat *seat)
{
    for (; seat->items > 0; seat->items--)
        line_put(&s->lines, seat->line);
}

/*
 * Room in each heap for every entry that can come to be there: an entry has a reference to its
 * line, and to the one it moves to. `more` is for entries to come in the lane of `line`.
 */
static int reserve_heaps(const struct lines *lines, struct lane *lanes, unsigned lane_count,
                         const struct line *line, size_t more)
{
    size_t *wanted = calloc(lane_count, sizeof(*wanted));
    int rc = 0;

    if (wanted == NULL)
        return -1;
    for (struct host *h = hosts_next(lines, NULL); h != NULL; h = hosts_next(lines, h)) {
        for (const struct line *l = LIST_FIRST(&h->lines); l != NULL; l = LIST_NEXT(l, of_host))
            wanted[h->node.hash % lane_count] += l->references;
    }
    if (line != NULL)
        wanted[line->host->lane] += more;
    for (unsigned i = 0; i < lane_count && rc == 0; i++)
        rc = heap_reserve(&lanes[i].heap, wanted[i]);
    free(wanted);
    return rc;
}

int entry_reserve_heaps(struct schedule *s, const struct line *line, size_t more)
{
    return reserve_heaps(&s->lines, s->lanes, s->lane_count, line, more);
}

static int prepare(struct schedule *s, struct change *change, const struct config *config,
                   struct source_state *states, const bool *chosen)
{
    if (map_reserve(&s->entries, s->entries.count + config->source_count) == -1)
        return -1;
    for (size_t i = 0; i < config->source_count; i++) {
        struct seat *seat = &change->seats[i];

        seat->source = &config->sources[i];
        seat->state = &states[i];
        if (chosen[i] && prepare_seat(s, seat) == -1)
            return -1;
    }
    return reserve_heaps(&s->lines, s->lanes, s->lane_count, NULL, 0);
}

static void undo(struct schedule *s, struct change *change)
{
    for (size_t i = 0; i < change->count; i++) {
        struct seat *seat = &change->seats[i];

        put_item_lines(s, seat);
        line_put(&s->lines, seat->line);
        if (seat->fresh)
            entry_free(seat->entry);
    }
}

static void seat_new(struct schedule *s, const struct seat *seat, struct instant now)
{
    struct entry *e = seat->entry;

    map_insert(&s->entries, &e->node, e->name);
    e->line = seat->line;
    e->source = seat->source;
    e->run.source_id = seat->state->id;
    e->failures = seat->state->failures;
    e->run.previous_scheduled_at_ms = seat->state->success_slot_ms;
    e->succeeded = seat->state->success_slot_ms != 0;
    e->run.state = seat->state->state;
    seat->state->state = (struct run_state){0};
    entry_first_due(s, e, seat->state, now);
    entry_queue(s, e, e->due_ms);
}

static void move_to_line(struct schedule *s, struct entry *e, struct line *line)
{
    bool placed = e->place == ENTRY_DUE || e->place == ENTRY_WAITING;

    if (placed)
        entry_withdraw(s, e);
    line_put(&s->lines, e->line);
    e->line = line;
    if (placed)
        entry_queue(s, e, e->due_ms);
}

/* A run that has begun ends as it began; the change waits for the next one. Takes the line. */
static void reseat_busy(struct schedule *s, struct entry *e, struct line *line, bool changed)
{
    line_put(&s->lines, e->next_line);
    e->next_line = line;
    if (changed)
        e->planned = false;
}

static void reseat_item(struct schedule *s, struct seat *seat, struct entry *e, bool changed)
{
    struct line *line = seat->items > 0 ? seat->line : NULL;

    if (e->source == NULL)
        return; /* it goes when its run is back */
    seat->items -= line != NULL;
    e->source = seat->source;
    e->run.source_id = seat->state->id;
    e->patient = e->patient && !changed;
    if (e->place == ENTRY_OUT || e->begun)
        reseat_busy(s, e, line, changed);
    else if (line != NULL)
        move_to_line(s, e, line);
}

/*
 * Items whose runs have not begun go back: the new configuration may find others, or other values
 * for each. True: there were such, and a round is to find them now.
 */
static bool reseat_items(struct schedule *s, struct change *change, struct seat *seat, bool changed)
{
    struct round *round = seat->entry->round;
    bool recalled;

    if (seat->source->for_each == NULL) {
        round_dissolve(s, round, &change->dropped);
        put_item_lines(s, seat);
        return false;
    }
    recalled = changed && round_recall(s, round);
    for (struct entry *e = TAILQ_FIRST(&round->all); e != NULL; e = TAILQ_NEXT(e, of_round))
        reseat_item(s, seat, e, changed);
    put_item_lines(s, seat);
    return recalled;
}

/* The source was gone, and only its items were still out. */
static void seat_again(struct schedule *s, const struct seat *seat, struct instant now)
{
    struct entry *e = seat->entry;

    if (seat->line != NULL)
        move_to_line(s, e, seat->line);
    entry_first_due(s, e, seat->state, now);
    entry_queue(s, e, e->due_ms);
}

static void reseat_idle(struct schedule *s, const struct seat *seat, bool changed, bool recalled,
                        struct instant now)
{
    struct entry *e = seat->entry;

    if (seat->line != NULL)
        move_to_line(s, e, seat->line);
    if (e->place == ENTRY_NOWHERE)
        return;
    if (recalled) {
        entry_withdraw(s, e);
        entry_due_now(e, now);
        entry_queue(s, e, e->due_ms);
    } else if (changed) {
        entry_bring_forward(s, e, now);
    }
}

static void reseat(struct schedule *s, struct change *change, struct seat *seat, struct instant now)
{
    struct entry *e = seat->entry;
    bool gone = e->source == NULL;
    bool changed = gone || e->source->fingerprint != seat->source->fingerprint;
    bool recalled = e->round != NULL && reseat_items(s, change, seat, changed);

    e->source = seat->source;
    if (e->place == ENTRY_OUT || e->begun) {
        if (changed && e->round != NULL)
            e->round->outdated = true;
        reseat_busy(s, e, seat->line, changed);
        return;
    }
    e->run.source_id = seat->state->id;
    if (gone)
        seat_again(s, seat, now);
    else
        reseat_idle(s, seat, changed, recalled, now);
}

/* A source that is not to run any more: goes now, or when its runs are back. */
static void unseat(struct schedule *s, struct change *change, struct entry *e)
{
    if (e->round != NULL)
        round_dissolve(s, e->round, &change->dropped);
    if (e->place == ENTRY_OUT || (e->round != NULL && e->round->out > 0)) {
        line_put(&s->lines, e->next_line);
        e->next_line = NULL;
        e->source = NULL;
        if (e->place != ENTRY_OUT)
            entry_withdraw(s, e);
        return;
    }
    entry_forget(s, e);
    TAILQ_INSERT_TAIL(&change->dropped, e, of_round);
}

static void unseat_others(struct schedule *s, struct change *change)
{
    struct map_node *next;

    for (size_t i = 0; i < change->count; i++) {
        struct seat *seat = &change->seats[i];

        if (seat->entry != NULL && !seat->fresh)
            seat->entry->kept = true;
    }
    for (struct map_node *node = map_next(&s->entries, NULL); node != NULL; node = next) {
        struct entry *e = entry_of_node(node);

        next = map_next(&s->entries, node);
        if (!e->kept)
            unseat(s, change, e);
        e->kept = false;
    }
}

static void recount(struct schedule *s)
{
    s->sources = 0;
    s->failing = 0;
    s->items = 0;
    s->pending = 0;
    s->on_wall_clock = false;
    for (const struct entry *e = entry_next(s, NULL); e != NULL; e = entry_next(s, e)) {
        if (e->source == NULL)
            continue;
        s->pending += !e->ran;
        s->items += entry_is_item(e);
        s->sources += !entry_is_item(e);
        s->failing += !entry_is_item(e) && entry_source_fails(e);
        s->on_wall_clock = s->on_wall_clock || rhythm_is_wall_clock(e->source);
    }
}

/* The line of the source's next run. */
static struct line *seat_line(const struct seat *seat)
{
    return seat->entry->next_line != NULL ? seat->entry->next_line : seat->entry->line;
}

/* Many sources share a host or a rate limit; they all say the same of it. */
static void set_rules(struct schedule *s, const struct change *change)
{
    for (size_t i = 0; i < change->count; i++) {
        const struct seat *seat = &change->seats[i];
        const struct host_policy *host = seat->source->host_policy;
        const struct rate_limit *limit = seat->source->rate_limit;

        if (seat->entry == NULL)
            continue;
        host_set(&s->lines, seat_line(seat)->host, host->max_concurrent, host->min_spacing_ms);
        if (limit != NULL)
            limit_set(&s->lines, seat_line(seat)->limit, limit->requests, limit->per_ms,
                      limit->burst);
    }
}

/* Returns the configuration that was, whose reference is the caller's. */
static struct config *commit(struct schedule *s, struct change *change, struct config *config,
                             struct instant now)
{
    struct config *old = s->config;

    unseat_others(s, change);
    for (size_t i = 0; i < change->count; i++) {
        if (change->seats[i].fresh)
            seat_new(s, &change->seats[i], now);
        else if (change->seats[i].entry != NULL)
            reseat(s, change, &change->seats[i], now);
    }
    s->config = config_ref(config);
    set_rules(s, change);
    recount(s);
    round_find_parents(s);
    return old;
}

static void free_change(const struct schedule *s, struct change *change)
{
    entry_drop_all(s, &change->dropped);
    free(change->seats);
}

int schedule_configure(struct schedule *s, struct config *config, struct source_state *states,
                       const char *const *only, size_t only_count, struct instant now,
                       struct error *err)
{
    struct change change = {.count = config->source_count};
    bool *chosen = choose_sources(config, only, only_count);
    struct config *old = NULL;
    uint64_t wakes = 0;
    int rc = -1;

    TAILQ_INIT(&change.dropped);
    change.seats = calloc(config->source_count + 1, sizeof(*change.seats));
    if (chosen == NULL || change.seats == NULL)
        goto out;
    pthread_mutex_lock(&s->mutex);
    lines_set_now(&s->lines, now.monotonic_ms);
    rc = prepare(s, &change, config, states, chosen);
    if (rc == 0)
        old = commit(s, &change, config, now);
    else
        undo(s, &change);
    if (s->out == 0)
        pthread_cond_broadcast(&s->idle); /* what they wait for may have been removed */
    wakes = schedule_collect_wakes(s);
    pthread_mutex_unlock(&s->mutex);

out:
    free_change(s, &change);
    free(chosen);
    config_unref(old);
    if (rc == -1)
        error_set(err, ERROR_NOMEM, "schedule: out of memory for %zu sources",
                  config->source_count);
    schedule_send_wakes(s, wakes);
    return rc;
}

static void free_lanes(struct lane *lanes, unsigned count)
{
    for (unsigned i = 0; lanes != NULL && i < count; i++)
        heap_free(&lanes[i].heap);
    free(lanes);
}

/*
 * An old fetcher that sleeps is woken if there is anything for it; it was told a time that may be
 * another's now. A new one begins by asking.
 */
static void move_to_lanes(struct schedule *s, struct lane *lanes, unsigned count)
{
    for (unsigned i = 0; i < count && i < s->lane_count; i++) {
        lanes[i].asleep = s->lanes[i].asleep;
        lanes[i].told_ms = INT64_MAX;
    }
    for (struct entry *e = entry_next(s, NULL); e != NULL; e = entry_next(s, e)) {
        if (e->place == ENTRY_DUE)
            heap_push(&lanes[entry_lane(e)].heap, &e->item, e->due_ms);
    }
    free_lanes(s->lanes, s->lane_count);
    s->lanes = lanes;
    s->lane_count = count;
    s->lines.news = UINT64_MAX;
}

int schedule_set_lanes(struct schedule *s, unsigned count, struct error *err)
{
    struct lane *lanes;
    uint64_t wakes = 0;
    int rc = -1;

    assert(count > 0);
    lanes = calloc(count, sizeof(*lanes));
    pthread_mutex_lock(&s->mutex);
    if (lanes != NULL && reserve_heaps(&s->lines, lanes, count, NULL, 0) == 0)
        rc = lines_set_lanes(&s->lines, count);
    if (rc == 0) {
        move_to_lanes(s, lanes, count);
        wakes = schedule_collect_wakes(s);
    }
    pthread_mutex_unlock(&s->mutex);
    if (rc == 0) {
        schedule_send_wakes(s, wakes);
        return 0;
    }
    free_lanes(lanes, count);
    error_set(err, ERROR_NOMEM, "schedule: out of memory for %u fetchers", count);
    return -1;
}
