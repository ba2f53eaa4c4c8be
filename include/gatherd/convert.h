/*
 * convert.h - one decoded value to one cell of a row, without damage.
 *
 * Text is borrowed from the document or the arena. Without a declared type: a number is INTEGER
 * when it is written as one and fits 64 bits, REAL when a double gives back the same decimal, and
 * else TEXT with its digits; true and false are 1 and 0; a string is itself; an array or object is
 * its JSON text as it came. With a declared type the value becomes that type or does not fit. null
 * is NULL in any case; so is, with a declared type other than text, the empty string of a format
 * that has nothing but text (node_is_untyped()).
 */
#ifndef GATHERD_CONVERT_H
#define GATHERD_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/arena.h"
#include "gatherd/binary.h"
#include "gatherd/decimal.h"
#include "gatherd/node.h"
#include "gatherd/text.h"
#include "gatherd/timestamp.h"
#include "gatherd/value.h"
#include "gatherd/zone.h"

enum field_type {
    FIELD_UNDECLARED, /* the column takes the type of its first values and widens */
    FIELD_TEXT,
    FIELD_INTEGER,
    FIELD_REAL,
    FIELD_DECIMAL,   /* TEXT: all digits, no exponent */
    FIELD_BOOLEAN,   /* 0 or 1 */
    FIELD_JSON,      /* any value, as its JSON text */
    FIELD_TIMESTAMP, /* TEXT YYYY-MM-DDTHH:MM:SS.mmmZ */
    FIELD_DURATION,  /* REAL: seconds */
    FIELD_BLOB,
};

/* What a column is declared to hold, and how that is written in the values that come. */
struct value_rule {
    enum field_type type;
    enum time_unit unit;           /* of numbers of FIELD_TIMESTAMP and FIELD_DURATION */
    const char *format;            /* FIELD_TIMESTAMP: a pattern that was checked; NULL: none */
    const char *timezone;          /* FIELD_TIMESTAMP: the name of `zone`; NULL: none was given */
    const struct zone *zone;       /* of times that come without one; NULL: UTC */
    enum binary_encoding encoding; /* FIELD_BLOB: never BINARY_NONE */
};

enum value_fit {
    VALUE_FITS,
    VALUE_MISFIT, /* not of the declared type; *value is NULL */
    VALUE_NOMEM,
};

/*
 * What fits. Blanks around a string do not count, but for text, json and blob.
 * - text: strings, and numbers and booleans as they came.
 * - integer: whole numbers within 64 bits, however written, and strings that are one in canonical
 *   form: "007" is no number.
 * - real: numbers, and strings that are one, as the nearest double (who declares `real` asks for a
 *   double, so digits beyond its precision are given up; one beyond its range does not fit).
 * - decimal: the same, with all digits that came (decimal_write_plain()), trailing zeros included:
 *   they say how exact a number is.
 * - boolean: true and false, 1 and 0, and in strings of any case also yes, no, y, n, t, f, on, off.
 * - json: everything.
 * - timestamp: text by `format`, or in a form that is known by itself (timestamp.h); numbers, and
 *   digits in a string, by `unit`. Text without a zone is in `zone`: of a time that comes twice,
 *   because clocks are set back, the first is meant, and one that is skipped counts on from before
 *   (RFC 5545, 3.3.5). Written with milliseconds, and with as many further digits as came, in
 *   threes; with the unit us or ns with six or nine in any case, so that the column sorts.
 * - duration: text as in duration.h; numbers, and digits in a string, by `unit`.
 * - blob: strings by `encoding`.
 */
enum value_fit value_from_node(const struct node *node, const struct value_rule *rule,
                               struct arena *arena, struct value *value);

/*
 * The same key, however it is written: in a primary key of no declared type, text that is an
 * integer in canonical form ("17", not "017" or "+17") is that integer. So an id that an API turns
 * from number to string stays the key of its row.
 */
void value_as_key(struct value *value);

/* The value's JSON text as it came, or written into the arena where there is none. 0 or -1. */
int value_json_text(const struct node *node, struct arena *arena, struct slice *json);

/*
 * Why a value did not fit: column "magnitude": "strong" is not a real. `json` is the value's JSON
 * text, shortened here. NULL: out of memory.
 */
const char *value_misfit_reason(const char *column, struct slice json,
                                const struct value_rule *rule, struct arena *arena);

/* Appends the end of that: is not a real. */
void value_put_misfit(struct text *out, struct slice json, const struct value_rule *rule);

/* --- Values that mean nothing --- */

/* One of `null_values`. */
struct null_value {
    const char *text;
    size_t length;
    bool is_number;
    struct decimal number;
};

/* Fills one in; the text is borrowed. */
void null_value_set(struct null_value *null, const char *text, size_t length);

/*
 * Whether a scalar is among them, or the empty string of a format that has nothing but text, where
 * text is not meant. A string is compared byte for byte, true and false by their names, a number by
 * its value, however it is written; an array or object is always something.
 */
bool value_stands_for_none(const struct node *node, enum field_type type,
                           const struct null_value *nulls, size_t count);

/* Whether there is no value for a column: none was found (NULL), it is null, or it stands for it.
 */
static inline bool value_is_missing(const struct node *node, enum field_type type,
                                    const struct null_value *nulls, size_t count)
{
    if (node == NULL || node->type == NODE_NULL)
        return true;
    return (count > 0 || node_is_untyped(node)) && value_stands_for_none(node, type, nulls, count);
}

#endif
