/*
 * zone.h - time zones: what the clocks of a place show at a moment, and when they show a time.
 *
 * A zone is read from a TZif file (RFC 9636), as tzdata installs them, with the rule in its footer
 * for the time beyond its table. It never changes and lives in the arena it was read into; any
 * thread may ask. No zone at all, NULL, is UTC and needs no file.
 *
 * A local time is what the clock on the wall shows, in milliseconds, counted as if it were UTC.
 */
#ifndef GATHERD_ZONE_H
#define GATHERD_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "gatherd/arena.h"
#include "gatherd/error.h"

struct zone; /* opaque */

/*
 * The zone of this IANA name, as in Europe/Paris, from the system's folder: $TZDIR, else
 * /usr/share/zoneinfo. Returns 0 with `*zone` (NULL for UTC and Etc/UTC), or -1 and an error:
 * ERROR_CONFIG when there is no such zone, ERROR_UNAVAILABLE when there is no zone database,
 * ERROR_IO, ERROR_FAILED (the file is damaged) or ERROR_NOMEM.
 */
int zone_read(const char *name, struct arena *arena, const struct zone **zone, struct error *err);

/* From the content of a TZif file. NULL: damaged, or of a kind we do not read, or out of memory. */
const struct zone *zone_parse(const void *data, size_t length, struct arena *arena,
                              struct error *err);

/* Calls `visit` with the name of each zone of the system's folder; borrowed during the call. */
void zone_each_name(void (*visit)(void *context, const char *name), void *context);

/* A stretch of time in which the clocks are neither set forward nor back. */
struct zone_period {
    int64_t begin_ms;  /* Unix time; INT64_MIN: always was so */
    int64_t end_ms;    /* the first moment after it; INT64_MAX: will always be so */
    int64_t offset_ms; /* local time less UTC; within 26 hours */
};

struct zone_period zone_period_at(const struct zone *zone, int64_t at_ms);

/*
 * The latest local time that the clocks have shown up to this moment. That is what they show now,
 * but for the time after they were set back, when they show again what they have shown.
 */
int64_t zone_furthest_local(const struct zone *zone, int64_t at_ms);

/*
 * The first moment at which the clocks show this local time or a later one: when they show it
 * twice, the first of the two; when they never do, because they were set forward over it, the
 * moment they were.
 */
int64_t zone_first_showing(const struct zone *zone, int64_t local_ms);

/*
 * The moment that somebody means who writes this local time and nothing else (RFC 5545, 3.3.5): of
 * a time that comes twice the first; one that is skipped is counted with the offset from before, so
 * that half past two is half past three and times that differ stay apart.
 */
int64_t zone_from_local(const struct zone *zone, int64_t local_ms);

#endif
