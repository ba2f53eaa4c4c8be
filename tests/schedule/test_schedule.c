#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "config_builder.h"
#include "schedule/entry.h"
#include "schedule_world.h"

static int setup(void **state)
{
    *state = world_create(1, false);
    return 0;
}

static int teardown(void **state)
{
    world_free(*state);
    return 0;
}

static void fails(struct run *run, int64_t retry_after_ms)
{
    run_fail(run, RUN_FAILED_STATUS, "status 503");
    run->retryable = true;
    run->retry_after_ms = retry_after_ms;
}

static void give_back(struct world *w, struct run *run)
{
    schedule_return(w->schedule, run, true, w->now);
}

/* --- The first run --- */

static void a_source_that_never_ran_is_due_at_once(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, source_like("a", "h:80", MINUTE), -1);
    run = world_take(w, 0);
    assert_non_null(run);
    assert_int_equal(run->scheduled_at_ms, w->now.wall_ms);
    assert_int_equal(run->source_id, 1);
    assert_int_equal(run->attempt, 0);
    assert_int_equal(run->retry_after_ms, -1);
    give_back(w, run);
}

static void a_saved_due_time_in_the_past_is_due_at_once(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, source_like("a", "h:80", MINUTE), w->now.wall_ms - 3 * DAY);
    run = world_take(w, 0);
    assert_non_null(run);
    schedule_plan(w->schedule, run, w->now);
    assert_int_equal(run->skipped, 0); /* the daemon was down: no run was slow */
    give_back(w, run);
}

static void a_saved_due_time_in_the_future_is_kept(void **state)
{
    struct world *w = *state;

    world_configure_one(w, source_like("a", "h:80", MINUTE), w->now.wall_ms + 40 * SECOND);
    assert_null(world_take(w, 0));
    assert_int_equal(w->wait_ms, 40 * SECOND);
    world_pass(w, 40 * SECOND);
    give_back(w, world_take(w, 0));
}

static void configure_failing(struct world *w, struct source source, int64_t due_wall_ms)
{
    struct config *config = config_build(&source, 1, 2);
    struct source_state saved = {.id = 9, .next_due_ms = due_wall_ms, .failures = 1};

    assert_int_equal(schedule_configure(w->schedule, config, &saved, NULL, 0, w->now, NULL), 0);
    config_unref(config);
}

static void a_saved_due_time_that_a_wrong_clock_made_is_at_most_a_day_off(void **state)
{
    struct world *w = *state;

    configure_failing(w, source_like("a", "h:80", MINUTE), w->now.wall_ms + 900 * DAY);
    assert_null(world_take(w, 0));
    assert_int_equal(w->wait_ms, DAY);
}

static void a_source_that_is_well_waits_no_longer_than_its_new_interval(void **state)
{
    struct world *w = *state;

    world_configure_one(w, source_like("a", "h:80", MINUTE), w->now.wall_ms + 20 * HOUR);
    assert_null(world_take(w, 0));
    assert_in_range(w->wait_ms, 0, MINUTE);
}

static void a_source_that_is_well_is_due_at_the_next_slot_of_its_new_rhythm(void **state)
{
    struct world *w = *state;
    struct source source = source_like("a", "h:80", 15 * MINUTE);

    source.align = true; /* a full hour is a slot of it, too */
    world_configure_one(w, source, w->now.wall_ms - w->now.wall_ms % HOUR + 20 * HOUR);
    assert_null(world_take(w, 0));
    assert_in_range(w->wait_ms, 0, 15 * MINUTE);
}

static void what_a_server_asked_for_holds_over_a_restart(void **state)
{
    static const struct quota quota = {.reserve = 1};
    struct world *w = *state;
    struct source source = source_like("a", "h:80", MINUTE);

    source.quota = &quota;
    world_configure_one(w, source, w->now.wall_ms + 20 * HOUR);
    assert_null(world_take(w, 0));
    assert_int_equal(w->wait_ms, 20 * HOUR);
}

static void a_source_that_fails_keeps_its_distance_over_a_restart(void **state)
{
    struct world *w = *state;

    configure_failing(w, source_like("a", "h:80", MINUTE), w->now.wall_ms + 8 * MINUTE);
    assert_null(world_take(w, 0));
    assert_int_equal(w->wait_ms, 8 * MINUTE);
}

