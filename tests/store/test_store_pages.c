/* Runs of many pages in the store: what each page leaves, and what is taken back. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/log.h"
#include "store_rig.h"

static const struct pagination pagination = {.type = PAGINATION_CURSOR, .max_pages = 100};

#define RUN_COLUMNS "outcome, failure, pages, requests, records, inserted, updated, append_table"
#define RUNS        "SELECT id, " RUN_COLUMNS " FROM _gatherd_runs ORDER BY id"
#define SOURCES                                                                    \
    "SELECT runs, failed_runs, consecutive_failures, last_run_id, rows_inserted, " \
    "rows_updated, next_due_at IS NOT NULL, last_success_at IS NOT NULL FROM _gatherd_sources"

static struct feed *paged_feed(struct rig *rig, enum write_mode mode)
{
    struct feed *feed = feed_create(rig, "t", mode);

    feed->source.pagination = &pagination;
    feed->run.pages = pages_create(&pagination);
    feed->run.next_due_ms = 1000;
    return feed;
}

static void free_paged(struct feed *feed)
{
    pages_free(feed->run.pages);
    feed->run.pages = NULL;
    feed_free(feed);
}

/* Two rows of the page at hand. */
static void add_rows(struct feed *feed)
{
    int64_t first = 2 * (int64_t)feed->run.pages->number - 1;

    feed_columns(feed, "id,page");
    ROW(feed, INT(first), INT(feed->run.pages->number));
    ROW(feed, INT(first + 1), INT(feed->run.pages->number));
    feed->run.requests++;
}

/* Commits a page that another one follows, and goes on to that. */
static void save_page(struct rig *rig, struct feed *feed)
{
    add_rows(feed);
    assert_int_equal(pages_follow(feed->run.pages, slice_of("x"), 0), 0);
    feed->result.more = true;
    feed_save(rig, feed);
    pages_advance(feed->run.pages);
}

static void save_last_page(struct rig *rig, struct feed *feed)
{
    add_rows(feed);
    feed_save(rig, feed);
}

static void fail_page(struct rig *rig, struct feed *feed)
{
    struct error err = {0};

    feed->result = (struct result){.run = &feed->run};
    feed->run.requests++;
    run_fail(&feed->run, RUN_FAILED_STATUS, "HTTP 500");
    feed->run.failures = 1;
    assert_int_equal(feed_commit(rig, feed, &err), STORE_OK);
    feed_clear(feed);
}

/* --- Going on --- */

static void a_page_that_another_follows_leaves_its_run_unfinished(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = paged_feed(rig, WRITE_APPEND);

    save_page(rig, feed);
    rig_expect(rig, RUNS, "1|unfinished|NULL|1|1|2|2|0|t");
    rig_expect(rig, "SELECT finished_at, error FROM _gatherd_runs", "NULL|NULL");
    rig_expect(rig, "SELECT count(*) FROM t WHERE _run_id = 1", "2");
    rig_expect(rig, SOURCES, "0|0|0|NULL|0|0|0|0");
    assert_int_equal(run_unfinished_id(&feed->run), 1);
    save_page(rig, feed);
    rig_expect(rig, RUNS, "1|unfinished|NULL|2|2|4|4|0|t");
    free_paged(feed);
}

static void the_last_page_ends_the_run_with_all_its_counts(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = paged_feed(rig, WRITE_APPEND);

    save_page(rig, feed);
    save_page(rig, feed);
    save_last_page(rig, feed);
    rig_expect(rig, RUNS, "1|success|NULL|3|3|6|6|0|NULL");
    rig_expect(rig, SOURCES, "1|0|0|1|6|0|1|1");
    rig_expect(rig, "SELECT count(*), count(DISTINCT _run_id) FROM t", "6|1");
    assert_int_equal(run_unfinished_id(&feed->run), 0);
    free_paged(feed);
}

static void the_result_tells_of_the_page_and_of_the_run_so_far(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = paged_feed(rig, WRITE_APPEND);
    struct error err = {0};

    save_page(rig, feed);
    feed->run.requests += 2; /* it was tried three times */
    add_rows(feed);
    assert_int_equal(feed_commit(rig, feed, &err), STORE_OK);
    assert_int_equal(feed->result.inserted, 2);
    assert_int_equal(feed->result.requests, 3);
    assert_int_equal(feed->result.total.inserted, 4);
    assert_int_equal(feed->result.total.records, 4);
    free_paged(feed);
}

