#include "test.h"

#include <stdbool.h>
#include <string.h>

#include "gatherd/error.h"

static void set_keeps_code_and_text(void **state)
{
    struct error err = {0};

    (void)state;
    error_set(&err, ERROR_CONFIG, "%s:%d: bad", "gatherd.yaml", 12);
    assert_int_equal(err.code, ERROR_CONFIG);
    assert_string_equal(err.text, "gatherd.yaml:12: bad");
}

static void the_first_report_is_kept(void **state)
{
    struct error err = {0};

    (void)state;
    error_set(&err, ERROR_IO, "disk");
    error_set(&err, ERROR_NOMEM, "echo");
    assert_int_equal(err.code, ERROR_IO);
    assert_string_equal(err.text, "disk");
}

static void nowhere_to_report_is_allowed(void **state)
{
    (void)state;
    error_set(NULL, ERROR_IO, "disk");
    error_wrap(NULL, "context");
}

static void wrap_puts_the_context_before_the_text(void **state)
{
    struct error err = {0};

    (void)state;
    error_set(&err, ERROR_SPACE, "disk full");
    error_wrap(&err, "insert");
    error_wrap(&err, "source %s", "weather");
    assert_string_equal(err.text, "source weather: insert: disk full");
    assert_int_equal(err.code, ERROR_SPACE);
}

static void wrap_of_an_empty_error_does_nothing(void **state)
{
    struct error err = {0};

    (void)state;
    error_wrap(&err, "context");
    assert_int_equal(err.code, ERROR_NONE);
    assert_string_equal(err.text, "");
}

static void wrap_may_name_the_error_itself(void **state)
{
    struct error err = {0};

    (void)state;
    error_set(&err, ERROR_IO, "disk");
    error_wrap(&err, "(%s)", err.text);
    assert_string_equal(err.text, "(disk): disk");
}

static void text_that_is_too_long_is_cut_at_its_end(void **state)
{
    struct error err = {0};
    char text[2000];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    error_set(&err, ERROR_FAILED, "%s", text);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);

    error_wrap(&err, "source weather");
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_memory_equal(err.text, "source weather: xxx", 19);
}

static void a_context_that_is_too_long_leaves_no_room_and_does_no_harm(void **state)
{
    char context[2000];

    (void)state;
    for (size_t length = 500; length < 520; length++) {
        struct error err = {0};

        memset(context, 'c', length);
        context[length] = '\0';
        error_set(&err, ERROR_FAILED, "reason");
        error_wrap(&err, "%s", context);
        assert_int_equal(err.text[0], 'c');
        assert_true(strlen(err.text) < sizeof(err.text));
        assert_true(strlen(err.text) >= 500);
    }
}

/* The text goes to the database and to terminals: half a character would make it no text. */
static void a_cut_never_splits_a_character(void **state)
{
    static const char *const characters[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8c\x8d"};

    (void)state;
    for (size_t c = 0; c < 3; c++) {
        size_t width = strlen(characters[c]);

        for (size_t shift = 0; shift < 4; shift++) {
            struct error err = {0};
            char text[2000] = {0};
            size_t length;

            memset(text, 'x', shift);
            while (strlen(text) < 600)
                strcat(text, characters[c]);
            error_set(&err, ERROR_FAILED, "%s", text);
            length = strlen(err.text);
            assert_int_equal((length - shift) % width, 0);
            assert_true(length + width >= sizeof(err.text));

            error_wrap(&err, "at");
            length = strlen(err.text);
            assert_int_equal((length - shift - strlen("at: ")) % width, 0);
            assert_true(length + width >= sizeof(err.text));
        }
    }
}

static void each_code_has_its_exit_status(void **state)
{
    static const struct {
        enum error_code code;
        int status;
    } expected[] = {
        {ERROR_NONE, 0},         {ERROR_FAILED, 1}, {ERROR_USAGE, 64},    {ERROR_CONFIG, 78},
        {ERROR_UNAVAILABLE, 69}, {ERROR_NOMEM, 70}, {ERROR_INTERNAL, 70}, {ERROR_IO, 74},
        {ERROR_PERMISSION, 77},  {ERROR_SPACE, 74}, {ERROR_BUSY, 69},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_int_equal(error_exit_status(expected[i].code), expected[i].status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_keeps_code_and_text),
        cmocka_unit_test(the_first_report_is_kept),
        cmocka_unit_test(nowhere_to_report_is_allowed),
        cmocka_unit_test(wrap_puts_the_context_before_the_text),
        cmocka_unit_test(wrap_of_an_empty_error_does_nothing),
        cmocka_unit_test(wrap_may_name_the_error_itself),
        cmocka_unit_test(text_that_is_too_long_is_cut_at_its_end),
        cmocka_unit_test(a_context_that_is_too_long_leaves_no_room_and_does_no_harm),
        cmocka_unit_test(a_cut_never_splits_a_character),
        cmocka_unit_test(each_code_has_its_exit_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
