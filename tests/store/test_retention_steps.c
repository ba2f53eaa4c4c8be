/* How much of what is beyond its bounds goes in one transaction, and what a full disk makes of it.
 */
#include "test.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gatherd/text.h"

#include "fault_vfs.h"
#include "gathering.h"

#define YEAR_OLD  "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 year')"
#define MOST_ROWS (2000 + 64) /* of a step, with the piece of children that it ends in */

#define NUMBERS(count) \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " count ")"

#define KEYED "primary_key: id\n"
#define OLD   "retention: {age: 1d}\n"
#define LISTS                                                              \
    "fields: {id: $.id}\n"                                                 \
    "children: [{records: '$.a[*]', table: a, fields: {v: $.v}, children:" \
    " [{records: '$.b[*]', table: b, fields: {w: $.w}}]}]\n"

static int install(void **state)
{
    (void)state;
    fault_vfs_install();
    return 0;
}

static int remove_again(void **state)
{
    (void)state;
    fault_vfs_remove();
    return 0;
}

/* Begins with every pass anew, as after a reload. */
static void begin(struct gathering *g)
{
    struct source_state states[1];
    struct error err = {0};

    g->config->runs_retention = (struct retention){0}; /* not a step of its own */
    assert_int_equal(store_register(g->rig->store, g->config, states, &err), 0);
    run_state_clear(&states[0].state);
}

/* One step; whether there is more to do. */
static bool step(struct gathering *g)
{
    struct error err = {0};
    bool more;

    if (store_tend(g->rig->store, &more, &err) == -1)
        fail_msg("%s", err.text);
    return more;
}

static void tend(struct gathering *g)
{
    begin(g);
    while (step(g))
        continue;
}

static void expect(const struct gathering *g, const char *sql, const char *rows)
{
    rig_expect(g->rig, sql, rows);
}

static void end(struct gathering *g)
{
    rig_expect_sound(g->rig);
    gathering_free(g);
}

/* --- Many children --- */

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    return stmt;
}

static int64_t ask(sqlite3_stmt *stmt)
{
    int64_t number;

    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    number = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return number;
}

/*
 * Goes on until nothing is left to do. After each step the row `parent` of t is there unless all
 * that was below it is gone. `below` counts that.
 */
