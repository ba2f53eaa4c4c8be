#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "document.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A text with NUL bytes knows its length; this is for the tables. */
#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
    const char *text;
    size_t length;
} accepted[] = {
    {BYTES("[]")},
    {BYTES("{}")},
    {BYTES(" \t\r\n[ \t\r\n] \t\r\n")},
    {BYTES("null")},
    {BYTES("true")},
    {BYTES("false")},
    {BYTES("0")},
    {BYTES("-0")},
    {BYTES("-0.0e-0")},
    {BYTES("\"\"")},
    {BYTES("[[]   ]")},
    {BYTES("[\"\"]")},
    {BYTES("[1\n]")},
    {BYTES("[1,null,null,null,2]")},
    {BYTES("[123e65]")},
    {BYTES("[0e+1]")},
    {BYTES("[0e1]")},
    {BYTES("[ 4]")},
    {BYTES("[1E22]")},
    {BYTES("[1E-2]")},
    {BYTES("[1E+2]")},
    {BYTES("[123.456e78]")},
    {BYTES("[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]")},
    {BYTES("[1e400,-1e400,123456789012345678901234567890123456789012345678901234567890]")},
    {BYTES("{\"a\":\"b\",\"a\":\"c\"}")},
    {BYTES("{\"\":0}")},
    {BYTES("{\"foo\\u0000bar\": 42}")},
    {BYTES("{\n\"a\": \"b\"\n}")},
    {BYTES("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]")},
    {BYTES("[\"\\u0060\\u012a\\u12AB\"]")},
    {BYTES("[\"\\uD801\\udc37\"]")},
    {BYTES("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]")},
    {BYTES("[\"\\uDBFF\\uDFFF\"]")},
    {BYTES("[\"\\uFFFF\\uFDD0\"]")},
    {BYTES("[\"\\\\u0000\"]")},
    {BYTES("[\"a/*b*/c/*d//e\"]")},
    {BYTES("[\"\x7f\"]")},
    {BYTES("[\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"]")},
    {BYTES("[\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"]")},
    {BYTES("[\"\xe2\x82\xac\xf0\x9d\x84\x9e\"]")},
    {BYTES("\xef\xbb\xbf{}")},
    {BYTES("\xef\xbb\xbf \"\xef\xbb\xbf\"")},
};

static void what_the_standard_allows_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(accepted); i++) {
        struct document d = document_read(json_read, accepted[i].text, accepted[i].length);

        if (d.status != JSON_OK)
            fail_msg("%s: %s", accepted[i].text, d.error.message);
        document_check(&d);
        document_free(&d);
    }
}

struct refused {
    const char *text;
    size_t length;
    unsigned line;
    unsigned column;
    const char *message;
};

