/* How tables change whose key is another now, and tables that people made or changed by hand. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "store_rig.h"

#define TYPES(table) "SELECT name, type FROM pragma_table_info('" table "')"
#define CHANGES                                                                           \
    "SELECT change, column_name, old_value, new_value FROM _gatherd_schema_changes WHERE" \
    " change <> 'create_table' ORDER BY id"

/* Tables changed by hand */

static void a_table_dropped_by_hand_is_made_again(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed_columns(feed, "a,old");
    ROW(feed, INT(1), INT(1));
    feed_save(rig, feed);
    rig_exec(rig, "DROP TABLE t");
    feed_columns(feed, "a");
    ROW(feed, TEXT("x"));
    feed_save(rig, feed);
    rig_expect(rig, TYPES("t"), "a|TEXT\n_run_id|INTEGER\n_fetched_at|TEXT");
    rig_expect(rig, "SELECT member FROM _gatherd_columns", "a");
    feed_free(feed);
}

static void a_column_dropped_by_hand_comes_back_with_its_next_value(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed_columns(feed, "a,b");
    ROW(feed, INT(1), INT(1));
    feed_save(rig, feed);
    rig_exec(rig, "ALTER TABLE t DROP COLUMN b");
    feed_columns(feed, "a,b");
    ROW(feed, INT(2), TEXT("two"));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT a, b FROM t", "1|NULL\n2|two");
    rig_expect_sound(rig);
    feed_free(feed);
}

static void a_strict_table_made_by_hand_is_taken_as_it_is(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    rig_exec(rig, "CREATE TABLE [t] (ID INTEGER PRIMARY KEY, -- the key, of course\n"
                  " name TEXT /* ) */ NOT NULL COLLATE NOCASE, CHECK (name <> '')) STRICT;"
                  "INSERT INTO t VALUES (1, 'mine')");
    feed_columns(feed, "id,name,more");
    ROW(feed, INT(1), TEXT("theirs"), INT(3));
    ROW(feed, INT(2), NUL, INT(4));
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    assert_int_equal(feed->run.failure, RUN_OK);
    assert_int_equal(feed->result.updated, 1);
    assert_int_equal(feed->result.rejected, 1);
    rig_expect(rig, "SELECT id, name, more FROM t", "1|theirs|3");
    rig_expect(rig, "SELECT reason FROM _gatherd_dead_letters",
               "NOT NULL constraint failed: t.name");
    feed_clear(feed);
    /* Its key is the rowid itself, so another type needs the table rebuilt. */
    feed_columns(feed, "id,name,more");
    ROW(feed, TEXT("x"), TEXT("text key"), INT(5));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT id, typeof(id), name FROM t ORDER BY 2",
               "1|integer|theirs\nx|text|text key");
    rig_expect_sound(rig);
    feed_free(feed);
}

static void expect_refused(struct rig *rig, struct feed *feed, const char *text)
{
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    assert_int_equal(feed->run.failure, RUN_FAILED_STORE);
    assert_string_equal(feed->run.error, text);
    assert_int_equal(feed->result.inserted + feed->result.updated, 0);
    feed_clear(feed);
}

static void a_change_that_sqlite_would_not_read_is_refused_before_it_is_made(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    rig_exec(rig, "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT) STRICT");
    feed_columns(feed, "id,v");
    ROW(feed, TEXT("x"), TEXT("y"));
    expect_refused(
        rig, feed,
        "table \"t\" cannot be changed to fit what came: AUTOINCREMENT is only allowed on "
        "an INTEGER PRIMARY KEY; rename it, or choose another table");
    rig_expect_sound(rig);
    feed_columns(feed, "id,v");
    ROW(feed, INT(7), TEXT("y"));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT id, v FROM t", "7|y");
    feed_free(feed);
}

static void what_is_no_strict_table_is_not_written_to(void **state)
{
    static const struct {
        const char *sql;
        const char *problem;
    } cases[] = {
        {"CREATE TABLE t (a)", "it is not STRICT"},
        {"CREATE TABLE t (a TEXT PRIMARY KEY) STRICT, WITHOUT ROWID", "it is WITHOUT ROWID"},
        {"CREATE VIEW t AS SELECT 1 AS a", "it is no ordinary table"},
        {"CREATE VIRTUAL TABLE t USING fts5(a)", "it is no ordinary table"},
    };
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[256];

        rig_exec(rig, cases[i].sql);
        feed_columns(feed, "a");
        ROW(feed, TEXT("x"));
        snprintf(text, sizeof(text),
                 "\"t\" was not made by gatherd and cannot be written to: %s; rename it, or choose "
                 "another table",
                 cases[i].problem);
        expect_refused(rig, feed, text);
        rig_exec(rig, strstr(cases[i].sql, "VIEW") != NULL ? "DROP VIEW t" : "DROP TABLE t");
    }
    feed_free(feed);
}

