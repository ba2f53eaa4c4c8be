/* What binds the keys of auth to each other, and those of login. */
#include <string.h>

#include "config/keys_auth.h"
#include "config/load.h"
#include "config/value_list.h"
#include "gatherd/auth.h"

/* --- Which keys belong to which type. --- */

#define BIT(key) (UINT64_C(1) << (key))

#define OF_CLIENT                                                                  \
    (BIT(KEY_GRANT) | BIT(KEY_CLIENT_AUTH) | BIT(KEY_SCOPES) | BIT(KEY_AUDIENCE) | \
     BIT(KEY_TOKEN_PARAMS) | BIT(KEY_CLIENT_ID) | BIT(KEY_CLIENT_SECRET))

static const struct rule {
    enum auth_type type;
    enum auth_grant grant;
    const char *name;
    uint64_t needed;
    uint64_t allowed; /* besides */
} rules[] = {
    {AUTH_NONE, GRANT_NONE, "none", 0, 0},
    {AUTH_BASIC, GRANT_NONE, "basic", BIT(KEY_USERNAME), BIT(KEY_PASSWORD)},
    {AUTH_BEARER, GRANT_NONE, "bearer", BIT(KEY_TOKEN), 0},
    {AUTH_API_KEY, GRANT_NONE, "api_key", BIT(KEY_KEY) | BIT(KEY_NAME),
     BIT(KEY_IN) | BIT(KEY_PREFIX)},
    {AUTH_DIGEST, GRANT_NONE, "digest", BIT(KEY_USERNAME) | BIT(KEY_PASSWORD), 0},
    {AUTH_OAUTH2, GRANT_CLIENT_CREDENTIALS, "oauth2 with grant: client_credentials",
     BIT(KEY_TOKEN_URL) | BIT(KEY_CLIENT_ID) | BIT(KEY_CLIENT_SECRET), OF_CLIENT},
    {AUTH_OAUTH2, GRANT_REFRESH_TOKEN, "oauth2 with grant: refresh_token",
     BIT(KEY_TOKEN_URL) | BIT(KEY_REFRESH_TOKEN), OF_CLIENT},
    {AUTH_OAUTH2, GRANT_PASSWORD, "oauth2 with grant: password",
     BIT(KEY_TOKEN_URL) | BIT(KEY_USERNAME) | BIT(KEY_PASSWORD), OF_CLIENT},
    {AUTH_AWS_SIGV4, GRANT_NONE, "aws_sigv4",
     BIT(KEY_ACCESS_KEY_ID) | BIT(KEY_SECRET_ACCESS_KEY) | BIT(KEY_REGION) | BIT(KEY_SERVICE),
     BIT(KEY_SESSION_TOKEN)},
    {AUTH_SESSION, GRANT_NONE, "session", BIT(KEY_LOGIN),
     BIT(KEY_USERNAME) | BIT(KEY_PASSWORD) | BIT(KEY_IN) | BIT(KEY_NAME) | BIT(KEY_PREFIX) |
         BIT(KEY_TOKEN_PATH) | BIT(KEY_COOKIE) | BIT(KEY_LIFETIME)},
};

static const struct rule *rule_of(const struct auth *auth)
{
    const struct rule *rule = rules;

    while (rule->type != auth->type || (auth->type == AUTH_OAUTH2 && rule->grant != auth->grant))
        rule++;
    return rule;
}

static void refuse_key(struct load *load, const struct where *where, unsigned row,
                       const struct item *value, const struct rule *rule)
{
    struct where here = where_key(where, auth_key_set.keys[row].name);

    load_mistake(load, place_of(load, value), &here, "has no use with type: %s; remove it",
                 rule->name);
}

static void report_missing(struct load *load, const struct where *where, const struct item *item,
                           unsigned row, const struct rule *rule)
{
    load_mistake(load, place_of(load, item), where,
                 "the key \"%s\" is missing, which type: %s needs, as in %s: %s",
                 auth_key_set.keys[row].name, rule->name, auth_key_set.keys[row].name,
                 auth_key_set.keys[row].example);
}

