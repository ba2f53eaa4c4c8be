/*
 * Patterns of strptime(3), read by us: the C library's depends on the locale, knows no fractions
 * and no zones, and says nothing about what it did not find.
 */
#include <string.h>

#include "base/time_read.h"

/* What a conversion says. */
enum meaning {
    SAYS_YEAR = 1 << 0,
    SAYS_MONTH = 1 << 1,
    SAYS_DAY = 1 << 2,
    SAYS_YEARDAY = 1 << 3,
    SAYS_WEEK_YEAR = 1 << 4,
    SAYS_WEEK = 1 << 5,
    SAYS_WEEKDAY = 1 << 6,
    SAYS_HOUR = 1 << 7,
    SAYS_HALF_HOUR = 1 << 8, /* of twelve */
    SAYS_HALF = 1 << 9,      /* AM or PM */
    SAYS_MINUTE = 1 << 10,
    SAYS_SECOND = 1 << 11,
    SAYS_FRACTION = 1 << 12,
    SAYS_ZONE = 1 << 13,
    SAYS_UNIX = 1 << 14,
};

struct conversion {
    char letter;
    unsigned says;
    const char *stands_for; /* a pattern in its place; NULL: it is read itself */
};

static const struct conversion conversions[] = {
    {'Y', SAYS_YEAR, NULL},
    {'y', SAYS_YEAR, NULL},
    {'m', SAYS_MONTH, NULL},
    {'b', SAYS_MONTH, NULL},
    {'B', SAYS_MONTH, NULL},
    {'h', SAYS_MONTH, NULL},
    {'d', SAYS_DAY, NULL},
    {'e', SAYS_DAY, NULL},
    {'j', SAYS_YEARDAY, NULL},
    {'G', SAYS_WEEK_YEAR, NULL},
    {'V', SAYS_WEEK, NULL},
    {'u', SAYS_WEEKDAY, NULL},
    {'a', 0, NULL}, /* the date says which day of the week it is */
    {'A', 0, NULL},
    {'H', SAYS_HOUR, NULL},
    {'k', SAYS_HOUR, NULL},
    {'I', SAYS_HALF_HOUR, NULL},
    {'l', SAYS_HALF_HOUR, NULL},
    {'p', SAYS_HALF, NULL},
    {'P', SAYS_HALF, NULL},
    {'M', SAYS_MINUTE, NULL},
    {'S', SAYS_SECOND, NULL},
    {'f', SAYS_FRACTION, NULL},
    {'N', SAYS_FRACTION, NULL},
    {'L', SAYS_FRACTION, NULL},
    {'z', SAYS_ZONE, NULL},
    {'Z', SAYS_ZONE, NULL},
    {'s', SAYS_UNIX, NULL},
    {'n', 0, " "},
    {'t', 0, " "},
    {'%', 0, NULL},
    {'F', SAYS_YEAR | SAYS_MONTH | SAYS_DAY, "%Y-%m-%d"},
    {'D', SAYS_YEAR | SAYS_MONTH | SAYS_DAY, "%m/%d/%y"},
    {'R', SAYS_HOUR | SAYS_MINUTE, "%H:%M"},
    {'T', SAYS_HOUR | SAYS_MINUTE | SAYS_SECOND, "%H:%M:%S"},
    {'\0', 0, NULL},
};

/* The conversion at the %, and the end of it: flags of strftime(3) say nothing to a reader. */
static const struct conversion *conversion_at(const char *percent, const char **end)
{
    const char *p = percent + 1;
    const struct conversion *c = conversions;

    if (*p == '-' || *p == '_' || *p == '0' || (*p == ':' && p[1] == 'z'))
        p++;
    while (*p >= '1' && *p <= '9' && (p[1] == 'N' || p[1] == 'f'))
        p++;
    while (c->letter != '\0' && c->letter != *p)
        c++;
    *end = p + (*p != '\0');
    return c->letter == '\0' ? NULL : c;
}

/* --- Checking --- */

static int refuse(struct error *err, const char *problem)
{
    error_set(err, ERROR_CONFIG, "%s", problem);
    return -1;
}

