/* What was kept becomes rows again, exactly once and never older than what is there. */
#include "test.h"

#include <string.h>

#include "replay_rig.h"

#define SOURCE(keys) "sources: [{name: s, url: 'http://h.example/x', store_raw: 1d, " keys "}]"
#define JSON         "application/json"

#define LETTERS "SELECT kind, position, reason, generation FROM _gatherd_dead_letters ORDER BY id"

static void a_record_goes_into_the_table_as_if_its_response_had_just_been_taken(void **state)
{
    struct replaying_rig *r =
        replaying_create(SOURCE("fields: {a: $.a, b: {path: $.b, type: integer}}"));

    (void)state;
    replaying_answer(r, 200, JSON, "[{\"a\":1,\"b\":2},{\"a\":[3],\"b\":\"x\"}]");
    rig_expect(r->rig, "SELECT a, b FROM s", "1|2");
    replaying_letters(r);
    assert_string_equal(text_string(&r->said), "1 s: column \"b\": \"x\" is not an integer\n");
    assert_int_equal(r->report.failed, 1);
    replaying_configure(r, SOURCE("fields: {a: $.a, b: $.b}"));
    replaying_letters(r);
    assert_string_equal(text_string(&r->said), "");
    rig_expect(r->rig,
               "SELECT a, b, s._run_id, s._fetched_at = r.fetched_at FROM s, _gatherd_raw AS r",
               "1|2|1|1\n[3]|x|1|1");
    rig_expect(r->rig, LETTERS, "");
    rig_expect(r->rig, "SELECT count(*), rejected FROM _gatherd_runs", "1|1");
    replaying_free(r);
}

static void a_record_that_is_a_list_stays_one_record(void **state)
{
    struct replaying_rig *r = replaying_create(
        SOURCE("records: '$.rows[*]', fields: {a: '$[0]', b: {path: '$[1]', type: integer}}"));

    (void)state;
    replaying_answer(r, 200, JSON, "{\"rows\":[[1,2],[3,\"x\"]]}");
    replaying_configure(r, SOURCE("records: '$.rows[*]', fields: {a: '$[0]', b: '$[1]'}"));
    replaying_letters(r);
    assert_string_equal(text_string(&r->said), "");
    rig_expect(r->rig, "SELECT a, b FROM s", "1|2\n3|x");
    replaying_free(r);
}

static void records_of_other_shapes_are_read_again_as_what_they_became(void **state)
{
    struct replaying_rig *r = replaying_create(
        SOURCE("records: $.by, key_as: k, fields: {k: $.k, b: {path: $.b, type: integer}}"));

    (void)state;
    replaying_answer(r, 200, JSON, "{\"by\":{\"one\":{\"b\":1},\"two\":{\"b\":\"x\"}}}");
    replaying_configure(r, SOURCE("records: $.by, key_as: k, fields: {k: $.k, b: $.b}"));
    replaying_letters(r);
    assert_string_equal(text_string(&r->said), "");
    rig_expect(r->rig, "SELECT k, b FROM s", "one|1\ntwo|x");
    replaying_free(r);
    r = replaying_create(SOURCE("zip: $.h, fields: {t: $.t, b: {path: $.b, type: integer}}"));
    replaying_answer(r, 200, JSON, "{\"h\":{\"t\":[1,2],\"b\":[1,\"x\"]}}");
    replaying_configure(r, SOURCE("zip: $.h, fields: {t: $.t, b: $.b}"));
    replaying_letters(r);
    assert_string_equal(text_string(&r->said), "");
    rig_expect(r->rig, "SELECT t, b FROM s", "1|1\n2|x");
    replaying_free(r);
}

