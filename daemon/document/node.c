#include "gatherd/node.h"

#include <string.h>

#include "document/node_find.h"

const struct node *node_member(const struct node *object, struct slice name)
{
    return find_member(object, name);
}

const struct node *node_element(const struct node *array, int64_t index)
{
    const struct node *element;

    if (array->type != NODE_ARRAY)
        return NULL;
    if (index < 0)
        index += array->length;
    if (index < 0 || index >= array->length)
        return NULL;
    element = node_first(array);
    if (array->span == 1 + (uint64_t)array->length)
        return element + index;
    while (index-- > 0)
        element = node_next(element);
    return element;
}

const char *node_type_name(const struct node *node)
{
    static const char *const names[] = {
        [NODE_NULL] = "null",     [NODE_FALSE] = "boolean", [NODE_TRUE] = "boolean",
        [NODE_NUMBER] = "number", [NODE_STRING] = "string", [NODE_ARRAY] = "array",
        [NODE_OBJECT] = "object",
    };

    return names[node->type];
}

static void write_scalar(const struct node *node, struct text *out)
{
    switch ((enum node_type)node->type) {
    case NODE_NULL:
        text_add(out, "null");
        break;
    case NODE_FALSE:
        text_add(out, "false");
        break;
    case NODE_TRUE:
        text_add(out, "true");
        break;
    case NODE_STRING:
        text_json_string(out, node->text, node->length);
        break;
    default:
        text_append(out, node->text, node->length);
    }
}

/* The containers that are open while one is written, the innermost last. */
struct open_containers {
    struct text pointers; /* of const struct node * */
};

static bool push(struct open_containers *open, const struct node *container)
{
    text_append(&open->pointers, (const char *)&container, sizeof(container));
    return !text_failed(&open->pointers);
}

static const struct node *innermost(const struct open_containers *open)
{
    const struct node *container;

    if (open->pointers.length == 0)
        return NULL;
    memcpy(&container, open->pointers.data + open->pointers.length - sizeof(container),
           sizeof(container));
    return container;
}

/* Writes what stands between two values: the brackets that close, and the comma before `next`. */
static void end_value(struct open_containers *open, const struct node *next, struct text *out)
{
    const struct node *container = innermost(open);

    while (container != NULL && node_end(container) == next) {
        text_char(out, container->type == NODE_OBJECT ? '}' : ']');
        open->pointers.length -= sizeof(container);
        container = innermost(open);
    }
    if (container != NULL)
        text_char(out, ',');
}

static bool inside_object(const struct open_containers *open)
{
    const struct node *container = innermost(open);

    return container != NULL && container->type == NODE_OBJECT;
}

/* Writes one node, and all below it if there is text for that; returns the next to be written. */
static const struct node *write_node(const struct node *node, struct open_containers *open,
                                     struct text *out)
{
    if (node->raw_length > 0) {
        text_append(out, node->raw, node->raw_length);
        return node_next(node);
    }
    if (!node_is_container(node)) {
        write_scalar(node, out);
    } else {
        text_char(out, node->type == NODE_OBJECT ? '{' : '[');
        out->failed |= !push(open, node);
    }
    return node + 1;
}

void node_write_json(const struct node *node, struct text *out)
{
    const struct node *end = node_next(node);
    struct open_containers open = {0};
    bool name = false; /* `node` is the name of a member */

    while (node < end && !text_failed(out)) {
        const struct node *next = write_node(node, &open, out);

        if (name) {
            text_char(out, ':');
            name = false;
        } else {
            if (node_next(node) == next)
                end_value(&open, next, out);
            name = inside_object(&open);
        }
        node = next;
    }
    text_free(&open.pointers);
}
