/* Reading for people. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gatherd/text.h"
#include "store_rig.h"

struct seen {
    struct text text;
    size_t stop_after; /* rows; 0: all */
    size_t rows;
};

static int add_names(void *context, const char *const *names, size_t count)
{
    struct seen *seen = context;

    text_char(&seen->text, '[');
    for (size_t i = 0; i < count; i++)
        text_format(&seen->text, "%s%s", i == 0 ? "" : ",", names[i]);
    text_char(&seen->text, ']');
    return 0;
}

static int add_row(void *context, const struct value *values, size_t count)
{
    struct seen *seen = context;

    for (size_t i = 0; i < count; i++) {
        text_char(&seen->text, i == 0 ? ' ' : ',');
        if (values[i].type == VALUE_INTEGER)
            text_format(&seen->text, "%lld", (long long)values[i].integer);
        else if (values[i].type == VALUE_REAL)
            text_format(&seen->text, "%g", values[i].real);
        else if (values[i].type == VALUE_NULL)
            text_add(&seen->text, "null");
        else
            text_format(&seen->text, "%c%u:%.*s", values[i].type == VALUE_TEXT ? 't' : 'b',
                        values[i].length, (int)values[i].length, values[i].text);
    }
    seen->rows++;
    return seen->rows == seen->stop_after;
}

static struct store_reader *open_reader(const struct rig *rig)
{
    struct error err = {0};
    struct store_reader *reader = store_reader_open(rig->path, &err);

    assert_string_equal(err.text, "");
    return reader;
}

static void expect_rows(const struct rig *rig, const char *sql, const char *expected)
{
    struct seen seen = {0};
    const struct store_query_hooks hooks = {&seen, add_names, add_row};
    struct store_reader *reader = open_reader(rig);
    struct error err = {0};

    assert_int_equal(store_query(reader, sql, &hooks, &err), 0);
    assert_string_equal(err.text, "");
    assert_string_equal(text_string(&seen.text), expected);
    text_free(&seen.text);
    store_reader_close(reader);
}

static void expect_error(const struct rig *rig, const char *sql, const char *expected)
{
    struct seen seen = {0};
    const struct store_query_hooks hooks = {&seen, add_names, add_row};
    struct store_reader *reader = open_reader(rig);
    struct error err = {0};

    assert_int_equal(store_query(reader, sql, &hooks, &err), -1);
    assert_string_equal(err.text, expected);
    assert_int_equal(err.code, ERROR_FAILED);
    text_free(&seen.text);
    store_reader_close(reader);
}

static void values_of_every_type_come_out(void **state)
{
    expect_rows(*state, "SELECT 1 AS i, 0.5 AS r, 'a' || char(233) AS t, x'6162' AS b, NULL AS n",
                "[i,r,t,b,n] 1,0.5,t3:aé,b2:ab,null");
}

static void names_come_before_the_first_row_even_when_there_is_none(void **state)
{
    expect_rows(*state, "SELECT id, name FROM _gatherd_sources", "[id,name]");
}

static void several_statements_run_each_in_turn(void **state)
{
    expect_rows(*state, "SELECT 1 AS a; -- a comment\n SELECT 2 AS b;;  ", "[a] 1[b] 2");
}

static void a_query_of_nothing_gives_nothing(void **state)
{
    expect_rows(*state, " -- nothing", "");
}

static void a_hook_ends_the_query(void **state)
{
    struct seen seen = {.stop_after = 2};
    const struct store_query_hooks hooks = {&seen, add_names, add_row};
    struct store_reader *reader = open_reader(*state);

    assert_int_equal(
        store_query(reader, "VALUES (1), (2), (3); SELECT 'not reached'", &hooks, NULL), 0);
    assert_string_equal(text_string(&seen.text), "[column1] 1 2");
    text_free(&seen.text);
    store_reader_close(reader);
}

static void a_mistake_in_the_query_is_reported(void **state)
{
    expect_error(*state, "SELECT absent FROM _gatherd_runs", "query: no such column: absent");
    expect_error(*state, "SELEC 1", "query: near \"SELEC\": syntax error");
    expect_error(*state, "SELECT json('x')", "query: malformed JSON");
}

