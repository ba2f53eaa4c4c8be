/* What expressions come to, row by row, and what stops them. */
#include "test.h"

#include "gatherd/computer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct fixture {
    struct computer *computer;
    struct expression_checker *checker;
    struct arena *arena;
    struct text scratch;
    struct error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->computer = computer_create();
    f->checker = expression_checker_create();
    f->arena = arena_create(4096);
    assert_true(f->computer != NULL && f->checker != NULL && f->arena != NULL);
    computer_begin(f->computer);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    computer_free(f->computer);
    expression_checker_free(f->checker);
    arena_free(f->arena);
    text_free(&f->scratch);
    free(f);
    return 0;
}

/* Columns i, r and t have a type, all others none. */
static bool find(void *context, const char *name, enum column_affinity *affinity)
{
    (void)context;
    *affinity = strcmp(name, "i") == 0   ? AFFINITY_INTEGER
                : strcmp(name, "r") == 0 ? AFFINITY_REAL
                : strcmp(name, "t") == 0 ? AFFINITY_TEXT
                                         : AFFINITY_NONE;
    return true;
}

static struct calculations *prepare(struct fixture *f, const char *text, bool is_condition)
{
    const struct column_finder finder = {NULL, find};
    struct expression_mistake mistake;
    struct expression expression;
    struct expression_set set = {&expression, 1, {0}};
    struct calculations *calculations;

    if (expression_check(f->checker, text, is_condition, &finder, f->arena, &expression,
                         &mistake) == -1)
        fail_msg("%s: %s", text, mistake.words);
    f->err = (struct error){0};
    set.hash = expression_set_hash(&set, &f->scratch);
    calculations = computer_prepare(f->computer, &set, &f->err);
    assert_string_equal(f->err.text, "");
    assert_non_null(calculations);
    return calculations;
}

static struct value of_text(const char *text)
{
    return (struct value){.type = VALUE_TEXT, .length = (uint32_t)strlen(text), .text = text};
}

static struct value of_integer(int64_t integer)
{
    return (struct value){.type = VALUE_INTEGER, .integer = integer};
}

static struct value of_real(double real)
{
    return (struct value){.type = VALUE_REAL, .real = real};
}

/* Of an expression that reads one column, which is `cell`. */
static enum computed evaluate(struct fixture *f, struct calculations *calculations,
                              struct value cell, struct value *value)
{
    static const uint32_t place = 0;

    f->err = (struct error){0};
    return computer_evaluate(calculations, 0, &cell, 1, &place, value, &f->err);
}

static struct value value_of(struct fixture *f, const char *text, struct value cell)
{
    struct value value;

    assert_int_equal(evaluate(f, prepare(f, text, false), cell, &value), COMPUTED);
    return value;
}

static void assert_integer(struct value value, int64_t expected)
{
    assert_int_equal(value.type, VALUE_INTEGER);
    assert_int_equal(value.integer, expected);
}

static void assert_text(struct value value, const char *expected)
{
    assert_int_equal(value.type, VALUE_TEXT);
    assert_int_equal(value.length, strlen(expected));
    assert_memory_equal(value.text, expected, value.length);
}

static void assert_reason(struct fixture *f, const char *text, struct value cell,
                          const char *expected)
{
    struct value value;

    assert_int_equal(evaluate(f, prepare(f, text, false), cell, &value), COMPUTED_NOTHING);
    assert_string_equal(f->err.text, expected);
    assert_int_equal(value.type, VALUE_NULL);
}

/* --- Values --- */

static void values_keep_their_types(void **state)
{
    struct fixture *f = *state;
    struct value null = {0};
    struct value value;

    assert_integer(value_of(f, "a", of_integer(INT64_MIN)), INT64_MIN);
    assert_integer(value_of(f, "a + 1", of_integer(41)), 42);
    assert_text(value_of(f, "a", of_text("gr\xc3\xbc\xc3\x9f")), "gr\xc3\xbc\xc3\x9f");
    assert_text(value_of(f, "a", of_text("")), "");
    value = value_of(f, "a", of_real(0.1));
    assert_int_equal(value.type, VALUE_REAL);
    assert_true(value.real == 0.1);
    assert_int_equal(value_of(f, "a", null).type, VALUE_NULL);
    value = value_of(f, "CAST(a AS BLOB)", of_text("xy"));
    assert_int_equal(value.type, VALUE_BLOB);
    assert_int_equal(value.length, 2);
    assert_integer(value_of(f, "typeof(a) = 'blob'",
                            (struct value){.type = VALUE_BLOB, .length = 1, .text = "x"}),
                   1);
}

