/*
 * heap.h - the earliest of many moments: a 4-ary min-heap whose items know their place.
 *
 * Four children a node instead of two: half the levels, and the children share a cache line. Keys
 * stand in the array, so an operation touches an item only to tell it its new place. Room is
 * reserved beforehand, hence pushing cannot fail. Not for several threads.
 */
#ifndef GATHERD_SCHEDULE_HEAP_H
#define GATHERD_SCHEDULE_HEAP_H

#include <stddef.h>
#include <stdint.h>

/* Embedded in what the heap orders. */
struct heap_item {
    size_t place; /* in the array, while it is in a heap */
};

struct heap_slot {
    int64_t key;
    struct heap_item *item;
};

struct heap {
    struct heap_slot *slots; /* owned */
    size_t length;
    size_t capacity;
    uint64_t comparisons; /* of keys, ever: what the cost is measured by */
};

/* Makes room for `capacity` items in all. 0, or -1: out of memory, nothing has changed. */
int heap_reserve(struct heap *heap, size_t capacity);

void heap_free(struct heap *heap); /* leaves an empty heap; the items are not its own */

/* Each O(log n). There is room, and the item is in no heap; or it is in this one. */
void heap_push(struct heap *heap, struct heap_item *item, int64_t key);
void heap_remove(struct heap *heap, struct heap_item *item);

/* The item with the smallest key, its key in `*key`; NULL: empty. O(1). */
struct heap_item *heap_first(const struct heap *heap, int64_t *key);

/* How many keys are at most `key`. O(that number). */
size_t heap_count_until(const struct heap *heap, int64_t key);

#endif
