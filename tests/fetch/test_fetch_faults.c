/*
 * Every fault of the shared server at once, and correct answers beside them. Skipped where the
 * server is not on the machine.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faulty.h"
#include "fetch_rig.h"
#include "gatherd/clock.h"
#include "server.h"

#define MAX_PATHS 300

struct fault_path {
    const char *target;
    enum run_failure failure;
    const char *text; /* stands in the error; NULL: libcurl's words, which may change */
};

/* What is not here comes back as a success: what is wrong with it is in the body, for a decoder. */
static const struct fault_path table[] = {
    {"/auth", RUN_FAILED_STATUS, "HTTP 401 Unauthorized"},
    {"/hang", RUN_FAILED_TIMEOUT, NULL},
    {"/hang-random?p=1", RUN_FAILED_TIMEOUT, NULL},
    {"/slow-headers", RUN_FAILED_TIMEOUT, NULL},
    {"/slow-body", RUN_FAILED_TIMEOUT, NULL},
    {"/stall-body", RUN_FAILED_TIMEOUT, NULL},
    {"/stall-chunk", RUN_FAILED_TIMEOUT, NULL},
    {"/close", RUN_FAILED_NETWORK, NULL},
    {"/reset", RUN_FAILED_NETWORK, NULL},
    {"/reset-body", RUN_FAILED_NETWORK, NULL},
    {"/truncated", RUN_FAILED_NETWORK, NULL},
    {"/chunk-truncated", RUN_FAILED_NETWORK, NULL},
    {"/chunk-bad", RUN_FAILED_NETWORK, NULL},
    {"/chunk-huge-size", RUN_FAILED_NETWORK, NULL},
    {"/bad-length", RUN_FAILED_NETWORK, "Content-Length"},
    {"/negative-length", RUN_FAILED_NETWORK, "Content-Length"},
    {"/two-lengths", RUN_FAILED_NETWORK, "the answer has two Content-Length headers that disagree"},
    {"/huge-length", RUN_FAILED_LIMIT, "body larger than max_body_size (1MiB)"},
    {"/length-and-chunked", RUN_FAILED_NETWORK,
     "the answer has both Content-Length and Transfer-Encoding: chunked"},
    {"/garbage", RUN_FAILED_NETWORK, NULL},
    {"/http09", RUN_FAILED_NETWORK, NULL},
    {"/bad-status", RUN_FAILED_NETWORK, NULL},
    {"/header-huge", RUN_FAILED_LIMIT, "header"},
    {"/headers-endless", RUN_FAILED_LIMIT, "headers larger than 256 KiB"},
    {"/header-bad", RUN_FAILED_NETWORK, NULL},
    {"/informational?n=20000", RUN_FAILED_LIMIT, "headers larger than 256 KiB"},
    {"/endless", RUN_FAILED_LIMIT, "body larger than max_body_size (1MiB)"},
    {"/chunk-endless", RUN_FAILED_LIMIT, "body larger than max_body_size (1MiB)"},
    {"/huge", RUN_FAILED_LIMIT, "body larger than max_body_size (1MiB)"},
    {"/many?n=20000", RUN_FAILED_LIMIT, "body larger than max_body_size (1MiB)"},
    {"/status", RUN_FAILED_STATUS, "HTTP 500 Internal Server Error"},
    {"/429", RUN_FAILED_STATUS, "HTTP 429 Too Many Requests"},
    {"/503-date", RUN_FAILED_STATUS, "HTTP 503 Service Unavailable"},
    {"/burst", RUN_FAILED_STATUS, "HTTP 500 Internal Server Error"},
    {"/flaky?p=1", RUN_FAILED_STATUS, "HTTP 500 Internal Server Error"},
    {"/redirect-loop", RUN_FAILED_REDIRECT, "more redirects than max_redirects (5)"},
    {"/redirect-grow", RUN_FAILED_REDIRECT, "more redirects than max_redirects (5)"},
    {"/redirect-file", RUN_FAILED_REDIRECT, "redirect to a file address refused"},
    {"/redirect-scheme", RUN_FAILED_REDIRECT, "redirect to a gopher address refused"},
    {"/redirect-userinfo", RUN_FAILED_REDIRECT, "redirect to an address with a user name refused"},
    {"/redirect-nowhere", RUN_FAILED_REDIRECT, "redirect without a Location"},
    {"/gzip-bomb?mib=4", RUN_FAILED_LIMIT, "body larger than max_body_size (1MiB)"},
    {"/gzip-twice?mib=4", RUN_FAILED_LIMIT, "body larger than max_body_size (1MiB)"},
    {"/gzip-truncated", RUN_FAILED_NETWORK, "cannot be decoded: it is cut off"},
    {"/gzip-corrupt", RUN_FAILED_NETWORK, "cannot be decoded: incorrect data check"},
    {"/gzip-lie", RUN_FAILED_NETWORK, "cannot be decoded: incorrect header check"},
    {"/encoding-unknown", RUN_FAILED_NETWORK, "its Content-Encoding is not known here"},
    {"/json-wide", RUN_FAILED_LIMIT, "body larger than max_body_size (1MiB)"},
    {"/json-string", RUN_FAILED_LIMIT, "body larger than max_body_size (1MiB)"},
};

