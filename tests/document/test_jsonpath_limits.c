/* What a path may take of a document that was made for it, and how far a path leads. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "selecting.h"

/* Fewer than any session has, so that using them up takes no time. */
#define STEPS UINT64_C(5000000)

static char *repeat(const char *piece, size_t count)
{
    struct text text = {0};

    for (size_t i = 0; i < count; i++)
        text_add(&text, piece);
    return text_take(&text);
}

/* `opening` and `closing` many times around `middle`. */
static struct document nested(const char *opening, const char *middle, const char *closing,
                              size_t count)
{
    struct text text = {0};
    struct document d;
    char *before = repeat(opening, count);
    char *behind = repeat(closing, count);

    text_format(&text, "%s%s%s", before, middle, behind);
    d = document_of(text_string(&text));
    free(before);
    free(behind);
    text_free(&text);
    return d;
}

static enum jsonpath_status select_all(const struct document *d, const char *text,
                                       struct node_list *list)
{
    struct jsonpath *path = selecting_compile(text);
    struct jsonpath_session session = selecting_session(d);
    enum jsonpath_status status;

    assert_true(session.steps_left > STEPS);
    session.steps_left = STEPS;
    status = jsonpath_select(path, d->root, &session, list);
    if (status == JSONPATH_TOO_LONG)
        assert_int_equal(session.steps_left, 0);
    jsonpath_free(path);
    return status;
}

static void assert_status(const struct document *d, const char *text, enum jsonpath_status expected)
{
    struct node_list list;
    enum jsonpath_status status = select_all(d, text, &list);

    if (status != expected)
        fail_msg("%s: %d", text, (int)status);
}

static void descendants_of_descendants_of_a_deep_document_are_given_up(void **state)
{
    struct document d = nested("[", "1", "]", 100);

    (void)state;
    assert_status(&d, "$..*", JSONPATH_OK);
    assert_status(&d, "$..*..*", JSONPATH_OK);
    assert_status(&d, "$..*..*..*", JSONPATH_TOO_LONG);
    assert_status(&d, "$..*..*..*..*..*..*..*..*", JSONPATH_TOO_LONG);
    document_free(&d);
}

static void what_selects_nothing_can_take_long_as_well(void **state)
{
    struct document d = nested("{\"a\":", "1", "}", 511);

    (void)state;
    assert_status(&d, "$..a..a..a..a..b", JSONPATH_TOO_LONG);
    assert_status(&d, "$[?count(@..*..*..*..*) == 0]", JSONPATH_TOO_LONG);
    assert_status(&d, "$[?@..*[?@..*[?@..*[?@..b]]]]", JSONPATH_TOO_LONG);
    document_free(&d);
}

static void unions_that_multiply_are_given_up(void **state)
{
    struct document d = nested("[", "1", "]", 40);

    (void)state;
    assert_status(&d, "$[0,0][0,0][0,0][0,0]", JSONPATH_OK);
    assert_status(&d,
                  "$[0,0][0,0][0,0][0,0][0,0][0,0][0,0][0,0][0,0][0,0][0,0][0,0][0,0][0,0][0,0]"
                  "[0,0][0,0][0,0][0,0][0,0][0,0][0,0][0,0][0,0][0,0][0,0][0,0][0,0][0,0][0,0]",
                  JSONPATH_TOO_LONG);
    document_free(&d);
}

static void nodes_in_each_other_count_with_all_their_bytes(void **state)
{
    char *text = repeat("x", 1000000);
    struct text body = {0};
    struct document deep;
    struct document flat;

    (void)state;
    text_format(&body, "\"%s\"", text);
    deep = nested("[", text_string(&body), "]", 400);
    flat = nested("[", text_string(&body), "]", 2);
    assert_status(&deep, "$..*", JSONPATH_TOO_LONG);
    assert_status(&flat, "$..*", JSONPATH_OK);
    document_free(&deep);
    document_free(&flat);
    text_free(&body);
    free(text);
}

static void comparing_everything_with_everything_is_given_up(void **state)
{
    char *elements = repeat("{\"a\":[1,2,3,4,5,6,7,8]},", 20000);
    struct document d = nested("[", elements, "0]", 1);

    (void)state;
    assert_status(&d, "$[?@.a]", JSONPATH_OK);
    assert_status(&d, "$[?count($[*]) > 1]", JSONPATH_TOO_LONG);
    assert_status(&d, "$[?$ == $]", JSONPATH_TOO_LONG);
    assert_status(&d, "$[?value($..b) == 1]", JSONPATH_TOO_LONG);
    document_free(&d);
    free(elements);
}

