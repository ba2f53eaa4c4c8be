/* _gatherd_state: what a source remembers moves with its rows, and goes when it is not true. */
#include "test.h"

#include "store_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE   "SELECT source_id, item, etag, last_modified, body_hash, run_id FROM _gatherd_state"
#define NOTHING "1||NULL|NULL|NULL|NULL"

static int setup(void **state)
{
    struct rig *rig = rig_make();

    rig_open(rig);
    *state = rig;
    return 0;
}

static struct feed *make_feed(struct rig *rig)
{
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);

    feed->source.answer_fingerprint = UINT64_MAX - 1; /* negative, as SQLite sees it */
    return feed;
}

static void learn(struct feed *feed, const char *etag, const char *last_modified)
{
    feed->run.learned = validators_create(slice_of(etag), slice_of(last_modified));
    assert_non_null(feed->run.learned);
    feed->run.learned->fingerprint = feed->source.answer_fingerprint;
    feed->run.learned->request = 65535;
}

/* A run of one row. */
static void save_row(struct rig *rig, struct feed *feed, int64_t value)
{
    feed_columns(feed, "id,v");
    ROW(feed, INT(1), INT(value));
    feed_save(rig, feed);
}

/* A 304. */
static void save_not_modified(struct rig *rig, struct feed *feed)
{
    feed->run.not_modified = true;
    feed->run.response.status = 304;
    feed_save(rig, feed);
    feed->run.response.status = 0;
}

/* What the next start finds. */
static struct validators *load(struct rig *rig, const struct feed *feed)
{
    struct source source = feed->source;
    struct config config = {.sources = &source, .source_count = 1};
    struct source_state saved;

    assert_int_equal(store_register(rig->store, &config, &saved, NULL), 0);
    return saved.state.validators;
}

static void expect_loaded_nothing(struct rig *rig, const struct feed *feed)
{
    struct validators *loaded = load(rig, feed);

    assert_null(loaded);
}

/* Saving */

static void a_source_with_nothing_to_remember_has_no_row(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);

    save_row(rig, feed, 1);
    rig_expect(rig, "SELECT count(*) FROM _gatherd_state", "0");
    assert_null(feed->run.state.validators);
    expect_loaded_nothing(rig, feed);
    feed_free(feed);
}

static void what_was_learned_is_saved_with_the_rows_and_taken_by_the_run(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);
    struct validators *learned;

    learn(feed, "W/\"a\"", "Sun, 06 Nov 1994 08:49:37 GMT");
    learned = feed->run.learned;
    learned->has_body_hash = true;
    learned->body_hash = (struct hash128){.low = 0xabc, .high = 1};
    save_row(rig, feed, 1);
    assert_ptr_equal(feed->run.state.validators, learned);
    rig_expect(rig, STATE,
               "1||W/\"a\"|Sun, 06 Nov 1994 08:49:37 GMT|00000000000000010000000000000abc|1");
    rig_expect(rig, "SELECT not_modified FROM _gatherd_runs", "0");
    feed_free(feed);
}

static void the_next_start_finds_what_was_saved(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);
    struct validators *loaded;

    learn(feed, "\"a\"", "Sun, 06 Nov 1994 08:49:37 GMT");
    feed->run.learned->has_body_hash = true;
    feed->run.learned->body_hash = (struct hash128){.low = UINT64_MAX, .high = 0x123456789abcdef};
    save_row(rig, feed, 1);
    rig_close(rig);
    rig_open(rig);
    loaded = load(rig, feed);
    assert_true(validators_same(loaded, feed->run.state.validators));
    validators_free(loaded);
    feed_free(feed);
}

static void a_tag_that_is_no_utf8_is_kept_byte_for_byte(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);
    struct validators *loaded;

    learn(feed, "\"\xe9\xff\"", NULL);
    save_row(rig, feed, 1);
    rig_expect(rig, "SELECT typeof(etag), hex(etag) FROM _gatherd_state", "blob|22E9FF22");
    loaded = load(rig, feed);
    assert_non_null(loaded);
    assert_string_equal(loaded->etag, "\"\xe9\xff\"");
    validators_free(loaded);
    feed_free(feed);
}

static void what_stays_the_same_is_not_written_again(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);

    learn(feed, "\"a\"", NULL);
    save_row(rig, feed, 1);
    learn(feed, "\"a\"", NULL);
    save_row(rig, feed, 2);
    rig_expect(rig, STATE, "1||\"a\"|NULL|NULL|1");
    learn(feed, "\"b\"", NULL);
    save_row(rig, feed, 3);
    rig_expect(rig, STATE, "1||\"b\"|NULL|NULL|3");
    feed_free(feed);
}

