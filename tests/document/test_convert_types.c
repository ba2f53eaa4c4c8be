/* Values of declared types, and of what belongs to those: units, formats, zones, encodings. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "gatherd/convert.h"
#include "gatherd/json.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

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

static const struct node *node_of(struct arena *arena, const char *json)
{
    const struct node *root = NULL;

    if (json_read(json, strlen(json), arena, &root, NULL) != JSON_OK)
        fail_msg("%s is no JSON", json);
    return root;
}

/* 12, ~1.5, 'text', x00ff, null; "misfit" */
static const char *shown(void **state, const struct value_rule *rule, const char *json)
{
    char *text = arena_alloc(*state, 256);
    struct value value;

    assert_non_null(text);
    if (value_from_node(node_of(*state, json), rule, *state, &value) != VALUE_FITS) {
        assert_int_equal(value.type, VALUE_NULL);
        return "misfit";
    }
    switch (value.type) {
    case VALUE_NULL:
        return "null";
    case VALUE_INTEGER:
        snprintf(text, 256, "%lld", (long long)value.integer);
        break;
    case VALUE_REAL:
        snprintf(text, 256, "~%.17g", value.real);
        break;
    case VALUE_TEXT:
        snprintf(text, 256, "'%.*s'", (int)value.length, value.text);
        break;
    default:
        text[0] = 'x';
        for (size_t i = 0; i < value.length && i < 60; i++)
            sprintf(text + 1 + 2 * i, "%02x", (unsigned char)value.text[i]);
        text[1 + 2 * value.length] = '\0';
    }
    return text;
}

struct pair {
    const char *json;
    const char *becomes;
};

static void check(void **state, const struct value_rule *rule, const struct pair *pairs,
                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = shown(state, rule, pairs[i].json);

        if (strcmp(text, pairs[i].becomes) != 0)
            fail_msg("%s is %s, not %s", pairs[i].json, text, pairs[i].becomes);
    }
}

#define CHECK(rule, pairs) check(state, &(struct value_rule)rule, pairs, COUNT(pairs))
#define RULE(...)   \
    {               \
        __VA_ARGS__ \
    }

static const struct zone *zone_of(void **state, const char *name)
{
    const struct zone *zone;
    struct error err = {0};

    if (zone_read(name, *state, &zone, &err) == -1)
        fail_msg("%s", err.text);
    return zone;
}

static void boolean_takes_the_words_that_mean_one(void **state)
{
    static const struct pair pairs[] = {
        {"true", "1"},
        {"false", "0"},
        {"1", "1"},
        {"0", "0"},
        {"1.0", "1"},
        {"0e3", "0"},
        {"null", "null"},
        {"\"true\"", "1"},
        {"\"False\"", "0"},
        {"\"TRUE\"", "1"},
        {"\"yes\"", "1"},
        {"\"No\"", "0"},
        {"\"y\"", "1"},
        {"\"N\"", "0"},
        {"\"t\"", "1"},
        {"\"f\"", "0"},
        {"\"on\"", "1"},
        {"\"OFF\"", "0"},
        {"\"1\"", "1"},
        {"\"0\"", "0"},
        {"\" true\\n\"", "1"},
        {"2", "misfit"},
        {"-1", "misfit"},
        {"0.5", "misfit"},
        {"\"\"", "misfit"},
        {"\"2\"", "misfit"},
        {"\"1.0\"", "misfit"},
        {"\"truee\"", "misfit"},
        {"\"oui\"", "misfit"},
        {"[true]", "misfit"},
        {"18446744073709551617", "misfit"},
        {"{}", "misfit"},
    };

    CHECK(RULE(.type = FIELD_BOOLEAN), pairs);
}

static void decimal_keeps_every_digit_without_an_exponent(void **state)
{
    static const struct pair pairs[] = {
        {"\"1.1790\"", "'1.1790'"},
        {"1.1790", "'1.1790'"},
        {"5", "'5'"},
        {"-0.0", "'0.0'"},
        {"1e3", "'1000'"},
        {"1.5E-3", "'0.0015'"},
        {"12345678901234567890.12345678901234567890",
         "'12345678901234567890.12345678901234567890'"},
        {"\"+007.50\"", "'7.50'"},
        {"\" .5\"", "'0.5'"},
        {"null", "null"},
        {"1e7000", "misfit"},
        {"\"1,5\"", "misfit"},
        {"\"1 000\"", "misfit"},
        {"\"\"", "misfit"},
        {"\"nan\"", "misfit"},
        {"true", "misfit"},
        {"[1]", "misfit"},
    };

    CHECK(RULE(.type = FIELD_DECIMAL), pairs);
}

