/*
 * The schedule as the daemon uses it: a thread a lane takes runs and sleeps until it is woken,
 * others plan and give back, and one reloads. A lost wake-up shows as polls that do not come.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "config_builder.h"
#include "gatherd/schedule.h"
#include "schedule/random.h"

enum { LANES = 4, PROCESSORS = 3, SOURCES = 64, HOSTS = 16, HOST_MAX = 2, POLLS = 5000 };

#define ENOUGH_MS (120 * 1000)

struct house;

struct lane_thread {
    struct house *house;
    pthread_t thread;
    unsigned number;
    pthread_mutex_t mutex; /* guards woken */
    pthread_cond_t wake;
    bool woken;
};

struct house {
    struct schedule *schedule;
    struct lane_thread lanes[LANES];
    pthread_t processors[PROCESSORS];
    atomic_bool stop;
    bool quotas; /* some answers say that nothing is left for a moment */
    atomic_uint polls;
    atomic_uint overlaps; /* of one source */
    atomic_uint crowded;  /* hosts with too many */
    atomic_int source_out[SOURCES];
    atomic_int host_in_flight[HOSTS];

    pthread_mutex_t mutex; /* guards what is on its way to the processors */
    pthread_cond_t filled;
    struct run *waiting[SOURCES];
    size_t waiting_count;
};

static void wake_lane(void *context, unsigned number)
{
    struct lane_thread *lane = &((struct house *)context)->lanes[number];

    pthread_mutex_lock(&lane->mutex);
    lane->woken = true;
    pthread_cond_signal(&lane->wake);
    pthread_mutex_unlock(&lane->mutex);
}

static void sleep_until_woken(struct lane_thread *lane, int64_t wait_ms)
{
    struct timespec deadline = clock_deadline(wait_ms < 0 ? ENOUGH_MS : wait_ms);
    int rc = 0;

    pthread_mutex_lock(&lane->mutex);
    while (!lane->woken && rc == 0)
        rc = pthread_cond_clockwait(&lane->wake, &lane->mutex, CLOCK_MONOTONIC, &deadline);
    lane->woken = false;
    pthread_mutex_unlock(&lane->mutex);
}

static void hand_over(struct house *house, struct run *run)
{
    pthread_mutex_lock(&house->mutex);
    house->waiting[house->waiting_count++] = run;
    pthread_cond_signal(&house->filled);
    pthread_mutex_unlock(&house->mutex);
}

static void transfer(struct house *house, struct run *run, struct random *random)
{
    size_t host = (size_t)atoi(run->source->host + 1);
    int64_t delay_ms = -1;

    if (atomic_fetch_add(&house->source_out[run->source_id - 1], 1) != 0)
        atomic_fetch_add(&house->overlaps, 1);
    if (atomic_fetch_add(&house->host_in_flight[host], 1) >= HOST_MAX)
        atomic_fetch_add(&house->crowded, 1);
    run->requests++;
    run->quota_wait_ms = house->quotas && random_upto(random, 99) == 0 ? 5 : -1;
    schedule_heed(house->schedule, run, clock_now(), &delay_ms);
    run->retryable = random_upto(random, 4) == 0;
    delay_ms = schedule_retry_delay(house->schedule, run);
    atomic_fetch_sub(&house->host_in_flight[host], 1);
    if (delay_ms >= 0) {
        atomic_fetch_sub(&house->source_out[run->source_id - 1], 1);
        schedule_retry(house->schedule, run, clock_now(), delay_ms);
        return;
    }
    schedule_transfer_ended(house->schedule, run);
    hand_over(house, run);
}

static void *fetch(void *argument)
{
    struct lane_thread *lane = argument;
    struct house *house = lane->house;
    struct random random = {lane->number};

    while (!house->stop) {
        int64_t wait_ms;
        struct run *run = schedule_take(house->schedule, lane->number, clock_now(), &wait_ms);

        if (run != NULL)
            transfer(house, run, &random);
        else
            sleep_until_woken(lane, wait_ms);
    }
    return NULL;
}

static struct run *next_to_process(struct house *house)
{
    struct run *run = NULL;

    pthread_mutex_lock(&house->mutex);
    while (house->waiting_count == 0 && !house->stop)
        pthread_cond_wait(&house->filled, &house->mutex);
    if (house->waiting_count > 0)
        run = house->waiting[--house->waiting_count];
    pthread_mutex_unlock(&house->mutex);
    return run;
}

static void *process(void *argument)
{
    struct house *house = argument;
    struct run *run;

    while ((run = next_to_process(house)) != NULL) {
        unsigned number = atomic_fetch_add(&house->polls, 1);

        if (number % 7 == 0)
            run_fail(run, RUN_FAILED_STATUS, "status 500");
        schedule_plan(house->schedule, run, clock_now());
        atomic_fetch_sub(&house->source_out[run->source_id - 1], 1);
        schedule_return(house->schedule, run, number % 50 != 0, clock_now());
    }
    return NULL;
}

