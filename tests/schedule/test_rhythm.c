/*
 * Slots in time zones. What the zones do to them is checked against walking over each minute and
 * noting which local times the clocks show for the first time.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config_builder.h"
#include "gatherd/clock.h"
#include "gatherd/cron.h"
#include "gatherd/zone.h"
#include "schedule/rhythm.h"
#include "schedule_world.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct zones {
    struct arena *arena;
    struct cron cron;
};

static int setup(void **state)
{
    struct zones *z = calloc(1, sizeof(*z));

    if (access("/usr/share/zoneinfo/Europe/Paris", R_OK) == -1) {
        print_message("tzdata is not installed; skipped\n");
        exit(77);
    }
    z->arena = arena_create(0);
    *state = z;
    return 0;
}

static int teardown(void **state)
{
    struct zones *z = *state;

    arena_free(z->arena);
    free(z);
    return 0;
}

static const struct zone *zone_of(struct zones *z, const char *name)
{
    const struct zone *zone = NULL;
    struct error err = {0};

    if (zone_read(name, z->arena, &zone, &err) == -1)
        fail_msg("%s", err.text);
    return zone;
}

static struct rhythm cron_in(struct zones *z, const char *line, const char *zone)
{
    struct source source = source_like("a", "h:80", MINUTE);
    size_t column;

    assert_int_equal(cron_parse(line, &z->cron, &column, NULL), 0);
    source.cron = &z->cron;
    source.zone = zone_of(z, zone);
    return rhythm_of(&source, 7777);
}

static struct rhythm aligned_in(struct zones *z, int64_t interval_ms, int64_t offset_ms,
                                const char *zone)
{
    struct source source = source_like("a", "h:80", interval_ms);

    source.align = true;
    source.offset_ms = offset_ms;
    source.zone = zone_of(z, zone);
    return rhythm_of(&source, 7777);
}

static int64_t moment(const char *text)
{
    char whole[CLOCK_TEXT_SIZE] = "0000-00-00T00:00:00.000Z";
    int64_t ms;

    memcpy(whole, text, 10);
    memcpy(whole + 11, text + 11, strlen(text) - 11);
    assert_int_equal(clock_parse(whole, &ms), 0);
    return ms;
}

static void check_slots(struct rhythm r, const char *from, const char *const *slots, size_t count)
{
    int64_t first = moment(from);
    int64_t at = first;

    for (size_t i = 0; i < count; i++) {
        int64_t slot = rhythm_at_or_after(&r, at);
        char text[CLOCK_TEXT_SIZE];

        if (slot != moment(slots[i]))
            fail_msg("%s instead of %s", clock_format(slot, text), slots[i]);
        assert_int_equal(rhythm_at_or_after(&r, slot), slot);
        assert_int_equal(rhythm_at_or_before(&r, slot), slot);
        if (i > 0)
            assert_int_equal(rhythm_at_or_before(&r, slot - 1), moment(slots[i - 1]));
        assert_int_equal(rhythm_count(&r, first - 1, slot), i + 1);
        at = slot + 1;
    }
}

#define CHECK_SLOTS(rhythm, from, ...)                    \
    do {                                                  \
        static const char *const slots[] = {__VA_ARGS__}; \
                                                          \
        check_slots(rhythm, from, slots, COUNT(slots));   \
    } while (0)

/* --- Cron: all moments are UTC. --- */

static void a_time_of_the_repeated_hour_is_a_slot_once(void **state)
{
    CHECK_SLOTS(cron_in(*state, "30 2 * * *", "Europe/Paris"), "2026-10-24 00:00",
                "2026-10-24 00:30", "2026-10-25 00:30", "2026-10-26 01:30");
    CHECK_SLOTS(cron_in(*state, "30 1 * * *", "America/New_York"), "2026-10-31 00:00",
                "2026-10-31 05:30", "2026-11-01 05:30", "2026-11-02 06:30");
}

static void a_time_of_the_skipped_hour_is_a_slot_at_the_jump(void **state)
{
    CHECK_SLOTS(cron_in(*state, "30 2 * * *", "Europe/Paris"), "2026-03-28 00:00",
                "2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30");
    CHECK_SLOTS(cron_in(*state, "30 2 * * *", "America/New_York"), "2026-03-07 00:00",
                "2026-03-07 07:30", "2026-03-08 07:00", "2026-03-09 06:30");
}

