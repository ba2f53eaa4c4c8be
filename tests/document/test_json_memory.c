/*
 * The readers when memory is out: the first allocation fails, then the second, and so on until the
 * operation succeeds.
 */
#include "test.h"

#include <string.h>

#include "gatherd/json.h"
#include "scarce_arena.h"

typedef enum json_status reader(const char *body, size_t length, struct arena *arena,
                                const struct node **root, struct json_error *error);

/* Lets allocation 1, 2, 3 fail until the text can be read; returns how many it needs. */
static size_t allocations_to_read(reader *read, const char *text)
{
    for (size_t allowed = 0;; allowed++) {
        struct arena *arena = arena_create(0);
        struct json_error error;
        const struct node *root;
        enum json_status status;

        scarce_arena_fail_after(allowed);
        status = read(text, strlen(text), arena, &root, &error);
        scarce_arena_stop_failing();
        arena_free(arena);
        if (status == JSON_OK)
            return allowed;
        assert_int_equal(status, JSON_NOMEM);
        assert_string_equal(error.message, "out of memory");
    }
}

static void reading_without_memory_says_so(void **state)
{
    struct text text = {0};

    (void)state;
    assert_int_equal(allocations_to_read(json_read, "[1]"), 1);
    assert_int_equal(allocations_to_read(json_read, "{\"a\\n\":[\"\\t\",\"b\"]}"), 3);
    text_add(&text, "[\"\\n\"");
    for (int i = 0; i < 500; i++)
        text_add(&text, ",1");
    text_add(&text, ",{\"a\":0");
    for (int i = 0; i < 500; i++)
        text_add(&text, ",\"\":1");
    text_add(&text, "}]");
    assert_true(allocations_to_read(json_read, text_string(&text)) >= 4);
    text_free(&text);
}

static void reading_lines_without_memory_says_so(void **state)
{
    struct text text = {0};

    (void)state;
    for (int i = 0; i < 500; i++)
        text_add(&text, i == 250 ? "\"\\n\"\n" : "1\n");
    assert_true(allocations_to_read(json_read_lines, text_string(&text)) >= 4);
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_without_memory_says_so),
        cmocka_unit_test(reading_lines_without_memory_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
