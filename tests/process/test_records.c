/* Records of paths that choose: filters, descendants, slices; test_extract.c has the plain ones. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "processing.h"

static int setup(void **state)
{
    *state = processing_create();
    return 0;
}

static int teardown(void **state)
{
    processing_free(*state);
    return 0;
}

static void expect_rows(void **state, const char *path, const char *body, const char *rows)
{
    struct processing *p = *state;

    processing_records(p, path);
    processing_run(p, NULL, body);
    if (p->run.failure != RUN_OK)
        fail_msg("%s of %s: %s", path, body, p->run.error);
    assert_string_equal(processing_rows(p), rows);
    assert_string_equal(processing_letters(p), "");
}

static void expect_failure(void **state, const char *path, const char *body, const char *reason)
{
    struct processing *p = *state;

    processing_records(p, path);
    processing_run(p, NULL, body);
    if (p->run.failure != RUN_FAILED_RECORDS)
        fail_msg("%s of %s: no failure", path, body);
    assert_string_equal(p->run.error, reason);
    assert_int_equal(p->result.rows.row_count, 0);
}

static void a_filter_selects_the_records_one_by_one(void **state)
{
    expect_rows(state, "$.items[?@.active == true]",
                "{\"items\":[{\"id\":1,\"active\":true},{\"id\":2,\"active\":false},{\"id\":3},"
                "{\"id\":4,\"active\":true}]}",
                "id,active\n1,1\n4,1\n");
    expect_rows(state, "$.rates[?@.v > 1]", "{\"rates\":{\"eur\":{\"v\":1},\"usd\":{\"v\":2}}}",
                "v\n2\n");
    expect_rows(state, "$.candles[?@[1] > 2]", "{\"candles\":[[1,2],[3,4]]}", "value\n'[3,4]'\n");
    expect_rows(state, "$.ids[?@ > 5]", "{\"ids\":[5,6,7]}", "value\n6\n7\n");
}

static void a_filter_on_the_way_leaves_arrays_to_be_expanded(void **state)
{
    expect_rows(
        state, "$.pages[?@.ok].items",
        "{\"pages\":[{\"ok\":1,\"items\":[{\"id\":1},{\"id\":2}]},{\"items\":[{\"id\":3}]}]}",
        "id\n1\n2\n");
    expect_rows(state, "$.pages[?@['ok'] == ']'].items[*]",
                "{\"pages\":[{\"ok\":\"]\",\"items\":[{\"id\":1}]},{\"items\":[{\"id\":3}]}]}",
                "id\n1\n");
}

static void a_filter_that_selects_nothing_of_a_list_is_an_answer_without_records(void **state)
{
    static const char *const cases[][2] = {
        {"$.items[?@.active == true]", "{\"items\":[{\"id\":1,\"active\":false}]}"},
        {"$.items[?@.active == true]", "{\"items\":[]}"},
        {"$.items[?@.active]", "{\"items\":{\"a\":{\"id\":1}}}"},
        {"$.items[?@.a, ?@.b]", "{\"items\":[1]}"},
        {"$.items[?@.tags[?@ == ']']].name", "{\"items\":[{\"tags\":[\"x\"]}]}"},
        {"$[?@.id > 5]", "[{\"id\":1}]"},
        {"$..items[?@.id > 5]", "{\"a\":{\"items\":[{\"id\":1}]}}"},
        {"$..[?@.id > 5]", "{\"a\":{\"items\":[{\"id\":1}]}}"},
        {"$.pages[*].items[?@.id > 5]", "{\"pages\":[{},{\"items\":[{\"id\":1}]}]}"},
        {"$.pages[?@.ok].items[*]", "{\"pages\":[{\"ok\":1,\"items\":[]}]}"},
        {"$.items[1:]", "{\"items\":[{\"id\":1}]}"},
        {"$.items[5:2:-1]", "{\"items\":[{\"id\":1}]}"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_rows(state, cases[i][0], cases[i][1], "\n");
}

static void a_filter_of_what_is_no_container_fails_the_run(void **state)
{
    expect_failure(state, "$.items[?@.active == true]", "{\"error\":\"no\"}",
                   "records: $.items[?@.active == true] selects nothing; the document is an object "
                   "with error");
    expect_failure(state, "$.items[?@.active]", "{\"items\":null}",
                   "records: $.items[?@.active] selects nothing; $.items is null");
    expect_failure(state, "$.items[?@.active]", "{\"items\":\"none\"}",
                   "records: $.items[?@.active] selects nothing; $.items is a string");
    expect_failure(state, "$.items[1:]", "{\"items\":{\"a\":1}}",
                   "records: $.items[1:] selects nothing; $.items is an object with a");
    expect_failure(state, "$..items[?@.a == ']'][*]", "{\"items\":7}",
                   "records: $..items[?@.a == ']'][*] selects nothing; $..items is a number");
}

static void behind_a_filter_that_selects_something_a_name_must_be_there(void **state)
{
    expect_failure(
        state, "$.items[?@.id == '[.'].data[*]",
        "{\"items\":[{\"id\":\"[.\",\"x\":1},{\"data\":[1]}]}",
        "records: $.items[?@.id == '[.'].data[*] selects nothing; $.items[?@.id == '[.'] "
        "is an object with id, x");
}

static void on_one_page_of_several_a_list_may_lack_before_a_filter(void **state)
{
    struct pagination pagination = {.max_pages = 10};
    struct pages pages = {.number = 1};
    struct processing *p = *state;

    p->source.pagination = &pagination;
    p->run.pages = &pages;
    processing_records(p, "$.items[?@.a]");
    processing_run(p, NULL, "{\"items\":null}");
    assert_int_equal(p->run.failure, RUN_OK);
    processing_run(p, NULL, "{}");
    assert_int_equal(p->run.failure, RUN_OK);
    processing_run(p, NULL, "{\"items\":5}");
    assert_int_equal(p->run.failure, RUN_FAILED_RECORDS);
    p->source.pagination = NULL;
    p->run.pages = NULL;
}

static void descendants_are_found_wherever_they_are(void **state)
{
    expect_rows(state, "$..item", "{\"a\":{\"item\":{\"id\":1}},\"b\":[{\"item\":{\"id\":2}}]}",
                "id\n1\n2\n");
    expect_rows(state, "$..items", "{\"a\":{\"items\":[{\"id\":1},{\"id\":2}]},\"items\":[]}",
                "id\n1\n2\n");
    expect_rows(state, "$..items[*]", "{\"a\":{\"items\":[]}}", "\n");
    expect_rows(state, "$..[?@.id]", "{\"a\":{\"id\":1},\"b\":[{\"id\":2}]}", "id\n1\n2\n");
    expect_failure(state, "$..item", "{\"error\":{\"code\":7}}",
                   "records: $..item selects nothing; the document is an object with error");
}

static void each_line_is_filtered(void **state)
{
    struct processing *p = *state;

    processing_records(p, "$.items[?@.id > 1]");
    processing_run(p, "application/x-ndjson",
                   "{\"items\":[{\"id\":1},{\"id\":2}]}\n{\"items\":[{\"id\":1}]}\n{\"ping\":1}\n");
    assert_int_equal(p->run.failure, RUN_OK);
    assert_string_equal(processing_rows(p), "id\n2\n");
    assert_string_equal(processing_letters(p), "1@3:1 records: $.items[?@.id > 1] selects nothing; "
                                               "the document is an object with ping\n");
}

static void fields_take_filters_and_descendants_as_json(void **state)
{
    struct processing *p = *state;

    processing_field(p, "names", "$.tags[?@.on].name", FIELD_UNDECLARED, TIME_UNIT_NONE);
    processing_field(p, "ids", "$..id", FIELD_JSON, TIME_UNIT_NONE);
    processing_run(
        p, NULL,
        "[{\"id\":1,\"tags\":[{\"name\":\"a\",\"on\":1},{\"name\":\"b\",\"id\":2},{\"on\":"
        "0,\"name\":\"c\"}]},{\"tags\":[]}]");
    assert_int_equal(p->run.failure, RUN_OK);
    assert_string_equal(processing_rows(p), "names,ids\n'[\"a\",\"c\"]','[1,2]'\n\n");
}

/* --- Documents made for a path --- */