static const struct refused refused[] = {
    /* the body as a whole */
    {BYTES(""), 1, 1, "the body is empty"},
    {BYTES(" \n\t"), 1, 1, "the body is empty"},
    {BYTES("\xef\xbb\xbf"), 1, 1, "the body is empty"},
    {BYTES("<!DOCTYPE html>"), 1, 1, "the body looks like HTML or XML, not like JSON"},
    {BYTES("\n <a/>"), 2, 2, "the body looks like HTML or XML, not like JSON"},
    {BYTES("\xff\xfe[\0]\0"), 1, 1, "the body looks like UTF-16, and JSON must be UTF-8"},
    {BYTES("\xfe\xff\0[\0]"), 1, 1, "the body looks like UTF-16, and JSON must be UTF-8"},
    {BYTES("[\0]\0"), 1, 1, "the body looks like UTF-16, and JSON must be UTF-8"},
    {BYTES("\0[\0]"), 1, 1, "the body looks like UTF-16, and JSON must be UTF-8"},
    {BYTES("1\0"), 1, 1, "the body looks like UTF-16, and JSON must be UTF-8"},
    {BYTES("[\0\0\0]\0\0\0"), 1, 1, "the body looks like UTF-32, and JSON must be UTF-8"},
    {BYTES("\0\0\0[\0\0\0]"), 1, 1, "the body looks like UTF-32, and JSON must be UTF-8"},
    {BYTES("\xff\xfe\0\0[\0\0\0"), 1, 1, "the body looks like UTF-32, and JSON must be UTF-8"},
    {BYTES("\0\0\xfe\xff\0\0\0["), 1, 1, "the body looks like UTF-32, and JSON must be UTF-8"},
    {BYTES("\x1f\x8b\x08"), 1, 1, "the body is compressed with gzip"},
    {BYTES("\0"), 1, 1, "byte 0x00 where a value should stand"},
    {BYTES("\xef\xbb"), 1, 1, "byte 0xef is not UTF-8, which JSON must be"},

    /* behind the document */
    {BYTES("1 2"), 1, 3, "'2' behind the end of the document"},
    {BYTES("[]]"), 1, 3, "']' behind the end of the document"},
    {BYTES("{},"), 1, 3, "',' behind the end of the document"},
    {BYTES("[1]\0"), 1, 4, "byte 0x00 behind the end of the document"},
    {BYTES("\"a\"x"), 1, 4, "'x' behind the end of the document"},
    {BYTES("{}{}"), 1, 3, "a second document; one document a line is the format ndjson"},
    {BYTES("{\"a\":1}\n{\"a\":2}"), 2, 1,
     "a second document; one document a line is the format ndjson"},
    {BYTES("{}//c"), 1, 3, "a comment: JSON has none"},
    {BYTES("{}\n# c"), 2, 1, "a comment: JSON has none"},
    {BYTES("[]\xe9"), 1, 3, "byte 0xe9 is not UTF-8, which JSON must be"},

    /* cut off */
    {BYTES("["), 1, 2, "the body ends inside an array"},
    {BYTES("[1"), 1, 3, "the body ends inside an array"},
    {BYTES("[1,"), 1, 4, "the body ends inside an array"},
    {BYTES("[\n[1],\n"), 3, 1, "the body ends inside an array"},
    {BYTES("{"), 1, 2, "the body ends inside an object"},
    {BYTES("{\"a\""), 1, 5, "the body ends inside an object"},
    {BYTES("{\"a\":"), 1, 6, "the body ends inside an object"},
    {BYTES("{\"a\":1"), 1, 7, "the body ends inside an object"},
    {BYTES("{\"a\":1,"), 1, 8, "the body ends inside an object"},
    {BYTES("[{"), 1, 3, "the body ends inside an object"},
    {BYTES("{\"a\":[1"), 1, 8, "the body ends inside an array"},
    {BYTES("\""), 1, 2, "the body ends inside a string"},
    {BYTES("[\"abcdefghijklmnopqrst"), 1, 23, "the body ends inside a string"},
    {BYTES("\"a\\"), 1, 4, "the body ends inside a string"},
    {BYTES("\"\\u00"), 1, 6, "the body ends inside a string"},
    {BYTES("{\"\xc3\xa9\":\"\xc3\xa9"), 1, 8, "the body ends inside a string"},
    {BYTES("[-"), 1, 3, "the body ends inside a number"},
    {BYTES("1."), 1, 3, "the body ends inside a number"},
    {BYTES("1e"), 1, 3, "the body ends inside a number"},
    {BYTES("1e-"), 1, 4, "the body ends inside a number"},
    {BYTES("[tru"), 1, 5, "the body ends inside a value"},
    {BYTES("fals"), 1, 5, "the body ends inside a value"},
    {BYTES("{\"a\":n"), 1, 7, "the body ends inside a value"},

    /* commas, colons and brackets */
    {BYTES("[1,]"), 1, 4, "a comma stands before ']': the last element has none"},
    {BYTES("[1 , ]"), 1, 6, "a comma stands before ']': the last element has none"},
    {BYTES("{\"a\":1,}"), 1, 8, "a comma stands before '}': the last member has none"},
    {BYTES("[,1]"), 1, 2, "a value is missing before ','"},
    {BYTES("[1,,2]"), 1, 4, "a value is missing before ','"},
    {BYTES("{\"a\":}"), 1, 6, "a value is missing before '}'"},
    {BYTES("{\"a\":,\"b\":1}"), 1, 6, "a value is missing before ','"},
    {BYTES("{\"a\"::1}"), 1, 6, "a value is missing before ':'"},
    {BYTES("[}"), 1, 2, "a value is missing before '}'"},
    {BYTES("]"), 1, 1, "a value is missing before ']'"},
    {BYTES("[1 2]"), 1, 4, "'2' where ',' or ']' should stand"},
    {BYTES("[1}"), 1, 3, "'}' where ',' or ']' should stand"},
    {BYTES("[1:2]"), 1, 3, "':' where ',' or ']' should stand"},
    {BYTES("{\"a\":1]"), 1, 7, "']' where ',' or '}' should stand"},
    {BYTES("{\"a\":1 \"b\":2}"), 1, 8, "'\"' where ',' or '}' should stand"},
    {BYTES("{\"a\" 1}"), 1, 6, "'1' where ':' should follow the member's name"},
    {BYTES("{\"a\"}"), 1, 5, "'}' where ':' should follow the member's name"},
    {BYTES("{,}"), 1, 2, "',' where a member's name should stand"},
    {BYTES("{[1]:2}"), 1, 2, "'[' where a member's name should stand"},
    {BYTES("{\"a\":1,]"), 1, 8, "']' where a member's name should stand"},

    /* habits of other languages */
    {BYTES("{a:1}"), 1, 2, "a member's name stands in double quotes"},
    {BYTES("{1:1}"), 1, 2, "a member's name stands in double quotes"},
    {BYTES("{'a':1}"), 1, 2, "a single quote: JSON strings stand in double quotes"},
    {BYTES("['a']"), 1, 2, "a single quote: JSON strings stand in double quotes"},
    {BYTES("[1 /* c */]"), 1, 4, "a comment: JSON has none"},
    {BYTES("{ // c\n}"), 1, 3, "a comment: JSON has none"},
    {BYTES("# c\n1"), 1, 1, "a comment: JSON has none"},
    {BYTES("[/]"), 1, 2, "'/' where a value should stand"},
    {BYTES("NaN"), 1, 1, "'NaN' is not JSON: a number must be finite"},
    {BYTES("[Infinity]"), 1, 2, "'Infinity' is not JSON: a number must be finite"},
    {BYTES("[-Infinity]"), 1, 3, "'Infinity' is not JSON: a number must be finite"},
    {BYTES("[inf]"), 1, 2, "'inf' is not JSON: a number must be finite"},
    {BYTES("True"), 1, 1, "'True' is not JSON: it is written true"},
    {BYTES("[FALSE]"), 1, 2, "'FALSE' is not JSON: it is written false"},
    {BYTES("[None]"), 1, 2, "'None' is not JSON: it is written null"},
    {BYTES("[undefined]"), 1, 2, "'undefined' is not JSON: it is written null"},
    {BYTES("OK"), 1, 1, "'OK' is not a JSON value; text stands in double quotes"},
    {BYTES("[nul]"), 1, 2, "'nul' is not a JSON value; text stands in double quotes"},
    {BYTES("[truex]"), 1, 6, "'x' where ',' or ']' should stand"},
    {BYTES("[aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd]"), 1, 2,
     "'aaaaaaaaaabbbbbbbbbbcccccccccc' is not a JSON value; text stands in double quotes"},

    /* numbers */
    {BYTES("[+1]"), 1, 2, "a number cannot begin with '+'"},
    {BYTES("[.5]"), 1, 2, "a number cannot begin with '.'"},
    {BYTES("[01]"), 1, 2, "a number cannot have a 0 before its first digit"},
    {BYTES("[-01]"), 1, 3, "a number cannot have a 0 before its first digit"},
    {BYTES("[-012345678901234567890123]"), 1, 3, "a number cannot have a 0 before its first digit"},
    {BYTES("[- 1]"), 1, 3, "' ' where a digit should follow '-'"},
    {BYTES("[-.1]"), 1, 3, "'.' where a digit should follow '-'"},
    {BYTES("[1.]"), 1, 4, "']' where a digit should follow '.'"},
    {BYTES("[1.e5               ]"), 1, 4, "'e' where a digit should follow '.'"},
    {BYTES("[1e]"), 1, 4, "']' where a digit should follow the letter of the exponent"},
    {BYTES("[1E+]"), 1, 5, "']' where a digit should follow the letter of the exponent"},
    {BYTES("[1e+-1]"), 1, 5, "'-' where a digit should follow the letter of the exponent"},
    {BYTES("[0x1]"), 1, 3, "'x' where ',' or ']' should stand"},
    {BYTES("[1.2.3]"), 1, 5, "'.' where ',' or ']' should stand"},
    {BYTES("[1e2.3]"), 1, 5, "'.' where ',' or ']' should stand"},
    {BYTES("[\xef\xbc\x91]"), 1, 2, "'\xef\xbc\x91' (U+FF11) where a value should stand"},

    /* strings */
    {BYTES("\"a\nb\""), 1, 3, "a line break in a string, where it is written \\n"},
    {BYTES("\"a\tb\""), 1, 3, "a tab in a string, where it is written \\t"},
    {BYTES("\"a\0b\""), 1, 3, "byte 0x00 in a string, where it is written \\u0000"},
    {BYTES("\"a\x1f\""), 1, 3, "byte 0x1f in a string, where it is written \\u001f"},
    {BYTES("\"\\x41\""), 1, 2, "a backslash before 'x' in a string: there is no such escape"},
    {BYTES("\"\\'\""), 1, 2, "a backslash before ''' in a string: there is no such escape"},
    {BYTES("\"\\\xc3\xa9\""), 1, 2,
     "a backslash before '\xc3\xa9' (U+00E9) in a string: there is no such escape"},
    {BYTES("\"\\u12g4\""), 1, 2, "\\u must have four hexadecimal digits behind it"},
    {BYTES("\"\\u\""), 1, 2, "\\u must have four hexadecimal digits behind it"},
    {BYTES("\"\\ud800\""), 1, 2, "\\ud800 is half of a surrogate pair, which is no character"},
    {BYTES("\"\\udc00\""), 1, 2, "\\udc00 is half of a surrogate pair, which is no character"},
    {BYTES("\"\\uD834\\u0041\""), 1, 2,
     "\\uD834 is half of a surrogate pair, which is no character"},
    {BYTES("\"\\uD834\\uD834\""), 1, 2,
     "\\uD834 is half of a surrogate pair, which is no character"},
    {BYTES("\"\\uD834x\""), 1, 2, "\\uD834 is half of a surrogate pair, which is no character"},
    {BYTES("{\"\\ud800\":1}"), 1, 3, "\\ud800 is half of a surrogate pair, which is no character"},

    /* UTF-8: continuation alone, overlong, surrogate, too high, cut off, in names too */
    {BYTES("\"\x80\""), 1, 2, "byte 0x80 is not UTF-8, which JSON must be"},
    {BYTES("\"\xc0\xaf\""), 1, 2, "byte 0xc0 is not UTF-8, which JSON must be"},
    {BYTES("\"\xc1\xbf\""), 1, 2, "byte 0xc1 is not UTF-8, which JSON must be"},
    {BYTES("\"\xe0\x9f\xbf\""), 1, 2, "byte 0xe0 is not UTF-8, which JSON must be"},
    {BYTES("\"\xf0\x8f\xbf\xbf\""), 1, 2, "byte 0xf0 is not UTF-8, which JSON must be"},
    {BYTES("\"\xed\xa0\x80\""), 1, 2, "byte 0xed is not UTF-8, which JSON must be"},
    {BYTES("\"\xed\xbf\xbf\""), 1, 2, "byte 0xed is not UTF-8, which JSON must be"},
    {BYTES("\"\xf4\x90\x80\x80\""), 1, 2, "byte 0xf4 is not UTF-8, which JSON must be"},
    {BYTES("\"\xf5\x80\x80\x80\""), 1, 2, "byte 0xf5 is not UTF-8, which JSON must be"},
    {BYTES("\"\xff\""), 1, 2, "byte 0xff is not UTF-8, which JSON must be"},
    {BYTES("\"\xe2\x82\""), 1, 2, "byte 0xe2 is not UTF-8, which JSON must be"},
    {BYTES("\"\xc3"), 1, 2, "byte 0xc3 is not UTF-8, which JSON must be"},
    {BYTES("\"caf\xe9\""), 1, 5, "byte 0xe9 is not UTF-8, which JSON must be"},
    {BYTES("{\"a\xe9\":1}"), 1, 4, "byte 0xe9 is not UTF-8, which JSON must be"},
    {BYTES("[1,\xe9]"), 1, 4, "byte 0xe9 is not UTF-8, which JSON must be"},

    /* white space that is none */
    {BYTES("[\x0c]"), 1, 2, "byte 0x0c where a value should stand"},
    {BYTES("[\xc2\xa0\x31]"), 1, 2, "'\xc2\xa0' (U+00A0) where a value should stand"},
    {BYTES("[\xc2\x9b\x32]"), 1, 2, "U+009B where a value should stand"},
    {BYTES("[\xe2\x80\xae\x32]"), 1, 2, "U+202E where a value should stand"},
    {BYTES("[1,\xe2\x81\xa0\x32]"), 1, 4, "U+2060 where a value should stand"},
    {BYTES("[1\x7f]"), 1, 3, "byte 0x7f where ',' or ']' should stand"},
    {BYTES("[1\0]"), 1, 3, "byte 0x00 where ',' or ']' should stand"},
};