static void several_times_of_the_skipped_hour_are_one_slot(void **state)
{
    CHECK_SLOTS(cron_in(*state, "*/20 * * * *", "Europe/Paris"), "2026-03-29 00:30",
                "2026-03-29 00:40", "2026-03-29 01:00", "2026-03-29 01:20");
    CHECK_SLOTS(cron_in(*state, "0 1-3 * * *", "Europe/Paris"), "2026-03-29 00:00",
                "2026-03-29 00:00", "2026-03-29 01:00", "2026-03-29 23:00");
}

static void every_minute_pauses_while_an_hour_is_repeated(void **state)
{
    CHECK_SLOTS(cron_in(*state, "*/30 * * * *", "Europe/Paris"), "2026-10-25 00:00",
                "2026-10-25 00:00", "2026-10-25 00:30", "2026-10-25 02:00", "2026-10-25 02:30");
}

static void half_an_hour_is_skipped_and_repeated_on_lord_howe(void **state)
{
    CHECK_SLOTS(cron_in(*state, "*/15 1,2 * * *", "Australia/Lord_Howe"), "2026-04-04 14:00",
                "2026-04-04 14:00", "2026-04-04 14:15", "2026-04-04 14:30", "2026-04-04 14:45",
                /* 2:00 becomes 1:30 */ "2026-04-04 15:30", "2026-04-04 15:45", "2026-04-04 16:00",
                "2026-04-04 16:15");
    CHECK_SLOTS(cron_in(*state, "*/15 2 * * *", "Australia/Lord_Howe"), "2026-10-03 00:00",
                /* 2:00 becomes 2:30 */ "2026-10-03 15:30", "2026-10-03 15:45");
}

static void midnight_may_be_skipped(void **state)
{
    CHECK_SLOTS(cron_in(*state, "@daily", "America/Sao_Paulo"), "2018-11-03 00:00",
                "2018-11-03 03:00", "2018-11-04 03:00", "2018-11-05 02:00");
    CHECK_SLOTS(cron_in(*state, "@daily", "America/Sao_Paulo"), "2026-11-03 00:00",
                "2026-11-03 03:00", "2026-11-04 03:00");
}

static void zones_without_summer_time_have_their_own_midnight(void **state)
{
    CHECK_SLOTS(cron_in(*state, "0 9 * * 1", "Asia/Kolkata"), "2026-01-01 00:00",
                "2026-01-05 03:30", "2026-01-12 03:30");
    CHECK_SLOTS(cron_in(*state, "0 0 1 1 *", "Pacific/Kiritimati"), "2026-06-01 00:00",
                "2026-12-31 10:00");
}

static void ramadan_is_known(void **state)
{
    CHECK_SLOTS(cron_in(*state, "30 2 * * *", "Africa/Casablanca"), "2026-02-14 00:00",
                "2026-02-14 01:30", "2026-02-15 01:30", "2026-02-16 02:30");
    CHECK_SLOTS(cron_in(*state, "30 2 * * *", "Africa/Casablanca"), "2026-03-21 00:00",
                "2026-03-21 02:30", "2026-03-22 02:00", "2026-03-23 01:30");
}

/* --- Aligned intervals --- */

static void an_aligned_interval_counts_from_local_midnight(void **state)
{
    CHECK_SLOTS(aligned_in(*state, 15 * MINUTE, 0, "UTC"), "2026-01-01 00:01", "2026-01-01 00:15",
                "2026-01-01 00:30");
    CHECK_SLOTS(aligned_in(*state, HOUR, 0, "Asia/Kolkata"), "2026-01-01 00:00", "2026-01-01 00:30",
                "2026-01-01 01:30");
    CHECK_SLOTS(aligned_in(*state, 6 * HOUR, 0, "Europe/Paris"), "2026-03-28 12:00",
                "2026-03-28 17:00", "2026-03-28 23:00", "2026-03-29 04:00", "2026-03-29 10:00");
    CHECK_SLOTS(aligned_in(*state, DAY, 0, "Europe/Paris"), "2026-10-24 00:00", "2026-10-24 22:00",
                "2026-10-25 23:00");
}

