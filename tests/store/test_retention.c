/* Rows beyond their table's bounds: which go, which stay, and how little at a time. */
#include "test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "gathering.h"

#define YEAR_OLD "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 year')"

static int setup(void **state)
{
    *state = NULL;
    return 0;
}

static int teardown(void **state)
{
    struct gathering *g = *state;

    if (g != NULL)
        rig_expect_sound(g->rig);
    gathering_free(g);
    return 0;
}

static struct gathering *make(void **state, const char *source)
{
    struct gathering *g = gathering_create(source);

    *state = g;
    return g;
}

/* Begins with every pass anew, as after a reload, and goes on until nothing is left to do. */
static int tend(struct gathering *g)
{
    struct source_state states[1];
    struct error err = {0};
    bool more = true;
    int steps = 0;

    assert_int_equal(store_register(g->rig->store, g->config, states, &err), 0);
    run_state_clear(&states[0].state);
    for (; more && steps < 100000; steps++) {
        if (store_tend(g->rig->store, &more, &err) == -1)
            fail_msg("%s", err.text);
    }
    return steps;
}

static void expect(const struct gathering *g, const char *sql, const char *rows)
{
    rig_expect(g->rig, sql, rows);
}

/* `count` records {"id":N,"c":[{"v":1},{"v":2}]} from `first` on. */
static void take(struct gathering *g, int first, int count)
{
    struct text body = {0};

    text_char(&body, '[');
    for (int i = 0; i < count; i++)
        text_format(&body, "%s{\"id\":%d,\"c\":[{\"v\":1},{\"v\":2}]}", i == 0 ? "" : ",",
                    first + i);
    text_char(&body, ']');
    gathering_take(g, text_string(&body));
    text_free(&body);
}

/* --- Which rows --- */

static void rows_older_than_age_go(void **state)
{
    struct gathering *g = make(state, "retention: {age: 90d}\nexclude: c\n");

    take(g, 1, 10);
    rig_exec(g->rig, "UPDATE t SET _fetched_at = " YEAR_OLD " WHERE id <= 4");
    tend(g);
    expect(g, "SELECT group_concat(id) FROM t", "5,6,7,8,9,10");
}

static void so_many_of_the_newest_rows_stay(void **state)
{
    struct gathering *g = make(state, "retention: {rows: 3}\nexclude: c\n");

    take(g, 1, 4);
    take(g, 5, 4);
    tend(g);
    expect(g, "SELECT group_concat(id) FROM t", "6,7,8");
}

static void either_bound_is_enough(void **state)
{
    struct gathering *g = make(state, "retention: {age: 1d, rows: 5}\nexclude: c\n");

    take(g, 1, 4);
    rig_exec(g->rig, "UPDATE t SET _fetched_at = " YEAR_OLD " WHERE id <= 2");
    tend(g);
    expect(g, "SELECT group_concat(id) FROM t", "3,4");
    take(g, 5, 6);
    tend(g);
    expect(g, "SELECT group_concat(id) FROM t", "6,7,8,9,10");
}

static void a_table_below_its_bounds_is_left_alone(void **state)
{
    struct gathering *g = make(state, "retention: {age: 1d, rows: 10}\nexclude: c\n");

    take(g, 1, 10);
    tend(g);
    expect(g, "SELECT count(*) FROM t", "10");
}

static void an_upserted_row_is_as_old_as_its_last_change(void **state)
{
    struct gathering *g = make(state, "primary_key: id\nretention: {rows: 2}\n");

    gathering_take(g, "[{\"id\":1,\"v\":1},{\"id\":2,\"v\":1},{\"id\":3,\"v\":1}]");
    rig_exec(g->rig, "UPDATE t SET _fetched_at = " YEAR_OLD);
    gathering_take(g, "[{\"id\":1,\"v\":2}]");
    tend(g);
    expect(g, "SELECT group_concat(id) FROM (SELECT id FROM t ORDER BY id)", "1,3");
}

static void a_column_says_how_old_a_row_is(void **state)
{
    struct gathering *g = make(state, "retention: {age: 30d, column: at}\nfields: {id: $.id, at: "
                                      "{path: $.at, type: timestamp}}\n");

    gathering_take(g, "[{\"id\":1,\"at\":\"2001-02-03T04:05:06Z\"},{\"id\":2,\"at\":null},"
                      "{\"id\":3,\"at\":\"2999-02-03T04:05:06Z\"}]");
    tend(g);
    expect(g, "SELECT group_concat(id) FROM t", "2,3");
}

static void rows_of_an_unfinished_run_wait_for_its_end(void **state)
{
    struct gathering *g = make(state, "retention: {rows: 1}\nexclude: c\npagination: "
                                      "{type: page}\n");

    gathering_take_page(g, "[{\"id\":1},{\"id\":2},{\"id\":3}]");
    tend(g);
    expect(g, "SELECT count(*) FROM t", "3");
    gathering_fail_page(g);
    tend(g);
    expect(g, "SELECT count(*) FROM t", "0");
}

