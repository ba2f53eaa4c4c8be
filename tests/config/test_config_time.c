/* When a source is due: cron, timezone, align, offset, missed. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/config.h"

#define MINUTE 60000LL
#define HOUR   (60 * MINUTE)

static struct config *parse(const char *yaml)
{
    struct config_report report = {0};
    struct config *config = config_parse(yaml, strlen(yaml), "test.yaml", "", &report);

    if (config == NULL)
        fail_msg("%s", text_string(&report.text));
    config_report_free(&report);
    return config;
}

static int teardown(void **state)
{
    (void)state;
    unsetenv("TZDIR");
    unsetenv("GATHERD_TEST_CRON");
    return 0;
}

static void a_source_counts_its_interval_unless_told_otherwise(void **state)
{
    struct config *config = parse("sources: [{name: a, url: 'http://e.org/'}]");
    const struct source *s = &config->sources[0];

    (void)state;
    assert_null(s->cron);
    assert_null(s->timezone);
    assert_null(s->zone);
    assert_false(s->align);
    assert_int_equal(s->offset_ms, 0);
    assert_int_equal(s->missed, MISSED_ONCE);
    config_unref(config);
}

static void every_key_arrives(void **state)
{
    struct config *config = parse(
        "sources:\n"
        "- {name: a, url: 'http://e.org/', cron: '*/5 * * * *', timezone: Europe/Paris,\n"
        "   offset: 20s, missed: skip}\n"
        "- {name: b, url: 'http://e.org/', interval: 1h, align: true, timezone: Asia/Kolkata,\n"
        "   offset: 90s}\n");
    const struct source *a = &config->sources[0];
    const struct source *b = &config->sources[1];

    (void)state;
    assert_non_null(a->cron);
    assert_string_equal(a->cron->text, "*/5 * * * *");
    assert_int_equal(a->interval_ms, 5 * MINUTE);
    assert_string_equal(a->timezone, "Europe/Paris");
    assert_int_equal(zone_period_at(a->zone, 0).offset_ms, HOUR);
    assert_int_equal(a->offset_ms, 20000);
    assert_int_equal(a->missed, MISSED_SKIP);
    assert_null(b->cron);
    assert_true(b->align);
    assert_int_equal(zone_period_at(b->zone, 0).offset_ms, HOUR * 11 / 2);
    assert_int_equal(b->offset_ms, 90000);
    config_unref(config);
}

static void without_a_time_zone_it_is_utc(void **state)
{
    struct config *config =
        parse("sources: [{name: a, url: 'http://e.org/', cron: '@daily'},\n"
              "{name: b, url: 'http://e.org/', align: true, timezone: Etc/UTC}]");

    (void)state;
    assert_string_equal(config->sources[0].timezone, "UTC");
    assert_null(config->sources[0].zone);
    assert_string_equal(config->sources[1].timezone, "Etc/UTC");
    assert_null(config->sources[1].zone);
    config_unref(config);
}

static void a_source_with_either_cron_or_interval_passes_over_the_other_of_defaults(void **state)
{
    struct config *config =
        parse("defaults: {cron: '@hourly', timezone: Europe/Paris, offset: 2h}\n"
              "sources: [{name: a, url: 'http://e.org/'},\n"
              "{name: b, url: 'http://e.org/', interval: 5m},\n"
              "{name: c, url: 'http://e.org/', interval: 30m, align: true}]");

    (void)state;
    assert_non_null(config->sources[0].cron);
    assert_int_equal(config->sources[0].interval_ms, HOUR);
    assert_int_equal(config->sources[0].offset_ms, 2 * HOUR);
    assert_null(config->sources[1].cron);
    assert_int_equal(config->sources[1].interval_ms, 5 * MINUTE);
    assert_int_equal(config->sources[1].offset_ms, 0);
    assert_null(config->sources[1].timezone);
    assert_null(config->sources[2].cron);
    assert_int_equal(config->sources[2].offset_ms, 0); /* 2h on a grid of 30m is nothing */
    config_unref(config);
    config = parse("defaults: {interval: 5m, align: true}\n"
                   "sources: [{name: a, url: 'http://e.org/', cron: '@daily'}]");
    assert_non_null(config->sources[0].cron);
    assert_false(config->sources[0].align);
    config_unref(config);
}

