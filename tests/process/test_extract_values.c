/* What becomes of a record that has no value for a column: null_values, required, default. */
#include "test.h"

#include <string.h>

#include "processing.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

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

static void expect(struct processing *p, const char *body, const char *rows, const char *letters)
{
    processing_run(p, NULL, body);
    assert_int_equal(p->run.failure, RUN_OK);
    assert_string_equal(processing_rows(p), rows);
    assert_string_equal(processing_letters(p), letters);
}

static struct field *add_field(struct processing *p, const char *name, const char *path,
                               enum field_type type)
{
    processing_field(p, name, path, type, TIME_UNIT_NONE);
    return &p->fields[p->source.mapping.field_count - 1];
}

static void set_nulls(struct null_value *nulls, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        null_value_set(&nulls[i], texts[i], strlen(texts[i]));
}

static void null_values_of_the_source_count_in_every_column(void **state)
{
    static const char *const texts[] = {"", "-999", "n/a"};
    struct processing *p = *state;
    struct null_value nulls[3];

    set_nulls(nulls, texts, 3);
    p->source.mapping.null_values = nulls;
    p->source.mapping.null_value_count = 3;
    expect(p,
           "[{\"a\":\"\",\"b\":-999.0,\"c\":\"N/A\"},{\"a\":\"n/a\",\"b\":\"-999\",\"c\":[\"\"]}]",
           "a,b,c\nnull,null,'N/A'\nnull,null,'[\"\"]'\n", "");
    assert_int_equal(p->result.rows.columns[1].seen, 1u << VALUE_NULL);
    add_field(p, "a", "$.a", FIELD_INTEGER);
    add_field(p, "b", "$.b.c", FIELD_TEXT);
    add_field(p, "all", "$[*]", FIELD_JSON);
    expect(p, "[{\"a\":\"n/a\",\"b\":{\"c\":\"\"}},{\"a\":5,\"b\":{\"c\":\"x\"}}]",
           "a,b,all\nnull,null,'[\"n/a\",{\"c\":\"\"}]'\n5,'x','[5,{\"c\":\"x\"}]'\n", "");
}

static void null_values_of_a_field_take_the_place_of_the_sources(void **state)
{
    static const char *const of_source[] = {""};
    static const char *const of_field[] = {"0", "none"};
    struct processing *p = *state;
    struct null_value source_nulls[1];
    struct null_value field_nulls[2];
    struct field *field;

    set_nulls(source_nulls, of_source, 1);
    set_nulls(field_nulls, of_field, 2);
    p->source.mapping.null_values = source_nulls;
    p->source.mapping.null_value_count = 1;
    add_field(p, "a", "$.a", FIELD_UNDECLARED);
    field = add_field(p, "b", "$.b", FIELD_UNDECLARED);
    field->null_values = field_nulls;
    field->null_value_count = 2;
    field = add_field(p, "c", "$.c", FIELD_UNDECLARED);
    field->null_values = field_nulls; /* an empty list: nothing stands for nothing */
    expect(p,
           "[{\"a\":\"\",\"b\":\"\",\"c\":\"\"},{\"a\":\"none\",\"b\":\"none\",\"c\":\"none\"},"
           "{\"a\":0,\"b\":0.0,\"c\":0}]",
           "a,b,c\nnull,'',''\n'none',null,'none'\n0,null,0\n", "");
}

static void a_record_without_a_required_value_goes_to_the_dead_letters(void **state)
{
    static const char *const texts[] = {"-1"};
    struct processing *p = *state;
    struct null_value nulls[1];
    struct field *field = add_field(p, "id", "$.id", FIELD_INTEGER);

    set_nulls(nulls, texts, 1);
    field->required = true;
    field->null_values = nulls;
    field->null_value_count = 1;
    add_field(p, "tags", "$.tags[*]", FIELD_JSON)->required = true;
    expect(p,
           "[{\"id\":1,\"tags\":[2]},\n{\"tags\":[2]},\n{\"id\":null,\"tags\":[2]},\n"
           "{\"id\":-1.0,\"tags\":[2]},\n{\"id\":2,\"tags\":[]},\n7]",
           "id,tags\n1,'[2]'\n",
           "1@2:1 column \"id\" is required, and the record has nothing at $.id\n"
           "2@3:1 column \"id\" is required, and null is no value\n"
           "3@4:1 column \"id\" is required, and -1.0 stands for none\n"
           "4@5:1 column \"tags\" is required, and the record has nothing at $.tags[*]\n"
           "5@6:1 column \"id\" is required, and the record has nothing at $.id\n");
}

