/*
 * pretty.h - what came from outside, for people to read: nothing in it moves the cursor.
 */
#ifndef GATHERD_CLI_PRETTY_H
#define GATHERD_CLI_PRETTY_H

#include <stdbool.h>
#include <stddef.h>

#include "gatherd/text.h"

/* Appends JSON with a line for each value. False: it is no JSON, and nothing was appended. */
bool pretty_json(struct text *out, const char *body, size_t length);

/* Appends any bytes; line breaks and tabs stay, other controls become \xNN. */
void pretty_text(struct text *out, const char *body, size_t length);

#endif
