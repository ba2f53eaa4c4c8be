/* on_missing: what becomes of rows that a complete walk did not bring. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/clock.h"
#include "store_rig.h"

static const struct pagination pagination = {.type = PAGINATION_CURSOR, .max_pages = 100};

#define LAST                                                                                    \
    "SELECT outcome, failure, inserted, updated, unchanged, deleted, marked FROM _gatherd_runs" \
    " ORDER BY id DESC LIMIT 1"

static struct feed *feed_of(struct rig *rig, enum missing_rows on_missing)
{
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    feed->source.mapping.on_missing = on_missing;
    feed->source.mapping.max_shrink = 50;
    return feed;
}

static void add_ids(struct feed *feed, int first, int last, int value)
{
    if (feed->result.rows.column_count == 0)
        feed_columns(feed, "id,v");
    for (int id = first; id <= last; id++)
        ROW(feed, INT(id), INT(value));
}

static void save_ids(struct rig *rig, struct feed *feed, int first, int last, int value)
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

/* --- delete --- */

static void what_is_missing_is_deleted(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_of(rig, MISSING_DELETE);

    save_ids(rig, feed, 1, 4, 1);
    save_ids(rig, feed, 3, 5, 1);
    rig_expect(rig, LAST, "success|NULL|1|0|2|2|0");
    rig_expect(rig, "SELECT id, _run_id FROM t", "3|1\n4|1\n5|2");
    feed_free(feed);
}

static void deleting_most_of_the_table_fails_the_run(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_of(rig, MISSING_DELETE);

    save_ids(rig, feed, 1, 10, 1);
    add_ids(feed, 1, 4, 2);
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    assert_int_equal(feed->run.failure, RUN_FAILED_SHRINK);
    rig_expect(rig, LAST, "failed|shrink|0|0|0|0|0");
    rig_expect(rig, "SELECT count(*), max(v) FROM t", "10|1");
    feed_clear(feed);
    feed_free(feed);
}

static void keys_of_several_columns_and_odd_values_are_told_apart(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_of(rig, MISSING_DELETE);

    feed_key(feed, "a,b");
    feed_columns(feed, "a,b");
    ROW(feed, INT(1), TEXT("x"));
    ROW(feed, TEXT("1"), TEXT("x"));
    ROW(feed, INT(1), TEXT("x\0y"));
    ROW(feed, REAL(1.5), TEXT(""));
    ROW(feed, BLOB("\xff"), TEXT("'"));
    feed_save(rig, feed);
    feed_columns(feed, "a,b");
    ROW(feed, TEXT("1"), TEXT("x"));
    ROW(feed, INT(1), TEXT("x\0y"));
    ROW(feed, BLOB("\xff"), TEXT("'"));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT quote(a), hex(b) FROM t ORDER BY a", "1|780079\n'1'|78\nX'FF'|27");
    feed_free(feed);
}

static void a_key_that_the_table_compares_in_its_own_way_is_seen(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_of(rig, MISSING_DELETE);

    rig_exec(rig, "CREATE TABLE t (id TEXT COLLATE NOCASE PRIMARY KEY, v INT) STRICT;"
                  "INSERT INTO t VALUES ('ABC', 1), ('gone', 1)");
    for (int i = 0; i < 2; i++) {
        feed_columns(feed, "id,v");
        ROW(feed, TEXT("abc"), INT(1));
        feed_save(rig, feed);
        rig_expect(rig, "SELECT id FROM t", "ABC");
    }
    feed_free(feed);
}

static void a_row_that_is_refused_is_there_all_the_same(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_of(rig, MISSING_DELETE);

    save_ids(rig, feed, 1, 4, 1);
    rig_exec(rig, "CREATE TRIGGER no BEFORE UPDATE ON t WHEN new.id = 2"
                  " BEGIN SELECT raise(abort, 'not this one'); END");
    save_ids(rig, feed, 1, 3, 2);
    rig_expect(rig, "SELECT id, v FROM t", "1|2\n2|1\n3|2");
    rig_expect(rig, LAST, "partial|NULL|0|2|0|1|0");
    feed_free(feed);
}

