/*
 * map.h - byte strings to pointers: what keeps loading thousands of sources linear.
 *
 * Keys are borrowed and must outlive the map. {0} is an empty map.
 */
#ifndef CONFIG_MAP_H
#define CONFIG_MAP_H

#include <stddef.h>

#include "gatherd/text.h"

struct config_map_slot {
    struct slice key;
    void *value; /* NULL: the slot is empty */
};

struct config_map {
    struct config_map_slot *slots; /* owned */
    size_t capacity;               /* 0 or a power of two */
    size_t count;
};

void *config_map_get(const struct config_map *map, struct slice key); /* NULL: not there */

/* Sets or replaces; `value` is not NULL. 0, or -1 when memory is out. */
int config_map_put(struct config_map *map, struct slice key, void *value);

void config_map_free(struct config_map *map);

#endif
