#include "test.h"

#include <stdio.h>
#include <string.h>

#include "process/link.h"

/* The target of the next link, "" for none, or "broken: " and the problem. */
static const char *next_of(const char *value)
{
    static char found[300];
    struct slice target = {0};
    const char *problem = NULL;

    found[0] = '\0';
    switch (link_find_next(slice_of(value), &target, &problem)) {
    case LINK_NONE:
        break;
    case LINK_FOUND:
        snprintf(found, sizeof(found), "%.*s", (int)target.length, target.data);
        break;
    case LINK_BROKEN:
        snprintf(found, sizeof(found), "broken: %s", problem);
        break;
    }
    return found;
}

static void the_link_with_the_relation_next_is_found_among_others(void **state)
{
    (void)state;
    assert_string_equal(next_of("<https://a/2>; rel=\"next\""), "https://a/2");
    assert_string_equal(next_of("<https://a/1>; rel=\"first\", <https://a/3>; rel=\"next\", "
                                "<https://a/9>; rel=\"last\""),
                        "https://a/3");
    assert_string_equal(next_of("<?page=2>;rel=next"), "?page=2");
}

static void without_such_a_link_there_is_none(void **state)
{
    (void)state;
    assert_string_equal(next_of(""), "");
    assert_string_equal(next_of(" , ,"), "");
    assert_string_equal(next_of("<a>; rel=\"prev\""), "");
    assert_string_equal(next_of("<a>"), "");
    assert_string_equal(next_of("<a>; rel=\"nexte\""), "");
    assert_string_equal(next_of("<a>; rel"), "");
    assert_string_equal(next_of("<a>; next=\"rel\""), "");
}

static void case_and_blanks_do_not_matter(void **state)
{
    (void)state;
    assert_string_equal(next_of("<a> \t; \t REL \t= \t \"NeXT\" "), "a");
    assert_string_equal(next_of("  <a>;rel=NEXT  "), "a");
}

static void a_list_of_relations_is_searched(void **state)
{
    (void)state;
    assert_string_equal(next_of("<a>; rel=\"last next\""), "a");
    assert_string_equal(next_of("<a>; rel=\"next  last\""), "a");
    assert_string_equal(next_of("<a>; rel=\"http://next last\""), "");
}

static void quoted_parameters_may_hold_anything(void **state)
{
    (void)state;
    assert_string_equal(next_of("<a>; title=\"x, y; rel=\\\"next\\\"\", <b>; rel=next"), "b");
    assert_string_equal(next_of("<a>; title=\"<z>; rel=next\"; rel=\"next\""), "a");
}

static void a_target_may_hold_commas_and_semicolons(void **state)
{
    (void)state;
    assert_string_equal(next_of("<https://a/?x=1,2;3>; rel=\"next\""), "https://a/?x=1,2;3");
}

static void the_first_relation_of_a_link_counts(void **state)
{
    (void)state;
    assert_string_equal(next_of("<a>; rel=prev; rel=next"), "");
    assert_string_equal(next_of("<a>; rel=next; rel=prev"), "a");
}

static void the_first_next_link_counts(void **state)
{
    (void)state;
    assert_string_equal(next_of("<a>; rel=next, <b>; rel=next"), "a");
}

static void a_link_about_another_document_does_not_count(void **state)
{
    (void)state;
    assert_string_equal(next_of("<a>; rel=next; anchor=\"#x\", <b>; rel=next"), "b");
}

static void empty_parameters_and_links_are_passed_over(void **state)
{
    (void)state;
    assert_string_equal(next_of(",, <a>;; ;rel=next;, ,"), "a");
}

static void what_cannot_be_read_is_broken(void **state)
{
    (void)state;
    assert_string_equal(next_of("https://a/2; rel=next"),
                        "broken: a link does not begin with \"<\"");
    assert_string_equal(next_of("<https://a/2; rel=next"), "broken: a link's \"<\" has no \">\"");
    assert_string_equal(next_of("<a>; rel=\"next"), "broken: a quoted text has no end");
    assert_string_equal(next_of("<a>; rel=\"next\\"), "broken: a quoted text has no end");
    assert_string_equal(next_of("<a> rel=next"),
                        "broken: something other than \";\" or \",\" stands behind a link");
    assert_string_equal(next_of("<>; rel=next"), "broken: the link to the next page is empty");
    assert_string_equal(next_of("garbage"), "broken: a link does not begin with \"<\"");
}

static void what_comes_behind_the_next_link_is_not_looked_at(void **state)
{
    (void)state;
    assert_string_equal(next_of("<a>; rel=next, garbage"), "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_link_with_the_relation_next_is_found_among_others),
        cmocka_unit_test(without_such_a_link_there_is_none),
        cmocka_unit_test(case_and_blanks_do_not_matter),
        cmocka_unit_test(a_list_of_relations_is_searched),
        cmocka_unit_test(quoted_parameters_may_hold_anything),
        cmocka_unit_test(a_target_may_hold_commas_and_semicolons),
        cmocka_unit_test(the_first_relation_of_a_link_counts),
        cmocka_unit_test(the_first_next_link_counts),
        cmocka_unit_test(a_link_about_another_document_does_not_count),
        cmocka_unit_test(empty_parameters_and_links_are_passed_over),
        cmocka_unit_test(what_cannot_be_read_is_broken),
        cmocka_unit_test(what_comes_behind_the_next_link_is_not_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
