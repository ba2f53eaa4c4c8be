/* write_mode: history. Every version of a row, and none that is no version. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_rig.h"

#define VERSIONS                                                                      \
    "SELECT id, v, _run_id, _valid_to IS NULL, _changed FROM t_history ORDER BY id, " \
    "_valid_from"
#define LAST                                                                             \
    "SELECT outcome, inserted, updated, unchanged, deleted, rejected FROM _gatherd_runs" \
    " ORDER BY id DESC LIMIT 1"

/* Each version begins where the one before it ends, and only the last one may have no end. */
#define GAPS                                                                                    \
    "SELECT count(*) FROM (SELECT _valid_to, lead(_valid_from) OVER (PARTITION BY id ORDER BY " \
    "_valid_from) AS next FROM t_history) WHERE next IS NOT NULL AND _valid_to IS NOT next"

static struct feed *history(struct rig *rig)
{
    struct feed *feed = feed_create(rig, "t", WRITE_HISTORY);

    feed->source.mapping.history_table = "t_history";
    feed->source.mapping.max_shrink = 50;
    return feed;
}

/* One row each, of id and v. */
static void save_pair(struct rig *rig, struct feed *feed, int first, int second)
{
    feed_columns(feed, "id,v");
    ROW(feed, INT(1), INT(first));
    ROW(feed, INT(2), INT(second));
    feed_save(rig, feed);
}

static void a_version_begins_with_each_change_and_ends_the_one_before(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = history(rig);

    save_pair(rig, feed, 10, 20);
    save_pair(rig, feed, 11, 20);
    save_pair(rig, feed, 12, 20);
    rig_expect(rig, VERSIONS, "1|10|1|0|NULL\n1|11|2|0|[\"v\"]\n1|12|3|1|[\"v\"]\n2|20|1|1|NULL");
    rig_expect(rig, "SELECT id, v, _run_id FROM t", "1|12|3\n2|20|1");
    rig_expect(rig, LAST, "success|0|1|1|0|0");
    rig_expect(rig, GAPS, "0");
    rig_expect(rig,
               "SELECT count(*) FROM t JOIN t_history USING (id, v, _fetched_at)"
               " WHERE _valid_to IS NULL AND _valid_from >= t_history._fetched_at",
               "2");
    rig_expect_sound(rig);
    feed_free(feed);
}

/* The pages of the log on disk that the last commit wrote. */
static int64_t log_size(struct rig *rig)
{
    char command[200];
    char path[120];
    FILE *file;
    long size;

    snprintf(path, sizeof(path), "%s-wal", rig->path);
    (void)command;
    file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    fclose(file);
    return size;
}

static void the_same_data_again_changes_nothing_and_writes_no_row(void **state)
{
    static const enum write_mode modes[] = {WRITE_UPSERT, WRITE_HISTORY};
    struct rig *rig = *state;
    int64_t written[2] = {0};

    for (size_t m = 0; m < 2; m++) {
        struct feed *feed = feed_create(rig, m == 0 ? "u" : "t", modes[m]);

        feed->source.mapping.history_table = "t_history";
        for (int i = 0; i < 3; i++) {
            int64_t before = i == 0 ? 0 : log_size(rig);

            feed_columns(feed, "id,v,text");
            for (int id = 0; id < 2000; id++)
                ROW(feed, INT(id), REAL(id), TEXT("some text, so that the rows fill many pages"));
            feed_save(rig, feed);
            written[m] = log_size(rig) - before;
        }
        feed_free(feed);
    }
    rig_expect(rig, "SELECT count(*), max(_run_id) FROM t_history", "2000|4");
    rig_expect(rig, "SELECT count(*), max(_run_id) FROM t", "2000|4");
    rig_expect(rig, LAST, "success|0|0|2000|0|0");
    /* Both have written the run's own record and the source's, which are a few pages. */
    assert_true(written[0] < 10 * 4120 && written[1] < 10 * 4120);
}

