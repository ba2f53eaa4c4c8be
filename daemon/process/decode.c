#include "process/decode.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gatherd/charset.h"
#include "gatherd/json.h"
#include "gatherd/units.h"
#include "gatherd/unpack.h"
#include "process/format.h"
#include "process/reader.h"

#define MOST_NAME_SHOWN 80

typedef int reader_fn(const struct reader_input *in, struct arena *arena, struct decoded *decoded);

static reader_fn *const readers[] = {
    [FORMAT_JSON] = read_json, [FORMAT_NDJSON] = read_json, [FORMAT_CSV] = read_csv,
    [FORMAT_TSV] = read_csv,   [FORMAT_XML] = read_xml,     [FORMAT_PROMETHEUS] = read_prometheus,
};

/* --- What the readers share. --- */

static void refuse_va(struct decoded *decoded, const char *format, va_list args)
{
    decoded->root = NULL;
    decoded->failure = RUN_FAILED_DECODE;
    vsnprintf(decoded->reason, sizeof(decoded->reason), format, args);
}

void reader_refuse(struct decoded *decoded, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    refuse_va(decoded, format, args);
    va_end(args);
}

void reader_point(const struct reader_input *in, size_t offset, struct decoded *decoded)
{
    json_position(in->text, offset, &decoded->line, &decoded->column);
}

size_t reader_start(const struct reader_input *in)
{
    size_t at = 0;

    if (in->length >= 3 && memcmp(in->text, "\xef\xbb\xbf", 3) == 0)
        at = 3;
    while (at < in->length && strchr(" \t\r\n", in->text[at]) != NULL && in->text[at] != '\0')
        at++;
    return at;
}

void reader_mind_charset(const struct reader_input *in, size_t offset, struct decoded *decoded)
{
    size_t used = strlen(decoded->reason);

    if (offset >= in->length || (unsigned char)in->text[offset] < 0x80 ||
        charset_check_utf8((struct slice){in->text, in->length}) != offset)
        return;
    snprintf(decoded->reason + used, sizeof(decoded->reason) - used,
             " (byte %zu of the body); set encoding to what it is in, as in encoding: windows-1252",
             offset);
}

/* --- What is packed. --- */

#define MOST_LAYERS 3 /* such as a .gz in an archive */

static void refuse_size(const struct reader_input *in, const char *as, struct decoded *decoded)
{
    char size[UNITS_TEXT_SIZE];

    reader_refuse(decoded, "the body is above max_body_size (%s) %s; raise it",
                  units_format_size(in->source->max_body_bytes, size), as);
    decoded->failure = RUN_FAILED_LIMIT;
}

/* Unpacks a body that is gzip or zip by its first bytes; `*name` becomes the file's. 0 or -1. */
static int unpack_body(struct reader_input *in, const char **name, struct arena *arena,
                       struct decoded *decoded)
{
    for (unsigned layer = 0; layer < MOST_LAYERS; layer++) {
        struct unpacked unpacked;

        switch (unpack((struct slice){in->text, in->length}, in->source->archive_member,
                       (size_t)in->source->max_body_bytes, arena, &unpacked)) {
        case UNPACK_PLAIN:
            return 0;
        case UNPACK_OK:
            in->text = unpacked.text.data;
            in->length = unpacked.text.length;
            *name = unpacked.name == NULL ? *name : unpacked.name;
            break;
        case UNPACK_BROKEN:
            reader_refuse(decoded, "%s", unpacked.reason);
            return 0;
        case UNPACK_TOO_LARGE:
            refuse_size(in, "unpacked", decoded);
            return 0;
        case UNPACK_NOMEM:
            return -1;
        }
    }
    return 0;
}

/* --- The character set. --- */

/* What the Content-Type declares; empty: nothing. */
static struct slice declared_charset(const struct reader_input *in)
{
    return format_parameter(in->content_type, "charset");
}

static bool refuse_charset(struct slice name, struct decoded *decoded)
{
    struct text shown = {0};

    text_visible(&shown, name.data, name.length < MOST_NAME_SHOWN ? name.length : MOST_NAME_SHOWN);
    reader_refuse(decoded,
                  "the body is in the character set %s by its Content-Type, which is not known "
                  "here; set encoding to what it is in, as in encoding: utf-8",
                  text_string(&shown));
    text_free(&shown);
    return false;
}

