/* Moments by a pattern of strptime(3). */
#include "test.h"

#include <string.h>
#include <time.h>

#include "gatherd/timestamp.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct reading {
    const char *pattern;
    const char *text;
    const char *moment; /* NULL: refused; with ? in place of Z: it is naive */
};

static void check(const struct reading *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct timestamp timestamp;
        struct error err = {0};
        char text[TIMESTAMP_TEXT_SIZE];
        size_t offset;
        bool read;

        timestamp_check_pattern(cases[i].pattern, &offset, &err);
        assert_string_equal(err.text, "");
        read = timestamp_from_pattern(slice_of(cases[i].text), cases[i].pattern, &timestamp) &&
               timestamp_is_valid(&timestamp);
        if (read != (cases[i].moment != NULL))
            fail_msg("\"%s\" by %s is %s", cases[i].text, cases[i].pattern,
                     read ? "read" : "refused");
        if (!read)
            continue;
        text[timestamp_write(&timestamp, 3, text) - 1] = timestamp.naive ? '?' : 'Z';
        if (strcmp(text, cases[i].moment) != 0)
            fail_msg("\"%s\" by %s is %s, not %s", cases[i].text, cases[i].pattern, text,
                     cases[i].moment);
    }
}

static void dates_and_times_as_people_write_them(void **state)
{
    static const struct reading cases[] = {
        {"%d.%m.%Y %H:%M", "02.01.2026 03:04", "2026-01-02T03:04:00.000?"},
        {"%d.%m.%Y %H:%M", "2.1.2026 3:04", "2026-01-02T03:04:00.000?"},
        {"%-d.%-m.%Y", "2.1.2026", "2026-01-02T00:00:00.000?"},
        {"%m/%d/%y", "01/02/68", "2068-01-02T00:00:00.000?"},
        {"%D", "01/02/69", "1969-01-02T00:00:00.000?"},
        {"%Y%m%d%H%M%S", "20260102030405", "2026-01-02T03:04:05.000?"},
        {"%Y%m%d", "20260102", "2026-01-02T00:00:00.000?"},
        {"%Y", "2026", "2026-01-01T00:00:00.000?"},
        {"%Y-%m", "2026-03", "2026-03-01T00:00:00.000?"},
        {"%Y-%j", "2024-366", "2024-12-31T00:00:00.000?"},
        {"%G-W%V", "2026-W03", "2026-01-12T00:00:00.000?"},
        {"%G-W%V-%u %R", "2026-W03-2 04:05", "2026-01-13T04:05:00.000?"},
        {"%b %e, %Y %I:%M %p", "Jan  2, 2026 03:04 PM", "2026-01-02T15:04:00.000?"},
        {"%B %e, %Y %l:%M%P", "january 2, 2026 12:04am", "2026-01-02T00:04:00.000?"},
        {"%I:%M %p %F", "12:04 p.m. 2026-01-02", "2026-01-02T12:04:00.000?"},
        {"%A, %F %T", "Friday, 2026-01-02 03:04:05", "2026-01-02T03:04:05.000?"},
        {"%a%n%F%t%k:%M", "Fri 2026-01-02   3:04", "2026-01-02T03:04:00.000?"},
        {"%Y-%m-%d %H:%M:%S.%f", "2026-01-02 03:04:05.678901", "2026-01-02T03:04:05.678901?"},
        {"%FT%T.%3N%z", "2026-01-02T03:04:05.678+0100", "2026-01-02T02:04:05.678Z"},
        {"%FT%T%:z", "2026-01-02T03:04:05-08:00", "2026-01-02T11:04:05.000Z"},
        {"%F %T %Z", "2026-01-02 03:04:05 EST", "2026-01-02T08:04:05.000Z"},
        {"%F %T %Z", "2026-01-02 03:04:05 CET", NULL},
        {"/Date(%s)/", "/Date(1767323045)/", "2026-01-02T03:04:05.000Z"},
        {"%s", "-1", "1969-12-31T23:59:59.000Z"},
        {"%s.%f", "-1.25", "1969-12-31T23:59:58.750Z"},
        {"%s.%f", "1767323045.5", "2026-01-02T03:04:05.500Z"},
        {"100%% on %F", "100% on 2026-01-02", "2026-01-02T00:00:00.000?"},
        {"%d\xc2\xb7%m\xc2\xb7%Y",
         "02\xc2\xb7"
         "01\xc2\xb7"
         "2026",
         "2026-01-02T00:00:00.000?"},
        {"%d.%m.%Y", " 02.01.2026 ", "2026-01-02T00:00:00.000?"},
        {"%d.%m.%Y", "30.02.2026", NULL},
        {"%d.%m.%Y", "32.01.2026", NULL},
        {"%d.%m.%Y", "00.01.2026", NULL},
        {"%d.%m.%Y", "02.13.2026", NULL},
        {"%d.%m.%Y", "02.01.26", NULL},
        {"%d.%m.%Y", "02.01.2026 03:04", NULL},
        {"%d.%m.%Y", "02-01-2026", NULL},
        {"%d.%m.%Y", "", NULL},
        {"%Y%m%d", "2026010", NULL},
        {"%F %T", "2026-01-02 24:00:00", NULL},
        {"%F %T", "2026-01-02 03:04:60", NULL},
        {"%F %TZ%z", "2016-12-31 23:59:60Z+00", "2017-01-01T00:00:00.000Z"},
        {"%F %I %p", "2026-01-02 13 PM", NULL},
        {"%F %I %p", "2026-01-02 00 AM", NULL},
        {"%F %I %p", "2026-01-02 01 XM", NULL},
        {"%s", "9999999999999", NULL},
        {"%s", "-", NULL},
        {"%G-W%V", "2025-W53", NULL},
        {"%F %a", "2026-01-02 Foo", NULL},
        {"%Y %b", "2026 Foo", NULL},
    };

    (void)state;
    check(cases, COUNT(cases));
}

