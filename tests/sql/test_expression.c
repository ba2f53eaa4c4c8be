/* What an expression may be: each thing that is refused, with its words and its place. */
#include "test.h"

#include "gatherd/expression.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
    struct expression_checker *checker;
    struct arena *arena;
    struct expression expression;
    struct expression_mistake mistake;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->checker = expression_checker_create();
    f->arena = arena_create(4096);
    assert_non_null(f->checker);
    assert_non_null(f->arena);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    expression_checker_free(f->checker);
    arena_free(f->arena);
    free(f);
    return 0;
}

/* The table of these tests: a REAL, b TEXT, c and "odd name" of any type. */
static bool find(void *context, const char *name, enum column_affinity *affinity)
{
    (void)context;
    *affinity = strcasecmp(name, "a") == 0   ? AFFINITY_REAL
                : strcasecmp(name, "b") == 0 ? AFFINITY_TEXT
                                             : AFFINITY_NONE;
    return strchr("abcABC", *name) != NULL && (name[1] == '\0' || strcmp(name, "c\" d") == 0);
}

static int check(struct fixture *f, const char *text)
{
    const struct column_finder finder = {NULL, find};

    return expression_check(f->checker, text, false, &finder, f->arena, &f->expression,
                            &f->mistake);
}

static void accept(struct fixture *f, const char *text)
{
    int rc = check(f, text);

    if (rc != 0)
        fail_msg("%s: %s", text, f->mistake.words);
    assert_string_equal(f->mistake.warning, "");
}

/* `offset` -1: the place is not known. */
static void refuse(struct fixture *f, const char *text, const char *words, int offset)
{
    int rc = check(f, text);

    if (rc != -1)
        fail_msg("%s: not refused", text);
    assert_string_equal(f->mistake.words, words);
    assert_int_equal(f->mistake.has_offset ? (int)f->mistake.offset : -1, offset);
}

static void refuse_with(struct fixture *f, const char *text, const char *part)
{
    int rc = check(f, text);

    if (rc != -1)
        fail_msg("%s: not refused", text);
    if (strstr(f->mistake.words, part) == NULL)
        fail_msg("%s: %s", text, f->mistake.words);
}

/* --- What it may be. --- */

static void columns_are_those_that_are_read(void **state)
{
    struct fixture *f = *state;

    accept(f, "CASE WHEN a >= 6 THEN b ELSE a END");
    assert_int_equal(f->expression.column_count, 2);
    assert_string_equal(f->expression.columns[0].name, "a");
    assert_int_equal(f->expression.columns[0].affinity, AFFINITY_REAL);
    assert_string_equal(f->expression.columns[1].name, "b");
    assert_int_equal(f->expression.columns[1].affinity, AFFINITY_TEXT);
    accept(f, "1");
    assert_int_equal(f->expression.column_count, 0);
}

static void names_ignore_case_and_may_stand_in_quotes(void **state)
{
    struct fixture *f = *state;

    accept(f, "a + A");
    assert_int_equal(f->expression.column_count, 1);
    accept(f, "\"a\" + [b] + `c`");
    assert_int_equal(f->expression.column_count, 3);
    accept(f, "\"c\"\" d\" IS NULL");
    assert_string_equal(f->expression.columns[0].name, "c\" d");
}

static void a_comment_and_a_line_break_are_no_harm(void **state)
{
    accept(*state, "a -- the magnitude\n + 1 /* ) */ -- end");
}

static void brackets_and_quotes_in_texts_are_texts(void **state)
{
    accept(*state, "b = ')' OR b = 'it''s (' OR b = ';'");
}

static void functions_of_the_row_are_there(void **state)
{
    struct fixture *f = *state;

    accept(f, "round(abs(a), 2) || upper(b) || coalesce(b, 'none') || substr(b, 1, 2)");
    accept(f, "json_extract(c, '$.x') + (c ->> 'y')");
    accept(f, "max(a, 1) + min(a, 2)");
    accept(f, "strftime('%Y', b) = '2024' AND date(b) > '2024-01-01'");
    accept(f, "b LIKE 'a%' ESCAPE '!' OR b GLOB '*x'");
}

