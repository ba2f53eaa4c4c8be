/*
 * link.h - the header Link (RFC 8288): where the next page is.
 *
 *     Link: <https://api.example/items?page=3>; rel="next", <...>; rel="last"
 */
#ifndef GATHERD_PROCESS_LINK_H
#define GATHERD_PROCESS_LINK_H

#include "gatherd/text.h"

enum link_status { LINK_NONE, LINK_FOUND, LINK_BROKEN };

/*
 * Looks for the first link with the relation "next" in one field value. LINK_FOUND: `*target` is
 * its URL as it stands there, borrowed. LINK_BROKEN: `*problem` says what is wrong before such a
 * link was found. Links with `anchor`, which are about another document, do not count.
 */
enum link_status link_find_next(struct slice value, struct slice *target, const char **problem);

#endif
