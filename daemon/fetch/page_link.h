/*
 * page_link.h - where a server's link to the next page leads, and whether we go there.
 *
 * The source's headers and authorization go along to a next page, so it must be on the source's own
 * host, or on one that `allowed_hosts` names, and never from https to http.
 */
#ifndef GATHERD_FETCH_PAGE_LINK_H
#define GATHERD_FETCH_PAGE_LINK_H

#include "fetch/failure.h"
#include "gatherd/config.h"

/*
 * Resolves `link` as the server wrote it against `from`, the URL of the page before. A user name
 * and password in `from` go along to the same origin. The absolute URL, which the caller frees, or
 * NULL with the fault set (RUN_FAILED_PAGES).
 */
char *page_link_resolve(const struct source *source, const char *from, const char *link,
                        struct fault *fault);

#endif
