#include "test.h"

#include "gatherd/queue.h"
#include "queue_calls.h"

#define SHORT_MS 30

static void shutdown_wakes_every_put_that_waits(void **state)
{
    enum queue_shutdown_mode modes[] = {QUEUE_DRAIN, QUEUE_IMMEDIATE};

    (void)state;
    for (size_t m = 0; m < 2; m++) {
        struct queue *q = queue_create(1, 0);
        struct discards gone = {0};
        struct call waiting[4];

        put(q, 1, 1);
        for (size_t i = 0; i < 4; i++) {
            waiting[i] = put_call(q, 9, 1, i % 2 ? PATIENCE_MS : QUEUE_FOREVER);
            call_start(&waiting[i]);
        }
        await_waiters(q, 4, 0);
        queue_shutdown(q, modes[m], discard, &gone);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(call_finish(&waiting[i]), QUEUE_SHUTDOWN);
        assert_int_equal(gone.count, m); /* never an item of a refused put */
        queue_free(q);
    }
}

static void shutdown_wakes_every_get_that_waits(void **state)
{
    enum queue_shutdown_mode modes[] = {QUEUE_DRAIN, QUEUE_IMMEDIATE};

    (void)state;
    for (size_t m = 0; m < 2; m++) {
        struct queue *q = queue_create(1, 0);
        struct discards gone = {0};
        struct call waiting[4];

        for (size_t i = 0; i < 4; i++) {
            waiting[i] = i < 2 ? get_call(q, QUEUE_FOREVER) : get_many_call(q, PATIENCE_MS);
            call_start(&waiting[i]);
        }
        await_waiters(q, 0, 4);
        queue_shutdown(q, modes[m], discard, &gone);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(call_finish(&waiting[i]), QUEUE_SHUTDOWN);
        queue_free(q);
    }
}

static void shutdown_refuses_puts_and_reservations(void **state)
{
    queue_shutdown(*state, QUEUE_DRAIN, NULL, NULL);
    assert_int_equal(put(*state, 1, 1), QUEUE_SHUTDOWN);
    assert_int_equal(queue_put(*state, item(1), 1, QUEUE_FOREVER), QUEUE_SHUTDOWN);
    assert_int_equal(queue_reserve(*state), QUEUE_SHUTDOWN);
    assert_true(queue_stats(*state).shut_down);
}

static void after_a_drain_gets_go_on_until_empty_and_then_report_shutdown(void **state)
{
    struct queue_item items[4];
    void *data = NULL;
    size_t count;

    for (uintptr_t i = 1; i <= 3; i++)
        put(*state, i, 1);
    queue_shutdown(*state, QUEUE_DRAIN, NULL, NULL);
    assert_int_equal(get(*state), 1);
    assert_int_equal(queue_get_many(*state, items, 4, 0, &count, QUEUE_FOREVER), QUEUE_OK);
    assert_int_equal(count, 2);
    assert_int_equal(queue_get(*state, &data, QUEUE_NO_WAIT), QUEUE_SHUTDOWN);
    assert_int_equal(queue_get(*state, &data, QUEUE_FOREVER), QUEUE_SHUTDOWN);
    assert_int_equal(queue_get_many(*state, items, 4, 0, &count, QUEUE_FOREVER), QUEUE_SHUTDOWN);
    assert_int_equal(count, 0);
}

static void after_a_drain_join_waits_on_for_what_is_unfinished(void **state)
{
    struct call waiting = join_call(*state, QUEUE_FOREVER);

    put(*state, 1, 1);
    call_start(&waiting);
    queue_shutdown(*state, QUEUE_DRAIN, NULL, NULL);
    assert_int_equal(get(*state), 1);
    pause_ms(5);
    assert_false(atomic_load(&waiting.returned));
    assert_int_equal(queue_task_done(*state), QUEUE_OK);
    assert_int_equal(call_finish(&waiting), QUEUE_OK);
}

static void immediate_shutdown_hands_the_items_back_and_counts_them_as_done(void **state)
{
    struct call waiting = join_call(*state, QUEUE_FOREVER);
    struct discards gone = {.q = *state};

    for (uintptr_t i = 1; i <= 3; i++)
        put(*state, i, 1);
    call_start(&waiting);
    queue_shutdown(*state, QUEUE_IMMEDIATE, discard, &gone);
    assert_int_equal(call_finish(&waiting), QUEUE_OK);
    assert_int_equal(gone.count, 3);
    for (uintptr_t i = 1; i <= 3; i++)
        assert_int_equal(gone.numbers[i - 1], i);
    assert_int_equal(queue_stats(*state).unfinished, 0);
    assert_int_equal(queue_stats(*state).bytes, 0);
    assert_int_equal(queue_task_done(*state), QUEUE_TOO_MANY_DONE);
}

