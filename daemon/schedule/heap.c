#include "schedule/heap.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#define ARITY 4

int heap_reserve(struct heap *heap, size_t capacity)
{
    struct heap_slot *slots;

    if (capacity <= heap->capacity)
        return 0;
    slots = reallocarray(heap->slots, capacity, sizeof(*slots));
    if (slots == NULL)
        return -1;
    heap->slots = slots;
    heap->capacity = capacity;
    return 0;
}

void heap_free(struct heap *heap)
{
    free(heap->slots);
    *heap = (struct heap){0};
}

static bool less(struct heap *heap, int64_t a, int64_t b)
{
    heap->comparisons++;
    return a < b;
}

static void put(struct heap *heap, size_t place, struct heap_slot slot)
{
    heap->slots[place] = slot;
    slot.item->place = place;
}

static void rise(struct heap *heap, size_t place, struct heap_slot slot)
{
    while (place > 0) {
        size_t parent = (place - 1) / ARITY;

        if (!less(heap, slot.key, heap->slots[parent].key))
            break;
        put(heap, place, heap->slots[parent]);
        place = parent;
    }
    put(heap, place, slot);
}

static size_t smallest_child(struct heap *heap, size_t place)
{
    size_t first = place * ARITY + 1;
    size_t end = first + ARITY < heap->length ? first + ARITY : heap->length;
    size_t smallest = first;

    for (size_t i = first + 1; i < end; i++) {
        if (less(heap, heap->slots[i].key, heap->slots[smallest].key))
            smallest = i;
    }
    return smallest;
}

static void sink(struct heap *heap, size_t place, struct heap_slot slot)
{
    while (place * ARITY + 1 < heap->length) {
        size_t child = smallest_child(heap, place);

        if (!less(heap, heap->slots[child].key, slot.key))
            break;
        put(heap, place, heap->slots[child]);
        place = child;
    }
    put(heap, place, slot);
}

void heap_push(struct heap *heap, struct heap_item *item, int64_t key)
{
    assert(heap->length < heap->capacity);
    heap->length++;
    rise(heap, heap->length - 1, (struct heap_slot){key, item});
}

void heap_remove(struct heap *heap, struct heap_item *item)
{
    size_t place = item->place;
    struct heap_slot last;

    assert(place < heap->length && heap->slots[place].item == item);
    last = heap->slots[--heap->length];
    if (place == heap->length)
        return;
    /* The last one fills the gap; it may belong above or below it. */
    if (place > 0 && less(heap, last.key, heap->slots[(place - 1) / ARITY].key))
        rise(heap, place, last);
    else
        sink(heap, place, last);
}

struct heap_item *heap_first(const struct heap *heap, int64_t *key)
{
    if (heap->length == 0)
        return NULL;
    *key = heap->slots[0].key;
    return heap->slots[0].item;
}

/* Depth is log4 of the length; a branch ends at its first later key. */
static size_t count_below(const struct heap *heap, size_t place, int64_t key)
{
    size_t count = 1;

    if (place >= heap->length || heap->slots[place].key > key)
        return 0;
    for (size_t i = 1; i <= ARITY; i++)
        count += count_below(heap, place * ARITY + i, key);
    return count;
}

size_t heap_count_until(const struct heap *heap, int64_t key)
{
    return count_below(heap, 0, key);
}
