#include "fetch/token_request.h"

#include <string.h>

#include "fetch/auth.h"
#include "fetch/build.h"
#include "fetch/response.h"
#include "fetch/tokens.h"
#include "gatherd/secret.h"

void token_request_clear(struct token_request *request)
{
    if (request->response.body != NULL)
        explicit_bzero(request->response.body, request->response.body_bytes);
    response_clear(&request->response);
    hidden_clear(&request->hidden);
    secret_wipe(&request->refresh_token);
    text_free(&request->refresh_token);
}

/* Reads a secret that goes into the request, and remembers it: NULL with the fault set. Borrowed
 * from the draft's arena. */
static const char *take(struct token_request *request, const struct secret *secret,
                        const char *what, struct draft *draft, struct fault *fault)
{
    const char *kept = NULL;
    struct text value = {0};

    if (auth_read(secret, what, &value, fault) == 0) {
        hidden_add(&request->hidden, text_string(&value));
        kept = arena_copy(draft->arena, text_string(&value), value.length);
        if (kept == NULL)
            fault_set(fault, RUN_FAILED_AUTH, true, "auth: out of memory for a secret");
    }
    secret_wipe(&value);
    text_free(&value);
    return kept;
}

/* oauth2. */

static void add_scopes(const struct auth *auth, struct draft *draft)
{
    struct text scopes = {0};

    for (size_t i = 0; i < auth->scope_count; i++)
        text_format(&scopes, "%s%s", i == 0 ? "" : " ", auth->scopes[i]);
    draft_add_field(draft, "scope", text_string(&scopes));
    if (text_failed(&scopes))
        draft->failed = true;
    text_free(&scopes);
}

static void add_basic(struct token_request *request, const char *username, const char *password,
                      struct draft *draft)
{
    struct text header = {0};

    auth_write_basic(&header, username, password);
    if (!text_failed(&header))
        hidden_add(&request->hidden, header.data + strlen("Basic "));
    draft_set_header(draft, "Authorization", text_string(&header));
    if (text_failed(&header))
        draft->failed = true;
    secret_wipe(&header);
    text_free(&header);
}

/* Both parts are encoded before (RFC 6749, 2.3.1). */
static void add_client_header(struct token_request *request, const char *id, const char *secret,
                              struct draft *draft)
{
    struct text name = {0};
    struct text password = {0};

    text_url_encoded(&name, id, strlen(id));
    text_url_encoded(&password, secret, strlen(secret));
    add_basic(request, text_string(&name), text_string(&password), draft);
    if (text_failed(&name) || text_failed(&password))
        draft->failed = true;
    secret_wipe(&password);
    text_free(&name);
    text_free(&password);
}

static int add_client(struct token_request *request, const struct auth *auth, struct draft *draft,
                      struct fault *fault)
{
    const char *secret = "";

    if (auth->client_id == NULL)
        return 0;
    if (auth->client_secret != NULL)
        secret = take(request, auth->client_secret, "client_secret", draft, fault);
    if (secret == NULL)
        return -1;
    if (auth->client_auth == CLIENT_AUTH_HEADER) {
        add_client_header(request, auth->client_id, secret, draft);
        return 0;
    }
    draft_add_field(draft, "client_id", auth->client_id);
    if (auth->client_secret != NULL)
        draft_add_field(draft, "client_secret", secret);
    return 0;
}

static int add_password(struct token_request *request, const struct auth *auth, struct draft *draft,
                        struct fault *fault)
{
    const char *username = take(request, auth->username, "username", draft, fault);
    const char *password =
        username == NULL ? NULL : take(request, auth->password, "password", draft, fault);

    if (password == NULL)
        return -1;
    draft_add_field(draft, "username", username);
    draft_add_field(draft, "password", password);
    return 0;
}

static int add_refresh_token(struct token_request *request, struct token_cache *cache,
                             const struct auth *auth, struct draft *draft, struct fault *fault)
{
    struct text *token = &request->refresh_token;

    if (tokens_refresh_token(cache, auth, token, fault) == -1)
        return -1;
    hidden_add(&request->hidden, text_string(token));
    draft_add_field(draft, "refresh_token", text_string(token));
    return 0;
}

