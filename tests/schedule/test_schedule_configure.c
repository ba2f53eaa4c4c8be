#include "test.h"

#include <stdio.h>
#include <string.h>

#include "config_builder.h"
#include "schedule/entry.h"
#include "schedule_world.h"

static int setup(void **state)
{
    *state = world_create(1, false);
    return 0;
}

static int setup_once(void **state)
{
    *state = world_create(1, true);
    return 0;
}

static int teardown(void **state)
{
    world_free(*state);
    return 0;
}

/* With two lanes, a name of a host that is dealt to `lane`. */
static const char *host_on_lane(unsigned lane)
{
    static const char *const names[] = {"a:80", "b:80", "c:80", "d:80", "e:80", "f:80", "g:80"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (map_hash(names[i]) % 2 == lane)
            return names[i];
    }
    fail();
    return NULL;
}

static void replace_world(struct world **w, unsigned lanes)
{
    world_free(*w);
    *w = world_create(lanes, false);
}

/* --- Reloads --- */

static void an_unchanged_source_keeps_its_due_time(void **state)
{
    struct world *w = *state;
    struct source source = source_like("a", "h:80", MINUTE);
    int64_t wait_ms;

    source.jitter_ms = 20 * SECOND;
    world_configure_one(w, source, -1);
    world_finish(w, world_take(w, 0), RUN_OK);
    assert_null(world_take(w, 0));
    wait_ms = w->wait_ms;
    for (int i = 0; i < 5; i++) {
        world_configure_one(w, source, -1);
        assert_null(world_take(w, 0));
        assert_int_equal(w->wait_ms, wait_ms);
    }
}

static void a_changed_interval_that_is_shorter_counts_at_once(void **state)
{
    struct world *w = *state;

    world_configure_one(w, source_like("a", "h:80", 7 * DAY), w->now.wall_ms + 5 * DAY);
    world_configure_one(w, source_like("a", "h:80", MINUTE), w->now.wall_ms + 5 * DAY);
    assert_null(world_take(w, 0));
    assert_in_range(w->wait_ms, 1, MINUTE);
}

static void a_changed_interval_that_is_longer_counts_from_the_next_run_on(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, source_like("a", "h:80", MINUTE), w->now.wall_ms + 30 * SECOND);
    world_configure_one(w, source_like("a", "h:80", DAY), w->now.wall_ms + 30 * SECOND);
    run = world_take_next(w);
    assert_int_equal(run->source->interval_ms, DAY);
    schedule_plan(w->schedule, run, w->now);
    assert_int_equal((run->next_due_ms - (int64_t)(map_hash("a") % (uint64_t)DAY)) % DAY, 0);
    schedule_return(w->schedule, run, true, w->now);
}

static void a_source_that_was_repaired_does_not_wait_for_its_backoff(void **state)
{
    struct world *w = *state;
    struct source source = source_like("a", "h:80", MINUTE);
    struct run *run;

    world_configure_one(w, source, -1);
    for (int i = 0; i < 6; i++)
        world_finish(w, world_take_next(w), RUN_FAILED_STATUS);
    source.timeout_ms = 5 * SECOND;
    world_configure_one(w, source, -1);
    assert_null(world_take(w, 0));
    assert_in_range(w->wait_ms, 1, MINUTE);
    run = world_take_next(w);
    assert_int_equal(run->source->timeout_ms, 5 * SECOND);
    world_finish(w, run, RUN_OK);
}

static void a_change_does_not_cut_the_time_short_that_the_server_asked_for(void **state)
{
    struct world *w = *state;
    struct source source = source_like("a", "h:80", MINUTE);
    struct run *run;

    world_configure_one(w, source, -1);
    run = world_take(w, 0);
    run->retry_after_ms = 2 * HOUR;
    world_finish(w, run, RUN_FAILED_STATUS);
    source.interval_ms = SECOND;
    world_configure_one(w, source, -1);
    assert_null(world_take(w, 0));
    assert_in_range(w->wait_ms, 2 * HOUR, 2 * HOUR + SECOND);
}

