#include "document/xml_nodes.h"

#include <string.h>

#include "document/xml_feed.h"

static struct node *put(struct xml_writer *w, struct node node)
{
    if (w->failed)
        return NULL;
    if (w->count == w->capacity) {
        size_t bytes = w->capacity * sizeof(*w->nodes);
        struct node *nodes = arena_grow(w->arena, w->nodes, bytes, 2 * bytes);

        if (nodes == NULL || w->capacity > UINT32_MAX / 2) {
            w->failed = true;
            return NULL;
        }
        w->nodes = nodes;
        w->capacity *= 2;
    }
    w->nodes[w->count] = node;
    return &w->nodes[w->count++];
}

void xml_put_string(struct xml_writer *w, struct slice text, const char *start)
{
    put(w, (struct node){.type = NODE_STRING,
                         .length = (uint32_t)text.length,
                         .span = 1,
                         .text = text.data == NULL ? "" : text.data,
                         .raw = start});
}

void xml_put_null(struct xml_writer *w, const char *start)
{
    put(w, (struct node){.type = NODE_NULL, .length = 4, .span = 1, .text = "null", .raw = start});
}

size_t xml_open(struct xml_writer *w, enum node_type type, const struct xml_element *first,
                const struct xml_element *last)
{
    put(w, (struct node){.type = (uint8_t)type,
                         .text = last->start + last->source_length,
                         .raw = first->start});
    return w->failed ? 0 : w->count - 1;
}

void xml_close(struct xml_writer *w, size_t place, uint32_t length)
{
    if (w->failed)
        return;
    w->nodes[place].length = length;
    w->nodes[place].span = (uint32_t)(w->count - place);
}

uint32_t xml_put_attributes(struct xml_writer *w, const struct xml_element *element)
{
    for (uint32_t i = 0; i < element->attribute_count; i++) {
        const struct xml_attribute *attribute = xml_attribute(w->tree, element->attribute + i);

        xml_put_string(w, xml_name(w->tree, attribute->name)->text, NULL);
        xml_put_string(w, (struct slice){attribute->value, attribute->length}, element->start);
    }
    return element->attribute_count;
}

void xml_group_children(struct xml_tree *tree, uint32_t index)
{
    struct xml_element *child;

    tree->groupings++;
    for (uint32_t i = xml_element(tree, index)->child; i != 0; i = child->next) {
        struct xml_name *name;

        child = xml_element(tree, i);
        name = xml_name(tree, child->name);
        child->same = 0;
        child->count = 0;
        if (name->grouping != tree->groupings) {
            name->grouping = tree->groupings;
            child->count = 1;
            name->first = i;
        } else {
            xml_element(tree, name->last)->same = i;
            xml_element(tree, name->first)->count++;
        }
        name->last = i;
    }
}

/* xsi:nil="true", and nothing besides that is data. */
static bool is_nil(const struct xml_tree *tree, const struct xml_element *element)
{
    bool nil = false;

    if (element->child != 0 || element->text_length > 0)
        return false;
    for (uint32_t i = 0; i < element->attribute_count; i++) {
        const struct xml_attribute *a = xml_attribute(tree, element->attribute + i);
        const struct xml_name *name = xml_name(tree, a->name);
        struct slice value = {a->value, a->length};

        if (name->vocabulary != XML_VOCABULARY_XSI)
            return false;
        nil = nil || (slice_equals(name->local, "nil") &&
                      (slice_equals(value, "true") || slice_equals(value, "1")));
    }
    return nil;
}

/* The last of the children of one name. */
static const struct xml_element *last_of(const struct xml_tree *tree, uint32_t first)
{
    const struct xml_element *last = xml_element(tree, first);

    while (last->same != 0)
        last = xml_element(tree, last->same);
    return last;
}

void xml_put_children(struct xml_writer *w, uint32_t first, struct xml_places parent)
{
    const struct xml_element *child = xml_element(w->tree, first);
    const struct xml_name *name = xml_name(w->tree, child->name);
    size_t kept = w->lists.places.count;
    struct xml_places places;
    size_t array = 0;
    bool list;

    if (xml_places_enter(&w->lists, parent, child->name, &places) == -1) {
        w->failed = true;
        return;
    }
    list = child->count > 1 || name->list || xml_places_list(&w->lists, places);
    xml_put_string(w, name->text, NULL);
    if (list)
        array = xml_open(w, NODE_ARRAY, child, last_of(w->tree, first));
    for (uint32_t i = first; i != 0 && !w->failed; i = xml_element(w->tree, i)->same)
        xml_put_element(w, i, places);
    if (list)
        xml_close(w, array, child->count);
    w->lists.places.count = kept;
}

static bool has_child(const struct xml_tree *tree, const struct xml_element *element, uint32_t name)
{
    for (uint32_t i = element->child; i != 0; i = xml_element(tree, i)->next) {
        if (xml_element(tree, i)->name == name)
            return true;
    }
    return false;
}

