/*
 * Sources with slots on the wall clock, cron and align: their first slot, what a start does about
 * those it missed, failures, changes, and wall clocks that are set.
 */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "config_builder.h"
#include "gatherd/cron.h"
#include "schedule/random.h"
#include "schedule_world.h"

static int setup(void **state)
{
    *state = world_create(1, false); /* 2026-01-02 03:04:05, a Friday */
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

static int64_t moment(const char *text)
{
    char whole[CLOCK_TEXT_SIZE] = "0000-00-00T00:00:00.000Z";
    int64_t ms;

    memcpy(whole, text, 10);
    memcpy(whole + 11, text + 11, strlen(text) - 11);
    assert_int_equal(clock_parse(whole, &ms), 0);
    return ms;
}

static void check_moment(int64_t ms, const char *expected)
{
    if (ms != moment(expected)) {
        char text[CLOCK_TEXT_SIZE];

        fail_msg("%s instead of %s", clock_format(ms, text), expected);
    }
}

/* Lines outlive the worlds: one for each source of a test. */
static struct source with_cron(struct cron *cron, const char *line)
{
    struct source source = source_like("a", "h:80", MINUTE);
    size_t column;

    assert_int_equal(cron_parse(line, cron, &column, NULL), 0);
    source.cron = cron;
    source.interval_ms = cron->gap_ms;
    if (source.max_interval_ms < source.interval_ms)
        source.max_interval_ms = source.interval_ms;
    return source;
}

static struct source aligned(int64_t interval_ms)
{
    struct source source = source_like("a", "h:80", interval_ms);

    source.align = true;
    return source;
}

static void configure(struct world *w, struct source source, int64_t next_due_ms, int64_t added_ms)
{
    struct config *config = config_build(&source, 1, 2);
    struct source_state state = {.id = 1, .next_due_ms = next_due_ms, .added_ms = added_ms};

    assert_int_equal(schedule_configure(w->schedule, config, &state, NULL, 0, w->now, NULL), 0);
    config_unref(config);
}

/* The next run is that of `slot` and comes when the wall clock says so. */
static struct run *take_at(struct world *w, const char *slot)
{
    struct run *run = world_take_next(w);

    check_moment(run->scheduled_at_ms, slot);
    check_moment(w->now.wall_ms, slot);
    return run;
}

static void serve_at(struct world *w, const char *slot)
{
    world_finish(w, take_at(w, slot), RUN_OK);
}

/* --- Slots --- */

static void a_cron_source_that_never_ran_waits_for_its_first_slot(void **state)
{
    struct cron cron;

    world_configure_one(*state, with_cron(&cron, "*/10 * * * *"), -1);
    serve_at(*state, "2026-01-02 03:10");
    serve_at(*state, "2026-01-02 03:20");
    serve_at(*state, "2026-01-02 03:30");
}

static void an_aligned_source_that_never_ran_is_due_at_once_and_then_at_its_slots(void **state)
{
    world_configure_one(*state, aligned(15 * MINUTE), -1);
    serve_at(*state, "2026-01-02 03:04:05");
    serve_at(*state, "2026-01-02 03:15");
    serve_at(*state, "2026-01-02 03:30");
}

static void the_offset_moves_the_slots(void **state)
{
    struct source source = aligned(15 * MINUTE);

    source.offset_ms = 90 * SECOND;
    world_configure_one(*state, source, moment("2026-01-02 03:16:30"));
    serve_at(*state, "2026-01-02 03:16:30");
    serve_at(*state, "2026-01-02 03:31:30");
}

static void jitter_comes_on_top_of_the_slot(void **state)
{
    struct world *w = *state;
    struct cron cron;
    struct source source = with_cron(&cron, "*/10 * * * *");
    int64_t late = 0;

    source.jitter_ms = 5 * MINUTE;
    world_configure_one(w, source, -1);
    for (int i = 0; i < 50; i++) {
        struct run *run = world_take_next(w);

        assert_int_equal(run->scheduled_at_ms % (10 * MINUTE), 0);
        assert_in_range(w->now.wall_ms - run->scheduled_at_ms, 0, 5 * MINUTE);
        late += w->now.wall_ms - run->scheduled_at_ms;
        schedule_plan(w->schedule, run, w->now);
        assert_in_range(run->next_due_ms % (10 * MINUTE), 0, 5 * MINUTE);
        schedule_return(w->schedule, run, true, w->now);
    }
    assert_true(late > 50 * MINUTE);
}

static void a_run_that_takes_long_counts_the_slots_it_missed(void **state)
{
    struct world *w = *state;
    struct cron cron;
    struct run *run;

    world_configure_one(w, with_cron(&cron, "*/10 * * * *"), -1);
    run = take_at(w, "2026-01-02 03:10");
    world_pass(w, 35 * MINUTE);
    schedule_plan(w->schedule, run, w->now);
    assert_int_equal(run->skipped, 3);
    check_moment(run->next_due_ms, "2026-01-02 03:50");
    schedule_return(w->schedule, run, true, w->now);
    serve_at(w, "2026-01-02 03:50");
}

static void a_disabled_cron_source_never_runs(void **state)
{
    struct world *w = *state;
    struct cron cron;
    struct source source = with_cron(&cron, "* * * * *");

    source.enabled = false;
    world_configure_one(w, source, -1);
    assert_null(world_take(w, 0));
    assert_int_equal(w->wait_ms, -1);
    source.enabled = true;
    world_configure_one(w, source, -1);
    serve_at(w, "2026-01-02 03:05");
}

static void once_runs_a_cron_source_now(void **state)
{
    struct world *w = *state;
    struct cron cron;
    struct run *run;

    world_configure_one(w, with_cron(&cron, "0 6 * * *"), w->now.wall_ms + HOUR);
    run = world_take(w, 0);
    assert_non_null(run);
    schedule_plan(w->schedule, run, w->now);
    check_moment(run->next_due_ms, "2026-01-02 06:00"); /* for the next process */
    schedule_return(w->schedule, run, true, w->now);
}

static void run_on_start_runs_a_cron_source_now(void **state)
{
    struct cron cron;
    struct source source = with_cron(&cron, "0 6 * * *");

    source.run_on_start = true;
    world_configure_one(*state, source, -1);
    serve_at(*state, "2026-01-02 03:04:05");
    serve_at(*state, "2026-01-02 06:00");
}

/* --- What a start missed --- */

static void a_missed_slot_is_made_up_for_once_in_the_name_of_the_latest(void **state)
{
    struct world *w = *state;
    struct cron cron;
    struct run *run;

    world_configure_one(w, with_cron(&cron, "0 * * * *"), moment("2025-12-24 17:00"));
    run = world_take(w, 0);
    assert_non_null(run);
    check_moment(run->scheduled_at_ms, "2026-01-02 03:00");
    world_finish(w, run, RUN_OK);
    serve_at(w, "2026-01-02 04:00");
}

static void with_skip_a_missed_slot_is_passed_over(void **state)
{
    struct cron cron;
    struct source source = with_cron(&cron, "0 * * * *");

    source.missed = MISSED_SKIP;
    world_configure_one(*state, source, moment("2025-12-24 17:00"));
    serve_at(*state, "2026-01-02 04:00");
}

static void skip_holds_for_intervals_too(void **state)
{
    struct world *w = *state;
    struct source source = source_like("a", "h:80", HOUR);
    struct run *run;

    source.missed = MISSED_SKIP;
    world_configure_one(w, source, w->now.wall_ms - 5 * DAY);
    assert_null(world_take(w, 0));
    assert_in_range(w->wait_ms, 1, HOUR);
    run = world_take_next(w);
    schedule_plan(w->schedule, run, w->now);
    assert_int_equal(run->next_due_ms, run->scheduled_at_ms + HOUR);
    schedule_return(w->schedule, run, true, w->now);
}

static void an_aligned_slot_is_made_up_for_too(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, aligned(HOUR), moment("2025-12-24 17:00"));
    run = world_take(w, 0);
    assert_non_null(run);
    check_moment(run->scheduled_at_ms, "2026-01-02 03:00");
    world_finish(w, run, RUN_OK);
    serve_at(w, "2026-01-02 04:00");
}