static void what_came_with_the_answer_is_there_again(void **state)
{
    static const char wrong[] = SOURCE("fields: {a: {path: $.a, type: integer}}");
    static const char right[] = SOURCE("fields: {a: $.a, total: {header: X-Total}, link: {header: "
                                       "Link}, url: {request: url}, status: {request: status}}");
    struct replaying_rig *r = replaying_create(wrong);

    (void)state;
    r->run.response.url = strdup("http://h.example/x");
    text_add(&r->run.response.head, "X-Total: 7\nLink: <http://h.example/?page=2>\n");
    replaying_answer(r, 200, JSON, "[{\"a\":1},{\"a\":\"x\"}]");
    replaying_configure(r, right);
    replaying_bodies(r);
    /* What no field asked for then may have held a secret. */
    rig_expect(r->rig, "SELECT a, total, link, url, status FROM s ORDER BY a",
               "1|7|NULL|http://h.example/x|200\nx|7|NULL|http://h.example/x|200");
    text_add(&r->run.response.head, "X-Total: 8\nLink: <http://h.example/?page=3>\n");
    replaying_answer(r, 200, JSON, "[{\"a\":2}]");
    rig_exec(r->rig, "DELETE FROM s");
    replaying_bodies(r);
    rig_expect(r->rig, "SELECT link FROM s WHERE a = 2", "<http://h.example/?page=3>");
    replaying_free(r);
}

static void a_table_of_what_is_there_now_is_left_alone(void **state)
{
    struct replaying_rig *r = replaying_create(
        SOURCE("write_mode: history, primary_key: id, fields: {id: $.id, v: $.v}"));
    struct replay_wish wish = {.source = "s", .until_ms = INT64_MAX};
    struct error err = {0};

    (void)state;
    replaying_answer(r, 200, JSON, "[{\"id\":1,\"v\":1,\"w\":1}]");
    replaying_answer(r, 200, JSON, "[{\"id\":1,\"v\":2,\"w\":2}]");
    assert_int_equal(replaying_do(r, wish, &err), REPLAY_FAILED);
    assert_string_equal(err.text,
                        "source \"s\": a table of this write_mode holds what is there now, and the "
                        "next poll brings it by the mapping of today; for what was there, replay "
                        "--into other tables");
    replaying_configure(
        r, SOURCE("write_mode: history, primary_key: id, fields: {id: $.id, v: $.v, w: $.w}"));
    wish.into = "new_";
    assert_int_equal(replaying_do(r, wish, NULL), REPLAY_DONE);
    rig_expect(r->rig, "SELECT id, v, w FROM new_s", "1|2|2");
    rig_expect(r->rig, "SELECT id, v, w, _valid_to IS NULL FROM new_s_history ORDER BY _valid_from",
               "1|1|1|0\n1|2|2|1");
    rig_expect(r->rig, "SELECT count(*) FROM s_history", "2");
    err = (struct error){0};
    assert_int_equal(replaying_do(r, wish, &err), REPLAY_FAILED);
    assert_string_equal(err.text, "--into: table \"new_s\" is there already, and versions begin in "
                                  "a new one; drop it with its history, or choose another");
    replaying_free(r);
}

static void expect_no_table(struct replaying_rig *r, const char *into, const char *why)
{
    const struct replay_wish wish = {.source = "s", .until_ms = INT64_MAX, .into = into};
    struct error err = {0};

    assert_int_equal(replaying_do(r, wish, &err), REPLAY_FAILED);
    assert_string_equal(err.text, why);
}

static void versions_go_into_tables_of_nobody_else(void **state)
{
    struct replaying_rig *r = replaying_create(
        SOURCE("write_mode: history, primary_key: id, fields: {id: $.id, v: $.v}"));

    (void)state;
    replaying_answer(r, 200, JSON, "[{\"id\":1,\"v\":1}]");
    replaying_answer(r, 200, JSON, "[{\"id\":1,\"v\":2}]");
    expect_no_table(r, "S_history",
                    "--into: table \"S_history\" is one of source \"s\"; choose another, or leave "
                    "--into out to replay into the source's own");
    rig_exec(r->rig, "CREATE TABLE new_s_history (mine)");
    expect_no_table(r, "new_",
                    "--into: table \"new_s_history\" is there already, and versions begin in a new "
                    "one; drop it with its history, or choose another");
    rig_expect(r->rig, "SELECT count(*) FROM s_history", "2");
    rig_expect(r->rig, "SELECT count(*) FROM sqlite_schema WHERE name = 'new_s'", "0");
    replaying_free(r);
}

