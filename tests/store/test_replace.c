/* write_mode: replace. The table becomes what a complete walk brought, and nothing before its end.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_rig.h"

static const struct pagination pagination = {.type = PAGINATION_CURSOR, .max_pages = 100};

#define COUNTS  "SELECT outcome, failure, records, inserted, updated, unchanged, deleted, rejected"
#define LAST    COUNTS " FROM _gatherd_runs ORDER BY id DESC LIMIT 1"
#define CONTENT "SELECT id, v, _run_id FROM t ORDER BY id"

static struct feed *replacing(struct rig *rig)
{
    struct feed *feed = feed_create(rig, "t", WRITE_REPLACE);

    feed->source.mapping.max_shrink = 50;
    return feed;
}

static struct feed *keyless(struct rig *rig)
{
    struct feed *feed = replacing(rig);

    feed_key(feed, "");
    return feed;
}

/* Rows of ids from `first` to `last`, all with one value. */
static void add_ids(struct feed *feed, int first, int last, const char *value)
{
    if (feed->result.rows.column_count == 0)
        feed_columns(feed, "id,v");
    for (int id = first; id <= last; id++)
        ROW(feed, INT(id),
            ((struct value){.type = VALUE_TEXT, .length = (uint32_t)strlen(value), .text = value}));
}

static void save_ids(struct rig *rig, struct feed *feed, int first, int last, const char *value)
{
    add_ids(feed, first, last, value);
    feed_save(rig, feed);
}

static void begin_pages(struct feed *feed)
{
    feed->source.pagination = &pagination;
    pages_free(feed->run.pages);
    feed->run.pages = pages_create(&pagination);
    assert_non_null(feed->run.pages);
}

/* Commits the rows as a page that another one follows. */
static void save_page(struct rig *rig, struct feed *feed)
{
    assert_int_equal(pages_follow(feed->run.pages, slice_of("x"), 0), 0);
    feed->result.more = true;
    feed_save(rig, feed);
    pages_advance(feed->run.pages);
}

static void free_paged(struct feed *feed)
{
    pages_free(feed->run.pages);
    feed->run.pages = NULL;
    feed_free(feed);
}

static void expect_refused(struct rig *rig, struct feed *feed, const char *why)
{
    struct error err = {0};

    assert_int_equal(feed_commit(rig, feed, &err), STORE_OK);
    assert_int_equal(feed->run.failure, RUN_FAILED_SHRINK);
    assert_string_equal(feed->run.error, why);
    assert_int_equal(feed->result.inserted + feed->result.updated + feed->result.deleted, 0);
    feed_clear(feed);
}

/* --- One response --- */

static void rows_that_did_not_come_again_go(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = replacing(rig);

    save_ids(rig, feed, 1, 4, "a");
    rig_expect(rig, LAST, "success|NULL|4|4|0|0|0|0");
    add_ids(feed, 2, 3, "a");
    add_ids(feed, 4, 5, "b");
    feed_save(rig, feed);
    rig_expect(rig, LAST, "success|NULL|4|1|1|2|1|0");
    rig_expect(rig, CONTENT, "2|a|1\n3|a|1\n4|b|2\n5|b|2");
    feed_free(feed);
}

static void the_same_set_again_writes_nothing(void **state)
{
    struct rig *rig = *state;

    for (int keyed = 0; keyed < 2; keyed++) {
        struct feed *feed = keyed ? replacing(rig) : keyless(rig);
        char *before;

        rig_exec(rig, "DROP TABLE IF EXISTS t");
        save_ids(rig, feed, 1, 50, "a");
        before = rig_query(rig, "SELECT rowid, * FROM t");
        save_ids(rig, feed, 1, 50, "a");
        rig_expect(rig, LAST, "success|NULL|50|0|0|50|0|0");
        rig_expect(rig, "SELECT rowid, * FROM t", before);
        free(before);
        feed_free(feed);
    }
}

static void without_a_key_another_set_is_written_whole(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = keyless(rig);

    add_ids(feed, 1, 2, "a");
    add_ids(feed, 2, 2, "a"); /* twice, and twice it is */
    feed_save(rig, feed);
    save_ids(rig, feed, 1, 2, "a"); /* the beginning of what is there */
    rig_expect(rig, LAST, "success|NULL|2|2|0|0|3|0");
    save_ids(rig, feed, 1, 3, "a"); /* and that with more behind it */
    rig_expect(rig, LAST, "success|NULL|3|3|0|0|2|0");
    save_ids(rig, feed, 1, 3, "a");
    rig_expect(rig, LAST, "success|NULL|3|0|0|3|0|0");
    rig_expect(rig, "SELECT id, v, _run_id FROM t ORDER BY rowid", "1|a|3\n2|a|3\n3|a|3");
    feed_free(feed);
}

