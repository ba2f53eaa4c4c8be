#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <zip.h>
#include <zlib.h>

#include "gatherd/unpack.h"

#define MOST 100000u

struct unpacking {
    struct arena *arena;
    struct unpacked result;
    struct text packed;
};

static int setup(void **state)
{
    struct unpacking *u = calloc(1, sizeof(*u));

    assert_non_null(u);
    u->arena = arena_create(1 << 16);
    assert_non_null(u->arena);
    *state = u;
    return 0;
}

static int teardown(void **state)
{
    struct unpacking *u = *state;

    text_free(&u->packed);
    arena_free(u->arena);
    free(u);
    return 0;
}

static void add_gzip(struct text *packed, const char *text, size_t length)
{
    z_stream z = {.next_in = (unsigned char *)text, .avail_in = (unsigned)length};
    size_t room = length + 1000;
    unsigned char *out = malloc(room);

    assert_non_null(out);
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_out = out;
    z.avail_out = (unsigned)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    text_append(packed, (const char *)out, room - z.avail_out);
    deflateEnd(&z);
    free(out);
}

static enum unpack_status run(struct unpacking *u, const char *member, size_t most)
{
    return unpack((struct slice){u->packed.data, u->packed.length}, member, most, u->arena,
                  &u->result);
}

static void expect_text(struct unpacking *u, const char *member, const char *text)
{
    assert_int_equal(run(u, member, MOST), UNPACK_OK);
    assert_int_equal(u->result.text.length, strlen(text));
    assert_string_equal(u->result.text.data, text); /* the NUL is there */
}

static void expect_broken(struct unpacking *u, const char *member, const char *reason)
{
    assert_int_equal(run(u, member, MOST), UNPACK_BROKEN);
    assert_string_equal(u->result.reason, reason);
}

static void what_is_not_packed_is_left_alone(void **state)
{
    static const char *const texts[] = {"", "{}", "PK", "PK\1\2", "\x1f", "\x1f\x8b"};
    struct unpacking *u = *state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(unpack(slice_of(texts[i]), NULL, MOST, u->arena, &u->result),
                         UNPACK_PLAIN);
}

/* --- gzip --- */

static void a_gzip_file_is_unpacked(void **state)
{
    struct unpacking *u = *state;

    add_gzip(&u->packed, "hello", 5);
    expect_text(u, NULL, "hello");
    assert_null(u->result.name);
}

static void a_gzip_file_may_be_empty(void **state)
{
    struct unpacking *u = *state;

    add_gzip(&u->packed, "", 0);
    expect_text(u, NULL, "");
}

static void a_gzip_file_may_have_members_and_zeros_behind_them(void **state)
{
    struct unpacking *u = *state;

    add_gzip(&u->packed, "hello ", 6);
    add_gzip(&u->packed, "", 0);
    add_gzip(&u->packed, "world", 5);
    text_append(&u->packed, "\0\0\0\0\0", 5);
    expect_text(u, NULL, "hello world");
}

static void a_gzip_file_that_is_cut_off_is_broken_wherever_it_is_cut(void **state)
{
    struct unpacking *u = *state;

    add_gzip(&u->packed, "hello hello hello", 17);
    while (u->packed.length > 4) {
        u->packed.length--;
        expect_broken(u, NULL, "the body is a gzip file that is cut off");
    }
}

static void a_gzip_file_with_a_wrong_byte_is_damaged(void **state)
{
    struct unpacking *u = *state;

    add_gzip(&u->packed, "hello hello hello", 17);
    u->packed.data[u->packed.length - 1] ^= 1;
    expect_broken(u, NULL, "the body is a gzip file that is damaged: incorrect length check");
    u->packed.data[u->packed.length - 8] ^= 1;
    expect_broken(u, NULL, "the body is a gzip file that is damaged: incorrect data check");
    u->packed.data[2] = 7;
    expect_broken(u, NULL, "the body is a gzip file that is damaged: unknown compression method");
}

static void something_else_behind_a_gzip_file_is_an_error(void **state)
{
    struct unpacking *u = *state;

    add_gzip(&u->packed, "hello", 5);
    text_add(&u->packed, "xyz");
    expect_broken(u, NULL, "the body is a gzip file with 3 bytes behind its end that are not gzip");
}

