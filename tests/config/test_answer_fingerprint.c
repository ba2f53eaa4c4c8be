/* The fingerprint that is saved beside what is remembered of an answer. */
#include "test.h"

#include "gatherd/config.h"

#include <string.h>

#define ONE "sources:\n- name: a\n  url: https://example.org/a\n"

static uint64_t fingerprint_of(const char *yaml)
{
    struct config_report report = {0};
    struct config *config = config_parse(yaml, strlen(yaml), "test.yaml", "", &report);
    uint64_t value;

    assert_string_equal(text_string(&report.text), "");
    assert_non_null(config);
    value = config->sources[0].answer_fingerprint;
    config_unref(config);
    config_report_free(&report);
    return value;
}

static uint64_t fingerprint(const char *rest)
{
    struct text yaml = {0};
    uint64_t value;

    text_add(&yaml, ONE);
    text_add(&yaml, rest);
    value = fingerprint_of(text_string(&yaml));
    text_free(&yaml);
    return value;
}

static void what_makes_other_rows_of_an_answer_changes_it(void **state)
{
    static const char *const different[] = {
        "",
        "  success_status_codes: [200]\n",
        "  format: json\n",
        "  records: $.a\n",
        "  fields: {a: $.a}\n",
        "  fields: {b: $.a}\n",
        "  fields: {a: $.b}\n",
        "  fields: {a: {path: $.a, type: text}}\n",
        "  fields: {a: {path: $.a, type: timestamp}}\n",
        "  fields: {a: {path: $.a, type: timestamp, unit: s}}\n",
        "  fields: {a: {path: $.a, type: timestamp, format: '%Y'}}\n",
        "  fields: {a: {path: $.a, type: timestamp, timezone: Europe/Paris}}\n",
        "  fields: {a: {path: $.a, type: blob}}\n",
        "  fields: {a: {path: $.a, type: blob, encoding: hex}}\n",
        "  fields: {a: {path: $.a, required: true}}\n",
        "  fields: {a: {path: $.a, default: 1}}\n",
        "  fields: {a: {path: $.a, default: '1'}}\n",
        "  fields: {a: {path: $.a, null_values: []}}\n",
        "  fields: {a: {path: $.a, null_values: ''}}\n",
        "  null_values: ['']\n",
        "  null_values: ['', 'x']\n",
        "  fields: {a: {sql: '1'}}\n",
        "  fields: {a: {sql: '2'}}\n",
        "  where: a\n",
        "  where: b\n",
        "  exclude: [a]\n",
        "  table: b\n",
        "  primary_key: a\n",
        "  primary_key: a\n  write_mode: insert_only\n",
    };
    uint64_t seen[sizeof(different) / sizeof(different[0])];

    (void)state;
    for (size_t i = 0; i < sizeof(different) / sizeof(different[0]); i++) {
        seen[i] = fingerprint(different[i]);
        for (size_t j = 0; j < i; j++)
            assert_true(seen[i] != seen[j]);
    }
}

static void when_and_how_patiently_it_is_asked_for_does_not(void **state)
{
    static const char *const same[] = {
        "  interval: 61s\n",
        "  jitter: 1s\n",
        "  max_interval: 2h\n",
        "  run_on_start: true\n",
        "  timeout: 31s\n",
        "  connect_timeout: 9s\n",
        "  enabled: false\n",
        "  max_body_size: 1MiB\n",
        "  max_redirects: 4\n",
        "  conditional: false\n",
        "  respect_cache: true\n",
        "  skip_unchanged: true\n",
        "  retry: {max_attempts: 2}\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        assert_true(fingerprint(same[i]) == fingerprint(""));
}

/* The request itself is compared when it is made; no trace of its secrets is to be saved twice. */
static void the_request_is_no_part_of_it(void **state)
{
    (void)state;
    assert_true(fingerprint("  headers: {a: b}\n") == fingerprint(""));
    assert_true(fingerprint("  params: {a: b}\n") == fingerprint(""));
    assert_true(fingerprint_of("sources:\n- name: a\n  url: https://example.org/b\n") ==
                fingerprint(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_makes_other_rows_of_an_answer_changes_it),
        cmocka_unit_test(when_and_how_patiently_it_is_asked_for_does_not),
        cmocka_unit_test(the_request_is_no_part_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
