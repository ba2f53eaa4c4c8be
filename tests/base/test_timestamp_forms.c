/* Moments in any form that says itself which it is, and how they are written. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gatherd/timestamp.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct form {
    const char *text;
    const char *moment; /* NULL: refused */
};

/* Naive times are shown as if they were UTC, with a ? in place of the Z. */
static const char *shown(struct timestamp timestamp, char text[TIMESTAMP_TEXT_SIZE])
{
    size_t length = timestamp_write(&timestamp, 3, text);

    if (timestamp.naive)
        text[length - 1] = '?';
    return text;
}

static void check_forms(const struct form *forms, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct timestamp timestamp;
        char text[TIMESTAMP_TEXT_SIZE];
        bool read = timestamp_from_any_text(slice_of(forms[i].text), &timestamp) &&
                    timestamp_is_valid(&timestamp);

        if (read != (forms[i].moment != NULL))
            fail_msg("\"%s\" is %s", forms[i].text, read ? "read" : "refused");
        if (read && strcmp(shown(timestamp, text), forms[i].moment) != 0)
            fail_msg("\"%s\" is %s, not %s", forms[i].text, text, forms[i].moment);
    }
}

static void iso_8601_with_its_shorter_forms(void **state)
{
    static const struct form forms[] = {
        {"2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"},
        {"2026-01-02T03:04:05+01:00", "2026-01-02T02:04:05.000Z"},
        {"2026-01-02T03:04:05+0100", "2026-01-02T02:04:05.000Z"},
        {"2026-01-02T03:04:05+01", "2026-01-02T02:04:05.000Z"},
        {"2026-01-02T03:04:05-0930", "2026-01-02T12:34:05.000Z"},
        {"2026-01-02T03:04", "2026-01-02T03:04:00.000?"},
        {"2026-01-02T03:04Z", "2026-01-02T03:04:00.000Z"},
        {"2026-01-02T03:04+05:30", "2026-01-01T21:34:00.000Z"},
        {"2026-01-02 03:04:05", "2026-01-02T03:04:05.000?"},
        {"2026-01-02 03:04:05 +0100", "2026-01-02T02:04:05.000Z"},
        {"2026-01-02 03:04:05 UTC", "2026-01-02T03:04:05.000Z"},
        {"2026-01-02  03:04:05,5", "2026-01-02T03:04:05.500?"},
        {"2026-01-02T03:04:05.123456Z", "2026-01-02T03:04:05.123456Z"},
        {"2026-01-02T03:04:05.1230000Z", "2026-01-02T03:04:05.123Z"},
        {"2026-01-02T03:04:05.1234Z", "2026-01-02T03:04:05.123400Z"},
        {"2026-01-02T03:04:05.1234567899999Z", "2026-01-02T03:04:05.123456789Z"},
        {"2026-01-02", "2026-01-02T00:00:00.000?"},
        {" 2026-01-02\n", "2026-01-02T00:00:00.000?"},
        {"2026-01-02T24:00", "2026-01-03T00:00:00.000?"},
        {"2026-12-31T24:00:00Z", "2027-01-01T00:00:00.000Z"},
        {"20260102T030405Z", "2026-01-02T03:04:05.000Z"},
        {"20260102T0304+0100", "2026-01-02T02:04:00.000Z"},
        {"20260102T030405.25", "2026-01-02T03:04:05.250?"},
        {"2026-02-30", NULL},
        {"2026-01-02T24:01", NULL},
        {"2026-01-02T24:00:00.001", NULL},
        {"2026-01-02T3:04", NULL},
        {"2026-01-02T03", NULL},
        {"2026-01-02T03:04:05+1", NULL},
        {"2026-01-02T03:04:05+01:0", NULL},
        {"2026-01-02T03:04:05+01000", NULL},
        {"2026-01-02T03:04:05 CET", NULL},
        {"2026-01-02T03:04:05 X", NULL},
        {"2026-01-02T03:04:05.", NULL},
        {"2026-01-02T", NULL},
        {"2026-01-02 ,", NULL},
        {"20260102", NULL}, /* a number */
        {"202601", NULL},
        {"2026", NULL},
        {"2026-01", NULL},
        {"2026-1-2", NULL},
        {"02.01.2026", NULL},
        {"01/02/2026", NULL},
        {"1767323045", NULL},
        {"12026-01-02", NULL},
        {"+002026-01-02", NULL},
        {"-0001-01-02", NULL},
        {"", NULL},
        {"   ", NULL},
    };

    (void)state;
    check_forms(forms, COUNT(forms));
}

