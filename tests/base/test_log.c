#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture.h"
#include "gatherd/log.h"

#define TIME_MS 1767323045678

#define FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {0}})

static void assert_line(const struct log_field *fields, const char *message, const char *expected)
{
    struct text line = {0};

    log_format(&line, LOG_LEVEL_INFO, message, fields, 1, TIME_MS);
    assert_string_equal(text_string(&line), expected);
    text_free(&line);
}

static void a_line_has_time_level_message_and_fields(void **state)
{
    struct text line = {0};

    (void)state;
    log_format(
        &line, LOG_LEVEL_INFO, "run failed",
        FIELDS(LOG_STR("source", "weather"), LOG_STR("error", "timed out"), LOG_INT("rows", -12)),
        0, TIME_MS);
    assert_string_equal(text_string(&line),
                        "time=2026-01-02T03:04:05.678Z level=info msg=\"run failed\" "
                        "source=weather error=\"timed out\" rows=-12\n");
    text_free(&line);
}

static void the_journal_gets_the_priority_in_place_of_time_and_level(void **state)
{
    static const struct {
        enum log_level level;
        const char *line;
    } expected[] = {
        {LOG_LEVEL_ERROR, "<3>msg=m k=v\n"},
        {LOG_LEVEL_WARNING, "<4>msg=m k=v\n"},
        {LOG_LEVEL_INFO, "<6>msg=m k=v\n"},
        {LOG_LEVEL_DEBUG, "<7>msg=m k=v\n"},
    };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct text line = {0};

        log_format(&line, expected[i].level, "m", FIELDS(LOG_STR("k", "v")), 1, TIME_MS);
        assert_string_equal(text_string(&line), expected[i].line);
        text_free(&line);
    }
}

static void each_level_has_its_name(void **state)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};

    (void)state;
    for (int level = 0; level < 4; level++) {
        struct text line = {0};
        char expected[100];

        log_format(&line, (enum log_level)level, "m", FIELDS(LOG_STR("k", "v")), 0, TIME_MS);
        snprintf(expected, sizeof(expected), "time=2026-01-02T03:04:05.678Z level=%s msg=m k=v\n",
                 names[level]);
        assert_string_equal(text_string(&line), expected);
        text_free(&line);
    }
}

static void values_are_quoted_only_where_needed(void **state)
{
    (void)state;
    assert_line(FIELDS(LOG_STR("url", "https://x/?q")), "m", "<6>msg=m url=https://x/?q\n");
    assert_line(FIELDS(LOG_STR("k", "")), "m", "<6>msg=m k=\"\"\n");
    assert_line(FIELDS(LOG_STR("k", "a b")), "m", "<6>msg=m k=\"a b\"\n");
    assert_line(FIELDS(LOG_STR("k", "a=b")), "m", "<6>msg=m k=\"a=b\"\n");
    assert_line(FIELDS(LOG_STR("k", "say \"hi\" \\o/")), "m",
                "<6>msg=m k=\"say \\\"hi\\\" \\\\o/\"\n");
}

static void a_field_without_text_is_left_out(void **state)
{
    (void)state;
    assert_line(FIELDS(LOG_STR("error", NULL), LOG_INT("n", 1)), "m", "<6>msg=m n=1\n");
}

static void the_whole_range_of_numbers_is_written(void **state)
{
    (void)state;
    assert_line(FIELDS(LOG_INT("a", INT64_MIN), LOG_INT("b", INT64_MAX)), "m",
                "<6>msg=m a=-9223372036854775808 b=9223372036854775807\n");
}

static void no_value_breaks_the_line(void **state)
{
    (void)state;
    assert_line(FIELDS(LOG_STR("k", "a\nlevel=error msg=forged")), "x\r\ny",
                "<6>msg=\"x\\x0d\\ny\" k=\"a\\nlevel=error msg=forged\"\n");
    assert_line(FIELDS(LOG_STR("k", "tab\there\v\f")), "m",
                "<6>msg=m k=\"tab\\there\\x0b\\x0c\"\n");
    assert_line(FIELDS(LOG_STR("k", "a\xc2\x85"
                                    "b\xe2\x80\xa8"
                                    "c\xe2\x80\xa9")),
                "m", "<6>msg=m k=\"a\\xc2\\x85b\\xe2\\x80\\xa8c\\xe2\\x80\\xa9\"\n");
}

