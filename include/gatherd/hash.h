/*
 * hash.h - one hash for all tables and fingerprints: XXH3, by libxxhash.
 *
 * The values are the same on every machine and in every release of XXH3, so they may be stored.
 * They are not secret and not for security.
 */
#ifndef GATHERD_HASH_H
#define GATHERD_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash128 {
    uint64_t low;
    uint64_t high;
};

uint64_t hash_bytes(const void *data, size_t length);
struct hash128 hash128_bytes(const void *data, size_t length);
bool hash128_same(struct hash128 a, struct hash128 b);

#endif
