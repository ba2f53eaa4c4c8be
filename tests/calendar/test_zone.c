#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gatherd/clock.h"
#include "gatherd/zone.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MINUTE   60000LL
#define HOUR     (60 * MINUTE)
#define DAY      (24 * HOUR)

static int setup(void **state)
{
    if (access("/usr/share/zoneinfo/Europe/Paris", R_OK) == -1) {
        print_message("tzdata is not installed; skipped\n");
        exit(77);
    }
    *state = arena_create(0);
    return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    unsetenv("TZDIR");
    return 0;
}

static const struct zone *zone_of(void **state, const char *name)
{
    const struct zone *zone = NULL;
    struct error err = {0};

    if (zone_read(name, *state, &zone, &err) == -1)
        fail_msg("%s: %s", name, err.text);
    return zone;
}

/* "2026-03-29 01:00" or with seconds. */
static int64_t moment(const char *text)
{
    char whole[CLOCK_TEXT_SIZE] = "0000-00-00T00:00:00.000Z";
    int64_t ms;

    memcpy(whole, text, 10);
    memcpy(whole + 11, text + 11, strlen(text) - 11);
    assert_int_equal(clock_parse(whole, &ms), 0);
    return ms;
}

static void check_moment(int64_t ms, const char *expected)
{
    if (ms != moment(expected)) {
        char text[CLOCK_TEXT_SIZE];

        fail_msg("%s instead of %s", clock_format(ms, text), expected);
    }
}

/* --- Against the C library, which reads the same files by itself. --- */

struct every {
    void **state;
    size_t zones;
};

static void check_offset(const struct zone *zone, const char *name, int64_t at_ms)
{
    time_t at = (time_t)(at_ms / 1000);
    struct zone_period period = zone_period_at(zone, at_ms);
    struct tm tm;

    localtime_r(&at, &tm);
    if (period.offset_ms != tm.tm_gmtoff * 1000)
        fail_msg("%s at %lld: %lld instead of %ld s", name, (long long)at,
                 (long long)(period.offset_ms / 1000), tm.tm_gmtoff);
    assert_true(period.begin_ms <= at_ms && at_ms < period.end_ms);
}

static void check_zone(void *context, const char *name)
{
    struct every *every = context;
    const struct zone *zone = zone_of(every->state, name);
    int64_t end = moment("2150-01-01 00:00");

    every->zones++;
    setenv("TZ", name, 1);
    tzset();
    for (int64_t at = moment("1850-01-01 00:00"); at < end;) {
        struct zone_period period = zone_period_at(zone, at);

        check_offset(zone, name, at);
        check_offset(zone, name, at + (at % (97 * DAY) + 97 * DAY) % (97 * DAY));
        if (period.end_ms < end) {
            check_offset(zone, name, period.end_ms - 1000);
            check_offset(zone, name, period.end_ms);
        }
        at = period.end_ms < at + 90 * DAY ? period.end_ms : at + 90 * DAY;
    }
}

static void every_zone_agrees_with_the_c_library_for_three_centuries(void **state)
{
    struct every every = {state, 0};

    zone_each_name(check_zone, &every);
    setenv("TZ", "UTC", 1);
    tzset();
    assert_true(every.zones > 300);
}

/* --- Local times. --- */

static void a_time_that_comes_twice_is_the_first_of_the_two(void **state)
{
    const struct zone *paris = zone_of(state, "Europe/Paris");

    check_moment(zone_first_showing(paris, moment("2026-10-25 01:59")), "2026-10-24 23:59");
    check_moment(zone_first_showing(paris, moment("2026-10-25 02:00")), "2026-10-25 00:00");
    check_moment(zone_first_showing(paris, moment("2026-10-25 02:59")), "2026-10-25 00:59");
    check_moment(zone_first_showing(paris, moment("2026-10-25 03:00")), "2026-10-25 02:00");
}

