#include "schedule/rhythm.h"

#include "gatherd/cron.h"
#include "gatherd/zone.h"

#define HOUR_MS (60 * 60 * 1000LL)
#define DAY_MS  (24 * HOUR_MS)

bool rhythm_is_wall_clock(const struct source *source)
{
    return source->cron != NULL || source->align;
}

struct rhythm rhythm_of(const struct source *source, uint64_t name_hash)
{
    struct rhythm r = {.cron = source->cron, .zone = source->zone, .shift_ms = source->offset_ms};

    if (source->cron != NULL)
        return r;
    r.local = source->align && source->zone != NULL && DAY_MS % source->interval_ms == 0;
    if (!source->align)
        r.grid = slot_grid(name_hash, source->interval_ms);
    else
        r.grid = slot_grid(r.local ? 0 : (uint64_t)source->offset_ms, source->interval_ms);
    return r;
}

static bool is_grid(const struct rhythm *r)
{
    return r->cron == NULL && !r->local;
}

/* Each local time once (zone.h). */
static int64_t next_of_local_times(const struct rhythm *r, int64_t at_ms)
{
    int64_t local_ms = zone_furthest_local(r->zone, at_ms - 1) + 1;

    local_ms =
        r->cron != NULL ? cron_at_or_after(r->cron, local_ms) : slot_at_or_after(r->grid, local_ms);
    return zone_first_showing(r->zone, local_ms);
}

/*
 * Every time the clocks show: period by period, from the one of the moment before. Between two of
 * them nothing is passed over: where local times are skipped the search goes on before them, and
 * what it finds there is the moment of the jump.
 */
static int64_t next_of_all_times(const struct rhythm *r, int64_t at_ms)
{
    struct zone_period period = zone_period_at(r->zone, at_ms - 1);
    int64_t from_ms = at_ms + period.offset_ms;

    for (;;) {
        int64_t slot_ms = slot_at_or_after(r->grid, from_ms) - period.offset_ms;
        struct zone_period next;

        if (slot_ms < period.begin_ms)
            slot_ms = period.begin_ms;
        if (slot_ms < period.end_ms)
            return slot_ms;
        next = zone_period_at(r->zone, period.end_ms);
        from_ms =
            period.end_ms + (next.offset_ms < period.offset_ms ? next.offset_ms : period.offset_ms);
        period = next;
    }
}

int64_t rhythm_at_or_after(const struct rhythm *r, int64_t wall_ms)
{
    int64_t at_ms = wall_ms - r->shift_ms;

    if (is_grid(r))
        return slot_at_or_after(r->grid, wall_ms);
    if (r->cron == NULL && r->grid.interval_ms <= HOUR_MS)
        return next_of_all_times(r, at_ms) + r->shift_ms;
    return next_of_local_times(r, at_ms) + r->shift_ms;
}

/* Looks back far enough to find a slot, then for the last one by halves. */
int64_t rhythm_at_or_before(const struct rhythm *r, int64_t wall_ms)
{
    int64_t before_ms = DAY_MS;
    int64_t end_ms = wall_ms + 1; /* from here on the next slot is after wall_ms */
    int64_t found_ms;

    if (is_grid(r))
        return slot_at_or_before(r->grid, wall_ms);
    while ((found_ms = rhythm_at_or_after(r, wall_ms - before_ms)) > wall_ms)
        before_ms *= 4;
    while (end_ms - found_ms > 1) {
        int64_t middle_ms = found_ms + (end_ms - found_ms) / 2;
        int64_t slot_ms = rhythm_at_or_after(r, middle_ms);

        if (slot_ms <= wall_ms)
            found_ms = slot_ms;
        else
            end_ms = middle_ms;
    }
    return found_ms;
}

/* Whether both lie in one period whose times are shown for the first time. */
static bool is_plain_stretch(const struct rhythm *r, int64_t after_ms, int64_t until_ms,
                             int64_t *offset_ms)
{
    struct zone_period period = zone_period_at(r->zone, after_ms);

    *offset_ms = period.offset_ms;
    return until_ms < period.end_ms &&
           zone_furthest_local(r->zone, after_ms) == after_ms + period.offset_ms;
}

int64_t rhythm_count(const struct rhythm *r, int64_t after_ms, int64_t until_ms)
{
    int64_t slot_ms = after_ms;
    int64_t offset_ms;
    int64_t count = 0;

    if (until_ms <= after_ms)
        return 0;
    if (is_grid(r))
        return slot_count(r->grid, after_ms, until_ms);
    if (r->local && is_plain_stretch(r, after_ms - r->shift_ms, until_ms - r->shift_ms, &offset_ms))
        return slot_count(r->grid, after_ms - r->shift_ms + offset_ms,
                          until_ms - r->shift_ms + offset_ms);
    while (count < RHYTHM_COUNT_MOST && (slot_ms = rhythm_at_or_after(r, slot_ms + 1)) <= until_ms)
        count++;
    return count;
}