/* The length at the end is that of the last member only, and may be anything. */
static void a_gzip_file_grows_as_far_as_it_may(void **state)
{
    struct unpacking *u = *state;
    char *zeros = calloc(1, MOST);

    add_gzip(&u->packed, zeros, MOST - 1);
    add_gzip(&u->packed, "x", 1);
    assert_int_equal(run(u, NULL, MOST), UNPACK_OK);
    assert_int_equal(u->result.text.length, MOST);
    assert_int_equal(run(u, NULL, MOST - 1), UNPACK_TOO_LARGE);
    assert_int_equal(run(u, NULL, 10), UNPACK_TOO_LARGE);
    memset(u->packed.data + u->packed.length - 4, 0xff, 4);
    assert_int_equal(run(u, NULL, MOST), UNPACK_BROKEN);
    free(zeros);
}

/* --- zip --- */

struct file {
    const char *name;
    const char *text;
    const char *password;
};

/* An archive of the files, up to one without a name. */
static void make_zip(struct text *packed, const struct file *files)
{
    zip_error_t error;
    zip_source_t *target;
    zip_t *archive;
    zip_stat_t stat;

    zip_error_init(&error);
    target = zip_source_buffer_create(NULL, 0, 0, &error);
    assert_non_null(target);
    zip_source_keep(target);
    archive = zip_open_from_source(target, ZIP_TRUNCATE, &error);
    assert_non_null(archive);
    for (; files->name != NULL; files++) {
        zip_source_t *source = zip_source_buffer(archive, files->text, strlen(files->text), 0);
        zip_int64_t index = zip_file_add(archive, files->name, source, 0);

        assert_true(index >= 0);
        if (files->password != NULL)
            assert_int_equal(zip_file_set_encryption(archive, (zip_uint64_t)index, ZIP_EM_AES_256,
                                                     files->password),
                             0);
    }
    assert_int_equal(zip_close(archive), 0);
    assert_int_equal(zip_source_stat(target, &stat), 0);
    assert_int_equal(zip_source_open(target), 0);
    text_clear(packed);
    text_reserve(packed, stat.size);
    assert_int_equal(zip_source_read(target, packed->data, stat.size), stat.size);
    packed->length = stat.size;
    zip_source_close(target);
    zip_source_free(target);
    zip_error_fini(&error);
}

static void the_only_file_of_an_archive_is_unpacked(void **state)
{
    struct unpacking *u = *state;

    make_zip(&u->packed, (struct file[]){{"data.csv", "a,b\n", NULL}, {0}});
    expect_text(u, NULL, "a,b\n");
    assert_string_equal(u->result.name, "data.csv");
}

static void folders_and_what_macos_adds_are_not_files(void **state)
{
    struct unpacking *u = *state;

    make_zip(&u->packed, (struct file[]){{"x/", "", NULL},
                                         {"__MACOSX/x/._data.csv", "?", NULL},
                                         {"x/data.csv", "a\n", NULL},
                                         {0}});
    expect_text(u, NULL, "a\n");
    assert_string_equal(u->result.name, "x/data.csv");
}

static const struct file three[] = {
    {"readme.txt", "no", NULL}, {"x/data-2024.csv", "a\n", NULL}, {"x/old.csv", "b\n", NULL}, {0}};

static void one_of_several_files_is_named(void **state)
{
    struct unpacking *u = *state;

    make_zip(&u->packed, three);
    expect_text(u, "x/old.csv", "b\n");
    expect_text(u, "*data-*.csv", "a\n");
    expect_text(u, "*.txt", "no");
}

static void several_files_are_named_in_the_error(void **state)
{
    struct unpacking *u = *state;

    make_zip(&u->packed, three);
    expect_broken(u, NULL,
                  "the body is a zip archive of which 3 files could be meant: readme.txt, "
                  "x/data-2024.csv, x/old.csv; name one with archive_member");
    expect_broken(u, "*.csv",
                  "the body is a zip archive of which 2 files could be meant: x/data-2024.csv, "
                  "x/old.csv; name one with archive_member");
    expect_broken(u, "data.csv",
                  "archive_member is none of the 3 files in the zip archive: readme.txt, "
                  "x/data-2024.csv, x/old.csv");
}

