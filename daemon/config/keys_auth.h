/*
 * keys_auth.h - the rows of auth and of login, for those who check what binds them to each other.
 */
#ifndef CONFIG_KEYS_AUTH_H
#define CONFIG_KEYS_AUTH_H

#include "config/keys.h"

enum auth_key {
    KEY_TYPE,
    KEY_USERNAME,
    KEY_PASSWORD,
    KEY_TOKEN,
    KEY_KEY,
    KEY_IN,
    KEY_NAME,
    KEY_PREFIX,
    KEY_GRANT,
    KEY_TOKEN_URL,
    KEY_CLIENT_ID,
    KEY_CLIENT_SECRET,
    KEY_CLIENT_AUTH,
    KEY_SCOPES,
    KEY_AUDIENCE,
    KEY_TOKEN_PARAMS,
    KEY_REFRESH_TOKEN,
    KEY_ACCESS_KEY_ID,
    KEY_SECRET_ACCESS_KEY,
    KEY_SESSION_TOKEN,
    KEY_REGION,
    KEY_SERVICE,
    KEY_LOGIN,
    KEY_TOKEN_PATH,
    KEY_COOKIE,
    KEY_LIFETIME,
    AUTH_KEY_COUNT,
};

enum login_key {
    LOGIN_URL,
    LOGIN_METHOD,
    LOGIN_HEADERS,
    LOGIN_BODY,
    LOGIN_FORM,
    LOGIN_USERNAME_PARAM,
    LOGIN_PASSWORD_PARAM,
    LOGIN_KEY_COUNT,
};

/* validate_auth.c; check_auth() also fills in what follows from the type. */
check_object_fn check_auth, check_login;

#endif
