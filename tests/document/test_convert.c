#include "test.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/convert.h"
#include "gatherd/decimal.h"

static int setup(void **state)
{
    *state = arena_create(1 << 20);
    return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static struct node number_node(const char *text)
{
    return (struct node){.type = NODE_NUMBER,
                         .integer = strpbrk(text, ".eE") == NULL,
                         .length = (uint32_t)strlen(text),
                         .span = 1,
                         .raw_length = (uint32_t)strlen(text),
                         .text = text,
                         .raw = text};
}

/* `raw` is a JSON string without escapes, in its quotes. */
static struct node string_node(const char *raw)
{
    return (struct node){.type = NODE_STRING,
                         .length = (uint32_t)strlen(raw) - 2,
                         .span = 1,
                         .raw_length = (uint32_t)strlen(raw),
                         .text = raw + 1,
                         .raw = raw};
}

/* A node of any type from its JSON text. */
static struct node node_of(const char *json)
{
    struct node node = number_node(json);

    if (*json == '"')
        return string_node(json);
    if (*json == '{' || *json == '[')
        node.type = *json == '{' ? NODE_OBJECT : NODE_ARRAY;
    else if (*json == 't' || *json == 'f')
        node.type = *json == 't' ? NODE_TRUE : NODE_FALSE;
    else if (*json == 'n')
        node.type = NODE_NULL;
    if (node.type == NODE_OBJECT || node.type == NODE_ARRAY)
        node.length = 0;
    return node;
}

static enum value_fit convert(const struct node *node, enum field_type type, struct arena *arena,
                              struct value *value)
{
    return value_from_node(node, &(struct value_rule){.type = type}, arena, value);
}

static struct value undeclared(void **state, const char *json)
{
    struct node node = node_of(json);
    struct value value;

    assert_int_equal(convert(&node, FIELD_UNDECLARED, *state, &value), VALUE_FITS);
    return value;
}

static void expect_integer(struct value value, int64_t integer)
{
    assert_int_equal(value.type, VALUE_INTEGER);
    assert_true(value.integer == integer);
}

static void expect_text(struct value value, const char *text)
{
    assert_int_equal(value.type, VALUE_TEXT);
    assert_int_equal(value.length, strlen(text));
    assert_memory_equal(value.text, text, value.length);
}

/* --- Without a declared type --- */

static void integers_within_64_bits_are_exact(void **state)
{
    static const struct {
        const char *text;
        int64_t integer;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"7", 7},
        {"-1", -1},
        {"9007199254740991", 9007199254740991},
        {"9007199254740992", 9007199254740992},
        {"9007199254740993", 9007199254740993},
        {"999999999999999999", 999999999999999999},
        {"1000000000000000000", 1000000000000000000},
        {"9223372036854775806", INT64_MAX - 1},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775807", -INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_integer(undeclared(state, cases[i].text), cases[i].integer);
}

static void integers_beyond_64_bits_keep_their_digits_as_text(void **state)
{
    static const char *const cases[] = {
        "9223372036854775808",
        "-9223372036854775809",
        "9999999999999999999",
        "18446744073709551615",
        "18446744073709551616",
        "10000000000000000000",
        "1234567890123456789012345678901234567890",
        "-1234567890123456789012345678901234567890",
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_text(undeclared(state, cases[i]), cases[i]);
}

static void decimals_that_a_double_gives_back_are_real(void **state)
{
    static const char *const cases[] = {
        "0.1",
        "0.10",
        "0.5",
        "-0.5",
        "1.0",
        "1e0",
        "1E+2",
        "100e-2",
        "1e22",
        "1e23",
        "-1e23",
        "123456789012345.6",
        "38.8228340148926",
        "-122.80766677856445",
        "0.30000000000000004",
        "3.141592653589793",
        "2.2250738585072014e-308",
        "1.7976931348623157e308",
        "1.7976931348623157E+308",
        "5e-324",
        "4.9e-324",
        "9007199254740991.0",
        "9007199254740992.0",
        "2251799813685249.5",
        "72057594037927936.0",
        "1.00000000000000000000000000000000",
        "0.0000000000000000000000000000001",
        "0.000000000000000000000000000000100000000000000000000000",
        "1125899906842624.2", /* a tie when printed, to even: it is given back */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct value value = undeclared(state, cases[i]);

        if (value.type != VALUE_REAL)
            fail_msg("%s is not REAL", cases[i]);
        assert_true(value.real == strtod(cases[i], NULL));
    }
}

static void zero_in_any_form_is_a_real_zero_without_sign(void **state)
{
    static const char *const cases[] = {"0.0",   "-0.0", "0e0",
                                        "-0e-5", "0.00", "0e99999999999999999999"};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct value value = undeclared(state, cases[i]);

        assert_int_equal(value.type, VALUE_REAL);
        assert_true(value.real == 0 && !signbit(value.real));
    }
}

static void decimals_that_a_double_would_damage_keep_their_digits_as_text(void **state)
{
    static const char *const cases[] = {
        "9007199254740993.0", /* 2^53 + 1 */
        "90071992547409931e-1",
        "0.12345678901234567890",
        "3.14159265358979323846",
        "123456789012345678.5",
        "1.000000000000000001",
        "1.0000000000000000001",
        "100000000000000000000.5",
        "12345678901234.56789",
        "0.1000000000000000055511151231257827", /* nearly what 0.1 is as a double, but longer */
        "1e400",
        "-1e400",
        "1e309",
        "1.7976931348623159e308",
        "1e-400",
        "2e-324",
        "4.95e-323",
        "1.2345e-320",
        "1e99999999999999999999999",
        "1e-99999999999999999999999",
        "1125899906842624.3",
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (undeclared(state, cases[i]).type != VALUE_TEXT)
            fail_msg("%s is not TEXT", cases[i]);
        expect_text(undeclared(state, cases[i]), cases[i]);
    }
}

static char *repeat(struct arena *arena, const char *before, char c, size_t count,
                    const char *after)
{
    size_t length = strlen(before);
    char *text = arena_alloc(arena, length + count + strlen(after) + 1);

    assert_non_null(text);
    memcpy(text, before, length);
    memset(text + length, c, count);
    strcpy(text + length + count, after);
    return text;
}

static void a_hundred_thousand_digits_do_no_harm(void **state)
{
    const char *integer = repeat(*state, "", '7', 100000, "");
    const char *decimal = repeat(*state, "0.", '3', 100000, "");
    const char *ones = repeat(*state, "1.", '0', 100000, "");
    const char *small = repeat(*state, "0.", '0', 100000, "1e100001");
    const char *large = repeat(*state, "1", '0', 100000, "e-100000");
    struct value value;

    expect_text(undeclared(state, integer), integer);
    expect_text(undeclared(state, decimal), decimal);
    assert_true(undeclared(state, ones).real == 1);
    value = undeclared(state, small);
    assert_int_equal(value.type, VALUE_REAL);
    assert_true(value.real == 1);
    value = undeclared(state, large);
    assert_int_equal(value.type, VALUE_REAL);
    assert_true(value.real == 1);
}

static void booleans_are_0_and_1_and_null_is_null(void **state)
{
    expect_integer(undeclared(state, "true"), 1);
    expect_integer(undeclared(state, "false"), 0);
    assert_int_equal(undeclared(state, "null").type, VALUE_NULL);
}

static void strings_are_themselves_with_nul_bytes_and_emoji(void **state)
{
    struct node node = string_node("\"abc\"");
    struct value value;

    node.text = "a\0\xf0\x9f\x98\x80";
    node.length = 6;
    assert_int_equal(convert(&node, FIELD_UNDECLARED, *state, &value), VALUE_FITS);
    assert_int_equal(value.type, VALUE_TEXT);
    assert_int_equal(value.length, 6);
    assert_memory_equal(value.text, "a\0\xf0\x9f\x98\x80", 6);
    expect_text(undeclared(state, "\"12\""), "12");
    expect_text(undeclared(state, "\"\""), "");
}

static void arrays_and_objects_are_their_json_text_as_it_came(void **state)
{
    expect_text(undeclared(state, "{ \"a\" : 1.50 }"), "{ \"a\" : 1.50 }");
    expect_text(undeclared(state, "[1,  2]"), "[1,  2]");
}

/* --- The rule for doubles, by other means --- */

static uint64_t random_state = 88172645463325252u;

static uint64_t random64(void) /* xorshift: the same numbers in every run */
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/*
 * By the definition, with nothing but decimal digits: the double's exact expansion, rounded half to
 * even at `digits` digits on the text, is compared with what came.
 */
static bool prints_back_exactly(double real, const char *want, int digits, int exponent)
{
    char text[1200];
    char *mantissa = text;
    bool up;

    snprintf(text, sizeof(text), "%.1100e", real);
    text[1] = text[0]; /* the digits in a row, over the point */
    mantissa = text + 1;
    exponent -= (int)strtol(strchr(mantissa, 'e') + 1, NULL, 10);
    up = mantissa[digits] > '5' || (mantissa[digits] == '5' &&
                                    (strspn(mantissa + digits + 1, "0") < (size_t)(1100 - digits) ||
                                     (mantissa[digits - 1] - '0') % 2 == 1));
    for (int i = digits - 1; up && i >= 0; i--) {
        up = mantissa[i] == '9';
        mantissa[i] = up ? '0' : (char)(mantissa[i] + 1);
    }
    if (up) { /* 9.99 became 10.0 */
        memmove(mantissa + 1, mantissa, (size_t)digits);
        mantissa[0] = '1';
        exponent--;
    }
    return exponent == 0 && strncmp(mantissa, want, (size_t)digits) == 0;
}

static void check_random(void **state, const char *digits, int exponent)
{
    char text[64];
    int count = (int)strlen(digits);
    struct value value;
    bool expected;

    snprintf(text, sizeof(text), "%c.%se%d", digits[0], count == 1 ? "0" : digits + 1, exponent);
    while (count > 1 && digits[count - 1] == '0')
        count--;
    expected = count <= 17 && isfinite(strtod(text, NULL)) &&
               prints_back_exactly(strtod(text, NULL), digits, count, exponent);
    arena_reset(*state);
    value = undeclared(state, text);
    if ((value.type == VALUE_REAL) != expected)
        fail_msg("%s: expected %s", text, expected ? "REAL" : "TEXT");
    if (expected && value.real != strtod(text, NULL))
        fail_msg("%s: not the nearest double", text);
}

static void random_digits(char *digits, int count)
{
    for (int i = 0; i < count; i++)
        digits[i] = (char)('0' + random64() % 10);
    digits[0] = (char)('1' + random64() % 9);
    digits[count] = '\0';
}

static void random_decimals_follow_the_rule(void **state)
{
    char digits[32];

    for (int i = 0; i < 15000; i++) {
        random_digits(digits, 1 + (int)(random64() % 19));
        check_random(state, digits, (int)(random64() % 650) - 330);
    }
}

static void random_decimals_of_everyday_size_follow_the_rule(void **state)
{
    char digits[32];

    for (int i = 0; i < 15000; i++) {
        random_digits(digits, 15 + (int)(random64() % 4));
        check_random(state, digits, (int)(random64() % 50) - 12);
    }
}

/* Of 17 digits that some double prints, all are REAL: what other programs write comes back. */
static void every_double_printed_with_17_digits_comes_back(void **state)
{
    for (int i = 0; i < 50000; i++) {
        uint64_t bits = random64();
        struct value value;
        char text[64];
        double real;

        memcpy(&real, &bits, sizeof(real));
        if (!isfinite(real) || real == 0)
            continue;
        if (i % 2 == 0)
            real = (double)(int64_t)(bits % 2000000000000) / 1e6 * 1.1;
        snprintf(text, sizeof(text), "%.16e", real);
        arena_reset(*state);
        value = undeclared(state, text);
        if (value.type != VALUE_REAL || value.real != real)
            fail_msg("%s did not come back", text);
    }
}

/* --- Declared types --- */

struct declared_case {
    const char *json;
    enum field_type type;
    const char *becomes; /* NULL: does not fit */
};

static const char *shown(const struct value *value, char *buffer, size_t size)
{
    if (value->type == VALUE_NULL)
        return "null";
    if (value->type == VALUE_INTEGER)
        snprintf(buffer, size, "%lld", (long long)value->integer);
    else if (value->type == VALUE_REAL)
        snprintf(buffer, size, "~%.17g", value->real);
    else
        snprintf(buffer, size, "'%.*s'", (int)value->length, value->text);
    return buffer;
}

static void check_declared(void **state, const struct declared_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct node node = node_of(cases[i].json);
        struct value value;
        char buffer[256];
        enum value_fit fit = convert(&node, cases[i].type, *state, &value);

        if (cases[i].becomes == NULL) {
            if (fit != VALUE_MISFIT)
                fail_msg("%s fits, as %s", cases[i].json, shown(&value, buffer, sizeof(buffer)));
            assert_int_equal(value.type, VALUE_NULL);
            continue;
        }
        if (fit != VALUE_FITS)
            fail_msg("%s does not fit", cases[i].json);
        assert_string_equal(shown(&value, buffer, sizeof(buffer)), cases[i].becomes);
    }
}

