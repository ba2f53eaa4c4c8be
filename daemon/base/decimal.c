#include "gatherd/decimal.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

__extension__ typedef unsigned __int128 uint128;

#define MANTISSA_ROOM   1000000000000000000u /* below it, one more digit fits 64 bits */
#define MANTISSA_DIGITS 19                   /* at most */
#define MOST_DIGITS     17                   /* enough to tell any two doubles apart */
#define EXACT_POWERS    22                   /* 10^22 is the last power of ten a double holds */
#define INTEGER_POWERS  19                   /* 10^19 is the last one within 64 bits */
#define EXPONENT_LIMIT  1000000000000        /* far beyond what digits in a body can make good */
#define EXPONENT_IS_FAR 5000                 /* beyond any double, for up to 800 digits */
#define BILLION         1000000000u
#define TWO_TO_52       (UINT64_C(1) << 52)
#define TWO_TO_53       (UINT64_C(1) << 53)

static const double powers[EXACT_POWERS + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static const uint64_t integer_powers[INTEGER_POWERS + 1] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    10000000000u,
    100000000000u,
    1000000000000u,
    10000000000000u,
    100000000000000u,
    1000000000000000u,
    10000000000000000u,
    100000000000000000u,
    1000000000000000000u,
    10000000000000000000u,
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/*
 * Reads the digits at *p: into the mantissa for as long as it has room, then only noting whether
 * anything was cut off. False: there is none.
 */
static bool take_digits(struct decimal *d, const char **p, const char *end, bool fraction)
{
    const char *start = *p;
    const char *q = start;
    uint64_t mantissa = d->mantissa;

    for (; q < end && is_digit(*q) && mantissa < MANTISSA_ROOM; q++)
        mantissa = mantissa * 10 + (uint64_t)(*q - '0');
    d->mantissa = mantissa;
    if (fraction)
        d->exponent -= q - start;
    for (; q < end && is_digit(*q); q++) {
        d->more = d->more || *q != '0';
        d->exponent += !fraction;
    }
    *p = q;
    return q > start;
}

static bool take_exponent(struct decimal *d, const char **p, const char *end)
{
    bool negative = *p < end && **p == '-';
    int64_t exponent = 0;
    const char *start;

    if (*p < end && (**p == '-' || **p == '+'))
        (*p)++;
    start = *p;
    for (; *p < end && is_digit(**p); (*p)++) {
        if (exponent < EXPONENT_LIMIT)
            exponent = exponent * 10 + (**p - '0');
    }
    d->exponent += negative ? -exponent : exponent;
    return *p > start;
}

static void strip_zeros(struct decimal *d)
{
    if (d->mantissa == 0) {
        d->exponent = 0;
        return;
    }
    while (d->mantissa % 10 == 0 && !d->more) {
        d->mantissa /= 10;
        d->exponent++;
    }
}

static bool take_mantissa(struct decimal *d, const char **p, const char *end, bool freely)
{
    bool whole = take_digits(d, p, end, false);
    bool fraction = false;

    if (!whole && !freely)
        return false;
    if (*p < end && **p == '.') {
        (*p)++;
        fraction = take_digits(d, p, end, true);
        if (!fraction && !freely)
            return false;
    }
    return whole || fraction;
}

static bool read(struct slice text, bool freely, struct decimal *decimal)
{
    const char *p = text.data;
    const char *end = p + text.length;

    *decimal = (struct decimal){0};
    if (p < end && (*p == '-' || (freely && *p == '+')))
        decimal->negative = *p++ == '-';
    if (!freely && p + 1 < end && *p == '0' && is_digit(p[1]))
        return false;
    if (!take_mantissa(decimal, &p, end, freely))
        return false;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (!take_exponent(decimal, &p, end))
            return false;
    }
    strip_zeros(decimal);
    return p == end;
}

bool decimal_read(struct slice text, struct decimal *decimal)
{
    return read(text, false, decimal);
}

bool decimal_read_freely(struct slice text, struct decimal *decimal)
{
    return read(text, true, decimal);
}

bool decimal_equals(const struct decimal *a, const struct decimal *b)
{
    return !a->more && !b->more && a->mantissa == b->mantissa && a->exponent == b->exponent &&
           (a->negative == b->negative || a->mantissa == 0);
}

static bool with_sign(uint64_t magnitude, bool negative, int64_t *integer)
{
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *integer = (int64_t)(negative ? -magnitude : magnitude);
    return true;
}

/* value * 10^exponent, 0 <= exponent; false: more than 64 bits. */
static bool times_power(uint64_t value, int64_t exponent, uint64_t *product)
{
    if (value != 0 && exponent > 19)
        return false;
    for (; value != 0 && exponent > 0; exponent--) {
        if (__builtin_mul_overflow(value, 10, &value))
            return false;
    }
    *product = value;
    return true;
}

