/*
 * prometheus_parts.h - what the parts of the reader of Prometheus' text share: prometheus.c reads
 * lines and makes nodes, prometheus_labels.c reads names and labels, prometheus_types.c remembers
 * what # TYPE says.
 *
 * A function that reads returns where it stopped, or NULL after an error was noted. The text is
 * known to be UTF-8 without NUL, and a NUL stands behind it.
 */
#ifndef GATHERD_DOCUMENT_PROMETHEUS_PARTS_H
#define GATHERD_DOCUMENT_PROMETHEUS_PARTS_H

#include "gatherd/prometheus.h"

struct prometheus_label {
    struct slice name;
    struct slice value;
};

/* What # TYPE says of a family of metrics. */
struct prometheus_family {
    struct slice name; /* data NULL: a free place */
    const char *type;
};

struct prometheus_reader {
    const char *text;
    const char *end;
    struct arena *arena;
    bool open_metrics;
    bool ended; /* # EOF was there */

    struct node *nodes; /* in the arena */
    size_t used;
    size_t capacity;

    struct {
        struct prometheus_label *items; /* owned: of the present sample */
        size_t count;
        size_t capacity;
    } labels;

    struct prometheus_family *families; /* owned: hashed by name, at most half full */
    size_t family_count;
    size_t family_slots;
    struct slice last_name; /* of the sample before ... */
    const char *last_type;  /* ... and its type; NULL: look it up */

    enum prometheus_status status;
    struct prometheus_error *error; /* may be NULL */
};

const char *prometheus_fail(struct prometheus_reader *r, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));
const char *prometheus_fail_memory(struct prometheus_reader *r) __attribute__((cold));

/* Name and labels of a sample; the labels, sorted, are in r->labels. */
const char *prometheus_read_name(struct prometheus_reader *r, const char *p, struct slice *name);

/* A name by itself: bare, or quoted as Prometheus 3 has it. */
const char *prometheus_read_metric(struct prometheus_reader *r, const char *p, struct slice *name);

/* What stands behind # TYPE: a name and a type, up to the end of the line. */
const char *prometheus_read_type(struct prometheus_reader *r, const char *p);

/* Of the family that a sample belongs to, by its name or by what is before _bucket, _sum ... */
const char *prometheus_type_of(struct prometheus_reader *r, struct slice sample);

void prometheus_free_parts(struct prometheus_reader *r);

#endif
