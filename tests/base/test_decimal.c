#include "test.h"

#include <string.h>

#include "gatherd/decimal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void numbers_lose_their_exponent_and_no_digit(void **state)
{
    static const char *const cases[][2] = {
        {"1.1790", "1.1790"},
        {"0.00", "0.00"},
        {"-0.00", "0.00"},
        {"-0", "0"},
        {"+1", "1"},
        {"007", "7"},
        {"-007.50", "-7.50"},
        {".5", "0.5"},
        {"5.", "5"},
        {"000", "0"},
        {"1e3", "1000"},
        {"1.5e3", "1500"},
        {"1.50e1", "15.0"},
        {"150e-2", "1.50"},
        {"1e-7", "0.0000001"},
        {"-1.25E-3", "-0.00125"},
        {"0e5", "0"},
        {"0.0e-2", "0.000"},
        {"0.001e2", "0.1"},
        {"0.001e3", "1"},
        {"0.0010e3", "1.0"},
        {"123456789012345678901234567890.12", "123456789012345678901234567890.12"},
        {"1e40", "10000000000000000000000000000000000000000"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text out = {0};

        assert_true(decimal_write_plain(slice_of(cases[i][0]), &out));
        assert_string_equal(text_string(&out), cases[i][1]);
        text_free(&out);
    }
}

static void an_exponent_far_away_is_refused(void **state)
{
    static const char *const far[] = {"1e6145", "1e-6145", "1e99999999999999999999", "-1E-99999"};
    struct text out = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(far); i++)
        assert_false(decimal_write_plain(slice_of(far[i]), &out));
    assert_int_equal(out.length, 0);
    assert_true(decimal_write_plain(slice_of("1e6144"), &out));
    assert_int_equal(out.length, 6145);
    text_free(&out);
}

static void strings_are_read_more_freely_than_json(void **state)
{
    static const char *const free_only[] = {"+1", "007", ".5", "5.", "+.5e+1", "-00.50"};
    static const char *const neither[] = {"",    "+",   ".",   "-.",  "1e",  "e1",   "1 ",
                                          "1,5", "--1", "+-1", "0x1", "nan", "1.2.3"};
    struct decimal decimal;

    (void)state;
    for (size_t i = 0; i < COUNT(free_only); i++) {
        assert_false(decimal_read(slice_of(free_only[i]), &decimal));
        assert_true(decimal_read_freely(slice_of(free_only[i]), &decimal));
    }
    for (size_t i = 0; i < COUNT(neither); i++)
        assert_false(decimal_read_freely(slice_of(neither[i]), &decimal));
    assert_true(decimal_read_freely(slice_of("-00.50"), &decimal));
    assert_true(decimal.negative && decimal.mantissa == 5 && decimal.exponent == -1);
}

static bool are_equal(const char *a, const char *b)
{
    struct decimal left;
    struct decimal right;

    assert_true(decimal_read(slice_of(a), &left) && decimal_read(slice_of(b), &right));
    return decimal_equals(&left, &right);
}

static void numbers_are_equal_by_value(void **state)
{
    (void)state;
    assert_true(are_equal("-999", "-999.0"));
    assert_true(are_equal("-9.99", "-999e-2"));
    assert_true(are_equal("0", "-0.00"));
    assert_false(are_equal("999", "-999"));
    assert_false(are_equal("-9.99", "-9.990001"));
    assert_false(are_equal("12345678901234567890.1", "12345678901234567890.2"));
}

