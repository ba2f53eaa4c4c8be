/*
 * Segments and selectors: the grammar of RFC 9535 read from left to right. What is no path is
 * refused with what it may have been meant for.
 */
#include "gatherd/jsonpath.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document/jsonpath_parser.h"
#include "document/utf8.h"

bool parser_out_of_memory(struct compiler *c)
{
    c->wrong = c->p;
    error_set(c->err, ERROR_NOMEM, "out of memory");
    return false;
}

void parser_skip_blanks(struct compiler *c)
{
    c->p += strspn(c->p, " \t\n\r");
}

bool parser_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What may begin a name without quotes; all that is not ASCII may. */
static bool begins_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

size_t parser_name_length(const char *p)
{
    size_t length = 0;

    while (begins_name(p[length]) || (length > 0 && parser_is_digit(p[length])))
        length++;
    return length;
}

struct shown parser_show(const char *p)
{
    struct shown shown;
    unsigned char c = (unsigned char)*p;

    if (c < 0x20 || c == 0x7f)
        snprintf(shown.text, sizeof(shown.text), "byte 0x%02x", c);
    else
        snprintf(shown.text, sizeof(shown.text), "'%.*s'", (int)utf8_length(p), p);
    return shown;
}

bool parser_deeper(struct compiler *c, const char *at)
{
    if (++c->level <= MOST_LEVELS)
        return true;
    return REFUSE(c, at,
                  "more than %d parentheses, filters and segments that select many nodes, in or "
                  "behind each other",
                  MOST_LEVELS);
}

/* --- Selectors --- */

/* Takes what is in `name`. */
static bool add_name(struct compiler *c, struct segment *segment, struct text *name)
{
    struct selector *selector = ast_add_selector(segment, SELECTOR_NAME);
    size_t length = name->length;

    if (selector == NULL)
        return parser_out_of_memory(c);
    selector->name = (struct slice){text_take(name), length};
    return selector->name.data != NULL || parser_out_of_memory(c);
}

static bool read_quoted_name(struct compiler *c, struct segment *segment)
{
    struct text name = {0};
    bool ok = parser_read_quoted(c, "name", &name) && add_name(c, segment, &name);

    text_free(&name);
    return ok;
}

static bool read_wildcard(struct compiler *c, struct segment *segment)
{
    c->p++;
    return ast_add_selector(segment, SELECTOR_WILDCARD) != NULL || parser_out_of_memory(c);
}

/* A number of a slice, if there is one. */
static bool read_bound(struct compiler *c, bool *has, int64_t *value)
{
    parser_skip_blanks(c);
    *has = parser_is_digit(*c->p) || *c->p == '-';
    return !*has || parser_read_integer(c, value);
}

static bool at_colon(struct compiler *c)
{
    const char *before = c->p;

    parser_skip_blanks(c);
    if (*c->p == ':')
        return true;
    c->p = before;
    return false;
}

static bool read_index_or_slice(struct compiler *c, struct segment *segment)
{
    struct selector_slice slice = {.step = 1};
    enum selector_kind kind = SELECTOR_INDEX;
    struct selector *selector;
    bool has_step;

    if (!read_bound(c, &slice.has_start, &slice.start))
        return false;
    if (at_colon(c)) {
        kind = SELECTOR_SLICE;
        c->p++;
        if (!read_bound(c, &slice.has_end, &slice.end))
            return false;
        if (at_colon(c)) {
            c->p++;
            if (!read_bound(c, &has_step, &slice.step))
                return false;
        }
    }
    selector = ast_add_selector(segment, kind);
    if (selector == NULL)
        return parser_out_of_memory(c);
    if (kind == SELECTOR_INDEX)
        selector->index = slice.start;
    else
        selector->slice = slice;
    return true;
}

static bool read_filter(struct compiler *c, struct segment *segment)
{
    struct selector *selector = ast_add_selector(segment, SELECTOR_FILTER);

    if (selector != NULL)
        selector->filter = calloc(1, sizeof(*selector->filter));
    if (selector == NULL || selector->filter == NULL)
        return parser_out_of_memory(c);
    if (!parser_deeper(c, c->p))
        return false;
    c->p++;
    parser_skip_blanks(c);
    if (!parser_read_filter(c, selector->filter))
        return false;
    c->level--;
    return true;
}

