/*
 * cron.h - a cron line: the local times, in whole minutes, that it names.
 *
 * Five fields, minute hour day month weekday, as Vixie cron reads them: *, numbers, names, ranges,
 * lists and steps, or one of @hourly, @daily and their like. When day and weekday are both
 * restricted (neither begins with *) either suffices, else both must fit. Which moment a local time
 * is, is for zone.h. A struct cron is a plain value.
 */
#ifndef GATHERD_CRON_H
#define GATHERD_CRON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/error.h"

struct cron {
    const char *text; /* what it was read from, borrowed */
    uint64_t minutes; /* bit n: minute n, and so on */
    uint32_t hours;   /* 0-23 */
    uint32_t days;    /* 1-31 */
    uint16_t months;  /* 1-12 */
    uint8_t weekdays; /* 0-6, 0 is Sunday */
    bool either_day;  /* day or weekday suffices */
    int64_t gap_ms;   /* the shortest time between two of its times, by the calendar */
};

/*
 * Returns 0, or -1 with `*column` (from 1, in bytes) and an error that says what is wrong there. A
 * line that names no day that ever comes, as 30 February, is wrong.
 */
int cron_parse(const char *text, struct cron *cron, size_t *column, struct error *err);

/* The first of its times that is not before this local time (zone.h). */
int64_t cron_at_or_after(const struct cron *cron, int64_t local_ms);

#endif
