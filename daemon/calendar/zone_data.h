/*
 * zone_data.h - what a zone holds, for the files that read and ask it.
 */
#ifndef CALENDAR_ZONE_DATA_H
#define CALENDAR_ZONE_DATA_H

#include <stdbool.h>

#include "gatherd/zone.h"

/* RFC 9636, 3.2: offsets lie between -25 and +26 hours, both excluded. */
#define ZONE_OFFSET_LOW_MS  (-25 * 3600 * 1000LL)
#define ZONE_OFFSET_HIGH_MS (26 * 3600 * 1000LL)

/* The day of a change in POSIX's TZ: Jn, n, or Mm.w.d. */
struct zone_day {
    enum { DAY_WITHOUT_LEAP, DAY_FROM_ZERO, DAY_OF_WEEK } form;
    int number;      /* Jn: 1-365; n: 0-365; Mm.w.d: day of the week, 0 is Sunday */
    int month;       /* Mm.w.d */
    int week;        /* Mm.w.d: 1-5, 5 is the last */
    int64_t time_ms; /* from that day's midnight, may be negative or beyond the day */
};

/* The rule for all time beyond the table. */
struct zone_rule {
    int64_t standard_ms;
    int64_t summer_ms;
    bool has_summer; /* else only standard_ms counts */
    struct zone_day start;
    struct zone_day end;
};

struct zone_change {
    int64_t at_ms;
    int64_t offset_ms; /* from then on */
};

struct zone {
    int64_t first_offset_ms; /* before the first change */
    size_t count;
    const struct zone_change *changes; /* by time, none at the same time as another */
    bool has_rule;                     /* from the last change on */
    struct zone_rule rule;
};

/* Reads POSIX's TZ, the footer of a TZif file (RFC 9636, 3.3). 0 or -1. */
int zone_rule_parse(const char *text, size_t length, struct zone_rule *rule);

struct zone_period zone_rule_period(const struct zone_rule *rule, int64_t at_ms);

#endif
