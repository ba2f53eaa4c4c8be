#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "fetch/decoding.h"

static const char whole[] = "0123456789012345678901234567890123456789";

/* What other programs make of it. */
static const char gzip[] = "\037\213\010\000\000\000\000\000\002\003\063\060\064\062\066\061\065"
                           "\063\267\260\064\300\313\002\000\111\074\106\246\050\000\000\000";
static const char gzip_twice[] =
    "\037\213\010\000\000\000\000\000\002\003\223\357\346\140\000\001\046\146\143\003\023\043\063"
    "\103\123\343\355\033\114\016\234\146\142\360\264\161\133\246\001\224\000\000\011\174\176\201"
    "\041\000\000\000";
static const char zlib_head[] =
    "\170\234\063\060\064\062\066\061\065\063\267\260\064\300\313\002\000\247\010\010\065";
static const char no_head[] = "\063\060\064\062\066\061\065\063\267\260\064\300\313\002\000";
static const char brotli[] =
    "\033\047\000\370\305\015\306\346\045\215\050\052\024\000\240\234\316\336\003";
static const char zstd[] = "\050\265\057\375\040\050\205\000\000\120\060\061\062\063\064\065\066"
                           "\067\070\071\001\000\025\013\022";

struct coded {
    const char *codings;
    const char *data;
    size_t length;
};

/* clang-format off */
#define CODED(codings, data) {codings, data, sizeof(data) - 1}
/* clang-format on */

static const struct coded all[] = {
    CODED("gzip", gzip),           CODED("X-GZIP", gzip),
    CODED("identity, gzip", gzip), CODED("deflate", zlib_head),
    CODED("deflate", no_head),     CODED("br", brotli),
    CODED("zstd", zstd),           CODED("gzip ,\tgzip", gzip_twice),
};

struct taken {
    char text[256];
    size_t length;
    size_t most;
};

static bool take(const char *data, size_t length, void *userdata)
{
    struct taken *taken = userdata;

    if (taken->length + length > taken->most)
        return false;
    memcpy(taken->text + taken->length, data, length);
    taken->length += length;
    return true;
}

static struct decoding *start(struct taken *taken, const char *codings)
{
    struct decoding *decoding = decoding_create(take, taken);

    *taken = (struct taken){.most = sizeof(taken->text)};
    assert_non_null(decoding);
    assert_int_equal(decoding_add(decoding, slice_of(codings)), DECODING_OK);
    return decoding;
}

/* The first `length` bytes, `step` at a time: how it ends. */
static enum decoding_status decode(const struct coded *coded, size_t length, size_t step,
                                   struct taken *taken)
{
    struct decoding *decoding = start(taken, coded->codings);
    enum decoding_status status = DECODING_OK;

    assert_true(decoding_is_needed(decoding));
    for (size_t at = 0; at < length && status == DECODING_OK; at += step)
        status = decoding_feed(decoding, coded->data + at, step < length - at ? step : length - at);
    if (status == DECODING_OK)
        status = decoding_finish(decoding);
    decoding_free(decoding);
    return status;
}

static void each_coding_is_undone_in_pieces_of_any_size(void **state)
{
    struct taken taken;

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        for (size_t step = 1; step <= all[i].length; step++) {
            assert_int_equal(decode(&all[i], all[i].length, step, &taken), DECODING_OK);
            assert_int_equal(taken.length, sizeof(whole) - 1);
            assert_memory_equal(taken.text, whole, taken.length);
        }
    }
}

static void a_body_that_is_cut_off_anywhere_is_broken(void **state)
{
    struct taken taken;

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        for (size_t length = 1; length < all[i].length; length++)
            assert_int_equal(decode(&all[i], length, 7, &taken), DECODING_BROKEN);
    }
}

static void an_empty_body_is_whole(void **state)
{
    struct taken taken;

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        assert_int_equal(decode(&all[i], 0, 1, &taken), DECODING_OK);
}

static void gzip_may_have_members_and_zeros_behind_them(void **state)
{
    char twice[2 * sizeof(gzip) + 10] = {0};
    const struct coded coded = {"gzip", twice, 2 * (sizeof(gzip) - 1) + 10};
    struct taken taken;

    (void)state;
    memcpy(twice, gzip, sizeof(gzip) - 1);
    memcpy(twice + sizeof(gzip) - 1, gzip, sizeof(gzip) - 1);
    for (size_t step = 1; step < coded.length; step++) {
        assert_int_equal(decode(&coded, coded.length, step, &taken), DECODING_OK);
        assert_int_equal(taken.length, 2 * (sizeof(whole) - 1));
    }
}

static void expect_reason(const char *codings, const char *data, size_t length, const char *reason)
{
    struct taken taken;
    struct decoding *decoding = start(&taken, codings);
    enum decoding_status status = decoding_feed(decoding, data, length);

    if (status == DECODING_OK)
        status = decoding_finish(decoding);
    assert_int_equal(status, DECODING_BROKEN);
    assert_string_equal(decoding_reason(decoding), reason);
    decoding_free(decoding);
}

static void the_reason_says_what_is_wrong(void **state)
{
    char wrong[sizeof(gzip)];

    (void)state;
    memcpy(wrong, gzip, sizeof(gzip));
    wrong[sizeof(gzip) - 7] ^= 1;
    expect_reason("gzip", wrong, sizeof(gzip) - 1, "incorrect data check");
    expect_reason("gzip", "{\"a\": 1}", 8, "incorrect header check");
    expect_reason("gzip", gzip, sizeof(gzip) - 2, "it is cut off");
    expect_reason("compress", "x", 1,
                  "its Content-Encoding is not known here; known are gzip, deflate, br, zstd");
    expect_reason("zstd", "\x26\xb5\x2f\xfd\x01", 5, "no frame of zstd begins so"); /* of 2016 */
}

static void more_codings_than_anybody_needs_are_refused(void **state)
{
    struct taken taken;
    struct decoding *decoding = start(&taken, "gzip, gzip, gzip, gzip, gzip");

    (void)state;
    assert_int_equal(decoding_add(decoding, slice_of("gzip")), DECODING_BROKEN);
    assert_string_equal(decoding_reason(decoding), "it has more than 5 codings");
    decoding_free(decoding);
}

static void the_sink_stops_it(void **state)
{
    struct taken taken;
    struct decoding *decoding = start(&taken, "gzip");

    (void)state;
    taken.most = sizeof(whole) - 2;
    assert_int_equal(decoding_feed(decoding, gzip, sizeof(gzip) - 1), DECODING_STOPPED);
    decoding_free(decoding);
}

static void what_is_not_coded_needs_nothing(void **state)
{
    struct taken taken;
    struct decoding *decoding = start(&taken, " identity,");

    (void)state;
    assert_false(decoding_is_needed(decoding));
    decoding_free(decoding);
    decoding_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_coding_is_undone_in_pieces_of_any_size),
        cmocka_unit_test(a_body_that_is_cut_off_anywhere_is_broken),
        cmocka_unit_test(an_empty_body_is_whole),
        cmocka_unit_test(gzip_may_have_members_and_zeros_behind_them),
        cmocka_unit_test(the_reason_says_what_is_wrong),
        cmocka_unit_test(more_codings_than_anybody_needs_are_refused),
        cmocka_unit_test(the_sink_stops_it),
        cmocka_unit_test(what_is_not_coded_needs_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