static void immediate_shutdown_leaves_join_waiting_for_items_that_were_got(void **state)
{
    struct discards gone = {0};

    put(*state, 1, 1);
    put(*state, 2, 1);
    assert_int_equal(get(*state), 1);
    queue_shutdown(*state, QUEUE_IMMEDIATE, discard, &gone);
    assert_int_equal(queue_join(*state, SHORT_MS), QUEUE_TIMEOUT);
    assert_int_equal(queue_task_done(*state), QUEUE_OK);
    assert_int_equal(queue_join(*state, QUEUE_FOREVER), QUEUE_OK);
}

static void immediate_shutdown_forgives_a_task_done_that_came_before_its_get(void **state)
{
    struct discards gone = {0};

    put(*state, 1, 1);
    put(*state, 2, 1);
    queue_task_done(*state);
    queue_shutdown(*state, QUEUE_IMMEDIATE, discard, &gone);
    assert_int_equal(gone.count, 2);
    assert_int_equal(queue_stats(*state).unfinished, 0);
}

static void a_drain_can_be_turned_into_an_immediate_shutdown_but_not_back(void **state)
{
    struct discards gone = {0};

    put(*state, 1, 1);
    queue_shutdown(*state, QUEUE_DRAIN, NULL, NULL);
    queue_shutdown(*state, QUEUE_IMMEDIATE, discard, &gone);
    assert_int_equal(gone.count, 1);
    queue_shutdown(*state, QUEUE_DRAIN, NULL, NULL);
    queue_shutdown(*state, QUEUE_IMMEDIATE, discard, &gone);
    assert_int_equal(gone.count, 1);
    assert_int_equal(queue_join(*state, QUEUE_NO_WAIT), QUEUE_OK);
    assert_int_equal(put(*state, 1, 1), QUEUE_SHUTDOWN);
}

static void a_reserved_put_after_a_drain_is_accepted_and_gets_wait_for_it(void **state)
{
    struct call waiting[2];
    void *data;

    assert_int_equal(queue_reserve(*state), QUEUE_OK);
    queue_shutdown(*state, QUEUE_DRAIN, NULL, NULL);
    assert_int_equal(queue_get(*state, &data, QUEUE_NO_WAIT), QUEUE_EMPTY);
    for (size_t i = 0; i < 2; i++) {
        waiting[i] = get_call(*state, QUEUE_FOREVER);
        call_start(&waiting[i]);
    }
    await_waiters(*state, 0, 2);
    assert_int_equal(queue_put_reserved(*state, item(1), 1), QUEUE_OK);
    /* One gets it, and the other hears that nothing more can come. */
    assert_int_equal(call_finish(&waiting[0]) + call_finish(&waiting[1]),
                     QUEUE_OK + QUEUE_SHUTDOWN);
    assert_int_equal(waiting[0].number + waiting[1].number, 1);
    assert_int_equal(queue_get(*state, &data, QUEUE_NO_WAIT), QUEUE_SHUTDOWN);
}

static void after_a_drain_the_last_release_ends_the_gets_that_wait(void **state)
{
    struct call waiting = get_many_call(*state, QUEUE_FOREVER);

    queue_reserve(*state);
    queue_reserve(*state);
    queue_shutdown(*state, QUEUE_DRAIN, NULL, NULL);
    call_start(&waiting);
    await_waiters(*state, 0, 1);
    queue_release(*state);
    assert_false(atomic_load(&waiting.returned));
    queue_release(*state);
    assert_int_equal(call_finish(&waiting), QUEUE_SHUTDOWN);
}

static void a_reserved_put_after_an_immediate_shutdown_is_refused(void **state)
{
    struct discards gone = {0};
    void *data;

    queue_reserve(*state);
    queue_reserve(*state);
    queue_shutdown(*state, QUEUE_IMMEDIATE, discard, &gone);
    assert_int_equal(queue_get(*state, &data, QUEUE_FOREVER), QUEUE_SHUTDOWN);
    assert_int_equal(queue_put_reserved(*state, item(1), 1), QUEUE_SHUTDOWN);
    queue_release(*state);
    assert_int_equal(queue_stats(*state).reserved, 0);
    assert_int_equal(queue_stats(*state).total_put, 0);
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, queue_setup, queue_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shutdown_wakes_every_put_that_waits),
        cmocka_unit_test(shutdown_wakes_every_get_that_waits),
        RULE(shutdown_refuses_puts_and_reservations),
        RULE(after_a_drain_gets_go_on_until_empty_and_then_report_shutdown),
        RULE(after_a_drain_join_waits_on_for_what_is_unfinished),
        RULE(immediate_shutdown_hands_the_items_back_and_counts_them_as_done),
        RULE(immediate_shutdown_leaves_join_waiting_for_items_that_were_got),
        RULE(immediate_shutdown_forgives_a_task_done_that_came_before_its_get),
        RULE(a_drain_can_be_turned_into_an_immediate_shutdown_but_not_back),
        RULE(a_reserved_put_after_a_drain_is_accepted_and_gets_wait_for_it),
        RULE(after_a_drain_the_last_release_ends_the_gets_that_wait),
        RULE(a_reserved_put_after_an_immediate_shutdown_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
