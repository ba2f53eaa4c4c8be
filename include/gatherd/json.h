/*
 * json.h - JSON text (RFC 8259) to nodes, in one pass.
 *
 * Strict: what RFC 8259 does not allow is an error with its line and column, and nothing of a bad
 * document is used. Numbers keep their digits. A byte order mark before the text is skipped, as the
 * RFC allows. UTF-8 is checked; an escaped lone surrogate is an error, because no UTF-8 can hold
 * it. Of equal names in one object all are kept, in order; node_member() finds the last.
 */
#ifndef GATHERD_JSON_H
#define GATHERD_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "gatherd/arena.h"
#include "gatherd/node.h"

/* Nesting beyond this is refused: what real APIs send stays below 30. */
#define JSON_MAX_DEPTH 512

enum json_status {
    JSON_OK,
    JSON_INVALID, /* not JSON: see the error */
    JSON_NOMEM,
};

/* Filled when a reader does not return JSON_OK; NULL is accepted where nobody wants to know. */
struct json_error {
    char message[128]; /* what is wrong, in words for people */
    size_t offset;     /* of the byte it is about, from 0 */
    unsigned line;     /* from 1 */
    unsigned column;   /* in characters (not bytes), from 1 */
};

/*
 * Reads one document that fills all of `body` (white space around it is allowed). On JSON_OK
 * `*root` is in `arena` and borrows from `body`, which therefore outlives it. Reading needs a NUL
 * behind the text: body[length] must be readable and 0.
 */
enum json_status json_read(const char *body, size_t length, struct arena *arena,
                           const struct node **root, struct json_error *error);

/*
 * Reads newline-delimited JSON: one document a line, empty lines skipped, the last line with or
 * without its line break, which may be \r\n. The root is an array of the documents (it has no JSON
 * text of its own: raw_length 0), and an empty one for an empty body. An error names the line in
 * the body.
 */
enum json_status json_read_lines(const char *body, size_t length, struct arena *arena,
                                 const struct node **root, struct json_error *error);

/*
 * Reads documents that follow each other, whatever lines they are on: a JSON text sequence (RFC
 * 7464), with a record separator before each, or a body of several with or without white space
 * between them. The root is as that of json_read_lines(), but an empty text is an error. In a
 * sequence a number or a word without white space behind it is an error, for it may be cut off (RFC
 * 7464, 2.4).
 */
enum json_status json_read_stream(const char *body, size_t length, struct arena *arena,
                                  const struct node **root, struct json_error *error);

#define JSON_RECORD_SEPARATOR '\x1e'

/* Line and column, from 1, of a byte of the body; the offset of a node in it is node->raw - body.
 */
void json_position(const char *body, size_t offset, unsigned *line, unsigned *column);

/* How far a search for many positions in one body has come: {.body = body} before the first. */
struct json_locator {
    const char *body; /* borrowed; with a NUL behind it */
    size_t offset;
    size_t farthest; /* asked for so far */
    size_t walked;   /* bytes gone over, to and fro */
    unsigned line;   /* before the offset */
    unsigned column; /* characters before the offset in its line */
};

/*
 * As json_position(), counted on from the position asked for last: any number of positions in the
 * order of the body, or against it, cost a walk or two in all. False, with 0 and 0, where an order
 * that leaps to and fro has cost many walks: then a position is not worth its time.
 */
bool json_locate(struct json_locator *at, size_t offset, unsigned *line, unsigned *column);

#endif