static void each_source_has_its_own(void **state)
{
    struct rig *rig = *state;
    struct feed *a = feed_create(rig, "a", WRITE_UPSERT);
    struct feed *b = feed_create(rig, "b", WRITE_UPSERT);

    learn(a, "\"a\"", NULL);
    save_row(rig, a, 1);
    learn(b, "\"b\"", NULL);
    save_row(rig, b, 1);
    rig_expect(rig, "SELECT source_id, etag FROM _gatherd_state ORDER BY 1", "1|\"a\"\n2|\"b\"");
    feed_free(a);
    feed_free(b);
}

/* What becomes of it */

static void an_answer_without_validators_makes_the_old_ones_void(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);

    learn(feed, "\"a\"", NULL);
    save_row(rig, feed, 1);
    save_row(rig, feed, 2);
    rig_expect(rig, STATE, NOTHING);
    assert_null(feed->run.state.validators);
    expect_loaded_nothing(rig, feed);
    feed_free(feed);
}

static void a_304_changes_nothing_but_is_on_record(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);

    learn(feed, "\"a\"", NULL);
    save_row(rig, feed, 1);
    save_not_modified(rig, feed);
    rig_expect(rig, STATE, "1||\"a\"|NULL|NULL|1");
    assert_non_null(feed->run.state.validators);
    rig_expect(rig, "SELECT outcome, http_status, not_modified FROM _gatherd_runs WHERE id = 2",
               "success|304|1");
    feed_free(feed);
}

static void the_same_body_with_another_tag_moves_the_tag_on(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);

    learn(feed, "\"a\"", NULL);
    save_row(rig, feed, 1);
    learn(feed, "\"b\"", NULL);
    feed->run.not_modified = true;
    feed_save(rig, feed);
    rig_expect(rig, STATE, "1||\"b\"|NULL|NULL|2");
    rig_expect(rig, "SELECT outcome, not_modified FROM _gatherd_runs WHERE id = 2", "success|1");
    feed_free(feed);
}

static void a_run_that_failed_leaves_the_old_ones(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);

    learn(feed, "\"a\"", NULL);
    save_row(rig, feed, 1);
    learn(feed, "\"b\"", NULL);
    feed->run.failure = RUN_FAILED_DECODE;
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    feed_clear(feed);
    rig_expect(rig, STATE, "1||\"a\"|NULL|NULL|1");
    assert_string_equal(feed->run.state.validators->etag, "\"a\"");
    feed_free(feed);
}

static void an_answer_that_is_not_for_the_table_leaves_the_old_ones(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);

    learn(feed, "\"a\"", NULL);
    save_row(rig, feed, 1);
    feed->run.ignored = true;
    feed_save(rig, feed);
    rig_expect(rig, STATE, "1||\"a\"|NULL|NULL|1");
    assert_non_null(feed->run.state.validators);
    feed_free(feed);
}

static void a_run_that_its_table_refuses_leaves_the_old_ones(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);

    learn(feed, "\"a\"", NULL);
    save_row(rig, feed, 1);
    rig_exec(rig, "DROP TABLE t; CREATE VIEW t AS SELECT 1 AS id, 2 AS v");
    learn(feed, "\"b\"", NULL);
    feed_columns(feed, "id,v");
    ROW(feed, INT(1), INT(2));
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    assert_int_equal(feed->run.failure, RUN_FAILED_STORE);
    feed_clear(feed);
    rig_expect(rig, STATE, "1||\"a\"|NULL|NULL|1");
    feed_free(feed);
}

static void a_run_with_rejected_records_is_asked_for_again(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);

    learn(feed, "\"a\"", NULL);
    save_row(rig, feed, 1);
    rig_exec(rig, "CREATE UNIQUE INDEX one ON t (v)");
    learn(feed, "\"b\"", NULL);
    feed_columns(feed, "id,v");
    ROW(feed, INT(2), INT(1));
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    assert_int_equal(feed->result.rejected, 1);
    feed_clear(feed);
    rig_expect(rig, STATE, NOTHING);
    assert_null(feed->run.state.validators);
    feed_free(feed);
}

static void a_page_that_is_followed_by_others_leaves_nothing(void **state)
{
    static const struct pagination pagination = {.type = PAGINATION_CURSOR, .max_pages = 10};
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);

    learn(feed, "\"a\"", NULL);
    save_row(rig, feed, 1);
    feed->source.pagination = &pagination;
    feed->run.pages = pages_create(&pagination);
    feed->result.more = true;
    save_row(rig, feed, 2);
    rig_expect(rig, STATE, NOTHING);
    rig_expect(rig, "SELECT outcome FROM _gatherd_runs WHERE id = 2", "unfinished");
    assert_null(feed->run.state.validators);
    pages_free(feed->run.pages);
    feed->run.pages = NULL;
    feed_free(feed);
}

/* Tables that were dropped */

static void after_a_start_without_its_table_a_source_remembers_nothing(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);

    learn(feed, "\"a\"", NULL);
    save_row(rig, feed, 1);
    rig_exec(rig, "DROP TABLE t");
    expect_loaded_nothing(rig, feed);
    rig_expect(rig, STATE, NOTHING);
    feed_free(feed);
}

