#include "process/decode.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gatherd/json.h"

#define COUNT(a)        (sizeof(a) / sizeof((a)[0]))
#define MOST_TYPE_SHOWN 80

static const char byte_order_mark[] = "\xef\xbb\xbf";

struct input {
    const char *body; /* with a NUL behind it */
    size_t length;
    const char *content_type; /* NULL: none came */
    enum body_format format;
};

static const char *const line_types[] = {
    "application/x-ndjson",    "application/ndjson",       "application/jsonl",
    "application/x-jsonl",     "application/jsonlines",    "application/x-jsonlines",
    "application/json-lines",  "application/x-json-lines", "application/json-stream",
    "application/stream+json",
};

static const char *const page_types[] = {"text/html", "application/xhtml+xml"};

/* Names by which UTF-8 and what is part of it go. */
static const char *const utf8_names[] = {"utf-8", "utf8", "us-ascii", "ascii"};

static bool is_one_of(struct slice text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(names[i]) == text.length && strncasecmp(names[i], text.data, text.length) == 0)
            return true;
    }
    return false;
}

/* "Application/JSON" of "Application/JSON ; charset=utf-8". */
static struct slice media_type(const char *content_type)
{
    const char *start = content_type == NULL ? "" : content_type + strspn(content_type, " \t");

    return (struct slice){start, strcspn(start, "; \t,")};
}

/* The value of the parameter charset, without its quotes; empty: none is given. */
static struct slice charset(const char *content_type)
{
    const char *p = content_type == NULL ? "" : content_type;

    while ((p = strchr(p, ';')) != NULL) {
        p += 1 + strspn(p + 1, " \t");
        if (strncasecmp(p, "charset", 7) != 0)
            continue;
        p += 7 + strspn(p + 7, " \t");
        if (*p != '=')
            continue;
        p += 1 + strspn(p + 1, " \t\"");
        return (struct slice){p, strcspn(p, "; \t\"")};
    }
    return slice_of(NULL);
}

static void refuse(struct decoded *decoded, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void refuse(struct decoded *decoded, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(decoded->reason, sizeof(decoded->reason), format, args);
    va_end(args);
}

/* Where the text begins: behind a byte order mark and white space. */
static size_t text_start(const struct input *in)
{
    size_t at = 0;

    if (in->length >= 3 && memcmp(in->body, byte_order_mark, 3) == 0)
        at = 3;
    while (at < in->length && strchr(" \t\r\n", in->body[at]) != NULL && in->body[at] != '\0')
        at++;
    return at;
}

/* A page or XML instead of JSON: says so and returns true. */
static bool refuse_markup(const struct input *in, struct decoded *decoded)
{
    struct slice type = media_type(in->content_type);
    bool page = is_one_of(type, page_types, COUNT(page_types));
    size_t start = text_start(in);
    bool markup = start < in->length && in->body[start] == '<';

    if (!markup && (!page || in->format != FORMAT_AUTO))
        return false;
    json_position(in->body, start, &decoded->line, &decoded->column);
    if (!page && strncmp(in->body + start, "<?xml", 5) == 0)
        refuse(decoded, "the body is XML, not JSON; check url and headers (Accept)");
    else if (markup)
        refuse(decoded, "the body is an HTML page, not JSON; check url and headers: it may be a "
                        "login, an error page or a web site");
    else
        refuse(decoded,
               "the body is an HTML page, not JSON, by its Content-Type (%.*s); if it is "
               "JSON, set format: json",
               (int)(type.length < MOST_TYPE_SHOWN ? type.length : MOST_TYPE_SHOWN), type.data);
    return true;
}

/* With `format` set, the operator has looked: then the reader's own check of UTF-8 decides. */
static bool refuse_charset(const struct input *in, struct decoded *decoded)
{
    struct slice name = charset(in->content_type);
    struct text shown = {0};

    if (in->format != FORMAT_AUTO || name.length == 0 ||
        is_one_of(name, utf8_names, COUNT(utf8_names)))
        return false;
    text_visible(&shown, name.data, name.length < MOST_TYPE_SHOWN ? name.length : MOST_TYPE_SHOWN);
    refuse(decoded,
           "the body is in the character set %s by its Content-Type, and JSON is read as UTF-8; "
           "if it is UTF-8, set format: json",
           text_string(&shown));
    text_free(&shown);
    return true;
}

static int read_body(const struct input *in, struct arena *arena, struct decoded *decoded)
{
    struct json_error error = {0};
    enum json_status status =
        decoded->lines ? json_read_lines(in->body, in->length, arena, &decoded->root, &error)
                       : json_read(in->body, in->length, arena, &decoded->root, &error);

    if (status == JSON_OK)
        return 0;
    decoded->root = NULL;
    decoded->line = error.line;
    decoded->column = error.column;
    refuse(decoded, "the body is not JSON: line %u, column %u: %s", error.line, error.column,
           error.message);
    return status == JSON_NOMEM ? -1 : 0;
}

int decode_response(const struct response *response, enum body_format format, struct arena *arena,
                    struct decoded *decoded)
{
    bool came = response->body != NULL; /* none is the same as an empty one */
    struct input in = {came ? response->body : "", came ? response->body_bytes : 0,
                       response->content_type, format};

    *decoded = (struct decoded){0};
    decoded->lines = format == FORMAT_NDJSON ||
                     (format == FORMAT_AUTO &&
                      is_one_of(media_type(in.content_type), line_types, COUNT(line_types)));
    if (!decoded->lines && text_start(&in) == in.length) {
        refuse(decoded, "the body is empty, where JSON was expected");
        return 0;
    }
    if (refuse_markup(&in, decoded) || refuse_charset(&in, decoded))
        return 0;
    return read_body(&in, arena, decoded);
}
