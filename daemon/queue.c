/*
 * How waiting works. A put that finds no room joins a line, and whoever makes room (a get, a
 * release, new limits, a put that gives up) moves items from the front of that line into the ring
 * itself, until one does not fit. So a wake-up never goes to a put that cannot use it while one
 * that could sleeps on, and the order of the line is the order of the queue.
 *
 * A get that finds no item joins another line, and each item that comes calls the first thread in
 * it. The called thread looks again: another get may have been faster, and then it waits anew. A
 * get joins only while the ring is empty, so while one is in the line each item in the ring has
 * called a thread that is still on its way, and none is forgotten.
 *
 * Each thread in a line sleeps on a condition variable of its own: no herd wakes for one place, and
 * glibc up to 2.40 can lose a signal where several threads sleep on one (its bug 25847).
 *
 * The ring has a slot for every item and every reservation, so that a reserved put needs no memory.
 * It doubles when it must and never shrinks: in steady state nothing is allocated.
 */
#include "gatherd/queue.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "gatherd/clock.h"

#define FIRST_SLOTS 16u /* a power of two, as every capacity */

struct ring {
    struct queue_item *slots; /* owned */
    size_t capacity;
    size_t head;  /* slot of the oldest item */
    size_t count; /* items held, from head, wrapping at capacity */
    size_t bytes; /* their bytes */
};

/* A thread in a line, on its own stack. */
struct waiter {
    TAILQ_ENTRY(waiter) link;
    pthread_cond_t wake;
    bool called;              /* taken out of the line by another thread */
    struct queue_item item;   /* put only: what waits for room */
    enum queue_status status; /* put only, once called; QUEUE_OK: the item is in the ring */
};

struct line {
    TAILQ_HEAD(, waiter) waiters;
    size_t length;
};

struct watcher {
    struct watcher *next;
    queue_wake_fn *wake; /* NULL: being removed */
    void *context;
    size_t calls; /* threads inside `wake` */
};

enum state { OPEN, DRAINING, CLOSED }; /* only ever goes up */

struct queue {
    pthread_mutex_t mutex; /* guards everything below */

    size_t max_items; /* 0: no limit */
    size_t max_bytes; /* 0: no limit */
    enum state state;
    struct ring ring; /* without slots once CLOSED */
    size_t reserved;
    size_t unfinished;

    struct line putters; /* the first does not fit */
    struct line getters;
    struct line joiners;

    struct watcher *watchers; /* owned */
    bool room_wanted;         /* a refusal that the watchers have not been called for */
    pthread_cond_t call_over; /* broadcast when a watcher that is being removed has no calls */

    size_t peak_length;
    size_t peak_bytes;
    uint64_t total_put;
};

static bool ring_double(struct ring *ring)
{
    size_t until_wrap = ring->capacity - ring->head;
    struct queue_item *slots;

    if (ring->capacity > SIZE_MAX / 2 / sizeof(*slots))
        return false;
    slots = malloc(ring->capacity * 2 * sizeof(*slots));
    if (slots == NULL)
        return false;
    memcpy(slots, ring->slots + ring->head, until_wrap * sizeof(*slots));
    memcpy(slots + until_wrap, ring->slots, ring->head * sizeof(*slots));
    free(ring->slots);
    ring->slots = slots;
    ring->capacity *= 2;
    ring->head = 0;
    return true;
}

static void ring_push(struct ring *ring, struct queue_item item)
{
    assert(ring->count < ring->capacity);
    assert(item.bytes <= SIZE_MAX - ring->bytes);
    ring->slots[(ring->head + ring->count) & (ring->capacity - 1)] = item;
    ring->count++;
    ring->bytes += item.bytes;
}

static struct queue_item ring_pop(struct ring *ring)
{
    struct queue_item item = ring->slots[ring->head];

    assert(ring->count > 0 && ring->bytes >= item.bytes);
    ring->head = (ring->head + 1) & (ring->capacity - 1);
    ring->count--;
    ring->bytes -= item.bytes;
    return item;
}

static void lock(struct queue *q)
{
    int rc = pthread_mutex_lock(&q->mutex);

    assert(rc == 0);
    (void)rc;
}

static void unlock(struct queue *q)
{
    int rc = pthread_mutex_unlock(&q->mutex);

    assert(rc == 0);
    (void)rc;
}

struct queue *queue_create(size_t max_items, size_t max_bytes)
{
    struct queue *q = calloc(1, sizeof(*q));

