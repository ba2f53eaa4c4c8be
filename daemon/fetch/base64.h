/*
 * base64.h - bytes as base64 text (RFC 4648, 4).
 */
#ifndef GATHERD_FETCH_BASE64_H
#define GATHERD_FETCH_BASE64_H

#include "gatherd/text.h"

void base64_write(struct text *out, const char *data, size_t length);

#endif
