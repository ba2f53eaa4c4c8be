#include "gatherd/duration.h"

#include <string.h>

#include "base/time_read.h"

__extension__ typedef unsigned __int128 uint128;

#define NS_PER_S 1000000000u
#define NS_OF(s) ((uint64_t)(s)*NS_PER_S)

/* Far above what a result may be, and sums of it stay within 128 bits. */
#define MOST_NS ((uint128)UINT64_MAX * NS_PER_S)

/* A whole number and its fraction. */
struct amount {
    uint64_t whole;
    int32_t billionths;
    bool has_fraction;
};

static bool read_amount(struct time_reader *r, struct amount *amount)
{
    const char *start = r->p;

    *amount = (struct amount){0};
    for (; time_at_digit(r) && amount->whole < UINT64_MAX / 100; r->p++)
        amount->whole = amount->whole * 10 + (uint64_t)(*r->p - '0');
    if (r->p == start || time_at_digit(r))
        return false;
    amount->has_fraction = time_next_is(r, '.') || time_next_is(r, ',');
    return !amount->has_fraction || time_fraction(r, &amount->billionths);
}

static bool add(uint128 *sum, const struct amount *amount, uint64_t unit_ns)
{
    *sum += (uint128)amount->whole * unit_ns + (uint128)amount->billionths * unit_ns / NS_PER_S;
    return *sum <= MOST_NS;
}

/* --- ISO 8601 --- */

struct unit {
    const char *name;
    uint64_t ns; /* 0: it has no fixed length */
};

static const struct unit iso_days[] = {
    {"Y", 0}, {"M", 0}, {"W", NS_OF(7 * S_PER_DAY)}, {"D", NS_OF(S_PER_DAY)}, {NULL, 0}};

static const struct unit iso_times[] = {
    {"H", NS_OF(S_PER_HOUR)}, {"M", NS_OF(S_PER_MINUTE)}, {"S", NS_PER_S}, {NULL, 0}};

/* Amounts with units of the list, each at most once and in its order, a fraction only in the last.
 */
static enum duration_form read_designated(struct time_reader *r, const struct unit *units,
                                          uint128 *sum, bool *any)
{
    struct amount amount = {0};

    while (time_at_digit(r)) {
        if (amount.has_fraction || !read_amount(r, &amount))
            return DURATION_UNKNOWN;
        while (units->name != NULL && (time_at_end(r) || *r->p != *units->name))
            units++;
        if (units->name == NULL)
            return DURATION_UNKNOWN;
        r->p++;
        if (units->ns == 0 && (amount.whole > 0 || amount.billionths > 0))
            return DURATION_OF_CALENDAR;
        if (!add(sum, &amount, units->ns))
            return DURATION_UNKNOWN;
        units++;
        *any = true;
    }
    return amount.has_fraction && !time_at_end(r) ? DURATION_UNKNOWN : DURATION_READ;
}

/* Behind the P. */
static enum duration_form read_iso(struct time_reader *r, uint128 *sum)
{
    bool any = false;
    enum duration_form form = read_designated(r, iso_days, sum, &any);

    if (form == DURATION_READ && time_next_is(r, 'T')) {
        any = false;
        form = read_designated(r, iso_times, sum, &any);
    }
    return form != DURATION_READ || (any && time_at_end(r)) ? form : DURATION_UNKNOWN;
}

/* --- Clocks --- */

/* "1.", "1 day, ", "2 days " */
static bool read_days(struct time_reader *r, uint128 *sum)
{
    static const char *const words[] = {"days", "day", NULL};
    struct time_reader ahead = *r;
    struct amount days = {0};

    for (; time_at_digit(&ahead) && days.whole < UINT64_MAX / 100; ahead.p++)
        days.whole = days.whole * 10 + (uint64_t)(*ahead.p - '0');
    if (time_blanks(&ahead)) {
        if (time_word(&ahead, words) == 0)
            return true;
        time_next_is(&ahead, ',');
        if (!time_blanks(&ahead))
            return false;
    } else if (!time_next_is(&ahead, '.')) {
        return true;
    }
    *r = ahead;
    return add(sum, &days, NS_OF(S_PER_DAY));
}

