#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/csv.h"
#include "process/decode.h"
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

static void expect_rows(struct processing *p, const char *content_type, const char *body,
                        const char *rows)
{
    processing_run(p, content_type, body);
    assert_string_equal(p->run.error == NULL ? "" : p->run.error, "");
    assert_string_equal(processing_rows(p), rows);
}

static void expect_failure(struct processing *p, const char *content_type, const char *body,
                           const char *letters)
{
    processing_run(p, content_type, body);
    assert_int_equal(p->run.failure, RUN_FAILED_DECODE);
    assert_int_equal(p->result.rows.row_count, 0);
    assert_string_equal(processing_letters(p), letters);
}

static void csv_is_known_by_its_media_types_and_by_the_urls_ending(void **state)
{
    struct processing *p = *state;

    expect_rows(p, "text/csv; charset=utf-8; header=present", "a,b\n1,2\n", "a,b\n'1','2'\n");
    expect_rows(p, "application/csv", "a,b\n1,2\n", "a,b\n'1','2'\n");
    expect_rows(p, "text/tab-separated-values", "a\tb\n1\t2\n", "a,b\n'1','2'\n");
    p->source.url = "http://localhost/files/data.CSV.gz?version=1.json";
    expect_rows(p, "text/plain", "a,b\n1,2\n", "a,b\n'1','2'\n");
    expect_rows(p, "binary/octet-stream", "a,b\n1,2\n", "a,b\n'1','2'\n");
    expect_rows(p, NULL, "a,b\n1,2\n", "a,b\n'1','2'\n");
    expect_rows(p, "application/json", "[{\"a\":1}]", "a\n1\n");
    p->source.url = "http://localhost/data.tsv#x";
    expect_rows(p, NULL, "a\tb\n1\t2\n", "a,b\n'1','2'\n");
    p->source.url = "http://localhost/csv";
    expect_rows(p, NULL, "[{\"a\":1}]", "a\n1\n");
}

static void a_declared_format_wins_over_the_content_type(void **state)
{
    struct processing *p = *state;

    p->source.format = FORMAT_CSV;
    expect_rows(p, "application/json", "a,b\n1,2\n", "a,b\n'1','2'\n");
    p->source.format = FORMAT_TSV;
    expect_rows(p, "text/csv", "a\tb\n1\t2\n", "a,b\n'1','2'\n");
}

static void values_without_a_declared_type_are_the_text_that_came(void **state)
{
    expect_rows(*state, "text/csv", "id,n,e,t\n007,1.50,,\"\"\n", "id,n,e,t\n'007','1.50','',''\n");
}

static void declared_types_read_the_text(void **state)
{
    struct processing *p = *state;

    p->source.format = FORMAT_CSV;
    processing_field(p, "n", "$.n", FIELD_INTEGER, TIME_UNIT_NONE);
    processing_field(p, "x", "$.x", FIELD_REAL, TIME_UNIT_NONE);
    processing_field(p, "t", "$.t", FIELD_TEXT, TIME_UNIT_NONE);
    expect_rows(p, NULL, "n,x,t\n7,1.50,a\n", "n,x,t\n7,~1.5,'a'\n");
}

static void an_empty_cell_is_null_where_another_type_than_text_is_declared(void **state)
{
    struct processing *p = *state;

    p->source.format = FORMAT_CSV;
    processing_field(p, "n", "$.n", FIELD_INTEGER, TIME_UNIT_NONE);
    processing_field(p, "x", "$.x", FIELD_REAL, TIME_UNIT_NONE);
    processing_field(p, "b", "$.b", FIELD_BOOLEAN, TIME_UNIT_NONE);
    processing_field(p, "s", "$.s", FIELD_TIMESTAMP, TIME_UNIT_NONE);
    processing_field(p, "t", "$.t", FIELD_TEXT, TIME_UNIT_NONE);
    processing_field(p, "u", "$.u", FIELD_UNDECLARED, TIME_UNIT_NONE);
    expect_rows(p, NULL, "n,x,b,s,t,u\n,,,\"\",,\n", "n,x,b,s,t,u\nnull,null,null,null,'',''\n");
}

