/* The items of a source with for_each, as the database has them. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/item_list.h"
#include "store_rig.h"

/* A configuration whose second source, "children", has `for_each` as it is written. */
static struct config *load(const char *for_each)
{
    struct config_report report = {0};
    struct text yaml = {0};
    struct config *config;

    text_format(&yaml,
                "database: x.db\n"
                "sources:\n"
                "  - {name: parents, url: 'http://localhost/parents'}\n"
                "  - name: children\n"
                "    url: 'http://localhost/{item.id}'\n"
                "    for_each: %s\n",
                for_each);
    config = config_parse(text_string(&yaml), yaml.length, "test.yaml", "", &report);
    assert_string_equal(text_string(&report.text), "");
    assert_non_null(config);
    text_free(&yaml);
    return config;
}

static struct items *read_with(const struct rig *rig, const char *for_each, struct error *err)
{
    struct config *config = load(for_each);
    struct items *items;
    sqlite3 *db;

    assert_int_equal(sqlite_open_reader(rig->path, &db, err), 0);
    items = item_list_read(db, config_find_source(config, "children"), NULL, NULL, err);
    sqlite3_close(db);
    config_unref(config);
    return items;
}

/* Keys, joined by blanks. */
static void expect_items(const struct rig *rig, const char *for_each, const char *expected)
{
    struct error err = {0};
    struct items *items = read_with(rig, for_each, &err);
    struct text keys = {0};

    assert_string_equal(err.text, "");
    for (size_t i = 0; i < items->count; i++)
        text_format(&keys, "%s%s", i == 0 ? "" : " ", items->list[i].key);
    assert_string_equal(text_string(&keys), expected);
    text_free(&keys);
    items_unref(items);
}

static void expect_error(const struct rig *rig, const char *for_each, const char *expected)
{
    struct error err = {0};

    assert_null(read_with(rig, for_each, &err));
    assert_string_equal(err.text, expected);
}

static const char by_id[] = "{source: parents, fields: [id]}";

static void each_row_of_sql_is_an_item(void **state)
{
    struct rig *rig = *state;

    rig_exec(rig,
             "CREATE TABLE parents (id, lang); INSERT INTO parents VALUES (1, 'en'), (2, 'fr'),"
             " (3, 'en')");
    expect_items(rig, "{sql: \"SELECT id FROM parents WHERE lang = 'en'\"}", "1 3");
    expect_items(rig, "{sql: 'SELECT id, lang FROM parents LIMIT 1; -- no more'}",
                 "[\"1\",\"en\"]");
}

static void values_keep_their_types(void **state)
{
    struct error err = {0};
    struct items *items = read_with(
        *state, "{sql: \"SELECT 7 AS id, 0.5 AS b, '07' AS c, 9007199254740993 AS d\"}", &err);
    const struct item_value *values = items->list[0].values;

    assert_int_equal(values[0].type, ITEM_VALUE_INTEGER);
    assert_int_equal(values[0].integer, 7);
    assert_int_equal(values[1].type, ITEM_VALUE_REAL);
    assert_true(slice_equals(values[1].text, "0.5"));
    assert_int_equal(values[2].type, ITEM_VALUE_TEXT);
    assert_true(slice_equals(values[2].text, "07"));
    assert_true(slice_equals(values[3].text, "9007199254740993"));
    items_unref(items);
}

static void a_row_with_a_null_or_a_blob_is_left_out_and_counted(void **state)
{
    struct error err = {0};
    struct items *items = read_with(
        *state, "{sql: \"SELECT column1 AS id FROM (VALUES (1), (NULL), (x'00'), (2))\"}", &err);

    assert_int_equal(items->count, 2);
    assert_int_equal(items->left_out, 2);
    items_unref(items);
}

static void no_rows_are_no_items(void **state)
{
    expect_items(*state, "{sql: 'SELECT 1 AS id WHERE 0'}", "");
}

static void sql_with_a_mistake_says_what_is_wrong(void **state)
{
    expect_error(*state, "{sql: 'SELEC id'}", "for_each: near \"SELEC\": syntax error");
    expect_error(*state, "{sql: 'SELECT id FROM gone'}", "for_each: no such table: gone");
    expect_error(*state, "{sql: '-- nothing'}", "for_each: sql holds no statement; write a SELECT");
    expect_error(*state, "{sql: 'SELECT 1 AS id; SELECT 2'}",
                 "for_each: sql holds several statements; write one");
    expect_error(*state, "{sql: BEGIN}", "for_each: sql gives no columns; write a SELECT");
    expect_error(*state, "{sql: 'SELECT 1 AS id, 2 AS ID'}",
                 "for_each: sql gives two columns named \"ID\"; tell them apart with AS");
}

