/* The loader when memory is out: at allocation 1, 2, 3 and so on, until the load gets through. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "allocation.h"
#include "gatherd/config.h"

#define GOOD_FILE GATHERD_TEST_DATA "/config/parts/good.yaml"

/* One number for all sources, so that a value lost on the way would show. */
static uint64_t fingerprint(const struct config *config)
{
    uint64_t sum = config->source_count;

    for (size_t i = 0; i < config->source_count; i++)
        sum = sum * 31 + config->sources[i].fingerprint;
    return sum;
}

/* Loads with the allocation after `count` failing. Returns whether one has failed. */
static bool load_with_failure(const char *path, size_t count, bool once, uint64_t expected)
{
    struct config_report report = {0};
    struct config *config;
    bool failed;

    allocation_fail_after(count, once);
    config = config_load(path, &report);
    failed = allocation_stop_failing();
    assert_true(config == NULL || report.errors == 0);
    assert_true(config != NULL || report.errors > 0);
    assert_true(failed || (config != NULL) == (expected != 0));
    if (config != NULL)
        assert_true(fingerprint(config) == expected);
    config_unref(config);
    config_report_free(&report);
    return failed;
}

/* `expected` is 0 for a file with mistakes. */
static void load_until_memory_suffices(const char *path, bool once, uint64_t expected)
{
    size_t count = 0;

    while (load_with_failure(path, count, once, expected))
        count++;
    assert_true(count > 10);
}

static uint64_t good_fingerprint(void)
{
    struct config_report report = {0};
    struct config *config = config_load(GOOD_FILE, &report);
    uint64_t value;

    if (config == NULL)
        fail_msg("%s", text_string(&report.text));
    assert_int_equal(config->source_count, 5);
    value = fingerprint(config);
    config_unref(config);
    return value;
}

static void a_good_file_is_loaded_whole_or_refused(void **state)
{
    (void)state;
    load_until_memory_suffices(GOOD_FILE, false, good_fingerprint());
}

static void one_failed_allocation_is_noticed_wherever_it_happens(void **state)
{
    (void)state;
    load_until_memory_suffices(GOOD_FILE, true, good_fingerprint());
}

static void a_bad_file_stays_bad(void **state)
{
    static const char *const files[] = {"many_mistakes",
                                        "include_mistakes",
                                        "variable_message",
                                        "field_forms",
                                        "key_twice_among_many",
                                        "timezone",
                                        "cron",
                                        "children",
                                        "children_from_parent",
                                        "children_tables"};
    char path[256];

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), GATHERD_TEST_DATA "/config/%s.yaml", files[i]);
        load_until_memory_suffices(path, false, 0);
        load_until_memory_suffices(path, true, 0);
    }
}

/* The whole dump, or a report, or a text that says it is not whole. Whether one has failed. */
static bool dump_with_failure(size_t count, bool once, const char *expected)
{
    struct config_report report = {0};
    struct text text = {0};
    bool failed;
    int rc;

    allocation_fail_after(count, once);
    rc = config_dump(GOOD_FILE, &text, &report);
    failed = allocation_stop_failing();
    assert_true((rc == -1) == (report.errors > 0));
    if (rc == 0 && !text_failed(&text))
        assert_string_equal(text_string(&text), expected);
    assert_true(failed || (rc == 0 && !text_failed(&text)));
    config_report_free(&report);
    text_free(&text);
    return failed;
}

static void a_dump_is_whole_or_said_not_to_be(void **state)
{
    struct config_report report = {0};
    struct text expected = {0};

    (void)state;
    assert_int_equal(config_dump(GOOD_FILE, &expected, &report), 0);
    for (int once = 0; once < 2; once++) {
        size_t count = 0;

        while (dump_with_failure(count, once == 1, text_string(&expected)))
            count++;
        assert_true(count > 100);
    }
    text_free(&expected);
}

static void out_of_memory_is_said(void **state)
{
    struct config_report report = {0};

    (void)state;
    allocation_fail_after(30, true);
    assert_null(config_load(GOOD_FILE, &report));
    assert_true(allocation_stop_failing());
    assert_non_null(strstr(text_string(&report.text), "error: out of memory"));
    config_report_free(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_is_loaded_whole_or_refused),
        cmocka_unit_test(one_failed_allocation_is_noticed_wherever_it_happens),
        cmocka_unit_test(a_bad_file_stays_bad),
        cmocka_unit_test(a_dump_is_whole_or_said_not_to_be),
        cmocka_unit_test(out_of_memory_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