static void a_run_that_is_out_ends_under_its_configuration_and_the_next_has_the_new_one(
    void **state)
{
    struct world *w = *state;
    struct source source = source_like("a", "h:80", HOUR);
    struct config *old;
    struct run *run;

    world_configure_one(w, source, -1);
    run = world_take(w, 0);
    old = run->config;
    source.interval_ms = MINUTE;
    world_configure_one(w, source, -1);
    assert_ptr_equal(run->config, old);
    assert_int_equal(run->source->interval_ms, HOUR);
    assert_int_equal(config_built_references(old), 1);
    run_fail(run, RUN_FAILED_STATUS, "the old way did not work");
    schedule_plan(w->schedule, run, w->now);
    assert_in_range(run->next_due_ms, w->now.wall_ms + 1, w->now.wall_ms + MINUTE);
    schedule_return(w->schedule, run, true, w->now);
    run = world_take_next(w);
    assert_int_equal(run->source->interval_ms, MINUTE);
    schedule_return(w->schedule, run, true, w->now);
}

static void a_change_between_plan_and_return_counts_too(void **state)
{
    struct world *w = *state;
    struct source source = source_like("a", "h:80", DAY);
    struct run *run;

    world_configure_one(w, source, -1);
    run = world_take(w, 0);
    schedule_plan(w->schedule, run, w->now);
    source.interval_ms = MINUTE;
    world_configure_one(w, source, -1);
    schedule_return(w->schedule, run, true, w->now);
    assert_null(world_take(w, 0));
    assert_in_range(w->wait_ms, 1, MINUTE);
}

static void a_retry_of_a_changed_source_is_made_as_the_run_began(void **state)
{
    struct world *w = *state;
    struct source source = source_like("a", "h:80", HOUR);
    struct run *run;

    world_configure_one(w, source, -1);
    schedule_retry(w->schedule, world_take(w, 0), w->now, SECOND);
    source.interval_ms = MINUTE;
    source.host = "moved:80";
    world_configure_one(w, source, -1);
    run = world_take_next(w);
    assert_int_equal(run->attempt, 1);
    assert_string_equal(run->source->host, "h:80");
    assert_int_equal(w->schedule->lines.hosts.count, 2);
    world_finish(w, run, RUN_OK);
    assert_int_equal(w->schedule->lines.hosts.count, 1);
    run = world_take_next(w);
    assert_string_equal(run->source->host, "moved:80");
    schedule_return(w->schedule, run, true, w->now);
}

static void a_removed_source_is_due_no_more(void **state)
{
    struct world *w = *state;

    world_configure_one(w, source_like("a", "h:80", MINUTE), -1);
    world_configure(w, NULL, 0, 2, -1);
    assert_null(world_take(w, 0));
    assert_int_equal(w->wait_ms, -1);
    assert_int_equal(schedule_stats(w->schedule, w->now).sources, 0);
    assert_int_equal(w->schedule->entries.count, 0);
}

static void removing_twice_and_adding_again_works(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 4; i++) {
        world_configure_one(w, source_like(i % 2 == 0 ? "a" : "b", "h:80", MINUTE), -1);
        assert_int_equal(w->schedule->entries.count, 1);
        world_finish(w, world_take(w, 0), RUN_OK);
    }
}

static void a_removed_source_that_is_out_is_dropped_when_it_comes_back(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, source_like("a", "h:80", MINUTE), -1);
    run = world_take(w, 0);
    world_configure(w, NULL, 0, 2, -1);
    assert_string_equal(run->source->name, "a"); /* its configuration is still there */
    assert_int_equal(schedule_stats(w->schedule, w->now).out, 1);
    schedule_transfer_ended(w->schedule, run);
    schedule_plan(w->schedule, run, w->now);
    schedule_return(w->schedule, run, true, w->now);
    assert_int_equal(w->schedule->entries.count, 0);
    assert_int_equal(w->schedule->lines.hosts.count, 0);
    assert_null(world_take(w, 0));
}

static void a_removed_source_is_not_tried_again(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, source_like("a", "h:80", MINUTE), -1);
    run = world_take(w, 0);
    world_configure(w, NULL, 0, 2, -1);
    schedule_retry(w->schedule, run, w->now, SECOND);
    assert_int_equal(w->schedule->entries.count, 0);
    world_configure_one(w, source_like("b", "h:80", MINUTE), -1);
    schedule_retry(w->schedule, world_take(w, 0), w->now, SECOND);
    world_configure(w, NULL, 0, 2, -1); /* while it waits for its retry */
    assert_int_equal(w->schedule->entries.count, 0);
    assert_int_equal(schedule_wait_idle(w->schedule, 0), 0);
}