static void no_value_reaches_the_terminal_as_a_control_sequence(void **state)
{
    (void)state;
    assert_line(FIELDS(LOG_STR("k", "\x1b[31mred\x1b]0;title\x07")), "\x1b[2J",
                "<6>msg=\"\\x1b[2J\" k=\"\\x1b[31mred\\x1b]0;title\\x07\"\n");
    assert_line(FIELDS(LOG_STR("k", "\x7f\x08")), "m", "<6>msg=m k=\"\\x7f\\x08\"\n");
    /* C1 controls: U+009B is CSI, as one character and as a lone byte */
    assert_line(FIELDS(LOG_STR("k", "\xc2\x9b"
                                    "31m\x9b"
                                    "31m")),
                "m", "<6>msg=m k=\"\\xc2\\x9b31m\\x9b31m\"\n");
}

static void well_formed_utf8_is_shown_as_it_is(void **state)
{
    (void)state;
    assert_line(FIELDS(LOG_STR("k", "Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x8c\x8d")), "m",
                "<6>msg=m k=\"Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x8c\x8d\"\n");
}

static void bytes_that_are_not_utf8_are_escaped_one_by_one(void **state)
{
    static const char *const pairs[][2] = {
        {"\xff", "\\xff"},
        {"\xc3", "\\xc3"},                            /* cut off */
        {"\xc3(", "\\xc3("},                          /* no continuation */
        {"\xe2\x82", "\\xe2\\x82"},                   /* cut off */
        {"\xf0\x9f\x8c", "\\xf0\\x9f\\x8c"},          /* cut off */
        {"\x80", "\\x80"},                            /* continuation alone */
        {"\xc0\xaf", "\\xc0\\xaf"},                   /* overlong */
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},          /* overlong */
        {"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"}, /* overlong */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* beyond U+10FFFF */
        {"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char expected[100];

        snprintf(expected, sizeof(expected), "<6>msg=m k=\"%s\"\n", pairs[i][1]);
        assert_line(FIELDS(LOG_STR("k", pairs[i][0])), "m", expected);
    }
}

static void characters_that_make_a_line_lie_are_escaped(void **state)
{
    static const char *const characters[] = {
        "\xc2\xad",         /* U+00AD soft hyphen */
        "\xd8\x9c",         /* U+061C Arabic letter mark */
        "\xe1\xa0\x8e",     /* U+180E Mongolian vowel separator */
        "\xe2\x80\x8b",     /* U+200B zero width space */
        "\xe2\x80\x8f",     /* U+200F right-to-left mark */
        "\xe2\x80\xae",     /* U+202E right-to-left override */
        "\xe2\x81\xa0",     /* U+2060 word joiner */
        "\xe2\x81\xa6",     /* U+2066 left-to-right isolate */
        "\xe2\x81\xaf",     /* U+206F nominal digit shapes */
        "\xef\xbb\xbf",     /* U+FEFF byte order mark */
        "\xef\xbf\xb9",     /* U+FFF9 interlinear annotation anchor */
        "\xf3\xa0\x81\x81", /* U+E0041 tag letter */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
        struct text line = {0};

        log_format(&line, LOG_LEVEL_INFO, "m", FIELDS(LOG_STR("k", characters[i])), 1, 0);
        if (strstr(text_string(&line), characters[i]) != NULL)
            fail_msg("character %zu reached the line: %s", i, text_string(&line));
        text_free(&line);
    }
}

static void every_byte_of_a_line_is_harmless_whatever_comes_in(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct text line = {0};
        char value[40] = {0};

        for (size_t i = 0; i < sizeof(value) - 1; i++) {
            seed = seed * 1664525u + 1013904223u; /* Numerical Recipes */
            value[i] = (char)(seed >> 24);
        }
        log_format(&line, LOG_LEVEL_INFO, value, FIELDS(LOG_STR("k", value)), 0, 0);
        for (size_t i = 0; i + 1 < line.length; i++)
            assert_true((unsigned char)line.data[i] >= 0x20 && line.data[i] != 0x7f);
        assert_int_equal(line.data[line.length - 1], '\n');
        text_free(&line);
    }
}