static void expect_problem(const char *pattern, size_t at, const char *problem)
{
    struct error err = {0};
    size_t offset = 99;

    assert_int_equal(timestamp_check_pattern(pattern, &offset, &err), -1);
    assert_string_equal(err.text, problem);
    assert_int_equal(offset, at);
}

static void a_pattern_that_cannot_lead_to_a_date_is_refused_with_its_place(void **state)
{
    static const char other[] = ", which is not understood; use the conversions of strptime(3), "
                                "as in %d.%m.%Y %H:%M";
    char problem[160];

    (void)state;
    strcpy(problem, "has %Q");
    expect_problem("%Y %Q", 3, strcat(problem, other));
    strcpy(problem, "has %");
    expect_problem("%Y%", 2, strcat(problem, other));
    expect_problem("%Y-%m-%d %Y", 9, "has %Y, and what it says is said before it; remove one");
    expect_problem("%F %y", 3, "has %y, and what it says is said before it; remove one");
    expect_problem("", 0, "is no pattern; write one of strptime(3), as in %d.%m.%Y %H:%M");
    expect_problem("rfc3339", 0, "is no pattern; write one of strptime(3), as in %d.%m.%Y %H:%M");
    expect_problem("%H:%M", 0, "has no year (%Y), and a time without a date is no timestamp");
    expect_problem("%d.%Y", 0, "has a day and no month; add %m");
    expect_problem("%Y-%m-%j", 0,
                   "has %j, the day of the year, beside a month or a day; remove one");
    expect_problem("%G-%m", 0, "has one of %G and %V; a week needs both, its year and its number");
    expect_problem("%G-%V-%Y", 0,
                   "says the date by the week and by the calendar; remove one of the two");
    expect_problem("%F %I", 0, "has one of %I and %p; an hour of twelve needs both, or write %H");
    expect_problem("%F %H %I %p", 0, "has the hour of the day and the one of its half; remove one");
    expect_problem("%F %M", 0, "has minutes or seconds and no hour; add %H");
    expect_problem("%F %H %S", 0, "has seconds and no minutes; add %M");
    expect_problem("%F %H:%M.%f", 0, "has a fraction and no second; add %S");
    expect_problem("%s %Y", 0,
                   "has %s, which is a date and a time in UTC by itself; remove the others, or %s");
}

static void a_pattern_knows_whether_it_brings_a_zone(void **state)
{
    (void)state;
    assert_true(timestamp_pattern_has_zone("%F %z"));
    assert_true(timestamp_pattern_has_zone("%F %Z"));
    assert_true(timestamp_pattern_has_zone("%s"));
    assert_false(timestamp_pattern_has_zone("%F %T %%z"));
}

/* What strptime(3) of the C library reads is read by us, as the same moment. */
static void the_c_library_agrees(void **state)
{
    static const char *const patterns[] = {"%Y-%m-%d %H:%M:%S",
                                           "%d.%m.%y %H:%M:%S",
                                           "%a, %d %b %Y %T",
                                           "%A %B %e %R %Y",
                                           "%I:%M:%S %p %D",
                                           "%Y%m%d%H%M%S",
                                           "%s",
                                           "%Y %j %k:%M",
                                           "%l %p, %e.%m.%Y",
                                           "%h %d, %Y %H:%M:%S %% %t x"};
    uint64_t random = 88172645463325252u;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        const char *pattern = patterns[(size_t)i % COUNT(patterns)];
        struct timestamp timestamp;
        struct tm theirs = {.tm_mday = 1};
        struct tm tm;
        time_t at;
        char text[80];

        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        at = (time_t)(random % 3000000000u); /* 1970 to 2065: %y can tell them apart */
        gmtime_r(&at, &tm);
        strftime(text, sizeof(text), pattern, &tm);
        assert_non_null(strptime(text, pattern, &theirs));
        if (strcmp(pattern, "%s") == 0)
            theirs = tm;
        if (!timestamp_from_pattern(slice_of(text), pattern, &timestamp) ||
            timestamp.seconds != timegm(&theirs))
            fail_msg("\"%s\" by %s is %lld", text, pattern, (long long)timestamp.seconds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_and_times_as_people_write_them),
        cmocka_unit_test(a_pattern_that_cannot_lead_to_a_date_is_refused_with_its_place),
        cmocka_unit_test(a_pattern_knows_whether_it_brings_a_zone),
        cmocka_unit_test(the_c_library_agrees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
