#include "document/escape.h"

#include <stdint.h>

#include "document/utf8.h"

#define NO_HEX UINT32_MAX

static uint32_t hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (uint32_t)(c - 'a' + 10);
    if (c >= 'A' && c <= 'F')
        return (uint32_t)(c - 'A' + 10);
    return NO_HEX;
}

/* The number of four digits; it stops at the first byte that is none. */
static uint32_t hex4(const char *text)
{
    uint32_t code = 0;

    for (int i = 0; i < 4; i++) {
        uint32_t digit = hex_digit(text[i]);

        if (digit == NO_HEX)
            return NO_HEX;
        code = code << 4 | digit;
    }
    return code;
}

static enum escape_status read_unicode(const char *text, char *out, size_t *written, size_t *length)
{
    uint32_t code = hex4(text + 2);
    uint32_t low;

    *length = 6;
    if (code == NO_HEX)
        return ESCAPE_HEX;
    if (code >= 0xd800 && code < 0xe000) {
        if (code >= 0xdc00 || text[6] != '\\' || text[7] != 'u')
            return ESCAPE_SURROGATE;
        low = hex4(text + 8);
        if (low == NO_HEX || low < 0xdc00 || low >= 0xe000)
            return ESCAPE_SURROGATE;
        *length = 12;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    *written = utf8_put(out, code);
    return ESCAPE_OK;
}

enum escape_status escape_read(const char *text, char quote, char *out, size_t *written,
                               size_t *length)
{
    static const char names[] = "bfnrt/\\";
    static const char meanings[] = "\b\f\n\r\t/\\";

    if (text[1] == 'u')
        return read_unicode(text, out, written, length);
    *length = 2;
    *written = 1;
    if (text[1] == quote) {
        *out = quote;
        return ESCAPE_OK;
    }
    for (size_t i = 0; names[i] != '\0'; i++) {
        if (text[1] == names[i]) {
            *out = meanings[i];
            return ESCAPE_OK;
        }
    }
    return ESCAPE_UNKNOWN;
}
