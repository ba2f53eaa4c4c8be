#include "test.h"

#include "config_builder.h"
#include "schedule/entry.h"
#include "schedule_world.h"

static const struct rate_limit shared = {"shared", 1000, SECOND, 1000};
static const struct retry_policy wide = {
    .max_attempts = 3, .base_ms = SECOND, .cap_ms = MINUTE, .scope = RETRY_SCOPE_HOST};

/* Two sources of host h and one of host g, which are due every second. */
static struct world *three(const struct rate_limit *limit, const struct retry_policy *retry)
{
    struct world *w = world_create(1, false);
    struct source sources[3] = {
        source_like("a", "h:80", SECOND),
        source_like("b", "h:80", SECOND),
        source_like("c", "g:80", SECOND),
    };

    for (int i = 0; i < 3; i++) {
        sources[i].rate_limit = limit;
        if (retry != NULL)
            sources[i].retry = retry;
    }
    world_configure(w, sources, 3, 5, -1);
    return w;
}

/* All that may start now ends at once, well. Bit i: sources[i] was among them. */
static unsigned run_all(struct world *w)
{
    unsigned seen = 0;
    struct run *run;

    while ((run = world_take(w, 0)) != NULL) {
        seen |= 1u << (run->source_id - 1);
        world_finish(w, run, RUN_OK);
    }
    return seen;
}

static struct run *take(struct world *w, int64_t id)
{
    struct run *run = world_take(w, 0);

    assert_non_null(run);
    if (run->source_id != id) {
        struct run *other = take(w, id);

        world_finish(w, run, RUN_OK);
        return other;
    }
    return run;
}

static enum schedule_hold heed(struct world *w, struct run *run, int64_t quota_ms,
                               int64_t retry_after_ms, int64_t *until_ms)
{
    run->quota_wait_ms = quota_ms;
    run->retry_after_ms = retry_after_ms;
    return schedule_heed(w->schedule, run, w->now, until_ms);
}

static void a_used_up_quota_holds_up_the_source_alone(void **state)
{
    struct world *w = three(NULL, NULL);
    struct run *a = take(w, 1);
    int64_t until_ms = 0;

    (void)state;
    assert_int_equal(heed(w, a, 5 * MINUTE, -1, &until_ms), HOLD_SOURCE);
    assert_int_equal(until_ms, w->now.wall_ms + 5 * MINUTE);
    assert_int_equal(heed(w, a, 5 * MINUTE, -1, &until_ms), HOLD_NONE);
    schedule_plan(w->schedule, a, w->now);
    assert_true(a->next_due_ms >= w->now.wall_ms + 5 * MINUTE);
    schedule_return(w->schedule, a, true, w->now);
    run_all(w);
    world_pass(w, 5 * MINUTE - 1);
    assert_int_equal(run_all(w), 6);
    world_pass(w, 2 * SECOND);
    assert_int_equal(run_all(w), 7);
    world_free(w);
}

static void a_retry_waits_for_the_quota_too(void **state)
{
    struct world *w = three(NULL, NULL);
    struct run *a = take(w, 1);
    int64_t until_ms;

    (void)state;
    heed(w, a, 30 * SECOND, -1, &until_ms);
    run_clear_response(a);
    schedule_retry(w->schedule, a, w->now, SECOND);
    run_all(w);
    world_pass(w, 30 * SECOND - 1);
    assert_int_equal(run_all(w), 6);
    world_pass(w, 1);
    assert_int_equal(run_all(w) & 1, 1);
    world_free(w);
}

static void a_used_up_quota_holds_up_the_rate_limit_of_its_source(void **state)
{
    struct world *w = three(&shared, NULL);
    struct run *a = take(w, 1);
    int64_t until_ms = 0;

    (void)state;
    assert_int_equal(heed(w, a, 10 * MINUTE, -1, &until_ms), HOLD_RATE_LIMIT);
    world_finish(w, a, RUN_OK);
    world_pass(w, 10 * MINUTE - 1);
    assert_int_equal(run_all(w), 0);
    assert_int_equal(schedule_stats(w->schedule, w->now).held_up, 3);
    assert_int_equal(schedule_stats(w->schedule, w->now).overdue, 0);
    world_pass(w, 1);
    assert_int_equal(run_all(w), 7);
    world_free(w);
}

static void retry_after_holds_up_its_source_alone_by_default(void **state)
{
    struct world *w = three(NULL, NULL);
    struct run *a = take(w, 1);
    int64_t until_ms;

    (void)state;
    assert_int_equal(heed(w, a, -1, 5 * MINUTE, &until_ms), HOLD_NONE);
    world_finish(w, a, RUN_FAILED_STATUS);
    world_pass(w, MINUTE);
    assert_int_equal(run_all(w), 6);
    world_free(w);
}

