#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gatherd/secret.h"

struct place {
    char folder[64];
    char path[80];
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof(*place));

    assert_non_null(place);
    strcpy(place->folder, "/tmp/gatherd-secret-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof(place->path), "%s/token", place->folder);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;

    unsetenv("CREDENTIALS_DIRECTORY");
    unlink(place->path);
    rmdir(place->folder);
    free(place);
    return 0;
}

static void write_mode(const struct place *place, const char *data, size_t length, mode_t mode)
{
    int fd = open(place->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, length), (ssize_t)length);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void write_secret(const struct place *place, const char *data)
{
    write_mode(place, data, strlen(data), 0600);
}

static void assert_reads(const struct secret *secret, const char *expected)
{
    struct text text = {0};
    struct error err = {0};

    assert_int_equal(secret_read(secret, &text, &err), 0);
    assert_string_equal(text_string(&text), expected);
    text_free(&text);
}

static void assert_refuses(const struct secret *secret, enum error_code code, const char *part)
{
    struct text text = {0};
    struct error err = {0};

    assert_int_equal(secret_read(secret, &text, &err), -1);
    assert_int_equal(err.code, code);
    if (strstr(err.text, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, part);
    assert_null(strstr(err.text, "hunter"));
    text_free(&text);
}

static struct secret in_file(const struct place *place)
{
    return (struct secret){SECRET_FILE, place->path};
}

static void a_literal_is_what_it_says(void **state)
{
    struct secret secret = {SECRET_LITERAL, "hunter2\n"};

    (void)state;
    assert_reads(&secret, "hunter2\n");
}

static void a_secret_is_appended_to_what_is_there(void **state)
{
    struct secret secret = in_file(*state);
    struct text text = {0};

    write_secret(*state, "hunter2\n");
    text_add(&text, "Bearer ");
    assert_int_equal(secret_read(&secret, &text, NULL), 0);
    assert_string_equal(text_string(&text), "Bearer hunter2");
    text_free(&text);
}

static void one_line_break_at_the_end_of_a_file_is_dropped(void **state)
{
    struct secret secret = in_file(*state);

    write_secret(*state, "hunter2\n");
    assert_reads(&secret, "hunter2");
    write_secret(*state, "hunter2\r\n");
    assert_reads(&secret, "hunter2");
    write_secret(*state, "hunter2\n\n");
    assert_reads(&secret, "hunter2\n");
    write_secret(*state, " hunter2 ");
    assert_reads(&secret, " hunter2 ");
    write_secret(*state, "hunter2\r");
    assert_reads(&secret, "hunter2\r");
}

static void a_file_that_changed_is_read_anew(void **state)
{
    struct secret secret = in_file(*state);

    write_secret(*state, "hunter2");
    assert_reads(&secret, "hunter2");
    write_secret(*state, "hunter3");
    assert_reads(&secret, "hunter3");
}

static void a_file_that_is_missing_or_empty_is_refused(void **state)
{
    struct secret secret = in_file(*state);

    assert_refuses(&secret, ERROR_UNAVAILABLE, "No such file");
    write_secret(*state, "");
    assert_refuses(&secret, ERROR_UNAVAILABLE, "is empty");
    write_secret(*state, "\n");
    assert_refuses(&secret, ERROR_UNAVAILABLE, "is empty");
}

static void a_file_that_is_open_to_others_is_refused_with_the_way_out(void **state)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0644, 0666};
    struct secret secret = in_file(*state);

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        write_mode(*state, "hunter2", 7, modes[i]);
        assert_refuses(&secret, ERROR_PERMISSION, "chmod 600");
    }
    write_mode(*state, "hunter2", 7, 0400);
    assert_reads(&secret, "hunter2");
    write_mode(*state, "hunter2", 7, 0700);
    assert_reads(&secret, "hunter2");
}

static void what_is_no_file_is_refused_without_waiting(void **state)
{
    struct place *place = *state;
    struct secret folder = {SECRET_FILE, place->folder};
    struct secret secret = in_file(place);

    assert_refuses(&folder, ERROR_CONFIG, "no regular file");
    assert_int_equal(mkfifo(place->path, 0600), 0);
    assert_refuses(&secret, ERROR_CONFIG, "no regular file");
}

static void a_file_that_cannot_be_a_secret_is_refused(void **state)
{
    static char large[SECRET_MAX_BYTES + 1];
    struct secret secret = in_file(*state);

    write_mode(*state, "hun\0ter2", 8, 0600);
    assert_refuses(&secret, ERROR_CONFIG, "NUL");
    memset(large, 'x', sizeof(large));
    write_mode(*state, large, sizeof(large), 0600);
    assert_refuses(&secret, ERROR_CONFIG, "too long");
}

static void a_credential_lies_in_the_folder_that_systemd_names(void **state)
{
    struct place *place = *state;
    struct secret secret = {SECRET_CREDENTIAL, "token"};

    assert_refuses(&secret, ERROR_UNAVAILABLE, "LoadCredential=token:PATH");
    setenv("CREDENTIALS_DIRECTORY", place->folder, 1);
    assert_refuses(&secret, ERROR_UNAVAILABLE, "the credential token: ");
    write_mode(place, "hunter2\n", 8, 0440); /* as an access control list makes it look */
    assert_reads(&secret, "hunter2");
}

static void a_wiped_text_holds_nothing(void **state)
{
    struct text text = {0};

    (void)state;
    secret_wipe(&text);
    text_add(&text, "hunter2");
    secret_wipe(&text);
    assert_int_equal(text.length, 0);
    assert_memory_equal(text.data, "\0\0\0\0\0\0\0", 7);
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_literal_is_what_it_says),
        cmocka_unit_test_setup_teardown(a_secret_is_appended_to_what_is_there, setup, teardown),
        cmocka_unit_test_setup_teardown(one_line_break_at_the_end_of_a_file_is_dropped, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_that_changed_is_read_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_missing_or_empty_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_open_to_others_is_refused_with_the_way_out,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_refused_without_waiting, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_a_secret_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_credential_lies_in_the_folder_that_systemd_names, setup,
                                        teardown),
        cmocka_unit_test(a_wiped_text_holds_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
