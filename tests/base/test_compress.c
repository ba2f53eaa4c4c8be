/* Bytes come back as they were, or it is said that they do not. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/compress.h"

#define SAMPLES 100

struct frame {
    char *data;
    size_t length;
};

static struct frame pack(const struct dictionary *dictionary, const char *first, const char *second)
{
    struct error err = {0};
    struct frame frame;

    assert_int_equal(compress_pieces(dictionary, slice_of(first), slice_of(second), &frame.data,
                                     &frame.length, &err),
                     0);
    assert_string_equal(err.text, "");
    return frame;
}

static void expect_problem(const struct dictionary *dictionary, const char *data, size_t length,
                           size_t expected, const char *problem)
{
    struct error err = {0};
    char *bytes = NULL;

    assert_int_equal(decompress(dictionary, (struct slice){data, length}, expected, &bytes, &err),
                     -1);
    assert_int_equal(err.code, ERROR_FAILED);
    assert_string_equal(err.text, problem);
    assert_null(bytes);
}

static void two_pieces_come_back_as_one(void **state)
{
    struct frame frame = pack(NULL, "head\n", "body");
    struct error err = {0};
    char *bytes;

    (void)state;
    assert_int_equal(decompress(NULL, (struct slice){frame.data, frame.length}, 9, &bytes, &err),
                     0);
    assert_string_equal(bytes, "head\nbody"); /* with a NUL behind it */
    free(bytes);
    free(frame.data);
}

static void nothing_comes_back_as_nothing(void **state)
{
    struct frame frame = pack(NULL, "", "");
    char *bytes;

    (void)state;
    assert_int_equal(decompress(NULL, (struct slice){frame.data, frame.length}, 0, &bytes, NULL),
                     0);
    assert_string_equal(bytes, "");
    free(bytes);
    free(frame.data);
}

static void what_is_damaged_is_said_to_be(void **state)
{
    struct frame frame = pack(NULL, "a body of some length, a body of some length", "");

    (void)state;
    expect_problem(NULL, frame.data, frame.length - 8, 44, "damaged: Src size is incorrect");
    expect_problem(NULL, frame.data, frame.length, 45,
                   "damaged: it holds 44 bytes, and 45 were written");
    expect_problem(NULL, "no frame", 8, 44, "damaged: it does not begin as compressed data does");
    expect_problem(NULL, "", 0, 0, "damaged: it does not begin as compressed data does");
    frame.data[frame.length - 1] ^= 1; /* of the checksum */
    expect_problem(NULL, frame.data, frame.length, 44,
                   "damaged: Restored data doesn't match checksum");
    free(frame.data);
}

/* Bodies that are alike, as an API's are. */
static struct dictionary *train(void)
{
    static char bytes[4096];
    struct text samples = {0};
    size_t sizes[SAMPLES];
    size_t length;

    for (unsigned i = 0; i < SAMPLES; i++) {
        size_t before = samples.length;

        text_format(&samples,
                    "{\"station\":\"station-%u\",\"temperature\":%u.5,\"humidity\":%u,"
                    "\"observed_at\":\"2026-01-02T03:%02u:00Z\",\"quality\":\"good\"}",
                    i * 7919, i % 30, 40 + i % 50, i % 60);
        sizes[i] = samples.length - before;
    }
    assert_int_equal(dictionary_train(text_string(&samples), sizes, SAMPLES, bytes, sizeof(bytes),
                                      &length, NULL),
                     0);
    assert_true(length > 0);
    text_free(&samples);
    return dictionary_create(7, bytes, length, NULL);
}

static void a_dictionary_makes_small_bodies_smaller_and_is_needed_to_read_them(void **state)
{
    static const char body[] = "{\"station\":\"station-1\",\"temperature\":9.5,\"humidity\":41,"
                               "\"observed_at\":\"2026-01-02T03:59:00Z\",\"quality\":\"good\"}";
    struct dictionary *dictionary = train();
    struct frame without;
    struct frame with;
    char *bytes;

    (void)state;
    assert_non_null(dictionary);
    assert_int_equal(dictionary_id(dictionary), 7);
    without = pack(NULL, body, "");
    with = pack(dictionary, body, "");
    assert_true(with.length * 2 < without.length);
    assert_int_equal(decompress(dictionary, (struct slice){with.data, with.length},
                                sizeof(body) - 1, &bytes, NULL),
                     0);
    assert_string_equal(bytes, body);
    expect_problem(NULL, with.data, with.length, sizeof(body) - 1, "damaged: Dictionary mismatch");
    free(bytes);
    free(without.data);
    free(with.data);
    dictionary_unref(dictionary_ref(dictionary));
    dictionary_unref(dictionary);
    dictionary_unref(NULL);
}

static void what_has_nothing_in_common_makes_no_dictionary(void **state)
{
    const size_t sizes[] = {1, 1, 1};
    char bytes[1024];
    size_t length = 1;

    (void)state;
    assert_int_equal(dictionary_train("abc", sizes, 3, bytes, sizeof(bytes), &length, NULL), 0);
    assert_int_equal(length, 0);
}

static void bytes_that_are_no_dictionary_are_refused(void **state)
{
    struct error err = {0};

    (void)state;
    assert_null(dictionary_create(1, "no dictionary", 13, &err));
    assert_string_equal(err.text, "it is no dictionary");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_pieces_come_back_as_one),
        cmocka_unit_test(nothing_comes_back_as_nothing),
        cmocka_unit_test(what_is_damaged_is_said_to_be),
        cmocka_unit_test(a_dictionary_makes_small_bodies_smaller_and_is_needed_to_read_them),
        cmocka_unit_test(what_has_nothing_in_common_makes_no_dictionary),
        cmocka_unit_test(bytes_that_are_no_dictionary_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
