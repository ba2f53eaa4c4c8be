#include "scarce_arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/arena.h"

struct piece {
    struct piece *next;
    alignas(max_align_t) char data[];
};

struct arena {
    struct piece *pieces;
    size_t used;
};

static atomic_size_t left = SIZE_MAX; /* allocations until the first refused; SIZE_MAX: none is */
static atomic_size_t largest = SIZE_MAX;

void scarce_arena_fail_after(size_t count)
{
    atomic_store(&left, count);
}

void scarce_arena_fail_above(size_t bytes)
{
    atomic_store(&largest, bytes);
}

void scarce_arena_stop_failing(void)
{
    atomic_store(&left, SIZE_MAX);
    atomic_store(&largest, SIZE_MAX);
}

struct arena *arena_create(size_t keep_bytes)
{
    (void)keep_bytes;
    return calloc(1, sizeof(struct arena));
}

void arena_reset(struct arena *arena)
{
    while (arena->pieces != NULL) {
        struct piece *next = arena->pieces->next;

        free(arena->pieces);
        arena->pieces = next;
    }
    arena->used = 0;
}

void arena_free(struct arena *arena)
{
    if (arena != NULL)
        arena_reset(arena);
    free(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
    struct piece *piece;

    if (atomic_load(&left) == 0 || size > atomic_load(&largest))
        return NULL;
    if (atomic_load(&left) != SIZE_MAX)
        atomic_fetch_sub(&left, 1);
    piece = malloc(sizeof(*piece) + size);
    assert(piece != NULL);
    piece->next = arena->pieces;
    arena->pieces = piece;
    arena->used += size;
    return piece->data;
}

void *arena_grow(struct arena *arena, void *pointer, size_t old_size, size_t new_size)
{
    void *copy = arena_alloc(arena, new_size);

    if (copy != NULL && old_size > 0)
        memcpy(copy, pointer, old_size);
    return copy;
}

char *arena_copy(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);

    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}
