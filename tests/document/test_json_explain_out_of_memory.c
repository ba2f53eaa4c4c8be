/* A message about a document asks for no memory: it is right when there is none left, too. */
#include "test.h"

#include <string.h>

#include "allocation.h"
#include "gatherd/json.h"

/* What the reader says of `text` when every further allocation fails. */
static void assert_message(const char *text, const char *expected)
{
    struct arena *arena = arena_create(SIZE_MAX);
    struct json_error error = {0};
    enum json_status status;
    const struct node *root;

    assert_int_equal(json_read("[1]", 3, arena, &root, NULL), JSON_OK);
    arena_reset(arena); /* it keeps what the nodes need */
    allocation_fail_after(0, false);
    status = json_read(text, strlen(text), arena, &root, &error);
    allocation_stop_failing();
    assert_int_equal(status, JSON_INVALID);
    assert_string_equal(error.message, expected);
    arena_free(arena);
}

static void a_character_is_shown_as_it_is_without_memory(void **state)
{
    (void)state;
    assert_message("[1 \xc3\xa9]", "'\xc3\xa9' (U+00E9) where ',' or ']' should stand");
    assert_message("[1 \xe2\x80\xae]", "U+202E where ',' or ']' should stand");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_character_is_shown_as_it_is_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
