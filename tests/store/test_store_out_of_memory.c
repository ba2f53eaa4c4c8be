/* What happens when memory is out, ours or SQLite's: the commit fails whole and can be made again.
 */
#include "test.h"

#include <stdbool.h>

#include "allocation.h"
#include "store_rig.h"

/* Each of the first calls, then ever fewer: together they are some thousands. */
static long next_step(long step)
{
    return step + 1 + step / 40;
}

static void a_commit_without_memory_fails_whole_and_can_be_made_again(void **state)
{
    struct feed *feed;
    bool failed = true;

    (void)state;
    for (long step = 0; failed; step = next_step(step)) {
        struct rig *rig = rig_make();
        struct error err = {0};
        enum store_status status;

        rig_open(rig);
        feed = feed_create(rig, "t", WRITE_APPEND);
        feed_columns(feed, "id,r");
        ROW(feed, INT(1), REAL(2));
        feed_save(rig, feed);
        feed->source.mapping.write_mode = WRITE_UPSERT;
        feed_key(feed, "id");
        feed_columns(feed, "id,r,new one");
        ROW(feed, INT(1), TEXT("x"), INT(1));
        ROW(feed, NUL, TEXT("x"), INT(1));
        feed_result(feed);
        allocation_fail_after((size_t)step, true);
        status = feed_commit(rig, feed, &err);
        failed = allocation_stop_failing();
        if (status != STORE_OK) {
            if (err.code != ERROR_NOMEM)
                fail_msg("step %ld: %d %s", step, (int)err.code, err.text);
            assert_int_equal(status, STORE_FATAL);
            assert_int_equal(err.code, ERROR_NOMEM);
            assert_int_equal(feed->result.updated + feed->result.rejected, 0);
            assert_int_equal(feed->run.failure, RUN_OK);
            rig_expect(rig, "SELECT id, r, typeof(r), _run_id FROM t", "1|2.0|real|1");
            assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
        }
        if (feed->run.failure != RUN_OK)
            fail_msg("step %ld: %s", step, feed->run.error);
        assert_int_equal(feed->result.updated, 1);
        assert_int_equal(feed->result.rejected, 1);
        rig_expect(rig, "SELECT id, r, new_one, _run_id FROM t", "1|x|1|2");
        rig_expect_sound(rig);
        feed_free(feed);
        rig_free(rig);
        assert_true(step > 20 || failed);
        assert_true(step < 20000);
    }
}

static void opening_without_memory_fails_and_leaks_nothing(void **state)
{
    const struct store_options options = {SYNCHRONOUS_NORMAL};
    bool failed = true;

    (void)state;
    for (long step = 0; failed; step = next_step(step)) {
        struct rig *rig = rig_make();
        struct error err = {0};

        allocation_fail_after((size_t)step, true);
        rig->store = store_open(rig->path, &options, &err);
        failed = allocation_stop_failing();
        if (rig->store == NULL && err.code != ERROR_NOMEM)
            fail_msg("step %ld: %d %s", step, (int)err.code, err.text);
        rig_close(rig);
        rig_open(rig);
        rig_expect_sound(rig);
        rig_free(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_without_memory_fails_whole_and_can_be_made_again),
        cmocka_unit_test(opening_without_memory_fails_and_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, allocation_include_sqlite, NULL);
}
