#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "expected.h"
#include "store_rig.h"

#define SLOT_MS 1773029106078 /* 2026-03-09T04:05:06.078Z */

static int make_rig(void **state)
{
    *state = rig_make();
    return 0;
}

static struct source_state registered(struct rig *rig, struct feed *feed)
{
    struct config config = {.sources = &feed->source, .source_count = 1};
    struct source_state saved = {0};

    assert_int_equal(store_register(rig->store, &config, &saved, NULL), 0);
    return saved;
}

static void save(struct rig *rig, struct feed *feed, int64_t slot_ms, enum run_failure failure)
{
    feed->run.scheduled_at_ms = slot_ms;
    feed->run.failure = failure;
    if (failure != RUN_OK)
        feed->run.error = strdup("no");
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    free(feed->run.error);
    feed->run.error = NULL;
}

static void a_source_that_never_succeeded_has_no_slot_of_a_success(void **state)
{
    struct rig *rig = *state;
    struct feed *feed;

    rig_open(rig);
    feed = feed_create(rig, "t", WRITE_APPEND);
    assert_int_equal(registered(rig, feed).success_slot_ms, 0);
    save(rig, feed, SLOT_MS, RUN_FAILED_TIMEOUT);
    assert_int_equal(registered(rig, feed).success_slot_ms, 0);
    feed_free(feed);
}

static void the_slot_of_the_last_success_is_kept_over_failures_and_restarts(void **state)
{
    struct rig *rig = *state;
    struct feed *feed;

    rig_open(rig);
    feed = feed_create(rig, "t", WRITE_APPEND);
    save(rig, feed, SLOT_MS - 60000, RUN_OK);
    save(rig, feed, SLOT_MS, RUN_OK);
    save(rig, feed, SLOT_MS + 60000, RUN_FAILED_STATUS);
    rig_close(rig);
    rig_open(rig);
    assert_int_equal(registered(rig, feed).success_slot_ms, SLOT_MS);
    rig_expect(rig, "SELECT last_success_scheduled_at FROM _gatherd_sources",
               "2026-03-09T04:05:06.078Z");
    feed_free(feed);
}

static void a_slot_that_somebody_spoilt_counts_as_none(void **state)
{
    struct rig *rig = *state;
    struct feed *feed;

    rig_open(rig);
    feed = feed_create(rig, "t", WRITE_APPEND);
    rig_exec(rig, "UPDATE _gatherd_sources SET last_success_scheduled_at = 'yesterday'");
    assert_int_equal(registered(rig, feed).success_slot_ms, 0);
    feed_free(feed);
}

static void a_database_of_the_first_version_gets_what_is_new_and_keeps_what_it_has(void **state)
{
    struct rig *rig = *state;
    char *sql = read_test_file(GATHERD_TEST_DATA "/store/version_1.sql");
    struct feed *feed;

    rig_exec(rig, sql);
    free(sql);
    rig_open(rig);
    feed = feed_create(rig, "t", WRITE_APPEND);
    assert_int_equal(registered(rig, feed).id, 7);
    assert_int_equal(registered(rig, feed).next_due_ms, SLOT_MS);
    assert_int_equal(registered(rig, feed).success_slot_ms, 0);
    save(rig, feed, SLOT_MS, RUN_OK);
    assert_int_equal(registered(rig, feed).success_slot_ms, SLOT_MS);
    rig_expect(rig, "SELECT runs FROM _gatherd_sources", "4");
    rig_expect(rig,
               "SELECT count(*) = max(version) AND max(version) = user_version"
               " FROM _gatherd_migrations, pragma_user_version",
               "1");
    feed_free(feed);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_rig, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_source_that_never_succeeded_has_no_slot_of_a_success),
        T(the_slot_of_the_last_success_is_kept_over_failures_and_restarts),
        T(a_slot_that_somebody_spoilt_counts_as_none),
        T(a_database_of_the_first_version_gets_what_is_new_and_keeps_what_it_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
