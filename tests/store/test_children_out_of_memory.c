/* Children when memory is out, ours or SQLite's: the commit fails whole and can be made again. */
#include "test.h"

#include <stdbool.h>

#include "allocation.h"
#include "gathering.h"

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
    allocation_fail_after((size_t)step, true);
    status = gathering_commit(g, &err);
    failed = allocation_stop_failing();
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_of_children_without_memory_can_be_made_again),
    };

    return cmocka_run_group_tests(tests, allocation_include_sqlite, NULL);
}
