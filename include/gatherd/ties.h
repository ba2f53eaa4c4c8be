/*
 * ties.h - a set of hashes: the records that share one position.
 *
 * A plain value; one thread.
 */
#ifndef GATHERD_TIES_H
#define GATHERD_TIES_H

#include <stdbool.h>
#include <stddef.h>

#include "gatherd/hash.h"

struct ties {
    struct hash128 *hashes; /* owned; a hash table, where one of two zeros is an empty place */
    size_t count;
    size_t capacity; /* a power of two, or 0 */
};

/* Both 0, or -1: out of memory. */
int ties_add(struct ties *ties, struct hash128 hash);
int ties_add_all(struct ties *ties, const struct ties *more);

bool ties_has(const struct ties *ties, struct hash128 hash);

/* Each once: ties_next(ties, NULL) is the first, NULL comes after the last. */
const struct hash128 *ties_next(const struct ties *ties, const struct hash128 *tie);

void ties_free(struct ties *ties); /* leaves an empty set */

#endif
