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

static void start(struct rig *rig, const char *url)
{
    arena_reset(rig->arena);
    draft_start(&rig->draft, rig->arena, url);
}

static void assert_url(struct rig *rig, const char *expected)
{
    struct text out = {0};

    assert_false(rig->draft.failed);
    draft_write_url(&rig->draft, &out);
    assert_string_equal(text_string(&out), expected);
    text_free(&out);
}

static void a_url_without_params_stays_as_it_is(void **state)
{
    start(*state, "https://example.org/a%20b?x=1&y=[2]");
    assert_url(*state, "https://example.org/a%20b?x=1&y=[2]");
}

static void params_follow_a_question_mark_or_what_is_there_already(void **state)
{
    static const char *const cases[][2] = {
        {"http://h", "http://h?a=1&b=2"},
        {"http://h/", "http://h/?a=1&b=2"},
        {"http://h/p?", "http://h/p?a=1&b=2"},
        {"http://h/p?q=0", "http://h/p?q=0&a=1&b=2"},
        {"http://h/p?q=0&", "http://h/p?q=0&a=1&b=2"},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start(rig, cases[i][0]);
        draft_add_param(&rig->draft, "a", "1");
        draft_add_param(&rig->draft, "b", "2");
        assert_url(rig, cases[i][1]);
    }
}

static void params_come_before_a_fragment_which_is_not_sent(void **state)
{
    struct rig *rig = *state;

    start(rig, "http://h/p?q=0#top?no");
    draft_add_param(&rig->draft, "a", "1");
    assert_url(rig, "http://h/p?q=0&a=1");
}

static void names_and_values_of_params_are_percent_encoded(void **state)
{
    struct rig *rig = *state;

    start(rig, "http://h/");
    draft_add_param(&rig->draft, "filter[a]", "x y&z=1+2/3?#%");
    draft_add_param(&rig->draft, "\xc3\xa9", "-._~aZ09");
    assert_url(rig, "http://h/?filter%5Ba%5D=x%20y%26z%3D1%2B2%2F3%3F%23%25&%C3%A9=-._~aZ09");
}

static void an_empty_value_keeps_its_name(void **state)
{
    struct rig *rig = *state;

    start(rig, "http://h/");
    draft_add_param(&rig->draft, "flag", "");
    assert_url(rig, "http://h/?flag=");
}

static void blanks_and_bytes_beyond_ascii_behind_the_host_are_encoded(void **state)
{
    start(*state, "http://b\xc3\xbc"
                  "cher.example/a b\xc3\xa9?q=\t1");
    assert_url(*state, "http://b\xc3\xbc"
                       "cher.example/a%20b%C3%A9?q=%091");
}

static void a_param_that_is_set_takes_the_place_of_all_of_its_name(void **state)
{
    struct rig *rig = *state;

    start(rig, "http://h/");
    draft_add_param(&rig->draft, "page", "1");
    draft_add_param(&rig->draft, "Page", "x");
    draft_add_param(&rig->draft, "page", "2");
    draft_set_param(&rig->draft, "page", "3");
    assert_url(rig, "http://h/?Page=x&page=3");
}

static void a_header_that_is_set_takes_the_place_of_its_name_in_any_case(void **state)
{
    struct rig *rig = *state;

    start(rig, "http://h/");
    draft_add_header(&rig->draft, "accept", "a");
    draft_add_header(&rig->draft, "X-B", "b");
    draft_set_header(&rig->draft, "Accept", "c");
    assert_int_equal(rig->draft.headers.count, 2);
    assert_string_equal(rig->draft.headers.items[0].name, "X-B");
    assert_string_equal(rig->draft.headers.items[1].value, "c");
}

static void many_params_keep_their_order(void **state)
{
    struct rig *rig = *state;
    char number[16];

    start(rig, "http://h/");
    for (int i = 0; i < 1000; i++) {
        snprintf(number, sizeof(number), "%d", i);
        draft_add_param(&rig->draft, number, number);
    }
    assert_false(rig->draft.failed);
    assert_int_equal(rig->draft.params.count, 1000);
    assert_string_equal(rig->draft.params.items[999].name, "999");
}

static void a_param_that_is_set_takes_the_place_of_those_in_the_url(void **state)
{
    static const char *const cases[][2] = {
        {"http://h/?p=1", "http://h/?p=9"},
        {"http://h/?p=1&a=2&p=3", "http://h/?a=2&p=9"},
        {"http://h/?a=2&p", "http://h/?a=2&p=9"},
        {"http://h/?pp=1&xp=2", "http://h/?pp=1&xp=2&p=9"},
        {"http://h/?%70=1&a=p", "http://h/?a=p&p=9"},
        {"http://h/p=1?a=1#?p=1", "http://h/p=1?a=1&p=9"},
        {"http://h/", "http://h/?p=9"},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start(rig, cases[i][0]);
        draft_set_param(&rig->draft, "p", "9");
        assert_url(rig, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_url_without_params_stays_as_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(params_follow_a_question_mark_or_what_is_there_already,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(params_come_before_a_fragment_which_is_not_sent, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(names_and_values_of_params_are_percent_encoded, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_empty_value_keeps_its_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(blanks_and_bytes_beyond_ascii_behind_the_host_are_encoded,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_param_that_is_set_takes_the_place_of_all_of_its_name,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_header_that_is_set_takes_the_place_of_its_name_in_any_case, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_param_that_is_set_takes_the_place_of_those_in_the_url,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_params_keep_their_order, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
