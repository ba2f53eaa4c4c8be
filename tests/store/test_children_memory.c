/*
 * Children when memory is out, ours or SQLite's: the commit fails whole and can be made again.
 *
 * As in test_store_memory.c the files that allocate are compiled into this program with allocators
 * that fail at the n-th call.
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
#include "store/children.c"
#include "store/layout.c"
#include "store/layout_sql.c"
#include "store/unfinished.c"
#include "store/write_rows.c"
#undef malloc
#undef calloc
#undef realloc
#undef strdup

#include "gathering.h"

static sqlite3_mem_methods real_memory;

static void *sqlite_malloc(int size)
{
    return fails_now() ? NULL : real_memory.xMalloc(size);
}

static void *sqlite_realloc(void *pointer, int size)
{
    return fails_now() ? NULL : real_memory.xRealloc(pointer, size);
}

/* Each of the first calls, then every 37th: together they are some thousands. */
static long next_step(long step)
{
    return step + (step < 40 ? 1 : 37);
}

static const char before[] =
    "[{\"id\":1,\"list\":[{\"n\":\"a\",\"l\":[1,2]},{\"n\":\"b\",\"l\":[3]}]},"
    "{\"id\":2,\"list\":[{\"n\":\"c\"}]}]";
static const char after[] =
    "[{\"id\":1,\"list\":[{\"n\":\"b\",\"new\":7,\"l\":[3,4]}]},{\"id\":2}]";

static const char keyed[] = "primary_key: id\nexclude: list\n"
                            "children: [{records: $.list, primary_key: n, exclude: l, "
                            "children: [{records: $.l}]}]\n";

static void expect(const struct gathering *g, bool done)
{
    rig_expect(g->rig, "SELECT _parent_id, n FROM t_list ORDER BY 1, 2",
               done ? "1|b" : "1|a\n1|b\n2|c");
    rig_expect(g->rig, "SELECT _parent_n, value FROM t_list_l ORDER BY 1, 2",
               done ? "b|3\nb|4" : "a|1\na|2\nb|3");
}

/* Whether memory was out at that step. */
static bool fail_at(struct gathering *g, long step)
{
    struct error err = {0};
    enum store_status status;
    bool failed;

    gathering_take(g, before);
    gathering_answer(g, after);
    calls_until_failure = step;
    status = gathering_commit(g, &err);
    failed = calls_until_failure < 0;
    calls_until_failure = -1;
    if (status != STORE_OK) {
        if (err.code != ERROR_NOMEM)
            fail_msg("step %ld: %d %s", step, (int)err.code, err.text);
        assert_int_equal(status, STORE_FATAL);
        assert_int_equal(g->run.failure, RUN_OK);
        expect(g, false);
        assert_int_equal(gathering_commit(g, &err), STORE_OK);
    }
    if (g->run.failure != RUN_OK)
        fail_msg("step %ld: %s", step, g->run.error);
    expect(g, true);
    assert_int_equal(g->result.child_rows, 2 + 2 + 2); /* gone, gone below, new */
    return failed;
}

static void a_commit_of_children_without_memory_can_be_made_again(void **state)
{
    bool failed = true;

    (void)state;
    for (long step = 0; failed; step = next_step(step)) {
        struct gathering *g = gathering_create(keyed);

        failed = fail_at(g, step);
        rig_expect_sound(g->rig);
        gathering_free(g);
        assert_true(step > 20 || failed);
        assert_true(step < 20000);
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
        cmocka_unit_test(a_commit_of_children_without_memory_can_be_made_again),
    };

    return cmocka_run_group_tests(tests, install, NULL);
}
