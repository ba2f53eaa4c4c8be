#include "document/xml_names.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/hash.h"

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define FIRST_SLOTS 256

struct known_name {
    struct xml_qname form;
    uint32_t place;
};

static const struct {
    const char *uri;
    enum xml_vocabulary vocabulary;
} vocabularies[] = {
    {"http://www.w3.org/2005/Atom", XML_VOCABULARY_ATOM},
    {"http://purl.org/atom/ns#", XML_VOCABULARY_ATOM}, /* 0.3 */
    {"http://purl.org/rss/1.0/", XML_VOCABULARY_RSS},
    {"http://my.netscape.com/rdf/simple/0.9/", XML_VOCABULARY_RSS},
    {"http://channel.netscape.com/rdf/simple/0.9/", XML_VOCABULARY_RSS},
    {"http://www.w3.org/1999/02/22-rdf-syntax-ns#", XML_VOCABULARY_RDF},
    {"http://purl.org/dc/elements/1.1/", XML_VOCABULARY_DC},
    {"http://purl.org/dc/terms/", XML_VOCABULARY_DC},
    {"http://www.w3.org/2001/XMLSchema-instance", XML_VOCABULARY_XSI},
    {"http://www.w3.org/XML/1998/namespace", XML_VOCABULARY_XML},
};

void xml_names_free(struct xml_names *names)
{
    text_free(&names->scratch);
    free(names->known.items);
    free(names->by_form);
    free(names->by_text);
}

static enum xml_vocabulary vocabulary_of(const char *uri)
{
    if (uri == NULL)
        return XML_VOCABULARY_NONE;
    for (size_t i = 0; i < COUNT(vocabularies); i++) {
        if (strcmp(vocabularies[i].uri, uri) == 0)
            return vocabularies[i].vocabulary;
    }
    return XML_VOCABULARY_OTHER;
}

/* --- What it is called --- */

static const char *declared_prefix(const struct xml_options *options, const char *uri)
{
    for (size_t i = 0; i < options->namespace_count; i++) {
        if (strcmp(options->namespaces[i].uri, uri) == 0)
            return options->namespaces[i].prefix;
    }
    return NULL;
}

static bool is_declared(const struct xml_options *options, const char *prefix)
{
    for (size_t i = 0; i < options->namespace_count; i++) {
        if (strcmp(options->namespaces[i].prefix, prefix) == 0)
            return true;
    }
    return false;
}

/* Into the scratch text. */
static void write_name(struct xml_names *names, const struct xml_qname *name)
{
    const char *prefix = name->uri == NULL ? NULL : declared_prefix(names->options, name->uri);
    struct text *out = &names->scratch;

    text_clear(out);
    text_add(out, name->attribute ? "@" : "");
    if (prefix == NULL && name->prefix != NULL && is_declared(names->options, name->prefix)) {
        text_char(out, '{');
        text_add(out, name->uri == NULL ? name->prefix : name->uri);
        text_char(out, '}');
    } else if (prefix != NULL || name->prefix != NULL) {
        text_add(out, prefix != NULL ? prefix : name->prefix);
        text_char(out, ':');
    }
    text_add(out, name->local);
}

/* --- Looking up --- */

/* Slots for twice as many; those that are filled are filled again by the caller. */
static uint32_t *more_slots(uint32_t **slots, size_t *count)
{
    size_t more = *count == 0 ? FIRST_SLOTS : 2 * *count;
    uint32_t *made = calloc(more, sizeof(*made));

    if (made == NULL)
        return NULL;
    free(*slots);
    *slots = made;
    *count = more;
    return made;
}

static uint64_t hash_form(const struct xml_qname *form)
{
    const char *parts[] = {form->local, form->prefix, form->uri,
                           form->attribute ? form->local : NULL};

    return hash_bytes(parts, sizeof(parts));
}

static bool same_form(const struct xml_qname *a, const struct xml_qname *b)
{
    return a->local == b->local && a->prefix == b->prefix && a->uri == b->uri &&
           a->attribute == b->attribute;
}

