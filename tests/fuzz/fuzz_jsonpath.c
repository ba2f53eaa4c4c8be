/*
 * Compiles any text, up to its first NUL, as a path and runs it on a document that has all types.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/json.h"
#include "gatherd/jsonpath.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char document[] =
    "{\"a\":[0,[1,2,3],{\"b\":4,\"\\u00e9\":[]},\"x\",null],\"b\":{\"a\":{\"a\":5},\"\":6},"
    "\"c d\":true,\"a\\u0000\":{},\"d\":[[],[7],[8,9],[10,11,12],[13,14,15,16],17,18,19]}";

/* Unions multiply what they select, by the standard's own rules: many of them are only compiled. */
static bool is_moderate(const char *text)
{
    size_t commas = 0;

    for (; *text != '\0'; text++)
        commas += *text == ',';
    return commas <= 12;
}

static void run(const struct jsonpath *path, const struct node *root, struct arena *arena)
{
    struct node_list list;

    assert(jsonpath_select(path, root, arena, &list) == 0);
    for (size_t i = 0; i < list.count; i++)
        assert(list.nodes[i] >= root && list.nodes[i] < node_next(root));
    if (jsonpath_is_singular(path)) {
        assert(list.count <= 1);
        assert(jsonpath_first(path, root) == (list.count == 0 ? NULL : list.nodes[0]));
    } else {
        assert(jsonpath_first(path, root) == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create(0);
    char *text = malloc(size + 1);
    struct error err = {0};
    size_t column = 0;
    const struct node *root;
    struct jsonpath *path;

    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    assert(json_read(document, sizeof(document) - 1, arena, &root, NULL) == JSON_OK);
    path = jsonpath_compile(text, &column, &err);
    if (path != NULL) {
        assert(strcmp(jsonpath_text(path), text) == 0);
        (void)jsonpath_ends_in_wildcard(path);
        (void)jsonpath_single_name(path);
        if (is_moderate(text))
            run(path, root, arena);
    } else {
        assert(err.code == ERROR_CONFIG && err.text[0] != '\0');
        assert(column >= 1 && column <= strlen(text) + 1);
    }
    jsonpath_free(path);
    free(text);
    arena_free(arena);
    return 0;
}