static void a_select_over_its_own_values_is_possible(void **state)
{
    struct fixture *f = *state;

    accept(f, "(SELECT max(a, 2))");
    accept(f, "(SELECT sum(value) FROM json_each(c))");
    accept(f, "(SELECT group_concat(x.value) FROM json_tree(c) AS x WHERE x.type = 'text')");
    accept(f, "a IN (SELECT value FROM json_each(c))");
    accept(f, "(WITH t(x) AS (VALUES (a), (2)) SELECT sum(x) FROM t)");
    accept(f, "SELECT a");
}

/* --- What it may not be. --- */

static void an_unknown_column_is_named_with_its_place(void **state)
{
    struct fixture *f = *state;

    refuse(f, "a + magnitud", "there is no column magnitud", 4);
    assert_int_equal(f->mistake.kind, MISTAKE_COLUMN);
    assert_string_equal(f->mistake.name, "magnitud");
    refuse(f, "\"high\" = b", "there is no column high", 0);
    refuse(f, "rowid", "there is no column rowid", 0);
    refuse(f, "oid + _rowid_", "there is no column oid", 0);
}

static void a_column_stands_without_a_table(void **state)
{
    struct fixture *f = *state;

    refuse(f, "quakes.a", "there is no column quakes.a", 0);
}

static void a_slip_of_syntax_is_told_with_its_place(void **state)
{
    struct fixture *f = *state;

    refuse(f, "a >= >= 6", "near \">=\": syntax error", 5);
    refuse(f, "a >=", "it ends too early; something is missing at the end", 4);
    refuse(f, "CASE WHEN a THEN 1", "it ends too early; something is missing at the end", 18);
    refuse(f, "a b", "near \"b\": syntax error", 2);
    refuse(f, "a = 'x", "this text has no end; close it with '", 4);
    refuse(f, "a = \"x", "this name has no end; close its quotes", 4);
    refuse(f, "a /* x", "this comment has no end; close it with */", 2);
    refuse(f, "", "there is no expression in it; write one, or remove the key", 0);
    refuse(f, " \n ", "there is no expression in it; write one, or remove the key", 0);
    refuse(f, "-- nothing", "it ends too early; something is missing at the end", 10);
}

static void brackets_cannot_be_closed_that_are_not_its_own(void **state)
{
    struct fixture *f = *state;

    refuse(f, "1) FROM sqlite_schema --", "this ) closes nothing; remove it", 1);
    refuse(f, "1) UNION SELECT (2", "this ) closes nothing; remove it", 1);
    refuse(f, "abs((a + 1)", "a ( behind this is not closed; add the )", 0);
    refuse(f, "1; DROP TABLE x", "an expression is no statement; remove the semicolon", 1);
}

static void two_values_are_not_one(void **state)
{
    struct fixture *f = *state;

    refuse(f, "a, b", "row value misused", -1);
    refuse_with(f, "(SELECT a, b)", "returns 2 columns");
}

static void parameters_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char words[] = "there are no parameters here; write a column's name or a value";

    refuse(f, "a = ?1", words, 4);
    refuse(f, "a = :x", words, 4);
    refuse(f, "a = @x", words, 4);
    refuse(f, "a = $x", words, 4);
    refuse(f, "a = #1", words, 4);
}

static void deep_brackets_are_refused(void **state)
{
    char text[300];

    memset(text, '(', 120);
    text[120] = '1';
    memset(text + 121, ')', 120);
    text[241] = '\0';
    refuse(*state, text, "more than 100 brackets in each other; make it simpler", 100);
}

static void aggregates_and_windows_are_refused(void **state)
{
    struct fixture *f = *state;

    refuse(f, "max(a)",
           "max() needs several rows, and an expression is about one; use it in a query or a view",
           0);
    refuse_with(f, "a > avg(a)", "avg() needs several rows");
    refuse_with(f, "count(*)", "count() needs several rows");
    refuse_with(f, "(SELECT sum(a))", "sum() needs several rows");
    refuse_with(f, "sum(a) OVER ()", "sum() needs several rows");
    refuse_with(f, "row_number() OVER ()", "no function row_number()");
    refuse_with(f, "group_concat(b)", "group_concat() needs several rows");
    refuse_with(f, "json_group_array(b)", "json_group_array() needs several rows");
}