static void the_shortest_gap_of_cron_bounds_what_the_interval_bounds(void **state)
{
    struct config *config = parse("defaults: {jitter: 10m}\n"
                                  "sources: [{name: a, url: 'http://e.org/', cron: '0 0 * * *'},\n"
                                  "{name: b, url: 'http://e.org/', cron: '*/5 * * * *'}]");

    (void)state;
    assert_int_equal(config->sources[0].max_interval_ms, 24 * HOUR);
    assert_int_equal(config->sources[0].jitter_ms, 10 * MINUTE);
    assert_int_equal(config->sources[1].max_interval_ms, HOUR);
    assert_int_equal(config->sources[1].jitter_ms, 5 * MINUTE);
    config_unref(config);
}

static uint64_t fingerprint(const char *lines)
{
    struct text yaml = {0};
    struct config *config;
    uint64_t value;

    text_format(&yaml, "sources:\n- name: a\n  url: http://e.org/\n%s", lines);
    config = parse(text_string(&yaml));
    value = config->sources[0].fingerprint;
    config_unref(config);
    text_free(&yaml);
    return value;
}

static void each_of_the_keys_is_a_change(void **state)
{
    static const char *const different[] = {
        "",
        "  cron: '0 * * * *'\n",
        "  cron: '1 * * * *'\n",
        "  cron: '0 * * * *'\n  timezone: Europe/Paris\n",
        "  cron: '0 * * * *'\n  timezone: Europe/Berlin\n",
        "  cron: '0 * * * *'\n  offset: 5s\n",
        "  missed: skip\n",
        "  align: true\n",
        "  align: true\n  offset: 5s\n",
    };
    uint64_t seen[sizeof(different) / sizeof(different[0])];

    (void)state;
    for (size_t i = 0; i < sizeof(different) / sizeof(different[0]); i++) {
        seen[i] = fingerprint(different[i]);
        assert_true(seen[i] == fingerprint(different[i]));
        for (size_t k = 0; k < i; k++)
            assert_true(seen[i] != seen[k]);
    }
}

static void what_a_variable_brings_into_a_cron_line_is_not_shown(void **state)
{
    static const char yaml[] =
        "sources: [{name: a, url: 'http://e.org/', cron: '${GATHERD_TEST_CRON} * * * *'},\n"
        "{name: b, url: 'http://e.org/', cron: '@daily', timezone: '${GATHERD_TEST_CRON}'}]";
    struct config_report report = {0};

    (void)state;
    setenv("GATHERD_TEST_CRON", "s3cret", 1);
    assert_null(config_parse(yaml, strlen(yaml), "test.yaml", "", &report));
    assert_string_equal(
        text_string(&report.text),
        "test.yaml:1:49: error: sources[0].cron: \"${GATHERD_TEST_CRON} * * * *\" (with its "
        "variables filled in) is not a cron line: look at what the variables hold\n"
        "test.yaml:2:59: error: sources[1].timezone: \"${GATHERD_TEST_CRON}\" (with its variables "
        "filled in) is not a time zone; write an IANA name, as in Europe/Paris\n");
    config_report_free(&report);
}

static void a_machine_without_zones_is_told_of(void **state)
{
    static const char yaml[] =
        "sources: [{name: a, url: 'http://e.org/', cron: '@daily', timezone: Europe/Paris},\n"
        "{name: b, url: 'http://e.org/', cron: '@daily', timezone: UTC}]";
    struct config_report report = {0};

    (void)state;
    setenv("TZDIR", "/nonexistent", 1);
    assert_null(config_parse(yaml, strlen(yaml), "test.yaml", "", &report));
    assert_string_equal(text_string(&report.text),
                        "test.yaml:1:69: error: sources[0].timezone: there is no time zone "
                        "database in /nonexistent; install the package tzdata, or use UTC\n");
    config_report_free(&report);
}

#define TEST(test) cmocka_unit_test_teardown(test, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_source_counts_its_interval_unless_told_otherwise),
        TEST(every_key_arrives),
        TEST(without_a_time_zone_it_is_utc),
        TEST(a_source_with_either_cron_or_interval_passes_over_the_other_of_defaults),
        TEST(the_shortest_gap_of_cron_bounds_what_the_interval_bounds),
        TEST(each_of_the_keys_is_a_change),
        TEST(what_a_variable_brings_into_a_cron_line_is_not_shown),
        TEST(a_machine_without_zones_is_told_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