static bool check_rule(struct load *load, const struct where *where, const struct item *item,
                       const struct given *given, const struct rule *rule)
{
    bool good = true;

    for (unsigned row = KEY_TYPE + 1; row < AUTH_KEY_COUNT; row++) {
        bool is_there = given->at[row] != NULL;
        bool is_needed = (rule->needed & BIT(row)) != 0;

        if (is_there && !is_needed && (rule->allowed & BIT(row)) == 0) {
            refuse_key(load, where, row, given->at[row], rule);
            good = false;
        } else if (!is_there && is_needed) {
            report_missing(load, where, item, row, rule);
            good = false;
        }
    }
    return good;
}

/* --- What is carried, and where. --- */

static const char *carrier_problem(const struct auth *auth)
{
    if (auth->in == AUTH_IN_HEADER)
        return header_name_problem(auth->name, strlen(auth->name));
    if (auth->in == AUTH_IN_COOKIE && !is_token(auth->name, strlen(auth->name)))
        return "not a cookie's name; use letters, digits, - and _";
    return NULL;
}

static bool check_carrier(struct load *load, const struct where *where, const struct auth *auth,
                          const struct given *given)
{
    struct where name = where_key(where, auth_key_set.keys[KEY_NAME].name);
    struct where prefix = where_key(where, auth_key_set.keys[KEY_PREFIX].name);
    const char *problem = auth->name == NULL ? NULL : carrier_problem(auth);

    if (problem != NULL && given->at[KEY_NAME] != NULL) {
        load_mistake(load, place_of(load, given->at[KEY_NAME]), &name, "%s", problem);
        return false;
    }
    for (const char *p = auth->prefix == NULL ? "" : auth->prefix; *p != '\0'; p++) {
        if ((unsigned char)*p >= ' ' && *p != 0x7f)
            continue;
        load_mistake(load, place_of(load, given->at[KEY_PREFIX]), &prefix,
                     "a control character before the key; remove it");
        return false;
    }
    return true;
}

/* --- What follows from the type. What is filled in is what a dump shows. --- */

static void fill_carrier(struct auth *auth)
{
    if (auth->in == AUTH_IN_NONE)
        auth->in = auth->cookie == NULL ? AUTH_IN_HEADER : AUTH_IN_COOKIE;
    if (auth->type == AUTH_SESSION && auth->name == NULL && auth->in == AUTH_IN_COOKIE)
        auth->name = auth->cookie;
    if (auth->type == AUTH_SESSION && auth->name == NULL && auth->in == AUTH_IN_HEADER)
        auth->name = "Authorization";
    if (auth->prefix == NULL)
        auth->prefix = auth->type == AUTH_SESSION && auth->in == AUTH_IN_HEADER &&
                               strcasecmp(auth->name, "Authorization") == 0
                           ? "Bearer "
                           : "";
}

static void fill(struct auth *auth)
{
    if (auth->type == AUTH_OAUTH2 && auth->grant == GRANT_NONE)
        auth->grant = GRANT_CLIENT_CREDENTIALS;
    if (auth->type == AUTH_OAUTH2 && auth->client_auth == CLIENT_AUTH_NONE)
        auth->client_auth = auth->client_secret == NULL ? CLIENT_AUTH_BODY : CLIENT_AUTH_HEADER;
    if (auth->type == AUTH_API_KEY || auth->type == AUTH_SESSION)
        fill_carrier(auth);
}

static bool check_client(struct load *load, const struct where *where, const struct item *item,
                         const struct auth *auth)
{
    if (auth->client_id != NULL ||
        (auth->client_secret == NULL && auth->client_auth == CLIENT_AUTH_BODY))
        return true;
    load_mistake(load, place_of(load, item), where,
                 "the key \"client_id\" is missing, which goes with the client's secret; add it");
    return false;
}

/* --- Sessions. --- */

