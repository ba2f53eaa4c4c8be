#include "gatherd/units.h"

#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t factor;
};

/* Largest first: a duration is written and read in this order. */
static const struct unit durations[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};

static const struct unit sizes[] = {
    {"GiB", 1024LL * 1024 * 1024},
    {"GB", 1000LL * 1000 * 1000},
    {"MiB", 1024LL * 1024},
    {"MB", 1000LL * 1000},
    {"KiB", 1024},
    {"kB", 1000},
    {"B", 1},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int read_number(const char **p, int64_t *number)
{
    const char *start = *p;
    int64_t n = 0;

    for (; **p >= '0' && **p <= '9'; (*p)++) {
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, **p - '0', &n))
            return -1;
    }
    *number = n;
    return *p == start ? -1 : 0;
}

/* The unit whose whole name stands at *p, or -1; moves *p behind it. */
static int read_unit(const char **p, const struct unit *units, size_t count)
{
    size_t length = strspn(*p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    for (size_t i = 0; i < count; i++) {
        if (strlen(units[i].name) == length && strncmp(units[i].name, *p, length) == 0) {
            *p += length;
            return (int)i;
        }
    }
    return -1;
}

int units_parse_duration(const char *text, int64_t *ms)
{
    const char *p = text;
    int64_t total = 0;
    int previous = -1;

    do {
        int64_t number;
        int unit;

        if (read_number(&p, &number) == -1)
            return -1;
        unit = read_unit(&p, durations, COUNT(durations));
        if (unit <= previous) /* unknown, twice, or a larger one after a smaller */
            return -1;
        previous = unit;
        if (__builtin_mul_overflow(number, durations[unit].factor, &number) ||
            __builtin_add_overflow(total, number, &total))
            return -1;
    } while (*p != '\0');
    *ms = total;
    return 0;
}

int units_parse_size(const char *text, int64_t *bytes)
{
    const char *p = text;
    int64_t number;
    int unit;

    if (read_number(&p, &number) == -1)
        return -1;
    unit = read_unit(&p, sizes, COUNT(sizes));
    if (unit == -1 || *p != '\0' || __builtin_mul_overflow(number, sizes[unit].factor, &number))
        return -1;
    *bytes = number;
    return 0;
}

int units_parse_percent(const char *text, int64_t *percent)
{
    const char *p = text;
    int64_t number;

    if (read_number(&p, &number) == -1 || strcmp(p, "%") != 0)
        return -1;
    *percent = number;
    return 0;
}

char *units_format_duration(int64_t ms, char text[UNITS_TEXT_SIZE])
{
    size_t used = 0;

    if (ms <= 0) {
        strcpy(text, "0s");
        return text;
    }
    for (size_t i = 0; i < COUNT(durations); i++) {
        int64_t n = ms / durations[i].factor;

        ms %= durations[i].factor;
        if (n > 0)
            used += (size_t)snprintf(text + used, UNITS_TEXT_SIZE - used, "%lld%s", (long long)n,
                                     durations[i].name);
    }
    return text;
}

char *units_format_size(int64_t bytes, char text[UNITS_TEXT_SIZE])
{
    for (size_t i = 0; i < COUNT(sizes); i++) {
        if (bytes >= sizes[i].factor && bytes % sizes[i].factor == 0) {
            snprintf(text, UNITS_TEXT_SIZE, "%lld%s", (long long)(bytes / sizes[i].factor),
                     sizes[i].name);
            return text;
        }
    }
    snprintf(text, UNITS_TEXT_SIZE, "%lldB", (long long)bytes);
    return text;
}