static void reserved_table_names_are_refused(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "_Gatherd_runs", WRITE_APPEND);

    feed_columns(feed, "a");
    ROW(feed, TEXT("x"));
    expect_refused(rig, feed,
                   "table \"_Gatherd_runs\": names that begin with sqlite_ or _gatherd_ are "
                   "reserved; choose another table");
    feed_free(feed);
}

/* Keys */

static void a_keyed_table_has_its_key_inline_and_no_rowid_alias(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    feed_columns(feed, "name,id");
    ROW(feed, TEXT("x"), INT(7));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT name, type, pk FROM pragma_table_info('t') LIMIT 2",
               "name|TEXT|0\nid|INT|1");
    rig_expect(rig, "SELECT rowid, id FROM t", "1|7");
    /* ... so the key can take another type. */
    feed_columns(feed, "name,id");
    ROW(feed, TEXT("y"), TEXT("seven"));
    ROW(feed, TEXT("z"), INT(7));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT id, typeof(id), name FROM t", "7|integer|z\nseven|text|y");
    rig_expect_sound(rig);
    feed_free(feed);
}

static void a_real_key_that_widens_keeps_its_rows(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    feed_columns(feed, "id,v");
    ROW(feed, REAL(5), INT(1));
    ROW(feed, REAL(5.5), INT(2));
    feed_save(rig, feed);
    feed_columns(feed, "id,v");
    ROW(feed, TEXT("x"), INT(3));
    ROW(feed, REAL(5), INT(4));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT id, typeof(id), v FROM t", "5.0|real|4\n5.5|real|2\nx|text|3");
    rig_expect_sound(rig);
    feed_free(feed);
}

/* What a declared type kept as text, and what comes without one, are the same keys. */
static void text_in_a_key_that_widens_becomes_the_integers_it_is(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    feed_columns(feed, "id,v");
    ROW(feed, TEXT("7"), TEXT("7"));
    ROW(feed, TEXT("007"), INT(2));
    ROW(feed, TEXT("-5"), INT(3));
    ROW(feed, TEXT("9223372036854775808"), INT(4));
    feed_save(rig, feed);
    feed_columns(feed, "id,v");
    ROW(feed, INT(7), TEXT("8"));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT id, typeof(id), v, typeof(v) FROM t ORDER BY id",
               "-5|integer|3|integer\n7|integer|8|text\n007|text|2|integer\n"
               "9223372036854775808|text|4|integer");
    rig_expect_sound(rig);
    feed_free(feed);
}

static void another_key_rebuilds_the_table_and_keeps_what_hangs_on_it(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    feed_columns(feed, "id,lang,r");
    ROW(feed, INT(1), TEXT("en"), REAL(1));
    ROW(feed, INT(2), TEXT("en"), REAL(2));
    feed_save(rig, feed);
    rig_exec(rig,
             "ALTER TABLE t ADD COLUMN note TEXT DEFAULT 'n' CHECK (note <> '');"
             "UPDATE t SET note = 'mine' WHERE id = 2;"
             "CREATE INDEX t_lang ON t(lang) -- mine\n;"
             "CREATE VIEW v AS SELECT id FROM t;"
             "CREATE TABLE seen(a);"
             "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO seen VALUES (new.id); END;");
    feed_key(feed, "id,lang");
    feed_columns(feed, "id,lang,r,extra");
    ROW(feed, INT(1), TEXT("de"), INT(9), INT(1));
    ROW(feed, INT(2), TEXT("en"), REAL(3), INT(1));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT id, lang, r, typeof(r), note, extra FROM t ORDER BY id, lang DESC",
               "1|en|1.0|real|n|NULL\n1|de|9|integer|n|1\n2|en|3.0|real|mine|1");
    rig_expect(rig, "SELECT name, pk FROM pragma_table_info('t') WHERE pk > 0", "id|1\nlang|2");
    rig_expect(rig, CHANGES,
               "rekey|NULL|PRIMARY KEY (\"id\")|PRIMARY KEY (\"id\", \"lang\")\n"
               "widen|r|REAL|ANY\nadd_column|extra|NULL|INTEGER");
    rig_expect(rig, "SELECT count(*) FROM v", "3");
    rig_expect(rig, "SELECT a FROM seen", "1"); /* the new row; the copied ones are not new */
    rig_expect(rig, "SELECT name FROM sqlite_schema WHERE tbl_name = 't' ORDER BY 1",
               "g\nsqlite_autoindex_t_1\nt\nt_lang");
    rig_expect_sound(rig);
    feed_free(feed);
}

