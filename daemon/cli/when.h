/*
 * when.h - points in time on the command line.
 */
#ifndef GATHERD_CLI_WHEN_H
#define GATHERD_CLI_WHEN_H

#include <stdint.h>

#define WHEN_FORMS "2026-01-31, 2026-01-31T12:00:00Z, or how long ago, as in 7d"

/* A date (its midnight, UTC), a time of RFC 3339, or a duration before `now_ms`. 0 or -1. */
int when_parse(const char *text, int64_t now_ms, int64_t *ms);

#endif