static void an_empty_string_of_json_is_no_integer(void **state)
{
    struct processing *p = *state;

    processing_field(p, "n", "$.n", FIELD_INTEGER, TIME_UNIT_NONE);
    processing_run(p, NULL, "[{\"n\":\"\"}]");
    assert_int_equal(p->result.rows.row_count, 0);
    assert_int_equal(p->result.dead_letter_count, 1);
}

#define MORE                                                                              \
    "the row has 3 cells where the header has 2; where that is so of all rows, name the " \
    "columns with csv: {names: [...], header_row: 1}\n"
#define FEWER                                                                            \
    "the row has 1 cell where the header has 2; where that is so of all rows, name the " \
    "columns with csv: {names: [...], header_row: 1}\n"
#define ODD                                                                                  \
    "cell 2 of the row has text behind its closing quote; a quote within a cell is doubled " \
    "(\"\"), or set csv: {quote: \"\"} where quotes mean nothing\n"

static void a_ragged_row_is_a_dead_letter_at_its_line_and_the_rest_is_stored(void **state)
{
    struct processing *p = *state;
    struct slice row;

    expect_rows(p, "text/csv", "a,b\n1,\"2\n2\"\n3\r\n4,5,6\n7,\"8\"x\n9,10\n11",
                "a,b\n'1','2\n2'\n'9','10'\n");
    assert_string_equal(processing_letters(p),
                        "1@4:1 " FEWER "2@5:1 " MORE "3@6:1 " ODD "5@8:1 " FEWER);
    assert_int_equal(p->result.records, 6);
    row = node_source(p->result.dead_letters[1].record);
    assert_int_equal(row.length, 5);
    assert_memory_equal(row.data, "4,5,6", 5);
    assert_string_equal(p->result.form.content_type, "text/csv; charset=utf-8; header=present");
    assert_int_equal(p->result.form.head.length, 4);
    assert_memory_equal(p->result.form.head.data, "a,b\n", 4);
}

static void a_value_that_does_not_fit_is_a_dead_letter_with_its_row_as_it_came(void **state)
{
    struct processing *p = *state;
    struct slice row;

    p->source.format = FORMAT_CSV;
    processing_field(p, "n", "$.n", FIELD_INTEGER, TIME_UNIT_NONE);
    expect_rows(p, NULL, "n,x\n\"1\",a\n\"a\",\"b\n\"\"c\"\n", "n\n1\n");
    assert_string_equal(processing_letters(p), "1@3:1 column \"n\": \"a\" is not an integer\n");
    row = node_source(p->result.dead_letters[0].record);
    assert_memory_equal(row.data, "\"a\",\"b\n\"\"c\"", row.length);
    assert_int_equal(row.length, 11);
}

static void names_explain_a_ragged_row_in_their_own_words(void **state)
{
    static const char *const names[] = {"x", "y"};
    struct csv_options options = csv_defaults;
    struct processing *p = *state;

    options.names = names;
    options.name_count = 2;
    options.header_row = 0;
    p->source.csv = &options;
    expect_rows(p, "text/csv", "1,2\n3\n", "x,y\n'1','2'\n");
    assert_string_equal(processing_letters(p),
                        "1@2:1 the row has 1 cell, and csv.names has 2 names\n");
    assert_string_equal(p->result.form.content_type, "text/csv; charset=utf-8; header=absent");
    options.name_count = 0;
    expect_rows(p, "text/csv", "1,2\n3\n", "column_1,column_2\n'1','2'\n");
    assert_string_equal(processing_letters(p),
                        "1@2:1 the row has 1 cell where the first row has 2; where other rows are "
                        "right, name the columns with csv: {names: [...]}\n");
}

static void a_long_header_is_not_put_before_each_short_row(void **state)
{
    struct processing *p = *state;
    struct text body = {0};

    for (unsigned i = 0; i < 2000; i++)
        text_char(&body, 'n');
    text_add(&body, "\n1\n2\n3\n4,5\n");
    processing_run(p, "text/csv", text_string(&body));
    assert_int_equal(p->result.dead_letter_count, 1);
    assert_string_equal(p->result.form.content_type, "text/csv; charset=utf-8; header=absent");
    assert_int_equal(p->result.form.head.length, 0);
    text_free(&body);
}

