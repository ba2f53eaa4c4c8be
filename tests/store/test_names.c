#include "test.h"

#include <string.h>

#include "store/names.h"

static void expect_name(const char *member, size_t length, const char *expected)
{
    char name[NAME_SIZE];

    assert_int_equal(name_from_member((struct slice){member, length}, name), strlen(expected));
    assert_string_equal(name, expected);
}

static void letters_digits_and_underscores_are_kept_as_they_are(void **state)
{
    (void)state;
    expect_name("magType_2", 9, "magType_2");
    expect_name("_", 1, "_");
    expect_name("a__b", 4, "a__b");
}

static void any_other_run_of_characters_becomes_one_underscore(void **state)
{
    (void)state;
    expect_name("a.b", 3, "a_b");
    expect_name("a -> b", 6, "a_b");
    expect_name("@type", 5, "_type");
    expect_name("price (EUR)", 11, "price_EUR_");
    expect_name("a\0b", 3, "a_b");
    expect_name("\"; DROP TABLE x --", 18, "_DROP_TABLE_x_");
}

static void a_leading_digit_gets_an_underscore_before_it(void **state)
{
    (void)state;
    expect_name("24h", 3, "_24h");
    expect_name("0", 1, "_0");
}

static void an_empty_name_becomes_an_underscore(void **state)
{
    (void)state;
    expect_name("", 0, "_");
}

static void letters_beyond_ascii_are_kept(void **state)
{
    (void)state;
    expect_name("température", strlen("température"), "température");
    expect_name("名前", strlen("名前"), "名前");
}

static void bytes_that_are_no_utf8_become_an_underscore(void **state)
{
    (void)state;
    expect_name("a\xff\xfe"
                "b",
                4, "a_b");
    expect_name("a\xc3", 2, "a_");
    expect_name("a\xed\xa0\x80", 4, "a_"); /* a surrogate */
}

static void a_name_is_cut_at_the_limit_between_characters(void **state)
{
    char long_name[600];
    char name[NAME_SIZE];

    (void)state;
    memset(long_name, 'x', sizeof(long_name));
    memcpy(long_name + 254, "é", 2);
    assert_int_equal(name_from_member((struct slice){long_name, sizeof(long_name)}, name), 254);
}

static void names_are_compared_and_hashed_without_case(void **state)
{
    (void)state;
    assert_true(name_same("Straße_A", "sTRAße_a"));
    assert_false(name_same("a", "ab"));
    assert_false(name_same("É", "é")); /* SQLite folds ASCII only */
    assert_true(name_hash("ABC") == name_hash("abc"));
}

static void an_identifier_is_quoted_with_its_quotes_doubled(void **state)
{
    struct text sql = {0};

    (void)state;
    name_quote(&sql, "a\"b");
    assert_string_equal(text_string(&sql), "\"a\"\"b\"");
    text_free(&sql);
}

static void utf8_is_told_from_what_only_looks_like_it(void **state)
{
    static const char *const bad[] = {"\xc0\x80",         "\xe0\x80\x80", "\xf0\x80\x80\x80",
                                      "\xf4\x90\x80\x80", "\x80",         "\xf5\x80\x80\x80",
                                      "a\xe2\x82"};

    (void)state;
    assert_true(utf8_valid("", 0));
    assert_true(utf8_valid("a\0é€😀", 11));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(utf8_valid(bad[i], strlen(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_digits_and_underscores_are_kept_as_they_are),
        cmocka_unit_test(any_other_run_of_characters_becomes_one_underscore),
        cmocka_unit_test(a_leading_digit_gets_an_underscore_before_it),
        cmocka_unit_test(an_empty_name_becomes_an_underscore),
        cmocka_unit_test(letters_beyond_ascii_are_kept),
        cmocka_unit_test(bytes_that_are_no_utf8_become_an_underscore),
        cmocka_unit_test(a_name_is_cut_at_the_limit_between_characters),
        cmocka_unit_test(names_are_compared_and_hashed_without_case),
        cmocka_unit_test(an_identifier_is_quoted_with_its_quotes_doubled),
        cmocka_unit_test(utf8_is_told_from_what_only_looks_like_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
