/*
 * page_request.h - what the page that a run has come to puts into its request.
 *
 * All of it does nothing for sources without pagination.
 */
#ifndef GATHERD_FETCH_PAGE_REQUEST_H
#define GATHERD_FETCH_PAGE_REQUEST_H

#include "fetch/draft.h"
#include "fetch/failure.h"
#include "gatherd/run.h"

/*
 * Makes the run ready to ask for its page, before each attempt: a link is resolved. 0, or -1 with
 * the fault set: it leads to where we do not go.
 */
int page_request_prepare(struct run *run, struct fault *fault);

/* The URL that a server's link gave, which has all its params; NULL: the source's own. */
const char *page_request_url(const struct run *run);

/* Page number, offset, cursor and limit, in the place of what the source says of the same name. */
void page_request_add(const struct run *run, struct draft *draft);

/*
 * Notes what is asked, to tell a loop: the request goes to `url`, which is also where a relative
 * link in the answer starts from. 0, or -1: out of memory.
 */
int page_request_note(struct run *run, const char *url, const struct draft *draft);

/* A redirect led to `url`: relative links start from there. 0, or -1: out of memory. */
int page_request_moved(struct run *run, const char *url);

#endif
