/*
 * token_cache.h - the tokens of all sources, one for equal settings, whichever fetcher asks.
 *
 * Made by whoever makes the fetchers, and outlives them. What it does for them is the fetch room's
 * own business (fetch/tokens.h).
 */
#ifndef GATHERD_TOKEN_CACHE_H
#define GATHERD_TOKEN_CACHE_H

#include "gatherd/error.h"

struct token_cache; /* opaque */

/*
 * `path` is the file, its folder being there, in which refresh tokens are kept that a server has
 * given in exchange; it is made when there is one, and read when one is needed. NULL with an error:
 * out of memory.
 */
struct token_cache *token_cache_create(const char *path, struct error *err);

void token_cache_free(struct token_cache *cache); /* NULL is allowed */

#endif
