#include "test.h"

#include <signal.h>

#include "gatherd/clock.h"
#include "gatherd/queue.h"
#include "queue_calls.h"

#define SHORT_MS   30
#define GIVE_UP_MS 1000 /* long enough to be seen waiting */

static void items_leave_in_the_order_they_came(void **state)
{
    struct queue *q = *state;

    for (uintptr_t round = 0; round < 50; round++) {
        assert_int_equal(put(q, 3 * round + 1, 1), QUEUE_OK);
        assert_int_equal(put(q, 3 * round + 2, 1), QUEUE_OK);
        assert_int_equal(put(q, 3 * round + 3, 1), QUEUE_OK);
        assert_int_equal(get(q), 3 * round + 1);
        assert_int_equal(get(q), 3 * round + 2);
        assert_int_equal(get(q), 3 * round + 3);
    }
}

static void order_survives_the_growth_of_a_wrapped_ring(void **state)
{
    struct queue *q = queue_create(0, 0);
    uintptr_t in = 0;
    uintptr_t out = 0;

    (void)state;
    for (int step = 0; step < 30000; step++) {
        assert_int_equal(put(q, ++in, 1), QUEUE_OK);
        if (step % 3 == 0)
            assert_int_equal(get(q), ++out);
    }
    while (out < in)
        assert_int_equal(get(q), ++out);
    assert_int_equal(get(q), 0);
    assert_int_equal(queue_stats(q).peak_length, 20000);
    queue_free(q);
}

static void put_to_a_full_queue_reports_full_at_once(void **state)
{
    struct queue *q = *state;

    for (uintptr_t i = 1; i <= 3; i++)
        assert_int_equal(put(q, i, 1), QUEUE_OK);
    assert_int_equal(put(q, 4, 1), QUEUE_FULL);
    assert_int_equal(queue_stats(q).length, 3);
}

static void put_beyond_max_bytes_reports_full_at_once(void **state)
{
    struct queue *q = *state;

    assert_int_equal(put(q, 1, 60), QUEUE_OK);
    assert_int_equal(put(q, 2, 41), QUEUE_FULL);
    assert_int_equal(put(q, 3, 40), QUEUE_OK);
    assert_int_equal(put(q, 4, 1), QUEUE_FULL);
    assert_int_equal(put(q, 5, 0), QUEUE_OK);
    assert_int_equal(queue_stats(q).bytes, 100);
}

static void put_to_a_full_queue_reports_full_after_the_timeout(void **state)
{
    struct queue *q = *state;
    int64_t begin;

    put(q, 1, 100);
    begin = clock_monotonic_ms();
    assert_int_equal(queue_put(q, item(2), 1, SHORT_MS), QUEUE_FULL);
    assert_true(clock_monotonic_ms() - begin >= SHORT_MS);
    assert_int_equal(get(q), 1);
    assert_int_equal(get(q), 0); /* the second stayed with its owner */
    assert_int_equal(queue_stats(q).unfinished, 1);
}

static void get_from_an_empty_queue_reports_empty_at_once(void **state)
{
    void *data = item(7);

    assert_int_equal(queue_get(*state, &data, QUEUE_NO_WAIT), QUEUE_EMPTY);
    assert_ptr_equal(data, item(7));
}

static void get_from_an_empty_queue_reports_empty_after_the_timeout(void **state)
{
    int64_t begin = clock_monotonic_ms();
    struct queue_item got;
    size_t count = 9;
    void *data;

    assert_int_equal(queue_get(*state, &data, SHORT_MS), QUEUE_EMPTY);
    assert_int_equal(queue_get_many(*state, &got, 1, 0, &count, SHORT_MS), QUEUE_EMPTY);
    assert_int_equal(count, 0);
    assert_true(clock_monotonic_ms() - begin >= 2 * SHORT_MS);
}

static void get_waits_until_an_item_comes(void **state)
{
    struct call waiting = get_call(*state, QUEUE_FOREVER);

    call_start(&waiting);
    await_waiters(*state, 0, 1);
    assert_int_equal(put(*state, 5, 1), QUEUE_OK);
    assert_int_equal(call_finish(&waiting), QUEUE_OK);
    assert_int_equal(waiting.number, 5);
}