    if (q == NULL)
        return NULL;
    q->ring.slots = calloc(FIRST_SLOTS, sizeof(*q->ring.slots));
    if (q->ring.slots == NULL || pthread_mutex_init(&q->mutex, NULL) != 0)
        goto free_memory;
    if (pthread_cond_init(&q->call_over, NULL) != 0)
        goto destroy_mutex;
    q->ring.capacity = FIRST_SLOTS;
    q->max_items = max_items;
    q->max_bytes = max_bytes;
    TAILQ_INIT(&q->putters.waiters);
    TAILQ_INIT(&q->getters.waiters);
    TAILQ_INIT(&q->joiners.waiters);
    return q;

destroy_mutex:
    pthread_mutex_destroy(&q->mutex);
free_memory:
    free(q->ring.slots);
    free(q);
    return NULL;
}

void queue_free(struct queue *q)
{
    if (q == NULL)
        return;
    assert(q->putters.length == 0 && q->getters.length == 0 && q->joiners.length == 0);
    while (q->watchers != NULL) {
        struct watcher *next = q->watchers->next;

        free(q->watchers);
        q->watchers = next;
    }
    pthread_cond_destroy(&q->call_over);
    pthread_mutex_destroy(&q->mutex);
    free(q->ring.slots);
    free(q);
}

/* Every static function below is called with the mutex held. */

/* Sleeps in `line` until called. False: the deadline came first, and the line has been left. */
static bool wait_in_line(struct queue *q, struct line *line, struct waiter *self,
                         int64_t timeout_ms, const struct timespec *deadline)
{
    int rc = 0;

    self->called = false;
    TAILQ_INSERT_TAIL(&line->waiters, self, link);
    line->length++;
    while (!self->called && rc != ETIMEDOUT) {
        rc = timeout_ms < 0
                 ? pthread_cond_wait(&self->wake, &q->mutex)
                 : pthread_cond_clockwait(&self->wake, &q->mutex, CLOCK_MONOTONIC, deadline);
        assert(rc == 0 || rc == ETIMEDOUT);
    }
    if (!self->called) {
        TAILQ_REMOVE(&line->waiters, self, link);
        line->length--;
    }
    return self->called;
}

static void call_first(struct line *line)
{
    struct waiter *first = TAILQ_FIRST(&line->waiters);

    if (first == NULL)
        return;
    TAILQ_REMOVE(&line->waiters, first, link);
    line->length--;
    first->called = true;
    pthread_cond_signal(&first->wake);
}

static void call_all(struct line *line)
{
    while (line->length > 0)
        call_first(line);
}

static bool has_place(struct queue *q)
{
    size_t taken = q->ring.count + q->reserved;

    if (q->max_items != 0 && taken >= q->max_items)
        return false;
    return taken < q->ring.capacity || ring_double(&q->ring);
}

static bool has_room(struct queue *q, size_t bytes)
{
    size_t most = q->max_bytes == 0 ? SIZE_MAX : q->max_bytes;
    bool alone = q->ring.count == 0;

    return (alone || (q->ring.bytes <= most && bytes <= most - q->ring.bytes)) && has_place(q);
}

static bool can_reserve(struct queue *q)
{
    return (q->max_bytes == 0 || q->ring.bytes < q->max_bytes) && has_place(q);
}

static void note_peaks(struct queue *q)
{
    if (q->peak_length < q->ring.count + q->reserved)
        q->peak_length = q->ring.count + q->reserved;
    if (q->peak_bytes < q->ring.bytes)
        q->peak_bytes = q->ring.bytes;
}

static void push(struct queue *q, struct queue_item item)
{
    ring_push(&q->ring, item);
    q->unfinished++;
    q->total_put++;
    note_peaks(q);
    call_first(&q->getters);
}

/* Calls every watcher without the mutex, and returns with it. */
static void wake_watchers(struct queue *q)
{
    for (struct watcher *w = q->watchers; w != NULL; w = w->next) {
        queue_wake_fn *wake = w->wake;

        if (wake == NULL)
            continue;
        w->calls++; /* keeps w where it is */
        unlock(q);
        wake(w->context);
        lock(q);
        w->calls--;
        if (w->calls == 0 && w->wake == NULL)
            pthread_cond_broadcast(&q->call_over);
    }
}

/*
 * To be called last after every change that may have made room, because it may let go of the mutex
 * for the watchers.
 */
static void share_room(struct queue *q)
{
    struct waiter *first;

    while ((first = TAILQ_FIRST(&q->putters.waiters)) != NULL && has_room(q, first->item.bytes)) {
        push(q, first->item);
        first->status = QUEUE_OK;
        call_first(&q->putters);
    }
    if (q->room_wanted && first == NULL && can_reserve(q)) {
        q->room_wanted = false;
        wake_watchers(q);
    }
}

