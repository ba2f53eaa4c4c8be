#include "document/xml_feed.h"

#include <string.h>

#include "gatherd/timestamp.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A name of the feed formats themselves, or one of Dublin Core. */
struct source_name {
    bool dublin_core;
    const char *local;
};

/* Where the members that every entry has come from, the best first. */
static const struct source_name id_names[] = {{false, "id"}, {false, "guid"}};
static const struct source_name title_names[] = {{false, "title"}, {true, "title"}};
static const struct source_name published_names[] = {
    {false, "published"}, {false, "pubDate"}, {false, "issued"}, {false, "created"},
    {true, "issued"},     {true, "created"},  {true, "date"},
};
static const struct source_name updated_names[] = {
    {false, "updated"}, {false, "modified"}, {true, "modified"}};

struct entry {
    struct xml_writer *w;
    uint32_t index;
    struct xml_places places;
    uint32_t members;
};

static const struct xml_name *name_of(const struct xml_writer *w, uint32_t element)
{
    return xml_name(w->tree, xml_element(w->tree, element)->name);
}

/* Whether a name is one of the feed formats' own: RSS 2.0 has no namespace. */
static bool is_core(const struct xml_name *name, const char *local)
{
    return name->vocabulary <= XML_VOCABULARY_RSS && slice_equals(name->local, local);
}

static bool is_named(const struct xml_name *name, const struct source_name *wanted)
{
    return wanted->dublin_core ? xml_is(name, XML_VOCABULARY_DC, wanted->local)
                               : is_core(name, wanted->local);
}

/* The first child of that name, or 0. */
static uint32_t find_child(const struct xml_writer *w, uint32_t parent,
                           const struct source_name *wanted)
{
    uint32_t i = xml_element(w->tree, parent)->child;

    while (i != 0 && !is_named(name_of(w, i), wanted))
        i = xml_element(w->tree, i)->next;
    return i;
}

static struct slice text_of(const struct xml_writer *w, uint32_t element)
{
    const struct xml_element *e = xml_element(w->tree, element);

    return element == 0 ? (struct slice){NULL, 0} : (struct slice){e->text, e->text_length};
}

/* The text of the first of these children that has any, and which that is. */
static struct slice first_text(const struct entry *entry, const struct source_name *names,
                               size_t count, uint32_t *element)
{
    for (size_t i = 0; i < count; i++) {
        struct slice text;

        *element = find_child(entry->w, entry->index, &names[i]);
        text = text_of(entry->w, *element);
        if (text.length > 0)
            return text;
    }
    *element = 0;
    return (struct slice){NULL, 0};
}

/* The value of an attribute, empty where there is none. */
static struct slice attribute_of(const struct xml_writer *w, uint32_t element,
                                 enum xml_vocabulary vocabulary, const char *local)
{
    const struct xml_element *e = xml_element(w->tree, element);

    for (uint32_t i = 0; i < e->attribute_count; i++) {
        const struct xml_attribute *a = xml_attribute(w->tree, e->attribute + i);

        if (xml_is(xml_name(w->tree, a->name), vocabulary, local))
            return (struct slice){a->value, a->length};
    }
    return (struct slice){NULL, 0};
}

static struct slice plain_attribute(const struct xml_writer *w, uint32_t element, const char *local)
{
    return attribute_of(w, element, XML_VOCABULARY_NONE, local);
}

/* --- What every entry has --- */

static void put_member(struct entry *entry, const char *name, struct slice text, uint32_t element)
{
    const char *start = xml_element(entry->w->tree, element == 0 ? entry->index : element)->start;

    xml_put_string(entry->w, slice_of(name), NULL);
    if (text.length == 0)
        xml_put_null(entry->w, start);
    else
        xml_put_string(entry->w, text, start);
    entry->members++;
}

static bool is_alternate(const struct xml_writer *w, uint32_t link)
{
    struct slice rel = plain_attribute(w, link, "rel");

    return rel.length == 0 || slice_equals(rel, "alternate");
}

/* RSS: the text of its link. Atom: where its alternate link leads. */
static struct slice link_of(const struct entry *entry, uint32_t *element)
{
    const struct xml_writer *w = entry->w;
    struct slice best = {NULL, 0};
    uint32_t guid;