/* --- Children --- */

static void children_go_with_their_parents(void **state)
{
    struct gathering *g = make(state, "primary_key: id\nretention: {age: 1d}\nexclude: c\n"
                                      "children: [{records: '$.c[*]', table: c}]\n");

    take(g, 1, 3);
    rig_exec(g->rig, "UPDATE t SET _fetched_at = " YEAR_OLD " WHERE id = 2");
    tend(g);
    expect(g, "SELECT id FROM t ORDER BY id", "1\n3");
    expect(g, "SELECT _parent_id, v FROM c ORDER BY 1, 2", "1|1\n1|2\n3|1\n3|2");
}

static void appended_children_go_with_the_parent_of_their_run(void **state)
{
    struct gathering *g = make(state, "retention: {rows: 3}\nexclude: c\n"
                                      "children: [{records: '$.c[*]', table: c}]\n");

    take(g, 1, 2);
    take(g, 3, 2);
    tend(g);
    expect(g, "SELECT id FROM t ORDER BY id", "2\n3\n4");
    expect(g, "SELECT _run_id, _parent_index, v FROM c ORDER BY 1, 2, 3",
           "1|1|1\n1|1|2\n2|0|1\n2|0|2\n2|1|1\n2|1|2");
}

static void children_of_children_go_too(void **state)
{
    struct gathering *g = make(
        state, "primary_key: id\nretention: {rows: 1}\nfields: {id: $.id}\nchildren: [{records: "
               "$.a, table: a, fields: {v: $.v}, children: [{records: $.b, table: b}]}]\n");

    gathering_take(g, "[{\"id\":1,\"a\":[{\"v\":1,\"b\":[1,2]},{\"v\":2,\"b\":[3]}]}]");
    rig_exec(g->rig, "UPDATE t SET _fetched_at = " YEAR_OLD);
    gathering_take(g, "[{\"id\":2,\"a\":[{\"v\":1,\"b\":[4]}]}]");
    tend(g);
    expect(g, "SELECT _parent_id, v FROM a", "2|1");
    expect(g, "SELECT _parent_parent_id, value FROM b", "2|4");
}

/* Its table has no type for the columns that lead to a parent, as no row said which. */
static void a_list_that_was_always_empty_does_not_keep_rows_from_going(void **state)
{
    struct gathering *g = make(state, "primary_key: id\nretention: {rows: 1}\nexclude: c\n"
                                      "children: [{records: '$.c[*]', table: c}]\n");

    gathering_take(g, "[{\"id\":1,\"c\":[]},{\"id\":2}]");
    tend(g);
    expect(g, "SELECT id FROM t", "2");
}

static void children_of_an_id_of_another_type_go_too(void **state)
{
    struct gathering *g = make(state, "primary_key: id\nretention: {age: 1d}\nexclude: c\n"
                                      "children: [{records: '$.c[*]', table: c}]\n");

    gathering_take(g, "[{\"id\":1,\"c\":[1,2]},{\"id\":2,\"c\":[3]}]");
    gathering_take(g, "[{\"id\":\"x\",\"c\":[]}]");
    rig_exec(g->rig, "UPDATE t SET _fetched_at = " YEAR_OLD " WHERE id IS NOT 2");
    tend(g);
    expect(g, "SELECT id FROM t", "2");
    expect(g, "SELECT _parent_id, value FROM c", "2|3");
}

static void children_of_a_replaced_table_go_too(void **state)
{
    static const char *const keys[] = {"", "primary_key: id\n"};

    for (size_t i = 0; i < 2; i++) {
        char source[200];
        struct gathering *g;

        snprintf(source, sizeof(source),
                 "%swrite_mode: replace\nretention: {rows: 2}\nexclude: c\n"
                 "children: [{records: '$.c[*]', table: c}]\n",
                 keys[i]);
        g = make(state, source);
        take(g, 1, 4);
        tend(g);
        expect(g, "SELECT id FROM t ORDER BY id", "3\n4");
        expect(g, "SELECT count(*) FROM c", "4");
        if (i == 0)
            teardown(state);
    }
}

static void a_child_may_have_bounds_of_its_own(void **state)
{
    struct gathering *g = make(state, "primary_key: id\nexclude: c\nchildren: [{records: "
                                      "'$.c[*]', table: c, retention: {rows: 2}}]\n");

    take(g, 1, 3);
    tend(g);
    expect(g, "SELECT count(*) FROM t", "3");
    expect(g, "SELECT _parent_id, v FROM c", "3|1\n3|2");
}

/* --- Versions --- */

