#include "test.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gatherd/clock.h"
#include "gatherd/fetcher.h"
#include "gatherd/pipeline.h"
#include "gatherd/store.h"
#include "gatherd/text.h"
#include "http_server.h"
#include "thread_start.h"

#define PATIENCE_MS (30 * 1000)
#define SOURCES     8

/* A server, a folder for the database, and what the pipeline reported. */
struct world {
    struct http_server *server;
    atomic_bool hold; /* answers wait while it is set */
    char folder[32];
    char database[64];
    atomic_uint_fast64_t reports;
    atomic_uint_fast64_t rows;
    atomic_uint_fast64_t failed;
};

static bool answer(int fd, const struct http_request *request, void *context)
{
    struct world *w = context;

    while (atomic_load(&w->hold))
        usleep(1000);
    if (strncmp(request->target, "/broken", 7) == 0)
        http_reply(fd, 200, "Content-Type: application/json\r\n", "[{\"a\": ");
    else
        http_reply(fd, 200, "Content-Type: application/json\r\n",
                   "[{\"id\": 1, \"value\": 2.5}, {\"id\": 2, \"value\": null}]");
    return true;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    strcpy(w->folder, "/tmp/gatherd-test-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->database, sizeof(w->database), "%s/test.db", w->folder);
    w->server = http_server_start("127.0.0.1", answer, w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-lock"};
    struct world *w = *state;
    char path[128];

    thread_start_stop_failing();
    atomic_store(&w->hold, false);
    http_server_stop(w->server);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", w->database, suffixes[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(w->folder), 0);
    free(w);
    return 0;
}

/* `settings` are lines of YAML for the top level; SOURCES sources at `path`. */
static struct config *configure(const struct world *w, const char *settings, const char *path,
                                const char *interval)
{
    struct config_report report = {0};
    struct text yaml = {0};
    struct config *config;

    text_format(&yaml, "database: %s\nhosts: {max_concurrent: 100}\n%s\nsources:\n", w->database,
                settings);
    for (int i = 0; i < SOURCES; i++)
        text_format(&yaml, "  - {name: s%d, url: 'http://127.0.0.1:%u%s', interval: %s}\n", i,
                    http_server_port(w->server), path, interval);
    config = config_parse(text_string(&yaml), yaml.length, "test.yaml", w->folder, &report);
    assert_string_equal(text_string(&report.text), "");
    config_report_free(&report);
    text_free(&yaml);
    return config;
}

static void count_report(void *context, const struct result *result)
{
    struct world *w = context;

    atomic_fetch_add(&w->rows, result->inserted);
    atomic_fetch_add(&w->failed, result->run->failure != RUN_OK);
    atomic_fetch_add(&w->reports, 1);
}

static struct pipeline *try_start(struct world *w, struct config *config,
                                  struct pipeline_options options, struct error *err)
{
    struct pipeline *p;

    options.committed = count_report;
    options.context = w;
    p = pipeline_start(config, &options, err);
    config_unref(config);
    return p;
}

static struct pipeline *start(struct world *w, struct config *config)
{
    struct error err = {0};
    struct pipeline *p = try_start(w, config, (struct pipeline_options){0}, &err);

    assert_string_equal(err.text, "");
    assert_non_null(p);
    return p;
}

static struct pipeline_stats stop(struct pipeline *p)
{
    struct pipeline_stats stats = {0};
    struct error err = {0};

    assert_int_equal(pipeline_stop(p, &stats, &err), 0);
    assert_string_equal(err.text, "");
    return stats;
}

static void tick(struct pipeline *p)
{
    struct error err = {0};

    assert_int_equal(pipeline_tick(p, &err), 0);
}

static void wait_for_reports(struct world *w, uint64_t more)
{
    uint64_t wanted = atomic_load(&w->reports) + more;
    int64_t end = clock_monotonic_ms() + PATIENCE_MS;

    while (atomic_load(&w->reports) < wanted) {
        assert_true(clock_monotonic_ms() < end);
        usleep(1000);
    }
}

static void wait_for_threads(struct pipeline *p, unsigned fetchers, unsigned processors)
{
    int64_t end = clock_monotonic_ms() + PATIENCE_MS;

    while (thread_count("fetcher-") != fetchers || thread_count("processor-") != processors) {
        assert_true(clock_monotonic_ms() < end);
        tick(p);
        usleep(10000);
    }
}

static void assert_no_threads(void)
{
    assert_int_equal(thread_count("fetcher-"), 0);
    assert_int_equal(thread_count("processor-"), 0);
}

static void reload(struct pipeline *p, struct config *config)
{
    struct error err = {0};

    assert_int_equal(pipeline_reload(p, config, &err), 0);
    config_unref(config);
}

/* --- Start and stop. --- */

static void it_polls_from_start_to_stop_and_counts_what_it_did(void **state)
{
    struct world *w = *state;
    struct pipeline *p = start(w, configure(w, "fetchers: 3\nprocessors: 2", "/", "100ms"));
    struct pipeline_stats stats;

    wait_for_reports(w, 5 * SOURCES);
    assert_true(pipeline_is_alive(p, PATIENCE_MS));
    assert_int_equal(pipeline_stats(p).sources, SOURCES);
    stats = stop(p);
    assert_no_threads();
    assert_int_equal(stats.received, atomic_load(&w->reports));
    assert_int_equal(stats.committed, stats.received);
    assert_int_equal(stats.requests, http_server_requests(w->server));
    assert_int_equal(stats.rows, atomic_load(&w->rows));
    assert_int_equal(stats.rows, 2 * stats.committed);
    assert_int_equal(stats.queued + stats.in_work + stats.in_flight + stats.failed, 0);
    assert_in_range(stats.peak_queue_items, 1, SOURCES + 3); /* each fetcher reserves one ahead */
}

static void every_thread_runs_when_start_returns(void **state)
{
    struct world *w = *state;
    struct pipeline *p = start(w, configure(w, "fetchers: 6\nprocessors: 5", "/", "1h"));

    assert_int_equal(thread_count("fetcher-"), 6);
    assert_int_equal(thread_count("processor-"), 5);
    stop(p);
}

static void it_can_be_stopped_at_once(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 10; i++)
        stop(start(w, configure(w, "fetchers: 2", "/", "100ms")));
    assert_no_threads();
}

static void failed_runs_are_received_and_committed_like_others(void **state)
{
    struct world *w = *state;
    struct pipeline *p = start(w, configure(w, "", "/broken", "100ms"));
    struct pipeline_stats stats;

    wait_for_reports(w, 2 * SOURCES);
    assert_int_equal(pipeline_stats(p).failing, SOURCES);
    stats = stop(p);
    assert_int_equal(stats.committed, stats.received);
    assert_int_equal(stats.failed, stats.committed);
    assert_int_equal(atomic_load(&w->failed), stats.failed);
    assert_int_equal(stats.rows, 0);
}

static void the_counts_add_up_at_every_moment(void **state)
{
    struct world *w = *state;
    struct pipeline *p =
        start(w, configure(w, "processors: 3\nbatch: {max_rows: 4}", "/", "100ms"));
    int64_t end = clock_monotonic_ms() + 1000;
    uint64_t committed = 0;

    while (clock_monotonic_ms() < end) {
        struct pipeline_stats s = pipeline_stats(p);

        assert_int_equal(s.received, s.committed + s.queued + s.in_work);
        assert_true(s.in_work <= SOURCES && s.queued <= SOURCES); /* none wrapped below zero */
        assert_true(s.committed >= committed);
        committed = s.committed;
    }
    assert_true(committed > 0);
    stop(p);
}

static void transfers_in_flight_end_before_the_stop_and_are_committed(void **state)
{
    struct world *w = *state;
    struct pipeline_stats stats;
    struct pipeline *p;
    int64_t end = clock_monotonic_ms() + PATIENCE_MS;

    atomic_store(&w->hold, true);
    p = start(w, configure(w, "", "/", "1h"));
    while (pipeline_stats(p).in_flight < SOURCES) {
        assert_true(clock_monotonic_ms() < end);
        usleep(1000);
    }
    assert_int_equal(pipeline_stats(p).received, 0);
    atomic_store(&w->hold, false);
    stats = stop(p);
    assert_int_equal(stats.committed, SOURCES);
    assert_int_equal(stats.rows, 2 * SOURCES);
}

static void transfers_that_hang_are_given_up_at_the_stop(void **state)
{
    struct world *w = *state;
    struct pipeline_stats stats;
    struct pipeline *p;
    int64_t end = clock_monotonic_ms() + PATIENCE_MS;

    atomic_store(&w->hold, true);
    p = start(w, configure(w, "shutdown_timeout: 200ms", "/", "1h"));
    while (pipeline_stats(p).in_flight < SOURCES) {
        assert_true(clock_monotonic_ms() < end);
        usleep(1000);
    }
    stats = stop(p);
    assert_int_equal(stats.received, 0);
    assert_int_equal(stats.committed, 0);
}

/* --- Once. --- */

static void once_runs_each_source_one_time(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct pipeline *p =
        try_start(w, configure(w, "", "/", "100ms"), (struct pipeline_options){.once = true}, &err);
    struct pipeline_stats stats;

    assert_non_null(p);
    assert_true(pipeline_idle(p, PATIENCE_MS));
    stats = stop(p);
    assert_int_equal(stats.committed, SOURCES);
    assert_int_equal(http_server_requests(w->server), SOURCES);
}

static void once_runs_only_the_sources_named(void **state)
{
    static const char *const only[] = {"s3", "s5"};
    struct world *w = *state;
    struct error err = {0};
    struct pipeline_options options = {.once = true, .only = only, .only_count = 2};
    struct pipeline *p = try_start(w, configure(w, "", "/", "100ms"), options, &err);

    assert_non_null(p);
    assert_int_equal(pipeline_stats(p).sources, 2);
    assert_true(pipeline_idle(p, PATIENCE_MS));
    assert_int_equal(stop(p).committed, 2);
}

/* --- A start that fails. --- */

static void a_database_that_cannot_be_opened_starts_nothing(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    char database[sizeof(w->database)];

    strcpy(database, w->database);
    strcpy(w->database, "/nonexistent/test.db");
    assert_null(try_start(w, configure(w, "", "/", "100ms"), (struct pipeline_options){0}, &err));
    strcpy(w->database, database);
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
    assert_string_equal(err.text, "/nonexistent/test.db: folder /nonexistent: No such file or "
                                  "directory; create it, or choose another path");
    assert_no_threads();
}

static void a_database_in_use_starts_nothing_and_harms_nobody(void **state)
{
    struct world *w = *state;
    struct pipeline *p = start(w, configure(w, "", "/", "100ms"));
    struct error err = {0};

    assert_null(try_start(w, configure(w, "", "/", "100ms"), (struct pipeline_options){0}, &err));
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "is in use by another gatherd"));
    wait_for_reports(w, SOURCES);
    stop(p);
}