static void no_table_can_be_reached(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {
        "(SELECT count(*) FROM quakes)",
        "(SELECT name FROM sqlite_master)",
        "(SELECT sql FROM sqlite_schema LIMIT 1)",
        "(SELECT count(*) FROM sqlite_schema)",
        "(SELECT count(*) FROM sqlite_temp_schema)",
        "(SELECT a FROM main.sqlite_master)",
        "EXISTS (SELECT 1 FROM x)",
        "a IN quakes",
        "a IN sqlite_master",
        "(SELECT 1 FROM json_each(c), sqlite_master)",
        "(SELECT 1 FROM gatherd_0)",
        "(SELECT 1 FROM gatherd_0_0)",
        "(SELECT 1 FROM gatherd_1_0)",
        "(SELECT 1 FROM fts5vocab)",
        "(SELECT 1 FROM json_each_x)",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        refuse_with(f, texts[i], "there is no table \"");
    refuse(f, "(SELECT name FROM sqlite_master)",
           "there is no table \"sqlite_master\" here; an expression sees the columns of its own "
           "row, json_each() and json_tree()",
           -1);
}

static void tables_that_modules_bring_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {
        "(SELECT name FROM pragma_database_list)",
        "(SELECT count(*) FROM pragma_table_info('x'))",
        "(SELECT count(*) FROM pragma_function_list)",
        "(SELECT pageno FROM dbstat)",
        "(SELECT sql FROM sqlite_stmt)",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        refuse(f, texts[i], "an expression only calculates with the columns of its row", -1);
}

static void its_own_row_is_no_table_either(void **state)
{
    struct fixture *f = *state;

    /* Whatever the row's table is called: a name that stands in the text is not it. */
    for (int i = 0; i < 20; i++) {
        char text[80];

        snprintf(text, sizeof(text), "(SELECT count(*) FROM GATHERD_%d_0) + a", i);
        refuse_with(f, text, "there is no table \"");
    }
}

static void recursion_is_refused(void **state)
{
    refuse(*state,
           "(WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t) "
           "SELECT max(x) FROM t)",
           "WITH RECURSIVE has no place in an expression; calculate without it", -1);
    refuse_with(*state,
                "(WITH t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t) SELECT max(x) FROM t)",
                "WITH RECURSIVE has no place");
}

static void other_statements_are_refused(void **state)
{
    struct fixture *f = *state;

    refuse_with(f, "ATTACH 'x' AS y", "syntax error");
    refuse_with(f, "PRAGMA user_version", "syntax error");
    refuse_with(f, "(DELETE FROM x)", "syntax error");
    refuse_with(f, "(INSERT INTO x VALUES (1))", "syntax error");
    refuse_with(f, "RAISE(ABORT, 'x')", "RAISE() may only be used within a trigger");
}

static void functions_that_reach_outside_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {
        "load_extension('x')",
        "readfile('/etc/passwd')",
        "writefile('x', 'y')",
        "edit('x')",
        "fts3_tokenizer('simple')",
        "sqlite_version()",
        "sqlite_source_id()",
        "last_insert_rowid()",
        "changes()",
        "total_changes()",
        "sqlite_compileoption_used('x')",
        "sqlite_log(1, 'x')",
        "zeroblob(1000000000)",
        "json_patch(c, c)",
        "match('x', b)",
        "rtreecheck('x')",
        "subtype(c)",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        refuse_with(f, texts[i], "there is no function ");
        assert_int_equal(f->mistake.kind, MISTAKE_FUNCTION);
    }
    refuse(f, "a + rund(a)", "there is no function rund() here", 4);
    assert_string_equal(f->mistake.name, "rund");
    refuse_with(f, "b MATCH 'x'", "no function match()");
    refuse_with(f, "b REGEXP 'x'", "no function REGEXP()");
}

static void chance_is_refused(void **state)
{
    refuse_with(*state, "random()", "give another value each time");
    refuse_with(*state, "hex(randomblob(4))", "give another value each time");
}

