/*
 * schedule.h - which run may start now: due times, politeness to hosts, rate limits, backoff.
 *
 * The schedule owns every run that no other stage has. It is pure logic: time is passed in, nothing
 * waits, and no call does I/O; a poll costs O(log n) in the number of sources. Sources run at
 * slots, which are wall times: of an interval (offset + k * interval), with offset = hash(name) mod
 * interval, so that sources with equal intervals spread evenly and keep their rhythm over restarts;
 * or those that align or a cron line names (schedule/rhythm.h).
 *
 * Due times are kept on the monotonic clock: a jump of the wall clock neither stops nor storms
 * them. Slots that people know follow the jump: those it passed over are made up for by one run,
 * those it brings back come again.
 *
 * A run belongs to a lane by its host, one lane a fetcher, so that a host's connections live in one
 * place. Any thread may call; one mutex guards all; wake callbacks come with no lock held.
 */
#ifndef GATHERD_SCHEDULE_H
#define GATHERD_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/clock.h"
#include "gatherd/config.h"
#include "gatherd/run.h"
#include "gatherd/trouble.h"

struct schedule; /* opaque */

/*
 * A lane has work sooner than its last schedule_take() said. Called with no lock held, from any
 * thread, once: the lane counts as awake until it asks again. A lane that was given a run counts as
 * awake too, so a fetcher asks on until it gets NULL, or asks again when it has room.
 */
typedef void schedule_wake_fn(void *context, unsigned lane);

/*
 * A run with this row in _gatherd_runs will never end, because its source was removed between two
 * of its pages. Called with no lock held, from any thread, which must not wait for a disk.
 */
typedef void schedule_dropped_fn(void *context, int64_t run_id);

struct schedule_options {
    unsigned lanes;         /* 1 to 64 */
    uint64_t seed;          /* of jitter and backoff */
    bool once;              /* each source is due now, runs once and is not due again */
    schedule_wake_fn *wake; /* never NULL */
    void *wake_context;
    schedule_dropped_fn *dropped; /* NULL: nobody is told */
    void *dropped_context;
};

struct schedule *schedule_create(const struct schedule_options *options, struct error *err);

/* Every run must be back. NULL is allowed. */
void schedule_free(struct schedule *schedule);

/*
 * Takes over a configuration, the first or a new one (it takes its own reference). A source that is
 * unchanged keeps its due time; a changed one takes effect at its next run, and is due again by its
 * new interval if that is sooner, by its new times on the wall clock in any case; a removed or
 * disabled one is due no more (its run that is out is dropped when it is given back, one that waits
 * for its next request at once); a new one is due at its saved time, or at once when that has
 * passed (unless it skips what it missed), it never ran (but a cron source waits for its first
 * slot), or run_on_start says so. A run that has begun goes on under the configuration it began
 * with, its retries and pages included. `states[i]` belongs to config->sources[i]; what a source
 * that is new here remembers is taken out of it, the others know better themselves. `only` (NULL:
 * all) restricts to the named sources, for `run --once NAME`; names that are unknown or disabled
 * are passed over, so the caller looks first. On -1 (out of memory) nothing has changed.
 */
int schedule_configure(struct schedule *schedule, struct config *config,
                       struct source_state *states, const char *const *only, size_t only_count,
                       struct instant now, struct error *err);

/*
 * The number of fetchers changed: hosts are dealt to the lanes anew. A lane that is no more gets
 * nothing from schedule_take(); those that sleep are woken. On -1 (out of memory) nothing has
 * changed.
 */
int schedule_set_lanes(struct schedule *schedule, unsigned count, struct error *err);

/*
 * A run of this lane that may start now, or NULL; then `*wait_ms` is the time until one may be due
 * (-1: not before a wake-up). The caller owns the run until schedule_retry() or schedule_return(),
 * and its host counts it as in flight until schedule_transfer_ended().
 */
struct run *schedule_take(struct schedule *schedule, unsigned lane, struct instant now,
                          int64_t *wait_ms);

/*
 * The run's request is over: its host may be asked by another. schedule_retry() and
 * schedule_return() say the same, so it is not called after them; a second call does nothing.
 */
void schedule_transfer_ended(struct schedule *schedule, struct run *run);

/* What has to wait because of an answer. */
enum schedule_hold { HOLD_NONE, HOLD_SOURCE, HOLD_HOST, HOLD_RATE_LIMIT };

/*
 * Takes from an answer what it asks beyond its own run, at once: where nothing is left of a quota,
 * the rate limit of its source waits, or the source alone if it has none; with `retry.scope: host`
 * a Retry-After holds up the whole host. Each wait is capped at SCHEDULE_POSTPONE_CAP_MS. Called
 * before schedule_retry_delay() and schedule_transfer_ended(); a second call for an answer does
 * nothing. Returns what begins to wait for a minute or more, so that people are told, with the Unix
 * time of its end in `*until_ms`.
 */
enum schedule_hold schedule_heed(struct schedule *schedule, const struct run *run,
                                 struct instant now, int64_t *until_ms);

