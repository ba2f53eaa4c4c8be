/* How tables come to be and grow: columns, types, names. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_rig.h"

#define TYPES(table) "SELECT name, type FROM pragma_table_info('" table "')"
#define CHANGES                                                                           \
    "SELECT change, column_name, old_value, new_value FROM _gatherd_schema_changes WHERE" \
    " change <> 'create_table' ORDER BY id"

/* Creation */

static void a_table_is_strict_and_ends_in_the_columns_of_gatherd(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "quakes", WRITE_APPEND);

    feed_columns(feed, "place,mag");
    ROW(feed, TEXT("Fiji"), REAL(4.5));
    feed_save(rig, feed);
    rig_expect(rig, TYPES("quakes"), "place|TEXT\nmag|REAL\n_run_id|INTEGER\n_fetched_at|TEXT");
    rig_expect(rig, "SELECT strict, wr FROM pragma_table_list WHERE name = 'quakes'", "1|0");
    rig_expect(rig, "SELECT change, table_name, run_id FROM _gatherd_schema_changes",
               "create_table|quakes|1");
    rig_expect(rig,
               "SELECT member, column_name, type, settled, added_by_run FROM _gatherd_columns"
               " ORDER BY member",
               "mag|mag|REAL|1|1\nplace|place|TEXT|1|1");
    feed_free(feed);
}

static void an_undeclared_column_takes_the_type_of_its_first_values(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed_columns(feed, "i,r,t,b,mixed,nothing");
    ROW(feed, INT(1), REAL(0.5), TEXT("x"), BLOB("\xff"), INT(1), NUL);
    ROW(feed, NUL, REAL(1), TEXT("y"), BLOB("\x01"), TEXT("1"), NUL);
    feed_save(rig, feed);
    rig_expect(rig, TYPES("t") " WHERE name NOT LIKE '\\_%' ESCAPE '\\'",
               "i|INTEGER\nr|REAL\nt|TEXT\nb|BLOB\nmixed|ANY\nnothing|ANY");
    rig_expect(rig, "SELECT column_name FROM _gatherd_columns WHERE settled = 0", "nothing");
    feed_free(feed);
}

static void a_declared_field_has_its_type_from_the_start(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed->source.mapping.field_count = 9;
    feed_column(feed, "t", FIELD_TEXT);
    feed_column(feed, "i", FIELD_INTEGER);
    feed_column(feed, "r", FIELD_REAL);
    feed_column(feed, "b", FIELD_BOOLEAN);
    feed_column(feed, "j", FIELD_JSON);
    feed_column(feed, "at", FIELD_TIMESTAMP);
    feed_column(feed, "d", FIELD_DECIMAL);
    feed_column(feed, "took", FIELD_DURATION);
    feed_column(feed, "bytes", FIELD_BLOB);
    feed_save(rig, feed); /* an empty array: no row, and the table stands */
    rig_expect(rig, TYPES("t") " WHERE name NOT LIKE '\\_%' ESCAPE '\\'",
               "t|TEXT\ni|INTEGER\nr|REAL\nb|INTEGER\nj|TEXT\nat|TEXT\nd|TEXT\ntook|REAL\n"
               "bytes|BLOB");
    rig_expect(rig, "SELECT count(*) FROM _gatherd_columns WHERE settled = 0", "0");
    feed_free(feed);
}

static void a_table_without_anything_known_of_it_is_not_made(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed_clear(feed);
    feed_save(rig, feed);
    rig_expect(rig, "SELECT count(*) FROM sqlite_schema WHERE name = 't'", "0");
    rig_expect(rig, "SELECT outcome, records FROM _gatherd_runs", "success|0");
    feed_free(feed);
}

static void records_without_members_are_rows_of_a_table_without_columns(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed_row(feed, 0, NULL);
    feed_row(feed, 0, NULL);
    feed_save(rig, feed);
    rig_expect(rig, "SELECT _run_id FROM t", "1\n1");
    feed_free(feed);
}

/* Growing */

static void a_new_member_adds_a_column_in_the_same_transaction(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed_columns(feed, "a");
    ROW(feed, INT(1));
    feed_save(rig, feed);
    feed_columns(feed, "a,b,c");
    ROW(feed, INT(2), TEXT("x"), REAL(2.5));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT a, b, c, _run_id FROM t", "1|NULL|NULL|1\n2|x|2.5|2");
    rig_expect(rig, CHANGES, "add_column|b|NULL|TEXT\nadd_column|c|NULL|REAL");
    rig_expect_sound(rig);
    feed_free(feed);
}