static enum queue_status wait_for_room(struct queue *q, struct queue_item item, int64_t timeout_ms)
{
    struct waiter self = {.wake = PTHREAD_COND_INITIALIZER, .item = item, .status = QUEUE_FULL};
    struct timespec deadline = clock_deadline(timeout_ms);

    if (!wait_in_line(q, &q->putters, &self, timeout_ms, &deadline))
        share_room(q); /* those behind may fit where this one did not */
    pthread_cond_destroy(&self.wake);
    return self.status;
}

/* No item will come any more. */
static bool no_more(const struct queue *q)
{
    return q->ring.count == 0 && (q->state == CLOSED || (q->state == DRAINING && q->reserved == 0));
}

static void wait_for_item(struct queue *q, int64_t timeout_ms)
{
    struct waiter self = {.wake = PTHREAD_COND_INITIALIZER};
    struct timespec deadline = clock_deadline(timeout_ms);
    bool in_time = true;

    while (q->ring.count == 0 && !no_more(q) && in_time)
        in_time = wait_in_line(q, &q->getters, &self, timeout_ms, &deadline);
    pthread_cond_destroy(&self.wake);
}

static enum queue_status find_item(struct queue *q, int64_t timeout_ms)
{
    if (q->ring.count == 0 && timeout_ms != QUEUE_NO_WAIT)
        wait_for_item(q, timeout_ms);
    if (q->ring.count > 0)
        return QUEUE_OK;
    return no_more(q) ? QUEUE_SHUTDOWN : QUEUE_EMPTY;
}

static void use_reservation(struct queue *q)
{
    assert(q->reserved > 0);
    q->reserved--;
    if (q->state != OPEN && q->reserved == 0)
        call_all(&q->getters); /* those that waited for it may have no more to come */
}

/* Discarded items may have been answered before they were got, so less than `items` may be left. */
static void count_done(struct queue *q, size_t items)
{
    q->unfinished -= items < q->unfinished ? items : q->unfinished;
    if (q->unfinished == 0)
        call_all(&q->joiners);
}

enum queue_status queue_put(struct queue *q, void *data, size_t bytes, int64_t timeout_ms)
{
    struct queue_item item = {data, bytes};
    enum queue_status status = QUEUE_FULL;

    lock(q);
    if (q->state != OPEN) {
        status = QUEUE_SHUTDOWN;
    } else if (q->putters.length == 0 && has_room(q, bytes)) {
        push(q, item);
        status = QUEUE_OK;
    } else if (timeout_ms != QUEUE_NO_WAIT) {
        status = wait_for_room(q, item, timeout_ms);
    }
    if (status == QUEUE_FULL && q->state == OPEN)
        q->room_wanted = true;
    unlock(q);
    return status;
}

enum queue_status queue_get(struct queue *q, void **data, int64_t timeout_ms)
{
    enum queue_status status;

    lock(q);
    status = find_item(q, timeout_ms);
    if (status == QUEUE_OK) {
        *data = ring_pop(&q->ring).data;
        share_room(q);
    }
    unlock(q);
    return status;
}

enum queue_status queue_get_many(struct queue *q, struct queue_item *items, size_t max,
                                 size_t max_bytes, size_t *count, int64_t timeout_ms)
{
    size_t most = max_bytes == 0 ? SIZE_MAX : max_bytes;
    enum queue_status status;
    size_t bytes = 0;
    size_t taken = 0;

    assert(max > 0);
    lock(q);
    status = find_item(q, timeout_ms);
    while (status == QUEUE_OK && q->ring.count > 0 && taken < max) {
        size_t next = q->ring.slots[q->ring.head].bytes;

        if (taken > 0 && (bytes > most || next > most - bytes))
            break;
        bytes += next;
        items[taken++] = ring_pop(&q->ring);
    }
    if (taken > 0)
        share_room(q);
    unlock(q);
    *count = taken;
    return status;
}

enum queue_status queue_task_done(struct queue *q)
{
    enum queue_status status = QUEUE_TOO_MANY_DONE;

    lock(q);
    if (q->unfinished > 0) {
        count_done(q, 1);
        status = QUEUE_OK;
    }
    unlock(q);
    return status;
}

enum queue_status queue_join(struct queue *q, int64_t timeout_ms)
{
    struct waiter self = {.wake = PTHREAD_COND_INITIALIZER};
    struct timespec deadline = clock_deadline(timeout_ms);
    bool in_time = timeout_ms != QUEUE_NO_WAIT;
    enum queue_status status;