static void a_source_that_never_ran_has_missed_what_passed_since_it_was_added(void **state)
{
    struct world *w = *state;
    struct cron cron;
    struct run *run;

    configure(w, with_cron(&cron, "0 2 * * *"), -1, moment("2026-01-01 23:00"));
    run = world_take(w, 0);
    assert_non_null(run);
    check_moment(run->scheduled_at_ms, "2026-01-02 02:00");
    world_finish(w, run, RUN_OK);
    serve_at(w, "2026-01-03 02:00");
}

static void a_source_added_after_the_last_slot_has_missed_nothing(void **state)
{
    struct cron cron;

    configure(*state, with_cron(&cron, "0 2 * * *"), -1, moment("2026-01-02 02:30"));
    serve_at(*state, "2026-01-03 02:00");
}

static void a_saved_due_time_is_kept_with_its_jitter(void **state)
{
    struct world *w = *state;
    struct cron cron;
    struct source source = with_cron(&cron, "0 * * * *");
    struct run *run;
    struct source_state saved = {
        .id = 9, .next_due_ms = moment("2026-01-02 06:07"), .failures = 1}; /* it is in backoff */
    struct config *config;

    source.jitter_ms = 10 * MINUTE;
    config = config_build(&source, 1, 2);
    assert_int_equal(schedule_configure(w->schedule, config, &saved, NULL, 0, w->now, NULL), 0);
    config_unref(config);
    run = world_take_next(w);
    check_moment(run->scheduled_at_ms, "2026-01-02 06:00");
    check_moment(w->now.wall_ms, "2026-01-02 06:07");
    world_finish(w, run, RUN_OK);
}