static int add_grant(struct token_request *request, struct token_cache *cache,
                     const struct auth *auth, struct draft *draft, struct fault *fault)
{
    switch (auth->grant) {
    case GRANT_PASSWORD:
        draft_add_field(draft, "grant_type", "password");
        return add_password(request, auth, draft, fault);
    case GRANT_REFRESH_TOKEN:
        draft_add_field(draft, "grant_type", "refresh_token");
        return add_refresh_token(request, cache, auth, draft, fault);
    default:
        draft_add_field(draft, "grant_type", "client_credentials");
        return 0;
    }
}

static int build_oauth2(struct token_request *request, struct token_cache *cache,
                        const struct auth *auth, struct draft *draft, struct fault *fault)
{
    draft_start(draft, draft->arena, auth->token_url);
    draft_set_method(draft, "POST");
    draft_add_header(draft, "Accept", "application/json");
    draft_set_form(draft);
    if (add_grant(request, cache, auth, draft, fault) == -1 ||
        add_client(request, auth, draft, fault) == -1)
        return -1;
    if (auth->scope_count > 0)
        add_scopes(auth, draft);
    if (auth->audience != NULL)
        draft_add_field(draft, "audience", auth->audience);
    for (size_t i = 0; i < auth->token_param_count; i++)
        draft_add_field(draft, auth->token_params[i].name, auth->token_params[i].value);
    draft_finish(draft);
    return 0;
}

/* session. */

static int put_param(const char *param, const char *value, struct draft *draft, struct fault *fault)
{
    if (draft_set_body_param(draft, param, value, false))
        return 0;
    fault_set(fault, RUN_FAILED_AUTH, false, "auth: the login's body has no place for %.60s",
              param);
    return -1;
}

static int add_user(struct token_request *request, const struct auth *auth, struct draft *draft,
                    struct fault *fault)
{
    const struct login *login = auth->login;
    const char *username = "";
    const char *password = "";

    if (auth->username != NULL)
        username = take(request, auth->username, "username", draft, fault);
    if (username != NULL && auth->password != NULL)
        password = take(request, auth->password, "password", draft, fault);
    if (username == NULL || password == NULL)
        return -1;
    if (login->username_param == NULL && login->password_param == NULL) {
        if (auth->username != NULL)
            add_basic(request, username, password, draft);
        return 0;
    }
    if (login->username_param != NULL &&
        put_param(login->username_param, username, draft, fault) == -1)
        return -1;
    return login->password_param == NULL ? 0
                                         : put_param(login->password_param, password, draft, fault);
}

static int build_session(struct token_request *request, const struct auth *auth,
                         struct draft *draft, struct fault *fault)
{
    const struct login *login = auth->login;
    bool params = login->username_param != NULL || login->password_param != NULL;

    build_login(login, draft->arena, draft);
    if (params && login->form == NULL && login->body == NULL)
        draft_set_body(draft, DRAFT_JSON, "{}");
    if (add_user(request, auth, draft, fault) == -1)
        return -1;
    draft_finish(draft);
    return 0;
}

static int check_draft(const struct token_request *request, const struct draft *draft,
                       struct fault *fault)
{
    if (draft->failed || text_failed(&request->hidden.secrets) ||
        text_failed(&request->refresh_token))
        fault_set(fault, RUN_FAILED_AUTH, true, "auth: out of memory for a token request");
    else if (draft->problem != NULL)
        fault_set(fault, RUN_FAILED_AUTH, false, "auth: cannot make the token request: %s",
                  draft->problem);
    else
        return 0;
    return -1;
}

int token_request_build(struct token_request *request, struct token_cache *cache,
                        const struct auth *auth, struct arena *arena, struct draft *draft,
                        struct fault *fault)
{
    int rc;

    arena_reset(arena);
    *draft = (struct draft){.arena = arena};
    rc = auth->type == AUTH_SESSION ? build_session(request, auth, draft, fault)
                                    : build_oauth2(request, cache, auth, draft, fault);
    return rc == 0 ? check_draft(request, draft, fault) : -1;
}