static void a_saved_due_time_within_a_long_interval_is_kept(void **state)
{
    struct world *w = *state;

    world_configure_one(w, source_like("a", "h:80", 7 * DAY), w->now.wall_ms + 6 * DAY);
    assert_null(world_take(w, 0));
    assert_int_equal(w->wait_ms, 6 * DAY);
}

static void run_on_start_is_due_at_once_whatever_was_saved(void **state)
{
    struct world *w = *state;
    struct source source = source_like("a", "h:80", MINUTE);

    source.run_on_start = true;
    world_configure_one(w, source, w->now.wall_ms + 40 * SECOND);
    give_back(w, world_take(w, 0));
}

static void a_disabled_source_is_never_handed_out(void **state)
{
    struct world *w = *state;
    struct source source = source_like("a", "h:80", MINUTE);

    source.enabled = false;
    world_configure_one(w, source, -1);
    assert_null(world_take(w, 0));
    assert_int_equal(w->wait_ms, -1);
    assert_int_equal(schedule_stats(w->schedule, w->now).sources, 0);
}

static void saved_failures_go_on_counting(void **state)
{
    struct world *w = *state;
    struct source source = source_like("a", "h:80", MINUTE);
    struct config *config = config_build(&source, 1, 2);
    struct source_state saved = {.id = 9, .next_due_ms = w->now.wall_ms - 1, .failures = 3};
    struct run *run;

    assert_int_equal(schedule_configure(w->schedule, config, &saved, NULL, 0, w->now, NULL), 0);
    config_unref(config);
    assert_int_equal(schedule_stats(w->schedule, w->now).failing, 1);
    run = world_take(w, 0);
    fails(run, -1);
    schedule_plan(w->schedule, run, w->now);
    assert_int_equal(run->failures, 4);
    assert_true(run->next_due_ms >= w->now.wall_ms + 15 * MINUTE);
    give_back(w, run);
}

/* --- Slots --- */

static void each_slot_is_polled_once_and_on_time(void **state)
{
    struct world *w = *state;
    struct run *run = world_settled(w, source_like("a", "h:80", MINUTE));
    int64_t slot = run->scheduled_at_ms;

    assert_int_equal(slot % MINUTE, (int64_t)(map_hash("a") % (uint64_t)MINUTE));
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(run->scheduled_at_ms, slot);
        assert_int_equal(w->now.wall_ms, slot);
        world_pass(w, 700);
        world_finish(w, run, RUN_OK);
        slot += MINUTE;
        run = world_take_next(w);
        assert_int_equal(run->skipped, 0);
    }
    give_back(w, run);
}

static void the_plan_is_what_happens(void **state)
{
    struct world *w = *state;
    struct run *run = world_settled(w, source_like("a", "h:80", MINUTE));
    int64_t planned;

    schedule_plan(w->schedule, run, w->now);
    planned = run->next_due_ms;
    world_pass(w, 250); /* the commit */
    give_back(w, run);
    run = world_take_next(w);
    assert_int_equal(w->now.wall_ms, planned);
    give_back(w, run);
}

static void a_slow_run_skips_the_slots_it_missed_and_counts_them(void **state)
{
    struct world *w = *state;
    struct run *run = world_settled(w, source_like("a", "h:80", MINUTE));
    int64_t slot = run->scheduled_at_ms;

    world_pass(w, 3 * MINUTE + 5 * SECOND);
    schedule_plan(w->schedule, run, w->now);
    assert_int_equal(run->skipped, 3);
    assert_int_equal(run->next_due_ms, slot + 4 * MINUTE);
    give_back(w, run);
    run = world_take_next(w);
    schedule_plan(w->schedule, run, w->now);
    assert_int_equal(run->skipped, 0);
    give_back(w, run);
}

static void a_run_that_ends_at_the_next_slot_skips_that_one(void **state)
{
    struct world *w = *state;
    struct run *run = world_settled(w, source_like("a", "h:80", MINUTE));
    int64_t slot = run->scheduled_at_ms;

    world_pass(w, MINUTE);
    schedule_plan(w->schedule, run, w->now);
    assert_int_equal(run->skipped, 1);
    assert_int_equal(run->next_due_ms, slot + 2 * MINUTE);
    give_back(w, run);
}

