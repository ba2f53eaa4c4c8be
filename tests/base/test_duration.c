#include "test.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gatherd/duration.h"

static const char *shown(const struct decimal *d, char *text, size_t size)
{
    snprintf(text, size, "%s%" PRIu64 "e%" PRId64, d->negative ? "-" : "", d->mantissa,
             d->exponent);
    return text;
}

static void expect(const char *text, const char *seconds)
{
    struct decimal decimal;
    char buffer[64];

    if (duration_from_text(slice_of(text), &decimal) != DURATION_READ)
        fail_msg("\"%s\" is refused", text);
    if (strcmp(shown(&decimal, buffer, sizeof(buffer)), seconds) != 0)
        fail_msg("\"%s\" is %s, not %s", text, buffer, seconds);
}

static void expect_form(const char *const *texts, enum duration_form form)
{
    struct decimal decimal;

    for (; *texts != NULL; texts++) {
        if (duration_from_text(slice_of(*texts), &decimal) != form)
            fail_msg("\"%s\"", *texts);
    }
}

static void iso_8601(void **state)
{
    (void)state;
    expect("PT1H2M", "3720e0");
    expect("PT1H2M3S", "3723e0");
    expect("P1DT12H", "129600e0");
    expect("P2W", "1209600e0");
    expect("P1W1D", "691200e0");
    expect("PT0S", "0e0");
    expect("-PT0S", "0e0");
    expect("-PT1M", "-60e0");
    expect("+PT1M", "60e0");
    expect("PT0.5S", "500000000e-9");
    expect("PT0,25H", "900e0");
    expect("PT36H", "129600e0");
    expect("P0Y0M1D", "86400e0");
    expect("PT1.0000000009S", "1e0");
    expect(" PT5M ", "300e0");
}

static void clocks(void **state)
{
    (void)state;
    expect("01:02:03", "3723e0");
    expect("1:02:03.5", "3723500000000e-9");
    expect("100:00:00", "360000e0");
    expect("-00:00:01", "-1e0");
    expect("1.02:03:04", "93784e0");
    expect("1 day, 2:03:04", "93784e0");
    expect("2 days 00:00:01", "172801e0");
    expect("00:00:00.1234567", "123456700e-9");
}

static void numbers_with_units(void **state)
{
    (void)state;
    expect("1h30m", "5400e0");
    expect("1.5h", "5400e0");
    expect("2m3.5s", "123500000000e-9");
    expect("300ms", "300000000e-9");
    expect("1d 2h", "93600e0");
    expect("1w", "604800e0");
    expect("15us", "15000e-9");
    expect("15\xc2\xb5s", "15000e-9");
    expect("15\xce\xbcs", "15000e-9");
    expect("7ns", "7e-9");
    expect("1h0m0s", "3600e0");
    expect("-1m", "-60e0");
    expect("0s", "0e0");
}

static void what_is_no_duration(void **state)
{
    static const char *const texts[] = {"",
                                        "P",
                                        "PT",
                                        "P1",
                                        "PT1",
                                        "1",
                                        "1.5",
                                        "P1DT",
                                        "PT1M1H",
                                        "PT1M1M",
                                        "P1D2W",
                                        "PT1.5H2M",
                                        "PT1H 2M",
                                        "p1d",
                                        "P-1D",
                                        "--PT1M",
                                        "PT.5S",
                                        "PT5.S",
                                        "01:60:00",
                                        "01:00:60",
                                        "1:2:3",
                                        "01:02:03:04",
                                        "01:02:03x",
                                        "01:02:03.",
                                        "1h1h",
                                        "30m1h",
                                        "1hour",
                                        "1 h",
                                        "h",
                                        "1h30",
                                        "soon",
                                        "1 day",
                                        "1 dayx 1:00:00",
                                        "1x02:03:04",
                                        "99999999999999999999s",
                                        "P99999999999999W",
                                        "18446744073709551615.5s",
                                        "-",
                                        "1h,",
                                        NULL};

    (void)state;
    expect_form(texts, DURATION_UNKNOWN);
}

static void what_has_no_fixed_length_or_two_meanings(void **state)
{
    static const char *const calendar[] = {"P1Y", "P1M", "P1Y2M3DT4H", "P0.5Y", "-P1M", NULL};
    static const char *const ambiguous[] = {"03:45", "-3:45", "1 day, 3:45", NULL};

    (void)state;
    expect_form(calendar, DURATION_OF_CALENDAR);
    expect_form(ambiguous, DURATION_AMBIGUOUS);
}

static void centuries_are_exact(void **state)
{
    (void)state;
    expect("P10000000000W", "6048000000000000e0");
    expect("18446744073.709551615s", "18446744073709551615e-9");
    expect("1000000:00:00", "3600000000e0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iso_8601),
        cmocka_unit_test(clocks),
        cmocka_unit_test(numbers_with_units),
        cmocka_unit_test(what_is_no_duration),
        cmocka_unit_test(what_has_no_fixed_length_or_two_meanings),
        cmocka_unit_test(centuries_are_exact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
