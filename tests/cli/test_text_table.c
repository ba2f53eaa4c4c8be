#include "test.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text_table.h"

/* What a table wrote, in memory. */
struct output {
    char *data;
    size_t length;
    FILE *file;
    struct text_table *table;
};

static void begin(struct output *out, size_t terminal_width, const char *const *names, size_t count)
{
    out->file = open_memstream(&out->data, &out->length);
    assert_non_null(out->file);
    out->table = text_table_create(out->file, terminal_width, names, count);
    assert_non_null(out->table);
}

static void end_with(struct output *out, const char *wanted)
{
    assert_int_equal(text_table_end(out->table), 0);
    text_table_free(out->table);
    fclose(out->file);
    assert_string_equal(out->data, wanted);
    free(out->data);
}

static void row_of(struct output *out, const struct value *values)
{
    assert_int_equal(text_table_row(out->table, values), 0);
}

#define ROW(out, ...) row_of(out, (struct value[]){__VA_ARGS__})

static struct value integer(int64_t n)
{
    return (struct value){.type = VALUE_INTEGER, .integer = n};
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

static void a_table_is_as_wide_as_its_widest_cell_and_numbers_stand_right(void **state)
{
    struct output out;

    (void)state;
    begin(&out, 0, (const char *[]){"id", "name"}, 2);
    ROW(&out, integer(7), text("a"));
    ROW(&out, integer(12345), text("bcd"));
    end_with(&out, "   id  name\n"
                   "-----  ----\n"
                   "    7  a\n"
                   "12345  bcd\n");
}

static void a_table_without_rows_still_has_its_header(void **state)
{
    struct output out;

    (void)state;
    begin(&out, 0, (const char *[]){"id", "name"}, 2);
    end_with(&out, "id  name\n--  ----\n");
}

static void a_name_stands_right_when_only_numbers_and_nulls_are_below_it(void **state)
{
    struct output out;

    (void)state;
    begin(&out, 0, (const char *[]){"n", "mixed"}, 2);
    ROW(&out, null_value, integer(1));
    ROW(&out, integer(1234), text("x"));
    end_with(&out, "   n  mixed\n"
                   "----  -----\n"
                   "          1\n"
                   "1234  x\n");
}

static void wide_characters_take_their_two_cells(void **state)
{
    struct output out;

    (void)state;
    begin(&out, 0, (const char *[]){"c", "x"}, 2);
    ROW(&out, text("日本"), text("é"));
    ROW(&out, text("ab"), text("b"));
    end_with(&out, "c     x\n----  -\n日本  é\nab    b\n");
}

static void control_characters_and_damage_are_shown_as_escapes(void **state)
{
    struct output out;

    (void)state;
    begin(&out, 0, (const char *[]){"v\x1b"}, 1);
    ROW(&out, text("a\x1b[2Jb\nc\xff\xe2\x80\xae"));
    ROW(&out, text_of("a\0b", 3));
    end_with(&out, "v\\x1b\n----------------------\na\\x1b[2Jb\\nc\\xff\\u202e\na\\x00b\n");
}

/* The same as in the log, but for the joiners that emoji and some scripts are made with. */
static void marks_that_nobody_would_see_are_shown_as_escapes(void **state)
{
    struct output out;

    (void)state;
    begin(&out, 0, (const char *[]){"v"}, 1);
    ROW(&out, text("a\u200b|\u2060|\ufeff"));
    ROW(&out, text("x\u200dy"));
    end_with(&out, "v\n---------------------\na\\u200b|\\u2060|\\ufeff\nx\u200dy\n");
}

static void rows_beyond_the_first_thousand_are_written_as_they_come(void **state)
{
    struct output out;

    (void)state;
    begin(&out, 0, (const char *[]){"n"}, 1);
    for (int i = 0; i < 1500; i++)
        ROW(&out, integer(i % 10));
    assert_int_equal(text_table_end(out.table), 0);
    fflush(out.file);
    assert_int_equal(out.length, 2 * 1502);
    text_table_free(out.table);
    fclose(out.file);
    free(out.data);
}

static void no_more_than_a_megabyte_is_held_before_something_is_written(void **state)
{
    char *large = calloc(1, 600001);
    struct output out;

    (void)state;
    assert_non_null(large);
    memset(large, 'x', 600000);
    begin(&out, 0, (const char *[]){"v"}, 1);
    ROW(&out, text(large));
    fflush(out.file);
    assert_int_equal(out.length, 0);
    ROW(&out, text(large));
    fflush(out.file);
    assert_true(out.length > 1200000);
    text_table_free(out.table);
    fclose(out.file);
    free(out.data);
    free(large);
}

static void a_long_value_elsewhere_than_on_a_terminal_is_whole_and_pushes_its_line_out(void **state)
{
    const char *long_one = "0123456789012345678901234567890123456789012345678901234567890123456789";
    char wanted[400];
    struct output out;

    (void)state;
    begin(&out, 0, (const char *[]){"a", "b"}, 2);
    ROW(&out, text(long_one), integer(1));
    snprintf(wanted, sizeof(wanted), "%-60s  b\n%.60s  -\n%s  1\n", "a",
             "------------------------------------------------------------", long_one);
    end_with(&out, wanted);
}

static void a_table_too_wide_for_the_terminal_loses_the_ends_of_its_longest_texts(void **state)
{
    struct output out;

    (void)state;
    begin(&out, 36, (const char *[]){"id", "text", "n"}, 3);
    ROW(&out, text("k1"), text("0123456789012345678901234567890123456789"), integer(5));
    ROW(&out, text("k2"), text("short"), integer(6));
    end_with(&out,
             "id  text                           n\n"
             "--  -----------------------------  -\n"
             "k1  0123456789012345678901234567…  5\n"
             "k2  short                          6\n"
             "(values that end in … were cut to fit; csv, json and ndjson have them whole)\n");
}

static void a_wide_character_is_not_cut_in_two(void **state)
{
    struct output out;

    (void)state;
    begin(&out, 24, (const char *[]){"v"}, 1);
    ROW(&out, text("日本日本日本日本日本日本日"));
    end_with(&out,
             "v\n------------------------\n日本日本日本日本日本日…\n"
             "(values that end in … were cut to fit; csv, json and ndjson have them whole)\n");
}

static void what_no_terminal_can_show_side_by_side_becomes_a_line_a_column(void **state)
{
    struct output out;

    (void)state;
    begin(&out, 40, (const char *[]){"name", "first", "n"}, 3);
    ROW(&out, text("01234567890123456789012345"), text("01234567890123456789012345"), integer(1));
    ROW(&out, text("b"), null_value, integer(22));
    end_with(&out, "-- 1 --\n"
                   "name   01234567890123456789012345\n"
                   "first  01234567890123456789012345\n"
                   "n      1\n"
                   "\n"
                   "-- 2 --\n"
                   "name   b\n"
                   "first\n"
                   "n      22\n");
}

static void a_header_too_wide_for_the_terminal_gives_way_where_there_are_no_rows(void **state)
{
    static const char *const names[] = {"generation", "occurrences", "reason"};
    struct output out;

    (void)state;
    begin(&out, 24, names, 3);
    end_with(&out, "(no rows)\n");
}

static void a_table_that_fits_its_terminal_exactly_is_left_as_it_is(void **state)
{
    struct output out;

    (void)state;
    begin(&out, 32, (const char *[]){"a", "b"}, 2);
    ROW(&out, text("012345678901234567890123456789"), integer(1)); /* 30 + 2 + 1 */
    text_table_free(out.table);
    fclose(out.file);
    free(out.data);
    begin(&out, 33, (const char *[]){"a", "b"}, 2);
    ROW(&out, text("012345678901234567890123456789"), integer(1));
    end_with(&out, "a                               b\n------------------------------  -\n"
                   "012345678901234567890123456789  1\n");
}

static void a_later_row_that_is_wider_is_cut_on_a_terminal(void **state)
{
    struct output out;
    char *last;

    (void)state;
    begin(&out, 80, (const char *[]){"v"}, 1);
    for (int i = 0; i < 1000; i++)
        ROW(&out, text("ab"));
    ROW(&out, text("abcd"));
    assert_int_equal(text_table_end(out.table), 0);
    fflush(out.file);
    last = strstr(out.data, "a…\n(values");
    assert_non_null(last);
    text_table_free(out.table);
    fclose(out.file);
    free(out.data);
}

static void output_that_cannot_be_written_is_an_error(void **state)
{
    FILE *full = fopen("/dev/full", "w");
    struct text_table *table;

    (void)state;
    assert_non_null(full);
    setvbuf(full, NULL, _IONBF, 0);
    table = text_table_create(full, 0, (const char *[]){"a"}, 1);
    assert_non_null(table);
    assert_int_equal(text_table_row(table, &null_value), 0);
    assert_int_equal(text_table_end(table), -1);
    text_table_free(table);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_as_wide_as_its_widest_cell_and_numbers_stand_right),
        cmocka_unit_test(a_table_without_rows_still_has_its_header),
        cmocka_unit_test(a_name_stands_right_when_only_numbers_and_nulls_are_below_it),
        cmocka_unit_test(wide_characters_take_their_two_cells),
        cmocka_unit_test(control_characters_and_damage_are_shown_as_escapes),
        cmocka_unit_test(marks_that_nobody_would_see_are_shown_as_escapes),
        cmocka_unit_test(rows_beyond_the_first_thousand_are_written_as_they_come),
        cmocka_unit_test(no_more_than_a_megabyte_is_held_before_something_is_written),
        cmocka_unit_test(
            a_long_value_elsewhere_than_on_a_terminal_is_whole_and_pushes_its_line_out),
        cmocka_unit_test(a_table_too_wide_for_the_terminal_loses_the_ends_of_its_longest_texts),
        cmocka_unit_test(a_wide_character_is_not_cut_in_two),
        cmocka_unit_test(what_no_terminal_can_show_side_by_side_becomes_a_line_a_column),
        cmocka_unit_test(a_header_too_wide_for_the_terminal_gives_way_where_there_are_no_rows),
        cmocka_unit_test(a_table_that_fits_its_terminal_exactly_is_left_as_it_is),
        cmocka_unit_test(a_later_row_that_is_wider_is_cut_on_a_terminal),
        cmocka_unit_test(output_that_cannot_be_written_is_an_error),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
