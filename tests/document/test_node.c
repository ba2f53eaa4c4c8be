#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "document.h"

static void assert_json(const struct node *node, const char *expected)
{
    struct text out = {0};

    node_write_json(node, &out);
    assert_string_equal(text_string(&out), expected);
    text_free(&out);
}

static void assert_member(const struct node *object, const char *name, const char *json)
{
    const struct node *value = node_member(object, slice_of(name));

    if (value == NULL)
        fail_msg("no member %s", name);
    assert_json(value, json);
}

static void a_member_is_found_by_its_whole_name(void **state)
{
    struct document d = document_of("{\"a\":1,\"ab\":2,\"abcd\":3,\"abce\":4,\"abcdefgh\":5,"
                                    "\"abcdefgX\":6,\"Xbcdefgh\":7,\"abcdefghijklmnopqrst\":8,"
                                    "\"abcdefghijklmnopqrsX\":9,\"\":10,\"abc\":11,\"aXcdef\":12}");

    (void)state;
    assert_member(d.root, "a", "1");
    assert_member(d.root, "ab", "2");
    assert_member(d.root, "abcd", "3");
    assert_member(d.root, "abce", "4");
    assert_member(d.root, "abcdefgh", "5");
    assert_member(d.root, "abcdefgX", "6");
    assert_member(d.root, "Xbcdefgh", "7");
    assert_member(d.root, "abcdefghijklmnopqrst", "8");
    assert_member(d.root, "abcdefghijklmnopqrsX", "9");
    assert_member(d.root, "", "10");
    assert_member(d.root, "abc", "11");
    assert_member(d.root, "aXcdef", "12");
    assert_null(node_member(d.root, slice_of("b")));
    assert_null(node_member(d.root, slice_of("abcdef")));
    assert_null(node_member(d.root, slice_of("abX")));
    document_free(&d);
}

static void of_equal_names_the_last_member_is_found(void **state)
{
    struct document flat = document_of("{\"a\":1,\"b\":2,\"a\":3,\"c\":4}");
    struct document deep = document_of("{\"a\":{\"a\":0},\"b\":2,\"a\":[3],\"c\":{\"a\":5}}");

    (void)state;
    assert_member(flat.root, "a", "3");
    assert_member(deep.root, "a", "[3]");
    document_free(&flat);
    document_free(&deep);
}

static void members_behind_containers_are_found(void **state)
{
    struct document d = document_of("{\"a\":[1,{\"z\":2}],\"b\":{\"z\":3},\"z\":4,\"y\":[]}");

    (void)state;
    assert_member(d.root, "z", "4");
    assert_member(d.root, "y", "[]");
    assert_null(node_member(d.root, slice_of("x")));
    document_free(&d);
}

static void an_empty_object_and_what_is_no_object_have_no_members(void **state)
{
    static const char *const texts[] = {"{}", "[\"a\",1]", "\"a\"", "1", "null"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct document d = document_of(texts[i]);

        assert_null(node_member(d.root, slice_of("a")));
        document_free(&d);
    }
}

static void a_name_may_hold_a_nul_byte(void **state)
{
    struct document d = document_of("{\"a\":1,\"a\\u0000b\":2}");

    (void)state;
    assert_json(node_member(d.root, (struct slice){"a\0b", 3}), "2");
    assert_member(d.root, "a", "1");
    document_free(&d);
}

static void an_element_is_found_from_both_ends(void **state)
{
    static const char *const texts[] = {"[10,11,12]", "[[1,2],{\"a\":[3]},12]"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct document d = document_of(texts[i]);

        assert_json(node_element(d.root, 2), "12");
        assert_json(node_element(d.root, -1), "12");
        assert_ptr_equal(node_element(d.root, 0), d.root + 1);
        assert_ptr_equal(node_element(d.root, -3), d.root + 1);
        assert_ptr_equal(node_element(d.root, 1), node_element(d.root, -2));
        assert_null(node_element(d.root, 3));
        assert_null(node_element(d.root, -4));
        assert_null(node_element(d.root, INT64_MAX));
        assert_null(node_element(d.root, INT64_MIN));
        document_free(&d);
    }
}

