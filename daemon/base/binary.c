#include "gatherd/binary.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

size_t binary_room(enum binary_encoding encoding, size_t length)
{
    return encoding == BINARY_HEX ? length / 2 + 1 : length / 4 * 3 + 3;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode_hex(struct slice text, char *bytes, size_t *length)
{
    if (text.length >= 2 && (memcmp(text.data, "\\x", 2) == 0 || memcmp(text.data, "0x", 2) == 0)) {
        text.data += 2;
        text.length -= 2;
    }
    *length = text.length / 2;
    for (size_t i = 0; i < *length; i++) {
        int high = hex_digit(text.data[2 * i]);
        int low = hex_digit(text.data[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (char)(high << 4 | low);
    }
    return text.length % 2 == 0;
}

static int base64_digit(char c, bool url)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (url ? '-' : '+'))
        return 62;
    return c == (url ? '_' : '/') ? 63 : -1;
}

static bool is_passed_over(char c)
{
    return c == '\r' || c == '\n' || c == ' ' || c == '\t';
}

/* What follows the last letter: nothing, or the padding that makes the last group four. */
static bool is_end(const char *p, const char *end, size_t letters)
{
    size_t padding = 0;

    for (; p < end; p++) {
        if (is_passed_over(*p))
            continue;
        if (*p != '=')
            return false;
        padding++;
    }
    return padding == 0 || (padding <= 2 && (letters + padding) % 4 == 0);
}

static bool decode_base64(struct slice text, bool url, char *bytes, size_t *length)
{
    const char *end = text.data + text.length;
    const char *p = text.data;
    uint32_t bits = 0;
    size_t letters = 0;
    int count = 0;

    *length = 0;
    for (; p < end; p++) {
        int digit = base64_digit(*p, url);

        if (digit < 0 && is_passed_over(*p))
            continue;
        if (digit < 0)
            break;
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        letters++;
        if (count >= 8) {
            count -= 8;
            bytes[(*length)++] = (char)(bits >> count);
            bits &= (1u << count) - 1;
        }
    }
    return letters % 4 != 1 && bits == 0 && is_end(p, end, letters);
}

bool binary_decode(enum binary_encoding encoding, struct slice text, char *bytes, size_t *length)
{
    assert(encoding != BINARY_NONE);
    if (encoding == BINARY_HEX)
        return decode_hex(text, bytes, length);
    return decode_base64(text, encoding == BINARY_BASE64URL, bytes, length);
}