    *element = 0;
    for (uint32_t i = xml_element(w->tree, entry->index)->child; i != 0;
         i = xml_element(w->tree, i)->next) {
        struct slice href;

        if (!is_core(name_of(w, i), "link") || best.length > 0)
            continue;
        href = plain_attribute(w, i, "href");
        if (href.length == 0)
            href = text_of(w, i);
        if (is_alternate(w, i) && href.length > 0) {
            best = href;
            *element = i;
        }
    }
    guid = find_child(w, entry->index, &(struct source_name){false, "guid"});
    if (best.length > 0 || guid == 0 ||
        slice_equals(plain_attribute(w, guid, "isPermaLink"), "false"))
        return best;
    *element = guid;
    return text_of(w, guid);
}

static void put_id(struct entry *entry)
{
    uint32_t element;
    struct slice id = first_text(entry, id_names, COUNT(id_names), &element);

    if (id.length == 0)
        id = attribute_of(entry->w, entry->index, XML_VOCABULARY_RDF, "about");
    if (id.length == 0)
        id = link_of(entry, &element);
    put_member(entry, "id", id, element);
}

static void put_time(struct entry *entry, const char *name, const struct source_name *names,
                     size_t count)
{
    uint32_t element;
    struct slice text = first_text(entry, names, count, &element);
    char formatted[TIMESTAMP_TEXT_SIZE];
    struct timestamp timestamp;
    size_t length;
    char *copy;

    if (text.length == 0 || !timestamp_from_any_text(text, &timestamp) ||
        !timestamp_is_valid(&timestamp)) {
        put_member(entry, name, text, element);
        return;
    }
    length = timestamp_write(&timestamp, 3, formatted);
    copy = arena_copy(entry->w->arena, formatted, length);
    if (copy == NULL)
        entry->w->failed = true;
    else
        put_member(entry, name, (struct slice){copy, length}, element);
}

static void put_common(struct entry *entry)
{
    struct slice text;
    uint32_t element;

    put_id(entry);
    text = first_text(entry, title_names, COUNT(title_names), &element);
    put_member(entry, "title", text, element);
    text = link_of(entry, &element);
    put_member(entry, "link", text, element);
    put_time(entry, "published", published_names, COUNT(published_names));
    put_time(entry, "updated", updated_names, COUNT(updated_names));
}

/* --- The rest of an entry --- */

/* Attributes that say how to show or resolve a text, not what it is. */
static bool only_presents(const struct xml_writer *w, const struct xml_element *element)
{
    static const char *const names[] = {"type", "mode", "isPermaLink"};

    for (uint32_t i = 0; i < element->attribute_count; i++) {
        const struct xml_name *name =
            xml_name(w->tree, xml_attribute(w->tree, element->attribute + i)->name);
        bool known = name->vocabulary == XML_VOCABULARY_XML;

        for (size_t k = 0; k < COUNT(names); k++)
            known = known || xml_is(name, XML_VOCABULARY_NONE, names[k]);
        if (!known)
            return false;
    }
    return true;
}

/* The name in an author, the term of a category, else the text. */
static struct slice label_of(const struct xml_writer *w, uint32_t element)
{
    struct slice term = plain_attribute(w, element, "term");
    uint32_t name = find_child(w, element, &(struct source_name){false, "name"});

    if (name != 0)
        return text_of(w, name);
    return term.length > 0 ? term : text_of(w, element);
}

/* Each of these children by its name, in an array where `array` says so or there are several. */
static void put_labels(struct entry *entry, uint32_t first, bool array)
{
    struct xml_writer *w = entry->w;
    uint32_t count = xml_element(w->tree, first)->count;
    size_t list = 0;

    xml_put_string(w, name_of(w, first)->text, NULL);
    if (array || count > 1)
        list = xml_open(w, NODE_ARRAY, xml_element(w->tree, first), xml_element(w->tree, first));
    for (uint32_t i = first; i != 0; i = xml_element(w->tree, i)->same)
        xml_put_string(w, label_of(w, i), xml_element(w->tree, i)->start);
    if (array || count > 1)
        xml_close(w, list, count);
    entry->members++;
}

/* Atom's links, where there is more than the one that is the member link. */
static void put_links(struct entry *entry, uint32_t first)
{
    struct xml_writer *w = entry->w;
    const struct xml_element *link = xml_element(w->tree, first);
    struct xml_places none = {w->lists.places.count, 0};
    size_t list;

    if (link->count == 1 && is_alternate(w, first))
        return;
    xml_put_string(w, slice_of("links"), NULL);
    list = xml_open(w, NODE_ARRAY, link, link);
    for (uint32_t i = first; i != 0; i = xml_element(w->tree, i)->same)
        xml_put_element(w, i, none);
    xml_close(w, list, link->count);
    entry->members++;
}

