/* Rows into tables: write modes, values, and rows that are refused. */
#include "test.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "store_rig.h"

/* Commits and checks the four counts; the feed is clear afterwards. */
static void save_counts(struct rig *rig, struct feed *feed, size_t inserted, size_t updated,
                        size_t unchanged, size_t rejected)
{
    struct error err = {0};

    assert_int_equal(feed_commit(rig, feed, &err), STORE_OK);
    assert_string_equal(feed->run.error == NULL ? "" : feed->run.error, "");
    assert_int_equal(feed->run.failure, RUN_OK);
    assert_int_equal(feed->result.inserted, inserted);
    assert_int_equal(feed->result.updated, updated);
    assert_int_equal(feed->result.unchanged, unchanged);
    assert_int_equal(feed->result.rejected, rejected);
    feed_clear(feed);
}

static void append_writes_each_row_each_time(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    for (int i = 0; i < 2; i++) {
        feed_columns(feed, "a");
        ROW(feed, INT(1));
        ROW(feed, INT(1));
        save_counts(rig, feed, 2, 0, 0, 0);
    }
    rig_expect(rig, "SELECT a, _run_id FROM t", "1|1\n1|1\n1|2\n1|2");
    feed_free(feed);
}

static void append_takes_no_notice_of_a_primary_key(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed_key(feed, "id");
    feed_columns(feed, "id");
    ROW(feed, INT(1));
    ROW(feed, INT(1));
    ROW(feed, NUL);
    save_counts(rig, feed, 3, 0, 0, 0);
    feed_free(feed);
}

static void upsert_tells_inserted_updated_and_unchanged_rows_apart(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    feed_columns(feed, "id,v");
    ROW(feed, INT(1), TEXT("a"));
    ROW(feed, INT(2), TEXT("b"));
    save_counts(rig, feed, 2, 0, 0, 0);
    feed_columns(feed, "id,v");
    ROW(feed, INT(1), TEXT("a"));
    ROW(feed, INT(2), TEXT("B"));
    ROW(feed, INT(3), TEXT("c"));
    ROW(feed, INT(3), TEXT("d"));
    save_counts(rig, feed, 1, 1, 2, 0); /* of one key the last counts */
    rig_expect(rig, "SELECT id, v, _run_id FROM t", "1|a|1\n2|B|2\n3|d|2");
    feed_free(feed);
}

static void an_unchanged_row_keeps_its_run_and_time(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);
    char *before;
    char *after;

    feed_columns(feed, "id,a,b,c,d");
    ROW(feed, INT(1), NUL, REAL(1.5), BLOB("\x00\xff"), TEXT("x\0y"));
    save_counts(rig, feed, 1, 0, 0, 0);
    before = rig_query(rig, "SELECT *, (SELECT count(*) FROM t) FROM t");
    feed_columns(feed, "id,a,b,c,d");
    ROW(feed, INT(1), NUL, REAL(1.5), BLOB("\x00\xff"), TEXT("x\0y"));
    save_counts(rig, feed, 0, 0, 1, 0);
    after = rig_query(rig, "SELECT *, (SELECT count(*) FROM t) FROM t");
    assert_string_equal(before, after);
    free(before);
    free(after);
    feed_free(feed);
}

static void upsert_of_a_table_of_keys_alone_works(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    feed_key(feed, "a,b");
    for (size_t i = 0; i < 2; i++) {
        feed_columns(feed, "a,b");
        ROW(feed, INT(1), TEXT("x"));
        save_counts(rig, feed, i == 0, 0, i == 1, 0);
    }
    feed_free(feed);
}

static void insert_only_leaves_rows_that_are_there_alone(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_INSERT_ONLY);

    feed_columns(feed, "id,v");
    ROW(feed, INT(1), TEXT("first"));
    save_counts(rig, feed, 1, 0, 0, 0);
    feed_columns(feed, "id,v");
    ROW(feed, INT(1), TEXT("second"));
    ROW(feed, INT(2), TEXT("new"));
    save_counts(rig, feed, 1, 0, 1, 0);
    rig_expect(rig, "SELECT id, v FROM t", "1|first\n2|new");
    feed_free(feed);
}

