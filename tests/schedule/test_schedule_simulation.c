/*
 * Many sources, much time, no sleep: the schedule against a simple model of what it promises.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "config_builder.h"
#include "schedule/entry.h"
#include "schedule/slot.h"
#include "schedule_world.h"

enum { MOST_SOURCES = 200, MOST_HOSTS = 20, MOST_LANES = 4 };

/* What the model knows of one source. */
struct subject {
    char name[32];
    struct run *out; /* NULL: the schedule has it */
    bool in_flight;
    int64_t ends_ms; /* monotonic */
    int64_t last_slot_ms;
    unsigned polls;
};

struct simulation {
    struct world *w;
    struct random random;
    char hosts[MOST_HOSTS][32];
    struct subject subjects[MOST_SOURCES];
    struct source sources[MOST_SOURCES];
    size_t count;
    unsigned lanes;
    unsigned host_max;
    struct host_policy policy; /* of every host */
    unsigned in_flight[MOST_HOSTS];
    size_t out;

    size_t most_out;       /* what the fetchers can have in flight */
    int64_t longest_ms;    /* a transfer takes up to this */
    unsigned retry_one_in; /* 0: never */
    unsigned fail_one_in;
};

static size_t host_number(const struct source *source)
{
    return (size_t)atoi(source->host + 1);
}

static struct simulation *simulation_create(size_t count, size_t hosts, unsigned lanes,
                                            unsigned host_max, int64_t interval_ms)
{
    struct simulation *sim = calloc(1, sizeof(*sim));

    assert_non_null(sim);
    sim->w = world_create(lanes, false);
    sim->random.state = 11;
    sim->count = count;
    sim->lanes = lanes;
    sim->host_max = host_max;
    sim->most_out = SIZE_MAX;
    sim->longest_ms = 200;
    for (size_t i = 0; i < hosts; i++)
        snprintf(sim->hosts[i], sizeof(sim->hosts[i]), "h%zu:80", i);
    for (size_t i = 0; i < count; i++) {
        snprintf(sim->subjects[i].name, sizeof(sim->subjects[i].name), "s%zu", i);
        sim->sources[i] = source_like(sim->subjects[i].name, sim->hosts[i % hosts], interval_ms);
    }
    return sim;
}

static void simulation_configure(struct simulation *sim)
{
    sim->policy.max_concurrent = sim->host_max;
    for (size_t i = 0; i < sim->count; i++)
        sim->sources[i].host_policy = &sim->policy;
    world_configure(sim->w, sim->sources, sim->count, sim->host_max, -1);
}

static void release_host(struct simulation *sim, struct subject *subject)
{
    if (subject->in_flight)
        sim->in_flight[host_number(subject->out->source)]--;
    subject->in_flight = false;
}

static void start(struct simulation *sim, struct run *run)
{
    struct subject *subject = &sim->subjects[run->source_id - 1];
    size_t host = host_number(run->source);

    assert_string_equal(run->source->name, subject->name);
    assert_null(subject->out); /* never two runs of one source */
    subject->out = run;
    subject->in_flight = true;
    subject->ends_ms = sim->w->now.monotonic_ms + random_upto(&sim->random, sim->longest_ms);
    sim->out++;
    sim->in_flight[host]++;
    assert_true(sim->in_flight[host] <= sim->host_max);
    if (run->attempt == 0) {
        subject->polls++;
        assert_true(run->scheduled_at_ms <= sim->w->now.wall_ms);
        assert_true(run->scheduled_at_ms > subject->last_slot_ms);
        subject->last_slot_ms = run->scheduled_at_ms;
    }
}

static bool one_in(struct simulation *sim, unsigned n)
{
    return n > 0 && random_upto(&sim->random, n - 1) == 0;
}

static void end(struct simulation *sim, struct subject *subject)
{
    struct run *run = subject->out;
    int64_t delay_ms = -1;

    release_host(sim, subject);
    run->retryable = true;
    if (one_in(sim, sim->retry_one_in))
        delay_ms = schedule_retry_delay(sim->w->schedule, run);
    subject->out = NULL;
    sim->out--;
    if (delay_ms >= 0)
        schedule_retry(sim->w->schedule, run, sim->w->now, delay_ms);
    else
        world_finish(sim->w, run, one_in(sim, sim->fail_one_in) ? RUN_FAILED_STATUS : RUN_OK);
}

static void step(struct simulation *sim, int64_t ms)
{
    for (size_t i = 0; i < MOST_SOURCES; i++) {
        struct subject *subject = &sim->subjects[i];

        if (subject->out != NULL && subject->ends_ms <= sim->w->now.monotonic_ms)
            end(sim, subject);
    }
    for (unsigned lane = 0; lane < sim->lanes; lane++) {
        struct run *run;

        while (sim->out < sim->most_out && (run = world_take(sim->w, lane)) != NULL)
            start(sim, run);
    }
    assert_int_equal(schedule_stats(sim->w->schedule, sim->w->now).out, sim->out);
    world_pass(sim->w, ms);
}