static void a_saved_due_time_that_is_no_slot_any_more_does_not_count(void **state)
{
    struct cron cron;

    world_configure_one(*state, with_cron(&cron, "0 * * * *"), moment("2026-01-02 23:17"));
    serve_at(*state, "2026-01-02 04:00");
}

static void a_saved_due_time_of_a_clock_that_was_wrong_does_not_count(void **state)
{
    struct cron cron;

    world_configure_one(*state, with_cron(&cron, "0 * * * *"), moment("2038-01-01 05:00"));
    serve_at(*state, "2026-01-02 04:00");
}

static void a_saved_due_time_of_a_sparse_line_counts_however_far_it_is(void **state)
{
    struct world *w = *state;
    struct cron cron;

    world_configure_one(w, with_cron(&cron, "0 0 29 2 *"), moment("2028-02-29 00:00"));
    for (int year = 0; year < 2; year++) {
        const char *slot = year == 0 ? "2028-02-29 00:00" : "2032-02-29 00:00";

        world_pass(w, moment(slot) - HOUR - w->now.wall_ms);
        serve_at(w, slot);
    }
}

/* --- Failures --- */

static void a_source_that_fails_passes_over_slots_up_to_max_interval(void **state)
{
    struct world *w = *state;
    struct cron cron;

    world_configure_one(w, with_cron(&cron, "*/10 * * * *"), -1); /* max_interval: 1h */
    world_finish(w, take_at(w, "2026-01-02 03:10"), RUN_FAILED_STATUS);
    world_finish(w, take_at(w, "2026-01-02 03:30"), RUN_FAILED_STATUS);
    world_finish(w, take_at(w, "2026-01-02 04:10"), RUN_FAILED_STATUS);
    world_finish(w, take_at(w, "2026-01-02 05:10"), RUN_FAILED_STATUS);
    world_finish(w, take_at(w, "2026-01-02 06:10"), RUN_OK);
    serve_at(w, "2026-01-02 06:20");
}