static void without_a_key_rows_of_several_runs_are_written_anew(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = keyless(rig);

    feed->source.mapping.write_mode = WRITE_APPEND;
    save_ids(rig, feed, 1, 1, "a");
    save_ids(rig, feed, 2, 2, "a");
    feed->source.mapping.write_mode = WRITE_REPLACE;
    save_ids(rig, feed, 1, 2, "a");
    rig_exec(rig, "INSERT INTO t (id, v) VALUES (3, 'mine')");
    save_ids(rig, feed, 1, 2, "a");
    rig_expect(rig, CONTENT, "1|a|4\n2|a|4");
    feed_free(feed);
}

static void without_a_key_a_member_that_is_gone_makes_other_rows(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = keyless(rig);

    save_ids(rig, feed, 1, 2, "a");
    feed_columns(feed, "id");
    ROW(feed, INT(1));
    ROW(feed, INT(2));
    feed_save(rig, feed);
    rig_expect(rig, CONTENT, "1|NULL|2\n2|NULL|2");
    feed_free(feed);
}

static void a_table_whose_rows_have_no_place_needs_a_key(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = keyless(rig);
    struct error err = {0};

    feed_columns(feed, "rowid,oid,_rowid_");
    ROW(feed, INT(1), INT(1), INT(1));
    assert_int_equal(feed_commit(rig, feed, &err), STORE_OK);
    assert_int_equal(feed->run.failure, RUN_FAILED_STORE);
    assert_string_equal(
        feed->run.error,
        "table \"t\" has columns rowid, _rowid_ and oid, so SQLite has no name left for "
        "its rows; give one of them another name with fields");
    feed_clear(feed);
    feed_columns(feed, "rowid,v");
    ROW(feed, INT(7), INT(1));
    feed_save(rig, feed);
    feed_columns(feed, "rowid,v");
    ROW(feed, INT(7), INT(1));
    ROW(feed, INT(5), INT(1));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT rowid, _run_id FROM t ORDER BY _rowid_", "7|3\n5|3");
    feed_free(feed);
}

static void of_one_key_in_a_response_the_last_record_counts(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = replacing(rig);

    for (int i = 0; i < 2; i++) {
        add_ids(feed, 1, 1, "first");
        add_ids(feed, 2, 2, "a");
        add_ids(feed, 1, 1, "last");
        feed_save(rig, feed);
        rig_expect(rig, CONTENT, "1|last|1\n2|a|1");
    }
    rig_expect(rig, LAST, "success|NULL|3|0|0|3|0|0");
    feed_free(feed);
}

static void a_new_member_makes_a_new_column(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = replacing(rig);

    save_ids(rig, feed, 1, 2, "a");
    feed_columns(feed, "id,v,more");
    ROW(feed, INT(1), TEXT("a"), INT(1));
    ROW(feed, INT(3), REAL(0.5), INT(2));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT id, v, more FROM t", "1|a|1\n3|0.5|2");
    rig_expect_sound(rig);
    feed_free(feed);
}

/* --- Shrinking --- */

static void a_set_that_shrinks_too_much_is_refused_whole(void **state)
{
    struct rig *rig = *state;

    for (int keyed = 0; keyed < 2; keyed++) {
        struct feed *feed = keyed ? replacing(rig) : keyless(rig);
        char *before;

        rig_exec(rig, "DROP TABLE IF EXISTS t");
        save_ids(rig, feed, 1, 10, "a");
        before = rig_query(rig, "SELECT rowid, * FROM t");
        add_ids(feed, 1, 3, "b");
        add_ids(feed, 11, 11, "new");
        expect_refused(rig, feed,
                       "4 records came where table \"t\" has 10, which is more taken away than "
                       "max_shrink (50%) allows; nothing was removed. If they are really gone, "
                       "raise max_shrink");
        rig_expect(rig, LAST, "failed|shrink|4|0|0|0|0|0");
        rig_expect(rig, "SELECT rowid, * FROM t", before);
        rig_expect(rig, "SELECT kind, occurrences FROM _gatherd_dead_letters WHERE id = 1",
                   keyed ? "body|2" : "body|1"); /* it can be looked at */
        free(before);
        feed_free(feed);
    }
}

