#include "fetch/quota.h"

#include <string.h>

#include "fetch/retry_after.h"
#include "gatherd/units.h"

/* Longer ones say nothing that is understood here. */
#define MOST_VALUE_BYTES 64

#define FIRST_UNIX_S  INT64_C(1000000000)
#define FIRST_UNIX_MS INT64_C(100000000000)
#define MOST_NUMBER   (INT64_MAX / 10000)

/* The value of the first header of that name, as a string. */
static bool get_value(const struct response *response, const char *name,
                      char value[MOST_VALUE_BYTES])
{
    struct slice found;
    size_t place = 0;

    if (!response_header(response, name, &place, &found) || found.length >= MOST_VALUE_BYTES)
        return false;
    memcpy(value, found.data, found.length);
    value[found.length] = '\0';
    return true;
}

/* Digits with or without a fraction, which is rounded up; `*end` is what follows. */
static bool parse_number(const char *text, int64_t *number, const char **end)
{
    size_t digits = strspn(text, "0123456789");
    size_t fraction = 0;

    if (digits == 0)
        return false;
    *number = 0;
    for (size_t i = 0; i < digits; i++)
        *number = *number < MOST_NUMBER / 10 ? *number * 10 + (text[i] - '0') : MOST_NUMBER;
    if (text[digits] == '.')
        fraction = 1 + strspn(text + digits + 1, "0123456789");
    for (size_t i = 1; i < fraction; i++) {
        if (text[digits + i] != '0') {
            (*number)++;
            break;
        }
    }
    *end = text + digits + fraction;
    return true;
}

static int64_t bounded(int64_t wait_ms)
{
    if (wait_ms < 0)
        return 0;
    return wait_ms < QUOTA_MAX_MS ? wait_ms : QUOTA_MAX_MS;
}

static int64_t wait_of_number(int64_t number, int64_t now_wall_ms)
{
    if (number < FIRST_UNIX_S)
        return bounded(number < QUOTA_MAX_MS ? number * 1000 : QUOTA_MAX_MS);
    if (number < FIRST_UNIX_MS)
        return bounded(number * 1000 - now_wall_ms);
    return bounded(number - now_wall_ms);
}

int64_t quota_reset_parse(const char *value, int64_t now_wall_ms)
{
    const char *end;
    int64_t number;

    if (parse_number(value, &number, &end) && *end == '\0')
        return wait_of_number(number, now_wall_ms);
    if (units_parse_duration(value, &number) == 0)
        return bounded(number);
    return retry_after_parse(value, now_wall_ms);
}

/* What is below nothing is nothing. False: it is no number. */
static bool parse_remaining(const char *value, int64_t *remaining)
{
    const char *end;
    bool negative = *value == '-';

    if (!parse_number(value + negative, remaining, &end) || *end != '\0')
        return false;
    if (negative)
        *remaining = 0;
    return true;
}

int64_t quota_wait(const struct quota *quota, const struct response *response, int64_t now_wall_ms)
{
    char value[MOST_VALUE_BYTES];
    int64_t remaining;
    int64_t wait_ms;

    if (quota == NULL || !get_value(response, quota->remaining, value) ||
        !parse_remaining(value, &remaining) || remaining > quota->reserve ||
        !get_value(response, quota->reset, value))
        return -1;
    wait_ms = quota_reset_parse(value, now_wall_ms);
    return wait_ms > 0 ? wait_ms : -1;
}
