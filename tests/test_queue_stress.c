/*
 * The queue against a model, step by step on one thread, and against its promises, on many.
 */
#include "test.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/clock.h"
#include "gatherd/queue.h"
#include "queue_calls.h"

/* --- the model --- */

#define MODEL_STEPS 200000
#define MODEL_MOST  4096

/* What queue.h promises to one thread, in the simplest words: an array and loops. */
struct model {
    struct queue_item items[MODEL_MOST]; /* oldest first */
    struct queue_stats stats;
    bool room_wanted;
    int wakes;
};

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13; /* xorshift64: Marsaglia, "Xorshift RNGs" */
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static bool model_has_place(const struct model *m)
{
    return m->stats.max_items == 0 || m->stats.length + m->stats.reserved < m->stats.max_items;
}

static bool model_can_reserve(const struct model *m)
{
    return model_has_place(m) && (m->stats.max_bytes == 0 || m->stats.bytes < m->stats.max_bytes);
}

static void model_note(struct model *m)
{
    if (m->stats.length + m->stats.reserved > m->stats.peak_length)
        m->stats.peak_length = m->stats.length + m->stats.reserved;
    if (m->stats.bytes > m->stats.peak_bytes)
        m->stats.peak_bytes = m->stats.bytes;
}

static void model_push(struct model *m, void *data, size_t bytes)
{
    m->items[m->stats.length++] = (struct queue_item){data, bytes};
    m->stats.bytes += bytes;
    m->stats.unfinished++;
    m->stats.total_put++;
    model_note(m);
}

static struct queue_item model_pop(struct model *m)
{
    struct queue_item oldest = m->items[0];

    m->stats.length--;
    m->stats.bytes -= oldest.bytes;
    memmove(m->items, m->items + 1, m->stats.length * sizeof(m->items[0]));
    return oldest;
}

static void model_room(struct model *m)
{
    if (m->room_wanted && model_can_reserve(m)) {
        m->room_wanted = false;
        m->wakes++;
    }
}

static enum queue_status model_put(struct model *m, void *data, size_t bytes)
{
    bool fits = m->stats.length == 0 || m->stats.max_bytes == 0 ||
                m->stats.bytes + bytes <= m->stats.max_bytes;

    if (!fits || !model_has_place(m)) {
        m->room_wanted = true;
        return QUEUE_FULL;
    }
    model_push(m, data, bytes);
    return QUEUE_OK;
}

static enum queue_status model_reserve(struct model *m)
{
    if (!model_can_reserve(m)) {
        m->room_wanted = true;
        return QUEUE_FULL;
    }
    m->stats.reserved++;
    model_note(m);
    return QUEUE_OK;
}

static void compare_get(struct queue *q, struct model *m)
{
    void *data = NULL;
    enum queue_status status = queue_get(q, &data, QUEUE_NO_WAIT);

    if (m->stats.length == 0) {
        assert_int_equal(status, QUEUE_EMPTY);
        return;
    }
    assert_int_equal(status, QUEUE_OK);
    assert_ptr_equal(data, model_pop(m).data);
    model_room(m);
}

static void compare_get_many(struct queue *q, struct model *m, size_t max, size_t max_bytes)
{
    struct queue_item got[16];
    size_t bytes = 0;
    size_t expected = 0;
    size_t count;

    while (expected < max && expected < m->stats.length) {
        bytes += m->items[expected].bytes;
        if (expected > 0 && max_bytes > 0 && bytes > max_bytes)
            break;
        expected++;
    }
    assert_int_equal(queue_get_many(q, got, max, max_bytes, &count, QUEUE_NO_WAIT),
                     expected == 0 ? QUEUE_EMPTY : QUEUE_OK);
    assert_int_equal(count, expected);
    for (size_t i = 0; i < expected; i++)
        assert_ptr_equal(got[i].data, model_pop(m).data);
    if (expected > 0)
        model_room(m);
}