/* Members of equal names in another order have to be looked for one by one. */
static void comparing_large_objects_of_another_order_is_given_up(void **state)
{
    struct text body = {0};
    struct document d;

    (void)state;
    text_add(&body, "{\"a\":{\"m\":0");
    for (int i = 1; i < 20000; i++)
        text_format(&body, ",\"m%d\":0", i);
    text_add(&body, "},\"b\":{\"m\":0");
    for (int i = 19999; i > 0; i--)
        text_format(&body, ",\"m%d\":0", i);
    text_add(&body, "},\"one\":[1]}");
    d = document_of(text_string(&body));
    assert_status(&d, "$.one[?$.a == $.b]", JSONPATH_TOO_LONG);
    assert_status(&d, "$.one[?$.a == $.a]", JSONPATH_OK);
    document_free(&d);
    text_free(&body);
}

static void long_numbers_and_texts_are_not_compared_for_ever(void **state)
{
    char *digits = repeat("7", 2000000);
    char *zeros = repeat("0,", 20000);
    struct text body = {0};
    struct document d;

    (void)state;
    text_format(&body, "{\"n\":%s,\"t\":\"%s\",\"u\":\"%s\",\"list\":[%s0]}", digits, digits,
                digits, zeros);
    d = document_of(text_string(&body));
    assert_status(&d, "$.list[?$.n == $.n]", JSONPATH_TOO_LONG);
    assert_status(&d, "$.list[?$.t == $.u]", JSONPATH_TOO_LONG);
    assert_status(&d, "$.list[?$.t < $.u]", JSONPATH_TOO_LONG);
    assert_status(&d, "$.list[?length($.t) == 1]", JSONPATH_TOO_LONG);
    assert_status(&d, "$.list[?match($.t, '7*8')]", JSONPATH_TOO_LONG);
    assert_status(&d, "$.list[?match('7', $.t)]", JSONPATH_TOO_LONG);
    assert_status(&d, "$.list[?@ == 7]", JSONPATH_OK);
    document_free(&d);
    text_free(&body);
    free(digits);
    free(zeros);
}

static void a_regular_expression_takes_its_steps_from_the_session(void **state)
{
    char *a = repeat("a", 5000);
    struct text body = {0};
    struct document d;

    (void)state;
    text_format(&body, "[\"%s\",\"ab\"]", a);
    d = document_of(text_string(&body));
    assert_status(&d, "$[?match(@, '(a+)+[bc]')]", JSONPATH_TOO_LONG);
    assert_status(&d, "$[?!match(@, '(a+)+[bc]')]", JSONPATH_TOO_LONG);
    assert_status(&d, "$[?match(@, '(a+)+')]", JSONPATH_OK);
    document_free(&d);
    text_free(&body);
    free(a);
}

/* All paths of a session share its steps: more paths, more steps. */
static void steps_grow_with_the_document_and_the_paths(void **state)
{
    struct document d = nested("[", "1", "]", 100);
    struct jsonpath_session one;
    struct jsonpath_session two;
    struct jsonpath_session larger;

    (void)state;
    jsonpath_begin(&one, d.arena, d.root, d.length, 1);
    jsonpath_begin(&two, d.arena, d.root, d.length, 2);
    jsonpath_begin(&larger, d.arena, d.root, 2 * d.length, 1);
    assert_true(two.steps_left > one.steps_left);
    assert_true(larger.steps_left > one.steps_left);
    document_free(&d);
}

static void ordinary_paths_take_a_few_steps_a_node(void **state)
{
    static const char *const paths[] = {"$..id", "$..items[?@.id > 500]", "$.items[*].tags[*]",
                                        "$..[?@.name == 'b'].id"};
    char *elements = repeat("{\"id\":1000,\"name\":\"b\",\"tags\":[\"x\",\"y\"]},", 10000);
    struct text body = {0};
    struct document d;

    (void)state;
    text_format(&body, "{\"items\":[%s{}]}", elements);
    d = document_of(text_string(&body));
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct jsonpath *path = selecting_compile(paths[i]);
        struct jsonpath_session session = selecting_session(&d);
        uint64_t before = session.steps_left;
        struct node_list list;

        assert_int_equal(jsonpath_select(path, d.root, &session, &list), JSONPATH_OK);
        assert_true(list.count > 0);
        assert_true(before - session.steps_left < 4 * d.root->span + 2 * d.length);
        jsonpath_free(path);
    }
    document_free(&d);
    text_free(&body);
    free(elements);
}