static void a_run_of_one_page_is_written_once(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = paged_feed(rig, WRITE_APPEND);

    save_last_page(rig, feed);
    rig_expect(rig, RUNS, "1|success|NULL|1|1|2|2|0|NULL");
    free_paged(feed);
}

static void the_next_run_has_an_id_of_its_own(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = paged_feed(rig, WRITE_APPEND);
    struct feed *other = feed_create(rig, "other", WRITE_APPEND);

    save_page(rig, feed);
    feed_columns(other, "a");
    ROW(other, INT(1));
    feed_save(rig, other);
    save_last_page(rig, feed);
    rig_expect(rig, "SELECT id, source, pages FROM _gatherd_runs", "1|t|2\n2|other|1");
    feed_free(other);
    free_paged(feed);
}

static void rejected_records_of_an_early_page_make_the_run_partial(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = paged_feed(rig, WRITE_UPSERT);

    feed_columns(feed, "id,page");
    ROW(feed, NUL, INT(1));
    feed->result.more = true;
    assert_int_equal(pages_follow(feed->run.pages, slice_of("x"), 0), 0);
    feed_save(rig, feed);
    pages_advance(feed->run.pages);
    save_last_page(rig, feed);
    rig_expect(rig, "SELECT outcome, rejected, inserted FROM _gatherd_runs", "partial|1|2");
    rig_expect(rig, "SELECT page FROM _gatherd_dead_letters", "1");
    free_paged(feed);
}

/* --- Failing --- */

static void a_failed_page_takes_back_what_the_run_appended(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = paged_feed(rig, WRITE_APPEND);

    save_last_page(rig, feed); /* a run before */
    pages_free(feed->run.pages);
    feed->run.pages = pages_create(&pagination);
    feed->run.requests = 0;
    save_page(rig, feed);
    save_page(rig, feed);
    fail_page(rig, feed);
    rig_expect(rig, RUNS,
               "1|success|NULL|1|1|2|2|0|NULL\n"
               "2|failed|status|3|3|4|0|0|NULL");
    rig_expect(rig, "SELECT error FROM _gatherd_runs WHERE id = 2", "page 3: HTTP 500");
    rig_expect(rig, "SELECT last_error FROM _gatherd_sources", "page 3: HTTP 500");
    rig_expect(rig, "SELECT count(*), max(_run_id) FROM t", "2|1");
    rig_expect(rig, SOURCES, "2|1|1|2|2|0|1|1");
    free_paged(feed);
}

static void a_failed_page_leaves_rows_that_have_a_key(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = paged_feed(rig, WRITE_UPSERT);

    save_page(rig, feed);
    fail_page(rig, feed);
    rig_expect(rig, RUNS, "1|failed|status|2|2|2|2|0|NULL");
    rig_expect(rig, "SELECT count(*) FROM t", "2");
    free_paged(feed);
}

static void a_table_that_refuses_a_page_ends_the_run(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = paged_feed(rig, WRITE_APPEND);
    struct error err = {0};

    save_page(rig, feed);
    rig_exec(rig, "CREATE TRIGGER no BEFORE INSERT ON t WHEN new.page = 2"
                  " BEGIN SELECT raise(rollback, 'not this one'); END");
    add_rows(feed);
    feed->result.more = true;
    assert_int_equal(pages_follow(feed->run.pages, slice_of("x"), 0), 0);
    assert_int_equal(feed_commit(rig, feed, &err), STORE_OK);
    assert_int_equal(feed->run.failure, RUN_FAILED_STORE);
    assert_int_equal(run_unfinished_id(&feed->run), 0);
    rig_expect(rig, RUNS, "1|failed|store|2|2|4|0|0|NULL");
    rig_expect(rig, "SELECT error FROM _gatherd_runs", "page 2: not this one");
    rig_expect(rig, "SELECT kind, page FROM _gatherd_dead_letters", "body|2");
    rig_expect(rig, "SELECT count(*) FROM t", "0");
    free_paged(feed);
}

