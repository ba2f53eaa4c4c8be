#include "process/format.h"

#include <string.h>
#include <strings.h>

#include "gatherd/prometheus.h"
#include "gatherd/xml.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A media type says what the body is; with a parameter only where that has this value. */
static const struct {
    const char *type;
    const char *parameter; /* NULL: whatever its parameters */
    const char *value;
    enum body_format format; /* FORMAT_AUTO: it says nothing */
} media_types[] = {
    {"application/json", NULL, NULL, FORMAT_JSON},
    {"text/json", NULL, NULL, FORMAT_JSON},
    {"text/csv", NULL, NULL, FORMAT_CSV},
    {"application/csv", NULL, NULL, FORMAT_CSV},
    {"text/comma-separated-values", NULL, NULL, FORMAT_CSV},
    {"text/tab-separated-values", NULL, NULL, FORMAT_TSV},
    {"text/tsv", NULL, NULL, FORMAT_TSV},
    {"application/x-ndjson", NULL, NULL, FORMAT_NDJSON},
    {"application/ndjson", NULL, NULL, FORMAT_NDJSON},
    {"application/jsonl", NULL, NULL, FORMAT_NDJSON},
    {"application/x-jsonl", NULL, NULL, FORMAT_NDJSON},
    {"application/jsonlines", NULL, NULL, FORMAT_NDJSON},
    {"application/x-jsonlines", NULL, NULL, FORMAT_NDJSON},
    {"application/json-lines", NULL, NULL, FORMAT_NDJSON},
    {"application/x-json-lines", NULL, NULL, FORMAT_NDJSON},
    {"application/json-stream", NULL, NULL, FORMAT_NDJSON},
    {"application/stream+json", NULL, NULL, FORMAT_NDJSON},
    {"application/json-seq", NULL, NULL, FORMAT_NDJSON}, /* RFC 7464 */
    {"application/xml", NULL, NULL, FORMAT_XML},
    {"text/xml", NULL, NULL, FORMAT_XML},
    {"application/openmetrics-text", NULL, NULL, FORMAT_PROMETHEUS},
    {"text/plain", "version", "0.0.4", FORMAT_PROMETHEUS},
    {"text/plain", "version", "1.0.0", FORMAT_PROMETHEUS},
};

/* What follows the + of a media type (RFC 6839). */
static const struct {
    const char *suffix;
    enum body_format format;
} suffixes[] = {
    {"+json", FORMAT_JSON},
    {"+json-seq", FORMAT_NDJSON}, /* RFC 8091 */
    {"+xml", FORMAT_XML},
};

static const struct {
    const char *ending;
    enum body_format format;
} endings[] = {
    {".json", FORMAT_JSON}, {".geojson", FORMAT_JSON},    {".csv", FORMAT_CSV},
    {".tsv", FORMAT_TSV},   {".ndjson", FORMAT_NDJSON},   {".jsonl", FORMAT_NDJSON},
    {".xml", FORMAT_XML},   {".rss", FORMAT_XML},         {".atom", FORMAT_XML},
    {".rdf", FORMAT_XML},   {".prom", FORMAT_PROMETHEUS},
};

static const char *const page_types[] = {"text/html", "application/xhtml+xml"};

static bool same(struct slice text, const char *word)
{
    return strlen(word) == text.length && strncasecmp(word, text.data, text.length) == 0;
}

static bool ends_in(struct slice text, const char *ending)
{
    size_t length = strlen(ending);

    return text.length >= length &&
           strncasecmp(text.data + text.length - length, ending, length) == 0;
}

struct slice format_media_type(const char *content_type)
{
    const char *start = content_type == NULL ? "" : content_type + strspn(content_type, " \t");

    return (struct slice){start, strcspn(start, "; \t,")};
}

struct slice format_parameter(const char *content_type, const char *name)
{
    const char *p = content_type == NULL ? "" : content_type;
    size_t length = strlen(name);

    while ((p = strchr(p, ';')) != NULL) {
        p += 1 + strspn(p + 1, " \t");
        if (strncasecmp(p, name, length) != 0)
            continue;
        p += length + strspn(p + length, " \t");
        if (*p != '=')
            continue;
        p += 1 + strspn(p + 1, " \t\"");
        return (struct slice){p, strcspn(p, "; \t\"")};
    }
    return slice_of(NULL);
}

bool format_is_page(const char *content_type)
{
    struct slice type = format_media_type(content_type);

    for (size_t i = 0; i < COUNT(page_types); i++) {
        if (same(type, page_types[i]))
            return true;
    }
    return false;
}

static enum body_format by_content_type(const char *content_type)
{
    struct slice type = format_media_type(content_type);

    for (size_t i = 0; i < COUNT(media_types); i++) {
        if (same(type, media_types[i].type) &&
            (media_types[i].parameter == NULL ||
             same(format_parameter(content_type, media_types[i].parameter), media_types[i].value)))
            return media_types[i].format;
    }
    for (size_t i = 0; i < COUNT(suffixes); i++) {
        if (ends_in(type, suffixes[i].suffix))
            return suffixes[i].format;
    }
    return FORMAT_AUTO;
}

/* The path of a URL, or a file's name, without the endings of what has been unpacked. */
static struct slice bare_name(const char *name)
{
    struct slice bare = {name, strcspn(name, "?#")};

    while (ends_in(bare, ".gz") || ends_in(bare, ".zip"))
        bare.length -= ends_in(bare, ".gz") ? 3 : 4;
    return bare;
}

static enum body_format by_name(const char *name)
{
    struct slice bare = bare_name(name == NULL ? "" : name);

    for (size_t i = 0; i < COUNT(endings); i++) {
        if (ends_in(bare, endings[i].ending))
            return endings[i].format;
    }
    return FORMAT_AUTO;
}

/* RFC 7464: each text of a sequence has a record separator before it. */
static enum body_format by_text(struct slice text)
{
    if (text.length > 0 && text.data[0] == '\x1e')
        return FORMAT_NDJSON;
    if (xml_looks_like(text.data, text.length))
        return FORMAT_XML;
    if (prometheus_looks_like(text.data, text.length))
        return FORMAT_PROMETHEUS;
    return FORMAT_JSON;
}

enum body_format format_detect(const char *content_type, const char *name, struct slice text)
{
    enum body_format format = by_content_type(content_type);

    if (format == FORMAT_AUTO)
        format = by_name(name);
    return format == FORMAT_AUTO ? by_text(text) : format;
}
