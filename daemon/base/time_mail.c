/* Dates as in mail, HTTP and feeds, and those of asctime(3). */
#include "base/time_read.h"

/* "02 Jan 2026", "02-Jan-26". Years of two and three digits: RFC 5322, 4.3. */
static bool read_year(struct time_reader *r, int *year)
{
    const char *start = r->p;

    if (!time_number(r, 2, 4, 0, 9999, year) || time_at_digit(r))
        return false;
    if (r->p - start == 2 && *year < 50)
        *year += 2000;
    else if (r->p - start < 4)
        *year += 1900;
    return true;
}

static bool read_separator(struct time_reader *r)
{
    return time_next_is(r, '-') || time_blanks(r);
}

static bool set_date(struct time_parts *parts, int year, int month, int day)
{
    parts->days = time_days_of_date(year, month, day);
    return day <= time_days_in_month(year, month);
}

/* Feeds have hours of one digit. */
static bool read_clock(struct time_reader *r, struct time_parts *parts)
{
    if (!time_number(r, 1, 2, 0, 23, &parts->hour) || !time_next_is(r, ':') ||
        !time_digits(r, 2, 0, 59, &parts->minute))
        return false;
    if (!time_next_is(r, ':'))
        return true;
    return time_digits(r, 2, 0, 60, &parts->second) &&
           (!time_next_is(r, '.') || time_fraction(r, &parts->nanoseconds));
}

/* "(Pacific Standard Time)" */
static bool skip_comment(struct time_reader *r)
{
    if (!time_next_is(r, '('))
        return false;
    while (!time_at_end(r) && *r->p != ')')
        r->p++;
    return time_next_is(r, ')');
}

/* A zone, a comment, or both, each behind blanks. */
static bool read_end(struct time_reader *r, struct time_parts *parts)
{
    if (time_at_end(r))
        return true;
    if (!time_blanks(r))
        return false;
    if (!time_at_end(r) && *r->p != '(') {
        parts->has_zone = true;
        if (!time_zone(r, &parts->offset_s))
            return false;
        if (time_at_end(r))
            return true;
        time_blanks(r);
    }
    return skip_comment(r) && time_at_end(r);
}

/* "02 Jan 2026 03:04:05 GMT", behind the day of the week. */
static bool read_day_first(struct time_reader *r, struct time_parts *parts)
{
    int day;
    int month;
    int year;

    if (!time_number(r, 1, 2, 1, 31, &day) || !read_separator(r))
        return false;
    month = time_month(r);
    if (month == 0 || !read_separator(r) || !read_year(r, &year) ||
        !set_date(parts, year, month, day))
        return false;
    if (time_at_end(r))
        return true;
    return time_blanks(r) && read_clock(r, parts) && read_end(r, parts);
}

/* "Jan  2 03:04:05 +0000 2026", behind the day of the week. */
static bool read_month_first(struct time_reader *r, struct time_parts *parts)
{
    int month = time_month(r);
    int day;
    int year;

    if (month == 0 || !time_blanks(r) || !time_number(r, 1, 2, 1, 31, &day) || !time_blanks(r) ||
        !read_clock(r, parts) || !time_blanks(r))
        return false;
    if (!time_at_digit(r)) {
        parts->has_zone = true;
        if (!time_zone(r, &parts->offset_s) || !time_blanks(r))
            return false;
    }
    return time_digits(r, 4, 0, 9999, &year) && set_date(parts, year, month, day) && time_at_end(r);
}

bool time_from_mail(struct slice text, struct time_parts *parts)
{
    struct time_reader r = {text.data, text.data + text.length};

    if (time_weekday(&r) != 0) {
        time_next_is(&r, ',');
        if (!time_blanks(&r))
            return false;
    }
    return time_at_digit(&r) ? read_day_first(&r, parts) : read_month_first(&r, parts);
}