static void put_waits_until_there_is_room(void **state)
{
    struct call waiting = put_call(*state, 2, 50, PATIENCE_MS);

    put(*state, 1, 60);
    call_start(&waiting);
    await_waiters(*state, 1, 0);
    assert_int_equal(get(*state), 1);
    assert_int_equal(call_finish(&waiting), QUEUE_OK);
    assert_int_equal(get(*state), 2);
}

static void puts_that_wait_are_served_in_the_order_they_came(void **state)
{
    struct call waiting[3];

    put(*state, 1, 100);
    for (size_t i = 0; i < 3; i++) {
        waiting[i] = put_call(*state, i + 2, 100, QUEUE_FOREVER);
        call_start(&waiting[i]);
        await_waiters(*state, i + 1, 0);
    }
    for (uintptr_t i = 1; i <= 4; i++)
        assert_int_equal(get(*state), i);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(call_finish(&waiting[i]), QUEUE_OK);
}

static void one_get_that_makes_room_for_several_puts_serves_them_all(void **state)
{
    struct call waiting[3];

    put(*state, 1, 100);
    for (size_t i = 0; i < 3; i++) {
        waiting[i] = put_call(*state, i + 2, 30, QUEUE_FOREVER);
        call_start(&waiting[i]);
        await_waiters(*state, i + 1, 0);
    }
    assert_int_equal(get(*state), 1);
    assert_int_equal(queue_stats(*state).length, 3); /* at once, whenever the threads may wake */
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(call_finish(&waiting[i]), QUEUE_OK);
}

static void each_item_wakes_a_get_that_waits(void **state)
{
    struct call waiting[3];
    uintptr_t sum = 0;

    for (size_t i = 0; i < 3; i++) {
        waiting[i] = get_call(*state, QUEUE_FOREVER);
        call_start(&waiting[i]);
    }
    await_waiters(*state, 0, 3);
    for (uintptr_t i = 1; i <= 3; i++)
        assert_int_equal(put(*state, i, 1), QUEUE_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(call_finish(&waiting[i]), QUEUE_OK);
        sum += waiting[i].number;
    }
    assert_int_equal(sum, 6);
}

static void a_get_called_in_vain_waits_on_until_its_deadline(void **state)
{
    struct call waiting = get_call(*state, 300);
    int64_t begin = clock_monotonic_ms();
    uintptr_t stolen = 0;

    call_start(&waiting);
    for (uintptr_t i = 1; i <= 20; i++) {
        put(*state, i, 1);          /* calls the waiting thread ... */
        stolen += get(*state) != 0; /* ... which nearly always comes too late */
    }
    if (call_finish(&waiting) == QUEUE_EMPTY) {
        assert_true(clock_monotonic_ms() - begin >= 300);
        assert_int_equal(stolen, 20);
    } else {
        assert_int_equal(waiting.status, QUEUE_OK);
        assert_int_equal(stolen, 19);
    }
}

static void on_signal(int number)
{
    (void)number;
}

static void signals_do_not_end_a_wait(void **state)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct queue *empty = queue_create(1, 0);
    struct call waiting[3] = {put_call(*state, 2, 100, PATIENCE_MS), join_call(*state, PATIENCE_MS),
                              get_call(empty, PATIENCE_MS)};

    sigaction(SIGUSR1, &action, NULL);
    put(*state, 1, 100);
    for (size_t i = 0; i < 3; i++)
        call_start(&waiting[i]);
    await_waiters(*state, 1, 0);
    await_waiters(empty, 0, 1);
    for (size_t i = 0; i < 30; i++) {
        pthread_kill(waiting[i % 3].thread, SIGUSR1);
        pause_ms(1);
    }
    for (size_t i = 0; i < 3; i++)
        assert_false(atomic_load(&waiting[i].returned));

    assert_int_equal(get(*state), 1);
    put(empty, 3, 1);
    queue_task_done(*state);
    queue_task_done(*state);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(call_finish(&waiting[i]), QUEUE_OK);
    queue_free(empty);
}

static void get_many_takes_what_is_there_and_does_not_wait_for_more(void **state)
{
    struct queue_item items[8];
    size_t count;

    put(*state, 1, 10);
    put(*state, 2, 20);
    assert_int_equal(queue_get_many(*state, items, 8, 0, &count, QUEUE_FOREVER), QUEUE_OK);
    assert_int_equal(count, 2);
    assert_ptr_equal(items[0].data, item(1));
    assert_int_equal(items[1].bytes, 20);
}

