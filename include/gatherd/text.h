/*
 * text.h - a growing run of bytes, and slices of bytes that belong to somebody else.
 *
 * struct text builds strings of unknown length. A failed allocation is remembered and reported
 * once, by text_failed(), so that twenty appends in a row need one check. One thread only.
 */
#ifndef GATHERD_TEXT_H
#define GATHERD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes owned by somebody else, without a NUL behind them. */
struct slice {
    const char *data; /* NULL only when length is 0 */
    size_t length;
};

struct text {
    char *data; /* owned, with a NUL behind the length; NULL while empty */
    size_t length;
    size_t capacity;
    bool failed; /* an allocation failed: what is here is incomplete */
};

void text_free(struct text *text);  /* leaves an empty text */
void text_clear(struct text *text); /* length 0, memory and all is kept, `failed` is forgotten */

void text_append(struct text *text, const char *data, size_t length);
void text_add(struct text *text, const char *string);
void text_char(struct text *text, char c);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Makes room for `more` further bytes. */
void text_reserve(struct text *text, size_t more);

/* The string so far, "" when empty; borrowed until the next change. */
const char *text_string(const struct text *text);

/* Hands the string over to the caller, who frees it with free(). NULL when an allocation failed. */
char *text_take(struct text *text);

bool text_failed(const struct text *text);

/*
 * Appends what came from outside as people may see it: control characters, marks that change the
 * direction of a line or cannot be seen, and bytes that are no UTF-8 become \n, \t or \xNN.
 */
void text_visible(struct text *text, const char *data, size_t length);

/*
 * Whether a character is not seen but changes what is seen around it: C1 controls, and of Unicode's
 * format characters (category Cf) and separators those that hide text, reorder it or break the
 * line.
 */
bool text_is_deceptive(uint32_t character);

/* A JSON string literal, in quotes, of `length` bytes of UTF-8; and the same without quotes. */
void text_json_string(struct text *text, const char *data, size_t length);
void text_json_escaped(struct text *text, const char *data, size_t length);

/* Percent-encoded, but for RFC 3986's unreserved characters (2.3): letters, digits and -._~ */
void text_url_encoded(struct text *text, const char *data, size_t length);
void text_url_escape(struct text *text, unsigned char byte); /* %XX, whatever it is */

bool slice_equals(struct slice slice, const char *string);
bool slice_same(struct slice a, struct slice b);
struct slice slice_of(const char *string);   /* NULL gives the empty slice */
struct slice slice_trim(struct slice slice); /* without the blanks (ASCII) around it */

#endif