static void sources_with_equal_intervals_spread_over_it(void **state)
{
    enum { COUNT = 2000 };
    struct world *w = *state;
    struct source *sources = calloc(COUNT, sizeof(*sources));
    static char names[COUNT][32];
    unsigned tenths[10] = {0};
    struct run *run;

    assert_non_null(sources);
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof(names[i]), "s%d", i);
        sources[i] = source_like(names[i], "h:80", MINUTE);
    }
    world_configure(w, sources, COUNT, 2, -1);
    while ((run = world_take(w, 0)) != NULL) {
        schedule_plan(w->schedule, run, w->now);
        tenths[(run->next_due_ms - w->now.wall_ms - 1) / (MINUTE / 10)]++;
        give_back(w, run);
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(tenths[i], COUNT / 10 - 60, COUNT / 10 + 60);
    free(sources);
}

static void jitter_delays_the_run_and_not_its_slot(void **state)
{
    struct world *w = *state;
    struct source source = source_like("a", "h:80", MINUTE);
    int64_t least = INT64_MAX;
    int64_t most = -1;
    struct run *run;
    int64_t slot;

    source.jitter_ms = 10 * SECOND;
    run = world_settled(w, source);
    slot = run->scheduled_at_ms;
    for (int i = 0; i < 500; i++) {
        int64_t late = w->now.wall_ms - run->scheduled_at_ms;

        assert_int_equal(run->scheduled_at_ms, slot);
        least = late < least ? late : least;
        most = late > most ? late : most;
        world_finish(w, run, RUN_OK);
        slot += MINUTE;
        run = world_take_next(w);
    }
    assert_in_range(least, 0, 200);
    assert_in_range(most, 9800, 10 * SECOND);
    give_back(w, run);
}

static void a_saved_due_time_with_jitter_belongs_to_its_slot(void **state)
{
    struct world *w = *state;
    struct source source = source_like("a", "h:80", MINUTE);
    int64_t slot = w->now.wall_ms - w->now.wall_ms % MINUTE + MINUTE +
                   (int64_t)(map_hash("a") % (uint64_t)MINUTE);
    struct run *run;

    if (slot - MINUTE > w->now.wall_ms)
        slot -= MINUTE;
    source.jitter_ms = 10 * SECOND;
    world_configure_one(w, source, slot + 4 * SECOND);
    run = world_take_next(w);
    assert_int_equal(w->now.wall_ms, slot + 4 * SECOND);
    assert_int_equal(run->scheduled_at_ms, slot);
    give_back(w, run);
}

/* --- Failing --- */

static void a_failing_source_doubles_its_interval_and_returns_at_the_first_success(void **state)
{
    static const int minutes[] = {2, 4, 8, 10, 10};
    struct world *w = *state;
    struct source source = source_like("a", "h:80", MINUTE);
    struct run *run;

    source.max_interval_ms = 10 * MINUTE;
    run = world_settled(w, source);
    for (unsigned i = 0; i < 5; i++) {
        int64_t slot = run->scheduled_at_ms;

        fails(run, -1);
        schedule_plan(w->schedule, run, w->now);
        assert_int_equal(run->failures, i + 1);
        assert_int_equal(run->skipped, 0);
        give_back(w, run);
        run = world_take_next(w);
        assert_int_equal(run->scheduled_at_ms, slot + minutes[i] * MINUTE);
    }
    assert_int_equal(schedule_stats(w->schedule, w->now).failing, 1);
    schedule_plan(w->schedule, run, w->now);
    assert_int_equal(run->failures, 0);
    assert_int_equal(run->next_due_ms, run->scheduled_at_ms + MINUTE);
    give_back(w, run);
    assert_int_equal(schedule_stats(w->schedule, w->now).failing, 0);
}