#define CHECK(state, cases) check_declared(state, cases, sizeof(cases) / sizeof((cases)[0]))

static void text_takes_scalars_as_they_came(void **state)
{
    static const struct declared_case cases[] = {
        {"\"abc\"", FIELD_TEXT, "'abc'"}, {"1.50", FIELD_TEXT, "'1.50'"},
        {"1e400", FIELD_TEXT, "'1e400'"}, {"true", FIELD_TEXT, "'true'"},
        {"false", FIELD_TEXT, "'false'"}, {"null", FIELD_TEXT, "null"},
        {"[1]", FIELD_TEXT, NULL},        {"{\"a\":1}", FIELD_TEXT, NULL},
    };

    CHECK(state, cases);
}

static void integer_takes_whole_numbers_within_64_bits(void **state)
{
    static const struct declared_case cases[] = {
        {"12", FIELD_INTEGER, "12"},
        {"-0", FIELD_INTEGER, "0"},
        {"1.0", FIELD_INTEGER, "1"},
        {"1e3", FIELD_INTEGER, "1000"},
        {"12.50e1", FIELD_INTEGER, "125"},
        {"9223372036854775807", FIELD_INTEGER, "9223372036854775807"},
        {"-9223372036854775808", FIELD_INTEGER, "-9223372036854775808"},
        {"-9223372036854775808.000", FIELD_INTEGER, "-9223372036854775808"},
        {"922337203685477580.7e1", FIELD_INTEGER, "9223372036854775807"},
        {"null", FIELD_INTEGER, "null"},
        {"\"42\"", FIELD_INTEGER, "42"},
        {"\"-42\"", FIELD_INTEGER, "-42"},
        {"\"0\"", FIELD_INTEGER, "0"},
        {"9223372036854775808", FIELD_INTEGER, NULL},
        {"-9223372036854775809", FIELD_INTEGER, NULL},
        {"1e19", FIELD_INTEGER, NULL},
        {"1e99999999999999999999", FIELD_INTEGER, NULL},
        {"9223372036854775807.00000000001", FIELD_INTEGER, NULL},
        {"1.5", FIELD_INTEGER, NULL},
        {"1e-1", FIELD_INTEGER, NULL},
        {"1.00000000000000000000000001", FIELD_INTEGER, NULL},
        {"true", FIELD_INTEGER, NULL},
        {"[1]", FIELD_INTEGER, NULL},
        {"\"\"", FIELD_INTEGER, NULL},
        {"\"-\"", FIELD_INTEGER, NULL},
        {"\"-0\"", FIELD_INTEGER, NULL},
        {"\"007\"", FIELD_INTEGER, NULL},
        {"\"+7\"", FIELD_INTEGER, NULL},
        {"\" 7\"", FIELD_INTEGER, "7"},
        {"\"7 \"", FIELD_INTEGER, "7"},
        {"\"1.0\"", FIELD_INTEGER, NULL},
        {"\"1e3\"", FIELD_INTEGER, NULL},
        {"\"9223372036854775808\"", FIELD_INTEGER, NULL},
    };

    CHECK(state, cases);
}