static void expect_small_steps(struct gathering *g, const char *below, const char *parent)
{
    sqlite3 *db;
    sqlite3_stmt *count;
    sqlite3_stmt *there;
    int64_t before;
    bool more = true;

    begin(g);
    assert_int_equal(sqlite3_open_v2(g->rig->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    count = prepare(db, below);
    there = prepare(db, parent);
    for (before = ask(count); more && before > 0;) {
        int64_t after;

        more = step(g);
        after = ask(count);
        if (before - after > MOST_ROWS)
            fail_msg("%lld rows went in one step", (long long)(before - after));
        assert_true(after == 0 || ask(there) == 1);
        before = after;
    }
    while (more)
        more = step(g);
    assert_int_equal(ask(count), 0);
    sqlite3_finalize(count);
    sqlite3_finalize(there);
    sqlite3_close(db);
}

static void many_children_of_one_row_go_in_many_steps_and_the_row_last(void **state)
{
    struct gathering *g = gathering_create(KEYED OLD LISTS);

    (void)state;
    gathering_take(g, "[{\"id\":1,\"a\":[{\"v\":1}]},{\"id\":2,\"a\":[{\"v\":2}]}]");
    rig_exec(g->rig, NUMBERS("199999") " INSERT INTO a SELECT 1, i, i, _run_id, _fetched_at"
                                       " FROM n, (SELECT _run_id, _fetched_at FROM a LIMIT 1);"
                                       "UPDATE t SET _fetched_at = " YEAR_OLD " WHERE id = 1");
    expect_small_steps(g,
                       "SELECT coalesce(max(rowid) - min(rowid) + 1, 0) FROM a"
                       " WHERE _parent_id = 1",
                       "SELECT count(*) FROM t WHERE id = 1");
    expect(g, "SELECT group_concat(id) FROM t", "2");
    expect(g, "SELECT _parent_id, v FROM a", "2|2");
    end(g);
}

static void descendants_go_from_below(void **state)
{
    static const char *const keys[] = {KEYED OLD LISTS, OLD LISTS};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct gathering *g = gathering_create(keys[i]);
        struct text body = {0};

        text_add(&body, "[{\"id\":1,\"a\":[");
        for (int n = 0; n < 1500; n++)
            text_format(&body, "%s{\"v\":%d,\"b\":[{\"w\":1},{\"w\":2}]}", n == 0 ? "" : ",", n);
        text_add(&body, "]},{\"id\":2,\"a\":[{\"v\":7,\"b\":[{\"w\":8}]}]}]");
        gathering_take(g, text_string(&body));
        text_free(&body);
        /* Appended children have the time of their parent. */
        rig_exec(g->rig, "UPDATE t SET _fetched_at = " YEAR_OLD " WHERE id = 1");
        if (i == 1)
            rig_exec(g->rig, "UPDATE a SET _fetched_at = (SELECT min(_fetched_at) FROM t)"
                             " WHERE _parent_index = 0;"
                             "UPDATE b SET _fetched_at = (SELECT min(_fetched_at) FROM t)"
                             " WHERE _parent_parent_index = 0");
        expect_small_steps(g, "SELECT count(*) - 1 FROM b",
                           "SELECT count(*) = 1501 FROM a, (SELECT 1 FROM t WHERE id = 1)");
        tend(g);
        expect(g, "SELECT group_concat(id) FROM t", "2");
        expect(g, "SELECT group_concat(v) FROM a", "7");
        expect(g, "SELECT group_concat(w) FROM b", "8");
        end(g);
    }
}

static void few_children_go_in_the_transaction_of_their_row(void **state)
{
    struct gathering *g = gathering_create(KEYED OLD LISTS);
    bool more = true;

    (void)state;
    gathering_take(g, "[{\"id\":0,\"a\":[{\"v\":0}]}]");
    rig_exec(g->rig, NUMBERS("3000") " INSERT INTO t (id, _run_id, _fetched_at)"
                                     " SELECT i, 1, '2020' FROM n");
    rig_exec(g->rig, NUMBERS("21000") " INSERT INTO a (_parent_id, _index, v, _run_id, _fetched_at)"
                                      " SELECT 1 + (i - 1) / 7, i % 7, i, 1, '2020' FROM n");
    begin(g);
    while (more) {
        more = step(g);
        expect(g,
               "SELECT count(*) FROM t WHERE id > 0"
               " AND (SELECT count(*) FROM a WHERE _parent_id = t.id) <> 7",
               "0");
    }
    expect(g, "SELECT group_concat(id) FROM t", "0");
    expect(g, "SELECT group_concat(v) FROM a", "0");
    end(g);
}

/* --- What comes between the steps --- */

static void put_many(struct text *body, const char *name)
{
    text_clear(body);
    text_format(body, "[{\"id\":1,\"n\":\"%s\",\"a\":[", name);
    for (int n = 0; n < 5000; n++)
        text_format(body, "%s{\"v\":%d}", n == 0 ? "" : ",", n);
    text_add(body, "]}]");
}

#define NAMED                                \
    KEYED OLD "fields: {id: $.id, n: $.n}\n" \
              "children: [{records: '$.a[*]', table: a, fields: {v: $.v}}]\n"

static void a_row_that_changes_between_two_steps_has_all_its_children_again(void **state)
{
    struct gathering *g = gathering_create(NAMED);
    struct text body = {0};

    (void)state;
    put_many(&body, "old");
    gathering_take(g, text_string(&body));
    rig_exec(g->rig, "UPDATE t SET _fetched_at = " YEAR_OLD);
    begin(g);
    assert_true(step(g));
    expect(g, "SELECT count(*) < 5000 FROM a", "1");
    put_many(&body, "new");
    gathering_take(g, text_string(&body));
    while (step(g))
        continue;
    expect(g, "SELECT count(*), sum(v) FROM a", "5000|12497500");
    expect(g, "SELECT n FROM t", "new");
    text_free(&body);
    end(g);
}

static void a_new_start_goes_on_where_the_last_one_ended(void **state)
{
    struct gathering *g = gathering_create(NAMED);
    struct text body = {0};

    (void)state;
    put_many(&body, "old");
    gathering_take(g, text_string(&body));
    rig_exec(g->rig, "UPDATE t SET _fetched_at = " YEAR_OLD);
    begin(g);
    assert_true(step(g));
    rig_close(g->rig);
    rig_open(g->rig);
    tend(g);
    expect(g, "SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM a)", "0|0");
    text_free(&body);
    end(g);
}

static void a_child_that_may_not_go_keeps_its_row(void **state)
{
    struct gathering *g = gathering_create(KEYED OLD LISTS);

    (void)state;
    gathering_take(g, "[{\"id\":1,\"a\":[{\"v\":1},{\"v\":2}]}]");
    rig_exec(g->rig, "UPDATE t SET _fetched_at = " YEAR_OLD ";"
                     "CREATE TRIGGER no BEFORE DELETE ON a WHEN old.v = 2"
                     " BEGIN SELECT raise(abort, 'no'); END");
    tend(g);
    expect(g, "SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM a)", "1|2");
    end(g);
}

/* --- A full disk --- */

/* Goes on until it is done, or fails for want of space. */
static bool tend_in_spite(struct gathering *g, unsigned at)
{
    struct error err = {0};
    bool failed;
    bool more = true;
    int rc = 0;

    fault_vfs_fail(at, ENOSPC, true);
    while (rc == 0 && more)
        rc = store_tend(g->rig->store, &more, &err);
    failed = fault_vfs_failed();
    fault_vfs_fail(0, 0, false);
    if (rc == -1 && err.code != ERROR_SPACE)
        fail_msg("change %u: %d %s", at, (int)err.code, err.text);
    return failed;
}

#define HALVES                                                                    \
    "SELECT count(*) FROM t WHERE (SELECT count(*) FROM a WHERE _parent_id = id)" \
    " <> 2 OR (SELECT count(*) FROM b WHERE _parent_parent_id = id) <> 2"

static struct gathering *fill(void)
{
    struct gathering *g = gathering_create(KEYED OLD LISTS);
    struct text body = {0};

    text_char(&body, '[');
    for (int id = 1; id <= 120; id++)
        text_format(&body,
                    "%s{\"id\":%d,\"a\":[{\"v\":1,\"b\":[{\"w\":1}]},{\"v\":2,\"b\":[{\"w\":2}]}]}",
                    id == 1 ? "" : ",", id);
    text_char(&body, ']');
    gathering_take(g, text_string(&body));
    text_free(&body);
    rig_exec(g->rig, "UPDATE t SET _fetched_at = " YEAR_OLD " WHERE id <= 100");
    begin(g);
    return g;
}

static void with_a_full_disk_a_step_is_undone_whole_and_made_later(void **state)
{
    bool failed = true;

    (void)state;
    for (unsigned at = 1; failed; at += at < 20 ? 1 : 5) {
        struct gathering *g = fill();

        failed = tend_in_spite(g, at);
        expect(g, HALVES, "0");
        expect(g, "SELECT count(*) FROM a WHERE _parent_id NOT IN (SELECT id FROM t)", "0");
        rig_expect_sound(g->rig);
        tend(g);
        expect(g, "SELECT count(*), min(id) FROM t", "20|101");
        expect(g, HALVES, "0");
        end(g);
        assert_true(at > 5 || failed);
        assert_true(at < 10000);
    }
}

/* Polls go on meanwhile, and nobody has to begin anew. */
static void once_there_is_space_it_goes_on_by_itself(void **state)
{
    struct gathering *g = fill();
    time_t end_at = time(NULL) + 60;

    (void)state;
    assert_true(tend_in_spite(g, 1));
    expect(g, "SELECT count(*) FROM t", "120");
    for (bool more = false; time(NULL) < end_at;) {
        char *count = rig_query(g->rig, "SELECT count(*) FROM t");
        bool done = strcmp(count, "20") == 0;

        free(count);
        if (done)
            break;
        if (!more)
            nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
        more = step(g);
    }
    expect(g, "SELECT count(*), min(id) FROM t", "20|101");
    end(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_children_of_one_row_go_in_many_steps_and_the_row_last),
        cmocka_unit_test(descendants_go_from_below),
        cmocka_unit_test(few_children_go_in_the_transaction_of_their_row),
        cmocka_unit_test(a_row_that_changes_between_two_steps_has_all_its_children_again),
        cmocka_unit_test(a_new_start_goes_on_where_the_last_one_ended),
        cmocka_unit_test(a_child_that_may_not_go_keeps_its_row),
        cmocka_unit_test(with_a_full_disk_a_step_is_undone_whole_and_made_later),
        cmocka_unit_test(once_there_is_space_it_goes_on_by_itself),
    };

    return cmocka_run_group_tests(tests, install, remove_again);
}
