#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/draft.h"

struct rig {
    struct arena *arena;
    struct draft draft;
};

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    rig->arena = arena_create(0);
    assert_non_null(rig->arena);
    draft_start(&rig->draft, rig->arena, "http://h/");
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;

    arena_free(rig->arena);
    free(rig);
    return 0;
}

static void assert_body(const struct draft *draft, const char *expected)
{
    assert_false(draft->failed);
    assert_int_equal(draft->body.length, strlen(expected));
    assert_string_equal(draft->body.data, expected);
}

static void assert_header(const struct draft *draft, const char *name, const char *value)
{
    size_t found = 0;

    for (size_t i = 0; i < draft->headers.count; i++) {
        if (strcasecmp(draft->headers.items[i].name, name) != 0)
            continue;
        assert_string_equal(draft->headers.items[i].value, value);
        found++;
    }
    assert_int_equal(found, 1);
}

static void a_request_is_a_get_that_carries_nothing(void **state)
{
    struct rig *rig = *state;

    draft_finish(&rig->draft);
    assert_string_equal(rig->draft.method, "GET");
    assert_int_equal(rig->draft.carries, DRAFT_NO_BODY);
    assert_int_equal(rig->draft.headers.count, 0);
}

static void each_body_says_what_it_is(void **state)
{
    static const struct {
        enum draft_body carries;
        const char *type;
    } cases[] = {{DRAFT_TEXT, "text/plain; charset=utf-8"}, {DRAFT_JSON, "application/json"}};
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        draft_start(&rig->draft, rig->arena, "http://h/");
        draft_set_body(&rig->draft, cases[i].carries, "[1]");
        draft_finish(&rig->draft);
        assert_body(&rig->draft, "[1]");
        assert_header(&rig->draft, "Content-Type", cases[i].type);
    }
}

static void a_header_goes_before_the_type_that_a_body_has_by_itself(void **state)
{
    struct rig *rig = *state;

    draft_add_header(&rig->draft, "content-type", "application/vnd.api+json");
    draft_set_body(&rig->draft, DRAFT_JSON, "{}");
    draft_finish(&rig->draft);
    assert_header(&rig->draft, "Content-Type", "application/vnd.api+json");
}

static void an_empty_text_is_a_body(void **state)
{
    struct rig *rig = *state;

    draft_set_body(&rig->draft, DRAFT_TEXT, "");
    draft_finish(&rig->draft);
    assert_body(&rig->draft, "");
    assert_header(&rig->draft, "Content-Type", "text/plain; charset=utf-8");
}

static void a_form_is_percent_encoded_in_its_order(void **state)
{
    struct rig *rig = *state;

    draft_set_form(&rig->draft);
    draft_add_field(&rig->draft, "q", "a b&c=d+\xc3\xa9");
    draft_add_field(&rig->draft, "tag", "x");
    draft_add_field(&rig->draft, "tag", "");
    draft_finish(&rig->draft);
    assert_body(&rig->draft, "q=a%20b%26c%3Dd%2B%C3%A9&tag=x&tag=");
    assert_header(&rig->draft, "Content-Type", "application/x-www-form-urlencoded");
}

static void a_value_that_is_set_in_a_form_takes_the_place_of_its_name(void **state)
{
    struct rig *rig = *state;

    draft_set_form(&rig->draft);
    draft_add_field(&rig->draft, "page", "1");
    draft_add_field(&rig->draft, "q", "x");
    assert_true(draft_set_body_param(&rig->draft, "page", "2", true));
    draft_finish(&rig->draft);
    assert_body(&rig->draft, "q=x&page=2");
}

static void a_value_that_is_set_where_there_is_no_body_makes_a_form(void **state)
{
    struct rig *rig = *state;

    assert_true(draft_set_body_param(&rig->draft, "cursor", "a=b", false));
    draft_finish(&rig->draft);
    assert_body(&rig->draft, "cursor=a%3Db");
}

static void a_value_is_set_in_a_json_object_and_leaves_the_rest_as_it_was(void **state)
{
    static const struct {
        const char *body;
        const char *name;
        const char *value;
        bool is_number;
        const char *expected;
    } cases[] = {
        {"{}", "a", "x", false, "{\"a\":\"x\"}"},
        {"{\"b\":1.50}", "a", "7", true, "{\"b\":1.50,\"a\":7}"},
        {"{\"a\":[1,2],\"b\":null}", "a", "q\"\n", false, "{\"a\":\"q\\\"\\n\",\"b\":null}"},
        {"{\"a\":{\"c\":[{}]},\"b\":{}}", "b", "1", true, "{\"a\":{\"c\":[{}]},\"b\":1}"},
        {"{\"v\":{\"n\":5,\"after\":null},\"q\":\"{x}\"}", "v.after", "c", false,
         "{\"v\":{\"n\":5,\"after\":\"c\"},\"q\":\"{x}\"}"},
        {"{\"v\":null}", "v.a.b", "1", true, "{\"v\":{\"a\":{\"b\":1}}}"},
        {"{\"q\":1}", "v.a", "1", true, "{\"q\":1,\"v\":{\"a\":1}}"},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        draft_set_body(&rig->draft, DRAFT_JSON, cases[i].body);
        assert_true(
            draft_set_body_param(&rig->draft, cases[i].name, cases[i].value, cases[i].is_number));
        assert_body(&rig->draft, cases[i].expected);
    }
}

static void no_value_can_be_set_in_text_or_in_a_json_list(void **state)
{
    struct rig *rig = *state;

    draft_set_body(&rig->draft, DRAFT_TEXT, "{}");
    assert_false(draft_set_body_param(&rig->draft, "a", "1", true));
    draft_set_body(&rig->draft, DRAFT_JSON, "[1]");
    assert_false(draft_set_body_param(&rig->draft, "a", "1", true));
    assert_body(&rig->draft, "[1]");
}

static void a_get_made_of_another_request_carries_nothing_and_says_nothing_of_a_body(void **state)
{
    struct rig *rig = *state;

    draft_set_method(&rig->draft, "POST");
    draft_add_header(&rig->draft, "X-Api-Key", "k");
    draft_add_header(&rig->draft, "content-encoding", "identity");
    draft_set_body(&rig->draft, DRAFT_JSON, "{}");
    draft_finish(&rig->draft);
    draft_make_get(&rig->draft);
    assert_string_equal(rig->draft.method, "GET");
    assert_int_equal(rig->draft.carries, DRAFT_NO_BODY);
    assert_int_equal(rig->draft.body.length, 0);
    assert_int_equal(rig->draft.headers.count, 1);
    assert_header(&rig->draft, "X-Api-Key", "k");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_is_a_get_that_carries_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_body_says_what_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_header_goes_before_the_type_that_a_body_has_by_itself,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_text_is_a_body, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_form_is_percent_encoded_in_its_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_value_that_is_set_in_a_form_takes_the_place_of_its_name,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_value_that_is_set_where_there_is_no_body_makes_a_form,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_value_is_set_in_a_json_object_and_leaves_the_rest_as_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_value_can_be_set_in_text_or_in_a_json_list, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_get_made_of_another_request_carries_nothing_and_says_nothing_of_a_body, set_up,
            tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
