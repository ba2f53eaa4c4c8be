#include "test.h"

#include "gatherd/queue.h"
#include "queue_calls.h"

#define GIVE_UP_MS 1000 /* long enough to be seen waiting */

static void a_reservation_takes_a_place(void **state)
{
    struct queue_stats stats;

    for (int i = 0; i < 3; i++)
        assert_int_equal(queue_reserve(*state), QUEUE_OK);
    assert_int_equal(queue_reserve(*state), QUEUE_FULL);
    assert_int_equal(put(*state, 1, 1), QUEUE_FULL);
    stats = queue_stats(*state);
    assert_int_equal(stats.reserved, 3);
    assert_int_equal(stats.length, 0);
    assert_int_equal(stats.peak_length, 3);
    assert_int_equal(queue_put_reserved(*state, item(1), 10), QUEUE_OK);
    assert_int_equal(get(*state), 1);
    assert_int_equal(put(*state, 2, 1), QUEUE_OK);
}

static void release_gives_the_place_to_a_put_that_waits(void **state)
{
    struct call waiting = put_call(*state, 1, 1, QUEUE_FOREVER);

    for (int i = 0; i < 3; i++)
        queue_reserve(*state);
    call_start(&waiting);
    await_waiters(*state, 1, 0);
    queue_release(*state);
    assert_int_equal(call_finish(&waiting), QUEUE_OK);
    assert_int_equal(get(*state), 1);
}

static void a_reserved_put_may_pass_max_bytes_and_no_reservation_is_given_above_it(void **state)
{
    assert_int_equal(queue_reserve(*state), QUEUE_OK);
    assert_int_equal(put(*state, 1, 99), QUEUE_OK);
    assert_int_equal(queue_reserve(*state), QUEUE_OK); /* 99 of 100 */
    assert_int_equal(queue_put_reserved(*state, item(2), 1), QUEUE_OK);
    assert_int_equal(queue_put_reserved(*state, item(3), 500), QUEUE_OK);
    assert_int_equal(queue_stats(*state).bytes, 600);
    assert_int_equal(queue_reserve(*state), QUEUE_FULL);
    assert_int_equal(get(*state), 1);
    assert_int_equal(queue_reserve(*state), QUEUE_FULL); /* a place is free, the bytes are not */
    assert_int_equal(get(*state), 2);
    assert_int_equal(get(*state), 3);
    assert_int_equal(queue_reserve(*state), QUEUE_OK);
}

static void raised_limits_admit_the_puts_that_wait(void **state)
{
    struct call waiting[2];

    put(*state, 1, 100);
    for (size_t i = 0; i < 2; i++) {
        waiting[i] = put_call(*state, i + 2, 100, QUEUE_FOREVER);
        call_start(&waiting[i]);
    }
    await_waiters(*state, 2, 0);
    queue_set_limits(*state, 0, 0);
    assert_int_equal(call_finish(&waiting[0]), QUEUE_OK);
    assert_int_equal(call_finish(&waiting[1]), QUEUE_OK);
    assert_int_equal(queue_stats(*state).length, 3);
    assert_int_equal(queue_stats(*state).max_bytes, 0);
}

static void lowered_limits_keep_what_is_above_them_until_it_drains(void **state)
{
    for (uintptr_t i = 1; i <= 3; i++)
        put(*state, i, 10);
    queue_set_limits(*state, 2, 15);
    assert_int_equal(queue_stats(*state).length, 3);
    assert_int_equal(put(*state, 4, 0), QUEUE_FULL);
    assert_int_equal(get(*state), 1);
    assert_int_equal(put(*state, 4, 0), QUEUE_FULL);
    assert_int_equal(get(*state), 2);
    assert_int_equal(put(*state, 4, 5), QUEUE_OK);
    assert_int_equal(put(*state, 5, 0), QUEUE_FULL);
    assert_int_equal(get(*state), 3);
    assert_int_equal(get(*state), 4);
}

static void room_is_told_to_every_watcher_once_for_each_refusal_episode(void **state)
{
    struct room_watcher a = {.q = *state};
    struct room_watcher b = {.q = *state};

    assert_int_equal(queue_on_room(*state, count_wake, &a), 0);
    assert_int_equal(queue_on_room(*state, count_wake, &b), 0);
    for (int i = 0; i < 3; i++)
        queue_reserve(*state);
    assert_int_equal(queue_reserve(*state), QUEUE_FULL);
    assert_int_equal(queue_reserve(*state), QUEUE_FULL);
    assert_int_equal(atomic_load(&a.calls), 0);
    queue_release(*state);
    queue_release(*state);
    assert_int_equal(atomic_load(&a.calls), 1);
    assert_int_equal(atomic_load(&b.calls), 1);

    put(*state, 1, 100); /* the bytes are used up, a place is free */
    assert_int_equal(queue_reserve(*state), QUEUE_FULL);
    queue_release(*state);
    assert_int_equal(atomic_load(&a.calls), 1); /* no room yet: the bytes are still held */
    get(*state);
    assert_int_equal(atomic_load(&a.calls), 2);
    assert_int_equal(atomic_load(&b.calls), 2);
}

static void a_refused_put_is_told_of_room_too(void **state)
{
    struct room_watcher w = {.q = *state};

    queue_on_room(*state, count_wake, &w);
    put(*state, 1, 100);
    assert_int_equal(put(*state, 2, 1), QUEUE_FULL);
    get(*state);
    assert_int_equal(atomic_load(&w.calls), 1);
}

