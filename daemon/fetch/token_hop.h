/*
 * token_hop.h - the token of one attempt: asked for, got by a request of its own, renewed once.
 *
 * A request that needs a token may have to make another before, much as it may be sent on by a
 * redirect after; or it waits, in flight, while another transfer gets what both need.
 */
#ifndef GATHERD_FETCH_TOKEN_HOP_H
#define GATHERD_FETCH_TOKEN_HOP_H

#include <stdbool.h>
#include <stdint.h>

#include "fetch/token_request.h"
#include "fetch/tokens.h"

struct token_hop {
    struct token_cache *cache; /* borrowed; NULL: no source needs tokens */
    const struct auth *auth;   /* of the attempt; NULL or without tokens: there is nothing to do */

    struct token token;
    struct token_request request;
    int64_t deadline_ms; /* monotonic: of the token request under way */
    bool requesting;     /* it is under way: the transfer is on another hop than its own */
    bool waiting;        /* another transfer gets the token */
    bool early;          /* the present token is still good while this one is got */
    bool fresh;          /* this attempt got it */
    bool renewed;        /* a token that was refused has been replaced in this attempt */
};

/* Begins an attempt of a source with this auth (NULL: none). */
void token_hop_begin(struct token_hop *hop, const struct auth *auth);

/* Ends it, whatever it is doing: nothing is left of it. */
void token_hop_end(struct token_hop *hop);

/*
 * What the transfer does next: TOKEN_READY, its own request (also where none is needed);
 * TOKEN_FETCH, the token request, with hop->requesting; TOKEN_WAIT, with hop->waiting. TOKEN_FAILED
 * sets the fault. `deadline_ms` is the attempt's.
 */
enum token_status token_hop_next(struct token_hop *hop, int64_t deadline_ms, struct fault *fault);

/*
 * Makes the token request in the arena. -1: it cannot be made, and hop->requesting is over; ask
 * token_hop_next() again.
 */
int token_hop_build(struct token_hop *hop, struct arena *arena, struct draft *draft);

/*
 * The token request is over: by the fault, if it has one, else with its answer in
 * hop->request.response. Then token_hop_next() knows what comes.
 */
void token_hop_done(struct token_hop *hop, const struct fault *fault, int64_t retry_after_ms);

/*
 * The server refused the attempt's own request, which a new token may mend. True: it is worth
 * repeating, once, from token_hop_next() on.
 */
bool token_hop_refused(struct token_hop *hop);

/* The attempt's own request has been answered with anything else. */
void token_hop_accepted(struct token_hop *hop);

/* The token to send, or NULL. */
const char *token_hop_value(const struct token_hop *hop);

#endif
