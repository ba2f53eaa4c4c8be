/*
 * line.h - politeness: who waits for a host or for a rate limit, and whose turn it is.
 *
 * A host has so many transfers at once, and a pace; a rate limit is a pace that hosts share. Those
 * that are due and want the same host under the same rate limit stand in one line, first in, first
 * out: what holds one of them up holds up all, so that a start, an end and a moment that comes cost
 * the same however many wait. A line whose host has room is open. Of a lane's open lines, and of
 * the rate limits that have open lines in it, the one goes first whose first has been due longest:
 * that keeps its place while hosts close and open again. What waits for a moment has a timer in the
 * lane.
 *
 * A host belongs to one lane, by its hash; a rate limit has a share in each. Hosts, limits and
 * lines are counted by those who name them and go with the last of them. Not for several threads.
 */
#ifndef GATHERD_SCHEDULE_LINE_H
#define GATHERD_SCHEDULE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "schedule/heap.h"
#include "schedule/map.h"
#include "schedule/pace.h"

/* At most so many lanes: a bit each in lines->news. */
#define LINES_MAX_LANES 64

/* Embedded in what waits. */
struct waiter {
    TAILQ_ENTRY(waiter) link;
    int64_t due_ms; /* since when; set before it joins a line */
};

/* Whether people have been told of a long wait; it begins anew once nobody waits any more. */
enum notice_state { NOTICE_NONE, NOTICE_DUE, NOTICE_GIVEN };

struct notice {
    enum notice_state state;
    int64_t quiet_until_ms; /* none before */
};

/* A place in a heap, or none. */
struct spot {
    struct heap_item item;
    int64_t key; /* NEVER: it is in none */
    bool of_share;
};

#define NEVER INT64_MAX

struct limit;

/* What a rate limit has in one lane. */
struct share {
    struct limit *limit;
    struct heap open;  /* its open lines, by what their first is due */
    size_t most_open;  /* lines of this limit and lane */
    struct spot ready; /* in the lane's heap, while it may start one of them */
    struct spot timer; /* else */
};

struct limit {
    struct map_node node;
    struct pace pace;
    struct share *shares; /* owned, one a lane */
    size_t lines;         /* that are under it */
    size_t open;          /* ... and open */
    size_t waiting;       /* in all of them */
    struct notice notice;
    char name[];
};

struct host {
    struct map_node node;
    LIST_HEAD(, line) lines;
    struct pace pace;
    struct spot timer;
    size_t waiting; /* in all its lines */
    unsigned max_concurrent;
    unsigned in_flight;
    unsigned lane;
    struct notice notice;
    char name[]; /* "name:port" */
};

struct line {
    struct host *host;
    struct limit *limit; /* NULL: none */
    LIST_ENTRY(line) of_host;
    TAILQ_HEAD(, waiter) waiting;
    struct spot ready; /* while open: in the heap of its share, or of its lane */
    size_t length;
    size_t references;
};

struct line_lane {
    struct heap ready;  /* what may start, by what its first is due: shares, lines without limit */
    struct heap timers; /* of shares and hosts */
    size_t most;        /* lines of this lane, and limits: neither heap has more */
};

struct lines {
    struct map hosts;
    struct map limits;
    struct line_lane *lanes; /* owned */
    unsigned lane_count;
    int64_t now_ms; /* the latest moment they were told */
    size_t waiting; /* in all lines */
    uint64_t news;  /* bit (1 << lane): it may have something sooner; the caller clears it */
    size_t notices; /* that are due */
};

/* Deals hosts to so many lanes. 0, or -1: out of memory, nothing has changed. */
int lines_set_lanes(struct lines *lines, unsigned count);

/* Every reference is back. */
void lines_free(struct lines *lines);

/* Time does not go back. Whatever starts or waits does so at this moment. */
void lines_set_now(struct lines *lines, int64_t now_ms);

/*
 * The line of that host and rate limit (NULL: none), with one reference more. A host that is new
 * here lets one transfer run at once, a new limit everything. NULL: out of memory.
 */
struct line *line_get(struct lines *lines, const char *host, const char *limit);
void line_put(struct lines *lines, struct line *line); /* NULL is allowed */

static inline struct line *line_ref(struct line *line)
{
    line->references++;
    return line;
}

/* Whether it is the line of that host and rate limit. */
bool line_is_for(const struct line *line, const char *host, const char *limit);

/* Every host once: hosts_next(lines, NULL) is the first, NULL comes after the last. */
struct host *hosts_next(const struct lines *lines, const struct host *host);
struct limit *limits_next(const struct lines *lines, const struct limit *limit);

/* New rules, at once; transfers above them go on. */
void host_set(struct lines *lines, struct host *host, unsigned max_concurrent, int64_t spacing_ms);
void limit_set(struct lines *lines, struct limit *limit, unsigned requests, int64_t per_ms,
               unsigned burst);

/* NULL: nobody names it. */
struct limit *limit_find(const struct lines *lines, const char *name);

/* Nobody starts before `until_ms`. False: that was so before; else the caller tells people. */
bool host_block(struct lines *lines, struct host *host, int64_t until_ms);
bool limit_block(struct lines *lines, struct limit *limit, int64_t until_ms);

/* Whether one who is in no line may start without waiting in this one. */
bool line_may_start(const struct lines *lines, const struct line *line);

void line_started(struct lines *lines, struct line *line);
void line_ended(struct lines *lines, struct line *line);

/* Into the line at its end, and out of it from any place. */
void line_wait(struct lines *lines, struct line *line, struct waiter *waiter);
void line_unwait(struct lines *lines, struct line *line, struct waiter *waiter);

/* The first of those whose turn it is in this lane; it stays there. NULL: none may start now. */
struct waiter *lines_first_ready(struct lines *lines, unsigned lane);

/* When something opens next in this lane; false: nothing waits for a moment. */
bool lines_next_opening(const struct lines *lines, unsigned lane, int64_t *at_ms);

/* How many of those who wait wait for a moment: a pace or a block, and not for room. O(lines). */
size_t lines_held_up(const struct lines *lines);

/* What is worth telling people, and how often. */
#define LINES_LONG_WAIT_MS (60 * 1000)
#define LINES_QUIET_MS     (60 * 60 * 1000)

/*
 * A host or rate limit (one of them is set) where the last in line will have waited that long, and
 * of which a notice is due; this is it. False: none. O(1) while none is due.
 */
bool lines_next_notice(struct lines *lines, const struct host **host, const struct limit **limit);

/* --- Between line.c and line_make.c --- */

/* Takes every line, share and timer out of its lane, or puts it where it belongs. */
void lines_close_all(struct lines *lines);
void lines_refresh_all(struct lines *lines);

#endif
