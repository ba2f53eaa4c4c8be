#include "fetch/http_date.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "gatherd/clock.h"

struct reader {
    const char *p;
    const char *end;
};

struct date {
    int64_t year;
    unsigned month; /* from 1 */
    unsigned day;
    unsigned hour;
    unsigned minute;
    unsigned second;
};

static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", NULL};
static const char *const long_days[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday",    NULL};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
                                     "Aug", "Sep", "Oct", "Nov", "Dec", NULL};
static const char *const zones[] = {"GMT", "UTC", NULL};

/* The number, from 1, of the word of the list that comes next; 0: none of them. */
static unsigned take_word(struct reader *r, const char *const *words)
{
    for (unsigned i = 0; words[i] != NULL; i++) {
        size_t length = strlen(words[i]);

        if ((size_t)(r->end - r->p) >= length && strncasecmp(r->p, words[i], length) == 0) {
            r->p += length;
            return i + 1;
        }
    }
    return 0;
}

static bool take(struct reader *r, const char *literal)
{
    const char *const words[] = {literal, NULL};

    return take_word(r, words) != 0;
}

static bool take_number(struct reader *r, unsigned digits, unsigned *number)
{
    *number = 0;
    for (; digits > 0; digits--) {
        if (r->p == r->end || *r->p < '0' || *r->p > '9')
            return false;
        *number = *number * 10 + (unsigned)(*r->p++ - '0');
    }
    return true;
}

static bool take_month(struct reader *r, struct date *date)
{
    date->month = take_word(r, months);
    return date->month != 0;
}

static bool take_year(struct reader *r, struct date *date)
{
    unsigned year;

    if (!take_number(r, 4, &year))
        return false;
    date->year = year;
    return true;
}

/* More than 50 years ahead is the same year of a century before (RFC 9110, 5.6.7). */
static bool take_short_year(struct reader *r, int64_t now_wall_ms, struct date *date)
{
    time_t now = (time_t)(now_wall_ms / 1000);
    unsigned year;
    struct tm tm;

    if (!take_number(r, 2, &year) || gmtime_r(&now, &tm) == NULL)
        return false;
    date->year = (tm.tm_year + 1900) / 100 * 100 + (int64_t)year;
    if (date->year > tm.tm_year + 1900 + 50)
        date->year -= 100;
    return true;
}

static bool take_clock(struct reader *r, struct date *date)
{
    return take_number(r, 2, &date->hour) && take(r, ":") && take_number(r, 2, &date->minute) &&
           take(r, ":") && take_number(r, 2, &date->second);
}

static bool take_zone(struct reader *r)
{
    return take(r, " ") && take_word(r, zones) != 0;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool read_imf(struct reader *r, struct date *date)
{
    return take_word(r, days) != 0 && take(r, ", ") && take_number(r, 2, &date->day) &&
           take(r, " ") && take_month(r, date) && take(r, " ") && take_year(r, date) &&
           take(r, " ") && take_clock(r, date) && take_zone(r);
}

/* "Sunday, 06-Nov-94 08:49:37 GMT" */
static bool read_rfc850(struct reader *r, int64_t now_wall_ms, struct date *date)
{
    return take_word(r, long_days) != 0 && take(r, ", ") && take_number(r, 2, &date->day) &&
           take(r, "-") && take_month(r, date) && take(r, "-") &&
           take_short_year(r, now_wall_ms, date) && take(r, " ") && take_clock(r, date) &&
           take_zone(r);
}

/* "Sun Nov  6 08:49:37 1994" */
static bool read_asctime(struct reader *r, struct date *date)
{
    return take_word(r, days) != 0 && take(r, " ") && take_month(r, date) && take(r, " ") &&
           take_number(r, take(r, " ") ? 1 : 2, &date->day) && take(r, " ") &&
           take_clock(r, date) && take(r, " ") && take_year(r, date);
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Whether there is such a moment; a leap second is one. */
static bool is_real(const struct date *date)
{
    static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned length = lengths[date->month - 1] + (date->month == 2 && is_leap(date->year));

    return date->day >= 1 && date->day <= length && date->hour <= 23 && date->minute <= 59 &&
           date->second <= 60;
}

static bool read_form(int form, struct reader *r, int64_t now_wall_ms, struct date *date)
{
    if (form == 0)
        return read_imf(r, date);
    return form == 1 ? read_rfc850(r, now_wall_ms, date) : read_asctime(r, date);
}

int http_date_parse(struct slice text, int64_t now_wall_ms, int64_t *wall_ms)
{
    for (int form = 0; form < 3; form++) {
        struct reader r = {text.data, text.data + text.length};
        struct date date = {0};

        if (!read_form(form, &r, now_wall_ms, &date) || r.p != r.end || !is_real(&date))
            continue;
        *wall_ms = clock_days_from_civil(date.year, date.month, date.day) * 86400000 +
                   ((int64_t)date.hour * 3600 + date.minute * 60 + date.second) * 1000;
        return 0;
    }
    return -1;
}