/* No selector stands at c->p: says what it may have been meant for. */
static bool refuse_selector(struct compiler *c)
{
    const char *p = c->p;
    size_t length = parser_name_length(p);

    if (length > 0 && p[length] == '(')
        return REFUSE(c, p, "a function stands in a filter, as in [?length(@.name) > 3]");
    if (length > 0)
        return REFUSE(c, p, "a name in brackets stands in quotes, as in ['name']");
    if (*p == '@' || *p == '$')
        return REFUSE(c, p, "a filter begins with ?, as in [?@.name]");
    if (*p == '(')
        return REFUSE(c, p,
                      "script expressions are not JSONPath; the last element is [-1], and a "
                      "filter begins with ?");
    if (*p == '\0')
        return REFUSE(c, p, "the bracket that closes is missing");
    if (*p == ']' || *p == ',')
        return REFUSE(c, p, "a name, an index, a slice, a filter or * is missing before '%c'", *p);
    return REFUSE(c, p, "%s where a name, an index, a slice, a filter or * should stand",
                  parser_show(p).text);
}

static bool read_selector(struct compiler *c, struct segment *segment)
{
    switch (*c->p) {
    case '\'':
    case '"':
        return read_quoted_name(c, segment);
    case '*':
        return read_wildcard(c, segment);
    case '?':
        return read_filter(c, segment);
    default:
        if (parser_is_digit(*c->p) || *c->p == '-' || *c->p == ':')
            return read_index_or_slice(c, segment);
        return refuse_selector(c);
    }
}

/* --- Segments --- */

static void skip_noting(struct compiler *c, struct query_shape *shape)
{
    const char *before = c->p;

    parser_skip_blanks(c);
    if (c->p != before && shape->blank == NULL)
        shape->blank = before;
}

static bool read_brackets(struct compiler *c, struct segment *segment, struct query_shape *shape)
{
    do {
        c->p++; /* over the bracket or the comma */
        skip_noting(c, shape);
        if (!read_selector(c, segment))
            return false;
        skip_noting(c, shape);
    } while (*c->p == ',');
    if (*c->p == '\0')
        return REFUSE(c, c->p, "the bracket that closes is missing");
    if (*c->p != ']')
        return REFUSE(c, c->p, "%s where ',' or ']' should stand", parser_show(c->p).text);
    c->p++;
    return true;
}

/* What stands behind a dot, where neither a name nor * does. */
static bool refuse_shorthand(struct compiler *c, const char *dots)
{
    const char *p = c->p;

    switch (*p) {
    case '.':
        return REFUSE(c, p, "'.' behind '..'");
    case '[':
        return REFUSE(c, p - 1, "'.' before '[': brackets follow without a dot");
    case '\'':
    case '"':
        return REFUSE(c, p, "a name in quotes stands in brackets, as in ['name']");
    case '\0':
        return REFUSE(c, p, "a name%s or * must follow '%s'", dots[1] == '.' ? ", a bracket" : "",
                      dots);
    case ' ':
    case '\t':
    case '\n':
    case '\r':
        return REFUSE(c, p, "white space between '%s' and the name", dots);
    default:
        return REFUSE(c, p, "%s cannot begin a name; put the name in quotes, as in ['name']",
                      parser_show(p).text);
    }
}

/* What follows one dot or two: the shorthand for one name or wildcard. */
static bool read_shorthand(struct compiler *c, struct segment *segment, const char *dots)
{
    size_t length = parser_name_length(c->p);
    struct text name = {0};
    bool ok;

    if (*c->p == '*')
        return read_wildcard(c, segment);
    if (length == 0)
        return refuse_shorthand(c, dots);
    text_append(&name, c->p, length);
    c->p += length;
    ok = add_name(c, segment, &name);
    text_free(&name);
    return ok;
}

