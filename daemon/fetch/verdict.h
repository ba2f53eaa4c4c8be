/*
 * verdict.h - what a complete answer means for its run: success, failure, another attempt, a wait.
 */
#ifndef GATHERD_FETCH_VERDICT_H
#define GATHERD_FETCH_VERDICT_H

#include <stdint.h>

#include "gatherd/run.h"

enum verdict {
    VERDICT_REACHED,        /* the run says which: its failure, retryable, ignored */
    VERDICT_WANT_NEW_TOKEN, /* it failed, and a new token may help */
};

/* The first of the source's rules that fits the answer; NULL: none. */
const struct answer_rule *verdict_rule(const struct source *source,
                                       const struct response *response);

/* The run ends as the rule says. `retry_after`: the header, or NULL. */
enum verdict verdict_by_rule(struct run *run, const struct answer_rule *rule,
                             const char *retry_after, int64_t now_wall_ms);

/* The run fails because of its status; a 401 may be that of an old token. */
enum verdict verdict_by_status(struct run *run, const char *retry_after, int64_t now_wall_ms);

#endif