static void emit_all_levels(const void *context)
{
    (void)context;
    log_error("one", LOG_INT("n", 1));
    log_warning("two", LOG_INT("n", 2));
    log_info("three", LOG_INT("n", 3));
    log_debug("four", LOG_INT("n", 4));
}

static void lines_above_the_level_are_left_out(void **state)
{
    static const char *const messages[] = {"msg=one n=1\n", "msg=two n=2\n", "msg=three n=3\n",
                                           "msg=four n=4\n"};
    char *text = capture_stderr(emit_all_levels, NULL); /* info at the start */

    (void)state;
    assert_non_null(strstr(text, messages[2]));
    assert_null(strstr(text, messages[3]));
    free(text);
    for (int level = 0; level < 4; level++) {
        log_set_level((enum log_level)level);
        text = capture_stderr(emit_all_levels, NULL);
        for (int i = 0; i < 4; i++)
            assert_int_equal(strstr(text, messages[i]) != NULL, i <= level);
        free(text);
    }
    log_set_level(LOG_LEVEL_INFO);
}

static void emit_to_the_journal(const void *context)
{
    struct stat st;
    char stream[64];

    (void)context;
    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    snprintf(stream, sizeof(stream), "%lu:%lu", (unsigned long)st.st_dev, (unsigned long)st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_start();
    log_info("m", LOG_INT("n", 1));

    snprintf(stream, sizeof(stream), "%lu:%lu", (unsigned long)st.st_dev,
             (unsigned long)st.st_ino + 1);
    setenv("JOURNAL_STREAM", stream, 1); /* stderr was sent elsewhere since */
    log_start();
    log_info("m", LOG_INT("n", 2));

    setenv("JOURNAL_STREAM", "nonsense", 1);
    log_start();
    log_info("m", LOG_INT("n", 3));
    unsetenv("JOURNAL_STREAM");
    log_start();
    log_info("m", LOG_INT("n", 4));
}

static void the_journal_is_known_by_its_stream(void **state)
{
    char *text = capture_stderr(emit_to_the_journal, NULL);

    (void)state;
    assert_memory_equal(text, "<6>msg=m n=1\ntime=", 18);
    assert_non_null(strstr(text, "level=info msg=m n=2\ntime="));
    assert_non_null(strstr(text, "level=info msg=m n=3\ntime="));
    assert_non_null(strstr(text, "level=info msg=m n=4\n"));
    free(text);
}

#define LINES_EACH 200

static void *log_lines(void *argument)
{
    for (int i = 0; i < LINES_EACH; i++)
        log_info("a line of a thread among others", LOG_STR("thread", argument), LOG_INT("end", 7));
    return NULL;
}

static void emit_from_four_threads(const void *context)
{
    static char *const names[] = {"one", "two", "three", "four"};
    pthread_t threads[4];

    (void)context;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_lines, names[i]), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

static void lines_of_several_threads_do_not_mix(void **state)
{
    char *text = capture_stderr(emit_from_four_threads, NULL);
    int lines = 0;

    (void)state;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        assert_memory_equal(line, "time=", 5);
        assert_string_equal(line + strlen(line) - 6, " end=7");
        lines++;
    }
    assert_int_equal(lines, 4 * LINES_EACH);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_message_and_fields),
        cmocka_unit_test(the_journal_gets_the_priority_in_place_of_time_and_level),
        cmocka_unit_test(each_level_has_its_name),
        cmocka_unit_test(values_are_quoted_only_where_needed),
        cmocka_unit_test(a_field_without_text_is_left_out),
        cmocka_unit_test(the_whole_range_of_numbers_is_written),
        cmocka_unit_test(no_value_breaks_the_line),
        cmocka_unit_test(no_value_reaches_the_terminal_as_a_control_sequence),
        cmocka_unit_test(well_formed_utf8_is_shown_as_it_is),
        cmocka_unit_test(bytes_that_are_not_utf8_are_escaped_one_by_one),
        cmocka_unit_test(characters_that_make_a_line_lie_are_escaped),
        cmocka_unit_test(every_byte_of_a_line_is_harmless_whatever_comes_in),
        cmocka_unit_test(lines_above_the_level_are_left_out),
        cmocka_unit_test(the_journal_is_known_by_its_stream),
        cmocka_unit_test(lines_of_several_threads_do_not_mix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