static void assert_refused(document_reader *read, const struct refused *expected)
{
    struct document d = document_read(read, expected->text, expected->length);

    if (d.status == JSON_OK)
        fail_msg("%s was taken", expected->text);
    if (strcmp(d.error.message, expected->message) != 0 || d.error.line != expected->line ||
        d.error.column != expected->column)
        fail_msg("%s: %u:%u: %s", expected->text, d.error.line, d.error.column, d.error.message);
    assert_int_equal(d.status, JSON_INVALID);
    assert_null(d.root);
    document_free(&d);
}

static void what_the_standard_forbids_is_refused_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++)
        assert_refused(json_read, &refused[i]);
}

static void an_error_can_be_ignored(void **state)
{
    struct arena *arena = arena_create(0);
    const struct node *root;

    (void)state;
    assert_int_equal(json_read("[1,", 3, arena, &root, NULL), JSON_INVALID);
    arena_free(arena);
}

static void a_body_of_4_gib_is_refused_unread(void **state)
{
    struct json_error error;
    const struct node *root;

    (void)state;
    assert_int_equal(json_read("", (size_t)UINT32_MAX + 1, NULL, &root, &error), JSON_INVALID);
    assert_string_equal(error.message,
                        "the body has 4294967296 bytes; the most that can be read is 4 GiB");
    assert_int_equal(json_read_lines("", SIZE_MAX, NULL, &root, &error), JSON_INVALID);
}