static void slots_left_out_by_backoff_do_not_count_as_skipped(void **state)
{
    struct world *w = *state;
    struct run *run = world_settled(w, source_like("a", "h:80", MINUTE));

    for (int i = 0; i < 4; i++) {
        world_pass(w, SECOND);
        world_finish(w, run, RUN_FAILED_NETWORK);
        run = world_take_next(w);
        schedule_plan(w->schedule, run, w->now);
        assert_int_equal(run->skipped, 0);
    }
    give_back(w, run);
}

static void a_plan_made_again_counts_the_failure_once(void **state)
{
    struct world *w = *state;
    struct run *run = world_settled(w, source_like("a", "h:80", MINUTE));

    fails(run, -1);
    schedule_plan(w->schedule, run, w->now);
    world_pass(w, 5 * MINUTE); /* the disk was full */
    schedule_plan(w->schedule, run, w->now);
    assert_int_equal(run->failures, 1);
    assert_int_equal(run->skipped, 5);
    assert_true(run->next_due_ms > w->now.wall_ms);
    give_back(w, run);
}

static void a_run_that_the_table_refuses_is_due_as_planned_for_that(void **state)
{
    struct world *w = *state;
    struct source source = source_like("a", "h:80", MINUTE);
    struct run *run;
    int64_t slot_ms;
    int64_t due_ms;

    source.jitter_ms = 10 * SECOND;
    run = world_settled(w, source);
    slot_ms = run->scheduled_at_ms;
    schedule_plan(w->schedule, run, w->now);
    due_ms = run->refused_due_ms;
    assert_int_equal(due_ms - run->next_due_ms, MINUTE); /* the interval, doubled once */
    schedule_refused(w->schedule, run);
    assert_int_equal(run->next_due_ms, due_ms);
    run->failures = 1; /* as store_commit() does */
    give_back(w, run);
    run = world_take_next(w);
    assert_int_equal(w->now.wall_ms, due_ms);
    assert_int_equal(run->scheduled_at_ms, slot_ms + 2 * MINUTE);
    schedule_plan(w->schedule, run, w->now);
    assert_int_equal(run->refused_due_ms - run->next_due_ms, 3 * MINUTE);
    give_back(w, run);
}

/* --- Retry-After --- */

static void a_long_retry_after_postpones_the_next_run(void **state)
{
    struct world *w = *state;
    struct run *run = world_settled(w, source_like("a", "h:80", MINUTE));
    int64_t asked = w->now.wall_ms + 2 * HOUR;

    fails(run, 2 * HOUR);
    assert_int_equal(schedule_retry_delay(w->schedule, run), -1);
    world_finish(w, run, RUN_FAILED_STATUS);
    run = world_take_next(w);
    assert_in_range(w->now.wall_ms, asked, asked + MINUTE);
    give_back(w, run);
}

static void a_retry_after_of_a_year_is_capped_at_a_day(void **state)
{
    struct world *w = *state;
    struct run *run = world_settled(w, source_like("a", "h:80", MINUTE));
    int64_t asked = w->now.wall_ms + DAY;

    fails(run, 365 * DAY);
    world_finish(w, run, RUN_FAILED_STATUS);
    run = world_take_next(w);
    assert_in_range(w->now.wall_ms, asked, asked + MINUTE);
    give_back(w, run);
}

static void a_short_retry_after_holds_when_the_attempts_are_used_up(void **state)
{
    static const struct retry_policy once = {.max_attempts = 1, .base_ms = 1000, .cap_ms = 60000};
    struct world *w = *state;
    struct source source = source_like("a", "h:80", SECOND);
    struct run *run;
    int64_t asked;

    source.retry = &once;
    run = world_settled(w, source);
    asked = w->now.wall_ms + 50 * SECOND;
    fails(run, 50 * SECOND);
    assert_int_equal(schedule_retry_delay(w->schedule, run), -1);
    world_finish(w, run, RUN_FAILED_STATUS);
    run = world_take_next(w);
    assert_in_range(w->now.wall_ms, asked, asked + SECOND);
    give_back(w, run);
}

/* --- Retries --- */

