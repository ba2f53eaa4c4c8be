/*
 * cron_days.h - the days and the minutes of a cron line, for its two files.
 */
#ifndef CALENDAR_CRON_DAYS_H
#define CALENDAR_CRON_DAYS_H

#include "gatherd/cron.h"

#define CRON_NEVER INT64_MAX

/* The first matching day from `day` on (days since 1970), or CRON_NEVER. */
int64_t cron_next_day(const struct cron *cron, int64_t day);

/* The shortest time between two matching times, in minutes; some day must match. */
int64_t cron_shortest_gap(const struct cron *cron);

#endif