/* Whether a child is one of the members that every entry has, and nothing is lost without it. */
static bool is_common(const struct xml_writer *w, uint32_t child)
{
    static const char *const names[] = {"id", "title", "published", "updated"};
    const struct xml_name *name = name_of(w, child);

    for (size_t i = 0; i < COUNT(names); i++) {
        if (is_core(name, names[i]))
            return true;
    }
    return false;
}

/* Whether a path takes this child for a list, or asks for its #text. */
static bool is_wanted_otherwise(struct entry *entry, uint32_t first)
{
    struct xml_lists *lists = &entry->w->lists;
    size_t kept = lists->places.count;
    struct xml_places places;
    bool wanted;

    if (xml_places_enter(lists, entry->places, xml_element(entry->w->tree, first)->name, &places) ==
        -1)
        entry->w->failed = true;
    wanted = xml_places_list(lists, places) || xml_places_text(lists, places);
    lists->places.count = kept;
    return wanted;
}

/* One text of the feed format itself, with nothing about it that is data. */
static bool is_plain_text(struct entry *entry, uint32_t first)
{
    const struct xml_element *child = xml_element(entry->w->tree, first);
    const struct xml_name *name = name_of(entry->w, first);

    return child->count == 1 && child->child == 0 && child->text_length > 0 &&
           name->vocabulary <= XML_VOCABULARY_RSS && !name->list &&
           only_presents(entry->w, child) && !is_wanted_otherwise(entry, first);
}

static void put_child(struct entry *entry, uint32_t first)
{
    struct xml_writer *w = entry->w;
    const struct xml_name *name = name_of(w, first);

    if (is_common(w, first))
        return;
    if (is_core(name, "link")) {
        put_links(entry, first);
    } else if (is_core(name, "category")) {
        put_labels(entry, first, true);
    } else if (is_core(name, "author")) {
        put_labels(entry, first, false);
    } else if (is_plain_text(entry, first)) {
        put_member(entry, name->text.data, text_of(w, first), first);
    } else {
        xml_put_children(w, first, entry->places);
        entry->members++;
    }
}

static void put_entry(struct xml_writer *w, uint32_t index)
{
    struct entry entry = {.w = w, .index = index};
    size_t kept = w->lists.places.count;
    const struct xml_element *element = xml_element(w->tree, index);
    size_t object = xml_open(w, NODE_OBJECT, element, element);

    if (xml_places_begin(&w->lists, XML_STEP_ENTRY, &entry.places) == -1) {
        w->failed = true;
        return;
    }
    put_common(&entry);
    entry.members += xml_put_attributes(w, element);
    xml_group_children(w->tree, index);
    for (uint32_t i = element->child; i != 0 && !w->failed; i = xml_element(w->tree, i)->next) {
        if (xml_element(w->tree, i)->count > 0)
            put_child(&entry, i);
    }
    xml_close(w, object, entry.members);
    w->lists.places.count = kept;
}

/* --- The feed --- */

/* What entries are called in this feed, and in which element they are; NULL: it is none. */
static const char *recognize(const struct xml_writer *w, uint32_t *parent)
{
    const struct xml_name *root = name_of(w, 0);
    struct source_name channel = {false, "channel"};

    *parent = 0;
    if (is_core(root, "feed"))
        return "entry";
    if (xml_is(root, XML_VOCABULARY_RDF, "RDF") && find_child(w, 0, &channel) != 0)
        return "item";
    if (!is_core(root, "rss"))
        return NULL;
    *parent = find_child(w, 0, &channel);
    return *parent == 0 ? NULL : "item";
}

size_t xml_put_entries(struct xml_writer *w)
{
    uint32_t parent;
    const char *entry = recognize(w, &parent);
    uint32_t count = 0;
    size_t list;

    if (entry == NULL)
        return 0;
    list = xml_open(w, NODE_ARRAY, xml_element(w->tree, parent), xml_element(w->tree, parent));
    for (uint32_t i = xml_element(w->tree, parent)->child; i != 0 && !w->failed;
         i = xml_element(w->tree, i)->next) {
        if (!is_core(name_of(w, i), entry))
            continue;
        put_entry(w, i);
        count++;
    }
    xml_close(w, list, count);
    return list;
}
