/*
 * plain.h - a value of the database as plain text, the same in every format that has no types.
 */
#ifndef GATHERD_CLI_PLAIN_H
#define GATHERD_CLI_PLAIN_H

#include "gatherd/row.h"
#include "gatherd/text.h"

/*
 * Appends the value: digits; the shortest decimal that reads back as the same double; text as it
 * is; a blob as X'hex'; nothing for NULL.
 */
void plain_put(struct text *text, const struct value *value);

/* Appends two hex digits for each byte. */
void plain_put_hex(struct text *text, const char *data, size_t length);

#endif
