#include "test.h"

#include <stdio.h>
#include <string.h>

#include "gatherd/clock.h"
#include "gatherd/cron.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MINUTE   60000LL
#define HOUR     (60 * MINUTE)
#define DAY      (24 * HOUR)

static struct cron parsed(const char *text)
{
    struct error err = {0};
    struct cron cron;
    size_t column;

    if (cron_parse(text, &cron, &column, &err) == -1)
        fail_msg("%s: column %zu: %s", text, column, err.text);
    return cron;
}

static int64_t moment(const char *text)
{
    char whole[CLOCK_TEXT_SIZE];
    int64_t ms;

    snprintf(whole, sizeof(whole), "%.10sT%.8s.000Z", text, text + 11);
    assert_int_equal(clock_parse(whole, &ms), 0);
    return ms;
}

/* The times of a line from a moment on, as text. */
static void check_times(const char *line, const char *from, const char *const *times, size_t count)
{
    struct cron cron = parsed(line);
    int64_t at = moment(from);

    for (size_t i = 0; i < count; i++) {
        char text[CLOCK_TEXT_SIZE];

        at = cron_at_or_after(&cron, at);
        clock_format(at, text);
        text[10] = ' ';
        text[19] = '\0';
        if (strcmp(text, times[i]) != 0)
            fail_msg("%s: %s instead of %s", line, text, times[i]);
        at++;
    }
}

#define CHECK_TIMES(line, from, ...)                      \
    do {                                                  \
        static const char *const times[] = {__VA_ARGS__}; \
                                                          \
        check_times(line, from, times, COUNT(times));     \
    } while (0)

static void every_field_restricts(void **state)
{
    (void)state;
    CHECK_TIMES("30 6 * * *", "2026-03-01 06:30:00", "2026-03-01 06:30:00", "2026-03-02 06:30:00");
    CHECK_TIMES("0 * * * *", "2026-03-01 23:00:01", "2026-03-02 00:00:00", "2026-03-02 01:00:00");
    CHECK_TIMES("0 0 31 * *", "2026-01-01 00:00:00", "2026-01-31 00:00:00", "2026-03-31 00:00:00",
                "2026-05-31 00:00:00");
    CHECK_TIMES("59 23 31 12 *", "2026-01-01 00:00:00", "2026-12-31 23:59:00",
                "2027-12-31 23:59:00");
    CHECK_TIMES("0 12 * * 1", "2026-01-01 00:00:00", "2026-01-05 12:00:00", "2026-01-12 12:00:00");
}

static void lists_ranges_and_steps_are_read(void **state)
{
    (void)state;
    CHECK_TIMES("*/20 * * * *", "2026-03-01 00:00:00", "2026-03-01 00:00:00", "2026-03-01 00:20:00",
                "2026-03-01 00:40:00", "2026-03-01 01:00:00");
    CHECK_TIMES("10-30/10,5 4,3 * * *", "2026-03-01 03:00:00", "2026-03-01 03:05:00",
                "2026-03-01 03:10:00", "2026-03-01 03:20:00", "2026-03-01 03:30:00",
                "2026-03-01 04:05:00");
    CHECK_TIMES("0 0 1-7/3 1,6 *", "2026-01-01 00:00:00", "2026-01-01 00:00:00",
                "2026-01-04 00:00:00", "2026-01-07 00:00:00", "2026-06-01 00:00:00");
    CHECK_TIMES("0 9-17/4 * * 1-5", "2026-01-02 14:00:00", "2026-01-02 17:00:00",
                "2026-01-05 09:00:00");
    CHECK_TIMES("  0\t0   *  *   *  ", "2026-01-01 00:00:01", "2026-01-02 00:00:00");
}

static void names_stand_for_months_and_weekdays_in_any_case(void **state)
{
    (void)state;
    CHECK_TIMES("0 0 1 Feb,AUG-oct *", "2026-01-01 00:00:00", "2026-02-01 00:00:00",
                "2026-08-01 00:00:00", "2026-09-01 00:00:00", "2026-10-01 00:00:00",
                "2027-02-01 00:00:00");
    CHECK_TIMES("0 0 * * mon-Wed/2", "2026-01-01 00:00:00", "2026-01-05 00:00:00",
                "2026-01-07 00:00:00");
}

