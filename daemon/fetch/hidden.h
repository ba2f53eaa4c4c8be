/*
 * hidden.h - the secrets of one request, to be hidden in what the server says about it.
 *
 * "Invalid key: abc": servers repeat what they were sent, and their words go into errors and dead
 * letters. What they send as data is theirs and stays as it is.
 */
#ifndef GATHERD_FETCH_HIDDEN_H
#define GATHERD_FETCH_HIDDEN_H

#include <stddef.h>

#include "gatherd/text.h"

/* What is shorter would be found in every word. */
#define HIDDEN_LEAST_BYTES 4u

/* Secrets, each with a NUL behind it; wiped with secret_wipe(). */
struct hidden {
    struct text secrets; /* owned */
};

/* As it is, and as it stands in a URL or a form. */
void hidden_add(struct hidden *hidden, const char *secret);

/* Wipes and frees them. */
void hidden_clear(struct hidden *hidden);

/* Bytes of the longest secret that stands at `p`, where `left` bytes are; 0: none. */
size_t hidden_at(const struct hidden *hidden, const char *p, size_t left);

/* Overwrites each secret in the data with asterisks. */
void hidden_overwrite(const struct hidden *hidden, char *data, size_t length);

#endif