static void what_is_ignored_makes_no_version_and_is_kept_up_to_date(void **state)
{
    static const char *const ignore[] = {"views"};
    struct rig *rig = *state;
    struct feed *feed = history(rig);

    feed->source.mapping.ignore = ignore;
    feed->source.mapping.ignore_count = 1;
    for (int i = 0; i < 4; i++) {
        feed_columns(feed, "id,title,views");
        ROW(feed, INT(1), i < 3 ? TEXT("a") : TEXT("b"), INT(100 + i));
        feed_save(rig, feed);
    }
    rig_expect(rig, "SELECT title, views, _run_id FROM t", "b|103|4");
    rig_expect(rig, "SELECT title, views, _run_id, _changed FROM t_history",
               "a|100|1|NULL\nb|103|4|[\"title\"]");
    rig_expect(rig, "SELECT updated FROM _gatherd_runs", "0\n1\n1\n1");
    feed_free(feed);
}

static void a_new_column_and_a_wider_type_reach_both_tables(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = history(rig);

    save_pair(rig, feed, 10, 20);
    feed_columns(feed, "id,v,new one");
    ROW(feed, INT(1), INT(10), INT(1));
    ROW(feed, INT(2), TEXT("twenty"), NUL);
    feed_save(rig, feed);
    rig_expect(rig, "SELECT id, v, new_one, _changed FROM t_history ORDER BY id, _valid_from",
               "1|10|NULL|NULL\n1|10|1|[\"new_one\"]\n2|20|NULL|NULL\n2|twenty|NULL|[\"v\"]");
    rig_expect(rig,
               "SELECT table_name, column_name, change FROM _gatherd_schema_changes"
               " WHERE run_id = 2 ORDER BY id",
               "t|v|widen\nt|new_one|add_column\nt|new_one|rename\n"
               "t_history|v|widen\nt_history|new_one|add_column\nt_history|new_one|rename");
    rig_expect_sound(rig);
    feed_free(feed);
}

static void a_member_that_is_gone_is_a_change_to_null(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = history(rig);

    save_pair(rig, feed, 10, 20);
    for (int i = 0; i < 2; i++) {
        feed_columns(feed, "id");
        ROW(feed, INT(1));
        feed_save(rig, feed);
    }
    rig_expect(rig, "SELECT v, _changed FROM t_history WHERE id = 1 ORDER BY _valid_from",
               "10|NULL\nNULL|[\"v\"]");
    rig_expect(rig, "SELECT v FROM t WHERE id = 1", "NULL");
    feed_free(feed);
}

static void members_with_the_names_of_our_columns_get_a_suffix_in_both(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = history(rig);

    for (int i = 0; i < 2; i++) {
        feed_columns(feed, "id,_valid_to,_changed,rowid");
        ROW(feed, INT(1), TEXT("theirs"), INT(i), INT(7));
        feed_save(rig, feed);
    }
    rig_expect(rig, "SELECT _valid_to_2, _changed_2, rowid FROM t", "theirs|1|7");
    rig_expect(rig, "SELECT _valid_to_2, _changed_2, _valid_to IS NULL, _changed FROM t_history",
               "theirs|0|0|NULL\ntheirs|1|1|[\"_changed_2\"]");
    feed_free(feed);
}

static void of_one_key_in_a_response_the_last_record_counts(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = history(rig);

    for (int i = 0; i < 3; i++) {
        feed_columns(feed, "id,v");
        ROW(feed, INT(1), INT(1));
        ROW(feed, INT(1), INT(2));
        feed_save(rig, feed);
    }
    rig_expect(rig, VERSIONS, "1|2|1|1|NULL");
    feed_free(feed);
}

static void a_clock_that_was_set_back_does_not_turn_versions_round(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = history(rig);

    save_pair(rig, feed, 10, 20);
    rig_exec(rig, "UPDATE t_history SET _valid_from = '2999-01-01T00:00:00.000Z' WHERE id = 1");
    save_pair(rig, feed, 11, 20);
    save_pair(rig, feed, 12, 20);
    rig_expect(rig, "SELECT v, _valid_from, _valid_to FROM t_history WHERE id = 1 ORDER BY 2",
               "10|2999-01-01T00:00:00.000Z|2999-01-01T00:00:00.001Z\n"
               "11|2999-01-01T00:00:00.001Z|2999-01-01T00:00:00.002Z\n"
               "12|2999-01-01T00:00:00.002Z|NULL");
    rig_expect(rig, "SELECT count(*) FROM t_history WHERE id = 1 AND _fetched_at < '2999'", "3");
    feed_free(feed);
}

