/*
 * random.h - the dice of jitter and backoff: SplitMix64, of 64 bits of state.
 *
 * The same seed gives the same numbers, so tests repeat. Not for secrets. One thread only.
 */
#ifndef GATHERD_SCHEDULE_RANDOM_H
#define GATHERD_SCHEDULE_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state; /* any value is a seed */
};

uint64_t random_next(struct random *random);

/* Uniform in [0, most]; 0 when `most` is not above 0. */
int64_t random_upto(struct random *random, int64_t most);

#endif