static void numbers_in_strings_may_have_blanks_around_them(void **state)
{
    static const struct pair integers[] = {{"\" 5\\n\"", "5"},    {"\"\\t-7 \"", "-7"},
                                           {"\"007\"", "misfit"}, {"\"+1\"", "misfit"},
                                           {"\"5 6\"", "misfit"}, {"\" \"", "misfit"}};
    static const struct pair reals[] = {
        {"\" 1.5 \"", "~1.5"}, {"\"+.5\"", "~0.5"},    {"\"5.\"", "~5"},       {"\"01\"", "~1"},
        {"\"\"", "misfit"},    {"\"1.5.\"", "misfit"}, {"\"1_000\"", "misfit"}};

    CHECK(RULE(.type = FIELD_INTEGER), integers);
    CHECK(RULE(.type = FIELD_REAL), reals);
}

static void timestamps_by_unit_also_in_strings(void **state)
{
    static const struct pair seconds[] = {
        {"1767323045.678901", "'2026-01-02T03:04:05.678901Z'"},
        {"\"1767323045.5\"", "'2026-01-02T03:04:05.500Z'"},
        {"\" 1767323045 \"", "'2026-01-02T03:04:05.000Z'"},
        {"\"2026-01-02T03:04:05Z\"", "'2026-01-02T03:04:05.000Z'"},
        {"1e15", "misfit"},
        {"true", "misfit"},
    };
    static const struct pair micros[] = {
        {"1767323045000000", "'2026-01-02T03:04:05.000000Z'"},
        {"\"2026-01-02\"", "'2026-01-02T00:00:00.000000Z'"},
        {"\"2026-01-02T03:04:05.1234567Z\"", "'2026-01-02T03:04:05.123456700Z'"},
    };
    static const struct pair nanos[] = {
        {"1767323045000000001", "'2026-01-02T03:04:05.000000001Z'"},
        {"1767323045000000000", "'2026-01-02T03:04:05.000000000Z'"},
    };
    static const struct pair none[] = {
        {"1767323045", "misfit"},
        {"\"1767323045\"", "misfit"},
        {"\"Fri, 02 Jan 2026 03:04:05 EST\"", "'2026-01-02T08:04:05.000Z'"},
        {"\"2026-W01-5\"", "'2026-01-02T00:00:00.000Z'"},
        {"[]", "misfit"},
        {"null", "null"},
    };

    CHECK(RULE(.type = FIELD_TIMESTAMP, .unit = TIME_UNIT_S), seconds);
    CHECK(RULE(.type = FIELD_TIMESTAMP, .unit = TIME_UNIT_US), micros);
    CHECK(RULE(.type = FIELD_TIMESTAMP, .unit = TIME_UNIT_NS), nanos);
    CHECK(RULE(.type = FIELD_TIMESTAMP), none);
}

static void timestamps_by_format_and_numbers_by_it_where_there_is_no_unit(void **state)
{
    static const struct pair days[] = {
        {"20260102", "'2026-01-02T00:00:00.000Z'"},
        {"\"20260102\"", "'2026-01-02T00:00:00.000Z'"},
        {"\"2026-01-02\"", "misfit"}, /* the format is what counts */
        {"20260199", "misfit"},
        {"true", "misfit"},
    };
    static const struct pair both[] = {
        {"1767323045", "'2026-01-02T03:04:05.000Z'"},
        {"\"02.01.2026\"", "'2026-01-02T00:00:00.000Z'"},
        {"\"1767323045\"", "misfit"},
    };

    CHECK(RULE(.type = FIELD_TIMESTAMP, .format = "%Y%m%d"), days);
    CHECK(RULE(.type = FIELD_TIMESTAMP, .format = "%d.%m.%Y", .unit = TIME_UNIT_S), both);
}

