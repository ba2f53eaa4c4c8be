/*
 * decoding.h - undoes the Content-Encoding of a body, piece by piece as it comes.
 *
 * libcurl could do it, but takes a body that is cut off for a whole one: rows of a table would be
 * missing, or end in half a number, and nobody would know. Here a body is whole when each of its
 * codings says so.
 */
#ifndef GATHERD_FETCH_DECODING_H
#define GATHERD_FETCH_DECODING_H

#include <stdbool.h>
#include <stddef.h>

#include "gatherd/text.h"

/* What requests say they accept. */
#define DECODING_ACCEPTED "gzip, deflate, br, zstd"

enum decoding_status {
    DECODING_OK,
    DECODING_STOPPED, /* the sink took no more */
    DECODING_BROKEN,  /* see decoding_reason() */
    DECODING_NOMEM,
};

struct decoding; /* opaque; of one body */

/* Takes what comes out; false: no more of it. */
typedef bool (*decoding_sink)(const char *data, size_t length, void *userdata);

/* `userdata` is borrowed until decoding_free(). NULL: out of memory. */
struct decoding *decoding_create(decoding_sink sink, void *userdata);
void decoding_free(struct decoding *decoding);

/*
 * The value of a Content-Encoding header, before the body; of several headers each, in their order.
 * A coding that is not known here breaks the body when it comes.
 */
enum decoding_status decoding_add(struct decoding *decoding, struct slice codings);

/* Whether there is anything to undo. */
bool decoding_is_needed(const struct decoding *decoding);

enum decoding_status decoding_feed(struct decoding *decoding, const char *data, size_t length);

/* The body has ended. One of no bytes at all is whole. */
enum decoding_status decoding_finish(struct decoding *decoding);

/* Why it is broken, in words for people. */
const char *decoding_reason(const struct decoding *decoding);

#endif
