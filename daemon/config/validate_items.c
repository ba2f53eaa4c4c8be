/* Rules that bind for_each to the columns of its source, and to the source that has the items. */
#include <string.h>

#include "config/load.h"
#include "config/suggest.h"
#include "gatherd/items.h"

bool is_item_column(const struct source *source, const char *name)
{
    return source->for_each != NULL &&
           strncmp(name, ITEM_COLUMN_PREFIX, strlen(ITEM_COLUMN_PREFIX)) == 0;
}

/* --- The source of the items. --- */

void note_item_source(struct load *load, const struct given *given, struct origin *origin)
{
    const struct item *item = given->at[SOURCE_FOR_EACH];

    origin->items_source = (struct place){0};
    origin->items_fields = (struct place){0};
    if (!is_given(given, SOURCE_FOR_EACH))
        return;
    for (const struct entry *e = item->first; e != NULL; e = e->next) {
        struct slice name = {e->key->text, e->key->length};

        if (slice_equals(name, "source"))
            origin->items_source = place_of(load, e->value);
        else if (slice_equals(name, "fields"))
            origin->items_fields = place_of(load, e->value);
    }
}

static void report(struct load *load, size_t index, const char *key, struct place place,
                   const char *what, const char *word)
{
    struct where sources = where_key(NULL, "sources");
    struct where source = where_index(&sources, load->origins[index].index);
    struct where for_each = where_key(&source, "for_each");
    struct where here = where_key(&for_each, key);

    if (word == NULL)
        load_mistake(load, place, &here, "%s", what);
    else
        load_mistake(load, place, &here, "%s; did you mean \"%s\"?", what, word);
}

static const struct source *find_source(const struct load *load, const char *name,
                                        struct suggestion *near)
{
    const struct config *config = load->config;

    for (size_t i = 0; i < config->source_count; i++) {
        if (config->sources[i].name == NULL)
            continue;
        if (strcmp(config->sources[i].name, name) == 0)
            return &config->sources[i];
    }
    for (size_t i = 0; i < config->source_count && near->distance != 1; i++) {
        if (config->sources[i].name != NULL)
            suggest_offer(near, config->sources[i].name, name, strlen(name));
    }
    return NULL;
}

static bool has_field(const struct source *source, const char *name, struct suggestion *near)
{
    if (source->mapping.field_count == 0 || name[0] == '_')
        return true; /* any member of its records, or a column that gatherd adds */
    for (size_t i = 0; i < source->mapping.field_count; i++) {
        if (strcmp(source->mapping.fields[i].name, name) == 0)
            return true;
        suggest_offer(near, source->mapping.fields[i].name, name, strlen(name));
    }
    return false;
}

static void check_fields(struct load *load, size_t index, const struct source *parent)
{
    const struct for_each *for_each = load->config->sources[index].for_each;

    for (size_t i = 0; i < for_each->field_count; i++) {
        struct suggestion near = {0};
        struct text what = {0};

        if (has_field(parent, for_each->fields[i], &near))
            continue;
        text_format(&what, "the source %s has no field ", parent->name);
        text_visible(&what, for_each->fields[i], strlen(for_each->fields[i]));
        report(load, index, "fields", load->origins[index].items_fields, text_string(&what),
               near.word);
        text_free(&what);
    }
}

static void check_item_source(struct load *load, size_t index)
{
    const struct source *source = &load->config->sources[index];
    struct place place = load->origins[index].items_source;
    struct suggestion near = {0};
    const struct source *parent;

    if (source->for_each == NULL || source->for_each->source == NULL || place.line == 0)
        return;
    parent = find_source(load, source->for_each->source, &near);
    if (parent == source)
        report(load, index, "source", place,
               "the items are the rows of another source; a source cannot wait for its own", NULL);
    else if (parent == NULL && !load->file_failed)
        report(load, index, "source", place, "there is no source of this name", near.word);
    else if (parent != NULL)
        check_fields(load, index, parent);
}

/* A source that waits for itself by way of others would never have an item. */
static void check_circle(struct load *load, size_t index)
{
    const struct source *source = &load->config->sources[index];
    const struct source *parent = source;

    for (size_t i = 0; i < load->config->source_count && parent != NULL; i++) {
        struct suggestion near = {.distance = 1};

        if (parent->for_each == NULL || parent->for_each->source == NULL)
            return;
        parent = find_source(load, parent->for_each->source, &near);
        if (parent == source && i == 0)
            return; /* that has been reported */
        if (parent == source) {
            report(load, index, "source", load->origins[index].items_source,
                   "leads back to this source by way of others; one of them must have items of "
                   "another origin",
                   NULL);
            return;
        }
    }
}

void check_item_sources(struct load *load)
{
    for (size_t i = 0; i < load->config->source_count; i++)
        check_item_source(load, i);
    for (size_t i = 0; i < load->config->source_count; i++)
        check_circle(load, i);
}
