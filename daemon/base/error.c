#include "gatherd/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* A text that was cut may end inside a UTF-8 character: that character goes as a whole. */
static void drop_partial_character(char *text)
{
    size_t length = strlen(text);
    size_t start = length;
    size_t width;
    unsigned char first;

    while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0)
        return;
    start--;
    first = (unsigned char)text[start];
    width = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    if (length - start < width)
        text[start] = '\0';
}

/* As vsnprintf(), but what does not fit is cut between two characters. */
static void format_text(char *text, size_t size, const char *format, va_list args)
{
    int length = vsnprintf(text, size, format, args);

    if (length < 0)
        text[0] = '\0';
    else if ((size_t)length >= size)
        drop_partial_character(text);
}

void error_set(struct error *err, enum error_code code, const char *format, ...)
{
    va_list args;

    if (err == NULL || err->code != ERROR_NONE)
        return;
    err->code = code;
    va_start(args, format);
    format_text(err->text, sizeof(err->text), format, args);
    va_end(args);
}

void error_wrap(struct error *err, const char *format, ...)
{
    char context[sizeof(err->text)];
    va_list args;
    size_t length;
    size_t room;
    size_t keep;

    if (err == NULL || err->code == ERROR_NONE)
        return;
    va_start(args, format);
    format_text(context, sizeof(context) - 2, format, args);
    va_end(args);
    strcat(context, ": ");

    length = strlen(context);
    room = sizeof(err->text) - 1 - length;
    keep = strlen(err->text);
    if (keep > room) {
        err->text[room] = '\0';
        drop_partial_character(err->text);
        keep = strlen(err->text);
    }
    memmove(err->text + length, err->text, keep);
    memcpy(err->text, context, length);
    err->text[length + keep] = '\0';
}

int error_exit_status(enum error_code code)
{
    switch (code) {
    case ERROR_NONE:
        return EX_OK;
    case ERROR_FAILED:
        return 1;
    case ERROR_USAGE:
        return EX_USAGE;
    case ERROR_CONFIG:
        return EX_CONFIG;
    case ERROR_UNAVAILABLE:
    case ERROR_BUSY:
        return EX_UNAVAILABLE;
    case ERROR_NOMEM:
    case ERROR_INTERNAL:
        return EX_SOFTWARE;
    case ERROR_IO:
    case ERROR_SPACE:
        return EX_IOERR;
    case ERROR_PERMISSION:
        return EX_NOPERM;
    }
    return EX_SOFTWARE;
}