/* What must not stand together, and what must. */
static int check_meaning(unsigned says, struct error *err)
{
    static const unsigned calendar = SAYS_YEAR | SAYS_MONTH | SAYS_DAY | SAYS_YEARDAY;
    static const unsigned clock =
        SAYS_HOUR | SAYS_HALF_HOUR | SAYS_HALF | SAYS_MINUTE | SAYS_SECOND;
    bool week = (says & SAYS_WEEK_YEAR) != 0;

    if ((says & SAYS_UNIX) != 0)
        return (says & (calendar | clock | SAYS_WEEK_YEAR | SAYS_WEEK | SAYS_ZONE)) == 0
                   ? 0
                   : refuse(err, "has %s, which is a date and a time in UTC by itself; remove the "
                                 "others, or %s");
    if (week != ((says & SAYS_WEEK) != 0))
        return refuse(err, "has one of %G and %V; a week needs both, its year and its number");
    if (week && (says & calendar) != 0)
        return refuse(err, "says the date by the week and by the calendar; remove one of the two");
    if (!week && (says & SAYS_YEAR) == 0)
        return refuse(err, "has no year (%Y), and a time without a date is no timestamp");
    if ((says & SAYS_YEARDAY) != 0 && (says & (SAYS_MONTH | SAYS_DAY)) != 0)
        return refuse(err, "has %j, the day of the year, beside a month or a day; remove one");
    if ((says & SAYS_DAY) != 0 && (says & SAYS_MONTH) == 0)
        return refuse(err, "has a day and no month; add %m");
    if (((says & SAYS_HALF_HOUR) != 0) != ((says & SAYS_HALF) != 0))
        return refuse(err, "has one of %I and %p; an hour of twelve needs both, or write %H");
    if ((says & SAYS_HOUR) != 0 && (says & SAYS_HALF_HOUR) != 0)
        return refuse(err, "has the hour of the day and the one of its half; remove one");
    if ((says & (SAYS_HOUR | SAYS_HALF_HOUR)) == 0 && (says & (SAYS_MINUTE | SAYS_SECOND)) != 0)
        return refuse(err, "has minutes or seconds and no hour; add %H");
    if ((says & SAYS_SECOND) != 0 && (says & SAYS_MINUTE) == 0)
        return refuse(err, "has seconds and no minutes; add %M");
    if ((says & SAYS_FRACTION) != 0 && (says & SAYS_SECOND) == 0)
        return refuse(err, "has a fraction and no second; add %S");
    return 0;
}

static unsigned meaning_of(const char *pattern)
{
    unsigned says = 0;

    for (const char *p = strchr(pattern, '%'); p != NULL; p = strchr(p, '%')) {
        const struct conversion *c = conversion_at(p, &p);

        says |= c == NULL ? 0 : c->says;
    }
    return says;
}

int timestamp_check_pattern(const char *pattern, size_t *offset, struct error *err)
{
    unsigned says = 0;
    const char *end;

    for (const char *p = strchr(pattern, '%'); p != NULL; p = strchr(end, '%')) {
        const struct conversion *c = conversion_at(p, &end);

        *offset = (size_t)(p - pattern);
        if (c == NULL) {
            bool shown = p[1] > 0x20 && p[1] < 0x7f;

            error_set(err, ERROR_CONFIG,
                      "has %.*s, which is not understood; use the conversions of strptime(3), as "
                      "in %%d.%%m.%%Y %%H:%%M",
                      shown ? 2 : 1, p);
            return -1;
        }
        if ((says & c->says) != 0) {
            error_set(err, ERROR_CONFIG, "has %.*s, and what it says is said before it; remove one",
                      (int)(end - p), p);
            return -1;
        }
        says |= c->says;
    }
    *offset = 0;
    if (strchr(pattern, '%') == NULL)
        return refuse(err, "is no pattern; write one of strptime(3), as in %d.%m.%Y %H:%M");
    return check_meaning((says & SAYS_UNIX) != 0 ? says & ~(unsigned)SAYS_FRACTION : says, err);
}

bool timestamp_pattern_has_zone(const char *pattern)
{
    return (meaning_of(pattern) & (SAYS_ZONE | SAYS_UNIX)) != 0;
}

/* --- Reading --- */

/* What a text said so far. */
struct found {
    unsigned says;
    int year;
    int month;
    int day; /* of the month, or of the year */
    int week;
    int weekday;
    bool afternoon;
    bool before_1970; /* %s had a minus */
    struct time_parts parts;
    int64_t unix_s;
};

/* 69 to 99 are years of the last century (POSIX, strptime). */
static bool read_short_year(struct time_reader *r, int *year)
{
    if (!time_digits(r, 2, 0, 99, year))
        return false;
    *year += *year >= 69 ? 1900 : 2000;
    return true;
}

static bool read_unix(struct time_reader *r, struct found *found)
{
    const char *start;

    found->before_1970 = time_next_is(r, '-');
    start = r->p;
    for (; time_at_digit(r) && r->p - start < 12; r->p++)
        found->unix_s = found->unix_s * 10 + (*r->p - '0');
    return r->p > start && !time_at_digit(r);
}