static void rows_that_a_trigger_keeps_stay_and_the_run_says_so(void **state)
{
    struct rig *rig = *state;
    static const char *const ways[] = {"abort", "rollback"};

    log_set_level(LOG_LEVEL_ERROR);
    for (size_t i = 0; i < 2; i++) {
        struct feed *feed = paged_feed(rig, WRITE_APPEND);
        char sql[200];

        save_page(rig, feed);
        snprintf(sql, sizeof(sql),
                 "DROP TRIGGER IF EXISTS no; CREATE TRIGGER no BEFORE DELETE ON t"
                 " BEGIN SELECT raise(%s, 'kept'); END",
                 ways[i]);
        rig_exec(rig, sql);
        fail_page(rig, feed);
        free_paged(feed);
    }
    log_set_level(LOG_LEVEL_INFO);
    rig_expect(rig, "SELECT count(*) FROM t", "4");
    rig_expect(rig, "SELECT inserted, error FROM _gatherd_runs",
               "2|page 2: HTTP 500; the rows of earlier pages could not be removed: t: kept\n"
               "2|page 2: HTTP 500; the rows of earlier pages could not be removed: t: kept");
}

static void a_table_that_is_gone_has_nothing_to_take_back(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = paged_feed(rig, WRITE_APPEND);

    save_page(rig, feed);
    rig_exec(rig, "DROP TABLE t");
    fail_page(rig, feed);
    rig_expect(rig, "SELECT outcome FROM _gatherd_runs", "failed");
    free_paged(feed);
}

static void rows_are_found_in_tables_that_a_user_made_too(void **state)
{
    static const char *const tables[] = {
        "CREATE TABLE t (id INT, page INT, rowid TEXT) STRICT",
        "CREATE TABLE t (id INT, page INT, _run_id INT) STRICT; CREATE INDEX i ON t (_run_id)",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        struct rig *rig = rig_make();
        struct feed *feed;

        rig_open(rig);
        rig_exec(rig, tables[i]);
        feed = paged_feed(rig, WRITE_APPEND);
        feed_columns(feed, "id,page"); /* an earlier run, with greater ids */
        ROW(feed, INT(100), INT(9));
        feed_save(rig, feed);
        save_page(rig, feed);
        fail_page(rig, feed);
        rig_expect(rig, "SELECT id FROM t", "100");
        free_paged(feed);
        rig_free(rig);
    }
}

static void rows_that_a_user_added_meanwhile_stay(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = paged_feed(rig, WRITE_APPEND);

    save_page(rig, feed);
    rig_exec(rig, "INSERT INTO t (id) VALUES (50)");
    save_page(rig, feed);
    rig_exec(rig, "INSERT INTO t (id, _run_id) VALUES (51, 0)");
    save_page(rig, feed);
    fail_page(rig, feed);
    rig_expect(rig, "SELECT id FROM t", "50\n51");
    free_paged(feed);
}

/* --- Interrupted --- */

static void opening_ends_what_a_crash_left_unfinished(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = paged_feed(rig, WRITE_APPEND);
    char copy[150];
    char command[800];

    save_page(rig, feed);
    save_page(rig, feed);
    snprintf(copy, sizeof(copy), "%s.crash", rig->path);
    snprintf(command, sizeof(command), "cp %s %s && cp %s-wal %s-wal", rig->path, copy, rig->path,
             copy);
    assert_int_equal(system(command), 0); /* as a kill would leave it */
    rig_close(rig);
    snprintf(command, sizeof(command), "rm -f %s-wal && mv %s %s && mv %s-wal %s-wal", rig->path,
             copy, rig->path, copy, rig->path);
    assert_int_equal(system(command), 0);
    rig_open(rig);
    rig_expect(rig, RUNS, "1|failed|interrupted|2|2|4|0|0|NULL");
    rig_expect(rig, "SELECT finished_at IS NOT NULL, error FROM _gatherd_runs",
               "1|gatherd ended before the run's last page");
    rig_expect(rig, "SELECT count(*) FROM t", "0");
    rig_expect(rig, SOURCES, "1|1|1|1|0|0|0|0"); /* due as before */
    free_paged(feed);
}

