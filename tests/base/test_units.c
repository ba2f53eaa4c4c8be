#include "test.h"

#include <string.h>

#include "gatherd/units.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct pair {
    const char *text;
    int64_t value;
};

static void durations_are_read_in_every_unit_and_combined(void **state)
{
    static const struct pair pairs[] = {
        {"0s", 0},
        {"500ms", 500},
        {"30s", 30000},
        {"5m", 300000},
        {"2h", 7200000},
        {"7d", 604800000},
        {"1h30m", 5400000},
        {"1m1ms", 60001},
        {"1d2h3m4s5ms", 93784005},
        {"90m", 5400000},
        {"007s", 7000},
        {"106751991167d", 106751991167 * 86400000},
        {"9223372036854775807ms", INT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        int64_t ms = -1;

        assert_int_equal(units_parse_duration(pairs[i].text, &ms), 0);
        assert_int_equal(ms, pairs[i].value);
    }
}

static void sizes_are_read_in_powers_of_1024_and_of_1000(void **state)
{
    static const struct pair pairs[] = {
        {"0B", 0},
        {"1B", 1},
        {"3KiB", 3072},
        {"3kB", 3000},
        {"64MiB", 67108864},
        {"10MB", 10000000},
        {"2GiB", 2147483648},
        {"2GB", 2000000000},
        {"8589934591GiB", 8589934591 * 1073741824},
        {"9223372036854775807B", INT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        int64_t bytes = -1;

        assert_int_equal(units_parse_size(pairs[i].text, &bytes), 0);
        assert_int_equal(bytes, pairs[i].value);
    }
}

static void assert_refused(int parse(const char *, int64_t *), const char *const texts[],
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t value = 42;

        if (parse(texts[i], &value) != -1 || value != 42)
            fail_msg("\"%s\" was read", texts[i]);
    }
}

static void anything_else_is_no_duration(void **state)
{
    static const char *const texts[] = {
        "",    "30",    "s",    "30 s", " 30s",       "30s ",  "-30s",  "+30s", "1.5h",
        "1,5", "30sec", "30S",  "30Ms", "10 parsecs", "1h30",  "30m1h", "1h1h", "1ms1s",
        "1hm", "0x10s", "1e3s", "h30m", "1h 30m",     "\n30s", "30s\n", "1y",   "1w",
    };

    (void)state;
    assert_refused(units_parse_duration, texts, COUNT(texts));
}

static void anything_else_is_no_size(void **state)
{
    static const char *const texts[] = {
        "",    "10",  "B",      "10 MiB", "10mib", "10M",      "10K", "10KB", "10kb",
        "-1B", "+1B", "1.5MiB", "10Mi",   "10TiB", "1GiB1MiB", "1B ", " 1B",  "10kiB",
    };

    (void)state;
    assert_refused(units_parse_size, texts, COUNT(texts));
}

static void values_beyond_64_bits_are_refused(void **state)
{
    static const char *const durations[] = {
        "9223372036854775808ms", "99999999999999999999999999s", "9223372036854775807s",
        "106751991168d",         "106751991167d7h12m55s808ms",  "1d9223372036854775807ms",
    };
    static const char *const sizes[] = {
        "9223372036854775808B",
        "8589934592GiB",
        "9223372036854775807kB",
        "99999999999999999999999999B",
    };
    int64_t ms;

    (void)state;
    assert_refused(units_parse_duration, durations, COUNT(durations));
    assert_refused(units_parse_size, sizes, COUNT(sizes));
    assert_int_equal(units_parse_duration("106751991167d7h12m55s807ms", &ms), 0);
    assert_int_equal(ms, INT64_MAX);
}

static void durations_are_written_largest_unit_first(void **state)
{
    static const struct pair pairs[] = {
        {"0s", 0},          {"1ms", 1},
        {"30s", 30000},     {"1m", 60000},
        {"1h30m", 5400000}, {"1d2h3m4s5ms", 93784005},
        {"7d", 604800000},  {"0s", -1},
        {"0s", INT64_MIN},  {"106751991167d7h12m55s807ms", INT64_MAX},
    };
    char text[UNITS_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++)
        assert_string_equal(units_format_duration(pairs[i].value, text), pairs[i].text);
}

static void sizes_are_written_in_the_largest_unit_that_divides_them(void **state)
{
    static const struct pair pairs[] = {
        {"0B", 0},           {"1B", 1},
        {"1023B", 1023},     {"1KiB", 1024},
        {"1kB", 1000},       {"64MiB", 67108864},
        {"10MB", 10000000},  {"2GiB", 2147483648},
        {"1GB", 1000000000}, {"9223372036854775807B", INT64_MAX},
    };
    char text[UNITS_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++)
        assert_string_equal(units_format_size(pairs[i].value, text), pairs[i].text);
}

static void what_is_written_reads_back_to_the_same_value(void **state)
{
    uint64_t value = 1;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        char text[UNITS_TEXT_SIZE];
        int64_t expected;
        int64_t back = -1;

        value = value * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
        expected = (int64_t)(value >> (1 + i % 63));
        assert_int_equal(units_parse_duration(units_format_duration(expected, text), &back), 0);
        assert_int_equal(back, expected);
        assert_int_equal(units_parse_size(units_format_size(expected, text), &back), 0);
        assert_int_equal(back, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_in_every_unit_and_combined),
        cmocka_unit_test(sizes_are_read_in_powers_of_1024_and_of_1000),
        cmocka_unit_test(anything_else_is_no_duration),
        cmocka_unit_test(anything_else_is_no_size),
        cmocka_unit_test(values_beyond_64_bits_are_refused),
        cmocka_unit_test(durations_are_written_largest_unit_first),
        cmocka_unit_test(sizes_are_written_in_the_largest_unit_that_divides_them),
        cmocka_unit_test(what_is_written_reads_back_to_the_same_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
