/*
 * duration.h - lengths of time as APIs write them, exactly, in seconds.
 */
#ifndef GATHERD_DURATION_H
#define GATHERD_DURATION_H

#include "gatherd/decimal.h"
#include "gatherd/text.h"

enum duration_form {
    DURATION_READ,
    DURATION_UNKNOWN,     /* none of the forms, or beyond 580 years to the nanosecond */
    DURATION_OF_CALENDAR, /* it counts years or months, which have no fixed length */
    DURATION_AMBIGUOUS,   /* 03:45: hours and minutes, or minutes and seconds */
};

/*
 * Text in a form that says itself which it is, blanks around it aside, and with a + or - before it:
 * - ISO 8601: PT1H2M3.5S, P1DT12H, P2W. A day is 24 hours.
 * - A clock: 01:02:03, hours of any number, a fraction behind the seconds; days before it as in
 *   1.02:03:04 and 1 day, 2:03:04.
 * - Numbers with units, largest first: 1h30m, 1.5h, 2m3.5s, 300ms, 1d 2h (w d h m s ms us ns).
 * Digits below a nanosecond are cut off.
 */
enum duration_form duration_from_text(struct slice text, struct decimal *seconds);

#endif
