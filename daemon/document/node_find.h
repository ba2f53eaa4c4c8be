/*
 * node_find.h - node_member() for copying into loops: paths look up several names in every record.
 */
#ifndef GATHERD_DOCUMENT_NODE_FIND_H
#define GATHERD_DOCUMENT_NODE_FIND_H

#include <string.h>

#include "gatherd/node.h"

static inline bool same_8(const char *a, const char *b)
{
    uint64_t left;
    uint64_t right;

    memcpy(&left, a, sizeof(left));
    memcpy(&right, b, sizeof(right));
    return left == right;
}

static inline bool same_4(const char *a, const char *b)
{
    uint32_t left;
    uint32_t right;

    memcpy(&left, a, sizeof(left));
    memcpy(&right, b, sizeof(right));
    return left == right;
}

/* Most names are short, and calling memcmp() takes longer than two looks that may overlap. */
static inline bool same_bytes(const char *a, const char *b, size_t length)
{
    if (length > 16)
        return memcmp(a, b, length) == 0;
    if (length >= 8)
        return same_8(a, b) && same_8(a + length - 8, b + length - 8);
    if (length >= 4)
        return same_4(a, b) && same_4(a + length - 4, b + length - 4);
    for (size_t i = 0; i < length; i++) {
        if (a[i] != b[i])
            return false;
    }
    return true;
}

static inline bool is_named(const struct node *node, struct slice name)
{
    return node->length == name.length && same_bytes(node->text, name.data, name.length);
}

static inline const struct node *find_member(const struct node *object, struct slice name)
{
    const struct node *found = NULL;
    const struct node *end;

    if (object->type != NODE_OBJECT)
        return NULL;
    end = node_end(object);
    /* Without containers within, members are two nodes each, and the last can be found first. */
    if (object->span == 1 + 2 * (uint64_t)object->length) {
        for (const struct node *after = end; after > object + 1; after -= 2) {
            if (is_named(after - 2, name))
                return after - 1;
        }
        return NULL;
    }
    for (const struct node *member = node_first(object); member < end;) {
        const struct node *value = member + 1;

        if (is_named(member, name))
            found = value;
        member = node_next(value);
    }
    return found;
}

#endif