static void a_thread_that_does_not_start_undoes_the_whole_start(void **state)
{
    struct world *w = *state;
    const int threads = 3 + 4;

    for (int good = 0; good < threads; good++) {
        struct error err = {0};

        thread_start_fail_after(good);
        assert_null(try_start(w, configure(w, "fetchers: 4\nprocessors: 3", "/", "100ms"),
                              (struct pipeline_options){0}, &err));
        thread_start_stop_failing();
        assert_int_equal(err.code, ERROR_UNAVAILABLE);
        assert_non_null(strstr(err.text, "Resource temporarily unavailable"));
        assert_no_threads();
    }
    assert_int_equal(http_server_requests(w->server), 0); /* nothing begins before all can */
    thread_start_fail_after(threads);
    stop(start(w, configure(w, "fetchers: 4\nprocessors: 3", "/", "100ms")));
}

/* --- Reload. --- */

static void a_reload_grows_and_shrinks_the_threads(void **state)
{
    struct world *w = *state;
    struct pipeline *p = start(w, configure(w, "fetchers: 1\nprocessors: 1", "/", "100ms"));

    reload(p, configure(w, "fetchers: 5\nprocessors: 4", "/", "100ms"));
    wait_for_threads(p, 5, 4);
    wait_for_reports(w, 2 * SOURCES);
    reload(p, configure(w, "fetchers: 2\nprocessors: 1", "/", "100ms"));
    wait_for_threads(p, 2, 1);
    wait_for_reports(w, 2 * SOURCES);
    reload(p, configure(w, "fetchers: 2\nprocessors: 1\nmax_in_flight: 3", "/", "100ms"));
    wait_for_threads(p, 2, 1);
    wait_for_reports(w, 2 * SOURCES);
    stop(p);
    assert_no_threads();
}

