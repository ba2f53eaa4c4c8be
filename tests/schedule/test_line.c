#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "schedule/line.h"

#define NOW    ((int64_t)1000000)
#define SECOND ((int64_t)1000)

static int setup(void **state)
{
    struct lines *lines = calloc(1, sizeof(*lines));

    assert_non_null(lines);
    assert_int_equal(lines_set_lanes(lines, 1), 0);
    lines_set_now(lines, NOW);
    *state = lines;
    return 0;
}

static int teardown(void **state)
{
    lines_free(*state);
    free(*state);
    return 0;
}

/* A line whose host lets `max` run at once. */
static struct line *line_to(struct lines *lines, const char *host, const char *limit, unsigned max)
{
    struct line *line = line_get(lines, host, limit);

    assert_non_null(line);
    host_set(lines, line->host, max, 0);
    return line;
}

static void join(struct lines *lines, struct line *line, struct waiter *waiter, int64_t due_ms)
{
    waiter->due_ms = due_ms;
    line_wait(lines, line, waiter);
}

/* Who is first where it is somebody's turn starts a transfer; it is of `line`. */
static struct waiter *start_first(struct lines *lines, struct line *line)
{
    struct waiter *first = lines_first_ready(lines, line->host->lane);

    assert_non_null(first);
    line_unwait(lines, line, first);
    line_started(lines, line);
    return first;
}

static void end(struct lines *lines, struct line *line, int count)
{
    while (count-- > 0)
        line_ended(lines, line);
}

static void a_line_is_one_for_all_who_name_it_and_goes_with_the_last(void **state)
{
    struct lines *lines = *state;
    struct line *a = line_get(lines, "a:80", NULL);

    assert_ptr_equal(line_get(lines, "a:80", NULL), a);
    assert_true(line_is_for(a, "a:80", NULL));
    assert_false(line_is_for(a, "a:80", "x"));
    assert_false(line_is_for(a, "a:81", NULL));
    assert_int_equal(lines->hosts.count, 1);
    line_put(lines, a);
    assert_int_equal(lines->hosts.count, 1);
    line_put(lines, a);
    assert_int_equal(lines->hosts.count, 0);
    line_put(lines, NULL);
}

static void hosts_and_rate_limits_are_shared_by_their_lines(void **state)
{
    struct lines *lines = *state;
    struct line *a = line_get(lines, "a:80", "x");
    struct line *b = line_get(lines, "a:80", "y");
    struct line *c = line_get(lines, "c:80", "x");

    assert_ptr_equal(a->host, b->host);
    assert_ptr_equal(a->limit, c->limit);
    assert_ptr_not_equal(a->limit, b->limit);
    assert_ptr_equal(limit_find(lines, "x"), a->limit);
    line_put(lines, a);
    assert_ptr_equal(limit_find(lines, "x"), c->limit);
    line_put(lines, c);
    assert_null(limit_find(lines, "x"));
    line_put(lines, b);
}

static void a_host_has_room_up_to_its_limit(void **state)
{
    struct lines *lines = *state;
    struct line *a = line_to(lines, "a:80", NULL, 2);

    line_started(lines, a);
    assert_true(line_may_start(lines, a));
    line_started(lines, a);
    assert_false(line_may_start(lines, a));
    line_ended(lines, a);
    assert_true(line_may_start(lines, a));
    line_ended(lines, a);
    line_put(lines, a);
}

static void who_waits_first_is_served_first(void **state)
{
    struct lines *lines = *state;
    struct line *a = line_to(lines, "a:80", NULL, 2);
    struct waiter waiters[3];

    line_started(lines, a);
    line_started(lines, a);
    for (int i = 0; i < 3; i++)
        join(lines, a, &waiters[i], i);
    assert_null(lines_first_ready(lines, 0));
    assert_int_equal(lines->waiting, 3);
    for (int i = 0; i < 3; i++) {
        line_ended(lines, a);
        assert_ptr_equal(start_first(lines, a), &waiters[i]);
        assert_null(lines_first_ready(lines, 0));
    }
    end(lines, a, 2);
    line_put(lines, a);
}

static void of_open_lines_the_one_goes_first_whose_first_is_due_longest(void **state)
{
    struct lines *lines = *state;
    struct line *a = line_to(lines, "a:80", NULL, 2);
    struct line *b = line_to(lines, "b:80", NULL, 2);
    struct waiter waiters[4];

    join(lines, a, &waiters[0], 0);
    join(lines, a, &waiters[1], 2);
    join(lines, b, &waiters[2], 1);
    join(lines, b, &waiters[3], 3);
    assert_ptr_equal(start_first(lines, a), &waiters[0]);
    assert_ptr_equal(start_first(lines, b), &waiters[2]);
    assert_ptr_equal(start_first(lines, a), &waiters[1]);
    assert_ptr_equal(start_first(lines, b), &waiters[3]);
    end(lines, a, 2);
    end(lines, b, 2);
    line_put(lines, a);
    line_put(lines, b);
}

