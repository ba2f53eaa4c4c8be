/*
 * node.h - a decoded document: the one form that every format becomes.
 *
 * A document is an array of nodes in the order of its text. A container is followed by its
 * children, each with everything below it, so that the next sibling of node n is n + n->span. A
 * member of an object is two nodes: its name (NODE_STRING), then its value. The nodes, and the
 * strings that had to be unescaped, live in the arena they were decoded into; all other text is a
 * slice of the body, which must outlive them.
 *
 * Documents of 4 GiB and more are refused by the readers, so counts and lengths are 32 bits.
 */
#ifndef GATHERD_NODE_H
#define GATHERD_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "gatherd/text.h"

enum node_type {
    NODE_NULL,
    NODE_FALSE,
    NODE_TRUE,
    NODE_NUMBER, /* text is the number exactly as it came */
    NODE_STRING, /* text is the unescaped string; it may hold NUL bytes */
    NODE_ARRAY,
    NODE_OBJECT,
};

struct node {
    uint8_t type;        /* enum node_type */
    bool integer;        /* NODE_NUMBER: written without fraction and exponent */
    uint32_t length;     /* scalar: bytes of text; array: elements; object: members */
    uint32_t span;       /* this node and all below it: the next sibling is node + span */
    uint32_t raw_length; /* bytes of the value in the body (quotes and brackets included); 0: the
                            format has no JSON text of its own, and node_write_json() makes it */
    const char *text;    /* scalar: its text; container: where its JSON text begins, or, where it
                            has none, where it ends in the body */
    const char *raw;     /* where the value begins in the body; NULL: nowhere */
};

static inline bool node_is_container(const struct node *node)
{
    return node->type >= NODE_ARRAY;
}

static inline struct slice node_slice(const struct node *node)
{
    return (struct slice){node->text, node->length};
}

/*
 * Whether a string is of a format that has nothing but text (CSV, XML): what it would be in JSON,
 * only a declared type can say.
 */
static inline bool node_is_untyped(const struct node *node)
{
    return node->type == NODE_STRING && node->raw_length == 0;
}

/* What the value was read from, in whatever format; empty: nothing of its own. */
static inline struct slice node_source(const struct node *node)
{
    if (node->raw == NULL || node->raw_length > 0)
        return (struct slice){node->raw, node->raw_length};
    return node_is_container(node) ? (struct slice){node->raw, (size_t)(node->text - node->raw)}
                                   : node_slice(node);
}

/* The first child of a container with children: an element, or a member's name. */
static inline const struct node *node_first(const struct node *container)
{
    return container + 1;
}

static inline const struct node *node_next(const struct node *node)
{
    return node + node->span;
}

/* One past the last node below a container: where iteration ends. */
static inline const struct node *node_end(const struct node *container)
{
    return container + container->span;
}

/* The value of member `name`, the last one where the name stands twice; NULL: none, or no object.
 */
const struct node *node_member(const struct node *object, struct slice name);

/* Element `index`, from the end where negative; NULL: none, or no array. */
const struct node *node_element(const struct node *array, int64_t index);

/* "null", "boolean", "number", "string", "array" or "object". */
const char *node_type_name(const struct node *node);

/* The value as JSON text: as it came where there is such text, else written from the nodes. */
void node_write_json(const struct node *node, struct text *out);

#endif
