/* A contract while memory runs out: it is said, nothing is noted, and it holds the next time. */
#include "test.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "allocation.h"
#include "store/contract.h"
#include "store/parts.h"
#include "store_rig.h"

struct world {
    struct rig *rig;
    struct feed *feed;
    struct schema_contract contract;
    struct outcome outcome;
    struct moment moment;
    const struct table *table;
    struct contract_view view;
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct error err = {0};

    assert_non_null(world);
    world->rig = rig_make();
    rig_open(world->rig);
    world->feed = feed_create(world->rig, "t", WRITE_APPEND);
    feed_columns(world->feed, "id,v,w");
    ROW(world->feed, INT(1), INT(1), TEXT("a"));
    feed_save(world->rig, world->feed);
    feed_columns(world->feed, "id,v,w,new,other");
    ROW(world->feed, INT(2), TEXT("no integer"), TEXT("b"), INT(1), NUL);
    ROW(world->feed, INT(3), INT(3), INT(4), NUL, TEXT("x"));
    feed_result(world->feed);
    world->feed->source.mapping.schema_contract = &world->contract;
    world->outcome.run_id = 1;
    store_read_clocks(&world->moment);
    world->table = schema_table(world->rig->store->schema, "t", &err);
    assert_non_null(world->table);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    feed_free(world->feed);
    rig_free(world->rig);
    free(world);
    return 0;
}

static int apply(struct world *world, struct error *err)
{
    return contract_apply(world->rig->store->db, world->table, &world->feed->source.mapping,
                          &world->feed->result.rows, &world->outcome, &world->moment, &world->view,
                          err);
}

static void run(struct world *world, const char *sql)
{
    assert_int_equal(sqlite3_exec(world->rig->store->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void expect_notes(struct world *world, int64_t count)
{
    struct error err = {0};
    int64_t found;

    assert_int_equal(sqlite_integer(world->rig->store->db,
                                    "SELECT count(*) FROM _gatherd_schema_changes"
                                    " WHERE change = 'discard_value'",
                                    &found, &err),
                     0);
    assert_int_equal(found, count);
}

typedef void check_fn(struct world *world, int rc, const struct error *err);

/* Each allocation fails once, alone and with all behind it. Without memory: ERROR_NOMEM. */
static void apply_in_spite(struct world *world, check_fn *check)
{
    for (int once = 0; once < 2; once++) {
        bool failed = true;
        size_t step = 0;

        for (; failed; step++) {
            struct error err = {0};
            int rc;

            run(world, "BEGIN");
            allocation_fail_after(step, once == 1);
            rc = apply(world, &err);
            failed = allocation_stop_failing();
            if (rc == 0 || err.code != ERROR_NOMEM)
                check(world, rc, &err);
            contract_view_free(&world->view);
            if (sqlite3_get_autocommit(world->rig->store->db) == 0)
                run(world, "ROLLBACK");
            expect_notes(world, 0);
        }
        assert_true(step > 3);
    }
}

static void check_discarded(struct world *world, int rc, const struct error *err)
{
    const struct row_set *set = world->view.set;

    assert_string_equal(err->text, "");
    assert_int_equal(rc, 0);
    assert_int_equal(set->column_count, 3);
    assert_int_equal(set->row_count, 2);
    assert_int_equal(set->rows[0].values[1].type, VALUE_NULL);
    assert_int_equal(set->rows[1].values[2].type, VALUE_NULL);
    assert_null(set->rows[0].refused);
    expect_notes(world, 4);
}

static void values_that_do_not_fit_are_left_out_and_noted(void **state)
{
    struct world *world = *state;

    world->contract = (struct schema_contract){.columns = CONTRACT_DISCARD_VALUE,
                                               .types = CONTRACT_DISCARD_VALUE};
    apply_in_spite(world, check_discarded);
}

static void check_refused(struct world *world, int rc, const struct error *err)
{
    const struct row_set *set = world->view.set;

    assert_string_equal(err->text, "");
    assert_int_equal(rc, 0);
    assert_int_equal(set->row_count, 2);
    assert_string_equal(set->rows[0].refused,
                        "column \"v\" is INTEGER, and schema_contract keeps it from taking TEXT");
    assert_string_equal(set->rows[1].refused,
                        "column \"w\" is TEXT, and schema_contract keeps it from taking INTEGER");
}

static void rows_that_do_not_fit_have_their_reason(void **state)
{
    struct world *world = *state;

    world->contract =
        (struct schema_contract){.columns = CONTRACT_DISCARD_ROW, .types = CONTRACT_DISCARD_ROW};
    apply_in_spite(world, check_refused);
}

static void check_frozen(struct world *world, int rc, const struct error *err)
{
    (void)world;
    assert_int_equal(rc, -1);
    assert_int_equal(err->code, ERROR_FAILED);
}

static void a_frozen_table_takes_none(void **state)
{
    struct world *world = *state;

    world->contract =
        (struct schema_contract){.columns = CONTRACT_FREEZE, .types = CONTRACT_FREEZE};
    apply_in_spite(world, check_frozen);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(values_that_do_not_fit_are_left_out_and_noted),
        T(rows_that_do_not_fit_have_their_reason),
        T(a_frozen_table_takes_none),
    };

    return cmocka_run_group_tests(tests, allocation_include_sqlite, NULL);
}
