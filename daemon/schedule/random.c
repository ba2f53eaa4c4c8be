#include "schedule/random.h"

/* Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators" (2014), with the constants
 * of Stafford's variant 13. */
uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* The bias of the remainder is below 2^-20 for any duration below 500 years. */
int64_t random_upto(struct random *random, int64_t most)
{
    return most <= 0 ? 0 : (int64_t)(random_next(random) % ((uint64_t)most + 1));
}
