/*
 * Names, indexes, wildcards, slices and unions: RFC 9535, 2.1 to 2.3.4 and 2.5.1. Filters,
 * functions and descendants have programs of their own.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "selecting.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void names_select_members(void **state)
{
    static const struct selecting_example examples[] = {
        {"$", "{\"a\":{\"b\":[1,{\"c\":2}],\"\":3},\"_x9\":4,\"\xc3\xa9\":5,\"\xf0\x9f\x98\x80\":6,"
              "\"x y\":7,\"'\":8,\"\\\"\":9,\"1\":10,\"A\":11,\"a\\nb\":12}"},
        {"$.a.b", "[1,{\"c\":2}]"},
        {"$['a'][\"b\"]", "[1,{\"c\":2}]"},
        {"$.a.b[1].c", "2"},
        {"$.a['']", "3"},
        {"$._x9", "4"},
        {"$.\xc3\xa9", "5"},
        {"$['\\u00e9']", "5"},
        {"$.\xf0\x9f\x98\x80", "6"},
        {"$[\"\\ud83d\\uDE00\"]", "6"},
        {"$['x y']", "7"},
        {"$['\\'']", "8"},
        {"$[\"'\"]", "8"},
        {"$['\"']", "9"},
        {"$[\"\\\"\"]", "9"},
        {"$['1']", "10"},
        {"$.A", "11"},
        {"$['a\\nb']", "12"},
        {"$.b", ""},
        {"$.a.a", ""},
        {"$.a.b.c", ""},
        {"$.A.b", ""},
        {"$.a.b['0']", ""},
        {"$ .a\n\t[ 'b' ]\r\n [ 0 ]", "1"},
    };

    (void)state;
    selecting_assert_all(examples[0].selected, examples, COUNT(examples));
}

static void a_quoted_name_takes_every_escape(void **state)
{
    struct document d = document_of("{\"\\b\\f\\n\\r\\t/\\\\\\u0000\":1}");

    (void)state;
    selecting_assert(&d, "$['\\b\\f\\n\\r\\t\\/\\\\\\u0000']", "1");
    selecting_assert(&d, "$[\"\\b\\f\\n\\r\\t/\\\\\\u0000\"]", "1");
    document_free(&d);
}

static void indexes_select_elements(void **state)
{
    static const struct selecting_example examples[] = {
        {"$[0]", "10"},
        {"$[2]", "[12,13]"},
        {"$[2][1]", "13"},
        {"$[-1]", "{\"a\":14}"},
        {"$[-4]", "10"},
        {"$[4]", ""},
        {"$[-5]", ""},
        {"$[9007199254740991]", ""},
        {"$[-9007199254740991]", ""},
        {"$[3][0]", ""},
        {"$[0][0]", ""},
    };

    (void)state;
    selecting_assert_all("[10,11,[12,13],{\"a\":14}]", examples, COUNT(examples));
}

static void a_wildcard_selects_all_children(void **state)
{
    static const struct selecting_example examples[] = {
        {"$.*", "[1,[2]] {\"b\":3,\"c\":{}} 4 \"x\""},
        {"$[*]", "[1,[2]] {\"b\":3,\"c\":{}} 4 \"x\""},
        {"$.*.*", "1 [2] 3 {}"},
        {"$[*][*]", "1 [2] 3 {}"},
        {"$.*[0]", "1"},
        {"$.a.*", "1 [2]"},
        {"$.o.*", "3 {}"},
        {"$.n.*", ""},
        {"$.o.c.*", ""},
        {"$.*.*.*", "2"},
        {"$.*.*.*.*", ""},
    };

    (void)state;
    selecting_assert_all("{\"a\":[1,[2]],\"o\":{\"b\":3,\"c\":{}},\"n\":4,\"s\":\"x\"}", examples,
                         COUNT(examples));
}

static void a_wildcard_selects_members_of_equal_names_too(void **state)
{
    struct document d = document_of("{\"a\":1,\"a\":2}");

    (void)state;
    selecting_assert(&d, "$.*", "1 2");
    selecting_assert(&d, "$.a", "2");
    document_free(&d);
}

static void a_slice_selects_as_the_standard_counts(void **state)
{
    static const struct selecting_example examples[] = {
        {"$[1:3]", "1 2"},
        {"$[5:]", "5 6"},
        {"$[:2]", "0 1"},
        {"$[:]", "0 1 2 3 4 5 6"},
        {"$[::]", "0 1 2 3 4 5 6"},
        {"$[1:5:2]", "1 3"},
        {"$[0:7:3]", "0 3 6"},
        {"$[::7]", "0"},
        {"$[-2:]", "5 6"},
        {"$[:-5]", "0 1"},
        {"$[-100:100]", "0 1 2 3 4 5 6"},
        {"$[3:3]", ""},
        {"$[5:1]", ""},
        {"$[7:]", ""},
        {"$[5:1:-2]", "5 3"},
        {"$[::-1]", "6 5 4 3 2 1 0"},
        {"$[::-2]", "6 4 2 0"},
        {"$[::-4]", "6 2"},
        {"$[4::-1]", "4 3 2 1 0"},
        {"$[:4:-1]", "6 5"},
        {"$[100:-100:-3]", "6 3 0"},
        {"$[-1:-4:-1]", "6 5 4"},
        {"$[1:5:-1]", ""},
        {"$[0:0:-1]", ""},
        {"$[0:-100:-1]", "0"},
        {"$[::0]", ""},
        {"$[1:5:0]", ""},
        {"$[ 1 : 5 : 2 ]", "1 3"},
        {"$[\t:\n: -1 ]", "6 5 4 3 2 1 0"},
        {"$[9007199254740991:]", ""},
        {"$[-9007199254740991:9007199254740991:9007199254740991]", "0"},
        {"$[9007199254740991:-9007199254740991:-9007199254740991]", "6"},
    };

    (void)state;
    selecting_assert_all("[0,1,2,3,4,5,6]", examples, COUNT(examples));
}

static void a_slice_steps_over_whole_containers(void **state)
{
    static const struct selecting_example examples[] = {
        {"$[::2]", "[1,[2]] [] 5"},
        {"$[::-2]", "5 [] [1,[2]]"},
        {"$[3:0:-1]", "\"x\" [] {\"a\":[3]}"},
        {"$[1:2].a[:]", "3"},
    };

    (void)state;
    selecting_assert_all("[[1,[2]],{\"a\":[3]},[],\"x\",5]", examples, COUNT(examples));
}

static void a_slice_selects_nothing_where_there_is_no_array(void **state)
{
    static const struct selecting_example examples[] = {
        {"$[:]", ""}, {"$.a[:]", ""}, {"$.b[:]", ""}, {"$.b[::-1]", ""}, {"$.c[::-1]", ""}};

    (void)state;
    selecting_assert_all("{\"a\":\"text\",\"b\":[],\"c\":{\"d\":1}}", examples, COUNT(examples));
}

static void a_union_selects_in_the_order_of_its_selectors(void **state)
{
    static const struct selecting_example examples[] = {
        {"$.a[2,0]", "3 1"},
        {"$.a[0,0]", "1 1"},
        {"$.a[1:,0,-1]", "2 3 1 3"},
        {"$.a[::-1,*]", "3 2 1 1 2 3"},
        {"$['b','c','x','b']", "4 5 4"},
        {"$[ 'b' , \"c\" ]", "4 5"},
        {"$[0,'b',*]", "4 [1,2,3] 4 5"},
        {"$['a'][0,1]['x']", ""},
    };

    (void)state;
    selecting_assert_all("{\"a\":[1,2,3],\"b\":4,\"c\":5}", examples, COUNT(examples));
}

static void each_segment_is_applied_to_each_node_in_order(void **state)
{
    static const struct selecting_example examples[] = {
        {"$[*]['a','b']", "1 2 3 4"},
        {"$[1,0].b", "4 2"},
        {"$[::-1][*]", "3 4 1 2"},
    };

    (void)state;
    selecting_assert_all("[{\"a\":1,\"b\":2},{\"a\":3,\"b\":4}]", examples, COUNT(examples));
}

static void many_nodes_are_selected(void **state)
{
    struct text text = {0};
    struct document d;
    struct jsonpath *path = selecting_compile("$[*][0]");
    struct jsonpath_session session;
    struct node_list list;

    (void)state;
    text_add(&text, "[[0]");
    for (int i = 1; i < 10000; i++)
        text_format(&text, ",[%d]", i);
    text_add(&text, "]");
    d = document_of(text_string(&text));
    session = selecting_session(&d);
    assert_int_equal(jsonpath_select(path, d.root, &session, &list), JSONPATH_OK);
    assert_int_equal(list.count, 10000);
    assert_true(slice_equals(node_slice(list.nodes[9999]), "9999"));
    jsonpath_free(path);
    document_free(&d);
    text_free(&text);
}

static void a_path_of_names_and_indexes_is_singular(void **state)
{
    static const char *const singular[] = {"$", "$.a", "$['a'][0]", "$[-1].b"};
    static const char *const plural[] = {"$.*",    "$[*]",     "$[0,1]",
                                         "$[0:1]", "$.a[*].b", "$['a','b']"};

    (void)state;
    for (size_t i = 0; i < COUNT(singular); i++) {
        struct jsonpath *path = selecting_compile(singular[i]);

        assert_true(jsonpath_is_singular(path));
        jsonpath_free(path);
    }
    for (size_t i = 0; i < COUNT(plural); i++) {
        struct jsonpath *path = selecting_compile(plural[i]);

        assert_false(jsonpath_is_singular(path));
        jsonpath_free(path);
    }
}

static void a_path_says_whether_it_ends_in_a_choice(void **state)
{
    static const char *const yes[] = {"$.*",    "$[*]", "$.a[*]",  "$[ * ]", "$[*,0]",
                                      "$[0,1]", "$[:]", "$[?@.a]", "$..*",   "$..[?@.a]"};
    static const char *const no[] = {"$", "$.a", "$.*.a", "$[*][0]", "$..a", "$[?@.a].b"};

    (void)state;
    for (size_t i = 0; i < COUNT(yes); i++) {
        struct jsonpath *path = selecting_compile(yes[i]);

        assert_true(jsonpath_ends_in_choice(path));
        jsonpath_free(path);
    }
    for (size_t i = 0; i < COUNT(no); i++) {
        struct jsonpath *path = selecting_compile(no[i]);

        assert_false(jsonpath_ends_in_choice(path));
        jsonpath_free(path);
    }
}

static void a_path_of_one_name_gives_the_name(void **state)
{
    static const struct {
        const char *path;
        const char *name; /* NULL: none */
    } examples[] = {
        {"$.id", "id"},   {"$['a b']", "a b"}, {"$[\"\\u0041\"]", "A"}, {"$", NULL},
        {"$.id.x", NULL}, {"$[0]", NULL},      {"$.*", NULL},           {"$['a','b']", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(examples); i++) {
        struct jsonpath *path = selecting_compile(examples[i].path);
        struct slice name = jsonpath_single_name(path);

        assert_true(slice_same(name, slice_of(examples[i].name)));
        jsonpath_free(path);
    }
}