static void real_takes_numbers_and_strings_that_are_one(void **state)
{
    static const struct declared_case cases[] = {
        {"5", FIELD_REAL, "~5"},
        {"-0", FIELD_REAL, "~0"},
        {"0.1", FIELD_REAL, "~0.10000000000000001"},
        {"\"0.1\"", FIELD_REAL, "~0.10000000000000001"},
        {"\"-1e3\"", FIELD_REAL, "~-1000"},
        {"9007199254740993", FIELD_REAL, "~9007199254740992"},
        {"3.14159265358979323846264338327950288", FIELD_REAL, "~3.1415926535897931"},
        {"null", FIELD_REAL, "null"},
        {"1e400", FIELD_REAL, NULL},
        {"1e-400", FIELD_REAL, NULL},
        {"\"strong\"", FIELD_REAL, NULL},
        {"\"\"", FIELD_REAL, NULL},
        {"\"1,5\"", FIELD_REAL, NULL},
        {"\"0x10\"", FIELD_REAL, NULL},
        {"\"nan\"", FIELD_REAL, NULL},
        {"\"inf\"", FIELD_REAL, NULL},
        {"\"1e\"", FIELD_REAL, NULL},
        {"true", FIELD_REAL, NULL},
        {"[]", FIELD_REAL, NULL},
    };

    CHECK(state, cases);
}

