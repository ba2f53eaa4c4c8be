/* Values that are several mappings of one set of keys: a list of them, or a mapping by name. */
#include <string.h>

#include "config/load.h"
#include "config/value_list.h"

static bool check_count(struct load *load, const struct where *where, const struct key *key,
                        const struct item *item, size_t count)
{
    if ((int64_t)count >= key->low && (int64_t)count <= key->high)
        return true;
    if (count == 0)
        load_mistake(load, place_of(load, item), where,
                     "there is nothing in it; write at least one, or remove the key");
    else
        load_mistake(load, place_of(load, item), where, "%zu are too many; write at most %lld",
                     count, (long long)key->high);
    return false;
}

static bool load_element(struct load *load, const struct where *where, const struct key *key,
                         struct item *item, void *object)
{
    if (item->kind == ITEM_MAPPING)
        return load_object_keys(load, where, key->keys, item, object);
    refuse_kind(load, where, item, "a mapping");
    return false;
}

/* What will be completed is read for each place an alias brings it to; its mistakes only once. */
static bool may_be_read_again(const struct key *key, const struct item *item)
{
    return key->keys->completed && !is_bad_list(item);
}

bool load_object_list(struct load *load, const struct where *where, const struct key *key,
                      struct item *item, void *target)
{
    size_t size = key->keys->size;
    size_t i = 0;
    char *objects;
    bool good;

    if (!may_be_read_again(key, item) && reuse_list(key, item, target, &good))
        return good;
    if (item->kind != ITEM_LIST) {
        refuse_kind_of(load, where, item, key);
        return false;
    }
    if (!check_count(load, where, key, item, count_entries(item)))
        return false;
    objects = load_alloc(load, load->arena, count_entries(item) * size);
    good = objects != NULL;
    for (const struct entry *e = item->first; e != NULL && objects != NULL; e = e->next, i++) {
        struct where here = where_index(where, i);

        good = load_element(load, &here, key, e->value, objects + i * size) && good;
    }
    return finish_list(key, item, target, objects, i, good);
}

/* What the check of names makes of two spellings may be one name. */
static bool note_name(struct load *load, const struct where *where, const struct item *item,
                      const char *name, struct config_map *seen)
{
    const struct item *before = config_map_get(seen, slice_of(name));

    if (before == NULL && config_map_put(seen, slice_of(name), (void *)item) == -1)
        load_out_of_memory(load);
    if (before != NULL)
        load_mistake(load, place_of(load, item), where,
                     "this is the same as %s in line %u; remove one",
                     load_quote(load, before->text, before->length), before->line);
    return before == NULL;
}

static bool load_named_element(struct load *load, const struct where *where, const struct key *key,
                               const struct entry *entry, void *object, struct config_map *seen)
{
    entry_name_fn *check = key->entry_name != NULL ? key->entry_name : load_entry_name;
    const char *name = check(load, where, entry->key);
    bool good = name != NULL && note_name(load, where, entry->key, name, seen);

    good = load_element(load, where, key, entry->value, object) && good;
    memcpy(object, &name, sizeof(name)); /* its first member */
    return good;
}

bool load_object_map(struct load *load, const struct where *where, const struct key *key,
                     struct item *item, void *target)
{
    struct config_map seen = {0};
    size_t size = key->keys->size;
    size_t i = 0;
    char *objects;
    bool good;

    if (reuse_list(key, item, target, &good))
        return good;
    if (!require_mapping(load, where, key, item) ||
        !check_count(load, where, key, item, count_entries(item)))
        return false;
    objects = load_alloc(load, load->arena, count_entries(item) * size);
    good = objects != NULL;
    for (const struct entry *e = item->first; e != NULL && objects != NULL; e = e->next, i++) {
        struct where here = where_text(where, e->key->text, e->key->length);

        good = load_named_element(load, &here, key, e, objects + i * size, &seen) && good;
    }
    config_map_free(&seen);
    return finish_list(key, item, target, objects, i, good);
}
