/*
 * The readers when memory is out: an arena of this file stands in for the daemon's, so that the
 * first allocation fails, then the second, and so on until the operation succeeds.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/json.h"
#include "gatherd/jsonpath.h"

struct arena {
    void *pieces[64];
    size_t count;
    size_t allowed; /* allocations before the one that fails */
};

struct arena *arena_create(size_t keep_bytes)
{
    (void)keep_bytes;
    return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
    for (size_t i = 0; i < arena->count; i++)
        free(arena->pieces[i]);
    free(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (arena->count == arena->allowed)
        return NULL;
    arena->pieces[arena->count] = malloc(size);
    return arena->pieces[arena->count++];
}

void *arena_grow(struct arena *arena, void *pointer, size_t old_size, size_t new_size)
{
    void *copy = arena_alloc(arena, new_size);

    if (copy != NULL && old_size > 0)
        memcpy(copy, pointer, old_size);
    return copy;
}

char *arena_copy(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);

    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void arena_reset(struct arena *arena)
{
    (void)arena;
}

size_t arena_used(const struct arena *arena)
{
    return arena->count;
}

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

        arena->allowed = allowed;
        status = read(text, strlen(text), arena, &root, &error);
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

static void selecting_without_memory_fails(void **state)
{
    static const char *const texts[] = {"$", "$[*]", "$[0,0]", "$[::-1][0]", "$[0]"};
    const char *body = "[[1],[2],[3],[4],[5],[6],[7],[8],[9],[1],[2],[3],[4],[5],[6],[7],[8],[9]]";
    struct arena *document = arena_create(0);
    const struct node *root;

    (void)state;
    document->allowed = 8;
    assert_int_equal(json_read(body, strlen(body), document, &root, NULL), JSON_OK);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        size_t column;
        struct jsonpath *path = jsonpath_compile(texts[i], &column, NULL);
        int status = -1;

        for (size_t allowed = 0; status == -1; allowed++) {
            struct arena *arena = arena_create(0);
            struct node_list list;

            arena->allowed = allowed;
            status = jsonpath_select(path, root, arena, &list);
            assert_int_equal(status, allowed < 1 ? -1 : status);
            arena_free(arena);
            assert_true(allowed < 8);
        }
        jsonpath_free(path);
    }
    arena_free(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_without_memory_says_so),
        cmocka_unit_test(reading_lines_without_memory_says_so),
        cmocka_unit_test(selecting_without_memory_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
