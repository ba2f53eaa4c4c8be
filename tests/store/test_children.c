/* Tables of lists in records: what an answer makes of them, and the next one. */
#include "test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gathering.h"

#define KEYED           \
    "primary_key: id\n" \
    "exclude: labels\n" \
    "children: [{records: '$.labels[*]'}]\n"

#define NAMED           \
    "primary_key: id\n" \
    "exclude: labels\n" \
    "children: [{records: '$.labels[*]', primary_key: name}]\n"

#define DEEP                                                                               \
    "primary_key: id\n"                                                                    \
    "fields: {id: $.id}\n"                                                                 \
    "children:\n"                                                                          \
    "  - records: $.a\n"                                                                   \
    "    table: a\n"                                                                       \
    "    fields: {v: $.v}\n"                                                               \
    "    children: [{records: $.b, table: b, fields: {v: $.v}, children: [{records: $.c, " \
    "table: c}]}]\n"

#define APPEND          \
    "exclude: labels\n" \
    "children: [{records: $.labels}]\n"

static int setup_with(void **state, const char *source)
{
    *state = gathering_create(source);
    return 0;
}

static int keyed(void **state)
{
    return setup_with(state, KEYED);
}

static int named(void **state)
{
    return setup_with(state, NAMED);
}

static int deep(void **state)
{
    return setup_with(state, DEEP);
}

static int append(void **state)
{
    return setup_with(state, APPEND);
}

static int teardown(void **state)
{
    struct gathering *g = *state;

    rig_expect_sound(g->rig);
    gathering_free(g);
    return 0;
}

static void expect(const struct gathering *g, const char *sql, const char *rows)
{
    rig_expect(g->rig, sql, rows);
}

#define LABELS "SELECT _parent_id, _index, name FROM t_labels ORDER BY 1, 2"
#define NAMES  "SELECT _parent_id, name, _index, color FROM t_labels ORDER BY 1, 3"
#define C \
    "SELECT _parent_parent_parent_id, _parent_parent_index, _parent_index, _index, value FROM c"

static const char two[] = "[{\"id\":1,\"labels\":[{\"name\":\"x\"},{\"name\":\"y\"}]},"
                          "{\"id\":2,\"labels\":[{\"name\":\"z\"}]}]";

/* --- What an answer makes --- */

static void a_list_becomes_rows_that_lead_to_their_parent(void **state)
{
    struct gathering *g = *state;

    gathering_take(g, two);
    expect(g, "SELECT id FROM t ORDER BY id", "1\n2");
    expect(g, LABELS, "1|0|x\n1|1|y\n2|0|z");
    expect(g, "SELECT group_concat(name || type || pk) FROM pragma_table_info('t_labels')",
           "_parent_idINT1,_indexINT2,nameTEXT0,_run_idINTEGER0,_fetched_atTEXT0");
    expect(g, "SELECT records, inserted, unchanged, child_rows FROM _gatherd_runs", "2|2|0|3");
}

static void a_missing_null_or_empty_list_is_no_children(void **state)
{
    struct gathering *g = *state;

    gathering_take(g, "[{\"id\":1},{\"id\":2,\"labels\":null},{\"id\":3,\"labels\":[]},"
                      "{\"id\":4,\"labels\":[{\"name\":\"x\"}]}]");
    expect(g, LABELS, "4|0|x");
    expect(g, "SELECT outcome FROM _gatherd_runs", "success");
}

static void what_is_no_list_is_a_list_of_one(void **state)
{
    struct gathering *g = *state;

    gathering_configure(g,
                        "primary_key: id\nfields: {id: $.id}\nchildren: [{records: $.labels}]\n");
    gathering_take(g, "[{\"id\":1,\"labels\":{\"name\":\"x\"}},{\"id\":2,\"labels\":\"bug\"},"
                      "{\"id\":3,\"labels\":[[1,2],false]}]");
    expect(g, "SELECT _parent_id, _index, name, value FROM t_labels ORDER BY 1, 2",
           "1|0|x|NULL\n2|0|NULL|bug\n3|0|NULL|[1,2]\n3|1|NULL|0");
}

static void the_number_that_an_id_was_is_the_parent_of_its_children(void **state)
{
    struct gathering *g = *state;

    gathering_take(g, two);
    gathering_take(g, "[{\"id\":\"1\",\"labels\":[{\"name\":\"x\"}]},"
                      "{\"id\":\"b\",\"labels\":[{\"name\":\"w\"}]}]");
    expect(g, LABELS, "1|0|x\n2|0|z\nb|0|w");
}

