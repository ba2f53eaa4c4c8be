/*
 * once.h - the table that `gatherd run --once` prints: one line a source.
 */
#ifndef GATHERD_CLI_ONCE_H
#define GATHERD_CLI_ONCE_H

#include <stdio.h>

#include "gatherd/config.h"
#include "gatherd/row.h"

struct once_table; /* opaque */

/* `config` is borrowed until once_table_free(). NULL: out of memory. */
struct once_table *once_table_create(const struct config *config);
void once_table_free(struct once_table *table);

/* Takes down what became of one run: the pipeline's `committed` hook. */
void once_table_add(void *context, const struct result *result);

/* Prints the table; returns how many sources failed or had records rejected. */
size_t once_table_print(const struct once_table *table, FILE *out);

/* Runs taken down so far. */
size_t once_table_length(const struct once_table *table);

#endif