static void versions_that_ended_long_ago_go(void **state)
{
    struct gathering *g =
        make(state, "primary_key: id\nwrite_mode: history\nretention: {age: 1d}\n");

    gathering_take(g, "[{\"id\":1,\"v\":1},{\"id\":2,\"v\":1}]");
    gathering_take(g, "[{\"id\":1,\"v\":2},{\"id\":2,\"v\":1}]");
    rig_exec(g->rig, "UPDATE t SET _fetched_at = " YEAR_OLD);
    tend(g);
    expect(g, "SELECT id, v FROM t_history ORDER BY 1, 2", "1|1\n1|2\n2|1");
    rig_exec(g->rig, "UPDATE t_history SET _valid_to = " YEAR_OLD " WHERE _valid_to IS NOT NULL");
    tend(g);
    expect(g, "SELECT id, v FROM t_history ORDER BY 1, 2", "1|2\n2|1");
    expect(g, "SELECT id, v FROM t ORDER BY 1", "1|2\n2|1");
}

static void versions_of_children_go_by_the_bounds_of_their_parent(void **state)
{
    struct gathering *g = make(state, "primary_key: id\nwrite_mode: history\nretention: {age: 1d}\n"
                                      "exclude: c\nchildren: [{records: '$.c[*]', table: c}]\n");

    gathering_take(g, "[{\"id\":1,\"c\":[{\"v\":1},{\"v\":2}]}]");
    gathering_take(g, "[{\"id\":1,\"c\":[{\"v\":3}]}]");
    gathering_take(g, "[{\"id\":1,\"c\":[{\"v\":4}]}]");
    tend(g);
    expect(g, "SELECT count(*) FROM c_history", "4");
    rig_exec(g->rig, "UPDATE c_history SET _valid_to = " YEAR_OLD " WHERE v IN (1, 2)");
    tend(g);
    expect(g, "SELECT v FROM c_history ORDER BY v", "3\n4");
    expect(g, "SELECT v FROM c", "4");
    expect(g, "SELECT count(*) FROM t_history", "1");
}

static void versions_of_children_may_have_bounds_of_their_own(void **state)
{
    struct gathering *g = make(state, "primary_key: id\nwrite_mode: history\nretention: {age: 1d}\n"
                                      "fields: {id: $.id, n: $.n}\n"
                                      "children: [{records: '$.c[*]', table: c, retention: "
                                      "{rows: 1}}]\n");

    for (int n = 1; n <= 4; n++) {
        char body[80];

        snprintf(body, sizeof(body), "[{\"id\":1,\"n\":%d,\"c\":[{\"v\":%d}]}]", n, n);
        gathering_take(g, body);
    }
    tend(g);
    expect(g, "SELECT count(*) FROM t_history", "4");
    expect(g, "SELECT v FROM c_history ORDER BY v", "3\n4"); /* one that ended, and the present */
}

/* --- gatherd's own tables --- */

static void run_ids_go_on_when_all_runs_are_gone(void **state)
{
    struct gathering *g = make(state, "exclude: c\n");

    take(g, 1, 1);
    take(g, 2, 1);
    rig_exec(g->rig, "UPDATE _gatherd_runs SET finished_at = " YEAR_OLD);
    tend(g);
    expect(g, "SELECT count(*) FROM _gatherd_runs", "0");
    rig_close(g->rig);
    rig_open(g->rig);
    take(g, 3, 1);
    expect(g, "SELECT id FROM _gatherd_runs", "3");
}

static void an_unfinished_run_stays(void **state)
{
    struct gathering *g = make(state, "exclude: c\npagination: {type: page}\n");

    gathering_take_page(g, "[{\"id\":1}]");
    rig_exec(g->rig, "UPDATE _gatherd_runs SET finished_at = " YEAR_OLD);
    tend(g);
    expect(g, "SELECT outcome FROM _gatherd_runs", "unfinished");
}

static void dead_letters_stay(void **state)
{
    struct gathering *g = make(state, "primary_key: id\n");

    gathering_take(g, "[{\"x\":1}]");
    rig_exec(g->rig, "UPDATE _gatherd_dead_letters SET last_at = " YEAR_OLD);
    tend(g);
    expect(g, "SELECT count(*) FROM _gatherd_dead_letters", "1");
}

/* Five, the first of them the oldest. */
static struct gathering *make_letters(void **state)
{
    struct gathering *g = make(state, "primary_key: id\n");

    gathering_take(g, "[{\"x\":1},{\"x\":2},{\"x\":3},{\"x\":4},{\"x\":5}]");
    rig_exec(g->rig, "UPDATE _gatherd_dead_letters SET last_at = strftime("
                     "'%Y-%m-%dT%H:%M:%fZ', 'now', (position - 10) || ' days')");
    return g;
}

#define LETTERS "SELECT group_concat(content) FROM _gatherd_dead_letters ORDER BY id"