static void a_trigger_that_keeps_rows_fails_the_run(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_of(rig, MISSING_DELETE);

    save_ids(rig, feed, 1, 4, 1);
    rig_exec(rig, "CREATE TRIGGER no BEFORE DELETE ON t BEGIN SELECT raise(abort, 'kept'); END");
    add_ids(feed, 1, 3, 2);
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    assert_int_equal(feed->run.failure, RUN_FAILED_STORE);
    assert_string_equal(feed->run.error, "table \"t\": kept");
    rig_expect(rig, "SELECT count(*), max(v) FROM t", "4|1");
    feed_clear(feed);
    feed_free(feed);
}

/* --- mark --- */

static void what_is_missing_is_marked_once_and_the_mark_goes_when_it_is_back(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_of(rig, MISSING_MARK);
    char *since;

    save_ids(rig, feed, 1, 3, 1);
    save_ids(rig, feed, 1, 1, 1); /* no limit: nothing is lost */
    rig_expect(rig, LAST, "success|NULL|0|0|1|0|2");
    rig_expect(rig, "SELECT id, _missing_since IS NOT NULL, _run_id FROM t", "1|0|1\n2|1|1\n3|1|1");
    since = rig_query(rig, "SELECT _missing_since FROM t WHERE id = 3");
    save_ids(rig, feed, 1, 2, 1);
    rig_expect(rig, LAST, "success|NULL|0|1|1|0|0");
    rig_expect(rig, "SELECT id, _missing_since IS NOT NULL, _run_id FROM t", "1|0|1\n2|0|3\n3|1|1");
    rig_expect(rig, "SELECT _missing_since FROM t WHERE id = 3", since);
    free(since);
    save_ids(rig, feed, 1, 2, 1);
    rig_expect(rig, LAST, "success|NULL|0|0|2|0|0");
    feed_free(feed);
}

static void a_mark_goes_even_when_nothing_is_marked_any_more(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_of(rig, MISSING_MARK);

    save_ids(rig, feed, 1, 2, 1);
    save_ids(rig, feed, 1, 1, 1);
    feed->source.mapping.on_missing = MISSING_KEEP;
    save_ids(rig, feed, 1, 2, 1);
    rig_expect(rig, "SELECT count(*) FROM t WHERE _missing_since IS NULL", "2");
    feed_free(feed);
}

static void a_member_of_the_name_of_the_mark_gets_a_suffix(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_of(rig, MISSING_MARK);

    for (int i = 0; i < 2; i++) {
        feed_columns(feed, "id,_missing_since");
        ROW(feed, INT(i), TEXT("theirs"));
        feed_save(rig, feed);
    }
    rig_expect(rig, "SELECT id, _missing_since IS NULL, _missing_since_2 FROM t",
               "0|0|theirs\n1|1|theirs");
    feed_free(feed);
}

/* --- Walks that cannot tell --- */

static void what_cannot_tell_changes_nothing(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_of(rig, MISSING_DELETE);
    const struct node record = {.type = NODE_NULL, .span = 1, .raw = "null", .raw_length = 4};
    const struct dead_letter letter = {.record = &record, .reason = "no number"};

    feed->source.mapping.max_shrink = 100;
    save_ids(rig, feed, 1, 4, 1);
    feed->run.not_modified = true;
    feed_save(rig, feed);
    feed->run.ignored = true;
    feed_save(rig, feed);
    feed->run.ignored = false;
    feed->result.dead_letters = &letter; /* one of the four, which one is not known */
    feed->result.dead_letter_count = 1;
    save_ids(rig, feed, 1, 3, 1);
    rig_expect(rig, LAST, "partial|NULL|0|0|3|0|0");
    rig_expect(rig, "SELECT count(*) FROM t", "4");
    feed_save(rig, feed); /* no content, and that is an answer */
    rig_expect(rig, "SELECT count(*) FROM t", "0");
    feed_free(feed);
}