static void a_table_that_was_there_before_becomes_its_first_versions(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    feed_columns(feed, "id,v,old,empty");
    ROW(feed, INT(1), INT(10), TEXT("x"), NUL);
    ROW(feed, INT(2), INT(20), TEXT("y"), NUL);
    feed_save(rig, feed);
    feed->source.mapping.write_mode = WRITE_HISTORY;
    feed->source.mapping.history_table = "t_history";
    feed->source.mapping.field_count = 2; /* `old` is no field any more */
    save_pair(rig, feed, 10, 21);
    rig_expect(rig,
               "SELECT id, v, old, _run_id, _valid_from >= _fetched_at, _valid_to IS NULL,"
               " _changed FROM t_history ORDER BY id, _valid_from",
               "1|10|x|1|1|1|NULL\n2|20|y|1|1|0|NULL\n2|21|NULL|2|1|1|[\"v\"]");
    feed_free(feed);
}

static void a_history_that_was_dropped_begins_anew(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = history(rig);

    save_pair(rig, feed, 10, 20);
    save_pair(rig, feed, 11, 20);
    rig_exec(rig, "DROP TABLE t_history");
    save_pair(rig, feed, 11, 20);
    rig_expect(rig, VERSIONS, "1|11|2|1|NULL\n2|20|1|1|NULL");
    feed_free(feed);
}

/* --- Rows that go --- */

static void a_deleted_row_ends_its_version_and_may_come_back(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = history(rig);

    feed->source.mapping.on_missing = MISSING_DELETE;
    save_pair(rig, feed, 10, 20);
    feed_columns(feed, "id,v");
    ROW(feed, INT(1), INT(10));
    feed_save(rig, feed);
    rig_expect(rig, LAST, "success|0|0|1|1|0");
    rig_expect(rig, VERSIONS, "1|10|1|1|NULL\n2|20|1|0|NULL");
    rig_expect(rig, "SELECT count(*) FROM t", "1");
    save_pair(rig, feed, 10, 20);
    rig_expect(rig, VERSIONS, "1|10|1|1|NULL\n2|20|1|0|NULL\n2|20|3|1|NULL");
    save_pair(rig, feed, 10, 20);
    rig_expect(rig, "SELECT count(*) FROM t_history", "3");
    feed_free(feed);
}

static void a_walk_that_shrinks_too_much_ends_no_version(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = history(rig);

    feed->source.mapping.on_missing = MISSING_DELETE;
    save_pair(rig, feed, 10, 20);
    feed_columns(feed, "id,v");
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    assert_int_equal(feed->run.failure, RUN_FAILED_SHRINK);
    feed_clear(feed);
    rig_expect(rig, VERSIONS, "1|10|1|1|NULL\n2|20|1|1|NULL");
    feed_free(feed);
}

static void a_mark_makes_no_version(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = history(rig);

    feed->source.mapping.on_missing = MISSING_MARK;
    save_pair(rig, feed, 10, 20);
    for (int i = 0; i < 2; i++) {
        feed_columns(feed, "id,v");
        ROW(feed, INT(1), INT(10));
        feed_save(rig, feed);
        rig_expect(rig, "SELECT id, _missing_since IS NOT NULL FROM t", "1|0\n2|1");
    }
    save_pair(rig, feed, 10, 20);
    rig_expect(rig, "SELECT count(*) FROM t WHERE _missing_since IS NULL", "2");
    rig_expect(rig, "SELECT count(*) FROM t_history", "2");
    rig_expect(rig, "SELECT name FROM pragma_table_info('t_history')",
               "id\nv\n_run_id\n_fetched_at\n_valid_from\n_valid_to\n_changed");
    feed_free(feed);
}

/* --- What is refused --- */

