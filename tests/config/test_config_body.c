/* method, body and form: what the YAML of a body becomes. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/config.h"

#define SOURCE "sources:\n- name: a\n  url: https://example.org/\n"

static struct config *parse(const char *yaml)
{
    struct config_report report = {0};
    struct config *config = config_parse(yaml, strlen(yaml), "test.yaml", "", &report);

    if (config == NULL)
        fail_msg("%s", text_string(&report.text));
    config_report_free(&report);
    return config;
}

static void assert_body(const char *keys, bool is_json, const char *expected)
{
    struct text yaml = {0};
    struct config *config;

    text_format(&yaml, "%s%s", SOURCE, keys);
    config = parse(text_string(&yaml));
    assert_non_null(config->sources[0].body);
    assert_int_equal(config->sources[0].body->is_json, is_json);
    assert_string_equal(config->sources[0].body->text, expected);
    config_unref(config);
    text_free(&yaml);
}

static void text_stays_as_it_is(void **state)
{
    (void)state;
    assert_body("  body: a { b } c\n", false, "a { b } c");
    assert_body("  body: ''\n", false, "");
    assert_body("  body: '{\"a\": 1}'\n", false, "{\"a\": 1}");
    assert_body("  body: |\n    one\n    two\n", false, "one\ntwo\n");
}

static void values_of_a_mapping_keep_their_type(void **state)
{
    (void)state;
    assert_body("  body:\n    i: 9007199254740993\n    r: 1.50\n    e: -1e-3\n    t: true\n"
                "    f: false\n    n: null\n    tilde: ~\n    nothing:\n    s: text\n"
                "    q: '1'\n    d: \"true\"\n    y: yes\n    empty: ''\n",
                true,
                "{\"i\":9007199254740993,\"r\":1.50,\"e\":-1e-3,\"t\":true,\"f\":false,\"n\":null,"
                "\"tilde\":null,\"nothing\":null,\"s\":\"text\",\"q\":\"1\",\"d\":\"true\","
                "\"y\":\"yes\",\"empty\":\"\"}");
}

static void lists_and_mappings_nest(void **state)
{
    (void)state;
    assert_body("  body: [1, [a, {}], {b: []}]\n", true, "[1,[\"a\",{}],{\"b\":[]}]");
    assert_body("  body: {}\n", true, "{}");
    assert_body("  body: {x-a: 1, \"k \\\"\\n\": 2}\n", true, "{\"x-a\":1,\"k \\\"\\n\":2}");
}

static void a_graphql_query_is_easy_to_write(void **state)
{
    (void)state;
    assert_body(
        "  body:\n    query: |\n      query($n: Int!) {\n        items(first: $n) { id }\n      }\n"
        "    variables: {n: 10}\n",
        true,
        "{\"query\":\"query($n: Int!) {\\n  items(first: $n) { id }\\n}\\n\","
        "\"variables\":{\"n\":10}}");
}

static void a_variable_is_a_number_only_without_quotes(void **state)
{
    (void)state;
    setenv("GATHERD_TEST_LIMIT", "100", 1);
    setenv("GATHERD_TEST_WORD", "a\"b: [c", 1);
    assert_body("  body:\n    n: ${GATHERD_TEST_LIMIT}\n    s: \"${GATHERD_TEST_LIMIT}\"\n"
                "    w: ${GATHERD_TEST_WORD}\n    d: $${x}\n",
                true, "{\"n\":100,\"s\":\"100\",\"w\":\"a\\\"b: [c\",\"d\":\"${{x}\"}");
}

static void merges_and_aliases_work_in_a_body(void **state)
{
    (void)state;
    assert_body("  x-base: &base {a: 1, b: 2}\n  body: {<<: *base, b: 3, c: *base}\n", true,
                "{\"b\":3,\"c\":{\"a\":1,\"b\":2},\"a\":1}");
}

static void the_method_follows_what_is_carried(void **state)
{
    struct config *config = parse("defaults: {timeout: 5s}\nsources:\n"
                                  "- {name: a, url: 'https://e.org/'}\n"
                                  "- {name: b, url: 'https://e.org/', body: x}\n"
                                  "- {name: c, url: 'https://e.org/', form: {a: 1}}\n"
                                  "- {name: d, url: 'https://e.org/', form: {}}\n"
                                  "- {name: e, url: 'https://e.org/', method: GET, body: {}}\n"
                                  "- {name: f, url: 'https://e.org/', method: PUT, body: {}}\n"
                                  "- {name: g, url: 'https://e.org/', method: PATCH}\n");
    static const enum request_method expected[] = {
        METHOD_GET, METHOD_POST, METHOD_POST, METHOD_POST, METHOD_GET, METHOD_PUT, METHOD_PATCH};

    (void)state;
    for (size_t i = 0; i < config->source_count; i++)
        assert_int_equal(config->sources[i].method, expected[i]);
    assert_non_null(config->sources[3].form);
    assert_null(config->sources[1].form);
    config_unref(config);
}

static void what_a_source_carries_goes_before_what_defaults_carry(void **state)
{
    struct config *config = parse("defaults: {form: {a: [1, x y]}, method: PUT}\nsources:\n"
                                  "- {name: a, url: 'https://e.org/'}\n"
                                  "- {name: b, url: 'https://e.org/', body: x}\n"
                                  "- {name: c, url: 'https://e.org/', method: POST}\n");

    (void)state;
    assert_int_equal(config->sources[0].form_count, 2);
    assert_string_equal(config->sources[0].form[1].value, "x y");
    assert_int_equal(config->sources[0].method, METHOD_PUT);
    assert_null(config->sources[1].form);
    assert_int_equal(config->sources[1].form_count, 0);
    assert_int_equal(config->sources[1].method, METHOD_PUT);
    assert_int_equal(config->sources[2].method, METHOD_POST);
    config_unref(config);
}

static void a_reload_sees_a_change_of_what_is_carried(void **state)
{
    static const char *const others[] = {"  body: {a: 2}\n", "  body: '{\"a\":1}'\n",
                                         "  form: {a: 1}\n", "", "  method: PUT\n  body: {a: 1}\n"};
    struct config *base = parse(SOURCE "  body: {a: 1}\n");
    struct config *same = parse(SOURCE "  body:\n    a: 1\n  method: POST\n");

    (void)state;
    assert_int_equal(base->sources[0].fingerprint, same->sources[0].fingerprint);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct text yaml = {0};
        struct config *config;

        text_format(&yaml, "%s%s", SOURCE, others[i]);
        config = parse(text_string(&yaml));
        assert_int_not_equal(base->sources[0].fingerprint, config->sources[0].fingerprint);
        config_unref(config);
        text_free(&yaml);
    }
    config_unref(base);
    config_unref(same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_stays_as_it_is),
        cmocka_unit_test(values_of_a_mapping_keep_their_type),
        cmocka_unit_test(lists_and_mappings_nest),
        cmocka_unit_test(a_graphql_query_is_easy_to_write),
        cmocka_unit_test(a_variable_is_a_number_only_without_quotes),
        cmocka_unit_test(merges_and_aliases_work_in_a_body),
        cmocka_unit_test(the_method_follows_what_is_carried),
        cmocka_unit_test(what_a_source_carries_goes_before_what_defaults_carry),
        cmocka_unit_test(a_reload_sees_a_change_of_what_is_carried),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