static void a_nul_inside_of_a_text_stays(void **state)
{
    struct value text = {.type = VALUE_TEXT, .length = 3, .text = "a\0b"};
    struct value value = value_of(*state, "a", text);

    assert_int_equal(value.type, VALUE_TEXT);
    assert_int_equal(value.length, 3);
    assert_memory_equal(value.text, "a\0b", 3);
}

static void a_column_that_is_not_there_is_null(void **state)
{
    struct fixture *f = *state;
    struct calculations *c = prepare(f, "a IS NULL", false);
    const uint32_t places[] = {NO_CELL};
    const uint32_t beyond[] = {1};
    struct value cell = of_integer(1);
    struct value value;

    assert_int_equal(computer_evaluate(c, 0, &cell, 1, places, &value, &f->err), COMPUTED);
    assert_integer(value, 1);
    assert_int_equal(computer_evaluate(c, 0, &cell, 1, beyond, &value, &f->err), COMPUTED);
    assert_integer(value, 1);
}

static void columns_compare_as_in_a_table_of_their_types(void **state)
{
    struct fixture *f = *state;

    assert_integer(value_of(f, "r >= '6'", of_real(7)), 1);
    assert_integer(value_of(f, "i = '6'", of_integer(6)), 1);
    assert_integer(value_of(f, "t = 6", of_text("6")), 1);
    assert_integer(value_of(f, "a = '6'", of_integer(6)), 0); /* of no type: a number is no text */
    assert_integer(value_of(f, "a = 6", of_text("6")), 0);
}

static void division_by_zero_is_null(void **state)
{
    assert_int_equal(value_of(*state, "1 / a", of_integer(0)).type, VALUE_NULL);
}

static void a_condition_is_true_or_not(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        int64_t is;
    } conditions[] = {
        {"a > 1", 1}, {"a > 5", 0}, {"NULL", 0},     {"a", 1},
        {"'yes'", 0}, {"0.5", 1},   {"a > NULL", 0},
    };

    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        struct calculations *c = prepare(f, conditions[i].text, true);
        struct value value;

        assert_int_equal(evaluate(f, c, of_integer(5), &value), COMPUTED);
        assert_integer(value, conditions[i].is);
    }
}

static void lists_can_be_summed_up(void **state)
{
    assert_integer(value_of(*state, "(SELECT sum(value) FROM json_each(a))", of_text("[1,2,39]")),
                   42);
}

static void each_row_is_calculated_for_itself(void **state)
{
    struct fixture *f = *state;
    struct calculations *c = prepare(f, "a || '-' || length(a)", false);
    struct value value;
    char text[12];

    for (int i = 0; i < 3000; i++) {
        char expected[48];

        snprintf(text, sizeof(text), "%d", i);
        snprintf(expected, sizeof(expected), "%s-%zu", text, strlen(text));
        assert_int_equal(evaluate(f, c, of_text(text), &value), COMPUTED);
        assert_text(value, expected);
    }
}

/* --- What goes wrong --- */

static void an_error_is_the_reason_and_the_next_row_is_well(void **state)
{
    struct fixture *f = *state;
    struct calculations *c = prepare(f, "json_extract(a, '$.x')", false);
    struct value value;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(evaluate(f, c, of_text("{\"x\":1}"), &value), COMPUTED);
        assert_integer(value, 1);
        assert_int_equal(evaluate(f, c, of_text("{\"x\""), &value), COMPUTED_NOTHING);
        assert_string_equal(f->err.text, "malformed JSON");
    }
    assert_reason(f, "abs(a)", of_integer(INT64_MIN), "integer overflow");
}

static void a_record_that_brings_the_word_now_has_no_time(void **state)
{
    struct fixture *f = *state;
    struct calculations *c = prepare(f, "datetime(a)", false);
    struct value value;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(evaluate(f, c, of_text("now"), &value), COMPUTED_NOTHING);
        assert_string_equal(f->err.text,
                            "the present time is no part of a record, and the same record is to "
                            "give the same row at any time; use _fetched_at in queries and views");
        assert_int_equal(evaluate(f, c, of_text("2024-02-29"), &value), COMPUTED);
        assert_text(value, "2024-02-29 00:00:00");
    }
}

static void a_row_with_too_many_instructions_is_stopped(void **state)
{
    struct fixture *f = *state;
    struct calculations *c =
        prepare(f, "(SELECT sum(x.value + y.value) FROM json_each(a) x, json_each(a) y)", false);
    struct text list = {0};
    struct value value;

    text_add(&list, "[1");
    for (int i = 0; i < 2000; i++)
        text_add(&list, ",1");
    text_char(&list, ']');
    for (int i = 0; i < 2; i++) {
        assert_int_equal(evaluate(f, c, of_text(text_string(&list)), &value), COMPUTED_NOTHING);
        assert_string_equal(
            f->err.text,
            "the expression takes more than 1000000 instructions for this row; make it simpler");
        assert_int_equal(evaluate(f, c, of_text("[1,2]"), &value), COMPUTED);
        assert_integer(value, 12);
    }
    text_free(&list);
}

