/*
 * auth.h - how a source proves to a server who it is: the configuration's key `auth`.
 *
 * A plain value of the configuration; what is not of its type is empty. Secrets are read when they
 * are used (secret.h).
 */
#ifndef GATHERD_AUTH_H
#define GATHERD_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/config.h"
#include "gatherd/hash.h"
#include "gatherd/jsonpath.h"
#include "gatherd/secret.h"

enum auth_type {
    AUTH_NONE, /* what defaults say is not for this source */
    AUTH_BASIC,
    AUTH_BEARER,
    AUTH_API_KEY,
    AUTH_DIGEST,
    AUTH_OAUTH2,
    AUTH_AWS_SIGV4,
    AUTH_SESSION,
};

/* Where an API key or the token of a session goes. */
enum auth_place { AUTH_IN_NONE, AUTH_IN_HEADER, AUTH_IN_QUERY, AUTH_IN_COOKIE };

enum auth_grant {
    GRANT_NONE,
    GRANT_CLIENT_CREDENTIALS,
    GRANT_REFRESH_TOKEN,
    GRANT_PASSWORD,
};

/* Where name and secret of the client go in a token request (RFC 6749, 2.3.1). */
enum client_auth { CLIENT_AUTH_NONE, CLIENT_AUTH_HEADER, CLIENT_AUTH_BODY };

/* The request that begins a session; it carries a body or a form. */
struct login {
    const char *url;
    const char *host; /* "name:port" in lower case */
    enum request_method method;
    const struct name_value *headers;
    size_t header_count;
    const struct request_body *body;
    const struct name_value *form;
    size_t form_count;
    /* Where name and password go in it: a field of the form, or a member of the JSON body. Without
     * either they go by basic. */
    const char *username_param;
    const char *password_param;
};

struct auth {
    enum auth_type type;
    /* Of all settings, and of where the secrets come from: equal ones share one token. */
    struct hash128 id;

    /* basic, digest, session; oauth2 with the grant password */
    const struct secret *username;
    const struct secret *password; /* NULL: basic sends an empty one */

    const struct secret *token; /* bearer */
    const struct secret *key;   /* api_key */

    /* api_key and session */
    enum auth_place in;
    const char *name;   /* of the header, parameter or cookie */
    const char *prefix; /* before the key or token, "": nothing */

    /* oauth2 */
    enum auth_grant grant;
    const char *token_url;
    const char *token_host; /* "name:port" in lower case */
    const char *client_id;  /* NULL: none */
    const struct secret *client_secret;
    enum client_auth client_auth;
    const char *const *scopes;
    size_t scope_count;
    const char *audience; /* NULL: none */
    const struct name_value *token_params;
    size_t token_param_count;
    const struct secret *refresh_token;

    /* aws_sigv4 */
    const struct secret *access_key_id;
    const struct secret *secret_access_key;
    const struct secret *session_token; /* NULL: long-lived keys have none */
    const char *region;
    const char *service;

    /* session */
    const struct login *login;
    struct jsonpath *token_path; /* of the token in the answer; one of the two is set */
    const char *cookie;          /* name of the cookie that is the token */
    int64_t lifetime_ms;         /* 0: until a 401 */
};

/* Whether it carries a token that a request of its own brings: oauth2 and session. */
bool auth_needs_token(const struct auth *auth);

/* Whom a token is asked for, as "name:port": for messages. */
const char *auth_token_host(const struct auth *auth);

#endif
