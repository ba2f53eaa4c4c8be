/*
 * auth.h - how a source proves to a server who it is: the configuration's key `auth`.
 *
 * A plain value of the configuration; what is not of its type is empty. Secrets are read when they
 * are used (secret.h).
 */
#ifndef GATHERD_AUTH_H
#define GATHERD_AUTH_H

#include "gatherd/secret.h"

enum auth_type {
    AUTH_NONE, /* what defaults say is not for this source */
    AUTH_BASIC,
    AUTH_BEARER,
    AUTH_API_KEY,
    AUTH_DIGEST,
    AUTH_AWS_SIGV4,
};

/* Where an API key goes. */
enum auth_place { AUTH_IN_NONE, AUTH_IN_HEADER, AUTH_IN_QUERY, AUTH_IN_COOKIE };

struct auth {
    enum auth_type type;
    /* basic and digest */
    const struct secret *username;
    const struct secret *password; /* NULL: basic sends an empty one */

    const struct secret *token; /* bearer */
    const struct secret *key;   /* api_key */

    /* api_key */
    enum auth_place in;
    const char *name;   /* of the header, parameter or cookie */
    const char *prefix; /* before the key, "": nothing */

    /* aws_sigv4 */
    const struct secret *access_key_id;
    const struct secret *secret_access_key;
    const struct secret *session_token; /* NULL: long-lived keys have none */
    const char *region;
    const char *service;
};

#endif