/* Many digits, one of them far behind deciding a tie: 2^53 + 1 is half-way between two doubles. */
static void real_rounds_long_numbers_to_the_nearest_double(void **state)
{
    static const char *const ends[] = {"", "1"};
    static const double expected[] = {9007199254740992.0, 9007199254740994.0};

    for (size_t i = 0; i < 2; i++) {
        const char *text = repeat(*state, "9007199254740993.", '0', 5000, ends[i]);
        struct node node = number_node(text);
        struct value value;

        assert_int_equal(convert(&node, FIELD_REAL, *state, &value), VALUE_FITS);
        assert_true(value.real == expected[i]);
        assert_true(value.real == strtod(text, NULL));
    }
}

static void random_long_numbers_become_the_nearest_double(void **state)
{
    for (int i = 0; i < 3000; i++) {
        char digits[1001];
        char text[2100];
        struct node node;
        struct value value;

        random_digits(digits, 20 + (int)(random64() % 980));
        snprintf(text, sizeof(text), "%c%s.%se%d", digits[0], digits + 10, digits + 1,
                 (int)(random64() % 200) - 100 - (int)strlen(digits));
        node = number_node(text);
        assert_int_equal(convert(&node, FIELD_REAL, *state, &value), VALUE_FITS);
        if (value.real != strtod(text, NULL))
            fail_msg("%s: not the nearest double", text);
    }
}

