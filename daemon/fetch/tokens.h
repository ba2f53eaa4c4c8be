/*
 * tokens.h - who has a token, who goes to get one, and who waits for it.
 *
 * Sources whose auth has equal settings share one token. Whoever finds none that is good is told to
 * get it; all others wait until it is there or has failed, so one token is asked for once, however
 * many sources and fetchers need it: a refresh token that the server exchanges must never be used
 * twice. A token is renewed before it expires, by one, while the others go on with the old one.
 * After a failure nobody asks again for a while, and everybody gets the reason.
 *
 * All calls may come from any thread. Times are monotonic. One mutex guards all; it is not held
 * while the disk is written.
 */
#ifndef GATHERD_FETCH_TOKENS_H
#define GATHERD_FETCH_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "fetch/failure.h"
#include "gatherd/auth.h"
#include "gatherd/text.h"
#include "gatherd/token_cache.h"

enum token_status {
    TOKEN_READY,  /* here it is */
    TOKEN_FETCH,  /* the caller gets it, and ends by tokens_store(), _fail() or _abandon() */
    TOKEN_WAIT,   /* another gets it: ask again after a wake-up */
    TOKEN_FAILED, /* there was none a moment ago: see the fault */
};

struct token {
    struct text value;   /* owned; TOKEN_READY */
    uint64_t generation; /* which one it is, counted from 1 */
};

/* What a token request brought. */
struct token_grant {
    const char *token;
    int64_t lifetime_ms;       /* -1: not known; the token serves until it is refused */
    const char *refresh_token; /* the next one; NULL: the old one stays */
};

/*
 * Asks for the token of `auth`. With TOKEN_FETCH, `*early` says that the present one is still good,
 * so that a failure harms nobody.
 */
enum token_status tokens_get(struct token_cache *cache, const struct auth *auth, int64_t now_ms,
                             struct token *token, bool *early, struct fault *fault);

/*
 * The refresh token that counts now: the saved one, or the configured one when that has changed.
 * Only for who was told TOKEN_FETCH. Appends to `out`; -1 with the fault set.
 */
int tokens_refresh_token(struct token_cache *cache, const struct auth *auth, struct text *out,
                         struct fault *fault);

/*
 * The token request succeeded. A new refresh token is on the disk before the token is given to
 * anybody; where that fails, -1 with the fault set, and the next request begins by saving it. Wakes
 * those that wait.
 */
int tokens_store(struct token_cache *cache, const struct auth *auth,
                 const struct token_grant *grant, int64_t now_ms, struct fault *fault);

/* It failed; `retry_after_ms` is what the server asked for, -1: nothing. Wakes those that wait. */
void tokens_fail(struct token_cache *cache, const struct auth *auth, const struct fault *fault,
                 int64_t retry_after_ms, int64_t now_ms);

/* It was given up, by no fault of the server: another may try at once. Wakes those that wait. */
void tokens_abandon(struct token_cache *cache, const struct auth *auth);

/*
 * A server has refused this token (401): it is not given out any more. False: new tokens have been
 * refused as well lately, so that another one is not worth the request.
 */
bool tokens_refuse(struct token_cache *cache, const struct auth *auth, uint64_t generation,
                   int64_t now_ms);

/* What became of the request that was repeated with a new token after tokens_refuse(). */
void tokens_judge(struct token_cache *cache, const struct auth *auth, bool accepted,
                  int64_t now_ms);

/* --- Who is woken. --- */

struct token_listener {
    void (*wake)(void *context); /* called with the mutex held: it only wakes */
    void *context;
    struct token_listener *next; /* the cache's */
};

/* `listener` is borrowed until tokens_ignore(). */
void tokens_listen(struct token_cache *cache, struct token_listener *listener);
void tokens_ignore(struct token_cache *cache, struct token_listener *listener);

#endif
