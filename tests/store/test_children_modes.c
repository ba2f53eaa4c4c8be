/* Tables of lists in records, with the write modes that take rows away or keep versions of them. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gathering.h"

#define DEEP                                                                   \
    "primary_key: id\n"                                                        \
    "fields: {id: $.id}\n"                                                     \
    "children:\n"                                                              \
    "  - {records: $.a, table: a, primary_key: v, fields: {v: $.v, n: $.n},\n" \
    "     children: [{records: $.b, table: b, fields: {w: $.w}}]}\n"

#define PAGES "pagination: {type: page}\n"

static struct gathering *gather(const char *mode, const char *keys)
{
    char source[1000];

    snprintf(source, sizeof(source), "%s%s", mode, keys);
    return gathering_create(source);
}

/* The run ends with an empty page, and another may begin. */
static void end_run(struct gathering *g)
{
    gathering_take(g, "[]");
    pages_free(g->run.pages);
    g->run.pages = pages_create(g->run.source->pagination);
    assert_non_null(g->run.pages);
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

#define A "SELECT _parent_id, v, n FROM a ORDER BY 1, 2"
#define B "SELECT _parent_parent_id, _parent_v, _index, w FROM b ORDER BY 1, 2, 3"
#define LAST                                                                      \
    "SELECT inserted, updated, unchanged, deleted, child_rows FROM _gatherd_runs" \
    " ORDER BY id DESC LIMIT 1"

static const char three[] = "[{\"id\":1,\"a\":[{\"v\":\"x\",\"n\":1,\"b\":[{\"w\":1},{\"w\":2}]},"
                            "{\"v\":\"y\",\"n\":1}]},"
                            "{\"id\":2,\"a\":[{\"v\":\"x\",\"n\":2,\"b\":[{\"w\":3}]}]},"
                            "{\"id\":3}]";

/* --- Rows that go --- */

static void descendants_go_with_their_row(void **state)
{
    static const char *const modes[] = {"write_mode: replace\n", "on_missing: delete\n",
                                        "write_mode: history\non_missing: delete\n"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct gathering *g = gather(modes[i], DEEP);

        gathering_take(g, three);
        expect(g, A, "1|x|1\n1|y|1\n2|x|2");
        gathering_take(g,
                       "[{\"id\":2,\"a\":[{\"v\":\"x\",\"n\":2,\"b\":[{\"w\":3}]}]},{\"id\":3}]");
        expect(g, "SELECT id FROM t ORDER BY id", "2\n3");
        expect(g, A, "2|x|2");
        expect(g, B, "2|x|0|3");
        expect(g, LAST, "0|0|2|1|4");
        end(g);
    }
}

static void a_marked_row_keeps_its_children(void **state)
{
    struct gathering *g = gather("on_missing: mark\n", DEEP);

    (void)state;
    gathering_take(g, three);
    gathering_take(g, "[{\"id\":3}]");
    expect(g, "SELECT id, _missing_since IS NOT NULL FROM t", "1|1\n2|1\n3|0");
    expect(g, "SELECT count(*) FROM a", "3");
    expect(g, "SELECT count(*) FROM pragma_table_info('a') WHERE name = '_missing_since'", "0");
    end(g);
}

static void a_rejected_child_does_not_keep_rows_from_going(void **state)
{
    struct gathering *g = gather("on_missing: delete\n", DEEP);

    (void)state;
    gathering_take(g, three);
    gathering_take(g, "[{\"id\":1,\"a\":[null]},{\"id\":3}]");
    expect(g, "SELECT group_concat(id) FROM t", "1,3");
    expect(g, A, "1|x|1\n1|y|1"); /* one of them it may be */
    end(g);
}

static void only_rows_of_the_sources_own_table_count_as_shrinking(void **state)
{
    struct gathering *g = gather("on_missing: delete\n", DEEP);

    (void)state;
    gathering_take(g, "[{\"id\":1}, {\"id\":2}]");
    gathering_take(g, "[{\"id\":2,\"a\":[{\"v\":1},{\"v\":2},{\"v\":3},{\"v\":4}]}]");
    expect(g, "SELECT id FROM t", "2");
    gathering_take(g, "[{\"id\":2}]"); /* all children may go */
    expect(g, LAST, "0|0|1|0|4");
    end(g);
}

static void children_that_may_not_go_keep_their_row(void **state)
{
    static const char *const modes[] = {"write_mode: replace\n", "on_missing: delete\n",
                                        "write_mode: history\non_missing: delete\n"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct gathering *g = gather(modes[i], DEEP);
        struct error err = {0};

        gathering_take(g, three);
        rig_exec(g->rig, "CREATE TRIGGER no BEFORE DELETE ON b WHEN old.w = 3"
                         " BEGIN SELECT raise(abort, 'no'); END");
        assert_int_equal(gathering_try(g, "[{\"id\":1,\"a\":[]},{\"id\":3}]", &err), STORE_OK);
        assert_int_equal(g->run.failure, RUN_FAILED_STORE);
        expect(g, "SELECT group_concat(id) FROM t", "1,2,3");
        expect(g, A, "1|x|1\n1|y|1\n2|x|2");
        expect(g, "SELECT group_concat(w) FROM b", "1,2,3");
        end(g);
    }
}

static void a_set_that_shrinks_too_much_keeps_all_children(void **state)
{
    static const char *const modes[] = {"write_mode: replace\n", "on_missing: delete\n",
                                        "write_mode: history\non_missing: delete\n"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct gathering *g = gather(modes[i], DEEP);
        struct error err = {0};

        gathering_take(g, three);
        assert_int_equal(gathering_try(g, "[{\"id\":1,\"a\":[{\"v\":\"new\"}]}]", &err), STORE_OK);
        assert_int_equal(g->run.failure, RUN_FAILED_SHRINK);
        expect(g, A, "1|x|1\n1|y|1\n2|x|2");
        expect(g, "SELECT group_concat(w) FROM b", "1,2,3");
        end(g);
    }
}

static void rows_that_all_pages_miss_take_their_children_along_at_the_end(void **state)
{
    static const char *const modes[] = {"write_mode: replace\n", "on_missing: delete\n",
                                        "write_mode: history\non_missing: delete\n"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct gathering *g = gather(modes[i], PAGES DEEP);

        gathering_take_page(g, three);
        end_run(g);
        gathering_take_page(g, "[{\"id\":2,\"a\":[{\"v\":\"x\",\"n\":2,\"b\":[{\"w\":3}]}]}]");
        expect(g, "SELECT count(*) FROM a", "3");
        gathering_take_page(g, "[{\"id\":3,\"a\":[{\"v\":\"z\"}]}]");
        end_run(g);
        expect(g, "SELECT group_concat(id) FROM t", "2,3");
        expect(g, A, "2|x|2\n3|z|NULL");
        expect(g, B, "2|x|0|3");
        end(g);
    }
}

static void a_walk_that_fails_takes_no_child_away(void **state)
{
    static const char *const modes[] = {"write_mode: replace\n", "on_missing: delete\n"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct gathering *g = gather(modes[i], PAGES DEEP);

        gathering_take_page(g, three);
        end_run(g);
        gathering_take_page(g, "[{\"id\":3,\"a\":[{\"v\":\"z\"}]}]");
        gathering_fail_page(g);
        expect(g, "SELECT group_concat(id) FROM t", "1,2,3");
        expect(g, A, i == 0 ? "1|x|1\n1|y|1\n2|x|2" : "1|x|1\n1|y|1\n2|x|2\n3|z|NULL");
        end(g);
    }
}

/* --- Items --- */

static struct items *make_items(void)
{
    static const char *const names[] = {"p"};
    struct items *items = items_create(names, 1);

    assert_non_null(items);
    for (size_t i = 0; i < 2; i++) {
        const struct item_value value = {.type = ITEM_VALUE_TEXT,
                                         .text = slice_of(i == 0 ? "x" : "y")};

        assert_int_equal(items_add(items, &value, NULL), 0);
    }
    items_seal(items);
    return items;
}

static void an_item_takes_away_children_of_its_own_rows_alone(void **state)
{
    static const char *const keys[] = {
        "write_mode: replace\nprimary_key: [_item_p, id]\nexclude: a\n",
        "on_missing: delete\nprimary_key: [_item_p, id]\nexclude: a\n",
        "write_mode: history\non_missing: delete\nprimary_key: [_item_p, id]\nexclude: a\n",
        "write_mode: replace\nexclude: a\n"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct gathering *g =
            gather(keys[i], "children: [{records: '$.a[*]', table: a, fields: {v: $.v}}]\n");
        struct items *items = make_items();

        g->run.items = items;
        for (size_t n = 0; n < 4; n++) {
            g->run.item = &items->list[n % 2];
            gathering_take(g, n != 2 ? "[{\"id\":1,\"a\":[{\"v\":1}]},{\"id\":2,\"a\":[{\"v\":2}]}]"
                                     : "[{\"id\":2,\"a\":[{\"v\":3}]}]");
        }
        expect(g, "SELECT _item_p, id FROM t ORDER BY 1, 2", "x|2\ny|1\ny|2");
        expect(g, "SELECT group_concat(v) FROM (SELECT v FROM a ORDER BY v)", "1,2,3");
        if (i < 3)
            expect(g, "SELECT _parent_item_p, v FROM a ORDER BY 1, 2", "x|3\ny|1\ny|2");
        end(g);
        items_unref(items);
    }
}

/* --- insert_only --- */

static void with_insert_only_nobodys_children_change(void **state)
{
    struct gathering *g = gather("write_mode: insert_only\n", DEEP);

    (void)state;
    gathering_take(g, "[{\"id\":1,\"a\":[{\"v\":\"x\",\"n\":1,\"b\":[{\"w\":1}]}]},"
                      "{\"id\":1,\"a\":[{\"v\":\"x\",\"n\":2},{\"v\":\"y\"}]}]");
    expect(g, A, "1|x|1");
    gathering_take(g, "[{\"id\":1,\"a\":[{\"v\":\"x\",\"n\":3,\"b\":[{\"w\":4},{\"w\":5}]}]},"
                      "{\"id\":2,\"a\":[{\"v\":\"z\",\"n\":4}]}]");
    expect(g, A, "1|x|1\n2|z|4");
    expect(g, B, "1|x|0|1");
    gathering_take(g, "[{\"id\":2}]");
    expect(g, A, "1|x|1\n2|z|4");
    expect(g, LAST, "0|0|1|0|0");
    end(g);
}

/* --- replace --- */

static void children_of_a_replaced_table_cost_nothing_when_they_are_the_same(void **state)
{
    static const char *const keys[] = {DEEP, "children: [{records: $.a, table: a, fields: {v: $.v},"
                                             " children: [{records: $.b, table: b}]}]\n"
                                             "fields: {id: $.id}\n"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct gathering *g = gather("write_mode: replace\n", keys[i]);

        for (int n = 0; n < 2; n++)
            gathering_take(g, three);
        expect(g, LAST, "0|0|3|0|0");
        expect(g, "SELECT count(*), max(_run_id) FROM t", "3|1");
        expect(g, "SELECT count(*), max(_run_id) FROM a", "3|1");
        expect(g, "SELECT count(*), max(_run_id) FROM b", "3|1");
        end(g);
    }
}

static void without_a_key_another_child_makes_all_of_it_anew(void **state)
{
    struct gathering *g =
        gather("write_mode: replace\n", "children: [{records: $.a, table: a, fields: {v: $.v},"
                                        " children: [{records: $.b, table: b}]}]\n"
                                        "fields: {id: $.id}\n");

    (void)state;
    gathering_take(g, three);
    gathering_take(g, "[{\"id\":1,\"a\":[{\"v\":\"x\",\"b\":[{\"w\":1},{\"w\":2}]},{\"v\":\"y\"}]},"
                      "{\"id\":2,\"a\":[{\"v\":\"x\",\"b\":[{\"w\":4}]}]},{\"id\":3}]");
    expect(g, LAST, "3|0|0|3|12");
    expect(g, "SELECT _run_id, _index, id FROM t", "2|0|1\n2|1|2\n2|2|3");
    expect(g, "SELECT _run_id, _parent_parent_index, _parent_index, _index, w FROM b",
           "2|0|0|0|1\n2|0|0|1|2\n2|1|0|0|4");
    gathering_take(g, "[{\"id\":1,\"a\":[{\"v\":\"x\"}]},{\"id\":2,\"a\":[]},{\"id\":3}]");
    expect(g, "SELECT count(*) FROM b", "0"); /* fewer children, too, are another set */
    expect(g, "SELECT _run_id, v FROM a", "3|x");
    end(g);
}

static void pages_bring_their_children_along(void **state)
{
    static const char *const keys[] = {PAGES DEEP,
                                       PAGES "children: [{records: $.a, table: a,"
                                             " fields: {v: $.v, n: $.n}, children: [{records: $.b,"
                                             " table: b, fields: {w: $.w}}]}]\n"
                                             "fields: {id: $.id}\n"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct gathering *g = gather("write_mode: replace\n", keys[i]);

        for (int n = 0; n < 3; n++) {
            gathering_take_page(g, three);
            gathering_take_page(g, "[{\"id\":4,\"a\":[{\"v\":\"z\"}]}]");
            gathering_take_page(g, n < 2 ? "[{\"id\":5,\"a\":[{\"v\":\"z\",\"b\":[{\"w\":9}]}]}]"
                                         : "[{\"id\":5,\"a\":[{\"v\":\"z\",\"b\":[{\"w\":8}]}]}]");
            end_run(g);
            expect(g, "SELECT group_concat(id) FROM t", "1,2,3,4,5");
            expect(g, "SELECT group_concat(v || coalesce(n, '-')) FROM a", "x1,y1,x2,z-,z-");
            expect(g, "SELECT group_concat(w) FROM b", n < 2 ? "1,2,3,9" : "1,2,3,8");
            expect(g, "SELECT max(_run_id) FROM b", n < 2 ? "1" : "3");
        }
        end(g);
    }
}

static void a_child_that_its_table_refuses_goes_to_the_dead_letters_from_any_page(void **state)
{
    struct gathering *g = gather("write_mode: replace\n", PAGES DEEP);

    (void)state;
    gathering_take_page(g, "[{\"id\":9}]");
    end_run(g);
    rig_exec(g->rig, "CREATE TRIGGER no BEFORE INSERT ON b WHEN new.w = 2"
                     " BEGIN SELECT raise(abort, 'no two'); END");
    gathering_take_page(g, "[{\"id\":9}]");
    gathering_take_page(g, three);
    end_run(g);
    expect(g, B, "1|x|0|1\n2|x|0|3");
    expect(g,
           "SELECT table_name, page, position, line, column, reason, content, content_type"
           " FROM _gatherd_dead_letters",
           "b|2|1|1|43|no two|{\"w\":2}|application/json");
    end(g);
}

/* --- history --- */

static void children_have_versions_of_their_own(void **state)
{
    struct gathering *g = gather("write_mode: history\n", DEEP);

    (void)state;
    gathering_take(g, three);
    gathering_take(g, three);
    expect(g, LAST, "0|0|3|0|0");
    gathering_take(g, "[{\"id\":1,\"a\":[{\"v\":\"y\",\"n\":1},{\"v\":\"x\",\"n\":7,"
                      "\"b\":[{\"w\":1}]}]},{\"id\":2,\"a\":[]},{\"id\":3}]");
    expect(g, A, "1|x|7\n1|y|1");
    expect(g, B, "1|x|0|1");
    expect(g,
           "SELECT _parent_id, v, n, _valid_to IS NULL, _changed FROM a_history"
           " ORDER BY 1, 2, _valid_from",
           "1|x|1|0|NULL\n1|x|7|1|[\"n\"]\n1|y|1|1|NULL\n2|x|2|0|NULL");
    expect(g, "SELECT _parent_parent_id, w, _valid_to IS NULL FROM b_history ORDER BY 1, 2",
           "1|1|1\n1|2|0\n2|3|0");
    expect(g, "SELECT count(*) FROM t_history", "3");
    end(g);
}

static void versions_of_children_end_with_their_row(void **state)
{
    struct gathering *g = gather("write_mode: history\non_missing: delete\n", DEEP);

    (void)state;
    gathering_take(g, three);
    gathering_take(g, "[{\"id\":2,\"a\":[{\"v\":\"x\",\"n\":2,\"b\":[{\"w\":3}]}]},{\"id\":3}]");
    expect(g, "SELECT id, _valid_to IS NULL FROM t_history", "1|0\n2|1\n3|1");
    expect(g, "SELECT _parent_id, v, _valid_to IS NULL FROM a_history", "1|x|0\n1|y|0\n2|x|1");
    expect(g, "SELECT w, _valid_to IS NULL FROM b_history", "1|0\n2|0\n3|1");
    gathering_take(g, three);
    expect(g, "SELECT w, _valid_to IS NULL FROM b_history ORDER BY w, _valid_from",
           "1|0\n1|1\n2|0\n2|1\n3|1");
    end(g);
}

static void versions_of_a_marked_rows_children_go_on(void **state)
{
    struct gathering *g = gather("write_mode: history\non_missing: mark\n", DEEP);

    (void)state;
    gathering_take(g, three);
    gathering_take(g, "[{\"id\":3}]");
    expect(g, A, "1|x|1\n1|y|1\n2|x|2");
    expect(g, "SELECT count(*) FROM a_history WHERE _valid_to IS NULL", "3");
    expect(g, "SELECT count(*) FROM b_history WHERE _valid_to IS NULL", "3");
    gathering_take(g, three);
    expect(g, "SELECT count(*), count(_valid_to) FROM a_history", "3|0");
    expect(g, "SELECT count(*), count(_valid_to) FROM t_history", "3|0");
    expect(g, "SELECT count(_missing_since) FROM t", "0");
    end(g);
}

static void of_two_records_with_one_key_the_last_has_the_children(void **state)
{
    static const char *const modes[] = {"write_mode: upsert\n", "write_mode: replace\n",
                                        "write_mode: history\n"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct gathering *g = gather(modes[i], DEEP);

        for (int n = 0; n < 2; n++) {
            gathering_take(g, "[{\"id\":1,\"a\":[{\"v\":\"first\"},{\"v\":\"both\",\"n\":1}]},"
                              "{\"id\":1,\"a\":[{\"v\":\"both\",\"n\":2},{\"v\":\"last\"},"
                              "{\"v\":\"last\",\"n\":3}]}]");
            expect(g, A, "1|both|2\n1|last|3");
        }
        expect(g, "SELECT max(_run_id) FROM a", "1");
        expect(g, "SELECT inserted, updated, child_rows FROM _gatherd_runs WHERE id = 2", "0|0|0");
        if (i == 2)
            expect(g, "SELECT count(*) FROM a_history", "2");
        end(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descendants_go_with_their_row),
        cmocka_unit_test(a_marked_row_keeps_its_children),
        cmocka_unit_test(a_rejected_child_does_not_keep_rows_from_going),
        cmocka_unit_test(only_rows_of_the_sources_own_table_count_as_shrinking),
        cmocka_unit_test(children_that_may_not_go_keep_their_row),
        cmocka_unit_test(a_set_that_shrinks_too_much_keeps_all_children),
        cmocka_unit_test(rows_that_all_pages_miss_take_their_children_along_at_the_end),
        cmocka_unit_test(a_walk_that_fails_takes_no_child_away),
        cmocka_unit_test(an_item_takes_away_children_of_its_own_rows_alone),
        cmocka_unit_test(with_insert_only_nobodys_children_change),
        cmocka_unit_test(children_of_a_replaced_table_cost_nothing_when_they_are_the_same),
        cmocka_unit_test(without_a_key_another_child_makes_all_of_it_anew),
        cmocka_unit_test(pages_bring_their_children_along),
        cmocka_unit_test(a_child_that_its_table_refuses_goes_to_the_dead_letters_from_any_page),
        cmocka_unit_test(children_have_versions_of_their_own),
        cmocka_unit_test(versions_of_children_end_with_their_row),
        cmocka_unit_test(versions_of_a_marked_rows_children_go_on),
        cmocka_unit_test(of_two_records_with_one_key_the_last_has_the_children),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
