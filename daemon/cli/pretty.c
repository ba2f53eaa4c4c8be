#include "cli/pretty.h"

#include <string.h>

#include "gatherd/arena.h"
#include "gatherd/json.h"

#define INDENT           2u
#define ARENA_KEEP_BYTES 4096

static void put_line(struct text *out, size_t depth)
{
    text_char(out, '\n');
    for (size_t i = 0; i < depth * INDENT; i++)
        text_char(out, ' ');
}

/* A string as it was written, but for characters that cannot be seen or change what is seen. */
static void put_scalar(struct text *out, const struct node *node)
{
    if (node->type != NODE_STRING) {
        text_append(out, node->raw, node->raw_length);
        return;
    }
    text_char(out, '"');
    text_visible(out, node->raw + 1, node->raw_length - 2);
    text_char(out, '"');
}

static void put_node(struct text *out, const struct node *node, size_t depth);

static void put_children(struct text *out, const struct node *node, size_t depth)
{
    const struct node *end = node_end(node);

    for (const struct node *child = node_first(node); child < end; child = node_next(child)) {
        if (child > node_first(node))
            text_char(out, ',');
        put_line(out, depth);
        if (node->type == NODE_OBJECT) {
            put_scalar(out, child);
            text_add(out, ": ");
            child = node_next(child);
        }
        put_node(out, child, depth);
    }
}

/* As deep as the reader goes at most. */
static void put_node(struct text *out, const struct node *node, size_t depth)
{
    bool is_object = node->type == NODE_OBJECT;

    if (!node_is_container(node)) {
        put_scalar(out, node);
        return;
    }
    text_char(out, is_object ? '{' : '[');
    if (node->length > 0) {
        put_children(out, node, depth + 1);
        put_line(out, depth);
    }
    text_char(out, is_object ? '}' : ']');
}

bool pretty_json(struct text *out, const char *body, size_t length)
{
    struct arena *arena = arena_create(ARENA_KEEP_BYTES);
    const struct node *root = NULL;
    char *copy = arena == NULL ? NULL : arena_copy(arena, body, length);
    bool is_json = copy != NULL && json_read(copy, length, arena, &root, NULL) == JSON_OK;

    if (is_json)
        put_node(out, root, 0);
    arena_free(arena);
    return is_json;
}

static size_t plain_length(const char *body, size_t length)
{
    size_t n = 0;

    while (n < length && body[n] != '\n' && body[n] != '\t')
        n++;
    return n;
}

void pretty_text(struct text *out, const char *body, size_t length)
{
    while (length > 0) {
        size_t plain = plain_length(body, length);

        text_visible(out, body, plain);
        if (plain < length)
            text_char(out, body[plain++]);
        body += plain;
        length -= plain;
    }
}
