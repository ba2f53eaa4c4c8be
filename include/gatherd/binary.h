/*
 * binary.h - bytes that were written as text.
 */
#ifndef GATHERD_BINARY_H
#define GATHERD_BINARY_H

#include <stdbool.h>

#include "gatherd/text.h"

enum binary_encoding {
    BINARY_NONE,      /* not said */
    BINARY_BASE64,    /* RFC 4648, 4 */
    BINARY_BASE64URL, /* RFC 4648, 5: - and _ in place of + and / */
    BINARY_HEX,       /* in either case; \x or 0x may stand before it */
};

/* Room that binary_decode() needs for a text of this length. */
size_t binary_room(enum binary_encoding encoding, size_t length);

/*
 * Writes the bytes and their number. Of base64, line breaks and blanks are passed over, as in mail
 * (RFC 2045, 6.8), and the padding may be missing as a whole. False: the text is not of that
 * encoding, or its last letter holds bits that belong to no byte.
 */
bool binary_decode(enum binary_encoding encoding, struct slice text, char *bytes, size_t *length);

#endif