static void weeks_and_ordinal_days(void **state)
{
    static const struct form forms[] = {
        {"2026-W03-2", "2026-01-13T00:00:00.000?"},
        {"2026-W03", "2026-01-12T00:00:00.000?"},
        {"2026W032", "2026-01-13T00:00:00.000?"},
        {"2026-W01-1", "2025-12-29T00:00:00.000?"},
        {"2020-W53-7", "2021-01-03T00:00:00.000?"},
        {"2026-W53-1", "2026-12-28T00:00:00.000?"},
        {"2026-W03-2T04:05Z", "2026-01-13T04:05:00.000Z"},
        {"2026-013", "2026-01-13T00:00:00.000?"},
        {"2024-366", "2024-12-31T00:00:00.000?"},
        {"2026013T04:05Z", "2026-01-13T04:05:00.000Z"},
        {"2025-W53-1", NULL}, /* that year has 52 */
        {"2026-W00-1", NULL},
        {"2026-W54-1", NULL},
        {"2026-W03-0", NULL},
        {"2026-W03-8", NULL},
        {"2026-W3-1", NULL},
        {"2026-W03-", NULL},
        {"2026-000", NULL},
        {"2026-366", NULL},
    };

    (void)state;
    check_forms(forms, COUNT(forms));
}

static void the_dates_of_mail_http_and_feeds(void **state)
{
    static const struct form forms[] = {
        {"Fri, 02 Jan 2026 03:04:05 GMT", "2026-01-02T03:04:05.000Z"},
        {"Fri, 02 Jan 2026 03:04:05 +0000", "2026-01-02T03:04:05.000Z"},
        {"Fri, 2 Jan 2026 03:04:05 -0800 (PST)", "2026-01-02T11:04:05.000Z"},
        {"Fri, 02 Jan 2026 03:04:05 EST", "2026-01-02T08:04:05.000Z"},
        {"Fri, 02 Jan 2026 03:04:05 EDT", "2026-01-02T07:04:05.000Z"},
        {"Fri, 02 Jan 2026 03:04:05 CST", "2026-01-02T09:04:05.000Z"},
        {"Fri, 02 Jan 2026 03:04:05 CDT", "2026-01-02T08:04:05.000Z"},
        {"Fri, 02 Jan 2026 03:04:05 MST", "2026-01-02T10:04:05.000Z"},
        {"Fri, 02 Jan 2026 03:04:05 MDT", "2026-01-02T09:04:05.000Z"},
        {"Fri, 02 Jan 2026 03:04:05 PST", "2026-01-02T11:04:05.000Z"},
        {"Fri, 02 Jan 2026 03:04:05 pdt", "2026-01-02T10:04:05.000Z"},
        {"Fri, 02 Jan 2026 03:04:05 UT", "2026-01-02T03:04:05.000Z"},
        {"Fri, 02 Jan 2026 03:04:05 Z", "2026-01-02T03:04:05.000Z"},
        {"02 Jan 2026 03:04 +0100", "2026-01-02T02:04:00.000Z"},
        {"02 Jan 2026 3:04", "2026-01-02T03:04:00.000?"},
        {"Fri, 02 Jan 2026", "2026-01-02T00:00:00.000?"},
        {"Friday, 02-Jan-26 03:04:05 GMT", "2026-01-02T03:04:05.000Z"},
        {"02 Jan 49 03:04:05 GMT", "2049-01-02T03:04:05.000Z"},
        {"02 Jan 50 03:04:05 GMT", "1950-01-02T03:04:05.000Z"},
        {"02 Jan 126 03:04:05 GMT", "2026-01-02T03:04:05.000Z"},
        {"Mon, 02 January 2026 03:04:05 GMT", "2026-01-02T03:04:05.000Z"}, /* a Friday in truth */
        {"Fri Jan  2 03:04:05 2026", "2026-01-02T03:04:05.000?"},
        {"Fri Jan 02 03:04:05 +0100 2026", "2026-01-02T02:04:05.000Z"},
        {"Fri Jan  2 03:04:05 UTC 2026", "2026-01-02T03:04:05.000Z"},
        {"Sat, 31 Dec 2016 23:59:60 GMT", "2017-01-01T00:00:00.000Z"},
        {"Fri, 02 Jan 2026 03:04:05 CET", NULL},
        {"Fri, 02 Jan 2026 03:04:05 A", NULL},
        {"Fri, 02 Jan 2026 03:04:05 ESTX", NULL},
        {"Fri, 02 Jan 2026 03:04:05 EST5EDT", NULL},
        {"Fri, 02 Jan 2026 03:04:05 (", NULL},
        {"Fri, 02 Jan 2026 03:04:05 () x", NULL},
        {"Fri, 31 Feb 2026 03:04:05 GMT", NULL},
        {"Fri, 00 Jan 2026 03:04:05 GMT", NULL},
        {"Fri, 02 Foo 2026 03:04:05 GMT", NULL},
        {"Fri, 02 Jan 2 03:04:05 GMT", NULL},
        {"Fri, 02 Jan 20260 03:04:05 GMT", NULL},
        {"Fri, 02 Jan 2026 24:04:05 GMT", NULL},
        {"Fri, 02 Jan 2026 03:60:05 GMT", NULL},
        {"Fri, 02 Jan 2026 03", NULL},
        {"Fri,", NULL},
        {"Fri", NULL},
        {"Jan 2 2026", NULL},
        {"soon", NULL},
    };

    (void)state;
    check_forms(forms, COUNT(forms));
}