static char *deep_body(void)
{
    struct text text = {0};

    for (int i = 0; i < 500; i++)
        text_add(&text, "[");
    for (int i = 0; i < 500; i++)
        text_add(&text, "]");
    return text_take(&text);
}

#define TOO_LONG                                                                            \
    " goes over this document too often; name more of the way instead of .. and *, filter " \
    "earlier, and write regular expressions that cannot match in many ways"

static void a_document_that_multiplies_records_fails_the_run(void **state)
{
    struct processing *p = *state;
    char *body = deep_body();

    expect_failure(state, "$..*..*..*", body, "records: $..*..*..*" TOO_LONG);
    expect_failure(state, "$..[*]..[*]..[*]..x", body, "records: $..[*]..[*]..[*]..x" TOO_LONG);
    processing_run(p, "application/x-ndjson", body);
    assert_int_equal(p->run.failure, RUN_FAILED_RECORDS);
    assert_string_equal(p->run.error, "records: $..[*]..[*]..[*]..x" TOO_LONG);
    free(body);
}

static void a_record_that_multiplies_a_field_fails_the_run(void **state)
{
    struct processing *p = *state;
    char *body = deep_body();
    char *reason;

    processing_field(p, "all", "$..*..*..*", FIELD_UNDECLARED, TIME_UNIT_NONE);
    processing_run(p, NULL, body);
    assert_int_equal(p->run.failure, RUN_FAILED_RECORDS);
    assert_string_equal(p->run.error, "fields.all: $..*..*..*" TOO_LONG);
    assert_int_equal(asprintf(&reason, "body@0:0 %s\n", p->run.error) > 0, 1);
    assert_string_equal(processing_letters(p), reason);
    free(reason);
    free(body);
}

