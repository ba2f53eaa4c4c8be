/*
 * value.h - what one cell of a row holds: SQLite's five types.
 */
#ifndef GATHERD_VALUE_H
#define GATHERD_VALUE_H

#include <stdint.h>

enum value_type { VALUE_NULL, VALUE_INTEGER, VALUE_REAL, VALUE_TEXT, VALUE_BLOB };

struct value {
    uint32_t type;   /* enum value_type */
    uint32_t length; /* bytes of text or blob */
    union {
        int64_t integer;
        double real;
        const char *text; /* no NUL behind it; may hold NUL bytes */
    };
};

#endif
