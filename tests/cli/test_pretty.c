/* What came from outside can be read, and does nothing to the terminal. */
#include "test.h"

#include <string.h>

#include "cli/pretty.h"

static void expect_json(const char *body, const char *expected)
{
    struct text out = {0};

    assert_true(pretty_json(&out, body, strlen(body)));
    assert_string_equal(text_string(&out), expected);
    text_free(&out);
}

static void json_has_a_line_for_each_value(void **state)
{
    (void)state;
    expect_json("{\"a\":1.50,\"b\":[true,null],\"c\":{},\"d\":[]}",
                "{\n  \"a\": 1.50,\n  \"b\": [\n    true,\n    null\n  ],\n  \"c\": {},\n"
                "  \"d\": []\n}");
    expect_json("\"x\"", "\"x\"");
}

static void strings_stay_as_they_were_written_but_for_what_deceives(void **state)
{
    (void)state;
    expect_json("{\"n\\u0041\":\"tab\\t \\\"q\\\"\"}",
                "{\n  \"n\\u0041\": \"tab\\t \\\"q\\\"\"\n}");
    expect_json("\"a\xe2\x80\xae\x62\"", "\"a\\xe2\\x80\\xaeb\"");
}

static void what_is_no_json_is_left_alone(void **state)
{
    struct text out = {0};

    (void)state;
    assert_false(pretty_json(&out, "<html>", 6));
    assert_int_equal(out.length, 0);
}

static void text_keeps_its_lines_and_loses_its_commands(void **state)
{
    struct text out = {0};

    (void)state;
    pretty_text(&out, "a\tb\r\n\x1b[31mred\n\nend", 18);
    assert_string_equal(text_string(&out), "a\tb\\x0d\n\\x1b[31mred\n\nend");
    text_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_has_a_line_for_each_value),
        cmocka_unit_test(strings_stay_as_they_were_written_but_for_what_deceives),
        cmocka_unit_test(what_is_no_json_is_left_alone),
        cmocka_unit_test(text_keeps_its_lines_and_loses_its_commands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