    lock(q);
    while (q->unfinished > 0 && in_time)
        in_time = wait_in_line(q, &q->joiners, &self, timeout_ms, &deadline);
    status = q->unfinished == 0 ? QUEUE_OK : QUEUE_TIMEOUT;
    unlock(q);
    pthread_cond_destroy(&self.wake);
    return status;
}

enum queue_status queue_reserve(struct queue *q)
{
    enum queue_status status = QUEUE_FULL;

    lock(q);
    if (q->state != OPEN) {
        status = QUEUE_SHUTDOWN;
    } else if (q->putters.length == 0 && can_reserve(q)) {
        q->reserved++;
        note_peaks(q);
        status = QUEUE_OK;
    } else {
        q->room_wanted = true;
    }
    unlock(q);
    return status;
}

void queue_release(struct queue *q)
{
    lock(q);
    use_reservation(q);
    share_room(q);
    unlock(q);
}

enum queue_status queue_put_reserved(struct queue *q, void *data, size_t bytes)
{
    enum queue_status status = QUEUE_SHUTDOWN;

    lock(q);
    use_reservation(q);
    if (q->state != CLOSED) {
        push(q, (struct queue_item){data, bytes});
        status = QUEUE_OK;
    }
    unlock(q);
    return status;
}

static int add_watcher(struct queue *q, queue_wake_fn *wake, void *context)
{
    struct watcher *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return -1;
    w->wake = wake;
    w->context = context;
    w->next = q->watchers;
    q->watchers = w;
    return 0;
}

/* The loop of wake_watchers() stands on a node that has calls, so it leaves the list after them. */
static void remove_watcher(struct queue *q, struct watcher *w)
{
    struct watcher **link = &q->watchers;

    w->wake = NULL;
    while (w->calls > 0)
        pthread_cond_wait(&q->call_over, &q->mutex);
    while (*link != w)
        link = &(*link)->next;
    *link = w->next;
    free(w);
}

int queue_on_room(struct queue *q, queue_wake_fn *wake, void *context)
{
    struct watcher *w;
    int rc = 0;

    lock(q);
    w = q->watchers;
    while (w != NULL && (w->wake == NULL || w->context != context))
        w = w->next;
    if (w == NULL && wake != NULL)
        rc = add_watcher(q, wake, context);
    else if (w != NULL && wake != NULL)
        w->wake = wake;
    else if (w != NULL)
        remove_watcher(q, w);
    unlock(q);
    return rc;
}

/* True when something changed. */
static bool raise_state(struct queue *q, enum state state)
{
    struct waiter *putter;

    if (state <= q->state)
        return false;
    q->state = state;
    q->room_wanted = false; /* who is refused from now on knows why */
    while ((putter = TAILQ_FIRST(&q->putters.waiters)) != NULL) {
        putter->status = QUEUE_SHUTDOWN;
        call_first(&q->putters);
    }
    call_all(&q->getters);
    return true;
}

void queue_shutdown(struct queue *q, enum queue_shutdown_mode mode, queue_discard_fn *discard,
                    void *context)
{
    struct ring rest = {0};
    size_t discarded;

    assert(mode == QUEUE_DRAIN || discard != NULL);
    lock(q);
    if (mode == QUEUE_IMMEDIATE) {
        rest = q->ring;
        q->ring = (struct ring){0};
    }
    if (raise_state(q, mode == QUEUE_IMMEDIATE ? CLOSED : DRAINING))
        wake_watchers(q);
    unlock(q);

    discarded = rest.count;
    while (rest.count > 0)
        discard(context, ring_pop(&rest).data);
    free(rest.slots);
    if (discarded > 0) {
        lock(q);
        count_done(q, discarded);
        unlock(q);
    }
}

void queue_set_limits(struct queue *q, size_t max_items, size_t max_bytes)
{
    lock(q);
    q->max_items = max_items;
    q->max_bytes = max_bytes;
    share_room(q);
    unlock(q);
}

struct queue_stats queue_stats(struct queue *q)
{
    struct queue_stats stats;

    lock(q);
    stats = (struct queue_stats){
        .length = q->ring.count,
        .bytes = q->ring.bytes,
        .reserved = q->reserved,
        .unfinished = q->unfinished,
        .max_items = q->max_items,
        .max_bytes = q->max_bytes,
        .peak_length = q->peak_length,
        .peak_bytes = q->peak_bytes,
        .waiting_puts = q->putters.length,
        .waiting_gets = q->getters.length,
        .total_put = q->total_put,
        .shut_down = q->state != OPEN,
    };
    unlock(q);
    return stats;
}
