#include "test.h"

#include <string.h>

#include "gatherd/charset.h"

static int setup(void **state)
{
    *state = arena_create(1 << 16);
    return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void labels_are_known_whatever_their_case_and_punctuation(void **state)
{
    static const char *const pairs[][2] = {
        {"utf-8", "UTF-8"},
        {"UTF8", "UTF-8"},
        {"us-ascii", "UTF-8"},
        {"ISO_8859-1", "ISO-8859-1"},
        {"iso-8859-15", "ISO-8859-15"},
        {"Latin1", "ISO-8859-1"},
        {"windows-1252", "CP1252"},
        {"x-sjis", "CP932"},
        {"gb2312", "GB18030"},
        {"Big5", "BIG5-HKSCS"},
        {"ks_c_5601-1987", "CP949"},
        {"UTF-16LE", "UTF-16LE"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        assert_string_equal(charset_by_label(slice_of(pairs[i][0])), pairs[i][1]);
}

static void labels_of_others_are_not_known(void **state)
{
    static const char *const names[] = {
        "",
        "utf-7",
        "UTF-8//IGNORE",
        "iso-8859-99",
        "../../etc",
        "EBCDIC-US",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_null(charset_by_label(slice_of(names[i])));
    assert_null(charset_by_label((struct slice){"utf8\0", 5}));
}

static void an_operator_may_name_what_only_iconv_knows(void **state)
{
    (void)state;
    assert_string_equal(charset_by_name("latin1"), "ISO-8859-1");
    assert_string_equal(charset_by_name("EBCDIC-US"), "EBCDIC-US");
    assert_null(charset_by_name("no-such-set"));
    assert_null(charset_by_name("EBCDIC-US//IGNORE"));
    assert_null(charset_by_name(""));
}

static void every_label_is_one_that_iconv_knows(void **state)
{
    static const char *const names[] = {
        "utf-16",       "utf-32",       "utf-32be",     "iso-8859-2",   "iso-8859-3",
        "iso-8859-4",   "iso-8859-5",   "iso-8859-6",   "iso-8859-7",   "iso-8859-8",
        "iso-8859-9",   "iso-8859-10",  "iso-8859-11",  "iso-8859-13",  "iso-8859-14",
        "iso-8859-16",  "windows-874",  "windows-1250", "windows-1251", "windows-1253",
        "windows-1254", "windows-1255", "windows-1256", "windows-1257", "windows-1258",
        "ibm437",       "ibm850",       "ibm852",       "ibm866",       "koi8-r",
        "koi8-u",       "macintosh",    "gb18030",      "big5",         "euc-jp",
        "iso-2022-jp",  "shift_jis",    "euc-kr",
    };
    struct charset_error error;
    struct slice to;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(charset_convert(charset_by_label(slice_of(names[i])), slice_of(""), 10,
                                         *state, &to, &error),
                         CHARSET_OK);
}

static void the_mark_says_which_unicode_it_is(void **state)
{
    (void)state;
    assert_string_equal(charset_by_mark((struct slice){"\xef\xbb\xbf", 3}), "UTF-8");
    assert_string_equal(charset_by_mark((struct slice){"\xff\xfe"
                                                       "a\0",
                                                       4}),
                        "UTF-16LE");
    assert_string_equal(charset_by_mark((struct slice){"\xfe\xff\0a", 4}), "UTF-16BE");
    assert_string_equal(charset_by_mark((struct slice){"\xff\xfe\0\0", 4}), "UTF-32LE");
    assert_string_equal(charset_by_mark((struct slice){"\0\0\xfe\xff", 4}), "UTF-32BE");
    assert_null(charset_by_mark(slice_of("\xef\xbb")));
    assert_null(charset_by_mark(slice_of("")));
}

static void zeros_say_which_unicode_it_is(void **state)
{
    (void)state;
    assert_string_equal(charset_by_zeros((struct slice){"a\0b\0", 4}), "UTF-16LE");
    assert_string_equal(charset_by_zeros((struct slice){"\0a\0b", 4}), "UTF-16BE");
    assert_string_equal(charset_by_zeros((struct slice){"a\0\0\0", 4}), "UTF-32LE");
    assert_string_equal(charset_by_zeros((struct slice){"\0\0\0a", 4}), "UTF-32BE");
    assert_null(charset_by_zeros((struct slice){"a\0\0\0b", 5}));
    assert_null(charset_by_zeros((struct slice){"\0\0\0\0", 4}));
    assert_null(charset_by_zeros((struct slice){"a\0b", 3}));
    assert_null(charset_by_zeros(slice_of("abcd")));
}

static void expect(struct arena *arena, const char *charset, struct slice from, const char *utf8)
{
    struct charset_error error;
    struct slice to;

    assert_int_equal(charset_convert(charset, from, 1000, arena, &to, &error), CHARSET_OK);
    assert_int_equal(to.length, strlen(utf8));
    assert_string_equal(to.data, utf8); /* the NUL is there */
}

static void texts_become_utf8_without_their_mark(void **state)
{
    expect(*state, "CP1252", slice_of("\x93\x80\xe9\x94"),
           "\xe2\x80\x9c\xe2\x82\xac\xc3\xa9\xe2\x80\x9d");
    expect(*state, "ISO-8859-1", slice_of("\x80\xe9"), "\xc2\x80\xc3\xa9");
    expect(*state, "UTF-16LE", (struct slice){"\xff\xfe\xe9\0", 4}, "\xc3\xa9");
    expect(*state, "UTF-16BE", (struct slice){"\xfe\xff\xd8\x3d\xde\0", 6}, "\xf0\x9f\x98\x80");
    expect(*state, "UTF-16", (struct slice){"\xfe\xff\0a", 4}, "a");
    expect(*state, "UTF-16",
           (struct slice){"\xff\xfe"
                          "a\0",
                          4},
           "a");
    expect(*state, "UTF-16", (struct slice){"\0a\0b", 4}, "ab");
    expect(*state, "UTF-16", (struct slice){"\xe9\0", 2}, "\xc3\xa9");
    expect(*state, "UTF-32", (struct slice){"\0\0\xfe\xff\0\0\0a", 8}, "a");
    expect(*state, "ISO-2022-JP", slice_of("\x1b$B;3\x1b(B"), "\xe5\xb1\xb1");
    expect(*state, "BIG5-HKSCS", slice_of("\x88\x66"), "\xc3\x8a");
}

static void a_text_grows_as_far_as_it_may(void **state)
{
    char many[3000];
    struct charset_error error;
    struct slice to;

    memset(many, '\x80', sizeof(many)); /* the euro sign: three bytes of UTF-8 */
    assert_int_equal(charset_convert("CP1252", (struct slice){many, sizeof(many)}, 3 * sizeof(many),
                                     *state, &to, &error),
                     CHARSET_OK);
    assert_int_equal(to.length, 3 * sizeof(many));
    assert_int_equal(charset_convert("CP1252", (struct slice){many, sizeof(many)},
                                     3 * sizeof(many) - 1, *state, &to, &error),
                     CHARSET_TOO_LARGE);
}

static void a_byte_that_does_not_belong_is_named_by_offset_and_line(void **state)
{
    struct charset_error error;
    struct slice to;

    assert_int_equal(
        charset_convert("CP1252", slice_of("a\nb\n\xe9\x81"), 100, *state, &to, &error),
        CHARSET_INVALID);
    assert_int_equal(error.offset, 5);
    assert_int_equal(error.line, 3);
    assert_false(error.cut);
    assert_int_equal(
        charset_convert("UTF-16LE", (struct slice){"a\0\x3d\xd8", 4}, 100, *state, &to, &error),
        CHARSET_INVALID);
    assert_int_equal(error.offset, 2);
    assert_true(error.cut);
}

static void a_set_that_is_not_on_the_machine_is_unknown(void **state)
{
    struct charset_error error;
    struct slice to;

    assert_int_equal(charset_convert("no-such-set", slice_of("a"), 100, *state, &to, &error),
                     CHARSET_UNKNOWN);
}

static void the_first_byte_that_is_not_utf8_is_found(void **state)
{
    (void)state;
    assert_int_equal(charset_check_utf8(slice_of("")), 0);
    assert_int_equal(charset_check_utf8(slice_of("plain text, rather long")), 23);
    assert_int_equal(charset_check_utf8(slice_of("plain text, r\xc3\xa4ther long")), 24);
    assert_int_equal(charset_check_utf8(slice_of("plain text, r\xe4ther long")), 13);
    assert_int_equal(charset_check_utf8(slice_of("\xed\xa0\x80")), 0);
    assert_int_equal(charset_check_utf8(slice_of("ab\xc3")), 2);
    assert_int_equal(charset_check_utf8((struct slice){"a\0b", 3}), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(labels_are_known_whatever_their_case_and_punctuation),
        TEST(labels_of_others_are_not_known),
        TEST(an_operator_may_name_what_only_iconv_knows),
        TEST(every_label_is_one_that_iconv_knows),
        TEST(the_mark_says_which_unicode_it_is),
        TEST(zeros_say_which_unicode_it_is),
        TEST(texts_become_utf8_without_their_mark),
        TEST(a_text_grows_as_far_as_it_may),
        TEST(a_byte_that_does_not_belong_is_named_by_offset_and_line),
        TEST(a_set_that_is_not_on_the_machine_is_unknown),
        TEST(the_first_byte_that_is_not_utf8_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
