/*
 * jsonpath_ast.h - a compiled path: what jsonpath_compile.c makes and jsonpath_walk.c runs.
 *
 * As in RFC 9535 a query is segments, a segment is selectors, each applied to every node that the
 * segment before it gave, and a selector may be a filter: a logical expression over comparisons,
 * tests and functions, which have queries in them in turn. How deep these nest, and how many
 * segments of a query select more than one node, is limited by the compiler, because running and
 * freeing them is recursive.
 */
#ifndef GATHERD_DOCUMENT_JSONPATH_AST_H
#define GATHERD_DOCUMENT_JSONPATH_AST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/decimal.h"
#include "gatherd/node.h"
#include "gatherd/text.h"

struct regexp;

enum selector_kind {
    SELECTOR_NAME,
    SELECTOR_INDEX,
    SELECTOR_WILDCARD,
    SELECTOR_SLICE,
    SELECTOR_FILTER,
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
        struct expression *filter; /* owned */
    };
};

struct segment {
    struct selector *selectors; /* owned */
    size_t count;
    size_t capacity;
    size_t end;      /* offset in the path's text of what stands behind it */
    bool descendant; /* .. : the selectors are applied to all below a node, too */
};

/* From $ or @. */
struct query {
    struct segment *segments; /* owned */
    size_t count;
    size_t capacity;
    bool relative;          /* from @ */
    bool singular;          /* names and indexes only: at most one node */
    struct selector *steps; /* owned, singular: the selector of each segment, its name borrowed */
};

/* A text, number, true, false or null of the path itself, as it would be in a document. */
struct literal {
    struct node node;      /* its text is owned */
    struct decimal number; /* NODE_NUMBER: read once */
};

enum operand_kind {
    OPERAND_NONE,
    OPERAND_LITERAL,
    OPERAND_QUERY,
    OPERAND_CALL,
};

/* What is compared, or given to a function. */
struct operand {
    enum operand_kind kind;
    union {
        struct literal *literal; /* owned */
        struct query *query;     /* owned */
        struct call *call;       /* owned */
    };
};

/* The types of RFC 9535, 2.4.1. */
enum function_type {
    TYPE_VALUE,
    TYPE_LOGICAL,
    TYPE_NODES,
};

enum function_id {
    FUNCTION_LENGTH,
    FUNCTION_COUNT,
    FUNCTION_MATCH,
    FUNCTION_SEARCH,
    FUNCTION_VALUE,
};

#define MOST_ARGUMENTS 2

struct function {
    const char *name;
    const char *example; /* of its use, for messages */
    enum function_id id;
    enum function_type result;
    size_t argument_count;
    enum function_type arguments[MOST_ARGUMENTS];
};

struct call {
    const struct function *function; /* NULL until it is known */
    struct operand arguments[MOST_ARGUMENTS];
    struct regexp *regexp; /* owned; match, search: of a literal, else NULL */
};

enum comparison {
    COMPARE_EQUAL,
    COMPARE_UNEQUAL,
    COMPARE_LESS,
    COMPARE_LESS_OR_EQUAL,
    COMPARE_GREATER,
    COMPARE_GREATER_OR_EQUAL,
};

enum expression_kind {
    EXPRESSION_NONE,
    EXPRESSION_OR,
    EXPRESSION_AND,
    EXPRESSION_NOT,
    EXPRESSION_COMPARISON,
    EXPRESSION_TEST,
};

struct expression {
    enum expression_kind kind;
    enum comparison comparison;
    struct operand left;  /* comparison; test: a query that selects anything, or a logical call */
    struct operand right; /* comparison */
    struct expression *operands; /* owned; or, and: two or more; not: one */
    size_t count;
    size_t capacity;
};

struct jsonpath {
    char *text; /* owned */
    struct query query;
};

/* The next segment, selector or operand, cleared; NULL: out of memory. */
struct segment *ast_add_segment(struct query *query);
struct selector *ast_add_selector(struct segment *segment, enum selector_kind kind);
struct expression *ast_add_operand(struct expression *expression);

/* What hangs on them, half-built or whole; not the struct itself. */
void ast_free_query(struct query *query);
void ast_free_operand(struct operand *operand);
void ast_free_expression(struct expression *expression);

#endif
