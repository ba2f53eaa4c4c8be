/* What answers and lines say beyond one run: who has to wait now, and what people are told of it.
 */
#include <stdio.h>
#include <string.h>

#include "schedule/backoff.h"
#include "schedule/entry.h"

static bool is_news(int64_t blocked_until_ms, struct instant now, int64_t until_ms)
{
    return blocked_until_ms <= now.monotonic_ms &&
           until_ms - now.monotonic_ms >= LINES_LONG_WAIT_MS;
}

static bool hold_limit(struct schedule *s, struct limit *limit, struct instant now,
                       int64_t until_ms)
{
    bool news = is_news(limit->pace.blocked_until_ms, now, until_ms);

    limit_block(&s->lines, limit, until_ms);
    return news;
}

static bool hold_host(struct schedule *s, struct host *host, struct instant now, int64_t until_ms)
{
    bool news = is_news(host->pace.blocked_until_ms, now, until_ms);

    host_block(&s->lines, host, until_ms);
    return news;
}

/* With all its items. */
static bool hold_source(struct entry *entry, struct instant now, int64_t until_ms)
{
    struct entry *e = entry_owner(entry);
    bool news = is_news(e->not_before_ms, now, until_ms);

    if (until_ms > e->not_before_ms)
        e->not_before_ms = until_ms;
    return news;
}

static enum schedule_hold heed_quota(struct schedule *s, struct entry *e, struct instant now,
                                     int64_t until_ms)
{
    if (e->line->limit != NULL)
        return hold_limit(s, e->line->limit, now, until_ms) ? HOLD_RATE_LIMIT : HOLD_NONE;
    return hold_source(e, now, until_ms) ? HOLD_SOURCE : HOLD_NONE;
}

enum schedule_hold schedule_heed(struct schedule *s, const struct run *run, struct instant now,
                                 int64_t *until_ms)
{
    struct entry *e = entry_of_run(run);
    int64_t quota_ms = backoff_capped(run->quota_wait_ms);
    int64_t patience_ms = backoff_capped(run->retry_after_ms);
    enum schedule_hold hold = HOLD_NONE;
    uint64_t wakes;

    pthread_mutex_lock(&s->mutex);
    lines_set_now(&s->lines, now.monotonic_ms);
    if (quota_ms > 0) {
        *until_ms = now.wall_ms + quota_ms;
        hold = heed_quota(s, e, now, now.monotonic_ms + quota_ms);
    }
    if (patience_ms > 0 && run->source->retry->scope == RETRY_SCOPE_HOST &&
        hold_host(s, e->line->host, now, now.monotonic_ms + patience_ms)) {
        *until_ms = now.wall_ms + patience_ms;
        hold = HOLD_HOST;
    }
    /* A source that is one target waits by itself: its next attempt, or its next run. */
    if (patience_ms > 0 && run->source->retry->scope == RETRY_SCOPE_SOURCE && entry_is_item(e) &&
        hold_source(e, now, now.monotonic_ms + patience_ms)) {
        *until_ms = now.wall_ms + patience_ms;
        hold = HOLD_SOURCE;
    }
    wakes = schedule_collect_wakes(s);
    pthread_mutex_unlock(&s->mutex);
    schedule_send_wakes(s, wakes);
    return hold;
}

static void describe(const struct pace *pace, const char *name, size_t waiting, struct instant now,
                     struct schedule_notice *notice)
{
    snprintf(notice->name, sizeof(notice->name), "%s", name);
    notice->waiting = waiting;
    notice->until_ms = now.wall_ms + pace_wait_ms(pace, waiting, now.monotonic_ms);
}

bool schedule_next_notice(struct schedule *s, struct instant now, struct schedule_notice *notice)
{
    const struct host *host;
    const struct limit *limit;
    bool found;

    pthread_mutex_lock(&s->mutex);
    found = lines_next_notice(&s->lines, &host, &limit);
    if (limit != NULL) {
        notice->hold = HOLD_RATE_LIMIT;
        describe(&limit->pace, limit->name, limit->waiting, now, notice);
    } else if (host != NULL) {
        notice->hold = HOLD_HOST;
        describe(&host->pace, host->name, host->waiting, now, notice);
    }
    pthread_mutex_unlock(&s->mutex);
    return found;
}
