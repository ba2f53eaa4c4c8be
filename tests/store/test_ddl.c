/* The text of a CREATE TABLE, changed in place. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/ddl.h"

/* Table t of the columns named, all INTEGER; the column `changed` is widened. */
static struct table *make_table(const char *names, const char *changed)
{
    struct table *table = table_create("t");
    char *copy = strdup(names);
    char *rest = copy;

    for (char *name; (name = strsep(&rest, ",")) != NULL;) {
        struct table_column *column = table_add_column(table, name, NULL);

        column->kind = COLUMN_INTEGER;
        column->is_integer = true;
    }
    free(copy);
    if (changed != NULL) {
        struct table_column *column = table_find_name(table, changed);

        column->change = CHANGE_WIDEN;
        column->kind = COLUMN_ANY;
    }
    return table;
}

static void add_new(struct table *table, const char *name)
{
    struct table_column *column = table_add_column(table, name, NULL);

    column->kind = COLUMN_TEXT;
    column->change = CHANGE_ADD;
}

static void expect_rewritten(const char *sql, struct table *table, bool rekey, const char *expected)
{
    struct text out = {0};
    struct error err = {0};

    assert_int_equal(ddl_rewrite(sql, table, rekey, NULL, &out, &err), 0);
    assert_string_equal(text_string(&out), expected);
    text_free(&out);
    table_free(table);
}

static void one_type_is_replaced_and_every_other_byte_is_kept(void **state)
{
    (void)state;
    expect_rewritten("CREATE TABLE \"t\" (\n  \"a\" INTEGER, -- one, (of\n  [b] INTEGER /* , */ "
                     "DEFAULT (1 + (2)) ,\n 'c' INTEGER) STRICT",
                     make_table("a,b,c", "b"), false,
                     "CREATE TABLE \"t\" (\n  \"a\" INTEGER, -- one, (of\n  [b] ANY /* , */ "
                     "DEFAULT (1 + (2)) ,\n 'c' INTEGER) STRICT");
}

static void quotes_inside_quotes_do_not_end_a_name(void **state)
{
    (void)state;
    expect_rewritten("CREATE TABLE `a``,(` (\"x\"\",(\" INTEGER, y INTEGER CHECK (y <> 'it''s )'))",
                     make_table("x,y", "y"), false,
                     "CREATE TABLE `a``,(` (\"x\"\",(\" INTEGER, y ANY CHECK (y <> 'it''s )'))");
}

static void columns_are_added_behind_the_last_one_and_before_constraints(void **state)
{
    struct table *table = make_table("a,b", NULL);

    (void)state;
    add_new(table, "n\"ew");
    add_new(table, "more");
    expect_rewritten(
        "CREATE TABLE t(a INTEGER, b INTEGER -- last\n, UNIQUE (a, b) CHECK (a > 0), "
        "PRIMARY KEY (\"a\")) STRICT",
        table, false,
        "CREATE TABLE t(a INTEGER, b INTEGER,\n  \"n\"\"ew\" TEXT,\n  \"more\" TEXT -- "
        "last\n, UNIQUE (a, b) CHECK (a > 0), PRIMARY KEY (\"a\")) STRICT");
}

static void a_key_is_replaced_and_its_integers_become_int(void **state)
{
    struct table *table = make_table("a,b", NULL);

    (void)state;
    table->columns[1].key = 1;
    expect_rewritten("CREATE TABLE t(a INT, b INTEGER, PRIMARY KEY (\"a\")\n) STRICT", table, true,
                     "CREATE TABLE t(a INT, b INT,\n  PRIMARY KEY (\"b\")\n) STRICT");
}

static void a_key_is_taken_away(void **state)
{
    (void)state;
    expect_rewritten("CREATE TABLE t(a INT, PRIMARY KEY (a), CHECK (a > 1)) STRICT",
                     make_table("a", NULL), true, "CREATE TABLE t(a INT, CHECK (a > 1)) STRICT");
}

static void what_cannot_be_read_is_refused(void **state)
{
    static const char *const statements[] = {
        "",
        "CREATE VIEW t AS SELECT 1",
        "CREATE VIRTUAL TABLE t USING fts5(a)",
        "CREATE TABLE t",
        "CREATE TABLE t(",
        "CREATE TABLE t(a INTEGER",
        "CREATE TABLE t(a INTEGER CHECK (a > 0)",
        "CREATE TABLE t(a INTEGER /* never closed",
        "CREATE TABLE t(a INTEGER DEFAULT 'never closed)",
        "CREATE TABLE t(a)",
        "CREATE TABLE t(a INTEGER,)",
        "CREATE TABLE t(a INTEGER, b INTEGER)", /* a column more than is known */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        struct table *table = make_table("a", "a");
        struct text out = {0};
        struct error err = {0};

        assert_int_equal(ddl_rewrite(statements[i], table, false, NULL, &out, &err), -1);
        assert_int_equal(err.code, ERROR_FAILED);
        assert_string_equal(err.text, "table \"t\" was made by hand in a way that gatherd cannot "
                                      "change; rename it, or choose another table");
        text_free(&out);
        table_free(table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_type_is_replaced_and_every_other_byte_is_kept),
        cmocka_unit_test(quotes_inside_quotes_do_not_end_a_name),
        cmocka_unit_test(columns_are_added_behind_the_last_one_and_before_constraints),
        cmocka_unit_test(a_key_is_replaced_and_its_integers_become_int),
        cmocka_unit_test(a_key_is_taken_away),
        cmocka_unit_test(what_cannot_be_read_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
