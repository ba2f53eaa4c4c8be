/*
 * When a source is due. Slots are wall times, so that the rhythm survives restarts; due times are
 * monotonic, so that a clock that is set does not matter until the next plan. A plan therefore asks
 * first where the slot that was served lies by the clock as it reads now, and goes on from there.
 */
#include <limits.h>

#include "schedule/backoff.h"
#include "schedule/entry.h"
#include "schedule/rhythm.h"

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t slot_from(const struct entry *e, const struct source *source, int64_t wall_ms)
{
    struct rhythm rhythm = rhythm_of(source, entry_owner(e)->node.hash);

    return rhythm_at_or_after(&rhythm, wall_ms);
}

static int64_t slot_until(const struct entry *e, const struct source *source, int64_t wall_ms)
{
    struct rhythm rhythm = rhythm_of(source, entry_owner(e)->node.hash);

    return rhythm_at_or_before(&rhythm, wall_ms);
}

static int64_t to_monotonic(int64_t wall_ms, struct instant now)
{
    return now.monotonic_ms + wall_ms - now.wall_ms;
}

/*
 * How far the two clocks may part before we call it a jump: NTP slews by at most 500 ppm and
 * corrects small errors at once. Within it the slot keeps its name, so none is polled twice.
 */
int64_t entry_tolerance_ms(const struct source *source)
{
    return sooner(source->interval_ms / 2, 1000 + source->interval_ms / 1000);
}

/* A run that a jump overtook has the name of the slot before it, where slots have names. */
int64_t entry_slot_now(const struct entry *e, const struct source *source, struct instant now)
{
    int64_t by_clock = now.wall_ms - (now.monotonic_ms - e->slot_mono_ms);
    int64_t moved = by_clock > e->slot_ms ? by_clock - e->slot_ms : e->slot_ms - by_clock;

    if (moved <= entry_tolerance_ms(source))
        return e->slot_ms;
    return rhythm_is_wall_clock(source) ? slot_until(e, source, by_clock) : by_clock;
}

/* A success after this slot was noted by a clock that was wrong, and counts as none. */
void entry_set_previous(struct entry *e)
{
    struct run *run = &e->run;

    if (e->succeeded && run->previous_scheduled_at_ms <= run->scheduled_at_ms)
        return;
    e->succeeded = false;
    run->previous_scheduled_at_ms = rhythm_is_wall_clock(run->source)
                                        ? slot_until(e, run->source, run->scheduled_at_ms - 1)
                                        : run->scheduled_at_ms - run->source->interval_ms;
}

void entry_due_now(struct entry *e, struct instant now)
{
    e->slot_ms = now.wall_ms;
    e->slot_mono_ms = now.monotonic_ms;
    e->due_ms = now.monotonic_ms;
}

/* Due now for a slot that has passed: the latest, where slots are times that people know. */
static void due_late(struct entry *e, struct instant now)
{
    entry_due_now(e, now);
    if (!rhythm_is_wall_clock(e->source))
        return;
    e->slot_ms = slot_until(e, e->source, now.wall_ms);
    e->slot_mono_ms = to_monotonic(e->slot_ms, now);
}

static void due_at(struct entry *e, int64_t slot_ms, int64_t jitter_ms, struct instant now)
{
    e->slot_ms = slot_ms;
    e->slot_mono_ms = to_monotonic(slot_ms, now);
    e->due_ms = e->slot_mono_ms + jitter_ms;
}

/*
 * The most that a plan can have put between now and a due time (but for the way to the next slot).
 * A saved one that is further off was made by a clock that was wrong.
 */
static int64_t furthest_ms(const struct source *source)
{
    int64_t most = later(source->max_interval_ms, SCHEDULE_POSTPONE_CAP_MS);

    return source->cron != NULL ? most : later(source->interval_ms, most);
}

/*
 * A source that is well, and that no server asks to wait, is planned for the slot after its run.
 * What is further off comes from another configuration, say of an interval of a day that is a
 * minute now.
 */
static bool is_another_plan(const struct entry *e, const struct source_state *state,
                            int64_t due_wall_ms, struct instant now)
{
    const struct source *source = e->source;
    int64_t furthest_ms;

    if (state->failures > 0 || source->respect_cache || source->quota != NULL)
        return false;
    furthest_ms = rhythm_is_wall_clock(source) ? slot_from(e, source, now.wall_ms + 1)
                                               : now.wall_ms + source->interval_ms;
    return due_wall_ms > furthest_ms + source->jitter_ms;
}

