#include "gatherd/timestamp.h"

#include "gatherd/clock.h"

#define MS_PER_MINUTE 60000
#define MS_PER_HOUR   3600000
#define MS_PER_DAY    86400000LL

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

struct reader {
    const char *p;
    const char *end;
};

static bool at_end(const struct reader *r)
{
    return r->p == r->end;
}

static bool next_is(struct reader *r, char c)
{
    if (at_end(r) || *r->p != c)
        return false;
    r->p++;
    return true;
}

static bool digits(struct reader *r, int count, int low, int high, int *value)
{
    int n = 0;

    for (int i = 0; i < count; i++, r->p++) {
        if (at_end(r) || *r->p < '0' || *r->p > '9')
            return false;
        n = n * 10 + (*r->p - '0');
    }
    *value = n;
    return n >= low && n <= high;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

static bool read_date(struct reader *r, int64_t *wall_ms)
{
    int year;
    int month;
    int day;

    if (!digits(r, 4, 0, 9999, &year) || !next_is(r, '-') || !digits(r, 2, 1, 12, &month) ||
        !next_is(r, '-') || !digits(r, 2, 1, days_in_month(year, month), &day))
        return false;
    *wall_ms = clock_days_from_civil(year, (unsigned)month, (unsigned)day) * MS_PER_DAY;
    return true;
}

/* The first three digits behind the point; the others only have to be digits. */
static bool read_fraction(struct reader *r, int *ms)
{
    int weight = 100;
    int digit;

    if (!digits(r, 1, 0, 9, &digit))
        return false;
    for (;;) {
        *ms += digit * weight;
        weight /= 10;
        if (at_end(r) || *r->p < '0' || *r->p > '9')
            return true;
        digit = *r->p++ - '0';
    }
}

/* Nothing (UTC), Z, or +hh:mm. */
static bool read_offset(struct reader *r, int *offset_ms)
{
    bool west;
    int hours;
    int minutes;

    if (at_end(r) || next_is(r, 'Z') || next_is(r, 'z'))
        return true;
    west = *r->p == '-';
    if (!next_is(r, '-') && !next_is(r, '+'))
        return false;
    if (!digits(r, 2, 0, 23, &hours) || !next_is(r, ':') || !digits(r, 2, 0, 59, &minutes))
        return false;
    *offset_ms = (hours * MS_PER_HOUR + minutes * MS_PER_MINUTE) * (west ? -1 : 1);
    return true;
}

/*
 * A leap second (":60") is told apart only in the last minute of a day in UTC, and counts as the
 * second after it: Unix time has no other place for it.
 */
static bool read_time(struct reader *r, int64_t *wall_ms)
{
    int hour;
    int minute;
    int second;
    int ms = 0;
    int offset_ms = 0;

    if (!digits(r, 2, 0, 23, &hour) || !next_is(r, ':') || !digits(r, 2, 0, 59, &minute) ||
        !next_is(r, ':') || !digits(r, 2, 0, 60, &second))
        return false;
    if (next_is(r, '.') && !read_fraction(r, &ms))
        return false;
    if (!read_offset(r, &offset_ms))
        return false;
    *wall_ms += hour * MS_PER_HOUR + minute * MS_PER_MINUTE + second * 1000 - offset_ms;
    if (second == 60 && *wall_ms % MS_PER_DAY != 0)
        return false;
    *wall_ms += ms;
    return true;
}

bool timestamp_from_text(struct slice text, int64_t *wall_ms)
{
    struct reader r = {text.data, text.data + text.length};

    if (!read_date(&r, wall_ms))
        return false;
    if (!at_end(&r)) {
        if (!next_is(&r, 'T') && !next_is(&r, 't') && !next_is(&r, ' '))
            return false;
        if (!read_time(&r, wall_ms))
            return false;
    }
    return at_end(&r) && in_range(*wall_ms);
}
