/*
 * validators.h - If-None-Match and If-Modified-Since: what we say of the answer that we have, and
 * what an answer says for the next time (RFC 9110, 8.8 and 13).
 *
 * They belong to one request: another URL, parameter or header, or another place that a redirect
 * leads to, is asked without them. Requests are told apart by a number of 16 bits, since requests
 * hold secrets and the number is saved where others may read it. A rare pair of requests with the
 * same number comes to no harm as long as their validators differ.
 */
#ifndef GATHERD_FETCH_VALIDATORS_H
#define GATHERD_FETCH_VALIDATORS_H

#include <stdint.h>

#include "fetch/draft.h"
#include "gatherd/run.h"

/* The longest that is kept. */
#define VALIDATORS_MAX_BYTES 8192

/* After so many failed runs in a row it may be the validators that the server takes offence at. */
#define VALIDATORS_MAX_FAILURES 2

/* The number of a request, before validators or authorization are part of it. */
uint16_t validators_request(const struct draft *draft);

/* The number of a request to where a redirect leads. */
uint16_t validators_redirected(uint16_t request, const char *url);

/*
 * Adds to the draft what the run knows, where it fits this request and the source wants it, and
 * notes in run->conditional whether the request has a condition. One of the source's own headers
 * goes before ours.
 */
void validators_ask(struct run *run, uint16_t request, struct draft *draft);

/*
 * Keeps in run->learned what the answer to this request says. What is not valid counts as not said.
 * Out of memory: nothing is learned, and the next request is one without a condition.
 */
void validators_learn(struct run *run, uint16_t request, int64_t now_wall_ms);

#endif
