/*
 * The grammar of I-Regexp (RFC 9485, 3) read from left to right. What is read is written for PCRE2
 * with each character that could mean something there escaped.
 */
#include "document/regexp.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "document/utf8.h"

#define MOST_GROUPS  100   /* open at once; PCRE2 takes 250 */
#define MOST_REPEATS 65535 /* PCRE2's own limit */

/* What a quantifier would repeat. */
enum before {
    BEFORE_NOTHING,
    BEFORE_ATOM,
    BEFORE_QUANTIFIER,
    BEFORE_ANCHOR,
};

struct translator {
    const char *start;
    const char *p; /* what is read next */
    const char *end;
    struct text *out;
    unsigned groups; /* open */
    enum before before;
    struct error *err;
    const char *wrong;
};

/* Notes an error at `at`. Always false. */
#define REFUSE(t, at, ...) \
    ((t)->wrong = (at), error_set((t)->err, ERROR_CONFIG, __VA_ARGS__), false)

static bool at_end(const struct translator *t)
{
    return t->p == t->end;
}

/* The byte at p, or NUL at the end, which no rule is about. */
static char next(const struct translator *t)
{
    return at_end(t) ? '\0' : *t->p;
}

/* Bytes of the character at `p`; 0: it is not UTF-8. */
static size_t character_length(const struct translator *t, const char *p)
{
    char whole[5] = {0}; /* a NUL behind it, whatever stands behind the text */
    size_t left = (size_t)(t->end - p);

    memcpy(whole, p, left < 4 ? left : 4);
    return utf8_length(whole);
}

/* One character that stands for itself. */
static void put_character(struct translator *t, const char *p, size_t length)
{
    unsigned char c = (unsigned char)*p;
    bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

    if (plain || c >= 0x80)
        text_append(t->out, p, length);
    else
        text_format(t->out, "\\x%02x", c);
}

/* --- Escapes --- */

/* A value of IsCategory: one letter, or two. */
static bool is_category(const char *name, size_t length)
{
    static const char *const categories[] = {"Llmotu", "Mcen",  "Ndlo", "Pcdefios",
                                             "Zlps",   "Sckmo", "Ccfno"};

    for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++) {
        if (length > 0 && name[0] == categories[i][0])
            return length == 1 || (length == 2 && strchr(categories[i] + 1, name[1]) != NULL);
    }
    return false;
}

/* \p{L} or \P{Lu}, from the backslash on. */
static bool read_property(struct translator *t)
{
    const char *start = t->p;
    const char *name = start + 3;
    const char *close;

    if (t->end - start < 3 || start[2] != '{')
        return REFUSE(t, start, "\\%c must have a category behind it, as in \\p{L}", start[1]);
    close = memchr(name, '}', (size_t)(t->end - name));
    if (close == NULL || !is_category(name, (size_t)(close - name)))
        return REFUSE(t, start,
                      "there is no such category of characters; there are L, Ll, Lm, Lo, Lt, Lu "
                      "(letters), M, N, Nd (numbers), P, S, Z, C and their parts");
    t->p = close + 1;
    text_append(t->out, start, (size_t)(t->p - start));
    return true;
}

static bool refuse_escape(struct translator *t)
{
    char c = t->p[1];

    if (c == 'd')
        return REFUSE(t, t->p, "I-Regexp has no \\d; write [0-9]");
    if (c == 'w')
        return REFUSE(t, t->p, "I-Regexp has no \\w; write [A-Za-z0-9_]");
    if (c == 's')
        return REFUSE(t, t->p, "I-Regexp has no \\s; write [ \\n\\r\\t]");
    if (c == '$')
        return REFUSE(t, t->p, "I-Regexp has no \\$; write [$]");
    if (c > ' ' && c < 0x7f)
        return REFUSE(t, t->p, "I-Regexp has no \\%c", c);
    return REFUSE(t, t->p, "a backslash before a character that needs none");
}

