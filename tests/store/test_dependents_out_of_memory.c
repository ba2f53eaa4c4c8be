/* Indexes and full-text search while memory runs out: all of it is made, or none, and made later.
 */
#include "test.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "allocation.h"
#include "gatherd/error.h"
#include "store/dependents.h"
#include "store/fts.h"
#include "store/sqlite.h"

struct world {
    sqlite3 *db;
    struct schema_log log;
    struct moment moment;
    struct table *table;
    char *before; /* what is there before a step, and after one that succeeded */
    char *after;
};

static const char *const a[] = {"a"};
static const char *const b[] = {"b"};
static const char *const ab[] = {"a", "b"};
static const char *const ba[] = {"b", "a"};

static const struct name_list old_indexes[] = {{a, 1}, {ba, 2}};
static const struct name_list new_indexes[] = {{ba, 2}, {b, 1}, {ab, 2}};

static const struct mapping old_mapping = {
    .write_mode = WRITE_APPEND, .indexes = old_indexes, .index_count = 2, .fts = a, .fts_count = 1};
static const struct mapping new_mapping = {.write_mode = WRITE_APPEND,
                                           .indexes = new_indexes,
                                           .index_count = 3,
                                           .fts = ab,
                                           .fts_count = 2};
static const struct mapping bare_mapping = {.write_mode = WRITE_UPSERT};

static void run(struct world *world, const char *sql)
{
    if (sqlite3_exec(world->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(world->db));
}

static char *describe(struct world *world)
{
    static const char sql[] =
        "SELECT group_concat(name || coalesce(sql, ''), char(10)) || (SELECT group_concat(change ||"
        " new_value) FROM _gatherd_schema_changes) FROM (SELECT * FROM sqlite_schema ORDER BY "
        "name)";
    sqlite3_stmt *stmt;
    char *text;

    assert_int_equal(sqlite3_prepare_v2(world->db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    text = strdup((const char *)sqlite3_column_text(stmt, 0));
    assert_non_null(text);
    sqlite3_finalize(stmt);
    return text;
}

static void expect(struct world *world, const char *expected)
{
    char *found = describe(world);

    assert_string_equal(found, expected);
    free(found);
}

static int fit(struct world *world, struct dependents *dependents, const struct mapping *mapping,
               struct error *err)
{
    bool changed = false;

    return dependents_fit(dependents, world->db, &world->log, world->table, mapping, 1,
                          &world->moment, &changed, err);
}

/* In a transaction of its own, which is undone; what it had made is returned. */
static char *fit_once(struct world *world, const struct mapping *mapping)
{
    struct dependents dependents = {0};
    struct error err = {0};
    char *made;

    run(world, "BEGIN");
    if (fit(world, &dependents, mapping, &err) == -1)
        fail_msg("%s", err.text);
    made = describe(world);
    run(world, "ROLLBACK");
    dependents_forget(&dependents);
    return made;
}

static int setup(void **state)
{
    static const char schema[] =
        "CREATE TABLE _gatherd_schema_changes (at, table_name, column_name, change, old_value,"
        " new_value, run_id); CREATE TABLE t (a TEXT, b TEXT, _fetched_at TEXT) STRICT;"
        "INSERT INTO t VALUES ('one two', 'three', '2026'), ('four', NULL, '2026')";
    static const char change[] = "INSERT INTO _gatherd_schema_changes VALUES (?, ?, ?, ?, ?, ?, ?)";
    struct world *world = calloc(1, sizeof(*world));
    struct dependents dependents = {0};
    struct error err = {0};

    assert_non_null(world);
    assert_int_equal(sqlite3_open(":memory:", &world->db), SQLITE_OK);
    run(world, schema);
    assert_int_equal(sqlite_prepare(world->db, change, &world->log.change, &err), 0);
    world->table = table_create("t");
    assert_non_null(world->table);
    assert_int_equal(table_read_columns(world->db, world->table, &err), 0);
    assert_int_equal(fit(world, &dependents, &old_mapping, &err), 0);
    dependents_forget(&dependents);
    world->before = describe(world);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    table_free(world->table);
    sqlite3_finalize(world->log.change);
    assert_int_equal(sqlite3_close(world->db), SQLITE_OK);
    free(world->before);
    free(world->after);
    free(world);
    return 0;
}

/* Whether memory was out. Afterwards the database is as before. */
static bool fit_without(struct world *world, const struct mapping *mapping, size_t step, bool once)
{
    struct dependents dependents = {0};
    struct error err = {0};
    bool failed;
    int rc;

    run(world, "BEGIN");
    allocation_fail_after(step, once);
    rc = fit(world, &dependents, mapping, &err);
    failed = allocation_stop_failing();
    if (rc == 0) {
        expect(world, world->after);
    } else {
        if (err.code != ERROR_NOMEM)
            fail_msg("step %zu: %d %s", step, (int)err.code, err.text);
        assert_true(failed);
    }
    if (sqlite3_get_autocommit(world->db) == 0)
        run(world, "ROLLBACK");
    expect(world, world->before);
    if (rc == -1 && step % 32 == 0) {
        run(world, "BEGIN");
        assert_int_equal(fit(world, &dependents, mapping, &err), 0); /* nothing was remembered */
        expect(world, world->after);
        run(world, "ROLLBACK");
    }
    dependents_forget(&dependents);
    return failed;
}

static void fit_in_spite(struct world *world, const struct mapping *mapping)
{
    world->after = fit_once(world, mapping);
    for (int once = 0; once < 2; once++) {
        size_t step = 0;

        /* What fails after the first failure is the undoing, which is much the same each time. */
        while (fit_without(world, mapping, step, once == 1))
            step += once == 1 || step < 40 ? 1 : 29;
        assert_true(step > 20);
    }
}

static void others_are_made_in_the_place_of_those_that_are_there(void **state)
{
    fit_in_spite(*state, &new_mapping);
}

static void those_that_nobody_wants_any_more_go(void **state)
{
    fit_in_spite(*state, &bare_mapping);
}

static void what_is_there_is_found_and_kept(void **state)
{
    fit_in_spite(*state, &old_mapping);
}

static void words_are_read_anew(void **state)
{
    struct world *world = *state;
    bool failed = true;

    for (size_t step = 0; failed; step++) {
        struct error err = {0};
        int rc;

        allocation_fail_after(step, true);
        rc = fts_rebuild(world->db, "t", &err);
        failed = allocation_stop_failing();
        if (rc == -1 && err.code != ERROR_NOMEM)
            fail_msg("step %zu: %d %s", step, (int)err.code, err.text);
        run(world, "INSERT INTO t_fts (t_fts) VALUES ('integrity-check')");
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(others_are_made_in_the_place_of_those_that_are_there),
        T(those_that_nobody_wants_any_more_go),
        T(what_is_there_is_found_and_kept),
        T(words_are_read_anew),
    };

    return cmocka_run_group_tests(tests, allocation_include_sqlite, NULL);
}
