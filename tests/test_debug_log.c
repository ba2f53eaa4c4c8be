#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "config_builder.h"
#include "gatherd/debug_log.h"
#include "gatherd/log.h"

#define MINUTE (60 * 1000)

static int setup(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_DEBUG);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_INFO);
    return 0;
}

/* What was logged, without time and level, is `expected`: one line each. */
static void assert_logged(void (*emit)(const void *context), const void *context,
                          const char *expected)
{
    char *text = capture_stderr(emit, context);
    char *kept = text;

    for (char *line = text; *line != '\0';) {
        char *message = strstr(line, "level=debug msg=");
        size_t length = strcspn(line, "\n") + 1;

        assert_non_null(message);
        message += strlen("level=debug ");
        length -= (size_t)(message - line);
        line = message + length;
        memmove(kept, message, length);
        kept += length;
    }
    *kept = '\0';
    assert_string_equal(text, expected);
    free(text);
}

static void emit_run(const void *context)
{
    debug_log_run(context);
}

static void a_run_is_a_line_of_its_counts(void **state)
{
    const struct source source = {.name = "weather"};
    struct run run = {
        .source = &source, .response.status = 200, .requests = 2, .timing.total_us = 15999};
    struct result result = {
        .run = &run,
        .total = {.records = 10, .inserted = 1, .updated = 2, .unchanged = 3, .rejected = 4}};

    (void)state;
    assert_logged(emit_run, &result,
                  "msg=\"run committed\" source=weather outcome=partial status=200 requests=2 "
                  "records=10 inserted=1 updated=2 unchanged=3 deleted=0 marked=0 filtered=0 "
                  "rejected=4 ms=15\n");
    result.total.rejected = 0;
    run.failure = RUN_FAILED_TIMEOUT;
    run.response.status = 0;
    assert_logged(emit_run, &result,
                  "msg=\"run committed\" source=weather outcome=failed failure=timeout status=0 "
                  "requests=2 records=10 inserted=1 updated=2 unchanged=3 deleted=0 marked=0 "
                  "filtered=0 rejected=0 ms=15\n");
}

static void a_run_without_news_says_so(void **state)
{
    const struct source source = {.name = "weather"};
    struct run run = {.source = &source, .response.status = 304, .not_modified = true};
    struct result result = {.run = &run};

    (void)state;
    assert_logged(emit_run, &result,
                  "msg=\"run committed\" source=weather outcome=success status=304 not_modified=1 "
                  "requests=0 records=0 inserted=0 updated=0 unchanged=0 deleted=0 marked=0 "
                  "filtered=0 rejected=0 ms=0\n");
}

static void emit_retry(const void *context)
{
    debug_log_retry(context, 1234);
}

static void a_request_that_is_tried_again_is_a_line_with_reason_and_delay(void **state)
{
    const struct source source = {.name = "weather"};
    char error[] = "HTTP status 503";
    const struct run run = {.source = &source,
                            .failure = RUN_FAILED_STATUS,
                            .error = error,
                            .response.status = 503,
                            .attempt = 1};

    (void)state;
    assert_logged(emit_retry, &run,
                  "msg=\"request failed, to be tried again\" source=weather failure=status "
                  "error=\"HTTP status 503\" status=503 attempt=2 delay_ms=1234\n");
}

struct change {
    struct config *old;
    struct config *new;
};

static void emit_reload(const void *context)
{
    const struct change *change = context;

    debug_log_reload(change->old, change->new);
}

static void a_reload_is_a_line_for_each_change(void **state)
{
    struct source old[] = {source_like("gone", "h:80", MINUTE), source_like("same", "h:80", MINUTE),
                           source_like("slower", "h:80", MINUTE)};
    struct source new[] = {source_like("slower", "h:80", 2 * MINUTE),
                           source_like("same", "h:80", MINUTE),
                           source_like("fresh", "h:80", MINUTE)};
    struct change change;

    (void)state;
    old[0].file = new[0].file = new[2].file = "gatherd.yaml";
    old[0].line = 3;
    new[0].line = 4;
    new[2].line = 9;
    change = (struct change){config_build(old, 3, 1), config_build(new, 3, 1)};
    change.old->fetchers = 2;
    change.new->fetchers = 4;
    assert_logged(emit_reload, &change,
                  "msg=\"setting changed\" key=fetchers old=2 new=4\n"
                  "msg=\"source removed\" source=gone file=gatherd.yaml line=3\n"
                  "msg=\"source changed\" source=slower file=gatherd.yaml line=4\n"
                  "msg=\"source added\" source=fresh file=gatherd.yaml line=9\n");
    config_unref(change.old);
    config_unref(change.new);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_run_is_a_line_of_its_counts),
        T(a_run_without_news_says_so),
        T(a_request_that_is_tried_again_is_a_line_with_reason_and_delay),
        T(a_reload_is_a_line_for_each_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
