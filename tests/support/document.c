#include "document.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

struct document document_read(document_reader *read, const char *text, size_t length)
{
    struct document document = {.body = malloc(length + 1), .length = length};

    document.arena = arena_create(0);
    assert_non_null(document.body);
    assert_non_null(document.arena);
    if (length > 0)
        memcpy(document.body, text, length);
    document.body[length] = '\0';
    document.status = read(document.body, length, document.arena, &document.root, &document.error);
    return document;
}

struct document document_of(const char *text)
{
    struct document document = document_read(json_read, text, strlen(text));

    if (document.status != JSON_OK)
        fail_msg("%s: %u:%u: %s", text, document.error.line, document.error.column,
                 document.error.message);
    return document;
}

void document_free(struct document *document)
{
    arena_free(document->arena);
    free(document->body);
}

static void check_raw(const struct document *document, const struct node *node)
{
    static const char begins[][4] = {
        [NODE_NULL] = "n",    [NODE_FALSE] = "f", [NODE_TRUE] = "t",   [NODE_NUMBER] = "",
        [NODE_STRING] = "\"", [NODE_ARRAY] = "[", [NODE_OBJECT] = "{",
    };

    if (node->raw_length == 0)
        return;
    assert_true(node->raw >= document->body);
    assert_true(node->raw + node->raw_length <= document->body + document->length);
    if (node->type != NODE_NUMBER)
        assert_int_equal(*node->raw, *begins[node->type]);
}

/* The children of a container end where it ends, and are as many as it says. */
static void check_children(const struct node *container)
{
    const struct node *child = node_first(container);
    uint32_t count = 0;

    while (child < node_end(container)) {
        if (container->type == NODE_OBJECT) {
            assert_int_equal(child->type, NODE_STRING);
            assert_int_equal(child->span, 1);
            child++;
            assert_true(child < node_end(container));
        }
        child = node_next(child);
        count++;
    }
    assert_ptr_equal(child, node_end(container));
    assert_int_equal(count, container->length);
}

void document_check(const struct document *document)
{
    const struct node *root = document->root;

    for (const struct node *node = root; node < node_next(root); node++) {
        assert_true(node->type <= NODE_OBJECT);
        assert_true(node->span >= 1);
        assert_true(node->span <= node_next(root) - node);
        check_raw(document, node);
        if (node_is_container(node))
            check_children(node);
        else
            assert_int_equal(node->span, 1);
    }
}

char *document_rewrite(const struct node *node)
{
    struct node *copy = malloc(node->span * sizeof(*copy));
    struct text out = {0};

    assert_non_null(copy);
    memcpy(copy, node, node->span * sizeof(*copy));
    for (uint32_t i = 0; i < node->span; i++) {
        copy[i].raw_length = 0;
        copy[i].raw = NULL;
    }
    node_write_json(copy, &out);
    free(copy);
    assert_false(text_failed(&out));
    return text_take(&out);
}

bool document_same(const struct node *a, const struct node *b)
{
    if (a->span != b->span)
        return false;
    for (uint32_t i = 0; i < a->span; i++) {
        if (a[i].type != b[i].type || a[i].span != b[i].span || a[i].length != b[i].length ||
            a[i].integer != b[i].integer)
            return false;
        if (!node_is_container(&a[i]) && !slice_same(node_slice(&a[i]), node_slice(&b[i])))
            return false;
    }
    return true;
}
