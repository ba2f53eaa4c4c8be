/*
 * pace.h - how fast requests may follow each other: so many in a time, so many of them at once, and
 * none before a moment that a server named.
 *
 * The generic cell rate algorithm (ITU-T I.371, annex A): all that is kept of the requests so far
 * is when the next one would come if they came evenly. One may come earlier than that by the time
 * of (burst - 1) intervals. So a request costs O(1), and the rate over a long time is exact: it is
 * counted in nanoseconds, though requests start at whole milliseconds. Times are monotonic.
 */
#ifndef GATHERD_SCHEDULE_PACE_H
#define GATHERD_SCHEDULE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
    int64_t interval_ns;      /* from one request to the next in the long run; 0: any number */
    int64_t tolerance_ns;     /* (burst - 1) intervals */
    int64_t arrival_ns;       /* the theoretical arrival time of the next request */
    int64_t blocked_until_ms; /* whatever the rate says */
};

/*
 * {0} is a pace that holds nobody up. A new rate counts from the last request on; a block stays.
 * False: it is the rate there was.
 */
bool pace_set(struct pace *pace, unsigned requests, int64_t per_ms, unsigned burst, int64_t now_ms);

/* The first moment, perhaps past, at which a request may start. */
int64_t pace_open_ms(const struct pace *pace);

/* A request starts at `now_ms`, which is not before pace_open_ms(). */
void pace_spend(struct pace *pace, int64_t now_ms);

/* Nobody before `until_ms`; an earlier one than there was changes nothing, and false says so. */
bool pace_block(struct pace *pace, int64_t until_ms);

/* How long the last of `count` requests that wait from now on will have waited when it starts. */
int64_t pace_wait_ms(const struct pace *pace, uint64_t count, int64_t now_ms);

#endif