static void a_stop_right_after_a_reload_loses_nothing(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 5; i++) {
        struct pipeline *p = start(w, configure(w, "fetchers: 4\nprocessors: 3", "/", "100ms"));
        struct pipeline_stats stats;
        uint64_t before = atomic_load(&w->reports);

        usleep((useconds_t)i * 20000);
        reload(p, configure(w, "fetchers: 1\nprocessors: 1\nmax_in_flight: 9", "/", "100ms"));
        stats = stop(p);
        assert_no_threads();
        assert_int_equal(stats.received, stats.committed);
        assert_true(atomic_load(&w->reports) >= before);
    }
    assert_int_equal(http_server_requests(w->server), atomic_load(&w->reports));
}

static void a_thread_that_does_not_start_leaves_everything_as_it_was_before_the_reload(void **state)
{
    struct world *w = *state;
    struct pipeline *p = start(w, configure(w, "fetchers: 2\nprocessors: 1", "/", "100ms"));

    for (int good = 0; good < 2 + 3; good++) {
        struct config *config = configure(w, "fetchers: 5\nprocessors: 3", "/broken", "100ms");
        struct error err = {0};

        thread_start_fail_after(good);
        assert_int_equal(pipeline_reload(p, config, &err), -1);
        thread_start_stop_failing();
        assert_int_equal(err.code, ERROR_UNAVAILABLE);
        config_unref(config);
        wait_for_reports(w, 2 * SOURCES);
        wait_for_threads(p, 2, 1);
    }
    assert_int_equal(atomic_load(&w->failed), 0);
    reload(p, configure(w, "fetchers: 5\nprocessors: 3", "/", "100ms"));
    wait_for_threads(p, 5, 3);
    wait_for_reports(w, 2 * SOURCES);
    stop(p);
    assert_int_equal(http_server_requests(w->server), atomic_load(&w->reports));
}

