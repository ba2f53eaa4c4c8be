#include "test.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/format.h"

/* What a formatter wrote, in memory. */
struct output {
    char *data;
    size_t length;
    FILE *file;
    struct formatter *formatter;
};

static void begin(struct output *out, enum format format)
{
    out->file = open_memstream(&out->data, &out->length);
    assert_non_null(out->file);
    out->formatter = formatter_create(format, out->file, 0);
    assert_non_null(out->formatter);
}

static void end_with(struct output *out, const char *wanted)
{
    assert_int_equal(formatter_end(out->formatter), 0);
    formatter_free(out->formatter);
    fclose(out->file);
    assert_string_equal(out->data, wanted);
    free(out->data);
}

static struct value integer(int64_t n)
{
    return (struct value){.type = VALUE_INTEGER, .integer = n};
}

static struct value real(double d)
{
    return (struct value){.type = VALUE_REAL, .real = d};
}

static struct value text_of(const char *data, size_t length)
{
    return (struct value){.type = VALUE_TEXT, .length = (uint32_t)length, .text = data};
}

static struct value text(const char *data)
{
    return text_of(data, strlen(data));
}

static const struct value null_value = {.type = VALUE_NULL};

static void csv_quotes_what_needs_it_and_tells_null_from_empty(void **state)
{
    const char *names[] = {"a", "b,c"};
    struct output out;

    (void)state;
    begin(&out, FORMAT_CSV_TABLE);
    assert_int_equal(formatter_columns(out.formatter, names, 2), 0);
    assert_int_equal(formatter_row(out.formatter, (struct value[]){text("x\"y"), null_value}, 2),
                     0);
    assert_int_equal(formatter_row(out.formatter, (struct value[]){text(""), text("l1\nl2")}, 2),
                     0);
    assert_int_equal(formatter_row(out.formatter, (struct value[]){real(0.1), integer(-1)}, 2), 0);
    end_with(&out, "a,\"b,c\"\r\n\"x\"\"y\",\r\n\"\",\"l1\nl2\"\r\n0.1,-1\r\n");
}

static void json_is_one_array_of_objects(void **state)
{
    const char *names[] = {"a", "b"};
    struct output out;

    (void)state;
    begin(&out, FORMAT_JSON_ARRAY);
    assert_int_equal(formatter_columns(out.formatter, names, 2), 0);
    assert_int_equal(formatter_row(out.formatter, (struct value[]){integer(1), text("\"\n")}, 2),
                     0);
    assert_int_equal(formatter_row(out.formatter, (struct value[]){null_value, real(2)}, 2), 0);
    end_with(&out, "[{\"a\":1,\"b\":\"\\\"\\n\"},\n{\"a\":null,\"b\":2.0}]\n");
}

static void json_without_rows_is_an_empty_array(void **state)
{
    const char *names[] = {"a"};
    struct output out;

    (void)state;
    begin(&out, FORMAT_JSON_ARRAY);
    assert_int_equal(formatter_columns(out.formatter, names, 1), 0);
    end_with(&out, "[]\n");
}

static void ndjson_is_one_object_a_line(void **state)
{
    const char *names[] = {"a"};
    struct output out;

    (void)state;
    begin(&out, FORMAT_JSON_LINES);
    assert_int_equal(formatter_columns(out.formatter, names, 1), 0);
    assert_int_equal(formatter_row(out.formatter, (struct value[]){integer(1)}, 1), 0);
    assert_int_equal(formatter_row(out.formatter, (struct value[]){real(1e300)}, 1), 0);
    end_with(&out, "{\"a\":1}\n{\"a\":1e+300}\n");
}

static void a_blob_is_written_in_hex(void **state)
{
    const char *names[] = {"b"};
    struct value blob = {.type = VALUE_BLOB, .length = 3, .text = "\x00\x7f\xff"};
    struct output out;

    (void)state;
    begin(&out, FORMAT_CSV_TABLE);
    assert_int_equal(formatter_columns(out.formatter, names, 1), 0);
    assert_int_equal(formatter_row(out.formatter, &blob, 1), 0);
    end_with(&out, "b\r\nX'007FFF'\r\n");
}

static void reals_are_written_with_the_fewest_digits_that_read_back_the_same(void **state)
{
    static const struct {
        double value;
        const char *wanted;
    } cases[] = {
        {0.1, "0.1"},   {0.1 + 0.2, "0.30000000000000004"}, {5, "5.0"}, {1e22, "1e+22"},
        {-0.5, "-0.5"},
    };
    const char *names[] = {"r"};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct value v = real(cases[i].value);
        char wanted[64];
        struct output out;

        begin(&out, FORMAT_CSV_TABLE);
        assert_int_equal(formatter_columns(out.formatter, names, 1), 0);
        assert_int_equal(formatter_row(out.formatter, &v, 1), 0);
        snprintf(wanted, sizeof(wanted), "r\r\n%s\r\n", cases[i].wanted);
        end_with(&out, wanted);
    }
}