static void a_value_that_does_not_fit_widens_the_column_and_keeps_every_value(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed_columns(feed, "i,r,t");
    ROW(feed, INT(0), REAL(5), TEXT("1"));
    ROW(feed, INT(9007199254740993), REAL(0.5), TEXT("x"));
    feed_save(rig, feed);
    feed_columns(feed, "i,r,t");
    ROW(feed, REAL(0.5), INT(7), INT(1));
    feed_save(rig, feed);
    rig_expect(rig, TYPES("t") " LIMIT 3", "i|ANY\nr|ANY\nt|ANY");
    rig_expect(rig, "SELECT i, typeof(i), r, typeof(r), t, typeof(t) FROM t",
               "0|integer|5.0|real|1|text\n9007199254740993|integer|0.5|real|x|text\n"
               "0.5|real|7|integer|1|integer");
    rig_expect(rig, CHANGES, "widen|i|INTEGER|ANY\nwiden|r|REAL|ANY\nwiden|t|TEXT|ANY");
    rig_expect_sound(rig);
    feed_free(feed);
}

static int no_names(void *context, const char *const *names, size_t count)
{
    (void)context;
    (void)names;
    (void)count;
    return 0;
}

static int count_texts(void *context, const struct value *values, size_t count)
{
    size_t *texts = context;

    for (size_t i = 0; i < count; i++)
        *texts += values[i].type == VALUE_TEXT;
    return 0;
}

static void a_widened_column_is_seen_by_connections_that_were_open_before(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);
    size_t texts = 0;
    const struct store_query_hooks hooks = {&texts, no_names, count_texts};
    struct store_reader *reader;

    feed_columns(feed, "a");
    ROW(feed, INT(1));
    feed_save(rig, feed);
    reader = store_reader_open(rig->path, NULL);
    assert_non_null(reader);
    assert_int_equal(store_query(reader, "SELECT a FROM t WHERE a = 1", &hooks, NULL), 0);
    assert_int_equal(texts, 0);
    feed_columns(feed, "a");
    ROW(feed, TEXT("1"));
    feed_save(rig, feed);
    /* With the old type in mind, this connection would compare '1' as a number. */
    assert_int_equal(store_query(reader, "SELECT a FROM t WHERE a = '1'", &hooks, NULL), 0);
    assert_int_equal(texts, 1);
    store_reader_close(reader);
    feed_free(feed);
}

static void a_column_of_nulls_settles_when_its_first_value_comes(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed_columns(feed, "a,b");
    ROW(feed, INT(1), NUL);
    feed_save(rig, feed);
    feed_columns(feed, "a,b");
    ROW(feed, INT(2), TEXT("x"));
    feed_save(rig, feed);
    rig_expect(rig, TYPES("t") " LIMIT 2", "a|INTEGER\nb|TEXT");
    rig_expect(rig, CHANGES, "settle|b|ANY|TEXT");
    feed_columns(feed, "a,b");
    ROW(feed, INT(3), INT(3));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT b, typeof(b) FROM t", "NULL|null\nx|text\n3|integer");
    rig_expect_sound(rig);
    feed_free(feed);
}

static void settling_survives_a_restart(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed_columns(feed, "a");
    ROW(feed, NUL);
    feed_save(rig, feed);
    rig_close(rig);
    rig_open(rig);
    feed_columns(feed, "a");
    ROW(feed, REAL(1.5));
    feed_save(rig, feed);
    rig_expect(rig, TYPES("t") " LIMIT 1", "a|REAL");
    feed_free(feed);
}

static void a_field_declared_otherwise_than_its_column_widens_it(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed_columns(feed, "a");
    ROW(feed, INT(1));
    feed_save(rig, feed);
    feed->source.mapping.field_count = 1;
    feed_column(feed, "a", FIELD_TEXT);
    ROW(feed, TEXT("one"));
    feed_save(rig, feed);
    rig_expect(rig, CHANGES, "widen|a|INTEGER|ANY");
    rig_expect(rig, "SELECT a, typeof(a) FROM t", "1|integer\none|text");
    feed_free(feed);
}

