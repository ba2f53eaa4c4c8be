/* Methods, bodies and forms as a server sees them, and what redirects make of them. */
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch_rig.h"
#include "http_server.h"

/*
 * "/redirect/STATUS/HOST:PORT/..." redirects there; all else is answered with what came: method,
 * target, Content-Type, Content-Length, X-Api-Key and the body, a line each.
 */
static bool handle(int fd, const struct http_request *request, void *context)
{
    static const char *const told[] = {"Content-Type", "Content-Length", "X-Api-Key", "Expect"};
    char location[300] = "";
    unsigned status = 0;
    struct text answer = {0};

    (void)context;
    if (sscanf(request->target, "/redirect/%u/%200s", &status, location) == 2) {
        char header[300];

        snprintf(header, sizeof(header), "Location: http://%.250s\r\n", location);
        http_reply(fd, (int)status, header, "gone");
        return true;
    }
    text_format(&answer, "%s %s\n", request->method, request->target);
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        char value[100];

        if (http_header(request, told[i], value, sizeof(value)))
            text_format(&answer, "%s: %s\n", told[i], value);
    }
    text_append(&answer, request->body, request->body_bytes);
    http_reply(fd, 200, "", text_string(&answer));
    text_free(&answer);
    return true;
}

struct world {
    struct rig *rig;
    struct http_server *own;
    struct http_server *other;
    char url[300];
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    assert_non_null(world);
    world->own = http_server_start("127.0.0.1", handle, NULL);
    world->other = http_server_start("127.0.0.1", handle, NULL);
    world->rig = rig_start(&(struct rig_options){0});
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    rig_end(world->rig);
    http_server_stop(world->own);
    http_server_stop(world->other);
    free(world);
    return 0;
}

/* A source whose url is on the own server. */
static struct source *source_at(struct world *world, const char *path)
{
    snprintf(world->url, sizeof(world->url), "http://127.0.0.1:%u%s", http_server_port(world->own),
             path);
    return rig_source(world->rig, world->url);
}

/* One that is redirected with `status` to "/end" on one of the two servers. */
static struct source *redirected(struct world *world, unsigned status, struct http_server *to)
{
    char path[100];

    snprintf(path, sizeof(path), "/redirect/%u/127.0.0.1:%u/end", status, http_server_port(to));
    return source_at(world, path);
}

static struct run *fetch(struct world *world, struct source *source)
{
    struct run *run = rig_add(world->rig, source);

    assert_ptr_equal(rig_get(world->rig), run);
    return run;
}

static void assert_seen(struct world *world, struct source *source, const char *expected)
{
    struct run *run = fetch(world, source);

    assert_int_equal(run->failure, RUN_OK);
    assert_string_equal(run->response.body, expected);
}

static const struct request_body json = {.text = "{\"a\":[1,null]}", .is_json = true};
static const struct request_body text = {.text = "a b\nc"};
static const struct name_value fields[] = {{"q", "a b"}, {"tag", "x"}, {"tag", "&"}};
static const struct name_value key[] = {{"X-Api-Key", "k"}};

static void a_get_carries_nothing(void **state)
{
    struct world *world = *state;

    assert_seen(world, source_at(world, "/x"), "GET /x\n");
}

static void every_method_carries_json(void **state)
{
    static const struct {
        enum request_method method;
        const char *name;
    } cases[] = {
        {METHOD_POST, "POST"}, {METHOD_PUT, "PUT"}, {METHOD_PATCH, "PATCH"}, {METHOD_GET, "GET"}};
    struct world *world = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct source *source = source_at(world, "/x");
        char expected[200];

        source->method = cases[i].method;
        source->body = &json;
        snprintf(expected, sizeof(expected),
                 "%s /x\nContent-Type: application/json\nContent-Length: 14\n{\"a\":[1,null]}",
                 cases[i].name);
        assert_seen(world, source, expected);
    }
}

static void text_is_sent_as_it_is_with_the_type_of_the_headers(void **state)
{
    static const struct name_value headers[] = {{"content-type", "application/sparql-query"}};
    struct world *world = *state;
    struct source *source = source_at(world, "/x");

    source->method = METHOD_POST;
    source->body = &text;
    source->headers = headers;
    source->header_count = 1;
    assert_seen(world, source,
                "POST /x\nContent-Type: application/sparql-query\nContent-Length: 5\na b\nc");
}

static void a_form_is_sent_encoded(void **state)
{
    struct world *world = *state;
    struct source *source = source_at(world, "/x");

    source->method = METHOD_POST;
    source->form = fields;
    source->form_count = 3;
    assert_seen(world, source,
                "POST /x\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 21\n"
                "q=a%20b&tag=x&tag=%26");
}

static void a_post_may_carry_nothing(void **state)
{
    struct world *world = *state;
    struct source *source = source_at(world, "/x");

    source->method = METHOD_POST;
    assert_seen(world, source, "POST /x\nContent-Length: 0\n");
}

static void nothing_of_a_request_stays_for_the_next_one(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 3; i++) {
        every_method_carries_json(state);
        a_get_carries_nothing(state);
        a_post_may_carry_nothing(state);
    }
    assert_int_equal(http_server_connections(world->own), 1);
}