static void due_at_next_slot(struct schedule *s, struct entry *e, struct instant now)
{
    due_at(e, slot_from(e, e->source, now.wall_ms), random_upto(&s->random, e->source->jitter_ms),
           now);
}

/*
 * What was saved is a slot with its jitter. Where slots are times that people know, one that is no
 * slot now was planned by another configuration or other rules of the zone: it does not count.
 */
static void due_as_saved(struct schedule *s, struct entry *e, int64_t due_wall_ms,
                         struct instant now)
{
    const struct source *source = e->source;
    int64_t furthest = now.wall_ms + furthest_ms(source);
    int64_t slot_ms;

    if (rhythm_is_wall_clock(source)) {
        slot_ms = slot_from(e, source, due_wall_ms - source->jitter_ms);
        if (slot_ms <= due_wall_ms && slot_ms <= slot_from(e, source, furthest))
            due_at(e, slot_ms, due_wall_ms - slot_ms, now);
        else
            due_at_next_slot(s, e, now);
        return;
    }
    due_wall_ms = sooner(due_wall_ms, furthest + source->jitter_ms);
    slot_ms = slot_until(e, source, due_wall_ms);
    if (due_wall_ms - slot_ms > source->jitter_ms)
        slot_ms = due_wall_ms;
    due_at(e, slot_ms, due_wall_ms - slot_ms, now);
}

/* A cron source that never ran is due at its first slot since it was added, not at once. */
static int64_t saved_due(const struct entry *e, const struct source_state *state,
                         struct instant now)
{
    if (state->next_due_ms != -1 || e->source->cron == NULL)
        return state->next_due_ms;
    return slot_from(e, e->source, state->added_ms > 0 ? state->added_ms : now.wall_ms);
}

void entry_first_due(struct schedule *s, struct entry *e, const struct source_state *state,
                     struct instant now)
{
    const struct source *source = e->source;
    int64_t due_wall_ms = saved_due(e, state, now);

    if (s->once || source->run_on_start || due_wall_ms == -1)
        entry_due_now(e, now);
    else if (due_wall_ms > now.wall_ms && is_another_plan(e, state, due_wall_ms, now))
        due_at_next_slot(s, e, now);
    else if (due_wall_ms > now.wall_ms)
        due_as_saved(s, e, due_wall_ms, now);
    else if (source->missed == MISSED_ONCE)
        due_late(e, now);
    else
        due_at_next_slot(s, e, now);
}

/* What the server asked for counts from the answer on, whatever the wall clock says since. */
static int64_t asked_wait_ms(const struct entry *e, struct instant now)
{
    return later(1, e->not_before_ms - now.monotonic_ms);
}

/* Slots that people know change over at once; else what comes sooner counts. */
void entry_bring_forward(struct schedule *s, struct entry *e, struct instant now)
{
    int64_t slot_ms = slot_from(e, e->source, now.wall_ms + asked_wait_ms(e, now));

    if (e->due_ms <= now.monotonic_ms) /* it waits for its host, or for a fetcher */
        return;
    if (!rhythm_is_wall_clock(e->source) && to_monotonic(slot_ms, now) >= e->slot_mono_ms)
        return;
    entry_withdraw(s, e);
    due_at(e, slot_ms, random_upto(&s->random, e->source->jitter_ms), now);
    entry_queue(s, e, e->due_ms);
}

/* How much longer than to the next slot a source waits that has failed. */
static int64_t patience_ms(const struct source *source, unsigned failures)
{
    return backoff_interval(source, failures) - source->interval_ms;
}

/*
 * The clock was set back: the slots that lie between now and the one that was next come again, or
 * the source would stand still. Set back by little, they were served a moment ago.
 */
static int64_t slot_after_set_back(const struct entry *e, int64_t moved_ms, struct instant now)
{
    int64_t wait_ms = asked_wait_ms(e, now) + patience_ms(e->source, e->failures);

    if (moved_ms <= entry_tolerance_ms(e->source))
        return e->slot_ms;
    return sooner(e->slot_ms, slot_from(e, e->source, now.wall_ms + wait_ms));
}