static void a_set_that_is_replaced_is_collected_elsewhere(void **state)
{
    struct replaying_rig *r = replaying_create(SOURCE("write_mode: replace, max_shrink: 100%"));
    struct replay_wish wish = {.source = "s", .until_ms = INT64_MAX};

    (void)state;
    replaying_answer(r, 200, JSON, "[{\"a\":1},{\"a\":2}]");
    replaying_answer(r, 200, JSON, "[{\"a\":3}]");
    rig_expect(r->rig, "SELECT a FROM s", "3");
    assert_int_equal(replaying_do(r, wish, NULL), REPLAY_FAILED);
    wish.into = "all_of_it";
    for (int i = 0; i < 2; i++)
        assert_int_equal(replaying_do(r, wish, NULL), REPLAY_DONE);
    rig_expect(r->rig, "SELECT a, _run_id FROM all_of_it ORDER BY a", "1|1\n2|1\n3|2");
    replaying_free(r);
}

static void rows_that_are_missing_stay_marked(void **state)
{
    struct replaying_rig *r =
        replaying_create(SOURCE("primary_key: id, on_missing: mark, fields: {id: $.id, v: $.v}"));

    (void)state;
    replaying_answer(r, 200, JSON, "[{\"id\":1,\"v\":1,\"w\":1},{\"id\":2,\"v\":1,\"w\":1}]");
    replaying_answer(r, 200, JSON, "[{\"id\":1,\"v\":1,\"w\":1}]");
    replaying_configure(
        r, SOURCE("primary_key: id, on_missing: mark, fields: {id: $.id, v: $.v, w: $.w}"));
    replaying_bodies(r);
    rig_expect(r->rig, "SELECT id, w, _missing_since IS NULL FROM s ORDER BY id", "1|1|1\n2|1|0");
    replaying_free(r);
}

static void what_is_refused_again_stays_with_the_new_reason_and_generation(void **state)
{
    struct replaying_rig *r = replaying_create(SOURCE("fields: {b: {path: $.b, type: integer}}"));

    (void)state;
    replaying_answer(r, 200, JSON, "[{\"b\":\"x\"}]");
    rig_expect(r->rig, LETTERS, "record|0|column \"b\": \"x\" is not an integer|1");
    replaying_configure(r, SOURCE("fields: {c: {path: $.b, type: real}}"));
    replaying_letters(r);
    rig_expect(r->rig, LETTERS, "record|0|column \"c\": \"x\" is not a real|2");
    /* The same record comes again, refused for the same: then it is one. */
    replaying_answer(r, 200, JSON, "[{\"b\":\"x\"}]");
    rig_expect(r->rig, "SELECT occurrences FROM _gatherd_dead_letters", "2");
    replaying_free(r);
}

static void two_letters_that_come_to_the_same_reason_become_one(void **state)
{
    struct replaying_rig *r = replaying_create(SOURCE("fields: {b: {path: $.b, type: integer}}"));

    (void)state;
    replaying_answer(r, 200, JSON, "[{\"b\":\"x\"}]");
    replaying_configure(r, SOURCE("fields: {b: {path: $.b, type: real}}"));
    replaying_answer(r, 200, JSON, "[{\"b\":\"x\"}]");
    rig_expect(r->rig, "SELECT count(*) FROM _gatherd_dead_letters", "2");
    replaying_letters(r);
    rig_expect(r->rig, LETTERS, "record|0|column \"b\": \"x\" is not a real|2");
    replaying_free(r);
}