static void a_source_removed_and_added_again_while_out_has_one_run(void **state)
{
    struct world *w = *state;
    struct source source = source_like("a", "h:80", MINUTE);
    struct run *run;

    world_configure_one(w, source, -1);
    run = world_take(w, 0);
    world_configure(w, NULL, 0, 2, -1);
    world_configure_one(w, source, -1);
    assert_null(world_take(w, 0));
    world_finish(w, run, RUN_OK);
    assert_ptr_equal(world_take_next(w), run);
    schedule_return(w->schedule, run, true, w->now);
    assert_int_equal(schedule_stats(w->schedule, w->now).sources, 1);
}

static void a_source_that_is_disabled_and_enabled_goes_by_what_was_saved(void **state)
{
    struct world *w = *state;
    struct source source = source_like("a", "h:80", MINUTE);

    world_configure_one(w, source, -1);
    world_finish(w, world_take(w, 0), RUN_OK);
    source.enabled = false;
    world_configure_one(w, source, -1);
    assert_null(world_take(w, 0));
    assert_int_equal(w->wait_ms, -1);
    source.enabled = true;
    world_configure_one(w, source, w->now.wall_ms + 17 * SECOND);
    assert_null(world_take(w, 0));
    assert_int_equal(w->wait_ms, 17 * SECOND);
}

static void a_source_that_moves_to_another_host_waits_in_that_ones_line(void **state)
{
    struct world *w = *state;
    struct source sources[] = {source_like("a", "h:80", MINUTE), source_like("b", "h:80", MINUTE)};
    struct run *a;
    struct run *b;

    world_configure(w, sources, 2, 1, -1);
    a = world_take(w, 0);
    assert_null(world_take(w, 0)); /* the other one is in line */
    for (int i = 0; i < 2; i++)
        sources[i].host = strcmp(sources[i].name, a->source->name) == 0 ? "h:80" : "free:80";
    world_configure(w, sources, 2, 1, -1);
    b = world_take(w, 0);
    assert_non_null(b);
    assert_string_equal(b->source->host, "free:80");
    world_finish(w, a, RUN_OK);
    world_finish(w, b, RUN_OK);
}

static void a_higher_host_limit_lets_those_in_line_go(void **state)
{
    struct world *w = *state;
    const struct source sources[] = {
        source_like("a", "h:80", MINUTE),
        source_like("b", "h:80", MINUTE),
        source_like("c", "h:80", MINUTE),
    };
    struct run *runs[3];

    world_configure(w, sources, 3, 1, -1);
    runs[0] = world_take(w, 0);
    assert_null(world_take(w, 0));
    world_configure(w, sources, 3, 3, -1);
    assert_int_equal(w->wakes[0], 1);
    runs[1] = world_take(w, 0);
    runs[2] = world_take(w, 0);
    for (int i = 0; i < 3; i++)
        world_finish(w, runs[i], RUN_OK);
}

static void the_schedule_holds_one_reference_and_drops_the_old_one(void **state)
{
    struct world *w = *state;
    struct source source = source_like("a", "h:80", MINUTE);
    struct source_state saved = {.id = 1, .next_due_ms = -1};
    struct config *first = config_build(&source, 1, 2);

    assert_int_equal(schedule_configure(w->schedule, first, &saved, NULL, 0, w->now, NULL), 0);
    assert_int_equal(config_built_references(first), 2);
    world_configure_one(w, source, -1);
    assert_int_equal(config_built_references(first), 1);
    config_unref(first);
    world_finish(w, world_take(w, 0), RUN_OK); /* uses the new one: ASan would see it */
}

/* --- Some, and once --- */

