/*
 * decode.h - the body of a response to nodes: what it is packed in, its character set, then its
 * format, each as the configuration or the answer itself says.
 *
 * The character set is that of `encoding`, else of a byte order mark, else of the Content-Type,
 * else UTF-8. The format is that of `format`, else see format.h; an HTML page is a failure, and
 * what nothing is known of is taken as JSON, since many APIs label it text/plain or not at all. By
 * looking: JSON never begins with "<", so a body that does is XML or a page, whatever it is
 * called: a portal, a login, a maintenance note with status 200.
 */
#ifndef GATHERD_PROCESS_DECODE_H
#define GATHERD_PROCESS_DECODE_H

#include <stdbool.h>

#include "gatherd/arena.h"
#include "gatherd/config.h"
#include "gatherd/node.h"
#include "gatherd/row.h"
#include "gatherd/run.h"
#include "process/records.h"

struct decoded {
    const struct node *root;       /* NULL: not decoded, for the reason below */
    const struct node *entries;    /* of a feed, an array: the records if nothing else says which */
    bool lines;                    /* root is the array of a body's lines */
    const struct record *rejected; /* what stood in the text and is no record, in its order */
    size_t rejected_count;
    struct record_form form;  /* how a record is kept that becomes no row */
    const char *text;         /* what the nodes borrow from: the body, or what was made of it in */
    size_t text_bytes;        /* the arena; a NUL stands behind it */
    enum run_failure failure; /* without a root: RUN_FAILED_DECODE or RUN_FAILED_LIMIT */
    unsigned line;            /* in the text, of what is wrong; 0: nowhere in particular */
    unsigned column;
    char reason[320];
};

/*
 * Decodes the response's body as the source says; nodes are in `arena`. 0, with or without a root,
 * or -1: out of memory.
 */
int decode_response(const struct response *response, const struct source *source,
                    struct arena *arena, struct decoded *decoded);

/*
 * The same for the content of a record's dead letter, in UTF-8 and with the content type it was
 * kept with: the root is an array whose one element is the record, if it is one now.
 */
int decode_record(const struct response *response, const struct source *source, struct arena *arena,
                  struct decoded *decoded);

#endif
