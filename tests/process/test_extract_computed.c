/* Fields with sql, and where: from an answer to the rows that are stored, and those that are not.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gathering.h"

static struct gathering *g;

static int setup(void **state)
{
    (void)state;
    g = NULL;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (g != NULL)
        rig_expect_sound(g->rig);
    gathering_free(g);
    return 0;
}

static void take(const char *source, const char *body)
{
    if (g == NULL)
        g = gathering_create(source);
    gathering_take(g, body);
}

static void expect(const char *sql, const char *rows)
{
    rig_expect(g->rig, sql, rows);
}

static void expect_letters(const char *letters)
{
    expect("SELECT position || ': ' || reason FROM _gatherd_dead_letters ORDER BY position",
           letters);
}

#define QUAKES                                 \
    "fields:\n"                                \
    "  id: $.id\n"                             \
    "  magnitude: {path: $.mag, type: real}\n" \
    "  alert: {sql: \"CASE WHEN magnitude >= 6 THEN 'high' ELSE 'low' END\", type: text}\n"

static const char quakes[] = "[{\"id\":\"a\",\"mag\":7},{\"id\":\"b\",\"mag\":4.5},"
                             "{\"id\":\"c\",\"mag\":null}]";

/* --- Fields --- */

static void a_field_is_calculated_from_the_others(void **state)
{
    (void)state;
    take(QUAKES, quakes);
    expect("SELECT id, magnitude, alert FROM t", "a|7.0|high\nb|4.5|low\nc|NULL|low");
}

static void fields_may_use_each_other_in_any_order(void **state)
{
    (void)state;
    take("fields:\n"
         "  c: {sql: \"b * 2\"}\n"
         "  b: {sql: \"A + 1\"}\n"
         "  a: $.a\n",
         "[{\"a\":1},{\"a\":20}]");
    expect("SELECT a, b, c FROM t", "1|2|4\n20|21|42");
}

static void undeclared_values_keep_the_type_they_have_in_sql(void **state)
{
    (void)state;
    take("fields:\n"
         "  a: $.a\n"
         "  i: {sql: \"a + 1\"}\n"
         "  r: {sql: \"a * 2.5\"}\n"
         "  t: {sql: \"a || 'x'\"}\n"
         "  b: {sql: \"CAST(a AS BLOB)\"}\n"
         "  n: {sql: \"NULL\"}\n",
         "[{\"a\":2}]");
    expect("SELECT i, typeof(i), r, typeof(r), t, typeof(t), hex(b), typeof(b), n FROM t",
           "3|integer|5.0|real|2x|text|32|blob|NULL");
    expect("SELECT column_name, type FROM _gatherd_columns ORDER BY 1",
           "a|INTEGER\nb|BLOB\ni|INTEGER\nn|ANY\nr|REAL\nt|TEXT");
}

static void declared_types_are_enforced(void **state)
{
    (void)state;
    take("fields:\n"
         "  a: $.a\n"
         "  text: {sql: \"a + 0.5\", type: text}\n"
         "  integer: {sql: \"a * 1.0\", type: integer}\n"
         "  real: {sql: \"a\", type: real}\n"
         "  boolean: {sql: \"a > 1\", type: boolean}\n"
         "  json: {sql: \"json_object('a', a)\", type: json}\n"
         "  time: {sql: \"date(a, 'unixepoch')\", type: timestamp}\n",
         "[{\"a\":86400}]");
    expect("SELECT text, integer, real, boolean, json, time FROM t",
           "86400.5|86400|86400.0|1|{\"a\":86400}|1970-01-02T00:00:00.000Z");
}

static void a_value_that_does_not_fit_is_a_dead_letter_with_its_record(void **state)
{
    (void)state;
    take("fields:\n"
         "  a: $.a\n"
         "  b: {sql: \"a / 2.0\", type: integer}\n",
         "[{\"a\":4},{\"a\":5},{\"a\":6}]");
    expect("SELECT a, b FROM t", "4|2\n6|3");
    expect_letters("1: column \"b\": 2.5 is not an integer");
    expect("SELECT content FROM _gatherd_dead_letters", "{\"a\":5}");
    assert_int_equal(g->result.rejected, 1);
}

