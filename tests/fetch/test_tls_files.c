#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fetch/tls_files.h"

struct world {
    struct tls_files *files;
    char folder[40];
    char path[80];
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    strcpy(w->folder, "/tmp/gatherd-test-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->path, sizeof(w->path), "%s/ca.pem", w->folder);
    w->files = tls_files_create();
    assert_non_null(w->files);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    char command[100];

    snprintf(command, sizeof(command), "rm -r '%s'", w->folder);
    assert_int_equal(system(command), 0);
    tls_files_free(w->files);
    free(w);
    return 0;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void assert_content(struct world *w, const char *path, const char *expected)
{
    struct slice content = {0};
    struct error err = {0};

    if (tls_files_get(w->files, path, &content, &err) == -1)
        fail_msg("%s", err.text);
    assert_int_equal(content.length, strlen(expected));
    assert_memory_equal(content.data, expected, content.length);
}

static void assert_refused(struct world *w, const char *path, enum error_code code,
                           const char *words)
{
    struct slice content = {0};
    struct error err = {0};

    assert_int_equal(tls_files_get(w->files, path, &content, &err), -1);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, words));
}

static void a_file_is_given_as_it_is(void **state)
{
    struct world *w = *state;

    write_file(w->path, "one\n");
    assert_content(w, w->path, "one\n");
    assert_content(w, w->path, "one\n");
    write_file(w->path, "");
    assert_content(w, w->path, "");
}

static void a_file_that_was_written_anew_is_read_again(void **state)
{
    struct world *w = *state;

    write_file(w->path, "first");
    assert_content(w, w->path, "first");
    write_file(w->path, "longer than the first");
    assert_content(w, w->path, "longer than the first");
}

/* As programs that renew certificates do it; the size may well stay. */
static void a_file_that_was_put_in_the_place_of_another_is_read_again(void **state)
{
    struct world *w = *state;
    char other[100];

    write_file(w->path, "aaaa");
    assert_content(w, w->path, "aaaa");
    snprintf(other, sizeof(other), "%s/new", w->folder);
    write_file(other, "bbbb");
    assert_int_equal(rename(other, w->path), 0);
    assert_content(w, w->path, "bbbb");
}

static void a_file_that_went_away_is_an_error_and_comes_back(void **state)
{
    struct world *w = *state;

    assert_refused(w, w->path, ERROR_UNAVAILABLE, "cannot be read: No such file or directory");
    write_file(w->path, "here");
    assert_content(w, w->path, "here");
    assert_int_equal(unlink(w->path), 0);
    assert_refused(w, w->path, ERROR_UNAVAILABLE, "cannot be read: No such file or directory");
    write_file(w->path, "again");
    assert_content(w, w->path, "again");
}

static void what_is_no_file_of_certificates_is_refused(void **state)
{
    struct world *w = *state;
    char *large = malloc(TLS_FILE_MAX_BYTES + 2);

    assert_refused(w, w->folder, ERROR_UNAVAILABLE, "is no regular file");
    assert_int_equal(mkfifo(w->path, 0600), 0);
    assert_refused(w, w->path, ERROR_UNAVAILABLE, "is no regular file"); /* and it does not hang */
    assert_int_equal(unlink(w->path), 0);
    assert_non_null(large);
    memset(large, 'x', TLS_FILE_MAX_BYTES + 1);
    large[TLS_FILE_MAX_BYTES + 1] = '\0';
    write_file(w->path, large);
    assert_refused(w, w->path, ERROR_UNAVAILABLE, "is larger than 1024 KiB");
    free(large);
}

static void a_file_that_may_not_be_read_says_so(void **state)
{
    struct world *w = *state;

    if (geteuid() == 0)
        skip(); /* root may read everything */
    write_file(w->path, "x");
    assert_int_equal(chmod(w->path, 0), 0);
    assert_refused(w, w->path, ERROR_PERMISSION, "cannot be read: Permission denied");
}

static void more_files_than_are_kept_are_still_right(void **state)
{
    struct world *w = *state;
    char path[100];
    char text[20];

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 600; i++) {
            snprintf(path, sizeof(path), "%s/%d", w->folder, i);
            snprintf(text, sizeof(text), "content %d", i);
            if (round == 0)
                write_file(path, text);
            assert_content(w, path, text);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_given_as_it_is),
        TEST(a_file_that_was_written_anew_is_read_again),
        TEST(a_file_that_was_put_in_the_place_of_another_is_read_again),
        TEST(a_file_that_went_away_is_an_error_and_comes_back),
        TEST(what_is_no_file_of_certificates_is_refused),
        TEST(a_file_that_may_not_be_read_says_so),
        TEST(more_files_than_are_kept_are_still_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
