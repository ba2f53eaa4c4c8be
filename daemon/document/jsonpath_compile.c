/*
 * The grammar of RFC 9535 read from left to right, one function for each of its rules. What the
 * standard has and we do not is refused by name, so that nobody looks for a typing mistake.
 */
#include "gatherd/jsonpath.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document/escape.h"
#include "document/jsonpath_ast.h"
#include "document/utf8.h"

/* Indexes are whole numbers that every JSON implementation holds exactly (RFC 9535, 2.1). */
#define LARGEST_INDEX INT64_C(9007199254740991)

struct compiler {
    const char *text;
    const char *p; /* what is read next */
    struct jsonpath *path;
    struct error *err;
    const char *wrong; /* where the error is */
};

/* Notes an error at `at`. Always false. */
#define REFUSE(c, at, ...) \
    ((c)->wrong = (at), error_set((c)->err, ERROR_CONFIG, __VA_ARGS__), false)

static bool out_of_memory(struct compiler *c)
{
    c->wrong = c->p;
    error_set(c->err, ERROR_NOMEM, "out of memory");
    return false;
}

void jsonpath_free(struct jsonpath *path)
{
    if (path == NULL)
        return;
    for (size_t i = 0; i < path->count; i++) {
        struct segment *segment = &path->segments[i];

        for (size_t k = 0; k < segment->count; k++) {
            if (segment->selectors[k].kind == SELECTOR_NAME)
                free((char *)segment->selectors[k].name.data);
        }
        free(segment->selectors);
    }
    free(path->segments);
    free(path->steps);
    free(path->text);
    free(path);
}

static struct segment *add_segment(struct compiler *c)
{
    struct jsonpath *path = c->path;

    if (path->count == path->capacity) {
        size_t capacity = path->capacity == 0 ? 4 : path->capacity * 2;
        void *segments = reallocarray(path->segments, capacity, sizeof(*path->segments));

        if (segments == NULL) {
            out_of_memory(c);
            return NULL;
        }
        path->segments = segments;
        path->capacity = capacity;
    }
    path->segments[path->count] = (struct segment){0};
    return &path->segments[path->count++];
}

static struct selector *add_selector(struct compiler *c, enum selector_kind kind)
{
    struct segment *segment = &c->path->segments[c->path->count - 1];

    if (segment->count == segment->capacity) {
        size_t capacity = segment->capacity == 0 ? 1 : segment->capacity * 2;
        void *selectors = reallocarray(segment->selectors, capacity, sizeof(*segment->selectors));

        if (selectors == NULL) {
            out_of_memory(c);
            return NULL;
        }
        segment->selectors = selectors;
        segment->capacity = capacity;
    }
    segment->selectors[segment->count] = (struct selector){.kind = kind};
    return &segment->selectors[segment->count++];
}

