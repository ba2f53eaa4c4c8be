#include "gatherd/auth.h"

bool auth_needs_token(const struct auth *auth)
{
    return auth->type == AUTH_OAUTH2 || auth->type == AUTH_SESSION;
}

const char *auth_token_host(const struct auth *auth)
{
    return auth->type == AUTH_SESSION ? auth->login->host : auth->token_host;
}