static void a_row_of_csv_is_read_behind_its_header(void **state)
{
    struct replaying_rig *r = replaying_create(
        SOURCE("csv: {skip_rows: 1}, fields: {a: $.a, b: {path: $.b, type: integer}}"));

    (void)state;
    replaying_answer(r, 200, "text/csv", "title\na;b\n1;2\n3;x\n");
    rig_expect(r->rig, "SELECT count(*) FROM _gatherd_dead_letters", "1"); /* no column ; */
    replaying_free(r);
    r = replaying_create(
        SOURCE("csv: {skip_rows: 1}, fields: {a: $.a, b: {path: $.b, type: integer}}"));
    replaying_answer(r, 200, "text/csv", "title\na,b\n1,2\n\"3,\n4\",x\n5\n");
    rig_expect(r->rig, "SELECT count(*) FROM _gatherd_dead_letters", "2");
    replaying_configure(r, SOURCE("csv: {skip_rows: 1}, fields: {a: $.a, b: $.b}"));
    replaying_letters(r);
    rig_expect(r->rig, "SELECT a, b FROM s", "1|2\n3,\n4|x");
    assert_int_equal(r->report.failed, 1); /* the ragged row */
    replaying_free(r);
    r = replaying_create(SOURCE("fields: {a: $.a, b: {path: $.b, type: integer}}"));
    replaying_answer(r, 200, "text/tab-separated-values", "a\tb\n1,5\tx\n");
    replaying_configure(r, SOURCE("fields: {a: $.a, b: $.b}"));
    replaying_letters(r);
    rig_expect(r->rig, "SELECT a, b FROM s", "1,5|x");
    replaying_free(r);
}

static void a_body_is_replayed_if_its_run_failed_for_the_mapping(void **state)
{
    struct replaying_rig *r = replaying_create(SOURCE("records: '$.wrong[*]'"));

    (void)state;
    replaying_answer(r, 200, JSON, "{\"items\":[{\"a\":1}]}");
    replaying_answer(r, 500, JSON, "{\"items\":[{\"a\":\"error\"}]}");
    replaying_answer(r, 404, JSON, "{\"items\":[{\"a\":404}]}");
    replaying_configure(r, SOURCE("records: '$.items[*]', success_status_codes: [200, 404]"));
    replaying_letters(r);
    rig_expect(r->rig, "SELECT a FROM s ORDER BY a", "1\n404");
    assert_string_equal(text_string(&r->said),
                        "2 s: HTTP 500 is none of success_status_codes: the answer holds no "
                        "records; drop it\n");
    replaying_configure(r, SOURCE("responses: [{status: 500, action: fail}]"));
    replaying_letters(r);
    assert_string_equal(text_string(&r->said),
                        "2 s: by its status or by `responses` the answer (HTTP 500) is none with "
                        "records; drop it\n");
    replaying_free(r);
}

static void letters_of_a_source_that_is_gone_stay(void **state)
{
    struct replaying_rig *r = replaying_create(SOURCE("records: '$.wrong[*]'"));

    (void)state;
    replaying_answer(r, 200, JSON, "{}");
    replaying_configure(r, "sources: [{name: other, url: 'http://h.example/x'}]");
    replaying_letters(r);
    assert_string_equal(text_string(&r->said),
                        "1 s: source \"s\" is not in the configuration any more\n");
    replaying_free(r);
}

static void a_body_that_was_asked_for_again_is_not_appended_twice(void **state)
{
    struct replaying_rig *r =
        replaying_create(SOURCE("records: '$.wrong[*]', incremental: {cursor_path: $.n}"));

    (void)state;
    replaying_answer(r, 200, JSON, "{\"items\":[{\"n\":1}]}");
    replaying_configure(r, SOURCE("records: '$.items[*]', incremental: {cursor_path: $.n}"));
    replaying_letters(r);
    assert_string_equal(text_string(&r->said),
                        "1 s: later runs asked for the same again, and the table appends: its rows "
                        "would come twice; drop it\n");
    replaying_configure(
        r, SOURCE("records: '$.items[*]', primary_key: n, incremental: {cursor_path: $.n}"));
    replaying_letters(r);
    rig_expect(r->rig, "SELECT n FROM s", "1");
    replaying_free(r);
}

static void a_child_without_its_parent_stays(void **state)
{
    struct replaying_rig *r = replaying_create(
        SOURCE("primary_key: id, fields: {id: $.id}, children: [{records: '$.c[*]', table: c,"
               " fields: {n: {path: $.n, type: integer}}}]"));

    (void)state;
    replaying_answer(r, 200, JSON, "[{\"id\":1,\"c\":[{\"n\":1},{\"n\":\"x\"}]}]");
    rig_expect(r->rig, LETTERS, "child|1|column \"n\": \"x\" is not an integer|1");
    replaying_letters(r);
    assert_int_equal(r->report.failed, 1);
    /* Its body is kept, and brings it. */
    replaying_configure(
        r, SOURCE("primary_key: id, fields: {id: $.id}, children: [{records: '$.c[*]', table: c,"
                  " fields: {n: $.n}}]"));
    replaying_bodies(r);
    rig_expect(r->rig, "SELECT n FROM c ORDER BY _index", "1\nx");
    rig_expect(r->rig, LETTERS, "");
    replaying_free(r);
}