static void a_member_missing_in_the_whole_response_is_null_as_in_one_record(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    feed_columns(feed, "id,error,kept");
    ROW(feed, INT(1), TEXT("bad"), TEXT("k"));
    save_counts(rig, feed, 1, 0, 0, 0);
    rig_exec(rig, "ALTER TABLE t ADD COLUMN note TEXT; UPDATE t SET note = 'mine'");
    feed->source.mapping.exclude = (const char *const[]){"kept"};
    feed->source.mapping.exclude_count = 1;
    feed_columns(feed, "id");
    ROW(feed, INT(1));
    save_counts(rig, feed, 0, 1, 0, 0);
    feed_columns(feed, "id");
    ROW(feed, INT(1));
    save_counts(rig, feed, 0, 0, 1, 0);
    rig_expect(rig, "SELECT error, kept, note FROM t", "NULL|k|mine");
    feed_free(feed);
}

static void a_field_taken_out_of_the_configuration_keeps_its_values(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    feed->source.mapping.field_count = 3;
    feed_columns(feed, "id,a,b");
    ROW(feed, INT(1), INT(2), INT(3));
    save_counts(rig, feed, 1, 0, 0, 0);
    feed->source.mapping.field_count = 2;
    feed_columns(feed, "id,a");
    ROW(feed, INT(1), INT(9));
    save_counts(rig, feed, 0, 1, 0, 0);
    rig_expect(rig, "SELECT id, a, b FROM t", "1|9|3");
    feed_free(feed);
}

static void values_come_back_exactly_as_they_were(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);
    struct value empty = {.type = VALUE_TEXT}; /* no pointer */

    feed_columns(feed, "a,b,c,d,e,f");
    ROW(feed, INT(INT64_MAX), INT(INT64_MIN), REAL(0.1), TEXT("nul\0inside"), TEXT("😀 é"), empty);
    ROW(feed, INT(9007199254740993), INT(0), REAL(1e300), TEXT("12345678901234567890"), TEXT("007"),
        TEXT(" "));
    save_counts(rig, feed, 2, 0, 0, 0);
    rig_expect(rig, "SELECT a, b, c, hex(d), e, f = '', typeof(f) FROM t",
               "9223372036854775807|-9223372036854775808|0.1|6E756C00696E73696465|😀 é|1|text\n"
               "9007199254740993|0|1.0e+300|3132333435363738393031323334353637383930|007|0|text");
    feed_free(feed);
}

static void text_that_looks_like_a_number_stays_text_in_a_wide_column(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed_columns(feed, "a");
    ROW(feed, INT(1));
    ROW(feed, TEXT("1"));
    ROW(feed, REAL(1));
    save_counts(rig, feed, 3, 0, 0, 0);
    rig_expect(rig, "SELECT a, typeof(a) FROM t", "1|integer\n1|text\n1.0|real");
    feed_free(feed);
}

static void a_row_may_have_fewer_values_than_columns(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed_columns(feed, "a,b,c");
    ROW(feed, INT(1), INT(2), INT(3));
    ROW(feed, INT(4));
    feed_row(feed, 0, NULL);
    ROW(feed, INT(5), INT(6));
    save_counts(rig, feed, 4, 0, 0, 0);
    rig_expect(rig, "SELECT a, b, c FROM t", "1|2|3\n4|NULL|NULL\nNULL|NULL|NULL\n5|6|NULL");
    feed_free(feed);
}

static void the_same_members_in_another_order_go_to_the_same_columns(void **state)
{
    static const char *const orders[] = {"id,a,b", "b,id,a", "a,b,id", "id,b,a",
                                         "a,id,b", "b,a,id", "id,a,b"};
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        struct value values[3];

        feed_columns(feed, orders[i]);
        for (size_t c = 0; c < 3; c++)
            values[c] = feed->columns[c].name.data[0] == 'i'   ? INT(1)
                        : feed->columns[c].name.data[0] == 'a' ? TEXT("a")
                                                               : TEXT("b");
        feed_row(feed, 3, values);
        save_counts(rig, feed, i == 0, 0, i > 0, 0);
    }
    rig_expect(rig, "SELECT id, a, b FROM t", "1|a|b");
    feed_free(feed);
}