static void simulation_free(struct simulation *sim)
{
    for (size_t i = 0; i < MOST_SOURCES; i++) {
        if (sim->subjects[i].out != NULL)
            schedule_return(sim->w->schedule, sim->subjects[i].out, false, sim->w->now);
    }
    assert_int_equal(schedule_wait_idle(sim->w->schedule, 0), 0);
    world_free(sim->w);
    free(sim);
}

static void every_slot_is_polled_when_there_is_capacity(void **state)
{
    enum { MINUTES = 30 };
    struct simulation *sim = simulation_create(100, 20, 3, 5, 0);
    int64_t began_ms = sim->w->now.wall_ms;

    (void)state;
    for (size_t i = 0; i < sim->count; i++)
        sim->sources[i].interval_ms = SECOND + random_upto(&sim->random, 20 * SECOND);
    simulation_configure(sim);
    sim->longest_ms = 800; /* below the shortest interval, though 5 of a host wait for each other */
    while (sim->w->now.wall_ms < began_ms + MINUTES * MINUTE)
        step(sim, 10);
    for (size_t i = 0; i < sim->count; i++) {
        struct slot_grid grid =
            slot_grid(map_hash(sim->subjects[i].name), sim->sources[i].interval_ms);
        int64_t slots = slot_count(grid, began_ms, sim->w->now.wall_ms);

        /* One at the start; a slot within that first run is skipped, the last may be to come. */
        assert_in_range(sim->subjects[i].polls, slots - 1, slots + 1);
    }
    simulation_free(sim);
}

static void nobody_starves_when_a_host_can_serve_half_of_what_is_due(void **state)
{
    struct simulation *sim = simulation_create(60, 3, 1, 1, SECOND);
    unsigned least = UINT32_MAX;
    unsigned most = 0;

    (void)state;
    simulation_configure(sim);
    sim->longest_ms = 200; /* 20 sources a second, 10 polls a second */
    for (int i = 0; i < 60000; i++)
        step(sim, 10);
    for (size_t i = 0; i < sim->count; i++) {
        least = sim->subjects[i].polls < least ? sim->subjects[i].polls : least;
        most = sim->subjects[i].polls > most ? sim->subjects[i].polls : most;
    }
    assert_true(least >= 250);
    assert_true(most - least <= most / 5);
    simulation_free(sim);
}

static void check_nobody_starves_in_little_room(size_t hosts, size_t most_out)
{
    struct simulation *sim = simulation_create(60, hosts, 1, 1, SECOND);
    unsigned least = UINT32_MAX;
    unsigned most = 0;

    simulation_configure(sim);
    sim->most_out = most_out;
    sim->longest_ms = 50;
    for (int i = 0; i < 100000; i++)
        step(sim, 10);
    for (size_t i = 0; i < sim->count; i++) {
        least = sim->subjects[i].polls < least ? sim->subjects[i].polls : least;
        most = sim->subjects[i].polls > most ? sim->subjects[i].polls : most;
    }
    assert_true(least >= 400);
    assert_true(most - least <= most / 5);
    simulation_free(sim);
}

static void nobody_starves_when_the_fetcher_has_little_room(void **state)
{
    (void)state;
    check_nobody_starves_in_little_room(15, 1); /* every host is free */
    check_nobody_starves_in_little_room(5, 3);  /* some are busy, and have lines */
}

/* Fast enough for everybody to stay alive. */
static const struct rate_limit some_limits[] = {
    {"x", 20, SECOND, 1},
    {"y", 50, SECOND, 20},
};

static void change_rules(struct simulation *sim, struct source *source)
{
    static const struct rate_limit *const limits[] = {NULL, &some_limits[0], &some_limits[1]};

    source->rate_limit = limits[random_upto(&sim->random, 2)];
    sim->policy.min_spacing_ms = random_upto(&sim->random, 20);
}

static void change_something(struct simulation *sim)
{
    size_t i = (size_t)random_upto(&sim->random, (int64_t)sim->count - 1);

    switch (random_upto(&sim->random, 6)) {
    case 0:
        sim->sources[i].host = sim->hosts[random_upto(&sim->random, 4)];
        break;
    case 1:
        sim->sources[i].interval_ms = 300 + random_upto(&sim->random, 5 * SECOND);
        break;
    case 2:
        sim->sources[i].enabled = !sim->sources[i].enabled;
        break;
    case 3:
        sim->sources[i].jitter_ms = random_upto(&sim->random, 100);
        break;
    case 4:
        sim->lanes = 1 + (unsigned)random_upto(&sim->random, MOST_LANES - 1);
        assert_int_equal(schedule_set_lanes(sim->w->schedule, sim->lanes, NULL), 0);
        break;
    case 5:
        change_rules(sim, &sim->sources[i]);
        break;
    default:
        /* Lower only when few are out: those above a new limit are allowed to end. */
        sim->host_max =
            sim->out == 0 ? 1 + (unsigned)random_upto(&sim->random, 3) : sim->host_max + 1;
        break;
    }
}