static void text_that_is_no_utf_8_is_mended_in_json(void **state)
{
    const char *names[] = {"a"};
    struct output out;

    (void)state;
    begin(&out, FORMAT_JSON_LINES);
    assert_int_equal(formatter_columns(out.formatter, names, 1), 0);
    assert_int_equal(
        formatter_row(out.formatter, (struct value[]){text_of("a\xff\0é\xe2\x82", 7)}, 1), 0);
    end_with(&out, "{\"a\":\"a\xef\xbf\xbd\\u0000é\xef\xbf\xbd\xef\xbf\xbd\"}\n");
}

static void an_error_of_the_query_shows_what_came_and_leaves_json_open(void **state)
{
    const char *names[] = {"a"};
    static const struct {
        enum format format;
        const char *wanted;
    } cases[] = {
        {FORMAT_TABLE, "a\n-\n1\n"},
        {FORMAT_CSV_TABLE, "a\r\n1\r\n"},
        {FORMAT_JSON_ARRAY, "[{\"a\":1}\n"},
        {FORMAT_JSON_LINES, "{\"a\":1}\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct output out;

        begin(&out, cases[i].format);
        assert_int_equal(formatter_columns(out.formatter, names, 1), 0);
        assert_int_equal(formatter_row(out.formatter, (struct value[]){integer(1)}, 1), 0);
        formatter_break_off(out.formatter);
        end_with(&out, cases[i].wanted);
    }
}

static void a_second_statement_in_csv_stands_behind_an_empty_line(void **state)
{
    const char *names[] = {"a"};
    struct output out;

    (void)state;
    begin(&out, FORMAT_CSV_TABLE);
    assert_int_equal(formatter_columns(out.formatter, names, 1), 0);
    assert_int_equal(formatter_row(out.formatter, (struct value[]){integer(1)}, 1), 0);
    assert_int_equal(formatter_columns(out.formatter, names, 1), 0);
    end_with(&out, "a\r\n1\r\n\r\na\r\n");
}

static void a_second_statement_begins_a_table_of_its_own(void **state)
{
    const char *first[] = {"a"};
    const char *second[] = {"bb"};
    struct output out;

    (void)state;
    begin(&out, FORMAT_TABLE);
    assert_int_equal(formatter_columns(out.formatter, first, 1), 0);
    assert_int_equal(formatter_row(out.formatter, (struct value[]){integer(1)}, 1), 0);
    assert_int_equal(formatter_columns(out.formatter, second, 1), 0);
    end_with(&out, "a\n-\n1\n\nbb\n--\n");
}

static void output_that_cannot_be_written_is_an_error(void **state)
{
    const char *names[] = {"a"};
    FILE *full = fopen("/dev/full", "w");
    struct formatter *formatter;

    (void)state;
    assert_non_null(full);
    setvbuf(full, NULL, _IONBF, 0);
    formatter = formatter_create(FORMAT_CSV_TABLE, full, 0);
    assert_int_equal(formatter_columns(formatter, names, 1), -1);
    formatter_free(formatter);
    fclose(full);
}

static void only_the_four_formats_have_names(void **state)
{
    (void)state;
    assert_int_equal(format_by_name("table"), FORMAT_TABLE);
    assert_int_equal(format_by_name("csv"), FORMAT_CSV_TABLE);
    assert_int_equal(format_by_name("json"), FORMAT_JSON_ARRAY);
    assert_int_equal(format_by_name("ndjson"), FORMAT_JSON_LINES);
    assert_int_equal(format_by_name("xml"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_quotes_what_needs_it_and_tells_null_from_empty),
        cmocka_unit_test(json_is_one_array_of_objects),
        cmocka_unit_test(json_without_rows_is_an_empty_array),
        cmocka_unit_test(ndjson_is_one_object_a_line),
        cmocka_unit_test(a_blob_is_written_in_hex),
        cmocka_unit_test(reals_are_written_with_the_fewest_digits_that_read_back_the_same),
        cmocka_unit_test(text_that_is_no_utf_8_is_mended_in_json),
        cmocka_unit_test(an_error_of_the_query_shows_what_came_and_leaves_json_open),
        cmocka_unit_test(a_second_statement_in_csv_stands_behind_an_empty_line),
        cmocka_unit_test(a_second_statement_begins_a_table_of_its_own),
        cmocka_unit_test(output_that_cannot_be_written_is_an_error),
        cmocka_unit_test(only_the_four_formats_have_names),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
