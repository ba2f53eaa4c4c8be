#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gatherd/clock.h"

static void monotonic_time_goes_forward_in_both_units(void **state)
{
    int64_t us = clock_monotonic_us();
    int64_t ms = clock_monotonic_ms();

    (void)state;
    assert_true(ms >= us / 1000);
    assert_true(ms - us / 1000 < 60000);
    assert_true(clock_monotonic_us() >= us);
}

static void now_is_both_clocks_at_once(void **state)
{
    struct instant now = clock_now();

    (void)state;
    assert_true(llabs(now.monotonic_ms - clock_monotonic_ms()) < 60000);
    assert_true(llabs(now.wall_ms - clock_wall_ms()) < 60000);
    assert_true(llabs(now.wall_ms / 1000 - (int64_t)time(NULL)) < 60);
}

static void a_deadline_lies_ahead_by_the_timeout(void **state)
{
    static const int64_t timeouts[] = {0, 1, 999, 1000, 1001, 86400000, INT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(timeouts) / sizeof(timeouts[0]); i++) {
        struct timespec before;
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &before);
        t = clock_deadline(timeouts[i]);
        assert_in_range(t.tv_nsec, 0, 999999999);
        assert_in_range(t.tv_sec - before.tv_sec, timeouts[i] / 1000, timeouts[i] / 1000 + 60);
    }
}

static void a_deadline_in_the_past_is_a_valid_time_too(void **state)
{
    (void)state;
    for (int64_t timeout = -3000; timeout < 0; timeout++) {
        struct timespec t = clock_deadline(timeout);

        assert_in_range(t.tv_nsec, 0, 999999999);
        assert_true((int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 <= clock_monotonic_ms());
    }
}

static void assert_writes(int64_t wall_ms, const char *expected)
{
    char text[CLOCK_TEXT_SIZE];

    assert_ptr_equal(clock_format(wall_ms, text), text);
    assert_string_equal(text, expected);
}

static void moments_are_written_in_utc_with_milliseconds(void **state)
{
    (void)state;
    assert_writes(0, "1970-01-01T00:00:00.000Z");
    assert_writes(-1, "1969-12-31T23:59:59.999Z");
    assert_writes(951782400000, "2000-02-29T00:00:00.000Z");
    assert_writes(1767323045678, "2026-01-02T03:04:05.678Z");
    assert_writes(4107542400000, "2100-03-01T00:00:00.000Z");
}

static void moments_outside_the_four_digit_years_are_written_as_the_nearest_inside(void **state)
{
    (void)state;
    assert_writes(-62167219200000, "0000-01-01T00:00:00.000Z");
    assert_writes(-62167219200001, "0000-01-01T00:00:00.000Z");
    assert_writes(INT64_MIN, "0000-01-01T00:00:00.000Z");
    assert_writes(253402300799999, "9999-12-31T23:59:59.999Z");
    assert_writes(253402300800000, "9999-12-31T23:59:59.999Z");
    assert_writes(INT64_MAX, "9999-12-31T23:59:59.999Z");
}

/* gmtime_r() is another author's arithmetic. */
static void every_day_of_800_years_agrees_with_the_c_library_and_reads_back(void **state)
{
    (void)state;
    for (int64_t day = -200 * 365; day < 600 * 365; day++) {
        time_t seconds = (time_t)(day * 86400 + (day * 7919 % 86400 + 86400) % 86400);
        char expected[64];
        char text[CLOCK_TEXT_SIZE];
        int64_t ms = 0;
        struct tm tm;

        gmtime_r(&seconds, &tm);
        strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.007Z", &tm);
        clock_format((int64_t)seconds * 1000 + 7, text);
        assert_string_equal(text, expected);
        assert_int_equal(clock_parse(text, &ms), 0);
        assert_int_equal(ms, (int64_t)seconds * 1000 + 7);
    }
}

static void the_first_and_the_last_moment_read_back(void **state)
{
    int64_t ms = 0;

    (void)state;
    assert_int_equal(clock_parse("0000-01-01T00:00:00.000Z", &ms), 0);
    assert_int_equal(ms, -62167219200000);
    assert_int_equal(clock_parse("9999-12-31T23:59:59.999Z", &ms), 0);
    assert_int_equal(ms, 253402300799999);
}

static void assert_refused(const char *text)
{
    int64_t ms = 42;

    if (clock_parse(text, &ms) != -1 || ms != 42)
        fail_msg("\"%s\" was read", text);
}

static void any_other_form_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "2026",
        "2026-01-02",
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.67Z",
        "2026-01-02T03:04:05.678",
        "2026-01-02T03:04:05.678Z ",
        " 2026-01-02T03:04:05.678Z",
        "2026-01-02 03:04:05.678Z",
        "2026-01-02t03:04:05.678Z",
        "2026-01-02T03:04:05.678z",
        "2026-01-02T03:04:05,678Z",
        "2026-01-02T03:04:05.678+00:00",
        "2026-1-02T03:04:05.678Z",
        "-026-01-02T03:04:05.678Z",
        "+026-01-02T03:04:05.678Z",
        "12026-01-02T03:04:05.678Z",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_refused(texts[i]);
}

