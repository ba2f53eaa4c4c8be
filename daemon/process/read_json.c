/* JSON and newline-delimited JSON. */
#include <string.h>

#include "gatherd/json.h"
#include "process/format.h"
#include "process/reader.h"

#define MOST_TYPE_SHOWN 80

/* A page or XML instead of JSON: says so and returns true. */
static bool refuse_markup(const struct reader_input *in, struct decoded *decoded)
{
    struct slice type = format_media_type(in->content_type);
    bool page = format_is_page(in->content_type);
    size_t start = reader_start(in);
    bool markup = start < in->length && in->text[start] == '<';

    if (!markup && (!page || in->source->format != FORMAT_AUTO))
        return false;
    reader_point(in, start, decoded);
    if (!page && strncmp(in->text + start, "<?xml", 5) == 0)
        reader_refuse(
            decoded,
            "the body is XML, not JSON; check url and headers (Accept), or set format: xml");
    else if (markup)
        reader_refuse(decoded, "the body is an HTML page, not JSON; check url and headers: it may "
                               "be a login, an error page or a web site");
    else
        reader_refuse(decoded,
                      "the body is an HTML page, not JSON, by its Content-Type (%.*s); if it is "
                      "JSON, set format: json",
                      (int)(type.length < MOST_TYPE_SHOWN ? type.length : MOST_TYPE_SHOWN),
                      type.data);
    return true;
}

/* Whether the place of an error is in the first line of the text. */
static bool is_in_first_line(const struct reader_input *in, const struct json_error *error)
{
    size_t start = reader_start(in);

    return error->offset < start || memchr(in->text + start, '\n', error->offset - start) == NULL;
}

/*
 * Several documents: each on a line or, where that fails, one behind the other. When both fail, the
 * error is that of the lines, unless not even the first line was a document: then there are none.
 */
static enum json_status read_several(const struct reader_input *in, struct arena *arena,
                                     struct decoded *decoded, struct json_error *error)
{
    bool sequence = in->text[reader_start(in)] == JSON_RECORD_SEPARATOR;
    enum json_status status = JSON_INVALID;
    struct json_error other;

    if (!sequence) {
        status = json_read_lines(in->text, in->length, arena, &decoded->root, error);
        if (status != JSON_INVALID)
            return status;
    }
    status = json_read_stream(in->text, in->length, arena, &decoded->root, &other);
    if (sequence || is_in_first_line(in, error))
        *error = other;
    return status;
}

/* Whether an object begins at the offset, on a line of its own. */
static bool begins_line(const struct reader_input *in, size_t offset)
{
    size_t before = offset;

    while (before > 0 && strchr(" \t\r", in->text[before - 1]) != NULL)
        before--;
    return in->text[offset] == '{' && before > 0 && in->text[before - 1] == '\n';
}

/*
 * One document; with format auto also objects on lines of their own, since many servers send
 * newline-delimited JSON as application/json. Two without a line break are two answers in one.
 */
static enum json_status read_one(const struct reader_input *in, struct arena *arena,
                                 struct decoded *decoded, struct json_error *error)
{
    enum json_status status = json_read(in->text, in->length, arena, &decoded->root, error);

    if (status != JSON_INVALID || in->source->format != FORMAT_AUTO ||
        in->text[reader_start(in)] != '{' || !begins_line(in, error->offset) ||
        json_read_stream(in->text, in->length, arena, &decoded->root, NULL) != JSON_OK)
        return status;
    decoded->lines = true;
    return JSON_OK;
}

/* With format auto: no document begins with what a text sequence has before each. */
static bool is_sequence(const struct reader_input *in)
{
    size_t start = reader_start(in);

    return in->source->format == FORMAT_AUTO && start < in->length &&
           in->text[start] == JSON_RECORD_SEPARATOR;
}

static enum json_status read_documents(const struct reader_input *in, struct arena *arena,
                                       struct decoded *decoded, struct json_error *error)
{
    if (in->is_record)
        return json_read_stream(in->text, in->length, arena, &decoded->root, error);
    return decoded->lines ? read_several(in, arena, decoded, error)
                          : read_one(in, arena, decoded, error);
}

int read_json(const struct reader_input *in, struct arena *arena, struct decoded *decoded)
{
    struct json_error error = {0};
    enum json_status status;

    decoded->lines = in->is_record || in->format == FORMAT_NDJSON || is_sequence(in);
    if (!decoded->lines && reader_start(in) == in->length) {
        reader_refuse(decoded, "the body is empty, where JSON was expected");
        return 0;
    }
    if (!in->is_record && refuse_markup(in, decoded))
        return 0;
    status = read_documents(in, arena, decoded, &error);
    if (status == JSON_OK)
        return 0;
    decoded->line = error.line;
    decoded->column = error.column;
    reader_refuse(decoded, "the body is not JSON: line %u, column %u: %s", error.line, error.column,
                  error.message);
    reader_mind_charset(in, error.offset, decoded);
    return status == JSON_NOMEM ? -1 : 0;
}
