/*
 * charset.h - text in any character set to UTF-8, by iconv.
 *
 * What a server or a document calls its character set is looked up in a table of our own, so that
 * nothing from outside chooses which of iconv's modules is loaded; an operator may name any that
 * iconv knows. A conversion is strict: a byte that is none of the set is an error, never replaced.
 */
#ifndef GATHERD_CHARSET_H
#define GATHERD_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

#include "gatherd/arena.h"
#include "gatherd/text.h"

enum charset_status {
    CHARSET_OK,
    CHARSET_UNKNOWN,   /* iconv does not know the name */
    CHARSET_INVALID,   /* see the error */
    CHARSET_TOO_LARGE, /* more than `most` bytes as UTF-8 */
    CHARSET_NOMEM,
};

/* Filled for CHARSET_INVALID. */
struct charset_error {
    size_t offset; /* of the byte that does not belong, from 0 */
    unsigned line; /* where it stands, from 1 */
    bool cut;      /* the text ends inside a character */
};

/*
 * iconv's name for a character set as headers and documents write it (ISO_8859-1, latin1,
 * x-sjis...); case and punctuation do not count. NULL: none that is known.
 */
const char *charset_by_label(struct slice label);

/* The name to use for one that an operator wrote: a label, or what iconv knows. NULL: neither. */
const char *charset_by_name(const char *name);

/* UTF-8, and what is part of it. `charset` is a name from here. */
bool charset_is_utf8(const char *charset);

/*
 * ISO-8859-1, which many servers declare by default. A text that is UTF-8 throughout is hardly ever
 * in it, since half of the bytes that go on in UTF-8 are control characters there; in windows-1252
 * they are letters and signs.
 */
bool charset_is_latin1(const char *charset);

/* By the byte order mark the text begins with; NULL: there is none. */
const char *charset_by_mark(struct slice text);

/* UTF-16 or UTF-32 by the zeros between the first characters, which are ASCII; NULL: neither. */
const char *charset_by_zeros(struct slice text);

/*
 * Converts a text of at most `most` bytes as UTF-8, without the byte order mark it may begin with.
 * The result is in the arena, with a NUL behind it. UTF-16 and UTF-32 without a byte order go by
 * the mark, else by the zeros.
 */
enum charset_status charset_convert(const char *charset, struct slice from, size_t most,
                                    struct arena *arena, struct slice *to,
                                    struct charset_error *error);

/* Offset of the first byte that is not UTF-8, or the length. A NUL stands behind the text. */
size_t charset_check_utf8(struct slice text);

#endif