static void a_daily_source_that_fails_runs_the_next_day(void **state)
{
    struct world *w = *state;
    struct cron cron;

    world_configure_one(w, with_cron(&cron, "0 6 * * *"), -1);
    for (int day = 2; day < 9; day++) {
        struct run *run = world_take_next(w);

        assert_int_equal(run->scheduled_at_ms, moment("2026-01-02 06:00") + (day - 2) * DAY);
        world_finish(w, run, RUN_FAILED_STATUS);
    }
}

static void what_the_server_asks_for_ends_at_a_slot(void **state)
{
    struct world *w = *state;
    struct cron cron;
    struct run *run;

    world_configure_one(w, with_cron(&cron, "0 * * * *"), -1);
    run = take_at(w, "2026-01-02 04:00");
    run->retry_after_ms = 150 * MINUTE;
    world_finish(w, run, RUN_FAILED_STATUS);
    serve_at(w, "2026-01-02 07:00");
}

/* --- Changes --- */

static void a_changed_line_counts_at_once_even_if_it_is_later(void **state)
{
    struct cron first;
    struct cron second;

    world_configure_one(*state, with_cron(&first, "0 4 * * *"), -1);
    world_configure_one(*state, with_cron(&second, "0 9 * * *"), -1);
    serve_at(*state, "2026-01-02 09:00");
}

static void from_an_interval_to_cron_and_back(void **state)
{
    struct world *w = *state;
    struct cron cron;

    world_configure_one(w, source_like("a", "h:80", 10 * MINUTE), w->now.wall_ms + 7 * MINUTE);
    world_configure_one(w, with_cron(&cron, "0 9 * * *"), -1);
    serve_at(w, "2026-01-02 09:00");
    world_configure_one(w, source_like("a", "h:80", 10 * MINUTE), -1);
    assert_null(world_take(w, 0));
    assert_in_range(w->wait_ms, 1, 10 * MINUTE);
    world_finish(w, world_take_next(w), RUN_OK);
}

static void a_change_elsewhere_keeps_what_is_due_now(void **state)
{
    struct world *w = *state;
    struct cron cron;
    struct source source = with_cron(&cron, "0 4 * * *");
    struct run *run;

    world_configure_one(w, source, -1);
    world_pass(w, moment("2026-01-02 04:00:01") - w->now.wall_ms); /* due, but nobody took it */
    source.timeout_ms = 5 * SECOND;
    world_configure_one(w, source, -1);
    run = world_take(w, 0);
    assert_non_null(run);
    check_moment(run->scheduled_at_ms, "2026-01-02 04:00");
    world_finish(w, run, RUN_OK);
}

/* --- Clocks that are set --- */

static void a_clock_set_forward_over_slots_runs_once_and_goes_on(void **state)
{
    struct world *w = *state;
    struct cron cron;
    struct run *run;

    world_configure_one(w, with_cron(&cron, "0 * * * *"), -1);
    assert_null(world_take(w, 0));
    assert_true(w->wait_ms <= SCHEDULE_CLOCK_CHECK_MS);
    world_pass(w, SECOND);
    w->now.wall_ms += 5 * HOUR;
    run = world_take(w, 0);
    assert_non_null(run);
    check_moment(run->scheduled_at_ms, "2026-01-02 08:00");
    schedule_plan(w->schedule, run, w->now);
    assert_int_equal(run->skipped, 0);
    schedule_return(w->schedule, run, true, w->now);
    serve_at(w, "2026-01-02 09:00");
}

static void a_clock_set_forward_short_of_the_slot_brings_it_nearer(void **state)
{
    struct world *w = *state;
    struct cron cron;

    world_configure_one(w, with_cron(&cron, "0 9 * * *"), -1);
    assert_null(world_take(w, 0));
    w->now.wall_ms += 5 * HOUR;
    serve_at(w, "2026-01-02 09:00");
}