static bool read_selectors(struct compiler *c, struct segment *segment, struct query_shape *shape)
{
    if (*c->p == '[')
        return read_brackets(c, segment, shape);
    segment->descendant = c->p[1] == '.';
    if (!segment->descendant) {
        c->p++;
        return read_shorthand(c, segment, ".");
    }
    c->p += 2;
    return *c->p == '[' ? read_brackets(c, segment, shape) : read_shorthand(c, segment, "..");
}

static bool selects_one(const struct segment *segment)
{
    return !segment->descendant && segment->count == 1 &&
           segment->selectors->kind <= SELECTOR_INDEX;
}

static bool read_segment(struct compiler *c, struct query *query, struct query_shape *shape)
{
    const char *start = c->p;
    struct segment *segment = ast_add_segment(query);

    if (segment == NULL)
        return parser_out_of_memory(c);
    if (!read_selectors(c, segment, shape))
        return false;
    segment->end = (size_t)(c->p - c->text);
    if (selects_one(segment))
        return true;
    if (shape->plural == NULL)
        shape->plural = start;
    return parser_deeper(c, start);
}

/* All segments there are; c->p stands right behind the last. */
static bool read_segments(struct compiler *c, struct query *query, struct query_shape *shape)
{
    const char *before = c->p;

    parser_skip_blanks(c);
    while (*c->p == '.' || *c->p == '[') {
        if (!read_segment(c, query, shape))
            return false;
        before = c->p;
        parser_skip_blanks(c);
    }
    c->p = before;
    return true;
}

/* What jsonpath_first() walks: it is asked for each field of each record. */
static bool add_steps(struct compiler *c, struct query *query)
{
    if (query->count == 0)
        return true;
    query->steps = calloc(query->count, sizeof(*query->steps));
    if (query->steps == NULL)
        return parser_out_of_memory(c);
    for (size_t i = 0; i < query->count; i++)
        query->steps[i] = *query->segments[i].selectors;
    return true;
}

bool parser_read_query(struct compiler *c, struct query *query, struct query_shape *shape)
{
    unsigned level = c->level;

    query->relative = *c->p == '@';
    c->p++;
    if (!read_segments(c, query, shape))
        return false;
    c->level = level;
    query->singular = shape->plural == NULL;
    return !query->singular || add_steps(c, query);
}

/* --- The path --- */

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

static bool refuse_rest(struct compiler *c, const struct query *query)
{
    const char *before = c->p;
    const char *p;

    parser_skip_blanks(c);
    p = c->p;
    if (*p == '\0')
        return REFUSE(c, before, "white space behind the end of the path");
    if (*p == '(')
        return REFUSE(c, p, "a function stands in a filter, as in [?length(@.name) > 3]");
    if (p == before && query->count > 0 && p[-1] != ']' && p[-1] != '*')
        return REFUSE(c, p, "%s in a name; put the name in quotes, as in ['name']",
                      parser_show(p).text);
    return REFUSE(c, p, "%s where '.' or '[' should stand", parser_show(p).text);
}

static bool read_path(struct compiler *c, struct query *query)
{
    struct query_shape shape = {0};

    if (!check_utf8(c))
        return false;
    if (*c->p == '\0')
        return REFUSE(c, c->p, "the path is empty; the whole document is $");
    if (strchr(" \t\n\r", *c->p) != NULL)
        return REFUSE(c, c->p, "white space before the path");
    if (*c->p != '$')
        return REFUSE(c, c->p, "a path begins with $, as in $.name");
    if (!parser_read_query(c, query, &shape))
        return false;
    return *c->p == '\0' || refuse_rest(c, query);
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
    struct jsonpath *path = calloc(1, sizeof(*path));
    bool ok;

    if (path != NULL)
        path->text = strdup(text);
    if (path == NULL || path->text == NULL)
        ok = parser_out_of_memory(&c);
    else
        ok = read_path(&c, &path->query);
    if (!ok) {
        *column = column_of(text, c.wrong);
        jsonpath_free(path);
        return NULL;
    }
    return path;
}

void jsonpath_free(struct jsonpath *path)
{
    if (path == NULL)
        return;
    ast_free_query(&path->query);
    free(path->text);
    free(path);
}