static char *nested(size_t depth)
{
    char *text = malloc(2 * depth + 1);

    assert_non_null(text);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    text[2 * depth] = '\0';
    return text;
}

static void nesting_is_limited_to_512_levels(void **state)
{
    struct refused expected = {NULL, 2 * 513, 1, 513, "nested deeper than 512 levels"};
    char *deepest = nested(512);
    char *too_deep = nested(513);
    struct document d = document_of(deepest);

    (void)state;
    document_check(&d);
    assert_int_equal(d.root->span, 512);
    document_free(&d);
    expected.text = too_deep;
    assert_refused(json_read, &expected);
    free(deepest);
    free(too_deep);
}

static void depth_counts_what_is_open_and_not_what_was(void **state)
{
    struct text text = {0};
    struct document d;

    (void)state;
    text_add(&text, "[");
    for (int i = 0; i < 2000; i++)
        text_add(&text, "{\"a\":[[]]},");
    text_add(&text, "[]]");
    d = document_of(text_string(&text));
    assert_int_equal(d.root->length, 2001);
    document_check(&d);
    document_free(&d);
    text_free(&text);
}

static void assert_number(const char *text, bool integer)
{
    /* Behind 16 further bytes, and right before the end: both ways through the reader. */
    static const char *const frames[] = {"%s", "[%s]", "[%s,\"0123456789abcdef\"]",
                                         "{\"n\":%s ,\"m\":\"0123456789abcdef\"}"};

    for (size_t i = 0; i < COUNT(frames); i++) {
        struct text body = {0};
        const struct node *number;
        struct document d;

        text_append(&body, frames[i], (size_t)(strchr(frames[i], '%') - frames[i]));
        text_add(&body, text);
        text_add(&body, strchr(frames[i], '%') + 2);
        d = document_of(text_string(&body));
        number = d.root + (i == 0 ? 0 : i == 3 ? 2 : 1);
        assert_int_equal(number->type, NODE_NUMBER);
        assert_int_equal(number->integer, integer);
        assert_int_equal(number->length, strlen(text));
        assert_memory_equal(number->text, text, strlen(text));
        assert_ptr_equal(number->raw, number->text);
        assert_int_equal(number->raw_length, number->length);
        document_check(&d);
        document_free(&d);
        text_free(&body);
    }
}