static void only_the_named_sources_run(void **state)
{
    static const char *const only[] = {"c", "nobody", "d", "a"};
    struct world *w = *state;
    struct source sources[] = {
        source_like("a", "h:80", MINUTE),
        source_like("b", "h:80", MINUTE),
        source_like("c", "h:80", MINUTE),
        source_like("d", "h:80", MINUTE),
    };
    struct source_state states[4] = {
        {.next_due_ms = -1}, {.next_due_ms = -1}, {.next_due_ms = -1}, {.next_due_ms = -1}};
    struct config *config;
    struct run *run;
    int runs = 0;

    sources[3].enabled = false;
    config = config_build(sources, 4, 5);
    assert_int_equal(schedule_configure(w->schedule, config, states, only, 4, w->now, NULL), 0);
    config_unref(config);
    while ((run = world_take(w, 0)) != NULL) {
        assert_true(run->source->name[0] == 'a' || run->source->name[0] == 'c');
        world_finish(w, run, RUN_OK);
        runs++;
    }
    assert_int_equal(runs, 2);
}

static void once_runs_each_source_now_and_never_again(void **state)
{
    struct world *w = *state;
    const struct source sources[] = {
        source_like("a", "h:80", MINUTE),
        source_like("b", "h:80", MINUTE),
    };
    struct run *run;

    world_configure(w, sources, 2, 1, w->now.wall_ms + 30 * SECOND);
    assert_int_equal(schedule_wait_idle(w->schedule, 0), -1); /* none has run yet */
    world_finish(w, world_take(w, 0), RUN_OK);
    assert_int_equal(schedule_wait_idle(w->schedule, 0), -1);
    run = world_take(w, 0);
    schedule_retry(w->schedule, run, w->now, SECOND);
    assert_int_equal(schedule_wait_idle(w->schedule, 0), -1); /* its last word is not spoken */
    run = world_take_next(w);
    run_fail(run, RUN_FAILED_STATUS, "status 500");
    schedule_plan(w->schedule, run, w->now);
    assert_true(run->next_due_ms > w->now.wall_ms); /* for the next process */
    schedule_return(w->schedule, run, true, w->now);
    assert_int_equal(schedule_wait_idle(w->schedule, 0), 0);
    assert_null(world_take(w, 0));
    assert_int_equal(w->wait_ms, -1);
    world_pass(w, DAY);
    assert_null(world_take(w, 0));
}

static void once_is_idle_when_it_is_stopped_or_what_is_left_is_removed(void **state)
{
    struct world *w = *state;

    world_configure_one(w, source_like("a", "h:80", MINUTE), -1);
    assert_int_equal(schedule_wait_idle(w->schedule, 0), -1);
    world_configure(w, NULL, 0, 2, -1);
    assert_int_equal(schedule_wait_idle(w->schedule, 0), 0);
    world_configure_one(w, source_like("b", "h:80", MINUTE), -1);
    assert_int_equal(schedule_wait_idle(w->schedule, 0), -1);
    schedule_stop(w->schedule);
    assert_int_equal(schedule_wait_idle(w->schedule, 0), 0);
}

/* --- Waking --- */

static void a_lane_that_sleeps_is_woken_for_what_is_sooner_and_once(void **state)
{
    struct world *w = *state;
    const struct source sources[] = {
        source_like("a", "h:80", MINUTE),
        source_like("b", "h:80", MINUTE),
        source_like("c", "h:80", MINUTE),
    };

    assert_null(world_take(w, 0));
    world_configure(w, sources, 1, 9, -1);
    assert_int_equal(w->wakes[0], 1);
    world_configure(w, sources, 3, 9, -1); /* it has been woken and did not ask since */
    assert_int_equal(w->wakes[0], 1);
}

static void a_lane_that_is_awake_is_not_woken(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, source_like("a", "h:80", MINUTE), -1);
    run = world_take(w, 0);
    schedule_retry(w->schedule, run, w->now, 0);
    assert_int_equal(w->wakes[0], 0);
    world_finish(w, world_take(w, 0), RUN_OK);
    assert_int_equal(w->wakes[0], 0);
}

static void what_comes_later_than_the_lane_was_told_wakes_nobody(void **state)
{
    struct world *w = *state;
    const struct source sources[] = {
        source_like("a", "h:80", SECOND),
        source_like("b", "h:80", DAY),
    };
    struct source_state states[] = {{.id = 1, .next_due_ms = w->now.wall_ms + 600},
                                    {.id = 2, .next_due_ms = -1}};
    struct config *config = config_build(sources, 2, 2);
    struct run *run;

    assert_int_equal(schedule_configure(w->schedule, config, states, NULL, 0, w->now, NULL), 0);
    config_unref(config);
    run = world_take(w, 0);
    assert_int_equal(run->source_id, 2);
    assert_null(world_take(w, 0));
    assert_int_equal(w->wait_ms, 600);
    schedule_transfer_ended(w->schedule, run);
    schedule_retry(w->schedule, run, w->now, 700);
    assert_int_equal(w->wakes[0], 0);
    world_finish(w, world_take_next(w), RUN_OK);
}

