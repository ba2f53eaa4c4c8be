/*
 * scarce_arena.h - arenas that run out of memory when a test says so.
 *
 * Programs that CMakeLists.txt names are built with scarce_arena.c in place of the daemon's arena.
 * There each piece is a malloc() of its own, so that the address sanitizer sees every overrun.
 */
#ifndef GATHERD_TEST_SCARCE_ARENA_H
#define GATHERD_TEST_SCARCE_ARENA_H

#include <stddef.h>

/* Lets `count` allocations of all arenas succeed; the next one, and all behind it, fail. */
void scarce_arena_fail_after(size_t count);

/* Pieces above `bytes` fail. */
void scarce_arena_fail_above(size_t bytes);

/* Lets all succeed again. */
void scarce_arena_stop_failing(void);

#endif
