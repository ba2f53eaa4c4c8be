/*
 * bench_queue.c - how many items a second go through the queue.
 *
 *     bench_queue [ITEMS]
 *
 * One line for each shape: one thread alone (a put and a get in turn, nobody to contend with), then
 * producers x consumers, with gets of one item and with gets of up to 64.
 */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "gatherd/clock.h"
#include "gatherd/queue.h"

#define DEFAULT_ITEMS 2000000
#define MAX_ITEMS     1000
#define MAX_BYTES     (64u << 20)
#define ITEM_BYTES    4096
#define MOST_THREADS  8
#define BATCH         64

struct shape {
    int producers; /* 0: one thread does both in turn */
    int consumers;
    size_t batch;
};

struct bench {
    struct queue *q;
    long items_each; /* of a producer */
    size_t batch;    /* of a get */
};

static void *produce(void *argument)
{
    struct bench *b = argument;

    for (long i = 0; i < b->items_each; i++)
        queue_put(b->q, b, ITEM_BYTES, QUEUE_FOREVER);
    return NULL;
}

static void *consume(void *argument)
{
    struct bench *b = argument;
    struct queue_item items[BATCH];
    size_t count;

    while (queue_get_many(b->q, items, b->batch, 0, &count, QUEUE_FOREVER) == QUEUE_OK) {
        for (size_t i = 0; i < count; i++)
            queue_task_done(b->q);
    }
    return NULL;
}

static void run_alone(struct bench *b)
{
    struct queue_item items[BATCH];
    size_t count;

    for (long i = 0; i < b->items_each; i++) {
        queue_put(b->q, b, ITEM_BYTES, QUEUE_FOREVER);
        queue_get_many(b->q, items, b->batch, 0, &count, QUEUE_FOREVER);
    }
}

static void start(pthread_t *thread, void *(*work)(void *), struct bench *b)
{
    if (pthread_create(thread, NULL, work, b) != 0) {
        fprintf(stderr, "bench_queue: cannot start a thread\n");
        exit(1);
    }
}

static void run_threads(struct bench *b, const struct shape *shape)
{
    pthread_t threads[MOST_THREADS];
    int count = shape->producers + shape->consumers;

    assert(count <= MOST_THREADS);
    for (int i = 0; i < count; i++)
        start(&threads[i], i < shape->producers ? produce : consume, b);
    for (int i = 0; i < shape->producers; i++)
        pthread_join(threads[i], NULL);
    queue_shutdown(b->q, QUEUE_DRAIN, NULL, NULL);
    for (int i = shape->producers; i < count; i++)
        pthread_join(threads[i], NULL);
}

static void measure(const struct shape *shape, long items)
{
    struct bench b = {queue_create(MAX_ITEMS, MAX_BYTES), items, shape->batch};
    int64_t begin = clock_monotonic_us();
    double seconds;

    if (b.q == NULL) {
        fprintf(stderr, "bench_queue: out of memory\n");
        exit(1);
    }
    if (shape->producers == 0) {
        run_alone(&b);
    } else {
        b.items_each = items / shape->producers;
        items = b.items_each * shape->producers;
        run_threads(&b, shape);
    }
    seconds = (double)(clock_monotonic_us() - begin) / 1e6;
    if (shape->producers == 0)
        printf("queue alone");
    else
        printf("queue %dx%d  ", shape->producers, shape->consumers);
    printf(" get %2zu: %8.3f M items/s, %6.0f ns an item\n", shape->batch,
           (double)items / seconds / 1e6, seconds * 1e9 / (double)items);
    queue_free(b.q);
}

int main(int argc, char **argv)
{
    static const struct shape shapes[] = {{0, 0, 1},  {0, 0, 64}, {1, 1, 1},
                                          {1, 1, 64}, {2, 2, 1},  {2, 2, 64}};
    long items = argc > 1 ? strtol(argv[1], NULL, 10) : DEFAULT_ITEMS;

    if (items < 1) {
        fprintf(stderr, "usage: bench_queue [ITEMS], a number above 0\n");
        return 64;
    }
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        measure(&shapes[i], items);
    return 0;
}