static void the_present_time_is_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        int offset;
    } texts[] = {
        {"b > datetime('now')", 13},
        {"b > datetime('now', '-1 day')", 13},
        {"b IS NULL OR date( 'NOW' ) > b", 19},
        {"date()", 0},
        {"time ( )", 0},
        {"a - julianday()", 4},
        {"strftime('%s') - a", 0},
        {"CASE WHEN a THEN unixepoch() END", 17},
        {"date(coalesce(b, 'now'))", 17},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        refuse_with(f, texts[i].text, "the present time is no part of a record");
        assert_int_equal((int)f->mistake.offset, texts[i].offset);
    }
    refuse_with(f, "current_timestamp", "the present time is no part of a record");
    refuse_with(f, "CURRENT_DATE = b", "the present time is no part of a record");
    refuse_with(f, "b < current_time", "the present time is no part of a record");
    refuse_with(f, "datetime('no' || 'w')", "the present time is no part of a record");
    accept(f, "b = 'now'");
    accept(f, "strftime('%Y', b)");
}

static void what_has_no_end_is_found_before_it_begins(void **state)
{
    refuse_with(*state,
                "(WITH t(x) AS (VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10)) SELECT "
                "sum(a.x+b.x+c.x+d.x+e.x+f.x+g.x+h.x) "
                "FROM t a, t b, t c, t d, t e, t f, t g, t h)",
                "takes more than 1000000 instructions");
}

static void what_fails_for_nulls_is_a_warning(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(check(f, "json_object(b, 1)"), 0);
    assert_string_equal(f->mistake.warning, "json_object() labels must be TEXT");
    assert_int_equal(check(f, "json('{')"), 0);
    assert_string_equal(f->mistake.warning, "malformed JSON");
}

static void many_columns_are_found_one_by_one(void **state)
{
    struct fixture *f = *state;
    struct text text = {0};

    text_add(&text, "coalesce(a");
    for (int i = 0; i < 100; i++)
        text_add(&text, ", a, b, c");
    text_char(&text, ')');
    accept(f, "max(a, b, c)");
    assert_int_equal(check(f, text_string(&text)), -1); /* SQLite takes 127 arguments */
    assert_non_null(strstr(f->mistake.words, "too many arguments"));
    text_free(&text);
}

static void equal_expressions_have_equal_hashes(void **state)
{
    struct fixture *f = *state;
    struct text scratch = {0};
    struct expression one;
    struct expression_set set = {&one, 1, {0}};
    struct hash128 first;
    struct hash128 again;
    struct hash128 other;

    accept(f, "a + b");
    one = f->expression;
    first = expression_set_hash(&set, &scratch);
    accept(f, "a + b");
    one = f->expression;
    again = expression_set_hash(&set, &scratch);
    one.is_condition = true;
    other = expression_set_hash(&set, &scratch);
    assert_true(first.low == again.low && first.high == again.high);
    assert_false(first.low == other.low && first.high == other.high);
    text_free(&scratch);
}

static void the_list_of_functions_is_sorted(void **state)
{
    size_t count;
    const char *const *names = expression_functions(&count);

    (void)state;
    for (size_t i = 1; i < count; i++)
        assert_true(strcmp(names[i - 1], names[i]) < 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(columns_are_those_that_are_read),
        T(names_ignore_case_and_may_stand_in_quotes),
        T(a_comment_and_a_line_break_are_no_harm),
        T(brackets_and_quotes_in_texts_are_texts),
        T(functions_of_the_row_are_there),
        T(a_select_over_its_own_values_is_possible),
        T(an_unknown_column_is_named_with_its_place),
        T(a_column_stands_without_a_table),
        T(a_slip_of_syntax_is_told_with_its_place),
        T(brackets_cannot_be_closed_that_are_not_its_own),
        T(two_values_are_not_one),
        T(parameters_are_refused),
        T(deep_brackets_are_refused),
        T(aggregates_and_windows_are_refused),
        T(no_table_can_be_reached),
        T(tables_that_modules_bring_are_refused),
        T(its_own_row_is_no_table_either),
        T(recursion_is_refused),
        T(other_statements_are_refused),
        T(functions_that_reach_outside_are_refused),
        T(chance_is_refused),
        T(the_present_time_is_refused),
        T(what_has_no_end_is_found_before_it_begins),
        T(what_fails_for_nulls_is_a_warning),
        T(many_columns_are_found_one_by_one),
        T(equal_expressions_have_equal_hashes),
        T(the_list_of_functions_is_sorted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
