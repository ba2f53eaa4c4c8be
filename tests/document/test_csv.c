#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/csv.h"

struct reading {
    struct arena *arena;
    struct csv_options options;
    char delimiter;
    struct csv_table table;
    struct csv_error error;
    struct text shown;
};

static int setup(void **state)
{
    struct reading *r = calloc(1, sizeof(*r));

    assert_non_null(r);
    r->arena = arena_create(1 << 16);
    assert_non_null(r->arena);
    r->options = csv_defaults;
    r->delimiter = ',';
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct reading *r = *state;

    text_free(&r->shown);
    arena_free(r->arena);
    free(r);
    return 0;
}

/* The rows as JSON, a line each, then the misfits: what they have, and their text. */
static const char *show(struct reading *r)
{
    const struct node *root = r->table.root;

    text_clear(&r->shown);
    for (const struct node *n = root + 1; n < node_end(root); n = node_next(n)) {
        node_write_json(n, &r->shown);
        text_char(&r->shown, '\n');
    }
    for (size_t i = 0; i < r->table.misfit_count; i++) {
        const struct csv_misfit *misfit = &r->table.misfits[i];
        struct slice row = node_source(&misfit->row);

        text_format(&r->shown, "%u/%u:", misfit->cells, misfit->odd);
        text_append(&r->shown, row.data, row.length);
        text_char(&r->shown, '\n');
    }
    return text_string(&r->shown);
}

static enum csv_status read_bytes(struct reading *r, const char *text, size_t length)
{
    char *copy = arena_copy(r->arena, text, length);

    assert_non_null(copy);
    return csv_read(copy, length, &r->options, r->delimiter, r->arena, &r->table, &r->error);
}

static void expect(struct reading *r, const char *text, const char *rows)
{
    assert_int_equal(read_bytes(r, text, strlen(text)), CSV_OK);
    assert_string_equal(show(r), rows);
}

static void expect_error(struct reading *r, const char *text, size_t offset, const char *message)
{
    assert_int_equal(read_bytes(r, text, strlen(text)), CSV_INVALID);
    assert_string_equal(r->error.message, message);
    assert_int_equal(r->error.offset, offset);
    assert_null(r->table.root);
}

/* --- RFC 4180, 2 --- */

static void each_row_is_an_object_of_the_headers_names(void **state)
{
    expect(*state, "a,b\n1,x y\n2,\n", "{\"a\":\"1\",\"b\":\"x y\"}\n{\"a\":\"2\",\"b\":\"\"}\n");
}