static void under_a_rate_limit_too_the_host_whose_first_is_due_longest_goes_first(void **state)
{
    struct lines *lines = *state;
    struct line *a = line_to(lines, "a:80", "x", 2);
    struct line *b = line_to(lines, "b:80", "x", 2);
    struct waiter waiters[4];

    limit_set(lines, a->limit, 1, SECOND, 1);
    join(lines, a, &waiters[0], 0);
    join(lines, a, &waiters[1], 2);
    join(lines, b, &waiters[2], 1);
    join(lines, b, &waiters[3], 3);
    for (int i = 0; i < 4; i++) {
        struct line *line = i % 2 == 0 ? a : b;

        lines_set_now(lines, NOW + i * SECOND);
        assert_ptr_equal(start_first(lines, line), &waiters[i % 2 * 2 + i / 2]);
        assert_null(lines_first_ready(lines, 0));
    }
    end(lines, a, 2);
    end(lines, b, 2);
    line_put(lines, a);
    line_put(lines, b);
}

static void leaving_the_line_from_its_middle_lets_the_others_be(void **state)
{
    struct lines *lines = *state;
    struct line *a = line_to(lines, "a:80", NULL, 2);
    struct waiter waiters[3];

    for (int i = 0; i < 3; i++)
        join(lines, a, &waiters[i], 0);
    line_unwait(lines, a, &waiters[1]);
    assert_ptr_equal(start_first(lines, a), &waiters[0]);
    assert_ptr_equal(start_first(lines, a), &waiters[2]);
    end(lines, a, 2);
    line_put(lines, a);
}

static void a_new_limit_of_a_host_counts_at_once_in_both_directions(void **state)
{
    struct lines *lines = *state;
    struct line *a = line_to(lines, "a:80", NULL, 2);
    struct waiter waiters[2];

    line_started(lines, a);
    line_started(lines, a);
    join(lines, a, &waiters[0], 0);
    join(lines, a, &waiters[1], 0);
    host_set(lines, a->host, 3, 0);
    assert_ptr_equal(start_first(lines, a), &waiters[0]);
    assert_null(lines_first_ready(lines, 0));
    host_set(lines, a->host, 1, 0);
    end(lines, a, 2);
    assert_null(lines_first_ready(lines, 0));
    line_ended(lines, a);
    assert_ptr_equal(start_first(lines, a), &waiters[1]);
    line_ended(lines, a);
    line_put(lines, a);
}

static void a_host_with_a_spacing_opens_when_it_has_passed(void **state)
{
    struct lines *lines = *state;
    struct line *a = line_get(lines, "a:80", NULL);
    struct waiter waiters[2];
    int64_t at_ms;

    host_set(lines, a->host, 5, 300);
    assert_true(line_may_start(lines, a));
    line_started(lines, a);
    assert_false(line_may_start(lines, a));
    assert_false(lines_next_opening(lines, 0, &at_ms)); /* nobody waits for it */
    join(lines, a, &waiters[0], 0);
    join(lines, a, &waiters[1], 0);
    assert_true(lines_next_opening(lines, 0, &at_ms));
    assert_int_equal(at_ms, NOW + 300);
    assert_int_equal(lines_held_up(lines), 2);
    lines_set_now(lines, NOW + 299);
    assert_null(lines_first_ready(lines, 0));
    lines_set_now(lines, NOW + 300);
    assert_ptr_equal(start_first(lines, a), &waiters[0]);
    assert_null(lines_first_ready(lines, 0));
    assert_true(lines_next_opening(lines, 0, &at_ms));
    assert_int_equal(at_ms, NOW + 600);
    lines_set_now(lines, NOW + 10000);
    assert_ptr_equal(start_first(lines, a), &waiters[1]);
    end(lines, a, 3);
    line_put(lines, a);
}

