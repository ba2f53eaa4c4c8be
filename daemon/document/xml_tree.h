/*
 * xml_tree.h - what the parts of the XML reader share: xml.c has libxml2 read the text into a tree,
 * xml_names.c says what names are called, xml_lists.c which elements are lists, xml_nodes.c makes
 * the nodes, xml_feed.c those of a feed's entries.
 *
 * The tree is needed because elements of one name go together: what stands behind another element
 * belongs into an array before it. It is flat, elements in the order of the text, the root first;
 * as no element has the root for a child or sibling, 0 stands for none.
 */
#ifndef GATHERD_DOCUMENT_XML_TREE_H
#define GATHERD_DOCUMENT_XML_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/arena.h"
#include "gatherd/text.h"
#include "gatherd/xml.h"

/* The namespaces that mean something to us. */
enum xml_vocabulary {
    XML_VOCABULARY_NONE, /* no namespace */
    XML_VOCABULARY_ATOM,
    XML_VOCABULARY_RSS, /* RSS 0.90 and 1.0; the others have none */
    XML_VOCABULARY_RDF,
    XML_VOCABULARY_DC,
    XML_VOCABULARY_XSI,
    XML_VOCABULARY_XML,
    XML_VOCABULARY_OTHER,
};

struct xml_name {
    struct slice text;  /* as nodes have it: @ of an attribute, prefix, local name; in the arena */
    struct slice local; /* its end */
    enum xml_vocabulary vocabulary;
    bool list; /* an element of this name is always in an array */
    /* Of xml_group_children(): which call found this name last, and the children it found. */
    uint64_t grouping;
    uint32_t first;
    uint32_t last;
};

struct xml_attribute {
    uint32_t name;
    uint32_t length;
    const char *value;
};

struct xml_element {
    uint32_t name;
    uint32_t child; /* the first, or 0 */
    uint32_t next;  /* sibling, or 0 */
    uint32_t same;  /* the next sibling of the same name, or 0 */
    uint32_t count; /* of such siblings from this one on, where it is the first; else 0 */
    uint32_t attribute;
    uint32_t attribute_count;
    uint32_t text_length;
    uint32_t source_length;
    const char *text;
    const char *start; /* of its source, from tag to tag, in the text */
};

/* A growing array: the tree's own memory, given back by xml_tree_free(). */
struct xml_array {
    void *items;
    size_t count;
    size_t capacity;
};

struct xml_tree {
    struct arena *arena; /* what the nodes will borrow */
    struct xml_array elements;
    struct xml_array attributes;
    struct xml_array names;
    uint64_t groupings; /* calls of xml_group_children() */
};

/* Room for another item of `size` bytes, which is returned; NULL: out of memory. */
void *xml_array_add(struct xml_array *array, size_t size);

static inline struct xml_element *xml_element(const struct xml_tree *tree, uint32_t index)
{
    return (struct xml_element *)tree->elements.items + index;
}

static inline struct xml_attribute *xml_attribute(const struct xml_tree *tree, uint32_t index)
{
    return (struct xml_attribute *)tree->attributes.items + index;
}

static inline struct xml_name *xml_name(const struct xml_tree *tree, uint32_t index)
{
    return (struct xml_name *)tree->names.items + index;
}

static inline bool xml_is(const struct xml_name *name, enum xml_vocabulary vocabulary,
                          const char *local)
{
    return name->vocabulary == vocabulary && slice_equals(name->local, local);
}

void xml_tree_free(struct xml_tree *tree);

/* Whether a start tag has more than XML_MAX_ATTRIBUTES; then where it begins. */
bool xml_has_too_many_attributes(const char *text, size_t length, size_t *offset);

#endif
