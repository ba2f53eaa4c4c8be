#include "test.h"

#include "schedule/pace.h"

#define SECOND ((int64_t)1000)
#define HOUR   (3600 * SECOND)

/* Starts as early as it may, from `*now_ms` on, `count` times; `*now_ms` is the last start. */
static void start_all(struct pace *pace, int64_t *now_ms, int count)
{
    for (int i = 0; i < count; i++) {
        int64_t open_ms = pace_open_ms(pace);

        *now_ms = open_ms > *now_ms ? open_ms : *now_ms;
        pace_spend(pace, *now_ms);
    }
}

static void a_pace_without_a_rate_holds_nobody_up(void **state)
{
    struct pace pace = {0};

    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_true(pace_open_ms(&pace) <= 5000);
        pace_spend(&pace, 5000);
    }
}

static void requests_come_evenly_at_exactly_the_rate(void **state)
{
    struct pace pace = {0};
    int64_t now_ms = 7 * HOUR;

    (void)state;
    pace_set(&pace, 5000, HOUR, 1, now_ms);
    start_all(&pace, &now_ms, 1);
    assert_int_equal(now_ms, 7 * HOUR);
    for (int i = 1; i <= 15000; i++) {
        start_all(&pace, &now_ms, 1);
        assert_int_equal(now_ms, 7 * HOUR + i * INT64_C(720));
    }
}

static void a_rate_that_is_no_whole_number_of_milliseconds_is_exact_over_hours(void **state)
{
    static const unsigned rates[] = {3, 7, 13, 999};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct pace pace = {0};
        int64_t now_ms = HOUR;

        pace_set(&pace, rates[i], SECOND, 1, now_ms);
        start_all(&pace, &now_ms, (int)rates[i] * 3600 + 1);
        assert_in_range(now_ms, 2 * HOUR, 2 * HOUR + 4);
    }
}

static void a_burst_may_come_at_once_and_the_rest_evenly(void **state)
{
    struct pace pace = {0};
    int64_t now_ms = HOUR;

    (void)state;
    pace_set(&pace, 60, 60 * SECOND, 10, now_ms);
    start_all(&pace, &now_ms, 10);
    assert_int_equal(now_ms, HOUR);
    for (int i = 1; i < 100; i++) {
        start_all(&pace, &now_ms, 1);
        assert_in_range(now_ms, HOUR + i * SECOND - 1, HOUR + i * SECOND);
    }
}

static void a_pause_saves_up_a_burst_and_no_more(void **state)
{
    struct pace pace = {0};
    int64_t now_ms = HOUR;

    (void)state;
    pace_set(&pace, 1, SECOND, 1, now_ms);
    start_all(&pace, &now_ms, 1);
    now_ms += HOUR;
    start_all(&pace, &now_ms, 2);
    assert_in_range(now_ms, 2 * HOUR + SECOND - 1, 2 * HOUR + SECOND);
    pace_set(&pace, 10, 10 * SECOND, 3, now_ms);
    now_ms += HOUR;
    start_all(&pace, &now_ms, 3);
    assert_in_range(now_ms, 3 * HOUR + SECOND - 1, 3 * HOUR + SECOND);
    assert_true(pace_open_ms(&pace) >= now_ms + SECOND - 1);
}

static void a_block_holds_whatever_the_rate_says_and_a_shorter_one_changes_nothing(void **state)
{
    struct pace pace = {0};

    (void)state;
    assert_true(pace_block(&pace, HOUR));
    assert_false(pace_block(&pace, HOUR - 1));
    assert_false(pace_block(&pace, HOUR));
    assert_int_equal(pace_open_ms(&pace), HOUR);
    pace_set(&pace, 1000, SECOND, 1, 0);
    assert_int_equal(pace_open_ms(&pace), HOUR);
    assert_true(pace_block(&pace, HOUR + 1));
    assert_int_equal(pace_open_ms(&pace), HOUR + 1);
}

static void a_new_rate_counts_at_once_in_both_directions(void **state)
{
    struct pace pace = {0};
    int64_t now_ms = HOUR;

    (void)state;
    pace_set(&pace, 1, 24 * HOUR, 1, now_ms);
    start_all(&pace, &now_ms, 1);
    assert_int_equal(pace_open_ms(&pace), 25 * HOUR);
    pace_set(&pace, 1, SECOND, 1, now_ms);
    assert_int_equal(pace_open_ms(&pace), HOUR + SECOND);
    start_all(&pace, &now_ms, 1);
    pace_set(&pace, 1, HOUR, 1, now_ms);
    start_all(&pace, &now_ms, 1);
    assert_in_range(now_ms, 2 * HOUR, 2 * HOUR + 2 * SECOND);
}

static void the_wait_of_the_last_in_line_is_known(void **state)
{
    struct pace pace = {0};
    int64_t now_ms = HOUR;

    (void)state;
    assert_int_equal(pace_wait_ms(&pace, 1000, now_ms), 0);
    pace_set(&pace, 1, SECOND, 1, now_ms);
    start_all(&pace, &now_ms, 1);
    assert_int_equal(pace_wait_ms(&pace, 0, now_ms), 0);
    assert_int_equal(pace_wait_ms(&pace, 1, now_ms), SECOND);
    assert_int_equal(pace_wait_ms(&pace, 61, now_ms), 61 * SECOND);
    assert_true(pace_wait_ms(&pace, UINT64_MAX / 2, now_ms) > 24 * HOUR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pace_without_a_rate_holds_nobody_up),
        cmocka_unit_test(requests_come_evenly_at_exactly_the_rate),
        cmocka_unit_test(a_rate_that_is_no_whole_number_of_milliseconds_is_exact_over_hours),
        cmocka_unit_test(a_burst_may_come_at_once_and_the_rest_evenly),
        cmocka_unit_test(a_pause_saves_up_a_burst_and_no_more),
        cmocka_unit_test(a_block_holds_whatever_the_rate_says_and_a_shorter_one_changes_nothing),
        cmocka_unit_test(a_new_rate_counts_at_once_in_both_directions),
        cmocka_unit_test(the_wait_of_the_last_in_line_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
