#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/cursor.h"

static const struct cursor_rule any = {.type = CURSOR_AUTO};
static const struct cursor_rule numbers = {.type = CURSOR_NUMBER};
static const struct cursor_rule times = {.type = CURSOR_TIMESTAMP};
static const struct cursor_rule seconds = {.type = CURSOR_TIMESTAMP, .unit = TIME_UNIT_S};
static const struct cursor_rule nanoseconds = {.type = CURSOR_TIMESTAMP, .unit = TIME_UNIT_NS};
static const struct cursor_rule bytes = {.type = CURSOR_TEXT};

static enum cursor_order order(const struct cursor_rule *rule, const char *a, const char *b)
{
    return cursor_compare(rule, slice_of(a), slice_of(b));
}

/* Each before the next, in both directions, and the same as itself. */
static void assert_ascending(const struct cursor_rule *rule, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            enum cursor_order expected = i < j ? CURSOR_BEFORE : i > j ? CURSOR_AFTER : CURSOR_SAME;

            if (order(rule, list[i], list[j]) != expected)
                fail_msg("%s and %s: %d", list[i], list[j], order(rule, list[i], list[j]));
        }
    }
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void numbers_compare_exactly_with_any_number_of_digits(void **state)
{
    static const char *const ascending[] = {
        "-1e400",
        "-123456789012345678901234567890.2",
        "-123456789012345678901234567890.1",
        "-10",
        "-9.5",
        "-0.002",
        "-0.001",
        "0",
        "0.0009999999999999999999999",
        "0.001",
        "0.00100000000000000000000000001",
        "1",
        "1.5",
        "9",
        "10",
        "99.999",
        "100",
        "9007199254740992",
        "9007199254740993",
        "18446744073709551615",
        "123456789012345678901234567890.1",
        "123456789012345678901234567890.2",
        "1e30",
        "1e400",
        "1e999999999999999999",
    };

    (void)state;
    assert_ascending(&any, ascending, COUNT(ascending));
    assert_ascending(&numbers, ascending, COUNT(ascending));
}

static void one_number_written_in_many_ways_is_the_same(void **state)
{
    static const char *const same[] = {"1200", "1.2e3", "12E2", "1200.000", "0.12e4", "120000e-2"};
    static const char *const zeros[] = {"0", "-0", "0.000", "0e9", "-0.0e-5"};

    (void)state;
    for (size_t i = 0; i < COUNT(same); i++)
        assert_int_equal(order(&any, same[0], same[i]), CURSOR_SAME);
    for (size_t i = 0; i < COUNT(zeros); i++)
        assert_int_equal(order(&any, zeros[0], zeros[i]), CURSOR_SAME);
}

static void times_compare_by_the_moment_they_mean(void **state)
{
    static const char *const ascending[] = {
        "1969-12-31",
        "2026-01-01T00:00:00+02:00",
        "2026-01-01",
        "2026-01-01T00:00:00.1Z",
        "2026-01-01T00:00:00.123456Z",
        "2026-01-01T00:00:00.1234567Z",
        "2026-01-01T00:00:00.123789Z",
        "2026-01-01T00:00:01Z",
        "2026-01-01T01:00:01",
        "2026-01-01T00:00:00-11:00",
    };

    (void)state;
    assert_ascending(&any, ascending, COUNT(ascending));
    assert_ascending(&times, ascending, COUNT(ascending));
    assert_int_equal(order(&any, "2026-01-01T01:00:00.5+01:00", "2026-01-01 00:00:00.500Z"),
                     CURSOR_SAME);
}

static void numbers_with_a_unit_are_times(void **state)
{
    int64_t wall_ms;

    (void)state;
    assert_true(cursor_time(&seconds, slice_of("1767225600"), &wall_ms));
    assert_int_equal(wall_ms, 1767225600000);
    assert_int_equal(order(&nanoseconds, "1767225600000000001", "1767225600000000002"),
                     CURSOR_BEFORE);
    assert_false(cursor_is_valid(&seconds, slice_of("2026-01-01")));
}

static void text_compares_byte_by_byte(void **state)
{
    static const char *const ascending[] = {"10", "9", "9a", "A", "a", "\xc3\xa9"};
    static const char *const words[] = {"A", "a", "aa", "b", "\xc3\xa9"};

    (void)state;
    assert_ascending(&bytes, ascending, COUNT(ascending));
    assert_ascending(&any, words, COUNT(words));
}

static void values_of_different_kinds_do_not_compare(void **state)
{
    (void)state;
    assert_int_equal(order(&any, "5", "2026-01-01"), CURSOR_UNLIKE);
    assert_int_equal(order(&any, "abc", "5"), CURSOR_UNLIKE);
    assert_int_equal(order(&any, "abc", "2026-01-01"), CURSOR_UNLIKE);
    assert_int_equal(order(&numbers, "5", "x"), CURSOR_UNLIKE);
    assert_int_equal(order(&times, "2026-02-30", "2026-01-01"), CURSOR_UNLIKE);
}

