/*
 * arena.h - memory that is given piece by piece and taken back all at once.
 *
 * A processor decodes a batch into one arena and resets it after the commit, so that the hot path
 * neither frees nor fragments. Reset keeps the largest block within the limit given to
 * arena_create() for the next batch, so one huge response does not stay in memory for ever. One
 * thread only.
 */
#ifndef GATHERD_ARENA_H
#define GATHERD_ARENA_H

#include <stddef.h>

struct arena; /* opaque */

/* An empty arena that keeps at most `keep_bytes` between resets. NULL: out of memory. */
struct arena *arena_create(size_t keep_bytes);

/* Frees the arena and everything allocated from it. NULL is allowed. */
void arena_free(struct arena *arena);

/* `size` bytes aligned for any type, not cleared, or NULL when memory is out; size may be 0. */
void *arena_alloc(struct arena *arena, size_t size);

/*
 * Grows the newest allocation in place where there is room, otherwise copies it. `pointer` is the
 * result of an earlier call and held `old_size` bytes. NULL when memory is out: the old one stands.
 */
void *arena_grow(struct arena *arena, void *pointer, size_t old_size, size_t new_size);

/* A copy of `length` bytes with a NUL behind it, or NULL when memory is out. */
char *arena_copy(struct arena *arena, const char *text, size_t length);

/* Everything allocated so far is given back at once. */
void arena_reset(struct arena *arena);

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *arena);

#endif