static void a_key_is_given_and_taken_away_as_the_write_mode_changes(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed_columns(feed, "id");
    ROW(feed, INT(1));
    ROW(feed, INT(2));
    feed_save(rig, feed);
    feed->source.mapping.write_mode = WRITE_UPSERT;
    feed_key(feed, "id");
    feed_columns(feed, "id");
    ROW(feed, INT(2));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT id FROM t", "1\n2");
    rig_expect(rig, TYPES("t") " LIMIT 1", "id|INT");
    feed->source.mapping.write_mode = WRITE_APPEND;
    feed_columns(feed, "id");
    ROW(feed, INT(2));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT id FROM t", "1\n2\n2");
    rig_expect(rig, CHANGES,
               "rekey|NULL|none|PRIMARY KEY (\"id\")\nrekey|NULL|PRIMARY KEY (\"id\")|none");
    rig_expect_sound(rig);
    feed_free(feed);
}

static void a_key_that_the_rows_there_violate_fails_the_run_each_time(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    feed_columns(feed, "id");
    ROW(feed, INT(1));
    ROW(feed, INT(1));
    feed_save(rig, feed);
    feed->source.mapping.write_mode = WRITE_UPSERT;
    feed_key(feed, "id");
    for (int i = 0; i < 3; i++) {
        feed_columns(feed, "id,extra");
        ROW(feed, INT(2), INT(2));
        expect_refused(rig, feed,
                       "table \"t\" cannot have PRIMARY KEY (\"id\"): rows there have equal or "
                       "missing values in it; remove them, or choose another table");
    }
    rig_expect(rig, "SELECT id FROM t", "1\n1");
    rig_expect(rig, "SELECT name FROM pragma_table_info('t') WHERE name = 'extra'", "");
    rig_expect(rig,
               "SELECT consecutive_failures, occurrences FROM _gatherd_sources,"
               " _gatherd_dead_letters",
               "3|3");
    rig_exec(rig, "DELETE FROM t WHERE rowid = 1");
    feed_columns(feed, "id,extra");
    ROW(feed, INT(2), INT(2));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT id, extra FROM t", "1|NULL\n2|2");
    rig_expect_sound(rig);
    feed_free(feed);
}

static void a_key_that_is_part_of_a_column_by_hand_is_not_changed(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    rig_exec(rig, "CREATE TABLE t (id INT PRIMARY KEY, b TEXT) STRICT");
    feed_key(feed, "b");
    feed_columns(feed, "id,b");
    ROW(feed, INT(1), TEXT("x"));
    expect_refused(rig, feed,
                   "table \"t\" was made by hand in a way that gatherd cannot change the primary "
                   "key of; rename it, or choose another table");
    feed_free(feed);
}

#define T(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_table_dropped_by_hand_is_made_again),
        T(a_column_dropped_by_hand_comes_back_with_its_next_value),
        T(a_strict_table_made_by_hand_is_taken_as_it_is),
        T(a_change_that_sqlite_would_not_read_is_refused_before_it_is_made),
        T(what_is_no_strict_table_is_not_written_to),
        T(reserved_table_names_are_refused),
        T(a_keyed_table_has_its_key_inline_and_no_rowid_alias),
        T(a_real_key_that_widens_keeps_its_rows),
        T(text_in_a_key_that_widens_becomes_the_integers_it_is),
        T(another_key_rebuilds_the_table_and_keeps_what_hangs_on_it),
        T(a_key_is_given_and_taken_away_as_the_write_mode_changes),
        T(a_key_that_the_rows_there_violate_fails_the_run_each_time),
        T(a_key_that_is_part_of_a_column_by_hand_is_not_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