static void sunday_is_0_and_7_and_ends_a_range(void **state)
{
    (void)state;
    CHECK_TIMES("0 0 * * 0", "2026-01-01 00:00:00", "2026-01-04 00:00:00");
    CHECK_TIMES("0 0 * * 7", "2026-01-01 00:00:00", "2026-01-04 00:00:00");
    CHECK_TIMES("0 0 * * sat-sun", "2026-01-01 00:00:00", "2026-01-03 00:00:00",
                "2026-01-04 00:00:00", "2026-01-10 00:00:00");
    CHECK_TIMES("0 0 * * 5-7", "2026-01-01 00:00:00", "2026-01-02 00:00:00", "2026-01-03 00:00:00",
                "2026-01-04 00:00:00", "2026-01-09 00:00:00");
}

static void words_stand_for_lines(void **state)
{
    (void)state;
    CHECK_TIMES("@hourly", "2026-01-01 00:00:01", "2026-01-01 01:00:00");
    CHECK_TIMES("@daily", "2026-01-01 00:00:01", "2026-01-02 00:00:00");
    CHECK_TIMES(" @Midnight ", "2026-01-01 00:00:01", "2026-01-02 00:00:00");
    CHECK_TIMES("@weekly", "2026-01-01 00:00:01", "2026-01-04 00:00:00");
    CHECK_TIMES("@monthly", "2026-01-01 00:00:01", "2026-02-01 00:00:00");
    CHECK_TIMES("@yearly", "2026-01-01 00:00:01", "2027-01-01 00:00:00");
    CHECK_TIMES("@annually", "2026-01-01 00:00:01", "2027-01-01 00:00:00");
}

static void with_day_and_weekday_restricted_either_suffices(void **state)
{
    (void)state;
    CHECK_TIMES("0 0 13 * 5", "2026-02-01 00:00:00", "2026-02-06 00:00:00", "2026-02-13 00:00:00",
                "2026-02-20 00:00:00", "2026-02-27 00:00:00", "2026-03-06 00:00:00",
                "2026-03-13 00:00:00");
    CHECK_TIMES("0 0 1 1 mon", "2026-12-01 00:00:00", "2027-01-01 00:00:00", "2027-01-04 00:00:00");
}

static void a_field_that_begins_with_a_star_does_not_count_as_restricted(void **state)
{
    (void)state;
    CHECK_TIMES("0 0 */2 * 1", "2026-02-01 00:00:00", "2026-02-09 00:00:00", "2026-02-23 00:00:00",
                "2026-03-09 00:00:00");
    CHECK_TIMES("0 0 13 * */5", "2026-02-01 00:00:00", "2026-02-13 00:00:00", /* 0 and 5 */
                "2026-03-13 00:00:00", "2026-09-13 00:00:00");
}

static void leap_years_are_known(void **state)
{
    (void)state;
    CHECK_TIMES("0 0 29 2 *", "2026-01-01 00:00:00", "2028-02-29 00:00:00", "2032-02-29 00:00:00");
    CHECK_TIMES("0 0 29 2 *", "2096-03-01 00:00:00", "2104-02-29 00:00:00");
    CHECK_TIMES("0 0 29 2 *", "1996-03-01 00:00:00", "2000-02-29 00:00:00");
    /* A step of 28 leaves the 1st and the 29th; a step of 6 Sunday and Saturday. */
    CHECK_TIMES("0 0 */28 2 1", "2027-03-01 00:00:00", "2038-02-01 00:00:00", "2044-02-01 00:00:00",
                "2044-02-29 00:00:00");
    CHECK_TIMES("0 0 29 2 */6", "2088-03-01 00:00:00", "2116-02-29 00:00:00");
}

static void times_before_1970_are_found_too(void **state)
{
    (void)state;
    CHECK_TIMES("*/30 * * * *", "1969-12-31 23:10:00", "1969-12-31 23:30:00",
                "1970-01-01 00:00:00");
    CHECK_TIMES("0 0 1 * 1", "1968-02-28 00:00:00", "1968-03-01 00:00:00", "1968-03-04 00:00:00");
}

