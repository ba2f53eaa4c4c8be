#include "gatherd/timestamp.h"

#include <assert.h>

#include "base/time_read.h"
#include "gatherd/clock.h"

#define FIRST_S (-62167219200LL) /* 0000-01-01T00:00:00Z */
#define LAST_S  253402300799LL   /* 9999-12-31T23:59:59Z */

bool timestamp_is_valid(const struct timestamp *timestamp)
{
    return timestamp->seconds >= FIRST_S && timestamp->seconds <= LAST_S &&
           (!timestamp->leap || timestamp->seconds % S_PER_DAY == 0);
}

/* --- Numbers --- */

bool timestamp_from_decimal(const struct decimal *number, enum time_unit unit,
                            struct timestamp *timestamp)
{
    static const int shifts[] = {
        [TIME_UNIT_S] = 0, [TIME_UNIT_MS] = -3, [TIME_UNIT_US] = -6, [TIME_UNIT_NS] = -9};

    *timestamp = (struct timestamp){0};
    return unit != TIME_UNIT_NONE &&
           decimal_split(number, shifts[unit], &timestamp->seconds, &timestamp->nanoseconds);
}

static bool in_range(int64_t wall_ms)
{
    return wall_ms >= TIMESTAMP_FIRST_MS && wall_ms <= TIMESTAMP_LAST_MS;
}

bool timestamp_from_number(const struct decimal *number, enum time_unit unit, int64_t *wall_ms)
{
    static const int shifts[] = {
        [TIME_UNIT_S] = 3, [TIME_UNIT_MS] = 0, [TIME_UNIT_US] = -3, [TIME_UNIT_NS] = -6};

    return unit != TIME_UNIT_NONE && decimal_scale_down(number, shifts[unit], wall_ms) &&
           in_range(*wall_ms);
}

/* --- RFC 3339, as it stands there --- */

static bool read_date(struct time_reader *r, struct time_parts *parts)
{
    int year;
    int month;
    int day;

    if (!time_digits(r, 4, 0, 9999, &year) || !time_next_is(r, '-') ||
        !time_digits(r, 2, 1, 12, &month) || !time_next_is(r, '-') ||
        !time_digits(r, 2, 1, time_days_in_month(year, month), &day))
        return false;
    parts->days = time_days_of_date(year, month, day);
    return true;
}

/* Nothing (UTC), Z, or +hh:mm. */
static bool read_offset(struct time_reader *r, struct time_parts *parts)
{
    if (time_at_end(r) || time_next_is(r, 'Z') || time_next_is(r, 'z'))
        return true;
    return r->end - r->p == 6 && r->p[3] == ':' && time_offset(r, &parts->offset_s);
}

static bool read_time(struct time_reader *r, struct time_parts *parts)
{
    if (!time_digits(r, 2, 0, 23, &parts->hour) || !time_next_is(r, ':') ||
        !time_digits(r, 2, 0, 59, &parts->minute) || !time_next_is(r, ':') ||
        !time_digits(r, 2, 0, 60, &parts->second))
        return false;
    if (time_next_is(r, '.') && !time_fraction(r, &parts->nanoseconds))
        return false;
    return read_offset(r, parts);
}

bool timestamp_from_text(struct slice text, int64_t *wall_ms)
{
    struct time_reader r = {text.data, text.data + text.length};
    struct time_parts parts = {.has_zone = true};
    struct timestamp timestamp;

    if (!read_date(&r, &parts))
        return false;
    if (!time_at_end(&r)) {
        if (!time_next_is(&r, 'T') && !time_next_is(&r, 't') && !time_next_is(&r, ' '))
            return false;
        if (!read_time(&r, &parts))
            return false;
    }
    time_assemble(&parts, &timestamp);
    *wall_ms = timestamp.seconds * 1000 + timestamp.nanoseconds / 1000000;
    return time_at_end(&r) && timestamp_is_valid(&timestamp);
}

/* --- ISO 8601 --- */

static int digits_ahead(const struct time_reader *r)
{
    struct time_reader ahead = *r;

    while (time_at_digit(&ahead))
        ahead.p++;
    return (int)(ahead.p - r->p);
}

/* Behind the W. */
static bool read_week(struct time_reader *r, int year, struct time_parts *parts)
{
    int week;
    int weekday = 1;

    if (!time_digits(r, 2, 1, 53, &week))
        return false;
    if ((time_next_is(r, '-') || time_at_digit(r)) && !time_digits(r, 1, 1, 7, &weekday))
        return false;
    return time_days_of_week(year, week, weekday, &parts->days);
}

