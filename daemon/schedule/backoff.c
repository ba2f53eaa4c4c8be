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

/* What the server asks for, in whichever way. */
static int64_t patience(const struct run *run)
{
    return run->retry_after_ms > run->quota_wait_ms ? run->retry_after_ms : run->quota_wait_ms;
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
    if (patience(run) > SCHEDULE_RETRY_IN_PLACE_MS)
        return -1;
    delay_ms = random_upto(random, doubled(retry->base_ms, run->attempt, retry->cap_ms));
    return patience(run) > 0 ? patience(run) + delay_ms : delay_ms;
}

/* Past max_interval nobody believes that nothing changes, whatever the server says. */
int64_t backoff_fresh(const struct run *run)
{
    int64_t cap = run->source->max_interval_ms;

    if (!run->source->respect_cache)
        return 0;
    return run->fresh_ms < cap ? run->fresh_ms : cap;
}

int64_t backoff_capped(int64_t wait_ms)
{
    if (wait_ms <= 0)
        return 0;
    return wait_ms < SCHEDULE_POSTPONE_CAP_MS ? wait_ms : SCHEDULE_POSTPONE_CAP_MS;
}

/* After a success a rate limit, if there is one, holds up this source like all under it. */
int64_t backoff_postponed(const struct run *run)
{
    if (run->failure == RUN_OK && run->source->rate_limit != NULL)
        return backoff_capped(run->retry_after_ms);
    return backoff_capped(patience(run));
}
