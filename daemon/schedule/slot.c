#include "schedule/slot.h"

#include <assert.h>

struct slot_grid slot_grid(uint64_t name_hash, int64_t interval_ms)
{
    assert(interval_ms > 0);
    return (struct slot_grid){interval_ms, (int64_t)(name_hash % (uint64_t)interval_ms)};
}

/* The k of the last slot that is not after `wall_ms`; a wall clock may stand before 1970. */
static int64_t slot_number(struct slot_grid grid, int64_t wall_ms)
{
    int64_t from_offset = wall_ms - grid.offset_ms;
    int64_t k = from_offset / grid.interval_ms;

    return k - (from_offset % grid.interval_ms < 0);
}

int64_t slot_at_or_before(struct slot_grid grid, int64_t wall_ms)
{
    return grid.offset_ms + slot_number(grid, wall_ms) * grid.interval_ms;
}

int64_t slot_at_or_after(struct slot_grid grid, int64_t wall_ms)
{
    return slot_at_or_before(grid, wall_ms - 1) + grid.interval_ms;
}

int64_t slot_count(struct slot_grid grid, int64_t after_ms, int64_t until_ms)
{
    if (until_ms <= after_ms)
        return 0;
    return slot_number(grid, until_ms) - slot_number(grid, after_ms);
}
