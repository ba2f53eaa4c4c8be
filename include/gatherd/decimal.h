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

/*
 * The same of a number in a string, which others write more freely: a plus before it, leading
 * zeros, and nothing on one side of the point ("+1", "007", ".5", "5.").
 */
bool decimal_read_freely(struct slice text, struct decimal *decimal);

/*
 * Appends a number that decimal_read_freely() takes without its exponent, plus and leading zeros,
 * with every digit behind the point that came: "1.1790" and "0.00" stay, "+.5e1" is "5". False,
 * with nothing appended: its exponent is beyond DECIMAL_MOST_PLACES.
 */
bool decimal_write_plain(struct slice number, struct text *out);

#define DECIMAL_MOST_PLACES 6144 /* what IEEE 754's decimal128 has */

/* The value, where it is whole and within 64 bits ("1e3" and "5.0" are whole). */
bool decimal_to_integer(const struct decimal *decimal, int64_t *integer);

/*
 * Below, equal to or above 0 as `a` is below, equal to or above `b`, exactly. `a_text` and `b_text`
 * are what they were read from; they are looked at only where both have `more`.
 */
int decimal_compare(const struct decimal *a, struct slice a_text, const struct decimal *b,
                    struct slice b_text);

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

/* The same with what is behind the whole number in billionths, rounded down. */
bool decimal_split(const struct decimal *decimal, int shift, int64_t *whole, int32_t *billionths);

/* Whether two are the same number; false where more digits than a struct decimal has decide it. */
bool decimal_equals(const struct decimal *a, const struct decimal *b);

#endif
