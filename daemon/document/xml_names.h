/*
 * xml_names.h - the names of elements and attributes: what they are called in the nodes, each once.
 */
#ifndef GATHERD_DOCUMENT_XML_NAMES_H
#define GATHERD_DOCUMENT_XML_NAMES_H

#include "document/xml_tree.h"

/* A name as libxml2 gives it; of equal strings it gives the same pointer. */
struct xml_qname {
    const char *local;
    const char *prefix; /* NULL: none */
    const char *uri;    /* NULL: none */
    bool attribute;
};

struct xml_names {
    struct xml_tree *tree;
    const struct xml_options *options;
    struct text scratch;
    struct xml_array known; /* struct known_name: each name in each form that it came in */
    uint32_t *by_form;      /* owned: place in known + 1, or 0; at most half full */
    uint32_t *by_text;      /* owned: place in tree->names + 1, or 0 */
    size_t form_slots;      /* powers of two */
    size_t text_slots;
};

enum xml_names_status { XML_NAMES_OK, XML_NAMES_FULL, XML_NAMES_NOMEM };

void xml_names_free(struct xml_names *names);

/* The place of the name in tree->names, which it is added to when it is new. */
enum xml_names_status xml_names_find(struct xml_names *names, const struct xml_qname *name,
                                     uint32_t *place);

#endif