static void times_without_a_zone_are_told_in_that_of_the_field(void **state)
{
    static const struct pair pairs[] = {
        {"\"2026-01-02T03:04\"", "'2026-01-02T02:04:00.000Z'"},
        {"\"2026-07-02 03:04:05.123456\"", "'2026-07-02T01:04:05.123456Z'"},
        {"\"2026-01-02\"", "'2026-01-01T23:00:00.000Z'"},
        {"\"Fri, 02 Jan 2026 03:04\"", "'2026-01-02T02:04:00.000Z'"},
        {"\"2026-01-02T03:04Z\"", "'2026-01-02T03:04:00.000Z'"},
        {"\"2026-01-02T03:04-05:00\"", "'2026-01-02T08:04:00.000Z'"},
        /* Clocks go from 02:00 to 03:00 ... */
        {"\"2026-03-29T01:59\"", "'2026-03-29T00:59:00.000Z'"},
        {"\"2026-03-29T02:00\"", "'2026-03-29T01:00:00.000Z'"},
        {"\"2026-03-29T02:30\"", "'2026-03-29T01:30:00.000Z'"},
        {"\"2026-03-29T03:00\"", "'2026-03-29T01:00:00.000Z'"},
        /* ... and from 03:00 to 02:00. */
        {"\"2026-10-25T02:00\"", "'2026-10-25T00:00:00.000Z'"},
        {"\"2026-10-25T02:59:59\"", "'2026-10-25T00:59:59.000Z'"},
        {"\"2026-10-25T03:00\"", "'2026-10-25T02:00:00.000Z'"},
        {"\"2017-01-01T00:59:60\"", "'2017-01-01T00:00:00.000Z'"},
        {"\"2016-12-31T23:59:60\"", "misfit"},
        {"\"0000-01-01T00:00\"", "misfit"}, /* in UTC it is the year before */
    };
    static const struct pair by_format[] = {
        {"\"02.07.2026 03:04\"", "'2026-07-02T01:04:00.000Z'"},
    };
    const struct zone *paris = zone_of(state, "Europe/Paris");

    CHECK(RULE(.type = FIELD_TIMESTAMP, .zone = paris), pairs);
    CHECK(RULE(.type = FIELD_TIMESTAMP, .zone = paris, .format = "%d.%m.%Y %H:%M"), by_format);
}

static void durations_are_seconds(void **state)
{
    static const struct pair text[] = {
        {"\"PT1H2M\"", "~3720"},
        {"\"01:02:03\"", "~3723"},
        {"\"1h30m\"", "~5400"},
        {"\"-1.5s\"", "~-1.5"},
        {"\"PT0.1S\"", "~0.10000000000000001"},
        {"\"P1M\"", "misfit"},
        {"\"03:45\"", "misfit"},
        {"\"90\"", "misfit"},
        {"90", "misfit"},
        {"true", "misfit"},
        {"{}", "misfit"},
        {"null", "null"},
    };
    static const struct pair millis[] = {
        {"1500", "~1.5"},    {"\"250\"", "~0.25"},
        {"-1", "~-0.001"},   {"0", "~0"},
        {"0.1", "~0.0001"},  {"\"PT1H\"", "~3600"},
        {"1e400", "misfit"}, {"12345678901234567890123", "~1.2345678901234567e+19"},
    };

    CHECK(RULE(.type = FIELD_DURATION), text);
    CHECK(RULE(.type = FIELD_DURATION, .unit = TIME_UNIT_MS), millis);
}

static void blobs_are_bytes(void **state)
{
    static const struct pair base64[] = {
        {"\"AAH/\"", "x0001ff"}, {"\"\"", "x"},      {"\"AAE\\n=\"", "x0001"}, {"\"A\"", "misfit"},
        {"1234", "misfit"},      {"true", "misfit"}, {"null", "null"},         {"\"-_\"", "misfit"},
    };
    static const struct pair url[] = {{"\"-_-_\"", "xfbffbf"}, {"\"+/\"", "misfit"}};
    static const struct pair hex[] = {
        {"\"00fF\"", "x00ff"}, {"\"\\\\x01\"", "x01"}, {"\"0\"", "misfit"}};

    CHECK(RULE(.type = FIELD_BLOB, .encoding = BINARY_BASE64), base64);
    CHECK(RULE(.type = FIELD_BLOB, .encoding = BINARY_BASE64URL), url);
    CHECK(RULE(.type = FIELD_BLOB, .encoding = BINARY_HEX), hex);
}

/* --- Reasons --- */

static void expect_reason(void **state, const struct value_rule *rule, const char *json,
                          const char *reason)
{
    assert_string_equal(shown(state, rule, json), "misfit");
    assert_string_equal(value_misfit_reason("c", slice_of(json), rule, *state), reason);
}

