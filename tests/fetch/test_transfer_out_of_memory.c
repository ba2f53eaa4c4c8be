/*
 * A transfer with one redirect, and the next page that its answer leads to, driven without a
 * thread, while each allocation of ours fails in turn.
 */
#include "test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocation.h"
#include "fetch/engine.h"
#include "fetch/transfer.h"
#include "http_server.h"

static char url[100];
static char host[40];
static char moved[100]; /* where the redirect leads */
static bool posting;    /* a body, which the redirect asks for again */

static bool handle(int fd, const struct http_request *request, void *context)
{
    (void)context;
    if (strcmp(request->target, "/?q=1") == 0 && strcmp(request->method, "POST") == 0)
        http_reply(fd, 307, "Location: /there\r\n", "moved");
    else if (strcmp(request->target, "/there") == 0 && strcmp(request->method, "POST") == 0)
        http_reply(fd, strcmp(request->body, "{\"a\":1}") == 0 ? 200 : 400,
                   "Content-Type: application/json\r\n", "[1,2,3]");
    else if (strcmp(request->target, "/?q=1") == 0)
        http_reply(fd, 302, "Location: /there\r\nContent-Type: text/plain\r\n", "moved");
    else
        http_reply(fd, 200, "Content-Type: application/json\r\nETag: \"a\"\r\n", "[1,2,3]");
    return true;
}

/* The server is another process, whose memory does not run out. */
static pid_t start_server(void)
{
    unsigned port = 0;
    int ready[2];
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        port = http_server_port(http_server_start("127.0.0.1", handle, NULL));
        if (write(ready[1], &port, sizeof(port)) == sizeof(port))
            pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &port, sizeof(port)), sizeof(port));
    close(ready[0]);
    close(ready[1]);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
    snprintf(moved, sizeof(moved), "http://127.0.0.1:%u/there", port);
    snprintf(host, sizeof(host), "127.0.0.1:%u", port);
    return pid;
}

static void perform(struct engine *engine, struct transfer *transfer, struct run *run)
{
    bool under_way = transfer_begin(transfer, run);

    while (under_way) {
        CURLcode code;

        engine_turn(engine, 100);
        while (under_way && engine_next_done(engine, &code) != NULL)
            under_way = transfer_go_on(transfer, code);
    }
}

/* To the page that a relative link leads to, which is redirected like the first. */
static bool go_on(struct run *run)
{
    assert_int_equal(run->pages->number, 1);
    if (pages_follow(run->pages, slice_of("/?q=1"), 0) == -1)
        return false;
    pages_advance(run->pages);
    run_clear_response(run);
    return true;
}

/* Whether the poll brought its answer; otherwise it failed cleanly, which is checked here. */
static bool poll_once(void)
{
    static const struct name_value params[] = {{"q", "1"}};
    static const struct name_value headers[] = {{"X-Key", "k"}};
    static const struct status_range success[] = {{200, 299}};
    static const struct pagination pagination = {.type = PAGINATION_LINK_HEADER, .max_pages = 9};
    static const struct request_body body = {.text = "{\"a\":1}", .is_json = true};
    const struct source source = {.name = "test",
                                  .url = url,
                                  .host = host,
                                  .params = params,
                                  .param_count = 1,
                                  .headers = headers,
                                  .header_count = 1,
                                  .method = posting ? METHOD_POST : METHOD_GET,
                                  .body = posting ? &body : NULL,
                                  .timeout_ms = 300,
                                  .connect_timeout_ms = 300,
                                  .max_body_bytes = 1000,
                                  .max_redirects = 3,
                                  .success = success,
                                  .success_count = 1,
                                  .conditional = true,
                                  .respect_cache = true,
                                  .pagination = &pagination};
    struct error err = {0};
    struct run run = {.source = &source};
    struct arena *scratch = arena_create(0);
    struct engine *engine = engine_create(4, &err);
    struct transfer *transfer = NULL;
    bool answered;

    if (engine == NULL || scratch == NULL) {
        assert_true(scratch == NULL || err.code == ERROR_NOMEM);
        engine_free(engine);
        arena_free(scratch);
        return false;
    }
    transfer = transfer_create(
        engine, &(struct transfer_options){.user_agent = "test", .scratch = scratch});
    if (transfer != NULL)
        perform(engine, transfer, &run);
    if (run.response.body != NULL && go_on(&run)) {
        assert_string_equal(run.pages->url, moved);
        perform(engine, transfer, &run);
    }
    answered = run.response.body != NULL;
    if (answered) {
        assert_int_equal(run.failure, RUN_OK);
        assert_string_equal(run.response.body, "[1,2,3]");
    } else if (transfer != NULL) {
        assert_true(run.failure == RUN_FAILED_NETWORK || run.failure == RUN_FAILED_TIMEOUT);
        assert_true(run.retryable);
    }
    run_clear_response(&run);
    pages_free(run.pages);
    transfer_free(transfer);
    engine_free(engine);
    arena_free(scratch);
    return answered;
}

static void fail_each(bool once)
{
    size_t n = 0;
    bool failed = true;

    for (; failed && n < 1000; n++) {
        bool answered;

        allocation_fail_after(n, once);
        answered = poll_once();
        failed = allocation_stop_failing();
        if (!failed)
            assert_true(answered);
    }
    assert_in_range(n, 5, 999); /* some were refused, and then none was left to refuse */
}

static void one_allocation_that_fails_costs_one_attempt(void **state)
{
    (void)state;
    fail_each(true);
}

static void one_allocation_that_fails_costs_one_attempt_of_a_post(void **state)
{
    (void)state;
    posting = true;
    fail_each(true);
    fail_each(false);
    posting = false;
}

static void memory_that_stays_out_is_a_failed_attempt(void **state)
{
    (void)state;
    fail_each(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_allocation_that_fails_costs_one_attempt),
        cmocka_unit_test(one_allocation_that_fails_costs_one_attempt_of_a_post),
        cmocka_unit_test(memory_that_stays_out_is_a_failed_attempt),
    };
    pid_t server = start_server();
    int failed;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    return failed;
}