static void seconds_and_milliseconds_round_up_to_the_next_minute(void **state)
{
    struct cron cron = parsed("* * * * *");

    (void)state;
    assert_int_equal(cron_at_or_after(&cron, 0), 0);
    assert_int_equal(cron_at_or_after(&cron, 1), MINUTE);
    assert_int_equal(cron_at_or_after(&cron, MINUTE - 1), MINUTE);
    assert_int_equal(cron_at_or_after(&cron, -1), 0);
    assert_int_equal(cron_at_or_after(&cron, -MINUTE), -MINUTE);
}

/* Against looking at each minute of some years, with lines that are made up. */
static bool matches(const struct cron *cron, int64_t minute)
{
    int64_t day = minute / 1440;
    struct civil date = clock_civil_from_days(day);
    bool on_day = cron->days >> date.day & 1;
    bool on_weekday = cron->weekdays >> (day + 4) % 7 & 1;

    return (cron->minutes >> minute % 60 & 1) && (cron->hours >> minute / 60 % 24 & 1) &&
           (cron->months >> date.month & 1) &&
           (cron->either_day ? on_day || on_weekday : on_day && on_weekday);
}

static void each_time_is_what_looking_at_each_minute_finds(void **state)
{
    static const char *const lines[] = {
        "*/7 * * * *",    "0,59 0,23 * * *", "13 5-20/3 1,15,31 * *", "0 0 29-31 2,4 *",
        "5 4 * * sun",    "7 7 7 7 7",       "1 1 */3 */4 */2",       "59 23 30 4-11/7 mon,thu",
        "0 12 1-7 * */6", "30 3 29 2 wed",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct cron cron = parsed(lines[i]);
        int64_t minute = moment("2027-01-01 00:00:00") / MINUTE;
        int64_t end = minute + 3 * 366 * 1440;
        int64_t next = cron_at_or_after(&cron, minute * MINUTE) / MINUTE;
        int64_t gap = INT64_MAX;
        int64_t last = 0;

        for (; minute < end; minute++) {
            if (!matches(&cron, minute)) {
                assert_int_not_equal(next, minute);
                continue;
            }
            assert_int_equal(next, minute);
            if (last != 0 && minute - last < gap)
                gap = minute - last;
            last = minute;
            next = cron_at_or_after(&cron, minute * MINUTE + 1) / MINUTE;
        }
        assert_true(gap >= cron.gap_ms / MINUTE);
    }
}

static void the_shortest_gap_is_the_calendars(void **state)
{
    static const struct {
        const char *line;
        int64_t gap_ms;
    } cases[] = {
        {"* * * * *", MINUTE},        {"*/7 * * * *", 4 * MINUTE}, /* from 56 to 0 */
        {"0 * * * *", HOUR},          {"0 0 * * *", DAY},
        {"0 0,23 * * *", HOUR},       {"0 0,23 * * 1", 23 * HOUR},
        {"0 22,3 * * 1,2", 5 * HOUR}, {"59 23 31 12 *", 365 * DAY},
        {"0 0 1 * *", 28 * DAY},      {"0 0 29 2 *", 4 * 365 * DAY + DAY},
        {"@weekly", 7 * DAY},         {"0 0 1 1 mon", DAY},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cron cron = parsed(cases[i].line);

        if (cron.gap_ms != cases[i].gap_ms)
            fail_msg("%s: %lld minutes", cases[i].line, (long long)(cron.gap_ms / MINUTE));
    }
}