static void a_reason_says_what_to_do(void **state)
{
    struct value_rule timestamp = {.type = FIELD_TIMESTAMP};
    struct value_rule by_format = {.type = FIELD_TIMESTAMP, .format = "%d.%m.%Y"};
    struct value_rule by_unit = {.type = FIELD_TIMESTAMP, .unit = TIME_UNIT_S};
    struct value_rule duration = {.type = FIELD_DURATION};
    struct value_rule millis = {.type = FIELD_DURATION, .unit = TIME_UNIT_MS};

    expect_reason(state, &timestamp, "17",
                  "column \"c\": 17 is not a timestamp without a unit; set unit to s, ms, us or "
                  "ns");
    expect_reason(state, &timestamp, "\"soon\"",
                  "column \"c\": \"soon\" is not a timestamp that is known by itself; set format "
                  "to how it is written, as in %d.%m.%Y %H:%M");
    expect_reason(state, &by_format, "\"soon\"",
                  "column \"c\": \"soon\" is not a timestamp of the format %d.%m.%Y");
    expect_reason(state, &by_unit, "1e20", "column \"c\": 1e20 is not a timestamp");
    expect_reason(state, &duration, "5",
                  "column \"c\": 5 is not a duration without a unit; set unit to s, ms, us or ns");
    expect_reason(state, &duration, "\"P1Y\"",
                  "column \"c\": \"P1Y\" is not a duration in seconds: years and months differ in "
                  "length; keep it as text");
    expect_reason(state, &duration, "\"03:45\"",
                  "column \"c\": \"03:45\" is not a duration: hours and minutes, or minutes and "
                  "seconds? keep it as text");
    expect_reason(state, &duration, "\"soon\"", "column \"c\": \"soon\" is not a duration");
    expect_reason(state, &duration, "[]", "column \"c\": [] is not a duration");
    expect_reason(state, &millis, "1e400", "column \"c\": 1e400 is beyond the range of a duration");
    expect_reason(state, &(struct value_rule){.type = FIELD_DECIMAL}, "\"x\"",
                  "column \"c\": \"x\" is not a decimal");
    expect_reason(state, &(struct value_rule){.type = FIELD_DECIMAL}, "1e9999",
                  "column \"c\": 1e9999 is beyond the range of a decimal");
    expect_reason(state, &(struct value_rule){.type = FIELD_BLOB, .encoding = BINARY_HEX}, "\"x\"",
                  "column \"c\": \"x\" is not hex");
    expect_reason(state, &(struct value_rule){.type = FIELD_BLOB, .encoding = BINARY_BASE64}, "5",
                  "column \"c\": 5 is not base64");
}

/* --- Values that mean nothing --- */

static bool is_null(void **state, const char *json, const char *null)
{
    struct null_value nulls[2];

    null_value_set(&nulls[0], "something else", strlen("something else"));
    null_value_set(&nulls[1], null, strlen(null));
    return value_is_missing(node_of(*state, json), FIELD_TEXT, nulls, 2);
}

static void strings_are_compared_by_their_characters_and_numbers_by_their_value(void **state)
{
    assert_true(is_null(state, "\"\"", ""));
    assert_true(is_null(state, "\"n/a\"", "n/a"));
    assert_true(is_null(state, "\"-9.99\"", "-9.99"));
    assert_true(is_null(state, "\"\\u002d999\"", "-999"));
    assert_true(is_null(state, "-9.99", "-9.99"));
    assert_true(is_null(state, "-9.990", "-9.99"));
    assert_true(is_null(state, "-999e-2", "-9.99"));
    assert_true(is_null(state, "-999.0", "-999"));
    assert_true(is_null(state, "0", "-0.0"));
    assert_true(
        is_null(state, "1234567890123456789012345678901", "1234567890123456789012345678901"));
    assert_true(is_null(state, "true", "true"));
    assert_true(is_null(state, "null", "x"));
    assert_false(is_null(state, "\"-9.990\"", "-9.99"));
    assert_false(is_null(state, "\" \"", ""));
    assert_false(is_null(state, "\"N/A\"", "n/a"));
    assert_false(is_null(state, "999", "-999"));
    assert_false(
        is_null(state, "1234567890123456789012345678902", "1234567890123456789012345678901"));
    assert_false(is_null(state, "0", ""));
    assert_false(is_null(state, "[]", "[]"));
    assert_false(is_null(state, "{}", ""));
    assert_false(is_null(state, "false", "true"));
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(boolean_takes_the_words_that_mean_one),
        T(decimal_keeps_every_digit_without_an_exponent),
        T(numbers_in_strings_may_have_blanks_around_them),
        T(timestamps_by_unit_also_in_strings),
        T(timestamps_by_format_and_numbers_by_it_where_there_is_no_unit),
        T(times_without_a_zone_are_told_in_that_of_the_field),
        T(durations_are_seconds),
        T(blobs_are_bytes),
        T(a_reason_says_what_to_do),
        T(strings_are_compared_by_their_characters_and_numbers_by_their_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
