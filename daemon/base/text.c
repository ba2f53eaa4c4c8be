#include "gatherd/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST_CAPACITY 64u

void text_free(struct text *text)
{
    free(text->data);
    *text = (struct text){0};
}

void text_clear(struct text *text)
{
    text->length = 0;
    text->failed = false;
    if (text->data != NULL)
        text->data[0] = '\0';
}

void text_reserve(struct text *text, size_t more)
{
    size_t capacity = text->capacity < SMALLEST_CAPACITY ? SMALLEST_CAPACITY : text->capacity;
    char *data;

    if (text->failed || more < text->capacity - text->length)
        return;
    if (more > SIZE_MAX / 4 || text->length > SIZE_MAX / 4) {
        text->failed = true;
        return;
    }
    while (capacity <= text->length + more)
        capacity *= 2;
    data = realloc(text->data, capacity);
    if (data == NULL) {
        text->failed = true;
        return;
    }
    text->data = data;
    text->capacity = capacity;
}

void text_append(struct text *text, const char *data, size_t length)
{
    text_reserve(text, length);
    if (text->failed)
        return;
    if (length > 0)
        memcpy(text->data + text->length, data, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void text_add(struct text *text, const char *string)
{
    text_append(text, string, strlen(string));
}

void text_char(struct text *text, char c)
{
    text_append(text, &c, 1);
}

void text_format(struct text *text, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) {
        text->failed = true;
        return;
    }
    text_reserve(text, (size_t)length);
    if (text->failed)
        return;
    va_start(args, format);
    vsnprintf(text->data + text->length, (size_t)length + 1, format, args);
    va_end(args);
    text->length += (size_t)length;
}

const char *text_string(const struct text *text)
{
    return text->data == NULL ? "" : text->data;
}

char *text_take(struct text *text)
{
    char *data = NULL;

    if (text->data == NULL)
        text_append(text, "", 0);
    if (!text->failed) {
        data = text->data;
        text->data = NULL;
    }
    text_free(text);
    return data;
}

bool text_failed(const struct text *text)
{
    return text->failed;
}

bool text_is_deceptive(uint32_t character)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } ranges[] = {
        {0x80, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},   {0x180e, 0x180e}, {0x200b, 0x200f},
        {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (character >= ranges[i].first && character <= ranges[i].last)
            return true;
    }
    return false;
}

/* Length of the well-formed UTF-8 character at p that a terminal may be shown, or 0. */
static size_t visible_utf8(const unsigned char *p, size_t left)
{
    uint32_t c;
    size_t length;

    if (p[0] >= 0x20 && p[0] < 0x7f)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        length = 2;
        c = p[0] & 0x1fu;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        length = 3;
        c = p[0] & 0x0fu;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        length = 4;
        c = p[0] & 0x07u;
    } else {
        return 0;
    }
    if (length > left)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    if ((length == 3 && c < 0x800) || (length == 4 && (c < 0x10000 || c > 0x10ffff)))
        return 0;
    if ((c >= 0xd800 && c <= 0xdfff) || text_is_deceptive(c))
        return 0; /* surrogates are not characters */
    return length;
}

void text_visible(struct text *text, const char *data, size_t length)
{
    const unsigned char *p = (const unsigned char *)data;

    while (length > 0) {
        size_t shown = visible_utf8(p, length);

        if (shown > 0)
            text_append(text, (const char *)p, shown);
        else if (*p == '\n' || *p == '\t')
            text_add(text, *p == '\n' ? "\\n" : "\\t");
        else
            text_format(text, "\\x%02x", *p);
        length -= shown > 0 ? shown : 1;
        p += shown > 0 ? shown : 1;
    }
}

void text_json_escaped(struct text *text, const char *data, size_t length)
{
    size_t done = 0;

    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)data[i];

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        text_append(text, data + done, i - done);
        done = i + 1;
        if (c == '"' || c == '\\')
            text_format(text, "\\%c", c);
        else if (c == '\n')
            text_add(text, "\\n");
        else if (c == '\t')
            text_add(text, "\\t");
        else if (c == '\r')
            text_add(text, "\\r");
        else
            text_format(text, "\\u%04x", c);
    }
    if (done < length)
        text_append(text, data + done, length - done);
}

void text_json_string(struct text *text, const char *data, size_t length)
{
    text_char(text, '"');
    text_json_escaped(text, data, length);
    text_char(text, '"');
}

void text_url_escape(struct text *text, unsigned char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    const char escape[3] = {'%', digits[byte >> 4], digits[byte & 15]};

    text_append(text, escape, sizeof(escape));
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void text_url_encoded(struct text *text, const char *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (is_unreserved((unsigned char)data[i]))
            text_char(text, data[i]);
        else
            text_url_escape(text, (unsigned char)data[i]);
    }
}

bool slice_equals(struct slice slice, const char *string)
{
    return slice_same(slice, slice_of(string));
}

bool slice_same(struct slice a, struct slice b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

struct slice slice_of(const char *string)
{
    return (struct slice){string, string == NULL ? 0 : strlen(string)};
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct slice slice_trim(struct slice slice)
{
    while (slice.length > 0 && is_blank(*slice.data)) {
        slice.data++;
        slice.length--;
    }
    while (slice.length > 0 && is_blank(slice.data[slice.length - 1]))
        slice.length--;
    return slice;
}
