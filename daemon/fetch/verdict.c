#include "fetch/verdict.h"

#include <string.h>

#include "fetch/failure.h"
#include "fetch/retry_after.h"

#define STATUS_NOT_MODIFIED 304

static bool fits(const struct answer_rule *rule, const struct response *response)
{
    if (rule->status_count > 0 &&
        !status_is_among(rule->status, rule->status_count, response->status))
        return false;
    return rule->body_contains == NULL ||
           (response->body != NULL &&
            memmem(response->body, response->body_bytes, rule->body_contains,
                   strlen(rule->body_contains)) != NULL);
}

const struct answer_rule *verdict_rule(const struct source *source, const struct response *response)
{
    for (size_t i = 0; i < source->response_count; i++) {
        if (fits(&source->responses[i], response))
            return &source->responses[i];
    }
    return NULL;
}

static void note_patience(struct run *run, const char *retry_after, int64_t now_wall_ms)
{
    if (retry_after != NULL)
        run->retry_after_ms = retry_after_parse(retry_after, now_wall_ms);
}

/* The text of the rule is not repeated: a variable may have brought it. */
static void fail_by_rule(struct run *run, const struct answer_rule *rule, const char *meaning)
{
    const char *phrase = failure_reason_phrase(run->response.status);

    run_fail(run, RUN_FAILED_STATUS, "HTTP %d%s%s: %s by responses[%zu]", run->response.status,
             phrase == NULL ? "" : " ", phrase == NULL ? "" : phrase, meaning,
             (size_t)(rule - run->source->responses));
}

/* Its body is not for the tables. */
static void ignore(struct run *run)
{
    run->ignored = true;
    run->retryable = false;
}

enum verdict verdict_by_rule(struct run *run, const struct answer_rule *rule,
                             const char *retry_after, int64_t now_wall_ms)
{
    static const char *const meanings[] = {
        [ANSWER_RETRY] = "to be tried again",
        [ANSWER_FAIL] = "a failure",
        [ANSWER_RATE_LIMITED] = "a rate limit",
        [ANSWER_REFRESH_TOKEN] = "a token that has run out",
    };

    if (rule->action == ANSWER_IGNORE) {
        ignore(run);
        return VERDICT_REACHED;
    }
    fail_by_rule(run, rule, meanings[rule->action]);
    run->retryable = rule->action != ANSWER_FAIL;
    note_patience(run, retry_after, now_wall_ms);
    return rule->action == ANSWER_REFRESH_TOKEN ? VERDICT_WANT_NEW_TOKEN : VERDICT_REACHED;
}

enum verdict verdict_by_status(struct run *run, const char *retry_after, int64_t now_wall_ms)
{
    int status = run->response.status;
    const char *phrase = failure_reason_phrase(status);

    if (status == STATUS_NOT_MODIFIED)
        run_fail(run, RUN_FAILED_STATUS,
                 "HTTP 304 Not Modified to a request without a condition; the server, or a cache "
                 "in front of it, is at fault");
    else
        run_fail(run, RUN_FAILED_STATUS, phrase == NULL ? "HTTP %d%s" : "HTTP %d %s", status,
                 phrase == NULL ? "" : phrase);
    run->retryable = failure_status_is_retryable(status);
    note_patience(run, retry_after, now_wall_ms);
    return status == 401 ? VERDICT_WANT_NEW_TOKEN : VERDICT_REACHED;
}
