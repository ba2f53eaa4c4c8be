/*
 * Hosts' spacing and rate limits over simulated hours: what starts when, and what it costs.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "config_builder.h"
#include "schedule/entry.h"
#include "schedule_world.h"

enum { MOST_SOURCES = 10000, MOST_OUT = 64, MOST_LANES = 4 };

static char names[MOST_SOURCES][32];
static char hosts[MOST_SOURCES][32];

/* What the fetchers would do: they start all they get, and each request takes as long. */
struct drive {
    struct world *w;
    struct source *sources;
    size_t count;
    unsigned host_max;
    unsigned lanes;
    int64_t takes_ms;

    struct run *out[MOST_OUT];
    int64_t ends_ms[MOST_OUT];
    size_t out_count;
    bool deaf[MOST_LANES]; /* a lane that does not ask */

    uint64_t asked;  /* calls of schedule_take() */
    unsigned starts; /* in all */
    int64_t last_ms; /* monotonic time of the last start */
    int64_t least_gap_ms;
    unsigned *polls; /* of each source */
    bool fails;      /* every request, in a way that may be tried again */
};

static struct drive *drive_create(size_t count, size_t host_count, unsigned lanes)
{
    struct drive *d = calloc(1, sizeof(*d));

    assert_non_null(d);
    d->w = world_create(lanes, false);
    d->lanes = lanes;
    d->count = count;
    d->host_max = 50;
    d->least_gap_ms = INT64_MAX;
    d->sources = calloc(count, sizeof(*d->sources));
    d->polls = calloc(count, sizeof(*d->polls));
    assert_true(d->sources != NULL && d->polls != NULL);
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof(names[i]), "s%zu", i);
        snprintf(hosts[i], sizeof(hosts[i]), "h%zu:80", i % host_count);
        d->sources[i] = source_like(names[i], hosts[i], SECOND);
    }
    return d;
}

static void configure(struct drive *d)
{
    world_configure(d->w, d->sources, d->count, d->host_max, -1);
}

static void use_limit(struct drive *d, const struct rate_limit *limit)
{
    for (size_t i = 0; i < d->count; i++)
        d->sources[i].rate_limit = limit;
}

static void end_one(struct drive *d, size_t i)
{
    struct run *run = d->out[i];

    d->out[i] = d->out[--d->out_count];
    d->ends_ms[i] = d->ends_ms[d->out_count];
    if (d->fails) {
        int64_t delay_ms;

        run_fail(run, RUN_FAILED_STATUS, "status 503");
        run->retryable = true;
        delay_ms = schedule_retry_delay(d->w->schedule, run);
        if (delay_ms >= 0) {
            run_clear_response(run);
            schedule_retry(d->w->schedule, run, d->w->now, delay_ms);
            return;
        }
    }
    world_finish(d->w, run, run->failure);
}

static void note_start(struct drive *d, struct run *run)
{
    int64_t now_ms = d->w->now.monotonic_ms;

    if (d->starts++ > 0 && now_ms - d->last_ms < d->least_gap_ms)
        d->least_gap_ms = now_ms - d->last_ms;
    d->last_ms = now_ms;
    d->polls[run->source_id - 1]++;
    assert_true(d->out_count < MOST_OUT);
    d->ends_ms[d->out_count] = now_ms + d->takes_ms;
    d->out[d->out_count++] = run;
}

/* Everything that happens at this moment; returns when something happens next. */
static int64_t step(struct drive *d)
{
    int64_t next_ms = INT64_MAX;

    for (size_t i = d->out_count; i > 0; i--) {
        if (d->ends_ms[i - 1] <= d->w->now.monotonic_ms)
            end_one(d, i - 1);
    }
    for (unsigned lane = 0; lane < d->lanes; lane++) {
        struct run *run = NULL;

        while (!d->deaf[lane] && (d->asked++, run = world_take(d->w, lane)) != NULL)
            note_start(d, run);
        if (!d->deaf[lane] && d->w->wait_ms >= 0 &&
            d->w->now.monotonic_ms + d->w->wait_ms < next_ms)
            next_ms = d->w->now.monotonic_ms + d->w->wait_ms;
    }
    for (size_t i = 0; i < d->out_count; i++)
        next_ms = d->ends_ms[i] < next_ms ? d->ends_ms[i] : next_ms;
    return next_ms;
}

