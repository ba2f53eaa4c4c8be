#include "test.h"

#include <string.h>

#include "config/suggest.h"

static const char *nearest(const char *written)
{
    static const char *const words[] = {"interval", "timeout",      "table",
                                        "url",      "max_interval", "ms"};
    struct suggestion best = {0};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        suggest_offer(&best, words[i], written, strlen(written));
    return best.word == NULL ? "" : best.word;
}

static void one_or_two_slips_are_understood(void **state)
{
    (void)state;
    assert_string_equal(nearest("intervall"), "interval");
    assert_string_equal(nearest("intervla"), "interval");
    assert_string_equal(nearest("nterval"), "interval");
    assert_string_equal(nearest("timeuot"), "timeout");
    assert_string_equal(nearest("time_outs"), "timeout");
    assert_string_equal(nearest("ur"), "url");
    assert_string_equal(nearest("tabel"), "table");
}

static void case_does_not_count(void **state)
{
    (void)state;
    assert_string_equal(nearest("URL"), "url");
    assert_string_equal(nearest("MS"), "ms");
    assert_string_equal(nearest("Max_Interval"), "max_interval");
}

static void what_is_far_is_not_guessed(void **state)
{
    (void)state;
    assert_string_equal(nearest("every"), "");
    assert_string_equal(nearest("h"), "");
    assert_string_equal(nearest("xs"), "");
    assert_string_equal(nearest("xyz"), "");
    assert_string_equal(nearest(""), "");
    assert_string_equal(nearest("a_very_long_key_that_is_longer_than_any_word_could_be"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_or_two_slips_are_understood),
        cmocka_unit_test(case_does_not_count),
        cmocka_unit_test(what_is_far_is_not_guessed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
