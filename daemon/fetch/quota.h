/*
 * quota.h - the headers in which a server says what is left of a quota, and when there is more.
 *
 * No standard fixes their form (draft-ietf-httpapi-ratelimit-headers came late), so the forms that
 * are in use are told apart by what they look like.
 */
#ifndef GATHERD_FETCH_QUOTA_H
#define GATHERD_FETCH_QUOTA_H

#include <stdint.h>

#include "gatherd/config.h"
#include "gatherd/run.h"

/* The longest wait it returns. */
#define QUOTA_MAX_MS (366LL * 24 * 60 * 60 * 1000)

/*
 * How long to wait by the value of a reset header, in milliseconds from `now_wall_ms` on: 0 for a
 * moment that has passed, at most QUOTA_MAX_MS, and -1 when it is of no known form. A number below
 * 1,000,000,000 is seconds from now, one below 100,000,000,000 is Unix time in seconds (2001 to
 * 5138), a greater one is Unix time in milliseconds; else it is a duration such as 6m0s or an HTTP
 * date.
 */
int64_t quota_reset_parse(const char *value, int64_t now_wall_ms);

/*
 * How long the source is to make no request by its `quota` and this answer, or -1: a header is
 * missing or not understood, more than the reserve is left, or there is more already.
 */
int64_t quota_wait(const struct quota *quota, const struct response *response, int64_t now_wall_ms);

#endif
