/*
 * redirect.h - where a redirect leads, and whether we go there.
 *
 * libcurl would follow redirects itself, but it sends custom headers (X-Api-Key) along to any host,
 * so each hop is a request of ours.
 */
#ifndef GATHERD_FETCH_REDIRECT_H
#define GATHERD_FETCH_REDIRECT_H

#include <stdbool.h>

#include "fetch/failure.h"

struct redirect {
    char *url;        /* owned: the absolute target */
    bool same_origin; /* scheme, host and port are those of where we come from */
};

/*
 * Resolves `location` (NULL: the header is missing) against `from`, the URL that was asked.
 * Returns 0, or -1 with the fault set: no target, another scheme than http and https, https to
 * http, a target with user name or password, a target that is no URL. A user name and password in
 * `from` go along to the same origin only.
 */
int redirect_resolve(const char *from, const char *location, struct redirect *out,
                     struct fault *fault);

#endif