static void widening_keeps_what_users_added_to_the_table(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed_columns(feed, "a,r");
    ROW(feed, INT(1), REAL(2));
    feed_save(rig, feed);
    rig_exec(rig, "ALTER TABLE t ADD COLUMN note TEXT DEFAULT 'it''s, (new' CHECK (note <> ');');"
                  "ALTER TABLE t ADD COLUMN twice ANY AS (a || a);"
                  "CREATE INDEX t_a ON t(a); CREATE INDEX t_r ON t(r, a);"
                  "CREATE VIEW v AS SELECT a FROM t;"
                  "CREATE TABLE seen(a ANY);"
                  "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO seen VALUES (new.a); END;"
                  "CREATE TRIGGER u AFTER UPDATE ON t BEGIN INSERT INTO seen VALUES ('upd'); END;");
    feed_columns(feed, "a,r,extra");
    ROW(feed, TEXT("x"), INT(3), INT(5));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT a, r, typeof(r), note, twice, extra FROM t",
               "1|2.0|real|it's, (new|11|NULL\nx|3|integer|it's, (new|xx|5");
    rig_expect(rig, "SELECT a FROM v", "1\nx");
    rig_expect(rig, "SELECT a FROM seen", "x");
    rig_expect(rig, "SELECT a FROM t INDEXED BY t_r WHERE r = 2.0", "1");
    rig_expect_sound(rig);
    feed_free(feed);
}

static void three_hundred_columns_are_added_at_once(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);
    struct value values[301];
    char name[16];

    feed_columns(feed, "id");
    ROW(feed, INT(1));
    feed_save(rig, feed);
    feed_columns(feed, "id");
    for (int i = 1; i <= 300; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        feed_column(feed, name, FIELD_UNDECLARED);
    }
    for (int i = 0; i <= 300; i++)
        values[i] = INT(i + 1);
    feed_row(feed, 301, values);
    feed_save(rig, feed);
    rig_expect(rig, "SELECT id, c1, c300 FROM t", "1|2|301");
    feed_free(feed);
}

static void feed_wide(struct feed *feed, size_t columns)
{
    struct value *values = calloc(columns, sizeof(*values));

    feed_column(feed, "id", FIELD_UNDECLARED);
    for (size_t i = 1; i < columns; i++) {
        char name[32];

        snprintf(name, sizeof(name), "c%zu", i);
        feed_column(feed, name, FIELD_UNDECLARED);
    }
    for (size_t i = 0; i < columns; i++)
        values[i] = INT((int64_t)i);
    feed_row(feed, columns, values);
    free(values);
}

static void as_many_columns_as_sqlite_allows_are_upserted(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    for (int round = 0; round < 2; round++) {
        feed_wide(feed, 1998);
        assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
        assert_int_equal(feed->run.failure, RUN_OK);
        assert_int_equal(feed->result.inserted, round == 0);
        assert_int_equal(feed->result.unchanged, round == 1);
        feed_clear(feed);
    }
    feed_free(feed);
}

static void too_many_columns_fail_the_run_and_harm_no_other(void **state)
{
    struct rig *rig = *state;
    struct feed *wide = feed_create(rig, "wide", WRITE_APPEND);
    struct feed *good = feed_create(rig, "good", WRITE_APPEND);
    struct result results[2];
    struct batch batch = {results, 2};

    feed_wide(wide, 1999);
    feed_columns(good, "a");
    ROW(good, INT(1));
    wide->run.next_due_ms = good->run.next_due_ms = 1700000060000;
    wide->run.refused_due_ms = good->run.refused_due_ms = 1700000120000;
    results[0] = feed_result(wide);
    results[1] = feed_result(good);
    assert_int_equal(store_commit(rig->store, &batch, NULL), STORE_OK);
    assert_int_equal(wide->run.failure, RUN_FAILED_STORE);
    assert_string_equal(wide->run.error,
                        "table \"wide\" would need 2001 columns, and SQLite allows 2000; name the "
                        "members to keep under \"fields\", or leave some out with \"exclude\"");
    assert_int_equal(wide->run.failures, 1);
    assert_int_equal(results[0].inserted, 0);
    assert_int_equal(results[1].inserted, 1);
    rig_expect(rig, "SELECT a FROM good", "1");
    rig_expect(rig, "SELECT count(*) FROM sqlite_schema WHERE name = 'wide'", "0");
    rig_expect(rig, "SELECT source, outcome, failure FROM _gatherd_runs ORDER BY id",
               "wide|failed|store\ngood|success|NULL");
    rig_expect(rig, "SELECT name, next_due_at FROM _gatherd_sources ORDER BY id",
               "wide|2023-11-14T22:15:20.000Z\ngood|2023-11-14T22:14:20.000Z");
    rig_expect(rig,
               "SELECT source, kind, content, content = '{\"row\":0}' || char(10)"
               " FROM _gatherd_dead_letters",
               "wide|body|{\"row\":0}\n|1");
    wide->run.response.body = good->run.response.body = NULL;
    feed_free(wide);
    feed_free(good);
}

/* Names */

