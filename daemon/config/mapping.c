#include <string.h>

#include "config/load.h"

/* Below so many keys looking along the list beats a hash table. */
#define FEW_KEYS 12

/* The keys of one mapping, found again in constant time when there are many. */
struct seen {
    const struct item *mapping;
    struct config_map map;
    size_t count;
};

static struct slice key_slice(const struct item *key)
{
    return (struct slice){key->text, key->length};
}

bool is_private_key(const struct item *key)
{
    return key->length >= 2 && memcmp(key->text, "x-", 2) == 0;
}

/* `<<` in quotes is an ordinary key. */
static bool is_merge(const struct item *key)
{
    return key->plain && slice_equals(key_slice(key), "<<");
}

static struct item *find_key(const struct seen *seen, struct slice name, const struct entry *stop)
{
    if (seen->count > FEW_KEYS)
        return config_map_get(&seen->map, name);
    for (const struct entry *e = seen->mapping->first; e != stop; e = e->next) {
        if (slice_same(key_slice(e->key), name))
            return e->key;
    }
    return NULL;
}

static bool note_key(struct load *load, struct seen *seen, struct item *key)
{
    seen->count++;
    if (seen->count <= FEW_KEYS)
        return true;
    if (seen->map.count == 0) { /* the list has become long: the keys so far come along */
        for (const struct entry *e = seen->mapping->first; e != NULL && e->key != key;
             e = e->next) {
            if (config_map_put(&seen->map, key_slice(e->key), e->key) == -1) {
                load_out_of_memory(load);
                return false;
            }
        }
    }
    if (config_map_put(&seen->map, key_slice(key), key) == -1) {
        load_out_of_memory(load);
        return false;
    }
    return true;
}

/* Takes duplicates and merge keys out of the list; `*merges` becomes the list of the latter. */
static bool sort_out(struct load *load, const struct where *where, struct item *mapping,
                     struct seen *seen, struct entry **merges)
{
    struct entry **link = &mapping->first;
    struct entry **merge_link = merges;
    struct entry *last = NULL;

    while (*link != NULL) {
        struct entry *e = *link;
        struct item *before = find_key(seen, key_slice(e->key), e);

        if (is_merge(e->key) && before == NULL) {
            *link = e->next;
            *merge_link = e;
            merge_link = &e->next;
            *merge_link = NULL;
            continue;
        }
        if (before != NULL) {
            struct where here = where_text(where, e->key->text, e->key->length);

            load_mistake(load, place_of(load, e->key), &here,
                         "this key stands twice; the first is in line %u", before->line);
            *link = e->next;
            continue;
        }
        if (!note_key(load, seen, e->key))
            return false;
        last = e;
        link = &e->next;
    }
    mapping->last = last;
    return true;
}

/* Adds the entries of `source` whose keys are not there yet. */
static bool merge_mapping(struct load *load, const struct where *where, struct item *mapping,
                          struct item *source, struct seen *seen)
{
    if (source->kind != ITEM_MAPPING) {
        load_mistake(load, place_of(load, source), where,
                     "found %s; << takes a mapping, as in <<: *name, or a list of them",
                     item_words(source));
        return true;
    }
    load_resolve(load, where, source);
    for (const struct entry *e = source->first; e != NULL; e = e->next) {
        struct entry *copy;

        if (find_key(seen, key_slice(e->key), NULL) != NULL)
            continue;
        copy = load_alloc(load, load->items, sizeof(*copy));
        if (copy == NULL)
            return false;
        *copy = (struct entry){.key = e->key, .value = e->value};
        if (mapping->last == NULL)
            mapping->first = copy;
        else
            mapping->last->next = copy;
        mapping->last = copy;
        if (!note_key(load, seen, copy->key))
            return false;
    }
    return true;
}

static bool merge_value(struct load *load, const struct where *where, struct item *mapping,
                        struct item *value, struct seen *seen)
{
    if (value->kind != ITEM_LIST)
        return merge_mapping(load, where, mapping, value, seen);
    for (const struct entry *e = value->first; e != NULL; e = e->next) {
        if (!merge_mapping(load, where, mapping, e->value, seen))
            return false;
    }
    return true;
}

void load_resolve(struct load *load, const struct where *where, struct item *mapping)
{
    struct seen seen = {.mapping = mapping};
    struct entry *merges = NULL;
    struct where here = where_key(where, "<<");
    bool good;

    if (mapping->resolved)
        return;
    mapping->resolved = true;
    good = sort_out(load, where, mapping, &seen, &merges);
    for (struct entry *e = merges; e != NULL && good; e = e->next)
        good = merge_value(load, &here, mapping, e->value, &seen);
    config_map_free(&seen.map);
}
