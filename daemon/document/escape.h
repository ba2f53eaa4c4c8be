/*
 * escape.h - the backslash escapes that JSON strings and the quoted names of JSONPath share.
 */
#ifndef GATHERD_DOCUMENT_ESCAPE_H
#define GATHERD_DOCUMENT_ESCAPE_H

#include <stddef.h>

enum escape_status {
    ESCAPE_OK,
    ESCAPE_UNKNOWN,   /* no escape begins with this character */
    ESCAPE_HEX,       /* not four hexadecimal digits behind \u */
    ESCAPE_SURROGATE, /* half of a surrogate pair */
};

/*
 * Reads the escape whose backslash is at `text`, and which a NUL ends at the latest. Writes its
 * character to `out` (at most 4 bytes, `*written` of them) and the bytes of the escape to
 * `*length`. A quote is not special here: `quote` is the one that may stand behind a backslash.
 */
enum escape_status escape_read(const char *text, char quote, char *out, size_t *written,
                               size_t *length);

#endif
