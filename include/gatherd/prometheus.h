/*
 * prometheus.h - Prometheus' text exposition format 0.0.4, and OpenMetrics' text, to nodes.
 *
 * The root is an array of the samples, each an object of
 * - name: of the metric, as the line has it (requests_total, latency_bucket);
 * - labels: an object, its members sorted by name, so that name and labels are a stable key;
 * - value: a number; NaN, +Inf and -Inf are strings, for JSON has no such numbers;
 * - type: what # TYPE says of its family (counter, gauge, histogram, summary ...), else untyped;
 * - time: of the sample as YYYY-MM-DDTHH:MM:SS.mmmZ, null where it has none.
 * Help texts, units and exemplars are passed over. Values are floating-point numbers to everything
 * that writes this format, so 5 is not marked as an integer where a double holds it.
 *
 * One bad line spoils the whole text, as it does for Prometheus; so does an end without a line
 * break, or OpenMetrics without # EOF, which is how a text that was cut off looks.
 */
#ifndef GATHERD_PROMETHEUS_H
#define GATHERD_PROMETHEUS_H

#include <stdbool.h>
#include <stddef.h>

#include "gatherd/arena.h"
#include "gatherd/node.h"

enum prometheus_status {
    PROMETHEUS_OK,
    PROMETHEUS_INVALID, /* see the error */
    PROMETHEUS_NOMEM,
};

struct prometheus_error {
    char message[160]; /* what is wrong, in words for people */
    size_t offset;     /* of the byte it is about */
    unsigned line;     /* from 1 */
    unsigned column;   /* in characters, from 1 */
};

/*
 * Reads a whole text in UTF-8, with a NUL behind it. `open_metrics`: it is OpenMetrics, as one that
 * ends in # EOF is in any case: then time stamps are seconds, not milliseconds. The nodes are in
 * `arena` and borrow from `text`; node->raw of an object is where its line begins.
 */
enum prometheus_status prometheus_read(const char *text, size_t length, bool open_metrics,
                                       struct arena *arena, const struct node **root,
                                       struct prometheus_error *error);

/* Whether the text begins as such a text does: with # HELP or # TYPE, or a sample with labels. */
bool prometheus_looks_like(const char *text, size_t length);

#endif