/* Reloads, retries, failures, moves, lanes that come and go, and the clock: the promises hold. */
static void whatever_changes_runs_never_overlap_and_hosts_are_never_crowded(void **state)
{
    struct simulation *sim = simulation_create(80, 5, 2, 2, SECOND);

    (void)state;
    sim->retry_one_in = 4;
    sim->fail_one_in = 3;
    for (size_t i = 0; i < sim->count; i++)
        sim->sources[i].max_interval_ms = 8 * SECOND;
    for (int i = 0; i < 4000; i++) {
        change_something(sim);
        simulation_configure(sim);
        for (size_t k = 0; k < sim->count; k++)
            sim->subjects[k].last_slot_ms = 0; /* enabled again: due now, whatever was before */
        for (int64_t steps = random_upto(&sim->random, 30); steps > 0; steps--)
            step(sim, random_upto(&sim->random, 150));
    }
    for (size_t i = 0; i < sim->count; i++)
        sim->sources[i].enabled = true;
    sim->host_max = 80;
    sim->fail_one_in = 0;
    simulation_configure(sim);
    for (size_t i = 0; i < sim->count; i++)
        sim->subjects[i].polls = 0;
    for (int i = 0; i < 4000; i++)
        step(sim, 10);
    for (size_t i = 0; i < sim->count; i++)
        assert_true(sim->subjects[i].polls >= 4); /* all are alive at the end */
    simulation_free(sim);
}

/* --- 100,000 sources --- */

enum { MANY = 100000, MANY_HOSTS = 5000, POLLS_EACH = 11 };

static struct source *many_sources(char (*names)[32])
{
    struct source *sources = calloc(MANY, sizeof(*sources));

    assert_non_null(sources);
    for (int i = 0; i < MANY_HOSTS; i++)
        snprintf(names[i], sizeof(names[i]), "h%d:80", i);
    for (int i = 0; i < MANY; i++) {
        char *name = names[MANY_HOSTS + i];

        snprintf(name, sizeof(names[i]), "s%d", i);
        sources[i] = source_like(name, names[i % MANY_HOSTS], MINUTE);
    }
    return sources;
}

static uint64_t poll_all_until(struct world *w, int64_t end_ms)
{
    uint64_t polls = 0;

    while (w->now.monotonic_ms <= end_ms) {
        int64_t wait_ms = INT64_MAX;

        for (unsigned lane = 0; lane < 2; lane++) {
            struct run *run;

            while ((run = world_take(w, lane)) != NULL) {
                assert_int_equal(run->skipped, 0);
                world_finish(w, run, RUN_OK);
                polls++;
            }
            wait_ms = w->wait_ms < wait_ms ? w->wait_ms : wait_ms;
        }
        assert_true(wait_ms > 0);
        world_pass(w, wait_ms);
    }
    return polls;
}

static void a_hundred_thousand_sources_cost_a_few_dozen_comparisons_a_poll(void **state)
{
    char(*names)[32] = calloc(MANY + MANY_HOSTS, sizeof(*names));
    struct world *w = world_create(2, false);
    struct source *sources = many_sources(names);
    int64_t began_us = clock_monotonic_us();
    uint64_t comparisons = 0;
    int64_t configured_us;
    uint64_t polls;
    int64_t polled_us;

    (void)state;
    world_configure(w, sources, MANY, 2, -1);
    world_configure(w, sources, MANY, 2, -1); /* and a reload */
    configured_us = clock_monotonic_us();
    polls = poll_all_until(w, w->now.monotonic_ms + (POLLS_EACH - 1) * MINUTE);
    polled_us = clock_monotonic_us();
    for (unsigned lane = 0; lane < 2; lane++)
        comparisons += w->schedule->lanes[lane].heap.comparisons;
    assert_in_range(polls, (uint64_t)MANY * POLLS_EACH - MANY / 1000, (uint64_t)MANY * POLLS_EACH);
    assert_true(comparisons / polls <= 50);
    world_free(w);
    print_message("configured twice in %lld ms; %llu polls, %lld ns and %llu comparisons each; "
                  "freed in %lld ms\n",
                  (long long)(configured_us - began_us) / 1000, (unsigned long long)polls,
                  (long long)((polled_us - configured_us) * 1000 / (int64_t)polls),
                  (unsigned long long)(comparisons / polls),
                  (long long)(clock_monotonic_us() - polled_us) / 1000);
    /* Several times what sanitizers take on a busy machine; quadratic work takes hours. */
    assert_true(clock_monotonic_us() - began_us < 200LL * 1000 * 1000);
    free(sources);
    free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_slot_is_polled_when_there_is_capacity),
        cmocka_unit_test(nobody_starves_when_a_host_can_serve_half_of_what_is_due),
        cmocka_unit_test(nobody_starves_when_the_fetcher_has_little_room),
        cmocka_unit_test(whatever_changes_runs_never_overlap_and_hosts_are_never_crowded),
        cmocka_unit_test(a_hundred_thousand_sources_cost_a_few_dozen_comparisons_a_poll),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