static void a_number_keeps_its_digits(void **state)
{
    (void)state;
    assert_number("0", true);
    assert_number("-0", true);
    assert_number("9223372036854775808", true);
    assert_number("1.10", false);
    assert_number("-118.6671667", false);
    assert_number("1e5", false);
    assert_number("1E-5", false);
    assert_number("0.1e+2", false);
    assert_number("0e0", false);
    assert_number("-0.0", false);
    assert_number("1e400", false);
}

static void a_number_may_have_any_length(void **state)
{
    (void)state;
    for (size_t length = 1; length <= 40; length++) {
        char digits[48];

        memset(digits, '7', length);
        digits[length] = '\0';
        assert_number(digits, true);
        for (size_t point = 1; point + 1 < length; point++) {
            digits[point] = '.';
            assert_number(digits, false);
            digits[point] = 'e';
            assert_number(digits, false);
            digits[point] = '7';
        }
        digits[0] = '-';
        if (length > 1)
            assert_number(digits, true);
    }
}

static void assert_string(const struct node *node, const char *text, size_t length)
{
    assert_int_equal(node->type, NODE_STRING);
    assert_int_equal(node->length, length);
    assert_memory_equal(node->text, text, length);
}

static void an_escape_becomes_its_character(void **state)
{
    struct document d =
        document_of("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u0000\",\"\\u00e9\\u20AC\","
                    "\"a\\ud83d\\ude00b\",\"\\\\u0041\"]");
    const struct node *node = d.root + 1;

    (void)state;
    assert_string(node, BYTES("\"\\/\b\f\n\r\t"));
    assert_string(node + 1, BYTES("\0"));
    assert_string(node + 2, BYTES("\xc3\xa9\xe2\x82\xac"));
    assert_string(node + 3, BYTES("a\xf0\x9f\x98\x80"
                                  "b"));
    assert_string(node + 4, BYTES("\\u0041"));
    document_free(&d);
}