static void years_and_leap_seconds_at_their_limits(void **state)
{
    static const struct form forms[] = {
        {"0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"},
        {"9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"},
        {"0000-01-01T00:00:00+00:01", NULL},
        {"9999-12-31T23:59:59-00:01", NULL},
        {"9999-12-31T24:00Z", NULL},
        {"0000-W01-1", "0000-01-03T00:00:00.000?"},
        {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"},
        {"2016-12-31T18:59:60-05", "2017-01-01T00:00:00.000Z"},
        {"2016-12-31T23:59:60+01:00", NULL},
    };

    (void)state;
    check_forms(forms, COUNT(forms));
}

/* --- Numbers --- */

static void numbers_keep_their_digits_down_to_the_nanosecond(void **state)
{
    static const struct {
        const char *number;
        enum time_unit unit;
        const char *moment;
    } cases[] = {
        {"1767323045", TIME_UNIT_S, "2026-01-02T03:04:05.000Z"},
        {"1767323045.678901", TIME_UNIT_S, "2026-01-02T03:04:05.678901Z"},
        {"1.7673230456e9", TIME_UNIT_S, "2026-01-02T03:04:05.600Z"},
        {"1767323045678", TIME_UNIT_MS, "2026-01-02T03:04:05.678Z"},
        {"1767323045678.5", TIME_UNIT_MS, "2026-01-02T03:04:05.678500Z"},
        {"1767323045678901", TIME_UNIT_US, "2026-01-02T03:04:05.678901Z"},
        {"1767323045678901234", TIME_UNIT_NS, "2026-01-02T03:04:05.678901234Z"},
        {"1767323045678901234.9", TIME_UNIT_NS, "2026-01-02T03:04:05.678901234Z"},
        {"1767323045.1234567891234", TIME_UNIT_S, "2026-01-02T03:04:05.123456789Z"},
        {"0", TIME_UNIT_NS, "1970-01-01T00:00:00.000Z"},
        {"-0.001", TIME_UNIT_S, "1969-12-31T23:59:59.999Z"},
        {"-1", TIME_UNIT_NS, "1969-12-31T23:59:59.999999999Z"},
        {"-0.1", TIME_UNIT_NS, "1969-12-31T23:59:59.999999999Z"},
        {"-86400", TIME_UNIT_S, "1969-12-31T00:00:00.000Z"},
        {"-62167219200", TIME_UNIT_S, "0000-01-01T00:00:00.000Z"},
        {"253402300799.9999999", TIME_UNIT_S, "9999-12-31T23:59:59.999999900Z"},
        {"253402300800", TIME_UNIT_S, NULL},
        {"-62167219200.1", TIME_UNIT_S, NULL},
        {"1e400", TIME_UNIT_S, NULL},
        {"-1e400", TIME_UNIT_NS, NULL},
        {"17673230456789012345", TIME_UNIT_S, NULL},
        {"1767323045", TIME_UNIT_NONE, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct timestamp timestamp;
        struct decimal number;
        char text[TIMESTAMP_TEXT_SIZE];
        bool read;

        assert_true(decimal_read(slice_of(cases[i].number), &number));
        read = timestamp_from_decimal(&number, cases[i].unit, &timestamp) &&
               timestamp_is_valid(&timestamp);
        if (read != (cases[i].moment != NULL))
            fail_msg("%s is %s", cases[i].number, read ? "read" : "refused");
        if (read)
            assert_string_equal(shown(timestamp, text), cases[i].moment);
    }
}

/* --- Writing --- */

static void a_column_of_us_or_ns_has_as_many_digits_always(void **state)
{
    struct timestamp timestamp = {.seconds = 1767323045, .nanoseconds = 678000000};
    char text[TIMESTAMP_TEXT_SIZE];

    (void)state;
    assert_int_equal(timestamp_write(&timestamp, 6, text), 27);
    assert_string_equal(text, "2026-01-02T03:04:05.678000Z");
    assert_int_equal(timestamp_write(&timestamp, 9, text), 30);
    assert_string_equal(text, "2026-01-02T03:04:05.678000000Z");
    timestamp.nanoseconds = 1;
    assert_int_equal(timestamp_write(&timestamp, 3, text), 30);
    assert_string_equal(text, "2026-01-02T03:04:05.000000001Z");
}

static uint64_t random_state = 88172645463325252u;

static uint64_t random64(void) /* xorshift: the same numbers in every run */
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* strftime(3) writes a moment in many forms, and each of them is read as that moment. */
static void what_the_c_library_writes_is_read_as_the_same_moment(void **state)
{
    static const char *const patterns[] = {
        "%Y-%m-%dT%H:%M:%SZ",        "%Y-%m-%d %H:%M:%S+00",    "%G-W%V-%uT%H:%M:%S+0000",
        "%Y-%jT%H:%M:%S+00:00",      "%Y%m%dT%H%M%SZ",          "%a, %d %b %Y %H:%M:%S GMT",
        "%A, %d %B %Y %H:%M:%S UTC", "%a %b %e %H:%M:%S UT %Y", "%Y%jT%H%M%S Z",
        "%GW%V%uT%H%M%SZ",           "%e-%b-%Y %k:%M:%S +0000",
    };

    (void)state;
    for (int i = 0; i < 20000; i++) {
        time_t at = (time_t)(random64() % 315537897600) - 62135596800; /* years 1 to 9999 */
        const char *pattern = patterns[(size_t)i % COUNT(patterns)];
        struct timestamp timestamp;
        char text[80];
        struct tm tm;

        if (strstr(pattern, "%b") != NULL || strstr(pattern, "%B") != NULL)
            at = (time_t)(random64() % 253402300800 - 0); /* whose years have four digits */
        gmtime_r(&at, &tm);
        if (tm.tm_year + 1900 < 1000)
            continue; /* the C library writes 999 without its zero */
        strftime(text, sizeof(text), pattern, &tm);
        if (!timestamp_from_any_text(slice_of(text), &timestamp) || timestamp.naive ||
            timestamp.seconds != at)
            fail_msg("\"%s\" is read as %lld, not %lld", text, (long long)timestamp.seconds,
                     (long long)at);
    }
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct timestamp timestamp = {.seconds = (int64_t)(random64() % 315569520000) - 62167219200,
                                      .nanoseconds = (int32_t)(random64() % 1000000000)};
        char text[TIMESTAMP_TEXT_SIZE];
        struct timestamp back;

        if (i % 3 == 0)
            timestamp.nanoseconds = timestamp.nanoseconds / 1000000 * 1000000;
        timestamp_write(&timestamp, 3, text);
        assert_true(timestamp_from_any_text(slice_of(text), &back));
        assert_true(back.seconds == timestamp.seconds &&
                    back.nanoseconds == timestamp.nanoseconds && !back.naive);
    }
}

/* Any one character changed: it is refused, or read as something; nothing else happens. */
static void a_changed_character_does_no_harm(void **state)
{
    static const char *const texts[] = {"2026-01-02T03:04:05.678+01:00", "2026-W03-2T04:05Z",
                                        "Fri, 02 Jan 2026 03:04:05 -0800 (PST)",
                                        "Fri Jan  2 03:04:05 UTC 2026", "20260102T030405Z"};

    (void)state;
    for (size_t t = 0; t < COUNT(texts); t++) {
        size_t length = strlen(texts[t]);

        for (size_t i = 0; i < length; i++) {
            for (int c = 1; c < 256; c++) {
                char *text = malloc(length); /* its end is watched by the sanitizer */
                struct timestamp timestamp;

                assert_non_null(text);
                memcpy(text, texts[t], length);
                text[i] = (char)c;
                if (timestamp_from_any_text((struct slice){text, length}, &timestamp))
                    assert_in_range(timestamp.nanoseconds, 0, 999999999);
                timestamp_from_any_text((struct slice){text, i}, &timestamp);
                free(text);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iso_8601_with_its_shorter_forms),
        cmocka_unit_test(weeks_and_ordinal_days),
        cmocka_unit_test(the_dates_of_mail_http_and_feeds),
        cmocka_unit_test(years_and_leap_seconds_at_their_limits),
        cmocka_unit_test(numbers_keep_their_digits_down_to_the_nanosecond),
        cmocka_unit_test(a_column_of_us_or_ns_has_as_many_digits_always),
        cmocka_unit_test(what_the_c_library_writes_is_read_as_the_same_moment),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_changed_character_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