static void records_select_among_the_rows(void **state)
{
    struct processing *p = *state;

    processing_records(p, "$[1:]");
    expect_rows(p, "text/csv", "a\n1\n2,3\n4\n5\n", "a\n'4'\n'5'\n");
    assert_int_equal(p->result.dead_letter_count, 1);
}

static void a_header_alone_is_success_without_rows(void **state)
{
    struct processing *p = *state;

    expect_rows(p, "text/csv", "a,b\n", "\n");
    assert_int_equal(p->run.failure, RUN_OK);
}

static void what_is_no_csv_is_named_as_such(void **state)
{
    expect_failure(*state, "text/csv", "\n <!DOCTYPE HTML><p>",
                   "body@2:2 the body is an HTML page, not CSV; check url and headers: it may be "
                   "a login, an error page or a web site\n");
    expect_failure(*state, "text/csv", "<?xml version='1.0'?><a/>",
                   "body@1:1 the body is XML, not CSV; check url and headers (Accept)\n");
    expect_failure(*state, "text/csv", "{\"error\":\"no, not now\"}",
                   "body@1:1 the body is JSON, not CSV; check url and headers (Accept), or set "
                   "format: json\n");
    expect_failure(*state, "text/csv", " \n",
                   "body@0:0 the body is empty, where CSV with a header was expected\n");
    expect_rows(*state, "text/csv", "[a],{b}\n1,2\n", "[a],{b}\n'1','2'\n");
}

static void a_body_that_is_cut_off_in_a_quote_fails_with_the_line(void **state)
{
    expect_failure(*state, "text/csv", "a,b\n1,2\n3,\"x\ny",
                   "body@3:3 the body is not CSV: line 3: the quote that begins this cell is not "
                   "closed before the end of the body, which may be cut off; if quotes mean "
                   "nothing, set csv: {quote: \"\"}\n");
}

static void bytes_that_are_not_utf8_name_the_key_encoding(void **state)
{
    struct processing *p = *state;

    expect_failure(p, "text/csv", "a,b\n1,caf\xe9\n",
                   "body@2:6 the body is not CSV in UTF-8: line 2, column 6: byte 0xe9 (byte 9 of "
                   "the body); set encoding to what it is in, as in encoding: windows-1252\n");
    p->source.encoding = "windows-1252";
    expect_rows(p, "text/csv", "a,b\n1,caf\xe9 \x80\n", "a,b\n'1','caf\xc3\xa9 \xe2\x82\xac'\n");
}

static void a_position_is_that_in_the_converted_text(void **state)
{
    struct processing *p = *state;

    processing_run_bytes(p, "text/csv",
                         "\xff\xfe"
                         "a\0,\0b\0\n\0"
                         "1\0,\0\xe9\0\n\0"
                         "2\0",
                         20);
    assert_string_equal(processing_rows(p), "a,b\n'1','\xc3\xa9'\n");
    assert_string_equal(processing_letters(p), "1@3:1 " FEWER);
}

/* What a dead letter of a record holds, read again. */
static const struct decoded *again(struct processing *p, struct decoded *decoded)
{
    const struct dead_letter *letter = p->result.dead_letters;
    struct slice source = node_source(letter->record);
    struct text content = {0};
    struct response response;

    text_append(&content, p->result.form.head.data, p->result.form.head.length);
    text_append(&content, source.data, source.length);
    response = (struct response){.content_type = (char *)(uintptr_t)p->result.form.content_type,
                                 .body = arena_copy(p->arena, content.data, content.length),
                                 .body_bytes = content.length};
    assert_int_equal(decode_record(&response, &p->source, p->arena, decoded), 0);
    text_free(&content);
    return decoded;
}

static const char *record_json(struct processing *p, const struct node *root)
{
    text_clear(&p->text);
    node_write_json(root, &p->text);
    return text_string(&p->text);
}

