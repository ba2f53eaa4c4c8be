/*
 * slot.h - the wall times at which a source is due: offset + k * interval.
 *
 * The offset comes from the hash of the source's name, so sources with equal intervals spread
 * evenly, and each keeps its rhythm over restarts without a word about it being stored.
 */
#ifndef GATHERD_SCHEDULE_SLOT_H
#define GATHERD_SCHEDULE_SLOT_H

#include <stdint.h>

struct slot_grid {
    int64_t interval_ms; /* above 0 */
    int64_t offset_ms;   /* in [0, interval) */
};

struct slot_grid slot_grid(uint64_t name_hash, int64_t interval_ms);

int64_t slot_at_or_after(struct slot_grid grid, int64_t wall_ms);
int64_t slot_at_or_before(struct slot_grid grid, int64_t wall_ms);

/* How many slots lie in (after, until]. */
int64_t slot_count(struct slot_grid grid, int64_t after_ms, int64_t until_ms);

#endif
