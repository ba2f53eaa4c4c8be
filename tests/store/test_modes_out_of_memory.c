/*
 * Memory runs out while a walk replaces its table, while versions are written and rows removed: the
 * commit fails whole, and made again it does what it would have done.
 */
#include "test.h"

#include <stdbool.h>

#include "allocation.h"
#include "store_rig.h"

static const struct pagination pagination = {.type = PAGINATION_CURSOR, .max_pages = 100};

/* Each of the first calls, then fewer and fewer of them. */
static long next_step(long step)
{
    return step + (step < 40 ? 1 : step < 400 ? 17 : 97);
}

struct scene {
    struct feed *(*prepare)(struct rig *rig); /* what is there, and the rows of the commit */
    const char *query;
    const char *before;
    const char *after;
};

static void fail_at_each_step(const struct scene *scene)
{
    bool failed = true;

    for (long step = 0; failed; step = next_step(step)) {
        struct rig *rig = rig_make();
        struct error err = {0};
        struct feed *feed;
        enum store_status status;

        rig_open(rig);
        feed = scene->prepare(rig);
        feed_result(feed);
        allocation_fail_after((size_t)step, true);
        status = feed_commit(rig, feed, &err);
        failed = allocation_stop_failing();
        if (status != STORE_OK) {
            if (err.code != ERROR_NOMEM)
                fail_msg("step %ld: %d %s", step, (int)err.code, err.text);
            rig_expect(rig, scene->query, scene->before);
            assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
        }
        if (feed->run.failure != RUN_OK)
            fail_msg("step %ld: %s", step, feed->run.error);
        rig_expect(rig, scene->query, scene->after);
        rig_expect_sound(rig);
        pages_free(feed->run.pages);
        feed->run.pages = NULL;
        feed_free(feed);
        rig_free(rig);
        assert_true(step < 50000);
    }
}

static void add_ids(struct feed *feed, int first, int last, int value)
{
    feed_columns(feed, "id,v");
    for (int id = first; id <= last; id++)
        ROW(feed, INT(id), INT(value));
}

static void save_page(struct rig *rig, struct feed *feed)
{
    feed->source.pagination = &pagination;
    feed->run.pages = pages_create(&pagination);
    assert_non_null(feed->run.pages);
    assert_int_equal(pages_follow(feed->run.pages, slice_of("x"), 0), 0);
    feed->result.more = true;
    feed_save(rig, feed);
    pages_advance(feed->run.pages);
}

static struct feed *replace_scene(struct rig *rig, bool keyed)
{
    struct feed *feed = feed_create(rig, "t", WRITE_REPLACE);

    feed->source.mapping.max_shrink = 50;
    if (!keyed)
        feed_key(feed, "");
    add_ids(feed, 1, 3, 1);
    feed_save(rig, feed);
    add_ids(feed, 2, 3, 1);
    save_page(rig, feed);
    feed_columns(feed, "id,v,new");
    ROW(feed, INT(3), INT(2), INT(1));
    ROW(feed, INT(4), TEXT("x"), INT(1));
    return feed;
}

static struct feed *keyed_scene(struct rig *rig)
{
    return replace_scene(rig, true);
}

static struct feed *keyless_scene(struct rig *rig)
{
    return replace_scene(rig, false);
}

static void a_walk_that_replaces_by_key(void **state)
{
    (void)state;
    fail_at_each_step(&(struct scene){keyed_scene, "SELECT group_concat(id || ':' || v) FROM t",
                                      "1:1,2:1,3:1", "2:1,3:2,4:x"});
}

static void a_walk_that_replaces_without_a_key(void **state)
{
    (void)state;
    fail_at_each_step(&(struct scene){keyless_scene, "SELECT group_concat(id || ':' || v) FROM t",
                                      "1:1,2:1,3:1", "2:1,3:1,3:2,4:x"});
}

static struct feed *versions_scene(struct rig *rig)
{
    struct feed *feed = feed_create(rig, "t", WRITE_HISTORY);

    feed->source.mapping.history_table = "t_history";
    feed->source.mapping.on_missing = MISSING_DELETE;
    feed->source.mapping.max_shrink = 50;
    add_ids(feed, 1, 3, 1);
    feed_save(rig, feed);
    feed_columns(feed, "id,v,new");
    ROW(feed, INT(2), INT(1), NUL);
    ROW(feed, INT(3), INT(9), NUL);
    ROW(feed, INT(3), TEXT("x"), INT(1));
    return feed;
}

static void versions_of_rows_that_change_and_go(void **state)
{
    (void)state;
    fail_at_each_step(&(struct scene){versions_scene,
                                      "SELECT group_concat(id || ':' || v || ':' || (_valid_to IS "
                                      "NULL) || coalesce(_changed, ''))"
                                      " FROM (SELECT * FROM t_history ORDER BY id, _valid_from)",
                                      "1:1:1,2:1:1,3:1:1",
                                      "1:1:0,2:1:1,3:1:0,3:x:1[\"v\",\"new\"]"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_walk_that_replaces_by_key),
        cmocka_unit_test(a_walk_that_replaces_without_a_key),
        cmocka_unit_test(versions_of_rows_that_change_and_go),
    };

    return cmocka_run_group_tests(tests, allocation_include_sqlite, NULL);
}
