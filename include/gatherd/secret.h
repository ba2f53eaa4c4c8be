/*
 * secret.h - a password, key or token, and where it is kept.
 *
 * The configuration holds where a secret comes from; the secret itself is read each time it is
 * used, so a file that was changed serves the next request. Nothing here is ever logged, and no
 * error shows more than a path or the name of a credential.
 */
#ifndef GATHERD_SECRET_H
#define GATHERD_SECRET_H

#include <stddef.h>

#include "gatherd/error.h"
#include "gatherd/text.h"

enum secret_kind {
    SECRET_LITERAL,    /* in the configuration itself, perhaps through a variable */
    SECRET_FILE,       /* in a file of its own, which nobody else may read */
    SECRET_CREDENTIAL, /* systemd's: $CREDENTIALS_DIRECTORY/NAME */
};

struct secret {
    enum secret_kind kind;
    const char *text; /* the secret, the file's path, or the credential's name */
};

/* No password or key is longer; a file that is was named by mistake. */
#define SECRET_MAX_BYTES (64u * 1024)

/*
 * Appends the secret to `out`, without the line break that ends a file. 0, or -1 with an error that
 * says what to do: ERROR_UNAVAILABLE (no such file or credential, or it is empty),
 * ERROR_PERMISSION (not readable, or readable or writable by others), ERROR_CONFIG (it cannot be a
 * secret: too long, or with a NUL), ERROR_NOMEM. Any thread.
 */
int secret_read(const struct secret *secret, struct text *out, struct error *err);

/* Overwrites what a text holds, and empties it. */
void secret_wipe(struct text *text);

#endif
