#include "base/time_read.h"

#include <string.h>
#include <strings.h>

#include "gatherd/clock.h"

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool time_next_is(struct time_reader *r, char c)
{
    if (time_at_end(r) || *r->p != c)
        return false;
    r->p++;
    return true;
}

bool time_blanks(struct time_reader *r)
{
    const char *start = r->p;

    while (r->p < r->end && is_blank(*r->p))
        r->p++;
    return r->p > start;
}

bool time_number(struct time_reader *r, int least, int most, int low, int high, int *value)
{
    int count = 0;
    int n = 0;

    for (; count < most && time_at_digit(r); count++)
        n = n * 10 + (*r->p++ - '0');
    *value = n;
    return count >= least && n >= low && n <= high;
}

bool time_digits(struct time_reader *r, int count, int low, int high, int *value)
{
    return time_number(r, count, count, low, high, value);
}

bool time_fraction(struct time_reader *r, int32_t *nanoseconds)
{
    const char *start = r->p;
    int32_t weight = 100000000;

    *nanoseconds = 0;
    for (; time_at_digit(r); r->p++, weight /= 10)
        *nanoseconds += (*r->p - '0') * weight;
    return r->p > start;
}

int time_word(struct time_reader *r, const char *const *words)
{
    for (int i = 0; words[i] != NULL; i++) {
        size_t length = strlen(words[i]);

        if ((size_t)(r->end - r->p) >= length && strncasecmp(r->p, words[i], length) == 0) {
            r->p += length;
            return i + 1;
        }
    }
    return 0;
}

/* The whole name, or its first three letters. */
static int take_name(struct time_reader *r, const char *const *names)
{
    struct time_reader short_form;
    int number = time_word(r, names);

    for (int i = 0; number == 0 && names[i] != NULL; i++) {
        const char letters[] = {names[i][0], names[i][1], names[i][2], '\0'};
        const char *const words[] = {letters, NULL};

        short_form = *r;
        if (time_word(&short_form, words) != 0) {
            *r = short_form;
            number = i + 1;
        }
    }
    return number;
}

int time_month(struct time_reader *r)
{
    static const char *const names[] = {"January",  "February", "March",  "April",     "May",
                                        "June",     "July",     "August", "September", "October",
                                        "November", "December", NULL};

    return take_name(r, names);
}

int time_weekday(struct time_reader *r)
{
    static const char *const names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday",    NULL};

    return take_name(r, names);
}

bool time_offset(struct time_reader *r, int *offset_s)
{
    bool west = !time_at_end(r) && *r->p == '-';
    bool colon;
    int hours;
    int minutes = 0;

    if ((!time_next_is(r, '-') && !time_next_is(r, '+')) || !time_digits(r, 2, 0, 23, &hours))
        return false;
    colon = time_next_is(r, ':');
    if ((colon || time_at_digit(r)) && !time_digits(r, 2, 0, 59, &minutes))
        return false;
    *offset_s = (hours * S_PER_HOUR + minutes * S_PER_MINUTE) * (west ? -1 : 1);
    return !time_at_digit(r);
}

bool time_zone(struct time_reader *r, int *offset_s)
{
    /* UTC before UT: the longer one is tried first. */
    static const char *const names[] = {"UTC", "GMT", "UT",  "EST", "EDT", "CST", "CDT",
                                        "MST", "MDT", "PST", "PDT", "Z",   NULL};
    static const int hours[] = {0, 0, 0, -5, -4, -6, -5, -7, -6, -8, -7, 0};
    int number;

    if (!time_at_end(r) && (*r->p == '+' || *r->p == '-'))
        return time_offset(r, offset_s);
    number = time_word(r, names);
    if (number == 0 || (!time_at_end(r) && ((*r->p | 0x20) >= 'a' && (*r->p | 0x20) <= 'z')))
        return false;
    *offset_s = hours[number - 1] * S_PER_HOUR;
    return true;
}

static bool is_leap_year(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int time_days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap_year(year));
}

int64_t time_days_of_date(int year, int month, int day)
{
    return clock_days_from_civil(year, (unsigned)month, (unsigned)day);
}

bool time_days_of_ordinal(int year, int day, int64_t *days)
{
    *days = time_days_of_date(year, 1, 1) + day - 1;
    return day >= 1 && day <= 365 + is_leap_year(year);
}

/* Week 1 is the one with January 4, and a week belongs to the year of its Thursday. */
bool time_days_of_week(int year, int week, int weekday, int64_t *days)
{
    int64_t fourth = time_days_of_date(year, 1, 4);
    int64_t monday = fourth - ((fourth + 3) % 7 + 7) % 7 + 7 * (week - 1); /* day 0: a Thursday */

    *days = monday + weekday - 1;
    return week >= 1 && clock_civil_from_days(monday + 3).year == year;
}

void time_assemble(const struct time_parts *parts, struct timestamp *timestamp)
{
    *timestamp = (struct timestamp){
        .seconds = parts->days * S_PER_DAY + parts->hour * S_PER_HOUR +
                   parts->minute * S_PER_MINUTE + parts->second - parts->offset_s,
        .nanoseconds = parts->nanoseconds,
        .naive = !parts->has_zone,
        .leap = parts->second == 60,
    };
}