/* Wake-ups are not needed: whoever is woken finds the news at the next step, which is as soon. */
static void drive(struct drive *d, int64_t ms)
{
    int64_t until_ms = d->w->now.monotonic_ms + ms;

    while (d->w->now.monotonic_ms < until_ms) {
        int64_t next_ms = step(d);

        if (next_ms <= d->w->now.monotonic_ms)
            continue; /* lanes have news for each other */
        world_pass(d->w, (next_ms < until_ms ? next_ms : until_ms) - d->w->now.monotonic_ms);
    }
}

static void drive_free(struct drive *d)
{
    while (d->out_count > 0)
        schedule_return(d->w->schedule, d->out[--d->out_count], false, d->w->now);
    world_free(d->w);
    free(d->sources);
    free(d->polls);
    free(d);
}

static void check_even(const struct drive *d, unsigned tolerance)
{
    unsigned least = UINT32_MAX;
    unsigned most = 0;

    for (size_t i = 0; i < d->count; i++) {
        least = d->polls[i] < least ? d->polls[i] : least;
        most = d->polls[i] > most ? d->polls[i] : most;
    }
    assert_true(most - least <= tolerance);
}

/* --- Rates --- */

static const struct rate_limit github = {"github", 5000, HOUR, 1};

static void sources_that_share_a_rate_limit_keep_it_exactly_and_evenly(void **state)
{
    struct drive *d = drive_create(50, 5, 1);

    (void)state;
    d->takes_ms = 200;
    use_limit(d, &github);
    configure(d);
    drive(d, 3 * HOUR);
    assert_int_equal(d->starts, 15000);
    assert_int_equal(d->least_gap_ms, 720);
    check_even(d, 1);
    drive_free(d);
}

static void a_rate_limit_is_one_over_all_lanes_and_shared_fairly(void **state)
{
    struct drive *d = drive_create(60, 12, 4);

    (void)state;
    d->takes_ms = 300;
    use_limit(d, &github);
    configure(d);
    drive(d, 3 * HOUR);
    assert_in_range(d->starts, 14990, 15000);
    assert_true(d->least_gap_ms >= 710);
    check_even(d, 15);
    drive_free(d);
}

static void a_burst_follows_at_once_and_the_rate_holds(void **state)
{
    static const struct rate_limit limit = {"x", 60, MINUTE, 10};
    struct drive *d = drive_create(20, 1, 1);

    (void)state;
    use_limit(d, &limit);
    configure(d);
    drive(d, 1);
    assert_int_equal(d->starts, 10);
    drive(d, HOUR);
    assert_in_range(d->starts, 3600 + 9, 3600 + 10);
    drive_free(d);
}

static void a_rate_above_what_is_polled_changes_nothing(void **state)
{
    static const struct rate_limit limit = {"x", 1000, SECOND, 1000};
    struct drive *d = drive_create(20, 4, 2);

    (void)state;
    use_limit(d, &limit);
    configure(d);
    drive(d, 10 * MINUTE);
    assert_in_range(d->starts, 20 * 600, 20 * 600 + 20);
    drive_free(d);
}

static void retries_count(void **state)
{
    static const struct rate_limit limit = {"x", 10, MINUTE, 1};
    struct drive *d = drive_create(5, 1, 1);

    (void)state;
    d->fails = true;
    for (size_t i = 0; i < d->count; i++)
        d->sources[i].max_interval_ms = SECOND;
    use_limit(d, &limit);
    configure(d);
    drive(d, HOUR);
    assert_in_range(d->starts, 598, 600);
    assert_true(d->least_gap_ms >= 6 * SECOND);
    drive_free(d);
}

/* --- Spacing, and several rules for one source --- */

static void a_host_is_left_its_spacing_and_others_are_not_held_up_by_it(void **state)
{
    static const struct host_policy slow = {"h0", 50, 4 * SECOND};
    struct drive *d = drive_create(20, 2, 1); /* even ones at h0, odd ones at h1 */
    unsigned at[2] = {0};

    (void)state;
    for (size_t i = 0; i < d->count; i += 2)
        d->sources[i].host_policy = &slow;
    configure(d);
    drive(d, HOUR);
    for (size_t i = 0; i < d->count; i++)
        at[i % 2] += d->polls[i];
    assert_int_equal(at[0], 900);
    assert_in_range(at[1], 10 * 3600, 10 * 3601);
    drive_free(d);
}