static void room_without_a_refusal_is_not_told(void **state)
{
    struct room_watcher w = {.q = *state};

    queue_on_room(*state, count_wake, &w);
    for (uintptr_t i = 1; i <= 3; i++)
        put(*state, i, 1);
    while (get(*state) != 0) {
    }
    assert_int_equal(atomic_load(&w.calls), 0);
}

static void raised_limits_are_told(void **state)
{
    struct room_watcher w = {.q = *state};

    queue_on_room(*state, count_wake, &w);
    for (int i = 0; i < 3; i++)
        queue_reserve(*state);
    queue_reserve(*state);
    queue_set_limits(*state, 4, 100);
    assert_int_equal(atomic_load(&w.calls), 1);
    assert_int_equal(queue_reserve(*state), QUEUE_OK);
}

static void a_put_that_gives_up_its_turn_lets_reservations_be_told(void **state)
{
    struct room_watcher w = {.q = *state};
    struct call large = put_call(*state, 2, 1000, GIVE_UP_MS);

    queue_on_room(*state, count_wake, &w);
    put(*state, 1, 10);
    call_start(&large);
    await_waiters(*state, 1, 0);
    assert_int_equal(queue_reserve(*state), QUEUE_FULL);
    assert_int_equal(call_finish(&large), QUEUE_FULL);
    assert_int_equal(atomic_load(&w.calls), 1);
    assert_int_equal(queue_reserve(*state), QUEUE_OK);
}

static void no_room_is_told_while_a_put_has_the_turn(void **state)
{
    struct room_watcher w = {.q = *state};
    struct call large = put_call(*state, 3, 1000, QUEUE_FOREVER);

    queue_on_room(*state, count_wake, &w);
    put(*state, 1, 10);
    put(*state, 2, 10);
    call_start(&large);
    await_waiters(*state, 1, 0);
    assert_int_equal(queue_reserve(*state), QUEUE_FULL);
    assert_int_equal(get(*state), 1);
    assert_int_equal(get(*state), 2);
    assert_int_equal(call_finish(&large), QUEUE_OK);
    assert_int_equal(atomic_load(&w.calls), 0); /* a reservation would have been refused again */
    assert_int_equal(get(*state), 3);
    assert_int_equal(atomic_load(&w.calls), 1);
}

static void shutdown_is_told(void **state)
{
    struct room_watcher w = {.q = *state};
    struct discards gone = {0};

    queue_on_room(*state, count_wake, &w);
    queue_shutdown(*state, QUEUE_DRAIN, NULL, NULL);
    assert_int_equal(atomic_load(&w.calls), 1);
    queue_shutdown(*state, QUEUE_DRAIN, NULL, NULL);
    assert_int_equal(atomic_load(&w.calls), 1);
    queue_shutdown(*state, QUEUE_IMMEDIATE, discard, &gone);
    assert_int_equal(atomic_load(&w.calls), 2);
}

static void setting_a_watcher_twice_replaces_it_and_null_removes_it(void **state)
{
    struct room_watcher w = {.q = *state};

    assert_int_equal(queue_on_room(*state, NULL, &w), 0); /* not there: nothing to do */
    queue_on_room(*state, count_wake, &w);
    queue_on_room(*state, count_wake, &w);
    put(*state, 1, 100);
    queue_reserve(*state);
    get(*state);
    assert_int_equal(atomic_load(&w.calls), 1);
    queue_on_room(*state, NULL, &w);
    put(*state, 1, 100);
    queue_reserve(*state);
    get(*state);
    assert_int_equal(atomic_load(&w.calls), 1);
}

static void removing_a_watcher_waits_for_its_call_under_way(void **state)
{
    struct room_watcher other = {.q = *state};
    struct room_watcher w = {.q = *state, .hold = true};
    struct call getting = get_call(*state, QUEUE_NO_WAIT);
    struct call removing = {.kind = CALL_REMOVE_WATCHER, .q = *state, .context = &w};

    queue_on_room(*state, count_wake, &other);
    queue_on_room(*state, count_wake, &w);
    put(*state, 1, 100);
    queue_reserve(*state);
    call_start(&getting);
    while (atomic_load(&w.calls) == 0)
        pause_ms(1);
    call_start(&removing);
    pause_ms(20);
    assert_false(atomic_load(&removing.returned));
    atomic_store(&w.hold, false);
    call_finish(&removing);
    assert_int_equal(call_finish(&getting), QUEUE_OK);
    assert_int_equal(atomic_load(&other.calls), 1);
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, queue_setup, queue_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULE(a_reservation_takes_a_place),
        RULE(release_gives_the_place_to_a_put_that_waits),
        RULE(a_reserved_put_may_pass_max_bytes_and_no_reservation_is_given_above_it),
        RULE(raised_limits_admit_the_puts_that_wait),
        RULE(lowered_limits_keep_what_is_above_them_until_it_drains),
        RULE(room_is_told_to_every_watcher_once_for_each_refusal_episode),
        RULE(a_refused_put_is_told_of_room_too),
        RULE(room_without_a_refusal_is_not_told),
        RULE(raised_limits_are_told),
        RULE(a_put_that_gives_up_its_turn_lets_reservations_be_told),
        RULE(no_room_is_told_while_a_put_has_the_turn),
        RULE(shutdown_is_told),
        RULE(setting_a_watcher_twice_replaces_it_and_null_removes_it),
        RULE(removing_a_watcher_waits_for_its_call_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
