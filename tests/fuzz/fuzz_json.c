/*
 * Reads any bytes as one document and as lines of them. What is taken must hold together, and
 * written from its nodes and read again it must be the same.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/json.h"

typedef enum json_status reader(const char *body, size_t length, struct arena *arena,
                                const struct node **root, struct json_error *error);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_node(const struct node *node, const struct node *end, const char *body,
                       size_t length)
{
    uint32_t children = 0;

    assert(node->type <= NODE_OBJECT && node->span >= 1 && node->span <= end - node);
    if (node->raw_length > 0)
        assert(node->raw >= body && node->raw + node->raw_length <= body + length);
    if (!node_is_container(node)) {
        assert(node->span == 1);
        return;
    }
    for (const struct node *child = node_first(node); child < node_end(node);) {
        if (node->type == NODE_OBJECT) {
            assert(child->type == NODE_STRING);
            assert(node_member(node, node_slice(child)) != NULL);
            child++;
        } else if (children < 4) {
            assert(node_element(node, children) == child);
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
        assert(a[i].integer == b[i].integer);
        if (!node_is_container(&a[i]))
            assert(slice_same(node_slice(&a[i]), node_slice(&b[i])));
    }
}

static void read_again(const struct text *text, const struct node *root)
{
    struct arena *arena = arena_create(0);
    const struct node *again;

    assert(!text_failed(text));
    assert(json_read(text->data, text->length, arena, &again, NULL) == JSON_OK);
    check_same(root, again);
    arena_free(arena);
}

/* Once with the text each value came as, once from its nodes only. */
static void check_writing(const struct node *root, bool deeper)
{
    struct node *copy = malloc(root->span * sizeof(*copy));
    struct text text = {0};

    node_write_json(root, &text);
    if (!deeper)
        read_again(&text, root);
    text_clear(&text);
    memcpy(copy, root, root->span * sizeof(*copy));
    for (uint32_t i = 0; i < root->span; i++)
        copy[i].raw_length = 0;
    node_write_json(copy, &text);
    if (!deeper)
        read_again(&text, root);
    text_free(&text);
    free(copy);
}

static void check(reader *read, const char *body, size_t length)
{
    struct arena *arena = arena_create(0);
    struct json_error error;
    const struct node *root;

    if (read(body, length, arena, &root, &error) == JSON_OK) {
        const struct node *end = node_next(root);
        bool deeper = false; /* lines in an array may be one level deeper than the limit */

        for (const struct node *node = root; node < end; node++)
            check_node(node, end, body, length);
        if (read != json_read) {
            struct text text = {0};
            const struct node *again;
            struct arena *other = arena_create(0);

            node_write_json(root, &text);
            deeper = json_read(text.data, text.length, other, &again, NULL) != JSON_OK;
            arena_free(other);
            text_free(&text);
            assert(!deeper || length > JSON_MAX_DEPTH);
        }
        check_writing(root, deeper);
    } else {
        assert(error.message[0] != '\0' && error.offset <= length);
        assert(error.line >= 1 && error.column >= 1 && error.column <= length + 1);
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *body = malloc(size + 1);

    if (size > 0)
        memcpy(body, data, size);
    body[size] = '\0';
    check(json_read, body, size);
    check(json_read_lines, body, size);
    check(json_read_stream, body, size);
    free(body);
    return 0;
}