/* A host or rate limit in whose line the last will have waited for a minute or more. */
struct schedule_notice {
    enum schedule_hold hold;
    char name[320];
    size_t waiting;   /* sources */
    int64_t until_ms; /* Unix time at which the last of them starts, as it looks now */
};

/* One that has not been returned since its line was empty, and not for an hour. False: none. */
bool schedule_next_notice(struct schedule *schedule, struct instant now,
                          struct schedule_notice *notice);

/*
 * After a failed request with run->retryable: how long to wait before another attempt in this run,
 * or -1 when there is none: attempts are used up, or the server asks for more patience than
 * SCHEDULE_RETRY_IN_PLACE_MS. What the server asked for then postpones the next run (capped at
 * SCHEDULE_POSTPONE_CAP_MS).
 */
int64_t schedule_retry_delay(struct schedule *schedule, const struct run *run);

/* Gives the run back for another attempt after `delay_ms`; its answer has been cleared. */
void schedule_retry(struct schedule *schedule, struct run *run, struct instant now,
                    int64_t delay_ms);

/*
 * Gives a run back after the commit of a page that another one follows (run->pages->more). That one
 * is due at once, at the end of its host's line, with attempts of its own; what schedule_plan()
 * said is forgotten. Frees what is left of the answer.
 */
void schedule_next_page(struct schedule *schedule, struct run *run, struct instant now);

#define SCHEDULE_RETRY_IN_PLACE_MS (60 * 1000)
#define SCHEDULE_POSTPONE_CAP_MS   (24 * 60 * 60 * 1000)

/* How long a set wall clock may go unnoticed by sources with slots on it. */
#define SCHEDULE_CLOCK_CHECK_MS 1000

/*
 * Fills next_due_ms, refused_due_ms, failures and skipped of a run that is over, for its commit.
 * When the commit has to be tried again, it may be called again.
 */
void schedule_plan(struct schedule *schedule, struct run *run, struct instant now);

/*
 * The table has not taken a run that was planned as a success: it is due as schedule_plan() found
 * for that case, which the commit has recorded.
 */
void schedule_refused(struct schedule *schedule, struct run *run);

/*
 * Takes back a run after its commit. With `recorded` false, when its fetcher or the process stops,
 * it counts as not made: its source is due at once, or the same page once more where pages before
 * it are in the database. Frees what is left of the answer, and drops the reference to the
 * configuration when the run is over.
 */
void schedule_return(struct schedule *schedule, struct run *run, bool recorded, struct instant now);

/*
 * Takes the run of a source that is not under way, so that what it carries from one run to the next
 * can be changed; it is not handed out meanwhile. NULL: it is under way (`*known` is true; when it
 * is over it waits SCHEDULE_BORROW_MS for who asks again), or there is no such source. Soon after
 * comes schedule_give_back(), which makes it due at once if `now_due` says so, and otherwise as it
 * was.
 */
#define SCHEDULE_BORROW_MS 250

struct run *schedule_borrow(struct schedule *schedule, const char *source, bool *known);
void schedule_give_back(struct schedule *schedule, struct run *run, bool now_due,
                        struct instant now);

/*
 * The round of a source with for_each found these items, and its commit is over: the run is to be
 * returned. An item that is new here begins with its saved state, which is taken out of `found`;
 * one that is in the list no more is dropped, when its run is back if it is out; all that are
 * neither busy nor, after failures or by what the server said, to sit out this round are due now,
 * one after the other. Costs O(n log n) in pieces, between which others have their turn. Returns
 * for how many of them memory was missing; they wait for the next round.
 */
size_t schedule_set_items(struct schedule *schedule, struct run *run, struct found_items *found,
                          struct instant now);

/*
 * What the log is to say of the run of an item that was planned and is over, in trouble or not (it
 * failed, or records were rejected): a line when trouble begins for the source, then one an hour,
 * and one when the last item that failed is well.
 */
struct item_news schedule_item_news(struct schedule *schedule, const struct run *run, bool rejected,
                                    struct instant now);

/*
 * Drops the items of a source with for_each, whose run has been borrowed: the next round begins
 * with what is saved of them. Returns how many are still out; they go when they are back.
 */
size_t schedule_forget_items(struct schedule *schedule, struct run *run);

/* From now on nothing is handed out; runs come back as before. */
void schedule_stop(struct schedule *schedule);

/*
 * Waits until no run is out, and with `once` until each has run or schedule_stop() was called.
 * 0, or -1 when the time passed; a negative time waits for ever.
 */
int schedule_wait_idle(struct schedule *schedule, int64_t timeout_ms);

struct schedule_stats {
    size_t sources; /* enabled */
    size_t out;     /* runs with another stage */
    size_t overdue; /* due, and waiting for room at their host or for a fetcher */
    size_t held_up; /* due, and waiting because a rate limit, a spacing or the server says so */
    size_t failing; /* of `sources`: those whose last run failed, or that of one of their items */
    size_t items;   /* of sources with for_each */
};

struct schedule_stats schedule_stats(struct schedule *schedule, struct instant now);

#endif