static void a_time_that_somebody_wrote_is_what_rfc_5545_takes_it_for(void **state)
{
    const struct zone *paris = zone_of(state, "Europe/Paris");
    const struct zone *apia = zone_of(state, "Pacific/Apia"); /* had no 2011-12-30 */

    check_moment(zone_from_local(paris, moment("2026-03-29 01:59")), "2026-03-29 00:59");
    check_moment(zone_from_local(paris, moment("2026-03-29 02:00")), "2026-03-29 01:00");
    check_moment(zone_from_local(paris, moment("2026-03-29 02:30")), "2026-03-29 01:30");
    check_moment(zone_from_local(paris, moment("2026-03-29 03:00")), "2026-03-29 01:00");
    check_moment(zone_from_local(paris, moment("2026-10-25 02:30")), "2026-10-25 00:30");
    check_moment(zone_from_local(paris, moment("2026-10-25 03:00")), "2026-10-25 02:00");
    check_moment(zone_from_local(apia, moment("2011-12-30 12:00")), "2011-12-30 22:00");
    check_moment(zone_from_local(apia, moment("2011-12-31 00:00")), "2011-12-30 10:00");
    check_moment(zone_from_local(NULL, moment("2026-03-29 02:30")), "2026-03-29 02:30");
}

static void a_time_that_is_skipped_is_the_moment_of_the_jump(void **state)
{
    const struct zone *paris = zone_of(state, "Europe/Paris");

    check_moment(zone_first_showing(paris, moment("2026-03-29 01:59")), "2026-03-29 00:59");
    check_moment(zone_first_showing(paris, moment("2026-03-29 02:00")), "2026-03-29 01:00");
    check_moment(zone_first_showing(paris, moment("2026-03-29 02:30")), "2026-03-29 01:00");
    check_moment(zone_first_showing(paris, moment("2026-03-29 03:00")), "2026-03-29 01:00");
    check_moment(zone_first_showing(paris, moment("2026-03-29 03:01")), "2026-03-29 01:01");
}

static void a_day_that_is_skipped_is_the_moment_of_the_jump(void **state)
{
    const struct zone *apia = zone_of(state, "Pacific/Apia"); /* there was no 2011-12-30 */

    check_moment(zone_first_showing(apia, moment("2011-12-29 23:00")), "2011-12-30 09:00");
    check_moment(zone_first_showing(apia, moment("2011-12-30 12:00")), "2011-12-30 10:00");
    check_moment(zone_first_showing(apia, moment("2011-12-31 00:00")), "2011-12-30 10:00");
    check_moment(zone_first_showing(apia, moment("2011-12-31 01:00")), "2011-12-30 11:00");
}

static void the_furthest_local_time_stands_still_while_an_hour_is_repeated(void **state)
{
    const struct zone *paris = zone_of(state, "Europe/Paris");

    check_moment(zone_furthest_local(paris, moment("2026-10-25 00:30")), "2026-10-25 02:30");
    for (int64_t at = moment("2026-10-25 01:00"); at < moment("2026-10-25 02:00"); at += MINUTE)
        assert_int_equal(zone_furthest_local(paris, at), moment("2026-10-25 03:00") - 1);
    check_moment(zone_furthest_local(paris, moment("2026-10-25 02:00")), "2026-10-25 03:00");
    check_moment(zone_furthest_local(paris, moment("2026-03-29 01:00")), "2026-03-29 03:00");
}