/* libcurl alone would ask first whether it may, and wait a second for an answer. */
static void a_large_body_goes_without_asking(void **state)
{
    struct world *world = *state;
    struct source *source = source_at(world, "/x");
    struct request_body large = {.text = NULL};
    size_t bytes = 2 * 1024 * 1024;
    char *filler = malloc(bytes + 1);
    struct run *run;

    assert_non_null(filler);
    memset(filler, 'x', bytes);
    filler[bytes] = '\0';
    large.text = filler;
    source->method = METHOD_POST;
    source->body = &large;
    source->max_body_bytes = 4 * 1024 * 1024;
    run = fetch(world, source);
    assert_int_equal(run->failure, RUN_OK);
    assert_null(strstr(run->response.body, "Expect"));
    assert_true(run->response.body_bytes > bytes);
    free(filler);
}

static void a_failed_post_is_tried_again_as_a_get_is(void **state)
{
    struct world *world = *state;
    struct source *source;
    struct run *run;

    rig_end(world->rig);
    world->rig = rig_start(&(struct rig_options){.attempts = 3});
    source = source_at(world, "/redirect/503/x");
    source->method = METHOD_POST;
    source->body = &json;
    run = fetch(world, source);
    assert_int_equal(run->failure, RUN_FAILED_STATUS);
    assert_int_equal(run->requests, 3);
}

static void see_other_and_its_like_turn_a_post_into_a_get(void **state)
{
    static const unsigned statuses[] = {301, 302, 303};
    struct world *world = *state;

    for (size_t i = 0; i < 3; i++) {
        struct source *source = redirected(world, statuses[i], world->own);

        source->method = METHOD_POST;
        source->body = &json;
        source->headers = key;
        source->header_count = 1;
        assert_seen(world, source, "GET /end\nX-Api-Key: k\n");
    }
}

static void only_see_other_turns_a_put_into_a_get(void **state)
{
    struct world *world = *state;
    struct source *source = redirected(world, 303, world->own);

    source->method = METHOD_PUT;
    source->body = &json;
    assert_seen(world, source, "GET /end\n");
    source = redirected(world, 302, world->own);
    source->method = METHOD_PUT;
    source->body = &json;
    assert_seen(world, source,
                "PUT /end\nContent-Type: application/json\nContent-Length: 14\n{\"a\":[1,null]}");
}

static void the_same_is_asked_again_where_307_and_308_lead_within_the_origin(void **state)
{
    static const unsigned statuses[] = {307, 308};
    struct world *world = *state;

    for (size_t i = 0; i < 2; i++) {
        struct source *source = redirected(world, statuses[i], world->own);

        source->method = METHOD_POST;
        source->form = fields;
        source->form_count = 1;
        source->headers = key;
        source->header_count = 1;
        assert_seen(world, source,
                    "POST /end\nContent-Type: application/x-www-form-urlencoded\n"
                    "Content-Length: 7\nX-Api-Key: k\nq=a%20b");
    }
}

static void what_a_request_carries_goes_to_no_other_origin(void **state)
{
    static const unsigned statuses[] = {307, 308};
    struct world *world = *state;

    for (size_t i = 0; i < 2; i++) {
        struct source *source = redirected(world, statuses[i], world->other);
        char expected[200];
        struct run *run;

        source->method = METHOD_POST;
        source->body = &json;
        run = fetch(world, source);
        snprintf(expected, sizeof(expected),
                 "redirect (%u) of a request that is more than a GET to another origin refused",
                 statuses[i]);
        assert_int_equal(run->failure, RUN_FAILED_REDIRECT);
        assert_string_equal(run->error, expected);
        assert_int_equal(run->response.status, statuses[i]);
        assert_false(run->retryable);
    }
    assert_int_equal(http_server_connections(world->other), 0);
}

static void a_get_with_a_body_does_not_leave_its_origin_either(void **state)
{
    struct world *world = *state;
    struct source *source = redirected(world, 302, world->other);

    source->body = &json;
    assert_int_equal(fetch(world, source)->failure, RUN_FAILED_REDIRECT);
    assert_int_equal(http_server_connections(world->other), 0);
}

static void a_post_that_became_a_get_may_leave_its_origin_and_takes_nothing_along(void **state)
{
    struct world *world = *state;
    struct source *source = redirected(world, 303, world->other);

    source->method = METHOD_POST;
    source->body = &json;
    source->headers = key;
    source->header_count = 1;
    assert_seen(world, source, "GET /end\n");
    assert_int_equal(http_server_connections(world->other), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_get_carries_nothing),
        TEST(every_method_carries_json),
        TEST(text_is_sent_as_it_is_with_the_type_of_the_headers),
        TEST(a_form_is_sent_encoded),
        TEST(a_post_may_carry_nothing),
        TEST(nothing_of_a_request_stays_for_the_next_one),
        TEST(a_large_body_goes_without_asking),
        TEST(a_failed_post_is_tried_again_as_a_get_is),
        TEST(see_other_and_its_like_turn_a_post_into_a_get),
        TEST(only_see_other_turns_a_put_into_a_get),
        TEST(the_same_is_asked_again_where_307_and_308_lead_within_the_origin),
        TEST(what_a_request_carries_goes_to_no_other_origin),
        TEST(a_get_with_a_body_does_not_leave_its_origin_either),
        TEST(a_post_that_became_a_get_may_leave_its_origin_and_takes_nothing_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
