/*
 * text_table.h - rows as a table for people to look at.
 *
 * Numbers stand right, text left; nothing in a value can move the cursor or break a line. Widths
 * come from the first rows, which are held until there are enough of them. On a terminal a table
 * that is too wide for it is narrowed, with "..." as one character where a value was cut, and one
 * that cannot be is written as records, a line a column. Elsewhere nothing is cut.
 */
#ifndef GATHERD_CLI_TEXT_TABLE_H
#define GATHERD_CLI_TEXT_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "gatherd/row.h"

struct text_table; /* opaque */

/* `terminal_width` in characters; 0: not a terminal. NULL: out of memory. */
struct text_table *text_table_create(FILE *out, size_t terminal_width, const char *const *names,
                                     size_t count);

/* `values` has one for each name. -1: out of memory, or `out` failed. */
int text_table_row(struct text_table *table, const struct value *values);

/* Writes what is still held; after the last row. */
int text_table_end(struct text_table *table);

void text_table_free(struct text_table *table); /* NULL is allowed */

#endif
