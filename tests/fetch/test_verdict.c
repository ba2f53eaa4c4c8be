#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "fetch/verdict.h"

static const struct status_range forbidden[] = {{403, 403}};
static const struct status_range errors[] = {{400, 499}, {503, 503}};

static const struct answer_rule rules[] = {
    {forbidden, 1, "rate limit", ANSWER_RATE_LIMITED}, {errors, 2, NULL, ANSWER_RETRY},
    {NULL, 0, "\"status\":\"empty\"", ANSWER_IGNORE},  {NULL, 0, "\"error\":", ANSWER_FAIL},
    {NULL, 0, "expired", ANSWER_REFRESH_TOKEN},
};

struct answer {
    struct source source;
    struct run run;
};

static int setup(void **state)
{
    struct answer *a = calloc(1, sizeof(*a));

    assert_non_null(a);
    a->source.responses = rules;
    a->source.response_count = sizeof(rules) / sizeof(rules[0]);
    a->run.source = &a->source;
    a->run.retry_after_ms = -1;
    *state = a;
    return 0;
}

static int teardown(void **state)
{
    struct answer *a = *state;

    run_clear_response(&a->run);
    free(a);
    return 0;
}

static void answer_with(struct answer *a, int status, const char *body)
{
    run_clear_response(&a->run);
    a->run.response.status = status;
    a->run.response.body = body != NULL ? strdup(body) : NULL;
    a->run.response.body_bytes = body != NULL ? strlen(body) : 0;
}

/* The number of the rule that fits; -1: none. */
static int rule_for(struct answer *a, int status, const char *body)
{
    const struct answer_rule *rule;

    answer_with(a, status, body);
    rule = verdict_rule(&a->source, &a->run.response);
    return rule == NULL ? -1 : (int)(rule - rules);
}

static void the_first_rule_of_which_everything_fits_counts(void **state)
{
    struct answer *a = *state;

    assert_int_equal(rule_for(a, 403, "over the rate limit"), 0);
    assert_int_equal(rule_for(a, 403, "no"), 1);
    assert_int_equal(rule_for(a, 403, NULL), 1);
    assert_int_equal(rule_for(a, 503, ""), 1);
    assert_int_equal(rule_for(a, 500, ""), -1);
    assert_int_equal(rule_for(a, 200, "{\"error\": 1}"), 3);
    assert_int_equal(rule_for(a, 200, "over the rate limit"), -1);
    assert_int_equal(rule_for(a, 200, NULL), -1);
}

static void a_text_is_found_behind_a_nul_too(void **state)
{
    struct answer *a = *state;

    answer_with(a, 200, "x_expired");
    a->run.response.body[1] = '\0';
    assert_ptr_equal(verdict_rule(&a->source, &a->run.response), &rules[4]);
}

static enum verdict judge(struct answer *a, int rule, int status, const char *retry_after)
{
    answer_with(a, status, "body");
    return verdict_by_rule(&a->run, &rules[rule], retry_after, 0);
}

static void retry_and_rate_limited_fail_this_attempt_and_heed_retry_after(void **state)
{
    struct answer *a = *state;

    assert_int_equal(judge(a, 0, 403, "30"), VERDICT_REACHED);
    assert_int_equal(a->run.failure, RUN_FAILED_STATUS);
    assert_string_equal(a->run.error, "HTTP 403 Forbidden: a rate limit by responses[0]");
    assert_true(a->run.retryable);
    assert_int_equal(a->run.retry_after_ms, 30000);
    assert_int_equal(judge(a, 1, 299, NULL), VERDICT_REACHED);
    assert_string_equal(a->run.error, "HTTP 299: to be tried again by responses[1]");
    assert_true(a->run.retryable);
    assert_int_equal(a->run.retry_after_ms, -1);
}

static void fail_is_final(void **state)
{
    struct answer *a = *state;

    assert_int_equal(judge(a, 3, 200, NULL), VERDICT_REACHED);
    assert_string_equal(a->run.error, "HTTP 200 OK: a failure by responses[3]");
    assert_false(a->run.retryable);
}

static void ignore_is_a_success_without_rows(void **state)
{
    struct answer *a = *state;

    assert_int_equal(judge(a, 2, 404, "30"), VERDICT_REACHED);
    assert_int_equal(a->run.failure, RUN_OK);
    assert_true(a->run.ignored);
    assert_int_equal(a->run.retry_after_ms, -1);
    run_clear_response(&a->run);
    assert_false(a->run.ignored);
}

static void refresh_token_wants_a_new_one_before_the_next_attempt(void **state)
{
    struct answer *a = *state;

    assert_int_equal(judge(a, 4, 401, NULL), VERDICT_WANT_NEW_TOKEN);
    assert_string_equal(a->run.error,
                        "HTTP 401 Unauthorized: a token that has run out by responses[4]");
    assert_true(a->run.retryable);
}

static void without_a_rule_the_status_decides(void **state)
{
    struct answer *a = *state;

    answer_with(a, 429, NULL);
    verdict_by_status(&a->run, "5", 0);
    assert_string_equal(a->run.error, "HTTP 429 Too Many Requests");
    assert_true(a->run.retryable);
    assert_int_equal(a->run.retry_after_ms, 5000);
    answer_with(a, 418, NULL);
    verdict_by_status(&a->run, NULL, 0);
    assert_string_equal(a->run.error, "HTTP 418");
    assert_false(a->run.retryable);
}

#define WITH_ANSWER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ANSWER(the_first_rule_of_which_everything_fits_counts),
        WITH_ANSWER(a_text_is_found_behind_a_nul_too),
        WITH_ANSWER(retry_and_rate_limited_fail_this_attempt_and_heed_retry_after),
        WITH_ANSWER(fail_is_final),
        WITH_ANSWER(ignore_is_a_success_without_rows),
        WITH_ANSWER(refresh_token_wants_a_new_one_before_the_next_attempt),
        WITH_ANSWER(without_a_rule_the_status_decides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