static void compare_step(struct queue *q, struct model *m, uint64_t *seed, uintptr_t number)
{
    uint64_t dice = next_random(seed) % 100;
    size_t bytes = next_random(seed) % (next_random(seed) % 20 == 0 ? 500 : 40);

    if (dice < 30) {
        assert_int_equal(put(q, number, bytes), model_put(m, item(number), bytes));
    } else if (dice < 45) {
        compare_get(q, m);
    } else if (dice < 55) {
        compare_get_many(q, m, 1 + bytes % 16, bytes % 3 == 0 ? 0 : bytes * 2);
    } else if (dice < 67) {
        assert_int_equal(queue_reserve(q), model_reserve(m));
    } else if (dice < 75 && m->stats.reserved > 0) {
        assert_int_equal(queue_put_reserved(q, item(number), bytes), QUEUE_OK);
        m->stats.reserved--;
        model_push(m, item(number), bytes);
    } else if (dice < 79 && m->stats.reserved > 0) {
        queue_release(q);
        m->stats.reserved--;
        model_room(m);
    } else if (dice < 99) {
        assert_int_equal(queue_task_done(q),
                         m->stats.unfinished > 0 ? QUEUE_OK : QUEUE_TOO_MANY_DONE);
        m->stats.unfinished -= m->stats.unfinished > 0;
    } else {
        m->stats.max_items = next_random(seed) % 60;
        m->stats.max_bytes = next_random(seed) % 4 * 200;
        queue_set_limits(q, m->stats.max_items, m->stats.max_bytes);
        model_room(m);
    }
}

static void compare_stats(struct queue *q, const struct model *m)
{
    struct queue_stats stats = queue_stats(q);

    assert_int_equal(stats.length, m->stats.length);
    assert_int_equal(stats.bytes, m->stats.bytes);
    assert_int_equal(stats.reserved, m->stats.reserved);
    assert_int_equal(stats.unfinished, m->stats.unfinished);
    assert_int_equal(stats.peak_length, m->stats.peak_length);
    assert_int_equal(stats.peak_bytes, m->stats.peak_bytes);
    assert_int_equal(stats.total_put, m->stats.total_put);
    assert_int_equal(queue_join(q, QUEUE_NO_WAIT),
                     m->stats.unfinished == 0 ? QUEUE_OK : QUEUE_TIMEOUT);
}

static void random_calls_give_what_a_simple_model_gives(void **state)
{
    struct model *m = calloc(1, sizeof(*m));

    (void)state;
    assert_non_null(m);
    for (uint64_t run = 1; run <= 4; run++) {
        struct queue *q = queue_create(20, 300);
        struct room_watcher watcher = {.q = q};
        uint64_t seed = run * 0x9e3779b97f4a7c15u;

        memset(m, 0, sizeof(*m));
        m->stats.max_items = 20;
        m->stats.max_bytes = 300;
        queue_on_room(q, count_wake, &watcher);
        for (uintptr_t step = 1; step <= MODEL_STEPS / 4; step++) {
            if (m->stats.length + 1 == MODEL_MOST) /* an unlimited spell went on for long */
                queue_set_limits(q, m->stats.max_items = 20, m->stats.max_bytes = 300);
            compare_step(q, m, &seed, step);
            compare_stats(q, m);
            assert_int_equal(atomic_load(&watcher.calls), m->wakes);
        }
        queue_free(q);
    }
    free(m);
}

/* --- the stress --- */

#define PRODUCERS 8
#define CONSUMERS 8
#define MAX_ITEMS 10
#define MAX_BYTES 1000
#define MOST_SIZE 400u /* of an item */

/* Run under a sanitizer, threads cost ten times as much and find as much in a tenth of the items.
 */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define ITEMS_EACH 3000u
#else
#define ITEMS_EACH 20000u
#endif

struct stress {
    struct queue *q;
    bool reserving;       /* half of the producers use reservations */
    atomic_size_t broken; /* promises seen broken; cmocka's asserts belong to the main thread */
    atomic_bool over;
    atomic_size_t taken;
    atomic_size_t inside; /* consumers' items between get and task_done */

    pthread_mutex_t mutex; /* guards `wakes` */
    pthread_cond_t woken;
    unsigned wakes; /* told by the queue: room, or the end */
};

struct worker {
    struct stress *stress;
    unsigned number;
    pthread_t thread;
    uint32_t last[PRODUCERS]; /* consumer: the newest seen of each producer */
};

static void expect(struct stress *s, bool promise)
{
    if (!promise)
        atomic_fetch_add(&s->broken, 1);
}

/* The item says who made it and which of his it is. */
static void *stress_item(unsigned producer, unsigned sequence)
{
    return item((uintptr_t)producer << 32 | sequence);
}

static size_t stress_size(uint64_t *seed)
{
    uint64_t dice = next_random(seed) % 100;

    return dice == 0 ? MAX_BYTES + 500 : (size_t)(next_random(seed) % MOST_SIZE);
}