static void offsets_follow_the_history_of_the_place(void **state)
{
    static const struct {
        const char *zone;
        const char *at;
        int64_t offset_ms;
    } cases[] = {
        {"Europe/Paris", "2026-01-01 00:00", HOUR},
        {"Europe/Paris", "2026-07-01 00:00", 2 * HOUR},
        {"America/New_York", "2026-07-01 00:00", -4 * HOUR},
        {"America/New_York", "2099-12-01 00:00", -5 * HOUR},
        {"Australia/Lord_Howe", "2026-01-01 00:00", 11 * HOUR},
        {"Australia/Lord_Howe", "2026-07-01 00:00", 10 * HOUR + 30 * MINUTE},
        {"Asia/Kolkata", "2026-07-01 00:00", 5 * HOUR + 30 * MINUTE},
        {"Asia/Kathmandu", "2026-07-01 00:00", 5 * HOUR + 45 * MINUTE},
        {"Africa/Casablanca", "2026-02-01 00:00", HOUR},
        {"Africa/Casablanca", "2026-03-01 00:00", 0}, /* Ramadan */
        {"America/Sao_Paulo", "2018-12-01 00:00", -2 * HOUR},
        {"America/Sao_Paulo", "2019-12-01 00:00", -3 * HOUR}, /* summer time was given up */
        {"Europe/Dublin", "2050-01-01 00:00", 0}, /* where winter time is the exception */
        {"Europe/Dublin", "2050-07-01 00:00", HOUR},
        {"Etc/GMT+5", "2026-01-01 00:00", -5 * HOUR},
        {"Pacific/Kiritimati", "2026-01-01 00:00", 14 * HOUR},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(
            zone_period_at(zone_of(state, cases[i].zone), moment(cases[i].at)).offset_ms,
            cases[i].offset_ms);
}

static void utc_needs_no_file(void **state)
{
    setenv("TZDIR", "/nonexistent", 1);
    assert_null(zone_of(state, "UTC"));
    assert_null(zone_of(state, "Etc/UTC"));
    assert_int_equal(zone_period_at(NULL, 5).offset_ms, 0);
    assert_int_equal(zone_period_at(NULL, 5).end_ms, INT64_MAX);
    assert_int_equal(zone_first_showing(NULL, 77), 77);
    assert_int_equal(zone_furthest_local(NULL, 77), 77);
}

/* --- What cannot be read. --- */

static void check_refused(void **state, const char *name, enum error_code code, const char *text)
{
    const struct zone *zone;
    struct error err = {0};

    assert_int_equal(zone_read(name, *state, &zone, &err), -1);
    assert_int_equal(err.code, code);
    assert_string_equal(err.text, text);
}

static void a_name_that_is_no_zone_is_refused(void **state)
{
    static const char *const names[] = {"Europe/Pari",    "Europe",        "",        "/etc/passwd",
                                        "../passwd",      "Europe//Paris", "Europe/", "zone.tab",
                                        "Europe/Paris/x", "Europe\nParis"};

    for (size_t i = 0; i < COUNT(names); i++) {
        char text[80];

        snprintf(text, sizeof(text), "there is no time zone %s", names[i]);
        check_refused(state, names[i], ERROR_CONFIG, text);
    }
}

static void a_machine_without_zones_says_which_package_has_them(void **state)
{
    setenv("TZDIR", "/nonexistent/zoneinfo", 1);
    check_refused(state, "Europe/Paris", ERROR_UNAVAILABLE,
                  "there is no time zone database in /nonexistent/zoneinfo; install the package "
                  "tzdata, or use UTC");
}

static void a_zone_that_counts_leap_seconds_is_refused(void **state)
{
    if (access("/usr/share/zoneinfo/right/Europe/Paris", R_OK) == -1)
        skip();
    check_refused(state, "right/Europe/Paris", ERROR_FAILED,
                  "cannot use /usr/share/zoneinfo/right/Europe/Paris: it counts leap seconds, "
                  "which Unix time does not; use the zone of the same name outside of right/");
}

static char *read_paris(size_t *length)
{
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Paris", "r");
    char *data = malloc(65536);

    assert_true(file != NULL && data != NULL);
    *length = fread(data, 1, 65536, file);
    fclose(file);
    return data;
}

static void a_file_that_is_cut_anywhere_is_refused(void **state)
{
    size_t length;
    char *data = read_paris(&length);

    for (size_t cut = 0; cut < length; cut++) {
        char *part = malloc(cut + 1); /* of its own, so that a sanitizer sees what is beyond */
        struct error err = {0};

        memcpy(part, data, cut);
        assert_null(zone_parse(part, cut, *state, &err));
        assert_int_equal(err.code, ERROR_FAILED);
        free(part);
    }
    assert_non_null(zone_parse(data, length, *state, NULL));
    free(data);
}

static void a_file_with_a_wrong_byte_is_refused_or_still_makes_sense(void **state)
{
    size_t length;
    char *data = read_paris(&length);

    for (size_t at = 0; at < length; at++) {
        for (unsigned flip = 1; flip < 256; flip <<= 1) {
            const struct zone *zone;

            data[at] = (char)((unsigned char)data[at] ^ flip);
            zone = zone_parse(data, length, *state, NULL);
            if (zone != NULL) {
                int64_t now = moment("2026-06-01 00:00");

                assert_in_range(zone_first_showing(zone, now) + 27 * HOUR, now, now + 54 * HOUR);
                assert_true(zone_furthest_local(zone, now) > now - 27 * HOUR);
                zone_first_showing(zone, moment("2300-06-01 00:00"));
            }
            data[at] = (char)((unsigned char)data[at] ^ flip);
        }
        arena_reset(*state);
    }
    free(data);
}

static void append(char **p, const void *bytes, size_t count)
{
    memcpy(*p, bytes, count);
    *p += count;
}

/* A file without changes: two headers, one type each, and the footer. */
static const struct zone *with_footer(void **state, const char *footer)
{
    static const char header[44] = "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                   "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4";
    static const char block[] = "\0\0\0\0\0\0XXX";
    char file[512];
    char *p = file;

    for (int i = 0; i < 2; i++) {
        append(&p, header, sizeof(header));
        append(&p, block, sizeof(block));
    }
    append(&p, "\n", 1);
    append(&p, footer, strlen(footer));
    append(&p, "\n", 1);
    return zone_parse(file, (size_t)(p - file), *state, NULL);
}

static void footers_that_are_no_rule_are_refused(void **state)
{
    static const char *const wrong[] = {
        "X",
        "CET",
        "CET-25",
        "CET-1:60",
        "<+01-1",
        "CET-1CE",
        "CET-1CEST",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,M3.5.0,M10.5.0/168",
        "CET-1CEST,M3.5.0,M10.5.0/3x",
        "CET-1CEST,J0,J365",
        "CET-1CEST,366,0",
        "CET-1CEST,M3,M10",
    };

    assert_non_null(with_footer(state, "CET-1CEST,M3.5.0,M10.5.0/3"));
    for (size_t i = 0; i < COUNT(wrong); i++) {
        if (with_footer(state, wrong[i]) != NULL)
            fail_msg("%s was taken", wrong[i]);
    }
}

static void the_days_of_a_footer_may_be_counted_through_the_year(void **state)
{
    const struct zone *zone = with_footer(state, "AAA0BBB,J60/0,J300/1");

    check_moment(zone_period_at(zone, moment("2026-06-01 00:00")).begin_ms, "2026-03-01 00:00");
    check_moment(zone_period_at(zone, moment("2028-06-01 00:00")).begin_ms, "2028-03-01 00:00");
    check_moment(zone_period_at(zone, moment("2028-06-01 00:00")).end_ms, "2028-10-27 00:00");
    zone = with_footer(state, "AAA0BBB,59/0,300/1");
    check_moment(zone_period_at(zone, moment("2026-06-01 00:00")).begin_ms, "2026-03-01 00:00");
    check_moment(zone_period_at(zone, moment("2028-06-01 00:00")).begin_ms, "2028-02-29 00:00");
}

static void summer_time_may_never_end(void **state)
{
    const struct zone *zone = with_footer(state, "XXX3EDT4,0/0,J365/23"); /* RFC 9636, 3.3.1 */

    for (int64_t at = moment("2026-01-01 00:00"); at < moment("2030-01-01 00:00"); at += HOUR)
        assert_int_equal(zone_period_at(zone, at).offset_ms, -4 * HOUR);
    assert_int_equal(zone_first_showing(zone, moment("2026-12-31 20:30")),
                     moment("2027-01-01 00:30"));
}

#define IN_AN_ARENA(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_AN_ARENA(every_zone_agrees_with_the_c_library_for_three_centuries),
        IN_AN_ARENA(a_time_that_comes_twice_is_the_first_of_the_two),
        IN_AN_ARENA(a_time_that_somebody_wrote_is_what_rfc_5545_takes_it_for),
        IN_AN_ARENA(a_time_that_is_skipped_is_the_moment_of_the_jump),
        IN_AN_ARENA(a_day_that_is_skipped_is_the_moment_of_the_jump),
        IN_AN_ARENA(the_furthest_local_time_stands_still_while_an_hour_is_repeated),
        IN_AN_ARENA(offsets_follow_the_history_of_the_place),
        IN_AN_ARENA(utc_needs_no_file),
        IN_AN_ARENA(a_name_that_is_no_zone_is_refused),
        IN_AN_ARENA(a_machine_without_zones_says_which_package_has_them),
        IN_AN_ARENA(a_zone_that_counts_leap_seconds_is_refused),
        IN_AN_ARENA(a_file_that_is_cut_anywhere_is_refused),
        IN_AN_ARENA(a_file_with_a_wrong_byte_is_refused_or_still_makes_sense),
        IN_AN_ARENA(footers_that_are_no_rule_are_refused),
        IN_AN_ARENA(the_days_of_a_footer_may_be_counted_through_the_year),
        IN_AN_ARENA(summer_time_may_never_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