static void a_row_that_the_table_refuses_makes_no_version(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = history(rig);

    save_pair(rig, feed, 10, 20);
    rig_exec(rig, "CREATE TRIGGER no BEFORE UPDATE ON t WHEN new.id = 1"
                  " BEGIN SELECT raise(abort, 'not this one'); END;"
                  "CREATE TRIGGER quiet BEFORE INSERT ON t WHEN new.id = 4"
                  " BEGIN SELECT raise(ignore); END");
    feed_columns(feed, "id,v");
    ROW(feed, INT(1), INT(11));
    ROW(feed, INT(2), INT(21));
    ROW(feed, NUL, INT(31));
    ROW(feed, INT(4), INT(41));
    feed_save(rig, feed);
    rig_expect(rig, LAST, "partial|0|1|1|0|2");
    rig_expect(rig, VERSIONS, "1|10|1|1|NULL\n2|20|1|0|NULL\n2|21|2|1|[\"v\"]");
    feed_free(feed);
}

static void a_history_that_refuses_a_version_fails_the_run_whole(void **state)
{
    static const char *const ways[] = {"abort", "rollback"};
    struct rig *rig = *state;
    struct feed *feed = history(rig);

    save_pair(rig, feed, 10, 20);
    for (size_t i = 0; i < 2; i++) {
        char sql[200];

        snprintf(sql, sizeof(sql),
                 "DROP TRIGGER IF EXISTS no; CREATE TRIGGER no BEFORE INSERT ON t_history"
                 " WHEN new.id = 2 BEGIN SELECT raise(%s, 'full'); END",
                 ways[i]);
        rig_exec(rig, sql);
        feed_columns(feed, "id,v");
        ROW(feed, INT(1), INT(11));
        ROW(feed, INT(2), INT(21));
        assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
        assert_int_equal(feed->run.failure, RUN_FAILED_STORE);
        assert_string_equal(feed->run.error, "table \"t_history\": full");
        feed_clear(feed);
        rig_expect(rig, VERSIONS, "1|10|1|1|NULL\n2|20|1|1|NULL");
        rig_expect(rig, "SELECT id, v FROM t", "1|10\n2|20");
    }
    feed_free(feed);
}

static void a_history_table_that_somebody_made_must_fit(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = history(rig);

    rig_exec(rig, "CREATE VIEW t_history AS SELECT 1");
    feed_columns(feed, "id,v");
    ROW(feed, INT(1), INT(11));
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    assert_int_equal(feed->run.failure, RUN_FAILED_STORE);
    assert_string_equal(feed->run.error, "\"t_history\" was not made by gatherd and cannot be "
                                         "written to: it is no ordinary table; rename it, or "
                                         "choose another table");
    feed_clear(feed);
    feed_free(feed);
}

static void another_key_reaches_both_tables(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = history(rig);

    save_pair(rig, feed, 10, 20);
    feed_key(feed, "v,id");
    save_pair(rig, feed, 10, 21);
    rig_expect(rig, "SELECT count(*) FROM t", "3");
    rig_expect(rig, VERSIONS, "1|10|1|1|NULL\n2|20|1|1|NULL\n2|21|2|1|NULL");
    rig_expect(rig,
               "SELECT group_concat(name) FROM pragma_table_info('t_history') WHERE pk > 0"
               " ORDER BY pk",
               "id,v,_valid_from");
    rig_expect_sound(rig);
    feed_free(feed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_version_begins_with_each_change_and_ends_the_one_before),
        TEST(the_same_data_again_changes_nothing_and_writes_no_row),
        TEST(what_is_ignored_makes_no_version_and_is_kept_up_to_date),
        TEST(a_new_column_and_a_wider_type_reach_both_tables),
        TEST(a_member_that_is_gone_is_a_change_to_null),
        TEST(members_with_the_names_of_our_columns_get_a_suffix_in_both),
        TEST(of_one_key_in_a_response_the_last_record_counts),
        TEST(a_clock_that_was_set_back_does_not_turn_versions_round),
        TEST(a_table_that_was_there_before_becomes_its_first_versions),
        TEST(a_history_that_was_dropped_begins_anew),
        TEST(a_deleted_row_ends_its_version_and_may_come_back),
        TEST(a_walk_that_shrinks_too_much_ends_no_version),
        TEST(a_mark_makes_no_version),
        TEST(a_row_that_the_table_refuses_makes_no_version),
        TEST(a_history_that_refuses_a_version_fails_the_run_whole),
        TEST(a_history_table_that_somebody_made_must_fit),
        TEST(another_key_reaches_both_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
