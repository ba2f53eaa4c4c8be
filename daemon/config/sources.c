/* `defaults` and `sources`: from the mappings of one file to the sources of the configuration. */
#include <stdlib.h>
#include <string.h>

#include "config/load.h"

void load_defaults(struct load *load, struct item *item)
{
    struct where where = where_key(NULL, "defaults");
    struct given given = {0};

    load_keys(load, &where, item, &source_key_set, &load->base, &given, true);
    load->mode_is_default = is_given(&given, SOURCE_WRITE_MODE);
    check_defaults(load, &where, &given);
}

static bool make_room(struct load *load)
{
    struct config *config = load->config;
    size_t capacity = load->source_capacity;

    return load_room(load, &config->sources, config->source_count, &capacity,
                     sizeof(config->sources[0])) &&
           load_room(load, &load->origins, config->source_count, &load->source_capacity,
                     sizeof(load->origins[0]));
}

static struct place place_of_key(const struct load *load, const struct given *given, unsigned row,
                                 struct place otherwise)
{
    return given->at[row] == NULL ? otherwise : place_of(load, given->at[row]);
}

static void load_source(struct load *load, const struct where *where, struct item *item,
                        size_t index)
{
    struct given given = {0};
    struct source *source;
    struct origin *origin;

    if (item->kind != ITEM_MAPPING) {
        load_mistake(load, place_of(load, item), where,
                     "found %s; write a mapping with at least name and url", item_words(item));
        return;
    }
    if (!make_room(load))
        return;
    source = &load->config->sources[load->config->source_count];
    origin = &load->origins[load->config->source_count++];
    *source = load->base;
    source->file = load->files[load->file];
    source->line = item->line;
    load_keys(load, where, item, &source_key_set, source, &given, false);
    check_source(load, where, item, source, &given);
    origin->index = index;
    origin->source = place_of(load, item);
    origin->name = place_of_key(load, &given, SOURCE_NAME, origin->source);
    note_item_source(load, &given, origin);
    origin->table = place_of_key(load, &given, SOURCE_TABLE, origin->name);
}

void load_sources(struct load *load, struct item *list)
{
    struct where where = where_key(NULL, "sources");
    size_t index = 0;

    for (const struct entry *e = list->first; e != NULL; e = e->next, index++) {
        struct where here = where_index(&where, index);

        load_source(load, &here, e->value, index);
    }
}