static void members_of_children_that_would_hide_their_parent_are_refused(void **state)
{
    struct gathering *g = *state;

    gathering_take(g,
                   "[{\"id\":1,\"labels\":[{\"_index\":7},{\"_parent_id\":7},{\"name\":\"x\"}]}]");
    expect(g, LABELS, "1|2|x");
    expect(g, "SELECT position, reason FROM _gatherd_dead_letters",
           "0|the record has a member _index, which is a column by which parents and children know "
           "each other; name the ones to keep with fields\n"
           "1|the record has a member _parent_id, which is a column by which parents and children "
           "know each other; name the ones to keep with fields");
}

/* One wide child, then many that only have its last member. */
static void children_too_unlike_for_one_table_fail_the_run(void **state)
{
    struct gathering *g = *state;
    struct text body = {0};
    struct error err = {0};

    text_add(&body, "[{\"id\":1,\"labels\":[{");
    for (int i = 0; i < 1990; i++)
        text_format(&body, "%s\"m%d\":1", i == 0 ? "" : ",", i);
    text_char(&body, '}');
    for (int i = 0; i < 20000; i++)
        text_add(&body, ",{\"m1989\":1}");
    text_add(&body, "]}]");
    assert_int_equal(gathering_try(g, text_string(&body), &err), STORE_OK);
    text_free(&body);
    assert_int_equal(g->run.failure, RUN_FAILED_RECORDS);
    assert_string_equal(
        g->run.error, "table t_labels: the records are too unlike for one table: 1992 columns, and "
                      "most of them empty; name the ones to keep with fields");
    expect(g, "SELECT count(*) FROM sqlite_schema WHERE name IN ('t', 't_labels')", "0");
}

static void a_table_of_children_is_there_before_the_first_child(void **state)
{
    struct gathering *g = *state;

    gathering_take(g, "[{\"id\":1}]");
    expect(g, "SELECT count(*) FROM t_labels", "0");
    gathering_take(g, two);
    expect(g, LABELS, "1|0|x\n1|1|y\n2|0|z");
    expect(g, "SELECT group_concat(name || type || pk) FROM pragma_table_info('t_labels')",
           "_parent_idINT1,_indexINT2,_run_idINTEGER0,_fetched_atTEXT0,nameTEXT0");
}

static void children_of_children_lead_the_whole_way(void **state)
{
    struct gathering *g = *state;

    gathering_take(g, "[{\"id\":7,\"a\":[{\"v\":1},{\"v\":2,\"b\":[{\"v\":3,\"c\":[\"p\",5]}]}]}]");
    expect(g, "SELECT _parent_id, _index, v FROM a", "7|0|1\n7|1|2");
    expect(g, "SELECT _parent_parent_id, _parent_index, _index, v FROM b", "7|1|0|3");
    expect(g, C, "7|1|0|0|p\n7|1|0|1|5");
}

static void rows_that_are_appended_know_their_parent_by_run_and_number(void **state)
{
    struct gathering *g = *state;

    gathering_take(g, two);
    gathering_take(g, two);
    expect(g, "SELECT _run_id, _index, id FROM t", "1|0|1\n1|1|2\n2|0|1\n2|1|2");
    expect(g, "SELECT _run_id, _parent_index, _index, name FROM t_labels",
           "1|0|0|x\n1|0|1|y\n1|1|0|z\n2|0|0|x\n2|0|1|y\n2|1|0|z");
}

/* --- What the next one makes of it --- */

static void children_that_are_gone_are_removed(void **state)
{
    struct gathering *g = *state;

    gathering_take(g, two);
    gathering_take(g, "[{\"id\":1,\"labels\":[{\"name\":\"y\"}]},{\"id\":2}]");
    expect(g, LABELS, "1|0|y");
}

static void children_by_name_keep_their_row_when_others_go(void **state)
{
    struct gathering *g = *state;

    gathering_take(g,
                   "[{\"id\":1,\"labels\":[{\"name\":\"x\"},{\"name\":\"y\"},{\"name\":\"z\"}]}]");
    gathering_take(g, "[{\"id\":1,\"labels\":[{\"name\":\"z\",\"color\":1},{\"name\":\"y\"}]}]");
    expect(g, NAMES, "1|z|0|1\n1|y|1|NULL");
    expect(g, "SELECT name, _run_id FROM t_labels ORDER BY 1", "y|1\nz|2");
}

static void a_record_that_comes_no_more_keeps_its_children(void **state)
{
    struct gathering *g = *state;

    gathering_take(g, two);
    gathering_take(g, "[{\"id\":2,\"labels\":[]}]");
    expect(g, LABELS, "1|0|x\n1|1|y");
}