static void half_may_go_and_by_max_shrink_less_or_more(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = replacing(rig);

    save_ids(rig, feed, 1, 10, "a");
    save_ids(rig, feed, 1, 5, "a");
    feed->source.mapping.max_shrink = 0;
    add_ids(feed, 1, 4, "a");
    expect_refused(rig, feed,
                   "4 records came where table \"t\" has 5, which is more taken away than "
                   "max_shrink (0%) allows; nothing was removed. If they are really gone, raise "
                   "max_shrink");
    save_ids(rig, feed, 11, 15, "b"); /* others, but as many */
    feed->source.mapping.max_shrink = 100;
    feed_columns(feed, "id,v");
    feed_save(rig, feed);
    rig_expect(rig, "SELECT count(*) FROM t", "0");
    rig_expect(rig, LAST, "success|NULL|0|0|0|0|5|0");
    feed_free(feed);
}

static void an_empty_answer_does_not_empty_the_table(void **state)
{
    struct rig *rig = *state;

    for (int keyed = 0; keyed < 2; keyed++) {
        struct feed *feed = keyed ? replacing(rig) : keyless(rig);

        rig_exec(rig, "DROP TABLE IF EXISTS t");
        feed_save(rig, feed); /* of a table that is not there nothing goes */
        save_ids(rig, feed, 1, 1, "a");
        expect_refused(rig, feed,
                       "0 records came where table \"t\" has 1, which is more taken away than "
                       "max_shrink (50%) allows; nothing was removed. If they are really gone, "
                       "raise max_shrink");
        rig_expect(rig, "SELECT count(*) FROM t", "1");
        feed_free(feed);
    }
}

static void a_refused_run_harms_no_other_of_its_batch(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = replacing(rig);
    struct feed *other = feed_create(rig, "other", WRITE_APPEND);
    struct error err = {0};
    struct result results[2];
    struct batch batch = {results, 2};

    save_ids(rig, feed, 1, 10, "a");
    feed_columns(other, "a");
    ROW(other, INT(1));
    add_ids(feed, 1, 1, "b");
    results[0] = feed_result(other);
    results[1] = feed_result(feed);
    assert_int_equal(store_commit(rig->store, &batch, &err), STORE_OK);
    assert_int_equal(results[0].inserted, 1);
    assert_int_equal(feed->run.failure, RUN_FAILED_SHRINK);
    rig_expect(rig, "SELECT count(*) FROM other", "1");
    rig_expect(rig, "SELECT count(*), max(_run_id) FROM t", "10|1");
    rig_expect(rig, "SELECT group_concat(id) FROM _gatherd_runs", "1,2,3");
    feed->run.response.body = other->run.response.body = NULL;
    feed_free(feed);
    feed_free(other);
}

/* --- Answers that are none --- */

static void an_answer_that_is_the_last_one_or_is_ignored_leaves_the_table(void **state)
{
    struct rig *rig = *state;

    for (int keyed = 0; keyed < 2; keyed++) {
        struct feed *feed = keyed ? replacing(rig) : keyless(rig);

        rig_exec(rig, "DROP TABLE IF EXISTS t");
        feed->source.mapping.max_shrink = 100;
        save_ids(rig, feed, 1, 2, "a");
        feed->run.not_modified = true;
        feed_save(rig, feed);
        feed->run.ignored = true;
        feed_save(rig, feed);
        feed->run.ignored = false;
        run_fail(&feed->run, RUN_FAILED_STATUS, "HTTP 500");
        assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
        rig_expect(rig, "SELECT count(*) FROM t", "2");
        feed_free(feed);
    }
}

/* --- Pages --- */

static void nothing_changes_before_the_last_page(void **state)
{
    struct rig *rig = *state;

    for (int keyed = 0; keyed < 2; keyed++) {
        struct feed *feed = keyed ? replacing(rig) : keyless(rig);

        rig_exec(rig, "DROP TABLE IF EXISTS t");
        save_ids(rig, feed, 1, 4, "a");
        begin_pages(feed);
        add_ids(feed, 1, 2, "a");
        save_page(rig, feed);
        rig_expect(rig, "SELECT count(*) FROM t WHERE v = 'a'", "4");
        rig_expect(rig, LAST, "unfinished|NULL|2|0|0|0|0|0");
        add_ids(feed, 3, 3, "b");
        save_page(rig, feed);
        rig_expect(rig, "SELECT count(*) FROM t WHERE v = 'a'", "4");
        save_ids(rig, feed, 5, 6, "c");
        rig_expect(rig, "SELECT id, v FROM t ORDER BY id", "1|a\n2|a\n3|b\n5|c\n6|c");
        rig_expect(rig, LAST, keyed ? "success|NULL|5|2|1|2|1|0" : "success|NULL|5|5|0|0|4|0");
        rig_expect(rig, "SELECT count(DISTINCT _run_id) FROM t", keyed ? "2" : "1");
        free_paged(feed);
    }
    rig_expect_sound(rig);
}

