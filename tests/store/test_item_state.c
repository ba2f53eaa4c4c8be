/* What is remembered of items, and what their runs leave in the tables. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/items.h"
#include "gatherd/position.h"
#include "store/item_state.h"
#include "store_rig.h"

static const char *const names[] = {"id"};

static struct items *list_of(const char *letters)
{
    struct items *items = items_create(names, 1);

    for (; *letters != '\0'; letters++) {
        struct item_value value = {.text = {letters, 1}};

        assert_int_equal(items_add(items, &value, NULL), 0);
    }
    items_seal(items);
    return items;
}

/* The feed's run becomes that of an item. */
static void set_item(struct feed *feed, struct items *items, size_t i)
{
    feed->run.items = items;
    feed->run.item = &items->list[i];
}

static void save_run(struct rig *rig, struct feed *feed, enum run_failure failure)
{
    feed->run.failures = failure == RUN_OK ? 0 : feed->run.failures + 1;
    feed->run.scheduled_at_ms += 60000;
    feed->run.next_due_ms = feed->run.scheduled_at_ms + 60000;
    if (failure != RUN_OK)
        run_fail(&feed->run, failure, "it did not work");
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    run_clear_response(&feed->run);
    feed_clear(feed);
}

static void the_run_of_an_item_moves_its_state_and_not_the_due_time_of_the_source(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "children", WRITE_APPEND);
    struct items *items = list_of("ab");

    feed->run.scheduled_at_ms = 1767225600000;
    save_run(rig, feed, RUN_OK); /* the round */
    set_item(feed, items, 0);
    save_run(rig, feed, RUN_OK);
    set_item(feed, items, 1);
    save_run(rig, feed, RUN_FAILED_STATUS);
    rig_expect(rig, "SELECT item, outcome FROM _gatherd_runs ORDER BY id",
               "NULL|success\na|success\nb|failed");
    rig_expect(rig,
               "SELECT next_due_at, consecutive_failures, runs, failed_runs, last_run_id,"
               " last_success_scheduled_at, last_error FROM _gatherd_sources",
               "2026-01-01T00:02:00.000Z|0|3|1|3|2026-01-01T00:01:00.000Z|it did not work");
    rig_expect(rig,
               "SELECT item, consecutive_failures, last_success_scheduled_at FROM _gatherd_state",
               "a|0|2026-01-01T00:02:00.000Z\nb|1|NULL");
    items_unref(items);
    feed_free(feed);
}

static void a_round_says_how_many_items_it_found(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "children", WRITE_APPEND);
    struct items *items = list_of("abc");
    struct found_items *found = calloc(1, sizeof(*found));

    items->left_out = 2;
    found->items = items;
    found->states = calloc(3, sizeof(found->states[0]));
    feed->run.found = found;
    save_run(rig, feed, RUN_OK);
    rig_expect(rig, "SELECT items, items_left_out, item, records FROM _gatherd_runs", "3|2|NULL|0");
    feed_free(feed);
}

static struct found_items *load(const struct rig *rig, struct feed *feed, const char *letters)
{
    struct found_items *found = calloc(1, sizeof(*found));
    struct error err = {0};
    sqlite3 *db;

    found->items = list_of(letters);
    assert_int_equal(sqlite_open_reader(rig->path, &db, &err), 0);
    assert_int_equal(item_state_load(db, &feed->source, feed->run.source_id, found, &err), 0);
    assert_string_equal(err.text, "");
    sqlite3_close(db);
    return found;
}

static void what_is_saved_finds_its_items_whatever_their_order(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "children", WRITE_APPEND);
    struct found_items *found;

    rig_exec(
        rig,
        "CREATE TABLE children (n);"
        "INSERT INTO _gatherd_state (source_id, item, fingerprint, request, etag, cursor,"
        " consecutive_failures, last_success_scheduled_at) VALUES"
        " (1, '', 1, 1, 'none', NULL, NULL, NULL),"
        " (1, 'b', 7, 1, '\"x\"', NULL, 0, '2026-01-01T00:00:00.000Z'),"
        " (1, 'd', NULL, NULL, NULL, '42', 3, NULL), (1, 'x', NULL, NULL, NULL, NULL, 9, NULL),"
        " (2, 'a', NULL, NULL, NULL, NULL, 5, NULL)");
    found = load(rig, feed, "dcba");
    assert_int_equal(found->states[0].failures, 3);
    assert_string_equal(found->states[0].state.position->saved.cursor, "42");
    assert_int_equal(found->states[0].success_slot_ms, 0);
    assert_null(found->states[1].state.validators);
    assert_string_equal(found->states[2].state.validators->etag, "\"x\"");
    assert_int_equal(found->states[2].success_slot_ms, 1767225600000);
    assert_int_equal(found->states[3].failures, 0);
    found_items_free(found);
    feed_free(feed);
}

static void without_the_table_validators_are_void(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "children", WRITE_APPEND);
    struct found_items *found;

    rig_exec(rig, "INSERT INTO _gatherd_state (source_id, item, fingerprint, etag, cursor)"
                  " VALUES (1, 'a', 7, 'x', '5')");
    found = load(rig, feed, "a");
    assert_null(found->states[0].state.validators);
    assert_string_equal(found->states[0].state.position->saved.cursor, "5");
    found_items_free(found);
    feed_free(feed);
}

static void a_run_that_the_table_refused_counts_on_from_the_failures_of_its_item(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "children", WRITE_APPEND);
    struct items *items = list_of("a");

    rig_exec(rig, "CREATE VIEW children AS SELECT 1 AS n;"
                  "INSERT INTO _gatherd_state (source_id, item, consecutive_failures)"
                  " VALUES (1, 'a', 4)");
    set_item(feed, items, 0);
    feed_columns(feed, "n");
    ROW(feed, INT(1));
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    assert_int_equal(feed->run.failure, RUN_FAILED_STORE);
    rig_expect(rig, "SELECT consecutive_failures FROM _gatherd_state", "5");
    rig_expect(rig, "SELECT consecutive_failures FROM _gatherd_sources", "0");
    run_clear_response(&feed->run);
    items_unref(items);
    feed_free(feed);
}

static void an_item_that_was_interrupted_between_two_pages_has_failed_once_more(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "children", WRITE_APPEND);
    struct error err = {0};

    rig_exec(rig, "INSERT INTO _gatherd_runs (id, source, source_id, item, outcome, inserted,"
                  " updated) VALUES (5, 'children', 1, 'a', 'unfinished', 0, 0)");
    assert_int_equal(store_interrupt(rig->store, 5, "because", &err), 0);
    assert_string_equal(err.text, "");
    rig_expect(rig, "SELECT item, consecutive_failures FROM _gatherd_state", "a|1");
    rig_expect(rig, "SELECT consecutive_failures, runs FROM _gatherd_sources", "0|1");
    feed_free(feed);
}

#define STATE_TEST(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STATE_TEST(the_run_of_an_item_moves_its_state_and_not_the_due_time_of_the_source),
        STATE_TEST(a_round_says_how_many_items_it_found),
        STATE_TEST(what_is_saved_finds_its_items_whatever_their_order),
        STATE_TEST(without_the_table_validators_are_void),
        STATE_TEST(a_run_that_the_table_refused_counts_on_from_the_failures_of_its_item),
        STATE_TEST(an_item_that_was_interrupted_between_two_pages_has_failed_once_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