static void a_retry_comes_after_its_delay_and_is_the_same_run(void **state)
{
    struct world *w = *state;
    struct run *run = world_settled(w, source_like("a", "h:80", MINUTE));
    int64_t slot = run->scheduled_at_ms;

    run->started_at_ms = w->now.wall_ms;
    run->requests = 1;
    run_clear_response(run);
    schedule_retry(w->schedule, run, w->now, 5 * SECOND);
    assert_int_equal(schedule_stats(w->schedule, w->now).out, 0);
    assert_null(world_take(w, 0));
    assert_int_equal(w->wait_ms, 5 * SECOND);
    world_pass(w, 5 * SECOND);
    assert_ptr_equal(world_take(w, 0), run);
    assert_int_equal(run->attempt, 1);
    assert_int_equal(run->requests, 1);
    assert_int_equal(run->started_at_ms, slot);
    assert_int_equal(run->scheduled_at_ms, slot);
    world_finish(w, run, RUN_OK);
    assert_ptr_equal(world_take_next(w), run);
    assert_int_equal(run->attempt, 0);
    assert_int_equal(run->requests, 0);
    assert_int_equal(run->scheduled_at_ms, slot + MINUTE);
    give_back(w, run);
}

static void a_run_that_waits_for_its_retry_is_freed_with_the_schedule(void **state)
{
    struct world *w = *state;

    world_configure_one(w, source_like("a", "h:80", MINUTE), -1);
    schedule_retry(w->schedule, world_take(w, 0), w->now, SECOND);
}

/* --- Hosts --- */

static void at_most_the_allowed_number_of_a_host_is_out(void **state)
{
    struct world *w = *state;
    const struct source sources[] = {
        source_like("a", "h:80", MINUTE),
        source_like("b", "h:80", MINUTE),
        source_like("c", "h:80", MINUTE),
        source_like("d", "other:80", MINUTE),
    };
    struct run *runs[4];

    world_configure(w, sources, 4, 2, -1);
    for (int i = 0; i < 3; i++)
        runs[i] = world_take(w, 0);
    assert_non_null(runs[2]); /* two of h, and the one of the other host */
    assert_null(world_take(w, 0));
    assert_int_equal(schedule_stats(w->schedule, w->now).overdue, 1);
    assert_int_equal(schedule_stats(w->schedule, w->now).out, 3);
    for (int i = 0; i < 3; i++) {
        if (runs[i]->source->host[0] == 'h')
            schedule_transfer_ended(w->schedule, runs[i]);
    }
    runs[3] = world_take(w, 0);
    assert_non_null(runs[3]);
    assert_int_equal(schedule_stats(w->schedule, w->now).overdue, 0);
    for (int i = 0; i < 4; i++)
        give_back(w, runs[i]);
}

static void who_became_due_first_goes_first(void **state)
{
    struct world *w = *state;
    const struct source sources[] = {
        source_like("a", "h:80", HOUR),
        source_like("b", "h:80", HOUR),
        source_like("c", "h:80", HOUR),
    };
    struct config *config = config_build(sources, 3, 1);
    struct source_state states[] = {
        {.id = 1, .next_due_ms = w->now.wall_ms + 3},
        {.id = 2, .next_due_ms = w->now.wall_ms + 2},
        {.id = 3, .next_due_ms = w->now.wall_ms + 1},
    };

    assert_int_equal(schedule_configure(w->schedule, config, states, NULL, 0, w->now, NULL), 0);
    config_unref(config);
    world_pass(w, 10);
    for (int id = 3; id >= 1; id--) {
        struct run *run = world_take(w, 0);

        assert_int_equal(run->source_id, id);
        assert_null(world_take(w, 0));
        world_finish(w, run, RUN_OK);
    }
}

static void two_sources_of_one_host(struct world *w)
{
    const struct source sources[] = {
        source_like("a", "h:80", MINUTE),
        source_like("b", "h:80", MINUTE),
    };

    world_configure(w, sources, 2, 1, -1);
}

static void a_retry_gives_the_place_at_the_host_away(void **state)
{
    struct world *w = *state;
    struct run *first;
    struct run *second;

    two_sources_of_one_host(w);
    first = world_take(w, 0);
    assert_null(world_take(w, 0));
    schedule_retry(w->schedule, first, w->now, 0);
    second = world_take(w, 0);
    assert_non_null(second);
    assert_ptr_not_equal(second, first); /* it waited longer */
    assert_null(world_take(w, 0));
    give_back(w, second);
    assert_ptr_equal(world_take(w, 0), first);
    give_back(w, first);
}

