/* Requests with a condition, over a real connection: which are sent, and what 304 means. */
#include "test.h"

#include "fetch_rig.h"
#include "http_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAG "\"v1\""

struct world {
    struct rig *rig;
    struct http_server *server;
    struct http_server *other; /* another origin */
    char url[96];
    char other_url[96];
    char asked[8][64]; /* If-None-Match of each request, "" where there was none */
    unsigned requests;
};

static bool answer(int fd, const struct http_request *request, void *context)
{
    struct world *w = context;
    char *asked = w->asked[w->requests++ % 8];
    char location[200];

    asked[0] = '\0';
    http_header(request, "If-None-Match", asked, sizeof(w->asked[0]));
    if (strcmp(request->target, "/304") == 0) {
        http_reply(fd, 304, "", "");
    } else if (strcmp(request->target, "/fresh") == 0) {
        http_reply(fd, 200, "Cache-Control: max-age=60\r\n", "[]");
    } else if (strcmp(request->target, "/away") == 0) {
        snprintf(location, sizeof(location), "Location: %s/tag\r\n", w->other_url);
        http_reply(fd, 302, location, "");
    } else if (strcmp(request->target, "/moved") == 0) {
        http_reply(fd, 302, "Location: /tag\r\n", "");
    } else if (strcmp(request->target, "/elsewhere") == 0) {
        http_reply(fd, 302, "Location: /tag?2\r\n", "");
    } else if (strcmp(asked, TAG) == 0) {
        http_reply(fd, 304, "ETag: " TAG "\r\n", "");
    } else {
        http_reply(fd, 200, "ETag: " TAG "\r\n", "[]");
    }
    return true;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->rig = rig_start(&(struct rig_options){0});
    w->server = http_server_start("127.0.0.1", answer, w);
    w->other = http_server_start("127.0.0.1", answer, w);
    snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%u", http_server_port(w->server));
    snprintf(w->other_url, sizeof(w->other_url), "http://127.0.0.1:%u", http_server_port(w->other));
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    rig_end(w->rig);
    http_server_stop(w->server);
    http_server_stop(w->other);
    free(w);
    return 0;
}

/* A run of a conditional source that knows what `before` learned (NULL: nothing). */
static struct run *fetch(struct world *w, const char *path, struct run *before)
{
    struct source *source;
    struct run *run;
    char url[160];

    snprintf(url, sizeof(url), "%s%s", w->url, path);
    source = rig_source(w->rig, url);
    source->conditional = true;
    w->requests = 0;
    run = rig_make_run(w->rig, source);
    if (before != NULL) {
        run->state.validators = before->learned;
        before->learned = NULL;
    }
    rig_add_run(w->rig, run);
    assert_ptr_equal(rig_get(w->rig), run);
    return run;
}

static void a_first_request_has_no_condition_and_its_answer_is_learned(void **state)
{
    struct world *w = *state;
    struct run *run = fetch(w, "/tag", NULL);

    assert_int_equal(run->failure, RUN_OK);
    assert_false(run->not_modified);
    assert_string_equal(w->asked[0], "");
    assert_non_null(run->learned);
    assert_string_equal(run->learned->etag, TAG);
}

static void a_304_that_was_asked_for_is_a_success_without_a_body(void **state)
{
    struct world *w = *state;
    struct run *run = fetch(w, "/tag", fetch(w, "/tag", NULL));

    assert_string_equal(w->asked[0], TAG);
    assert_int_equal(run->failure, RUN_OK);
    assert_int_equal(run->response.status, 304);
    assert_true(run->not_modified);
    assert_null(run->response.body);
    assert_null(run->learned);
    assert_non_null(run->state.validators);
}

static void a_304_that_nobody_asked_for_is_a_failure(void **state)
{
    struct world *w = *state;
    struct run *run = fetch(w, "/304", NULL);

    assert_int_equal(run->failure, RUN_FAILED_STATUS);
    assert_string_equal(run->error,
                        "HTTP 304 Not Modified to a request without a condition; the server, or a "
                        "cache in front of it, is at fault");
    assert_false(run->not_modified);
    assert_false(run->retryable);
}

static void a_304_that_the_source_calls_success_is_one(void **state)
{
    static const struct status_range any[] = {{200, 399}};
    struct world *w = *state;
    struct source *source;
    struct run *run;
    char url[160];

    snprintf(url, sizeof(url), "%s/304", w->url);
    source = rig_source(w->rig, url);
    source->success = any;
    run = rig_add(w->rig, source);
    assert_ptr_equal(rig_get(w->rig), run);
    assert_int_equal(run->failure, RUN_OK);
    assert_true(run->not_modified);
}

static void the_place_of_a_redirect_is_asked_with_what_it_said(void **state)
{
    struct world *w = *state;
    struct run *run = fetch(w, "/moved", fetch(w, "/moved", NULL));

    assert_int_equal(w->requests, 2);
    assert_string_equal(w->asked[0], "");
    assert_string_equal(w->asked[1], TAG);
    assert_true(run->not_modified);
}

static void another_place_of_a_redirect_is_asked_without_a_condition(void **state)
{
    struct world *w = *state;
    struct run *before = fetch(w, "/moved", NULL);
    struct run *run = fetch(w, "/elsewhere", before);

    assert_int_equal(w->requests, 2);
    assert_string_equal(w->asked[1], "");
    assert_false(run->not_modified);
    assert_non_null(run->learned);
}

static void what_was_said_at_the_source_itself_is_not_for_where_a_redirect_leads(void **state)
{
    struct world *w = *state;
    struct run *before = fetch(w, "/tag", NULL);

    fetch(w, "/moved", before);
    assert_string_equal(w->asked[0], "");
    assert_string_equal(w->asked[1], "");
}

static void another_origin_is_neither_asked_nor_believed(void **state)
{
    struct world *w = *state;
    struct run *run = fetch(w, "/away", NULL);

    assert_int_equal(run->failure, RUN_OK);
    assert_null(run->learned);
    assert_int_equal(w->requests, 2);
    assert_string_equal(w->asked[1], "");
}

static int64_t fresh_ms(struct world *w, bool respect_cache)
{
    struct source *source;
    struct run *run;
    char url[160];

    snprintf(url, sizeof(url), "%s/fresh", w->url);
    source = rig_source(w->rig, url);
    source->respect_cache = respect_cache;
    run = rig_add(w->rig, source);
    assert_ptr_equal(rig_get(w->rig), run);
    assert_int_equal(run->failure, RUN_OK);
    return run->fresh_ms;
}

static void freshness_is_noted_where_it_is_respected(void **state)
{
    assert_int_equal(fresh_ms(*state, true), 60000);
    assert_int_equal(fresh_ms(*state, false), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_first_request_has_no_condition_and_its_answer_is_learned),
        TEST(a_304_that_was_asked_for_is_a_success_without_a_body),
        TEST(a_304_that_nobody_asked_for_is_a_failure),
        TEST(a_304_that_the_source_calls_success_is_one),
        TEST(the_place_of_a_redirect_is_asked_with_what_it_said),
        TEST(another_place_of_a_redirect_is_asked_without_a_condition),
        TEST(what_was_said_at_the_source_itself_is_not_for_where_a_redirect_leads),
        TEST(another_origin_is_neither_asked_nor_believed),
        TEST(freshness_is_noted_where_it_is_respected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