static void an_empty_name_is_a_name(void **state)
{
    struct jsonpath *path = selecting_compile("$['']");
    struct slice name = jsonpath_single_name(path);

    (void)state;
    assert_non_null(name.data);
    assert_int_equal(name.length, 0);
    jsonpath_free(path);
}

static void a_path_keeps_its_text(void **state)
{
    struct jsonpath *path = selecting_compile("$ ['a'] .b");

    (void)state;
    assert_string_equal(jsonpath_text(path), "$ ['a'] .b");
    jsonpath_free(path);
    jsonpath_free(NULL);
}

static void a_path_of_many_segments_is_no_deeper_than_one_of_few(void **state)
{
    enum { SEGMENTS = 200000 };
    struct text text = {0};
    struct document d = document_of("[[[]]]");
    struct jsonpath *path;

    (void)state;
    text_add(&text, "$");
    for (int i = 0; i < SEGMENTS; i++)
        text_add(&text, "[0]");
    path = selecting_compile(text_string(&text));
    assert_null(jsonpath_first(path, d.root));
    jsonpath_free(path);
    document_free(&d);
    text_free(&text);
}

static const struct selecting_refusal refused[] = {
    {"", 1, "the path is empty; the whole document is $"},
    {" $", 1, "white space before the path"},
    {"$ ", 2, "white space behind the end of the path"},
    {"$.a \n", 4, "white space behind the end of the path"},
    {"features", 1, "a path begins with $, as in $.name"},
    {".a", 1, "a path begins with $, as in $.name"},
    {"@.a", 1, "a path begins with $, as in $.name"},
    {"$a", 2, "'a' where '.' or '[' should stand"},
    {"$$", 2, "'$' where '.' or '[' should stand"},
    {"$.a]", 4, "']' in a name; put the name in quotes, as in ['name']"},
    {"$.a-b", 4, "'-' in a name; put the name in quotes, as in ['name']"},
    {"$.a:b", 4, "':' in a name; put the name in quotes, as in ['name']"},
    {"$.\xc3\xa9\xc3\xa9/b", 5, "'/' in a name; put the name in quotes, as in ['name']"},
    {"$.a b", 5, "'b' where '.' or '[' should stand"},
    {"$[0]b", 5, "'b' where '.' or '[' should stand"},
    {"$.*b", 4, "'b' where '.' or '[' should stand"},
    {"$.a\x01", 4, "byte 0x01 in a name; put the name in quotes, as in ['name']"},

    /* behind a dot */
    {"$.", 3, "a name or * must follow '.'"},
    {"$.a.", 5, "a name or * must follow '.'"},
    {"$. a", 3, "white space between '.' and the name"},
    {"$.\na", 3, "white space between '.' and the name"},
    {"$.1", 3, "'1' cannot begin a name; put the name in quotes, as in ['name']"},
    {"$.-a", 3, "'-' cannot begin a name; put the name in quotes, as in ['name']"},
    {"$.&", 3, "'&' cannot begin a name; put the name in quotes, as in ['name']"},
    {"$.\x7f", 3, "byte 0x7f cannot begin a name; put the name in quotes, as in ['name']"},
    {"$.'a'", 3, "a name in quotes stands in brackets, as in ['name']"},
    {"$.\"a\"", 3, "a name in quotes stands in brackets, as in ['name']"},
    {"$.[0]", 2, "'.' before '[': brackets follow without a dot"},

    /* in brackets */
    {"$[", 3, "the bracket that closes is missing"},
    {"$[0", 4, "the bracket that closes is missing"},
    {"$[0 ", 5, "the bracket that closes is missing"},
    {"$['a'", 6, "the bracket that closes is missing"},
    {"$[0,", 5, "the bracket that closes is missing"},
    {"$[]", 3, "a name, an index, a slice, a filter or * is missing before ']'"},
    {"$[ ]", 4, "a name, an index, a slice, a filter or * is missing before ']'"},
    {"$[0,]", 5, "a name, an index, a slice, a filter or * is missing before ']'"},
    {"$[,0]", 3, "a name, an index, a slice, a filter or * is missing before ','"},
    {"$[0 1]", 5, "'1' where ',' or ']' should stand"},
    {"$['a''b']", 6, "''' where ',' or ']' should stand"},
    {"$[0.5]", 4, "'.' where ',' or ']' should stand"},
    {"$[1:2:3:4]", 8, "':' where ',' or ']' should stand"},
    {"$[a]", 3, "a name in brackets stands in quotes, as in ['name']"},
    {"$[\xc3\xa9]", 3, "a name in brackets stands in quotes, as in ['name']"},
    {"$[+1]", 3, "'+' where a name, an index, a slice, a filter or * should stand"},
    {"$[@.a]", 3, "a filter begins with ?, as in [?@.name]"},
    {"$[$.a]", 3, "a filter begins with ?, as in [?@.name]"},
    {"$[length(@)]", 3, "a function stands in a filter, as in [?length(@.name) > 3]"},
    {"$.a.length()", 11, "a function stands in a filter, as in [?length(@.name) > 3]"},
    {"$[(@.length-1)]", 3,
     "script expressions are not JSONPath; the last element is [-1], and a filter begins with ?"},

    /* numbers */
    {"$[01]", 3, "a number cannot have a 0 before its first digit"},
    {"$[-01]", 3, "a number cannot have a 0 before its first digit"},
    {"$[:01]", 4, "a number cannot have a 0 before its first digit"},
    {"$[-0]", 3, "-0 is no index"},
    {"$[::-0]", 5, "-0 is no index"},
    {"$[-]", 4, "a digit must follow '-'"},
    {"$[- 1]", 4, "a digit must follow '-'"},
    {"$[9007199254740992]", 3, "the number is beyond 9007199254740991"},
    {"$[-9007199254740992]", 3, "the number is beyond 9007199254740991"},
    {"$[0:1:99999999999999999999999999]", 7, "the number is beyond 9007199254740991"},

    /* quoted names */
    {"$['a", 5, "the quote that ends the name is missing"},
    {"$['a]", 6, "the quote that ends the name is missing"},
    {"$['a\\']", 8, "the quote that ends the name is missing"},
    {"$['a\\", 6, "the quote that ends the name is missing"},
    {"$['\\\"']", 4, "a backslash before '\"' in a name: there is no such escape"},
    {"$[\"\\'\"]", 4, "a backslash before ''' in a name: there is no such escape"},
    {"$['\\x']", 4, "a backslash before 'x' in a name: there is no such escape"},
    {"$['\\\n']", 4, "a backslash before byte 0x0a in a name: there is no such escape"},
    {"$['\\\xc3\xa9']", 4, "a backslash before '\xc3\xa9' in a name: there is no such escape"},
    {"$['\\u12']", 4, "\\u must have four hexadecimal digits behind it"},
    {"$['\\ud800']", 4, "\\ud800 is half of a surrogate pair, which is no character"},
    {"$['a\\udc00']", 5, "\\udc00 is half of a surrogate pair, which is no character"},
    {"$['a\tb']", 5, "byte 0x09 in a name, where it is written \\u0009"},

    /* encoding */
    {"$.caf\xe9", 6, "byte 0xe9 is not UTF-8"},
    {"$['\xed\xa0\x80']", 4, "byte 0xed is not UTF-8"},

    /* descendants */
    {"$..", 4, "a name, a bracket or * must follow '..'"},
    {"$...a", 4, "'.' behind '..'"},
    {"$.. a", 4, "white space between '..' and the name"},
    {"$.. [0]", 4, "white space between '..' and the name"},
    {"$..1", 4, "'1' cannot begin a name; put the name in quotes, as in ['name']"},
    {"$..'a'", 4, "a name in quotes stands in brackets, as in ['name']"},
    {"$..[a]", 5, "a name in brackets stands in quotes, as in ['name']"},
};

