/*
 * entry.h - what the schedule keeps, shared by the files of this room: an entry a source, a lane a
 * fetcher, and the schedule itself.
 *
 * Where an entry is: in the heap of its lane by due time; when that has come and its host or its
 * rate limit has no room, in the line of the two; out, when another stage has its run; nowhere,
 * when it ran and is not due again. A run that waits for another attempt, or for its next page, is
 * in the heap like the others, but keeps the configuration it started with, so that one run is
 * never of two minds.
 */
#ifndef GATHERD_SCHEDULE_ENTRY_H
#define GATHERD_SCHEDULE_ENTRY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "gatherd/schedule.h"
#include "schedule/heap.h"
#include "schedule/line.h"
#include "schedule/map.h"
#include "schedule/random.h"

enum entry_place { ENTRY_NOWHERE, ENTRY_DUE, ENTRY_WAITING, ENTRY_OUT };

struct entry {
    struct run run;              /* the schedule touches it only while it is not out */
    const struct source *source; /* in the schedule's configuration; NULL: gone while it was out */
    struct line *line;           /* referenced; of the run at hand, else of the next one */
    struct line *next_line;      /* referenced; takes its place when the run is over, or NULL */
    struct map_node node;
    union {
        struct heap_item item; /* while ENTRY_DUE */
        struct waiter waiter;  /* while ENTRY_WAITING */
    };

    int64_t due_ms;       /* monotonic: the slot with its jitter, or the next attempt */
    int64_t slot_ms;      /* Unix time of the slot, by the clock when it was planned ... */
    int64_t slot_mono_ms; /* ... and on the clock that does not jump */

    int64_t planned_slot_ms; /* the same of the next slot, while `planned` */
    int64_t planned_mono_ms;
    int64_t refused_slot_ms; /* the next slot, should the table not take the run */
    int64_t not_before_ms;   /* monotonic: the server asked for no request before */

    unsigned failures; /* as recorded */
    enum entry_place place;
    bool in_flight; /* counted by its host */
    bool begun;     /* between two requests of one run */
    bool planned;   /* while out: schedule_plan() has been here since the last change */
    bool wanted;    /* somebody wants to borrow its run, and asks again when it is over */
    bool lent_idle; /* while lent: it was in no place before */
    bool again;     /* while planned: the next run follows at once, and the source is not done */
    bool ran;       /* since the schedule began */
    bool succeeded; /* ever: run.previous_scheduled_at_ms is the slot of the last success */
    bool kept;      /* schedule_configure() only */
    char name[];
};

/* 100,000 sources are to cost tens of megabytes, not hundreds. */
_Static_assert(sizeof(struct entry) <= 512, "an idle source has grown");

struct lane {
    struct heap heap;
    bool asleep;     /* its last schedule_take() gave nothing, and it will not ask before ... */
    int64_t told_ms; /* ... this monotonic time; INT64_MAX: not before a wake-up */
};

struct schedule {
    /* Set by schedule_create(), never changed: read without the mutex. */
    bool once;
    schedule_wake_fn *wake;
    void *wake_context;
    schedule_dropped_fn *dropped;
    void *dropped_context;

    pthread_mutex_t mutex; /* guards everything below, and every entry but the runs that are out */
    pthread_cond_t idle;   /* broadcast when the last run came back, and by stop */
    struct config *config; /* owned reference; NULL before the first schedule_configure() */
    struct map entries;    /* owns the entries, those that are out too */
    struct lines lines;
    struct lane *lanes; /* owned */
    unsigned lane_count;
    struct random random;
    int64_t wall_ahead_ms; /* of the monotonic clock, when the entries last followed */
    bool on_wall_clock;    /* some entry has slots on the wall clock */
    bool stopped;
    size_t out;
    size_t sources; /* that are due, or will be when their run is back */
    size_t failing; /* of them */
    size_t pending; /* of them, that have not run yet */
};

static inline struct entry *entry_of_run(const struct run *run)
{
    return (struct entry *)((char *)run - offsetof(struct entry, run));
}

