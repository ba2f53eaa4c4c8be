/* Prometheus' text exposition format, and OpenMetrics. */
#include "gatherd/prometheus.h"

#include <string.h>

#include "process/format.h"
#include "process/reader.h"

/* A page or JSON instead: says so and returns true. */
static bool refuse_other(const struct reader_input *in, struct decoded *decoded)
{
    size_t start = reader_start(in);
    char first = start == in->length ? '\0' : in->text[start];

    if (first != '<' && first != '[')
        return false;
    reader_point(in, start, decoded);
    reader_refuse(decoded,
                  "the body is %s, not metrics in Prometheus' text format; check url and "
                  "headers (Accept)",
                  first == '<' ? "an HTML page or XML" : "JSON");
    return true;
}

int read_prometheus(const struct reader_input *in, struct arena *arena, struct decoded *decoded)
{
    static const char type[] = "application/openmetrics-text";
    struct slice media_type = format_media_type(in->content_type);
    bool open_metrics = media_type.length == sizeof(type) - 1 &&
                        strncasecmp(media_type.data, type, media_type.length) == 0;
    struct prometheus_error error;

    if (refuse_other(in, decoded))
        return 0;
    switch (prometheus_read(in->text, in->length, open_metrics, arena, &decoded->root, &error)) {
    case PROMETHEUS_OK:
        return 0;
    case PROMETHEUS_INVALID:
        decoded->line = error.line;
        decoded->column = error.column;
        reader_refuse(decoded, "the body is not Prometheus' text format: line %u, column %u: %s",
                      error.line, error.column, error.message);
        reader_mind_charset(in, error.offset, decoded);
        return 0;
    case PROMETHEUS_NOMEM:
        break;
    }
    return -1;
}
