#include "gatherd/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

void error_set(struct error *err, enum error_code code, const char *format, ...)
{
    va_list args;

    if (err == NULL || err->code != ERROR_NONE)
        return;
    err->code = code;
    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
}

void error_wrap(struct error *err, const char *format, ...)
{
    char context[sizeof(err->text)];
    va_list args;
    size_t length;
    size_t keep;

    if (err == NULL || err->code == ERROR_NONE)
        return;
    va_start(args, format);
    vsnprintf(context, sizeof(context) - 2, format, args);
    va_end(args);
    strcat(context, ": ");

    length = strlen(context);
    keep = strlen(err->text);
    if (keep > sizeof(err->text) - 1 - length)
        keep = sizeof(err->text) - 1 - length;
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