static void sql_that_writes_is_refused(void **state)
{
    struct rig *rig = *state;

    rig_exec(rig, "CREATE TABLE parents (id); INSERT INTO parents VALUES (1)");
    expect_error(rig, "{sql: 'DELETE FROM parents RETURNING id'}",
                 "for_each: sql changes the database; only a statement that reads can give items");
    expect_error(rig, "{sql: \"ATTACH '/tmp/other.db' AS other\"}",
                 "for_each: sql cannot attach other files");
    rig_expect(rig, "SELECT id FROM parents", "1");
}

static void sql_that_runs_for_ever_is_ended(void **state)
{
    expect_error(*state,
                 "{timeout: 50ms, sql: 'WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT 1 FROM "
                 "n) SELECT max(id) AS id FROM n'}",
                 "for_each: reading the items took longer than 50ms; make the statement faster, or "
                 "raise for_each.timeout");
}

static void count_call(void *context)
{
    ++*(unsigned *)context;
}

static void a_long_statement_shows_that_it_is_alive(void **state)
{
    const struct rig *rig = *state;
    struct config *config =
        load("{sql: 'WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT 50000)"
             " SELECT max(id) AS id FROM n'}");
    struct error err = {0};
    unsigned calls = 0;
    sqlite3 *db;

    assert_int_equal(sqlite_open_reader(rig->path, &db, &err), 0);
    items_unref(
        item_list_read(db, config_find_source(config, "children"), count_call, &calls, &err));
    assert_string_equal(err.text, "");
    assert_true(calls > 0);
    sqlite3_close(db);
    config_unref(config);
}

static void more_items_than_allowed_are_an_error(void **state)
{
    expect_error(*state,
                 "{max_items: 3, sql: 'WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 "
                 "FROM n) SELECT id FROM n'}",
                 "for_each: there are more than 3 items; select fewer, or raise "
                 "for_each.max_items");
}

static void the_distinct_values_of_a_source_are_its_items(void **state)
{
    struct rig *rig = *state;

    rig_exec(rig, "CREATE TABLE parents (id, lang);"
                  "INSERT INTO parents VALUES (1, 'en'), (1, 'fr'), (2, 'en'), (1, 'en')");
    expect_items(rig, by_id, "1 2");
    expect_items(rig, "{source: parents, fields: [id, lang]}",
                 "[\"1\",\"en\"] [\"1\",\"fr\"] [\"2\",\"en\"]");
}

static void a_table_that_is_not_there_has_no_items(void **state)
{
    struct rig *rig = *state;

    expect_items(rig, by_id, "");
    rig_exec(rig, "CREATE TABLE parents (id); INSERT INTO parents VALUES (5)");
    expect_items(rig, by_id, "5");
    rig_exec(rig, "DROP TABLE parents");
    expect_items(rig, by_id, "");
}

static void a_column_that_is_not_there_is_an_error(void **state)
{
    struct rig *rig = *state;

    rig_exec(rig, "CREATE TABLE parents (number); INSERT INTO parents VALUES (5)");
    expect_error(rig, by_id,
                 "for_each: the table parents of source parents has no column id; name one that it "
                 "has");
}

static void a_field_is_named_as_the_records_spell_it(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "parents", WRITE_APPEND);

    feed_columns(feed, "user-id,id");
    ROW(feed, INT(7), TEXT("x"));
    feed_save(rig, feed);
    expect_items(rig, "{source: parents, fields: [user-id, id]}", "[\"7\",\"x\"]");
    feed_free(feed);
}

#define ITEM_TEST(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ITEM_TEST(each_row_of_sql_is_an_item),
        ITEM_TEST(values_keep_their_types),
        ITEM_TEST(a_row_with_a_null_or_a_blob_is_left_out_and_counted),
        ITEM_TEST(no_rows_are_no_items),
        ITEM_TEST(sql_with_a_mistake_says_what_is_wrong),
        ITEM_TEST(sql_that_writes_is_refused),
        ITEM_TEST(sql_that_runs_for_ever_is_ended),
        ITEM_TEST(a_long_statement_shows_that_it_is_alive),
        ITEM_TEST(more_items_than_allowed_are_an_error),
        ITEM_TEST(the_distinct_values_of_a_source_are_its_items),
        ITEM_TEST(a_table_that_is_not_there_has_no_items),
        ITEM_TEST(a_column_that_is_not_there_is_an_error),
        ITEM_TEST(a_field_is_named_as_the_records_spell_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