static void a_304_without_its_table_makes_the_validators_void(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);

    learn(feed, "\"a\"", NULL);
    save_row(rig, feed, 1);
    rig_exec(rig, "DROP TABLE t");
    save_not_modified(rig, feed);
    rig_expect(rig, STATE, NOTHING);
    assert_null(feed->run.state.validators);
    learn(feed, "\"a\"", NULL);
    save_row(rig, feed, 1);
    rig_expect(rig, STATE, "1||\"a\"|NULL|NULL|3");
    rig_expect(rig, "SELECT id, v FROM t", "1|1");
    feed_free(feed);
}

static void the_same_body_without_its_table_makes_the_validators_void(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);

    learn(feed, "\"a\"", NULL);
    save_row(rig, feed, 1);
    rig_exec(rig, "DROP TABLE t");
    learn(feed, "\"b\"", NULL);
    feed->run.not_modified = true;
    feed_save(rig, feed);
    rig_expect(rig, STATE, NOTHING);
    feed_free(feed);
}

static void a_table_that_never_was_is_not_missed(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);
    struct validators *loaded;

    learn(feed, "\"empty\"", NULL);
    feed_save(rig, feed); /* no records, so no table */
    save_not_modified(rig, feed);
    loaded = load(rig, feed);
    assert_non_null(loaded);
    validators_free(loaded);
    feed_free(feed);
}

static void rows_that_were_deleted_are_not_missed(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);

    learn(feed, "\"a\"", NULL);
    save_row(rig, feed, 1);
    rig_exec(rig, "DELETE FROM t");
    save_not_modified(rig, feed);
    assert_non_null(feed->run.state.validators);
    feed_free(feed);
}

/* Roll-backs and damage */

static void a_commit_that_is_rolled_back_leaves_run_and_table_as_they_were(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);
    struct error err = {0};

    learn(feed, "\"a\"", NULL);
    save_row(rig, feed, 1);
    rig_exec(rig, "CREATE TRIGGER stop BEFORE UPDATE ON _gatherd_sources"
                  " BEGIN SELECT raise(ABORT, 'not now'); END");
    learn(feed, "\"b\"", NULL);
    feed_columns(feed, "id,v");
    ROW(feed, INT(1), INT(2));
    assert_int_equal(feed_commit(rig, feed, &err), STORE_FATAL);
    assert_string_equal(feed->run.state.validators->etag, "\"a\"");
    assert_string_equal(feed->run.learned->etag, "\"b\"");
    rig_expect(rig, STATE, "1||\"a\"|NULL|NULL|1");
    rig_exec(rig, "DROP TRIGGER stop");
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    assert_string_equal(feed->run.state.validators->etag, "\"b\"");
    assert_null(feed->run.learned);
    rig_expect(rig, STATE, "1||\"b\"|NULL|NULL|2");
    feed_clear(feed);
    feed_free(feed);
}

static void a_hash_that_people_spoiled_is_none(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = make_feed(rig);
    struct validators *loaded;

    learn(feed, "\"a\"", NULL);
    save_row(rig, feed, 1);
    rig_exec(rig, "UPDATE _gatherd_state SET body_hash = 'x', etag = x'2261002262'");
    loaded = load(rig, feed);
    assert_non_null(loaded);
    assert_false(loaded->has_body_hash);
    assert_string_equal(loaded->etag, "\"a");
    validators_free(loaded);
    feed_free(feed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_source_with_nothing_to_remember_has_no_row),
        TEST(what_was_learned_is_saved_with_the_rows_and_taken_by_the_run),
        TEST(the_next_start_finds_what_was_saved),
        TEST(a_tag_that_is_no_utf8_is_kept_byte_for_byte),
        TEST(what_stays_the_same_is_not_written_again),
        TEST(each_source_has_its_own),
        TEST(an_answer_without_validators_makes_the_old_ones_void),
        TEST(a_304_changes_nothing_but_is_on_record),
        TEST(the_same_body_with_another_tag_moves_the_tag_on),
        TEST(a_run_that_failed_leaves_the_old_ones),
        TEST(an_answer_that_is_not_for_the_table_leaves_the_old_ones),
        TEST(a_run_that_its_table_refuses_leaves_the_old_ones),
        TEST(a_run_with_rejected_records_is_asked_for_again),
        TEST(a_page_that_is_followed_by_others_leaves_nothing),
        TEST(after_a_start_without_its_table_a_source_remembers_nothing),
        TEST(a_304_without_its_table_makes_the_validators_void),
        TEST(the_same_body_without_its_table_makes_the_validators_void),
        TEST(a_table_that_never_was_is_not_missed),
        TEST(rows_that_were_deleted_are_not_missed),
        TEST(a_commit_that_is_rolled_back_leaves_run_and_table_as_they_were),
        TEST(a_hash_that_people_spoiled_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