static const char only_reading[] =
    "query: only statements that read are possible here; open the database with sqlite3 to change "
    "it";

static void statements_that_write_are_refused(void **state)
{
    static const char *const writing[] = {
        "DELETE FROM _gatherd_runs", "CREATE TABLE x (a)",         "CREATE TEMP TABLE x (a)",
        "DROP TABLE _gatherd_runs",  "PRAGMA user_version = 4711", "VACUUM",
    };

    for (size_t i = 0; i < sizeof(writing) / sizeof(writing[0]); i++)
        expect_error(*state, writing[i], only_reading);
    rig_expect(*state, "SELECT user_version <> 4711 FROM pragma_user_version", "1");
}

static void other_files_are_neither_attached_nor_written(void **state)
{
    struct rig *rig = *state;
    char sql[160];
    char other[128];

    snprintf(other, sizeof(other), "%s/other.db", rig->folder);
    snprintf(sql, sizeof(sql), "ATTACH '%s' AS other", other);
    expect_error(rig, sql,
                 "query: other files cannot be attached here; open the database with sqlite3 for "
                 "that");
    snprintf(sql, sizeof(sql), "VACUUM INTO '%s'", other);
    expect_error(rig, sql, only_reading);
    assert_int_equal(access(other, F_OK), -1);
}

static void a_transaction_left_open_is_ended(void **state)
{
    struct rig *rig = *state;
    struct seen seen = {0};
    const struct store_query_hooks hooks = {&seen, add_names, add_row};
    struct store_reader *reader = open_reader(rig);

    assert_int_equal(
        store_query(reader, "BEGIN; SELECT count(*) FROM _gatherd_sources", &hooks, NULL), 0);
    feed_free(feed_create(rig, "t", WRITE_APPEND));
    assert_int_equal(store_query(reader, "SELECT count(*) FROM _gatherd_sources", &hooks, NULL), 0);
    assert_string_equal(text_string(&seen.text), "[count(*)] 0[count(*)] 1");
    text_free(&seen.text);
    store_reader_close(reader);
}

static void views_over_stored_json_can_be_read_and_indexes_kept(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    for (int i = 0; i < 2; i++) {
        feed_columns(feed, "doc");
        ROW(feed, TEXT("{\"x\":[7]}"));
        feed_save(rig, feed);
        if (i == 0)
            rig_exec(rig, "CREATE VIEW v AS SELECT json_extract(doc, '$.x[0]') AS x FROM t;"
                          "CREATE INDEX t_x ON t(doc ->> '$.x[0]');");
    }
    expect_rows(rig, "SELECT x FROM v", "[x] 7 7");
    feed_free(feed);
}

static void a_missing_database_is_reported(void **state)
{
    struct rig *rig = *state;
    struct error err = {0};
    char path[128];
    char text[256];

    snprintf(path, sizeof(path), "%s/none.db", rig->folder);
    assert_null(store_reader_open(path, &err));
    snprintf(text, sizeof(text),
             "%s is not there; `gatherd run` makes it when it starts for the first time", path);
    assert_string_equal(err.text, text);
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
}

static void a_database_of_another_program_is_not_read(void **state)
{
    struct rig *rig = *state;
    struct error err = {0};
    char text[256];

    rig_close(rig);
    rig_exec(rig, "PRAGMA application_id = 5");
    assert_null(store_reader_open(rig->path, &err));
    snprintf(text, sizeof(text), "%s is not a gatherd database", rig->path);
    assert_string_equal(err.text, text);
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
}

#define T(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(values_of_every_type_come_out),
        T(names_come_before_the_first_row_even_when_there_is_none),
        T(several_statements_run_each_in_turn),
        T(a_query_of_nothing_gives_nothing),
        T(a_hook_ends_the_query),
        T(a_mistake_in_the_query_is_reported),
        T(statements_that_write_are_refused),
        T(other_files_are_neither_attached_nor_written),
        T(a_transaction_left_open_is_ended),
        T(views_over_stored_json_can_be_read_and_indexes_kept),
        T(a_missing_database_is_reported),
        T(a_database_of_another_program_is_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