static void names_that_differ_only_in_case_get_a_stable_suffix(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed_columns(feed, "id,ID,Id");
    ROW(feed, INT(1), INT(2), INT(3));
    feed_save(rig, feed);
    rig_close(rig);
    rig_open(rig);
    feed_columns(feed, "Id,ID,id");
    ROW(feed, INT(6), INT(5), INT(4));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT id, ID_2, Id_3 FROM t", "1|2|3\n4|5|6");
    rig_expect(rig, CHANGES, "rename|ID_2|ID|ID_2\nrename|Id_3|Id|Id_3");
    feed_free(feed);
}

static void names_that_collide_after_mapping_get_a_suffix(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed_columns(feed, "a b,a-b,a_b_2,_run_id,_Fetched_At,");
    ROW(feed, INT(1), INT(2), INT(3), INT(4), INT(5), INT(6));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT name FROM pragma_table_info('t')",
               "a_b\na_b_2\na_b_2_2\n_run_id_2\n_Fetched_At_2\n_\n_run_id\n_fetched_at");
    rig_expect(rig, "SELECT _run_id, _run_id_2 FROM t", "1|4");
    feed_free(feed);
}

static void a_column_of_the_users_is_not_written_over(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    feed_columns(feed, "id");
    ROW(feed, INT(1));
    feed_save(rig, feed);
    rig_exec(rig, "ALTER TABLE t ADD COLUMN reviewed TEXT; UPDATE t SET reviewed = 'by me'");
    feed_columns(feed, "id,reviewed");
    ROW(feed, INT(1), TEXT("no"));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT reviewed, reviewed_2 FROM t", "by me|no");
    feed_free(feed);
}

static void a_member_with_every_awkward_character_is_a_column(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "odd \"table\"; --", WRITE_UPSERT);

    feed_key(feed, "i\"d");
    feed_columns(feed, "i\"d,select,order by,O'Neil,名前");
    ROW(feed, INT(1), INT(2), INT(3), INT(4), TEXT("😀"));
    feed_save(rig, feed);
    feed_columns(feed, "i\"d,select");
    ROW(feed, INT(1), TEXT("two"));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT i_d, \"select\" FROM \"odd \"\"table\"\"; --\"", "1|two");
    rig_expect_sound(rig);
    feed_free(feed);
}

static void more_tables_than_are_remembered_work_the_same(void **state)
{
    struct rig *rig = *state;
    static struct feed *feeds[600];
    static char names[600][8];
    static struct result results[600];
    struct batch batch = {results, 600};

    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 600; i++) {
            snprintf(names[i], sizeof(names[i]), "t%zu", i);
            if (round == 0)
                feeds[i] = feed_create(rig, names[i], WRITE_UPSERT);
            feed_columns(feeds[i], "id,v");
            ROW(feeds[i], INT(1), INT(round));
            results[i] = feed_result(feeds[i]);
        }
        assert_int_equal(store_commit(rig->store, &batch, NULL), STORE_OK);
        for (size_t i = 0; i < 600; i++) {
            assert_int_equal(results[i].inserted, round == 0);
            assert_int_equal(results[i].updated, round == 1);
            feeds[i]->run.response.body = NULL;
            feed_clear(feeds[i]);
        }
    }
    for (size_t i = 0; i < 600; i++)
        feed_free(feeds[i]);
}

#define T(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_table_is_strict_and_ends_in_the_columns_of_gatherd),
        T(an_undeclared_column_takes_the_type_of_its_first_values),
        T(a_declared_field_has_its_type_from_the_start),
        T(a_table_without_anything_known_of_it_is_not_made),
        T(records_without_members_are_rows_of_a_table_without_columns),
        T(a_new_member_adds_a_column_in_the_same_transaction),
        T(a_value_that_does_not_fit_widens_the_column_and_keeps_every_value),
        T(a_widened_column_is_seen_by_connections_that_were_open_before),
        T(a_column_of_nulls_settles_when_its_first_value_comes),
        T(settling_survives_a_restart),
        T(a_field_declared_otherwise_than_its_column_widens_it),
        T(widening_keeps_what_users_added_to_the_table),
        T(three_hundred_columns_are_added_at_once),
        T(as_many_columns_as_sqlite_allows_are_upserted),
        T(too_many_columns_fail_the_run_and_harm_no_other),
        T(names_that_differ_only_in_case_get_a_stable_suffix),
        T(names_that_collide_after_mapping_get_a_suffix),
        T(a_column_of_the_users_is_not_written_over),
        T(a_member_with_every_awkward_character_is_a_column),
        T(more_tables_than_are_remembered_work_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
