/* What stops an expression when a response has used up its time. */
#include "test.h"

#include "sql/statement.h"

#include <stdlib.h>
#include <string.h>

struct fixture {
    struct sandbox sandbox;
    struct row_table table;
    struct value value;
    struct error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    assert_int_equal(sandbox_open(&f->sandbox, &f->err), 0);
    row_table_name(&f->table, "", 0);
    assert_int_equal(row_table_declare(&f->table, f->sandbox.db, NULL, 0), SQLITE_OK);
    sandbox_begin_response(&f->sandbox);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    row_table_remove(&f->table, f->sandbox.db);
    sandbox_close(&f->sandbox);
    free(f);
    return 0;
}

static sqlite3_stmt *prepare(struct fixture *f, const char *text)
{
    const struct expression expression = {.text = text};
    sqlite3_stmt *stmt = NULL;

    assert_int_equal(statement_prepare(&f->sandbox, &f->table, &expression, &stmt), SQLITE_OK);
    return stmt;
}

#define TIME_IS_OVER                                                                       \
    "the expressions of the source take more than 10 seconds for one response; make them " \
    "simpler, "                                                                            \
    "or ask for smaller responses"

static void many_rows_are_stopped_when_the_time_is_over(void **state)
{
    struct fixture *f = *state;
    sqlite3_stmt *stmt = prepare(f, "1");
    int rows = 0;

    f->sandbox.cpu_end_ms = -1;
    while (statement_evaluate(&f->sandbox, stmt, &f->value, &f->err) == COMPUTED && rows < 1000)
        rows++;
    assert_true(rows > 0 && rows < 100);
    assert_string_equal(f->err.text, TIME_IS_OVER);
    assert_int_equal(statement_evaluate(&f->sandbox, stmt, &f->value, &f->err), COMPUTED_STOPPED);
    sandbox_begin_response(&f->sandbox);
    assert_int_equal(statement_evaluate(&f->sandbox, stmt, &f->value, &f->err), COMPUTED);
    sqlite3_finalize(stmt);
}

static void one_row_is_stopped_when_the_time_is_over(void **state)
{
    struct fixture *f = *state;
    sqlite3_stmt *stmt =
        prepare(f, "(WITH t(x) AS (VALUES (1),(2),(3),(4),(5),(6),(7),(8)) SELECT "
                   "sum(a.x+b.x+c.x+d.x+e.x+g.x+h.x) FROM t a, t b, t c, t d, t e, t g, t h)");

    f->sandbox.cpu_end_ms = -1;
    assert_int_equal(statement_evaluate(&f->sandbox, stmt, &f->value, &f->err), COMPUTED_STOPPED);
    assert_string_equal(f->err.text, TIME_IS_OVER);
    assert_false(f->sandbox.over_budget);
    sqlite3_finalize(stmt);
}

static void a_sandbox_has_no_time_of_day(void **state)
{
    struct fixture *f = *state;
    sqlite3_stmt *stmt = prepare(f, "datetime('now')"); /* what a check would have refused */

    assert_int_equal(statement_evaluate(&f->sandbox, stmt, &f->value, &f->err), COMPUTED_NOTHING);
    assert_true(f->sandbox.asked_time);
    sqlite3_finalize(stmt);
}

static void sandboxes_do_not_know_each_other(void **state)
{
    struct fixture *f = *state;
    struct sandbox other = {0};

    assert_int_equal(sandbox_open(&other, &f->err), 0);
    assert_string_not_equal(other.vfs_name, f->sandbox.vfs_name);
    assert_non_null(sqlite3_vfs_find(other.vfs_name));
    sandbox_close(&other);
    assert_null(sqlite3_vfs_find(other.vfs_name));
    assert_non_null(sqlite3_vfs_find(f->sandbox.vfs_name));
    assert_ptr_not_equal(sqlite3_vfs_find(NULL), &f->sandbox.vfs);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(many_rows_are_stopped_when_the_time_is_over),
        T(one_row_is_stopped_when_the_time_is_over),
        T(a_sandbox_has_no_time_of_day),
        T(sandboxes_do_not_know_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
