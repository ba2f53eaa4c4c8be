/* The configuration and the file system: folders, includes, what cannot be read. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gatherd/config.h"

#define ONE "sources:\n- name: a\n  url: https://example.org/a\n"

static void the_database_is_relative_to_the_folder_of_the_file(void **state)
{
    static const struct {
        const char *folder;
        const char *database;
    } cases[] = {
        {"", "x.db"},          {".", "x.db"},       {NULL, "x.db"},
        {"/etc", "/etc/x.db"}, {"etc", "etc/x.db"}, {"/etc/g/", "/etc/g/x.db"},
        {"../c", "../c/x.db"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static const char yaml[] = "database: x.db\n" ONE;
        struct config_report report = {0};
        struct config *config =
            config_parse(yaml, strlen(yaml), "x.yaml", cases[i].folder, &report);

        assert_non_null(config);
        assert_string_equal(config->database, cases[i].database);
        config_unref(config);
    }
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void included_files_bring_their_sources_in_order(void **state)
{
    struct config_report report = {0};
    struct config *config;
    char folder[] = "/tmp/gatherd-config-[x]-XXXXXX"; /* a pattern's characters in the folder */
    char old[4096];

    (void)state;
    assert_non_null(getcwd(old, sizeof(old)));
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkdir("conf.d", 0700), 0);
    write_file("main.yaml", "include: ['conf.d/*.yaml', conf.d/b.yaml, '*.yaml', 'none*.yaml']\n"
                            "defaults: {interval: 7s}\nsources:\n"
                            "- {name: m, url: 'https://e.org/'}\n");
    write_file("conf.d/b.yaml", "sources:\n- {name: b, url: 'https://e.org/'}\n");
    write_file("conf.d/a.yaml", "x-i: &i {interval: 3s}\nsources:\n"
                                "- {<<: *i, name: a, url: 'https://e.org/'}\n");
    write_file("conf.d/c.yaml", "sources: []\n");
    assert_int_equal(chdir("/"), 0);
    snprintf(old, sizeof(old), "%s/main.yaml", folder);
    config = config_load(old, &report);
    if (config == NULL)
        fail_msg("%s", text_string(&report.text));
    assert_int_equal(config->source_count, 3);
    assert_string_equal(config->sources[0].name, "m");
    assert_string_equal(config->sources[1].name, "a");
    assert_string_equal(config->sources[2].name, "b");
    assert_int_equal(config->sources[1].interval_ms, 3000);
    assert_int_equal(config->sources[2].interval_ms, 7000);
    assert_int_equal(config->sources[1].line, 3);
    assert_string_equal(strrchr(config->sources[1].file, '/'), "/a.yaml");
    assert_int_equal(strncmp(config->database, folder, strlen(folder)), 0);
    config_unref(config);
    config_report_free(&report);
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(unlink("main.yaml") | unlink("conf.d/a.yaml") | unlink("conf.d/b.yaml") |
                         unlink("conf.d/c.yaml") | rmdir("conf.d") | chdir("/") | rmdir(folder),
                     0);
}

static void a_file_that_cannot_be_read_is_reported(void **state)
{
    struct config_report report = {0};

    (void)state;
    assert_null(config_load("/nonexistent/gatherd.yaml", &report));
    assert_null(config_load("/tmp", &report));
    assert_int_equal(report.errors, 2);
    assert_string_equal(text_string(&report.text),
                        "/nonexistent/gatherd.yaml: error: cannot read it: No such file or "
                        "directory\n/tmp: error: cannot read it: Is a directory\n");
    config_report_free(&report);
}

static void a_file_that_may_not_be_included_is_reported(void **state)
{
    static const char yaml[] = "include: /tmp/gatherd-test-secret.yaml\n" ONE;
    struct config_report report = {0};

    (void)state;
    if (geteuid() == 0)
        skip(); /* root may read everything */
    write_file("/tmp/gatherd-test-secret.yaml", ONE);
    assert_int_equal(chmod("/tmp/gatherd-test-secret.yaml", 0), 0);
    assert_null(config_parse(yaml, strlen(yaml), "m.yaml", "", &report));
    assert_string_equal(text_string(&report.text),
                        "m.yaml:1:10: error: include: cannot read "
                        "\"/tmp/gatherd-test-secret.yaml\": Permission denied\n");
    config_report_free(&report);
    unlink("/tmp/gatherd-test-secret.yaml");
}

static void reading_a_pipe_by_include_is_refused_at_once(void **state)
{
    static const char yaml[] = "include: gatherd-test-pipe.yaml\n" ONE;
    struct config_report report = {0};

    (void)state;
    unlink("/tmp/gatherd-test-pipe.yaml");
    assert_int_equal(mkfifo("/tmp/gatherd-test-pipe.yaml", 0600), 0);
    assert_null(config_parse(yaml, strlen(yaml), "m.yaml", "/tmp", &report));
    assert_string_equal(text_string(&report.text),
                        "m.yaml:1:10: error: include: cannot read "
                        "\"/tmp/gatherd-test-pipe.yaml\": it is not a regular file\n");
    config_report_free(&report);
    unlink("/tmp/gatherd-test-pipe.yaml");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_database_is_relative_to_the_folder_of_the_file),
        cmocka_unit_test(included_files_bring_their_sources_in_order),
        cmocka_unit_test(a_file_that_cannot_be_read_is_reported),
        cmocka_unit_test(a_file_that_may_not_be_included_is_reported),
        cmocka_unit_test(reading_a_pipe_by_include_is_refused_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