static void a_retry_and_a_return_wake_a_lane_that_was_told_to_wait_for_ever(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, source_like("a", "h:80", MINUTE), -1);
    run = world_take(w, 0);
    assert_null(world_take(w, 0));
    assert_int_equal(w->wait_ms, -1);
    schedule_retry(w->schedule, run, w->now, SECOND);
    assert_int_equal(w->wakes[0], 1);
    run = world_take_next(w);
    assert_null(world_take(w, 0));
    world_finish(w, run, RUN_OK);
    assert_int_equal(w->wakes[0], 2);
}

static void room_at_a_host_wakes_the_lane_if_somebody_waits_for_it(void **state)
{
    struct world *w = *state;
    const struct source sources[] = {
        source_like("a", "h:80", MINUTE),
        source_like("b", "h:80", MINUTE),
    };
    struct run *first;
    struct run *second;

    world_configure(w, sources, 2, 1, -1);
    first = world_take(w, 0);
    assert_null(world_take(w, 0));
    schedule_transfer_ended(w->schedule, first);
    assert_int_equal(w->wakes[0], 1);
    second = world_take(w, 0);
    assert_null(world_take(w, 0));
    schedule_transfer_ended(w->schedule, second);
    assert_int_equal(w->wakes[0], 1);
    world_finish(w, first, RUN_OK);
    world_finish(w, second, RUN_OK);
}

static void a_run_is_handed_to_the_lane_of_its_host_and_wakes_that_one(void **state)
{
    struct world **w = (struct world **)state;
    struct run *run;

    replace_world(w, 2);
    assert_null(world_take(*w, 0));
    assert_null(world_take(*w, 1));
    world_configure_one(*w, source_like("a", host_on_lane(1), MINUTE), -1);
    assert_int_equal((*w)->wakes[0], 0);
    assert_int_equal((*w)->wakes[1], 1);
    assert_null(world_take(*w, 0));
    run = world_take(*w, 1);
    assert_non_null(run);
    world_finish(*w, run, RUN_OK);
}

static void a_source_whose_new_host_is_on_another_lane_wakes_that_one(void **state)
{
    struct world **w = (struct world **)state;
    struct run *run;

    replace_world(w, 2);
    world_configure_one(*w, source_like("a", host_on_lane(0), MINUTE), -1);
    run = world_take(*w, 0);
    assert_null(world_take(*w, 0));
    assert_null(world_take(*w, 1));
    world_configure_one(*w, source_like("a", host_on_lane(1), MINUTE), -1);
    assert_int_equal((*w)->wakes[1], 0); /* the run is still out */
    world_finish(*w, run, RUN_OK);
    assert_int_equal((*w)->wakes[0], 0);
    assert_int_equal((*w)->wakes[1], 1);
    assert_null(world_take(*w, 1));
    assert_in_range((*w)->wait_ms, 1, MINUTE);
}

/* --- Lanes --- */

