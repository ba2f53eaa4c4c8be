/*
 * retry_after.h - the header Retry-After (RFC 9110, 10.2.3): seconds or an HTTP date.
 */
#ifndef GATHERD_FETCH_RETRY_AFTER_H
#define GATHERD_FETCH_RETRY_AFTER_H

#include <stdint.h>

/* The longest wait it returns; what a schedule does with a year is its own affair. */
#define RETRY_AFTER_MAX_MS (366LL * 24 * 60 * 60 * 1000)

/*
 * How long the server asks to wait, in milliseconds from `now_wall_ms` on: 0 for a moment that has
 * passed or a negative number, at most RETRY_AFTER_MAX_MS, and -1 when `value` is neither form.
 */
int64_t retry_after_parse(const char *value, int64_t now_wall_ms);

#endif