static bool has_path(const struct fault_path *row, const char *path)
{
    size_t length = strcspn(row->target, "?");

    return strlen(path) == length && strncmp(row->target, path, length) == 0;
}

static struct fault_path expected(char *path)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (has_path(&table[i], path))
            return table[i];
    }
    return (struct fault_path){path, RUN_OK, NULL};
}

/* The paths that the server lists, without those that control it. */
static size_t list_paths(char paths[MAX_PATHS][64])
{
    char tool[1000];
    char command[1100];
    char line[400];
    size_t count = 0;
    FILE *list;

    server_shared_tool("faulty_server.py", tool, sizeof(tool));
    snprintf(command, sizeof(command), "python3 '%s' --list", tool);
    list = popen(command, "r");
    assert_non_null(list);
    while (fgets(line, sizeof(line), list) != NULL) {
        if (line[0] == '/' && line[1] != '_' && count < MAX_PATHS)
            sscanf(line, "%63s", paths[count++]);
    }
    assert_int_equal(pclose(list), 0);
    return count;
}

static struct source *source_for(struct rig *rig, unsigned port, const char *target)
{
    char url[300];
    struct source *source;

    snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", port, target);
    source = rig_source(rig, url);
    source->host_gap_ms = 100000; /* a connection each: no fault reaches into another's */
    return source;
}

static void check(const struct fault_path *want, const struct run *run)
{
    if (run->failure != want->failure)
        fail_msg("%s: failure %s (%s)", want->target,
                 run->failure == RUN_OK ? "none" : run_failure_name(run->failure),
                 run->error == NULL ? "" : run->error);
    if (want->failure == RUN_OK)
        return;
    if (run->error == NULL || (want->text != NULL && strstr(run->error, want->text) == NULL))
        fail_msg("%s: %s", want->target, run->error == NULL ? "no error text" : run->error);
    if (run->failure == RUN_FAILED_STATUS)
        assert_non_null(run->response.body);
    else
        assert_null(run->response.body);
    if (run->failure == RUN_FAILED_LIMIT || run->failure == RUN_FAILED_REDIRECT)
        assert_false(run->retryable);
    else if (run->response.status != 401)
        assert_true(run->retryable);
}

static void every_fault_is_told_and_hurts_no_other(void **state)
{
    static char paths[MAX_PATHS][64];
    static struct run *runs[MAX_PATHS];
    struct faulty *faulty = *state;
    struct rig *rig = rig_start(&(struct rig_options){.max_in_flight = 120});
    size_t count = list_paths(paths);
    int64_t start_ms = clock_monotonic_ms();

    assert_true(count > 50);
    for (size_t i = 0; i < count; i++) {
        struct source *source = source_for(rig, faulty->http, expected(paths[i]).target);

        source->timeout_ms = 5000;
        runs[i] = rig_add(rig, source);
    }
    for (size_t i = 0; i < 20; i++)
        runs[count + i] = rig_add(rig, source_for(rig, faulty->http, "/ok"));
    for (size_t i = 0; i < count + 20; i++)
        rig_get(rig);
    for (size_t i = 0; i < count; i++) {
        struct fault_path want = expected(paths[i]);

        check(&want, runs[i]);
    }
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(runs[count + i]->failure, RUN_OK);
    assert_true(clock_monotonic_ms() - start_ms < 60000);
    rig_end(rig);
}

static void assert_waits(struct rig *rig, unsigned port, const char *target, int64_t low,
                         int64_t high)
{
    struct run *run = rig_add(rig, source_for(rig, port, target));

    rig_get(rig);
    assert_int_equal(run->failure, RUN_FAILED_STATUS);
    if (run->retry_after_ms < low || run->retry_after_ms > high)
        fail_msg("%s: %lld ms", target, (long long)run->retry_after_ms);
}

static void what_the_server_asks_for_is_understood(void **state)
{
    struct faulty *faulty = *state;
    struct rig *rig = rig_start(&(struct rig_options){0});

    assert_waits(rig, faulty->http, "/429?after=2", 2000, 2000);
    assert_waits(rig, faulty->http, "/429?after=junk", -1, -1);
    assert_waits(rig, faulty->http, "/429?after=-3", 0, 0);
    assert_waits(rig, faulty->http, "/503-date?in=3000", 2900000, 3000000);
    assert_waits(rig, faulty->http, "/503-date?in=-3000", 0, 0);
    assert_waits(rig, faulty->http, "/status?code=500", -1, -1);
    rig_end(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_is_told_and_hurts_no_other),
        cmocka_unit_test(what_the_server_asks_for_is_understood),
    };

    return faulty_run_tests(tests, sizeof(tests) / sizeof(tests[0]), false);
}