/* Refused rows */

static void a_row_without_its_key_is_a_dead_letter_and_the_rest_goes_on(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    feed_key(feed, "a,id");
    feed_columns(feed, "a,v,id");
    ROW(feed, INT(1), TEXT("v"), INT(1));
    ROW(feed, INT(1), TEXT("v"), NUL);
    ROW(feed, INT(1), TEXT("v"));
    ROW(feed, INT(2), TEXT("v"), INT(2));
    save_counts(rig, feed, 2, 0, 0, 2);
    rig_expect(rig,
               "SELECT run_id, source, table_name, kind, position, line, column, reason,"
               " content_type, content, typeof(content), bytes, occurrences"
               " FROM _gatherd_dead_letters ORDER BY id",
               "1|t|t|record|1|2|1|primary key \"id\" is missing|application/json|{\"row\":1}|"
               "text|9|1\n"
               "1|t|t|record|2|3|1|primary key \"id\" is missing|application/json|{\"row\":2}|"
               "text|9|1");
    rig_expect(rig, "SELECT outcome, inserted, rejected, records FROM _gatherd_runs",
               "partial|2|2|4");
    feed_free(feed);
}

static void rows_are_all_refused_when_no_record_has_the_key(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    feed_columns(feed, "v");
    ROW(feed, TEXT("v"));
    ROW(feed, TEXT("w"));
    save_counts(rig, feed, 0, 0, 0, 2);
    feed_columns(feed, "v,id");
    ROW(feed, TEXT("v"), INT(5));
    save_counts(rig, feed, 1, 0, 0, 0);
    rig_expect(rig, "SELECT type, pk FROM pragma_table_info('t') WHERE name = 'id'", "INT|1");
    rig_expect_sound(rig);
    feed_free(feed);
}

static void a_value_of_another_type_than_declared_is_refused_row_by_row(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed->source.mapping.field_count = 1;
    feed_column(feed, "n", FIELD_INTEGER);
    ROW(feed, INT(1));
    ROW(feed, TEXT("many"));
    ROW(feed, INT(3));
    save_counts(rig, feed, 2, 0, 0, 1);
    rig_expect(rig, "SELECT n FROM t", "1\n3");
    rig_expect(rig, "SELECT reason, position FROM _gatherd_dead_letters",
               "cannot store TEXT value in INTEGER column t.n|1");
    feed_free(feed);
}

static void constraints_and_triggers_of_the_users_refuse_single_rows(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    feed_columns(feed, "id,v");
    ROW(feed, INT(1), TEXT("a"));
    feed_save(rig, feed);
    rig_exec(rig, "CREATE UNIQUE INDEX one_v ON t(v);"
                  "CREATE TABLE log(x);"
                  "CREATE TRIGGER g BEFORE INSERT ON t BEGIN"
                  " INSERT INTO log VALUES (new.id);"
                  " SELECT raise(ABORT, 'not this one') WHERE new.id = 3;"
                  " SELECT json(new.v) WHERE new.id = 4; END;");
    feed_columns(feed, "id,v");
    ROW(feed, INT(2), TEXT("a"));
    ROW(feed, INT(3), TEXT("c"));
    ROW(feed, INT(4), TEXT("no json"));
    ROW(feed, INT(5), TEXT("e"));
    save_counts(rig, feed, 1, 0, 0, 3);
    rig_expect(rig, "SELECT reason FROM _gatherd_dead_letters ORDER BY id",
               "UNIQUE constraint failed: t.v\nnot this one\nmalformed JSON");
    rig_expect(rig, "SELECT id FROM t", "1\n5");
    rig_expect(rig, "SELECT x FROM log", "5"); /* what a refused row did is undone */
    feed_free(feed);
}