static void text_that_is_no_json_is_none(void **state)
{
    (void)state;
    take("fields:\n"
         "  a: $.a\n"
         "  j: {sql: \"a\", type: json}\n"
         "  q: {sql: \"json_quote(a)\", type: json}\n",
         "[{\"a\":\"[1, 2]\"},{\"a\":\"x\"},{\"a\":\"\"}]");
    expect("SELECT j, q FROM t", "[1, 2]|\"[1, 2]\"");
    expect_letters("1: column \"j\": the value is no JSON; write json_quote() around a text\n"
                   "2: column \"j\": the value is no JSON; write json_quote() around a text");
}

static void bytes_fit_no_other_type(void **state)
{
    (void)state;
    take("fields: {a: $.a, b: {sql: \"CAST(a AS BLOB)\", type: text}}\n", "[{\"a\":\"x\"}]");
    expect_letters("0: column \"b\": the value is a BLOB, and the column has another type");
}

static void the_keys_of_a_field_hold_for_what_is_calculated(void **state)
{
    (void)state;
    take("fields:\n"
         "  a: $.a\n"
         "  d: {sql: \"nullif(a, 1)\", type: integer, default: 7}\n"
         "  n: {sql: \"a || ''\", null_values: ['2']}\n"
         "  r: {sql: \"nullif(a, 3)\", required: true}\n"
         "  h: {sql: \"hex(a)\", type: blob, encoding: hex}\n"
         "  b: {sql: \"CAST(a AS BLOB)\", type: blob}\n"
         "  w: {sql: \"a * 1.5\", type: decimal}\n",
         "[{\"a\":1},{\"a\":2},{\"a\":3}]");
    expect("SELECT a, d, n, r, hex(h), hex(b), w FROM t", "1|7|1|1|31|31|1.5\n2|2|NULL|2|32|32|3");
    expect_letters("2: column \"r\" is required, and null is no value");
}

static void a_contract_that_discards_values_holds_for_what_is_calculated(void **state)
{
    (void)state;
    take("schema_contract: {types: discard_value}\n"
         "fields:\n"
         "  a: $.a\n"
         "  i: {sql: \"a || 'x'\", type: integer}\n"
         "  j: {sql: \"a || 'x'\", type: json}\n"
         "  b: {sql: \"CAST(a AS BLOB)\", type: text}\n",
         "[{\"a\":1}]");
    expect("SELECT a, i, j, b FROM t", "1|NULL|NULL|NULL");
}

static void numbers_among_null_values_are_none(void **state)
{
    (void)state;
    take("null_values: [-999]\nfields: {a: $.a, b: {sql: \"a - 1\"}, c: {sql: \"a / 1.0\"}}\n",
         "[{\"a\":-998},{\"a\":5}]");
    expect("SELECT a, b, c, typeof(c) FROM t", "-998|NULL|-998.0|real\n5|4|5.0|real");
}

static void an_error_of_sql_is_a_dead_letter_and_the_rest_goes_on(void **state)
{
    (void)state;
    take("fields: {a: $.a, b: {sql: \"json_extract(a, '$.x')\"}}\n",
         "[{\"a\":{\"x\":1}},{\"a\":\"{x\"},{\"a\":{\"x\":3}}]");
    expect("SELECT b FROM t", "1\n3");
    expect_letters("1: column \"b\": malformed JSON");
    assert_int_equal(g->result.rejected, 1);
    expect("SELECT outcome, rejected FROM _gatherd_runs", "partial|1");
}

static void a_calculated_field_can_be_the_key(void **state)
{
    (void)state;
    take("fields: {a: $.a, key: {sql: \"upper(a)\"}}\nprimary_key: key\n",
         "[{\"a\":\"x\"},{\"a\":\"y\"}]");
    take(NULL, "[{\"a\":\"X\"}]");
    expect("SELECT key, a FROM t ORDER BY key", "X|X\nY|y");
}

static void an_integer_within_a_real_column_is_a_real(void **state)
{
    (void)state;
    take("fields: {a: {path: $.a, type: real}, half: {sql: \"a / 2\"}}\n", "[{\"a\":5}]");
    expect("SELECT half FROM t", "2.5");
}

/* --- where --- */

static void rows_for_which_where_is_not_true_are_left_out_and_counted(void **state)
{
    (void)state;
    take("where: \"magnitude >= 4.5\"\n" QUAKES, quakes);
    expect("SELECT id FROM t", "a\nb");
    expect("SELECT outcome, records, inserted, unchanged, filtered, rejected FROM _gatherd_runs",
           "success|3|2|0|1|0");
    assert_int_equal(g->result.filtered, 1);
    assert_int_equal(g->result.total.filtered, 1);
    expect("SELECT count(*) FROM _gatherd_dead_letters", "0");
}