static bool read_half(struct time_reader *r, bool *afternoon)
{
    static const char *const words[] = {"AM", "PM", "a.m.", "p.m.", NULL};
    int number = time_word(r, words);

    *afternoon = number % 2 == 0;
    return number != 0;
}

/* Numbers may lack their leading zeros, and have blanks instead. */
static bool read_short(struct time_reader *r, int most, int low, int high, int *value)
{
    while (!time_at_end(r) && *r->p == ' ')
        r->p++;
    return time_number(r, 1, most, low, high, value);
}

static bool read_conversion(struct time_reader *r, char letter, struct found *found)
{
    switch (letter) {
    case 'Y':
    case 'G':
        return time_digits(r, 4, 0, 9999, &found->year);
    case 'y':
        return read_short_year(r, &found->year);
    case 'm':
        return read_short(r, 2, 1, 12, &found->month);
    case 'b':
    case 'B':
    case 'h':
        found->month = time_month(r);
        return found->month != 0;
    case 'd':
    case 'e':
        return read_short(r, 2, 1, 31, &found->day);
    case 'j':
        return read_short(r, 3, 1, 366, &found->day);
    case 'V':
        return read_short(r, 2, 1, 53, &found->week);
    case 'u':
        return time_digits(r, 1, 1, 7, &found->weekday);
    case 'a':
    case 'A':
        return time_weekday(r) != 0;
    case 'H':
    case 'k':
        return read_short(r, 2, 0, 23, &found->parts.hour);
    case 'I':
    case 'l':
        return read_short(r, 2, 1, 12, &found->parts.hour);
    case 'p':
    case 'P':
        return read_half(r, &found->afternoon);
    case 'M':
        return read_short(r, 2, 0, 59, &found->parts.minute);
    case 'S':
        return read_short(r, 2, 0, 60, &found->parts.second);
    case 'f':
    case 'N':
    case 'L':
        return time_fraction(r, &found->parts.nanoseconds);
    case 'z':
    case 'Z':
        found->parts.has_zone = true;
        return time_zone(r, &found->parts.offset_s);
    case 's':
        return read_unix(r, found);
    default:
        return time_next_is(r, '%');
    }
}

/* Blanks of a pattern are any number of blanks, none as well, as in strptime(3). */
static bool read_by_pattern(struct time_reader *r, const char *pattern, struct found *found)
{
    for (const char *p = pattern; *p != '\0';) {
        if (*p == '%') {
            const struct conversion *c = conversion_at(p, &p);

            if (c->stands_for != NULL ? !read_by_pattern(r, c->stands_for, found)
                                      : !read_conversion(r, c->letter, found))
                return false;
        } else if (strchr(" \t\n\v\f\r", *p) != NULL) {
            time_blanks(r);
            p++;
        } else if (!time_next_is(r, *p++)) {
            return false;
        }
    }
    return true;
}

static bool find_days(const struct found *found, int64_t *days)
{
    if ((found->says & SAYS_WEEK) != 0)
        return time_days_of_week(found->year, found->week, found->weekday, days);
    if ((found->says & SAYS_YEARDAY) != 0)
        return time_days_of_ordinal(found->year, found->day, days);
    *days = time_days_of_date(found->year, found->month, found->day);
    return found->day <= time_days_in_month(found->year, found->month);
}

static bool assemble(struct found *found, struct timestamp *timestamp)
{
    if ((found->says & SAYS_UNIX) != 0) {
        *timestamp =
            (struct timestamp){.seconds = found->unix_s, .nanoseconds = found->parts.nanoseconds};
        if (found->before_1970) { /* rounded down, and the fraction counts up from there */
            bool part = timestamp->nanoseconds > 0;

            timestamp->seconds = -timestamp->seconds - part;
            timestamp->nanoseconds = part ? 1000000000 - timestamp->nanoseconds : 0;
        }
        return true;
    }
    if ((found->says & SAYS_HALF) != 0)
        found->parts.hour = found->parts.hour % 12 + (found->afternoon ? 12 : 0);
    if (!find_days(found, &found->parts.days))
        return false;
    time_assemble(&found->parts, timestamp);
    return true;
}

bool timestamp_from_pattern(struct slice text, const char *pattern, struct timestamp *timestamp)
{
    struct time_reader r;
    struct found found = {.says = meaning_of(pattern), .month = 1, .day = 1, .weekday = 1};

    text = slice_trim(text);
    r = (struct time_reader){text.data, text.data + text.length};
    return read_by_pattern(&r, pattern, &found) && time_at_end(&r) && assemble(&found, timestamp);
}
