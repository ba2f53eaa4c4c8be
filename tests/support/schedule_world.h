/*
 * schedule_world.h - a schedule with a clock that the test turns, and a record of its wake-ups.
 */
#ifndef GATHERD_SCHEDULE_WORLD_H
#define GATHERD_SCHEDULE_WORLD_H

#include "gatherd/schedule.h"

#define WORLD_LANES 8

#define SECOND ((int64_t)1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

struct world {
    struct schedule *schedule;
    struct instant now;
    int64_t wait_ms; /* from the last world_take() */
    unsigned wakes[WORLD_LANES];
    unsigned dropped_count; /* unfinished runs whose source was removed ... */
    int64_t dropped_id;     /* ... the last of them */
};

/* Begins on 2026-01-02 at 03:04:05 UTC. */
struct world *world_create(unsigned lanes, bool once);
void world_free(struct world *w);

/*
 * Configures with these sources, each with the same saved due time (-1: never ran), and drops its
 * own reference.
 */
void world_configure(struct world *w, const struct source *sources, size_t count, unsigned host_max,
                     int64_t next_due_ms);

/* The same with one source, two transfers of a host at once. */
void world_configure_one(struct world *w, struct source source, int64_t next_due_ms);

void world_pass(struct world *w, int64_t ms); /* both clocks go on */

struct run *world_take(struct world *w, unsigned lane);

/* Moves to the next due time of lane 0 and takes it; fails the test when there is none. */
struct run *world_take_next(struct world *w);

/* The run ends with this result, is planned, recorded and given back. */
void world_finish(struct world *w, struct run *run, enum run_failure failure);

/*
 * Configures with this source, and lets its first run pass, which is at no slot; the second one, at
 * the first slot, is returned.
 */
struct run *world_settled(struct world *w, struct source source);

#endif
