#include "test.h"

#include <string.h>

#include "gatherd/config.h"

static struct config *parse(const char *yaml)
{
    struct config_report report = {0};
    struct config *config = config_parse(yaml, strlen(yaml), "test.yaml", "", &report);

    if (config == NULL)
        fail_msg("%s", text_string(&report.text));
    config_report_free(&report);
    return config;
}

static const struct source *find(const struct config *config, const char *name)
{
    const struct source *source = config_find_source(config, name);

    assert_non_null(source);
    return source;
}

static void check_policy(const struct config *config, const char *name, unsigned max_concurrent,
                         int64_t min_spacing_ms)
{
    const struct host_policy *policy = find(config, name)->host_policy;

    assert_int_equal(policy->max_concurrent, max_concurrent);
    assert_int_equal(policy->min_spacing_ms, min_spacing_ms);
}

static void hosts_without_an_override_follow_the_common_rules(void **state)
{
    struct config *config = parse("sources:\n- {name: a, url: http://a/}\n");

    (void)state;
    check_policy(config, "a", 2, 0);
    config_unref(config);
    config = parse("hosts: {max_concurrent: 5, min_spacing: 200ms}\n"
                   "sources:\n- {name: a, url: http://a/}\n");
    check_policy(config, "a", 5, 200);
    assert_null(find(config, "a")->rate_limit);
    config_unref(config);
}

static void overrides_are_by_name_or_by_name_and_port_and_case_does_not_count(void **state)
{
    struct config *config = parse("sources:\n"
                                  "- {name: any_port, url: http://api.example.org/}\n"
                                  "- {name: this_port, url: http://API.example.org:8080/}\n"
                                  "- {name: other, url: http://example.org/}\n"
                                  "- {name: six, url: 'http://[::1]/'}\n"
                                  "- {name: six_port, url: 'http://[::1]:81/'}\n"
                                  "- {name: socket, url: http://a/, unix_socket: /run/A.sock}\n"
                                  "hosts:\n"
                                  "  overrides:\n"
                                  "    Api.Example.ORG: {max_concurrent: 1}\n"
                                  "    api.example.org:8080: {min_spacing: 1s}\n"
                                  "    '[::1]': {min_spacing: 2s}\n"
                                  "    '[::1]:81': {min_spacing: 3s}\n"
                                  "    unix:/run/A.sock: {min_spacing: 4s}\n"
                                  "  max_concurrent: 7\n"
                                  "  min_spacing: 50ms\n");

    (void)state;
    check_policy(config, "any_port", 1, 50);
    check_policy(config, "this_port", 7, 1000);
    check_policy(config, "other", 7, 50);
    check_policy(config, "six", 7, 2000);
    check_policy(config, "six_port", 7, 3000);
    check_policy(config, "socket", 7, 4000);
    config_unref(config);
}

static void a_rate_limit_is_found_by_its_name_wherever_it_stands(void **state)
{
    struct config *config = parse("defaults: {rate_limit: github}\n"
                                  "sources:\n"
                                  "- {name: a, url: http://a/}\n"
                                  "- {name: b, url: http://b/, rate_limit: other}\n"
                                  "rate_limits:\n"
                                  "  other: {requests: 1, per: 2s}\n"
                                  "  github: {requests: 5000, per: 1h, burst: 10}\n");
    const struct rate_limit *github = find(config, "a")->rate_limit;
    const struct rate_limit *other = find(config, "b")->rate_limit;

    (void)state;
    assert_string_equal(github->name, "github");
    assert_int_equal(github->requests, 5000);
    assert_int_equal(github->per_ms, 3600000);
    assert_int_equal(github->burst, 10);
    assert_string_equal(other->name, "other");
    assert_int_equal(other->burst, 1);
    config_unref(config);
}

static void another_rate_limit_is_a_change_of_the_source_and_another_rate_is_not(void **state)
{
    const char *before = "rate_limits: {x: {requests: 1, per: 1s}, y: {requests: 1, per: 1s}}\n"
                         "sources:\n- {name: a, url: http://a/, rate_limit: x}\n";
    const char *other_rate = "rate_limits: {x: {requests: 9, per: 1s}, y: {requests: 1, per: 1s}}\n"
                             "sources:\n- {name: a, url: http://a/, rate_limit: x}\n";
    const char *other_limit =
        "rate_limits: {x: {requests: 1, per: 1s}, y: {requests: 1, per: 1s}}\n"
        "sources:\n- {name: a, url: http://a/, rate_limit: y}\n";
    struct config *a = parse(before);
    struct config *b = parse(other_rate);
    struct config *c = parse(other_limit);

    (void)state;
    assert_int_equal(a->sources[0].fingerprint, b->sources[0].fingerprint);
    assert_int_not_equal(a->sources[0].fingerprint, c->sources[0].fingerprint);
    config_unref(a);
    config_unref(b);
    config_unref(c);
}

