#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/sha256.h"

static void assert_hash(const void *data, size_t length, const char *expected)
{
    uint8_t digest[SHA256_BYTES];
    char text[SHA256_TEXT_SIZE];

    sha256(data, length, digest);
    assert_string_equal(sha256_text(digest, text), expected);
}

/* NIST, "Examples with Intermediate Values" and the long message of FIPS 180-2. */
static void the_examples_of_the_standard_come_out(void **state)
{
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    char *million = malloc(1000000);

    (void)state;
    assert_non_null(million);
    memset(million, 'a', 1000000);
    assert_hash("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_hash(NULL, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_hash("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_hash(two_blocks, strlen(two_blocks),
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    assert_hash(million, 1000000,
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

/* Where the padding no longer fits into the block: 55, 56, 63, 64 bytes. Values of sha256sum(1). */
static void the_ends_of_a_block_are_padded_right(void **state)
{
    static const struct {
        size_t length;
        const char *expected;
    } cases[] = {
        {55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
        {56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
        {63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
        {64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
    };
    char data[64];

    (void)state;
    memset(data, 'a', sizeof(data));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_hash(data, cases[i].length, cases[i].expected);
}

static void assert_hmac(const char *key, size_t key_length, const char *data, const char *expected)
{
    uint8_t digest[SHA256_BYTES];
    char text[SHA256_TEXT_SIZE];

    sha256_hmac(key, key_length, data, strlen(data), digest);
    assert_string_equal(sha256_text(digest, text), expected);
}

/* RFC 4231, test cases 1, 2 and 6. */
static void the_test_cases_for_hmac_come_out(void **state)
{
    char key[131];

    (void)state;
    memset(key, 0x0b, 20);
    assert_hmac(key, 20, "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_hmac("Jefe", 4, "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof(key));
    assert_hmac(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_standard_come_out),
        cmocka_unit_test(the_ends_of_a_block_are_padded_right),
        cmocka_unit_test(the_test_cases_for_hmac_come_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