/* SingleCharEsc. */
static bool read_escape(struct translator *t)
{
    static const char itself[] = "()*+-.?[\\]^{|}";
    static const char names[] = "nrt";
    static const char meanings[] = "\n\r\t";
    const char *found;

    if (t->end - t->p < 2)
        return REFUSE(t, t->p, "a backslash with nothing behind it");
    if (t->p[1] == '\0')
        return refuse_escape(t);
    found = strchr(names, t->p[1]);
    if (found != NULL)
        put_character(t, &meanings[found - names], 1);
    else if (strchr(itself, t->p[1]) != NULL)
        put_character(t, t->p + 1, 1);
    else
        return refuse_escape(t);
    t->p += 2;
    return true;
}

static bool is_property(const struct translator *t)
{
    return t->end - t->p >= 2 && *t->p == '\\' && (t->p[1] == 'p' || t->p[1] == 'P');
}

/* --- Character classes --- */

/* The number of the character at p; p is one that stands for itself, or SingleCharEsc. */
static uint32_t code_at(const struct translator *t)
{
    const unsigned char *p = (const unsigned char *)t->p;

    if (*p == '\\' && t->end - t->p >= 2)
        return p[1] == 'n' ? '\n' : p[1] == 'r' ? '\r' : p[1] == 't' ? '\t' : p[1];
    switch (character_length(t, t->p)) {
    case 2:
        return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
    case 3:
        return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
    case 4:
        return (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
    default:
        return *p;
    }
}

/* CCchar; `*code` is what it stands for. */
static bool read_class_character(struct translator *t, uint32_t *code)
{
    size_t length;

    if (at_end(t))
        return REFUSE(t, t->p, "the ] that closes is missing");
    *code = code_at(t);
    if (*t->p == '\\')
        return read_escape(t);
    if (*t->p == '-')
        return REFUSE(t, t->p, "a - in brackets stands first, last, or behind a backslash");
    if (*t->p == '[')
        return REFUSE(t, t->p, "a [ in brackets stands behind a backslash");
    if (*t->p == ']')
        return REFUSE(t, t->p, "the end of the range is missing");
    length = character_length(t, t->p);
    if (length == 0)
        return REFUSE(t, t->p, "byte 0x%02x is not UTF-8", (unsigned char)*t->p);
    put_character(t, t->p, length);
    t->p += length;
    return true;
}

/* CCE1: a character, a range of them, or a category. */
static bool read_class_item(struct translator *t)
{
    const char *start = t->p;
    uint32_t first;
    uint32_t last;

    if (is_property(t))
        return read_property(t);
    if (!read_class_character(t, &first))
        return false;
    if (next(t) != '-' || (t->end - t->p >= 2 && t->p[1] == ']'))
        return true;
    t->p++;
    text_char(t->out, '-');
    if (is_property(t))
        return REFUSE(t, t->p, "a range ends with a character");
    if (!read_class_character(t, &last))
        return false;
    if (last < first)
        return REFUSE(t, start, "the range runs backwards");
    return true;
}

static void put_dash(struct translator *t)
{
    put_character(t, "-", 1);
    t->p++;
}

static bool read_class(struct translator *t)
{
    const char *start = t->p++;

    text_char(t->out, '[');
    if (next(t) == '^') {
        text_char(t->out, '^');
        t->p++;
    }
    if (next(t) == ']')
        return REFUSE(t, start, "there is nothing in the brackets");
    if (next(t) == '-')
        put_dash(t);
    while (!at_end(t) && *t->p != ']') {
        if (*t->p == '-' && t->end - t->p >= 2 && t->p[1] == ']')
            put_dash(t);
        else if (!read_class_item(t))
            return false;
    }
    if (at_end(t))
        return REFUSE(t, start, "the ] that closes is missing");
    t->p++;
    text_char(t->out, ']');
    t->before = BEFORE_ATOM;
    return true;
}

/* --- Quantifiers --- */

static bool may_repeat(struct translator *t)
{
    switch (t->before) {
    case BEFORE_ATOM:
        return true;
    case BEFORE_QUANTIFIER:
        return REFUSE(t, t->p, "a quantifier behind a quantifier; put the first in parentheses");
    case BEFORE_ANCHOR:
        return REFUSE(t, t->p,
                      "a quantifier behind ^ or $, which stand for a place; the "
                      "characters are written \\^ and [$]");
    case BEFORE_NOTHING:
        break;
    }
    return REFUSE(t, t->p, "there is nothing before the %c to repeat", *t->p);
}

static bool read_count(struct translator *t, unsigned *count)
{
    const char *start = t->p;

    *count = 0;
    for (; next(t) >= '0' && next(t) <= '9'; t->p++) {
        *count = *count * 10 + (unsigned)(*t->p - '0');
        if (*count > MOST_REPEATS)
            return REFUSE(t, start, "more than %d repetitions", MOST_REPEATS);
    }
    if (t->p == start)
        return REFUSE(t, start, "a number of repetitions is missing; { itself is written \\{");
    return true;
}

static bool read_range_quantifier(struct translator *t)
{
    const char *start = t->p++;
    unsigned least;
    unsigned most;

    if (!read_count(t, &least))
        return false;
    text_format(t->out, "{%u", least);
    if (next(t) == ',') {
        t->p++;
        text_char(t->out, ',');
        if (next(t) != '}') {
            if (!read_count(t, &most))
                return false;
            if (most < least)
                return REFUSE(t, start, "the most repetitions are fewer than the least");
            text_format(t->out, "%u", most);
        }
    }
    if (next(t) != '}')
        return REFUSE(t, start, "the } that closes is missing");
    t->p++;
    text_char(t->out, '}');
    return true;
}

static bool read_quantifier(struct translator *t)
{
    if (!may_repeat(t))
        return false;
    t->before = BEFORE_QUANTIFIER;
    if (*t->p == '{')
        return read_range_quantifier(t);
    text_char(t->out, *t->p++);
    return true;
}

/* --- The rest --- */

static bool open_group(struct translator *t)
{
    if (t->end - t->p >= 2 && t->p[1] == '?')
        return REFUSE(t, t->p, "I-Regexp has no (?...); a group is written (...)");
    if (++t->groups > MOST_GROUPS)
        return REFUSE(t, t->p, "more than %d groups in each other", MOST_GROUPS);
    text_add(t->out, "(?:");
    t->p++;
    t->before = BEFORE_NOTHING;
    return true;
}

static bool close_group(struct translator *t)
{
    if (t->groups == 0)
        return REFUSE(t, t->p, "a ) without its (; the character is written \\)");
    t->groups--;
    text_char(t->out, ')');
    t->p++;
    t->before = BEFORE_ATOM;
    return true;
}

/* One byte that is written as `pattern`. */
static bool put(struct translator *t, const char *pattern, enum before before)
{
    text_add(t->out, pattern);
    t->p++;
    t->before = before;
    return true;
}

static bool read_character(struct translator *t)
{
    size_t length = character_length(t, t->p);

    if (length == 0)
        return REFUSE(t, t->p, "byte 0x%02x is not UTF-8", (unsigned char)*t->p);
    put_character(t, t->p, length);
    t->p += length;
    t->before = BEFORE_ATOM;
    return true;
}

static bool read_piece(struct translator *t)
{
    switch (*t->p) {
    case '(':
        return open_group(t);
    case ')':
        return close_group(t);
    case '[':
        return read_class(t);
    case '*':
    case '+':
    case '?':
    case '{':
        return read_quantifier(t);
    case ']':
    case '}':
        return REFUSE(t, t->p, "a %c alone is written \\%c", *t->p, *t->p);
    case '|':
        return put(t, "|", BEFORE_NOTHING);
    case '.':
        return put(t, "[^\\n\\r]", BEFORE_ATOM);
    case '^':
        return put(t, "\\A", BEFORE_ANCHOR);
    case '$':
        return put(t, "\\z", BEFORE_ANCHOR);
    case '\\':
        t->before = BEFORE_ATOM;
        return is_property(t) ? read_property(t) : read_escape(t);
    default:
        return read_character(t);
    }
}

int regexp_translate(struct slice text, struct text *pattern, size_t *offset, struct error *err)
{
    struct translator t = {.start = text.data,
                           .p = text.data,
                           .end = text.data + text.length,
                           .out = pattern,
                           .err = err};
    bool ok = true;

    while (ok && !at_end(&t))
        ok = read_piece(&t);
    if (ok && t.groups > 0)
        ok = REFUSE(&t, t.end, "a ) that closes is missing");
    if (!ok)
        *offset = (size_t)(t.wrong - t.start);
    return ok ? 0 : -1;
}