static void a_clock_set_back_brings_slots_again(void **state)
{
    struct world *w = *state;
    struct cron cron;

    world_configure_one(w, with_cron(&cron, "0 * * * *"), -1);
    serve_at(w, "2026-01-02 04:00");
    w->now.wall_ms -= 20 * HOUR;
    serve_at(w, "2026-01-01 09:00");
    serve_at(w, "2026-01-01 10:00");
}

static void a_clock_set_back_a_little_does_not_serve_a_slot_twice(void **state)
{
    struct world *w = *state;
    struct cron cron;

    world_configure_one(w, with_cron(&cron, "0 * * * *"), -1);
    serve_at(w, "2026-01-02 04:00");
    world_pass(w, SECOND);
    w->now.wall_ms -= 3 * SECOND; /* 03:59:58 */
    serve_at(w, "2026-01-02 05:00");
}

static void a_slot_is_not_served_before_the_clock_shows_it(void **state)
{
    struct world *w = *state;
    struct cron cron;

    world_configure_one(w, with_cron(&cron, "0 0 * * *"), -1);
    assert_null(world_take(w, 0));
    w->now.wall_ms -= 900; /* so little that nobody looks at the entries */
    serve_at(w, "2026-01-03 00:00");
    world_pass(w, HOUR);
    w->now.wall_ms -= 1;
    serve_at(w, "2026-01-04 00:00");
}

static void a_clock_set_while_a_run_is_out_counts_for_the_next(void **state)
{
    static const int64_t jumps[] = {5 * HOUR, -5 * HOUR, 20 * MINUTE, -20 * MINUTE};

    for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
        struct world *w = world_create(1, false);
        struct cron cron;
        struct run *run;

        world_configure_one(w, with_cron(&cron, "*/10 * * * *"), -1);
        run = world_take_next(w);
        world_pass(w, SECOND);
        w->now.wall_ms += jumps[i];
        schedule_plan(w->schedule, run, w->now);
        assert_int_equal(run->skipped, 0);
        assert_int_equal(run->next_due_ms % (10 * MINUTE), 0);
        assert_in_range(run->next_due_ms, w->now.wall_ms + 1, w->now.wall_ms + 10 * MINUTE);
        schedule_return(w->schedule, run, true, w->now);
        run = world_take_next(w);
        assert_int_equal(run->scheduled_at_ms, w->now.wall_ms);
        world_finish(w, run, RUN_OK);
        world_free(w);
    }
    (void)state;
}

static void a_clock_set_between_plan_and_return_is_noticed(void **state)
{
    struct world *w = *state;
    struct cron cron;
    struct run *run;

    world_configure_one(w, with_cron(&cron, "0 * * * *"), -1);
    run = take_at(w, "2026-01-02 04:00");
    schedule_plan(w->schedule, run, w->now);
    w->now.wall_ms += 30 * MINUTE;
    assert_null(world_take(w, 0)); /* somebody else asks in between */
    schedule_return(w->schedule, run, true, w->now);
    serve_at(w, "2026-01-02 05:00");
}

static void a_retry_keeps_its_time_when_the_clock_is_set(void **state)
{
    struct world *w = *state;
    struct cron cron;
    struct run *run;

    world_configure_one(w, with_cron(&cron, "0 * * * *"), -1);
    run = take_at(w, "2026-01-02 04:00");
    schedule_retry(w->schedule, run, w->now, 30 * SECOND);
    w->now.wall_ms += 3 * HOUR;
    run = world_take_next(w);
    check_moment(w->now.wall_ms, "2026-01-02 07:00:30");
    assert_int_equal(run->attempt, 1);
    world_finish(w, run, RUN_OK);
    serve_at(w, "2026-01-02 08:00");
}