static void a_failed_page_leaves_the_table_whole(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = replacing(rig);

    save_ids(rig, feed, 1, 4, "a");
    for (int i = 0; i < 2; i++) {
        begin_pages(feed);
        add_ids(feed, 5, 9, "b");
        save_page(rig, feed);
        run_fail(&feed->run, RUN_FAILED_STATUS, "HTTP 500");
        assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
        feed_clear(feed);
        rig_expect(rig, "SELECT group_concat(id) FROM t", "1,2,3,4");
    }
    begin_pages(feed); /* nothing is left of what failed */
    add_ids(feed, 1, 2, "c");
    save_page(rig, feed);
    save_ids(rig, feed, 3, 3, "c");
    rig_expect(rig, "SELECT group_concat(id) FROM t", "1,2,3");
    free_paged(feed);
}

static void what_was_interrupted_leaves_the_table_whole(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = replacing(rig);

    save_ids(rig, feed, 1, 4, "a");
    begin_pages(feed);
    add_ids(feed, 5, 9, "b");
    save_page(rig, feed);
    assert_int_equal(store_interrupt(rig->store, run_unfinished_id(&feed->run), "removed", NULL),
                     0);
    rig_expect(rig, LAST, "failed|interrupted|5|0|0|0|0|0");
    begin_pages(feed);
    add_ids(feed, 5, 9, "b");
    save_page(rig, feed);
    rig_close(rig);
    rig_open(rig);
    rig_expect(rig, "SELECT group_concat(id) FROM t", "1,2,3,4");
    rig_expect(rig, LAST, "failed|interrupted|5|0|0|0|0|0");
    free_paged(feed);
}

static void pages_may_differ_in_their_columns(void **state)
{
    struct rig *rig = *state;

    for (int keyed = 0; keyed < 2; keyed++) {
        struct feed *feed = keyed ? replacing(rig) : keyless(rig);

        rig_exec(rig, "DROP TABLE IF EXISTS t");
        for (int i = 0; i < 2; i++) {
            begin_pages(feed);
            feed_columns(feed, "id,a");
            ROW(feed, INT(1), INT(1));
            save_page(rig, feed);
            feed_columns(feed, "id,b");
            ROW(feed, INT(2), BLOB("\x00\xff"));
            save_page(rig, feed);
            feed_columns(feed, "a,id");
            ROW(feed, TEXT("wide"), INT(3));
            ROW(feed, REAL(0.5), INT(4));
            ROW(feed, NUL, INT(5));
            feed_save(rig, feed);
            rig_expect(rig, "SELECT id, a, hex(b) FROM t ORDER BY id",
                       "1|1|\n2|NULL|00FF\n3|wide|\n4|0.5|\n5|NULL|");
        }
        rig_expect(rig, "SELECT count(DISTINCT _run_id) FROM t", "1");
        free_paged(feed);
    }
    rig_expect_sound(rig);
}

