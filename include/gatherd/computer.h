/*
 * computer.h - calculates expressions (expression.h) for one row after the other.
 *
 * It has a SQLite connection of its own, without any database in it: a row is never stored there,
 * SQLite asks for the columns it needs and borrows their text. Compiled expressions are kept from
 * one response to the next. One thread only.
 *
 * No expression holds its thread up: for one row it may take COMPUTER_MAX_INSTRUCTIONS of SQLite's
 * machine and values of up to COMPUTER_MAX_VALUE_BYTES, and for one response COMPUTER_MAX_CPU_MS of
 * the processor's time.
 */
#ifndef GATHERD_COMPUTER_H
#define GATHERD_COMPUTER_H

#include <stddef.h>
#include <stdint.h>

#include "gatherd/error.h"
#include "gatherd/expression.h"
#include "gatherd/value.h"

#define COMPUTER_MAX_INSTRUCTIONS 1000000
#define COMPUTER_MAX_VALUE_BYTES  (4 * 1024 * 1024)
#define COMPUTER_MAX_CPU_MS       10000

struct computer; /* opaque */

/* NULL: out of memory. Its connection is opened when it is needed. */
struct computer *computer_create(void);
void computer_free(struct computer *computer); /* NULL is allowed */

/* A response begins: what was prepared for earlier ones may go, and its time counts from here. */
void computer_begin(struct computer *computer);

struct calculations; /* the compiled expressions of one set; the computer's, until the response ends
                      */

/*
 * Compiles the expressions, or finds them again. NULL with ERROR_NOMEM; or ERROR_FAILED: SQLite
 * does not take what it took when the expressions were checked.
 */
struct calculations *computer_prepare(struct computer *computer, const struct expression_set *from,
                                      struct error *err);

enum computed {
    COMPUTED,
    COMPUTED_NOTHING, /* the row has no value: err says why, for its dead letter */
    COMPUTED_STOPPED, /* the response has used up its time: err says so */
    COMPUTED_NOMEM,
};

/* A place that is no cell: the column is NULL. */
#define NO_CELL UINT32_MAX

/*
 * The value of expression `index` for one row. `places` says for each of its columns which of the
 * cells it is; one beyond `count` is NULL. Text in `*value` lives until the same expression is
 * calculated again.
 */
enum computed computer_evaluate(struct calculations *set, size_t index, const struct value *cells,
                                size_t count, const uint32_t *places, struct value *value,
                                struct error *err);

#endif
