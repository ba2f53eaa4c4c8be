/*
 * token_request.h - the request that brings a token, and what its answer says.
 *
 * oauth2 asks a token endpoint (RFC 6749), session logs in. What goes out are secrets, and an
 * answer may repeat them; so nothing of an answer reaches a message but an error's name and
 * description, with every secret that was sent cut out.
 */
#ifndef GATHERD_FETCH_TOKEN_REQUEST_H
#define GATHERD_FETCH_TOKEN_REQUEST_H

#include <stdint.h>

#include "fetch/draft.h"
#include "fetch/failure.h"
#include "fetch/hidden.h"
#include "gatherd/auth.h"
#include "gatherd/run.h"
#include "gatherd/text.h"
#include "gatherd/token_cache.h"

/* The largest answer that is read. */
#define TOKEN_MAX_BODY_BYTES (1024 * 1024)

/* One token request; {0} is empty. */
struct token_request {
    struct response response;  /* owned: the answer */
    struct hidden hidden;      /* owned: what was sent */
    struct text refresh_token; /* owned: the one that was sent */
};

void token_request_clear(struct token_request *request);

/*
 * Makes the draft in `arena`, which is reset first, for `auth`, which needs a token. 0, or -1 with
 * the fault set.
 */
int token_request_build(struct token_request *request, struct token_cache *cache,
                        const struct auth *auth, struct arena *arena, struct draft *draft,
                        struct fault *fault);

/* What the answer brings; owned texts. */
struct token_result {
    struct text token;
    struct text refresh_token; /* length 0: no new one */
    int64_t lifetime_ms;       /* -1: not known */
};

void token_result_clear(struct token_result *result);

/* Reads the answer, which has come whole. 0, or -1 with the fault set. */
int token_request_read(const struct token_request *request, const struct auth *auth,
                       struct token_result *result, struct fault *fault);

#endif
