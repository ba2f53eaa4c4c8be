/*
 * auth.h - puts into a request what proves who the source is.
 *
 * Everything goes into the draft, as headers, a parameter or a cookie, so that it stays with the
 * source's own origin as all of a draft does. Only digest is left to libcurl, because it takes a
 * challenge first.
 */
#ifndef GATHERD_FETCH_AUTH_H
#define GATHERD_FETCH_AUTH_H

#include <stdint.h>

#include "fetch/draft.h"
#include "fetch/failure.h"
#include "fetch/hidden.h"
#include "gatherd/auth.h"
#include "gatherd/secret.h"
#include "gatherd/text.h"

/*
 * Adds what `auth` (NULL: nothing) says; `token` is that of oauth2 and session. What it adds, in
 * the forms that it has in the request, goes into `hidden`, too. 0, or -1 with the
 * fault set, of the kind RUN_FAILED_AUTH: a secret cannot be read, or cannot stand in a request.
 * Where memory runs out the draft says so.
 */
int auth_apply(const struct auth *auth, const char *token, struct draft *draft,
               struct hidden *hidden, struct fault *fault);

/*
 * A redirect within the origin has dropped the parameter that carries a key: puts it back into
 * `url`, as the draft has it.
 */
void auth_keep_param(const struct auth *auth, const struct draft *draft, struct text *url);

/*
 * What can only be told of the whole request: the signature of aws_sigv4 over its URL, headers and
 * body. `url` is the one that is asked for, `wall_ms` is now. As auth_apply().
 */
int auth_sign(const struct auth *auth, const char *url, int64_t wall_ms, struct draft *draft,
              struct hidden *hidden, struct fault *fault);

/* Reads a secret that goes into one line: `what` is its name, for the fault. Appends to `out`. */
int auth_read(const struct secret *secret, const char *what, struct text *out, struct fault *fault);

/* Appends "Basic ..." (RFC 7617) for a name and a password. */
void auth_write_basic(struct text *out, const char *username, const char *password);

#endif
