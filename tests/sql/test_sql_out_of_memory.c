/* Expressions while memory runs out, ours or SQLite's: that is said, and it works later. */
#include "test.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "allocation.h"
#include "gatherd/computer.h"

static bool find(void *context, const char *name, enum column_affinity *affinity)
{
    (void)context;
    (void)name;
    *affinity = AFFINITY_NONE;
    return true;
}

static const char text[] = "json_extract(a, '$.x') || replace(b, 'x', a) || trim(c, 'xyz')";

/* Whether it was calculated. Without memory it may not be, and nothing else may come of it. */
static bool check(struct arena *arena, struct expression *expression)
{
    const struct column_finder finder = {NULL, find};
    struct expression_checker *checker = expression_checker_create();
    struct expression_mistake mistake;
    int rc;

    if (checker == NULL)
        return false;
    rc = expression_check(checker, text, false, &finder, arena, expression, &mistake);
    if (rc == -1 && mistake.kind != MISTAKE_NOMEM)
        fail_msg("%s", mistake.words);
    expression_checker_free(checker);
    return rc == 0;
}

static bool calculate_rows(struct calculations *calculations, const struct expression *expression)
{
    const struct value cells[] = {
        {.type = VALUE_TEXT, .length = 9, .text = "{\"x\":\"y\"}"},
        {.type = VALUE_TEXT, .length = 3, .text = "axb"},
        {.type = VALUE_TEXT, .length = 3, .text = "xqz"},
    };
    uint32_t places[3];

    for (size_t i = 0; i < 3; i++)
        places[i] = (uint32_t)(expression->columns[i].name[0] - 'a');
    for (int i = 0; i < 3; i++) {
        struct value value;
        struct error err = {0};

        switch (computer_evaluate(calculations, 0, cells, 3, places, &value, &err)) {
        case COMPUTED:
            assert_int_equal(value.length, 13);
            assert_memory_equal(value.text, "ya{\"x\":\"y\"}bq", 13);
            break;
        case COMPUTED_NOMEM:
            assert_int_equal(err.code, ERROR_NOMEM);
            return false;
        default:
            fail_msg("%s", err.text);
        }
    }
    return true;
}

static bool calculate(struct arena *arena)
{
    struct expression expression;
    struct expression_set set = {&expression, 1, {1, 1}};
    struct calculations *calculations;
    struct computer *computer;
    struct error err = {0};
    bool done = false;

    if (!check(arena, &expression))
        return false;
    computer = computer_create();
    if (computer == NULL)
        return false;
    computer_begin(computer);
    calculations = computer_prepare(computer, &set, &err);
    if (calculations == NULL && err.code != ERROR_NOMEM)
        fail_msg("%s", err.text);
    if (calculations != NULL)
        done = calculate_rows(calculations, &expression);
    computer_free(computer);
    return done;
}

static void run_out(bool once)
{
    struct arena *arena = arena_create(1 << 16);
    bool has_failed = true;
    size_t failures = 0;

    assert_non_null(arena);
    for (size_t n = 0; has_failed; n += n < 400 ? 1 : 7) {
        bool done;

        arena_reset(arena);
        allocation_fail_after(n, once);
        done = calculate(arena);
        has_failed = allocation_stop_failing();
        if (!has_failed)
            assert_true(done);
        failures += !done;
    }
    assert_true(failures > 100);
    assert_true(calculate(arena));
    arena_free(arena);
}

static void that_memory_is_out_is_said(void **state)
{
    (void)state;
    run_out(false);
}

static void one_failed_allocation_makes_no_wrong_value(void **state)
{
    (void)state;
    run_out(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(that_memory_is_out_is_said),
        cmocka_unit_test(one_failed_allocation_makes_no_wrong_value),
    };

    return cmocka_run_group_tests(tests, allocation_include_sqlite, NULL);
}
