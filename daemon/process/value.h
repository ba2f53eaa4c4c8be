/*
 * value.h - one decoded value to one cell of a row, without damage.
 *
 * Text is borrowed from the body or the arena. Without a declared type: a number is INTEGER when it
 * is written as one and fits 64 bits, REAL when a double gives back the same decimal, and else TEXT
 * with its digits; true and false are 1 and 0; a string is itself; an array or object is its JSON
 * text as it came. With a declared type the value becomes that type or does not fit. null is NULL
 * in any case; so is, with a declared type other than text, the empty string of a format that has
 * nothing but text (node_is_untyped()).
 */
#ifndef GATHERD_PROCESS_VALUE_H
#define GATHERD_PROCESS_VALUE_H

#include "gatherd/arena.h"
#include "gatherd/config.h"
#include "gatherd/node.h"
#include "gatherd/row.h"

enum value_fit {
    VALUE_FITS,
    VALUE_MISFIT, /* not of the declared type; *value is NULL */
    VALUE_NOMEM,
};

/*
 * What fits: text: strings, and numbers and booleans as they came. integer: whole numbers within 64
 * bits, however written, and strings that are one in canonical form. real: numbers and strings that
 * are one, as the nearest double (who declares `real` asks for a double, so digits beyond its
 * precision are given up; a number beyond its range does not fit). boolean: true, false, 0, 1,
 * "true", "false". json: everything. timestamp: see timestamp.h.
 */
enum value_fit value_from_node(const struct node *node, enum field_type type, enum time_unit unit,
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
const char *value_misfit_reason(const char *column, struct slice json, enum field_type type,
                                enum time_unit unit, struct arena *arena);

#endif
