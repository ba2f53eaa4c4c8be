/*
 * xml_lists.h - what a source's paths say about elements: which are lists, and which have a #text.
 *
 * XML does not tell a list of one from a single element, but who writes item[*] does. The paths are
 * put together into a tree of steps; an element is at the steps that lead to it (its places), and
 * those are found from the places of its parent.
 */
#ifndef GATHERD_DOCUMENT_XML_LISTS_H
#define GATHERD_DOCUMENT_XML_LISTS_H

#include "document/xml_tree.h"

/* From an element to one below it. */
struct xml_step {
    struct slice name;   /* borrowed from the path */
    uint32_t name_place; /* in tree->names, or XML_NO_NAME: no such element came */
    bool any;            /* an element of whatever name */
    bool deep;           /* not only a child: anything below */
    bool list;
    bool text;
    bool records;   /* the end of `records` */
    uint32_t first; /* step from here on, or 0 */
    uint32_t next;  /* step from where this one begins, or 0 */
};

#define XML_NO_NAME UINT32_MAX

/* Where a path from the document begins, and one from the entries of a feed. */
enum { XML_STEP_DOCUMENT, XML_STEP_ENTRY };

struct xml_lists {
    struct xml_array steps;  /* struct xml_step; the first two are the beginnings */
    struct xml_array places; /* struct xml_place, a stack */
};

struct xml_place {
    uint32_t step;
    bool deep_only; /* reached earlier: only its deep steps count from here on */
};

/* The places of one element: a piece of lists->places. */
struct xml_places {
    size_t first;
    size_t count;
};

void xml_lists_free(struct xml_lists *lists);

/* 0, or -1: out of memory; either way there is something to free. */
int xml_lists_make(struct xml_lists *lists, const struct xml_options *options);

/* Finds the steps' names among those of the tree. */
void xml_lists_resolve(struct xml_lists *lists, const struct xml_tree *tree);

/* The place at a beginning, pushed; -1: out of memory. */
int xml_places_begin(struct xml_lists *lists, uint32_t step, struct xml_places *places);

/* The places of a child of that name, pushed; the caller pops by setting lists->places.count. */
int xml_places_enter(struct xml_lists *lists, struct xml_places parent, uint32_t name,
                     struct xml_places *child);

bool xml_places_list(const struct xml_lists *lists, struct xml_places places);
bool xml_places_text(const struct xml_lists *lists, struct xml_places places);

/* The `n`th step from these places that ends `records`, by a name, at a child; NULL: no more. */
const struct xml_step *xml_places_records(const struct xml_lists *lists, struct xml_places places,
                                          size_t n);

static inline struct xml_step *xml_step(const struct xml_lists *lists, uint32_t index)
{
    return (struct xml_step *)lists->steps.items + index;
}

static inline const struct xml_place *xml_place(const struct xml_lists *lists, size_t index)
{
    return (const struct xml_place *)lists->places.items + index;
}

#endif
