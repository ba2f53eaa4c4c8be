#include "schedule/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/hash.h"

#define FEWEST_BUCKETS 16

uint64_t map_hash(const char *name)
{
    return hash_bytes(name, strlen(name));
}

static struct map_node **bucket_of(const struct map *map, uint64_t hash)
{
    return &map->buckets[hash & (map->bucket_count - 1)];
}

static void link_node(struct map *map, struct map_node *node)
{
    struct map_node **bucket = bucket_of(map, node->hash);

    node->next = *bucket;
    *bucket = node;
    map->count++;
}

int map_reserve(struct map *map, size_t count)
{
    struct map bigger = {.bucket_count = FEWEST_BUCKETS};
    struct map_node *node;
    struct map_node *next;

    if (count <= map->bucket_count)
        return 0;
    while (bigger.bucket_count < count)
        bigger.bucket_count *= 2;
    bigger.buckets = calloc(bigger.bucket_count, sizeof(struct map_node *));
    if (bigger.buckets == NULL)
        return -1;
    for (node = map_next(map, NULL); node != NULL; node = next) {
        next = map_next(map, node);
        link_node(&bigger, node);
    }
    free(map->buckets);
    *map = bigger;
    return 0;
}

void map_free(struct map *map)
{
    free(map->buckets);
    *map = (struct map){0};
}

void map_insert(struct map *map, struct map_node *node, const char *name)
{
    assert(map->count < map->bucket_count);
    node->name = name;
    node->hash = map_hash(name);
    link_node(map, node);
}

void map_remove(struct map *map, struct map_node *node)
{
    struct map_node **at = bucket_of(map, node->hash);

    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    map->count--;
}

struct map_node *map_find(const struct map *map, const char *name)
{
    uint64_t hash = map_hash(name);

    if (map->count == 0)
        return NULL;
    for (struct map_node *node = *bucket_of(map, hash); node != NULL; node = node->next) {
        if (node->hash == hash && strcmp(node->name, name) == 0)
            return node;
    }
    return NULL;
}

struct map_node *map_next(const struct map *map, const struct map_node *node)
{
    size_t bucket = 0;

    if (node != NULL) {
        if (node->next != NULL)
            return node->next;
        bucket = (node->hash & (map->bucket_count - 1)) + 1;
    }
    for (; bucket < map->bucket_count; bucket++) {
        if (map->buckets[bucket] != NULL)
            return map->buckets[bucket];
    }
    return NULL;
}
