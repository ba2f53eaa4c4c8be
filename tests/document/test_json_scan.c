#include "test.h"

#include "document/json_scan.h"
#include "document/utf8.h"

enum { LONGEST = 64 };

/* Small numbers that look random and are the same in every run. */
static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

static void every_byte_that_is_not_plain_stops_the_scan_at_every_place(void **state)
{
    char text[LONGEST];

    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';

        for (size_t place = 0; place < LONGEST; place++) {
            const char *stop = plain ? text + LONGEST : text + place;

            memset(text, 'a', sizeof(text));
            text[place] = (char)byte;
            assert_ptr_equal(scan_plain(text, text + LONGEST), stop);
            assert_ptr_equal(scan_plain_portable(text, text + LONGEST), stop);
        }
    }
}

static void both_ways_find_the_same_end_of_plain_text(void **state)
{
    static const char bytes[] = "aaaaaaaaaaaaaaaaaaaa !~\x7f\x1f\"\\\x80\xff";
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[LONGEST];
        size_t length = next_random(&seed) % LONGEST;

        for (size_t i = 0; i < length; i++)
            text[i] = bytes[next_random(&seed) % (sizeof(bytes) - 1)];
        assert_ptr_equal(scan_plain(text, text + length), scan_plain_bytes(text, text + length));
        assert_ptr_equal(scan_plain_portable(text, text + length),
                         scan_plain_bytes(text, text + length));
    }
}

static void both_ways_skip_the_same_white_space(void **state)
{
    static const char bytes[] = "          \n\n\t\ra\v";
    uint32_t seed = 2;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[LONGEST];
        size_t length = next_random(&seed) % LONGEST;

        for (size_t i = 0; i < length; i++)
            text[i] = bytes[next_random(&seed) % (sizeof(bytes) - 1)];
        assert_ptr_equal(scan_space(text, text + length, '\n'),
                         scan_space_portable(text, text + length, '\n'));
        assert_ptr_equal(scan_space(text, text + length, ' '),
                         scan_space_portable(text, text + length, ' '));
    }
}

static void a_line_feed_is_white_space_only_where_it_is_asked_for(void **state)
{
    const char text[] = " \t\r\n x                    ";
    const char *end = text + sizeof(text) - 1;

    (void)state;
    assert_ptr_equal(scan_space(text, end, '\n'), text + 5);
    assert_ptr_equal(scan_space(text, end, ' '), text + 3);
}

/* The length of the UTF-8 character at `p` by the table 3-7 of the Unicode standard. */
static unsigned table_length(const unsigned char *p)
{
    static const unsigned char rows[][9] = {
        /* bytes, then the lowest and the highest of each */
        {2, 0xc2, 0xdf, 0x80, 0xbf},
        {3, 0xe0, 0xe0, 0xa0, 0xbf, 0x80, 0xbf},
        {3, 0xe1, 0xec, 0x80, 0xbf, 0x80, 0xbf},
        {3, 0xed, 0xed, 0x80, 0x9f, 0x80, 0xbf},
        {3, 0xee, 0xef, 0x80, 0xbf, 0x80, 0xbf},
        {4, 0xf0, 0xf0, 0x90, 0xbf, 0x80, 0xbf, 0x80, 0xbf},
        {4, 0xf1, 0xf3, 0x80, 0xbf, 0x80, 0xbf, 0x80, 0xbf},
        {4, 0xf4, 0xf4, 0x80, 0x8f, 0x80, 0xbf, 0x80, 0xbf},
    };

    if (p[0] < 0x80)
        return 1;
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        unsigned length = rows[row][0];
        unsigned good = 0;

        while (good < length && p[good] >= rows[row][1 + 2 * good] &&
               p[good] <= rows[row][2 + 2 * good])
            good++;
        if (good == length)
            return length;
    }
    return 0;
}

static void utf8_is_what_the_unicode_standard_says(void **state)
{
    static const unsigned char others[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90,
                                           0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    enum { OTHERS = sizeof(others) };

    (void)state;
    for (unsigned i = 0; i < 65536u * OTHERS * OTHERS; i++) {
        unsigned rest = i / 65536u;
        unsigned char text[5] = {(unsigned char)(i >> 8 & 0xff), (unsigned char)(i & 0xff),
                                 others[rest / OTHERS], others[rest % OTHERS], 0};

        if (utf8_length((const char *)text) != table_length(text))
            fail_msg("%02x %02x %02x %02x", text[0], text[1], text[2], text[3]);
    }
}

static void every_character_is_written_as_its_utf8(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        char text[5] = {0};
        size_t length;

        if (code >= 0xd800 && code < 0xe000)
            continue;
        length = utf8_put(text, code);
        if (length != utf8_length(text))
            fail_msg("U+%04X", (unsigned)code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_that_is_not_plain_stops_the_scan_at_every_place),
        cmocka_unit_test(both_ways_find_the_same_end_of_plain_text),
        cmocka_unit_test(both_ways_skip_the_same_white_space),
        cmocka_unit_test(a_line_feed_is_white_space_only_where_it_is_asked_for),
        cmocka_unit_test(utf8_is_what_the_unicode_standard_says),
        cmocka_unit_test(every_character_is_written_as_its_utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