static bool check_token_of_session(struct load *load, const struct where *where,
                                   const struct item *item, const struct auth *auth,
                                   const struct given *given)
{
    struct where path = where_key(where, "token_path");

    if ((auth->token_path == NULL) == (auth->cookie == NULL)) {
        load_mistake(load, place_of(load, item), where,
                     "the token is either in the body of the answer or a cookie of it; write one "
                     "of token_path and cookie");
        return false;
    }
    if (auth->cookie != NULL && !is_token(auth->cookie, strlen(auth->cookie))) {
        struct where cookie = where_key(where, "cookie");

        load_mistake(load, place_of(load, given->at[KEY_COOKIE]), &cookie,
                     "not a cookie's name; use letters, digits, - and _");
        return false;
    }
    if (auth->token_path == NULL || jsonpath_is_singular(auth->token_path))
        return true;
    load_mistake(load, place_of(load, given->at[KEY_TOKEN_PATH]), &path,
                 "can select more than one token; use names and indexes only, as in $.data.token");
    return false;
}

/* Each of username and password is used once: where login says, or both by basic. */
static bool check_use(struct load *load, const struct where *where, const struct item *item,
                      const struct auth *auth)
{
    const struct login *login = auth->login;
    bool by_basic = login->username_param == NULL && login->password_param == NULL;

    if (by_basic && (auth->username != NULL || auth->password == NULL))
        return true;
    if (!by_basic && (login->username_param == NULL) == (auth->username == NULL) &&
        (login->password_param == NULL) == (auth->password == NULL))
        return true;
    load_mistake(load, place_of(load, item), where,
                 "username goes with login.username_param and password with login.password_param; "
                 "write both of a pair or neither, or no such param to send the two by basic");
    return false;
}

static bool check_session(struct load *load, const struct where *where, const struct item *item,
                          const struct auth *auth, const struct given *given)
{
    if (auth->name == NULL) {
        load_mistake(load, place_of(load, item), where,
                     "the key \"name\" is missing: of the parameter or cookie that carries the "
                     "token; add it");
        return false;
    }
    return check_token_of_session(load, where, item, auth, given) &&
           check_use(load, where, item, auth);
}

static bool set_id(struct load *load, struct auth *auth)
{
    struct text scratch = {0};
    bool good;

    auth->id = object_fingerprint(&auth_key_set, auth, &scratch);
    good = !text_failed(&scratch);
    if (!good)
        load_out_of_memory(load);
    text_free(&scratch);
    return good;
}

bool check_auth(struct load *load, const struct where *where, struct item *item, void *object,
                const struct given *given)
{
    struct auth *auth = object;

    fill(auth);
    if (!check_rule(load, where, item, given, rule_of(auth)))
        return false;
    if (auth->type == AUTH_OAUTH2 && !check_client(load, where, item, auth))
        return false;
    if (auth->type == AUTH_SESSION && !check_session(load, where, item, auth, given))
        return false;
    return check_carrier(load, where, auth, given) && set_id(load, auth);
}

static bool refuse_body(struct load *load, const struct where *where, const struct given *given,
                        unsigned row, const char *why)
{
    struct where here = where_key(where, login_key_set.keys[row].name);

    load_mistake(load, place_of(load, given->at[row]), &here, "%s", why);
    return false;
}

bool check_login(struct load *load, const struct where *where, struct item *item, void *object,
                 const struct given *given)
{
    static const struct name_value nothing;
    struct login *login = object;
    bool params = login->username_param != NULL || login->password_param != NULL;

    (void)item;
    if (given->at[LOGIN_FORM] != NULL && login->form == NULL)
        login->form = &nothing;
    if (login->body != NULL && login->form != NULL)
        return refuse_body(load, where, given, LOGIN_FORM,
                           "a request carries a body or a form, not both; remove one of them");
    if (login->body != NULL && params && (!login->body->is_json || login->body->text[0] != '{'))
        return refuse_body(load, where, given, LOGIN_BODY,
                           "username and password go into a mapping; write the body as one");
    if (login->method == METHOD_GET && (params || login->body != NULL || login->form != NULL))
        return refuse_body(load, where, given, LOGIN_METHOD,
                           "a GET carries no body and no form; write POST or PUT");
    return true;
}