/*
 * Finds the text's character set; NULL in *charset: nobody says. Many servers declare ISO-8859-1
 * whatever they send; what is UTF-8 throughout is UTF-8 then. False: refused.
 */
static bool find_charset(const struct reader_input *in, const char **charset,
                         struct decoded *decoded)
{
    struct slice text = {in->text, in->length};
    struct slice declared = declared_charset(in);

    *charset = in->source->encoding == NULL ? charset_by_mark(text)
                                            : charset_by_name(in->source->encoding);
    if (*charset != NULL)
        return true;
    if (declared.length == 0) {
        *charset = charset_by_zeros(text);
        return true;
    }
    *charset = charset_by_label(declared);
    if (*charset == NULL)
        return refuse_charset(declared, decoded);
    if (charset_is_latin1(*charset) && charset_check_utf8(text) == text.length)
        *charset = charset_by_label(slice_of("utf-8"));
    return true;
}

static void refuse_bytes(const struct reader_input *in, const char *charset,
                         const struct charset_error *error, struct decoded *decoded)
{
    decoded->line = error->line;
    decoded->column = 0;
    if (error->cut)
        reader_refuse(decoded,
                      "the body ends inside a character of %s (line %u); it was cut off, "
                      "or encoding should say what it is in",
                      charset, error->line);
    else
        reader_refuse(decoded,
                      "byte %zu of the body (line %u) is 0x%02x, which %s does not have there; set "
                      "encoding to what it is in",
                      error->offset, error->line, (unsigned char)in->text[error->offset], charset);
}

int reader_convert(struct reader_input *in, struct arena *arena, struct decoded *decoded)
{
    struct charset_error error;
    struct slice text;

    if (in->charset == NULL || charset_is_utf8(in->charset))
        return 0;
    switch (charset_convert(in->charset, (struct slice){in->text, in->length},
                            (size_t)in->source->max_body_bytes, arena, &text, &error)) {
    case CHARSET_OK:
        in->text = text.data;
        in->length = text.length;
        return 0;
    case CHARSET_UNKNOWN:
        reader_refuse(decoded, "iconv has no character set %s on this machine", in->charset);
        return 0;
    case CHARSET_INVALID:
        refuse_bytes(in, in->charset, &error, decoded);
        return 0;
    case CHARSET_TOO_LARGE:
        refuse_size(in, "as UTF-8", decoded);
        return 0;
    case CHARSET_NOMEM:
        break;
    }
    return -1;
}

/* --- The format. --- */

static int read_text(const struct reader_input *in, struct arena *arena, struct decoded *decoded)
{
    decoded->text = in->text;
    decoded->text_bytes = in->length;
    assert(readers[in->format] != NULL);
    return readers[in->format](in, arena, decoded);
}

static bool is_refused(const struct decoded *decoded)
{
    return decoded->reason[0] != '\0';
}

int decode_response(const struct response *response, const struct source *source,
                    struct arena *arena, struct decoded *decoded)
{
    bool came = response->body != NULL; /* none is the same as an empty one */
    const char *name = source->url;
    struct reader_input in = {.source = source,
                              .text = came ? response->body : "",
                              .length = came ? response->body_bytes : 0,
                              .content_type = response->content_type};

    *decoded = (struct decoded){0};
    if (unpack_body(&in, &name, arena, decoded) == -1)
        return -1;
    if (is_refused(decoded) || !find_charset(&in, &in.charset, decoded))
        return 0;
    if (reader_convert(&in, arena, decoded) == -1)
        return -1;
    if (is_refused(decoded))
        return 0;
    in.format = source->format;
    if (in.format == FORMAT_AUTO)
        in.format = format_detect(in.content_type, name, (struct slice){in.text, in.length});
    return read_text(&in, arena, decoded);
}

int decode_record(const struct response *response, const struct source *source, struct arena *arena,
                  struct decoded *decoded)
{
    bool came = response->body != NULL;
    struct reader_input in = {.source = source,
                              .text = came ? response->body : "",
                              .length = came ? response->body_bytes : 0,
                              .charset = charset_by_label(slice_of("utf-8")),
                              .content_type = response->content_type,
                              .is_record = true};

    *decoded = (struct decoded){0};
    in.format = format_detect(in.content_type, NULL, (struct slice){in.text, in.length});
    return read_text(&in, arena, decoded);
}
