/*
 * POSIX's TZ, as in CET-1CEST,M3.5.0,M10.5.0/3: the rule a zone follows beyond its table. As RFC
 * 9636 allows, the times of changes reach from -167 to 167 hours.
 */
#include <assert.h>
#include <string.h>

#include "calendar/zone_data.h"
#include "gatherd/clock.h"

#define SECOND_MS 1000LL
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

/* Beyond about a million years dates are not worth their overflows. */
#define LAST_MS (1LL << 55)

/* --- Reading. The footer ends in a newline, which no part of the rule holds. --- */

static int read_digits(const char **p, int low, int high, int *value)
{
    int n = 0;
    int digits = 0;

    for (; **p >= '0' && **p <= '9' && digits < 3; (*p)++, digits++)
        n = n * 10 + (**p - '0');
    *value = n;
    return digits > 0 && n >= low && n <= high ? 0 : -1;
}

/* [+-]hh[:mm[:ss]] */
static int read_time(const char **p, int most_hours, int64_t *ms)
{
    int sign = **p == '-' ? -1 : 1;
    int hours = 0;
    int minutes = 0;
    int seconds = 0;

    *p += **p == '-' || **p == '+';
    if (read_digits(p, 0, most_hours, &hours) == -1)
        return -1;
    if (**p == ':') {
        (*p)++;
        if (read_digits(p, 0, 59, &minutes) == -1)
            return -1;
        if (**p == ':') {
            (*p)++;
            if (read_digits(p, 0, 59, &seconds) == -1)
                return -1;
        }
    }
    *ms = sign * (hours * HOUR_MS + minutes * MINUTE_MS + seconds * SECOND_MS);
    return 0;
}

/* The abbreviation is not for us: letters, or anything between < and >. */
static int skip_name(const char **p)
{
    size_t length;

    if (**p == '<') {
        length = strcspn(*p, ">");
        if ((*p)[length] != '>')
            return -1;
        *p += length + 1;
        return 0;
    }
    length = strspn(*p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    *p += length;
    return length >= 3 ? 0 : -1;
}

/* What is added to local time gives UTC: west of Greenwich is positive. */
static int read_offset(const char **p, int64_t *offset_ms)
{
    int64_t west_ms;

    if (read_time(p, 24, &west_ms) == -1)
        return -1;
    *offset_ms = -west_ms;
    return 0;
}

static int read_day_of_week(const char **p, struct zone_day *day)
{
    day->form = DAY_OF_WEEK;
    (*p)++;
    if (read_digits(p, 1, 12, &day->month) == -1 || *(*p)++ != '.' ||
        read_digits(p, 1, 5, &day->week) == -1 || *(*p)++ != '.')
        return -1;
    return read_digits(p, 0, 6, &day->number);
}

static int read_date(const char **p, struct zone_day *day)
{
    if (**p == 'M')
        return read_day_of_week(p, day);
    day->form = **p == 'J' ? DAY_WITHOUT_LEAP : DAY_FROM_ZERO;
    *p += **p == 'J';
    return read_digits(p, day->form == DAY_WITHOUT_LEAP, 365, &day->number);
}

/* ,date[/time] */
static int read_day(const char **p, struct zone_day *day)
{
    if (*(*p)++ != ',' || read_date(p, day) == -1)
        return -1;
    day->time_ms = 2 * HOUR_MS;
    if (**p != '/')
        return 0;
    (*p)++;
    return read_time(p, 167, &day->time_ms);
}

static int read_rule(const char **p, struct zone_rule *rule)
{
    if (skip_name(p) == -1 || read_offset(p, &rule->standard_ms) == -1)
        return -1;
    if (**p == '\0')
        return 0;
    if (skip_name(p) == -1)
        return -1;
    rule->has_summer = true;
    rule->summer_ms = rule->standard_ms + HOUR_MS;
    if (**p != ',' && read_offset(p, &rule->summer_ms) == -1)
        return -1;
    if (read_day(p, &rule->start) == -1)
        return -1;
    return read_day(p, &rule->end);
}

int zone_rule_parse(const char *text, size_t length, struct zone_rule *rule)
{
    char copy[128];
    const char *p = copy;

    *rule = (struct zone_rule){0};
    if (length >= sizeof(copy) || memchr(text, '\0', length) != NULL)
        return -1;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return read_rule(&p, rule) == 0 && *p == '\0' ? 0 : -1;
}

/* --- Asking. --- */

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t first_of_month(int64_t year, int month)
{
    return month == 13 ? clock_days_from_civil(year + 1, 1, 1)
                       : clock_days_from_civil(year, (unsigned)month, 1);
}

/* Days since 1970; 1970-01-01 was a Thursday. */
static int64_t nth_weekday(int64_t year, const struct zone_day *day)
{
    int64_t first = first_of_month(year, day->month);
    int64_t found = first + ((day->number - first - 4) % 7 + 7) % 7 + (day->week - 1) * 7;

    return found < first_of_month(year, day->month + 1) ? found : found - 7;
}

/* Local time of the change in that year. */
static int64_t day_of_year(int64_t year, const struct zone_day *day)
{
    int64_t first = first_of_month(year, 1);
    int64_t days;

    if (day->form == DAY_OF_WEEK)
        days = nth_weekday(year, day);
    else if (day->form == DAY_FROM_ZERO)
        days = first + day->number;
    else
        days = first + day->number - 1 + (is_leap(year) && day->number >= 60);
    return days * DAY_MS + day->time_ms;
}

/* The two changes of a year in their order, which is the other one south of the equator. */
static void changes_of_year(const struct zone_rule *rule, int64_t year, struct zone_change out[2])
{
    struct zone_change start = {day_of_year(year, &rule->start) - rule->standard_ms,
                                rule->summer_ms};
    struct zone_change end = {day_of_year(year, &rule->end) - rule->summer_ms, rule->standard_ms};
    bool north = start.at_ms < end.at_ms;

    out[0] = north ? start : end;
    out[1] = north ? end : start;
}

static int64_t year_of(int64_t at_ms)
{
    int64_t days = at_ms / DAY_MS - (at_ms % DAY_MS < 0);

    return clock_civil_from_days(days).year;
}

/*
 * The years before and after hold the changes around any moment, even with times of a week. Summer
 * time that ends when the next one starts, which is how permanent summer time is written, is one
 * period as long as the two changes of that moment stay in the order of their years.
 */
struct zone_period zone_rule_period(const struct zone_rule *rule, int64_t at_ms)
{
    struct zone_period period = {INT64_MIN, INT64_MAX, rule->standard_ms};
    struct zone_change changes[6];
    int64_t year;

    if (!rule->has_summer || at_ms >= LAST_MS || at_ms < -LAST_MS)
        return period;
    year = year_of(at_ms);
    for (int i = 0; i < 3; i++)
        changes_of_year(rule, year - 1 + i, &changes[2 * i]);
    for (int i = 0; i < 6; i++) {
        if (changes[i].at_ms > at_ms) {
            period.end_ms = changes[i].at_ms;
            break;
        }
        period.begin_ms = changes[i].at_ms;
        period.offset_ms = changes[i].offset_ms;
    }
    return period;
}
