/*
 * What is wrong with a text that is not JSON, in words. Nothing here is fast, and nothing here is
 * reached for a correct document.
 */
#include "document/json_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "document/escape.h"
#include "document/json_scan.h"
#include "document/utf8.h"
#include "gatherd/text.h"

const char *json_fail(struct reader *r, const char *at, const char *format, ...)
{
    struct json_error *error = r->error;
    va_list args;

    r->status = JSON_INVALID;
    if (error == NULL)
        return NULL;
    va_start(args, format);
    vsnprintf(error->message, sizeof(error->message), format, args);
    va_end(args);
    error->offset = (size_t)(at - r->body);
    json_position(r->body, error->offset, &error->line, &error->column);
    return NULL;
}

const char *json_fail_memory(struct reader *r)
{
    json_fail(r, r->body, "out of memory");
    r->status = JSON_NOMEM;
    return NULL;
}

/* What stands at `at`, as people would call it. */
struct found {
    char text[32];
};

static uint32_t code_point(const char *p, unsigned length)
{
    uint32_t code = (unsigned char)*p & (0xffu >> (length + 1));

    for (unsigned i = 1; i < length; i++)
        code = code << 6 | ((unsigned char)p[i] & 0x3f);
    return code;
}

static struct found found_at(const struct reader *r, const char *at)
{
    struct found found;
    unsigned char c = (unsigned char)*at;
    unsigned length = utf8_length(at);
    uint32_t code = length > 1 ? code_point(at, length) : c;

    if (at == r->end)
        snprintf(found.text, sizeof(found.text), "the end of the body");
    else if (*at == '\n')
        snprintf(found.text, sizeof(found.text), "the end of the line");
    else if (c < 0x20 || c == 0x7f || length == 0)
        snprintf(found.text, sizeof(found.text), "byte 0x%02x", c);
    else if (length == 1)
        snprintf(found.text, sizeof(found.text), "'%c'", *at);
    else if (text_is_deceptive(code))
        snprintf(found.text, sizeof(found.text), "U+%04X", (unsigned)code);
    else /* it may look like another character */
        snprintf(found.text, sizeof(found.text), "'%.*s' (U+%04X)", (int)length, at,
                 (unsigned)code);
    return found;
}

/* The text ends within something that is open. */
static const char *explain_end(struct reader *r, const char *at, const char *open)
{
    if (at == r->end)
        return json_fail(r, at, "the body ends inside %s", open);
    return json_fail(r, at, "the line ends inside %s; each document must be on one line", open);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

static size_t word_length(const char *at)
{
    size_t length = 0;

    while (is_letter(at[length]) || is_digit(at[length]))
        length++;
    return length;
}

static bool is_word(const char *at, size_t length, const char *word)
{
    return strlen(word) == length && strncasecmp(at, word, length) == 0;
}

/* Whether a word of JSON goes on where this one was cut off. */
static bool begins_word(const char *at, size_t length)
{
    return strncmp(at, "true", length) == 0 || strncmp(at, "false", length) == 0 ||
           strncmp(at, "null", length) == 0;
}

/* A word that other languages have for a value, or that is no value anywhere. */
static const char *explain_word(struct reader *r, const char *at)
{
    static const struct {
        const char *word;
        const char *json;
    } known[] = {
        {"true", "true"}, {"false", "false"}, {"null", "null"},
        {"none", "null"}, {"nil", "null"},    {"undefined", "null"},
    };
    size_t length = word_length(at);
    int shown = length > 30 ? 30 : (int)length;

    if (reader_at_end(r, at + length) && begins_word(at, length))
        return explain_end(r, at + length, "a value");
    if (is_word(at, length, "nan") || is_word(at, length, "infinity") || is_word(at, length, "inf"))
        return json_fail(r, at, "'%.*s' is not JSON: a number must be finite", shown, at);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (is_word(at, length, known[i].word))
            return json_fail(r, at, "'%.*s' is not JSON: it is written %s", shown, at,
                             known[i].json);
    }
    return json_fail(r, at, "'%.*s' is not a JSON value; text stands in double quotes", shown, at);
}