/* Every `one_in`-th source is under a rate limit of so many requests a second. */
static void configure(struct house *house, int64_t interval_ms, int one_in, unsigned a_second)
{
    static const char *const hosts[HOSTS] = {
        "h0:80", "h1:80", "h2:80",  "h3:80",  "h4:80",  "h5:80",  "h6:80",  "h7:80",
        "h8:80", "h9:80", "h10:80", "h11:80", "h12:80", "h13:80", "h14:80", "h15:80",
    };
    const struct rate_limit limit = {"shared", a_second, 1000, 1};
    static const struct retry_policy quick = {.max_attempts = 3, .base_ms = 2, .cap_ms = 60000};
    struct source sources[SOURCES];
    struct source_state states[SOURCES];
    char names[SOURCES][32];
    struct config *config;

    for (int i = 0; i < SOURCES; i++) {
        snprintf(names[i], sizeof(names[i]), "s%d", i);
        sources[i] = source_like(names[i], hosts[i % HOSTS], interval_ms);
        sources[i].max_interval_ms = 4 * interval_ms;
        sources[i].retry = &quick;
        if (i % one_in == 0) /* on every lane */
            sources[i].rate_limit = &limit;
        states[i] = (struct source_state){.id = i + 1, .next_due_ms = -1};
    }
    config = config_build(sources, SOURCES, HOST_MAX);
    assert_int_equal(
        schedule_configure(house->schedule, config, states, NULL, 0, clock_now(), NULL), 0);
    config_unref(config);
}

static void start(struct house *house)
{
    struct schedule_options options = {
        .lanes = LANES, .seed = 1, .wake = wake_lane, .wake_context = house};

    house->schedule = schedule_create(&options, NULL);
    assert_non_null(house->schedule);
    pthread_mutex_init(&house->mutex, NULL);
    pthread_cond_init(&house->filled, NULL);
    for (unsigned i = 0; i < LANES; i++) {
        struct lane_thread *lane = &house->lanes[i];

        lane->house = house;
        lane->number = i;
        pthread_mutex_init(&lane->mutex, NULL);
        pthread_cond_init(&lane->wake, NULL);
    }
    for (unsigned i = 0; i < LANES; i++)
        assert_int_equal(pthread_create(&house->lanes[i].thread, NULL, fetch, &house->lanes[i]), 0);
    for (unsigned i = 0; i < PROCESSORS; i++)
        assert_int_equal(pthread_create(&house->processors[i], NULL, process, house), 0);
}

static void stop(struct house *house)
{
    schedule_stop(house->schedule);
    assert_int_equal(schedule_wait_idle(house->schedule, ENOUGH_MS), 0);
    house->stop = true;
    for (unsigned i = 0; i < LANES; i++) {
        wake_lane(house, i);
        pthread_join(house->lanes[i].thread, NULL);
        pthread_mutex_destroy(&house->lanes[i].mutex);
        pthread_cond_destroy(&house->lanes[i].wake);
    }
    pthread_mutex_lock(&house->mutex);
    pthread_cond_broadcast(&house->filled);
    pthread_mutex_unlock(&house->mutex);
    for (unsigned i = 0; i < PROCESSORS; i++)
        pthread_join(house->processors[i], NULL);
    schedule_free(house->schedule);
    pthread_mutex_destroy(&house->mutex);
    pthread_cond_destroy(&house->filled);
}

static void lanes_and_processors_share_the_schedule(void **state)
{
    struct house *house = calloc(1, sizeof(*house));
    int64_t deadline_ms = clock_monotonic_ms() + ENOUGH_MS;
    struct random random = {6};

    (void)state;
    assert_non_null(house);
    house->quotas = true;
    start(house);
    configure(house, 20, 3, 500);
    while (house->polls < POLLS && clock_monotonic_ms() < deadline_ms) {
        struct timespec pause = {0, 5 * 1000 * 1000};

        nanosleep(&pause, NULL);
        configure(house, 10 + random_upto(&random, 20), 3, 500);
        schedule_stats(house->schedule, clock_now());
    }
    stop(house);
    assert_true(house->polls >= POLLS);
    assert_int_equal(house->overlaps, 0);
    assert_int_equal(house->crowded, 0);
    free(house);
}

/*
 * Nothing but the limit and its wake-ups moves them: were one lost, a lane would get its turn 10 ms
 * later, which is 20 times as long as it has to take.
 */
static void lanes_share_a_rate_limit_without_losing_a_turn(void **state)
{
    enum { A_SECOND = 2000 };
    struct house *house = calloc(1, sizeof(*house));
    int64_t began_ms = clock_monotonic_ms();

    (void)state;
    assert_non_null(house);
    house->quotas = false;
    start(house);
    configure(house, 10, 1, A_SECOND);
    while (house->polls < A_SECOND && clock_monotonic_ms() < began_ms + ENOUGH_MS) {
        struct timespec pause = {0, 5 * 1000 * 1000};

        nanosleep(&pause, NULL);
    }
    assert_in_range(clock_monotonic_ms() - began_ms, 500, 10 * 1000);
    stop(house);
    assert_int_equal(house->overlaps, 0);
    free(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_and_processors_share_the_schedule),
        cmocka_unit_test(lanes_share_a_rate_limit_without_losing_a_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
