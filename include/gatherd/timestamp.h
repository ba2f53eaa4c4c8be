/*
 * timestamp.h - moments as APIs write them.
 *
 * Years 0000 to 9999; anything else is refused rather than moved. A leap second (":60") is only one
 * in the last minute of a day in UTC, and counts as the second after it: Unix time has no other
 * place for it.
 */
#ifndef GATHERD_TIMESTAMP_H
#define GATHERD_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/decimal.h"
#include "gatherd/error.h"
#include "gatherd/text.h"

/* What a number counts from 1970 on. */
enum time_unit { TIME_UNIT_NONE, TIME_UNIT_S, TIME_UNIT_MS, TIME_UNIT_US, TIME_UNIT_NS };

#define TIMESTAMP_FIRST_MS (-62167219200000LL) /* 0000-01-01T00:00:00.000Z */
#define TIMESTAMP_LAST_MS  253402300799999LL   /* 9999-12-31T23:59:59.999Z */

struct timestamp {
    int64_t seconds;     /* Unix time, rounded down */
    int32_t nanoseconds; /* behind them; what is below is cut off */
    bool naive;          /* no zone was given: `seconds` is what a clock on the wall showed, counted
                            as if that were UTC */
    bool leap;           /* the second was written as 60 */
};

/* Whether its year may be written and a leap second is one; of a timestamp that is in UTC. */
bool timestamp_is_valid(const struct timestamp *timestamp);

/* --- Reading; who calls decides what is naive and then asks timestamp_is_valid(). --- */

/* A number that counts in `unit` from 1970 on; false without a unit, or far out of range. */
bool timestamp_from_decimal(const struct decimal *number, enum time_unit unit,
                            struct timestamp *timestamp);

/*
 * Text in a form that says itself which it is, blanks around it aside:
 * - ISO 8601 and RFC 3339: a date (2026-01-02, 2026-W01-5, 2026-W01 for its Monday, 2026-002),
 * alone or with a time behind a T or a blank (03:04, 03:04:05, any fraction behind a point or a
 * comma, 24:00) and an offset (Z, +01:00, +0100, +01, a name as below; a blank may stand before
 * it). The same without - and : (20260102T030405Z), but for a date alone, which would be a number.
 * - RFC 822, 1123, 2822 and 850, as in mail, HTTP and RSS: Fri, 02 Jan 2026 03:04:05 GMT. The day
 *   of the week may be missing or wrong, the seconds and the time may be missing, a year of two
 *   digits is one from 1950 to 2049, and the zone is an offset or one of UT, UTC, GMT, Z, EST, EDT,
 *   CST, CDT, MST, MDT, PST and PDT (RFC 822, 5.1). Other names mean different things to different
 *   people, so they are refused.
 * - asctime(3) and its like: Fri Jan  2 03:04:05 2026, a zone may stand before the year.
 */
bool timestamp_from_any_text(struct slice text, struct timestamp *timestamp);

/* --- Reading by a pattern of strptime(3). --- */

/*
 * 0, or -1 with what is wrong with a pattern, at byte `*offset` of it. English names, whatever the
 * locale; conversions: %Y %y %m %d %e %j %G %V %u %H %k %I %l %M %S %p %f %N %L (a fraction) %a %A
 * %b %B %h %z (an offset) %Z (a zone as above) %s (Unix time) %F %T %R %D %n %t %%. A pattern must
 * lead to a date; what it does not say of that is the first.
 */
int timestamp_check_pattern(const char *pattern, size_t *offset, struct error *err);

/* Whether a checked pattern says what zone its times are in. */
bool timestamp_pattern_has_zone(const char *pattern);

/* By a pattern that was checked. */
bool timestamp_from_pattern(struct slice text, const char *pattern, struct timestamp *timestamp);

/* --- Writing. --- */

/* Bytes of "2026-01-02T03:04:05.678901234Z" with its NUL. */
#define TIMESTAMP_TEXT_SIZE 31

/*
 * Writes a valid timestamp in UTC with 3, 6 or 9 digits behind the second: as few as keep them all,
 * and `least_digits` (3, 6 or 9) at least. Returns the length; there is a NUL behind it.
 */
size_t timestamp_write(const struct timestamp *timestamp, unsigned least_digits,
                       char text[TIMESTAMP_TEXT_SIZE]);

/* --- To Unix time in milliseconds, rounded down: what positions are compared by. --- */

/* A number that counts in `unit` from 1970 on; false without a unit, or out of range. */
bool timestamp_from_number(const struct decimal *number, enum time_unit unit, int64_t *wall_ms);

/*
 * RFC 3339 ("2026-01-02T03:04:05.678+01:00"; a space for the T, any number of fraction digits), the
 * same without an offset, which is taken as UTC, and a date alone, which is its midnight in UTC.
 */
bool timestamp_from_text(struct slice text, int64_t *wall_ms);

#endif