static void get_many_takes_no_more_than_max(void **state)
{
    struct queue_item items[2];
    size_t count;

    for (uintptr_t i = 1; i <= 3; i++)
        put(*state, i, 10);
    assert_int_equal(queue_get_many(*state, items, 2, 0, &count, QUEUE_NO_WAIT), QUEUE_OK);
    assert_int_equal(count, 2);
    assert_int_equal(get(*state), 3);
}

static void get_many_stops_before_an_item_that_passes_max_bytes(void **state)
{
    struct queue_item items[3];
    size_t count;

    for (uintptr_t i = 1; i <= 3; i++)
        put(*state, i, 10);
    assert_int_equal(queue_get_many(*state, items, 3, 29, &count, QUEUE_NO_WAIT), QUEUE_OK);
    assert_int_equal(count, 2);
    assert_int_equal(get(*state), 3);
}

static void get_many_takes_the_first_item_whatever_its_size(void **state)
{
    struct queue_item items[3];
    size_t count;

    put(*state, 1, 50);
    put(*state, 2, 0);
    assert_int_equal(queue_get_many(*state, items, 3, 20, &count, QUEUE_NO_WAIT), QUEUE_OK);
    assert_int_equal(count, 1);
    assert_int_equal(get(*state), 2);
}

static void task_done_more_often_than_put_is_reported(void **state)
{
    assert_int_equal(queue_task_done(*state), QUEUE_TOO_MANY_DONE);
    put(*state, 1, 1);
    get(*state);
    assert_int_equal(queue_task_done(*state), QUEUE_OK);
    assert_int_equal(queue_task_done(*state), QUEUE_TOO_MANY_DONE);
    assert_int_equal(queue_stats(*state).unfinished, 0);
}

static void task_done_may_come_before_the_get(void **state)
{
    put(*state, 1, 1);
    assert_int_equal(queue_task_done(*state), QUEUE_OK);
    assert_int_equal(queue_join(*state, QUEUE_NO_WAIT), QUEUE_OK);
    assert_int_equal(get(*state), 1);
    assert_int_equal(queue_task_done(*state), QUEUE_TOO_MANY_DONE);
}

static void join_of_a_queue_without_work_returns_at_once(void **state)
{
    assert_int_equal(queue_join(*state, QUEUE_FOREVER), QUEUE_OK);
    assert_int_equal(queue_join(*state, QUEUE_NO_WAIT), QUEUE_OK);
}

static void join_returns_only_when_every_item_has_had_its_task_done(void **state)
{
    struct call waiting[2];

    for (uintptr_t i = 1; i <= 3; i++)
        put(*state, i, 1);
    for (size_t i = 0; i < 2; i++) {
        waiting[i] = join_call(*state, QUEUE_FOREVER);
        call_start(&waiting[i]);
    }
    for (uintptr_t i = 1; i <= 3; i++) {
        assert_int_equal(get(*state), i);
        pause_ms(5); /* got is not done */
        assert_false(atomic_load(&waiting[0].returned) || atomic_load(&waiting[1].returned));
        assert_int_equal(queue_task_done(*state), QUEUE_OK);
    }
    assert_int_equal(call_finish(&waiting[0]), QUEUE_OK);
    assert_int_equal(call_finish(&waiting[1]), QUEUE_OK);
}

static void join_reports_the_timeout(void **state)
{
    int64_t begin = clock_monotonic_ms();

    put(*state, 1, 1);
    assert_int_equal(queue_join(*state, QUEUE_NO_WAIT), QUEUE_TIMEOUT);
    assert_int_equal(queue_join(*state, SHORT_MS), QUEUE_TIMEOUT);
    assert_true(clock_monotonic_ms() - begin >= SHORT_MS);
}

static void an_item_larger_than_max_bytes_is_admitted_alone(void **state)
{
    assert_int_equal(put(*state, 1, 1000), QUEUE_OK);
    assert_int_equal(put(*state, 2, 0), QUEUE_FULL);
    assert_int_equal(get(*state), 1);
    assert_int_equal(put(*state, 3, 1), QUEUE_OK);
    assert_int_equal(put(*state, 4, SIZE_MAX), QUEUE_FULL);
    assert_int_equal(get(*state), 3);
    assert_int_equal(put(*state, 5, SIZE_MAX), QUEUE_OK);
    assert_int_equal(put(*state, 6, SIZE_MAX), QUEUE_FULL);
}