static void what_is_no_position_is_not_valid(void **state)
{
    (void)state;
    assert_false(cursor_is_valid(&any, slice_of("")));
    assert_false(cursor_is_valid(&bytes, slice_of("")));
    assert_false(cursor_is_valid(&numbers, slice_of("five")));
    assert_false(cursor_is_valid(&times, slice_of("yesterday")));
    assert_true(cursor_is_valid(&any, slice_of("anything")));
}

static void only_strings_and_numbers_have_a_position(void **state)
{
    struct node node = {.text = "17", .length = 2, .span = 1};
    struct slice text;

    (void)state;
    assert_false(cursor_of_node(NULL, &text));
    for (int type = NODE_NULL; type <= NODE_OBJECT; type++) {
        node.type = (uint8_t)type;
        assert_int_equal(cursor_of_node(&node, &text), type == NODE_NUMBER || type == NODE_STRING);
    }
}

static void assert_moves(const struct cursor_rule *rule, const char *value, struct span span,
                         bool back, const char *expected)
{
    struct text out = {0};

    if (cursor_move(rule, slice_of(value), &span, back, &out) != (expected != NULL))
        fail_msg("%s: %s", value, text_string(&out));
    if (expected != NULL)
        assert_string_equal(text_string(&out), expected);
    text_free(&out);
}

#define HOUR          \
    {                 \
        3600000, true \
    }
#define DAY            \
    {                  \
        86400000, true \
    }

static void times_move_in_the_form_they_came(void **state)
{
    (void)state;
    assert_moves(&any, "2026-01-01T00:30:00Z", (struct span)HOUR, true, "2025-12-31T23:30:00Z");
    assert_moves(&any, "2026-01-01T00:30:00.250Z", (struct span)HOUR, false,
                 "2026-01-01T01:30:00.250Z");
    assert_moves(&any, "2026-01-01T00:30:00+02:00", (struct span)HOUR, false,
                 "2025-12-31T23:30:00Z");
    assert_moves(&any, "2026-01-01 00:30:00", (struct span)HOUR, false, "2026-01-01 01:30:00");
    assert_moves(&any, "2026-01-01T00:30:00", (struct span)HOUR, false, "2026-01-01T01:30:00");
    assert_moves(&any, "2026-02-28", (struct span)DAY, false, "2026-03-01");
    assert_moves(&any, "2026-02-28", (struct span)HOUR, false, "2026-02-28T01:00:00Z");
    assert_moves(&any, "2026-01-01T00:00:00Z", (struct span){1, true}, true,
                 "2025-12-31T23:59:59.999Z");
}

static void times_in_a_unit_move_in_that_unit(void **state)
{
    static const struct cursor_rule milliseconds = {.type = CURSOR_TIMESTAMP, .unit = TIME_UNIT_MS};

    (void)state;
    assert_moves(&seconds, "1767225600", (struct span)HOUR, true, "1767222000");
    assert_moves(&seconds, "0", (struct span){1500, true}, true, "-2");
    assert_moves(&milliseconds, "1767225600001", (struct span)HOUR, false, "1767229200001");
    assert_moves(&nanoseconds, "1767225600000000000", (struct span)HOUR, false,
                 "1767229200000000000");
    assert_moves(&nanoseconds, "3600000000000", (struct span)HOUR, true, "0");
}

static void numbers_move_by_numbers(void **state)
{
    (void)state;
    assert_moves(&any, "100", (struct span){10, false}, true, "90");
    assert_moves(&any, "1e3", (struct span){10, false}, false, "1010");
    assert_moves(&any, "-5", (struct span){10, false}, false, "5");
}

static void what_does_not_go_together_does_not_move(void **state)
{
    (void)state;
    assert_moves(&any, "100", (struct span)HOUR, true, NULL);
    assert_moves(&any, "2026-01-01", (struct span){10, false}, true, NULL);
    assert_moves(&any, "abc", (struct span){10, false}, true, NULL);
    assert_moves(&any, "1.5", (struct span){10, false}, true, NULL);
    assert_moves(&any, "9223372036854775807", (struct span){1, false}, false, NULL);
    assert_moves(&times, "9999-12-31", (struct span)DAY, false, NULL);
    assert_moves(&times, "0000-01-01", (struct span)DAY, true, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_compare_exactly_with_any_number_of_digits),
        cmocka_unit_test(one_number_written_in_many_ways_is_the_same),
        cmocka_unit_test(times_compare_by_the_moment_they_mean),
        cmocka_unit_test(numbers_with_a_unit_are_times),
        cmocka_unit_test(text_compares_byte_by_byte),
        cmocka_unit_test(values_of_different_kinds_do_not_compare),
        cmocka_unit_test(what_is_no_position_is_not_valid),
        cmocka_unit_test(only_strings_and_numbers_have_a_position),
        cmocka_unit_test(times_move_in_the_form_they_came),
        cmocka_unit_test(times_in_a_unit_move_in_that_unit),
        cmocka_unit_test(numbers_move_by_numbers),
        cmocka_unit_test(what_does_not_go_together_does_not_move),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