/* The fetchers read the clock before they come to the mutex, so a later call may bring an earlier
 * time. */
static void who_waits_in_line_is_not_overtaken_by_who_seems_to_be_due_longer(void **state)
{
    struct world *w = *state;
    struct instant before = w->now;
    struct run *first;
    struct run *second;

    world_pass(w, 10);
    two_sources_of_one_host(w);
    first = world_take(w, 0);
    assert_null(world_take(w, 0));
    schedule_retry(w->schedule, first, before, 0);
    second = world_take(w, 0);
    assert_ptr_not_equal(second, first);
    give_back(w, second);
    assert_ptr_equal(world_take(w, 0), first);
    give_back(w, first);
}

static void a_run_given_back_in_flight_gives_its_place_at_the_host_away(void **state)
{
    struct world *w = *state;
    struct run *run;

    two_sources_of_one_host(w);
    run = world_take(w, 0);
    assert_null(world_take(w, 0));
    schedule_return(w->schedule, run, false, w->now);
    run = world_take(w, 0);
    assert_non_null(run);
    give_back(w, run);
}

static void a_transfer_that_is_ended_twice_counts_once(void **state)
{
    struct world *w = *state;
    struct run *first;
    struct run *second;

    two_sources_of_one_host(w);
    first = world_take(w, 0);
    schedule_transfer_ended(w->schedule, first);
    second = world_take(w, 0);
    schedule_transfer_ended(w->schedule, first);
    give_back(w, first);
    assert_null(world_take(w, 0)); /* the second is still in flight */
    give_back(w, second);
}

static void a_host_goes_with_its_last_source(void **state)
{
    struct world *w = *state;

    two_sources_of_one_host(w);
    assert_int_equal(w->schedule->lines.hosts.count, 1);
    world_configure_one(w, source_like("c", "other:80", MINUTE), -1);
    assert_int_equal(w->schedule->lines.hosts.count, 1);
    world_configure(w, NULL, 0, 2, -1);
    assert_int_equal(w->schedule->lines.hosts.count, 0);
}

/* --- Stopping and waiting --- */

static void a_run_that_is_not_recorded_is_due_again_at_once_and_was_never_made(void **state)
{
    struct world *w = *state;
    struct run *run = world_settled(w, source_like("a", "h:80", MINUTE));
    int64_t slot = run->scheduled_at_ms;

    fails(run, -1);
    schedule_plan(w->schedule, run, w->now);
    world_pass(w, SECOND);
    schedule_return(w->schedule, run, false, w->now);
    run = world_take(w, 0);
    assert_non_null(run);
    assert_int_equal(run->scheduled_at_ms, slot);
    assert_int_equal(run->failures, 0);
    assert_int_equal(run->failure, RUN_OK);
    give_back(w, run);
}

static void after_stop_nothing_is_handed_out_and_runs_come_back(void **state)
{
    struct world *w = *state;
    struct run *run;

    two_sources_of_one_host(w);
    run = world_take(w, 0);
    schedule_stop(w->schedule);
    assert_null(world_take(w, 0));
    assert_int_equal(w->wait_ms, -1);
    assert_int_equal(schedule_wait_idle(w->schedule, 0), -1);
    give_back(w, run);
    assert_null(world_take(w, 0));
    assert_int_equal(schedule_wait_idle(w->schedule, 0), 0);
    assert_int_equal(w->wakes[0], 0);
}

static void waiting_for_idle_ends_when_the_time_has_passed(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, source_like("a", "h:80", MINUTE), -1);
    assert_int_equal(schedule_wait_idle(w->schedule, 0), 0);
    run = world_take(w, 0);
    assert_int_equal(schedule_wait_idle(w->schedule, 20), -1);
    give_back(w, run);
    assert_int_equal(schedule_wait_idle(w->schedule, -1), 0);
}

