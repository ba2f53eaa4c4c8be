#include "gatherd/column_name.h"

#include <string.h>

size_t utf8_length(const unsigned char *p, size_t left)
{
    size_t length = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (length == 0 || length > left || p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90))
        return 0; /* longer than needed */
    if ((p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0; /* surrogates; beyond U+10FFFF */
    return length;
}

bool utf8_valid(const char *data, size_t length)
{
    const unsigned char *p = (const unsigned char *)data;
    const unsigned char *end = p + length;

    while (p < end) {
        size_t step = utf8_length(p, (size_t)(end - p));

        if (step == 0)
            return false;
        p += step;
    }
    return true;
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static unsigned char fold(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool is_kept(unsigned char c)
{
    unsigned char lower = fold((char)c);

    return c >= 0x80 || (lower >= 'a' && lower <= 'z') || is_digit(c) || c == '_';
}

size_t name_from_member(struct slice member, char name[NAME_SIZE])
{
    const unsigned char *p = (const unsigned char *)member.data;
    size_t left = member.length;
    size_t used = 0;
    bool replacing = false; /* inside a run that has had its `_` */

    if (left > 0 && is_digit(*p))
        name[used++] = '_';
    while (left > 0) {
        size_t length = utf8_length(p, left);
        bool keep = length > 0 && is_kept(*p);

        if (used + (keep ? length : 1) > NAME_MAX_BYTES)
            break;
        if (keep) {
            memcpy(name + used, p, length);
            used += length;
        } else if (!replacing) {
            name[used++] = '_';
        }
        replacing = !keep;
        p += length > 0 ? length : 1;
        left -= length > 0 ? length : 1;
    }
    if (used == 0)
        name[used++] = '_';
    name[used] = '\0';
    return used;
}

bool name_same(const char *a, const char *b)
{
    while (*a != '\0' && fold(*a) == fold(*b)) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}
