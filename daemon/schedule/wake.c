/*
 * Lanes sleep until a moment they were told, or until they are woken because something came sooner.
 * Who changes something leaves a note of the lanes it concerns (lines.news); before the mutex is
 * given back those that sleep too long are picked, and after it they are told.
 */
#include "schedule/entry.h"

/* The next due time or opening; false: none. */
static bool next_moment(const struct schedule *s, unsigned lane, int64_t *at_ms)
{
    int64_t due_ms = INT64_MAX;
    int64_t opening_ms = INT64_MAX;
    bool any = heap_first(&s->lanes[lane].heap, &due_ms) != NULL;

    any = lines_next_opening(&s->lines, lane, &opening_ms) || any;
    *at_ms = due_ms < opening_ms ? due_ms : opening_ms;
    return any;
}

static bool wants_wake(struct schedule *s, unsigned number)
{
    struct lane *lane = &s->lanes[number];
    int64_t at_ms;

    if (s->stopped || !lane->asleep)
        return false;
    if (lines_first_ready(&s->lines, number) == NULL &&
        (!next_moment(s, number, &at_ms) || at_ms >= lane->told_ms))
        return false;
    lane->asleep = false;
    return true;
}

/* Looking at a lane opens what is to open in it, which may be news for another. */
uint64_t schedule_collect_wakes(struct schedule *s)
{
    uint64_t found = 0;

    while (s->lines.news != 0) {
        uint64_t news = s->lines.news;

        s->lines.news = 0;
        for (unsigned lane = 0; lane < s->lane_count; lane++) {
            if ((news >> lane & 1) != 0 && wants_wake(s, lane))
                found |= UINT64_C(1) << lane;
        }
    }
    return found;
}

void schedule_send_wakes(const struct schedule *s, uint64_t wakes)
{
    for (unsigned lane = 0; wakes != 0; lane++, wakes >>= 1) {
        if ((wakes & 1) != 0)
            s->wake(s->wake_context, lane);
    }
}

/* A lane that waits for times on the wall clock looks at it now and then. */
int64_t schedule_tell_wait(struct schedule *s, unsigned lane, struct instant now)
{
    int64_t at_ms;
    bool any = next_moment(s, lane, &at_ms);

    if (any && s->on_wall_clock && at_ms > now.monotonic_ms + SCHEDULE_CLOCK_CHECK_MS)
        at_ms = now.monotonic_ms + SCHEDULE_CLOCK_CHECK_MS;
    s->lanes[lane].asleep = true;
    s->lanes[lane].told_ms = any ? at_ms : INT64_MAX;
    if (!any)
        return -1;
    return at_ms > now.monotonic_ms ? at_ms - now.monotonic_ms : 0;
}
