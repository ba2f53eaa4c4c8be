/* Readers of text and packed bodies when memory runs out: at allocation 1, 2, 3 and so on. */
#include "test.h"

#include <string.h>
#include <zlib.h>

#include "gatherd/charset.h"
#include "gatherd/csv.h"
#include "gatherd/unpack.h"
#include "scarce_arena.h"

static int setup(void **state)
{
    *state = arena_create(1 << 16);
    return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    scarce_arena_stop_failing();
    arena_free(*state);
    return 0;
}

/* False: memory was out. */
typedef bool attempt_fn(struct arena *arena, struct slice text);

/* Returns how many allocations the attempt needs. */
static size_t fail_at_every_step(struct arena *arena, attempt_fn *attempt, struct slice text)
{
    size_t step = 0;
    bool done;

    do {
        assert_true(step < 1000);
        arena_reset(arena);
        scarce_arena_fail_after(step++);
        done = attempt(arena, text);
        scarce_arena_stop_failing();
    } while (!done);
    return step - 1;
}

static bool read_table(struct arena *arena, struct slice text)
{
    struct csv_table table;
    struct csv_error error;
    enum csv_status status =
        csv_read(text.data, text.length, &csv_defaults, ',', arena, &table, &error);

    if (status == CSV_NOMEM) {
        assert_null(table.root);
        assert_string_equal(error.message, "out of memory");
        return false;
    }
    assert_int_equal(status, CSV_OK);
    assert_int_equal(table.root->length, 3001);
    assert_int_equal(table.misfit_count, 40);
    return true;
}

static void a_table_that_finds_no_memory_says_so(void **state)
{
    struct text text = {0};

    for (unsigned i = 0; i < 40; i++)
        text_add(&text, i % 2 == 0 ? "a," : ",");
    text_add(&text, "\n\"");
    for (unsigned i = 0; i < 100000; i++)
        text_char(&text, 'x');
    text_add(&text, "\"\"\"");
    for (unsigned row = 0; row < 3001; row++) {
        for (unsigned i = 0; i < 40; i++)
            text_char(&text, ',');
        text_char(&text, '\n');
    }
    for (unsigned i = 0; i < 40; i++)
        text_add(&text, "1,2\n");
    assert_true(fail_at_every_step(*state, read_table,
                                   (struct slice){text_string(&text), text.length}) > 30);
    text_free(&text);
}

static bool convert(struct arena *arena, struct slice text)
{
    struct charset_error error;
    struct slice to;
    enum charset_status status = charset_convert("CP1252", text, 100000, arena, &to, &error);

    if (status == CHARSET_NOMEM)
        return false;
    assert_int_equal(status, CHARSET_OK);
    assert_int_equal(to.length, 3000);
    return true;
}

static void a_text_that_finds_no_memory_to_grow_says_so(void **state)
{
    char euros[1000];

    memset(euros, '\x80', sizeof(euros));
    assert_true(fail_at_every_step(*state, convert, (struct slice){euros, sizeof(euros)}) >= 3);
}

static bool unpack_text(struct arena *arena, struct slice body)
{
    struct unpacked unpacked;
    enum unpack_status status = unpack(body, NULL, 100000, arena, &unpacked);

    if (status == UNPACK_NOMEM)
        return false;
    assert_int_equal(status, UNPACK_OK);
    return true;
}

static void a_gzip_file_that_finds_no_memory_to_grow_says_so(void **state)
{
    unsigned char packed[4096];
    unsigned char zeros[50000] = {0};
    z_stream z = {.next_in = zeros,
                  .avail_in = sizeof(zeros),
                  .next_out = packed,
                  .avail_out = sizeof(packed)};
    size_t length;

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    length = sizeof(packed) - z.avail_out;
    deflateEnd(&z);
    /* An empty second member: the length at the end is 0. */
    memcpy(packed + length, "\x1f\x8b\x08\0\0\0\0\0\x02\x03\x03\0\0\0\0\0\0\0\0\0", 20);
    assert_true(fail_at_every_step(*state, unpack_text,
                                   (struct slice){(const char *)packed, length + 20}) >= 3);
}

/* One stored file, a, of one byte. */
static void an_archive_that_finds_no_memory_says_so(void **state)
{
    static const char archive[] =
        "PK\3\4\x0a\0\0\0\0\0\0\0\0\0\x43\xbe\xb7\xe8\1\0\0\0\1\0\0\0\1\0\0\0aa"
        "PK\1\2\x0a\0\x0a\0\0\0\0\0\0\0\0\0\x43\xbe\xb7\xe8\1\0\0\0\1\0\0\0\1\0\0\0"
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0a"
        "PK\5\6\0\0\0\0\1\0\1\0\x2f\0\0\0\x20\0\0\0\0\0";

    assert_int_equal(
        fail_at_every_step(*state, unpack_text, (struct slice){archive, sizeof(archive) - 1}), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_table_that_finds_no_memory_says_so),
        TEST(a_text_that_finds_no_memory_to_grow_says_so),
        TEST(a_gzip_file_that_finds_no_memory_to_grow_says_so),
        TEST(an_archive_that_finds_no_memory_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
