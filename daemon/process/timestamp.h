/*
 * timestamp.h - moments as APIs write them, to Unix time in milliseconds, rounded down.
 *
 * Years 0000 to 9999; anything else is refused rather than moved.
 */
#ifndef GATHERD_PROCESS_TIMESTAMP_H
#define GATHERD_PROCESS_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "gatherd/config.h"
#include "gatherd/text.h"
#include "process/decimal.h"

/* A number that counts in `unit` from 1970 on; false without a unit, or out of range. */
bool timestamp_from_number(const struct decimal *number, enum time_unit unit, int64_t *wall_ms);

/*
 * RFC 3339 ("2026-01-02T03:04:05.678+01:00"; a space for the T, any number of fraction digits), the
 * same without an offset, which is taken as UTC, and a date alone, which is its midnight in UTC.
 */
bool timestamp_from_text(struct slice text, int64_t *wall_ms);

#endif