static void the_keys_of_all_pages_count(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_of(rig, MISSING_DELETE);

    save_ids(rig, feed, 1, 6, 1);
    begin_pages(feed);
    add_ids(feed, 1, 2, 2);
    save_page(rig, feed);
    rig_expect(rig, "SELECT count(*), max(v) FROM t", "6|2");
    rig_exec(rig, "VACUUM"); /* which gives rows other places */
    save_ids(rig, feed, 5, 7, 1);
    rig_expect(rig, LAST, "success|NULL|1|2|2|2|0");
    rig_expect(rig, "SELECT group_concat(id) FROM t", "1,2,5,6,7");
    free_paged(feed);
}

/* With the square of the length this would take minutes. */
static void a_long_walk_is_settled_in_a_moment(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_of(rig, MISSING_DELETE);
    int64_t start = clock_monotonic_ms();

    save_ids(rig, feed, 1, 40000, 1);
    begin_pages(feed);
    add_ids(feed, 1, 20000, 1);
    save_page(rig, feed);
    save_ids(rig, feed, 20002, 40000, 1);
    rig_expect(rig, LAST, "success|NULL|0|0|39999|1|0");
    assert_true(clock_monotonic_ms() - start < 40000);
    free_paged(feed);
}

static void a_page_with_a_rejected_record_makes_the_walk_one_that_cannot_tell(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_of(rig, MISSING_DELETE);
    const struct node record = {.type = NODE_NULL, .span = 1, .raw = "null", .raw_length = 4};
    const struct dead_letter letter = {.record = &record, .reason = "no number"};

    save_ids(rig, feed, 1, 4, 1);
    begin_pages(feed);
    add_ids(feed, 1, 2, 1);
    feed->result.dead_letters = &letter;
    feed->result.dead_letter_count = 1;
    save_page(rig, feed);
    save_ids(rig, feed, 3, 3, 1);
    rig_expect(rig, "SELECT count(*) FROM t", "4");
    begin_pages(feed);
    add_ids(feed, 1, 2, 1);
    save_page(rig, feed);
    save_ids(rig, feed, 3, 3, 1);
    rig_expect(rig, "SELECT count(*) FROM t", "3");
    free_paged(feed);
}

static void a_walk_that_fails_or_is_interrupted_takes_nothing_away(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_of(rig, MISSING_DELETE);

    save_ids(rig, feed, 1, 4, 1);
    begin_pages(feed);
    add_ids(feed, 1, 2, 1);
    save_page(rig, feed);
    run_fail(&feed->run, RUN_FAILED_STATUS, "HTTP 500");
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    feed_clear(feed);
    begin_pages(feed);
    add_ids(feed, 3, 4, 1);
    save_page(rig, feed);
    assert_int_equal(store_interrupt(rig->store, run_unfinished_id(&feed->run), "gone", NULL), 0);
    rig_expect(rig, "SELECT count(*) FROM t", "4");
    begin_pages(feed); /* what the walks before have seen is forgotten */
    add_ids(feed, 2, 2, 1);
    save_page(rig, feed);
    save_ids(rig, feed, 4, 4, 1);
    rig_expect(rig, "SELECT group_concat(id) FROM t", "2,4");
    free_paged(feed);
}

static void a_walk_that_takes_too_much_away_fails_and_earlier_pages_stay(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_of(rig, MISSING_DELETE);

    save_ids(rig, feed, 1, 10, 1);
    begin_pages(feed);
    add_ids(feed, 1, 2, 2);
    save_page(rig, feed);
    add_ids(feed, 3, 4, 2);
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    assert_int_equal(feed->run.failure, RUN_FAILED_SHRINK);
    rig_expect(rig, "SELECT count(*), sum(v) FROM t", "10|12");
    feed_clear(feed);
    free_paged(feed);
}