static void where_may_use_what_is_calculated(void **state)
{
    (void)state;
    take("where: \"alert = 'high'\"\n" QUAKES, quakes);
    expect("SELECT id, alert FROM t", "a|high");
}

static void what_where_leaves_out_is_not_calculated(void **state)
{
    (void)state;
    take("where: \"json_valid(a)\"\n"
         "fields: {a: $.a, b: {sql: \"json_extract(a, '$[0]')\"}}\n",
         "[{\"a\":\"[1]\"},{\"a\":\"x\"}]");
    expect("SELECT b FROM t", "1");
    expect("SELECT rejected, filtered FROM _gatherd_runs", "0|1");
}

static void an_error_in_where_is_a_dead_letter(void **state)
{
    (void)state;
    take("where: \"json_extract(a, '$.x') = 1\"\n", "[{\"a\":{\"x\":1}},{\"a\":\"{x\"}]");
    expect("SELECT a FROM t", "{\"x\":1}");
    expect_letters("1: where: malformed JSON");
}

static void without_fields_where_sees_the_members_of_the_records(void **state)
{
    (void)state;
    take("where: \"mag > 4 AND (place IS NULL OR place <> 'x')\"\n",
         "[{\"id\":1},{\"id\":2,\"mag\":5},{\"id\":3,\"mag\":5,\"place\":\"x\"},"
         "{\"mag\":6,\"id\":4,\"place\":\"y\"}]");
    expect("SELECT id, mag, place FROM t", "2|5|NULL\n4|6|y");
    expect("SELECT filtered FROM _gatherd_runs", "2");
}

static void a_member_that_no_record_has_is_null(void **state)
{
    (void)state;
    take("where: \"missing IS NULL\"\n", "[{\"id\":1},{\"id\":2}]");
    expect("SELECT count(*) FROM t", "2");
}

static void members_answer_to_their_own_names_and_to_those_of_their_columns(void **state)
{
    (void)state;
    take("where: \"user_name = 'x' AND \\\"user-name\\\" = 'x' AND _1st = 1 AND ID > 0\"\n",
         "[{\"user-name\":\"x\",\"1st\":1,\"id\":1},{\"user-name\":\"y\",\"1st\":1,\"id\":2}]");
    expect("SELECT user_name, _1st, id FROM t", "x|1|1");
}

static void the_name_that_is_written_is_preferred(void **state)
{
    (void)state;
    take("where: \"a_b = 1 AND \\\"a-b\\\" = 2\"\n", "[{\"A_B\":3,\"a-b\":2,\"a_b\":1}]");
    assert_int_equal(g->result.rows.row_count, 1);
}

static void what_is_left_out_leaves_no_columns(void **state)
{
    (void)state;
    take("where: \"keep\"\n",
         "[{\"keep\":0,\"a\":1,\"b\":2},{\"keep\":1,\"c\":3},{\"b\":1},{\"keep\":1,\"d\":4}]");
    expect("SELECT name FROM pragma_table_info('t') WHERE name NOT LIKE '\\_%' ESCAPE '\\'",
           "keep\nc\nd");
    expect("SELECT keep, c, d FROM t", "1|3|NULL\n1|NULL|4");
}

static void names_are_found_again_after_columns_went(void **state)
{
    (void)state;
    take("where: \"n > 1\"\n",
         "[{\"x\":1,\"n\":1},{\"y\":1,\"n\":2},{\"n\":0,\"z\":1},{\"z\":1,\"n\":3}]");
    expect("SELECT y, n, z FROM t", "1|2|NULL\nNULL|3|1");
}

static void an_answer_of_which_nothing_is_left_makes_no_table(void **state)
{
    (void)state;
    take("where: \"a > 1\"\n", "[{\"a\":1}]");
    expect("SELECT count(*) FROM sqlite_schema WHERE name = 't'", "0");
    expect("SELECT outcome, filtered FROM _gatherd_runs", "success|1");
}

static void types_come_from_the_rows_that_are_stored(void **state)
{
    (void)state;
    take("where: \"typeof(a) = 'integer'\"\n", "[{\"a\":\"x\"},{\"a\":1},{\"a\":0.5}]");
    expect("SELECT type FROM _gatherd_columns WHERE column_name = 'a'", "INTEGER");
}

static void records_that_are_no_objects_have_a_value(void **state)
{
    (void)state;
    take("where: \"value > 1\"\n", "[1,2,3]");
    expect("SELECT value FROM t", "2\n3");
}

