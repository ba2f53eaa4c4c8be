/*
 * jsonpath_ast.h - a compiled path: what jsonpath_compile.c makes and jsonpath.c runs.
 *
 * As in RFC 9535 a path is segments, and a segment is selectors, each applied to every node that
 * the segment before it gave. A new kind of selector is a value of enum selector_kind with its
 * fields here, a parser in jsonpath_compile.c and a case where jsonpath.c applies selectors; a new
 * kind of segment is a field beside its selectors.
 */
#ifndef GATHERD_DOCUMENT_JSONPATH_AST_H
#define GATHERD_DOCUMENT_JSONPATH_AST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/text.h"

enum selector_kind {
    SELECTOR_NAME,
    SELECTOR_INDEX,
    SELECTOR_WILDCARD,
    SELECTOR_SLICE,
};

/* [start:end:step]; what is left out depends on the sign of step. */
struct selector_slice {
    bool has_start;
    bool has_end;
    int64_t start;
    int64_t end;
    int64_t step;
};

struct selector {
    enum selector_kind kind;
    union {
        struct slice name; /* owned, unescaped; its data is never NULL once it is read */
        int64_t index;
        struct selector_slice slice;
    };
};

struct segment {
    struct selector *selectors; /* owned */
    size_t count;
    size_t capacity;
};

struct jsonpath {
    char *text;               /* owned */
    struct segment *segments; /* owned */
    size_t count;
    size_t capacity;
    bool singular;
    struct selector *steps; /* owned, singular: the selector of each segment, its name borrowed */
};

#endif