static void a_trigger_that_rolls_everything_back_fails_its_own_run_only(void **state)
{
    struct rig *rig = *state;
    struct feed *bad = feed_create(rig, "bad", WRITE_APPEND);
    struct feed *first = feed_create(rig, "first", WRITE_APPEND);
    struct feed *last = feed_create(rig, "last", WRITE_APPEND);
    struct result results[3];
    struct batch batch = {results, 3};

    feed_columns(bad, "a");
    ROW(bad, INT(0));
    feed_save(rig, bad);
    rig_exec(rig, "CREATE TRIGGER g BEFORE INSERT ON bad WHEN new.a = 2 BEGIN"
                  " SELECT raise(ROLLBACK, 'stop it all'); END;");
    feed_columns(first, "a");
    ROW(first, INT(1));
    feed_columns(bad, "a");
    ROW(bad, INT(1));
    ROW(bad, INT(2));
    feed_columns(last, "a");
    ROW(last, INT(1));
    results[0] = feed_result(first);
    results[1] = feed_result(bad);
    results[2] = feed_result(last);
    assert_int_equal(store_commit(rig->store, &batch, NULL), STORE_OK);
    assert_int_equal(bad->run.failure, RUN_FAILED_STORE);
    assert_string_equal(bad->run.error, "stop it all");
    rig_expect(rig,
               "SELECT (SELECT count(*) FROM first), (SELECT count(*) FROM bad),"
               " (SELECT count(*) FROM last)",
               "1|1|1");
    rig_expect(rig, "SELECT id, source, outcome, inserted FROM _gatherd_runs WHERE id > 1",
               "2|first|success|1\n3|bad|failed|0\n4|last|success|1");
    rig_expect(rig, "SELECT source, kind, reason FROM _gatherd_dead_letters",
               "bad|body|stop it all");
    first->run.response.body = bad->run.response.body = last->run.response.body = NULL;
    feed_free(first);
    feed_free(bad);
    feed_free(last);
}

static void a_trigger_that_cannot_be_compiled_fails_the_run_and_keeps_the_body(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed_columns(feed, "a");
    ROW(feed, INT(0));
    feed_save(rig, feed);
    rig_exec(rig, "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO gone VALUES (1); END;");
    feed_columns(feed, "a");
    ROW(feed, INT(1));
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    assert_int_equal(feed->run.failure, RUN_FAILED_STORE);
    assert_string_equal(feed->run.error, "table \"t\": no such table: main.gone");
    rig_expect(rig, "SELECT kind, content FROM _gatherd_dead_letters", "body|{\"row\":0}\n");
    feed_free(feed);
}

static void ten_thousand_rows_are_one_transaction(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    for (size_t round = 0; round < 2; round++) {
        feed_columns(feed, "id,v");
        for (int i = 0; i < 10000; i++)
            ROW(feed, INT(i), TEXT("value"));
        save_counts(rig, feed, round == 0 ? 10000 : 0, 0, round == 0 ? 0 : 10000, 0);
    }
    rig_expect(rig, "SELECT count(*), sum(id) FROM t", "10000|49995000");
    feed_free(feed);
}

#define T(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(append_writes_each_row_each_time),
        T(append_takes_no_notice_of_a_primary_key),
        T(upsert_tells_inserted_updated_and_unchanged_rows_apart),
        T(an_unchanged_row_keeps_its_run_and_time),
        T(upsert_of_a_table_of_keys_alone_works),
        T(insert_only_leaves_rows_that_are_there_alone),
        T(a_member_missing_in_the_whole_response_is_null_as_in_one_record),
        T(a_field_taken_out_of_the_configuration_keeps_its_values),
        T(values_come_back_exactly_as_they_were),
        T(text_that_looks_like_a_number_stays_text_in_a_wide_column),
        T(a_row_may_have_fewer_values_than_columns),
        T(the_same_members_in_another_order_go_to_the_same_columns),
        T(a_row_without_its_key_is_a_dead_letter_and_the_rest_goes_on),
        T(rows_are_all_refused_when_no_record_has_the_key),
        T(a_value_of_another_type_than_declared_is_refused_row_by_row),
        T(constraints_and_triggers_of_the_users_refuse_single_rows),
        T(a_trigger_that_rolls_everything_back_fails_its_own_run_only),
        T(a_trigger_that_cannot_be_compiled_fails_the_run_and_keeps_the_body),
        T(ten_thousand_rows_are_one_transaction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