static uint32_t *form_slot(const struct xml_names *names, const struct xml_qname *form)
{
    const struct known_name *known = names->known.items;
    size_t at = hash_form(form) & (names->form_slots - 1);

    while (names->by_form[at] != 0 && !same_form(&known[names->by_form[at] - 1].form, form))
        at = (at + 1) & (names->form_slots - 1);
    return &names->by_form[at];
}

static uint32_t *text_slot(const struct xml_names *names, struct slice text)
{
    size_t at = hash_bytes(text.data, text.length) & (names->text_slots - 1);

    while (names->by_text[at] != 0 &&
           !slice_same(xml_name(names->tree, names->by_text[at] - 1)->text, text))
        at = (at + 1) & (names->text_slots - 1);
    return &names->by_text[at];
}

static bool room_for_form(struct xml_names *names)
{
    const struct known_name *known = names->known.items;

    if (2 * names->known.count < names->form_slots)
        return true;
    if (more_slots(&names->by_form, &names->form_slots) == NULL)
        return false;
    for (uint32_t i = 0; i < names->known.count; i++)
        *form_slot(names, &known[i].form) = i + 1;
    return true;
}

static bool room_for_text(struct xml_names *names)
{
    if (2 * names->tree->names.count < names->text_slots)
        return true;
    if (more_slots(&names->by_text, &names->text_slots) == NULL)
        return false;
    for (uint32_t i = 0; i < names->tree->names.count; i++)
        *text_slot(names, xml_name(names->tree, i)->text) = i + 1;
    return true;
}

static bool is_named_list(const struct xml_options *options, struct slice name)
{
    for (size_t i = 0; i < options->array_count; i++) {
        if (slice_equals(name, options->arrays[i]))
            return true;
    }
    return false;
}

/* The name in the scratch text, which is new. */
static enum xml_names_status add_name(struct xml_names *names, const struct xml_qname *form,
                                      uint32_t *place)
{
    struct xml_tree *tree = names->tree;
    size_t length = names->scratch.length;
    size_t local = strlen(form->local);
    char *text = arena_copy(tree->arena, names->scratch.data, length);
    struct xml_name *name;

    if (tree->names.count == XML_MAX_NAMES)
        return XML_NAMES_FULL;
    name = text == NULL ? NULL : xml_array_add(&tree->names, sizeof(*name));
    if (name == NULL)
        return XML_NAMES_NOMEM;
    *name = (struct xml_name){.text = {text, length},
                              .local = {text + length - local, local},
                              .vocabulary = vocabulary_of(form->uri)};
    name->list = !form->attribute && is_named_list(names->options, name->text);
    *place = (uint32_t)tree->names.count - 1;
    return XML_NAMES_OK;
}

static enum xml_names_status find_by_text(struct xml_names *names, const struct xml_qname *form,
                                          uint32_t *place)
{
    enum xml_names_status status;
    uint32_t *slot;

    write_name(names, form);
    if (text_failed(&names->scratch) || !room_for_text(names))
        return XML_NAMES_NOMEM;
    slot = text_slot(names, (struct slice){names->scratch.data, names->scratch.length});
    if (*slot != 0) {
        *place = *slot - 1;
        return XML_NAMES_OK;
    }
    status = add_name(names, form, place);
    if (status == XML_NAMES_OK)
        *slot = *place + 1;
    return status;
}

enum xml_names_status xml_names_find(struct xml_names *names, const struct xml_qname *name,
                                     uint32_t *place)
{
    enum xml_names_status status;
    struct known_name *known;
    uint32_t *slot;

    if (!room_for_form(names))
        return XML_NAMES_NOMEM;
    slot = form_slot(names, name);
    if (*slot != 0) {
        *place = ((struct known_name *)names->known.items)[*slot - 1].place;
        return XML_NAMES_OK;
    }
    status = find_by_text(names, name, place);
    if (status != XML_NAMES_OK)
        return status;
    known = xml_array_add(&names->known, sizeof(*known));
    if (known == NULL)
        return XML_NAMES_NOMEM;
    *known = (struct known_name){*name, *place};
    *slot = (uint32_t)names->known.count;
    return XML_NAMES_OK;
}
