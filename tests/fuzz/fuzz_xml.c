/*
 * A byte of options, then any bytes as XML: the nodes are sound, lie in the text they are said to
 * lie in, and are the same when they are written as JSON and read again.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/json.h"
#include "gatherd/xml.h"

#define PATHS 6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const texts[PATHS] = {
    "$.rss.channel.item[*]", "$.category[*]", "$['a','b'].guid['#text']",
    "$.r[*].i[0]",           "$.a.b",         "$.link[1:]['@href']",
};

static void check_node(const struct node *node, const struct node *end, const char *text,
                       size_t length)
{
    uint32_t children = 0;

    assert(node->type <= NODE_OBJECT && node->span >= 1 && node->span <= end - node);
    assert(node->raw_length == 0);
    if (node->raw != NULL)
        assert(node->raw >= text && node->raw < text + length && *node->raw == '<');
    if (!node_is_container(node)) {
        assert(node->span == 1);
        return;
    }
    assert(node->text >= node->raw && node->text <= text + length);
    for (const struct node *child = node_first(node); child < node_end(node);) {
        if (node->type == NODE_OBJECT) {
            assert(child->type == NODE_STRING && child->length > 0);
            child++;
        }
        assert(child < node_end(node));
        child = node_next(child);
        children++;
    }
    assert(children == node->length);
}

static void check_same(const struct node *a, const struct node *b)
{
    assert(a->span == b->span);
    for (uint32_t i = 0; i < a->span; i++) {
        assert(a[i].type == b[i].type && a[i].span == b[i].span && a[i].length == b[i].length);
        if (!node_is_container(&a[i]))
            assert(slice_same(node_slice(&a[i]), node_slice(&b[i])));
    }
}

static void check(const struct node *root, const char *text, size_t length)
{
    struct arena *arena = arena_create(0);
    struct text json = {0};
    const struct node *again;

    for (const struct node *node = root; node < node_next(root); node++)
        check_node(node, node_next(root), text, length);
    node_write_json(root, &json);
    assert(json_read(json.data, json.length, arena, &again, NULL) == JSON_OK);
    check_same(root, again);
    text_free(&json);
    arena_free(arena);
}

static void read_text(const char *text, size_t length, const struct xml_options *options)
{
    struct arena *arena = arena_create(0);
    struct xml_document document;
    struct xml_error error;

    if (xml_read(text, length, options, arena, &document, &error) == XML_OK) {
        assert(document.root->type == NODE_OBJECT && document.root->length == 1);
        check(document.root, text, length);
        if (document.entries != NULL) {
            assert(options->feed && document.entries->type == NODE_ARRAY);
            check(document.entries, text, length);
        }
    } else {
        assert(error.message[0] != '\0' && error.offset <= length);
        assert(error.line >= 1 && error.column >= 1 && document.root == NULL);
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct xml_namespace namespaces[] = {{"m", "urn:m"},
                                                      {"atom", "http://www.w3.org/2005/Atom"}};
    static const char *const arrays[] = {"item", "m:a"};
    struct xml_options options = {.namespaces = namespaces, .arrays = arrays};
    struct jsonpath *compiled[PATHS];
    struct xml_path paths[PATHS];
    char *text;

    if (size == 0)
        return 0;
    text = malloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    for (size_t i = 0; i < PATHS; i++) {
        compiled[i] = jsonpath_compile(texts[i], &(size_t){0}, NULL);
        paths[i] = (struct xml_path){compiled[i], i == 0 ? NULL : &paths[0], i == 0 || i == 4};
    }
    paths[0].path = (*data & 8) != 0 ? compiled[0] : NULL;
    options.paths = paths;
    options.path_count = (*data & 4) != 0 ? PATHS : 0;
    options.namespace_count = (*data & 1) != 0 ? 2 : 0;
    options.array_count = (*data & 2) != 0 ? 2 : 0;
    options.feed = (*data & 16) != 0;
    read_text(text, size - 1, &options);
    xml_declared_encoding(text, size - 1);
    xml_looks_like(text, size - 1);
    for (size_t i = 0; i < PATHS; i++)
        jsonpath_free(compiled[i]);
    free(text);
    return 0;
}
