/*
 * json_reader.h - what the parts of the JSON reader share: json.c walks the text, json_string.c
 * takes the strings that are more than plain ASCII, json_explain.c says what is wrong.
 *
 * A function that reads returns where it stopped, or NULL after an error was noted.
 */
#ifndef GATHERD_DOCUMENT_JSON_READER_H
#define GATHERD_DOCUMENT_JSON_READER_H

#include "gatherd/json.h"

struct reader {
    const char *body;
    const char *end; /* a NUL stands there */
    struct arena *arena;
    struct node *nodes; /* in the arena */
    size_t used;        /* nodes written by the documents that are complete */
    size_t capacity;
    char newline; /* a line feed where it is white space; a space where it ends the document */
    enum json_status status;
    struct json_error *error; /* may be NULL */
};

/* What was expected where the text went wrong. */
enum expected {
    EXPECTED_VALUE,   /* of a member, or the document's */
    EXPECTED_ELEMENT, /* of an array */
    EXPECTED_NAME,    /* of a member */
    EXPECTED_COLON,
    EXPECTED_MORE_ELEMENTS, /* or the end of the array */
    EXPECTED_MORE_MEMBERS,  /* or the end of the object */
};

/* The string whose text begins at `start`, read from `p` on: what is before `p` is plain. */
const char *json_read_string(struct reader *r, const char *start, const char *p, struct node *node);

/* Each notes an error at `at` and returns NULL. */
const char *json_fail(struct reader *r, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));
const char *json_fail_memory(struct reader *r) __attribute__((cold));

/* `at` is what stands where `expected` should, `began` where the innermost open container begins.
 */
const char *json_explain(struct reader *r, const char *at, enum expected expected)
    __attribute__((cold));
const char *json_explain_number(struct reader *r, const char *at) __attribute__((cold));
const char *json_explain_string(struct reader *r, const char *at) __attribute__((cold));
const char *json_explain_rest(struct reader *r, const char *at) __attribute__((cold));

/* Whether the body is something other than JSON in UTF-8; notes an error if so. */
bool json_explain_body(struct reader *r, const char *text);

/* At the end of the text, or of the line where a line is a document. */
static inline bool reader_at_end(const struct reader *r, const char *p)
{
    return p == r->end || (r->newline == ' ' && *p == '\n');
}

#endif