static void a_row_that_was_kept_can_be_read_again_with_todays_names(void **state)
{
    static const char *const names[] = {"x", "y", "z"};
    struct csv_options options = csv_defaults;
    struct processing *p = *state;
    struct decoded decoded;

    p->source.csv = &options;
    options.skip_rows = 1;
    options.comment = "1";
    processing_run(p, "text/csv; charset=latin1", "skipped\na,b\n\"\n\xe9\",2,3\n");
    options.comment = NULL;
    assert_int_equal(p->result.dead_letter_count, 1);
    again(p, &decoded);
    assert_int_equal(decoded.root->length, 0);
    assert_int_equal(decoded.rejected_count, 1);
    options.names = names;
    options.name_count = 3;
    options.header_row = 0;
    assert_string_equal(record_json(p, again(p, &decoded)->root),
                        "[{\"x\":\"\\n\xc3\xa9\",\"y\":\"2\",\"z\":\"3\"}]");
}

static void a_row_of_tabs_is_kept_as_one(void **state)
{
    struct processing *p = *state;
    struct decoded decoded;

    processing_field(p, "n", "$.n", FIELD_INTEGER, TIME_UNIT_NONE);
    processing_run(p, "text/tsv", "n\tx\na\t\n");
    assert_string_equal(p->result.form.content_type,
                        "text/tab-separated-values; charset=utf-8; header=present");
    assert_string_equal(record_json(p, again(p, &decoded)->root), "[{\"n\":\"a\",\"x\":\"\"}]");
    assert_true(node_is_untyped(decoded.root + 5));
}

static void a_row_without_its_header_needs_names(void **state)
{
    static const char *const names[] = {"x", "y"};
    struct csv_options options = csv_defaults;
    struct processing *p = *state;
    struct decoded decoded;

    p->source.csv = &options;
    options.header_row = 0;
    processing_run(p, "text/csv", "1\n1,2\n");
    assert_int_equal(p->result.dead_letter_count, 1);
    assert_null(again(p, &decoded)->root);
    assert_string_equal(decoded.reason, "the row was kept without the names of its columns; say "
                                        "them with csv: {names: [...]}");
    options.names = names;
    options.name_count = 2;
    assert_string_equal(record_json(p, again(p, &decoded)->root), "[{\"x\":\"1\",\"y\":\"2\"}]");
}

static void a_record_of_json_is_read_again_as_one(void **state)
{
    struct processing *p = *state;
    struct response response = {
        .content_type = "application/json", .body = "[\n1,\n2]", .body_bytes = 7};
    struct decoded decoded;

    p->source.format = FORMAT_CSV;
    assert_int_equal(decode_record(&response, &p->source, p->arena, &decoded), 0);
    assert_string_equal(record_json(p, decoded.root), "[[\n1,\n2]]");
    assert_true(decoded.lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(csv_is_known_by_its_media_types_and_by_the_urls_ending),
        TEST(a_declared_format_wins_over_the_content_type),
        TEST(values_without_a_declared_type_are_the_text_that_came),
        TEST(declared_types_read_the_text),
        TEST(an_empty_cell_is_null_where_another_type_than_text_is_declared),
        TEST(an_empty_string_of_json_is_no_integer),
        TEST(a_ragged_row_is_a_dead_letter_at_its_line_and_the_rest_is_stored),
        TEST(a_value_that_does_not_fit_is_a_dead_letter_with_its_row_as_it_came),
        TEST(names_explain_a_ragged_row_in_their_own_words),
        TEST(a_long_header_is_not_put_before_each_short_row),
        TEST(records_select_among_the_rows),
        TEST(a_header_alone_is_success_without_rows),
        TEST(what_is_no_csv_is_named_as_such),
        TEST(a_body_that_is_cut_off_in_a_quote_fails_with_the_line),
        TEST(bytes_that_are_not_utf8_name_the_key_encoding),
        TEST(a_position_is_that_in_the_converted_text),
        TEST(a_row_that_was_kept_can_be_read_again_with_todays_names),
        TEST(a_row_of_tabs_is_kept_as_one),
        TEST(a_row_without_its_header_needs_names),
        TEST(a_record_of_json_is_read_again_as_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
