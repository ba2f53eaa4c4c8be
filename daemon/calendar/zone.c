/*
 * Asking a zone. Local time runs on with the moments but for the changes: forward it jumps over
 * some times, back it shows some again. Both questions about local times are answered by walking
 * over the few changes that are near enough to matter.
 */
#include "gatherd/zone.h"

#include "calendar/zone_data.h"

/* Two changes further apart than this cannot make the clocks show one time twice. */
#define MOST_SET_BACK_MS (ZONE_OFFSET_HIGH_MS - ZONE_OFFSET_LOW_MS)

/* How many changes are not after `at_ms`. */
static size_t changes_until(const struct zone *zone, int64_t at_ms)
{
    size_t low = 0;
    size_t high = zone->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (zone->changes[middle].at_ms <= at_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct zone_period zone_period_at(const struct zone *zone, int64_t at_ms)
{
    struct zone_period period = {INT64_MIN, INT64_MAX, 0};
    size_t passed;

    if (zone == NULL)
        return period;
    passed = changes_until(zone, at_ms);
    if (passed == zone->count && zone->has_rule)
        period = zone_rule_period(&zone->rule, at_ms);
    else
        period.offset_ms =
            passed == 0 ? zone->first_offset_ms : zone->changes[passed - 1].offset_ms;
    if (passed > 0 && period.begin_ms < zone->changes[passed - 1].at_ms)
        period.begin_ms = zone->changes[passed - 1].at_ms;
    if (passed < zone->count)
        period.end_ms = zone->changes[passed].at_ms;
    return period;
}

int64_t zone_furthest_local(const struct zone *zone, int64_t at_ms)
{
    struct zone_period period = zone_period_at(zone, at_ms);
    int64_t furthest = at_ms + period.offset_ms;

    while (period.begin_ms > at_ms - MOST_SET_BACK_MS) {
        int64_t last_ms = period.begin_ms - 1;

        period = zone_period_at(zone, last_ms);
        if (last_ms + period.offset_ms > furthest)
            furthest = last_ms + period.offset_ms;
    }
    return furthest;
}

int64_t zone_first_showing(const struct zone *zone, int64_t local_ms)
{
    struct zone_period period = zone_period_at(zone, local_ms - ZONE_OFFSET_HIGH_MS);

    while (period.end_ms <= local_ms - period.offset_ms)
        period = zone_period_at(zone, period.end_ms);
    return period.begin_ms > local_ms - period.offset_ms ? period.begin_ms
                                                         : local_ms - period.offset_ms;
}

int64_t zone_from_local(const struct zone *zone, int64_t local_ms)
{
    struct zone_period period = zone_period_at(zone, local_ms - ZONE_OFFSET_HIGH_MS);
    int64_t before_ms = period.offset_ms;

    while (period.end_ms <= local_ms - period.offset_ms) {
        before_ms = period.offset_ms;
        period = zone_period_at(zone, period.end_ms);
    }
    return local_ms -
           (period.begin_ms > local_ms - period.offset_ms ? before_ms : period.offset_ms);
}
