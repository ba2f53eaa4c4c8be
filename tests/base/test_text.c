#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/text.h"

static void an_empty_text_reads_as_an_empty_string(void **state)
{
    struct text text = {0};

    (void)state;
    assert_string_equal(text_string(&text), "");
    assert_false(text_failed(&text));
    text_free(&text);
}

static void pieces_are_put_behind_each_other(void **state)
{
    struct text text = {0};

    (void)state;
    text_add(&text, "one");
    text_char(&text, ' ');
    text_append(&text, "two!", 3);
    text_format(&text, " %d%s", 3, "!");
    assert_string_equal(text_string(&text), "one two 3!");
    assert_int_equal(text.length, 10);
    text_free(&text);
}

static void bytes_of_any_value_are_kept(void **state)
{
    struct text text = {0};

    (void)state;
    text_append(&text, "a\0b", 3);
    text_char(&text, '\xff');
    assert_int_equal(text.length, 4);
    assert_memory_equal(text.data, "a\0b\xff", 5);
    text_free(&text);
}

static void growth_keeps_what_was_there_at_every_length(void **state)
{
    struct text text = {0};

    (void)state;
    for (size_t i = 0; i < 5000; i++) {
        text_char(&text, (char)('a' + i % 26));
        assert_int_equal(text.data[text.length], '\0');
    }
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(text.data[i], 'a' + i % 26);
    text_free(&text);
}

static void a_format_that_just_fits_or_just_does_not_is_whole(void **state)
{
    (void)state;
    for (int width = 50; width < 140; width++) {
        struct text text = {0};

        text_add(&text, "0123456789");
        text_format(&text, "%*d", width, 7);
        assert_int_equal(text.length, 10 + width);
        assert_int_equal(strlen(text_string(&text)), 10 + width);
        assert_int_equal(text.data[text.length - 1], '7');
        text_free(&text);
    }
}

static void reserved_room_is_used_without_another_allocation(void **state)
{
    struct text text = {0};
    char *data;

    (void)state;
    text_reserve(&text, 1000);
    data = text.data;
    assert_non_null(data);
    for (int i = 0; i < 1000; i++)
        text_char(&text, 'x');
    assert_ptr_equal(text.data, data);
    text_free(&text);
}

static void clear_keeps_the_memory(void **state)
{
    struct text text = {0};
    char *data;

    (void)state;
    text_add(&text, "something");
    data = text.data;
    text_clear(&text);
    assert_string_equal(text_string(&text), "");
    assert_int_equal(text.length, 0);
    assert_ptr_equal(text.data, data);
    text_free(&text);
    text_clear(&text); /* of one without memory */
    assert_string_equal(text_string(&text), "");
}

static void take_hands_the_string_over_and_leaves_an_empty_text(void **state)
{
    struct text text = {0};
    char *taken;

    (void)state;
    text_add(&text, "mine");
    taken = text_take(&text);
    assert_string_equal(taken, "mine");
    assert_null(text.data);
    assert_int_equal(text.length, 0);
    free(taken);

    taken = text_take(&text); /* of nothing: still a string */
    assert_string_equal(taken, "");
    free(taken);
}

static void a_failure_is_remembered_until_it_is_cleared(void **state)
{
    struct text text = {0};

    (void)state;
    text_add(&text, "kept");
    text_reserve(&text, SIZE_MAX - 10); /* no memory is that large */
    assert_true(text_failed(&text));
    text_add(&text, " not added");
    text_format(&text, "%d", 1);
    assert_string_equal(text_string(&text), "kept");
    text_clear(&text);
    assert_false(text_failed(&text));
    text_add(&text, "again");
    assert_string_equal(text_string(&text), "again");
    text_free(&text);
}

static void take_after_a_failure_gives_nothing(void **state)
{
    struct text text = {0};

    (void)state;
    text_add(&text, "incomplete");
    text_reserve(&text, SIZE_MAX / 2);
    assert_null(text_take(&text));
    assert_null(text.data);
    assert_false(text_failed(&text));
}

static void json_strings_are_escaped_as_rfc_8259_asks(void **state)
{
    struct text text = {0};
    const char raw[] = "say \"hi\"\\\n\t\r\b\f\x01\x1f\x7f/ \xc3\xa9 \xe2\x82\xac";

    (void)state;
    text_json_string(&text, raw, sizeof(raw) - 1);
    assert_string_equal(text_string(&text),
                        "\"say \\\"hi\\\"\\\\\\n\\t\\r\\u0008\\u000c\\u0001\\u001f\x7f/ "
                        "\xc3\xa9 \xe2\x82\xac\"");
    text_clear(&text);
    text_json_string(&text, "a\0b", 3);
    assert_string_equal(text_string(&text), "\"a\\u0000b\"");
    text_free(&text);
}

static void what_is_not_unreserved_is_percent_encoded(void **state)
{
    struct text text = {0};

    (void)state;
    text_url_encoded(&text, "aZ09-._~ %/\0\xc3\xa9", 14);
    assert_string_equal(text_string(&text), "aZ09-._~%20%25%2F%00%C3%A9");
    text_free(&text);
}

static void the_empty_slice_is_an_empty_json_string(void **state)
{
    struct text text = {0};
    struct slice empty = {0};

    (void)state;
    text_json_string(&text, empty.data, empty.length);
    assert_string_equal(text_string(&text), "\"\"");
    text_append(&text, empty.data, empty.length);
    assert_int_equal(text.length, 2);
    text_free(&text);
}

static void slices_are_equal_by_their_bytes(void **state)
{
    struct slice empty = {0};

    (void)state;
    assert_true(slice_equals((struct slice){"table", 5}, "table"));
    assert_false(slice_equals((struct slice){"table", 4}, "table"));
    assert_false(slice_equals((struct slice){"Table", 5}, "table"));
    assert_true(slice_equals(empty, ""));
    assert_true(slice_equals(empty, NULL));
    assert_true(slice_same(empty, (struct slice){"x", 0}));
    assert_true(slice_same((struct slice){"a\0b", 3}, (struct slice){"a\0b", 3}));
    assert_false(slice_same((struct slice){"a\0b", 3}, (struct slice){"a\0c", 3}));
    assert_int_equal(slice_of("four").length, 4);
    assert_null(slice_of(NULL).data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_text_reads_as_an_empty_string),
        cmocka_unit_test(pieces_are_put_behind_each_other),
        cmocka_unit_test(bytes_of_any_value_are_kept),
        cmocka_unit_test(growth_keeps_what_was_there_at_every_length),
        cmocka_unit_test(a_format_that_just_fits_or_just_does_not_is_whole),
        cmocka_unit_test(reserved_room_is_used_without_another_allocation),
        cmocka_unit_test(clear_keeps_the_memory),
        cmocka_unit_test(take_hands_the_string_over_and_leaves_an_empty_text),
        cmocka_unit_test(a_failure_is_remembered_until_it_is_cleared),
        cmocka_unit_test(take_after_a_failure_gives_nothing),
        cmocka_unit_test(json_strings_are_escaped_as_rfc_8259_asks),
        cmocka_unit_test(what_is_not_unreserved_is_percent_encoded),
        cmocka_unit_test(the_empty_slice_is_an_empty_json_string),
        cmocka_unit_test(slices_are_equal_by_their_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