bool decimal_to_integer(const struct decimal *decimal, int64_t *integer)
{
    uint64_t magnitude;

    /* Zeros at the end are stripped, so a negative exponent is a fraction. */
    return !decimal->more && decimal->exponent >= 0 &&
           times_power(decimal->mantissa, decimal->exponent, &magnitude) &&
           with_sign(magnitude, decimal->negative, integer);
}

bool decimal_scale_down(const struct decimal *decimal, int shift, int64_t *whole)
{
    int64_t exponent = decimal->exponent + shift;
    uint64_t magnitude = decimal->mantissa;
    bool fraction = decimal->more;

    if (exponent >= 0) {
        if (!times_power(magnitude, exponent, &magnitude))
            return false;
    } else {
        for (; exponent < 0 && magnitude != 0; exponent++) {
            fraction = fraction || magnitude % 10 != 0;
            magnitude /= 10;
        }
    }
    if (decimal->negative && fraction)
        magnitude++; /* down, away from zero; 19 digits leave room */
    return with_sign(magnitude, decimal->negative, whole);
}

/* value * 10^exponent for 0 <= exponent; false: more than a whole number and its billionths are. */
static bool times_long_power(uint128 *value, int64_t exponent)
{
    for (; *value != 0 && exponent > 0; exponent--) {
        if (*value > (uint128)INT64_MAX * BILLION / 10)
            return false;
        *value *= 10;
    }
    return true;
}

/* Counted in billionths, which 94 bits hold. */
bool decimal_split(const struct decimal *decimal, int shift, int64_t *whole, int32_t *billionths)
{
    int64_t exponent = decimal->exponent + shift + 9;
    uint128 magnitude = decimal->mantissa;
    bool fraction = decimal->more;
    uint128 rest;

    if (exponent > 0 && (decimal->more || !times_long_power(&magnitude, exponent)))
        return false;
    for (; exponent < 0 && magnitude != 0; exponent++) {
        fraction = fraction || magnitude % 10 != 0;
        magnitude /= 10;
    }
    if (decimal->negative && fraction)
        magnitude++; /* down, away from zero */
    rest = magnitude % BILLION;
    magnitude /= BILLION;
    if (decimal->negative && rest != 0) {
        magnitude++;
        rest = BILLION - rest;
    }
    *billionths = (int32_t)rest;
    return magnitude <= INT64_MAX && with_sign((uint64_t)magnitude, decimal->negative, whole);
}

/*
 * mantissa * 10^exponent, |exponent| <= INTEGER_POWERS, rounded once: a product fits 128 bits as it
 * is. A quotient of two numbers that are shifted to fill 64 bits has at least 63 of them, ten more
 * than a double keeps, so the last one can stand for whatever the division left.
 */
static double nearest_by_integers(uint64_t mantissa, int64_t exponent)
{
    uint64_t divisor;
    uint128 dividend;
    uint64_t quotient;
    int up;
    int down;

    if (exponent >= 0)
        return (double)((uint128)mantissa * integer_powers[exponent]);
    divisor = integer_powers[-exponent];
    up = __builtin_clzll(mantissa);
    down = __builtin_clzll(divisor);
    divisor <<= down;
    dividend = (uint128)(mantissa << up) << 63;
    quotient = (uint64_t)(dividend / divisor);
    quotient |= dividend % divisor != 0;
    return ldexp((double)quotient, down - up - 63);
}

/*
 * The nearest double to mantissa * 10^exponent. Where both are exact doubles one operation rounds
 * once, which is the right result (Clinger, "How to Read Floating Point Numbers Accurately").
 * strtod() does what is left; the text has no decimal point, so the locale has no say in it.
 */
static double nearest(uint64_t mantissa, int64_t exponent)
{
    char text[64];

    if (mantissa == 0)
        return 0;
    if (FLT_EVAL_METHOD == 0 && mantissa <= TWO_TO_53) {
        if (exponent >= 0 && exponent <= EXACT_POWERS)
            return (double)mantissa * powers[exponent];
        if (exponent < 0 && exponent >= -EXACT_POWERS)
            return (double)mantissa / powers[-exponent];
    }
    if (exponent >= -INTEGER_POWERS && exponent <= INTEGER_POWERS)
        return nearest_by_integers(mantissa, exponent);
    if (exponent > EXPONENT_IS_FAR)
        return HUGE_VAL;
    if (exponent < -EXPONENT_IS_FAR)
        return 0;
    snprintf(text, sizeof(text), "%" PRIu64 "e%" PRId64, mantissa, exponent);
    return strtod(text, NULL);
}

static int count_digits(uint64_t value)
{
    int digits = 1;

    for (; value >= 10; value /= 10)
        digits++;
    return digits;
}