static void what_the_server_asked_for_holds_when_the_clock_is_set(void **state)
{
    static const int64_t jumps[] = {9 * HOUR, -9 * HOUR};

    for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
        struct world *w = world_create(1, false);
        struct cron cron;
        struct run *run;
        int64_t asked;

        world_configure_one(w, with_cron(&cron, "0 * * * *"), -1);
        run = world_take_next(w);
        run->retry_after_ms = 4 * HOUR;
        asked = w->now.monotonic_ms;
        world_finish(w, run, RUN_FAILED_STATUS);
        assert_null(world_take(w, 0));
        w->now.wall_ms += jumps[i];
        run = world_take_next(w);
        assert_in_range(w->now.monotonic_ms - asked, 4 * HOUR, 6 * HOUR);
        assert_int_equal(w->now.wall_ms % HOUR, 0);
        world_finish(w, run, RUN_OK);
        world_free(w);
    }
    (void)state;
}

static void other_lanes_are_woken_when_the_clock_is_set(void **state)
{
    struct world *w = world_create(WORLD_LANES, false);
    struct cron crons[20];
    struct source sources[20];
    static char names[20][2][16];
    unsigned woken = 0;

    for (int i = 0; i < 20; i++) {
        snprintf(names[i][0], sizeof(names[i][0]), "s%d", i);
        snprintf(names[i][1], sizeof(names[i][1]), "h%d:80", i);
        sources[i] = with_cron(&crons[i], "0 9 * * *");
        sources[i].name = names[i][0];
        sources[i].host = names[i][1];
    }
    world_configure(w, sources, 20, 1, -1);
    for (unsigned lane = 0; lane < WORLD_LANES; lane++)
        assert_null(world_take(w, lane));
    memset(w->wakes, 0, sizeof(w->wakes));
    w->now.wall_ms += 12 * HOUR;
    for (struct run *run; (run = world_take(w, 0)) != NULL;)
        world_finish(w, run, RUN_OK);
    for (unsigned lane = 1; lane < WORLD_LANES; lane++)
        woken += w->wakes[lane];
    assert_true(woken >= 2); /* those that have a source */
    for (unsigned lane = 1; lane < WORLD_LANES; lane++) {
        for (struct run *run; (run = world_take(w, lane)) != NULL;)
            world_finish(w, run, RUN_OK);
    }
    world_free(w);
    (void)state;
}

static void an_interval_does_not_follow_the_wall_clock_beside_cron(void **state)
{
    struct world *w = *state;
    struct cron cron;
    struct source sources[] = {source_like("b", "h:80", HOUR), with_cron(&cron, "0 9 * * *")};
    struct run *run;
    int64_t due;

    world_configure(w, sources, 2, 2, w->now.wall_ms + 10 * MINUTE);
    due = w->now.monotonic_ms + 10 * MINUTE;
    assert_null(world_take(w, 0));
    w->now.wall_ms -= 7 * HOUR;
    run = world_take_next(w);
    assert_string_equal(run->source->name, "b");
    assert_int_equal(w->now.monotonic_ms, due);
    world_finish(w, run, RUN_OK);
}

