/* The item of a kept answer is the item that its rows had. */
#include "test.h"

#include <string.h>

#include "gatherd/items.h"

static const char *const names[] = {"id", "lang", "ratio"};

static struct items *make(void)
{
    struct items *items = items_create(names, 3);
    const struct item_value values[] = {
        {.type = ITEM_VALUE_INTEGER, .text = {"7", 1}, .integer = 7},
        {.type = ITEM_VALUE_TEXT, .text = {"e\"n\0x", 5}},
        {.type = ITEM_VALUE_REAL, .text = {"2.5", 3}, .real = 2.5},
    };

    assert_int_equal(items_add(items, values, NULL), 0);
    items_seal(items);
    return items;
}

static void an_item_comes_back_with_its_names_types_and_key(void **state)
{
    struct items *items = make();
    struct text json = {0};
    struct items *read;

    (void)state;
    items_write_values(items, &items->list[0], &json);
    assert_string_equal(text_string(&json), "{\"id\":7,\"lang\":\"e\\\"n\\u0000x\",\"ratio\":2.5}");
    read = items_read_values((struct slice){json.data, json.length}, NULL);
    assert_non_null(read);
    assert_int_equal(read->count, 1);
    assert_string_equal(read->names[2], "ratio");
    assert_string_equal(read->list[0].key, items->list[0].key);
    assert_int_equal(read->list[0].values[0].type, ITEM_VALUE_INTEGER);
    assert_int_equal(read->list[0].values[0].integer, 7);
    assert_int_equal(read->list[0].values[1].text.length, 5);
    assert_int_equal(read->list[0].values[2].type, ITEM_VALUE_REAL);
    assert_true(read->list[0].values[2].real == 2.5);
    text_free(&json);
    items_unref(items);
    items_unref(read);
}

static void a_number_without_digits_stays_text(void **state)
{
    const struct item_value value = {.type = ITEM_VALUE_REAL, .text = {"Inf", 3}};
    struct items *items = items_create(names, 1);
    struct text json = {0};

    (void)state;
    assert_int_equal(items_add(items, &value, NULL), 0);
    items_write_values(items, &items->list[0], &json);
    assert_string_equal(text_string(&json), "{\"id\":\"Inf\"}");
    text_free(&json);
    items_unref(items);
}

static void what_is_no_item_is_refused(void **state)
{
    static const char *const wrong[] = {"",         "[]", "{}", "{\"a\":null}", "{\"a\":[1]}",
                                        "{\"a\":1", "7"};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct error err = {0};

        assert_null(items_read_values(slice_of(wrong[i]), &err));
        assert_int_equal(err.code, ERROR_FAILED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_comes_back_with_its_names_types_and_key),
        cmocka_unit_test(a_number_without_digits_stays_text),
        cmocka_unit_test(what_is_no_item_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