static void a_split_rounds_down(void **state)
{
    static const struct {
        const char *number;
        int shift;
        int64_t whole;
        int32_t billionths;
    } cases[] = {
        {"1.5", 0, 1, 500000000},
        {"-1.5", 0, -2, 500000000},
        {"-2", 0, -2, 0},
        {"1500", -3, 1, 500000000},
        {"-1", -9, -1, 999999999},
        {"-0.5", -9, -1, 999999999},
        {"0.5", -9, 0, 0},
        {"1e-400", 0, 0, 0},
        {"-1e-400", 0, -1, 999999999},
        {"1e18", 0, 1000000000000000000, 0},
    };
    struct decimal decimal;
    int64_t whole;
    int32_t billionths;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_true(decimal_read(slice_of(cases[i].number), &decimal));
        assert_true(decimal_split(&decimal, cases[i].shift, &whole, &billionths));
        assert_true(whole == cases[i].whole);
        assert_int_equal(billionths, cases[i].billionths);
    }
    assert_true(decimal_read(slice_of("1e19"), &decimal));
    assert_false(decimal_split(&decimal, 0, &whole, &billionths));
    assert_true(decimal_read(slice_of("1e400"), &decimal));
    assert_false(decimal_split(&decimal, -9, &whole, &billionths));
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static int compare(const char *a, const char *b)
{
    struct decimal left;
    struct decimal right;

    assert_true(decimal_read(slice_of(a), &left));
    assert_true(decimal_read(slice_of(b), &right));
    return sign(decimal_compare(&left, slice_of(a), &right, slice_of(b)));
}

/* From the least to the greatest. */
static const char *const ascending[] = {
    "-1e999999999",
    "-123456789012345678901234567890.2",
    "-123456789012345678901234567890.1",
    "-123456789012345678901234567890",
    "-12345678901234567890",
    "-9.5",
    "-9",
    "-0.00000000000000000000000000000000012",
    "-1e-400",
    "0",
    "1e-999999999",
    "1e-400",
    "0.1",
    "0.10000000000000000555",
    "0.100000000000000005551",
    "0.2",
    "1",
    "1.0000000000000000000000000000000000000000000001",
    "1.5",
    "9007199254740992",
    "9007199254740993",
    "9999999999999999999",
    "10000000000000000000",
    "10000000000000000000.5",
    "10000000000000000001",
    "18446744073709551615",
    "18446744073709551616",
    "123456789012345678901234567890",
    "123456789012345678901234567890.0001",
    "123456789012345678901234567891",
    "1234567890123456789012345678900",
    "1e400",
    "1.0000000000000000000000000000000000001e400",
};

static void decimals_have_an_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ascending); i++) {
        for (size_t k = 0; k < COUNT(ascending); k++) {
            int expected = sign((int)i - (int)k);

            if (compare(ascending[i], ascending[k]) != expected)
                fail_msg("%s and %s: not %d", ascending[i], ascending[k], expected);
        }
    }
}

static void equal_decimals_may_be_written_in_many_ways(void **state)
{
    static const char *const groups[][6] = {
        {"0", "-0", "0.0", "0e5", "-0.000e-7"},
        {"100", "1e2", "100.0", "1.00e2", "0.1E+3", "10000e-2"},
        {"-2.5", "-25e-1", "-2.50"},
        {"123456789012345678901234567890", "123456789012345678901234567890.000",
         "1.2345678901234567890123456789e29", "0.00123456789012345678901234567890e32",
         "1234567890123456789012345678900e-1"},
        {"10000000000000000000000000000000", "1e31", "0.1e32"},
    };

    (void)state;
    for (size_t g = 0; g < COUNT(groups); g++) {
        for (size_t i = 0; i < 6 && groups[g][i] != NULL; i++) {
            for (size_t k = 0; k < 6 && groups[g][k] != NULL; k++) {
                if (compare(groups[g][i], groups[g][k]) != 0)
                    fail_msg("%s and %s", groups[g][i], groups[g][k]);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_have_an_order),
        cmocka_unit_test(equal_decimals_may_be_written_in_many_ways),
        cmocka_unit_test(numbers_lose_their_exponent_and_no_digit),
        cmocka_unit_test(an_exponent_far_away_is_refused),
        cmocka_unit_test(strings_are_read_more_freely_than_json),
        cmocka_unit_test(numbers_are_equal_by_value),
        cmocka_unit_test(a_split_rounds_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
