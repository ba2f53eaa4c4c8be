/*
 * The slot of the last successful run, which {previous_scheduled_at} stands for.
 */
#include "test.h"

#include "config_builder.h"
#include "schedule_world.h"

static int setup(void **state)
{
    *state = world_create(1, false);
    return 0;
}

static int teardown(void **state)
{
    world_free(*state);
    return 0;
}

static void configure_saved(struct world *w, struct source source, int64_t success_slot_ms)
{
    struct config *config = config_build(&source, 1, 2);
    struct source_state saved = {.id = 1, .next_due_ms = -1, .success_slot_ms = success_slot_ms};

    assert_int_equal(schedule_configure(w->schedule, config, &saved, NULL, 0, w->now, NULL), 0);
    config_unref(config);
}

static void before_the_first_success_it_is_the_slot_before(void **state)
{
    struct world *w = *state;
    struct run *run;

    configure_saved(w, source_like("a", "h:80", MINUTE), 0);
    run = world_take(w, 0);
    assert_int_equal(run->previous_scheduled_at_ms, run->scheduled_at_ms - MINUTE);
    world_finish(w, run, RUN_FAILED_STATUS);
    run = world_take_next(w);
    assert_int_equal(run->previous_scheduled_at_ms, run->scheduled_at_ms - MINUTE);
    world_finish(w, run, RUN_OK);
}

static void after_a_success_it_is_its_slot_until_the_next_one(void **state)
{
    struct world *w = *state;
    struct run *run = world_settled(w, source_like("a", "h:80", MINUTE));
    int64_t slot = run->scheduled_at_ms;

    world_finish(w, run, RUN_OK);
    for (int i = 0; i < 3; i++) {
        run = world_take_next(w);
        assert_int_equal(run->previous_scheduled_at_ms, slot);
        world_finish(w, run, RUN_FAILED_TIMEOUT);
    }
    run = world_take_next(w);
    assert_int_equal(run->previous_scheduled_at_ms, slot);
    slot = run->scheduled_at_ms;
    world_finish(w, run, RUN_OK);
    run = world_take_next(w);
    assert_int_equal(run->previous_scheduled_at_ms, slot);
    world_finish(w, run, RUN_OK);
}

static void before_the_first_success_a_cron_source_has_the_time_before(void **state)
{
    struct world *w = *state; /* a Friday */
    struct source source = source_like("a", "h:80", MINUTE);
    struct cron cron;
    size_t column;
    struct run *run;

    assert_int_equal(cron_parse("0 6 * * mon,fri", &cron, &column, NULL), 0);
    source.cron = &cron;
    source.interval_ms = cron.gap_ms;
    configure_saved(w, source, 0);
    run = world_take_next(w);
    assert_int_equal(run->previous_scheduled_at_ms, run->scheduled_at_ms - 4 * DAY);
    world_finish(w, run, RUN_OK);
}

static void a_saved_slot_goes_on_after_a_restart(void **state)
{
    struct world *w = *state;
    struct run *run;

    configure_saved(w, source_like("a", "h:80", MINUTE), w->now.wall_ms - 3 * DAY);
    run = world_take(w, 0);
    assert_int_equal(run->previous_scheduled_at_ms, run->scheduled_at_ms - 3 * DAY);
    world_finish(w, run, RUN_OK);
}

static void a_saved_slot_in_the_future_counts_as_none(void **state)
{
    struct world *w = *state;
    struct run *run;

    configure_saved(w, source_like("a", "h:80", MINUTE), w->now.wall_ms + 1);
    run = world_take(w, 0);
    assert_int_equal(run->previous_scheduled_at_ms, run->scheduled_at_ms - MINUTE);
    world_finish(w, run, RUN_FAILED_STATUS);
    run = world_take_next(w);
    assert_int_equal(run->previous_scheduled_at_ms, run->scheduled_at_ms - MINUTE);
    world_finish(w, run, RUN_OK);
}

static void another_attempt_has_the_slots_of_the_first(void **state)
{
    struct world *w = *state;
    struct run *run = world_settled(w, source_like("a", "h:80", MINUTE));
    int64_t slot = run->scheduled_at_ms;
    int64_t previous = run->previous_scheduled_at_ms;

    world_pass(w, SECOND);
    schedule_retry(w->schedule, run, w->now, SECOND);
    world_pass(w, SECOND);
    run = world_take(w, 0);
    assert_int_equal(run->scheduled_at_ms, slot);
    assert_int_equal(run->previous_scheduled_at_ms, previous);
    world_finish(w, run, RUN_OK);
}

static void a_run_that_was_not_recorded_is_no_success(void **state)
{
    struct world *w = *state;
    struct run *run = world_settled(w, source_like("a", "h:80", MINUTE));
    int64_t previous = run->previous_scheduled_at_ms;

    schedule_return(w->schedule, run, false, w->now);
    run = world_take(w, 0);
    assert_int_equal(run->previous_scheduled_at_ms, previous);
    world_finish(w, run, RUN_OK);
}

static void a_reload_keeps_it(void **state)
{
    struct world *w = *state;
    struct source source = source_like("a", "h:80", MINUTE);
    struct run *run = world_settled(w, source);
    int64_t slot = run->scheduled_at_ms;

    world_finish(w, run, RUN_OK);
    source.interval_ms = HOUR;
    configure_saved(w, source, 0);
    run = world_take_next(w);
    assert_int_equal(run->previous_scheduled_at_ms, slot);
    world_finish(w, run, RUN_OK);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(before_the_first_success_it_is_the_slot_before),
        IN_A_WORLD(after_a_success_it_is_its_slot_until_the_next_one),
        IN_A_WORLD(before_the_first_success_a_cron_source_has_the_time_before),
        IN_A_WORLD(a_saved_slot_goes_on_after_a_restart),
        IN_A_WORLD(a_saved_slot_in_the_future_counts_as_none),
        IN_A_WORLD(another_attempt_has_the_slots_of_the_first),
        IN_A_WORLD(a_run_that_was_not_recorded_is_no_success),
        IN_A_WORLD(a_reload_keeps_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
