/*
 * route.h - which way a request goes: by network, through a proxy, or to a Unix socket.
 *
 * Decided here and not by libcurl, so that who checks addresses knows whose address it sees.
 */
#ifndef GATHERD_FETCH_ROUTE_H
#define GATHERD_FETCH_ROUTE_H

#include <stdbool.h>

#include "gatherd/config.h"

struct route {
    const struct proxy *proxy; /* borrowed; NULL: without one */
    const char *unix_socket;   /* borrowed; NULL: by network */
};

/*
 * The way to `url`. `own_origin`: no redirect has led away from the source's origin; the socket is
 * for that alone, a proxy for all.
 */
struct route route_choose(const struct source *source, const char *url, bool own_origin);

#define ROUTE_HOST_SIZE 256

/*
 * Whether the host in `url` is an address that is not public, or localhost: what can be told of a
 * host without resolving it. Also gives the host, for messages.
 */
bool route_host_is_private(const char *url, char host[ROUTE_HOST_SIZE]);

/* Whether an entry of no_proxy holds for the host (an IPv6 address without brackets). */
bool route_matches(const char *entry, const char *host);

#endif