static void whoever_is_under_several_rules_starts_at_the_latest_of_them(void **state)
{
    static const struct host_policy spaced = {"h0", 1, 2 * SECOND};
    static const struct rate_limit slower = {"slower", 1, 5 * SECOND, 1};
    struct drive *d = drive_create(10, 1, 1);

    (void)state;
    d->takes_ms = 100;
    for (size_t i = 0; i < d->count; i++) {
        d->sources[i].host_policy = &spaced;
        d->sources[i].rate_limit = i < 5 ? &slower : NULL;
    }
    configure(d);
    drive(d, HOUR);
    assert_true(d->least_gap_ms >= 2 * SECOND);
    for (size_t i = 1; i < 5; i++)
        d->polls[0] += d->polls[i];
    assert_in_range(d->polls[0], 595, 720); /* the host opens at every second of its slots */
    assert_in_range(d->starts, 1780, 1801); /* and the others use the rest of the host */
    drive_free(d);
}

static void a_slow_host_under_a_rate_limit_leaves_the_limit_to_the_others(void **state)
{
    static const struct rate_limit limit = {"x", 2, SECOND, 1};
    struct drive *d = drive_create(10, 2, 1);
    unsigned slow = 0;

    (void)state;
    use_limit(d, &limit);
    d->takes_ms = 100;
    d->host_max = 1;
    configure(d);
    drive(d, 1);
    d->ends_ms[0] += 10 * MINUTE; /* its host hangs */
    slow = (unsigned)(d->out[0]->source_id - 1) % 2;
    drive(d, 10 * MINUTE);
    assert_in_range(d->starts, 1195, 1201);
    for (size_t i = slow; i < d->count; i += 2)
        assert_true(d->polls[i] <= 1);
    drive(d, 10 * MINUTE);
    assert_true(d->least_gap_ms >= 499); /* nobody catches up */
    drive_free(d);
}

static void a_lane_that_does_not_ask_holds_nobody_up(void **state)
{
    struct drive *d = drive_create(40, 8, 2);

    (void)state;
    use_limit(d, &github);
    configure(d);
    d->deaf[1] = true;
    drive(d, HOUR);
    assert_in_range(d->starts, 4920, 5000); /* 10 ms of 720 are left to the other each time */
    drive_free(d);
}

/* --- Cost --- */

static uint64_t comparisons(const struct drive *d)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < d->lanes; i++)
        sum += d->w->schedule->lanes[i].heap.comparisons +
               d->w->schedule->lines.lanes[i].ready.comparisons +
               d->w->schedule->lines.lanes[i].timers.comparisons;
    for (struct limit *l = limits_next(&d->w->schedule->lines, NULL); l != NULL;
         l = limits_next(&d->w->schedule->lines, l)) {
        for (unsigned i = 0; i < d->lanes; i++)
            sum += l->shares[i].open.comparisons;
    }
    return sum;
}

/* All are due at once; the last of them waits two hours. */
static void check_cost(size_t host_count, unsigned lanes)
{
    struct drive *d = drive_create(MOST_SOURCES, host_count, lanes);
    uint64_t before;

    use_limit(d, &github);
    for (size_t i = 0; i < d->count; i++)
        d->sources[i].interval_ms = DAY;
    configure(d);
    before = comparisons(d);
    drive(d, 10000 * 720);
    assert_in_range(d->starts, 9990, 10000);
    check_even(d, 1);
    /* Into the heap and out of it, some 7 levels of 4: far from 10,000 for each. */
    assert_true(comparisons(d) - before < 200 * (uint64_t)MOST_SOURCES);
    assert_true(d->asked < 40 * (uint64_t)MOST_SOURCES);
    drive_free(d);
}

static void ten_thousand_that_wait_for_one_limit_cost_little_each(void **state)
{
    (void)state;
    check_cost(1, 1);
    check_cost(MOST_SOURCES, 1);
    check_cost(100, 4);
}

/* --- Reload --- */

static void a_new_rate_takes_effect_for_those_who_wait_already(void **state)
{
    static const struct rate_limit slow = {"x", 1, DAY, 1};
    static const struct rate_limit fast = {"x", 1, SECOND, 1};
    struct drive *d = drive_create(10, 1, 1);

    (void)state;
    use_limit(d, &slow);
    configure(d);
    drive(d, HOUR);
    assert_int_equal(d->starts, 1);
    use_limit(d, &fast);
    configure(d);
    drive(d, MINUTE);
    assert_in_range(d->starts, 60, 62);
    use_limit(d, &slow);
    configure(d);
    drive(d, HOUR);
    assert_in_range(d->starts, 60, 63);
    use_limit(d, NULL);
    configure(d);
    drive(d, SECOND);
    assert_true(d->starts >= 70);
    drive_free(d);
}