static void json_takes_everything_as_its_json_text(void **state)
{
    static const struct declared_case cases[] = {
        {"{\"a\" :1}", FIELD_JSON, "'{\"a\" :1}'"},
        {"[ ]", FIELD_JSON, "'[ ]'"},
        {"\"x\"", FIELD_JSON, "'\"x\"'"},
        {"1.50", FIELD_JSON, "'1.50'"},
        {"true", FIELD_JSON, "'true'"},
        {"null", FIELD_JSON, "null"},
    };

    CHECK(state, cases);
}

static void timestamp_becomes_24_characters_in_utc(void **state)
{
    static const struct declared_case cases[] = {
        {"\"2026-01-02T03:04:05+01:00\"", FIELD_TIMESTAMP, "'2026-01-02T02:04:05.000Z'"},
        {"\"2026-01-02\"", FIELD_TIMESTAMP, "'2026-01-02T00:00:00.000Z'"},
        {"null", FIELD_TIMESTAMP, "null"},
        {"1767323045", FIELD_TIMESTAMP, NULL},
        {"\"1767323045\"", FIELD_TIMESTAMP, NULL},
        {"\"soon\"", FIELD_TIMESTAMP, NULL},
        {"true", FIELD_TIMESTAMP, NULL},
        {"{}", FIELD_TIMESTAMP, NULL},
    };

    CHECK(state, cases);
}