static inline struct entry *entry_of_item(struct heap_item *item)
{
    return (struct entry *)((char *)item - offsetof(struct entry, item));
}

static inline struct entry *entry_of_waiter(struct waiter *waiter)
{
    return (struct entry *)((char *)waiter - offsetof(struct entry, waiter));
}

static inline struct entry *entry_of_node(struct map_node *node)
{
    return (struct entry *)((char *)node - offsetof(struct entry, node));
}

/* --- entry.c: making, placing and dropping. The caller holds the mutex. --- */

/* An entry that is nowhere and not yet in the map. NULL: out of memory. */
struct entry *entry_create(const char *name);

/* Frees an entry that is in no place and not in the map. Needs no mutex. */
void entry_free(struct entry *e);

/* The lane of its host. */
unsigned entry_lane(const struct entry *e);
/* The same for one whose source was removed: an unfinished run of its is reported. No lock held. */
void entry_drop(const struct schedule *s, struct entry *e);

/* Into the heap of its lane. */
void entry_queue(struct schedule *s, struct entry *e, int64_t due_ms);

/* Into its line: it is due, and may not start yet. */
void entry_wait(struct schedule *s, struct entry *e);

/* Out of heap or line; it is nowhere then. */
void entry_withdraw(struct schedule *s, struct entry *e);

/* Out of place, map and line: what is left is for entry_free(). */
void entry_forget(struct schedule *s, struct entry *e);

/* --- plan.c: when a source is due. The caller holds the mutex. --- */

/* The Unix time of the entry's slot, by the clock as it reads now. */
int64_t entry_slot_now(const struct entry *e, const struct source *source, struct instant now);

/* Sets the run's previous_scheduled_at_ms, once its own slot is known. */
void entry_set_previous(struct entry *e);

/* Sets slot and due time of a source that is new here. */
void entry_first_due(struct schedule *s, struct entry *e, const struct source_state *state,
                     struct instant now);

/*
 * After a change of the configuration: due by the new rhythm, if that is sooner, or if it is one of
 * the wall clock.
 */
void entry_bring_forward(struct schedule *s, struct entry *e, struct instant now);

/* A difference between the two clocks that is larger came from setting one of them. */
#define SCHEDULE_CLOCK_STEP_MS 1000

/*
 * Sets slot and due time anew of an entry with slots on the wall clock that is neither out nor
 * between two requests, when the wall clock was set since. False: nothing has changed. The caller
 * places it.
 */
bool entry_follow_clock(struct entry *e, struct instant now);

/*
 * The monotonic time before which an entry must not start though it is due: the server asked for
 * patience, or the wall clock is a little behind and has not come to the slot.
 */
int64_t entry_earliest(const struct entry *e, struct instant now);

/* Due now, outside of its rhythm. */
void entry_due_now(struct entry *e, struct instant now);

/* What schedule_plan() does. */
void entry_plan(struct schedule *s, struct entry *e, struct instant now);

/* What schedule_refused() does. */
void entry_refused(struct entry *e);

/* Makes the planned slot the entry's. */
void entry_adopt_plan(struct entry *e);

/* --- follow.c: the caller holds the mutex. --- */

/* Queues anew what waits for times on the wall clock, when that was set since the last call. */
void schedule_follow_clock(struct schedule *s, struct instant now);

/* --- schedule.c --- */

/* What schedule_wait_idle() waits for. The caller holds the mutex. */
bool schedule_is_idle(const struct schedule *s);

/* --- wake.c --- */

/*
 * A bit (1 << lane) for each lane with news that must be told that it has something sooner. It is
 * told once: from then on it is awake and asks by itself.
 */
uint64_t schedule_collect_wakes(struct schedule *s);                /* the caller holds the mutex */
void schedule_send_wakes(const struct schedule *s, uint64_t wakes); /* ... and has given it back */

/* Nothing may start in this lane: how long it can sleep, and that it was told so. */
int64_t schedule_tell_wait(struct schedule *s, unsigned lane, struct instant now);

#endif
