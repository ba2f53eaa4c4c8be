/* A disk that is full, or fails, while a walk replaces its table: all or nothing, and once. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fault_vfs.h"
#include "gathering.h"
#include "store_rig.h"

static const struct pagination pagination = {.type = PAGINATION_CURSOR, .max_pages = 100};

#define ROWS                                                                            \
    40 /* of so much text that what waits for the last page does not fit SQLite's cache \
        */
static char text[100000];

static int install(void **state)
{
    (void)state;
    memset(text, 'x', sizeof(text));
    fault_vfs_install();
    return 0;
}

static int remove_again(void **state)
{
    (void)state;
    fault_vfs_remove();
    return 0;
}

static struct feed *prepare(struct rig *rig)
{
    struct feed *feed = feed_create(rig, "t", WRITE_REPLACE);

    feed->source.mapping.max_shrink = 100;
    feed_columns(feed, "id,v");
    ROW(feed, INT(1), TEXT("old"));
    ROW(feed, INT(2), TEXT("old"));
    feed_save(rig, feed);
    feed->source.pagination = &pagination;
    feed->run.pages = pages_create(&pagination);
    assert_non_null(feed->run.pages);
    return feed;
}

static void add_page(struct feed *feed)
{
    const struct value value = {.type = VALUE_TEXT, .length = sizeof(text), .text = text};

    feed_columns(feed, "id,v");
    for (int id = 10; id < 10 + ROWS; id++)
        ROW(feed, INT(id), value);
    assert_int_equal(pages_follow(feed->run.pages, slice_of("x"), 0), 0);
    feed->result.more = true;
}

static void add_last_page(struct feed *feed)
{
    pages_advance(feed->run.pages);
    feed_clear(feed);
    feed_columns(feed, "id,v");
    ROW(feed, INT(2), TEXT("new"));
}

/* Commits with a full disk from step `step` on, then again with space. True: it was reached. */
static bool commit_in_spite(struct rig *rig, struct feed *feed, unsigned step)
{
    struct error err = {0};
    enum store_status status;
    bool failed;

    fault_vfs_fail(step, ENOSPC, true);
    status = feed_commit(rig, feed, &err);
    failed = fault_vfs_failed();
    fault_vfs_fail(0, 0, false);
    if (status == STORE_OK)
        return failed;
    assert_int_equal(status, STORE_RETRY);
    assert_int_equal(err.code, ERROR_SPACE);
    rig_expect(rig, "SELECT id, v FROM t", "1|old\n2|old");
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    return failed;
}

static unsigned next_step(unsigned step)
{
    return step + (step < 10 ? 1 : 173);
}

static void a_full_disk_is_waited_for_with_any_page(void **state)
{
    bool failed = true;

    (void)state;
    for (unsigned step = 1; failed; step = next_step(step)) {
        struct rig *rig = rig_make();
        struct feed *feed;

        rig_open(rig);
        feed = prepare(rig);
        add_page(feed);
        failed = commit_in_spite(rig, feed, step);
        rig_expect(rig, "SELECT id, v FROM t", "1|old\n2|old");
        add_last_page(feed);
        failed = commit_in_spite(rig, feed, step) || failed;
        rig_expect(rig, "SELECT count(*), sum(length(v)), max(_run_id) FROM t", "41|4000003|2");
        rig_expect_sound(rig);
        pages_free(feed->run.pages);
        feed->run.pages = NULL;
        feed_free(feed);
        rig_free(rig);
        assert_true(step < 100000);
    }
}

static void a_disk_that_fails_ends_the_process_and_leaves_the_table_whole(void **state)
{
    bool failed = true;

    (void)state;
    for (unsigned step = 1; failed; step = next_step(step)) {
        struct rig *rig = rig_make();
        struct error err = {0};
        enum store_status status;
        struct feed *feed;

        rig_open(rig);
        feed = prepare(rig);
        add_page(feed);
        assert_int_equal(feed_commit(rig, feed, &err), STORE_OK);
        add_last_page(feed);
        fault_vfs_fail(step, EIO, false);
        status = feed_commit(rig, feed, &err);
        rig_close(rig);
        failed = fault_vfs_failed();
        fault_vfs_fail(0, 0, false);
        rig_open(rig);
        if (status == STORE_OK) {
            rig_expect(rig, "SELECT count(*) FROM t", "41");
        } else {
            assert_int_equal(status, STORE_FATAL);
            rig_expect(rig, "SELECT count(*) IN (2, 41), count(DISTINCT _run_id) FROM t", "1|1");
        }
        rig_expect_sound(rig);
        pages_free(feed->run.pages);
        feed->run.pages = NULL;
        feed_free(feed);
        rig_free(rig);
    }
}

/* --- Children --- */

#define CHILDREN                                                           \
    "fields: {id: $.id}\n"                                                 \
    "children: [{records: '$.a[*]', table: a, fields: {v: $.v}, children:" \
    " [{records: '$.b[*]', table: b, fields: {w: $.w}}]}]\n"

static const char *const with_children[] = {
    "write_mode: replace\nprimary_key: id\n" CHILDREN,
    "write_mode: replace\n" CHILDREN,
    "on_missing: delete\nprimary_key: id\n" CHILDREN,
    "write_mode: history\non_missing: delete\nprimary_key: id\n" CHILDREN,
};

#define ALL                                                                     \
    "SELECT (SELECT group_concat(id) FROM t), (SELECT group_concat(v) FROM a)," \
    " (SELECT group_concat(w) FROM b)"

/* Whether the disk was full. */
static bool take_in_spite(struct gathering *g, const char *body, unsigned step)
{
    struct error err = {0};
    enum store_status status;
    bool failed;

    gathering_answer(g, body);
    fault_vfs_fail(step, ENOSPC, true);
    status = gathering_commit(g, &err);
    failed = fault_vfs_failed();
    fault_vfs_fail(0, 0, false);
    if (status == STORE_OK)
        return failed;
    assert_int_equal(status, STORE_RETRY);
    assert_int_equal(err.code, ERROR_SPACE);
    rig_expect(g->rig, ALL, "1,2|1,2,3|10,20,30");
    assert_int_equal(gathering_commit(g, &err), STORE_OK);
    return failed;
}

static void children_go_and_come_with_their_rows_or_not_at_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(with_children) / sizeof(with_children[0]); i++) {
        bool failed = true;

        for (unsigned step = 1; failed; step++) {
            struct gathering *g = gathering_create(with_children[i]);

            gathering_take(g, "[{\"id\":1,\"a\":[{\"v\":1,\"b\":[{\"w\":10}]},"
                              "{\"v\":2,\"b\":[{\"w\":20}]}]},"
                              "{\"id\":2,\"a\":[{\"v\":3,\"b\":[{\"w\":30}]}]}]");
            failed = take_in_spite(g, "[{\"id\":2,\"a\":[{\"v\":4,\"b\":[{\"w\":40}]}]}]", step);
            rig_expect(g->rig, ALL, "2|4|40");
            rig_expect_sound(g->rig);
            gathering_free(g);
            assert_true(step < 10000);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_is_waited_for_with_any_page),
        cmocka_unit_test(a_disk_that_fails_ends_the_process_and_leaves_the_table_whole),
        cmocka_unit_test(children_go_and_come_with_their_rows_or_not_at_all),
    };

    return cmocka_run_group_tests(tests, install, remove_again);
}
