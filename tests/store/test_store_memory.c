/*
 * What happens when memory is out, ours or SQLite's: the commit fails whole and can be made again.
 *
 * The files that allocate most are compiled into this program with allocators that fail at the n-th
 * call, and stand in for those of the library; SQLite gets its memory from the same place.
 */
#include "test.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static long calls_until_failure = -1; /* below 0: none fails */

static bool fails_now(void)
{
    return calls_until_failure >= 0 && calls_until_failure-- == 0;
}

static void *faulty_malloc(size_t size)
{
    return fails_now() ? NULL : malloc(size);
}

static void *faulty_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : calloc(count, size);
}

static void *faulty_realloc(void *pointer, size_t size)
{
    return fails_now() ? NULL : realloc(pointer, size);
}

static char *faulty_strdup(const char *string)
{
    return fails_now() ? NULL : strdup(string);
}

#define malloc  faulty_malloc
#define calloc  faulty_calloc
#define realloc faulty_realloc
#define strdup  faulty_strdup
#include "base/text.c"
#include "store/ddl.c"
#include "store/evolve.c"
#include "store/layout.c"
#include "store/layout_sql.c"
#include "store/plan.c"
#include "store/schema.c"
#include "store/table.c"
#undef malloc
#undef calloc
#undef realloc
#undef strdup

#include "store_rig.h"

static sqlite3_mem_methods real_memory;

static void *sqlite_malloc(int size)
{
    return fails_now() ? NULL : real_memory.xMalloc(size);
}

static void *sqlite_realloc(void *pointer, int size)
{
    return fails_now() ? NULL : real_memory.xRealloc(pointer, size);
}

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
        calls_until_failure = step;
        status = feed_commit(rig, feed, &err);
        failed = calls_until_failure < 0;
        calls_until_failure = -1;
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

        calls_until_failure = step;
        rig->store = store_open(rig->path, &options, &err);
        failed = calls_until_failure < 0;
        calls_until_failure = -1;
        if (rig->store == NULL && err.code != ERROR_NOMEM)
            fail_msg("step %ld: %d %s", step, (int)err.code, err.text);
        rig_close(rig);
        rig_open(rig);
        rig_expect_sound(rig);
        rig_free(rig);
    }
}

static int install(void **state)
{
    sqlite3_mem_methods faulty;

    (void)state;
    sqlite3_shutdown();
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory), SQLITE_OK);
    faulty = real_memory;
    faulty.xMalloc = sqlite_malloc;
    faulty.xRealloc = sqlite_realloc;
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &faulty), SQLITE_OK);
    return sqlite3_initialize();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_without_memory_fails_whole_and_can_be_made_again),
        cmocka_unit_test(opening_without_memory_fails_and_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, install, NULL);
}
