/* Indexes and full-text search beside tables: looked at once, and again when something changed. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "gatherd/error.h"
#include "store/dependents.h"
#include "store/sqlite.h"

#define TABLES 1000 /* the list grows several times */

struct world {
    sqlite3 *db;
    struct dependents dependents;
    struct schema_log log; /* nothing is noted of the index by time */
    struct moment moment;
    struct mapping mapping;
};

static int setup(void **state)
{
    static struct world world;

    world = (struct world){.mapping = {.write_mode = WRITE_APPEND}};
    assert_int_equal(sqlite3_open(":memory:", &world.db), SQLITE_OK);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    dependents_forget(&world->dependents);
    sqlite3_finalize(world->log.change);
    return sqlite3_close(world->db) == SQLITE_OK ? 0 : -1;
}

static void run(struct world *world, const char *sql)
{
    assert_int_equal(sqlite3_exec(world->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void make_table(struct world *world, const char *name)
{
    char sql[128];

    snprintf(sql, sizeof(sql), "CREATE TABLE %s (_fetched_at TEXT, v ANY) STRICT", name);
    run(world, sql);
}

static void remove_index(struct world *world, const char *table)
{
    char sql[128];

    snprintf(sql, sizeof(sql), "DROP INDEX \"_gatherd_%s(_fetched_at)\"", table);
    run(world, sql);
}

/* Whether there was anything to do. */
static bool fits_anew(struct world *world, const char *name)
{
    struct table *table = table_create(name);
    struct error err = {0};
    bool changed = false;

    assert_non_null(table);
    assert_int_equal(table_read_columns(world->db, table, &err), 0);
    assert_int_equal(dependents_fit(&world->dependents, world->db, &world->log, table,
                                    &world->mapping, 1, &world->moment, &changed, &err),
                     0);
    table_free(table);
    return changed;
}

static void a_table_that_was_seen_to_fit_is_not_looked_at_again(void **state)
{
    struct world *world = *state;

    make_table(world, "t");
    assert_true(fits_anew(world, "t"));
    assert_false(fits_anew(world, "t"));
    remove_index(world, "t"); /* by the same connection, which nobody but us has */
    assert_false(fits_anew(world, "T"));
    dependents_forget_table(&world->dependents, "T");
    assert_true(fits_anew(world, "t"));
}

static void it_is_looked_at_when_the_mapping_wants_something_else(void **state)
{
    struct world *world = *state;

    make_table(world, "t");
    assert_true(fits_anew(world, "t"));
    world->mapping.write_mode = WRITE_UPSERT;
    assert_true(fits_anew(world, "t"));
    world->mapping.write_mode = WRITE_APPEND;
    assert_true(fits_anew(world, "t"));
}

/* Children of a table that is replaced: with a key it is an index of their own that finds them. */
static void it_is_looked_at_when_the_table_loses_its_key(void **state)
{
    static const char *const links[] = {"_parent_index", "_index"};
    struct world *world = *state;

    run(world, "CREATE TABLE t (_parent_index INT, _run_id INTEGER, _fetched_at TEXT) STRICT;"
               "CREATE TABLE _gatherd_schema_changes (at, table_name, change, new_value, run_id)");
    assert_int_equal(
        sqlite_prepare(world->db, "INSERT INTO _gatherd_schema_changes VALUES (?1, ?2, ?4, ?6, ?7)",
                       &world->log.change, NULL),
        0);
    world->mapping = (struct mapping){.write_mode = WRITE_REPLACE,
                                      .links = links,
                                      .link_count = 2,
                                      .primary_key_count = 2,
                                      .goes_with_parent = true};
    assert_false(fits_anew(world, "t"));
    world->mapping.primary_key_count = 0;
    assert_true(fits_anew(world, "t"));
}

static void each_of_many_tables_is_remembered(void **state)
{
    struct world *world = *state;
    char name[16];

    run(world, "BEGIN");
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < TABLES; i++) {
            snprintf(name, sizeof(name), "t%d", i);
            if (round == 0)
                make_table(world, name);
            assert_int_equal(fits_anew(world, name), round == 0);
            if (round == 0)
                remove_index(world, name);
        }
    }
    run(world, "COMMIT");
    assert_int_equal(world->dependents.count, TABLES);
    dependents_forget(&world->dependents);
    assert_true(fits_anew(world, "t0"));
}

static void what_is_impossible_is_undone_and_tried_again(void **state)
{
    static const char *const words[] = {"v"};
    struct world *world = *state;
    struct table *table = table_create("t");
    struct error err = {0};
    bool changed = false;

    make_table(world, "t");
    run(world, "CREATE TABLE t_fts (mine)");
    world->mapping.fts = words;
    world->mapping.fts_count = 1;
    assert_non_null(table);
    assert_int_equal(table_read_columns(world->db, table, &err), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(dependents_fit(&world->dependents, world->db, &world->log, table,
                                        &world->mapping, 1, &world->moment, &changed, &err),
                         -1);
        assert_int_equal(err.code, ERROR_FAILED);
        assert_non_null(strstr(err.text, "t_fts"));
    }
    table_free(table);
    world->mapping.fts_count = 0;
    assert_true(fits_anew(world, "t")); /* the index was undone with the rest */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_table_that_was_seen_to_fit_is_not_looked_at_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(it_is_looked_at_when_the_mapping_wants_something_else,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(it_is_looked_at_when_the_table_loses_its_key, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(each_of_many_tables_is_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_impossible_is_undone_and_tried_again, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