static void a_newcomer_does_not_overtake_those_who_wait_for_the_same_rate_limit(void **state)
{
    struct lines *lines = *state;
    struct line *a = line_to(lines, "a:80", "x", 9);
    struct line *b = line_to(lines, "b:80", "x", 9);
    struct waiter waiter;

    limit_set(lines, a->limit, 1, SECOND, 1);
    line_started(lines, a);
    join(lines, a, &waiter, 0);
    lines_set_now(lines, NOW + SECOND);
    assert_false(line_may_start(lines, b));
    start_first(lines, a);
    lines_set_now(lines, NOW + 2 * SECOND);
    assert_true(line_may_start(lines, b));
    end(lines, a, 2);
    line_put(lines, a);
    line_put(lines, b);
}

/* A name of a host that is dealt to `lane` of two. */
static const char *host_on_lane(unsigned lane, char name[16])
{
    for (int i = 0;; i++) {
        snprintf(name, 16, "h%d:80", i);
        if (map_hash(name) % 2 == lane)
            return name;
    }
}

static void what_comes_free_goes_to_the_lane_whose_first_is_due_longest(void **state)
{
    struct lines *lines = *state;
    struct line *line[2];
    struct waiter waiters[2];
    char name[16];

    assert_int_equal(lines_set_lanes(lines, 2), 0);
    for (unsigned i = 0; i < 2; i++)
        line[i] = line_to(lines, host_on_lane(i, name), "x", 9);
    limit_set(lines, line[0]->limit, 1, SECOND, 1);
    line_started(lines, line[0]);
    join(lines, line[0], &waiters[0], NOW - 10);
    join(lines, line[1], &waiters[1], NOW - 20);
    lines_set_now(lines, NOW + SECOND);
    assert_null(lines_first_ready(lines, 0));
    assert_ptr_equal(lines_first_ready(lines, 1), &waiters[1]);
    /* Lane 1 does not come: that is not to hold up the other. */
    lines_set_now(lines, NOW + SECOND + 10);
    assert_ptr_equal(start_first(lines, line[0]), &waiters[0]);
    assert_null(lines_first_ready(lines, 1));
    line_unwait(lines, line[1], &waiters[1]);
    end(lines, line[0], 2);
    line_put(lines, line[0]);
    line_put(lines, line[1]);
}

static void lanes_with_something_sooner_are_noted(void **state)
{
    struct lines *lines = *state;
    struct line *line[2];
    struct waiter waiters[2];
    char name[16];

    assert_int_equal(lines_set_lanes(lines, 2), 0);
    for (unsigned i = 0; i < 2; i++)
        line[i] = line_to(lines, host_on_lane(i, name), "x", 9);
    limit_set(lines, line[0]->limit, 1, SECOND, 1);
    line_started(lines, line[0]);
    lines->news = 0;
    join(lines, line[1], &waiters[1], NOW);
    assert_int_equal(lines->news, 2);
    join(lines, line[0], &waiters[0], NOW + 1);
    assert_int_equal(lines->news, 3);
    lines->news = 0;
    line_unwait(lines, line[1], &waiters[1]); /* now lane 0 is preferred: it may come sooner */
    assert_int_equal(lines->news, 1);
    line_unwait(lines, line[0], &waiters[0]);
    line_ended(lines, line[0]);
    line_put(lines, line[0]);
    line_put(lines, line[1]);
}

static void a_blocked_host_and_a_blocked_limit_open_at_their_moment(void **state)
{
    struct lines *lines = *state;
    struct line *a = line_to(lines, "a:80", "x", 9);
    struct line *free_line = line_to(lines, "b:80", NULL, 9);
    struct waiter waiter;
    int64_t at_ms;

    assert_true(host_block(lines, a->host, NOW + SECOND));
    assert_false(host_block(lines, a->host, NOW + SECOND));
    assert_true(limit_block(lines, a->limit, NOW + 3 * SECOND));
    assert_true(line_may_start(lines, free_line));
    assert_false(line_may_start(lines, a));
    join(lines, a, &waiter, NOW);
    assert_int_equal(lines_held_up(lines), 1);
    lines_set_now(lines, NOW + SECOND);
    assert_null(lines_first_ready(lines, 0));
    assert_int_equal(lines_held_up(lines), 1);
    assert_true(lines_next_opening(lines, 0, &at_ms));
    assert_int_equal(at_ms, NOW + 3 * SECOND);
    lines_set_now(lines, NOW + 3 * SECOND);
    assert_ptr_equal(start_first(lines, a), &waiter);
    line_ended(lines, a);
    line_put(lines, a);
    line_put(lines, free_line);
}

static void who_waits_for_room_is_not_held_up(void **state)
{
    struct lines *lines = *state;
    struct line *a = line_to(lines, "a:80", NULL, 1);
    struct waiter waiter;

    line_started(lines, a);
    join(lines, a, &waiter, NOW);
    assert_int_equal(lines->waiting, 1);
    assert_int_equal(lines_held_up(lines), 0);
    line_unwait(lines, a, &waiter);
    line_ended(lines, a);
    line_put(lines, a);
}

