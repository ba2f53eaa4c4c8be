/*
 * Bad configurations: tests/data/config/NAME.yaml beside NAME.error, what the operator reads.
 *
 * Each pair is a test of its own. Files are loaded from their folder, so that names are short.
 */
#include "test.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "expected.h"
#include "gatherd/config.h"

static void is_refused_with_the_expected_report(void **state)
{
    const char *name = *state;
    struct config_report report = {0};
    char path[256];
    unsigned lines = 0;

    assert_null(config_load(name, &report));
    for (const char *p = text_string(&report.text); *p != '\0'; p++)
        lines += *p == '\n';
    assert_int_equal(lines, report.errors + report.warnings);
    assert_true(lines > 0);
    snprintf(path, sizeof(path), "%.*s.error", (int)(strlen(name) - strlen(".yaml")), name);
    assert_expected_file(text_string(&report.text), path);
    config_report_free(&report);
}

static void set_environment(void)
{
    setenv("GATHERD_TEST_SECRET", "hunter2", 1);
    setenv("GATHERD_TEST_EMPTY", "", 1);
    setenv("GATHERD_TEST_NUMBER", "4711", 1);
    setenv("GATHERD_TEST_LINES", "one\r\nX-Two: hunter2", 1);
    setenv("GATHERD_TEST_BYTES", "hunter\xff", 1);
    setenv("GATHERD_TEST_STRUCTURE", "[{name: a, url: https://example.org}]", 1);
    unsetenv("GATHERD_TEST_UNSET");
    unsetenv("GATHERD_TEST_OTHER");
}

static void no_report_shows_what_a_variable_holds(void **state)
{
    glob_t files = {0};

    (void)state;
    assert_int_equal(glob("*.error", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        char *text = read_test_file(files.gl_pathv[i]);

        assert_null(strstr(text, "hunter"));
        assert_null(strstr(text, "4711"));
        free(text);
    }
    globfree(&files);
}

int main(void)
{
    glob_t files = {0};
    struct CMUnitTest *tests;
    size_t count;
    int rc;

    set_environment();
    if (chdir(GATHERD_TEST_DATA "/config") != 0 || glob("*.yaml", 0, NULL, &files) != 0)
        return 1;
    count = files.gl_pathc;
    tests = calloc(count + 1, sizeof(tests[0]));
    if (tests == NULL)
        return 1;
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){.name = files.gl_pathv[i],
                                       .test_func = is_refused_with_the_expected_report,
                                       .initial_state = files.gl_pathv[i]};
    tests[count] = (struct CMUnitTest)cmocka_unit_test(no_report_shows_what_a_variable_holds);
    rc = _cmocka_run_group_tests("bad configurations", tests, count + 1, NULL, NULL);
    free(tests);
    globfree(&files);
    return rc;
}
