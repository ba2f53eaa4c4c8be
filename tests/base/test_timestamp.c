#include "test.h"

#include <string.h>

#include "gatherd/clock.h"
#include "gatherd/timestamp.h"

struct text_case {
    const char *text;
    const char *moment; /* NULL: refused */
};

static void check_text(const struct text_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char shown[CLOCK_TEXT_SIZE];
        int64_t wall_ms = -1;
        bool read = timestamp_from_text(slice_of(cases[i].text), &wall_ms);

        if (read != (cases[i].moment != NULL))
            fail_msg("\"%s\" is %s", cases[i].text, read ? "read" : "refused");
        if (read)
            assert_string_equal(clock_format(wall_ms, shown), cases[i].moment);
    }
}

#define CHECK_TEXT(cases) check_text(cases, sizeof(cases) / sizeof((cases)[0]))

static void rfc_3339_text_is_read_with_any_offset(void **state)
{
    static const struct text_case cases[] = {
        {"2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"},
        {"2026-01-02t03:04:05z", "2026-01-02T03:04:05.000Z"},
        {"2026-01-02 03:04:05Z", "2026-01-02T03:04:05.000Z"},
        {"2026-01-02T03:04:05+00:00", "2026-01-02T03:04:05.000Z"},
        {"2026-01-02T03:04:05-00:00", "2026-01-02T03:04:05.000Z"},
        {"2026-01-02T03:04:05+05:30", "2026-01-01T21:34:05.000Z"},
        {"2026-12-31T23:59:59-08:00", "2027-01-01T07:59:59.000Z"},
        {"2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000Z"},
        {"2000-02-29T12:00:00Z", "2000-02-29T12:00:00.000Z"},
        {"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
        {"0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"},
        {"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
    };

    (void)state;
    CHECK_TEXT(cases);
}

static void fractions_of_any_length_are_rounded_down(void **state)
{
    static const struct text_case cases[] = {
        {"2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.100Z"},
        {"2026-01-02T03:04:05.12Z", "2026-01-02T03:04:05.120Z"},
        {"2026-01-02T03:04:05.123Z", "2026-01-02T03:04:05.123Z"},
        {"2026-01-02T03:04:05.1239999999999999999999999Z", "2026-01-02T03:04:05.123Z"},
        {"2026-01-02T03:04:05.0009Z", "2026-01-02T03:04:05.000Z"},
        {"1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999Z"},
        {"2026-01-02T03:04:05.678+01:00", "2026-01-02T02:04:05.678Z"},
    };

    (void)state;
    CHECK_TEXT(cases);
}

static void without_an_offset_it_is_utc_and_a_date_is_its_midnight(void **state)
{
    static const struct text_case cases[] = {
        {"2026-01-02T03:04:05", "2026-01-02T03:04:05.000Z"},
        {"2026-01-02 03:04:05.5", "2026-01-02T03:04:05.500Z"},
        {"2026-01-02", "2026-01-02T00:00:00.000Z"},
    };

    (void)state;
    CHECK_TEXT(cases);
}

static void a_leap_second_is_the_second_after_it(void **state)
{
    static const struct text_case cases[] = {
        {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"},
        {"2016-12-31T15:59:60-08:00", "2017-01-01T00:00:00.000Z"},
        {"2016-12-31T23:59:60.500Z", "2017-01-01T00:00:00.500Z"},
        {"2016-12-31T22:59:60Z", NULL},
        {"2016-12-31T23:58:60Z", NULL},
        {"2016-12-31T23:59:61Z", NULL},
    };

    (void)state;
    CHECK_TEXT(cases);
}

static void anything_else_is_refused(void **state)
{
    static const struct text_case cases[] = {
        {"", NULL},
        {"now", NULL},
        {"2026", NULL},
        {"2026-01", NULL},
        {"2026-1-2", NULL},
        {"20260102", NULL},
        {"2026-00-02", NULL},
        {"2026-13-02", NULL},
        {"2026-01-00", NULL},
        {"2026-01-32", NULL},
        {"2026-02-29", NULL},
        {"1900-02-29", NULL},
        {"2026-04-31", NULL},
        {"2026-01-02T", NULL},
        {"2026-01-02T03", NULL},
        {"2026-01-02T03:04", NULL},
        {"2026-01-02T03:04:0", NULL},
        {"2026-01-02T24:00:00Z", NULL},
        {"2026-01-02T03:60:00Z", NULL},
        {"2026-01-02T03:04:05.Z", NULL},
        {"2026-01-02T03:04:05,5Z", NULL},
        {"2026-01-02T03:04:05+0100", NULL},
        {"2026-01-02T03:04:05+01", NULL},
        {"2026-01-02T03:04:05+24:00", NULL},
        {"2026-01-02T03:04:05+01:60", NULL},
        {"2026-01-02T03:04:05 +01:00", NULL},
        {"2026-01-02T03:04:05ZZ", NULL},
        {"2026-01-02T03:04:05Z ", NULL},
        {" 2026-01-02", NULL},
        {"2026-01-02 ", NULL},
        {"2026-01-02Z", NULL},
        {"2026/01/02", NULL},
        {"-2026-01-02", NULL},
        {"+2026-01-02", NULL},
        {"12026-01-02", NULL},
        {"0000-01-01T00:00:00+00:01", NULL},
        {"9999-12-31T23:59:59-00:01", NULL},
        {"Fri, 02 Jan 2026 03:04:05 GMT", NULL},
    };

    (void)state;
    CHECK_TEXT(cases);
}

static void a_nul_byte_ends_nothing(void **state)
{
    int64_t wall_ms;

    (void)state;
    assert_false(timestamp_from_text((struct slice){"2026-01-02\0", 11}, &wall_ms));
}

struct number_case {
    const char *number;
    enum time_unit unit;
    const char *moment;
};

static void numbers_count_in_their_unit_and_are_rounded_down(void **state)
{
    static const struct number_case cases[] = {
        {"0", TIME_UNIT_S, "1970-01-01T00:00:00.000Z"},
        {"1767323045", TIME_UNIT_S, "2026-01-02T03:04:05.000Z"},
        {"1767323045.678", TIME_UNIT_S, "2026-01-02T03:04:05.678Z"},
        {"1767323045.6789999999999999999999", TIME_UNIT_S, "2026-01-02T03:04:05.678Z"},
        {"1.767323045678e9", TIME_UNIT_S, "2026-01-02T03:04:05.678Z"},
        {"1767323045678", TIME_UNIT_MS, "2026-01-02T03:04:05.678Z"},
        {"1767323045678.9", TIME_UNIT_MS, "2026-01-02T03:04:05.678Z"},
        {"1767323045678901", TIME_UNIT_US, "2026-01-02T03:04:05.678Z"},
        {"1767323045678901234", TIME_UNIT_NS, "2026-01-02T03:04:05.678Z"},
        {"1767323045678901234.5", TIME_UNIT_NS, "2026-01-02T03:04:05.678Z"},
        {"-1", TIME_UNIT_S, "1969-12-31T23:59:59.000Z"},
        {"-0.0001", TIME_UNIT_S, "1969-12-31T23:59:59.999Z"},
        {"-0.001", TIME_UNIT_S, "1969-12-31T23:59:59.999Z"},
        {"-0.0011", TIME_UNIT_S, "1969-12-31T23:59:59.998Z"},
        {"-1", TIME_UNIT_NS, "1969-12-31T23:59:59.999Z"},
        {"1e-400", TIME_UNIT_S, "1970-01-01T00:00:00.000Z"},
        {"-62167219200", TIME_UNIT_S, "0000-01-01T00:00:00.000Z"},
        {"-62167219200.001", TIME_UNIT_S, NULL},
        {"253402300799.999", TIME_UNIT_S, "9999-12-31T23:59:59.999Z"},
        {"253402300800", TIME_UNIT_S, NULL},
        {"1767323045678901234", TIME_UNIT_S, NULL},
        {"1e400", TIME_UNIT_S, NULL},
        {"12345678901234567890123", TIME_UNIT_NS, NULL},
        {"1767323045", TIME_UNIT_NONE, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct decimal number;
        char shown[CLOCK_TEXT_SIZE];
        int64_t wall_ms = -1;
        bool read;

        assert_true(decimal_read(slice_of(cases[i].number), &number));
        read = timestamp_from_number(&number, cases[i].unit, &wall_ms);
        if (read != (cases[i].moment != NULL))
            fail_msg("%s is %s", cases[i].number, read ? "read" : "refused");
        if (read)
            assert_string_equal(clock_format(wall_ms, shown), cases[i].moment);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_3339_text_is_read_with_any_offset),
        cmocka_unit_test(fractions_of_any_length_are_rounded_down),
        cmocka_unit_test(without_an_offset_it_is_utc_and_a_date_is_its_midnight),
        cmocka_unit_test(a_leap_second_is_the_second_after_it),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(a_nul_byte_ends_nothing),
        cmocka_unit_test(numbers_count_in_their_unit_and_are_rounded_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
