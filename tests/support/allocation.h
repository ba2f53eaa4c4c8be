/*
 * allocation.h - memory that runs out when a test says so.
 *
 * Test programs whose name ends in _out_of_memory are linked with --wrap for malloc, calloc,
 * realloc, reallocarray and strdup: calls from our own code come here, those inside of libraries do
 * not.
 */
#ifndef GATHERD_TEST_ALLOCATION_H
#define GATHERD_TEST_ALLOCATION_H

#include <stdbool.h>
#include <stddef.h>

/* Lets `count` allocations succeed; the next one fails, and all behind it unless `once`. */
void allocation_fail_after(size_t count, bool once);

/* SQLite's memory runs out with ours: a group's setup, before SQLite is first used. 0 or -1. */
int allocation_include_sqlite(void **state);

/* Lets all succeed again. Returns whether one has failed. */
bool allocation_stop_failing(void);

#endif
