/*
 * Reads any bytes as a TZif file, and asks the zones that come of it around some moments.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOUR_MS 3600000LL

static void check_moment(const struct zone *zone, int64_t at_ms)
{
    struct zone_period period = zone_period_at(zone, at_ms);
    int64_t furthest_ms = zone_furthest_local(zone, at_ms);
    int64_t first_ms = zone_first_showing(zone, furthest_ms);

    assert(period.begin_ms <= at_ms && at_ms < period.end_ms);
    assert(period.offset_ms > -25 * HOUR_MS && period.offset_ms < 26 * HOUR_MS);
    assert(furthest_ms >= at_ms + period.offset_ms);
    assert(first_ms <= at_ms);
    assert(zone_first_showing(zone, furthest_ms + 1) > at_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create(0);
    struct error err = {0};
    const struct zone *zone = zone_parse(data, size, arena, &err);

    assert((zone == NULL) == (err.code == ERROR_FAILED));
    for (int64_t year = -80; zone != NULL && year < 400; year += 7) {
        int64_t at_ms = year * 8766 * HOUR_MS;
        struct zone_period period = zone_period_at(zone, at_ms);

        check_moment(zone, at_ms);
        if (period.end_ms < 500 * 8766 * HOUR_MS) {
            check_moment(zone, period.end_ms - 1);
            check_moment(zone, period.end_ms);
        }
    }
    arena_free(arena);
    return 0;
}