/* Mistakes that may stand anywhere between two tokens; false: it is none of them. */
static bool explain_habit(struct reader *r, const char *at)
{
    if (*at == '\'')
        json_fail(r, at, "a single quote: JSON strings stand in double quotes");
    else if ((*at == '/' && (at[1] == '/' || at[1] == '*')) || *at == '#')
        json_fail(r, at, "a comment: JSON has none");
    else if ((unsigned char)*at >= 0x80 && utf8_length(at) == 0)
        json_fail(r, at, "byte 0x%02x is not UTF-8, which JSON must be", (unsigned char)*at);
    else
        return false;
    return true;
}

/* Whether the last character before `at` that is not white space is a comma. */
static bool behind_comma(const struct reader *r, const char *at)
{
    while (at > r->body && strchr(" \t\r\n", at[-1]) != NULL)
        at--;
    return at > r->body && at[-1] == ',';
}

static const char *explain_value(struct reader *r, const char *at)
{
    if (is_letter(*at))
        return explain_word(r, at);
    if (*at == '+' || *at == '.')
        return json_fail(r, at, "a number cannot begin with '%c'", *at);
    if (*at != '\0' && strchr(",:]}", *at) != NULL) {
        if (*at == ']' && behind_comma(r, at))
            return json_fail(r, at, "a comma stands before ']': the last element has none");
        return json_fail(r, at, "a value is missing before '%c'", *at);
    }
    return json_fail(r, at, "%s where a value should stand", found_at(r, at).text);
}

static const char *explain_name(struct reader *r, const char *at)
{
    if (*at == '}')
        return json_fail(r, at, "a comma stands before '}': the last member has none");
    if (is_letter(*at) || is_digit(*at))
        return json_fail(r, at, "a member's name stands in double quotes");
    return json_fail(r, at, "%s where a member's name should stand", found_at(r, at).text);
}

const char *json_explain(struct reader *r, const char *at, enum expected expected)
{
    bool in_array = expected == EXPECTED_ELEMENT || expected == EXPECTED_MORE_ELEMENTS;

    if (reader_at_end(r, at))
        return explain_end(r, at, in_array ? "an array" : "an object");
    if (explain_habit(r, at))
        return NULL;
    switch (expected) {
    case EXPECTED_VALUE:
    case EXPECTED_ELEMENT:
        return explain_value(r, at);
    case EXPECTED_NAME:
        return explain_name(r, at);
    case EXPECTED_COLON:
        return json_fail(r, at, "%s where ':' should follow the member's name",
                         found_at(r, at).text);
    case EXPECTED_MORE_ELEMENTS:
        return json_fail(r, at, "%s where ',' or ']' should stand", found_at(r, at).text);
    case EXPECTED_MORE_MEMBERS:
        break;
    }
    return json_fail(r, at, "%s where ',' or '}' should stand", found_at(r, at).text);
}

static const char *behind_digits(const char *p)
{
    while (is_digit(*p))
        p++;
    return p;
}

/* A digit is missing at `at`. */
static const char *explain_digit(struct reader *r, const char *at, const char *behind)
{
    if (reader_at_end(r, at))
        return explain_end(r, at, "a number");
    return json_fail(r, at, "%s where a digit should follow %s", found_at(r, at).text, behind);
}

const char *json_explain_number(struct reader *r, const char *at)
{
    const char *p = *at == '-' ? at + 1 : at;

    if (is_letter(*p))
        return explain_word(r, p);
    if (!is_digit(*p))
        return explain_digit(r, p, "'-'");
    if (*p == '0' && is_digit(p[1]))
        return json_fail(r, p, "a number cannot have a 0 before its first digit");
    p = behind_digits(p);
    if (*p == '.') {
        p++;
        if (!is_digit(*p))
            return explain_digit(r, p, "'.'");
        p = behind_digits(p);
    }
    p += p[1] == '+' || p[1] == '-' ? 2 : 1;
    return explain_digit(r, p, "the letter of the exponent");
}

