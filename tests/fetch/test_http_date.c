#include "test.h"

#include "fetch/http_date.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW_MS 784111777000LL /* Sun, 06 Nov 1994 08:49:37 GMT */

#define NONE INT64_MIN

static int64_t parse_at(const char *text, int64_t now_ms)
{
    char *copy = strdup(text); /* of exactly its length, so that a read beyond shows */
    int64_t ms;

    assert_non_null(copy);
    if (http_date_parse((struct slice){copy, strlen(text)}, now_ms, &ms) == -1)
        ms = NONE;
    free(copy);
    return ms;
}

static int64_t parse(const char *text)
{
    return parse_at(text, NOW_MS);
}

static void the_three_forms_are_one_moment(void **state)
{
    (void)state;
    assert_int_equal(parse("Sun, 06 Nov 1994 08:49:37 GMT"), NOW_MS);
    assert_int_equal(parse("Sunday, 06-Nov-94 08:49:37 GMT"), NOW_MS);
    assert_int_equal(parse("Sun Nov  6 08:49:37 1994"), NOW_MS);
}

static void letters_count_whatever_their_case_and_utc_is_gmt(void **state)
{
    (void)state;
    assert_int_equal(parse("sun, 06 NOV 1994 08:49:37 gmt"), NOW_MS);
    assert_int_equal(parse("Sun, 06 Nov 1994 08:49:37 UTC"), NOW_MS);
    assert_int_equal(parse("SUNDAY, 06-nov-94 08:49:37 Utc"), NOW_MS);
}

static void every_day_of_six_centuries_is_what_the_c_library_says(void **state)
{
    (void)state;
    for (int64_t day = -100 * 365; day < 500 * 365; day++) {
        time_t seconds = (time_t)(day * 86400 + 86399);
        char text[64];
        struct tm tm;

        gmtime_r(&seconds, &tm);
        strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        assert_int_equal(parse(text), (int64_t)seconds * 1000);
        strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &tm);
        assert_int_equal(parse(text), (int64_t)seconds * 1000);
    }
}

static void two_digits_are_the_year_that_is_not_more_than_fifty_ahead(void **state)
{
    const int64_t in_2026 = 1767323045000;

    (void)state;
    assert_int_equal(parse_at("Saturday, 01-Jan-76 00:00:00 GMT", in_2026), 3345062400000);
    assert_int_equal(parse_at("Saturday, 01-Jan-77 00:00:00 GMT", in_2026), 220924800000);
    assert_int_equal(parse_at("Thursday, 01-Jan-70 00:00:00 GMT", in_2026), 3155760000000);
    assert_int_equal(parse_at("Friday, 01-Jan-99 00:00:00 GMT", in_2026), 915148800000);
}

static void a_leap_second_is_a_moment(void **state)
{
    (void)state;
    assert_int_equal(parse("Sat, 31 Dec 2016 23:59:60 GMT"), 1483228800000);
}

static void what_no_calendar_has_is_no_date(void **state)
{
    static const char *const wrong[] = {
        "Wed, 00 Feb 2023 00:00:00 GMT", "Wed, 29 Feb 2023 00:00:00 GMT",
        "Wed, 29 Feb 1900 00:00:00 GMT", "Wed, 31 Apr 2023 00:00:00 GMT",
        "Wed, 01 Feb 2023 24:00:00 GMT", "Wed, 01 Feb 2023 00:60:00 GMT",
        "Wed, 01 Feb 2023 00:00:61 GMT",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(parse(wrong[i]), NONE);
    assert_int_equal(parse("Tue, 29 Feb 2000 00:00:00 GMT"), 951782400000);
}

static void anything_else_is_no_date(void **state)
{
    static const char *const wrong[] = {
        "",
        "0",
        "-1",
        "784111777",
        "tomorrow 3",
        "Sun",
        "Sun,",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 EST",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Son, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Okt 1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "1994-11-06T08:49:37Z",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(parse(wrong[i]), NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_three_forms_are_one_moment),
        cmocka_unit_test(letters_count_whatever_their_case_and_utc_is_gmt),
        cmocka_unit_test(every_day_of_six_centuries_is_what_the_c_library_says),
        cmocka_unit_test(two_digits_are_the_year_that_is_not_more_than_fifty_ahead),
        cmocka_unit_test(a_leap_second_is_a_moment),
        cmocka_unit_test(what_no_calendar_has_is_no_date),
        cmocka_unit_test(anything_else_is_no_date),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
