/*
 * entry.h - what the schedule keeps, shared by the files of this room: an entry a source, a lane a
 * fetcher, and the schedule itself.
 *
 * Where an entry is: in the heap of its lane by due time; when that has come and its host or its
 * rate limit has no room, in the line of the two; out, when another stage has its run; nowhere,
 * when it ran and is not due again. A run that waits for another attempt, or for its next page, is
 * in the heap like the others, but keeps the configuration it started with, so that one run is
 * never of two minds.
 *
 * A source with for_each has an entry for its rounds and one for each item, which waits in the
 * source's own queue first: only one item at a time goes from there to the heap, and the next one
 * when it is handed out. So the items of a source take turns with the other sources of their host.
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

enum entry_place {
    ENTRY_NOWHERE,
    ENTRY_QUEUED, /* in round->queued */
    ENTRY_DUE,
    ENTRY_WAITING,
    ENTRY_OUT,
};

struct entry;

TAILQ_HEAD(entry_list, entry);

/* The items of a source with for_each. */
struct round {
    struct entry *owner;       /* the source's entry, which owns this */
    struct map items;          /* by key; owns the entries, those that are out too */
    struct entry_list all;     /* the same; while a list is taken over, those it has stand last */
    struct entry_list queued;  /* due, in the order of their turns */
    struct entry *front;       /* the one that has left the queue and was not handed out; or NULL */
    size_t out;                /* with another stage */
    size_t failing;            /* whose last run failed */
    size_t fresh;              /* that have not run yet */
    uint32_t number;           /* of the list taken over last */
    int64_t failing_said_ms;   /* monotonic, of the last line in the log; 0: none is failing */
    int64_t rejecting_said_ms; /* the same of rejected records; 0: none was rejected */
    bool outdated;             /* the round that is out was begun under another configuration */
};

struct entry {
    struct run run;              /* the schedule touches it only while it is not out */
    const struct source *source; /* in the schedule's configuration; NULL: gone while it was out */
    struct line *line;           /* referenced; of the run at hand, else of the next one */
    struct line *next_line;      /* referenced; takes its place when the run is over, or NULL */
    struct map_node node;
    struct round *round; /* an item's, or the source's own (owned); NULL: it has no for_each */
    TAILQ_ENTRY(entry) of_round; /* in round->all */
    union {
        TAILQ_ENTRY(entry) turn; /* while ENTRY_QUEUED */
        struct heap_item item;   /* while ENTRY_DUE */
        struct waiter waiter;    /* while ENTRY_WAITING */
    };

    int64_t due_ms;       /* monotonic: the slot with its jitter, or the next attempt */
    int64_t slot_ms;      /* Unix time of the slot, by the clock when it was planned ... */
    int64_t slot_mono_ms; /* ... and on the clock that does not jump */

    int64_t planned_slot_ms; /* the same of the next slot, while `planned` */
    int64_t planned_mono_ms;
    int64_t refused_slot_ms; /* the next slot, should the table not take the run */
    int64_t not_before_ms;   /* monotonic: the server asked for no request before */

    unsigned failures; /* as recorded */
    uint32_t number;   /* of an item: round->number of the last list that has it */
    enum entry_place place;
    bool in_flight; /* counted by its host */
    bool begun;     /* between two requests of one run */
    bool planned;   /* while out: schedule_plan() has been here since the last change */
    bool wanted;    /* somebody wants to borrow its run, and asks again when it is over */
    bool lent_idle; /* while lent: it was in no place before */
    bool again;     /* while planned: the next run follows at once, and the source is not done */
    bool ran;       /* since the schedule began */
    bool succeeded; /* ever: run.previous_scheduled_at_ms is the slot of the last success */
    bool patient;   /* of an item: it sits out the rounds before due_ms */
    bool parent;    /* its rows are the items of another source */
    bool kept;      /* schedule_configure() only */
    char name[];
};

/* 100,000 sources are to cost tens of megabytes, not hundreds. */
_Static_assert(sizeof(struct entry) <= 600, "an idle source has grown");

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
    size_t items;   /* the same of items */
    size_t queued;  /* items with the place ENTRY_QUEUED */
    size_t pending; /* sources and items that have not run yet */
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

static inline bool entry_is_item(const struct entry *e)
{
    return e->run.item != NULL;
}

/* The entry that is due by the rhythm of the source: of an item, that of its rounds. */
static inline struct entry *entry_owner(const struct entry *e)
{
    return entry_is_item(e) ? e->round->owner : (struct entry *)e;
}

/* --- entry.c: making, placing and dropping. The caller holds the mutex. --- */

/* An entry that is nowhere and not yet in the map. NULL: out of memory. */
struct entry *entry_create(const char *name);

/* Frees an entry that is in no place and not in the map. Needs no mutex. */
void entry_free(struct entry *e);

/* Every entry once, items behind their source: entry_next(s, NULL) is the first, then NULL. */
struct entry *entry_next(const struct schedule *s, const struct entry *e);

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

/* Whether its source is failing: its own last run, or that of one of its items. */
bool entry_source_fails(const struct entry *e);

/* Notes how often it has failed, in all counts. */
void entry_set_failures(struct schedule *s, struct entry *e, unsigned failures);

/*
 * Room in the heaps for every entry that has a line, and for so many more in this one. 0, or -1:
 * out of memory.
 */
int entry_reserve_heaps(struct schedule *s, const struct line *line, size_t more);

/* --- round.c: items. The caller holds the mutex. --- */

struct round *round_create(struct entry *owner); /* NULL: out of memory */
void round_free(struct round *round);            /* its items are gone; NULL is allowed */

/* The item is handed out, or gone: the next one may take its turn. */
void round_advance(struct schedule *s, struct round *round, struct instant now);

/* Puts an item that is due, and in no place, at the end of the queue. */
void round_append(struct schedule *s, struct entry *e);

/* Out of the lists of its round, and of the counts; it is in no place. */
void round_forget(struct schedule *s, struct entry *e);

/* Marks the sources whose rows are the items of others; with `once`, those wait for them. */
void round_find_parents(struct schedule *s);

/* A run of a parent is over, its first success or its first at all: rounds that waited for it. */
void round_follow_parent(struct schedule *s, const struct entry *parent, struct instant now);

/* All items are to go: those that are not out are put on the list `dropped`, linked as of_round. */
void round_dissolve(struct schedule *s, struct round *round, struct entry_list *dropped);

/*
 * An item has come back whose source or place in the list is gone: it is forgotten, and with the
 * last of them their owner, if that was waiting for them. They are put on the list `dropped`.
 */
void entry_leave(struct schedule *s, struct entry *e, struct entry_list *dropped);

/* Drops what is on the list; with no lock held. */
void entry_drop_all(const struct schedule *s, struct entry_list *dropped);

/* Those that have not begun wait for another round. True: there were any. */
bool round_recall(struct schedule *s, struct round *round);

/* --- plan.c: when a source is due. The caller holds the mutex. --- */

/* How far two clocks may part, or a due time be missed, before it means something. */
int64_t entry_tolerance_ms(const struct source *source);

/* The Unix time of the entry's slot, by the clock as it reads now. */
int64_t entry_slot_now(const struct entry *e, const struct source *source, struct instant now);

/* Sets the run's previous_scheduled_at_ms, once its own slot is known. */
void entry_set_previous(struct entry *e);

/* Sets slot and due time to this moment. */
void entry_due_now(struct entry *e, struct instant now);

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