static void a_row_ends_with_any_line_break_or_the_text(void **state)
{
    static const char *const texts[] = {"a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\r3,4\r",
                                        "a,b\n1,2\r\n3,4\r"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        expect(*state, texts[i], "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"3\",\"b\":\"4\"}\n");
}

static void blanks_belong_to_a_cell(void **state)
{
    expect(*state, "a,b\n 1 ,\t2\n", "{\"a\":\" 1 \",\"b\":\"\\t2\"}\n");
}

static void a_quoted_cell_holds_delimiters_line_breaks_and_doubled_quotes(void **state)
{
    expect(*state, "a,b\n\"1,2\",\"x\r\ny\"\n\"say \"\"hi\"\"\",\"\"\n\"\"\"\",\"\"\"\"\"\"",
           "{\"a\":\"1,2\",\"b\":\"x\\r\\ny\"}\n{\"a\":\"say \\\"hi\\\"\",\"b\":\"\"}\n"
           "{\"a\":\"\\\"\",\"b\":\"\\\"\\\"\"}\n");
}

static void names_may_be_quoted_too(void **state)
{
    expect(*state, "\"a,1\",\"b\"\"\"\n1,2\n", "{\"a,1\":\"1\",\"b\\\"\":\"2\"}\n");
}

static void a_quote_within_a_cell_is_a_character(void **state)
{
    expect(*state, "a,b\n5\" pipe,x\"\n", "{\"a\":\"5\\\" pipe\",\"b\":\"x\\\"\"}\n");
}

/* --- Beyond the RFC --- */

static void rows_without_anything_are_passed_over(void **state)
{
    expect(*state, "\n\na,b\n\n1,2\r\n\r\n3,4\n\n\n",
           "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"3\",\"b\":\"4\"}\n");
    expect(*state, "a\n\n\"\"\n1\n", "{\"a\":\"\"}\n{\"a\":\"1\"}\n");
}

static void a_byte_order_mark_is_no_part_of_the_first_name(void **state)
{
    expect(*state,
           "\xef\xbb\xbf"
           "a,b\n1,2",
           "{\"a\":\"1\",\"b\":\"2\"}\n");
    expect(*state, "\xef\xbb\xbf\"a\",b\n1,2", "{\"a\":\"1\",\"b\":\"2\"}\n");
}

static void a_header_without_rows_is_a_table_without_rows(void **state)
{
    struct reading *r = *state;

    expect(r, "a,b", "");
    assert_int_equal(r->table.columns, 2);
    assert_int_equal(r->table.root->length, 0);
    assert_int_equal(r->table.root->span, 1);
}

static void a_row_of_another_number_of_cells_is_no_record(void **state)
{
    struct reading *r = *state;

    expect(r, "a,b\n1,2\n3\n4,5,6\n\"7\n7\",\"8\",9\r\nx,y\n",
           "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"x\",\"b\":\"y\"}\n1/0:3\n3/0:4,5,6\n"
           "3/0:\"7\n7\",\"8\",9\n");
    assert_int_equal(r->table.root->length, 2);
}

static void a_delimiter_at_the_end_is_before_an_empty_cell(void **state)
{
    expect(
        *state, "a,b,\n1,2,\n3,4\n5,6,",
        "{\"a\":\"1\",\"b\":\"2\",\"column_3\":\"\"}\n{\"a\":\"5\",\"b\":\"6\",\"column_3\":\"\"}\n"
        "2/0:3,4\n");
}

static void a_row_with_text_behind_a_closing_quote_is_no_record(void **state)
{
    expect(*state, "a,b,c\n1,\"2\"x,3\n1,\"2\" ,3\n4,5,\"6\"\n",
           "{\"a\":\"4\",\"b\":\"5\",\"c\":\"6\"}\n3/2:1,\"2\"x,3\n3/2:1,\"2\" ,3\n");
}

static void a_row_knows_where_it_stands(void **state)
{
    struct reading *r = *state;
    struct slice row;

    expect(r, "a,b\n1,\"2\n3\"\r\n", "{\"a\":\"1\",\"b\":\"2\\n3\"}\n");
    row = node_source(r->table.root + 1);
    assert_int_equal(row.length, 7);
    assert_memory_equal(row.data, "1,\"2\n3\"", 7);
    assert_true(node_is_untyped(r->table.root + 3));
    assert_memory_equal(r->table.header.data, "a,b", r->table.header.length);
}

static void columns_of_the_same_name_are_numbered(void **state)
{
    expect(*state, "a,a,b,a,a_2\n1,2,3,4,5\n",
           "{\"a\":\"1\",\"a_3\":\"2\",\"b\":\"3\",\"a_4\":\"4\",\"a_2\":\"5\"}\n");
}

static void columns_without_a_name_have_that_of_their_place(void **state)
{
    expect(*state, ",a,\"\", \n1,2,3,4\n",
           "{\"column_1\":\"1\",\"a\":\"2\",\"column_3\":\"3\",\"column_4\":\"4\"}\n");
    expect(*state, "column_2,\n1,2\n", "{\"column_2\":\"1\",\"column_2_2\":\"2\"}\n");
}

static void blanks_around_a_name_do_not_belong_to_it(void **state)
{
    expect(*state, " a ,\tb c\n1,2\n", "{\"a\":\"1\",\"b c\":\"2\"}\n");
}

static void a_quote_that_is_not_closed_is_an_error(void **state)
{
    static const char message[] =
        "the quote that begins this cell is not closed before the end of the body, which may be "
        "cut off; if quotes mean nothing, set csv: {quote: \"\"}";

    expect_error(*state, "a,b\n1,\"2\n3,4\n", 6, message);
    expect_error(*state, "a,\"b", 2, message);
    expect_error(*state, "a\n\"x\"\"", 2, message);
    expect_error(*state, "a\n\"", 2, message);
}

static void a_text_that_ends_before_its_header_is_an_error(void **state)
{
    struct reading *r = *state;

    expect_error(r, "", 0, "the body ends before its header, row 1");
    r->options.header_row = 3;
    expect_error(r, "a\nb\n", 4, "the body ends before its header, row 3");
}

static void a_header_of_one_cell_with_another_delimiter_is_an_error(void **state)
{
    struct reading *r = *state;

    expect_error(r, "a;b\n1;2\n", 0,
                 "the header is one cell that holds ';'; set csv: {delimiter: \";\"}");
    expect_error(r, "a\tb\n1\t2\n", 0,
                 "the header is one cell that holds '\\t'; set csv: {delimiter: \"\\t\"}");
    expect(r, "\"a;b\"\n1\n", "{\"a;b\":\"1\"}\n");
    expect(r, "a;b,c\n1,2\n", "{\"a;b\":\"1\",\"c\":\"2\"}\n");
    r->options.delimiter = ",";
    expect(r, "a;b\n1;2\n", "{\"a;b\":\"1;2\"}\n");
}

/* --- Options --- */

static void the_delimiter_is_what_is_said(void **state)
{
    struct reading *r = *state;

    r->delimiter = '\t';
    expect(r, "a\tb,c\n1\t2\n", "{\"a\":\"1\",\"b,c\":\"2\"}\n");
    r->options.delimiter = ";";
    expect(r, "a;b\n1,5;\"2;3\"\n", "{\"a\":\"1,5\",\"b\":\"2;3\"}\n");
}

static void another_quote_or_none_may_be_said(void **state)
{
    struct reading *r = *state;

    r->options.quote = "'";
    expect(r, "a,b\n'1,2',\"x\n", "{\"a\":\"1,2\",\"b\":\"\\\"x\"}\n");
    r->options.quote = "";
    expect(r, "a,b\n\"1,2\"\n", "{\"a\":\"\\\"1\",\"b\":\"2\\\"\"}\n");
    assert_int_equal(read_bytes(r, "a,b\n\0,\0\n", 8), CSV_OK);
    assert_string_equal(show(r), "{\"a\":\"\\u0000\",\"b\":\"\\u0000\"}\n");
}

static void lines_may_be_skipped_whatever_they_hold(void **state)
{
    struct reading *r = *state;

    r->options.skip_rows = 2;
    expect(r, "one \" quote\r\n\na,b\n1,2\n", "{\"a\":\"1\",\"b\":\"2\"}\n");
    r->options.skip_rows = 9;
    expect_error(r, "a\n", 2, "the body ends before its header, row 1");
}

static void a_nul_where_the_columns_are_named_or_counted_is_an_error(void **state)
{
    static const char message[] = "a NUL byte in the row that names or counts the columns, so this "
                                  "is not text, or not UTF-8; "
                                  "if it is UTF-16, set encoding: utf-16";
    struct reading *r = *state;

    assert_int_equal(read_bytes(r, "a\0,\0b\0\n\0", 8), CSV_INVALID);
    assert_string_equal(r->error.message, message);
    assert_int_equal(r->error.offset, 1);
    r->options.header_row = 0;
    assert_int_equal(read_bytes(r, "\0\0\0", 3), CSV_INVALID);
    assert_string_equal(r->error.message, message);
    assert_int_equal(r->error.offset, 0);
}

static void the_header_may_be_a_later_row(void **state)
{
    struct reading *r = *state;

    r->options.header_row = 2;
    expect(r, "\"units\nof all\",m\n\na,b\n1,2\n", "{\"a\":\"1\",\"b\":\"2\"}\n");
}

static void comments_are_passed_over_at_the_start_of_a_line(void **state)
{
    struct reading *r = *state;

    r->options.comment = "#";
    expect(r, "# \"one\n#two\na,b\n#x\n1,#2\n\"#3\",\"\n#4\"\n#",
           "{\"a\":\"1\",\"b\":\"#2\"}\n{\"a\":\"#3\",\"b\":\"\\n#4\"}\n");
    r->options.comment = "//";
    expect(r, "a\n//\n/1\n/", "{\"a\":\"/1\"}\n{\"a\":\"/\"}\n");
}

static void names_stand_for_a_header_or_replace_it(void **state)
{
    static const char *const names[] = {"x", "y"};
    struct reading *r = *state;

    r->options.names = names;
    r->options.name_count = 2;
    r->options.header_row = 0;
    expect(r, "1,2\n3,4,5\n", "{\"x\":\"1\",\"y\":\"2\"}\n3/0:3,4,5\n");
    assert_int_equal(r->table.header.length, 0);
    expect(r, "", "");
    r->options.header_row = 1;
    expect(r, "a\n1,2\n", "{\"x\":\"1\",\"y\":\"2\"}\n");
    expect(r, "a;b\n1,2\n", "{\"x\":\"1\",\"y\":\"2\"}\n");
}

static void without_a_header_the_first_row_says_how_many_columns_there_are(void **state)
{
    struct reading *r = *state;

    r->options.header_row = 0;
    expect(r, "1,2\n3,4\n5\n",
           "{\"column_1\":\"1\",\"column_2\":\"2\"}\n{\"column_1\":\"3\",\"column_2\":\"4\"}\n1/"
           "0:5\n");
    expect(r, "", "");
    expect(r, "\n\n", "");
}

static void blanks_around_cells_may_be_left_out(void **state)
{
    struct reading *r = *state;

    r->options.trim = true;
    expect(r, " a , b\n 1 , \"2 \" \n   \n\t,x\n",
           "{\"a\":\"1\",\"b\":\"2 \"}\n{\"a\":\"\",\"b\":\"x\"}\n");
    r->options.delimiter = "\t";
    expect(r, "a\tb\n 1\t\n", "{\"a\":\"1\",\"b\":\"\"}\n");
}

/* --- Sizes --- */

static void cells_of_every_length_are_found(void **state)
{
    struct reading *r = *state;

    for (size_t length = 0; length < 70; length++) {
        struct text text = {0};
        const struct node *value;

        text_add(&text, "a,b\n");
        for (size_t i = 0; i < length; i++)
            text_char(&text, (char)('a' + i % 26));
        text_add(&text, ",end\r\n");
        assert_int_equal(read_bytes(r, text_string(&text), text.length), CSV_OK);
        value = r->table.root + 3;
        assert_int_equal(value->length, length);
        assert_memory_equal(value->text, text.data + 4, length);
        assert_int_equal(r->table.root->length, 1);
        text_free(&text);
    }
}

static void many_rows_and_columns_are_read(void **state)
{
    struct reading *r = *state;
    struct text text = {0};

    for (unsigned row = 0; row < 50; row++) {
        for (unsigned i = 0; i < 5000; i++)
            text_format(&text, i == 0 ? "%u" : ",%u", row == 0 ? i : row);
        text_char(&text, '\n');
    }
    assert_int_equal(read_bytes(r, text_string(&text), text.length), CSV_OK);
    assert_int_equal(r->table.columns, 5000);
    assert_int_equal(r->table.root->length, 49);
    assert_int_equal(r->table.root->span, 1 + 49 * (1 + 2 * 5000));
    text_free(&text);
}

/* The guess from the beginning of the text is far too low here. */
static void a_text_of_more_cells_than_its_beginning_promised_is_read(void **state)
{
    struct reading *r = *state;
    struct text text = {0};

    text_add(&text, "a,b\n");
    for (unsigned i = 0; i < 100000; i++)
        text_char(&text, 'x');
    text_add(&text, ",y\n");
    for (unsigned i = 0; i < 100000; i++)
        text_add(&text, ",\n");
    assert_int_equal(read_bytes(r, text_string(&text), text.length), CSV_OK);
    assert_int_equal(r->table.root->length, 100001);
    text_free(&text);
}

static void a_header_of_too_many_columns_is_an_error(void **state)
{
    struct text text = {0};

    for (unsigned i = 0; i < CSV_MAX_COLUMNS; i++)
        text_char(&text, ',');
    expect_error(*state, text_string(&text), 0, "the row has more than 65536 cells");
    text.data[text.length - 1] = '\n';
    assert_int_equal(read_bytes(*state, text_string(&text), text.length), CSV_OK);
    text_free(&text);
}

static void too_many_misfits_are_an_error(void **state)
{
    struct text text = {0};

    text_add(&text, "a,b\n");
    for (unsigned i = 0; i <= CSV_MAX_MISFITS; i++)
        text_add(&text, "1\n");
    expect_error(*state, text_string(&text), text.length - 2,
                 "more than 100000 rows do not have the 2 cells they should have");
    text_free(&text);
}

static void many_columns_of_one_name_take_no_time(void **state)
{
    struct text text = {0};

    for (unsigned i = 0; i < CSV_MAX_COLUMNS - 1; i++)
        text_add(&text, "a,");
    assert_int_equal(read_bytes(*state, text_string(&text), text.length), CSV_OK);
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(each_row_is_an_object_of_the_headers_names),
        TEST(a_row_ends_with_any_line_break_or_the_text),
        TEST(blanks_belong_to_a_cell),
        TEST(a_quoted_cell_holds_delimiters_line_breaks_and_doubled_quotes),
        TEST(names_may_be_quoted_too),
        TEST(a_quote_within_a_cell_is_a_character),
        TEST(rows_without_anything_are_passed_over),
        TEST(a_byte_order_mark_is_no_part_of_the_first_name),
        TEST(a_header_without_rows_is_a_table_without_rows),
        TEST(a_row_of_another_number_of_cells_is_no_record),
        TEST(a_delimiter_at_the_end_is_before_an_empty_cell),
        TEST(a_row_with_text_behind_a_closing_quote_is_no_record),
        TEST(a_row_knows_where_it_stands),
        TEST(columns_of_the_same_name_are_numbered),
        TEST(columns_without_a_name_have_that_of_their_place),
        TEST(blanks_around_a_name_do_not_belong_to_it),
        TEST(a_quote_that_is_not_closed_is_an_error),
        TEST(a_text_that_ends_before_its_header_is_an_error),
        TEST(a_header_of_one_cell_with_another_delimiter_is_an_error),
        TEST(the_delimiter_is_what_is_said),
        TEST(another_quote_or_none_may_be_said),
        TEST(lines_may_be_skipped_whatever_they_hold),
        TEST(a_nul_where_the_columns_are_named_or_counted_is_an_error),
        TEST(the_header_may_be_a_later_row),
        TEST(comments_are_passed_over_at_the_start_of_a_line),
        TEST(names_stand_for_a_header_or_replace_it),
        TEST(without_a_header_the_first_row_says_how_many_columns_there_are),
        TEST(blanks_around_cells_may_be_left_out),
        TEST(cells_of_every_length_are_found),
        TEST(many_rows_and_columns_are_read),
        TEST(a_text_of_more_cells_than_its_beginning_promised_is_read),
        TEST(a_header_of_too_many_columns_is_an_error),
        TEST(too_many_misfits_are_an_error),
        TEST(many_columns_of_one_name_take_no_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
