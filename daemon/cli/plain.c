#include "cli/plain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The shortest decimal that reads back as the same double, always with a point or an exponent. */
static void put_real(struct text *text, double value)
{
    char digits[40];

    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof(digits), "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    text_add(text, digits);
    if (strpbrk(digits, ".eni") == NULL) /* "n" and "i": nan and inf, which SQLite can hold */
        text_add(text, ".0");
}

void plain_put_hex(struct text *text, const char *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        text_format(text, "%02X", (unsigned)(unsigned char)data[i]);
}

void plain_put(struct text *text, const struct value *value)
{
    switch ((enum value_type)value->type) {
    case VALUE_NULL:
        break;
    case VALUE_INTEGER:
        text_format(text, "%" PRId64, value->integer);
        break;
    case VALUE_REAL:
        put_real(text, value->real);
        break;
    case VALUE_TEXT:
        text_append(text, value->text, value->length);
        break;
    case VALUE_BLOB:
        text_add(text, "X'");
        plain_put_hex(text, value->text, value->length);
        text_char(text, '\'');
        break;
    }
}
