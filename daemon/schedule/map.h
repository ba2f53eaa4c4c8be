/*
 * map.h - finds things by their name: a chained hash table of nodes embedded in the things.
 *
 * Room is reserved beforehand, hence inserting cannot fail. Not for several threads.
 */
#ifndef GATHERD_SCHEDULE_MAP_H
#define GATHERD_SCHEDULE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map_node {
    struct map_node *next; /* in its bucket */
    uint64_t hash;         /* hash_bytes() of the name */
    const char *name;      /* borrowed while it is in the map */
};

struct map {
    struct map_node **buckets; /* owned */
    size_t bucket_count;       /* a power of two, or 0 */
    size_t count;
};

uint64_t map_hash(const char *name);

/* Makes room for `count` nodes in all. 0, or -1: out of memory, nothing has changed. */
int map_reserve(struct map *map, size_t count);

void map_free(struct map *map); /* leaves an empty map; the nodes are not its own */

/* There is room, and no node of that name. */
void map_insert(struct map *map, struct map_node *node, const char *name);
void map_remove(struct map *map, struct map_node *node);
struct map_node *map_find(const struct map *map, const char *name); /* NULL: none */

/*
 * Every node once: map_next(map, NULL) is the first, NULL comes after the last. The node returned
 * may be removed once its follower is known.
 */
struct map_node *map_next(const struct map *map, const struct map_node *node);

#endif
