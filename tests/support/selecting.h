/*
 * selecting.h - what a JSONPath selects of a document, and what is said of a text that is none.
 */
#ifndef GATHERD_TEST_SELECTING_H
#define GATHERD_TEST_SELECTING_H

#include <stddef.h>

#include "document.h"
#include "gatherd/jsonpath.h"

/* As jsonpath_begin(), for one path. */
struct jsonpath_session selecting_session(const struct document *document);

/* The test fails when it is no path. The caller frees it. */
struct jsonpath *selecting_compile(const char *text);

/* Asserts what a path selects: the values as JSON with spaces between them. */
void selecting_assert(const struct document *document, const char *path, const char *expected);

struct selecting_example {
    const char *path;
    const char *selected;
};

/* The same for many paths and one document. */
void selecting_assert_all(const char *json, const struct selecting_example *examples, size_t count);

struct selecting_refusal {
    const char *path;
    size_t column;
    const char *message;
};

void selecting_assert_refused(const struct selecting_refusal *refusals, size_t count);

#endif