static enum duration_form read_clock(struct time_reader *r, uint128 *sum)
{
    struct amount hours = {0};
    struct amount minutes = {0};
    struct amount seconds = {0};
    int part;

    if (!read_days(r, sum) || !read_amount(r, &hours) || hours.has_fraction ||
        !time_next_is(r, ':') || !time_digits(r, 2, 0, 59, &part))
        return DURATION_UNKNOWN;
    minutes.whole = (uint64_t)part;
    if (time_at_end(r))
        return DURATION_AMBIGUOUS;
    if (!time_next_is(r, ':') || !time_digits(r, 2, 0, 59, &part))
        return DURATION_UNKNOWN;
    seconds.whole = (uint64_t)part;
    if ((time_next_is(r, '.') || time_next_is(r, ',')) && !time_fraction(r, &seconds.billionths))
        return DURATION_UNKNOWN;
    return time_at_end(r) && add(sum, &hours, NS_OF(S_PER_HOUR)) &&
                   add(sum, &minutes, NS_OF(S_PER_MINUTE)) && add(sum, &seconds, NS_PER_S)
               ? DURATION_READ
               : DURATION_UNKNOWN;
}

/* --- Numbers with units --- */

static const struct unit units[] = {
    {"w", NS_OF(7 * S_PER_DAY)},
    {"d", NS_OF(S_PER_DAY)},
    {"h", NS_OF(S_PER_HOUR)},
    {"m", NS_OF(S_PER_MINUTE)},
    {"s", NS_PER_S},
    {"ms", 1000000},
    {"us", 1000},
    {"\xc2\xb5s", 1000}, /* the micro sign, and the Greek letter, as Go writes and reads them */
    {"\xce\xbcs", 1000},
    {"ns", 1},
};

/* The letters behind a number. */
static const struct unit *read_unit(struct time_reader *r)
{
    const char *start = r->p;
    size_t length;

    while (!time_at_end(r) && !time_at_digit(r) && *r->p != ' ')
        r->p++;
    length = (size_t)(r->p - start);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strlen(units[i].name) == length && memcmp(units[i].name, start, length) == 0)
            return &units[i];
    }
    return NULL;
}

static enum duration_form read_units(struct time_reader *r, uint128 *sum)
{
    uint64_t last_ns = UINT64_MAX;
    struct amount amount;

    do {
        const struct unit *unit;

        if (!read_amount(r, &amount))
            return DURATION_UNKNOWN;
        unit = read_unit(r);
        if (unit == NULL || unit->ns >= last_ns || !add(sum, &amount, unit->ns))
            return DURATION_UNKNOWN;
        last_ns = unit->ns;
        time_blanks(r);
    } while (!time_at_end(r));
    return DURATION_READ;
}

/* --- All of them --- */

static bool set_seconds(uint128 ns, bool negative, struct decimal *seconds)
{
    *seconds = (struct decimal){.negative = negative && ns != 0};
    if (ns % NS_PER_S == 0)
        seconds->mantissa = (uint64_t)(ns / NS_PER_S); /* MOST_NS sees to it that it fits */
    else if (ns <= UINT64_MAX)
        *seconds = (struct decimal){seconds->negative, false, (uint64_t)ns, -9};
    else
        return false;
    return true;
}

enum duration_form duration_from_text(struct slice text, struct decimal *seconds)
{
    struct time_reader r;
    enum duration_form form;
    uint128 ns = 0;
    bool negative;

    text = slice_trim(text);
    r = (struct time_reader){text.data, text.data + text.length};
    negative = time_next_is(&r, '-');
    if (!negative)
        time_next_is(&r, '+');
    if (time_next_is(&r, 'P'))
        form = read_iso(&r, &ns);
    else if (memchr(r.p, ':', (size_t)(r.end - r.p)) != NULL)
        form = read_clock(&r, &ns);
    else
        form = read_units(&r, &ns);
    if (form == DURATION_READ && !set_seconds(ns, negative, seconds))
        return DURATION_UNKNOWN;
    return form;
}