static void only_some_of_many_names_are_shown(void **state)
{
    struct unpacking *u = *state;

    make_zip(&u->packed, (struct file[]){{"a", "", NULL},
                                         {"b\x1b[2J", "", NULL},
                                         {"c", "", NULL},
                                         {"d", "", NULL},
                                         {"e", "", NULL},
                                         {"f", "", NULL},
                                         {"g", "", NULL},
                                         {0}});
    expect_broken(
        u, "x",
        "archive_member is none of the 7 files in the zip archive: a, b\xe2\x86\x90[2J, c, d, "
        "e, ...");
}

static void an_archive_without_files_is_an_error(void **state)
{
    struct unpacking *u = *state;

    make_zip(&u->packed, (struct file[]){{"x/", "", NULL}, {0}});
    expect_broken(u, NULL, "the body is a zip archive without a file");
    text_clear(&u->packed);
    text_append(&u->packed, "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22);
    expect_broken(u, NULL, "the body is a zip archive without a file");
}

static void an_office_document_is_named_as_such(void **state)
{
    struct unpacking *u = *state;

    make_zip(
        &u->packed,
        (struct file[]){{"[Content_Types].xml", "", NULL}, {"xl/workbook.xml", "", NULL}, {0}});
    expect_broken(u, NULL,
                  "the body is an Office document (.xlsx, .docx), which is not read; ask "
                  "the server for CSV or JSON");
}

static void a_file_with_a_password_is_not_read(void **state)
{
    struct unpacking *u = *state;

    make_zip(&u->packed, (struct file[]){{"a", "text", "secret"}, {0}});
    expect_broken(u, NULL, "the body is a zip archive with a password, which is not read");
}

static void an_archive_that_is_cut_off_is_broken_wherever_it_is_cut(void **state)
{
    struct unpacking *u = *state;

    make_zip(&u->packed, (struct file[]){{"a", "some text, some text, some text", NULL}, {0}});
    while (u->packed.length > 4) {
        u->packed.length--;
        assert_int_equal(run(u, NULL, MOST), UNPACK_BROKEN);
        assert_non_null(strstr(u->result.reason,
                               "the body is a zip archive that cannot be read, or is cut off: "));
    }
}

static void an_archive_with_a_wrong_byte_is_broken_or_what_it_was(void **state)
{
    struct unpacking *u = *state;

    make_zip(&u->packed, (struct file[]){{"a", "some text, some text, some text", NULL}, {0}});
    for (size_t i = 4; i < u->packed.length; i++) {
        u->packed.data[i] ^= 0x10;
        if (run(u, NULL, MOST) == UNPACK_OK)
            assert_string_equal(u->result.text.data, "some text, some text, some text");
        u->packed.data[i] ^= 0x10;
    }
}

static void a_file_above_the_limit_is_too_large(void **state)
{
    struct unpacking *u = *state;
    struct text zeros = {0};

    for (unsigned i = 0; i < MOST; i++)
        text_char(&zeros, 'x');
    make_zip(&u->packed, (struct file[]){{"a", text_string(&zeros), NULL}, {0}});
    assert_int_equal(run(u, NULL, MOST), UNPACK_OK);
    assert_int_equal(u->result.text.length, MOST);
    assert_int_equal(run(u, NULL, MOST - 1), UNPACK_TOO_LARGE);
    text_free(&zeros);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(what_is_not_packed_is_left_alone),
        TEST(a_gzip_file_is_unpacked),
        TEST(a_gzip_file_may_be_empty),
        TEST(a_gzip_file_may_have_members_and_zeros_behind_them),
        TEST(a_gzip_file_that_is_cut_off_is_broken_wherever_it_is_cut),
        TEST(a_gzip_file_with_a_wrong_byte_is_damaged),
        TEST(something_else_behind_a_gzip_file_is_an_error),
        TEST(a_gzip_file_grows_as_far_as_it_may),
        TEST(the_only_file_of_an_archive_is_unpacked),
        TEST(folders_and_what_macos_adds_are_not_files),
        TEST(one_of_several_files_is_named),
        TEST(several_files_are_named_in_the_error),
        TEST(only_some_of_many_names_are_shown),
        TEST(an_archive_without_files_is_an_error),
        TEST(an_office_document_is_named_as_such),
        TEST(a_file_with_a_password_is_not_read),
        TEST(an_archive_that_is_cut_off_is_broken_wherever_it_is_cut),
        TEST(an_archive_with_a_wrong_byte_is_broken_or_what_it_was),
        TEST(a_file_above_the_limit_is_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
