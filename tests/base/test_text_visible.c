#include "test.h"

#include <string.h>

#include "gatherd/log.h"
#include "gatherd/text.h"

static void assert_visible(const char *data, size_t length, const char *expected)
{
    struct text text = {0};

    text_visible(&text, data, length);
    assert_string_equal(text_string(&text), expected);
    text_free(&text);
}

static void text_of_any_language_stays_as_it_is(void **state)
{
    static const char words[] =
        "plain \"text\" \\ caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80";

    (void)state;
    assert_visible(words, strlen(words), words);
    assert_visible("", 0, "");
}

static void control_characters_are_written_out(void **state)
{
    (void)state;
    assert_visible("a\x1b[2J\r\n\t\x7f", 9, "a\\x1b[2J\\x0d\\n\\t\\x7f");
    assert_visible("a\0b", 3, "a\\x00b");
    assert_visible("\xc2\x9b", 2, "\\xc2\\x9b"); /* CSI, which some terminals obey */
}

static void marks_that_make_a_line_lie_are_written_out(void **state)
{
    (void)state;
    assert_visible("\xe2\x80\xae", 3, "\\xe2\\x80\\xae");
    assert_visible("\xef\xbb\xbf", 3, "\\xef\\xbb\\xbf");
}

static void what_is_no_utf8_is_written_out_byte_for_byte(void **state)
{
    (void)state;
    assert_visible("\xff\xc3(", 3, "\\xff\\xc3(");
    assert_visible("\xed\xa0\x80", 3, "\\xed\\xa0\\x80");
    assert_visible("\xe6\x97\xa5", 2, "\\xe6\\x97"); /* ends within a character */
}

static void a_line_of_the_log_holds_its_quotes_and_nothing_hidden(void **state)
{
    struct log_field fields[] = {LOG_STR("error", "say \"hi\"\\\n\x1b"), {.key = NULL}};
    struct text line = {0};

    (void)state;
    log_format(&line, LOG_LEVEL_INFO, "m", fields, 1, 0);
    assert_string_equal(text_string(&line), "<6>msg=m error=\"say \\\"hi\\\"\\\\\\n\\x1b\"\n");
    text_free(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_any_language_stays_as_it_is),
        cmocka_unit_test(control_characters_are_written_out),
        cmocka_unit_test(marks_that_make_a_line_lie_are_written_out),
        cmocka_unit_test(what_is_no_utf8_is_written_out_byte_for_byte),
        cmocka_unit_test(a_line_of_the_log_holds_its_quotes_and_nothing_hidden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
