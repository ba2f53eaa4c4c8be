#include "config/item.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BOM_LENGTH 3
static const char utf8_bom[] = "\xef\xbb\xbf";

static void explain(struct yaml_problem *problem, unsigned line, unsigned column, const char *what)
{
    problem->line = line;
    problem->column = column;
    snprintf(problem->text, sizeof(problem->text), "%s", what);
}

/* UTF-16 and UTF-32 show themselves by a mark, or by a NUL beside the first character. */
static const char *wide_encoding(const char *text, size_t length)
{
    if (length >= 4 && memcmp(text, "\xff\xfe\0\0", 4) == 0)
        return "UTF-32";
    if (length >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
        return "UTF-16";
    if (length >= 4 && memcmp(text, "\0\0\xfe\xff", 4) == 0)
        return "UTF-32";
    if (length >= 2 && (text[0] == '\0') != (text[1] == '\0'))
        return "UTF-16";
    return NULL;
}

/* Length of the well-formed character at `p` and its code point, or 0 (RFC 3629). */
static size_t decode(const unsigned char *p, size_t left, uint32_t *code)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint32_t c;

    if (length == 0 || p[0] > 0xf4 || length > left)
        return 0;
    c = length == 1 ? p[0] : p[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    if (c < lowest[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *code = c;
    return length;
}

/* What YAML 1.1 allows in a stream, 5.1; a byte order mark is handled apart. */
static bool is_allowed(uint32_t c)
{
    if (c < 0x20)
        return c == '\t' || c == '\n' || c == '\r';
    return c < 0x7f || c == 0x85 || (c >= 0xa0 && c != 0xfffe && c != 0xffff);
}

static void explain_character(struct yaml_problem *problem, unsigned line, unsigned column,
                              uint32_t code)
{
    if (code == 0xfeff) {
        explain(problem, line, column,
                "a byte order mark in the middle of the file; remove it (two files were joined?)");
        return;
    }
    problem->line = line;
    problem->column = column;
    snprintf(problem->text, sizeof(problem->text),
             "the control character U+%04X is not allowed in YAML; remove it, or write it as an "
             "escape in double quotes",
             (unsigned)code);
}

static int check_characters(const unsigned char *text, size_t length, struct yaml_problem *problem)
{
    unsigned line = 1;
    unsigned column = 1;
    size_t i = 0;

    while (i < length) {
        uint32_t code = 0;
        size_t size = decode(text + i, length - i, &code);

        if (size == 0) {
            problem->line = line;
            problem->column = column;
            snprintf(problem->text, sizeof(problem->text),
                     "the byte 0x%02X is not UTF-8; save the file as UTF-8", text[i]);
            return -1;
        }
        if (!is_allowed(code) || code == 0xfeff) {
            explain_character(problem, line, column, code);
            return -1;
        }
        i += size;
        column++;
        if (code == '\n' || (code == '\r' && (i == length || text[i] != '\n'))) {
            line++;
            column = 1;
        }
    }
    return 0;
}

int encoding_check(const char *text, size_t length, struct yaml_problem *problem)
{
    const char *wide = wide_encoding(text, length);
    int skip = 0;

    *problem = (struct yaml_problem){0};
    if (wide != NULL) {
        problem->line = 1;
        problem->column = 1;
        snprintf(problem->text, sizeof(problem->text),
                 "the file is %s; save it as UTF-8, without a byte order mark", wide);
        return -1;
    }
    if (length >= BOM_LENGTH && memcmp(text, utf8_bom, BOM_LENGTH) == 0)
        skip = BOM_LENGTH; /* editors on Windows write it, YAML allows it, it means nothing */
    if (check_characters((const unsigned char *)text + skip, length - (size_t)skip, problem) == -1)
        return -1;
    return skip;
}

size_t count_characters(const char *text, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}