/* However the clock jumps, each run is at a slot or made up for one, and none comes too often. */
static void a_clock_that_jumps_all_day_neither_stops_nor_storms_cron(void **state)
{
    enum { POLLS = 3000 };
    struct world *w = *state;
    struct random random = {4711};
    struct cron cron;
    int64_t began;
    int64_t jumps = 0;
    int64_t polls = 0;

    world_configure_one(w, with_cron(&cron, "*/5 * * * *"), -1);
    world_finish(w, world_take_next(w), RUN_OK);
    began = w->now.monotonic_ms;
    while (polls < POLLS) {
        int64_t before = w->now.monotonic_ms;
        struct run *run = NULL;

        while ((run = world_take(w, 0)) == NULL) {
            world_pass(w, w->wait_ms < 800 ? w->wait_ms : 800);
            if (random_upto(&random, 4000) == 0) {
                w->now.wall_ms += random_upto(&random, 20 * HOUR) - 10 * HOUR;
                jumps++;
            }
            assert_true(w->now.monotonic_ms - before <= (jumps + 1) * 5 * MINUTE + 4 * SECOND);
        }
        assert_int_equal(run->scheduled_at_ms % (5 * MINUTE), 0);
        assert_in_range(w->now.wall_ms - run->scheduled_at_ms + 2 * SECOND, 0,
                        5 * MINUTE + 2 * SECOND);
        world_pass(w, random_upto(&random, 2 * SECOND));
        world_finish(w, run, RUN_OK);
        polls++;
    }
    assert_true(jumps > 50);
    assert_in_range(w->now.monotonic_ms - began, (POLLS - jumps - 1) * 5 * MINUTE - HOUR,
                    (POLLS + jumps + 1) * 5 * MINUTE);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_cron_source_that_never_ran_waits_for_its_first_slot),
        IN_A_WORLD(an_aligned_source_that_never_ran_is_due_at_once_and_then_at_its_slots),
        IN_A_WORLD(the_offset_moves_the_slots),
        IN_A_WORLD(jitter_comes_on_top_of_the_slot),
        IN_A_WORLD(a_run_that_takes_long_counts_the_slots_it_missed),
        IN_A_WORLD(a_disabled_cron_source_never_runs),
        cmocka_unit_test_setup_teardown(once_runs_a_cron_source_now, setup_once, teardown),
        IN_A_WORLD(run_on_start_runs_a_cron_source_now),
        IN_A_WORLD(a_missed_slot_is_made_up_for_once_in_the_name_of_the_latest),
        IN_A_WORLD(with_skip_a_missed_slot_is_passed_over),
        IN_A_WORLD(skip_holds_for_intervals_too),
        IN_A_WORLD(an_aligned_slot_is_made_up_for_too),
        IN_A_WORLD(a_source_that_never_ran_has_missed_what_passed_since_it_was_added),
        IN_A_WORLD(a_source_added_after_the_last_slot_has_missed_nothing),
        IN_A_WORLD(a_saved_due_time_is_kept_with_its_jitter),
        IN_A_WORLD(a_saved_due_time_that_is_no_slot_any_more_does_not_count),
        IN_A_WORLD(a_saved_due_time_of_a_clock_that_was_wrong_does_not_count),
        IN_A_WORLD(a_saved_due_time_of_a_sparse_line_counts_however_far_it_is),
        IN_A_WORLD(a_source_that_fails_passes_over_slots_up_to_max_interval),
        IN_A_WORLD(a_daily_source_that_fails_runs_the_next_day),
        IN_A_WORLD(what_the_server_asks_for_ends_at_a_slot),
        IN_A_WORLD(a_changed_line_counts_at_once_even_if_it_is_later),
        IN_A_WORLD(from_an_interval_to_cron_and_back),
        IN_A_WORLD(a_change_elsewhere_keeps_what_is_due_now),
        IN_A_WORLD(a_clock_set_forward_over_slots_runs_once_and_goes_on),
        IN_A_WORLD(a_clock_set_forward_short_of_the_slot_brings_it_nearer),
        IN_A_WORLD(a_clock_set_back_brings_slots_again),
        IN_A_WORLD(a_clock_set_back_a_little_does_not_serve_a_slot_twice),
        IN_A_WORLD(a_slot_is_not_served_before_the_clock_shows_it),
        cmocka_unit_test(a_clock_set_while_a_run_is_out_counts_for_the_next),
        IN_A_WORLD(a_clock_set_between_plan_and_return_is_noticed),
        IN_A_WORLD(a_retry_keeps_its_time_when_the_clock_is_set),
        cmocka_unit_test(what_the_server_asked_for_holds_when_the_clock_is_set),
        cmocka_unit_test(other_lanes_are_woken_when_the_clock_is_set),
        IN_A_WORLD(an_interval_does_not_follow_the_wall_clock_beside_cron),
        IN_A_WORLD(a_clock_that_jumps_all_day_neither_stops_nor_storms_cron),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
