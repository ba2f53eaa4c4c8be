/*
 * Wall clocks that are set while the schedule works: by hours, by a little, again and again.
 */
#include "test.h"

#include "config_builder.h"
#include "schedule/random.h"
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

static void give_back(struct world *w, struct run *run)
{
    schedule_return(w->schedule, run, true, w->now);
}

/* The next poll comes within an interval by the clock that does not jump. */
static void check_jump(struct world *w, int64_t jump_ms)
{
    struct run *run = world_settled(w, source_like("a", "h:80", MINUTE));

    world_pass(w, SECOND);
    w->now.wall_ms += jump_ms;
    schedule_plan(w->schedule, run, w->now);
    assert_int_equal(run->skipped, 0);
    assert_in_range(run->next_due_ms, w->now.wall_ms + 1, w->now.wall_ms + MINUTE);
    give_back(w, run);
    assert_null(world_take(w, 0));
    assert_in_range(w->wait_ms, 1, MINUTE);
    run = world_take_next(w);
    world_finish(w, run, RUN_OK);
    assert_null(world_take(w, 0));
    assert_int_equal(w->wait_ms, MINUTE);
}

static void a_clock_set_forward_during_a_run_neither_stops_nor_storms(void **state)
{
    check_jump(*state, 5 * HOUR + 11 * SECOND);
}

static void a_clock_set_back_during_a_run_neither_stops_nor_storms(void **state)
{
    check_jump(*state, -5 * HOUR - 11 * SECOND);
}

static void a_clock_set_while_waiting_does_not_move_the_due_time(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, source_like("a", "h:80", MINUTE), -1);
    world_finish(w, world_take(w, 0), RUN_OK);
    assert_null(world_take(w, 0));
    w->now.wall_ms -= 9 * HOUR;
    assert_null(world_take(w, 0));
    assert_in_range(w->wait_ms, 1, MINUTE);
    run = world_take_next(w);
    assert_int_equal(run->scheduled_at_ms, w->now.wall_ms); /* by the clock as it reads now */
    schedule_plan(w->schedule, run, w->now);
    assert_in_range(run->next_due_ms, w->now.wall_ms + 1, w->now.wall_ms + MINUTE);
    give_back(w, run);
}

static void a_small_step_back_does_not_poll_a_slot_twice(void **state)
{
    struct world *w = *state;
    struct run *run = world_settled(w, source_like("a", "h:80", MINUTE));
    int64_t slot = run->scheduled_at_ms;

    w->now.wall_ms -= 300;
    schedule_plan(w->schedule, run, w->now);
    assert_int_equal(run->next_due_ms, slot + MINUTE);
    assert_int_equal(run->skipped, 0);
    give_back(w, run);
}

static void a_clock_that_jumps_all_day_changes_the_number_of_polls_by_the_jumps_only(void **state)
{
    enum { POLLS = 3000 };
    struct world *w = *state;
    struct random random = {77};
    struct run *run = world_settled(w, source_like("a", "h:80", MINUTE));
    int64_t began = w->now.monotonic_ms;
    int64_t jumps = 0;

    for (int i = 0; i < POLLS; i++) {
        int64_t before = w->now.monotonic_ms;

        world_pass(w, random_upto(&random, 2 * SECOND));
        if (random_upto(&random, 20) == 0) {
            w->now.wall_ms += random_upto(&random, 20 * HOUR) - 10 * HOUR;
            jumps++;
        }
        world_finish(w, run, RUN_OK);
        run = world_take_next(w);
        assert_true(w->now.monotonic_ms - before <= MINUTE + 4 * SECOND);
    }
    assert_in_range(w->now.monotonic_ms - began, (POLLS - jumps) * MINUTE - POLLS * 10,
                    POLLS * MINUTE + POLLS * 10);
    give_back(w, run);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_clock_set_forward_during_a_run_neither_stops_nor_storms),
        IN_A_WORLD(a_clock_set_back_during_a_run_neither_stops_nor_storms),
        IN_A_WORLD(a_clock_set_while_waiting_does_not_move_the_due_time),
        IN_A_WORLD(a_small_step_back_does_not_poll_a_slot_twice),
        IN_A_WORLD(a_clock_that_jumps_all_day_changes_the_number_of_polls_by_the_jumps_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
