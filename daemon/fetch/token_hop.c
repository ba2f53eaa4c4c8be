#include "fetch/token_hop.h"

#include <assert.h>

#include "gatherd/clock.h"
#include "gatherd/log.h"
#include "gatherd/secret.h"

static bool needs_token(const struct token_hop *hop)
{
    return hop->auth != NULL && auth_needs_token(hop->auth);
}

void token_hop_begin(struct token_hop *hop, const struct auth *auth)
{
    assert(!hop->requesting && !hop->waiting);
    hop->auth = auth;
    hop->fresh = false;
    hop->renewed = false;
    assert(!needs_token(hop) || hop->cache != NULL);
}

void token_hop_end(struct token_hop *hop)
{
    if (hop->requesting)
        tokens_abandon(hop->cache, hop->auth);
    hop->requesting = false;
    hop->waiting = false;
    hop->auth = NULL;
    token_request_clear(&hop->request);
    secret_wipe(&hop->token.value);
    text_free(&hop->token.value);
}

/* While the present token is good, half of the time is left for the request that it serves. */
static int64_t deadline_of(int64_t deadline_ms, bool early, int64_t now_ms)
{
    return early && deadline_ms > now_ms ? now_ms + (deadline_ms - now_ms) / 2 : deadline_ms;
}

enum token_status token_hop_next(struct token_hop *hop, int64_t deadline_ms, struct fault *fault)
{
    int64_t now_ms = clock_monotonic_ms();
    enum token_status status;

    hop->waiting = false;
    if (!needs_token(hop))
        return TOKEN_READY;
    status = tokens_get(hop->cache, hop->auth, now_ms, &hop->token, &hop->early, fault);
    hop->requesting = status == TOKEN_FETCH;
    hop->deadline_ms = deadline_of(deadline_ms, hop->early, now_ms);
    if (status != TOKEN_WAIT)
        return status;
    if (now_ms >= deadline_ms) {
        fault_set(fault, RUN_FAILED_AUTH, true,
                  "auth: timeout passed while another source was getting a token from %s",
                  auth_token_host(hop->auth));
        return TOKEN_FAILED;
    }
    hop->waiting = true;
    return TOKEN_WAIT;
}

/* Nobody is harmed yet, so nothing else would say it. */
static void warn_of_failure(const struct token_hop *hop, const struct fault *fault)
{
    if (hop->early)
        log_warning("a token cannot be renewed before it expires",
                    LOG_STR("host", auth_token_host(hop->auth)), LOG_STR("error", fault->text));
}

static void fail(struct token_hop *hop, const struct fault *fault, int64_t retry_after_ms)
{
    warn_of_failure(hop, fault);
    hop->requesting = false;
    tokens_fail(hop->cache, hop->auth, fault, retry_after_ms, clock_monotonic_ms());
}

int token_hop_build(struct token_hop *hop, struct arena *arena, struct draft *draft)
{
    struct fault fault = {0};

    assert(hop->requesting);
    token_request_clear(&hop->request);
    if (token_request_build(&hop->request, hop->cache, hop->auth, arena, draft, &fault) == 0)
        return 0;
    fail(hop, &fault, -1);
    return -1;
}

static void store(struct token_hop *hop, struct token_result *result)
{
    struct fault fault = {0};
    struct token_grant grant = {
        .token = text_string(&result->token),
        .lifetime_ms = result->lifetime_ms,
        .refresh_token =
            result->refresh_token.length > 0 ? text_string(&result->refresh_token) : NULL,
    };

    hop->requesting = false;
    if (tokens_store(hop->cache, hop->auth, &grant, clock_monotonic_ms(), &fault) == -1) {
        warn_of_failure(hop, &fault);
        return;
    }
    hop->fresh = true;
    log_debug("got a token", LOG_STR("host", auth_token_host(hop->auth)),
              LOG_INT("lifetime_ms", result->lifetime_ms));
}

static void read_answer(struct token_hop *hop, int64_t retry_after_ms)
{
    struct token_result result = {0};
    struct fault fault = {0};

    if (token_request_read(&hop->request, hop->auth, &result, &fault) == 0)
        store(hop, &result);
    else
        fail(hop, &fault, retry_after_ms);
    token_result_clear(&result);
}

void token_hop_done(struct token_hop *hop, const struct fault *fault, int64_t retry_after_ms)
{
    struct fault ours = {0};

    assert(hop->requesting);
    if (fault->kind == RUN_OK) {
        read_answer(hop, retry_after_ms);
    } else {
        fault_set(&ours, RUN_FAILED_AUTH, fault->retryable, "auth: %s %s: %s",
                  hop->auth->type == AUTH_SESSION ? "login at" : "token request to",
                  auth_token_host(hop->auth), fault->text);
        fail(hop, &ours, retry_after_ms);
    }
    token_request_clear(&hop->request);
}

bool token_hop_refused(struct token_hop *hop)
{
    int64_t now_ms = clock_monotonic_ms();

    if (!needs_token(hop))
        return false;
    if (hop->renewed)
        tokens_judge(hop->cache, hop->auth, false, now_ms);
    if (hop->fresh || hop->renewed)
        return false;
    hop->renewed = tokens_refuse(hop->cache, hop->auth, hop->token.generation, now_ms);
    return hop->renewed;
}

void token_hop_accepted(struct token_hop *hop)
{
    if (hop->renewed)
        tokens_judge(hop->cache, hop->auth, true, clock_monotonic_ms());
}

const char *token_hop_value(const struct token_hop *hop)
{
    return hop->token.value.length == 0 ? NULL : text_string(&hop->token.value);
}
