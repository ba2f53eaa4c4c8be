/*
 * unpack_output.h - where unpacked bytes go: private to unpack.c and unpack_zip.c.
 *
 * It is let grow one byte above the limit, so that whoever fills it sees that there is more.
 */
#ifndef GATHERD_DOCUMENT_UNPACK_OUTPUT_H
#define GATHERD_DOCUMENT_UNPACK_OUTPUT_H

#include <stdbool.h>

#include "gatherd/unpack.h"

struct unpack_output {
    struct arena *arena;
    size_t most;
    char *data;
    size_t length;
    size_t capacity; /* without the byte for the NUL */
};

/* Begins with room for `expected` bytes, as far as they are allowed. -1: out of memory. */
int unpack_output_start(struct unpack_output *out, size_t expected);

/* Makes room where there is none left. UNPACK_OK, UNPACK_TOO_LARGE or UNPACK_NOMEM. */
enum unpack_status unpack_output_grow(struct unpack_output *out);

/* What came, with a NUL behind it. UNPACK_OK or UNPACK_TOO_LARGE. */
enum unpack_status unpack_output_finish(struct unpack_output *out, struct slice *text);

/* Notes what is wrong and returns UNPACK_BROKEN. */
enum unpack_status unpack_fail(struct unpacked *unpacked, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

enum unpack_status unpack_zip(struct slice body, const char *member, struct unpack_output *out,
                              struct unpacked *unpacked);

#endif