static void what_is_no_path_is_refused_with_its_column(void **state)
{
    (void)state;
    selecting_assert_refused(refused, COUNT(refused));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_select_members),
        cmocka_unit_test(a_quoted_name_takes_every_escape),
        cmocka_unit_test(indexes_select_elements),
        cmocka_unit_test(a_wildcard_selects_all_children),
        cmocka_unit_test(a_wildcard_selects_members_of_equal_names_too),
        cmocka_unit_test(a_slice_selects_as_the_standard_counts),
        cmocka_unit_test(a_slice_steps_over_whole_containers),
        cmocka_unit_test(a_slice_selects_nothing_where_there_is_no_array),
        cmocka_unit_test(a_union_selects_in_the_order_of_its_selectors),
        cmocka_unit_test(each_segment_is_applied_to_each_node_in_order),
        cmocka_unit_test(many_nodes_are_selected),
        cmocka_unit_test(a_path_of_names_and_indexes_is_singular),
        cmocka_unit_test(a_path_says_whether_it_ends_in_a_choice),
        cmocka_unit_test(a_path_of_one_name_gives_the_name),
        cmocka_unit_test(an_empty_name_is_a_name),
        cmocka_unit_test(a_path_keeps_its_text),
        cmocka_unit_test(a_path_of_many_segments_is_no_deeper_than_one_of_few),
        cmocka_unit_test(what_is_no_path_is_refused_with_its_column),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