/* --- Order --- */

/* The next significant digit of the number in [*p, end), or -1: there is none. */
static int next_digit(const char **p, const char *end)
{
    if (*p < end && **p == '.')
        (*p)++;
    if (*p == end || !is_digit(**p))
        return -1;
    return *(*p)++ - '0';
}

/* The first significant digit. */
static const char *skip_to_significant(struct slice text)
{
    const char *p = text.data;

    while (*p == '-' || *p == '0' || *p == '.')
        p++;
    return p;
}

/* Two numbers of more digits than a mantissa has, with the first digit at the same place. */
static int compare_digits(struct slice a, struct slice b)
{
    const char *p = skip_to_significant(a);
    const char *q = skip_to_significant(b);
    int left;
    int right;

    do {
        left = next_digit(&p, a.data + a.length);
        right = next_digit(&q, b.data + b.length);
        if (left != right && (left > 0 || right > 0)) /* 0 and no digit are the same */
            return left < right ? -1 : 1;
    } while (left >= 0 || right >= 0);
    return 0;
}

/* Both are above 0. */
static int compare_magnitudes(const struct decimal *a, struct slice a_text, const struct decimal *b,
                              struct slice b_text)
{
    int a_digits = count_digits(a->mantissa);
    int b_digits = count_digits(b->mantissa);
    int64_t a_exponent = a->exponent + a_digits;
    int64_t b_exponent = b->exponent + b_digits;
    uint64_t a_first = a->mantissa * integer_powers[MANTISSA_DIGITS - a_digits];
    uint64_t b_first = b->mantissa * integer_powers[MANTISSA_DIGITS - b_digits];

    if (a_exponent != b_exponent)
        return a_exponent < b_exponent ? -1 : 1;
    if (a_first != b_first)
        return a_first < b_first ? -1 : 1;
    if (a->more && b->more)
        return compare_digits(a_text, b_text);
    return (int)a->more - (int)b->more;
}

int decimal_compare(const struct decimal *a, struct slice a_text, const struct decimal *b,
                    struct slice b_text)
{
    int a_sign = a->mantissa == 0 ? 0 : a->negative ? -1 : 1;
    int b_sign = b->mantissa == 0 ? 0 : b->negative ? -1 : 1;

    if (a_sign != b_sign)
        return a_sign < b_sign ? -1 : 1;
    if (a_sign == 0)
        return 0;
    if (!a->more && !b->more && a->exponent == b->exponent)
        return a->mantissa == b->mantissa ? 0 : (a->mantissa < b->mantissa ? -a_sign : a_sign);
    return a_sign * compare_magnitudes(a, a_text, b, b_text);
}

/* --- Doubles --- */

/* What prints_back() means, by printing. */
static bool prints_back_slowly(uint64_t mantissa, int64_t exponent, double real)
{
    int digits = count_digits(mantissa);
    uint64_t printed = 0;
    char text[64];
    const char *p = text;

    snprintf(text, sizeof(text), "%.*e", digits - 1, real);
    for (; *p != 'e' && *p != '\0'; p++) {
        if (is_digit(*p)) /* but for the decimal point, which is the locale's */
            printed = printed * 10 + (uint64_t)(*p - '0');
    }
    return *p == 'e' && printed == mantissa && strtoll(p + 1, NULL, 10) == exponent + digits - 1;
}

/*
 * Whether `real`, the double nearest to mantissa * 10^exponent, printed with the mantissa's number
 * of digits gives the mantissa: whether they are less than half a unit of its last digit apart (at
 * exactly half, printing rounds to even). With real = n * 2^-k and exponent = -p that is
 * |n * 10^p - mantissa * 2^k| < 2^k / 2, and both products are below 2^127 for p up to 19.
 */
static bool prints_back(uint64_t mantissa, int64_t exponent, double real)
{
    int two;
    uint64_t n;
    uint128 a;
    uint128 b;
    uint128 apart;

    if (exponent >= 0 || exponent < -INTEGER_POWERS)
        return prints_back_slowly(mantissa, exponent, real);
    n = (uint64_t)ldexp(frexp(real, &two), DBL_MANT_DIG);
    two = DBL_MANT_DIG - two;
    if (two <= 0 || two > 80)
        return prints_back_slowly(mantissa, exponent, real);
    a = (uint128)n * integer_powers[-exponent];
    b = (uint128)mantissa << two;
    apart = 2 * (a > b ? a - b : b - a);
    if (apart == (uint128)1 << two)
        return mantissa % 2 == 0;
    return apart < (uint128)1 << two;
}

/*
 * A double is at most 2^-53 of its value away from what it stands for, unless it is subnormal. So a
 * mantissa below 2^52 is always printed back (any 15 digits, and many 16), and only what lies above
 * needs the look.
 */