static void skip_blanks(struct compiler *c)
{
    c->p += strspn(c->p, " \t\n\r");
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What may begin a name without quotes; all that is not ASCII may. */
static bool begins_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static size_t name_length(const char *p)
{
    size_t length = 0;

    while (begins_name(p[length]) || (length > 0 && is_digit(p[length])))
        length++;
    return length;
}

/* A character of the path as messages show it. */
struct shown {
    char text[16];
};

static struct shown show(const char *p)
{
    struct shown shown;
    unsigned char c = (unsigned char)*p;

    if (c < 0x20 || c == 0x7f)
        snprintf(shown.text, sizeof(shown.text), "byte 0x%02x", c);
    else
        snprintf(shown.text, sizeof(shown.text), "'%.*s'", (int)utf8_length(p), p);
    return shown;
}

/* Takes what is in `name`. */
static bool add_name(struct compiler *c, struct text *name)
{
    struct selector *selector = add_selector(c, SELECTOR_NAME);
    size_t length = name->length;

    if (selector == NULL)
        return false;
    selector->name = (struct slice){text_take(name), length};
    return selector->name.data != NULL || out_of_memory(c);
}

/* What follows a dot: the shorthand for one name or wildcard. */
static bool read_shorthand(struct compiler *c)
{
    const char *p = ++c->p;
    size_t length = name_length(p);
    bool ok;

    if (length > 0) {
        struct text name = {0};

        c->p += length;
        text_append(&name, p, length);
        ok = add_name(c, &name);
        text_free(&name);
        return ok;
    }
    switch (*p) {
    case '*':
        c->p++;
        return add_selector(c, SELECTOR_WILDCARD) != NULL;
    case '.':
        return REFUSE(c, p - 1, "descendants (..) are not supported; write each step of the way");
    case '[':
        return REFUSE(c, p - 1, "'.' before '[': brackets follow without a dot");
    case '\'':
    case '"':
        return REFUSE(c, p, "a name in quotes stands in brackets, as in ['name']");
    case '\0':
        return REFUSE(c, p, "a name or * must follow '.'");
    case ' ':
    case '\t':
    case '\n':
    case '\r':
        return REFUSE(c, p, "white space between '.' and the name");
    default:
        return REFUSE(c, p, "%s cannot begin a name; put the name in quotes, as in ['name']",
                      show(p).text);
    }
}

static bool read_escape(struct compiler *c, char quote, struct text *name)
{
    char bytes[4];
    size_t written = 0;
    size_t length = 0;

    switch (escape_read(c->p, quote, bytes, &written, &length)) {
    case ESCAPE_OK:
        text_append(name, bytes, written);
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
        return REFUSE(c, c->p + 1, "the quote that ends the name is missing");
    return REFUSE(c, c->p, "a backslash before %s in a name: there is no such escape",
                  show(c->p + 1).text);
}

/* What stands up to the closing quote, which is stepped over. */
static bool read_quoted_text(struct compiler *c, struct text *name)
{
    char quote = *c->p++;

    while (*c->p != quote) {
        unsigned char byte = (unsigned char)*c->p;

        if (byte == '\0')
            return REFUSE(c, c->p, "the quote that ends the name is missing");
        if (byte < 0x20)
            return REFUSE(c, c->p, "byte 0x%02x in a name, where it is written \\u%04x", byte,
                          byte);
        if (byte != '\\')
            text_char(name, *c->p++);
        else if (!read_escape(c, quote, name))
            return false;
    }
    c->p++;
    return true;
}

static bool read_quoted(struct compiler *c)
{
    struct text name = {0};
    bool ok = read_quoted_text(c, &name) && add_name(c, &name);

    text_free(&name);
    return ok;
}

static bool read_integer(struct compiler *c, int64_t *value)
{
    const char *start = c->p;
    const char *p = *start == '-' ? start + 1 : start;
    int64_t number = 0;

    if (!is_digit(*p))
        return REFUSE(c, p, "a digit must follow '-'");
    if (*p == '0' && is_digit(p[1]))
        return REFUSE(c, start, "a number cannot have a 0 before its first digit");
    for (; is_digit(*p); p++) {
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

/* A number of a slice, if there is one. */
static bool read_bound(struct compiler *c, bool *has, int64_t *value)
{
    skip_blanks(c);
    *has = is_digit(*c->p) || *c->p == '-';
    if (*has && !read_integer(c, value))
        return false;
    skip_blanks(c);
    return true;
}

static bool read_index_or_slice(struct compiler *c)
{
    struct selector_slice slice = {.step = 1};
    struct selector *selector;
    bool has_step;

    if (!read_bound(c, &slice.has_start, &slice.start))
        return false;
    if (*c->p != ':') {
        selector = add_selector(c, SELECTOR_INDEX);
        if (selector != NULL)
            selector->index = slice.start;
        return selector != NULL;
    }
    c->p++;
    if (!read_bound(c, &slice.has_end, &slice.end))
        return false;
    if (*c->p == ':') {
        c->p++;
        if (!read_bound(c, &has_step, &slice.step))
            return false;
    }
    selector = add_selector(c, SELECTOR_SLICE);
    if (selector != NULL)
        selector->slice = slice;
    return selector != NULL;
}

/* No selector stands at c->p: says what it may have been meant for. */
static bool refuse_selector(struct compiler *c)
{
    const char *p = c->p;
    size_t length = name_length(p);

    if (length > 0 && p[length] == '(')
        return REFUSE(c, p, "functions are not supported");
    if (length > 0)
        return REFUSE(c, p, "a name in brackets stands in quotes, as in ['name']");
    if (*p == '?')
        return REFUSE(c, p, "filters (?) are not supported");
    if (*p == '(')
        return REFUSE(c, p, "script expressions are not JSONPath");
    if (*p == '\0')
        return REFUSE(c, p, "the bracket that closes is missing");
    if (*p == ']' || *p == ',')
        return REFUSE(c, p, "a name, an index, a slice or * is missing before '%c'", *p);
    return REFUSE(c, p, "%s where a name, an index, a slice or * should stand", show(p).text);
}

static bool read_selector(struct compiler *c)
{
    switch (*c->p) {
    case '\'':
    case '"':
        return read_quoted(c);
    case '*':
        c->p++;
        return add_selector(c, SELECTOR_WILDCARD) != NULL;
    default:
        if (is_digit(*c->p) || *c->p == '-' || *c->p == ':')
            return read_index_or_slice(c);
        return refuse_selector(c);
    }
}

static bool read_brackets(struct compiler *c)
{
    do {
        c->p++; /* over the bracket or the comma */
        skip_blanks(c);
        if (!read_selector(c))
            return false;
        skip_blanks(c);
    } while (*c->p == ',');
    if (*c->p == '\0')
        return REFUSE(c, c->p, "the bracket that closes is missing");
    if (*c->p != ']')
        return REFUSE(c, c->p, "%s where ',' or ']' should stand", show(c->p).text);
    c->p++;
    return true;
}

static bool refuse_segment(struct compiler *c, const char *before)
{
    const char *p = c->p;

    if (*p == '\0')
        return REFUSE(c, before, "white space behind the end of the path");
    if (*p == '(')
        return REFUSE(c, p, "functions are not supported");
    if (p == before && c->path->count > 0 && p[-1] != ']' && p[-1] != '*')
        return REFUSE(c, p, "%s in a name; put the name in quotes, as in ['name']", show(p).text);
    return REFUSE(c, p, "%s where '.' or '[' should stand", show(p).text);
}

static bool read_segments(struct compiler *c)
{
    while (*c->p != '\0') {
        const char *before = c->p;

        skip_blanks(c);
        if (*c->p != '.' && *c->p != '[')
            return refuse_segment(c, before);
        if (add_segment(c) == NULL)
            return false;
        if (*c->p == '.' ? !read_shorthand(c) : !read_brackets(c))
            return false;
    }
    return true;
}

static bool check_utf8(struct compiler *c)
{
    for (const char *p = c->text; *p != '\0';) {
        unsigned length = utf8_length(p);

        if (length == 0)
            return REFUSE(c, p, "byte 0x%02x is not UTF-8", (unsigned char)*p);
        p += length;
    }
    return true;
}

static bool read_path(struct compiler *c)
{
    if (!check_utf8(c))
        return false;
    if (*c->p == '\0')
        return REFUSE(c, c->p, "the path is empty; the whole document is $");
    if (strchr(" \t\n\r", *c->p) != NULL)
        return REFUSE(c, c->p, "white space before the path");
    if (*c->p != '$')
        return REFUSE(c, c->p, "a path begins with $, as in $.name");
    c->p++;
    return read_segments(c);
}

/* RFC 9535, 2.3.5.1. */
static bool is_singular(const struct jsonpath *path)
{
    for (size_t i = 0; i < path->count; i++) {
        const struct segment *segment = &path->segments[i];

        if (segment->count != 1 || segment->selectors->kind > SELECTOR_INDEX)
            return false;
    }
    return true;
}

/* What jsonpath_first() walks: it is asked for each field of each record. */
static bool add_steps(struct compiler *c)
{
    struct jsonpath *path = c->path;

    path->singular = is_singular(path);
    if (!path->singular || path->count == 0)
        return true;
    path->steps = calloc(path->count, sizeof(*path->steps));
    if (path->steps == NULL)
        return out_of_memory(c);
    for (size_t i = 0; i < path->count; i++)
        path->steps[i] = *path->segments[i].selectors;
    return true;
}

static size_t column_of(const char *text, const char *at)
{
    size_t column = 1;

    for (; text < at; text++)
        column += !utf8_continues((unsigned char)*text);
    return column;
}

struct jsonpath *jsonpath_compile(const char *text, size_t *column, struct error *err)
{
    struct compiler c = {.text = text, .p = text, .err = err, .wrong = text};
    bool ok;

    c.path = calloc(1, sizeof(*c.path));
    if (c.path != NULL)
        c.path->text = strdup(text);
    if (c.path == NULL || c.path->text == NULL)
        ok = out_of_memory(&c);
    else
        ok = read_path(&c) && add_steps(&c);
    if (!ok) {
        *column = column_of(text, c.wrong);
        jsonpath_free(c.path);
        return NULL;
    }
    return c.path;
}