static void a_long_wait_is_told_once_until_nobody_waits(void **state)
{
    struct lines *lines = *state;
    struct line *a = line_to(lines, "a:80", "x", 9);
    struct waiter waiters[70];
    const struct host *host;
    const struct limit *limit;

    limit_set(lines, a->limit, 1, SECOND, 1);
    line_started(lines, a);
    for (int round = 0; round < 2; round++) {
        lines_set_now(lines, NOW + round * 3600 * SECOND);
        if (round > 0) { /* an hour later: nobody has to wait for the first one */
            line_ended(lines, a);
            line_started(lines, a);
        }
        for (int i = 0; i < 59; i++)
            join(lines, a, &waiters[i], NOW);
        assert_false(lines_next_notice(lines, &host, &limit));
        for (int i = 59; i < 70; i++)
            join(lines, a, &waiters[i], NOW);
        assert_true(lines_next_notice(lines, &host, &limit));
        assert_null(host);
        assert_ptr_equal(limit, a->limit);
        assert_false(lines_next_notice(lines, &host, &limit));
        for (int i = 0; i < 70; i++)
            line_unwait(lines, a, &waiters[i]);
        assert_int_equal(lines->notices, 0);
    }
    line_ended(lines, a);
    line_put(lines, a);
}

static void a_notice_goes_with_its_host(void **state)
{
    struct lines *lines = *state;
    struct line *a = line_get(lines, "a:80", NULL);
    struct waiter waiter;

    host_set(lines, a->host, 1, 90 * SECOND);
    line_started(lines, a);
    join(lines, a, &waiter, NOW);
    assert_int_equal(lines->notices, 1);
    line_unwait(lines, a, &waiter);
    line_ended(lines, a);
    line_put(lines, a);
    assert_int_equal(lines->notices, 0);
}

static void hosts_are_dealt_anew_to_other_lanes_with_their_lines(void **state)
{
    struct lines *lines = *state;
    struct line *all[16];
    struct waiter waiters[16];
    unsigned used = 0;

    for (unsigned i = 0; i < 16; i++) {
        char name[8] = {(char)('a' + i), ':', '8', '0'};

        all[i] = line_to(lines, name, i % 2 == 0 ? "x" : NULL, 2);
        join(lines, all[i], &waiters[i], NOW);
    }
    assert_int_equal(lines_set_lanes(lines, 3), 0);
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(all[i]->host->lane, map_hash(all[i]->host->name) % 3);
        used |= 1u << all[i]->host->lane;
    }
    assert_int_equal(used, 7);
    lines_set_now(lines, NOW + SECOND);
    for (unsigned i = 0; i < 16; i++) {
        assert_non_null(lines_first_ready(lines, all[i]->host->lane));
        line_unwait(lines, all[i], &waiters[i]);
        line_put(lines, all[i]);
    }
    for (unsigned lane = 0; lane < 3; lane++)
        assert_null(lines_first_ready(lines, lane));
}

#define WITH_LINES(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LINES(a_line_is_one_for_all_who_name_it_and_goes_with_the_last),
        WITH_LINES(hosts_and_rate_limits_are_shared_by_their_lines),
        WITH_LINES(a_host_has_room_up_to_its_limit),
        WITH_LINES(who_waits_first_is_served_first),
        WITH_LINES(of_open_lines_the_one_goes_first_whose_first_is_due_longest),
        WITH_LINES(under_a_rate_limit_too_the_host_whose_first_is_due_longest_goes_first),
        WITH_LINES(leaving_the_line_from_its_middle_lets_the_others_be),
        WITH_LINES(a_new_limit_of_a_host_counts_at_once_in_both_directions),
        WITH_LINES(a_host_with_a_spacing_opens_when_it_has_passed),
        WITH_LINES(a_newcomer_does_not_overtake_those_who_wait_for_the_same_rate_limit),
        WITH_LINES(what_comes_free_goes_to_the_lane_whose_first_is_due_longest),
        WITH_LINES(lanes_with_something_sooner_are_noted),
        WITH_LINES(a_blocked_host_and_a_blocked_limit_open_at_their_moment),
        WITH_LINES(who_waits_for_room_is_not_held_up),
        WITH_LINES(a_long_wait_is_told_once_until_nobody_waits),
        WITH_LINES(a_notice_goes_with_its_host),
        WITH_LINES(hosts_are_dealt_anew_to_other_lanes_with_their_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
