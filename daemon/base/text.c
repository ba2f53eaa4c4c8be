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

void text_json_string(struct text *text, const char *data, size_t length)
{
    size_t done = 0;

    text_char(text, '"');
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
    text_char(text, '"');
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