/* As if the answers had come at different times. */
static void set_times(struct replaying_rig *r)
{
    rig_exec(r->rig, "UPDATE _gatherd_raw SET fetched_at = '2026-01-0' || run_id ||"
                     " 'T00:00:00.000Z';"
                     "UPDATE s SET _fetched_at = '2026-01-0' || _run_id || 'T00:00:00.000Z'");
}

static void a_row_that_was_fetched_later_stays(void **state)
{
    struct replaying_rig *r =
        replaying_create(SOURCE("primary_key: id, fields: {id: $.id, v: $.v}"));

    (void)state;
    replaying_answer(r, 200, JSON,
                     "[{\"id\":1,\"v\":\"old\",\"w\":1},{\"id\":2,\"v\":\"x\",\"w\":1}]");
    replaying_answer(r, 200, JSON, "[{\"id\":1,\"v\":\"new\",\"w\":2}]");
    set_times(r);
    rig_exec(r->rig, "DELETE FROM _gatherd_raw WHERE run_id = 2");
    replaying_configure(r, SOURCE("primary_key: id, fields: {id: $.id, v: $.v, w: $.w}"));
    replaying_bodies(r);
    rig_expect(r->rig, "SELECT id, v, w, _run_id FROM s ORDER BY id", "1|new|NULL|2\n2|x|1|1");
    replaying_free(r);
}

static void children_that_came_later_do_not_vanish(void **state)
{
    struct replaying_rig *r = replaying_create(
        SOURCE("primary_key: id, fields: {id: $.id}, children: [{records: '$.c[*]', table: c,"
               " primary_key: n, fields: {n: $.n}}]"));

    (void)state;
    replaying_answer(r, 200, JSON, "[{\"id\":1,\"c\":[{\"n\":1},{\"n\":2}]}]");
    replaying_answer(r, 200, JSON, "[{\"id\":1,\"c\":[{\"n\":1},{\"n\":3}]}]");
    set_times(r);
    rig_exec(r->rig, "UPDATE c SET _fetched_at = '2026-01-0' || _run_id || 'T00:00:00.000Z'");
    replaying_bodies(r); /* 2 comes back with the first body and vanishes with the second */
    rig_expect(r->rig, "SELECT n FROM c ORDER BY n", "1\n3");
    rig_exec(r->rig, "DELETE FROM _gatherd_raw WHERE run_id = 2");
    replaying_bodies(r);
    rig_expect(r->rig, "SELECT n FROM c ORDER BY n", "1\n2\n3");
    replaying_free(r);
}

static void until_is_refused_where_vanished_children_would_come_back(void **state)
{
    struct replaying_rig *r = replaying_create(
        SOURCE("primary_key: id, fields: {id: $.id}, children: [{records: '$.c[*]', table: c}]"));
    struct replay_wish wish = {.source = "s", .until_ms = 1000};
    struct error err = {0};

    (void)state;
    replaying_answer(r, 200, JSON, "[{\"id\":1,\"c\":[{\"n\":1}]}]");
    assert_int_equal(replaying_do(r, wish, &err), REPLAY_FAILED);
    assert_int_equal(err.code, ERROR_USAGE);
    assert_string_equal(err.text, "source \"s\" has children: with --until those that vanished "
                                  "later would come back; leave it out, or replay --into other "
                                  "tables");
    wish.into = "trial";
    assert_int_equal(replaying_do(r, wish, NULL), REPLAY_DONE);
    replaying_free(r);
}