static void with_scope_host_it_holds_up_the_host(void **state)
{
    struct world *w = three(NULL, &wide);
    struct run *a = take(w, 1);
    int64_t until_ms = 0;

    (void)state;
    assert_int_equal(heed(w, a, -1, 5 * MINUTE, &until_ms), HOLD_HOST);
    assert_int_equal(until_ms, w->now.wall_ms + 5 * MINUTE);
    world_finish(w, a, RUN_FAILED_STATUS);
    world_pass(w, 5 * MINUTE - 1);
    assert_int_equal(run_all(w), 4);
    world_pass(w, 1);
    assert_int_equal(run_all(w) & 2, 2);
    world_free(w);
}

static void a_later_answer_makes_the_wait_longer_and_an_earlier_one_does_not_shorten_it(
    void **state)
{
    struct world *w = three(NULL, &wide);
    struct run *a = take(w, 1);
    int64_t until_ms;

    (void)state;
    heed(w, a, -1, 10 * SECOND, &until_ms);
    heed(w, a, -1, 20 * SECOND, &until_ms);
    heed(w, a, -1, 5 * SECOND, &until_ms);
    world_finish(w, a, RUN_OK);
    run_all(w);
    world_pass(w, 20 * SECOND - 1);
    assert_int_equal(run_all(w) & 3, 0);
    world_pass(w, SECOND);
    assert_int_equal(run_all(w) & 2, 2);
    world_free(w);
}

static void every_wait_is_capped_at_a_day(void **state)
{
    struct world *w = three(&shared, &wide);
    struct run *a = take(w, 1);
    int64_t until_ms = 0;

    (void)state;
    assert_int_equal(heed(w, a, 365 * DAY, -1, &until_ms), HOLD_RATE_LIMIT);
    assert_int_equal(until_ms, w->now.wall_ms + DAY);
    assert_int_equal(heed(w, a, -1, 365 * DAY, &until_ms), HOLD_HOST);
    assert_int_equal(until_ms, w->now.wall_ms + DAY);
    world_finish(w, a, RUN_OK);
    world_pass(w, DAY);
    assert_int_equal(run_all(w) & 6, 6);
    world_free(w);
}

static void short_waits_are_not_told(void **state)
{
    struct world *w = three(&shared, &wide);
    struct run *a = take(w, 1);
    int64_t until_ms;

    (void)state;
    assert_int_equal(heed(w, a, 59 * SECOND, 59 * SECOND, &until_ms), HOLD_NONE);
    assert_int_equal(heed(w, a, 0, 0, &until_ms), HOLD_NONE);
    world_finish(w, a, RUN_OK);
    world_free(w);
}

static void a_line_that_has_become_long_is_told_once_an_hour(void **state)
{
    static const struct rate_limit slow = {"slow", 2, MINUTE, 1};
    struct world *w = three(&slow, NULL);
    struct schedule_notice notice = {0};

    (void)state;
    assert_false(schedule_next_notice(w->schedule, w->now, &notice));
    run_all(w);
    assert_true(schedule_next_notice(w->schedule, w->now, &notice));
    assert_int_equal(notice.hold, HOLD_RATE_LIMIT);
    assert_string_equal(notice.name, "slow");
    assert_int_equal(notice.waiting, 2);
    assert_int_equal(notice.until_ms, w->now.wall_ms + MINUTE);
    for (int i = 0; i < 59; i++) {
        world_pass(w, MINUTE);
        run_all(w);
        assert_false(schedule_next_notice(w->schedule, w->now, &notice));
    }
    world_free(w);
}

static void a_blocked_lane_is_woken_when_the_moment_comes_not_before(void **state)
{
    struct world *w = three(&shared, NULL);
    struct run *a = take(w, 1);
    int64_t until_ms;

    (void)state;
    heed(w, a, 10 * SECOND, -1, &until_ms);
    world_finish(w, a, RUN_OK);
    world_pass(w, 2 * SECOND);
    assert_null(world_take(w, 0));
    assert_int_equal(w->wait_ms, 8 * SECOND);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_used_up_quota_holds_up_the_source_alone),
        cmocka_unit_test(a_retry_waits_for_the_quota_too),
        cmocka_unit_test(a_used_up_quota_holds_up_the_rate_limit_of_its_source),
        cmocka_unit_test(retry_after_holds_up_its_source_alone_by_default),
        cmocka_unit_test(with_scope_host_it_holds_up_the_host),
        cmocka_unit_test(
            a_later_answer_makes_the_wait_longer_and_an_earlier_one_does_not_shorten_it),
        cmocka_unit_test(every_wait_is_capped_at_a_day),
        cmocka_unit_test(short_waits_are_not_told),
        cmocka_unit_test(a_line_that_has_become_long_is_told_once_an_hour),
        cmocka_unit_test(a_blocked_lane_is_woken_when_the_moment_comes_not_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