bool decimal_to_exact_real(const struct decimal *decimal, double *real)
{
    double magnitude;

    if (decimal->mantissa == 0) {
        *real = 0;
        return true;
    }
    if (decimal->more || decimal->mantissa >= MANTISSA_ROOM / 10)
        return false;
    magnitude = nearest(decimal->mantissa, decimal->exponent);
    if (!isfinite(magnitude) || magnitude == 0)
        return false;
    if ((decimal->mantissa >= TWO_TO_52 || magnitude < DBL_MIN) &&
        !prints_back(decimal->mantissa, decimal->exponent, magnitude))
        return false;
    *real = decimal->negative ? -magnitude : magnitude;
    return true;
}

/* No double needs more than 767 digits to decide its rounding; what follows only breaks a tie. */
#define DECIDING_DIGITS 768

/* strtod() of the first digits of `text`, with a 1 behind them for whatever was cut off. */
static double nearest_of_many(const struct decimal *decimal, struct slice text)
{
    char digits[DECIDING_DIGITS + 32];
    int64_t exponent = decimal->exponent + 19; /* of a decimal point before the first digit */
    size_t used = 0;
    bool more = false;

    for (size_t i = 0; i < text.length && text.data[i] != 'e' && text.data[i] != 'E'; i++) {
        char c = text.data[i];

        if (!is_digit(c) || (used == 0 && c == '0'))
            continue;
        if (used < DECIDING_DIGITS)
            digits[used++] = c;
        else
            more = more || c != '0';
    }
    if (more)
        digits[used++] = '1';
    if (exponent > EXPONENT_IS_FAR)
        return HUGE_VAL;
    if (exponent < -EXPONENT_IS_FAR)
        return 0;
    snprintf(digits + used, sizeof(digits) - used, "e%" PRId64, exponent - (int64_t)used);
    return strtod(digits, NULL);
}

bool decimal_to_nearest_real(const struct decimal *decimal, struct slice text, double *real)
{
    double magnitude;

    if (decimal->more) /* then the mantissa has 19 digits, as nearest_of_many() expects */
        magnitude = nearest_of_many(decimal, text);
    else
        magnitude = nearest(decimal->mantissa, decimal->exponent);
    if (!isfinite(magnitude) || (magnitude == 0 && decimal->mantissa != 0))
        return false;
    *real = decimal->negative && magnitude != 0 ? -magnitude : magnitude;
    return true;
}

/* --- Written without an exponent --- */

/* The parts of a number as they stand there. */
struct written {
    struct slice whole;
    struct slice fraction;
    int64_t exponent;
    bool negative;
};

static struct slice take_slice(const char **p, const char *end)
{
    struct slice digits = {*p, 0};

    while (*p < end && is_digit(**p))
        (*p)++;
    digits.length = (size_t)(*p - digits.data);
    return digits;
}

static struct written take_apart(struct slice number)
{
    const char *p = number.data;
    const char *end = p + number.length;
    struct written w = {.negative = p < end && *p == '-'};
    struct decimal exponent = {0};

    if (p < end && (*p == '-' || *p == '+'))
        p++;
    w.whole = take_slice(&p, end);
    if (p < end && *p == '.') {
        p++;
        w.fraction = take_slice(&p, end);
    }
    if (p < end) {
        p++;
        take_exponent(&exponent, &p, end);
    }
    w.exponent = exponent.exponent;
    return w;
}

/* Digit `i` of whole and fraction in a row; those beyond either end are zeros. */
static char digit_at(const struct written *w, int64_t i)
{
    if (i < 0 || i >= (int64_t)(w->whole.length + w->fraction.length))
        return '0';
    return i < (int64_t)w->whole.length ? w->whole.data[i]
                                        : w->fraction.data[i - (int64_t)w->whole.length];
}

bool decimal_write_plain(struct slice number, struct text *out)
{
    struct written w = take_apart(number);
    int64_t count = (int64_t)(w.whole.length + w.fraction.length);
    int64_t point = (int64_t)w.whole.length + w.exponent;
    int64_t first = 0;
    bool zero = true;

    if (w.exponent > DECIMAL_MOST_PLACES || w.exponent < -DECIMAL_MOST_PLACES)
        return false;
    for (int64_t i = 0; i < count && zero; i++)
        zero = digit_at(&w, i) == '0';
    if (w.negative && !zero)
        text_char(out, '-');
    while (first + 1 < point && digit_at(&w, first) == '0')
        first++;
    if (point <= 0) /* "0.00" before the digits that came */
        text_char(out, '0');
    for (int64_t i = first; i < point; i++)
        text_char(out, digit_at(&w, i));
    if (point < count)
        text_char(out, '.');
    for (int64_t i = point; i < count; i++)
        text_char(out, digit_at(&w, i));
    return true;
}
