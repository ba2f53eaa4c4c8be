/*
 * decimal.h - a JSON number as the decimal that stands there, and what it can become unharmed.
 */
#ifndef GATHERD_DECIMAL_H
#define GATHERD_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "gatherd/text.h"

/* The value is mantissa * 10^exponent, and a little more where `more` says so. */
struct decimal {
    bool negative;
    bool more;         /* the digits cut off behind the mantissa are not all 0 */
    uint64_t mantissa; /* the first 19 significant digits, without the zeros at their end */
    int64_t exponent;
};

/* False: `text` as a whole is not a number by JSON's grammar. */
bool decimal_read(struct slice text, struct decimal *decimal);

/* The value, where it is whole and within 64 bits ("1e3" and "5.0" are whole). */
bool decimal_to_integer(const struct decimal *decimal, int64_t *integer);

/*
 * The nearest double, where printing it with as many significant digits as came (zeros at both ends
 * do not count, 17 at most) gives the decimal back: nothing of what came is lost in it.
 */
bool decimal_to_exact_real(const struct decimal *decimal, double *real);

/*
 * The nearest double, digits beyond its precision or not. False where there is none: too large, or
 * so small that only 0 is near. `text` is what the decimal was read from.
 */
bool decimal_to_nearest_real(const struct decimal *decimal, struct slice text, double *real);

/* The value times 10^shift, rounded down to a whole number; false: not within 64 bits. */
bool decimal_scale_down(const struct decimal *decimal, int shift, int64_t *whole);

#endif
