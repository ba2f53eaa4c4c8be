#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/config.h"
#include "gatherd/template.h"

static struct config *parse(const char *yaml)
{
    struct config_report report = {0};
    struct config *config = config_parse(yaml, strlen(yaml), "test.yaml", "", &report);

    if (config == NULL)
        fail_msg("%s", text_string(&report.text));
    config_report_free(&report);
    return config;
}

static bool find(const void *context, const struct placeholder *p, struct template_value *value)
{
    (void)context;
    *value = (struct template_value){.is_time = true, .at_ms = 1773029106078};
    return p->name <= TEMPLATE_NOW;
}

static void assert_renders(const char *text, const char *expected)
{
    struct text out = {0};

    assert_int_equal(template_render(slice_of(text), TEMPLATE_URL, find, NULL, &out, NULL), 0);
    assert_string_equal(text_string(&out), expected);
    text_free(&out);
}

static void url_params_and_headers_may_hold_placeholders(void **state)
{
    struct config *config =
        parse("sources:\n- name: a\n"
              "  url: 'https://E.org/v1/{now:%Y/%m %d#?é}/x?since={scheduled_at:unix}'\n"
              "  params: {from: ['{scheduled_at}', '{now:date}'], n: 5}\n"
              "  headers: {If: 'x {now:unix_ms}', Q: '{ a { b } } {first:10} {{now}'}\n");
    const struct source *source = &config->sources[0];

    (void)state;
    assert_string_equal(source->host, "e.org:443");
    assert_renders(source->url, "https://E.org/v1/2026%2F03%2009%23%3F%C3%A9/x?since=1773029106");
    assert_renders(source->params[0].value, "2026-03-09T04%3A05%3A06Z");
    assert_renders(source->params[1].value, "2026-03-09");
    assert_string_equal(source->params[2].value, "5");
    assert_renders(source->headers[0].value, "x 1773029106078");
    assert_renders(source->headers[1].value, "{ a { b } } {first:10} {now}");
    config_unref(config);
}

static void assert_body(const char *body, const char *expected)
{
    struct text yaml = {0};
    struct config *config;

    text_format(&yaml, "sources:\n- name: a\n  url: https://e.org/\n  body: %s\n", body);
    config = parse(text_string(&yaml));
    assert_renders(config->sources[0].body->text, expected);
    config_unref(config);
    text_free(&yaml);
}

static void a_body_may_hold_placeholders_in_its_text_but_not_in_its_names(void **state)
{
    (void)state;
    assert_body("{a: '{now:date}', b: ['x {now:unix}', {c: ''}], '{now}': '{{now}', '{{': '{ }'}",
                "{\"a\":\"2026-03-09\",\"b\":[\"x 1773029106\",{\"c\":\"\"}],\"{now}\":\"{now}\","
                "\"{{\":\"{ }\"}");
    assert_body("'{\"n\": {now:unix}, \"q\": \"query { a { b } }\"}'",
                "{\"n\": 1773029106, \"q\": \"query { a { b } }\"}");
}

static void what_stands_for_a_dollar_and_a_brace_is_never_a_placeholder(void **state)
{
    (void)state;
    assert_body("$${now}", "${now}");
    assert_body("$${{now}", "${now}");
    assert_body("$${{{now:date}", "${2026-03-09");
    assert_body("a$${", "a${");
}

static void defaults_may_hold_placeholders(void **state)
{
    struct config *config = parse("defaults: {params: {since: '{previous_scheduled_at}'}}\n"
                                  "sources:\n- {name: a, url: 'https://e.org/'}\n");

    (void)state;
    assert_string_equal(config->sources[0].params[0].value, "{previous_scheduled_at}");
    config_unref(config);
}

static void what_a_variable_holds_is_never_a_placeholder(void **state)
{
    struct config *config;

    (void)state;
    setenv("GATHERD_TEST_A", "{now} {nothing} {{", 1);
    setenv("GATHERD_TEST_B", "now}", 1);
    unsetenv("GATHERD_TEST_UNSET");
    config = parse(
        "sources:\n- name: a\n  url: https://e.org/\n"
        "  headers: {A: '${GATHERD_TEST_A}{now:unix}${GATHERD_TEST_B}'}\n"
        "  params: {b: '{{${GATHERD_TEST_B} $${now} ${GATHERD_TEST_UNSET:-now}{now:date}'}\n");
    assert_renders(config->sources[0].headers[0].value, "{now} {nothing} {{1773029106now}");
    assert_renders(config->sources[0].params[0].value, "{now} ${now} now2026-03-09");
    config_unref(config);
}

static void a_date_is_a_use_of_a_time_zone(void **state)
{
    struct config *config =
        parse("defaults: {timezone: Europe/Paris}\n"
              "sources:\n- {name: a, url: 'https://e.org/{now:date}'}\n"
              "- {name: b, url: 'https://e.org/', timezone: Asia/Tokyo, body: {x: '{now:%H}'}}\n"
              "- {name: c, url: 'https://e.org/{now:unix}/{now}'}\n");

    (void)state;
    assert_string_equal(config->sources[0].timezone, "Europe/Paris");
    assert_non_null(config->sources[0].zone);
    assert_string_equal(config->sources[1].timezone, "Asia/Tokyo");
    assert_null(config->sources[2].timezone);
    assert_null(config->sources[2].zone);
    config_unref(config);
}

static void a_template_counts_in_the_fingerprint_of_its_source(void **state)
{
    struct config *a = parse("sources:\n- {name: a, url: 'https://e.org/{now}'}\n");
    struct config *b = parse("sources:\n- {name: a, url: 'https://e.org/{now:date}'}\n");

    (void)state;
    assert_true(a->sources[0].fingerprint != b->sources[0].fingerprint);
    config_unref(a);
    config_unref(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(url_params_and_headers_may_hold_placeholders),
        cmocka_unit_test(a_body_may_hold_placeholders_in_its_text_but_not_in_its_names),
        cmocka_unit_test(what_stands_for_a_dollar_and_a_brace_is_never_a_placeholder),
        cmocka_unit_test(defaults_may_hold_placeholders),
        cmocka_unit_test(what_a_variable_holds_is_never_a_placeholder),
        cmocka_unit_test(a_date_is_a_use_of_a_time_zone),
        cmocka_unit_test(a_template_counts_in_the_fingerprint_of_its_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