static void a_quota_looks_at_the_usual_headers_unless_told_otherwise(void **state)
{
    struct config *config = parse("sources:\n"
                                  "- {name: a, url: http://a/}\n"
                                  "- {name: b, url: http://b/, quota: {}}\n"
                                  "- {name: c, url: http://c/,\n"
                                  "   quota: {remaining: Left, reset: Then, reserve: 10}}\n");
    const struct quota *usual = find(config, "b")->quota;
    const struct quota *other = find(config, "c")->quota;

    (void)state;
    assert_null(find(config, "a")->quota);
    assert_string_equal(usual->remaining, "X-RateLimit-Remaining");
    assert_string_equal(usual->reset, "X-RateLimit-Reset");
    assert_int_equal(usual->reserve, 0);
    assert_string_equal(other->remaining, "Left");
    assert_string_equal(other->reset, "Then");
    assert_int_equal(other->reserve, 10);
    config_unref(config);
}

static void rules_for_answers_stay_in_their_order(void **state)
{
    struct config *config = parse("sources:\n"
                                  "- name: a\n"
                                  "  url: http://a/\n"
                                  "  retry: {scope: host}\n"
                                  "  responses:\n"
                                  "  - {status: [403, 500-599], action: retry}\n"
                                  "  - {body_contains: 5, action: ignore}\n"
                                  "  - {status: 404, body_contains: gone, action: fail}\n"
                                  "- {name: b, url: http://b/}\n");
    const struct source *a = find(config, "a");

    (void)state;
    assert_int_equal(a->retry->scope, RETRY_SCOPE_HOST);
    assert_int_equal(a->response_count, 3);
    assert_int_equal(a->responses[0].status_count, 2);
    assert_int_equal(a->responses[0].status[1].high, 599);
    assert_null(a->responses[0].body_contains);
    assert_int_equal(a->responses[0].action, ANSWER_RETRY);
    assert_int_equal(a->responses[1].status_count, 0);
    assert_string_equal(a->responses[1].body_contains, "5");
    assert_int_equal(a->responses[1].action, ANSWER_IGNORE);
    assert_int_equal(a->responses[2].action, ANSWER_FAIL);
    assert_int_equal(find(config, "b")->retry->scope, RETRY_SCOPE_SOURCE);
    config_unref(config);
}

static void another_rule_is_a_change_of_the_source(void **state)
{
    static const char *const rules[] = {
        "[]",
        "[{status: 403, action: retry}]",
        "[{status: 404, action: retry}]",
        "[{status: 403, action: fail}]",
        "[{status: 403, body_contains: x, action: retry}]",
        "[{status: 403, action: retry}, {status: 403, action: retry}]",
    };
    uint64_t seen[6];

    (void)state;
    for (int i = 0; i < 6; i++) {
        struct text yaml = {0};
        struct config *config;

        text_format(&yaml, "sources:\n- name: a\n  url: http://a/\n  responses: %s\n", rules[i]);
        config = parse(text_string(&yaml));
        seen[i] = config->sources[0].fingerprint;
        for (int k = 0; k < i; k++)
            assert_int_not_equal(seen[i], seen[k]);
        config_unref(config);
        text_free(&yaml);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_without_an_override_follow_the_common_rules),
        cmocka_unit_test(overrides_are_by_name_or_by_name_and_port_and_case_does_not_count),
        cmocka_unit_test(a_rate_limit_is_found_by_its_name_wherever_it_stands),
        cmocka_unit_test(a_quota_looks_at_the_usual_headers_unless_told_otherwise),
        cmocka_unit_test(rules_for_answers_stay_in_their_order),
        cmocka_unit_test(another_rule_is_a_change_of_the_source),
        cmocka_unit_test(another_rate_limit_is_a_change_of_the_source_and_another_rate_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
