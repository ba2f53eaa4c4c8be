/*
 * decode.h - the body of a response to nodes, in the format that `format` or the answer itself
 * says.
 *
 * By Content-Type: newline-delimited JSON by its media types, an HTML page is a failure, all else
 * is taken as JSON, since many APIs label it text/plain or not at all. By looking: JSON never
 * begins with "<", so a body that does is a page or XML whatever it is called: a portal, a login, a
 * maintenance note with status 200.
 */
#ifndef GATHERD_PROCESS_DECODE_H
#define GATHERD_PROCESS_DECODE_H

#include <stdbool.h>

#include "gatherd/arena.h"
#include "gatherd/config.h"
#include "gatherd/node.h"
#include "gatherd/run.h"

struct decoded {
    const struct node *root; /* NULL: not decoded, for the reason below */
    bool lines;              /* root is the array of a body's lines */
    unsigned line;           /* in the body, of what is wrong; 0: nowhere in particular */
    unsigned column;
    char reason[320];
};

/*
 * Decodes the response's body; nodes are in `arena` and borrow from the body. 0, with or without a
 * root, or -1: out of memory.
 */
int decode_response(const struct response *response, enum body_format format, struct arena *arena,
                    struct decoded *decoded);

#endif