static void ties_are_left_out_again(void **state)
{
    struct replaying_rig *r =
        replaying_create(SOURCE("fields: {n: $.n}, incremental: {cursor_path: $.n}"));

    (void)state;
    replaying_answer(r, 200, JSON, "[{\"n\":1,\"m\":1},{\"n\":2,\"m\":2}]");
    replaying_answer(r, 200, JSON, "[{\"n\":2,\"m\":2},{\"n\":3,\"m\":3}]");
    rig_expect(r->rig, "SELECT n FROM s ORDER BY n", "1\n2\n3");
    replaying_configure(r, SOURCE("fields: {n: $.n, m: $.m}, incremental: {cursor_path: $.n}"));
    replaying_bodies(r);
    rig_expect(r->rig, "SELECT n, m FROM s ORDER BY n", "1|1\n2|2\n3|3");
    rig_expect(r->rig, "SELECT cursor FROM _gatherd_state", "3");
    replaying_free(r);
}

static void rows_that_were_inserted_once_get_their_new_columns_too(void **state)
{
    struct replaying_rig *r =
        replaying_create(SOURCE("write_mode: insert_only, primary_key: id, fields: {id: $.id}"));

    (void)state;
    replaying_answer(r, 200, JSON, "[{\"id\":1,\"v\":1}]");
    replaying_answer(r, 200, JSON, "[{\"id\":1,\"v\":2},{\"id\":2,\"v\":2}]");
    set_times(r);
    replaying_configure(
        r, SOURCE("write_mode: insert_only, primary_key: id, fields: {id: $.id, v: $.v}"));
    replaying_bodies(r);
    rig_expect(r->rig, "SELECT id, v, _run_id FROM s ORDER BY id", "1|1|1\n2|2|2");
    replaying_free(r);
}

static void a_mapping_that_cannot_read_a_body_changes_nothing(void **state)
{
    struct replaying_rig *r = replaying_create(SOURCE("fields: {a: $.a}"));

    (void)state;
    replaying_answer(r, 200, JSON, "[{\"a\":1}]");
    replaying_configure(r, SOURCE("records: '$.wrong[*]'"));
    replaying_bodies(r);
    assert_int_equal(r->report.failed, 1);
    rig_expect(r->rig, "SELECT a FROM s", "1");
    rig_expect(r->rig, LETTERS, "");
    /* A table that refuses: the trigger undoes the whole transaction. */
    replaying_configure(r, SOURCE("fields: {a: $.a, b: $.a}"));
    rig_exec(r->rig,
             "CREATE TRIGGER no BEFORE INSERT ON s BEGIN SELECT raise(ROLLBACK, 'no'); END");
    replaying_bodies(r);
    assert_int_equal(r->report.failed, 1);
    assert_string_equal(text_string(&r->said), "0 s: no\n");
    rig_expect(r->rig, "SELECT a FROM s", "1");
    rig_exec(r->rig, "DROP TRIGGER no;"
                     "CREATE TRIGGER no BEFORE DELETE ON s BEGIN SELECT raise(ABORT, 'kept'); END");
    replaying_bodies(r);
    assert_int_equal(r->report.failed, 1);
    rig_expect(r->rig, "SELECT count(*) FROM s", "1");
    replaying_free(r);
}

static void records_that_are_refused_now_are_dead_letters_in_place_of_those_before(void **state)
{
    struct replaying_rig *r = replaying_create(SOURCE("fields: {a: {path: $.a, type: integer}}"));

    (void)state;
    replaying_answer(r, 200, JSON, "[{\"a\":1},{\"a\":\"x\"},{\"a\":3}]");
    replaying_configure(r, SOURCE("fields: {a: {path: $.a, type: blob, encoding: hex}}"));
    replaying_bodies(r);
    replaying_bodies(r);
    rig_expect(r->rig, "SELECT count(*) FROM s", "0");
    rig_expect(r->rig,
               "SELECT kind, position, generation, occurrences FROM _gatherd_dead_letters"
               " ORDER BY position",
               "record|0|2|1\nrecord|1|2|1\nrecord|2|2|1");
    replaying_configure(r, SOURCE("fields: {a: $.a}"));
    replaying_bodies(r);
    rig_expect(r->rig, "SELECT a FROM s", "1\nx\n3");
    rig_expect(r->rig, LETTERS, "");
    replaying_free(r);
}

