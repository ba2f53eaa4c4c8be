/*
 * sigv4.h - AWS Signature Version 4, in the Authorization header.
 *
 * As "Create a signed AWS API request" in the IAM user guide has it. Ours, because libcurl 7.88
 * signs the query in the order in which it stands, where the server sorts it.
 */
#ifndef GATHERD_FETCH_SIGV4_H
#define GATHERD_FETCH_SIGV4_H

#include <stdint.h>

#include "fetch/draft.h"
#include "fetch/failure.h"

struct sigv4_keys {
    const char *access_key_id;
    const char *secret_access_key;
    const char *session_token; /* NULL: none */
    const char *region;
    const char *service;
};

/*
 * Adds X-Amz-Date, X-Amz-Content-Sha256, X-Amz-Security-Token and Authorization to a draft that is
 * otherwise finished, for a request of `url` made at `wall_ms`. Signed are the method, the URL, the
 * body, Host, Content-Type and all X-Amz- headers. 0, or -1 with the fault set (no URL).
 */
int sigv4_sign(const struct sigv4_keys *keys, const char *url, int64_t wall_ms, struct draft *draft,
               struct fault *fault);

#endif