static void an_interval_that_does_not_divide_a_day_counts_from_1970_in_utc(void **state)
{
    struct rhythm r = aligned_in(*state, 7 * HOUR, 0, "Europe/Paris");
    int64_t slot = rhythm_at_or_after(&r, moment("2026-01-01 00:00"));

    assert_int_equal(slot % (7 * HOUR), 0);
    assert_int_equal(rhythm_at_or_after(&r, slot + 1), slot + 7 * HOUR);
    r = aligned_in(*state, 7 * DAY, 0, "Europe/Paris");
    assert_int_equal(rhythm_at_or_after(&r, 1), 7 * DAY);
}

static void the_offset_moves_the_slots_of_align_and_cron(void **state)
{
    struct rhythm cron = cron_in(*state, "30 2 * * *", "Europe/Paris");

    CHECK_SLOTS(aligned_in(*state, HOUR, 90 * SECOND, "UTC"), "2026-01-01 00:00",
                "2026-01-01 00:01:30", "2026-01-01 01:01:30");
    CHECK_SLOTS(aligned_in(*state, HOUR, 5 * MINUTE, "Asia/Kathmandu"), "2026-01-01 00:00",
                "2026-01-01 00:20", "2026-01-01 01:20");
    CHECK_SLOTS(aligned_in(*state, 7 * HOUR, HOUR, "Asia/Kathmandu"), "1970-01-01 00:00",
                "1970-01-01 01:00", "1970-01-01 08:00");
    cron.shift_ms = 2 * HOUR;
    CHECK_SLOTS(cron, "2026-03-28 00:00", "2026-03-28 03:30", "2026-03-29 03:00",
                "2026-03-30 02:30");
}

static void an_aligned_interval_goes_on_while_an_hour_is_repeated(void **state)
{
    CHECK_SLOTS(aligned_in(*state, 30 * MINUTE, 0, "Europe/Paris"), "2026-10-25 00:00",
                "2026-10-25 00:00", "2026-10-25 00:30", "2026-10-25 01:00", "2026-10-25 01:30",
                "2026-10-25 02:00");
    CHECK_SLOTS(aligned_in(*state, HOUR, 0, "Australia/Lord_Howe"), "2026-04-04 13:30",
                "2026-04-04 14:00", /* 1:00; 2:00 becomes 1:30 */ "2026-04-04 15:30");
    CHECK_SLOTS(aligned_in(*state, 20 * MINUTE, 0, "Australia/Lord_Howe"), "2026-10-03 15:00",
                "2026-10-03 15:10", /* the jump over 2:00 and 2:20 */ "2026-10-03 15:30",
                "2026-10-03 15:40", "2026-10-03 16:00");
}

static void an_aligned_interval_above_an_hour_names_times_of_the_day(void **state)
{
    /* On the Azores 1:00 becomes 0:00: midnight comes twice, and counts once. */
    CHECK_SLOTS(aligned_in(*state, 12 * HOUR, 0, "Atlantic/Azores"), "2026-10-24 10:00",
                "2026-10-24 12:00", "2026-10-25 00:00", "2026-10-25 13:00");
}

static void aligned_slots_are_counted_over_long_times_too(void **state)
{
    struct rhythm fine = aligned_in(*state, 10, 0, "Europe/Paris");
    struct rhythm coarse = aligned_in(*state, 6 * HOUR, 0, "Europe/Paris");

    assert_int_equal(rhythm_count(&fine, moment("2026-06-01 00:00"), moment("2026-06-02 00:00")),
                     8640000);
    assert_int_equal(rhythm_count(&fine, moment("2026-03-01 00:00"), moment("2026-04-02 00:00")),
                     RHYTHM_COUNT_MOST);
    assert_int_equal(rhythm_count(&coarse, moment("2026-01-01 00:00"), moment("2027-01-01 00:00")),
                     4 * 365);
    assert_int_equal(rhythm_count(&coarse, 5, 5), 0);
    assert_int_equal(rhythm_count(&coarse, 5, 4), 0);
}

/* --- Walking over each minute --- */

static bool names_any(const struct cron *cron, int64_t after, int64_t until)
{
    return cron_at_or_after(cron, after + 1) <= until;
}