static void fields_out_of_range_are_refused(void **state)
{
    static const char *const texts[] = {
        "2026-00-02T03:04:05.678Z", "2026-13-02T03:04:05.678Z", "2026-01-00T03:04:05.678Z",
        "2026-01-32T03:04:05.678Z", "2026-01-02T24:04:05.678Z", "2026-01-02T03:60:05.678Z",
        "2026-01-02T03:04:60.678Z",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_refused(texts[i]);
}

static void days_that_a_month_does_not_have_are_refused(void **state)
{
    static const char *const texts[] = {
        "2026-02-29T00:00:00.000Z", "2026-02-30T00:00:00.000Z", "2024-02-30T00:00:00.000Z",
        "1900-02-29T00:00:00.000Z", "2100-02-29T00:00:00.000Z", "2026-04-31T00:00:00.000Z",
        "2026-06-31T00:00:00.000Z", "2026-09-31T00:00:00.000Z", "2026-11-31T00:00:00.000Z",
    };
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_refused(texts[i]);
    assert_int_equal(clock_parse("2024-02-29T00:00:00.000Z", &ms), 0);
    assert_int_equal(clock_parse("2000-02-29T00:00:00.000Z", &ms), 0);
}

static void days_are_counted_from_1970(void **state)
{
    (void)state;
    assert_int_equal(clock_days_from_civil(1970, 1, 1), 0);
    assert_int_equal(clock_days_from_civil(1969, 12, 31), -1);
    assert_int_equal(clock_days_from_civil(2000, 3, 1), 11017);
    assert_int_equal(clock_days_from_civil(0, 3, 1), -719468);
    assert_int_equal(clock_days_from_civil(-1, 12, 31), -719529);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monotonic_time_goes_forward_in_both_units),
        cmocka_unit_test(now_is_both_clocks_at_once),
        cmocka_unit_test(a_deadline_lies_ahead_by_the_timeout),
        cmocka_unit_test(a_deadline_in_the_past_is_a_valid_time_too),
        cmocka_unit_test(moments_are_written_in_utc_with_milliseconds),
        cmocka_unit_test(moments_outside_the_four_digit_years_are_written_as_the_nearest_inside),
        cmocka_unit_test(every_day_of_800_years_agrees_with_the_c_library_and_reads_back),
        cmocka_unit_test(the_first_and_the_last_moment_read_back),
        cmocka_unit_test(any_other_form_is_refused),
        cmocka_unit_test(fields_out_of_range_are_refused),
        cmocka_unit_test(days_that_a_month_does_not_have_are_refused),
        cmocka_unit_test(days_are_counted_from_1970),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
