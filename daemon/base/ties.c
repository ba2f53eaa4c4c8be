#include "gatherd/ties.h"

#include <stdlib.h>

static bool is_empty(const struct hash128 *place)
{
    return place->low == 0 && place->high == 0;
}

/* Open addressing: where the hash is, or where it would go. There is an empty place. */
static struct hash128 *find_place(const struct ties *ties, struct hash128 hash)
{
    size_t i = hash.low & (ties->capacity - 1);

    while (!is_empty(&ties->hashes[i]) &&
           (ties->hashes[i].low != hash.low || ties->hashes[i].high != hash.high))
        i = (i + 1) & (ties->capacity - 1);
    return &ties->hashes[i];
}

static int grow(struct ties *ties)
{
    struct ties larger = {.capacity = ties->capacity == 0 ? 8 : 2 * ties->capacity,
                          .count = ties->count};

    larger.hashes = calloc(larger.capacity, sizeof(larger.hashes[0]));
    if (larger.hashes == NULL)
        return -1;
    for (size_t i = 0; i < ties->capacity; i++) {
        if (!is_empty(&ties->hashes[i]))
            *find_place(&larger, ties->hashes[i]) = ties->hashes[i];
    }
    free(ties->hashes);
    *ties = larger;
    return 0;
}

int ties_add(struct ties *ties, struct hash128 hash)
{
    struct hash128 *place;

    if (is_empty(&hash))
        hash.high = 1; /* both zeros mark an empty place */
    if (2 * (ties->count + 1) > ties->capacity && grow(ties) == -1)
        return -1;
    place = find_place(ties, hash);
    ties->count += is_empty(place);
    *place = hash;
    return 0;
}

const struct hash128 *ties_next(const struct ties *ties, const struct hash128 *tie)
{
    size_t i = tie == NULL ? 0 : (size_t)(tie - ties->hashes) + 1;

    while (i < ties->capacity && is_empty(&ties->hashes[i]))
        i++;
    return i < ties->capacity ? &ties->hashes[i] : NULL;
}

bool ties_has(const struct ties *ties, struct hash128 hash)
{
    if (is_empty(&hash))
        hash.high = 1;
    return ties->count > 0 && !is_empty(find_place(ties, hash));
}

int ties_add_all(struct ties *ties, const struct ties *more)
{
    const struct hash128 *tie = NULL;

    while ((tie = ties_next(more, tie)) != NULL) {
        if (ties_add(ties, *tie) == -1)
            return -1;
    }
    return 0;
}

void ties_free(struct ties *ties)
{
    free(ties->hashes);
    *ties = (struct ties){0};
}
