/* A run of many pages through the whole pipeline: what is counted, and what is said once. */
#include "test.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gatherd/pipeline.h"
#include "http_server.h"

#define PAGES       50
#define PATIENCE_MS (60 * 1000)

struct world {
    struct http_server *server;
    char folder[32];
    atomic_int broken_page; /* this one is no JSON; 0: none */
    atomic_int reports;
    struct tally total; /* of the last run reported */
    unsigned requests;
    enum run_failure failure;
};

static bool answer(int fd, const struct http_request *request, void *context)
{
    struct world *w = context;
    const char *query = strstr(request->target, "page=");
    int page = query != NULL ? atoi(query + 5) : 1;
    char headers[200] = "Content-Type: application/json\r\n";
    char body[100];

    if (page < PAGES)
        snprintf(headers, sizeof(headers),
                 "Content-Type: application/json\r\nLink: <?page=%d>; rel=\"next\"\r\n", page + 1);
    snprintf(body, sizeof(body), page == w->broken_page ? "[{" : "[{\"id\":%d},{\"id\":%d}]",
             2 * page, 2 * page + 1);
    http_reply(fd, 200, headers, body);
    return true;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    strcpy(w->folder, "/tmp/gatherd-test-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    w->server = http_server_start("127.0.0.1", answer, w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-lock"};
    struct world *w = *state;
    char path[128];

    http_server_stop(w->server);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        snprintf(path, sizeof(path), "%s/test.db%s", w->folder, suffixes[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(w->folder), 0);
    free(w);
    return 0;
}

static void note(void *context, const struct result *result)
{
    struct world *w = context;

    w->total = result->total;
    w->requests = result->run->requests;
    w->failure = result->run->failure;
    atomic_fetch_add(&w->reports, 1);
}

/* One run of one source, and what the pipeline has counted at its end. */
static struct pipeline_stats run_once(struct world *w)
{
    struct config_report report = {0};
    struct pipeline_options options = {.once = true, .committed = note, .context = w};
    struct pipeline_stats stats = {0};
    struct error err = {0};
    struct config *config;
    struct pipeline *p;
    char yaml[300];
    int length =
        snprintf(yaml, sizeof(yaml),
                 "database: %s/test.db\nsources:\n- {name: s, url: 'http://127.0.0.1:%u/', "
                 "pagination: {type: link_header}}\n",
                 w->folder, http_server_port(w->server));

    config = config_parse(yaml, (size_t)length, "test.yaml", w->folder, &report);
    assert_string_equal(text_string(&report.text), "");
    p = pipeline_start(config, &options, &err);
    assert_string_equal(err.text, "");
    config_unref(config);
    assert_true(pipeline_idle(p, PATIENCE_MS));
    assert_int_equal(pipeline_stop(p, &stats, &err), 0);
    config_report_free(&report);
    return stats;
}

static void each_page_is_a_response_and_all_of_them_one_run(void **state)
{
    struct world *w = *state;
    struct pipeline_stats stats = run_once(w);

    assert_int_equal(stats.received, PAGES);
    assert_int_equal(stats.committed, PAGES);
    assert_int_equal(stats.queued, 0);
    assert_int_equal(stats.in_work, 0);
    assert_int_equal(stats.requests, PAGES);
    assert_int_equal(stats.rows, 2 * PAGES);
    assert_int_equal(stats.failed, 0);
    assert_int_equal(w->reports, 1);
    assert_int_equal(w->total.inserted, 2 * PAGES);
    assert_int_equal(w->total.records, 2 * PAGES);
    assert_int_equal(w->requests, PAGES);
}

static void a_page_that_fails_ends_the_run(void **state)
{
    struct world *w = *state;
    struct pipeline_stats stats;

    w->broken_page = 20;
    stats = run_once(w);
    assert_int_equal(stats.received, 20);
    assert_int_equal(stats.committed, 20);
    assert_int_equal(stats.failed, 1);
    assert_int_equal(w->reports, 1);
    assert_int_equal(w->failure, RUN_FAILED_DECODE);
    assert_int_equal(w->total.inserted, 0);
    assert_int_equal(w->total.records, 38);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_page_is_a_response_and_all_of_them_one_run),
        TEST(a_page_that_fails_ends_the_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