static void giving_back_frees_the_answer_and_the_configuration(void **state)
{
    struct world *w = *state;
    struct run *run;
    const struct config *config;

    world_configure_one(w, source_like("a", "h:80", MINUTE), -1);
    run = world_take(w, 0);
    config = run->config;
    assert_int_equal(config_built_references(config), 2);
    assert_ptr_equal(run->source->config, config);
    run->response.body = calloc(1, 100); /* ASan would report them */
    run->response.content_type = calloc(1, 10);
    fails(run, -1);
    give_back(w, run);
    assert_null(run->config);
    assert_null(run->response.body);
    assert_int_equal(config_built_references(config), 1);
}

static void an_idle_source_is_small(void **state)
{
    (void)state;
    print_message("an entry takes %zu bytes, a run %zu of them\n", sizeof(struct entry),
                  sizeof(struct run));
    assert_true(sizeof(struct entry) <= 600);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_source_that_never_ran_is_due_at_once),
        IN_A_WORLD(a_saved_due_time_in_the_past_is_due_at_once),
        IN_A_WORLD(a_saved_due_time_in_the_future_is_kept),
        IN_A_WORLD(a_saved_due_time_that_a_wrong_clock_made_is_at_most_a_day_off),
        IN_A_WORLD(a_source_that_is_well_waits_no_longer_than_its_new_interval),
        IN_A_WORLD(a_source_that_is_well_is_due_at_the_next_slot_of_its_new_rhythm),
        IN_A_WORLD(what_a_server_asked_for_holds_over_a_restart),
        IN_A_WORLD(a_source_that_fails_keeps_its_distance_over_a_restart),
        IN_A_WORLD(a_saved_due_time_within_a_long_interval_is_kept),
        IN_A_WORLD(run_on_start_is_due_at_once_whatever_was_saved),
        IN_A_WORLD(a_disabled_source_is_never_handed_out),
        IN_A_WORLD(saved_failures_go_on_counting),
        IN_A_WORLD(each_slot_is_polled_once_and_on_time),
        IN_A_WORLD(the_plan_is_what_happens),
        IN_A_WORLD(a_slow_run_skips_the_slots_it_missed_and_counts_them),
        IN_A_WORLD(a_run_that_ends_at_the_next_slot_skips_that_one),
        IN_A_WORLD(sources_with_equal_intervals_spread_over_it),
        IN_A_WORLD(jitter_delays_the_run_and_not_its_slot),
        IN_A_WORLD(a_saved_due_time_with_jitter_belongs_to_its_slot),
        IN_A_WORLD(a_failing_source_doubles_its_interval_and_returns_at_the_first_success),
        IN_A_WORLD(slots_left_out_by_backoff_do_not_count_as_skipped),
        IN_A_WORLD(a_plan_made_again_counts_the_failure_once),
        IN_A_WORLD(a_run_that_the_table_refuses_is_due_as_planned_for_that),
        IN_A_WORLD(a_long_retry_after_postpones_the_next_run),
        IN_A_WORLD(a_retry_after_of_a_year_is_capped_at_a_day),
        IN_A_WORLD(a_short_retry_after_holds_when_the_attempts_are_used_up),
        IN_A_WORLD(a_retry_comes_after_its_delay_and_is_the_same_run),
        IN_A_WORLD(a_run_that_waits_for_its_retry_is_freed_with_the_schedule),
        IN_A_WORLD(at_most_the_allowed_number_of_a_host_is_out),
        IN_A_WORLD(who_became_due_first_goes_first),
        IN_A_WORLD(a_retry_gives_the_place_at_the_host_away),
        IN_A_WORLD(who_waits_in_line_is_not_overtaken_by_who_seems_to_be_due_longer),
        IN_A_WORLD(a_run_given_back_in_flight_gives_its_place_at_the_host_away),
        IN_A_WORLD(a_transfer_that_is_ended_twice_counts_once),
        IN_A_WORLD(a_host_goes_with_its_last_source),
        IN_A_WORLD(a_run_that_is_not_recorded_is_due_again_at_once_and_was_never_made),
        IN_A_WORLD(after_stop_nothing_is_handed_out_and_runs_come_back),
        IN_A_WORLD(waiting_for_idle_ends_when_the_time_has_passed),
        IN_A_WORLD(giving_back_frees_the_answer_and_the_configuration),
        cmocka_unit_test(an_idle_source_is_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