static void what_is_no_array_has_no_elements(void **state)
{
    static const char *const texts[] = {"{\"a\":1}", "[]", "\"abc\"", "1"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct document d = document_of(texts[i]);

        assert_null(node_element(d.root, 0));
        assert_null(node_element(d.root, -1));
        document_free(&d);
    }
}

static void types_have_the_names_of_json(void **state)
{
    struct document d = document_of("[null,false,true,1,\"\",[],{}]");
    static const char *const names[] = {"null",   "boolean", "boolean", "number",
                                        "string", "array",   "object"};

    (void)state;
    for (int64_t i = 0; i < 7; i++)
        assert_string_equal(node_type_name(node_element(d.root, i)), names[i]);
    document_free(&d);
}

static void a_value_is_written_as_it_came(void **state)
{
    const char *json = "{ \"a\\u0041\\/\" : [ 1.50e+2 ,\n -0 ], \"b\":\"\\u00e9\\n\" }";
    struct document d = document_of(json);

    (void)state;
    assert_json(d.root, json);
    assert_member(d.root, "aA/", "[ 1.50e+2 ,\n -0 ]");
    assert_member(d.root, "b", "\"\\u00e9\\n\"");
    document_free(&d);
}

static void a_value_without_text_of_its_own_is_written_from_its_nodes(void **state)
{
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "-1.50E+2",
        "\"a\\\"b\\\\c\\u0000\\n\"",
        "[]",
        "{}",
        "[[]]",
        "[[],{},[{}]]",
        "{\"a\":{}}",
        "{\"a\":[],\"b\":{\"c\":[1,{\"d\":null}]},\"e\":[[2],3]}",
        "{\"\":\"\",\"a\":{\"b\":{\"c\":{}}},\"z\":false}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct document d = document_of(texts[i]);
        char *written = document_rewrite(d.root);

        assert_string_equal(written, texts[i]);
        free(written);
        document_free(&d);
    }
}

static void a_container_without_text_takes_the_text_of_what_it_holds(void **state)
{
    const char *lines = "{\"a\": 1}\n[ 2 ]\n\n\"\\u0041\"\n";
    struct document d = document_read(json_read_lines, lines, strlen(lines));

    (void)state;
    assert_int_equal(d.status, JSON_OK);
    assert_json(d.root, "[{\"a\": 1},[ 2 ],\"\\u0041\"]");
    document_free(&d);
}

static void a_deep_document_is_written_without_recursion(void **state)
{
    enum { DEPTH = 500000 };
    struct node *nodes = calloc(DEPTH, sizeof(*nodes));
    struct text out = {0};

    (void)state;
    assert_non_null(nodes);
    for (uint32_t i = 0; i < DEPTH; i++)
        nodes[i] = (struct node){.type = NODE_ARRAY, .length = i + 1 < DEPTH, .span = DEPTH - i};
    node_write_json(nodes, &out);
    assert_int_equal(out.length, 2 * DEPTH);
    assert_int_equal(out.data[DEPTH - 1], '[');
    assert_int_equal(out.data[DEPTH], ']');
    text_free(&out);
    free(nodes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_is_found_by_its_whole_name),
        cmocka_unit_test(of_equal_names_the_last_member_is_found),
        cmocka_unit_test(members_behind_containers_are_found),
        cmocka_unit_test(an_empty_object_and_what_is_no_object_have_no_members),
        cmocka_unit_test(a_name_may_hold_a_nul_byte),
        cmocka_unit_test(an_element_is_found_from_both_ends),
        cmocka_unit_test(what_is_no_array_has_no_elements),
        cmocka_unit_test(types_have_the_names_of_json),
        cmocka_unit_test(a_value_is_written_as_it_came),
        cmocka_unit_test(a_value_without_text_of_its_own_is_written_from_its_nodes),
        cmocka_unit_test(a_container_without_text_takes_the_text_of_what_it_holds),
        cmocka_unit_test(a_deep_document_is_written_without_recursion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
