/* Texts in quotes, whole numbers, and the literals of filters. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "document/escape.h"
#include "document/jsonpath_parser.h"

/* Indexes are whole numbers that every JSON implementation holds exactly (RFC 9535, 2.1). */
#define LARGEST_INDEX INT64_C(9007199254740991)

static bool read_escape(struct compiler *c, char quote, const char *what, struct text *text)
{
    char bytes[4];
    size_t written = 0;
    size_t length = 0;

    switch (escape_read(c->p, quote, bytes, &written, &length)) {
    case ESCAPE_OK:
        text_append(text, bytes, written);
        c->p += length;
        return true;
    case ESCAPE_HEX:
        return REFUSE(c, c->p, "\\u must have four hexadecimal digits behind it");
    case ESCAPE_SURROGATE:
        return REFUSE(c, c->p, "%.6s is half of a surrogate pair, which is no character", c->p);
    case ESCAPE_UNKNOWN:
        break;
    }
    if (c->p[1] == '\0')
        return REFUSE(c, c->p + 1, "the quote that ends the %s is missing", what);
    return REFUSE(c, c->p, "a backslash before %s in a %s: there is no such escape",
                  parser_show(c->p + 1).text, what);
}

bool parser_read_quoted(struct compiler *c, const char *what, struct text *text)
{
    char quote = *c->p++;

    while (*c->p != quote) {
        unsigned char byte = (unsigned char)*c->p;

        if (byte == '\0')
            return REFUSE(c, c->p, "the quote that ends the %s is missing", what);
        if (byte < 0x20)
            return REFUSE(c, c->p, "byte 0x%02x in a %s, where it is written \\u%04x", byte, what,
                          byte);
        if (byte != '\\')
            text_char(text, *c->p++);
        else if (!read_escape(c, quote, what, text))
            return false;
    }
    c->p++;
    return true;
}

const char *parser_locate_quoted(const char *quoted, size_t offset)
{
    const char *p = quoted + 1;

    while (offset > 0 && *p != *quoted) {
        char bytes[4];
        size_t written = 1;
        size_t length = 1;

        if (*p == '\\')
            escape_read(p, *quoted, bytes, &written, &length);
        p += length;
        offset -= written < offset ? written : offset;
    }
    return p;
}

bool parser_read_integer(struct compiler *c, int64_t *value)
{
    const char *start = c->p;
    const char *p = *start == '-' ? start + 1 : start;
    int64_t number = 0;

    if (!parser_is_digit(*p))
        return REFUSE(c, p, "a digit must follow '-'");
    if (*p == '0' && parser_is_digit(p[1]))
        return REFUSE(c, start, "a number cannot have a 0 before its first digit");
    for (; parser_is_digit(*p); p++) {
        number = number * 10 + (*p - '0');
        if (number > LARGEST_INDEX)
            return REFUSE(c, start, "the number is beyond 9007199254740991");
    }
    if (*start == '-' && number == 0)
        return REFUSE(c, start, "-0 is no index");
    *value = *start == '-' ? -number : number;
    c->p = p;
    return true;
}

/* --- Literals --- */

/* Takes what is in `text`. */
static bool make_literal(struct compiler *c, struct operand *operand, enum node_type type,
                         struct text *text)
{
    struct literal *literal = calloc(1, sizeof(*literal));
    size_t length = text->length;
    char *kept = text_take(text);

    if (literal == NULL || kept == NULL || length > UINT32_MAX) {
        free(literal);
        free(kept);
        return parser_out_of_memory(c);
    }
    literal->node =
        (struct node){.type = (uint8_t)type, .length = (uint32_t)length, .span = 1, .text = kept};
    if (type == NODE_NUMBER)
        decimal_read(node_slice(&literal->node), &literal->number);
    *operand = (struct operand){.kind = OPERAND_LITERAL, .literal = literal};
    return true;
}

static bool skip_digits(struct compiler *c, const char *behind)
{
    if (!parser_is_digit(*c->p))
        return REFUSE(c, c->p, "a digit must follow %s in a number", behind);
    while (parser_is_digit(*c->p))
        c->p++;
    return true;
}

/* int or -0, then a fraction and an exponent, as in JSON. */
static bool skip_number(struct compiler *c)
{
    const char *start = c->p;

    if (*c->p == '-')
        c->p++;
    if (*c->p == '0' && parser_is_digit(c->p[1]))
        return REFUSE(c, start, "a number cannot have a 0 before its first digit");
    if (!skip_digits(c, "'-'"))
        return false;
    if (*c->p == '.') {
        c->p++;
        if (!skip_digits(c, "'.'"))
            return false;
    }
    if (*c->p == 'e' || *c->p == 'E') {
        c->p++;
        if (*c->p == '+' || *c->p == '-')
            c->p++;
        if (!skip_digits(c, "'e'"))
            return false;
    }
    if (parser_name_length(c->p) > 0 || *c->p == '.')
        return REFUSE(c, c->p, "%s in a number", parser_show(c->p).text);
    return true;
}

static bool read_number(struct compiler *c, struct operand *operand)
{
    const char *start = c->p;
    struct text digits = {0};

    if (!skip_number(c))
        return false;
    text_append(&digits, start, (size_t)(c->p - start));
    return make_literal(c, operand, NODE_NUMBER, &digits);
}

static bool read_text(struct compiler *c, struct operand *operand)
{
    struct text text = {0};
    bool ok = parser_read_quoted(c, "text", &text) && make_literal(c, operand, NODE_STRING, &text);

    text_free(&text);
    return ok;
}

static bool read_word(struct compiler *c, struct operand *operand)
{
    static const struct {
        const char *word;
        enum node_type type;
    } words[] = {{"null", NODE_NULL}, {"false", NODE_FALSE}, {"true", NODE_TRUE}};
    size_t length = parser_name_length(c->p);
    struct text none = {0};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i].word) != length || strncasecmp(c->p, words[i].word, length) != 0)
            continue;
        if (strncmp(c->p, words[i].word, length) != 0)
            return REFUSE(c, c->p, "%s is written in small letters", words[i].word);
        c->p += length;
        return make_literal(c, operand, words[i].type, &none);
    }
    if (length == 3 && strncmp(c->p, "not", 3) == 0)
        return REFUSE(c, c->p, "not is written !");
    return REFUSE(c, c->p, "a name alone; a member is written @.%.*s, a text '%.*s'", (int)length,
                  c->p, (int)length, c->p);
}

bool parser_read_literal(struct compiler *c, struct operand *operand)
{
    if (*c->p == '\'' || *c->p == '"')
        return read_text(c, operand);
    if (*c->p == '-' || parser_is_digit(*c->p))
        return read_number(c, operand);
    return read_word(c, operand);
}