static void of_two_records_with_one_key_the_last_has_the_children(void **state)
{
    struct gathering *g = *state;

    gathering_take(g, "[{\"id\":1,\"labels\":[{\"name\":\"x\"}]},"
                      "{\"id\":1,\"labels\":[{\"name\":\"x\"},{\"name\":\"y\"}]}]");
    expect(g, LABELS, "1|0|x\n1|1|y");
    gathering_take(g, "[{\"id\":1,\"labels\":[{\"name\":\"x\"},{\"name\":\"y\"}]},"
                      "{\"id\":1,\"labels\":[{\"name\":\"x\"}]}]");
    expect(g, LABELS, "1|0|x");
}

static void names_that_stand_twice_do_not_hide_one_that_is_gone(void **state)
{
    struct gathering *g = *state;

    gathering_take(g, "[{\"id\":1,\"labels\":[{\"name\":\"x\"},{\"name\":\"y\"}]}]");
    gathering_take(g, "[{\"id\":1,\"labels\":[{\"name\":\"x\"},{\"name\":\"x\"}]}]");
    expect(g, "SELECT name, _index FROM t_labels", "x|1");
}

/* A column that somebody made compare so has one row for both. */
static void names_that_a_users_collation_makes_one_do_not_hide_one_that_is_gone(void **state)
{
    struct gathering *g = *state;

    rig_exec(g->rig, "CREATE TABLE t_labels (_parent_id INT, _index INT, name TEXT COLLATE NOCASE,"
                     " PRIMARY KEY (_parent_id, name)) STRICT");
    gathering_take(g, "[{\"id\":1,\"labels\":[{\"name\":\"x\"},{\"name\":\"y\"}]}]");
    gathering_take(g, "[{\"id\":1,\"labels\":[{\"name\":\"x\"},{\"name\":\"X\"}]}]");
    expect(g, "SELECT name, _index FROM t_labels", "x|1");
}

static void a_long_list_by_name_loses_what_is_gone(void **state)
{
    struct gathering *g = *state;

    for (int gone = -1; gone < 3; gone++) {
        struct text body = {0};
        char left[32];

        text_add(&body, "[{\"id\":1,\"labels\":[");
        for (int i = 0; i < 100; i++) {
            if (i > gone)
                text_format(&body, "%s{\"name\":\"n%d\"}", i == gone + 1 ? "" : ",", i);
        }
        text_add(&body, "]}]");
        gathering_take(g, text_string(&body));
        text_free(&body);
        snprintf(left, sizeof(left), "%d|n%d", 99 - gone, 100 - (99 - gone));
        expect(g, "SELECT count(*), 'n' || min(CAST(substr(name, 2) AS INT)) FROM t_labels", left);
    }
}

static void what_was_below_a_child_goes_with_it(void **state)
{
    struct gathering *g = *state;

    gathering_take(g, "[{\"id\":7,\"a\":[{\"v\":1},{\"v\":2,\"b\":[{\"v\":3,\"c\":[\"p\",5]}]}]},"
                      "{\"id\":8,\"a\":[{\"v\":1},{\"v\":2,\"b\":[{\"v\":3,\"c\":[\"q\"]}]}]}]");
    gathering_take(g, "[{\"id\":7,\"a\":[{\"v\":1}]}]");
    expect(g, "SELECT _parent_id, _index FROM a ORDER BY 1, 2", "7|0\n8|0\n8|1");
    expect(g, "SELECT count(*) FROM b", "1");
    expect(g, C, "8|1|0|0|q");
    expect(g, "SELECT child_rows FROM _gatherd_runs", "9\n4");
}

static sqlite3_int64 wal_bytes(const struct gathering *g)
{
    char path[128];
    FILE *file;
    long size;

    snprintf(path, sizeof(path), "%s-wal", g->rig->path);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size = ftell(file);
    fclose(file);
    return size;
}

static void the_same_children_again_are_not_written(void **state)
{
    struct gathering *g = *state;
    sqlite3_int64 before;
    sqlite3_int64 of_one;

    gathering_take(g, "[]");
    before = wal_bytes(g);
    gathering_take(g, "[]"); /* a run's own record */
    of_one = wal_bytes(g) - before;
    gathering_take(g, two);
    before = wal_bytes(g);
    gathering_take(g, two);
    assert_int_equal(wal_bytes(g) - before, of_one);
    assert_int_equal(g->result.unchanged, 2);
    assert_int_equal(g->result.child_rows, 0);
    expect(g, "SELECT DISTINCT _run_id FROM t_labels", "3");
}

/* --- What is not stored --- */