static void many_cheap_rows_are_not_stopped(void **state)
{
    struct fixture *f = *state;
    struct calculations *c = prepare(f, "a + 1", false);
    struct value value;

    for (int i = 0; i < 300000; i++) {
        if (evaluate(f, c, of_integer(i), &value) != COMPUTED || value.integer != i + 1)
            fail_msg("row %d", i);
    }
}

static void a_value_that_is_too_long_is_the_reason(void **state)
{
    struct fixture *f = *state;
    size_t length = COMPUTER_MAX_VALUE_BYTES + 1;
    char *text = malloc(length + 1);
    struct value value;

    assert_non_null(text);
    memset(text, 'x', length);
    text[length] = '\0';
    assert_int_equal(evaluate(f, prepare(f, "length(a)", false), of_text(text), &value),
                     COMPUTED_NOTHING);
    assert_string_equal(f->err.text,
                        "a value is longer than 4 MiB, the most that an expression works with");
    text[3000000] = '\0';
    assert_reason(f, "a || a", of_text(text),
                  "a value is longer than 4 MiB, the most that an expression works with");
    assert_reason(f, "replace(a, substr(a, 1, 100000), a)", of_text(text),
                  "a value is longer than 4 MiB, the most that an expression works with");
    assert_integer(value_of(f, "length(a)", of_text(text)), 3000000);
    free(text);
}

static void long_patterns_are_refused(void **state)
{
    char pattern[301];

    memset(pattern, '%', 300);
    pattern[300] = '\0';
    assert_reason(*state, "'x' LIKE a", of_text(pattern), "LIKE or GLOB pattern too complex");
}

static void texts_that_a_server_chose_take_no_more_than_their_length(void **state)
{
    struct fixture *f = *state;
    struct calculations *c = prepare(
        f,
        "instr(a, substr(a, 1, 1000000) || 'b') + length(replace(a, substr(a, 1, 1000000) || "
        "'b', ''))",
        false);
    size_t length = 2000000;
    char *text = malloc(length + 1);
    struct value value;
    time_t start = time(NULL);

    assert_non_null(text);
    memset(text, 'a', length);
    text[length] = '\0';
    for (int i = 0; i < 4; i++) {
        assert_int_equal(evaluate(f, c, of_text(text), &value), COMPUTED);
        assert_integer(value, 2000000);
    }
    assert_true(time(NULL) - start < 60);
    free(text);
}

/* --- What is kept --- */

static void the_same_expression_is_compiled_once(void **state)
{
    struct fixture *f = *state;
    struct calculations *one = prepare(f, "a + 1", false);
    struct calculations *other = prepare(f, "a + 2", false);

    computer_begin(f->computer);
    assert_ptr_equal(prepare(f, "a + 1", false), one);
    assert_ptr_equal(prepare(f, "a + 2", false), other);
    assert_ptr_not_equal(one, other);
}

static void any_number_of_expressions_can_be_used_in_turn(void **state)
{
    struct fixture *f = *state;

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 1500; i++) {
            char text[32];

            computer_begin(f->computer);
            snprintf(text, sizeof(text), "a + %d", i);
            assert_integer(value_of(f, text, of_integer(1)), i + 1);
        }
    }
}

static void what_a_response_uses_stays_until_it_ends(void **state)
{
    struct fixture *f = *state;
    struct calculations *first = prepare(f, "a + 1", false);
    struct value value;

    for (int i = 2; i < 1500; i++) {
        char text[32];

        snprintf(text, sizeof(text), "a + %d", i);
        prepare(f, text, false);
    }
    assert_int_equal(evaluate(f, first, of_integer(1), &value), COMPUTED);
    assert_integer(value, 2);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(values_keep_their_types),
        T(a_nul_inside_of_a_text_stays),
        T(a_column_that_is_not_there_is_null),
        T(columns_compare_as_in_a_table_of_their_types),
        T(division_by_zero_is_null),
        T(a_condition_is_true_or_not),
        T(lists_can_be_summed_up),
        T(each_row_is_calculated_for_itself),
        T(an_error_is_the_reason_and_the_next_row_is_well),
        T(a_record_that_brings_the_word_now_has_no_time),
        T(a_row_with_too_many_instructions_is_stopped),
        T(many_cheap_rows_are_not_stopped),
        T(a_value_that_is_too_long_is_the_reason),
        T(long_patterns_are_refused),
        T(texts_that_a_server_chose_take_no_more_than_their_length),
        T(the_same_expression_is_compiled_once),
        T(any_number_of_expressions_can_be_used_in_turn),
        T(what_a_response_uses_stays_until_it_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
