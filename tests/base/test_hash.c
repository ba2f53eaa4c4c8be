#include "test.h"

#include <string.h>
#include <xxhash.h>

#include "gatherd/hash.h"

static void the_values_are_those_of_xxh3(void **state)
{
    struct hash128 empty = hash128_bytes("", 0);

    (void)state;
    /* xxHash's own sanity checks: the hash of nothing, with seed 0. */
    assert_true(hash_bytes("", 0) == 0x2d06800538d394c2u);
    assert_true(empty.low == 0x6001c324468d497fu && empty.high == 0x99aa06d3014798d8u);
}

/* XXH3 takes another path for each range of lengths; the library's compiled code is the witness. */
static void every_length_agrees_with_the_library(void **state)
{
    unsigned char data[2000];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (unsigned char)(i * 31 + i / 256);
    for (size_t length = 0; length <= sizeof(data); length++) {
        XXH128_hash_t expected = XXH3_128bits(data, length);
        struct hash128 hash = hash128_bytes(data, length);

        assert_true(hash_bytes(data, length) == XXH3_64bits(data, length));
        assert_true(hash.low == expected.low64 && hash.high == expected.high64);
    }
}

static void nothing_at_all_has_the_hash_of_an_empty_string(void **state)
{
    (void)state;
    assert_true(hash_bytes(NULL, 0) == hash_bytes("", 0));
    assert_true(hash128_bytes(NULL, 0).high == hash128_bytes("", 0).high);
}

static void a_single_bit_changes_the_hash(void **state)
{
    char data[100] = {0};
    uint64_t before = hash_bytes(data, sizeof(data));

    (void)state;
    for (size_t bit = 0; bit < sizeof(data) * 8; bit++) {
        data[bit / 8] = (char)(1u << bit % 8);
        assert_true(hash_bytes(data, sizeof(data)) != before);
        data[bit / 8] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_values_are_those_of_xxh3),
        cmocka_unit_test(every_length_agrees_with_the_library),
        cmocka_unit_test(nothing_at_all_has_the_hash_of_an_empty_string),
        cmocka_unit_test(a_single_bit_changes_the_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