static void a_string_without_escapes_is_a_slice_of_the_body(void **state)
{
    struct document d = document_of("[\"caf\xc3\xa9\"]");
    const struct node *node = d.root + 1;

    (void)state;
    assert_string(node, BYTES("caf\xc3\xa9"));
    assert_ptr_equal(node->text, d.body + 2);
    assert_ptr_equal(node->raw, d.body + 1);
    assert_int_equal(node->raw_length, 7);
    document_free(&d);
}

static void a_string_keeps_its_own_text_beside_the_unescaped(void **state)
{
    struct document d = document_of("{\"k\\u0041\" : \"v\\n\"}");
    const struct node *name = d.root + 1;

    (void)state;
    assert_string(name, BYTES("kA"));
    assert_int_equal(name->raw_length, strlen("\"k\\u0041\""));
    assert_memory_equal(name->raw, "\"k\\u0041\"", name->raw_length);
    assert_int_equal(name[1].raw_length, strlen("\"v\\n\""));
    assert_memory_equal(name[1].raw, "\"v\\n\"", name[1].raw_length);
    document_free(&d);
}

/* One special thing at each place of strings of each length: every way through the scanning. */
static void a_string_is_read_whatever_its_length_and_wherever_its_escape(void **state)
{
    static const struct {
        const char *raw;
        const char *text;
    } things[] = {{"x", "x"}, {"\\n", "\n"}, {"\xc3\xa9", "\xc3\xa9"}, {"\\u20ac", "\xe2\x82\xac"}};

    (void)state;
    for (size_t length = 0; length <= 40; length++) {
        for (size_t i = 0; i < COUNT(things) * (length + 1); i++) {
            size_t place = i / COUNT(things);
            const char *filler = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
            struct text raw = {0};
            struct text text = {0};
            struct document d;

            text_char(&raw, '"');
            text_append(&raw, filler, place);
            text_add(&raw, things[i % COUNT(things)].raw);
            text_append(&raw, filler, length - place);
            text_char(&raw, '"');
            text_append(&text, filler, place);
            text_add(&text, things[i % COUNT(things)].text);
            text_append(&text, filler, length - place);
            d = document_of(text_string(&raw));
            assert_string(d.root, text_string(&text), text.length);
            document_free(&d);
            text_free(&raw);
            text_free(&text);
        }
    }
}

static void a_container_counts_and_spans_what_is_in_it(void **state)
{
    struct document d = document_of(" { \"a\" : [ 1 , [ ] , { } ] , \"b\" : { \"c\" : null } } ");
    const struct node *root = d.root;
    const struct node *a = node_member(root, slice_of("a"));
    const struct node *b = node_member(root, slice_of("b"));

    (void)state;
    document_check(&d);
    assert_int_equal(root->type, NODE_OBJECT);
    assert_int_equal(root->length, 2);
    assert_int_equal(root->span, 10);
    assert_int_equal(a->length, 3);
    assert_int_equal(a->span, 4);
    assert_ptr_equal(node_next(a) + 1, b);
    assert_int_equal(b->length, 1);
    assert_int_equal(a->raw_length, strlen("[ 1 , [ ] , { } ]"));
    assert_memory_equal(a->raw, "[ 1 , [ ] , { } ]", a->raw_length);
    assert_ptr_equal(a->text, a->raw);
    assert_int_equal(root->raw_length, d.length - 2);
    document_free(&d);
}

static void the_nodes_grow_with_the_document(void **state)
{
    enum { ELEMENTS = 100000 };
    struct text text = {0};
    struct document d;

    (void)state;
    text_add(&text, "{\"a\":[");
    for (int i = 0; i < ELEMENTS; i++)
        text_add(&text, i % 3 == 0 ? "{}," : i % 3 == 1 ? "1," : "\"\\n\",");
    text_add(&text, "0]");
    for (int i = 0; i < ELEMENTS; i++)
        text_add(&text, ",\"\":0");
    text_add(&text, "}");
    d = document_of(text_string(&text));
    document_check(&d);
    assert_int_equal(d.root->length, ELEMENTS + 1);
    assert_int_equal(d.root[2].length, ELEMENTS + 1);
    document_free(&d);
    text_free(&text);
}