static void a_record_that_is_refused_has_no_children(void **state)
{
    struct gathering *g = *state;

    gathering_take(g, two);
    rig_exec(g->rig, "CREATE TRIGGER no BEFORE INSERT ON t WHEN new.id = 3 BEGIN"
                     " SELECT raise(ABORT, 'not three'); END");
    gathering_take(g, "[{\"id\":3,\"labels\":[{\"name\":\"x\"}]},{\"labels\":[{\"name\":\"y\"}]},"
                      "{\"id\":4,\"labels\":[{\"name\":\"w\"}]}]");
    expect(g, LABELS, "1|0|x\n1|1|y\n2|0|z\n4|0|w");
    expect(g, "SELECT table_name, position, reason FROM _gatherd_dead_letters",
           "t|0|not three\nt|1|primary key \"id\" is missing");
    assert_int_equal(g->result.rejected, 2);
}

static void a_child_that_is_refused_leaves_the_others(void **state)
{
    struct gathering *g = *state;

    gathering_take(g, "[{\"id\":1,\"labels\":[{\"name\":\"x\"},{\"color\":5},{\"name\":\"y\"}]}]");
    expect(g, NAMES, "1|x|0|NULL\n1|y|2|NULL");
    expect(g,
           "SELECT table_name, position, line, column, reason, content FROM _gatherd_dead_letters",
           "t_labels|1|1|33|primary key \"name\" is missing|{\"color\":5}");
    expect(g, "SELECT outcome, rejected FROM _gatherd_runs", "partial|1");
}

static void a_null_in_the_list_is_refused_with_its_place(void **state)
{
    struct gathering *g = *state;

    gathering_take(g, "[{\"id\":1,\"labels\":[{\"name\":\"x\"},null]}]");
    expect(g, LABELS, "1|0|x");
    expect(g, "SELECT table_name, position, line, column, reason FROM _gatherd_dead_letters",
           "t_labels|1|1|33|the record is null");
}

/* It might be one of those that are there. */
static void beside_a_child_that_is_refused_none_is_removed(void **state)
{
    struct gathering *g = *state;

    gathering_take(g, two);
    gathering_take(g, "[{\"id\":1,\"labels\":[null]},{\"id\":2,\"labels\":[]}]");
    expect(g, LABELS, "1|0|x\n1|1|y");
}

static void what_a_table_of_children_cannot_take_is_not_in_the_others(void **state)
{
    struct gathering *g = *state;
    struct error err = {0};

    rig_exec(g->rig, "CREATE VIEW t_labels AS SELECT 1 AS a");
    assert_int_equal(gathering_try(g, two, &err), STORE_OK);
    assert_int_equal(g->run.failure, RUN_FAILED_STORE);
    assert_string_equal(g->run.error,
                        "\"t_labels\" was not made by gatherd and cannot be written to: it is no "
                        "ordinary table; rename it, or choose another table");
    expect(g, "SELECT count(*) FROM sqlite_schema WHERE name = 't'", "0");
    expect(g, "SELECT outcome, inserted, rejected FROM _gatherd_runs", "failed|0|0");
    expect(g, "SELECT kind, table_name FROM _gatherd_dead_letters", "body|t");
    rig_exec(g->rig, "DROP VIEW t_labels");
    gathering_take(g, two);
    expect(g, LABELS, "1|0|x\n1|1|y\n2|0|z");
}

static void children_that_may_not_be_removed_fail_the_run(void **state)
{
    struct gathering *g = *state;
    struct error err = {0};

    gathering_take(g, two);
    rig_exec(g->rig, "CREATE TRIGGER keep BEFORE DELETE ON t_labels BEGIN"
                     " SELECT raise(ABORT, 'labels stay'); END");
    assert_int_equal(gathering_try(g, "[{\"id\":1,\"more\":2}]", &err), STORE_OK);
    assert_string_equal(g->run.error, "table \"t_labels\": children that are gone: labels stay");
    expect(g, LABELS, "1|0|x\n1|1|y\n2|0|z");
    expect(g, "SELECT * FROM t WHERE id = 1 AND _run_id = 2", "");
    expect(g, "SELECT count(*) FROM pragma_table_info('t') WHERE name = 'more'", "0");
}

static void with_insert_only_the_children_are_those_of_the_first(void **state)
{
    struct gathering *g = *state;

    gathering_configure(g, KEYED "write_mode: insert_only\n");
    gathering_take(g, "[{\"id\":1,\"labels\":[{\"name\":\"x\"}]}]");
    gathering_take(g, "[{\"id\":1,\"labels\":[{\"name\":\"y\"},{\"name\":\"z\"}]},"
                      "{\"id\":2,\"labels\":[{\"name\":\"w\"}]}]");
    expect(g, LABELS, "1|0|x\n2|0|w");
}

