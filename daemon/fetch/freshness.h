/*
 * freshness.h - how long a server says that its answer holds (RFC 9111), for `respect_cache`.
 *
 * We are a private cache of one answer: s-maxage is for caches that serve many.
 */
#ifndef GATHERD_FETCH_FRESHNESS_H
#define GATHERD_FETCH_FRESHNESS_H

#include <stdint.h>

#include "gatherd/run.h"

/* The most that is understood (RFC 9111, 1.2.2). */
#define FRESHNESS_MAX_S 2147483648LL

/*
 * From now on, in milliseconds: max-age less Age, else Expires less Date (or less `now_wall_ms`
 * where there is no Date). 0 when the answer says nothing about it, says something that is not
 * valid or contradicts itself, or must not be used without asking (no-store, no-cache).
 */
int64_t freshness_ms(const struct response *response, int64_t now_wall_ms);

#endif
