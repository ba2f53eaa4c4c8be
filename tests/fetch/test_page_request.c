/* What a page puts into its request: through build_request(), so that it meets the source's words.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "fetch/build.h"
#include "fetch/page_request.h"

struct rig {
    struct arena *arena;
    struct draft draft;
    struct pagination pagination;
    struct name_value params[2];
    struct name_value headers[2];
    struct request_body body;
    struct source source;
    struct run run;
};

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    rig->arena = arena_create(0);
    rig->source = (struct source){.url = "http://h/x?a=1&page=7&b=2",
                                  .host = "h:80",
                                  .params = rig->params,
                                  .headers = rig->headers,
                                  .pagination = &rig->pagination};
    rig->pagination = (struct pagination){.cursor_param = "cursor",
                                          .page_param = "page",
                                          .offset_param = "offset",
                                          .limit_param = "limit",
                                          .base_page = 1};
    rig->run.source = &rig->source;
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;

    pages_free(rig->run.pages);
    arena_free(rig->arena);
    free(rig);
    return 0;
}

static void prepare(struct rig *rig)
{
    struct fault fault = {0};

    assert_int_equal(page_request_prepare(&rig->run, &fault), 0);
    build_request(&rig->run, 0, rig->arena, &rig->draft);
    assert_false(rig->draft.failed);
}

/* The request of the page at hand goes to `expected`. */
static void assert_url(struct rig *rig, const char *expected)
{
    struct text url = {0};

    prepare(rig);
    draft_write_url(&rig->draft, &url);
    assert_string_equal(text_string(&url), expected);
    assert_int_equal(page_request_note(&rig->run, text_string(&url), &rig->draft), 0);
    text_free(&url);
}

static void go_on(struct rig *rig, const char *text, int64_t position)
{
    assert_int_equal(pages_follow(rig->run.pages, slice_of(text), position), 0);
    pages_advance(rig->run.pages);
}

static const char *header(const struct rig *rig, const char *name)
{
    for (size_t i = 0; i < rig->draft.headers.count; i++) {
        if (strcmp(rig->draft.headers.items[i].name, name) == 0)
            return rig->draft.headers.items[i].value;
    }
    return NULL;
}

static void without_pagination_nothing_is_added(void **state)
{
    struct rig *rig = *state;

    rig->source.pagination = NULL;
    assert_url(rig, "http://h/x?a=1&page=7&b=2");
    assert_null(rig->run.pages);
    assert_int_equal(page_request_moved(&rig->run, "http://h/y"), 0);
}

static void a_page_number_replaces_that_of_url_and_params(void **state)
{
    struct rig *rig = *state;

    rig->pagination.type = PAGINATION_PAGE;
    rig->params[0] = (struct name_value){"page", "8"};
    rig->params[1] = (struct name_value){"c", "3"};
    rig->source.param_count = 2;
    assert_url(rig, "http://h/x?a=1&b=2&c=3&page=1");
    go_on(rig, NULL, 2);
    assert_url(rig, "http://h/x?a=1&b=2&c=3&page=2");
}

static void an_offset_and_its_limit_are_sent_from_the_first_page_on(void **state)
{
    struct rig *rig = *state;

    rig->pagination.type = PAGINATION_OFFSET;
    rig->pagination.limit = 50;
    rig->source.url = "http://h/x";
    assert_url(rig, "http://h/x?limit=50&offset=0");
    go_on(rig, NULL, 33);
    assert_url(rig, "http://h/x?limit=50&offset=33");
}

static void a_cursor_is_sent_from_the_second_page_on_and_encoded(void **state)
{
    struct rig *rig = *state;

    rig->pagination.type = PAGINATION_CURSOR;
    rig->source.url = "http://h/x";
    assert_url(rig, "http://h/x");
    go_on(rig, "a b&c=\xc3\xa9", 0);
    assert_url(rig, "http://h/x?cursor=a%20b%26c%3D%C3%A9");
}

static void a_header_takes_the_cursor_in_the_place_of_the_sources(void **state)
{
    struct rig *rig = *state;

    rig->pagination.type = PAGINATION_CURSOR;
    rig->pagination.param_in = PARAM_IN_HEADER;
    rig->pagination.cursor_param = "X-After";
    rig->headers[0] = (struct name_value){"x-after", "old"};
    rig->source.header_count = 1;
    prepare(rig);
    assert_string_equal(header(rig, "x-after"), "old");
    go_on(rig, "new", 0);
    prepare(rig);
    assert_null(header(rig, "x-after"));
    assert_string_equal(header(rig, "X-After"), "new");
}

