#include "queue_calls.h"

#include <time.h>

#include "gatherd/clock.h"
#include "test.h"

struct call put_call(struct queue *q, uintptr_t number, size_t bytes, int64_t timeout_ms)
{
    return (struct call){
        .kind = CALL_PUT, .q = q, .number = number, .bytes = bytes, .timeout_ms = timeout_ms};
}

struct call get_call(struct queue *q, int64_t timeout_ms)
{
    return (struct call){.kind = CALL_GET, .q = q, .timeout_ms = timeout_ms};
}

struct call get_many_call(struct queue *q, int64_t timeout_ms)
{
    return (struct call){.kind = CALL_GET_MANY, .q = q, .timeout_ms = timeout_ms};
}

struct call join_call(struct queue *q, int64_t timeout_ms)
{
    return (struct call){.kind = CALL_JOIN, .q = q, .timeout_ms = timeout_ms};
}

static void *run_call(void *argument)
{
    struct call *call = argument;
    struct queue_item items[4] = {0};
    void *data = NULL;
    size_t count;

    switch (call->kind) {
    case CALL_PUT:
        call->status = queue_put(call->q, item(call->number), call->bytes, call->timeout_ms);
        break;
    case CALL_GET:
        call->status = queue_get(call->q, &data, call->timeout_ms);
        call->number = (uintptr_t)data;
        break;
    case CALL_GET_MANY:
        call->status = queue_get_many(call->q, items, 4, 0, &count, call->timeout_ms);
        call->number = (uintptr_t)items[0].data;
        break;
    case CALL_JOIN:
        call->status = queue_join(call->q, call->timeout_ms);
        break;
    case CALL_REMOVE_WATCHER:
        queue_on_room(call->q, NULL, call->context);
        break;
    }
    atomic_store(&call->returned, true);
    return NULL;
}

void call_start(struct call *call)
{
    assert_int_equal(pthread_create(&call->thread, NULL, run_call, call), 0);
}

enum queue_status call_finish(struct call *call)
{
    assert_int_equal(pthread_join(call->thread, NULL), 0);
    return call->status;
}

void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

void await_waiters(struct queue *q, size_t puts, size_t gets)
{
    int64_t end = clock_monotonic_ms() + PATIENCE_MS;
    struct queue_stats stats = queue_stats(q);

    while ((stats.waiting_puts != puts || stats.waiting_gets != gets) &&
           clock_monotonic_ms() < end) {
        pause_ms(1);
        stats = queue_stats(q);
    }
    assert_int_equal(stats.waiting_puts, puts);
    assert_int_equal(stats.waiting_gets, gets);
}

void *item(uintptr_t number)
{
    return (void *)number;
}

enum queue_status put(struct queue *q, uintptr_t number, size_t bytes)
{
    return queue_put(q, item(number), bytes, QUEUE_NO_WAIT);
}

uintptr_t get(struct queue *q)
{
    void *data = NULL;

    return queue_get(q, &data, QUEUE_NO_WAIT) == QUEUE_OK ? (uintptr_t)data : 0;
}

void discard(void *context, void *data)
{
    struct discards *d = context;

    d->numbers[d->count++] = (uintptr_t)data;
    if (d->q != NULL)
        queue_stats(d->q);
}

void count_wake(void *context)
{
    struct room_watcher *w = context;

    if (w->q != NULL)
        queue_stats(w->q);
    atomic_fetch_add(&w->calls, 1);
    while (atomic_load(&w->hold))
        pause_ms(1);
}

int queue_setup(void **state)
{
    *state = queue_create(3, 100);
    return *state == NULL ? -1 : 0;
}

int queue_teardown(void **state)
{
    queue_free(*state);
    return 0;
}