static void who_has_no_steps_left_is_told_what_to_do(void **state)
{
    struct jsonpath *path = selecting_compile("$..*..*");
    struct text words = {0};

    (void)state;
    jsonpath_explain_too_long(path, &words);
    assert_string_equal(
        text_string(&words),
        "$..*..* goes over this document too often; name more of the way instead of .. and *, "
        "filter earlier, and write regular expressions that cannot match in many ways");
    text_free(&words);
    jsonpath_free(path);
}

/* --- How far a path leads --- */

static void assert_reach(const struct document *d, const char *text, const char *part,
                         const char *node, bool chosen)
{
    struct jsonpath *path = selecting_compile(text);
    struct jsonpath_session session = selecting_session(d);
    struct jsonpath_reach reach;
    struct text written = {0};

    assert_int_equal(jsonpath_reach(path, d->root, &session, &reach), JSONPATH_OK);
    node_write_json(reach.node, &written);
    assert_int_equal(reach.part_length, strlen(part));
    assert_memory_equal(text, part, strlen(part));
    assert_string_equal(text_string(&written), node);
    if (reach.chosen != chosen)
        fail_msg("%s", text);
    text_free(&written);
    jsonpath_free(path);
}

static void a_path_reaches_as_far_as_something_is_selected(void **state)
{
    struct document d = document_of("{\"a\":[{\"b\":1},{\"b\":[]}],\"s\":\"x\",\"e\":{},\"l\":[]}");

    (void)state;
    assert_reach(&d, "$.x.y", "$", d.body, false);
    assert_reach(&d, "$.a.b", "$.a", "[{\"b\":1},{\"b\":[]}]", false);
    assert_reach(&d, "$ .a [*] .c", "$ .a [*]", "{\"b\":1}", false);
    assert_reach(&d, "$.a[?@.b == ']'].c", "$.a", "[{\"b\":1},{\"b\":[]}]", true);
    assert_reach(&d, "$.a[?@.b].c[*]", "$.a[?@.b]", "{\"b\":1}", false);
    assert_reach(&d, "$.a[*].b[*]", "$.a[*].b", "1", true);
    assert_reach(&d, "$.a[*].b[?@]", "$.a[*].b", "1", true);
    assert_reach(&d, "$.s[?@]", "$.s", "\"x\"", false);
    assert_reach(&d, "$.s[1:]", "$.s", "\"x\"", false);
    assert_reach(&d, "$.e[1:]", "$.e", "{}", true);
    assert_reach(&d, "$.a[5:]", "$.a", "[{\"b\":1},{\"b\":[]}]", true);
    assert_reach(&d, "$.a[5]", "$.a", "[{\"b\":1},{\"b\":[]}]", false);
    assert_reach(&d, "$.a[5,6]", "$.a", "[{\"b\":1},{\"b\":[]}]", false);
    assert_reach(&d, "$.l[5,6]", "$.l", "[]", true);
    assert_reach(&d, "$.l[0]", "$.l", "[]", false);
    assert_reach(&d, "$.e.*", "$.e", "{}", true);
    assert_reach(&d, "$..x", "$", d.body, false);
    assert_reach(&d, "$..e[*]", "$..e", "{}", true);
    assert_reach(&d, "$..[?@.z]", "$", d.body, true);
    document_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descendants_of_descendants_of_a_deep_document_are_given_up),
        cmocka_unit_test(what_selects_nothing_can_take_long_as_well),
        cmocka_unit_test(unions_that_multiply_are_given_up),
        cmocka_unit_test(nodes_in_each_other_count_with_all_their_bytes),
        cmocka_unit_test(comparing_everything_with_everything_is_given_up),
        cmocka_unit_test(comparing_large_objects_of_another_order_is_given_up),
        cmocka_unit_test(long_numbers_and_texts_are_not_compared_for_ever),
        cmocka_unit_test(a_regular_expression_takes_its_steps_from_the_session),
        cmocka_unit_test(steps_grow_with_the_document_and_the_paths),
        cmocka_unit_test(ordinary_paths_take_a_few_steps_a_node),
        cmocka_unit_test(who_has_no_steps_left_is_told_what_to_do),
        cmocka_unit_test(a_path_reaches_as_far_as_something_is_selected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