static void max_in_flight_that_cannot_change_leaves_the_old_fetchers(void **state)
{
    struct world *w = *state;
    struct pipeline *p = start(w, configure(w, "fetchers: 3", "/", "100ms"));

    for (int good = 0; good < 3; good++) {
        struct config *config = configure(w, "fetchers: 3\nmax_in_flight: 5", "/", "100ms");
        struct error err = {0};

        thread_start_fail_after(good);
        assert_int_equal(pipeline_reload(p, config, &err), -1);
        thread_start_stop_failing();
        config_unref(config);
        wait_for_reports(w, 2 * SOURCES);
        wait_for_threads(p, 3, 2);
    }
    stop(p);
    /* Nothing was given up on the way: each request became a run. */
    assert_int_equal(http_server_requests(w->server), atomic_load(&w->reports));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(it_polls_from_start_to_stop_and_counts_what_it_did),
        TEST(every_thread_runs_when_start_returns),
        TEST(it_can_be_stopped_at_once),
        TEST(failed_runs_are_received_and_committed_like_others),
        TEST(the_counts_add_up_at_every_moment),
        TEST(transfers_in_flight_end_before_the_stop_and_are_committed),
        TEST(transfers_that_hang_are_given_up_at_the_stop),
        TEST(once_runs_each_source_one_time),
        TEST(once_runs_only_the_sources_named),
        TEST(a_database_that_cannot_be_opened_starts_nothing),
        TEST(a_database_in_use_starts_nothing_and_harms_nobody),
        TEST(a_thread_that_does_not_start_undoes_the_whole_start),
        TEST(a_reload_grows_and_shrinks_the_threads),
        TEST(a_stop_right_after_a_reload_loses_nothing),
        TEST(a_thread_that_does_not_start_leaves_everything_as_it_was_before_the_reload),
        TEST(max_in_flight_that_cannot_change_leaves_the_old_fetchers),
    };
    struct error err = {0};
    int failed;

    if (fetcher_global_start(&err) == -1)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    fetcher_global_stop();
    return failed;
}
