/*
 * Compiles a text as a path and runs it. The input is the path; behind a NUL byte may follow the
 * document that it is run on, else it is one that has all types.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/json.h"
#include "gatherd/jsonpath.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Few steps, since paths that multiply what they select are soon found. */
#define STEPS 300000u

static const char all_types[] =
    "{\"a\":[0,[1,2,3],{\"b\":4,\"\\u00e9\":[]},\"x\",null],\"b\":{\"a\":{\"a\":5},\"\":6},"
    "\"c d\":true,\"a\\u0000\":{},\"d\":[[],[7],[8,9],[10,11,12],[13,14,15,16],17,18,19],"
    "\"n\":[1e400,-0,0.1,12345678901234567890123],\"t\":[\"abc\",\"aab\",\"[a-c]+\","
    "\"\\ud83d\\ude00"
    "\",\"\"]}";

static struct jsonpath_session session_of(const struct node *root, struct arena *arena)
{
    struct jsonpath_session session;

    jsonpath_begin(&session, arena, root, 0, 1);
    session.steps_left = STEPS;
    return session;
}

/* All ways to run a path agree, and give nodes of the document only. */
static void run(const struct jsonpath *path, const struct node *root, struct arena *arena)
{
    struct jsonpath_session session = session_of(root, arena);
    struct node_list list;
    const struct node *found;
    struct jsonpath_reach reach;

    if (jsonpath_select(path, root, &session, &list) != JSONPATH_OK)
        return;
    for (size_t i = 0; i < list.count; i++)
        assert(list.nodes[i] >= root && list.nodes[i] < node_next(root));
    session = session_of(root, arena);
    assert(jsonpath_find(path, root, &session, &found) == JSONPATH_OK);
    assert(found == (list.count == 0 ? NULL : list.nodes[0]));
    assert(jsonpath_first(path, root) == (jsonpath_is_singular(path) ? found : NULL));
    assert(!jsonpath_is_singular(path) || list.count <= 1);
    if (list.count == 0 && jsonpath_reach(path, root, &session, &reach) == JSONPATH_OK)
        assert(reach.part_length < strlen(jsonpath_text(path)) && reach.node >= root);
}

static void run_on(const struct jsonpath *path, const char *document, size_t length)
{
    struct arena *arena = arena_create(0);
    const struct node *root;

    if (json_read(document, length, arena, &root, NULL) == JSON_OK)
        run(path, root, arena);
    arena_free(arena);
}

static void compile_and_run(const char *text, const char *document, size_t length)
{
    struct error err = {0};
    size_t column = 0;
    struct jsonpath *path = jsonpath_compile(text, &column, &err);

    if (path != NULL) {
        assert(strcmp(jsonpath_text(path), text) == 0);
        (void)jsonpath_ends_in_choice(path);
        (void)jsonpath_single_name(path);
        run_on(path, document, length);
    } else {
        assert(err.code == ERROR_CONFIG && err.text[0] != '\0');
        assert(column >= 1 && column <= strlen(text) + 1);
    }
    jsonpath_free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    size_t length;

    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    length = strlen(text);
    if (length < size)
        compile_and_run(text, text + length + 1, size - length - 1);
    else
        compile_and_run(text, all_types, sizeof(all_types) - 1);
    free(text);
    return 0;
}