static void many_pages_of_many_rows_come_back_as_they_were(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = replacing(rig);
    char text[2000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    begin_pages(feed);
    for (int page = 0; page < 20; page++) {
        add_ids(feed, page * 200, page * 200 + 199, text);
        save_page(rig, feed);
    }
    save_ids(rig, feed, 4000, 4000, "end");
    rig_expect(rig, "SELECT count(*), min(id), max(id), sum(length(v)) FROM t",
               "4001|0|4000|7996003");
    free_paged(feed);
}

static void a_key_on_two_pages_is_one_row(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = replacing(rig);

    save_ids(rig, feed, 1, 3, "a");
    begin_pages(feed);
    add_ids(feed, 1, 2, "a");
    save_page(rig, feed);
    save_ids(rig, feed, 2, 2, "b"); /* as many rows as before, and one is missing */
    rig_expect(rig, "SELECT id, v FROM t", "1|a\n2|b");
    free_paged(feed);
}

static void a_walk_that_shrinks_too_much_is_refused_at_its_end(void **state)
{
    struct rig *rig = *state;

    for (int keyed = 0; keyed < 2; keyed++) {
        struct feed *feed = keyed ? replacing(rig) : keyless(rig);

        rig_exec(rig, "DROP TABLE IF EXISTS t");
        save_ids(rig, feed, 1, 10, "a");
        begin_pages(feed);
        add_ids(feed, 1, 2, "b");
        save_page(rig, feed);
        add_ids(feed, 3, 4, "b");
        expect_refused(rig, feed,
                       "4 records came where table \"t\" has 10, which is more taken away than "
                       "max_shrink (50%) allows; nothing was removed. If they are really gone, "
                       "raise max_shrink");
        rig_expect(rig, LAST, "failed|shrink|4|0|0|0|0|0");
        rig_expect(rig, "SELECT count(*), count(DISTINCT v) FROM t", "10|1");
        free_paged(feed);
    }
}

static void two_walks_at_a_time_do_not_mix(void **state)
{
    struct rig *rig = *state;
    struct feed *a = replacing(rig);
    struct feed *b = feed_create(rig, "b", WRITE_REPLACE);

    begin_pages(a);
    begin_pages(b);
    add_ids(a, 1, 2, "a");
    save_page(rig, a);
    add_ids(b, 11, 12, "b");
    save_page(rig, b);
    save_ids(rig, a, 3, 3, "a");
    save_ids(rig, b, 13, 13, "b");
    rig_expect(rig, "SELECT group_concat(id) FROM t", "1,2,3");
    rig_expect(rig, "SELECT group_concat(id) FROM b", "11,12,13");
    free_paged(a);
    free_paged(b);
}

static void a_last_page_that_is_ignored_ends_the_walk(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = replacing(rig);

    save_ids(rig, feed, 1, 3, "a");
    begin_pages(feed);
    add_ids(feed, 1, 2, "a");
    save_page(rig, feed);
    feed->run.ignored = true;
    feed_save(rig, feed);
    rig_expect(rig, "SELECT group_concat(id) FROM t", "1,2");
    feed->run.ignored = false;
    free_paged(feed);
}

/* --- Rows and transactions that are refused --- */

static void a_row_that_the_table_refuses_goes_to_the_dead_letters_from_any_page(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = replacing(rig);

    save_ids(rig, feed, 1, 3, "a");
    rig_exec(rig, "CREATE TRIGGER no BEFORE INSERT ON t WHEN new.id > 8"
                  " BEGIN SELECT raise(abort, 'too large'); END");
    begin_pages(feed);
    add_ids(feed, 8, 9, "a");
    feed_columns(feed, "extra");
    ROW(feed, NUL, TEXT("keyless"), NUL);
    save_page(rig, feed);
    add_ids(feed, 1, 3, "a");
    add_ids(feed, 10, 10, "a");
    feed_save(rig, feed);
    rig_expect(rig, "SELECT group_concat(id) FROM t", "1,2,3,8");
    rig_expect(rig, "SELECT outcome, rejected, inserted FROM _gatherd_runs WHERE id = 2",
               "partial|3|1");
    rig_expect(rig,
               "SELECT page, position, line, column, reason, content FROM _gatherd_dead_letters",
               "1|1|2|1|too large|{\"row\":1}\n"
               "1|2|3|1|primary key \"id\" is missing|{\"row\":2}\n"
               "2|3|4|1|too large|{\"row\":3}");
    free_paged(feed);
}

static void a_trigger_that_keeps_rows_fails_the_run_and_leaves_the_table(void **state)
{
    static const char *const ways[] = {"abort", "rollback"};
    struct rig *rig = *state;

    for (int i = 0; i < 4; i++) {
        struct feed *feed = i % 2 == 0 ? replacing(rig) : keyless(rig);
        struct error err = {0};
        char sql[200];

        rig_exec(rig, "DROP TABLE IF EXISTS t");
        save_ids(rig, feed, 1, 3, "a");
        snprintf(sql, sizeof(sql),
                 "CREATE TRIGGER no BEFORE DELETE ON t BEGIN SELECT raise(%s, 'kept'); END",
                 ways[i / 2]);
        rig_exec(rig, sql);
        add_ids(feed, 2, 3, "b");
        assert_int_equal(feed_commit(rig, feed, &err), STORE_OK);
        assert_int_equal(feed->run.failure, RUN_FAILED_STORE);
        assert_string_equal(feed->run.error, "table \"t\": kept");
        rig_expect(rig, "SELECT count(*), count(DISTINCT v) FROM t", "3|1");
        feed_clear(feed);
        feed_free(feed);
    }
}

/* --- Items --- */

static void each_item_replaces_its_own_rows(void **state)
{
    static const char *const names[] = {"repo"};
    struct rig *rig = *state;

    for (int keyed = 0; keyed < 2; keyed++) {
        struct feed *feed = keyed ? replacing(rig) : keyless(rig);
        struct items *items = items_create(names, 1);

        rig_exec(rig, "DROP TABLE IF EXISTS t; DELETE FROM _gatherd_runs");
        if (keyed)
            feed_key(feed, "_item_repo,id");
        for (size_t i = 0; i < 2; i++) {
            const struct item_value value = {.type = ITEM_VALUE_TEXT,
                                             .text = slice_of(i == 0 ? "x" : "y")};

            assert_int_equal(items_add(items, &value, NULL), 0);
        }
        items_seal(items);
        feed->run.items = items;
        for (size_t i = 0; i < 4; i++) {
            int last = i < 2 ? 4 : 2; /* each loses half of its rows */

            feed->run.item = &items->list[i % 2];
            feed_columns(feed, "_item_repo,id,v");
            for (int id = 1; id <= last; id++)
                ROW(feed, i % 2 == 0 ? TEXT("x") : TEXT("y"), INT(id), TEXT("a"));
            feed_save(rig, feed);
        }
        rig_expect(rig, "SELECT _item_repo, group_concat(id) FROM t GROUP BY 1", "x|1,2\ny|1,2");
        rig_expect(rig, "SELECT sum(deleted), sum(inserted) FROM _gatherd_runs",
                   keyed ? "4|8" : "8|12");
        feed->run.item = &items->list[1];
        expect_refused(rig, feed,
                       "0 records came where table \"t\" has 2, which is more taken away than "
                       "max_shrink (50%) allows; nothing was removed. If they are really gone, "
                       "raise max_shrink");
        feed->source.mapping.max_shrink = 100;
        feed_save(rig, feed);
        rig_expect(rig, "SELECT _item_repo, group_concat(id) FROM t GROUP BY 1", "x|1,2");
        feed->run.item = NULL;
        feed->run.items = NULL;
        items_unref(items);
        feed_free(feed);
    }
}

static void the_round_that_finds_the_items_misses_nothing(void **state)
{
    static const struct for_each for_each = {.max_items = 10};
    struct rig *rig = *state;
    struct feed *feed = replacing(rig);

    feed->source.mapping.max_shrink = 100;
    save_ids(rig, feed, 1, 2, "a");
    feed->source.for_each = &for_each;
    feed_save(rig, feed);
    rig_expect(rig, "SELECT count(*) FROM t", "2");
    feed_free(feed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_that_did_not_come_again_go),
        TEST(the_same_set_again_writes_nothing),
        TEST(without_a_key_another_set_is_written_whole),
        TEST(without_a_key_rows_of_several_runs_are_written_anew),
        TEST(without_a_key_a_member_that_is_gone_makes_other_rows),
        TEST(a_table_whose_rows_have_no_place_needs_a_key),
        TEST(of_one_key_in_a_response_the_last_record_counts),
        TEST(a_new_member_makes_a_new_column),
        TEST(a_set_that_shrinks_too_much_is_refused_whole),
        TEST(half_may_go_and_by_max_shrink_less_or_more),
        TEST(an_empty_answer_does_not_empty_the_table),
        TEST(a_refused_run_harms_no_other_of_its_batch),
        TEST(an_answer_that_is_the_last_one_or_is_ignored_leaves_the_table),
        TEST(nothing_changes_before_the_last_page),
        TEST(a_failed_page_leaves_the_table_whole),
        TEST(what_was_interrupted_leaves_the_table_whole),
        TEST(pages_may_differ_in_their_columns),
        TEST(many_pages_of_many_rows_come_back_as_they_were),
        TEST(a_key_on_two_pages_is_one_row),
        TEST(a_walk_that_shrinks_too_much_is_refused_at_its_end),
        TEST(two_walks_at_a_time_do_not_mix),
        TEST(a_last_page_that_is_ignored_ends_the_walk),
        TEST(a_row_that_the_table_refuses_goes_to_the_dead_letters_from_any_page),
        TEST(a_trigger_that_keeps_rows_fails_the_run_and_leaves_the_table),
        TEST(each_item_replaces_its_own_rows),
        TEST(the_round_that_finds_the_items_misses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
