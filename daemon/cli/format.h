/*
 * format.h - result rows as a table, CSV, JSON or newline-delimited JSON on stdout.
 *
 * The table form is in text_table.h; CSV follows RFC 4180, JSON RFC 8259. A blob is written as
 * X'hex' in table and CSV, as a string of hex digits in JSON; text that is no UTF-8 has U+FFFD in
 * JSON where it is damaged.
 */
#ifndef GATHERD_CLI_FORMAT_H
#define GATHERD_CLI_FORMAT_H

#include <stddef.h>
#include <stdio.h>

#include "gatherd/row.h"

enum format { FORMAT_TABLE, FORMAT_CSV_TABLE, FORMAT_JSON_ARRAY, FORMAT_JSON_LINES };

/* By its name on the command line: table, csv, json, ndjson. -1: no such format. */
int format_by_name(const char *name);

struct formatter; /* opaque */

/* `terminal_width` of `out` in characters, 0: not a terminal. NULL: out of memory. */
struct formatter *formatter_create(enum format format, FILE *out, size_t terminal_width);
void formatter_free(struct formatter *formatter);

/* Hooks of store_query(): context is the formatter. Non-zero: out of memory, or `out` failed. */
int formatter_columns(void *context, const char *const *names, size_t count);
int formatter_row(void *context, const struct value *values, size_t count);

/* Writes what is still held; after the last row of a statement. -1 too when a hook failed. */
int formatter_end(struct formatter *formatter);

/* The errno of the write to `out` that failed; 0: none did, so it was memory that ran out. */
int formatter_errno(const struct formatter *formatter);

/* Instead of formatter_end() after an error of the query: rows that came, but no sign of an end. */
void formatter_break_off(struct formatter *formatter);

#endif
