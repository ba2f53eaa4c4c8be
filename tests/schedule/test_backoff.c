#include "test.h"

#include <limits.h>

#include "config_builder.h"
#include "schedule/backoff.h"
#include "schedule_world.h"

static void the_interval_doubles_with_each_failure_up_to_the_longest(void **state)
{
    struct source source = source_like("a", "h:80", MINUTE);

    (void)state;
    assert_int_equal(backoff_interval(&source, 0), MINUTE);
    assert_int_equal(backoff_interval(&source, 1), 2 * MINUTE);
    assert_int_equal(backoff_interval(&source, 5), 32 * MINUTE);
    assert_int_equal(backoff_interval(&source, 6), HOUR);
    assert_int_equal(backoff_interval(&source, UINT_MAX), HOUR);
}

static void an_interval_above_max_interval_stays_as_it_is(void **state)
{
    struct source source = source_like("a", "h:80", 7 * DAY);

    (void)state;
    assert_int_equal(backoff_interval(&source, 0), 7 * DAY);
    assert_int_equal(backoff_interval(&source, 40), 7 * DAY);
}

static void huge_durations_do_not_overflow(void **state)
{
    struct source source = source_like("a", "h:80", INT64_MAX / 3);

    (void)state;
    source.max_interval_ms = INT64_MAX;
    assert_int_equal(backoff_interval(&source, 1), INT64_MAX / 3 * 2);
    assert_int_equal(backoff_interval(&source, 2), INT64_MAX);
    assert_int_equal(backoff_interval(&source, 64), INT64_MAX);
}

struct retry_case {
    struct source source;
    struct retry_policy retry;
    struct run run;
    struct random random;
};

static void make_retry(struct retry_case *c)
{
    c->source = source_like("a", "h:80", MINUTE);
    c->retry = *c->source.retry;
    c->retry.max_attempts = 10;
    c->source.retry = &c->retry;
    c->run = (struct run){.source = &c->source, .retryable = true, .retry_after_ms = -1};
    c->random.state = 5;
}

/* Of 2,000 draws, each lies between the ends and some come near to both of them. */
static void check_between(struct retry_case *c, int64_t low, int64_t high)
{
    int64_t near = (high - low) / 50;
    int64_t least = INT64_MAX;
    int64_t most = -1;

    for (int i = 0; i < 2000; i++) {
        int64_t delay = backoff_retry_delay(&c->run, &c->random);

        least = delay < least ? delay : least;
        most = delay > most ? delay : most;
    }
    assert_true(least >= low && least <= low + near);
    assert_true(most <= high && most >= high - near);
}

static void check_spread(struct retry_case *c, int64_t bound)
{
    check_between(c, 0, bound);
}

static void retries_are_spread_from_nothing_to_a_bound_that_doubles(void **state)
{
    struct retry_case c;

    (void)state;
    make_retry(&c);
    check_spread(&c, 1 * SECOND);
    c.run.attempt = 1;
    check_spread(&c, 2 * SECOND);
    c.run.attempt = 3;
    check_spread(&c, 8 * SECOND);
    c.run.attempt = 8; /* 256 s, were it not for the cap */
    check_spread(&c, MINUTE);
}

static void the_last_attempt_is_not_followed_by_another(void **state)
{
    struct retry_case c;

    (void)state;
    make_retry(&c);
    c.retry.max_attempts = 3;
    c.run.attempt = 1;
    assert_true(backoff_retry_delay(&c.run, &c.random) >= 0);
    c.run.attempt = 2;
    assert_int_equal(backoff_retry_delay(&c.run, &c.random), -1);
    c.retry.max_attempts = 1;
    c.run.attempt = 0;
    assert_int_equal(backoff_retry_delay(&c.run, &c.random), -1);
}

static void what_is_not_retryable_is_not_retried(void **state)
{
    struct retry_case c;

    (void)state;
    make_retry(&c);
    c.run.retryable = false;
    assert_int_equal(backoff_retry_delay(&c.run, &c.random), -1);
}