static void *put_all(void *argument)
{
    struct worker *w = argument;
    struct stress *s = w->stress;
    uint64_t seed = 77 + w->number;

    for (unsigned i = 1; i <= ITEMS_EACH; i++) {
        size_t bytes = stress_size(&seed);
        int64_t timeout_ms = i % 3 == 0 ? QUEUE_FOREVER : (int64_t)(i % 3) - 1;

        while (queue_put(s->q, stress_item(w->number, i), bytes, timeout_ms) != QUEUE_OK)
            sched_yield();
    }
    return NULL;
}

static void note_wake(void *context)
{
    struct stress *s = context;

    pthread_mutex_lock(&s->mutex);
    s->wakes++;
    pthread_cond_broadcast(&s->woken);
    pthread_mutex_unlock(&s->mutex);
}

/* As an event loop does it: sleeps only after a refusal, until it is told of room. */
static void reserve_as_an_event_loop(struct stress *s)
{
    for (;;) {
        unsigned seen;

        pthread_mutex_lock(&s->mutex);
        seen = s->wakes;
        pthread_mutex_unlock(&s->mutex);
        if (queue_reserve(s->q) == QUEUE_OK)
            return;
        pthread_mutex_lock(&s->mutex);
        while (s->wakes == seen)
            pthread_cond_wait(&s->woken, &s->mutex);
        pthread_mutex_unlock(&s->mutex);
    }
}

static void *put_all_reserved(void *argument)
{
    struct worker *w = argument;
    struct stress *s = w->stress;
    uint64_t seed = 77 + w->number;

    for (unsigned i = 1; i <= ITEMS_EACH; i++) {
        reserve_as_an_event_loop(s);
        if (next_random(&seed) % 5 == 0) {
            queue_release(s->q);
            reserve_as_an_event_loop(s);
        }
        expect(s,
               queue_put_reserved(s->q, stress_item(w->number, i), stress_size(&seed)) == QUEUE_OK);
    }
    return NULL;
}

static void consume(struct worker *w, void *data)
{
    uint32_t sequence = (uint32_t)(uintptr_t)data;
    uintptr_t producer = (uintptr_t)data >> 32;

    expect(w->stress, producer < PRODUCERS && sequence > w->last[producer]);
    w->last[producer] = sequence;
    atomic_fetch_add(&w->stress->taken, 1);
    atomic_fetch_sub(&w->stress->inside, 1);
    expect(w->stress, queue_task_done(w->stress->q) == QUEUE_OK);
}

static void *get_all(void *argument)
{
    struct worker *w = argument;
    struct queue_item items[4];
    uint64_t seed = 999 + w->number;

    for (;;) {
        int64_t timeout_ms = next_random(&seed) % 2 == 0 ? QUEUE_FOREVER : 1;
        size_t max = w->number % 2 == 0 ? 1 : 4;
        size_t count;
        enum queue_status status =
            queue_get_many(w->stress->q, items, max, MAX_BYTES, &count, timeout_ms);

        if (status == QUEUE_SHUTDOWN)
            return NULL;
        atomic_fetch_add(&w->stress->inside, count);
        for (size_t i = 0; i < count; i++)
            consume(w, items[i].data);
    }
}

/* An item above max_bytes is alone when it comes; reserved puts come on top of anything. */
static bool within_limits(const struct stress *s, const struct queue_stats *stats)
{
    size_t in_flight = s->reserving ? (size_t)PRODUCERS / 2 * (MAX_BYTES + 500) : 0;
    size_t most = MAX_BYTES + 500 + in_flight;

    return stats->length + stats->reserved <= MAX_ITEMS && stats->peak_length <= MAX_ITEMS &&
           stats->peak_bytes <= most && stats->unfinished >= stats->length &&
           (s->reserving || stats->bytes <= MAX_BYTES || stats->length == 1);
}

static void *sample(void *argument)
{
    struct stress *s = argument;

    while (!atomic_load(&s->over)) {
        struct queue_stats stats = queue_stats(s->q);

        expect(s, within_limits(s, &stats));
        sched_yield();
    }
    return NULL;
}

static void start_worker(struct worker *w, struct stress *s, size_t i)
{
    void *(*work)(void *) = get_all;

    *w = (struct worker){.stress = s, .number = (unsigned)i};
    if (i < PRODUCERS)
        work = s->reserving && i % 2 == 0 ? put_all_reserved : put_all;
    assert_int_equal(pthread_create(&w->thread, NULL, work, w), 0);
}