static void closing_ends_what_is_unfinished(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = paged_feed(rig, WRITE_APPEND);

    save_page(rig, feed);
    rig_close(rig);
    rig_expect(rig, RUNS, "1|failed|interrupted|1|1|2|0|0|NULL");
    rig_expect(rig, "SELECT error FROM _gatherd_runs",
               "gatherd was stopped before the run's last page");
    rig_expect(rig, "SELECT count(*) FROM t", "0");
    rig_open(rig);
    free_paged(feed);
}

static void rows_with_a_key_stay_when_their_run_is_interrupted(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = paged_feed(rig, WRITE_INSERT_ONLY);

    save_page(rig, feed);
    rig_close(rig);
    rig_expect(rig, RUNS, "1|failed|interrupted|1|1|2|2|0|NULL");
    rig_expect(rig, "SELECT count(*) FROM t", "2");
    rig_expect(rig, SOURCES, "1|1|1|1|2|0|0|0");
    rig_open(rig);
    free_paged(feed);
}

static void one_run_may_be_ended_alone(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = paged_feed(rig, WRITE_APPEND);
    struct feed *other = feed_create(rig, "other", WRITE_APPEND);

    other->source.pagination = &pagination;
    other->run.pages = pages_create(&pagination);
    save_page(rig, feed);
    save_page(rig, other);
    assert_int_equal(store_interrupt(rig->store, 2, "its source was removed", NULL), 0);
    rig_expect(rig, "SELECT id, outcome, error FROM _gatherd_runs",
               "1|unfinished|NULL\n2|failed|its source was removed");
    rig_expect(rig, "SELECT count(*) FROM other", "0");
    save_last_page(rig, feed);
    rig_expect(rig, "SELECT outcome, inserted FROM _gatherd_runs WHERE id = 1", "success|4");
    free_paged(other);
    free_paged(feed);
}

static void a_run_that_has_ended_is_not_ended_again(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = paged_feed(rig, WRITE_APPEND);

    save_last_page(rig, feed);
    assert_int_equal(store_interrupt(rig->store, 1, "no", NULL), 0);
    assert_int_equal(store_interrupt(rig->store, 99, "no", NULL), 0);
    rig_expect(rig, RUNS, "1|success|NULL|1|1|2|2|0|NULL");
    free_paged(feed);
}

static void rows_that_cannot_be_removed_do_not_keep_the_database_from_opening(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = paged_feed(rig, WRITE_APPEND);

    log_set_level(LOG_LEVEL_ERROR);
    save_page(rig, feed);
    rig_exec(rig, "CREATE TRIGGER no BEFORE DELETE ON t BEGIN SELECT raise(rollback, 'kept'); END");
    rig_close(rig);
    rig_expect(rig, "SELECT outcome, inserted, error FROM _gatherd_runs",
               "failed|2|gatherd was stopped before the run's last page; its rows could not be "
               "removed from t: t: kept");
    rig_expect(rig, "SELECT count(*) FROM t", "2");
    rig_open(rig);
    log_set_level(LOG_LEVEL_INFO);
    free_paged(feed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_page_that_another_follows_leaves_its_run_unfinished),
        TEST(the_last_page_ends_the_run_with_all_its_counts),
        TEST(the_result_tells_of_the_page_and_of_the_run_so_far),
        TEST(a_run_of_one_page_is_written_once),
        TEST(the_next_run_has_an_id_of_its_own),
        TEST(rejected_records_of_an_early_page_make_the_run_partial),
        TEST(a_failed_page_takes_back_what_the_run_appended),
        TEST(a_failed_page_leaves_rows_that_have_a_key),
        TEST(a_table_that_refuses_a_page_ends_the_run),
        TEST(rows_that_a_trigger_keeps_stay_and_the_run_says_so),
        TEST(a_table_that_is_gone_has_nothing_to_take_back),
        cmocka_unit_test(rows_are_found_in_tables_that_a_user_made_too),
        TEST(rows_that_a_user_added_meanwhile_stay),
        TEST(opening_ends_what_a_crash_left_unfinished),
        TEST(closing_ends_what_is_unfinished),
        TEST(rows_with_a_key_stay_when_their_run_is_interrupted),
        TEST(one_run_may_be_ended_alone),
        TEST(a_run_that_has_ended_is_not_ended_again),
        TEST(rows_that_cannot_be_removed_do_not_keep_the_database_from_opening),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