/* Four digits should follow \\u at `at`. */
static const char *explain_hex(struct reader *r, const char *at)
{
    size_t digits = strspn(at + 2, "0123456789abcdefABCDEF");

    if (reader_at_end(r, at + 2 + digits))
        return explain_end(r, at + 2 + digits, "a string");
    return json_fail(r, at, "\\u must have four hexadecimal digits behind it");
}

static const char *explain_escape(struct reader *r, const char *at)
{
    char ignored[4];
    size_t written;
    size_t length;

    switch (escape_read(at, '"', ignored, &written, &length)) {
    case ESCAPE_HEX:
        return explain_hex(r, at);
    case ESCAPE_SURROGATE:
        return json_fail(r, at, "%.6s is half of a surrogate pair, which is no character", at);
    default:
        break;
    }
    if (reader_at_end(r, at + 1))
        return explain_end(r, at + 1, "a string");
    return json_fail(r, at, "a backslash before %s in a string: there is no such escape",
                     found_at(r, at + 1).text);
}

const char *json_explain_string(struct reader *r, const char *at)
{
    unsigned char c = (unsigned char)*at;

    if (reader_at_end(r, at))
        return explain_end(r, at, "a string");
    if (c == '\\')
        return explain_escape(r, at);
    if (c == '\n')
        return json_fail(r, at, "a line break in a string, where it is written \\n");
    if (c == '\t')
        return json_fail(r, at, "a tab in a string, where it is written \\t");
    if (c < 0x20)
        return json_fail(r, at, "byte 0x%02x in a string, where it is written \\u%04x", c, c);
    return json_fail(r, at, "byte 0x%02x is not UTF-8, which JSON must be", c);
}

const char *json_explain_rest(struct reader *r, const char *at)
{
    if (explain_habit(r, at))
        return NULL;
    if (r->newline == ' ')
        return json_fail(r, at, "%s behind the document of this line", found_at(r, at).text);
    if (*at == '{' || *at == '[')
        return json_fail(r, at, "a second document; one document a line is the format ndjson");
    return json_fail(r, at, "%s behind the end of the document", found_at(r, at).text);
}

/* UTF-16 and UTF-32 have NUL bytes in their ASCII, or begin with a byte order mark of their own. */
static const char *other_encoding(const unsigned char *p, size_t length)
{
    if (length >= 4 && p[0] == 0 && p[1] == 0)
        return "UTF-32";
    if (length >= 4 && p[2] == 0 && p[3] == 0 && (p[1] == 0 || (p[0] == 0xff && p[1] == 0xfe)))
        return "UTF-32";
    if (length >= 2 && ((p[0] == 0xfe && p[1] == 0xff) || (p[0] == 0xff && p[1] == 0xfe)))
        return "UTF-16";
    if (length >= 2 && (p[0] == 0) != (p[1] == 0))
        return "UTF-16";
    return NULL;
}

bool json_explain_body(struct reader *r, const char *text)
{
    const char *encoding = other_encoding((const unsigned char *)text, (size_t)(r->end - text));
    const char *first = scan_space_portable(text, r->end, '\n');

    if (encoding != NULL)
        json_fail(r, text, "the body looks like %s, and JSON must be UTF-8", encoding);
    else if (r->end - text >= 2 && memcmp(text, "\x1f\x8b", 2) == 0)
        json_fail(r, text, "the body is compressed with gzip");
    else if (*first == '<')
        json_fail(r, first, "the body looks like HTML or XML, not like JSON");
    else if (first == r->end && r->newline != ' ')
        json_fail(r, r->body, "the body is empty");
    else
        return false;
    return true;
}