/* --- Reasons --- */

static void expect_reason(void **state, const char *json, enum field_type type, const char *reason)
{
    assert_string_equal(
        value_misfit_reason("c", slice_of(json), &(struct value_rule){.type = type}, *state),
        reason);
}

static void a_reason_names_the_column_the_value_and_the_type(void **state)
{
    expect_reason(state, "\"strong\"", FIELD_REAL, "column \"c\": \"strong\" is not a real");
    expect_reason(state, "1e400", FIELD_REAL, "column \"c\": 1e400 is beyond the range of a real");
    expect_reason(state, "{}", FIELD_TEXT, "column \"c\": {} is not text");
    expect_reason(state, "1.5", FIELD_INTEGER, "column \"c\": 1.5 is not an integer");
    expect_reason(state, "true", FIELD_INTEGER, "column \"c\": true is not an integer");
    expect_reason(state, "9223372036854775808", FIELD_INTEGER,
                  "column \"c\": 9223372036854775808 is not an integer of 64 bits");
    expect_reason(state, "2", FIELD_BOOLEAN, "column \"c\": 2 is not a boolean");
}

static void a_long_value_is_shortened_between_characters(void **state)
{
    const char *json = repeat(*state, "\"", 'x', 58, "\xc3\xa9 and more\"");
    const char *expected = repeat(*state, "column \"c\": \"", 'x', 58, "... is not a real");

    expect_reason(state, json, FIELD_REAL, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_within_64_bits_are_exact),
        cmocka_unit_test(integers_beyond_64_bits_keep_their_digits_as_text),
        cmocka_unit_test(decimals_that_a_double_gives_back_are_real),
        cmocka_unit_test(zero_in_any_form_is_a_real_zero_without_sign),
        cmocka_unit_test(decimals_that_a_double_would_damage_keep_their_digits_as_text),
        cmocka_unit_test(a_hundred_thousand_digits_do_no_harm),
        cmocka_unit_test(booleans_are_0_and_1_and_null_is_null),
        cmocka_unit_test(strings_are_themselves_with_nul_bytes_and_emoji),
        cmocka_unit_test(arrays_and_objects_are_their_json_text_as_it_came),
        cmocka_unit_test(random_decimals_follow_the_rule),
        cmocka_unit_test(random_decimals_of_everyday_size_follow_the_rule),
        cmocka_unit_test(every_double_printed_with_17_digits_comes_back),
        cmocka_unit_test(text_takes_scalars_as_they_came),
        cmocka_unit_test(integer_takes_whole_numbers_within_64_bits),
        cmocka_unit_test(real_takes_numbers_and_strings_that_are_one),
        cmocka_unit_test(real_rounds_long_numbers_to_the_nearest_double),
        cmocka_unit_test(random_long_numbers_become_the_nearest_double),
        cmocka_unit_test(json_takes_everything_as_its_json_text),
        cmocka_unit_test(timestamp_becomes_24_characters_in_utc),
        cmocka_unit_test(a_reason_names_the_column_the_value_and_the_type),
        cmocka_unit_test(a_long_value_is_shortened_between_characters),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
