/*
 * page.h - what a run with pagination does after a response: it is done, another page follows, or
 * the way to it is broken.
 *
 * - What says that there is no further page is believed, whoever says it: has_more false, a total
 *   that is reached, no link or cursor.
 * - What a path does not find, or finds null, is not told: the other rules decide. Where none is
 *   left, that is an error and no end, since pages would be missing.
 * - The same request with the same answer again is a loop. A cursor that comes again with new
 *   records is none.
 */
#ifndef GATHERD_PROCESS_PAGE_H
#define GATHERD_PROCESS_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "gatherd/arena.h"
#include "gatherd/node.h"
#include "gatherd/run.h"

enum page_verdict { PAGE_LAST, PAGE_FOLLOWS, PAGE_BROKEN };

struct page_step {
    enum page_verdict verdict;
    struct slice text;       /* PAGE_FOLLOWS: link or cursor; borrowed from response or arena */
    int64_t position;        /* PAGE_FOLLOWS: page number or offset */
    struct hash128 exchange; /* of request and response */
    const char *reason;      /* PAGE_BROKEN: for people, in the arena */
};

/*
 * Decides about the response of a run whose source has pagination. `root` is its document, NULL
 * when it has none; `records` of them were selected. Changes nothing but `step`. 0, or -1: out of
 * memory.
 */
int page_decide(const struct run *run, const struct node *root, size_t records, struct arena *arena,
                struct page_step *step);

#endif
