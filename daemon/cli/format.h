/*
 * format.h - result rows as a table, CSV, JSON or newline-delimited JSON on stdout.
 *
 * No output can carry control characters to a terminal in the table form; CSV follows RFC 4180,
 * JSON RFC 8259. A blob is written as X'hex' in table and CSV, as a string of hex digits in JSON.
 */
#ifndef GATHERD_CLI_FORMAT_H
#define GATHERD_CLI_FORMAT_H

#include <stddef.h>
#include <stdio.h>

#include "gatherd/row.h"

enum format { FORMAT_TABLE, FORMAT_CSV, FORMAT_JSON_ARRAY, FORMAT_JSON_LINES };

/* By its name on the command line: table, csv, json, ndjson. -1: no such format. */
int format_by_name(const char *name);

struct formatter; /* opaque */

struct formatter *formatter_create(enum format format, FILE *out); /* NULL: out of memory */
void formatter_free(struct formatter *formatter);

/* Hooks of store_query(): context is the formatter. Non-zero: out of memory, or `out` failed. */
int formatter_columns(void *formatter, const char *const *names, size_t count);
int formatter_row(void *formatter, const struct value *values, size_t count);

/* Writes what is still held; after the last row of a statement. */
int formatter_end(struct formatter *formatter);

#endif
