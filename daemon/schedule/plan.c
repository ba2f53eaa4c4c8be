/*
 * When a source is due. Slots are wall times, so that the rhythm survives restarts; due times are
 * monotonic, so that a clock that is set does not matter until the next plan. A plan therefore asks
 * first where the slot that was served lies by the clock as it reads now, and goes on from there.
 */
#include <limits.h>

#include "schedule/backoff.h"
#include "schedule/entry.h"
#include "schedule/slot.h"

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct slot_grid grid_of(const struct entry *e, const struct source *source)
{
    return slot_grid(e->node.hash, source->interval_ms);
}

/*
 * How far the two clocks may part before we call it a jump: NTP slews by at most 500 ppm and
 * corrects small errors at once. Within it the slot keeps its name, so none is polled twice.
 */
static int64_t clock_tolerance_ms(const struct source *source)
{
    return sooner(source->interval_ms / 2, 1000 + source->interval_ms / 1000);
}

int64_t entry_slot_now(const struct entry *e, const struct source *source, struct instant now)
{
    int64_t by_clock = now.wall_ms - (now.monotonic_ms - e->slot_mono_ms);
    int64_t moved = by_clock > e->slot_ms ? by_clock - e->slot_ms : e->slot_ms - by_clock;

    return moved <= clock_tolerance_ms(source) ? e->slot_ms : by_clock;
}

static void due_now(struct entry *e, struct instant now)
{
    e->slot_ms = now.wall_ms;
    e->slot_mono_ms = now.monotonic_ms;
    e->due_ms = now.monotonic_ms;
}

/*
 * The most that a plan can have put between now and a due time (but for the way to the next slot).
 * A saved one that is further off was made by a clock that was wrong.
 */
static int64_t furthest_ms(const struct source *source)
{
    int64_t most = later(source->interval_ms, source->max_interval_ms);

    return later(most, SCHEDULE_POSTPONE_CAP_MS) + source->jitter_ms;
}

/* What was saved is the slot with its jitter: the slot itself is the one just before it. */
static int64_t saved_slot(const struct entry *e, int64_t due_wall_ms)
{
    int64_t slot = slot_at_or_before(grid_of(e, e->source), due_wall_ms);

    return due_wall_ms - slot <= e->source->jitter_ms ? slot : due_wall_ms;
}

void entry_first_due(struct schedule *s, struct entry *e, const struct source_state *state,
                     struct instant now)
{
    int64_t due_wall_ms = state->next_due_ms;

    if (s->once || e->source->run_on_start || due_wall_ms <= now.wall_ms) {
        due_now(e, now); /* also when it never ran: -1 */
        return;
    }
    due_wall_ms = sooner(due_wall_ms, now.wall_ms + furthest_ms(e->source));
    e->slot_ms = saved_slot(e, due_wall_ms);
    e->slot_mono_ms = now.monotonic_ms + e->slot_ms - now.wall_ms;
    e->due_ms = now.monotonic_ms + due_wall_ms - now.wall_ms;
}

void entry_bring_forward(struct schedule *s, struct entry *e, struct instant now)
{
    int64_t wait_ms = later(1, e->not_before_ms - now.monotonic_ms);
    int64_t slot_ms = slot_at_or_after(grid_of(e, e->source), now.wall_ms + wait_ms);
    int64_t slot_mono_ms = now.monotonic_ms + slot_ms - now.wall_ms;

    if (slot_mono_ms >= e->slot_mono_ms)
        return;
    entry_withdraw(s, e);
    e->slot_ms = slot_ms;
    e->slot_mono_ms = slot_mono_ms;
    entry_queue(s, e, slot_mono_ms + random_upto(&s->random, e->source->jitter_ms));
}

static unsigned missed_slots(struct slot_grid grid, int64_t slot_ms, int64_t now_ms)
{
    int64_t missed = slot_count(grid, slot_ms, now_ms);

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
        earliest_ms += backoff_interval(next, failures) - next->interval_ms;
        if (failures == 0)
            earliest_ms = later(earliest_ms, slot_ms + backoff_fresh(&e->run));
    }
    earliest_ms = later(earliest_ms, now.wall_ms + backoff_postponed(&e->run));
    return slot_at_or_after(grid_of(e, next), earliest_ms);
}

/* Whether the table takes the rows is known in the commit only, which records the due time. */
void entry_plan(struct schedule *s, struct entry *e, struct instant now)
{
    struct run *run = &e->run;
    const struct source *next = e->source != NULL ? e->source : run->source;
    int64_t jitter_ms = random_upto(&s->random, next->jitter_ms);

    run->failures = failures_with(e, run->failure);
    run->skipped =
        missed_slots(grid_of(e, run->source), entry_slot_now(e, run->source, now), now.wall_ms);
    e->not_before_ms = now.monotonic_ms + backoff_postponed(run);
    e->planned_slot_ms = next_slot(e, run->failures, now);
    e->planned_mono_ms = now.monotonic_ms + e->planned_slot_ms - now.wall_ms;
    e->refused_slot_ms = next_slot(e, failures_with(e, RUN_FAILED_STORE), now);
    run->next_due_ms = e->planned_slot_ms + jitter_ms;
    run->refused_due_ms = e->refused_slot_ms + jitter_ms;
    e->planned = true;
}

void entry_refused(struct entry *e)
{
    if (!e->planned) /* its configuration changed since: it is planned again when it is back */
        return;
    e->planned_mono_ms += e->refused_slot_ms - e->planned_slot_ms;
    e->planned_slot_ms = e->refused_slot_ms;
    e->run.next_due_ms = e->run.refused_due_ms;
}

void entry_adopt_plan(struct entry *e)
{
    e->slot_ms = e->planned_slot_ms;
    e->slot_mono_ms = e->planned_mono_ms;
    e->due_ms = e->planned_mono_ms + (e->run.next_due_ms - e->planned_slot_ms);
}
