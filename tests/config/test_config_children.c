/* What the children of a source have from it. */
#include "test.h"

#include <string.h>

#include "gatherd/config.h"

#define SOURCE(name) "  - name: " name "\n    url: https://example.org/" name "\n"

static struct config *parse(const char *yaml)
{
    struct config_report report = {0};
    struct config *config = config_parse(yaml, strlen(yaml), "test.yaml", "", &report);

    if (config == NULL)
        fail_msg("%s", text_string(&report.text));
    config_report_free(&report);
    return config;
}

static void expect_names(const char *const *names, size_t count, const char *expected)
{
    struct text text = {0};

    for (size_t i = 0; i < count; i++) {
        text_add(&text, i == 0 ? "" : ",");
        text_add(&text, names[i]);
    }
    assert_string_equal(text_string(&text), expected);
    text_free(&text);
}

static void expect_child(const struct mapping *child, const char *table, const char *links,
                         const char *key)
{
    assert_string_equal(child->table, table);
    expect_names(child->links, child->link_count, links);
    expect_names(child->primary_key, child->primary_key_count, key);
}

static void a_child_is_named_after_its_parent_and_the_last_name_in_its_path(void **state)
{
    struct config *config = parse("sources:\n" SOURCE(
        "my-issues") "    primary_key: id\n"
                     "    children:\n"
                     "      - {records: '$.labels[*]'}\n"
                     "      - {records: \"$.data['user list'][0:5]\"}\n"
                     "      - {records: $.x, table: Other, children: [{records: $.y}]}\n");
    const struct mapping *children = config->sources[0].mapping.children;

    (void)state;
    assert_int_equal(config->sources[0].mapping.child_count, 3);
    assert_string_equal(children[0].table, "my_issues_labels");
    assert_string_equal(children[1].table, "my_issues_user_list");
    assert_string_equal(children[2].table, "Other");
    assert_string_equal(children[2].children[0].table, "Other_y");
    config_unref(config);
}

static void the_key_of_a_child_begins_with_its_parents(void **state)
{
    struct config *config = parse("sources:\n" SOURCE("a") "    primary_key: [id, _rev]\n"
                                                           "    children:\n"
                                                           "      - records: $.x\n"
                                                           "        children: [{records: $.y}]\n"
                                                           "      - records: $.z\n"
                                                           "        primary_key: name\n"
                                                           "        children: [{records: $.y}]\n");
    const struct source *source = &config->sources[0];
    const struct mapping *x = &source->mapping.children[0];
    const struct mapping *z = &source->mapping.children[1];

    (void)state;
    assert_int_equal(source->mapping.link_count, 0);
    expect_child(x, "a_x", "_parent_id,_parent_rev,_index", "_parent_id,_parent_rev,_index");
    expect_child(&x->children[0], "a_x_y",
                 "_parent_parent_id,_parent_parent_rev,_parent_index,_index",
                 "_parent_parent_id,_parent_parent_rev,_parent_index,_index");
    expect_child(z, "a_z", "_parent_id,_parent_rev,_index", "_parent_id,_parent_rev,name");
    expect_child(&z->children[0], "a_z_y",
                 "_parent_parent_id,_parent_parent_rev,_parent_name,_index",
                 "_parent_parent_id,_parent_parent_rev,_parent_name,_index");
    config_unref(config);
}

static void without_a_key_rows_are_known_by_their_number(void **state)
{
    struct config *config =
        parse("sources:\n" SOURCE("a") "    children:\n"
                                       "      - records: $.x\n"
                                       "        children: [{records: $.y}]\n" SOURCE("b"));
    const struct mapping *a = &config->sources[0].mapping;

    (void)state;
    expect_names(a->links, a->link_count, "_index");
    expect_child(&a->children[0], "a_x", "_parent_index,_index", "");
    expect_child(&a->children[0].children[0], "a_x_y", "_parent_parent_index,_parent_index,_index",
                 "");
    assert_int_equal(config->sources[1].mapping.link_count, 0);
    config_unref(config);
}

static void children_have_the_write_mode_of_their_source(void **state)
{
    struct config *config = parse(
        "defaults: {write_mode: insert_only}\n"
        "sources:\n" SOURCE("a") "    primary_key: id\n"
                                 "    children: [{records: $.x, children: [{records: $.y}]}]\n");
    const struct mapping *x = &config->sources[0].mapping.children[0];

    (void)state;
    assert_int_equal(x->write_mode, WRITE_INSERT_ONLY);
    assert_int_equal(x->children[0].write_mode, WRITE_INSERT_ONLY);
    config_unref(config);
}

static void what_stands_for_nothing_does_so_in_children_that_do_not_say_otherwise(void **state)
{
    struct config *config =
        parse("sources:\n" SOURCE("a") "    null_values: ['', n/a]\n"
                                       "    children:\n"
                                       "      - {records: $.x, children: [{records: $.y}]}\n"
                                       "      - {records: $.z, null_values: []}\n");
    const struct mapping *children = config->sources[0].mapping.children;

    (void)state;
    assert_int_equal(children[0].null_value_count, 2);
    assert_int_equal(children[0].children[0].null_value_count, 2);
    assert_int_equal(children[1].null_value_count, 0);
    config_unref(config);
}

static void an_alias_gives_each_source_children_of_its_own(void **state)
{
    struct config *config = parse(
        "x-lists: &lists [{records: $.x, children: [{records: $.y}]}]\n"
        "sources:\n" SOURCE("a") "    primary_key: id\n"
                                 "    children: *lists\n" SOURCE("b") "    children: *lists\n");
    const struct mapping *a = &config->sources[0].mapping.children[0];
    const struct mapping *b = &config->sources[1].mapping.children[0];

    (void)state;
    expect_child(a, "a_x", "_parent_id,_index", "_parent_id,_index");
    expect_child(b, "b_x", "_parent_index,_index", "");
    assert_string_equal(a->children[0].table, "a_x_y");
    assert_string_equal(b->children[0].table, "b_x_y");
    config_unref(config);
}

static void what_children_are_counts_as_a_change(void **state)
{
    struct config *before = parse("sources:\n" SOURCE("a") "    children: [{records: $.x}]\n");
    struct config *same = parse("sources:\n" SOURCE("a") "    children: [{records: $.x}]\n");
    struct config *after = parse(
        "sources:\n" SOURCE("a") "    children: [{records: $.x, children: [{records: $.y}]}]\n");
    const struct source *source = &before->sources[0];

    (void)state;
    assert_true(source->fingerprint == same->sources[0].fingerprint);
    assert_true(source->answer_fingerprint == same->sources[0].answer_fingerprint);
    assert_false(source->fingerprint == after->sources[0].fingerprint);
    assert_false(source->answer_fingerprint == after->sources[0].answer_fingerprint);
    config_unref(before);
    config_unref(same);
    config_unref(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_is_named_after_its_parent_and_the_last_name_in_its_path),
        cmocka_unit_test(the_key_of_a_child_begins_with_its_parents),
        cmocka_unit_test(without_a_key_rows_are_known_by_their_number),
        cmocka_unit_test(children_have_the_write_mode_of_their_source),
        cmocka_unit_test(what_stands_for_nothing_does_so_in_children_that_do_not_say_otherwise),
        cmocka_unit_test(an_alias_gives_each_source_children_of_its_own),
        cmocka_unit_test(what_children_are_counts_as_a_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
