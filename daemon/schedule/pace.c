#include "schedule/pace.h"

#include <assert.h>

#define MS_NS INT64_C(1000000)

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Rounded up, so that no rate is ever above what it says. */
static int64_t divide_up(int64_t a, int64_t b)
{
    return a / b + (a % b > 0);
}

bool pace_set(struct pace *pace, unsigned requests, int64_t per_ms, unsigned burst, int64_t now_ms)
{
    int64_t interval_ns;
    int64_t latest_ns;

    assert(requests > 0 && burst > 0 && burst <= requests && per_ms >= 0);
    interval_ns = divide_up(per_ms * MS_NS, requests);
    if (pace->interval_ns == interval_ns && pace->tolerance_ns == (burst - 1) * interval_ns)
        return false;
    latest_ns = now_ms * MS_NS + burst * interval_ns;
    if (pace->arrival_ns > 0) /* as if the last request had come under the new rate */
        pace->arrival_ns += interval_ns - pace->interval_ns;
    if (pace->arrival_ns > latest_ns)
        pace->arrival_ns = latest_ns;
    pace->interval_ns = interval_ns;
    pace->tolerance_ns = (burst - 1) * interval_ns;
    return true;
}

int64_t pace_open_ms(const struct pace *pace)
{
    int64_t earliest_ns = pace->arrival_ns - pace->tolerance_ns;

    return later(pace->blocked_until_ms, divide_up(earliest_ns, MS_NS));
}

/*
 * Who starts in the millisecond that pace_open_ms() said was on time, though it was rounded up:
 * what is lost by that is given back, or 3 a second would become 2.994.
 */
void pace_spend(struct pace *pace, int64_t now_ms)
{
    assert(now_ms >= pace_open_ms(pace));
    pace->arrival_ns = later(now_ms * MS_NS - (MS_NS - 1), pace->arrival_ns) + pace->interval_ns;
}

bool pace_block(struct pace *pace, int64_t until_ms)
{
    if (until_ms <= pace->blocked_until_ms)
        return false;
    pace->blocked_until_ms = until_ms;
    return true;
}

int64_t pace_wait_ms(const struct pace *pace, uint64_t count, int64_t now_ms)
{
    int64_t first_ms = later(0, pace_open_ms(pace) - now_ms);
    int64_t rest_ns;

    if (count == 0 || __builtin_mul_overflow((int64_t)count - 1, pace->interval_ns, &rest_ns))
        return count == 0 ? 0 : INT64_MAX / MS_NS;
    return first_ms + rest_ns / MS_NS;
}