static void documents_of_one_arena_do_not_disturb_each_other(void **state)
{
    struct arena *arena = arena_create(0);
    const struct node *first;
    const struct node *second;

    (void)state;
    assert_int_equal(json_read("[\"\\n\",1]", 8, arena, &first, NULL), JSON_OK);
    assert_int_equal(json_read("[2,\"\\t\"]", 8, arena, &second, NULL), JSON_OK);
    assert_string(first + 1, BYTES("\n"));
    assert_string(second + 2, BYTES("\t"));
    arena_free(arena);
}

/* --- newline-delimited --- */

static struct document read_lines(const char *text)
{
    struct document d = document_read(json_read_lines, text, strlen(text));

    if (d.status != JSON_OK)
        fail_msg("%s: %u:%u: %s", text, d.error.line, d.error.column, d.error.message);
    document_check(&d);
    return d;
}

static void each_line_is_a_document(void **state)
{
    static const char *const texts[] = {
        "{\"a\":1}\n[2]\n\"x\"\n",
        "{\"a\":1}\n[2]\n\"x\"",
        "{\"a\":1}\r\n[2]\r\n\"x\"\r\n",
        "\n\n{\"a\":1}\n\n \t\r\n[2] \n \"x\"\n\n",
        "\xef\xbb\xbf{\"a\":1}\n[2]\n\"x\"\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct document d = read_lines(texts[i]);

        assert_int_equal(d.root->type, NODE_ARRAY);
        assert_int_equal(d.root->length, 3);
        assert_int_equal(d.root->span, 7);
        assert_int_equal(d.root->raw_length, 0);
        assert_null(d.root->raw);
        assert_int_equal(node_element(d.root, 0)->type, NODE_OBJECT);
        assert_int_equal(node_element(d.root, 1)->type, NODE_ARRAY);
        assert_string(node_element(d.root, 2), BYTES("x"));
        document_free(&d);
    }
}

static void no_lines_are_no_documents(void **state)
{
    static const char *const texts[] = {"", "\n", "\r\n \n"};

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct document d = read_lines(texts[i]);

        assert_int_equal(d.root->length, 0);
        assert_int_equal(d.root->span, 1);
        document_free(&d);
    }
}

static void many_lines_are_read(void **state)
{
    struct text text = {0};
    struct document d;

    (void)state;
    for (int i = 0; i < 20000; i++)
        text_add(&text, i % 2 == 0 ? "1\n" : "[[[[[[[[]]]]]]]]\n");
    d = read_lines(text_string(&text));
    assert_int_equal(d.root->length, 20000);
    document_free(&d);
    text_free(&text);
}

static const struct refused refused_lines[] = {
    {BYTES("{\"a\":1}\n{\"a\":"), 2, 6, "the body ends inside an object"},
    {BYTES("{\"a\":1}\n{\"a\":\n1}"), 2, 6,
     "the line ends inside an object; each document must be on one line"},
    {BYTES("[\n1]"), 1, 2, "the line ends inside an array; each document must be on one line"},
    {BYTES("[1,\r\n2]"), 1, 5, "the line ends inside an array; each document must be on one line"},
    {BYTES("\"a\nb\""), 1, 3, "the line ends inside a string; each document must be on one line"},
    {BYTES("\"a\\\nb\""), 1, 4, "the line ends inside a string; each document must be on one line"},
    {BYTES("1.\n"), 1, 3, "the line ends inside a number; each document must be on one line"},
    {BYTES("tru\n"), 1, 4, "the line ends inside a value; each document must be on one line"},
    {BYTES("1 2\n"), 1, 3, "'2' behind the document of this line"},
    {BYTES("{}\n{}{}\n"), 2, 3, "'{' behind the document of this line"},
    {BYTES("{}\n\nnope\n"), 3, 1, "'nope' is not a JSON value; text stands in double quotes"},
    {BYTES("{},\n"), 1, 3, "',' behind the document of this line"},
    {BYTES("<html>\n"), 1, 1, "the body looks like HTML or XML, not like JSON"},
    {BYTES("{\0}\0\n\0"), 1, 1, "the body looks like UTF-16, and JSON must be UTF-8"},
};

static void an_error_in_lines_names_the_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused_lines); i++)
        assert_refused(json_read_lines, &refused_lines[i]);
}

static void each_line_has_the_whole_depth(void **state)
{
    char *deepest = nested(512);
    struct text text = {0};
    struct document d;

    (void)state;
    text_format(&text, "%s\n%s\n", deepest, deepest);
    d = read_lines(text_string(&text));
    assert_int_equal(d.root->length, 2);
    document_free(&d);
    text_free(&text);
    free(deepest);
}

/* --- documents that follow each other --- */

static struct document read_stream(const char *text)
{
    struct document d = document_read(json_read_stream, text, strlen(text));

