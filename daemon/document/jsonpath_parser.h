/*
 * jsonpath_parser.h - what the files that read a path share: jsonpath_compile.c (segments and
 * selectors), jsonpath_literal.c (texts and numbers), jsonpath_filter.c (logical expressions),
 * jsonpath_call.c (functions). Each follows the grammar of RFC 9535, one function for each of its
 * rules, from left to right.
 */
#ifndef GATHERD_DOCUMENT_JSONPATH_PARSER_H
#define GATHERD_DOCUMENT_JSONPATH_PARSER_H

#include <stdbool.h>
#include <stdint.h>

#include "document/jsonpath_ast.h"
#include "gatherd/error.h"
#include "gatherd/text.h"

/*
 * Parentheses, filters, arguments and segments that select many nodes, all in each other or one
 * behind the other: what running a path takes of the stack.
 */
#define MOST_LEVELS 200

struct compiler {
    const char *text;
    const char *p; /* what is read next */
    unsigned level;
    struct error *err;
    const char *wrong; /* where the error is */
};

/* Notes an error at `at`. Always false. */
#define REFUSE(c, at, ...) \
    ((c)->wrong = (at), error_set((c)->err, ERROR_CONFIG, __VA_ARGS__), false)

bool parser_out_of_memory(struct compiler *c); /* always false */

void parser_skip_blanks(struct compiler *c);

bool parser_is_digit(char c);

/* Bytes of the name without quotes at `p`; 0: none begins there. */
size_t parser_name_length(const char *p);

/* A character of the path as messages show it. */
struct shown {
    char text[16];
};
struct shown parser_show(const char *p);

/* One level deeper; who read what is there takes it back. */
bool parser_deeper(struct compiler *c, const char *at);

/* A query as a part of a filter, and what it is not fit for. */
struct query_shape {
    const char *plural; /* the first segment that may select many; NULL: the query is singular */
    const char *blank; /* white space in brackets, which singular queries do not have; NULL: none */
};

/* From $ or @, which c->p is at. The query may be half-built when this fails. */
bool parser_read_query(struct compiler *c, struct query *query, struct query_shape *shape);

/* A quoted text, to which c->p points. `what` it is, for messages: "name", "text". */
bool parser_read_quoted(struct compiler *c, const char *what, struct text *text);

/* Where in the quoted text at `quoted` its byte number `offset` comes from. */
const char *parser_locate_quoted(const char *quoted, size_t offset);

/* A whole number as indexes and slices have it (RFC 9535, 2.1). */
bool parser_read_integer(struct compiler *c, int64_t *value);

/* A literal: text, number, true, false, null. c->p is at a quote, a digit, a sign or a letter. */
bool parser_read_literal(struct compiler *c, struct operand *operand);

/* What follows a '?': c->p behind it, blanks skipped; and behind the expression, blanks skipped. */
bool parser_read_filter(struct compiler *c, struct expression *expression);

/* A literal, a query or a call, with what a comparison or a function must know about it. */
struct operand_place {
    const char *start;
    struct query_shape shape; /* of a query */
};
bool parser_read_operand(struct compiler *c, struct operand *operand, struct operand_place *place);

/* Whether an operand is one value: a literal, a singular query, a function that returns one. */
bool parser_check_value(struct compiler *c, const struct operand *operand,
                        const struct operand_place *place, const char *whose);

/* A call, at whose name c->p is. */
bool parser_read_call(struct compiler *c, struct call *call);

/* Blanks skipped: whether an operator stands at `p` that makes a logical expression. */
bool parser_at_operator(const char *p);

#endif