static void a_new_spacing_takes_effect_for_those_who_wait_already(void **state)
{
    static const struct host_policy slow = {"h0", 9, HOUR};
    static const struct host_policy fast = {"h0", 9, SECOND};
    struct drive *d = drive_create(10, 1, 1);

    (void)state;
    for (size_t i = 0; i < d->count; i++)
        d->sources[i].host_policy = &slow;
    configure(d);
    drive(d, 10 * MINUTE);
    assert_int_equal(d->starts, 1);
    for (size_t i = 0; i < d->count; i++)
        d->sources[i].host_policy = &fast;
    configure(d);
    drive(d, 5 * SECOND);
    assert_int_equal(d->starts, 6);
    drive_free(d);
}

static void another_number_of_lanes_keeps_the_rate_and_those_who_wait(void **state)
{
    struct drive *d = drive_create(40, 8, 1);

    (void)state;
    use_limit(d, &github);
    configure(d);
    for (unsigned lanes = 1; lanes <= MOST_LANES; lanes++) {
        assert_int_equal(schedule_set_lanes(d->w->schedule, lanes, NULL), 0);
        d->lanes = lanes;
        drive(d, HOUR);
    }
    assert_in_range(d->starts, 19990, 20000);
    check_even(d, 20);
    drive_free(d);
}

static void a_source_that_goes_takes_no_turn_with_it(void **state)
{
    struct drive *d = drive_create(100, 1, 1);

    (void)state;
    use_limit(d, &github);
    configure(d);
    drive(d, 10 * SECOND);
    d->count = 50;
    configure(d);
    drive(d, HOUR);
    assert_in_range(d->starts, 5000 + 13, 5000 + 15);
    drive_free(d);
}

/* --- What it says of itself --- */

static void waiting_for_a_limit_is_not_being_overdue(void **state)
{
    struct drive *d = drive_create(30, 1, 1);
    struct schedule_stats stats;

    (void)state;
    use_limit(d, &github);
    configure(d);
    step(d);
    stats = schedule_stats(d->w->schedule, d->w->now);
    assert_int_equal(stats.held_up, 29);
    assert_int_equal(stats.overdue, 0);
    drive_free(d);
}

static void once_waits_until_the_limit_has_let_everybody_run(void **state)
{
    struct drive *d = drive_create(5, 1, 1);

    (void)state;
    world_free(d->w);
    d->w = world_create(1, true);
    use_limit(d, &github);
    configure(d);
    for (int i = 1; i <= 5; i++) {
        drive(d, 720);
        assert_int_equal(d->starts, i);
        assert_int_equal(schedule_wait_idle(d->w->schedule, 0), i == 5 ? 0 : -1);
    }
    drive_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_that_share_a_rate_limit_keep_it_exactly_and_evenly),
        cmocka_unit_test(a_rate_limit_is_one_over_all_lanes_and_shared_fairly),
        cmocka_unit_test(a_burst_follows_at_once_and_the_rate_holds),
        cmocka_unit_test(a_rate_above_what_is_polled_changes_nothing),
        cmocka_unit_test(retries_count),
        cmocka_unit_test(a_host_is_left_its_spacing_and_others_are_not_held_up_by_it),
        cmocka_unit_test(whoever_is_under_several_rules_starts_at_the_latest_of_them),
        cmocka_unit_test(a_slow_host_under_a_rate_limit_leaves_the_limit_to_the_others),
        cmocka_unit_test(a_lane_that_does_not_ask_holds_nobody_up),
        cmocka_unit_test(ten_thousand_that_wait_for_one_limit_cost_little_each),
        cmocka_unit_test(a_new_rate_takes_effect_for_those_who_wait_already),
        cmocka_unit_test(a_new_spacing_takes_effect_for_those_who_wait_already),
        cmocka_unit_test(another_number_of_lanes_keeps_the_rate_and_those_who_wait),
        cmocka_unit_test(a_source_that_goes_takes_no_turn_with_it),
        cmocka_unit_test(waiting_for_a_limit_is_not_being_overdue),
        cmocka_unit_test(once_waits_until_the_limit_has_let_everybody_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
