#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/items.h"

static const char *const one_name[] = {"id"};
static const char *const two_names[] = {"id", "lang"};

static struct item_value text_value(const char *text)
{
    return (struct item_value){.type = ITEM_VALUE_TEXT, .text = slice_of(text)};
}

static struct item_value number(int64_t integer, const char *text)
{
    return (struct item_value){
        .type = ITEM_VALUE_INTEGER, .text = slice_of(text), .integer = integer};
}

static struct items *create(const char *const *names, size_t count)
{
    struct items *items = items_create(names, count);

    assert_non_null(items);
    return items;
}

static void add_text(struct items *items, const char *text)
{
    struct item_value value = text_value(text);

    assert_int_equal(items_add(items, &value, NULL), 0);
}

static void add_pair(struct items *items, const char *a, const char *b)
{
    struct item_value values[] = {text_value(a), text_value(b)};

    assert_int_equal(items_add(items, values, NULL), 0);
}

static void a_list_of_nothing_is_a_list(void **state)
{
    struct items *items = create(one_name, 1);

    (void)state;
    items_seal(items);
    assert_int_equal(items->count, 0);
    items_unref(items);
}

static void the_key_of_one_value_is_the_value(void **state)
{
    struct items *items = create(one_name, 1);

    (void)state;
    add_text(items, "a/b?c&d#e%f g\"h\xc3\xa9");
    items_seal(items);
    assert_string_equal(items->list[0].key, "a/b?c&d#e%f g\"h\xc3\xa9");
    items_unref(items);
}

static void an_item_that_is_there_is_not_added_again(void **state)
{
    struct items *items = create(one_name, 1);
    struct item_value seven = number(7, "7");

    (void)state;
    add_text(items, "7");
    add_text(items, "8");
    assert_int_equal(items_add(items, &seven, NULL), 0); /* its requests would be the same */
    items_seal(items);
    assert_int_equal(items->count, 2);
    assert_int_equal(items->list[0].values[0].type, ITEM_VALUE_TEXT);
    items_unref(items);
}

static void several_values_that_run_together_are_different_items(void **state)
{
    struct items *items = create(two_names, 2);

    (void)state;
    add_pair(items, "a,b", "c");
    add_pair(items, "a", "b,c");
    add_pair(items, "a\",\"b", "c");
    add_pair(items, "", "");
    items_seal(items);
    assert_int_equal(items->count, 4);
    assert_string_equal(items->list[0].key, "[\"a,b\",\"c\"]");
    items_unref(items);
}

static void a_value_that_looks_like_several_is_another_item(void **state)
{
    struct items *items = create(one_name, 1);

    (void)state;
    add_text(items, "[\"\"]");
    add_text(items, "");
    items_seal(items);
    assert_int_equal(items->count, 2);
    assert_string_equal(items->list[1].key, "[\"\"]");
    items_unref(items);
}

static void a_value_with_a_nul_keeps_all_of_it(void **state)
{
    struct items *items = create(one_name, 1);
    struct item_value value = {.type = ITEM_VALUE_TEXT, .text = {"a\0b", 3}};

    (void)state;
    assert_int_equal(items_add(items, &value, NULL), 0);
    add_text(items, "a");
    items_seal(items);
    assert_int_equal(items->count, 2);
    assert_string_equal(items->list[0].key, "[\"a\\u0000b\"]");
    assert_int_equal(items->list[0].values[0].text.length, 3);
    assert_memory_equal(items->list[0].values[0].text.data, "a\0b", 3);
    items_unref(items);
}

static void values_are_found_by_name(void **state)
{
    struct items *items = create(two_names, 2);

    (void)state;
    add_pair(items, "5", "en");
    items_seal(items);
    assert_true(slice_equals(items_value(items, items->list, slice_of("lang"))->text, "en"));
    assert_null(items_value(items, items->list, slice_of("nam")));
    assert_null(items_value(items, items->list, slice_of("")));
    items_unref(items);
}

static void an_item_of_one_value_needs_no_name(void **state)
{
    struct items *items = create(one_name, 1);

    (void)state;
    add_text(items, "x");
    assert_true(slice_equals(items_value(items, items->list, slice_of(""))->text, "x"));
    items_unref(items);
}

static void thousands_of_items_keep_their_order(void **state)
{
    struct items *items = create(one_name, 1);
    char text[32];

    (void)state;
    for (int i = 0; i < 20000; i++) {
        snprintf(text, sizeof(text), "%d", i % 10000);
        add_text(items, text);
    }
    items_seal(items);
    assert_int_equal(items->count, 10000);
    assert_string_equal(items->list[9999].key, "9999");
    items_unref(items);
}

static void a_list_beyond_its_limit_is_refused(void **state)
{
    struct items *items = create(one_name, 1);
    size_t length = ITEMS_MAX_BYTES / 8;
    char *text = malloc(length);
    struct item_value value = {.type = ITEM_VALUE_TEXT, .text = {text, length}};
    struct error err = {0};
    int rc = 0;

    (void)state;
    memset(text, 'x', length);
    for (char c = 'a'; rc == 0 && c < 'z'; c++) {
        text[0] = c;
        rc = items_add(items, &value, &err);
    }
    assert_int_equal(rc, -1);
    assert_string_equal(
        err.text, "the items take more than 64 MiB after 4 of them; take fewer or shorter values");
    free(text);
    items_unref(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_of_nothing_is_a_list),
        cmocka_unit_test(the_key_of_one_value_is_the_value),
        cmocka_unit_test(an_item_that_is_there_is_not_added_again),
        cmocka_unit_test(several_values_that_run_together_are_different_items),
        cmocka_unit_test(a_value_that_looks_like_several_is_another_item),
        cmocka_unit_test(a_value_with_a_nul_keeps_all_of_it),
        cmocka_unit_test(values_are_found_by_name),
        cmocka_unit_test(an_item_of_one_value_needs_no_name),
        cmocka_unit_test(thousands_of_items_keep_their_order),
        cmocka_unit_test(a_list_beyond_its_limit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