/* --- Runs of many pages --- */

#define PAGED \
    APPEND "pagination: {type: cursor, cursor_path: $.next, cursor_param: c}\nrecords: $.d\n"

static void records_are_numbered_through_the_pages(void **state)
{
    struct gathering *g = *state;

    gathering_configure(g, PAGED);
    gathering_take_page(
        g, "{\"d\":[{\"id\":1,\"labels\":[1]},{\"id\":2,\"labels\":[2]}],\"next\":\"a\"}");
    gathering_take(g, "{\"d\":[{\"id\":3,\"labels\":[3]}]}");
    expect(g, "SELECT _index, id FROM t", "0|1\n1|2\n2|3");
    expect(g, "SELECT _parent_index, _index, value FROM t_labels", "0|0|1\n1|0|2\n2|0|3");
}

static void what_a_run_appended_to_all_tables_goes_when_a_page_fails(void **state)
{
    struct gathering *g = *state;

    gathering_take(g, two);
    gathering_configure(g, PAGED);
    gathering_take_page(g, "{\"d\":[{\"id\":3,\"labels\":[3]}],\"next\":\"a\"}");
    expect(g, "SELECT append_table FROM _gatherd_runs WHERE outcome = 'unfinished'", "t,t_labels");
    expect(g, "SELECT count(*) FROM t_labels", "4");
    gathering_fail_page(g);
    expect(g, "SELECT id FROM t", "1\n2");
    expect(g, "SELECT name FROM t_labels", "x\ny\nz");
    expect(g, "SELECT outcome, inserted, child_rows, append_table FROM _gatherd_runs WHERE id = 2",
           "failed|0|0|NULL");
}

static void what_a_crash_left_in_all_tables_goes_at_the_next_start(void **state)
{
    struct gathering *g = *state;

    gathering_configure(g, PAGED);
    gathering_take_page(g, "{\"d\":[{\"id\":3,\"labels\":[3,4]}],\"next\":\"a\"}");
    rig_close(g->rig);
    rig_open(g->rig);
    expect(g, "SELECT (SELECT count(*) FROM t), count(*) FROM t_labels", "0|0");
    expect(g, "SELECT outcome, failure, inserted, child_rows FROM _gatherd_runs",
           "failed|interrupted|0|0");
}

int main(void)
{
#define WITH(setup, test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(keyed, a_list_becomes_rows_that_lead_to_their_parent),
        WITH(keyed, a_missing_null_or_empty_list_is_no_children),
        WITH(keyed, what_is_no_list_is_a_list_of_one),
        WITH(keyed, the_number_that_an_id_was_is_the_parent_of_its_children),
        WITH(keyed, members_of_children_that_would_hide_their_parent_are_refused),
        WITH(keyed, children_too_unlike_for_one_table_fail_the_run),
        WITH(keyed, a_table_of_children_is_there_before_the_first_child),
        WITH(deep, children_of_children_lead_the_whole_way),
        WITH(append, rows_that_are_appended_know_their_parent_by_run_and_number),
        WITH(keyed, children_that_are_gone_are_removed),
        WITH(named, children_by_name_keep_their_row_when_others_go),
        WITH(keyed, a_record_that_comes_no_more_keeps_its_children),
        WITH(keyed, of_two_records_with_one_key_the_last_has_the_children),
        WITH(named, names_that_stand_twice_do_not_hide_one_that_is_gone),
        WITH(named, names_that_a_users_collation_makes_one_do_not_hide_one_that_is_gone),
        WITH(named, a_long_list_by_name_loses_what_is_gone),
        WITH(deep, what_was_below_a_child_goes_with_it),
        WITH(keyed, the_same_children_again_are_not_written),
        WITH(named, the_same_children_again_are_not_written),
        WITH(keyed, a_record_that_is_refused_has_no_children),
        WITH(named, a_child_that_is_refused_leaves_the_others),
        WITH(keyed, a_null_in_the_list_is_refused_with_its_place),
        WITH(keyed, beside_a_child_that_is_refused_none_is_removed),
        WITH(keyed, what_a_table_of_children_cannot_take_is_not_in_the_others),
        WITH(keyed, children_that_may_not_be_removed_fail_the_run),
        WITH(keyed, with_insert_only_the_children_are_those_of_the_first),
        WITH(append, records_are_numbered_through_the_pages),
        WITH(append, what_a_run_appended_to_all_tables_goes_when_a_page_fails),
        WITH(append, what_a_crash_left_in_all_tables_goes_at_the_next_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
