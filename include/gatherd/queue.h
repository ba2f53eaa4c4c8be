/*
 * queue.h - the bounded thread-safe queue between fetchers and processors.
 *
 * The contract of Python's queue.Queue: items leave in the order they came; put waits for room and
 * get waits for an item, with no wait, a timeout or for ever; every item taken is answered by one
 * queue_task_done(), and queue_join() returns when all that was put has been answered. Limits hold
 * in items and in bytes; a limit of 0 means none.
 *
 * Beyond Python: an event loop must never wait in a put, so it reserves the place first
 * (queue_reserve(), which never waits) and puts into the reservation later, which cannot fail for
 * want of room. A place counts as taken from the reservation on. Bytes are known only when the item
 * comes: a reservation is refused while the bytes held are at max_bytes, and a reserved put may
 * pass max_bytes by what was already in flight.
 *
 * Fairness: puts that wait are served in the order they came, and while one waits, a put without a
 * wait and a reservation are refused. So an item that needs much room gets it, however many small
 * ones come behind it. Memory that is out counts as no room: the queue works on with the slots it
 * has.
 *
 * Shutdown: puts and reservations are refused from then on. QUEUE_DRAIN lets gets go on until the
 * queue is empty; QUEUE_IMMEDIATE empties it, hands each item to `discard`, and counts it as done.
 * A put into a reservation made before a drain is still accepted, and gets wait for it: what was
 * fetched is not lost.
 *
 * All calls but queue_create() and queue_free() may come from any thread. The queue never looks
 * into an item and owns it only between put and get.
 */
#ifndef GATHERD_QUEUE_H
#define GATHERD_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue; /* opaque */

/* Timeouts are in milliseconds on CLOCK_MONOTONIC; any negative one means for ever. */
#define QUEUE_NO_WAIT 0
#define QUEUE_FOREVER (-1)

enum queue_status {
    QUEUE_OK,
    QUEUE_FULL,          /* put, reserve: no room, at once or when the timeout passed */
    QUEUE_EMPTY,         /* get: no item, at once or when the timeout passed */
    QUEUE_TIMEOUT,       /* join: work was still unfinished when the timeout passed */
    QUEUE_SHUTDOWN,      /* put, reserve: shut down; get: shut down, empty and nothing reserved */
    QUEUE_TOO_MANY_DONE, /* task_done: called more often than items were put; nothing changed */
};

enum queue_shutdown_mode { QUEUE_DRAIN, QUEUE_IMMEDIATE };

struct queue_item {
    void *data;
    size_t bytes; /* what it counts against max_bytes */
};

/* Called with no lock held, after room appeared where a reserve or a put had been refused. */
typedef void queue_wake_fn(void *context);
typedef void queue_discard_fn(void *context, void *data);

/* Limits of 0 mean none. NULL: out of memory. */
struct queue *queue_create(size_t max_items, size_t max_bytes);

/* No thread may be in a call. Items still held are the caller's loss: drain or shut down before. */
void queue_free(struct queue *q);

/*
 * Adds an item behind all others; on QUEUE_OK the queue takes it, otherwise it stays the caller's.
 * An item larger than max_bytes is admitted when it is alone, so that it cannot wait for ever.
 */
enum queue_status queue_put(struct queue *q, void *data, size_t bytes, int64_t timeout_ms);

/* The oldest item, handed over to the caller. */
enum queue_status queue_get(struct queue *q, void **data, int64_t timeout_ms);

/*
 * Up to `max` items (`max` at least 1; at least one item on QUEUE_OK), oldest first, without
 * waiting for more than the first; it stops before an item that would bring the bytes taken above
 * `max_bytes` (0: no limit), but for the first. `*count` is how many, 0 unless QUEUE_OK.
 */
enum queue_status queue_get_many(struct queue *q, struct queue_item *items, size_t max,
                                 size_t max_bytes, size_t *count, int64_t timeout_ms);

/* One item that was put is finished; as in Python, it need not have been got. */
enum queue_status queue_task_done(struct queue *q);

/* Waits until every item put has had its task_done (or was discarded by QUEUE_IMMEDIATE). */
enum queue_status queue_join(struct queue *q, int64_t timeout_ms);

/* Takes a place now, without waiting: QUEUE_OK, QUEUE_FULL or QUEUE_SHUTDOWN. */
enum queue_status queue_reserve(struct queue *q);

/* Gives a place back that was not used. */
void queue_release(struct queue *q);

/* Puts into a reservation: never waits. QUEUE_OK, or QUEUE_SHUTDOWN after QUEUE_IMMEDIATE; either
 * way the reservation is used up. */
enum queue_status queue_put_reserved(struct queue *q, void *data, size_t bytes);

/*
 * Has `wake` called each time room for a reservation appears after a reservation or a put was
 * refused; also on shutdown. At most one callback for each refusal episode, so an eventfd behind it
 * is not written for every get.
 * Several may be set, one for each `context`; all are called. A NULL `wake` removes that context's
 * and waits for a call that is under way, so `context` may be freed after it; for that reason it is
 * not called from inside a `wake`, which may call everything else. -1: out of memory.
 */
int queue_on_room(struct queue *q, queue_wake_fn *wake, void *context);

/*
 * Ends the queue; may be called again to go from QUEUE_DRAIN to QUEUE_IMMEDIATE. Wakes every put
 * and get that waits; a join waits on for the items that were got and are not done, as in Python.
 * `discard` (may be NULL with QUEUE_DRAIN) gets each remaining item, oldest first, with no lock
 * held; the items count as done when all have been handed back.
 */
void queue_shutdown(struct queue *q, enum queue_shutdown_mode mode, queue_discard_fn *discard,
                    void *context);

/* New limits, at once; what is above them stays and drains. */
void queue_set_limits(struct queue *q, size_t max_items, size_t max_bytes);

/* One consistent look at everything. */
struct queue_stats {
    size_t length;     /* items held */
    size_t bytes;      /* their bytes */
    size_t reserved;   /* places reserved and not yet used */
    size_t unfinished; /* put, and not yet answered by task_done */
    size_t max_items;  /* the limits now */
    size_t max_bytes;
    size_t peak_length; /* the most ever held: items and reservations together */
    size_t peak_bytes;
    size_t waiting_puts; /* threads that wait for room */
    size_t waiting_gets; /* threads that wait for an item */
    uint64_t total_put;
    bool shut_down;
};

struct queue_stats queue_stats(struct queue *q);

#endif
