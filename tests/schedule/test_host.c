#include "test.h"

#include <stdlib.h>

#include "schedule/host.h"

static int setup(void **state)
{
    struct hosts *hosts = calloc(1, sizeof(*hosts));

    assert_non_null(hosts);
    assert_int_equal(hosts_set_lanes(hosts, 1), 0);
    hosts_set_limit(hosts, 2);
    *state = hosts;
    return 0;
}

static int teardown(void **state)
{
    hosts_free(*state);
    free(*state);
    return 0;
}

/* Who is first in line at the ready host starts a transfer. */
static struct host_waiter *start_first(struct hosts *hosts, struct host *host)
{
    struct host_waiter *first = hosts_first_ready(hosts, host->lane);

    assert_non_null(first);
    host_unwait(hosts, host, first);
    host_transfer_started(hosts, host);
    return first;
}

static void a_host_is_one_for_all_who_name_it_and_goes_with_the_last(void **state)
{
    struct hosts *hosts = *state;
    struct host *a = host_get(hosts, "a:80");

    assert_ptr_equal(host_get(hosts, "a:80"), a);
    assert_ptr_not_equal(host_get(hosts, "a:81"), a);
    assert_int_equal(hosts->map.count, 2);
    host_put(hosts, a);
    assert_int_equal(hosts->map.count, 2);
    host_put(hosts, a);
    assert_int_equal(hosts->map.count, 1);
    host_put(hosts, host_get(hosts, "a:81"));
    host_put(hosts, hosts_next(hosts, NULL));
    host_put(hosts, NULL);
}

static void a_host_has_room_up_to_its_limit(void **state)
{
    struct hosts *hosts = *state;
    struct host *a = host_get(hosts, "a:80");

    host_transfer_started(hosts, a);
    assert_true(host_has_room(hosts, a));
    host_transfer_started(hosts, a);
    assert_false(host_has_room(hosts, a));
    host_transfer_ended(hosts, a);
    assert_true(host_has_room(hosts, a));
    host_transfer_ended(hosts, a);
    host_put(hosts, a);
}

static void who_waits_first_is_served_first(void **state)
{
    struct hosts *hosts = *state;
    struct host *a = host_get(hosts, "a:80");
    struct host_waiter waiters[3];

    host_transfer_started(hosts, a);
    host_transfer_started(hosts, a);
    for (int i = 0; i < 3; i++)
        host_wait(hosts, a, &waiters[i]);
    assert_null(hosts_first_ready(hosts, 0));
    assert_int_equal(hosts->waiting, 3);
    for (int i = 0; i < 3; i++) {
        host_transfer_ended(hosts, a);
        assert_ptr_equal(start_first(hosts, a), &waiters[i]);
        assert_null(hosts_first_ready(hosts, 0));
    }
    host_transfer_ended(hosts, a);
    host_transfer_ended(hosts, a);
    assert_null(hosts_first_ready(hosts, 0));
    host_put(hosts, a);
}

static void ready_hosts_take_turns(void **state)
{
    struct hosts *hosts = *state;
    struct host *a = host_get(hosts, "a:80");
    struct host *b = host_get(hosts, "b:80");
    struct host_waiter waiters[4];

    host_wait(hosts, a, &waiters[0]);
    host_wait(hosts, a, &waiters[1]);
    host_wait(hosts, b, &waiters[2]);
    host_wait(hosts, b, &waiters[3]);
    assert_ptr_equal(start_first(hosts, a), &waiters[0]);
    assert_ptr_equal(start_first(hosts, b), &waiters[2]);
    assert_ptr_equal(start_first(hosts, a), &waiters[1]);
    assert_ptr_equal(start_first(hosts, b), &waiters[3]);
    for (int i = 0; i < 2; i++) {
        host_transfer_ended(hosts, a);
        host_transfer_ended(hosts, b);
    }
    host_put(hosts, a);
    host_put(hosts, b);
}

static void leaving_the_line_from_its_middle_lets_the_others_be(void **state)
{
    struct hosts *hosts = *state;
    struct host *a = host_get(hosts, "a:80");
    struct host_waiter waiters[3];

    for (int i = 0; i < 3; i++)
        host_wait(hosts, a, &waiters[i]);
    host_unwait(hosts, a, &waiters[1]);
    assert_ptr_equal(start_first(hosts, a), &waiters[0]);
    assert_ptr_equal(start_first(hosts, a), &waiters[2]);
    host_transfer_ended(hosts, a);
    host_transfer_ended(hosts, a);
    host_put(hosts, a);
}

static void a_new_limit_counts_at_once_in_both_directions(void **state)
{
    struct hosts *hosts = *state;
    struct host *a = host_get(hosts, "a:80");
    struct host_waiter waiters[2];

    host_transfer_started(hosts, a);
    host_transfer_started(hosts, a);
    host_wait(hosts, a, &waiters[0]);
    host_wait(hosts, a, &waiters[1]);
    hosts_set_limit(hosts, 3);
    assert_ptr_equal(start_first(hosts, a), &waiters[0]);
    assert_null(hosts_first_ready(hosts, 0));
    hosts_set_limit(hosts, 1);
    host_transfer_ended(hosts, a);
    host_transfer_ended(hosts, a);
    assert_null(hosts_first_ready(hosts, 0));
    host_transfer_ended(hosts, a);
    assert_ptr_equal(start_first(hosts, a), &waiters[1]);
    host_transfer_ended(hosts, a);
    host_put(hosts, a);
}

static void hosts_are_dealt_anew_to_other_lanes_with_their_lines(void **state)
{
    struct hosts *hosts = *state;
    struct host *all[16];
    struct host_waiter waiters[16];
    unsigned used = 0;

    for (unsigned i = 0; i < 16; i++) {
        char name[8] = {(char)('a' + i), ':', '8', '0'};

        all[i] = host_get(hosts, name);
        host_wait(hosts, all[i], &waiters[i]);
    }
    assert_int_equal(hosts_set_lanes(hosts, 3), 0);
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(all[i]->lane, map_hash(all[i]->name) % 3);
        used |= 1u << all[i]->lane;
    }
    assert_int_equal(used, 7);
    for (unsigned i = 0; i < 16; i++) {
        assert_non_null(hosts_first_ready(hosts, all[i]->lane));
        host_unwait(hosts, all[i], &waiters[i]);
        host_put(hosts, all[i]);
    }
    for (unsigned lane = 0; lane < 3; lane++)
        assert_null(hosts_first_ready(hosts, lane));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_host_is_one_for_all_who_name_it_and_goes_with_the_last,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_host_has_room_up_to_its_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(who_waits_first_is_served_first, setup, teardown),
        cmocka_unit_test_setup_teardown(ready_hosts_take_turns, setup, teardown),
        cmocka_unit_test_setup_teardown(leaving_the_line_from_its_middle_lets_the_others_be, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_new_limit_counts_at_once_in_both_directions, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(hosts_are_dealt_anew_to_other_lanes_with_their_lines, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
