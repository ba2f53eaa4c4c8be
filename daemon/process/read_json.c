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
        reader_refuse(decoded, "the body is XML, not JSON; check url and headers (Accept)");
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

int read_json(const struct reader_input *in, struct arena *arena, struct decoded *decoded)
{
    struct json_error error = {0};
    enum json_status status;

    decoded->lines = in->format == FORMAT_NDJSON;
    if (!decoded->lines && reader_start(in) == in->length) {
        reader_refuse(decoded, "the body is empty, where JSON was expected");
        return 0;
    }
    if (refuse_markup(in, decoded))
        return 0;
    status = decoded->lines ? json_read_lines(in->text, in->length, arena, &decoded->root, &error)
                            : json_read(in->text, in->length, arena, &decoded->root, &error);
    if (status == JSON_OK)
        return 0;
    decoded->root = NULL;
    decoded->line = error.line;
    decoded->column = error.column;
    reader_refuse(decoded, "the body is not JSON: line %u, column %u: %s", error.line, error.column,
                  error.message);
    reader_mind_charset(in, error.offset, decoded);
    return status == JSON_NOMEM ? -1 : 0;
}