static void run_stress(bool reserving)
{
    struct stress s = {.q = queue_create(MAX_ITEMS, MAX_BYTES),
                       .reserving = reserving,
                       .mutex = PTHREAD_MUTEX_INITIALIZER,
                       .woken = PTHREAD_COND_INITIALIZER};
    struct worker workers[PRODUCERS + CONSUMERS];
    struct queue_stats stats;
    pthread_t sampler;

    assert_int_equal(queue_on_room(s.q, note_wake, &s), 0);
    assert_int_equal(pthread_create(&sampler, NULL, sample, &s), 0);
    for (size_t i = 0; i < PRODUCERS + CONSUMERS; i++)
        start_worker(&workers[i], &s, i);
    for (size_t i = 0; i < PRODUCERS; i++)
        pthread_join(workers[i].thread, NULL);
    assert_int_equal(queue_join(s.q, PATIENCE_MS), QUEUE_OK);
    assert_int_equal(atomic_load(&s.taken), PRODUCERS * ITEMS_EACH);
    assert_int_equal(atomic_load(&s.inside), 0);

    queue_shutdown(s.q, QUEUE_DRAIN, NULL, NULL);
    for (size_t i = PRODUCERS; i < PRODUCERS + CONSUMERS; i++)
        pthread_join(workers[i].thread, NULL);
    atomic_store(&s.over, true);
    pthread_join(sampler, NULL);
    stats = queue_stats(s.q);
    assert_int_equal(stats.length + stats.reserved + stats.unfinished + stats.bytes, 0);
    assert_int_equal(stats.total_put, PRODUCERS * ITEMS_EACH);
    assert_int_equal(atomic_load(&s.broken), 0);
    queue_free(s.q);
}

static void limits_and_order_hold_at_every_instant_under_8_producers_and_8_consumers(void **state)
{
    (void)state;
    run_stress(false);
}

static void reservations_and_puts_share_the_queue_without_a_lost_wake_up(void **state)
{
    (void)state;
    run_stress(true);
}

/* Everybody stops at once, whatever they were doing, and each item is accounted for. */
struct ending {
    struct queue *q;
    atomic_size_t put;
    atomic_size_t got;
    size_t discarded;
    atomic_size_t broken;
};

static void *put_until_the_end(void *argument)
{
    struct ending *e = argument;
    enum queue_status status;

    for (unsigned i = 0;; i++) {
        if (i % 2 == 0 && queue_reserve(e->q) == QUEUE_OK)
            status = queue_put_reserved(e->q, item(1), i % 50);
        else
            status = queue_put(e->q, item(1), i % 50, QUEUE_FOREVER);
        if (status == QUEUE_SHUTDOWN)
            return NULL;
        atomic_fetch_add(status == QUEUE_OK ? &e->put : &e->broken, 1);
    }
}

static void *get_until_the_end(void *argument)
{
    struct ending *e = argument;
    void *data;

    while (queue_get(e->q, &data, QUEUE_FOREVER) == QUEUE_OK) {
        atomic_fetch_add(&e->got, 1);
        queue_task_done(e->q);
    }
    return NULL;
}

static void count_discard(void *context, void *data)
{
    (void)data;
    ((struct ending *)context)->discarded++;
}

static void run_ending(enum queue_shutdown_mode mode)
{
    struct ending e = {.q = queue_create(5, 200)};
    pthread_t threads[8];

    for (size_t i = 0; i < 8; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, i % 2 ? put_until_the_end : get_until_the_end, &e),
            0);
    pause_ms(3);
    queue_shutdown(e.q, mode, count_discard, &e);
    for (size_t i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(queue_join(e.q, QUEUE_NO_WAIT), QUEUE_OK);
    assert_int_equal(atomic_load(&e.broken), 0);
    assert_int_equal(atomic_load(&e.put), atomic_load(&e.got) + e.discarded);
    assert_int_equal(queue_stats(e.q).length, 0);
    queue_free(e.q);
}

static void a_shutdown_in_full_run_accounts_for_every_item(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++)
        run_ending(i % 2 == 0 ? QUEUE_DRAIN : QUEUE_IMMEDIATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_calls_give_what_a_simple_model_gives),
        cmocka_unit_test(limits_and_order_hold_at_every_instant_under_8_producers_and_8_consumers),
        cmocka_unit_test(reservations_and_puts_share_the_queue_without_a_lost_wake_up),
        cmocka_unit_test(a_shutdown_in_full_run_accounts_for_every_item),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
