/*
 * xml_nodes.h - the tree to nodes.
 *
 * The functions that write note a want of memory, after which they do nothing.
 */
#ifndef GATHERD_DOCUMENT_XML_NODES_H
#define GATHERD_DOCUMENT_XML_NODES_H

#include "document/xml_lists.h"
#include "document/xml_tree.h"

struct xml_writer {
    struct xml_tree *tree;
    const struct xml_options *options;
    struct xml_lists lists;
    struct arena *arena;
    struct node *nodes; /* in the arena */
    size_t count;
    size_t capacity;
    bool failed;
};

/* 0, or -1: out of memory. */
int xml_make_nodes(struct xml_tree *tree, const struct xml_options *options,
                   struct xml_document *document);

void xml_put_string(struct xml_writer *w, struct slice text, const char *start);
void xml_put_null(struct xml_writer *w, const char *start);

/* An array or object begins; its place, for xml_close(). It was read from these elements. */
size_t xml_open(struct xml_writer *w, enum node_type type, const struct xml_element *first,
                const struct xml_element *last);

/* It ends, with so many elements or members. */
void xml_close(struct xml_writer *w, size_t place, uint32_t length);

/* The value of an element: a string, null or object. */
void xml_put_element(struct xml_writer *w, uint32_t index, struct xml_places places);

/*
 * The children of that name from `first` on, the name before them; in an array where there are
 * several or it is a list. `parent` are the places of what they are in.
 */
void xml_put_children(struct xml_writer *w, uint32_t first, struct xml_places parent);

/* The attributes of an element as members; returns how many. */
uint32_t xml_put_attributes(struct xml_writer *w, const struct xml_element *element);

/* Links the children of one name to each other, and counts them. */
void xml_group_children(struct xml_tree *tree, uint32_t index);

#endif
