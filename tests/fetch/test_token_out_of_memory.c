/*
 * A transfer that gets a token by a refresh token, which the server exchanges, driven without a
 * thread, while each allocation of ours fails in turn.
 */
#include "test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "allocation.h"
#include "fetch/engine.h"
#include "fetch/transfer.h"
#include "http_server.h"

static char url[100];
static char token_url[100];
static char host[40];
static char folder[] = "/tmp/gatherd-tokens-XXXXXX";
static char path[64];

static bool handle(int fd, const struct http_request *request, void *context)
{
    char authorization[64] = "";

    (void)context;
    http_header(request, "Authorization", authorization, sizeof(authorization));
    if (strcmp(request->target, "/token") == 0)
        http_reply(fd, 200, "Content-Type: application/json\r\nConnection: close\r\n",
                   "{\"access_token\": \"access\", \"token_type\": \"bearer\", \"expires_in\": 60, "
                   "\"refresh_token\": \"second\"}");
    else
        http_reply(fd, strcmp(authorization, "Bearer access") == 0 ? 200 : 401,
                   "Content-Type: application/json\r\n", "[1,2,3]");
    return strcmp(request->target, "/token") != 0; /* the form is not read: no further request */
}

/* The server is another process, whose memory does not run out. */
static void start_server(void)
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
    snprintf(token_url, sizeof(token_url), "http://127.0.0.1:%u/token", port);
    snprintf(host, sizeof(host), "127.0.0.1:%u", port);
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

/* Whether the poll brought its answer; otherwise it failed cleanly, which is checked here. */
static bool poll_once(void)
{
    static const struct status_range success[] = {{200, 299}};
    static const struct secret refresh_token = {SECRET_LITERAL, "first"};
    static const struct secret client_secret = {SECRET_LITERAL, "s&cret"};
    const struct auth auth = {.type = AUTH_OAUTH2,
                              .id = {1, 2},
                              .grant = GRANT_REFRESH_TOKEN,
                              .token_url = token_url,
                              .token_host = host,
                              .client_id = "c",
                              .client_secret = &client_secret,
                              .client_auth = CLIENT_AUTH_HEADER,
                              .refresh_token = &refresh_token};
    const struct source source = {.name = "test",
                                  .url = url,
                                  .host = host,
                                  .auth = &auth,
                                  .timeout_ms = 1000,
                                  .connect_timeout_ms = 1000,
                                  .max_body_bytes = 1000,
                                  .success = success,
                                  .success_count = 1};
    struct run run = {.source = &source};
    struct arena *scratch = arena_create(0);
    struct engine *engine = engine_create(4, NULL);
    struct token_cache *tokens = token_cache_create(path, NULL);
    struct transfer *transfer = NULL;
    bool answered;

    if (engine != NULL && scratch != NULL && tokens != NULL)
        transfer = transfer_create(
            engine,
            &(struct transfer_options){.user_agent = "test", .scratch = scratch, .tokens = tokens});
    if (transfer != NULL)
        perform(engine, transfer, &run);
    answered = run.response.body != NULL;
    if (answered) {
        assert_int_equal(run.failure, RUN_OK);
    } else if (transfer != NULL) {
        assert_true(run.failure == RUN_FAILED_NETWORK || run.failure == RUN_FAILED_TIMEOUT ||
                    run.failure == RUN_FAILED_AUTH);
        assert_true(run.retryable);
    }
    run_clear_response(&run);
    transfer_free(transfer);
    token_cache_free(tokens);
    engine_free(engine);
    arena_free(scratch);
    return answered;
}

static void fail_each(bool once)
{
    size_t n = 0;
    bool failed = true;

    for (; failed && n < 2000; n++) {
        bool answered;

        allocation_fail_after(n, once);
        answered = poll_once();
        failed = allocation_stop_failing();
        if (!failed)
            assert_true(answered);
    }
    assert_in_range(n, 5, 1999); /* some were refused, and then none was left to refuse */
}

static void one_allocation_that_fails_costs_one_attempt(void **state)
{
    (void)state;
    fail_each(true);
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
        cmocka_unit_test(memory_that_stays_out_is_a_failed_attempt),
    };
    int failures;

    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof(path), "%s/tokens", folder);
    start_server();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    failures = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    unlink(path);
    rmdir(folder);
    return failures;
}