static void dead_letters_older_than_age_go(void **state)
{
    struct gathering *g = make_letters(state);

    g->config->letters_retention.age_ms = (int64_t)(24 * 60 * 60 * 1000) * 15 / 2;
    tend(g);
    expect(g, LETTERS, "{\"x\":4},{\"x\":5}");
}

static void so_many_of_the_newest_dead_letters_stay(void **state)
{
    struct gathering *g = make_letters(state);

    g->config->letters_retention.rows = 1;
    tend(g);
    expect(g, LETTERS, "{\"x\":5}");
}

/* The same one again is as new as it was then. */
static void a_dead_letter_that_came_again_is_new(void **state)
{
    struct gathering *g = make_letters(state);

    gathering_take(g, "[{\"x\":1}]");
    g->config->letters_retention.rows = 2;
    tend(g);
    expect(g,
           "SELECT group_concat(content) FROM (SELECT content FROM _gatherd_dead_letters"
           " ORDER BY content)",
           "{\"x\":1},{\"x\":5}");
}

/* --- How --- */

static void many_rows_go_in_many_steps(void **state)
{
    struct gathering *g = make(state, "retention: {rows: 10}\nexclude: c\n");

    take(g, 1, 5000);
    assert_true(tend(g) > 5);
    expect(g, "SELECT count(*), min(id) FROM t", "10|4991");
}

static void a_trigger_that_refuses_stops_nothing_else(void **state)
{
    struct gathering *g = make(state, "retention: {rows: 1}\nexclude: c\n");

    take(g, 1, 3);
    rig_exec(g->rig, "CREATE TRIGGER keep BEFORE DELETE ON t BEGIN SELECT RAISE(ABORT, 'no'); END");
    tend(g);
    expect(g, "SELECT count(*) FROM t", "3");
    take(g, 4, 1);
    expect(g, "SELECT count(*) FROM t", "4");
}

static void a_table_without_its_index_waits_for_it(void **state)
{
    struct gathering *g = make(state, "primary_key: id\nexclude: c\n");

    take(g, 1, 3);
    gathering_configure(g, "primary_key: id\nretention: {rows: 1}\nexclude: c\n");
    tend(g);
    expect(g, "SELECT count(*) FROM t", "3");
    take(g, 4, 1);
    tend(g);
    expect(g, "SELECT id FROM t", "4");
}

static void a_table_that_is_not_there_is_no_error(void **state)
{
    struct gathering *g = make(state, "retention: {rows: 1}\n");

    tend(g);
    expect(g, "SELECT count(*) FROM sqlite_schema WHERE name = 't'", "0");
}

static void free_pages_are_given_back(void **state)
{
    struct gathering *g = make(state, "retention: {rows: 1}\nexclude: c\n");

    take(g, 1, 1);
    expect(g, "PRAGMA auto_vacuum", "2");
    rig_exec(g->rig,
             "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)"
             " INSERT INTO t (id, _run_id, _fetched_at) SELECT i, 1, '2020' FROM n;"
             "CREATE TABLE big (x); INSERT INTO big SELECT zeroblob(3000) FROM t;"
             "DROP TABLE big");
    tend(g);
    expect(g,
           "SELECT freelist_count * 10 <= page_count FROM pragma_freelist_count,"
           " pragma_page_count",
           "1");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(rows_older_than_age_go),
        T(so_many_of_the_newest_rows_stay),
        T(either_bound_is_enough),
        T(a_table_below_its_bounds_is_left_alone),
        T(an_upserted_row_is_as_old_as_its_last_change),
        T(a_column_says_how_old_a_row_is),
        T(rows_of_an_unfinished_run_wait_for_its_end),
        T(children_go_with_their_parents),
        T(appended_children_go_with_the_parent_of_their_run),
        T(children_of_children_go_too),
        T(a_list_that_was_always_empty_does_not_keep_rows_from_going),
        T(children_of_an_id_of_another_type_go_too),
        T(children_of_a_replaced_table_go_too),
        T(a_child_may_have_bounds_of_its_own),
        T(versions_that_ended_long_ago_go),
        T(versions_of_children_go_by_the_bounds_of_their_parent),
        T(versions_of_children_may_have_bounds_of_their_own),
        T(run_ids_go_on_when_all_runs_are_gone),
        T(an_unfinished_run_stays),
        T(dead_letters_stay),
        T(dead_letters_older_than_age_go),
        T(so_many_of_the_newest_dead_letters_stay),
        T(a_dead_letter_that_came_again_is_new),
        T(many_rows_go_in_many_steps),
        T(a_trigger_that_refuses_stops_nothing_else),
        T(a_table_without_its_index_waits_for_it),
        T(a_table_that_is_not_there_is_no_error),
        T(free_pages_are_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