static void rows_that_the_walk_itself_has_added_do_not_count_as_old(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_of(rig, MISSING_DELETE);

    save_ids(rig, feed, 1, 2, 1);
    begin_pages(feed);
    add_ids(feed, 11, 12, 1);
    save_page(rig, feed);
    save_ids(rig, feed, 13, 13, 1);
    rig_expect(rig, "SELECT group_concat(id) FROM t", "11,12,13");
    free_paged(feed);
}

/* --- Items --- */

static void an_item_misses_its_own_rows_alone(void **state)
{
    static const char *const names[] = {"a", "b"};
    struct rig *rig = *state;
    struct feed *feed = feed_of(rig, MISSING_DELETE);
    struct items *items = items_create(names, 2);
    const struct item_value values[] = {
        {.type = ITEM_VALUE_INTEGER, .text = slice_of("1"), .integer = 1},
        {.type = ITEM_VALUE_REAL, .text = slice_of("0.5"), .real = 0.5},
        {.type = ITEM_VALUE_INTEGER, .text = slice_of("1"), .integer = 1},
        {.type = ITEM_VALUE_REAL, .text = slice_of("1.5"), .real = 1.5},
    };

    assert_int_equal(items_add(items, values, NULL), 0);
    assert_int_equal(items_add(items, values + 2, NULL), 0);
    items_seal(items);
    feed->run.items = items;
    for (size_t i = 0; i < 4; i++) {
        feed->run.item = &items->list[i % 2];
        feed_columns(feed, "_item_a,_item_b,id");
        for (int id = i < 2 ? 1 : 2; id <= 2; id++)
            ROW(feed, INT(1), REAL(i % 2 == 0 ? 0.5 : 1.5), INT(id + 10 * (int)(i % 2)));
        feed_save(rig, feed);
    }
    rig_expect(rig, "SELECT _item_b, id FROM t", "0.5|2\n1.5|12");
    feed->run.item = NULL;
    feed->run.items = NULL;
    items_unref(items);
    feed_free(feed);
}

static void the_round_that_finds_the_items_misses_nothing(void **state)
{
    static const struct for_each for_each = {.max_items = 10};
    struct rig *rig = *state;
    struct feed *feed = feed_of(rig, MISSING_DELETE);

    feed->source.mapping.max_shrink = 100;
    save_ids(rig, feed, 1, 2, 1);
    feed->source.for_each = &for_each;
    feed_save(rig, feed);
    rig_expect(rig, "SELECT count(*) FROM t", "2");
    feed_free(feed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_missing_is_deleted),
        TEST(deleting_most_of_the_table_fails_the_run),
        TEST(keys_of_several_columns_and_odd_values_are_told_apart),
        TEST(a_key_that_the_table_compares_in_its_own_way_is_seen),
        TEST(a_row_that_is_refused_is_there_all_the_same),
        TEST(a_trigger_that_keeps_rows_fails_the_run),
        TEST(what_is_missing_is_marked_once_and_the_mark_goes_when_it_is_back),
        TEST(a_mark_goes_even_when_nothing_is_marked_any_more),
        TEST(a_member_of_the_name_of_the_mark_gets_a_suffix),
        TEST(what_cannot_tell_changes_nothing),
        TEST(the_keys_of_all_pages_count),
        TEST(a_long_walk_is_settled_in_a_moment),
        TEST(a_page_with_a_rejected_record_makes_the_walk_one_that_cannot_tell),
        TEST(a_walk_that_fails_or_is_interrupted_takes_nothing_away),
        TEST(a_walk_that_takes_too_much_away_fails_and_earlier_pages_stay),
        TEST(rows_that_the_walk_itself_has_added_do_not_count_as_old),
        TEST(an_item_misses_its_own_rows_alone),
        TEST(the_round_that_finds_the_items_misses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
