#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "expected.h"
#include "fetch/token_file.h"

struct place {
    char folder[64];
    char path[96];
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));

    assert_non_null(place);
    strcpy(place->folder, "/tmp/gatherd-tokens-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof(place->path), "%s/db-tokens", place->folder);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;

    unlink(place->path);
    assert_int_equal(rmdir(place->folder), 0); /* nothing else has been left */
    free(place);
    return 0;
}

static struct token_file_key key_of(uint64_t settings, const char *configured)
{
    struct token_file_key key;

    token_file_key_set(&key, (struct hash128){settings, 7}, configured);
    return key;
}

static void save(const struct place *place, uint64_t settings, const char *configured,
                 const char *token)
{
    struct token_file_key key = key_of(settings, configured);
    struct error err = {0};

    if (token_file_save(place->path, &key, token, &err) == -1)
        fail_msg("%s", err.text);
}

/* NULL: there is none. */
static void assert_finds(const struct place *place, uint64_t settings, const char *configured,
                         const char *expected)
{
    struct token_file_key key = key_of(settings, configured);
    struct text token = {0};
    bool found;

    assert_int_equal(token_file_find(place->path, &key, &token, &found, NULL), 0);
    assert_int_equal(found, expected != NULL);
    assert_string_equal(text_string(&token), expected == NULL ? "" : expected);
    text_free(&token);
}

static void assert_refused(const struct place *place, enum error_code code, const char *part)
{
    struct token_file_key key = key_of(1, "c");
    struct error err = {0};
    struct text token = {0};
    bool found;

    assert_int_equal(token_file_find(place->path, &key, &token, &found, &err), -1);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.text, part));
    assert_null(strstr(err.text, "hunter"));
    err = (struct error){0};
    assert_int_equal(token_file_save(place->path, &key, "new", &err), -1);
    text_free(&token);
}

static void write_file(const struct place *place, const char *text, mode_t mode)
{
    int fd = open(place->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void without_a_file_there_is_no_token(void **state)
{
    assert_finds(*state, 1, "c", NULL);
}

static void a_token_that_was_saved_is_found_by_its_settings(void **state)
{
    save(*state, 1, "c", "a \"token\"\\");
    save(*state, 2, "c", "another");
    assert_finds(*state, 1, "c", "a \"token\"\\");
    assert_finds(*state, 2, "c", "another");
    assert_finds(*state, 3, "c", NULL);
}

static void a_newer_token_takes_the_place_of_the_old_one(void **state)
{
    struct place *place = *state;
    char *content;

    save(place, 1, "c", "old");
    save(place, 2, "c", "other");
    save(place, 1, "c", "new");
    assert_finds(place, 1, "c", "new");
    content = read_test_file(place->path);
    assert_null(strstr(content, "old"));
    free(content);
}

static void a_configured_token_that_has_changed_makes_the_saved_one_void(void **state)
{
    save(*state, 1, "c", "saved");
    assert_finds(*state, 1, "d", NULL);
    save(*state, 1, "d", "newer");
    assert_finds(*state, 1, "d", "newer");
    assert_finds(*state, 1, "c", NULL);
}

static void the_file_is_its_owners_alone_and_holds_no_configured_token(void **state)
{
    struct place *place = *state;
    struct stat status;
    char *content;
    mode_t mask = umask(0);

    save(place, 1, "hunter2", "token");
    umask(mask);
    assert_int_equal(stat(place->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    content = read_test_file(place->path);
    assert_null(strstr(content, "hunter2"));
    free(content);
}

static void the_oldest_of_very_many_are_dropped(void **state)
{
    struct place *place = *state;

    for (uint64_t i = 0; i < 1005; i++)
        save(place, i, "c", "t");
    assert_finds(place, 4, "c", NULL);
    assert_finds(place, 5, "c", "t");
    assert_finds(place, 1004, "c", "t");
}

static void a_file_with_something_else_in_it_is_refused_and_left_alone(void **state)
{
    struct place *place = *state;
    char *content;

    write_file(place, "{\"settings\": \"x\"}\nhunter2\n", 0600);
    assert_refused(place, ERROR_FAILED, "line 2");
    content = read_test_file(place->path);
    assert_string_equal(content, "{\"settings\": \"x\"}\nhunter2\n");
    free(content);
    write_file(place, "[]\n1\n{}\n{\"settings\": 5}\n", 0600); /* JSON, and of no use */
    assert_finds(place, 1, "c", NULL);
}

static void a_file_that_is_open_to_others_is_refused(void **state)
{
    write_file(*state, "", 0640);
    assert_refused(*state, ERROR_PERMISSION, "chmod 600");
}

static void a_folder_that_is_missing_is_an_error_with_its_reason(void **state)
{
    struct token_file_key key = key_of(1, "c");
    struct error err = {0};

    (void)state;
    assert_int_equal(token_file_save("/nowhere/db-tokens", &key, "t", &err), -1);
    assert_string_equal(err.text, "the file of refresh tokens, /nowhere/db-tokens, cannot be "
                                  "written: No such file or directory");
}

static void what_a_crash_left_half_written_is_no_obstacle(void **state)
{
    struct place *place = *state;
    struct place other = *place;

    snprintf(other.path, sizeof(other.path), "%s/db-tokens.new", place->folder);
    write_file(&other, "{\"half", 0600);
    save(place, 1, "c", "t");
    assert_finds(place, 1, "c", "t");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_file_there_is_no_token),
        TEST(a_token_that_was_saved_is_found_by_its_settings),
        TEST(a_newer_token_takes_the_place_of_the_old_one),
        TEST(a_configured_token_that_has_changed_makes_the_saved_one_void),
        TEST(the_file_is_its_owners_alone_and_holds_no_configured_token),
        TEST(the_oldest_of_very_many_are_dropped),
        TEST(a_file_with_something_else_in_it_is_refused_and_left_alone),
        TEST(a_file_that_is_open_to_others_is_refused),
        TEST(a_folder_that_is_missing_is_an_error_with_its_reason),
        TEST(what_a_crash_left_half_written_is_no_obstacle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
