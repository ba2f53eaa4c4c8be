/*
 * timestamp.h - moments as APIs write them, to Unix time in milliseconds, rounded down.
 *
 * Years 0000 to 9999; anything else is refused rather than moved.
 */
#ifndef GATHERD_TIMESTAMP_H
#define GATHERD_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "gatherd/decimal.h"
#include "gatherd/text.h"

/* What a number counts from 1970 on. */
enum time_unit { TIME_UNIT_NONE, TIME_UNIT_S, TIME_UNIT_MS, TIME_UNIT_US, TIME_UNIT_NS };

#define TIMESTAMP_FIRST_MS (-62167219200000LL) /* 0000-01-01T00:00:00.000Z */
#define TIMESTAMP_LAST_MS  253402300799999LL   /* 9999-12-31T23:59:59.999Z */

/* A number that counts in `unit` from 1970 on; false without a unit, or out of range. */
bool timestamp_from_number(const struct decimal *number, enum time_unit unit, int64_t *wall_ms);

/*
 * RFC 3339 ("2026-01-02T03:04:05.678+01:00"; a space for the T, any number of fraction digits), the
 * same without an offset, which is taken as UTC, and a date alone, which is its midnight in UTC.
 */
bool timestamp_from_text(struct slice text, int64_t *wall_ms);

#endif
