/*
 * rhythm.h - the slots of a source: the wall times at which it is due.
 *
 * An interval counts from an offset made of the source's name (slot.h). With `align` it counts on
 * the wall clock: from midnight in the source's time zone when it divides a day, else from 1970 in
 * UTC. A cron line names local times in that zone. `offset` moves the slots of the last two.
 *
 * A local time that comes twice, because the clocks were set back, is a slot the first time only;
 * one that never comes, because they were set forward over it, is a slot at the moment they were.
 * The slots of an aligned interval of up to an hour go on while an hour is repeated: they name no
 * time of the day.
 */
#ifndef GATHERD_SCHEDULE_RHYTHM_H
#define GATHERD_SCHEDULE_RHYTHM_H

#include <stdbool.h>
#include <stdint.h>

#include "gatherd/config.h"
#include "schedule/slot.h"

struct rhythm {
    const struct cron *cron; /* borrowed from the source; NULL: an interval */
    const struct zone *zone; /* likewise; NULL: UTC */
    bool local;              /* an interval that counts from local midnight: `grid` is local */
    struct slot_grid grid;   /* of an interval */
    int64_t shift_ms;        /* of cron and local slots: `offset` */
};

struct rhythm rhythm_of(const struct source *source, uint64_t name_hash);

/* Whether the slots are times that people know, so that a wall clock that is set moves them. */
bool rhythm_is_wall_clock(const struct source *source);

int64_t rhythm_at_or_after(const struct rhythm *rhythm, int64_t wall_ms);
int64_t rhythm_at_or_before(const struct rhythm *rhythm, int64_t wall_ms);

/* Beyond so many, slots that must be looked at one by one are not counted. */
#define RHYTHM_COUNT_MOST 100000

/* How many slots lie in (after, until]. */
int64_t rhythm_count(const struct rhythm *rhythm, int64_t after_ms, int64_t until_ms);

#endif
