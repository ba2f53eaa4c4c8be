#include "test.h"

#include <stdlib.h>

#include "fetch/quota.h"

#define NOW_MS 1700000000000LL /* 2023-11-14T22:13:20Z */
#define SECOND ((int64_t)1000)
#define MINUTE (60 * SECOND)

static const struct quota usual = {"X-RateLimit-Remaining", "X-RateLimit-Reset", 0};

static int64_t wait_by(const struct quota *quota, const char *head)
{
    struct response response = {0};
    int64_t wait_ms;

    text_add(&response.head, head);
    wait_ms = quota_wait(quota, &response, NOW_MS);
    text_free(&response.head);
    return wait_ms;
}

static void unix_seconds_milliseconds_and_seconds_from_now_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(quota_reset_parse("1700000060", NOW_MS), MINUTE);
    assert_int_equal(quota_reset_parse("1700000060000", NOW_MS), MINUTE);
    assert_int_equal(quota_reset_parse("60", NOW_MS), MINUTE);
    assert_int_equal(quota_reset_parse("0", NOW_MS), 0);
    assert_int_equal(quota_reset_parse("999999999", NOW_MS), QUOTA_MAX_MS);
    assert_int_equal(quota_reset_parse("1000000000", NOW_MS), 0); /* 2001 */
    assert_int_equal(quota_reset_parse("99999999999", NOW_MS), QUOTA_MAX_MS);
    assert_int_equal(quota_reset_parse("100000000000", NOW_MS), 0); /* 1973 */
}

static void a_fraction_is_rounded_up(void **state)
{
    (void)state;
    assert_int_equal(quota_reset_parse("1700000059.25", NOW_MS), MINUTE);
    assert_int_equal(quota_reset_parse("60.000", NOW_MS), MINUTE);
    assert_int_equal(quota_reset_parse("0.5", NOW_MS), SECOND);
}

static void dates_and_durations_are_understood(void **state)
{
    (void)state;
    assert_int_equal(quota_reset_parse("Tue, 14 Nov 2023 22:14:20 GMT", NOW_MS), MINUTE);
    assert_int_equal(quota_reset_parse("6m0s", NOW_MS), 6 * MINUTE);
    assert_int_equal(quota_reset_parse("250ms", NOW_MS), 250);
}

static void what_has_passed_is_no_wait(void **state)
{
    (void)state;
    assert_int_equal(quota_reset_parse("1699999999", NOW_MS), 0);
    assert_int_equal(quota_reset_parse("1699999999000", NOW_MS), 0);
    assert_int_equal(quota_reset_parse("Tue, 14 Nov 2023 22:13:19 GMT", NOW_MS), 0);
}

static void huge_numbers_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(quota_reset_parse("99999999999999999999999999999999", NOW_MS), QUOTA_MAX_MS);
    assert_int_equal(quota_reset_parse("9223372036854775807", NOW_MS), QUOTA_MAX_MS);
    assert_int_equal(quota_reset_parse("300000d", NOW_MS), QUOTA_MAX_MS);
}

static void other_forms_are_none(void **state)
{
    (void)state;
    assert_int_equal(quota_reset_parse("", NOW_MS), -1);
    assert_int_equal(quota_reset_parse("soon", NOW_MS), -1);
    assert_int_equal(quota_reset_parse("60;w=60", NOW_MS), -1);
    assert_int_equal(quota_reset_parse("1e9", NOW_MS), -1);
}

static void with_nothing_left_the_reset_says_how_long(void **state)
{
    (void)state;
    assert_int_equal(wait_by(&usual, "X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 60\n"), MINUTE);
    assert_int_equal(wait_by(&usual, "x-ratelimit-reset: 60\nx-ratelimit-remaining: 0\n"), MINUTE);
    assert_int_equal(wait_by(&usual, "X-RateLimit-Remaining: -3\nX-RateLimit-Reset: 60\n"), MINUTE);
    assert_int_equal(wait_by(&usual, "X-RateLimit-Remaining: 1\nX-RateLimit-Reset: 60\n"), -1);
}

static void the_reserve_is_left_to_others(void **state)
{
    const struct quota quota = {"Left", "Reset", 10};

    (void)state;
    assert_int_equal(wait_by(&quota, "Left: 10\nReset: 60\n"), MINUTE);
    assert_int_equal(wait_by(&quota, "Left: 11\nReset: 60\n"), -1);
}

static void a_header_that_is_missing_or_broken_is_no_limit(void **state)
{
    (void)state;
    assert_int_equal(wait_by(&usual, ""), -1);
    assert_int_equal(wait_by(&usual, "X-RateLimit-Remaining: 0\n"), -1);
    assert_int_equal(wait_by(&usual, "X-RateLimit-Reset: 60\n"), -1);
    assert_int_equal(wait_by(&usual, "X-RateLimit-Remaining: none\nX-RateLimit-Reset: 60\n"), -1);
    assert_int_equal(wait_by(&usual, "X-RateLimit-Remaining: 0\nX-RateLimit-Reset: later\n"), -1);
    assert_int_equal(wait_by(&usual, "X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1699999999\n"),
                     -1);
    assert_int_equal(
        wait_by(&usual, "X-RateLimit-Remaining: 0\nX-RateLimit-Reset: "
                        "1111111111111111111111111111111111111111111111111111111111111111111\n"),
        -1);
    assert_int_equal(wait_by(NULL, "X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 60\n"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unix_seconds_milliseconds_and_seconds_from_now_are_told_apart),
        cmocka_unit_test(a_fraction_is_rounded_up),
        cmocka_unit_test(dates_and_durations_are_understood),
        cmocka_unit_test(what_has_passed_is_no_wait),
        cmocka_unit_test(huge_numbers_are_bounded),
        cmocka_unit_test(other_forms_are_none),
        cmocka_unit_test(with_nothing_left_the_reset_says_how_long),
        cmocka_unit_test(the_reserve_is_left_to_others),
        cmocka_unit_test(a_header_that_is_missing_or_broken_is_no_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
