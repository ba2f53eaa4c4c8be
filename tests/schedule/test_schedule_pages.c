/* Runs of many pages in the schedule. */
#include "test.h"

#include "config_builder.h"
#include "schedule_world.h"

static const struct pagination pagination = {.type = PAGINATION_CURSOR, .max_pages = 100};

static struct source paged(const char *name)
{
    struct source source = source_like(name, "h:80", MINUTE);

    source.pagination = &pagination;
    return source;
}

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

/* A page of the run is committed under this id, and another one follows. */
static void finish_page(struct world *w, struct run *run)
{
    if (run->pages == NULL)
        run->pages = pages_create(&pagination);
    assert_int_equal(pages_follow(run->pages, slice_of("next"), 0), 0);
    schedule_plan(w->schedule, run, w->now);
    run->pages->run_id = 77;
    schedule_next_page(w->schedule, run, w->now);
}

static void the_next_page_is_due_at_once_and_is_the_same_run(void **state)
{
    struct world *w = *state;
    struct run *run;
    int64_t slot;

    world_configure_one(w, paged("a"), -1);
    run = world_take(w, 0);
    slot = run->scheduled_at_ms;
    run->requests = 2;
    run->started_at_ms = 123;
    run->attempt = 1;
    world_pass(w, 5 * SECOND);
    finish_page(w, run);
    assert_ptr_equal(world_take(w, 0), run);
    assert_int_equal(run->pages->number, 2);
    assert_string_equal(run->pages->text, "next");
    assert_int_equal(run->scheduled_at_ms, slot);
    assert_int_equal(run->started_at_ms, 123);
    assert_int_equal(run->requests, 2);
    assert_int_equal(run->attempt, 0); /* each page has its own */
    world_finish(w, run, RUN_OK);
}

static void only_the_end_of_the_run_moves_the_source_on(void **state)
{
    struct world *w = *state;
    struct run *run = world_settled(w, paged("a"));
    int64_t slot = run->scheduled_at_ms;

    for (int i = 0; i < 5; i++) {
        world_pass(w, SECOND);
        finish_page(w, run);
        assert_ptr_equal(world_take(w, 0), run);
    }
    world_finish(w, run, RUN_OK);
    assert_null(run->pages);
    run = world_take_next(w);
    assert_int_equal(run->scheduled_at_ms, slot + MINUTE);
    assert_null(run->pages);
    world_finish(w, run, RUN_OK);
}

static void a_failure_on_a_later_page_counts_once(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, paged("a"), -1);
    run = world_take(w, 0);
    finish_page(w, run);
    run = world_take(w, 0);
    run_fail(run, RUN_FAILED_STATUS, "HTTP 500");
    schedule_plan(w->schedule, run, w->now);
    assert_int_equal(run->failures, 1);
    schedule_return(w->schedule, run, true, w->now);
    assert_int_equal(schedule_stats(w->schedule, w->now).failing, 1);
}

static void a_retry_of_a_page_stays_on_that_page(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, paged("a"), -1);
    run = world_take(w, 0);
    finish_page(w, run);
    run = world_take(w, 0);
    schedule_retry(w->schedule, run, w->now, 100);
    world_pass(w, 100);
    assert_ptr_equal(world_take(w, 0), run);
    assert_int_equal(run->attempt, 1);
    assert_int_equal(run->pages->number, 2);
    world_finish(w, run, RUN_OK);
}

static void another_source_of_the_host_gets_its_turn_between_two_pages(void **state)
{
    struct world *w = *state;
    struct source sources[] = {paged("a"), source_like("b", "h:80", MINUTE)};
    struct run *first;
    struct run *second;

    world_configure(w, sources, 2, 1, -1);
    first = world_take(w, 0);
    assert_null(world_take(w, 0)); /* the host has one place */
    world_pass(w, 10);
    if (first->source->pagination == NULL) {
        world_finish(w, first, RUN_OK);
        first = world_take(w, 0);
        finish_page(w, first);
        first = world_take(w, 0);
        world_finish(w, first, RUN_OK);
        return;
    }
    finish_page(w, first);
    second = world_take(w, 0);
    assert_string_equal(second->source->name, "b");
    world_finish(w, second, RUN_OK);
    assert_ptr_equal(world_take(w, 0), first);
    world_finish(w, first, RUN_OK);
}

static void a_sleeping_lane_is_woken_for_the_next_page(void **state)
{
    struct world *w = *state;
    struct run *run;
    unsigned wakes;

    world_configure_one(w, paged("a"), -1);
    run = world_take(w, 0);
    assert_null(world_take(w, 0));
    wakes = w->wakes[0];
    finish_page(w, run);
    assert_int_equal(w->wakes[0], wakes + 1);
    run = world_take(w, 0);
    world_finish(w, run, RUN_OK);
}

static void a_run_given_up_on_a_later_page_asks_for_that_page_again(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, paged("a"), -1);
    run = world_take(w, 0);
    finish_page(w, run);
    run = world_take(w, 0);
    schedule_return(w->schedule, run, false, w->now);
    assert_ptr_equal(world_take(w, 0), run);
    assert_int_equal(run->pages->number, 2);
    assert_int_equal(run->pages->run_id, 77);
    assert_non_null(run->config);
    world_finish(w, run, RUN_OK);
}

