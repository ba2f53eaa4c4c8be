#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/binary.h"

/* Both buffers are as large as they must be, so that the sanitizer sees every overrun. */
static bool decode(enum binary_encoding encoding, const char *text, char **bytes, size_t *length)
{
    size_t text_length = strlen(text);
    char *copy = malloc(text_length == 0 ? 1 : text_length);
    bool good;

    *bytes = malloc(binary_room(encoding, text_length));
    assert_non_null(copy);
    assert_non_null(*bytes);
    memcpy(copy, text, text_length);
    good = binary_decode(encoding, (struct slice){copy, text_length}, *bytes, length);
    free(copy);
    return good;
}

static void expect(enum binary_encoding encoding, const char *text, const char *expected)
{
    char *bytes;
    size_t length;

    if (!decode(encoding, text, &bytes, &length))
        fail_msg("\"%s\" is refused", text);
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(bytes, expected, length);
    free(bytes);
}

static void expect_refused(enum binary_encoding encoding, const char *text)
{
    char *bytes;
    size_t length;

    if (decode(encoding, text, &bytes, &length))
        fail_msg("\"%s\" is taken", text);
    free(bytes);
}

/* RFC 4648, 10. */
static void the_vectors_of_the_standard(void **state)
{
    static const char *const vectors[][3] = {
        {"", "", ""},
        {"f", "Zg==", "66"},
        {"fo", "Zm8=", "666F"},
        {"foo", "Zm9v", "666F6F"},
        {"foob", "Zm9vYg==", "666F6F62"},
        {"fooba", "Zm9vYmE=", "666F6F6261"},
        {"foobar", "Zm9vYmFy", "666f6f626172"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        expect(BINARY_BASE64, vectors[i][1], vectors[i][0]);
        expect(BINARY_BASE64URL, vectors[i][1], vectors[i][0]);
        expect(BINARY_HEX, vectors[i][2], vectors[i][0]);
    }
}

static void what_others_write(void **state)
{
    (void)state;
    expect(BINARY_BASE64, "Zm9v\r\nYmFy\n", "foobar");
    expect(BINARY_BASE64, "Zg", "f");
    expect(BINARY_BASE64, " Zg = = ", "f");
    expect(BINARY_BASE64, "+/+/", "\xfb\xff\xbf");
    expect(BINARY_BASE64URL, "-_-_", "\xfb\xff\xbf");
    expect(BINARY_HEX, "\\x666f", "fo");
    expect(BINARY_HEX, "0x666f", "fo");
    expect(BINARY_HEX, "0x", "");
}

static void what_is_damaged(void **state)
{
    static const char *const base64[] = {"Z",        "Zg=",   "Zg===", "Zm9v=", "Zm8==",
                                         "=",        "Zh==",  "Zm9=",  "Zm9v!", "-_-_",
                                         "Zg==Zg==", "Zm9vY", "Z g==x"};
    static const char *const hex[] = {"6", "666", "6g", "xx", "66 6f", "0X66", "x66"};

    (void)state;
    for (size_t i = 0; i < sizeof(base64) / sizeof(base64[0]); i++)
        expect_refused(BINARY_BASE64, base64[i]);
    expect_refused(BINARY_BASE64URL, "+/+/");
    for (size_t i = 0; i < sizeof(hex) / sizeof(hex[0]); i++)
        expect_refused(BINARY_HEX, hex[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_standard),
        cmocka_unit_test(what_others_write),
        cmocka_unit_test(what_is_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