/* Behind the year and its hyphen, where the form has those; a basic date needs a time behind it. */
static bool read_days(struct time_reader *r, int year, bool basic, struct time_parts *parts)
{
    int digits = digits_ahead(r);
    int month;
    int day;

    if (time_next_is(r, 'W'))
        return read_week(r, year, parts);
    if (basic && (r->end - r->p <= digits || (r->p[digits] | 0x20) != 't'))
        return false;
    if (digits == 3)
        return time_digits(r, 3, 1, 366, &day) && time_days_of_ordinal(year, day, &parts->days);
    if (!time_digits(r, 2, 1, 12, &month) || (!basic && !time_next_is(r, '-')) ||
        !time_digits(r, 2, 1, time_days_in_month(year, month), &day))
        return false;
    parts->days = time_days_of_date(year, month, day);
    return true;
}

static bool read_any_date(struct time_reader *r, struct time_parts *parts)
{
    int year;

    return time_digits(r, 4, 0, 9999, &year) && read_days(r, year, !time_next_is(r, '-'), parts) &&
           !time_at_digit(r);
}

/* The seconds and their fraction. */
static bool read_seconds(struct time_reader *r, struct time_parts *parts)
{
    if (!time_digits(r, 2, 0, 60, &parts->second))
        return false;
    return (!time_next_is(r, '.') && !time_next_is(r, ',')) ||
           time_fraction(r, &parts->nanoseconds);
}

static bool read_any_time(struct time_reader *r, struct time_parts *parts)
{
    bool colon;

    if (!time_digits(r, 2, 0, 24, &parts->hour))
        return false;
    colon = time_next_is(r, ':');
    if (!time_digits(r, 2, 0, 59, &parts->minute))
        return false;
    if ((colon ? time_next_is(r, ':') : time_at_digit(r)) && !read_seconds(r, parts))
        return false;
    if (parts->hour == 24 && (parts->minute | parts->second | parts->nanoseconds) != 0)
        return false; /* the end of a day has no minutes */
    if (time_at_end(r))
        return true;
    if (time_blanks(r) && time_at_end(r))
        return false;
    parts->has_zone = true;
    return time_zone(r, &parts->offset_s);
}

static bool from_iso(struct slice text, struct time_parts *parts)
{
    struct time_reader r = {text.data, text.data + text.length};

    if (!read_any_date(&r, parts))
        return false;
    if (time_at_end(&r))
        return true;
    if (!time_next_is(&r, 'T') && !time_next_is(&r, 't') && !time_blanks(&r))
        return false;
    return read_any_time(&r, parts) && time_at_end(&r);
}

bool timestamp_from_any_text(struct slice text, struct timestamp *timestamp)
{
    struct time_parts iso = {0};
    struct time_parts mail = {0};

    text = slice_trim(text);
    if (from_iso(text, &iso))
        time_assemble(&iso, timestamp);
    else if (time_from_mail(text, &mail))
        time_assemble(&mail, timestamp);
    else
        return false;
    return true;
}

/* --- Writing --- */

static char *put_digits(char *p, int64_t value, int count)
{
    for (int i = count - 1; i >= 0; i--, value /= 10)
        p[i] = (char)('0' + value % 10);
    return p + count;
}

static char *put(char *p, char c)
{
    *p = c;
    return p + 1;
}

size_t timestamp_write(const struct timestamp *timestamp, unsigned least_digits,
                       char text[TIMESTAMP_TEXT_SIZE])
{
    int64_t second = (timestamp->seconds % S_PER_DAY + S_PER_DAY) % S_PER_DAY;
    struct civil date = clock_civil_from_days((timestamp->seconds - second) / S_PER_DAY);
    int32_t fraction = timestamp->nanoseconds;
    int digits = 9;
    char *p = text;

    assert(timestamp_is_valid(timestamp) && least_digits % 3 == 0 && least_digits <= 9);
    for (; digits > 3 && digits > (int)least_digits && fraction % 1000 == 0; digits -= 3)
        fraction /= 1000;
    p = put(put_digits(p, date.year, 4), '-');
    p = put(put_digits(p, date.month, 2), '-');
    p = put(put_digits(p, date.day, 2), 'T');
    p = put(put_digits(p, second / S_PER_HOUR, 2), ':');
    p = put(put_digits(p, second / S_PER_MINUTE % 60, 2), ':');
    p = put(put_digits(p, second % 60, 2), '.');
    p = put(put_digits(p, fraction, digits), 'Z');
    *p = '\0';
    return (size_t)(p - text);
}
