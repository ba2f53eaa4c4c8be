#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/items.h"
#include "process/extract.h"
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

static void run(void **state, const char *body)
{
    processing_run(*state, NULL, body);
}

static void run_lines(void **state, const char *body)
{
    processing_run(*state, "application/x-ndjson", body);
}

static void expect_rows(void **state, const char *rows)
{
    struct processing *p = *state;

    assert_string_equal(p->run.error == NULL ? "" : p->run.error, "");
    assert_int_equal(p->run.failure, RUN_OK);
    assert_string_equal(processing_rows(p), rows);
}

static void expect_letters(void **state, const char *letters)
{
    assert_string_equal(processing_letters(*state), letters);
}

static void expect_failure(void **state, const char *reason)
{
    struct processing *p = *state;
    char letters[512];

    assert_int_equal(p->run.failure, RUN_FAILED_RECORDS);
    assert_string_equal(p->run.error, reason);
    snprintf(letters, sizeof(letters), "body@0:0 %s\n", reason);
    assert_string_equal(processing_letters(p), letters);
    assert_int_equal(p->result.rows.row_count, 0);
    assert_int_equal(p->result.rows.column_count, 0);
    assert_int_equal(p->result.records, 0);
}

/* --- Which records --- */

static void without_a_path_an_object_is_the_record(void **state)
{
    struct processing *p = *state;

    run(state, "{\"id\":1,\"name\":\"a\"}");
    expect_rows(state, "id,name\n1,'a'\n");
    assert_int_equal(p->result.records, 1);
    assert_int_equal(p->result.dead_letter_count, 0);
}

static void without_a_path_the_elements_of_an_array_are_the_records(void **state)
{
    struct processing *p = *state;

    run(state, "[{\"id\":1},{\"id\":2}]");
    expect_rows(state, "id\n1\n2\n");
    assert_int_equal(p->result.records, 2);
    assert_int_equal(p->result.rows.rows[1].position, 1);
    assert_int_equal(p->result.rows.rows[1].record->type, NODE_OBJECT);
}

static void an_empty_array_is_success_with_no_rows(void **state)
{
    struct processing *p = *state;

    run(state, "[]");
    expect_rows(state, "\n");
    assert_int_equal(p->result.records, 0);
    assert_int_equal(p->result.dead_letter_count, 0);
}

static void a_wildcard_selects_the_elements_of_an_array(void **state)
{
    processing_records(*state, "$.features[*]");
    run(state, "{\"type\":\"x\",\"features\":[{\"id\":1},{\"id\":2}]}");
    expect_rows(state, "id\n1\n2\n");
}

static void a_wildcard_selects_the_values_of_an_objects_members(void **state)
{
    processing_records(*state, "$.rates.*");
    run(state, "{\"rates\":{\"eur\":{\"v\":1},\"usd\":{\"v\":2}}}");
    expect_rows(state, "v\n1\n2\n");
}

static void a_path_to_an_array_means_its_elements(void **state)
{
    processing_records(*state, "$.features");
    run(state, "{\"features\":[{\"id\":1},{\"id\":2}]}");
    expect_rows(state, "id\n1\n2\n");
}

static void a_path_to_an_object_is_one_record(void **state)
{
    processing_records(*state, "$.data");
    run(state, "{\"data\":{\"id\":7}}");
    expect_rows(state, "id\n7\n");
}

static void a_path_through_a_wildcard_to_arrays_means_their_elements(void **state)
{
    processing_records(*state, "$.pages[*].items");
    run(state, "{\"pages\":[{\"items\":[{\"id\":1}]},{\"items\":[{\"id\":2},{\"id\":3}]}]}");
    expect_rows(state, "id\n1\n2\n3\n");
}

static void arrays_that_a_wildcard_or_slice_selects_are_records_themselves(void **state)
{
    processing_records(*state, "$.candles[*]");
    run(state, "{\"candles\":[[1,2],[3,4]]}");
    expect_rows(state, "value\n'[1,2]'\n'[3,4]'\n");
    processing_records(*state, "$.candles[1:]");
    run(state, "{\"candles\":[[1,2],[3,4]]}");
    expect_rows(state, "value\n'[3,4]'\n");
}

