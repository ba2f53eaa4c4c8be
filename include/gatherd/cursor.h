/*
 * cursor.h - positions in a source that grows: how the values of `incremental` compare and move.
 *
 * A position is text as the API wrote it and is sent back byte for byte, unless lookback or step
 * move it. It is a number, a time or text; without `type` each value says itself which it is, and
 * two that differ in kind do not compare. Numbers compare exactly, with any number of digits, and
 * times down to the last digit of a second that stands there.
 */
#ifndef GATHERD_CURSOR_H
#define GATHERD_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "gatherd/node.h"
#include "gatherd/text.h"
#include "gatherd/timestamp.h"

/* How the positions compare. */
enum cursor_type {
    CURSOR_AUTO, /* each value says itself: a number, a time of RFC 3339, or text */
    CURSOR_NUMBER,
    CURSOR_TIMESTAMP,
    CURSOR_TEXT, /* byte by byte */
};

struct cursor_rule {
    enum cursor_type type;
    enum time_unit unit; /* CURSOR_TIMESTAMP: of numbers; TIME_UNIT_NONE: RFC 3339 text */
};

/* A distance between two positions; amount 0: none. */
struct span {
    int64_t amount;
    bool is_time; /* milliseconds; otherwise it is added to a number */
};

enum cursor_order { CURSOR_BEFORE = -1, CURSOR_SAME = 0, CURSOR_AFTER = 1, CURSOR_UNLIKE = 2 };

/* The text of a record's value; false: there is none (nothing found, null, a list, an object). */
bool cursor_of_node(const struct node *node, struct slice *text);

/* Whether a value is a position under the rule at all: a number where type says so, and so on. */
bool cursor_is_valid(const struct cursor_rule *rule, struct slice value);

enum cursor_order cursor_compare(const struct cursor_rule *rule, struct slice a, struct slice b);

/* The moment that a position stands for; false: it is no time. */
bool cursor_time(const struct cursor_rule *rule, struct slice value, int64_t *wall_ms);

/* Appends a moment in the form that `like` has: its unit, its precision, its separator. */
void cursor_write_time(const struct cursor_rule *rule, struct slice like, int64_t wall_ms,
                       struct text *out);

/*
 * Appends `value` moved by a span, forwards or (with `back`) backwards. False: the value and the
 * span do not go together (a duration and a plain number), or it leaves the range.
 */
bool cursor_move(const struct cursor_rule *rule, struct slice value, const struct span *span,
                 bool back, struct text *out);

#endif