static void a_server_that_asks_for_up_to_a_minute_is_obeyed_in_place(void **state)
{
    struct retry_case c;

    (void)state;
    make_retry(&c);
    c.run.retry_after_ms = MINUTE;
    check_between(&c, MINUTE, MINUTE + SECOND);
    c.run.retry_after_ms = 10 * SECOND;
    c.run.attempt = 2;
    check_between(&c, 10 * SECOND, 14 * SECOND);
    c.run.retry_after_ms = MINUTE + 1;
    assert_int_equal(backoff_retry_delay(&c.run, &c.random), -1);
}

static void a_postponement_is_capped_at_a_day(void **state)
{
    struct source source = source_like("a", "h:80", MINUTE);
    struct run run = {.source = &source, .retry_after_ms = -1, .quota_wait_ms = -1};

    (void)state;
    assert_int_equal(backoff_postponed(&run), 0);
    run.retry_after_ms = 5 * SECOND;
    assert_int_equal(backoff_postponed(&run), 5 * SECOND);
    run.retry_after_ms = 365 * DAY;
    assert_int_equal(backoff_postponed(&run), DAY);
    run.retry_after_ms = 5 * SECOND;
    run.quota_wait_ms = 365 * DAY;
    assert_int_equal(backoff_postponed(&run), DAY);
}

static void the_longer_of_retry_after_and_a_quota_counts(void **state)
{
    struct retry_case c;

    (void)state;
    make_retry(&c);
    c.run.retry_after_ms = 10 * SECOND;
    c.run.quota_wait_ms = 30 * SECOND;
    check_between(&c, 30 * SECOND, 31 * SECOND);
    c.run.quota_wait_ms = 5 * SECOND;
    check_between(&c, 10 * SECOND, 11 * SECOND);
    c.run.quota_wait_ms = MINUTE + 1;
    assert_int_equal(backoff_retry_delay(&c.run, &c.random), -1);
}

static void after_a_success_a_used_up_quota_postpones_sources_without_a_rate_limit_only(
    void **state)
{
    static const struct rate_limit limit = {"x", 1, SECOND, 1};
    struct source source = source_like("a", "h:80", MINUTE);
    struct run run = {.source = &source, .retry_after_ms = -1, .quota_wait_ms = HOUR};

    (void)state;
    assert_int_equal(backoff_postponed(&run), HOUR);
    source.rate_limit = &limit; /* which is held up itself */
    assert_int_equal(backoff_postponed(&run), 0);
    run.failure = RUN_FAILED_STATUS;
    assert_int_equal(backoff_postponed(&run), HOUR);
}

static void the_dice_give_every_value_and_repeat_with_the_seed(void **state)
{
    struct random a = {9};
    struct random b = {9};
    unsigned seen = 0;

    (void)state;
    for (int i = 0; i < 200; i++) {
        int64_t value = random_upto(&a, 5);

        assert_true(value >= 0 && value <= 5);
        assert_int_equal(value, random_upto(&b, 5));
        seen |= 1u << value;
    }
    assert_int_equal(seen, 0x3f);
    assert_int_equal(random_upto(&a, 0), 0);
    assert_int_equal(random_upto(&a, -5), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_interval_doubles_with_each_failure_up_to_the_longest),
        cmocka_unit_test(an_interval_above_max_interval_stays_as_it_is),
        cmocka_unit_test(huge_durations_do_not_overflow),
        cmocka_unit_test(retries_are_spread_from_nothing_to_a_bound_that_doubles),
        cmocka_unit_test(the_last_attempt_is_not_followed_by_another),
        cmocka_unit_test(what_is_not_retryable_is_not_retried),
        cmocka_unit_test(a_server_that_asks_for_up_to_a_minute_is_obeyed_in_place),
        cmocka_unit_test(a_postponement_is_capped_at_a_day),
        cmocka_unit_test(the_longer_of_retry_after_and_a_quota_counts),
        cmocka_unit_test(
            after_a_success_a_used_up_quota_postpones_sources_without_a_rate_limit_only),
        cmocka_unit_test(the_dice_give_every_value_and_repeat_with_the_seed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
