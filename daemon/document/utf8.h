/*
 * utf8.h - UTF-8 one character at a time, for the readers in this room.
 *
 * Both functions are strict (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF.
 */
#ifndef GATHERD_DOCUMENT_UTF8_H
#define GATHERD_DOCUMENT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool utf8_continues(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/*
 * Bytes of the character at `text`, 1 to 4, or 0 when it is not UTF-8. A byte that continues no
 * character, such as a NUL, must stand behind the text: reading stops there.
 */
static inline unsigned utf8_length(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || !utf8_continues(p[1]))
        return 0;
    if (p[0] < 0xe0)
        return 2;
    if (!utf8_continues(p[2]))
        return 0;
    if (p[0] < 0xf0) {
        unsigned head = (unsigned)p[0] << 8 | p[1];

        return head < 0xe0a0 || (head >= 0xeda0 && head < 0xee00) ? 0 : 3;
    }
    if (p[0] > 0xf4 || !utf8_continues(p[3]))
        return 0;
    if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
        return 0;
    return 4;
}

/* Writes `code`, which is no surrogate, in at most 4 bytes, and returns how many. */
static inline size_t utf8_put(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

#endif