static void into_another_table_leaves_the_source_and_its_letters_alone(void **state)
{
    struct replaying_rig *r = replaying_create(SOURCE("fields: {a: {path: $.a, type: integer}}"));
    struct replay_wish wish = {.source = "s", .until_ms = INT64_MAX, .into = "old_"};
    struct error err = {0};

    (void)state;
    replaying_answer(r, 200, JSON, "[{\"a\":1},{\"a\":\"x\"}]");
    for (int i = 0; i < 2; i++)
        assert_int_equal(replaying_do(r, wish, NULL), REPLAY_DONE);
    assert_int_equal(r->report.rejected, 1);
    rig_expect(r->rig, "SELECT a FROM old_s", "1");
    rig_expect(r->rig, "SELECT count(*) FROM _gatherd_dead_letters", "1");
    wish.into = "S";
    assert_int_equal(replaying_do(r, wish, &err), REPLAY_FAILED);
    assert_string_equal(err.text, "--into: table \"S\" is one of source \"s\"; choose another, or "
                                  "leave --into out to replay into the source's own");
    err = (struct error){0};
    wish.into = "a b";
    assert_int_equal(replaying_do(r, wish, &err), REPLAY_FAILED);
    assert_string_equal(err.text, "--into: \"a b\" is not a name here: letters, digits and _, no "
                                  "digit first");
    replaying_free(r);
}

static void a_source_without_bodies_or_runs_is_said(void **state)
{
    struct replaying_rig *r = replaying_create(SOURCE("fields: {a: $.a}"));
    struct replay_wish wish = {.source = "nobody", .until_ms = INT64_MAX};
    struct error err = {0};

    (void)state;
    replaying_bodies(r);
    assert_int_equal(r->report.total, 0);
    assert_int_equal(replaying_do(r, wish, &err), REPLAY_FAILED);
    assert_string_equal(err.text, "no source is named \"nobody\"");
    replaying_free(r);
}

static void the_same_mapping_has_the_same_fingerprint_whatever_else_differs(void **state)
{
    struct replaying_rig *r = replaying_create(SOURCE("fields: {a: $.a}"));
    uint64_t one = replay_fingerprint(r->config, "s");
    uint64_t all = replay_fingerprint(r->config, NULL);

    (void)state;
    replaying_configure(r, SOURCE("fields: {a: $.a}, interval: 7s, headers: {X: y}"));
    assert_true(replay_fingerprint(r->config, "s") == one);
    assert_true(replay_fingerprint(r->config, NULL) == all);
    replaying_configure(r, SOURCE("fields: {a: $.b}"));
    assert_true(replay_fingerprint(r->config, "s") != one);
    assert_true(replay_fingerprint(r->config, NULL) != all);
    replaying_free(r);
}

#define T(test) cmocka_unit_test(test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_record_goes_into_the_table_as_if_its_response_had_just_been_taken),
        T(a_record_that_is_a_list_stays_one_record),
        T(records_of_other_shapes_are_read_again_as_what_they_became),
        T(what_came_with_the_answer_is_there_again),
        T(a_table_of_what_is_there_now_is_left_alone),
        T(versions_go_into_tables_of_nobody_else),
        T(a_set_that_is_replaced_is_collected_elsewhere),
        T(rows_that_are_missing_stay_marked),
        T(what_is_refused_again_stays_with_the_new_reason_and_generation),
        T(two_letters_that_come_to_the_same_reason_become_one),
        T(a_row_of_csv_is_read_behind_its_header),
        T(a_body_is_replayed_if_its_run_failed_for_the_mapping),
        T(letters_of_a_source_that_is_gone_stay),
        T(a_body_that_was_asked_for_again_is_not_appended_twice),
        T(a_child_without_its_parent_stays),
        T(a_row_that_was_fetched_later_stays),
        T(children_that_came_later_do_not_vanish),
        T(until_is_refused_where_vanished_children_would_come_back),
        T(ties_are_left_out_again),
        T(rows_that_were_inserted_once_get_their_new_columns_too),
        T(a_mapping_that_cannot_read_a_body_changes_nothing),
        T(records_that_are_refused_now_are_dead_letters_in_place_of_those_before),
        T(into_another_table_leaves_the_source_and_its_letters_alone),
        T(a_source_without_bodies_or_runs_is_said),
        T(the_same_mapping_has_the_same_fingerprint_whatever_else_differs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