static void other_lanes_share_the_sources_out_anew_and_lose_none(void **state)
{
    enum { COUNT = 100 };
    struct world *w = *state;
    static char names[COUNT][2][32];
    struct source sources[COUNT];
    unsigned handed_out = 0;

    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i][0], sizeof(names[i][0]), "source %d", i);
        snprintf(names[i][1], sizeof(names[i][1]), "host%d:80", i % 20);
        sources[i] = source_like(names[i][0], names[i][1], MINUTE);
    }
    world_configure(w, sources, COUNT, 1, -1);
    assert_non_null(world_take(w, 0)); /* some are out, some in line, some in the heap */
    for (int i = 0; i < 8; i++)
        world_take(w, 0);
    assert_int_equal(schedule_set_lanes(w->schedule, 4, NULL), 0);
    for (struct map_node *n = map_next(&w->schedule->entries, NULL); n != NULL;
         n = map_next(&w->schedule->entries, n)) {
        struct entry *e = entry_of_node(n);

        if (e->place == ENTRY_OUT)
            world_finish(w, &e->run, RUN_OK);
    }
    assert_int_equal(schedule_set_lanes(w->schedule, 3, NULL), 0);
    assert_null(world_take(w, 3)); /* a lane that is no more */
    assert_int_equal(w->wait_ms, -1);
    world_pass(w, MINUTE);
    for (unsigned lane = 0; lane < 3; lane++) {
        struct run *run;

        while ((run = world_take(w, lane)) != NULL) {
            assert_int_equal(map_hash(run->source->host) % 3, lane);
            schedule_transfer_ended(w->schedule, run);
            handed_out++;
        }
    }
    assert_int_equal(handed_out, COUNT);
    for (struct map_node *n = map_next(&w->schedule->entries, NULL); n != NULL;
         n = map_next(&w->schedule->entries, n))
        schedule_return(w->schedule, &entry_of_node(n)->run, true, w->now);
}

static void lanes_that_sleep_are_woken_when_the_sources_are_dealt_anew(void **state)
{
    struct world *w = *state;

    world_configure_one(w, source_like("a", host_on_lane(0), MINUTE), w->now.wall_ms + SECOND);
    assert_null(world_take(w, 0));
    assert_int_equal(schedule_set_lanes(w->schedule, 2, NULL), 0);
    assert_int_equal(w->wakes[0], 1);
    assert_int_equal(w->wakes[1], 0); /* its fetcher begins by asking */
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(an_unchanged_source_keeps_its_due_time),
        IN_A_WORLD(a_changed_interval_that_is_shorter_counts_at_once),
        IN_A_WORLD(a_changed_interval_that_is_longer_counts_from_the_next_run_on),
        IN_A_WORLD(a_source_that_was_repaired_does_not_wait_for_its_backoff),
        IN_A_WORLD(a_change_does_not_cut_the_time_short_that_the_server_asked_for),
        IN_A_WORLD(a_run_that_is_out_ends_under_its_configuration_and_the_next_has_the_new_one),
        IN_A_WORLD(a_change_between_plan_and_return_counts_too),
        IN_A_WORLD(a_retry_of_a_changed_source_is_made_as_the_run_began),
        IN_A_WORLD(a_removed_source_is_due_no_more),
        IN_A_WORLD(removing_twice_and_adding_again_works),
        IN_A_WORLD(a_removed_source_that_is_out_is_dropped_when_it_comes_back),
        IN_A_WORLD(a_removed_source_is_not_tried_again),
        IN_A_WORLD(a_source_removed_and_added_again_while_out_has_one_run),
        IN_A_WORLD(a_source_that_is_disabled_and_enabled_goes_by_what_was_saved),
        IN_A_WORLD(a_source_that_moves_to_another_host_waits_in_that_ones_line),
        IN_A_WORLD(a_higher_host_limit_lets_those_in_line_go),
        IN_A_WORLD(the_schedule_holds_one_reference_and_drops_the_old_one),
        IN_A_WORLD(only_the_named_sources_run),
        cmocka_unit_test_setup_teardown(once_runs_each_source_now_and_never_again, setup_once,
                                        teardown),
        cmocka_unit_test_setup_teardown(once_is_idle_when_it_is_stopped_or_what_is_left_is_removed,
                                        setup_once, teardown),
        IN_A_WORLD(a_lane_that_sleeps_is_woken_for_what_is_sooner_and_once),
        IN_A_WORLD(a_lane_that_is_awake_is_not_woken),
        IN_A_WORLD(what_comes_later_than_the_lane_was_told_wakes_nobody),
        IN_A_WORLD(a_retry_and_a_return_wake_a_lane_that_was_told_to_wait_for_ever),
        IN_A_WORLD(room_at_a_host_wakes_the_lane_if_somebody_waits_for_it),
        IN_A_WORLD(a_run_is_handed_to_the_lane_of_its_host_and_wakes_that_one),
        IN_A_WORLD(a_source_whose_new_host_is_on_another_lane_wakes_that_one),
        IN_A_WORLD(other_lanes_share_the_sources_out_anew_and_lose_none),
        IN_A_WORLD(lanes_that_sleep_are_woken_when_the_sources_are_dealt_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