static void scalar_records_become_the_column_value(void **state)
{
    run(state, "[1,\"two\",3.5,true,[4]]");
    expect_rows(state, "value\n1\n'two'\n~3.5\n1\n'[4]'\n");
    processing_records(*state, "$.ids[*]");
    run(state, "{\"ids\":[5,6]}");
    expect_rows(state, "value\n5\n6\n");
    processing_records(*state, "$.list[*].id");
    run(state, "{\"list\":[{\"id\":5},{\"id\":6}]}");
    expect_rows(state, "value\n5\n6\n");
}

static void a_scalar_document_is_one_record(void **state)
{
    run(state, "42");
    expect_rows(state, "value\n42\n");
}

static void an_empty_container_before_a_wildcard_or_slice_is_success(void **state)
{
    static const char *const cases[][2] = {
        {"$.features[*]", "{\"features\":[]}"},
        {"$.features.*", "{\"features\":{}}"},
        {"$.features", "{\"features\":[]}"},
        {"$.features[0:10]", "{\"features\":[]}"},
        {"$[*]", "[]"},
        {"$.*", "{}"},
        {"$.pages[*].items[*]", "{\"pages\":[]}"},
        {"$.pages[*].items[*]", "{\"pages\":[{},{\"items\":[]}]}"},
        {"$.pages[*].items", "{\"pages\":[]}"},
        {"$['a.b[0]']['c\\'d'][*]", "{\"a.b[0]\":{\"c'd\":[]}}"},
        {"$ .features [ * ]", "{\"features\":[]}"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        processing_records(*state, cases[i][0]);
        run(state, cases[i][1]);
        expect_rows(state, "\n");
        expect_letters(state, "");
    }
}

static void a_path_that_selects_nothing_fails_the_run_and_keeps_the_body(void **state)
{
    processing_records(*state, "$.features[*]");
    run(state, "{\"error\":\"no\",\"message\":\"rate limited\"}");
    expect_failure(state, "records: $.features[*] selects nothing; the document is an object with "
                          "error, message");
    run(state, "[]");
    expect_failure(state, "records: $.features[*] selects nothing; the document is an array of 0");
    run(state, "{\"features\":null}");
    expect_failure(state, "records: $.features[*] selects nothing; $.features is null");
    run(state, "\"maintenance\"");
    expect_failure(state, "records: $.features[*] selects nothing; the document is a string");
}

static void an_api_may_leave_its_list_away_and_mean_that_there_is_nothing(void **state)
{
    struct processing *p = *state;

    p->source.may_lack_records = true;
    processing_records(p, "$.results");
    run(state, "{\"generationtime_ms\":0.5}");
    expect_rows(state, "\n");
    run(state, "{\"results\":null}");
    expect_rows(state, "\n");
    run(state, "{\"results\":\"maintenance\"}");
    expect_failure(state, "records: $.results selects a string, where an array or "
                          "object of records was expected");
    run(state, "\"maintenance\"");
    expect_failure(state, "records: $.results selects nothing; the document is a string");
}

static void what_stands_instead_of_records_cannot_hide_in_the_error(void **state)
{
    processing_records(*state, "$.items");
    run(state, "{\"\\u001b[2J\\u202e\\u0000\":1}");
    expect_failure(state, "records: $.items selects nothing; the document is an object with "
                          "\\x1b[2J\\xe2\\x80\\xae\\x00");
}

static void the_error_says_how_far_the_path_led(void **state)
{
    processing_records(*state, "$.data.pages[-1]['items'][0].list");
    run(state, "{\"data\":{\"pages\":[{},{\"items\":{\"a\":1}}]}}");
    expect_failure(state, "records: $.data.pages[-1]['items'][0].list selects nothing; "
                          "$.data.pages[-1]['items'] is an object with a");
    run(state, "{\"data\":{\"pages\":[]}}");
    expect_failure(state, "records: $.data.pages[-1]['items'][0].list selects nothing; "
                          "$.data.pages is an array of 0");
}

static void an_empty_container_elsewhere_is_no_excuse(void **state)
{
    processing_records(*state, "$.data.items[*]");
    run(state, "{\"data\":{}}");
    expect_failure(state, "records: $.data.items[*] selects nothing; $.data is an empty object");
    processing_records(*state, "$.data");
    run(state, "{}");
    expect_failure(state, "records: $.data selects nothing; the document is an empty object");
}

static void a_path_to_a_scalar_fails_the_run(void **state)
{
    processing_records(*state, "$.data");
    run(state, "{\"data\":42}");
    expect_failure(state, "records: $.data selects a number, where an array or object of records "
                          "was expected");
    run(state, "{\"data\":null}");
    expect_failure(
        state, "records: $.data selects null, where an array or object of records was expected");
}

static void a_null_record_goes_to_the_dead_letters(void **state)
{
    struct processing *p = *state;

    run(state, "[{\"id\":1},\n null,{\"id\":2}]");
    expect_rows(state, "id\n1\n2\n");
    expect_letters(state, "1@2:2 the record is null\n");
    assert_int_equal(p->result.records, 3);
}

/* --- Lines --- */

static void each_line_is_a_record(void **state)
{
    run_lines(state, "{\"id\":1}\n\n{\"id\":2}\n[3]\n");
    expect_rows(state, "id,value\n1\n2\nnull,'[3]'\n");
}

static void no_lines_are_success_with_no_rows(void **state)
{
    run_lines(state, "");
    expect_rows(state, "\n");
    processing_records(*state, "$.a");
    run_lines(state, "\n");
    expect_rows(state, "\n");
}

static void a_path_applies_to_each_line(void **state)
{
    processing_records(*state, "$.items[*]");
    run_lines(state,
              "{\"items\":[{\"id\":1},{\"id\":2}]}\n{\"items\":[]}\n{\"items\":[{\"id\":3}]}");
    expect_rows(state, "id\n1\n2\n3\n");
    expect_letters(state, "");
}

static void a_line_of_which_nothing_is_selected_is_rejected_alone(void **state)
{
    struct processing *p = *state;

    processing_records(p, "$.items");
    run_lines(state, "{\"items\":[{\"id\":1}]}\n{\"ping\":1}\n{\"items\":[{\"id\":2}]}\n");
    expect_rows(state, "id\n1\n2\n");
    expect_letters(state,
                   "1@2:1 records: $.items selects nothing; the document is an object with ping\n");
    assert_int_equal(p->result.rows.rows[1].position, 2);
}

/* A path from the root of the document in the place of the last field's own. */
static void move_to_document(struct processing *p)
{
    struct field *field = &p->fields[p->source.mapping.field_count - 1];

    field->document = field->path;
    field->path = NULL;
}

static void what_stands_beside_a_record_is_in_its_line(void **state)
{
    struct processing *p = *state;

    processing_records(p, "$.items");
    processing_field(p, "id", "$.id", FIELD_UNDECLARED, TIME_UNIT_NONE);
    processing_field(p, "at", "$.at", FIELD_UNDECLARED, TIME_UNIT_NONE);
    move_to_document(p);
    run_lines(state,
              "{\"at\":1,\"items\":[{\"id\":1},{\"id\":2}]}\n{\"items\":[{\"id\":3,\"at\":9}]}\n"
              "{\"items\":[]}\n{\"items\":[{\"id\":4},{\"id\":5}],\"at\":3}\n");
    expect_rows(state, "id,at\n1,1\n2,1\n3\n4,3\n5,3\n");
    run(state, "{\"at\":1,\"items\":[{\"id\":1},{\"id\":2}]}");
    expect_rows(state, "id,at\n1,1\n2,1\n");
    jsonpath_free(p->fields[1].document);
}

static void lines_of_which_nothing_at_all_is_selected_fail_the_run(void **state)
{
    processing_records(*state, "$.items");
    run_lines(state, "{\"ping\":1}\n{\"pong\":1}\n");
    expect_failure(state, "records: $.items selects nothing; the document is an object with ping");
}

/* --- Without fields --- */

static void members_become_columns_in_the_order_of_first_appearance(void **state)
{
    run(state, "[{\"b\":1,\"a\":2},{\"a\":3,\"c\":4},{\"c\":5,\"b\":6}]");
    expect_rows(state, "b,a,c\n1,2\nnull,3,4\n6,null,5\n");
}

static void nested_values_are_kept_as_their_json_text(void **state)
{
    run(state, "{\"a\":{ \"x\": [1, 2.50] },\"b\":[]}");
    expect_rows(state, "a,b\n'{ \"x\": [1, 2.50] }','[]'\n");
}

static void of_equal_names_the_last_wins_and_alone_counts_for_the_type(void **state)
{
    struct processing *p = *state;

    run(state, "{\"a\":\"x\",\"b\":1,\"a\":2}");
    expect_rows(state, "a,b\n2,1\n");
    assert_int_equal(p->result.rows.columns[0].seen, 1u << VALUE_INTEGER);
}

static void names_are_the_records_own_down_to_escapes_and_case(void **state)
{
    run(state, "{\"a b\":1,\"A B\":2,\"\\u00e9\":3,\"\":4}");
    expect_rows(state, "a b,A B,\xc3\xa9,\n1,2,3,4\n");
}

static void excluded_members_become_no_column(void **state)
{
    static const char *const names[] = {"secret", "b c", "secret"};
    struct processing *p = *state;

    p->source.mapping.exclude = names;
    p->source.mapping.exclude_count = 3;
    run(state, "[{\"secret\":1,\"a\":2,\"b c\":3,\"d\":4},{\"a\":5,\"secret\":6,\"Secret\":7}]");
    expect_rows(state, "a,d,Secret\n2,4\n5,null,7\n");
}

static void an_empty_record_is_a_row_without_values(void **state)
{
    run(state, "[{},{\"a\":null},{\"a\":1}]");
    expect_rows(state, "a\n\n\n1\n");
}

static void columns_know_which_types_were_seen(void **state)
{
    struct processing *p = *state;
    const struct column *columns;

    run(state, "[{\"a\":1,\"b\":1.5,\"c\":\"x\",\"d\":null,\"e\":1},{\"e\":\"x\",\"f\":true}]");
    columns = p->result.rows.columns;
    assert_int_equal(columns[0].seen & ~1u, 1u << VALUE_INTEGER);
    assert_int_equal(columns[1].seen & ~1u, 1u << VALUE_REAL);
    assert_int_equal(columns[2].seen & ~1u, 1u << VALUE_TEXT);
    assert_int_equal(columns[3].seen & ~1u, 0);
    assert_int_equal(columns[4].seen & ~1u, 1u << VALUE_INTEGER | 1u << VALUE_TEXT);
    assert_int_equal(columns[5].seen & ~1u, 1u << VALUE_INTEGER);
    assert_int_equal(columns[0].type, FIELD_UNDECLARED);
}

/* Every record has its members in another order, and some miss some. */
static void any_order_of_members_finds_the_same_columns(void **state)
{
    struct processing *p = *state;
    struct text body = {0};
    const size_t names = 100;

    for (size_t r = 0; r < 50; r++) {
        text_char(&body, r == 0 ? '[' : ',');
        for (size_t i = 0; i < names; i++) {
            size_t name = (i * (2 * r + 1) + r * r) % names;

            text_format(&body, "%s\"name%zu\":%zu", i == 0 ? "{" : ",", name, r * 1000 + name);
        }
        text_char(&body, '}');
    }
    text_char(&body, ']');
    processing_run_bytes(p, NULL, text_string(&body), body.length);
    text_free(&body);
    assert_int_equal(p->result.rows.column_count, names);
    assert_int_equal(p->result.rows.row_count, 50);
    for (size_t r = 0; r < 50; r++) {
        const struct row *row = &p->result.rows.rows[r];

        for (size_t i = 0; i < row->count; i++) {
            char name[16];

            if (row->values[i].type == VALUE_NULL)
                continue; /* an even step passes over names */
            snprintf(name, sizeof(name), "name%d", (int)(row->values[i].integer % 1000));
            assert_true(slice_equals(p->result.rows.columns[i].name, name));
            assert_int_equal(row->values[i].integer / 1000, r);
        }
    }
}

static char *wide_record(struct text *body, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        text_format(body, "%s\"m%zu\":%zu", i == from ? "{" : ",", i, i);
    text_char(body, '}');
    return body->data;
}

static void a_record_of_1998_members_is_a_row(void **state)
{
    struct processing *p = *state;
    struct text body = {0};

    wide_record(&body, 0, EXTRACT_MAX_COLUMNS);
    run(state, text_string(&body));
    text_free(&body);
    assert_int_equal(p->run.failure, RUN_OK);
    assert_int_equal(p->result.rows.row_count, 1);
    assert_int_equal(p->result.rows.column_count, EXTRACT_MAX_COLUMNS);
}

static void a_record_with_more_goes_to_the_dead_letters_and_leaves_no_columns(void **state)
{
    struct processing *p = *state;
    struct text body = {0};

    text_add(&body, "[{\"a\":1},");
    wide_record(&body, 0, EXTRACT_MAX_COLUMNS + 1);
    text_add(&body, ",{\"b\":2,\"m7\":3}]");
    run(state, text_string(&body));
    text_free(&body);
    expect_rows(state, "a,b,m7\n1\nnull,2,3\n");
    expect_letters(state, "1@1:10 the record needs more than 1998 columns; name the ones to keep "
                          "with fields\n");
    assert_int_equal(p->result.records, 3);
}

/* One wide record, then many that only have its last member: dense rows of all would not fit. */
static void records_too_unlike_for_one_table_fail_the_run(void **state)
{
    struct processing *p = *state;
    struct text body = {0};

    text_char(&body, '[');
    wide_record(&body, 0, EXTRACT_MAX_COLUMNS);
    for (int i = 0; i < 20000; i++)
        text_add(&body, ",{\"m1997\":1}");
    text_char(&body, ']');
    run(state, text_string(&body));
    text_free(&body);
    expect_failure(state, "the records are too unlike for one table: 1998 columns, and most of "
                          "them empty; name the ones to keep with fields");
    assert_true(arena_used(p->arena) < 256u << 20);
}

/* --- Keys --- */

static void in_a_key_text_that_is_an_integer_is_that_integer(void **state)
{
    struct processing *p = *state;
    static const char *const key[] = {"id"};

    p->source.mapping.primary_key = key;
    p->source.mapping.primary_key_count = 1;
    run(state, "[{\"id\":\"17\",\"v\":\"17\"},{\"id\":17},{\"id\":\"-9223372036854775808\"}]");
    expect_rows(state, "id,v\n17,'17'\n17\n-9223372036854775808\n");
    assert_int_equal(p->result.rows.columns[0].seen, 1u << VALUE_INTEGER);
}

static void in_a_key_all_other_text_is_as_it_came(void **state)
{
    struct processing *p = *state;
    static const char *const key[] = {"id"};

    p->source.mapping.primary_key = key;
    p->source.mapping.primary_key_count = 1;
    run(state,
        "[{\"id\":\"017\"},{\"id\":\"+1\"},{\"id\":\"-0\"},{\"id\":\"1.0\"},{\"id\":\"1e2\"},"
        "{\"id\":\" 1\"},{\"id\":\"\"},{\"id\":\"-\"},{\"id\":\"9223372036854775808\"}]");
    expect_rows(state, "id\n'017'\n'+1'\n'-0'\n'1.0'\n'1e2'\n' 1'\n''\n'-'\n"
                       "'9223372036854775808'\n");
}

static void a_key_of_a_declared_type_is_of_that_type(void **state)
{
    struct processing *p = *state;
    static const char *const key[] = {"id", "n"};

    p->source.mapping.primary_key = key;
    p->source.mapping.primary_key_count = 2;
    processing_field(p, "id", "$.id", FIELD_TEXT, TIME_UNIT_NONE);
    processing_field(p, "n", "$.n", FIELD_UNDECLARED, TIME_UNIT_NONE);
    run(state, "[{\"id\":\"17\",\"n\":\"18\"}]");
    expect_rows(state, "id,n\n'17',18\n");
}

/* --- With fields --- */

static void fields_are_taken_by_path_in_their_own_order(void **state)
{
    struct processing *p = *state;

    processing_field(p, "magnitude", "$.properties.mag", FIELD_REAL, TIME_UNIT_NONE);
    processing_field(p, "id", "$.id", FIELD_UNDECLARED, TIME_UNIT_NONE);
    processing_field(p, "lon", "$.geometry.coordinates[0]", FIELD_UNDECLARED, TIME_UNIT_NONE);
    processing_field(p, "time", "$.properties.time", FIELD_TIMESTAMP, TIME_UNIT_MS);
    processing_field(p, "again", "$['id']", FIELD_TEXT, TIME_UNIT_NONE);
    processing_field(p, "all", "$", FIELD_JSON, TIME_UNIT_NONE);
    run(state, "[{\"id\":\"a\",\"x\":1,\"properties\":{\"mag\":5,\"time\":0},"
               "\"geometry\":{\"coordinates\":[1.5,2]}},{\"id\":7}]");
    expect_rows(state, "magnitude,id,lon,time,again,all\n"
                       "~5,'a',~1.5,'1970-01-01T00:00:00.000Z','a','{\"id\":\"a\",\"x\":1,"
                       "\"properties\":{\"mag\":5,\"time\":0},"
                       "\"geometry\":{\"coordinates\":[1.5,2]}}'\n"
                       "null,7,null,null,'7','{\"id\":7}'\n");
    assert_int_equal(p->result.rows.columns[0].type, FIELD_REAL);
    assert_int_equal(p->result.rows.columns[1].seen, 1u << VALUE_TEXT | 1u << VALUE_INTEGER);
}

static void fields_have_columns_even_without_records(void **state)
{
    processing_field(*state, "id", "$.id", FIELD_INTEGER, TIME_UNIT_NONE);
    run(state, "[]");
    expect_rows(state, "id\n");
}

static void missing_and_null_fields_are_null(void **state)
{
    processing_field(*state, "a", "$.a", FIELD_INTEGER, TIME_UNIT_NONE);
    processing_field(*state, "b", "$.b.c", FIELD_INTEGER, TIME_UNIT_NONE);
    processing_field(*state, "d", "$.d", FIELD_INTEGER, TIME_UNIT_NONE);
    run(state, "[{\"a\":null,\"d\":1},{\"b\":5,\"d\":2},7,[8]]");
    expect_rows(state, "a,b,d\nnull,null,1\nnull,null,2\n\n\n");
}

static void of_equal_names_the_last_is_the_field(void **state)
{
    processing_field(*state, "a", "$.a", FIELD_INTEGER, TIME_UNIT_NONE);
    run(state, "{\"a\":\"x\",\"a\":2}");
    expect_rows(state, "a\n2\n");
}

static void a_path_that_selects_several_nodes_gives_their_json_array(void **state)
{
    processing_field(*state, "tags", "$.tags[*].name", FIELD_UNDECLARED, TIME_UNIT_NONE);
    processing_field(*state, "first", "$.tags[:1]", FIELD_JSON, TIME_UNIT_NONE);
    run(state, "[{\"tags\":[{\"name\":\"a\"},{\"name\": null},{\"name\":\"\\u00e9\"}]},"
               "{\"tags\":[{\"name\":1}]},{\"tags\":[]}]");
    expect_rows(state, "tags,first\n"
                       "'[\"a\",null,\"\\u00e9\"]','[{\"name\":\"a\"}]'\n"
                       "'[1]','[{\"name\":1}]'\n"
                       "\n");
}

static void several_nodes_fit_no_scalar_type(void **state)
{
    processing_field(*state, "tags", "$.tags[*]", FIELD_TEXT, TIME_UNIT_NONE);
    run(state, "{\"tags\":[\"a\",\"b\"]}");
    expect_rows(state, "tags\n");
    expect_letters(state, "0@1:1 column \"tags\": [\"a\",\"b\"] is not text\n");
}

static void a_record_with_a_value_of_another_type_goes_to_the_dead_letters(void **state)
{
    struct processing *p = *state;

    processing_field(p, "id", "$.id", FIELD_INTEGER, TIME_UNIT_NONE);
    processing_field(p, "magnitude", "$.mag", FIELD_REAL, TIME_UNIT_NONE);
    run(state, "[{\"id\":1,\"mag\":1},\n {\"id\":2,\"mag\":\"strong\"},\n"
               "{\"id\":3,\"mag\":3}, {\"id\":[4],\"mag\":{}},\n\n  {\"id\":5,\"mag\":true}]");
    expect_rows(state, "id,magnitude\n1,~1\n3,~3\n");
    expect_letters(state, "1@2:2 column \"magnitude\": \"strong\" is not a real\n"
                          "3@3:19 column \"id\": [4] is not an integer\n"
                          "4@5:3 column \"magnitude\": true is not a real\n");
    assert_int_equal(p->result.records, 5);
    assert_int_equal(p->result.rows.rows[1].position, 2);
    assert_int_equal(p->result.rows.columns[1].seen, 1u << VALUE_REAL);
    assert_int_equal(p->result.dead_letters[0].record->type, NODE_OBJECT);
}

static void many_rejected_records_keep_their_positions(void **state)
{
    struct processing *p = *state;
    struct text body = {0};

    processing_field(p, "a", "$.a", FIELD_INTEGER, TIME_UNIT_NONE);
    text_char(&body, '[');
    for (int i = 0; i < 100000; i++)
        text_add(&body, i == 0 ? "{\"a\":\"x\"}" : ",\n{\"a\":\"x\"}");
    text_char(&body, ']');
    processing_run_bytes(p, NULL, text_string(&body), body.length);
    text_free(&body);
    assert_int_equal(p->result.rows.row_count, 0);
    assert_int_equal(p->result.dead_letter_count, 100000);
    assert_int_equal(p->result.dead_letters[99999].position, 99999);
    assert_int_equal(p->result.dead_letters[99999].line, 100000);
    assert_int_equal(p->result.dead_letters[99999].column, 1);
}

static void records_against_the_order_of_the_body_keep_their_positions(void **state)
{
    struct processing *p = *state;

    processing_records(p, "$[::-1]");
    processing_field(p, "a", "$.a", FIELD_INTEGER, TIME_UNIT_NONE);
    run(state, "[{\"a\":\"x\"},\n {\"a\":2},\n  {\"a\":\"z\"}]");
    expect_letters(state, "0@3:3 column \"a\": \"z\" is not an integer\n"
                          "2@1:2 column \"a\": \"x\" is not an integer\n");
}

static void strings_keep_nul_bytes_and_emoji(void **state)
{
    struct processing *p = *state;
    const struct value *value;

    run(state, "{\"a\":\"x\\u0000y \\ud83d\\ude00\"}");
    value = &p->result.rows.rows[0].values[0];
    assert_int_equal(value->type, VALUE_TEXT);
    assert_int_equal(value->length, 8);
    assert_memory_equal(value->text, "x\0y \xf0\x9f\x98\x80", 8);
}

/* --- Items --- */

static struct items *give_item(struct processing *p)
{
    static const char *const names[] = {"id", "lang", "share"};
    struct item_value values[] = {
        {.type = ITEM_VALUE_INTEGER, .text = slice_of("7"), .integer = 7},
        {.type = ITEM_VALUE_TEXT, .text = slice_of("en")},
        {.type = ITEM_VALUE_REAL, .text = slice_of("0.5"), .real = 0.5},
    };
    struct items *items = items_create(names, 3);

    assert_int_equal(items_add(items, values, NULL), 0);
    p->run.items = items;
    p->run.item = &items->list[0];
    return items;
}

static void the_values_of_the_item_are_the_first_columns(void **state)
{
    struct items *items = give_item(*state);

    run(state, "[{\"a\":1},{},{\"b\":null,\"a\":2}]");
    expect_rows(state, "_item_id,_item_lang,_item_share,a,b\n7,'en',~0.5,1\n7,'en',~0.5\n"
                       "7,'en',~0.5,2\n");
    items_unref(items);
}

static void they_come_before_fields_too(void **state)
{
    struct items *items = give_item(*state);

    processing_field(*state, "x", "$.a", FIELD_INTEGER, TIME_UNIT_NONE);
    processing_field(*state, "y", "$.b[*]", FIELD_UNDECLARED, TIME_UNIT_NONE);
    run(state, "[{\"a\":1,\"b\":[1,2],\"_item_id\":3},{\"a\":\"no\"}]");
    expect_rows(state, "_item_id,_item_lang,_item_share,x,y\n7,'en',~0.5,1,'[1,2]'\n");
    expect_letters(state, "1@1:33 column \"x\": \"no\" is not an integer\n");
    items_unref(items);
}

static void a_member_named_as_a_column_of_the_item_rejects_its_record(void **state)
{
    struct items *items = give_item(*state);

    run(state, "[{\"_item_id\":1},{\"_item_other\":2}]");
    expect_rows(state, "_item_id,_item_lang,_item_share,_item_other\n7,'en',~0.5,2\n");
    expect_letters(state,
                   "0@1:2 the record has a member _item_id, which is the column of the item; "
                   "name the ones to keep with fields\n");
    items_unref(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(without_a_path_an_object_is_the_record),
        TEST(without_a_path_the_elements_of_an_array_are_the_records),
        TEST(an_empty_array_is_success_with_no_rows),
        TEST(a_wildcard_selects_the_elements_of_an_array),
        TEST(a_wildcard_selects_the_values_of_an_objects_members),
        TEST(a_path_to_an_array_means_its_elements),
        TEST(a_path_to_an_object_is_one_record),
        TEST(a_path_through_a_wildcard_to_arrays_means_their_elements),
        TEST(arrays_that_a_wildcard_or_slice_selects_are_records_themselves),
        TEST(scalar_records_become_the_column_value),
        TEST(a_scalar_document_is_one_record),
        TEST(an_empty_container_before_a_wildcard_or_slice_is_success),
        TEST(a_path_that_selects_nothing_fails_the_run_and_keeps_the_body),
        TEST(an_api_may_leave_its_list_away_and_mean_that_there_is_nothing),
        TEST(what_stands_instead_of_records_cannot_hide_in_the_error),
        TEST(the_error_says_how_far_the_path_led),
        TEST(an_empty_container_elsewhere_is_no_excuse),
        TEST(a_path_to_a_scalar_fails_the_run),
        TEST(a_null_record_goes_to_the_dead_letters),
        TEST(each_line_is_a_record),
        TEST(no_lines_are_success_with_no_rows),
        TEST(a_path_applies_to_each_line),
        TEST(a_line_of_which_nothing_is_selected_is_rejected_alone),
        TEST(what_stands_beside_a_record_is_in_its_line),
        TEST(lines_of_which_nothing_at_all_is_selected_fail_the_run),
        TEST(members_become_columns_in_the_order_of_first_appearance),
        TEST(nested_values_are_kept_as_their_json_text),
        TEST(of_equal_names_the_last_wins_and_alone_counts_for_the_type),
        TEST(names_are_the_records_own_down_to_escapes_and_case),
        TEST(excluded_members_become_no_column),
        TEST(an_empty_record_is_a_row_without_values),
        TEST(columns_know_which_types_were_seen),
        TEST(any_order_of_members_finds_the_same_columns),
        TEST(a_record_of_1998_members_is_a_row),
        TEST(a_record_with_more_goes_to_the_dead_letters_and_leaves_no_columns),
        TEST(records_too_unlike_for_one_table_fail_the_run),
        TEST(in_a_key_text_that_is_an_integer_is_that_integer),
        TEST(in_a_key_all_other_text_is_as_it_came),
        TEST(a_key_of_a_declared_type_is_of_that_type),
        TEST(fields_are_taken_by_path_in_their_own_order),
        TEST(fields_have_columns_even_without_records),
        TEST(missing_and_null_fields_are_null),
        TEST(of_equal_names_the_last_is_the_field),
        TEST(a_path_that_selects_several_nodes_gives_their_json_array),
        TEST(several_nodes_fit_no_scalar_type),
        TEST(a_record_with_a_value_of_another_type_goes_to_the_dead_letters),
        TEST(many_rejected_records_keep_their_positions),
        TEST(records_against_the_order_of_the_body_keep_their_positions),
        TEST(strings_keep_nul_bytes_and_emoji),
        TEST(the_values_of_the_item_are_the_first_columns),
        TEST(they_come_before_fields_too),
        TEST(a_member_named_as_a_column_of_the_item_rejects_its_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
