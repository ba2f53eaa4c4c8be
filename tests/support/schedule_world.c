#include "schedule_world.h"

#include <stdlib.h>

#include "config_builder.h"
#include "test.h"

static void count_wake(void *context, unsigned lane)
{
    struct world *w = context;

    assert_true(lane < WORLD_LANES);
    w->wakes[lane]++;
}

static void note_dropped(void *context, int64_t run_id)
{
    struct world *w = context;

    w->dropped_count++;
    w->dropped_id = run_id;
}

struct world *world_create(unsigned lanes, bool once)
{
    struct world *w = calloc(1, sizeof(*w));
    struct schedule_options options = {.lanes = lanes,
                                       .seed = 42,
                                       .once = once,
                                       .wake = count_wake,
                                       .wake_context = w,
                                       .dropped = note_dropped,
                                       .dropped_context = w};
    struct error err = {0};

    assert_non_null(w);
    assert_int_equal(clock_parse("2026-01-02T03:04:05.000Z", &w->now.wall_ms), 0);
    w->now.monotonic_ms = 5 * HOUR;
    w->schedule = schedule_create(&options, &err);
    assert_non_null(w->schedule);
    return w;
}

void world_free(struct world *w)
{
    schedule_free(w->schedule);
    free(w);
}

void world_configure(struct world *w, const struct source *sources, size_t count, unsigned host_max,
                     int64_t next_due_ms)
{
    struct config *config = config_build(sources, count, host_max);
    struct source_state *states = calloc(count + 1, sizeof(*states));
    struct error err = {0};

    assert_non_null(states);
    for (size_t i = 0; i < count; i++)
        states[i] = (struct source_state){.id = (int64_t)i + 1, .next_due_ms = next_due_ms};
    assert_int_equal(schedule_configure(w->schedule, config, states, NULL, 0, w->now, &err), 0);
    config_unref(config);
    free(states);
}

void world_configure_one(struct world *w, struct source source, int64_t next_due_ms)
{
    world_configure(w, &source, 1, 2, next_due_ms);
}

void world_pass(struct world *w, int64_t ms)
{
    w->now.monotonic_ms += ms;
    w->now.wall_ms += ms;
}

struct run *world_take(struct world *w, unsigned lane)
{
    return schedule_take(w->schedule, lane, w->now, &w->wait_ms);
}

struct run *world_take_next(struct world *w)
{
    struct run *run;

    while ((run = world_take(w, 0)) == NULL) {
        assert_true(w->wait_ms > 0);
        world_pass(w, w->wait_ms);
    }
    return run;
}

void world_finish(struct world *w, struct run *run, enum run_failure failure)
{
    schedule_transfer_ended(w->schedule, run);
    if (failure != RUN_OK)
        run_fail(run, failure, "it did not work");
    schedule_plan(w->schedule, run, w->now);
    schedule_return(w->schedule, run, true, w->now);
}

struct run *world_settled(struct world *w, struct source source)
{
    world_configure_one(w, source, -1);
    world_finish(w, world_take_next(w), RUN_OK);
    return world_take_next(w);
}
