/*
 * When the wall clock is set. Due times are monotonic, so those that stand for times on the wall
 * clock are found anew; what is out or between two requests is planned by the new clock
 * anyway.
 */
#include "schedule/entry.h"

void schedule_follow_clock(struct schedule *s, struct instant now)
{
    int64_t ahead_ms = now.wall_ms - now.monotonic_ms;
    int64_t moved_ms = ahead_ms - s->wall_ahead_ms;

    if (moved_ms <= SCHEDULE_CLOCK_STEP_MS && moved_ms >= -SCHEDULE_CLOCK_STEP_MS)
        return;
    s->wall_ahead_ms = ahead_ms;
    for (struct map_node *n = s->on_wall_clock ? map_next(&s->entries, NULL) : NULL; n != NULL;
         n = map_next(&s->entries, n)) {
        struct entry *e = entry_of_node(n);

        if (e->place == ENTRY_DUE && !e->begun && entry_follow_clock(e, now)) {
            entry_withdraw(s, e);
            entry_queue(s, e, e->due_ms);
        }
    }
}
