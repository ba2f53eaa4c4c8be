#include "gatherd/items.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "config/map.h"
#include "gatherd/arena.h"

struct items_parts {
    atomic_size_t references;
    struct arena *arena;    /* owned: names, keys and values */
    size_t capacity;        /* of the list */
    struct config_map keys; /* while the list is made */
    struct text scratch;
};

static void destroy(struct items *items)
{
    if (items == NULL)
        return;
    if (items->parts != NULL) {
        config_map_free(&items->parts->keys);
        text_free(&items->parts->scratch);
        arena_free(items->parts->arena);
    }
    free(items->parts);
    free(items->list);
    free(items);
}

static int copy_names(struct items *items, const char *const *names, size_t count)
{
    struct arena *arena = items->parts->arena;
    const char **copies = arena_alloc(arena, count * sizeof(copies[0]));

    if (copies == NULL)
        return -1;
    for (size_t i = 0; i < count; i++) {
        copies[i] = arena_copy(arena, names[i], strlen(names[i]));
        if (copies[i] == NULL)
            return -1;
    }
    items->names = copies;
    items->name_count = count;
    return 0;
}

struct items *items_create(const char *const *names, size_t name_count)
{
    struct items *items = calloc(1, sizeof(*items));

    assert(name_count > 0 && name_count <= ITEMS_MAX_NAMES);
    if (items == NULL)
        return NULL;
    items->parts = calloc(1, sizeof(*items->parts));
    if (items->parts == NULL)
        goto fail;
    atomic_init(&items->parts->references, 1);
    items->parts->arena = arena_create(0);
    if (items->parts->arena == NULL || copy_names(items, names, name_count) == -1)
        goto fail;
    return items;

fail:
    destroy(items);
    return NULL;
}

/*
 * One value is its own key, so that people find it in the database as they know it; several are a
 * JSON array, and so is a value that could be taken for one or that no text can hold.
 */
static void write_key(struct text *key, const struct item_value *values, size_t count)
{
    struct slice only = values[0].text;

    text_clear(key);
    if (count == 1 && only.length > 0 && only.data[0] != '[' &&
        memchr(only.data, '\0', only.length) == NULL) {
        text_append(key, only.data, only.length);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        text_char(key, i == 0 ? '[' : ',');
        text_json_string(key, values[i].text.data, values[i].text.length);
    }
    text_char(key, ']');
}

static int grow(struct items *items)
{
    size_t capacity = items->parts->capacity == 0 ? 16 : 2 * items->parts->capacity;
    struct source_item *list;

    if (items->count < items->parts->capacity)
        return 0;
    list = reallocarray(items->list, capacity, sizeof(*list));
    if (list == NULL)
        return -1;
    items->list = list;
    items->parts->capacity = capacity;
    return 0;
}

static struct item_value *copy_values(struct items *items, const struct item_value *values)
{
    struct arena *arena = items->parts->arena;
    struct item_value *copies = arena_alloc(arena, items->name_count * sizeof(*copies));

    for (size_t i = 0; i < items->name_count && copies != NULL; i++) {
        copies[i] = values[i];
        copies[i].text.data = arena_copy(arena, values[i].text.data, values[i].text.length);
        if (copies[i].text.data == NULL)
            return NULL;
    }
    return copies;
}

static int append(struct items *items, const struct text *key, const struct item_value *values)
{
    struct source_item *item;

    if (grow(items) == -1)
        return -1;
    item = &items->list[items->count];
    item->key = arena_copy(items->parts->arena, text_string(key), key->length);
    item->values = copy_values(items, values);
    if (item->key == NULL || item->values == NULL ||
        config_map_put(&items->parts->keys, (struct slice){item->key, key->length},
                       (void *)item->key) == -1)
        return -1;
    items->count++;
    return 0;
}

int items_add(struct items *items, const struct item_value *values, struct error *err)
{
    struct text *key = &items->parts->scratch;

    write_key(key, values, items->name_count);
    if (!text_failed(key) &&
        config_map_get(&items->parts->keys, (struct slice){key->data, key->length}) != NULL)
        return 0;
    if (text_failed(key) || append(items, key, values) == -1) {
        error_set(err, ERROR_NOMEM, "out of memory for %zu items", items->count);
        return -1;
    }
    if (arena_used(items->parts->arena) > ITEMS_MAX_BYTES) {
        error_set(err, ERROR_FAILED,
                  "the items take more than %u MiB after %zu of them; take fewer or shorter values",
                  ITEMS_MAX_BYTES / (1024 * 1024), items->count);
        return -1;
    }
    return 0;
}

void items_seal(struct items *items)
{
    struct source_item *exact = NULL;

    config_map_free(&items->parts->keys);
    items->parts->keys = (struct config_map){0};
    text_free(&items->parts->scratch);
    if (items->count > 0)
        exact = reallocarray(items->list, items->count, sizeof(*exact));
    if (exact != NULL)
        items->list = exact;
}

struct items *items_ref(struct items *items)
{
    atomic_fetch_add_explicit(&items->parts->references, 1, memory_order_relaxed);
    return items;
}

/* Whoever drops the last reference must see all that the others did before. */
void items_unref(struct items *items)
{
    if (items == NULL)
        return;
    if (atomic_fetch_sub_explicit(&items->parts->references, 1, memory_order_acq_rel) == 1)
        destroy(items);
}

size_t items_find_name(const struct items *items, struct slice name)
{
    size_t i = 0;

    while (i < items->name_count && !slice_equals(name, items->names[i]))
        i++;
    return i;
}

static void write_names(const struct items *items, struct text *out)
{
    for (size_t i = 0; i < items->name_count; i++) {
        text_add(out, i == 0 ? "" : ", ");
        text_visible(out, items->names[i], strlen(items->names[i]));
    }
}

int items_check_names(const struct items *items, const char *const *names, struct error *err)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        struct text has = {0};

        if (*names[i] == '\0' ? items->name_count == 1
                              : items_find_name(items, slice_of(names[i])) < items->name_count)
            continue;
        write_names(items, &has);
        error_set(err, ERROR_FAILED,
                  "for_each: the request says {item%s%.64s}, and what the items have is %.300s",
                  *names[i] == '\0' ? "" : ".", names[i], text_string(&has));
        text_free(&has);
        return -1;
    }
    return 0;
}

const struct item_value *items_value(const struct items *items, const struct source_item *item,
                                     struct slice name)
{
    size_t i;

    if (name.length == 0)
        return items->name_count == 1 ? &item->values[0] : NULL;
    i = items_find_name(items, name);
    return i < items->name_count ? &item->values[i] : NULL;
}