/* Runs the body with a table of children whose records `path` names. */
static void run_with_child(struct processing *p, const char *path, const char *body)
{
    static const char *const key[] = {"id"};
    static const char *const links[] = {"_parent_id", LINK_INDEX};
    struct mapping child = {.records = jsonpath_compile(path, &(size_t){0}, NULL),
                            .table = "parts",
                            .primary_key = links,
                            .primary_key_count = 2,
                            .links = links,
                            .link_count = 2};

    p->source.mapping.primary_key = key;
    p->source.mapping.primary_key_count = 1;
    p->source.mapping.children = &child;
    p->source.mapping.child_count = 1;
    processing_run(p, NULL, body);
    p->source.mapping.children = NULL;
    p->source.mapping.child_count = 0;
    jsonpath_free(child.records);
}

static void children_are_filtered(void **state)
{
    struct processing *p = *state;

    run_with_child(p, "$.parts[?@.n > $.least]",
                   "[{\"id\":1,\"least\":1,\"parts\":[{\"n\":1},{\"n\":2},{\"n\":3}]},{\"id\":2,"
                   "\"least\":5,\"parts\":[]},"
                   "{\"id\":3,\"least\":2,\"parts\":[{\"n\":2},{\"n\":3}]}]");
    assert_int_equal(p->run.failure, RUN_OK);
    assert_int_equal(p->result.child_count, 1);
    assert_int_equal(p->result.children[0].row_count, 3);
}

static void a_record_that_multiplies_its_children_fails_the_run(void **state)
{
    struct processing *p = *state;
    char *deep = deep_body();
    char *body;

    assert_true(asprintf(&body, "[{\"id\":1,\"l\":%s}]", deep) > 0);
    run_with_child(p, "$..*..*..*", body);
    assert_int_equal(p->run.failure, RUN_FAILED_RECORDS);
    assert_string_equal(p->run.error, "table parts: $..*..*..*" TOO_LONG);
    free(deep);
    free(body);
}

#define WITH_STATE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STATE(a_filter_selects_the_records_one_by_one),
        WITH_STATE(a_filter_on_the_way_leaves_arrays_to_be_expanded),
        WITH_STATE(a_filter_that_selects_nothing_of_a_list_is_an_answer_without_records),
        WITH_STATE(a_filter_of_what_is_no_container_fails_the_run),
        WITH_STATE(behind_a_filter_that_selects_something_a_name_must_be_there),
        WITH_STATE(on_one_page_of_several_a_list_may_lack_before_a_filter),
        WITH_STATE(descendants_are_found_wherever_they_are),
        WITH_STATE(each_line_is_filtered),
        WITH_STATE(fields_take_filters_and_descendants_as_json),
        WITH_STATE(a_document_that_multiplies_records_fails_the_run),
        WITH_STATE(a_record_that_multiplies_a_field_fails_the_run),
        WITH_STATE(children_are_filtered),
        WITH_STATE(a_record_that_multiplies_its_children_fails_the_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
