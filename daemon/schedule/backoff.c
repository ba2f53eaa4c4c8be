#include "schedule/backoff.h"

#include "gatherd/schedule.h"

/* `ms` doubled `times` times, but at most `cap`. Without overflow for any input that is not < 0. */
static int64_t doubled(int64_t ms, unsigned times, int64_t cap)
{
    if (ms >= cap)
        return cap;
    for (; times > 0 && ms > 0; times--) {
        if (ms > cap / 2)
            return cap;
        ms *= 2;
    }
    return ms;
}

int64_t backoff_interval(const struct source *source, unsigned failures)
{
    int64_t cap = source->max_interval_ms;

    if (cap < source->interval_ms)
        cap = source->interval_ms;
    return doubled(source->interval_ms, failures, cap);
}

/*
 * Full jitter: anything from 0 to the bound, so that clients that failed together do not come back
 * together. It goes on top of a Retry-After (RFC 9110, 10.2.3), which is the same for all whom a
 * rate limit turned away at one moment: without it they meet again at the limit, and some starve.
 */
int64_t backoff_retry_delay(const struct run *run, struct random *random)
{
    const struct retry_policy *retry = run->source->retry;
    int64_t delay_ms;

    if (!run->retryable || run->attempt + 1 >= retry->max_attempts)
        return -1;
    if (run->retry_after_ms > SCHEDULE_RETRY_IN_PLACE_MS)
        return -1;
    delay_ms = random_upto(random, doubled(retry->base_ms, run->attempt, retry->cap_ms));
    return run->retry_after_ms > 0 ? run->retry_after_ms + delay_ms : delay_ms;
}

/* Past max_interval nobody believes that nothing changes, whatever the server says. */
int64_t backoff_fresh(const struct run *run)
{
    int64_t cap = run->source->max_interval_ms;

    if (!run->source->respect_cache)
        return 0;
    return run->fresh_ms < cap ? run->fresh_ms : cap;
}

int64_t backoff_postponed(const struct run *run)
{
    if (run->retry_after_ms <= 0)
        return 0;
    return run->retry_after_ms < SCHEDULE_POSTPONE_CAP_MS ? run->retry_after_ms
                                                          : SCHEDULE_POSTPONE_CAP_MS;
}