static bool is_array_by_name(const struct xml_options *options, struct slice name)
{
    for (size_t i = 0; i < options->array_count; i++) {
        if (slice_equals(name, options->arrays[i]))
            return true;
    }
    return false;
}

/*
 * Whether an element that lacks the records is a list without any: it has nothing in it, or the
 * operator said that they are an array. Else a slip in the path would look like an empty answer for
 * ever.
 */
static bool is_empty_list(const struct xml_writer *w, const struct xml_element *element,
                          const struct xml_step *step)
{
    if (has_child(w->tree, element, step->name_place))
        return false;
    return (element->child == 0 && element->text_length == 0) ||
           is_array_by_name(w->options, step->name);
}

/* Empty arrays for the records that are not there; returns how many members. */
static uint32_t put_empty_lists(struct xml_writer *w, const struct xml_element *element,
                                struct xml_places places)
{
    const struct xml_step *step;
    uint32_t count = 0;

    for (size_t n = 0; (step = xml_places_records(&w->lists, places, n)) != NULL; n++) {
        const char *name;

        if (!is_empty_list(w, element, step))
            continue;
        name = arena_copy(w->arena, step->name.data, step->name.length);
        if (name == NULL) {
            w->failed = true;
            return count;
        }
        xml_put_string(w, (struct slice){name, step->name.length}, NULL);
        xml_close(w, xml_open(w, NODE_ARRAY, element, element), 0);
        count++;
    }
    return count;
}

static bool has_empty_list(const struct xml_writer *w, const struct xml_element *element,
                           struct xml_places places)
{
    const struct xml_step *step;

    for (size_t n = 0; (step = xml_places_records(&w->lists, places, n)) != NULL; n++) {
        if (is_empty_list(w, element, step))
            return true;
    }
    return false;
}

static void put_object(struct xml_writer *w, uint32_t index, struct xml_places places)
{
    const struct xml_element *element = xml_element(w->tree, index);
    size_t object = xml_open(w, NODE_OBJECT, element, element);
    uint32_t members = xml_put_attributes(w, element);

    xml_group_children(w->tree, index);
    for (uint32_t i = element->child; i != 0 && !w->failed; i = xml_element(w->tree, i)->next) {
        if (xml_element(w->tree, i)->count == 0)
            continue;
        xml_put_children(w, i, places);
        members++;
    }
    members += put_empty_lists(w, element, places);
    if (element->text_length > 0) {
        xml_put_string(w, (struct slice){"#text", 5}, NULL);
        xml_put_string(w, (struct slice){element->text, element->text_length}, element->start);
        members++;
    }
    xml_close(w, object, members);
}

void xml_put_element(struct xml_writer *w, uint32_t index, struct xml_places places)
{
    const struct xml_element *element = xml_element(w->tree, index);
    struct slice text = {element->text, element->text_length};
    bool plain = element->child == 0 && element->attribute_count == 0;

    if (is_nil(w->tree, element))
        xml_put_null(w, element->start);
    else if (!plain || has_empty_list(w, element, places) ||
             (text.length > 0 && xml_places_text(&w->lists, places)))
        put_object(w, index, places);
    else if (text.length > 0)
        xml_put_string(w, text, element->start);
    else
        xml_put_null(w, element->start);
}

/* The document: an object with one member, the root element. */
static void put_document(struct xml_writer *w)
{
    const struct xml_element *root = xml_element(w->tree, 0);
    size_t object = xml_open(w, NODE_OBJECT, root, root);
    struct xml_places document;
    struct xml_places places;

    if (xml_places_begin(&w->lists, XML_STEP_DOCUMENT, &document) == -1 ||
        xml_places_enter(&w->lists, document, root->name, &places) == -1) {
        w->failed = true;
        return;
    }
    xml_put_string(w, xml_name(w->tree, root->name)->text, NULL);
    xml_put_element(w, 0, places);
    xml_close(w, object, 1);
    w->lists.places.count = 0;
}

/* Nodes that the tree becomes: hardly ever more. */
static size_t expected_nodes(const struct xml_tree *tree)
{
    return 3 + 2 * tree->elements.count + 2 * tree->attributes.count + tree->elements.count / 2;
}

static int make_nodes(struct xml_writer *w, struct xml_document *document)
{
    size_t entries = 0;

    w->capacity = expected_nodes(w->tree);
    w->nodes = arena_alloc(w->arena, w->capacity * sizeof(*w->nodes));
    if (w->nodes == NULL || xml_lists_make(&w->lists, w->options) == -1)
        return -1;
    xml_lists_resolve(&w->lists, w->tree);
    put_document(w);
    if (w->options->feed && !w->failed)
        entries = xml_put_entries(w);
    if (w->failed)
        return -1;
    document->root = w->nodes;
    document->entries = entries == 0 ? NULL : w->nodes + entries;
    return 0;
}

int xml_make_nodes(struct xml_tree *tree, const struct xml_options *options,
                   struct xml_document *document)
{
    struct xml_writer w = {.tree = tree, .options = options, .arena = tree->arena};
    int rc = make_nodes(&w, document);

    xml_lists_free(&w.lists);
    return rc;
}
