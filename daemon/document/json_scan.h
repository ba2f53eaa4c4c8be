/*
 * json_scan.h - the loops of the JSON reader that look at many bytes at once.
 *
 * Each has a form for SSE2, which every x86-64 has, and one of plain C that looks at 8 bytes in a
 * register. Nothing behind `end` is read by either; the last bytes of the text are taken one by
 * one.
 */
#ifndef GATHERD_DOCUMENT_JSON_SCAN_H
#define GATHERD_DOCUMENT_JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define EVERY_BYTE(c) (UINT64_C(0x0101010101010101) * (uint64_t)(c))

/* ASCII that stands for itself within a string: no quote, no backslash, no control character. */
static inline bool is_plain(char c)
{
    return (signed char)c >= 0x20 && c != '"' && c != '\\';
}

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline const char *scan_plain_bytes(const char *p, const char *end)
{
    while (p < end && is_plain(*p))
        p++;
    return p;
}

/* Whether one of 8 bytes is not plain; it may say yes for a plain byte behind such a one. */
static inline bool any_not_plain(uint64_t word)
{
    uint64_t quote = word ^ EVERY_BYTE('"');
    uint64_t backslash = word ^ EVERY_BYTE('\\');
    uint64_t found = word; /* the top bit: not ASCII */

    found |= (quote - EVERY_BYTE(1)) & ~quote;
    found |= (backslash - EVERY_BYTE(1)) & ~backslash;
    found |= (word - EVERY_BYTE(0x20)) & ~word;
    return (found & EVERY_BYTE(0x80)) != 0;
}

/* The first byte from `p` that is not plain, or `end`: what a machine without SSE2 uses. */
static inline const char *scan_plain_portable(const char *p, const char *end)
{
    while (end - p >= 8) {
        uint64_t word;

        memcpy(&word, p, sizeof(word));
        if (any_not_plain(word))
            break;
        p += 8;
    }
    return scan_plain_bytes(p, end);
}

/* The first byte behind white space; `newline` is a line feed, or a space where a line feed ends.
 */
static inline const char *scan_space_portable(const char *p, const char *end, char newline)
{
    while (p < end && (*p == ' ' || *p == newline || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

/*
 * A number that is complete and well within the text, in one look: returns its end, or NULL for one
 * that wants a closer look. A machine without SSE2 has no short way.
 */
static inline const char *scan_number_portable(const char *p, const char *end, bool *integer)
{
    (void)p;
    (void)end;
    (void)integer;
    return NULL;
}

#ifdef __SSE2__

static inline const char *scan_plain(const char *p, const char *end)
{
    while (end - p >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
        __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
        /* Bytes are signed here: below a space are the control characters and all beyond ASCII. */
        __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
        int stops = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), low));

        if (stops != 0)
            return p + __builtin_ctz((unsigned)stops);
        p += 16;
    }
    return scan_plain_bytes(p, end);
}

static inline const char *scan_space(const char *p, const char *end, char newline)
{
    while (end - p >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i blank = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')),
                                     _mm_cmpeq_epi8(bytes, _mm_set1_epi8(newline)));
        __m128i other = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')),
                                     _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')));
        unsigned stops = (unsigned)_mm_movemask_epi8(_mm_or_si128(blank, other)) ^ 0xffffu;

        if (stops != 0)
            return p + __builtin_ctz(stops);
        p += 16;
    }
    return scan_space_portable(p, end, newline);
}

static inline const char *scan_number(const char *p, const char *end, bool *integer)
{
    __m128i bytes, digits;
    unsigned others;
    unsigned whole;

    if (*p == '-')
        p++;
    if (end - p < 16)
        return NULL;
    bytes = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), _mm_set1_epi8('0'));
    digits = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(9)), bytes);
    others = ~(unsigned)_mm_movemask_epi8(digits); /* the bits from 16 on are set too */
    whole = (unsigned)__builtin_ctz(others);
    if (whole >= 15 || whole == 0 || (whole > 1 && *p == '0'))
        return NULL;
    p += whole;
    if (*p == '.') {
        unsigned part = (unsigned)__builtin_ctz(others >> (whole + 1));

        if (part == 0 || whole + 1 + part >= 16)
            return NULL;
        *integer = false;
        p += 1 + part;
    }
    return (*p | 0x20) == 'e' ? NULL : p;
}

#else

static inline const char *scan_plain(const char *p, const char *end)
{
    return scan_plain_portable(p, end);
}

static inline const char *scan_space(const char *p, const char *end, char newline)
{
    return scan_space_portable(p, end, newline);
}

static inline const char *scan_number(const char *p, const char *end, bool *integer)
{
    return scan_number_portable(p, end, integer);
}

#endif
#endif
