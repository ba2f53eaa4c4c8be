/*
 * document.h - JSON documents for tests, and a check that what was decoded holds together.
 */
#ifndef GATHERD_TESTS_DOCUMENT_H
#define GATHERD_TESTS_DOCUMENT_H

#include "gatherd/json.h"

/* A document that was read, with all that it stands on. */
struct document {
    char *body; /* with a NUL right behind it: reading further is seen by AddressSanitizer */
    size_t length;
    struct arena *arena;
    const struct node *root; /* NULL unless status is JSON_OK */
    enum json_status status;
    struct json_error error;
};

typedef enum json_status document_reader(const char *body, size_t length, struct arena *arena,
                                         const struct node **root, struct json_error *error);

/* Reads a copy of `text` with json_read() or json_read_lines(). */
struct document document_read(document_reader *read, const char *text, size_t length);

/* As document_read() with json_read(), of a string; the test fails when it is not JSON. */
struct document document_of(const char *text);

void document_free(struct document *document);

/* Fails the test unless spans, counts and slices of everything below `root` are what they should
 * be. */
void document_check(const struct document *document);

/* The node written as JSON without using the text it came from: the caller frees it. */
char *document_rewrite(const struct node *node);

/* Whether two nodes are alike in type, text and everything below them. */
bool document_same(const struct node *a, const struct node *b);

#endif