/* Whether the two rules hold at each minute of a year. */
static void walk(struct zones *z, const char *line, const char *name, int year)
{
    struct rhythm r = cron_in(z, line, name);
    int64_t at = clock_days_from_civil(year, 1, 1) * DAY;
    int64_t end = clock_days_from_civil(year + 1, 1, 1) * DAY;
    int64_t furthest = zone_furthest_local(r.zone, at - MINUTE);
    int64_t next = rhythm_at_or_after(&r, at);
    int64_t last = rhythm_at_or_before(&r, at - 1);
    struct zone_period period = zone_period_at(r.zone, at);
    int64_t count = 0;

    for (; at < end; at += MINUTE) {
        int64_t local;
        bool slot;

        if (at >= period.end_ms)
            period = zone_period_at(r.zone, at);
        local = at + period.offset_ms;
        slot = local > furthest && names_any(r.cron, furthest, local);

        if (slot != (next == at))
            fail_msg("%s in %s at %lld", line, name, (long long)at);
        if (slot) {
            last = at;
            next = rhythm_at_or_after(&r, at + 1);
            count++;
        }
        if (at % (7 * HOUR) == 0)
            assert_int_equal(rhythm_at_or_before(&r, at), last);
        if (local > furthest)
            furthest = local;
    }
    assert_int_equal(rhythm_count(&r, clock_days_from_civil(year, 1, 1) * DAY - 1, end - 1), count);
}

static void both_rules_hold_in_many_zones_over_many_years(void **state)
{
    static const char *const names[] = {
        "Europe/Paris",      "America/New_York",  "Australia/Lord_Howe", "Asia/Kolkata",
        "Africa/Casablanca", "America/Sao_Paulo", "Pacific/Apia",        "Europe/Dublin",
        "America/Havana",    "Asia/Gaza",         "Antarctica/Troll",    "Asia/Tehran",
    };
    static const int years[] = {1981, 2005, 2011, 2016, 2018, 2026, 2037, 2060, 2099};
    static const char *const lines[] = {"30 2 * * *", "*/10 0-3 * * *", "0 0 * * 0",
                                        "15,45 1-23/2 28-31,1-7 * *"};

    for (size_t n = 0; n < COUNT(names); n++) {
        for (size_t y = n % 3; y < COUNT(years); y += 3)
            walk(*state, lines[(n + y) % COUNT(lines)], names[n], years[y]);
    }
}

/* --- Speed --- */

static void the_next_time_of_a_sparse_line_is_found_fast(void **state)
{
    struct rhythm r = cron_in(*state, "0 0 29 2 */6", "America/New_York"); /* 2116 after 2088 */
    struct timespec began;
    struct timespec ended;
    enum { ROUNDS = 2000 };
    int64_t slot = 0;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &began);
    for (int i = 0; i < ROUNDS; i++)
        slot = rhythm_at_or_after(&r, moment("2088-03-01 12:00") + i);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ended);
    assert_int_equal(slot, moment("2116-02-29 05:00"));
    assert_true(ended.tv_sec - began.tv_sec < 10); /* 5 ms each, where 10 us are usual */
    print_message("next time in 28 years: %.1f us\n",
                  ((double)(ended.tv_sec - began.tv_sec) * 1e6 +
                   (double)(ended.tv_nsec - began.tv_nsec) / 1e3) /
                      ROUNDS);
}

#define IN_ZONES(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ZONES(a_time_of_the_repeated_hour_is_a_slot_once),
        IN_ZONES(a_time_of_the_skipped_hour_is_a_slot_at_the_jump),
        IN_ZONES(several_times_of_the_skipped_hour_are_one_slot),
        IN_ZONES(every_minute_pauses_while_an_hour_is_repeated),
        IN_ZONES(half_an_hour_is_skipped_and_repeated_on_lord_howe),
        IN_ZONES(midnight_may_be_skipped),
        IN_ZONES(zones_without_summer_time_have_their_own_midnight),
        IN_ZONES(ramadan_is_known),
        IN_ZONES(an_aligned_interval_counts_from_local_midnight),
        IN_ZONES(an_interval_that_does_not_divide_a_day_counts_from_1970_in_utc),
        IN_ZONES(the_offset_moves_the_slots_of_align_and_cron),
        IN_ZONES(an_aligned_interval_goes_on_while_an_hour_is_repeated),
        IN_ZONES(an_aligned_interval_above_an_hour_names_times_of_the_day),
        IN_ZONES(aligned_slots_are_counted_over_long_times_too),
        IN_ZONES(both_rules_hold_in_many_zones_over_many_years),
        IN_ZONES(the_next_time_of_a_sparse_line_is_found_fast),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