static void a_json_body_takes_cursor_and_numbers(void **state)
{
    struct rig *rig = *state;

    rig->body = (struct request_body){"{\"query\":\"q\",\"variables\":{\"n\":1}}", true};
    rig->source.body = &rig->body;
    rig->source.method = METHOD_POST;
    rig->pagination.type = PAGINATION_CURSOR;
    rig->pagination.param_in = PARAM_IN_BODY;
    rig->pagination.cursor_param = "variables.after";
    rig->pagination.limit_param = "variables.first";
    rig->pagination.limit = 20;
    prepare(rig);
    assert_string_equal(rig->draft.body.data,
                        "{\"query\":\"q\",\"variables\":{\"n\":1,\"first\":20}}");
    go_on(rig, "a\"b", 0);
    prepare(rig);
    assert_string_equal(
        rig->draft.body.data,
        "{\"query\":\"q\",\"variables\":{\"n\":1,\"first\":20,\"after\":\"a\\\"b\"}}");
}

static void a_link_takes_the_place_of_url_and_params_but_not_of_headers(void **state)
{
    struct rig *rig = *state;

    rig->pagination.type = PAGINATION_LINK_HEADER;
    rig->pagination.limit = 10;
    rig->params[0] = (struct name_value){"c", "3"};
    rig->source.param_count = 1;
    rig->headers[0] = (struct name_value){"X-Key", "k"};
    rig->source.header_count = 1;
    assert_url(rig, "http://h/x?a=1&page=7&b=2&c=3&limit=10");
    go_on(rig, "?page=8", 0);
    assert_url(rig, "http://h/x?page=8");
    assert_string_equal(header(rig, "X-Key"), "k");
    assert_url(rig, "http://h/x?page=8"); /* another attempt */
    go_on(rig, "/y?page=9", 0);
    assert_url(rig, "http://h/y?page=9");
}

static void a_relative_link_starts_from_where_a_redirect_led(void **state)
{
    struct rig *rig = *state;

    rig->pagination.type = PAGINATION_NEXT_URL;
    assert_url(rig, "http://h/x?a=1&page=7&b=2");
    assert_int_equal(page_request_moved(&rig->run, "http://h/deep/er/x"), 0);
    go_on(rig, "p2", 0);
    assert_url(rig, "http://h/deep/er/p2");
}

static void a_link_to_another_host_is_a_fault(void **state)
{
    struct rig *rig = *state;
    struct fault fault = {0};

    rig->pagination.type = PAGINATION_NEXT_URL;
    assert_url(rig, "http://h/x?a=1&page=7&b=2");
    go_on(rig, "http://other/", 0);
    assert_int_equal(page_request_prepare(&rig->run, &fault), -1);
    assert_int_equal(fault.kind, RUN_FAILED_PAGES);
}

static bool same(struct hash128 a, struct hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

static void a_link_to_the_first_page_is_the_same_request(void **state)
{
    struct rig *rig = *state;
    struct hash128 first;

    rig->pagination.type = PAGINATION_LINK_HEADER;
    assert_url(rig, "http://h/x?a=1&page=7&b=2");
    first = rig->run.pages->request;
    go_on(rig, "?page=8", 0);
    assert_url(rig, "http://h/x?page=8");
    assert_false(same(rig->run.pages->request, first));
    go_on(rig, "?a=1&page=7&b=2", 0);
    assert_url(rig, "http://h/x?a=1&page=7&b=2");
    assert_true(same(rig->run.pages->request, first));
}

static void a_cursor_in_a_header_makes_another_request(void **state)
{
    struct rig *rig = *state;
    struct hash128 first;

    rig->pagination.type = PAGINATION_CURSOR;
    rig->pagination.param_in = PARAM_IN_HEADER;
    rig->source.url = "http://h/";
    assert_url(rig, "http://h/");
    first = rig->run.pages->request;
    go_on(rig, "x", 0);
    assert_url(rig, "http://h/");
    assert_false(same(rig->run.pages->request, first));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_pagination_nothing_is_added),
        TEST(a_page_number_replaces_that_of_url_and_params),
        TEST(an_offset_and_its_limit_are_sent_from_the_first_page_on),
        TEST(a_cursor_is_sent_from_the_second_page_on_and_encoded),
        TEST(a_header_takes_the_cursor_in_the_place_of_the_sources),
        TEST(a_json_body_takes_cursor_and_numbers),
        TEST(a_link_takes_the_place_of_url_and_params_but_not_of_headers),
        TEST(a_relative_link_starts_from_where_a_redirect_led),
        TEST(a_link_to_another_host_is_a_fault),
        TEST(a_link_to_the_first_page_is_the_same_request),
        TEST(a_cursor_in_a_header_makes_another_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
