/* respect_cache: what the server says of freshness makes the interval longer, never shorter. */
#include "test.h"

#include "config_builder.h"
#include "schedule_world.h"

static struct source cached(int64_t interval_ms, int64_t max_interval_ms)
{
    struct source source = source_like("a", "h:80", interval_ms);

    source.respect_cache = true;
    source.max_interval_ms = max_interval_ms;
    return source;
}

/* From the slot of a run that took two seconds and found this freshness to the next due time. */
static int64_t next_after(struct source source, int64_t fresh_ms, enum run_failure failure)
{
    struct world *w = world_create(1, false);
    struct run *run = world_settled(w, source);
    int64_t slot_ms = run->scheduled_at_ms;
    int64_t after_ms;

    world_pass(w, 2 * SECOND);
    run->fresh_ms = fresh_ms;
    world_finish(w, run, failure);
    run = world_take_next(w);
    after_ms = run->scheduled_at_ms - slot_ms;
    assert_int_equal(run->skipped, 0);
    world_finish(w, run, RUN_OK);
    world_free(w);
    return after_ms;
}

static void a_fresh_answer_puts_the_next_run_off(void **state)
{
    (void)state;
    assert_int_equal(next_after(cached(MINUTE, HOUR), 10 * MINUTE, RUN_OK), 10 * MINUTE);
}

static void the_next_run_is_at_a_slot(void **state)
{
    (void)state;
    assert_int_equal(next_after(cached(MINUTE, HOUR), 90 * SECOND, RUN_OK), 2 * MINUTE);
}

static void an_answer_that_is_fresh_for_one_interval_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(next_after(cached(MINUTE, HOUR), MINUTE, RUN_OK), MINUTE);
}

static void the_interval_never_gets_shorter(void **state)
{
    (void)state;
    assert_int_equal(next_after(cached(MINUTE, HOUR), SECOND, RUN_OK), MINUTE);
    assert_int_equal(next_after(cached(MINUTE, HOUR), 0, RUN_OK), MINUTE);
    assert_int_equal(next_after(cached(DAY, HOUR), 2 * HOUR, RUN_OK), DAY);
}

static void it_gets_no_longer_than_max_interval(void **state)
{
    (void)state;
    assert_int_equal(next_after(cached(MINUTE, HOUR), 366 * DAY, RUN_OK), HOUR);
    assert_int_equal(next_after(cached(MINUTE, HOUR), INT64_MAX, RUN_OK), HOUR);
}

static void without_respect_cache_nothing_is_put_off(void **state)
{
    struct source source = cached(MINUTE, HOUR);

    (void)state;
    source.respect_cache = false;
    assert_int_equal(next_after(source, 10 * MINUTE, RUN_OK), MINUTE);
}

static void a_run_that_failed_is_followed_as_failures_are(void **state)
{
    (void)state;
    assert_int_equal(next_after(cached(MINUTE, HOUR), 10 * MINUTE, RUN_FAILED_DECODE), 2 * MINUTE);
}

static void a_run_that_its_table_refuses_is_followed_as_failures_are(void **state)
{
    struct world *w = world_create(1, false);
    struct run *run = world_settled(w, cached(MINUTE, HOUR));
    int64_t slot_ms = run->scheduled_at_ms;

    (void)state;
    run->fresh_ms = 10 * MINUTE;
    schedule_plan(w->schedule, run, w->now);
    run_fail(run, RUN_FAILED_STORE, "no");
    run->failures = 1;
    schedule_refused(w->schedule, run);
    schedule_return(w->schedule, run, true, w->now);
    run = world_take_next(w);
    assert_int_equal(run->scheduled_at_ms - slot_ms, 2 * MINUTE);
    world_finish(w, run, RUN_OK);
    world_free(w);
}

static void a_source_that_changed_meanwhile_is_due_by_its_interval(void **state)
{
    struct world *w = world_create(1, false);
    struct source source = cached(MINUTE, HOUR);
    struct run *run = world_settled(w, source);
    int64_t slot_ms = run->scheduled_at_ms;

    (void)state;
    source.timeout_ms = 1;
    world_configure_one(w, source, -1);
    run->fresh_ms = 10 * MINUTE;
    world_finish(w, run, RUN_OK);
    run = world_take_next(w);
    assert_int_equal(run->scheduled_at_ms - slot_ms, MINUTE);
    world_finish(w, run, RUN_OK);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fresh_answer_puts_the_next_run_off),
        cmocka_unit_test(the_next_run_is_at_a_slot),
        cmocka_unit_test(an_answer_that_is_fresh_for_one_interval_changes_nothing),
        cmocka_unit_test(the_interval_never_gets_shorter),
        cmocka_unit_test(it_gets_no_longer_than_max_interval),
        cmocka_unit_test(without_respect_cache_nothing_is_put_off),
        cmocka_unit_test(a_run_that_failed_is_followed_as_failures_are),
        cmocka_unit_test(a_run_that_its_table_refuses_is_followed_as_failures_are),
        cmocka_unit_test(a_source_that_changed_meanwhile_is_due_by_its_interval),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