static void a_run_given_up_on_its_first_page_begins_anew(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, paged("a"), -1);
    run = world_take(w, 0);
    run->pages = pages_create(&pagination);
    schedule_return(w->schedule, run, false, w->now);
    assert_null(run->pages);
    run = world_take(w, 0);
    assert_non_null(run);
    world_finish(w, run, RUN_OK);
}

static void a_run_goes_on_under_the_configuration_it_began_with(void **state)
{
    struct world *w = *state;
    struct source changed = paged("a");
    struct run *run;
    const struct source *began;

    world_configure_one(w, paged("a"), -1);
    run = world_take(w, 0);
    began = run->source;
    finish_page(w, run);
    changed.host = "other:80";
    changed.interval_ms = HOUR;
    world_configure_one(w, changed, -1);
    assert_ptr_equal(world_take(w, 0), run);
    assert_ptr_equal(run->source, began);
    finish_page(w, run);
    assert_ptr_equal(world_take(w, 0), run);
    assert_ptr_equal(run->source, began);
    world_finish(w, run, RUN_OK);
    run = world_take_next(w);
    assert_int_equal(run->source->interval_ms, HOUR);
    world_finish(w, run, RUN_OK);
}

/* --- Removed sources --- */

static void a_run_between_two_pages_goes_with_its_source_and_is_reported(void **state)
{
    struct world *w = *state;
    struct source other = source_like("b", "h:80", MINUTE);
    struct run *run;

    world_configure_one(w, paged("a"), -1);
    run = world_take(w, 0);
    finish_page(w, run);
    world_configure_one(w, other, w->now.wall_ms + MINUTE);
    assert_int_equal(w->dropped_count, 1);
    assert_int_equal(w->dropped_id, 77);
    assert_null(world_take(w, 0));
}

static void a_page_that_is_out_when_its_source_goes_is_the_last(void **state)
{
    struct world *w = *state;
    struct source other = source_like("b", "h:80", MINUTE);
    struct run *run;

    world_configure_one(w, paged("a"), -1);
    run = world_take(w, 0);
    world_configure_one(w, other, w->now.wall_ms + MINUTE);
    assert_int_equal(w->dropped_count, 0);
    finish_page(w, run);
    assert_int_equal(w->dropped_count, 1);
    assert_int_equal(schedule_stats(w->schedule, w->now).out, 0);
}

static void a_removed_source_whose_run_ends_well_is_not_reported(void **state)
{
    struct world *w = *state;
    struct source other = source_like("b", "h:80", MINUTE);
    struct run *run;

    world_configure_one(w, paged("a"), -1);
    run = world_take(w, 0);
    finish_page(w, run);
    run = world_take(w, 0);
    world_configure_one(w, other, w->now.wall_ms + MINUTE);
    run->pages->run_id = 0; /* as the store leaves it */
    world_finish(w, run, RUN_OK);
    assert_int_equal(w->dropped_count, 0);
}

/* --- Once, and stopping --- */

static void once_waits_for_all_pages(void **state)
{
    struct world *w = world_create(1, true);
    struct run *run;

    (void)state;
    world_configure_one(w, paged("a"), -1);
    run = world_take(w, 0);
    finish_page(w, run);
    assert_int_equal(schedule_wait_idle(w->schedule, 0), -1);
    run = world_take(w, 0);
    assert_non_null(run);
    world_finish(w, run, RUN_OK);
    assert_int_equal(schedule_wait_idle(w->schedule, 0), 0);
    world_free(w);
}

static void after_stop_no_further_page_is_handed_out_and_waiting_ends(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, paged("a"), -1);
    run = world_take(w, 0);
    schedule_stop(w->schedule);
    finish_page(w, run);
    assert_null(world_take(w, 0));
    assert_int_equal(schedule_wait_idle(w->schedule, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_next_page_is_due_at_once_and_is_the_same_run),
        TEST(only_the_end_of_the_run_moves_the_source_on),
        TEST(a_failure_on_a_later_page_counts_once),
        TEST(a_retry_of_a_page_stays_on_that_page),
        TEST(another_source_of_the_host_gets_its_turn_between_two_pages),
        TEST(a_sleeping_lane_is_woken_for_the_next_page),
        TEST(a_run_given_up_on_a_later_page_asks_for_that_page_again),
        TEST(a_run_given_up_on_its_first_page_begins_anew),
        TEST(a_run_goes_on_under_the_configuration_it_began_with),
        TEST(a_run_between_two_pages_goes_with_its_source_and_is_reported),
        TEST(a_page_that_is_out_when_its_source_goes_is_the_last),
        TEST(a_removed_source_whose_run_ends_well_is_not_reported),
        cmocka_unit_test(once_waits_for_all_pages),
        TEST(after_stop_no_further_page_is_handed_out_and_waiting_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
