#include "gatherd/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK_BYTES (64u * 1024)
#define ALIGNMENT         alignof(max_align_t)

struct block {
    struct block *next; /* an older block */
    size_t size;        /* usable bytes in data */
    size_t used;
    alignas(max_align_t) char data[];
};

struct arena {
    struct block *newest; /* allocations come from here; NULL: none yet */
    size_t keep_bytes;
    size_t older_used; /* bytes handed out from the older blocks */
};

struct arena *arena_create(size_t keep_bytes)
{
    struct arena *arena = calloc(1, sizeof(*arena));

    if (arena != NULL)
        arena->keep_bytes = keep_bytes;
    return arena;
}

static void free_blocks(struct block *block)
{
    while (block != NULL) {
        struct block *next = block->next;

        free(block);
        block = next;
    }
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    free_blocks(arena->newest);
    free(arena);
}

/* Each block is twice the one before, so that n bytes take log n blocks. */
static struct block *add_block(struct arena *arena, size_t size)
{
    size_t want = arena->newest == NULL ? FIRST_BLOCK_BYTES : arena->newest->size;
    struct block *block;

    if (want <= SIZE_MAX / 4)
        want = arena->newest == NULL ? want : want * 2;
    if (want < size)
        want = size;
    if (want > SIZE_MAX - sizeof(*block))
        return NULL;
    block = malloc(sizeof(*block) + want);
    if (block == NULL)
        return NULL;
    if (arena->newest != NULL)
        arena->older_used += arena->newest->used;
    block->next = arena->newest;
    block->size = want;
    block->used = 0;
    arena->newest = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    struct block *block = arena->newest;
    void *pointer;

    if (size > SIZE_MAX - ALIGNMENT)
        return NULL;
    size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    if (block == NULL || block->size - block->used < size) {
        block = add_block(arena, size);
        if (block == NULL)
            return NULL;
    }
    pointer = block->data + block->used;
    block->used += size;
    return pointer;
}

void *arena_grow(struct arena *arena, void *pointer, size_t old_size, size_t new_size)
{
    struct block *block = arena->newest;
    size_t held = (old_size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    void *copy;

    assert(new_size >= old_size);
    assert(pointer != NULL || old_size == 0);
    if (new_size <= held && pointer != NULL)
        return pointer;
    if (pointer != NULL && block != NULL && (char *)pointer + held == block->data + block->used) {
        size_t more = (new_size - held + ALIGNMENT - 1) & ~(ALIGNMENT - 1);

        if (new_size <= SIZE_MAX - ALIGNMENT && block->size - block->used >= more) {
            block->used += more;
            return pointer;
        }
    }
    copy = arena_alloc(arena, new_size);
    if (copy != NULL && old_size > 0)
        memcpy(copy, pointer, old_size);
    return copy;
}

char *arena_copy(struct arena *arena, const char *text, size_t length)
{
    char *copy = length < SIZE_MAX ? arena_alloc(arena, length + 1) : NULL;

    if (copy == NULL)
        return NULL;
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

/* Blocks are the larger the newer: the newest within the limit is the one worth keeping. */
void arena_reset(struct arena *arena)
{
    struct block *block = arena->newest;

    while (block != NULL && block->size > arena->keep_bytes) {
        struct block *next = block->next;

        free(block);
        block = next;
    }
    if (block != NULL) {
        free_blocks(block->next);
        block->next = NULL;
        block->used = 0;
    }
    arena->newest = block;
    arena->older_used = 0;
}

size_t arena_used(const struct arena *arena)
{
    return arena->older_used + (arena->newest == NULL ? 0 : arena->newest->used);
}