bool entry_follow_clock(struct entry *e, struct instant now)
{
    int64_t moved_ms = to_monotonic(e->slot_ms, now) - e->slot_mono_ms;
    int64_t jitter_ms = e->due_ms - e->slot_mono_ms;

    if (!rhythm_is_wall_clock(e->source) || e->due_ms <= now.monotonic_ms ||
        (moved_ms <= SCHEDULE_CLOCK_STEP_MS && moved_ms >= -SCHEDULE_CLOCK_STEP_MS))
        return false;
    if (moved_ms > 0)
        due_at(e, slot_after_set_back(e, moved_ms, now), jitter_ms, now);
    else if (e->slot_ms <= now.wall_ms && e->not_before_ms <= now.monotonic_ms)
        due_late(e, now);
    else
        due_at(e, slot_from(e, e->source, later(e->slot_ms, now.wall_ms + asked_wait_ms(e, now))),
               jitter_ms, now);
    return true;
}

/* A poll of midnight that starts a millisecond before it asks for another day. */
int64_t entry_earliest(const struct entry *e, struct instant now)
{
    int64_t not_before_ms = entry_owner(e)->not_before_ms;
    int64_t wait_ms = e->slot_ms - now.wall_ms;

    if (e->begun || !rhythm_is_wall_clock(e->source) || wait_ms > SCHEDULE_CLOCK_STEP_MS)
        return not_before_ms;
    return later(not_before_ms, now.monotonic_ms + wait_ms);
}

static unsigned missed_slots(const struct entry *e, const struct source *source, struct instant now)
{
    struct rhythm rhythm = rhythm_of(source, entry_owner(e)->node.hash);
    int64_t missed = rhythm_count(&rhythm, entry_slot_now(e, source, now), now.wall_ms);

    return missed < UINT_MAX ? (unsigned)missed : UINT_MAX;
}

static unsigned failures_with(const struct entry *e, enum run_failure failure)
{
    if (failure == RUN_OK)
        return 0;
    return e->failures < UINT_MAX ? e->failures + 1 : e->failures;
}

/*
 * The slot after a run. A source whose configuration changed while its run was out is due by the
 * new one, and without backoff: what failed is not what will run.
 */
static int64_t next_slot(const struct entry *e, unsigned failures, struct instant now)
{
    const struct source *ran = e->run.source;
    const struct source *next = e->source != NULL ? e->source : ran;
    int64_t slot_ms = entry_slot_now(e, ran, now);
    int64_t earliest_ms = later(slot_ms, now.wall_ms) + 1;

    if (next->fingerprint == ran->fingerprint) {
        earliest_ms += patience_ms(next, failures);
        if (failures == 0)
            earliest_ms = later(earliest_ms, slot_ms + backoff_fresh(&e->run));
    }
    earliest_ms = later(earliest_ms, now.wall_ms + backoff_postponed(&e->run));
    return slot_from(e, next, earliest_ms);
}

/* Whether the table takes the rows is known in the commit only, which records the due time. */
void entry_plan(struct schedule *s, struct entry *e, struct instant now)
{
    struct run *run = &e->run;
    const struct source *next = e->source != NULL ? e->source : run->source;
    struct entry *owner = entry_owner(e);
    int64_t jitter_ms = e == owner ? random_upto(&s->random, next->jitter_ms) : 0;

    run->failures = failures_with(e, run->failure);
    run->skipped = missed_slots(e, run->source, now);
    owner->not_before_ms = later(owner->not_before_ms, now.monotonic_ms + backoff_postponed(run));
    e->planned_slot_ms = next_slot(e, run->failures, now);
    e->again = run->again && run->failure == RUN_OK;
    if (e->again) {
        e->planned_slot_ms = now.wall_ms + backoff_postponed(run);
        jitter_ms = 0;
    }
    e->patient = e->planned_slot_ms > slot_from(e, next, later(e->slot_ms, now.wall_ms) + 1);
    e->planned_mono_ms = to_monotonic(e->planned_slot_ms, now);
    e->refused_slot_ms = next_slot(e, failures_with(e, RUN_FAILED_STORE), now);
    run->next_due_ms = e->planned_slot_ms + jitter_ms;
    run->refused_due_ms = e->refused_slot_ms + jitter_ms;
    e->planned = true;
}

void entry_refused(struct entry *e)
{
    if (!e->planned) /* its configuration changed since: it is planned again when it is back */
        return;
    e->again = false;
    e->planned_mono_ms += e->refused_slot_ms - e->planned_slot_ms;
    e->planned_slot_ms = e->refused_slot_ms;
    e->patient = true;
    e->run.next_due_ms = e->run.refused_due_ms;
}

void entry_adopt_plan(struct entry *e)
{
    e->slot_ms = e->planned_slot_ms;
    e->slot_mono_ms = e->planned_mono_ms;
    e->due_ms = e->planned_mono_ms + (e->run.next_due_ms - e->planned_slot_ms);
}
