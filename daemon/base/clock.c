#include "gatherd/clock.h"

#include <stddef.h>

#define MS_PER_S   1000
#define MS_PER_DAY (24LL * 60 * 60 * MS_PER_S)
#define NS_PER_MS  1000000L

#define FIRST_MS (-62167219200000LL) /* 0000-01-01T00:00:00.000Z */
#define LAST_MS  253402300799999LL   /* 9999-12-31T23:59:59.999Z */

static struct timespec read_clock(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return now;
}

static int64_t to_ms(struct timespec t)
{
    return (int64_t)t.tv_sec * MS_PER_S + t.tv_nsec / NS_PER_MS;
}

int64_t clock_monotonic_ms(void)
{
    return to_ms(read_clock(CLOCK_MONOTONIC));
}

int64_t clock_monotonic_us(void)
{
    struct timespec now = read_clock(CLOCK_MONOTONIC);

    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_ms(void)
{
    return to_ms(read_clock(CLOCK_REALTIME));
}

struct instant clock_now(void)
{
    return (struct instant){clock_monotonic_ms(), clock_wall_ms()};
}

struct timespec clock_deadline(int64_t timeout_ms)
{
    struct timespec t = read_clock(CLOCK_MONOTONIC);

    t.tv_sec += (time_t)(timeout_ms / MS_PER_S);
    t.tv_nsec += (long)(timeout_ms % MS_PER_S) * NS_PER_MS;
    if (t.tv_nsec >= MS_PER_S * NS_PER_MS) {
        t.tv_sec++;
        t.tv_nsec -= MS_PER_S * NS_PER_MS;
    } else if (t.tv_nsec < 0) { /* of a negative timeout */
        t.tv_sec--;
        t.tv_nsec += MS_PER_S * NS_PER_MS;
    }
    return t;
}

/* Both conversions follow Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
int64_t clock_days_from_civil(int64_t year, unsigned month, unsigned day)
{
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

struct civil clock_civil_from_days(int64_t days)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    struct civil c;

    c.day = doy - (153 * mp + 2) / 5 + 1;
    c.month = mp < 10 ? mp + 3 : mp - 9;
    c.year = yoe + era * 400 + (c.month <= 2);
    return c;
}

/* Three timestamps are written for each run, so this does without snprintf. */
static char *put_digits(char *p, int64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        p[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return p + digits;
}

char *clock_format(int64_t wall_ms, char text[CLOCK_TEXT_SIZE])
{
    int64_t ms = wall_ms < FIRST_MS ? FIRST_MS : wall_ms > LAST_MS ? LAST_MS : wall_ms;
    int64_t days = ms >= 0 ? ms / MS_PER_DAY : (ms - MS_PER_DAY + 1) / MS_PER_DAY;
    int64_t rest = ms - days * MS_PER_DAY;
    struct civil c = clock_civil_from_days(days);
    char *p = text;

    p = put_digits(p, c.year, 4);
    *p++ = '-';
    p = put_digits(p, c.month, 2);
    *p++ = '-';
    p = put_digits(p, c.day, 2);
    *p++ = 'T';
    p = put_digits(p, rest / 3600000, 2);
    *p++ = ':';
    p = put_digits(p, rest / 60000 % 60, 2);
    *p++ = ':';
    p = put_digits(p, rest / 1000 % 60, 2);
    *p++ = '.';
    p = put_digits(p, rest % 1000, 3);
    *p++ = 'Z';
    *p = '\0';
    return text;
}

static int read_digits(const char **p, int digits, int64_t low, int64_t high, int64_t *value)
{
    int64_t n = 0;

    for (int i = 0; i < digits; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return -1;
        n = n * 10 + (**p - '0');
    }
    *value = n;
    return n < low || n > high ? -1 : 0;
}

int clock_parse(const char *text, int64_t *wall_ms)
{
    static const struct {
        int digits;
        int low;
        int high;
        char end;
    } parts[] = {
        {4, 0, 9999, '-'}, {2, 1, 12, '-'}, {2, 1, 31, 'T'},  {2, 0, 23, ':'},
        {2, 0, 59, ':'},   {2, 0, 59, '.'}, {3, 0, 999, 'Z'},
    };
    int64_t v[sizeof(parts) / sizeof(parts[0])];
    const char *p = text;
    int64_t days;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (read_digits(&p, parts[i].digits, parts[i].low, parts[i].high, &v[i]) == -1 ||
            *p++ != parts[i].end)
            return -1;
    }
    if (*p != '\0')
        return -1;
    days = clock_days_from_civil(v[0], (unsigned)v[1], (unsigned)v[2]);
    if (clock_civil_from_days(days).day != v[2]) /* 02-30 would be 03-02 */
        return -1;
    *wall_ms = days * MS_PER_DAY + v[3] * 3600000 + v[4] * 60000 + v[5] * 1000 + v[6];
    return 0;
}
