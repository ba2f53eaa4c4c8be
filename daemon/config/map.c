#include "config/map.h"

#include <assert.h>
#include <stdlib.h>

#include "gatherd/hash.h"

#define FIRST_CAPACITY 16u

/* The slot that holds `key`, or the empty one where it belongs. There is always an empty one. */
static struct config_map_slot *find_slot(const struct config_map *map, struct slice key)
{
    size_t i = (size_t)hash_bytes(key.data, key.length) & (map->capacity - 1);

    while (map->slots[i].value != NULL && !slice_same(map->slots[i].key, key))
        i = (i + 1) & (map->capacity - 1);
    return &map->slots[i];
}

void *config_map_get(const struct config_map *map, struct slice key)
{
    return map->capacity == 0 ? NULL : find_slot(map, key)->value;
}

static int grow(struct config_map *map)
{
    struct config_map larger = {0};

    larger.capacity = map->capacity == 0 ? FIRST_CAPACITY : map->capacity * 2;
    larger.count = map->count;
    larger.slots = calloc(larger.capacity, sizeof(larger.slots[0]));
    if (larger.slots == NULL)
        return -1;
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->slots[i].value != NULL)
            *find_slot(&larger, map->slots[i].key) = map->slots[i];
    }
    free(map->slots);
    *map = larger;
    return 0;
}

int config_map_put(struct config_map *map, struct slice key, void *value)
{
    struct config_map_slot *slot;

    assert(value != NULL);
    if (map->count * 2 >= map->capacity && grow(map) == -1)
        return -1;
    slot = find_slot(map, key);
    if (slot->value == NULL)
        map->count++;
    *slot = (struct config_map_slot){key, value};
    return 0;
}

void config_map_free(struct config_map *map)
{
    free(map->slots);
    *map = (struct config_map){0};
}
