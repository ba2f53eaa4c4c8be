/*
 * queue_calls.h - calls on a queue that another thread makes, so that a test can look at it
 * waiting.
 */
#ifndef GATHERD_TEST_QUEUE_CALLS_H
#define GATHERD_TEST_QUEUE_CALLS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "gatherd/queue.h"

#define PATIENCE_MS 60000 /* never reached in a test that passes */

struct call {
    enum { CALL_PUT, CALL_GET, CALL_GET_MANY, CALL_JOIN, CALL_REMOVE_WATCHER } kind;
    struct queue *q;
    uintptr_t number; /* put: the item; get: what came */
    size_t bytes;
    int64_t timeout_ms;
    void *context;
    enum queue_status status;
    atomic_bool returned;
    pthread_t thread;
};

struct call put_call(struct queue *q, uintptr_t number, size_t bytes, int64_t timeout_ms);
struct call get_call(struct queue *q, int64_t timeout_ms);
struct call get_many_call(struct queue *q, int64_t timeout_ms);
struct call join_call(struct queue *q, int64_t timeout_ms);

void call_start(struct call *call);
enum queue_status call_finish(struct call *call); /* waits for its end */

/* Waits until that many threads wait in a put and in a get. */
void await_waiters(struct queue *q, size_t puts, size_t gets);

/* Numbers stand for items: the queue never looks into one. */
void *item(uintptr_t number);
enum queue_status put(struct queue *q, uintptr_t number, size_t bytes); /* without a wait */
uintptr_t get(struct queue *q); /* without a wait; 0: none */

/* What queue_shutdown() handed back. */
struct discards {
    struct queue *q; /* looked at from inside, which would hang if its lock were held; NULL: not */
    size_t count;
    uintptr_t numbers[32];
};

void discard(void *context, void *data);

/* A watcher that counts its calls and, while `hold`, stays inside. */
struct room_watcher {
    struct queue *q; /* looked at from inside, as above */
    atomic_int calls;
    atomic_bool hold;
};

void count_wake(void *context);

void pause_ms(long ms);

/* cmocka fixtures: *state is a queue of 3 items and 100 bytes. */
int queue_setup(void **state);
int queue_teardown(void **state);

#endif