static void every_page_is_filtered(void **state)
{
    (void)state;
    g = gathering_create("where: \"a > 1\"\n"
                         "pagination: {type: page, limit: 2, limit_param: n}\n");
    gathering_take_page(g, "[{\"a\":1},{\"a\":2}]");
    gathering_take(g, "[{\"a\":3}]");
    expect("SELECT a FROM t", "2\n3");
    expect("SELECT records, inserted, filtered FROM _gatherd_runs", "3|2|1");
}

/* --- Children --- */

#define CHILDREN             \
    "primary_key: id\n"      \
    "where: \"id <> 2\"\n"   \
    "fields: {id: $.id}\n"   \
    "children:\n"            \
    "  - records: $.list\n"  \
    "    table: c\n"         \
    "    where: \"n > 1\"\n" \
    "    fields: {n: $.n, path: {sql: \"_parent_id || '/' || _index || '/' || n\"}}\n"

static void children_have_sql_and_where_of_their_own(void **state)
{
    (void)state;
    take(CHILDREN, "[{\"id\":1,\"list\":[{\"n\":1},{\"n\":2}]},{\"id\":2,\"list\":[{\"n\":5}]},"
                   "{\"id\":3,\"list\":[{\"n\":7}]}]");
    expect("SELECT id FROM t ORDER BY id", "1\n3");
    expect("SELECT _parent_id, n, path FROM c ORDER BY 1", "1|2|1/1/2\n3|7|3/0/7");
    expect("SELECT filtered FROM _gatherd_runs", "2");
}

static void a_child_that_where_leaves_out_now_goes(void **state)
{
    (void)state;
    take(CHILDREN, "[{\"id\":1,\"list\":[{\"n\":2},{\"n\":3}]}]");
    take(NULL, "[{\"id\":1,\"list\":[{\"n\":0},{\"n\":3}]}]");
    expect("SELECT n FROM c", "3");
}

/* --- What takes too long --- */

static void a_row_that_takes_too_long_is_a_dead_letter(void **state)
{
    struct text body = {0};

    (void)state;
    text_add(&body, "[{\"a\":[1,2]},{\"a\":[0");
    for (int i = 0; i < 2000; i++)
        text_add(&body, ",1");
    text_add(&body, "]},{\"a\":[3]}]");
    take("fields:\n"
         "  a: $.a\n"
         "  b: {sql: \"(SELECT sum(x.value + y.value) FROM json_each(a) x, json_each(a) y)\"}\n",
         text_string(&body));
    text_free(&body);
    expect("SELECT b FROM t", "12\n6");
    expect_letters("1: column \"b\": the expression takes more than 1000000 instructions for this "
                   "row; make it simpler");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_field_is_calculated_from_the_others),
        T(fields_may_use_each_other_in_any_order),
        T(undeclared_values_keep_the_type_they_have_in_sql),
        T(declared_types_are_enforced),
        T(a_value_that_does_not_fit_is_a_dead_letter_with_its_record),
        T(text_that_is_no_json_is_none),
        T(bytes_fit_no_other_type),
        T(the_keys_of_a_field_hold_for_what_is_calculated),
        T(a_contract_that_discards_values_holds_for_what_is_calculated),
        T(numbers_among_null_values_are_none),
        T(an_error_of_sql_is_a_dead_letter_and_the_rest_goes_on),
        T(a_calculated_field_can_be_the_key),
        T(an_integer_within_a_real_column_is_a_real),
        T(rows_for_which_where_is_not_true_are_left_out_and_counted),
        T(where_may_use_what_is_calculated),
        T(what_where_leaves_out_is_not_calculated),
        T(an_error_in_where_is_a_dead_letter),
        T(without_fields_where_sees_the_members_of_the_records),
        T(a_member_that_no_record_has_is_null),
        T(members_answer_to_their_own_names_and_to_those_of_their_columns),
        T(the_name_that_is_written_is_preferred),
        T(what_is_left_out_leaves_no_columns),
        T(names_are_found_again_after_columns_went),
        T(an_answer_of_which_nothing_is_left_makes_no_table),
        T(types_come_from_the_rows_that_are_stored),
        T(records_that_are_no_objects_have_a_value),
        T(every_page_is_filtered),
        T(children_have_sql_and_where_of_their_own),
        T(a_child_that_where_leaves_out_now_goes),
        T(a_row_that_takes_too_long_is_a_dead_letter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
