#include "gatherd/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash_bytes(const void *data, size_t length)
{
    return XXH3_64bits(data, length);
}

struct hash128 hash128_bytes(const void *data, size_t length)
{
    XXH128_hash_t hash = XXH3_128bits(data, length);

    return (struct hash128){hash.low64, hash.high64};
}

bool hash128_same(struct hash128 a, struct hash128 b)
{
    return a.low == b.low && a.high == b.high;
}