static void mistakes_are_named_with_their_place(void **state)
{
    static const struct {
        const char *line;
        size_t column;
        const char *text;
    } cases[] = {
        {"", 1, "it is empty; write five fields: minute hour day month weekday"},
        {"  ", 3, "it is empty; write five fields: minute hour day month weekday"},
        {"5", 1, "it has 1 field; write five: minute hour day month weekday"},
        {"0 0 0 * * *", 1, "it has 6 fields; write five: minute hour day month weekday"},
        {"TZ=Asia/Tokyo 0 0 * * *", 1,
         "it begins with a variable; a time zone is a key of its own, timezone"},
        {"60 * * * *", 1, "\"60\" is not a minute; write a number from 0 to 59"},
        {"0 24 * * *", 3, "\"24\" is not an hour; write a number from 0 to 23"},
        {"0 0 0 * *", 5, "\"0\" is not a day; write a number from 1 to 31"},
        {"0 0 ? * 1", 5, "\"?\" is not a day; write a number from 1 to 31"},
        {"0 0 L * *", 5, "\"L\" is not a day; write a number from 1 to 31"},
        {"0 0 * 13 *", 7, "\"13\" is not a month; write a number from 1 to 12, or jan to dec"},
        {"0 0 * jann *", 7, "\"jann\" is not a month; write a number from 1 to 12, or jan to dec"},
        {"0 0 * * 8", 9,
         "\"8\" is not a weekday; write a number from 0 to 7 (0 and 7 are Sunday), or sun to sat"},
        {"1,,2 * * * *", 3, "a minute is missing here; write a number from 0 to 59"},
        {"1, * * * *", 3, "a minute is missing here; write a number from 0 to 59"},
        {"-5 * * * *", 1, "a minute is missing here; write a number from 0 to 59"},
        {"5- * * * *", 3, "a minute is missing here; write a number from 0 to 59"},
        {"1-2-3 * * * *", 3, "\"2-3\" is not a minute; write a number from 0 to 59"},
        {"* 22-2 * * *", 3, "the range 22-2 runs backwards; write two, as in 22-23,0-2"},
        {"0 0 * * fri-mon", 9, "the range fri-mon runs backwards; write two, as in 5-6,0-1"},
        {"*/0 * * * *", 3, "\"0\" is not a step; write a number from 1 on"},
        {"*/ * * * *", 3, "\"\" is not a step; write a number from 1 on"},
        {"*/x * * * *", 3, "\"x\" is not a step; write a number from 1 on"},
        {"*/1/2 * * * *", 3, "\"1/2\" is not a step; write a number from 1 on"},
        {"*/90 * * * *", 3,
         "a step of 90 leaves only 0 of the minutes from 0 to 59, where it begins anew each time; "
         "write 0 if that is meant"},
        {"0 */24 * * *", 5,
         "a step of 24 leaves only 0 of the hours from 0 to 23, where it begins anew each time; "
         "write 0 if that is meant"},
        {"5/15 * * * *", 1, "a step needs a range or *; write 5-59/15"},
        {"99999999999 * * * *", 1, "\"99999999999\" is not a minute; write a number from 0 to 59"},
        {"\xc3\xa9 * * * *", 1, "\"\xc3\xa9\" is not a minute; write a number from 0 to 59"},
        {"0 0 30 2 *", 5,
         "no day is ever like this, so it would never run; look at day, month and weekday"},
        {"0 0 31 2,4,6,9,11 *", 5,
         "no day is ever like this, so it would never run; look at day, month and weekday"},
        {"@reboot", 1, "@reboot is a key of its own, run_on_start: true"},
        {"@every 5m", 1, "@every is a key of its own, interval"},
        {" @daly", 2,
         "@daly is not known; write @hourly, @daily, @midnight, @weekly, @monthly, @yearly or "
         "@annually, or five fields: minute hour day month weekday"},
        {"@daily 5", 1,
         "@daily is not known; write @hourly, @daily, @midnight, @weekly, @monthly, @yearly or "
         "@annually, or five fields: minute hour day month weekday"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err = {0};
        struct cron cron;
        size_t column = 0;

        assert_int_equal(cron_parse(cases[i].line, &cron, &column, &err), -1);
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_string_equal(err.text, cases[i].text);
        if (column != cases[i].column)
            fail_msg("%s: column %zu", cases[i].line, column);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_restricts),
        cmocka_unit_test(lists_ranges_and_steps_are_read),
        cmocka_unit_test(names_stand_for_months_and_weekdays_in_any_case),
        cmocka_unit_test(sunday_is_0_and_7_and_ends_a_range),
        cmocka_unit_test(words_stand_for_lines),
        cmocka_unit_test(with_day_and_weekday_restricted_either_suffices),
        cmocka_unit_test(a_field_that_begins_with_a_star_does_not_count_as_restricted),
        cmocka_unit_test(leap_years_are_known),
        cmocka_unit_test(times_before_1970_are_found_too),
        cmocka_unit_test(seconds_and_milliseconds_round_up_to_the_next_minute),
        cmocka_unit_test(each_time_is_what_looking_at_each_minute_finds),
        cmocka_unit_test(the_shortest_gap_is_the_calendars),
        cmocka_unit_test(mistakes_are_named_with_their_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