    if (d.status != JSON_OK)
        fail_msg("%s: %u:%u: %s", text, d.error.line, d.error.column, d.error.message);
    document_check(&d);
    return d;
}

static void documents_may_follow_each_other(void **state)
{
    static const char *const texts[] = {
        "{\"a\":1}[2]\"x\"",
        "{\"a\":1}\n[2]\n\"x\"\n",
        "{\n\"a\": 1\n}\n[\n2\n]\n\"x\"",
        "\x1e{\"a\":1}\n\x1e[\n2]\n\x1e\"x\"\n",
        "\x1e\x1e{\"a\":1}\x1e[2]\x1e\n\x1e\"x\"",
        "\xef\xbb\xbf{\"a\":1} [2] \"x\" ",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct document d = read_stream(texts[i]);

        assert_int_equal(d.root->type, NODE_ARRAY);
        assert_int_equal(d.root->length, 3);
        assert_int_equal(d.root->span, 7);
        assert_int_equal(d.root->raw_length, 0);
        assert_string(node_element(d.root, 2), BYTES("x"));
        document_free(&d);
    }
}

static void a_sequence_may_be_empty(void **state)
{
    static const char *const texts[] = {"\x1e", "\x1e\n\x1e\n"};

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct document d = read_stream(texts[i]);

        assert_int_equal(d.root->length, 0);
        document_free(&d);
    }
}

static void numbers_need_something_between_them(void **state)
{
    struct document d = read_stream("1 2\n3[4]5{}true\tnull");

    (void)state;
    assert_int_equal(d.root->length, 8);
    document_free(&d);
}

static const struct refused refused_streams[] = {
    {BYTES("{}\n{\"a\":"), 2, 6, "the body ends inside an object"},
    {BYTES("\x1e{}\n\x1e{\"a\""), 2, 6, "the body ends inside an object"},
    {BYTES("{},{}"), 1, 3, "a value is missing before ','"},
    {BYTES("1\"a\""), 1, 2, "'\"' behind the end of the document"},
    {BYTES("truefalse"), 1, 5, "'f' behind the end of the document"},
    {BYTES("\x1e"
           "12"),
     1, 4, "no line feed is behind the last value, which may be cut off"},
    {BYTES("\x1e"
           "12\x1e"
           "3\n"),
     1, 4, "byte 0x1e behind the end of the document"},
    {BYTES("\x1e{\x1e}"), 1, 3, "byte 0x1e where a member's name should stand"},
};

static void an_error_between_documents_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused_streams); i++)
        assert_refused(json_read_stream, &refused_streams[i]);
}

/* --- positions --- */

static void an_error_has_the_offset_of_its_byte(void **state)
{
    struct document d = document_read(json_read, BYTES("{\n\"\xc3\xa9\": x}"));

    (void)state;
    assert_int_equal(d.error.offset, 8);
    assert_int_equal(d.error.line, 2);
    assert_int_equal(d.error.column, 6);
    document_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_standard_allows_is_read),
        cmocka_unit_test(what_the_standard_forbids_is_refused_with_its_place),
        cmocka_unit_test(an_error_can_be_ignored),
        cmocka_unit_test(a_body_of_4_gib_is_refused_unread),
        cmocka_unit_test(nesting_is_limited_to_512_levels),
        cmocka_unit_test(depth_counts_what_is_open_and_not_what_was),
        cmocka_unit_test(a_number_keeps_its_digits),
        cmocka_unit_test(a_number_may_have_any_length),
        cmocka_unit_test(an_escape_becomes_its_character),
        cmocka_unit_test(a_string_without_escapes_is_a_slice_of_the_body),
        cmocka_unit_test(a_string_keeps_its_own_text_beside_the_unescaped),
        cmocka_unit_test(a_string_is_read_whatever_its_length_and_wherever_its_escape),
        cmocka_unit_test(a_container_counts_and_spans_what_is_in_it),
        cmocka_unit_test(the_nodes_grow_with_the_document),
        cmocka_unit_test(documents_of_one_arena_do_not_disturb_each_other),
        cmocka_unit_test(each_line_is_a_document),
        cmocka_unit_test(no_lines_are_no_documents),
        cmocka_unit_test(many_lines_are_read),
        cmocka_unit_test(an_error_in_lines_names_the_line),
        cmocka_unit_test(documents_may_follow_each_other),
        cmocka_unit_test(a_sequence_may_be_empty),
        cmocka_unit_test(numbers_need_something_between_them),
        cmocka_unit_test(an_error_between_documents_is_named),
        cmocka_unit_test(each_line_has_the_whole_depth),
        cmocka_unit_test(an_error_has_the_offset_of_its_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