static void a_large_item_that_waits_is_not_overtaken_by_small_ones(void **state)
{
    struct call large = put_call(*state, 2, 1000, QUEUE_FOREVER);
    struct call small = put_call(*state, 3, 1, QUEUE_FOREVER);

    put(*state, 1, 10);
    call_start(&large);
    await_waiters(*state, 1, 0);
    call_start(&small);
    await_waiters(*state, 2, 0);
    assert_int_equal(put(*state, 4, 1), QUEUE_FULL);
    assert_int_equal(queue_reserve(*state), QUEUE_FULL);

    assert_int_equal(get(*state), 1);
    assert_int_equal(call_finish(&large), QUEUE_OK);
    assert_int_equal(get(*state), 2);
    assert_int_equal(call_finish(&small), QUEUE_OK);
    assert_int_equal(get(*state), 3);
}

static void a_large_item_that_gives_up_lets_those_behind_it_in(void **state)
{
    struct call large = put_call(*state, 2, 1000, GIVE_UP_MS);
    struct call small = put_call(*state, 3, 1, QUEUE_FOREVER);

    put(*state, 1, 10);
    call_start(&large);
    await_waiters(*state, 1, 0);
    call_start(&small);
    assert_int_equal(call_finish(&large), QUEUE_FULL);
    assert_int_equal(call_finish(&small), QUEUE_OK);
    assert_int_equal(get(*state), 1);
    assert_int_equal(get(*state), 3);
}

static void the_look_at_everything_adds_up(void **state)
{
    struct queue_stats stats;

    put(*state, 1, 30);
    put(*state, 2, 40);
    queue_reserve(*state);
    get(*state);
    stats = queue_stats(*state);
    assert_int_equal(stats.length, 1);
    assert_int_equal(stats.bytes, 40);
    assert_int_equal(stats.reserved, 1);
    assert_int_equal(stats.unfinished, 2);
    assert_int_equal(stats.max_items, 3);
    assert_int_equal(stats.max_bytes, 100);
    assert_int_equal(stats.peak_length, 3);
    assert_int_equal(stats.peak_bytes, 70);
    assert_int_equal(stats.total_put, 2);
    assert_false(stats.shut_down);
}

static void freeing_nothing_is_allowed(void **state)
{
    (void)state;
    queue_free(NULL);
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, queue_setup, queue_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULE(items_leave_in_the_order_they_came),
        cmocka_unit_test(order_survives_the_growth_of_a_wrapped_ring),
        RULE(put_to_a_full_queue_reports_full_at_once),
        RULE(put_beyond_max_bytes_reports_full_at_once),
        RULE(put_to_a_full_queue_reports_full_after_the_timeout),
        RULE(get_from_an_empty_queue_reports_empty_at_once),
        RULE(get_from_an_empty_queue_reports_empty_after_the_timeout),
        RULE(get_waits_until_an_item_comes),
        RULE(put_waits_until_there_is_room),
        RULE(puts_that_wait_are_served_in_the_order_they_came),
        RULE(one_get_that_makes_room_for_several_puts_serves_them_all),
        RULE(each_item_wakes_a_get_that_waits),
        RULE(a_get_called_in_vain_waits_on_until_its_deadline),
        RULE(signals_do_not_end_a_wait),
        RULE(get_many_takes_what_is_there_and_does_not_wait_for_more),
        RULE(get_many_takes_no_more_than_max),
        RULE(get_many_stops_before_an_item_that_passes_max_bytes),
        RULE(get_many_takes_the_first_item_whatever_its_size),
        RULE(task_done_more_often_than_put_is_reported),
        RULE(task_done_may_come_before_the_get),
        RULE(join_of_a_queue_without_work_returns_at_once),
        RULE(join_returns_only_when_every_item_has_had_its_task_done),
        RULE(join_reports_the_timeout),
        RULE(an_item_larger_than_max_bytes_is_admitted_alone),
        RULE(a_large_item_that_waits_is_not_overtaken_by_small_ones),
        RULE(a_large_item_that_gives_up_lets_those_behind_it_in),
        RULE(the_look_at_everything_adds_up),
        cmocka_unit_test(freeing_nothing_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
