/*
 * Rows that are appended from a position on: records that share its value are told apart by all
 * that they are, whatever their format and however they were reshaped.
 */
#include "test.h"

#include <stdio.h>

#include "gatherd/clock.h"
#include "gathering.h"

#define CURSOR "incremental: {cursor_path: $.t, param: since}\n"

/* An answer of a run that asked from where the last one came to. */
static void take(struct gathering *g, const char *body)
{
    struct position *position = g->run.state.position;
    struct error err = {0};

    if (position == NULL)
        position = g->run.state.position = position_create(NULL);
    assert_non_null(position);
    assert_int_equal(position_begin(position, g->run.source, clock_wall_ms(), &err), 0);
    gathering_take(g, body);
    position_page_committed(position, true);
    position_end(position);
}

struct polls {
    const char *column;
    const char *keys;
    const char *first;
    const char *second; /* what was there, and more of the same value */
};

static const struct polls of_each_form[] = {
    {"v", CURSOR, "[{\"t\":5,\"v\":1}]", "[{\"t\":5,\"v\":1},{\"t\":5,\"v\":2}]"},
    {"v", CURSOR "key_as: k\nrecords: $.r\n", "{\"r\":{\"a\":{\"t\":5,\"v\":1}}}",
     "{\"r\":{\"a\":{\"t\":5,\"v\":1},\"b\":{\"t\":5,\"v\":2}}}"},
    {"v", CURSOR "key_as: k\nrecords: $.r\nfields: {v: $.k}\n", "{\"r\":{\"1\":{\"t\":5}}}",
     "{\"r\":{\"1\":{\"t\":5},\"2\":{\"t\":5}}}"},
    {"v", CURSOR "zip: $\n", "{\"t\":[5],\"v\":[1]}", "{\"t\":[5,5],\"v\":[1,2]}"},
    {"v", CURSOR "columns: [t, v]\n", "[[5,1]]", "[[5,1],[5,2]]"},
    {"w_v", CURSOR "flatten: _\n", "[{\"t\":5,\"w\":{\"v\":1}}]",
     "[{\"t\":5,\"w\":{\"v\":1}},{\"t\":5,\"w\":{\"v\":2}}]"},
    {"v", CURSOR "format: ndjson\n", "{\"t\":5,\"v\":1}\n",
     "{\"t\":5,\"v\":1}\n{\"t\":5,\"v\":2}\n"},
    {"v", CURSOR "format: csv\n", "t,v\n5,1\n", "t,v\n5,1\n5,2\n"},
    {"v", CURSOR "format: xml\nrecords: $.a.r\n", "<a><r><t>5</t><v>1</v></r></a>",
     "<a><r><t>5</t><v>1</v></r><r><t>5</t><v>2</v></r></a>"},
    {"w_v", CURSOR "format: xml\nrecords: $.a.r\nflatten: _\n",
     "<a><r><t>5</t><w><v>1</v></w></r></a>",
     "<a><r><t>5</t><w><v>1</v></w></r><r><t>5</t><w><v>2</v></w></r></a>"},
    {"v",
     "incremental: {cursor_path: $.time, param: since}\nformat: prometheus\n"
     "fields: {v: $.labels.v}\n",
     "m{v=\"1\"} 7 5\n", "m{v=\"1\"} 7 5\nm{v=\"2\"} 7 5\n"},
};

static void expect(const struct gathering *g, const char *column, const char *rows)
{
    char sql[64];

    snprintf(sql, sizeof(sql), "SELECT %s FROM t ORDER BY 1", column);
    rig_expect(g->rig, sql, rows);
}

static void records_of_one_value_come_once_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(of_each_form) / sizeof(of_each_form[0]); i++) {
        struct gathering *g = gathering_create(of_each_form[i].keys);

        take(g, of_each_form[i].first);
        expect(g, of_each_form[i].column, "1");
        take(g, of_each_form[i].second);
        expect(g, of_each_form[i].column, "1\n2");
        take(g, of_each_form[i].second);
        expect(g, of_each_form[i].column, "1\n2");
        gathering_free(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_one_value_come_once_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