static void an_empty_cell_of_csv_is_missing_where_text_is_not_meant(void **state)
{
    static const struct constant zero = {.text = "0", .value = {.type = VALUE_INTEGER}};
    struct processing *p = *state;

    add_field(p, "id", "$.id", FIELD_INTEGER)->required = true;
    add_field(p, "n", "$.n", FIELD_INTEGER)->fallback = &zero;
    add_field(p, "t", "$.t", FIELD_TEXT)->fallback = &zero;
    processing_run(p, "text/csv", "id,n,t\n1,,\n,2,x\n3,4,y\n");
    assert_string_equal(processing_rows(p), "id,n,t\n1,0,''\n3,4,'y'\n");
    assert_non_null(
        strstr(processing_letters(p), " column \"id\" is required, and \"\" stands for none\n"));
}

static void a_default_stands_in_for_what_is_missing_null_or_a_null_value(void **state)
{
    static const char *const texts[] = {"n/a"};
    static const struct constant zero = {.text = "0", .value = {.type = VALUE_INTEGER}};
    static const struct constant list = {.text = "[]",
                                         .value = {.type = VALUE_TEXT, .length = 2, .text = "[]"}};
    struct processing *p = *state;
    struct null_value nulls[1];
    struct field *field = add_field(p, "n", "$.n", FIELD_INTEGER);

    set_nulls(nulls, texts, 1);
    p->source.mapping.null_values = nulls;
    p->source.mapping.null_value_count = 1;
    field->fallback = &zero;
    add_field(p, "deep", "$.a.b", FIELD_UNDECLARED)->fallback = &zero;
    add_field(p, "tags", "$.tags[*]", FIELD_JSON)->fallback = &list;
    expect(p,
           "[{},{\"n\":null,\"tags\":[]},{\"n\":\"n/a\",\"a\":{\"b\":\"n/a\"}},"
           "{\"n\":5,\"a\":{\"b\":6},\"tags\":[7]},{\"n\":\"x\"}]",
           "n,deep,tags\n0,0,'[]'\n0,0,'[]'\n0,0,'[]'\n5,6,'[7]'\n",
           "4@1:85 column \"n\": \"x\" is not an integer\n");
    assert_int_equal(p->result.rows.columns[0].seen, 1u << VALUE_INTEGER);
}

static void a_value_that_is_discarded_leaves_null_but_not_where_one_is_required(void **state)
{
    static const struct schema_contract contract = {.types = CONTRACT_DISCARD_VALUE};
    struct processing *p = *state;

    p->source.mapping.schema_contract = &contract;
    add_field(p, "id", "$.id", FIELD_INTEGER)->required = true;
    add_field(p, "tags", "$.tags[*]", FIELD_UNDECLARED);
    add_field(p, "n", "$.n[*]", FIELD_INTEGER);
    expect(p, "[{\"id\":1,\"tags\":[1],\"n\":[]},{\"id\":2,\"n\":[3]},{\"id\":\"x\"}]",
           "id,tags,n\n1,'[1]'\n2\n", "2@1:46 column \"id\": \"x\" is not an integer\n");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(null_values_of_the_source_count_in_every_column),
        T(null_values_of_a_field_take_the_place_of_the_sources),
        T(a_record_without_a_required_value_goes_to_the_dead_letters),
        T(an_empty_cell_of_csv_is_missing_where_text_is_not_meant),
        T(a_value_that_is_discarded_leaves_null_but_not_where_one_is_required),
        T(a_default_stands_in_for_what_is_missing_null_or_a_null_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
