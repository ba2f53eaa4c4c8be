/*
 * When a cron line comes next. A month is looked at as a whole, as a set of days, so even 29
 * February on a Sunday is found after some hundreds of steps.
 */
#include <assert.h>

#include "calendar/cron_days.h"
#include "gatherd/clock.h"

#define MINUTE_MS       60000LL
#define MINUTES_PER_DAY (24 * 60)

/* After 400 years (146,097 days, which is whole weeks) the calendar begins again. */
#define CYCLE_MONTHS (400 * 12)

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static unsigned weekday_of(int64_t day)
{
    return (unsigned)(((day + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

/* Bit n: day n of a month that begins with this weekday. */
static uint32_t on_weekdays(unsigned weekdays, unsigned first)
{
    uint64_t week = (weekdays >> first | weekdays << (7 - first)) & 0x7f;
    uint64_t month = week | week << 7 | week << 14 | week << 21 | week << 28;

    return (uint32_t)(month << 1);
}

/* The matching days of a month whose first day and length are known. */
static uint32_t days_in_month(const struct cron *cron, int64_t first, int64_t length)
{
    uint32_t on_weekday = on_weekdays(cron->weekdays, weekday_of(first));
    uint32_t days = cron->either_day ? cron->days | on_weekday : cron->days & on_weekday;

    return days & (uint32_t)((1ull << (length + 1)) - 2);
}

int64_t cron_next_day(const struct cron *cron, int64_t day)
{
    struct civil date = clock_civil_from_days(day);
    int64_t first = day - date.day + 1;

    for (int i = 0; i <= CYCLE_MONTHS; i++) {
        int64_t next_year = date.year + (date.month == 12);
        int64_t next_month = date.month % 12 + 1;
        int64_t next_first = clock_days_from_civil(next_year, (unsigned)next_month, 1);

        if (cron->months >> date.month & 1) {
            uint32_t days = days_in_month(cron, first, next_first - first);

            days &= ~(uint32_t)((1ull << date.day) - 1);
            if (days != 0)
                return first + __builtin_ctz(days) - 1;
        }
        date = (struct civil){next_year, next_month, 1};
        first = next_first;
    }
    return CRON_NEVER;
}

/* The first minute of a day from `minute` on, or -1. */
static int64_t next_minute(const struct cron *cron, int64_t minute)
{
    int64_t hour = minute / 60;
    uint64_t minutes = cron->minutes >> minute % 60 << minute % 60;
    uint32_t later = cron->hours & ~(uint32_t)((2ull << hour) - 1);

    if ((cron->hours >> hour & 1) && minutes != 0)
        return hour * 60 + __builtin_ctzll(minutes);
    return later == 0 ? -1 : __builtin_ctz(later) * 60 + __builtin_ctzll(cron->minutes);
}

int64_t cron_at_or_after(const struct cron *cron, int64_t local_ms)
{
    int64_t minute = floor_div(local_ms + MINUTE_MS - 1, MINUTE_MS);
    int64_t today = floor_div(minute, MINUTES_PER_DAY);
    int64_t day = cron_next_day(cron, today);
    int64_t of_day = next_minute(cron, day == today ? minute - today * MINUTES_PER_DAY : 0);

    if (of_day == -1) {
        day = cron_next_day(cron, today + 1);
        of_day = next_minute(cron, 0);
    }
    assert(day != CRON_NEVER && of_day != -1);
    return (day * MINUTES_PER_DAY + of_day) * MINUTE_MS;
}

/* The fewest days from one matching day to the next. */
static int64_t shortest_days(const struct cron *cron)
{
    int64_t day = cron_next_day(cron, 0);
    int64_t end = day + 146097;
    int64_t shortest = CRON_NEVER;

    while (day < end && shortest > 1) {
        int64_t next = cron_next_day(cron, day + 1);

        if (next - day < shortest)
            shortest = next - day;
        day = next;
    }
    return shortest;
}

int64_t cron_shortest_gap(const struct cron *cron)
{
    int64_t first = next_minute(cron, 0);
    int64_t last = first;
    int64_t shortest = CRON_NEVER;
    int64_t over_night;

    while (last + 1 < MINUTES_PER_DAY) {
        int64_t next = next_minute(cron, last + 1);

        if (next == -1)
            break;
        if (next - last < shortest)
            shortest = next - last;
        last = next;
    }
    if (first + MINUTES_PER_DAY - last >= shortest) /* however near the days are */
        return shortest;
    over_night = first + shortest_days(cron) * MINUTES_PER_DAY - last;
    return over_night < shortest ? over_night : shortest;
}
