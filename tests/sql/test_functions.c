/* Our instr(), replace() and trim() against those that SQLite has. */
#include "test.h"

#include "sql/functions.h"

#include <stdlib.h>
#include <string.h>

struct pair {
    sqlite3 *theirs;
    sqlite3 *ours;
};

static int setup(void **state)
{
    struct pair *p = calloc(1, sizeof(*p));

    assert_non_null(p);
    assert_int_equal(sqlite3_open(":memory:", &p->theirs), SQLITE_OK);
    assert_int_equal(sqlite3_open(":memory:", &p->ours), SQLITE_OK);
    assert_int_equal(functions_replace(p->ours), SQLITE_OK);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct pair *p = *state;

    sqlite3_close(p->theirs);
    sqlite3_close(p->ours);
    free(p);
    return 0;
}

struct argument {
    char bytes[24];
    int length;
    int type; /* 0: NULL, 1: text, 2: BLOB, 3: a number */
};

static void bind(sqlite3_stmt *stmt, int index, const struct argument *a)
{
    if (a->type == 1)
        sqlite3_bind_text(stmt, index, a->bytes, a->length, SQLITE_STATIC);
    else if (a->type == 2)
        sqlite3_bind_blob(stmt, index, a->bytes, a->length, SQLITE_STATIC);
    else if (a->type == 3)
        sqlite3_bind_int(stmt, index, a->length * 101);
    else
        sqlite3_bind_null(stmt, index);
}

static sqlite3_stmt *run(sqlite3 *db, const char *sql, const struct argument arguments[3])
{
    sqlite3_stmt *stmt;

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    for (int i = 0; i < sqlite3_bind_parameter_count(stmt); i++)
        bind(stmt, i + 1, &arguments[i]);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    return stmt;
}

static void compare(const struct pair *p, const char *sql, const struct argument arguments[3])
{
    sqlite3_stmt *theirs = run(p->theirs, sql, arguments);
    sqlite3_stmt *ours = run(p->ours, sql, arguments);

    assert_int_equal(sqlite3_column_type(ours, 0), sqlite3_column_type(theirs, 0));
    assert_int_equal(sqlite3_column_bytes(ours, 0), sqlite3_column_bytes(theirs, 0));
    if (sqlite3_column_bytes(ours, 0) > 0)
        assert_memory_equal(sqlite3_column_blob(ours, 0), sqlite3_column_blob(theirs, 0),
                            (size_t)sqlite3_column_bytes(ours, 0));
    sqlite3_finalize(theirs);
    sqlite3_finalize(ours);
}

/* Few different characters, of one to four bytes, so that much is found. */
static void make(struct argument *a)
{
    static const char *const characters[] = {
        "a", "b", " ", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    int count = rand() % 6;

    *a = (struct argument){.type = rand() % 20 == 0 ? 0 : 1 + (rand() % 8 == 0) * (1 + rand() % 2)};
    for (int i = 0; i < count; i++) {
        const char *c = characters[rand() % 6];

        memcpy(a->bytes + a->length, c, strlen(c));
        a->length += (int)strlen(c);
    }
}

static void they_agree(void **state)
{
    static const char *const calls[] = {"SELECT instr(?, ?)", "SELECT replace(?, ?, ?)",
                                        "SELECT trim(?, ?)", "SELECT ltrim(?, ?)",
                                        "SELECT rtrim(?, ?)"};
    const struct pair *p = *state;

    srand(1);
    for (int i = 0; i < 20000; i++) {
        struct argument arguments[3];

        for (int n = 0; n < 3; n++)
            make(&arguments[n]);
        compare(p, calls[i % 5], arguments);
    }
}

static void a_long_set_of_characters_is_refused(void **state)
{
    const struct pair *p = *state;
    sqlite3_stmt *stmt;

    assert_int_equal(
        sqlite3_prepare_v2(p->ours, "SELECT trim('x', printf('%01025d', 1))", -1, &stmt, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ERROR);
    assert_string_equal(sqlite3_errmsg(p->ours),
                        "trim() takes at most 1024 bytes of characters to remove");
    sqlite3_finalize(stmt);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(they_agree),
        T(a_long_set_of_characters_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
