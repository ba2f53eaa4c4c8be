#include <stdlib.h>
#include <string.h>

#include "document/prometheus_parts.h"

#define FIRST_LABELS 16

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}

static bool is_name_char(char c)
{
    return is_name_start(c) || (c >= '0' && c <= '9');
}

static const char *skip_blank(const char *p)
{
    return p + strspn(p, " \t");
}

/* Replaces \\, \" and \n; another backslash stays, as Prometheus leaves it. */
static struct slice unescape(struct prometheus_reader *r, const char *p, const char *end)
{
    char *copy = arena_alloc(r->arena, (size_t)(end - p));
    char *out = copy;

    if (copy == NULL) {
        prometheus_fail_memory(r);
        return (struct slice){NULL, 0};
    }
    while (p < end) {
        bool escape = *p == '\\' && (p[1] == '\\' || p[1] == '"' || p[1] == 'n');

        p += escape;
        *out++ = escape && *p == 'n' ? '\n' : *p;
        p++;
    }
    return (struct slice){copy, (size_t)(out - copy)};
}

/* The text in quotes at `p`. */
static const char *read_quoted(struct prometheus_reader *r, const char *p, struct slice *text)
{
    static const char special[] = "\"\\\n";
    const char *start = ++p;
    bool escapes = false;

    for (p += strcspn(p, special); *p != '"'; p += 2 + strcspn(p + 2, special)) {
        if (*p != '\\' || p[1] == '\n' || p[1] == '\0')
            return prometheus_fail(r, start - 1, "a text in quotes without an end on its line");
        escapes = true;
    }
    *text = (struct slice){start, (size_t)(p - start)};
    if (escapes)
        *text = unescape(r, start, p);
    return r->status == PROMETHEUS_OK ? p + 1 : NULL;
}

const char *prometheus_read_metric(struct prometheus_reader *r, const char *p, struct slice *name)
{
    const char *start = p;

    if (*p == '"')
        return read_quoted(r, p, name);
    if (!is_name_start(*p))
        return prometheus_fail(r, p, "expected the name of a metric");
    while (is_name_char(*p))
        p++;
    *name = (struct slice){start, (size_t)(p - start)};
    return p;
}

static int add_label(struct prometheus_reader *r, struct slice name, struct slice value)
{
    if (r->labels.count == r->labels.capacity) {
        size_t capacity = r->labels.capacity == 0 ? FIRST_LABELS : 2 * r->labels.capacity;
        struct prometheus_label *items =
            realloc(r->labels.items, capacity * sizeof(*r->labels.items));

        if (items == NULL) {
            prometheus_fail_memory(r);
            return -1;
        }
        r->labels.items = items;
        r->labels.capacity = capacity;
    }
    r->labels.items[r->labels.count++] = (struct prometheus_label){name, value};
    return 0;
}

/* name="value" at `p`, or a quoted name of the metric itself. */
static const char *read_label(struct prometheus_reader *r, const char *p, struct slice *metric)
{
    const char *start = p;
    struct slice name;
    struct slice value;

    if (*p != '"' && !is_name_start(*p))
        return prometheus_fail(r, p, "expected the name of a label, or }");
    p = prometheus_read_metric(r, p, &name);
    if (p == NULL)
        return NULL;
    p = skip_blank(p);
    if (*p != '=' && *start == '"' && metric->data == NULL) {
        *metric = name;
        return p;
    }
    if (*p != '=')
        return prometheus_fail(r, p, "expected = behind the name of a label");
    p = skip_blank(p + 1);
    if (*p != '"')
        return prometheus_fail(r, p, "expected the value of a label in quotes");
    p = read_quoted(r, p, &value);
    return p == NULL || add_label(r, name, value) == -1 ? NULL : p;
}

/* From behind the { to behind the }. */
static const char *read_labels(struct prometheus_reader *r, const char *p, struct slice *metric)
{
    for (;;) {
        p = skip_blank(p);
        if (*p == '}')
            return p + 1;
        p = read_label(r, p, metric);
        if (p == NULL)
            return NULL;
        p = skip_blank(p);
        if (*p == ',')
            p++;
        else if (*p != '}')
            return prometheus_fail(r, p, "expected , or } behind a label");
    }
}

static int compare_labels(const void *a, const void *b)
{
    const struct slice *x = &((const struct prometheus_label *)a)->name;
    const struct slice *y = &((const struct prometheus_label *)b)->name;
    size_t least = x->length < y->length ? x->length : y->length;
    int order = least == 0 ? 0 : memcmp(x->data, y->data, least);

    return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

/* Most are written in order; those that are not get sorted. False: one stands twice. */
static bool sort_labels(struct prometheus_reader *r, const char *at)
{
    struct prometheus_label *labels = r->labels.items;
    bool sorted = true;

    for (size_t i = 1; i < r->labels.count && sorted; i++)
        sorted = compare_labels(&labels[i - 1], &labels[i]) < 0;
    if (sorted)
        return true;
    qsort(labels, r->labels.count, sizeof(*labels), compare_labels);
    for (size_t i = 1; i < r->labels.count; i++) {
        if (compare_labels(&labels[i - 1], &labels[i]) == 0) {
            prometheus_fail(r, at, "a label that stands twice: %.*s",
                            labels[i].name.length < 60 ? (int)labels[i].name.length : 60,
                            labels[i].name.data);
            return false;
        }
    }
    return true;
}

const char *prometheus_read_name(struct prometheus_reader *r, const char *p, struct slice *name)
{
    const char *start = p;

    r->labels.count = 0;
    if (*p != '{') {
        p = prometheus_read_metric(r, p, name);
        if (p == NULL)
            return NULL;
        p = skip_blank(p);
    }
    if (*p == '{') {
        p = read_labels(r, p + 1, name);
        if (p == NULL || !sort_labels(r, start))
            return NULL;
    } else if (p[-1] != ' ' && p[-1] != '\t') {
        return prometheus_fail(r, p, "expected labels or a value behind the name of the metric");
    }
    return name->data != NULL ? p : prometheus_fail(r, start, "a sample without a name");
}

bool prometheus_looks_like(const char *text, size_t length)
{
    const char *end = text + length;
    const char *p = text;

    if (length >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        p += 3;
    while (p < end && strchr(" \t\r\n", *p) != NULL && *p != '\0')
        p++;
    if (end - p >= 7 && (strncmp(p, "# HELP ", 7) == 0 || strncmp(p, "# TYPE ", 7) == 0 ||
                         strncmp(p, "# UNIT ", 7) == 0))
        return true;
    if (p == end || !is_name_start(*p))
        return false;
    while (p < end && is_name_char(*p))
        p++;
    if (p == end || *p++ != '{')
        return false;
    for (p = skip_blank(p); p < end && is_name_char(*p);)
        p++;
    return end - p >= 2 && *p == '=' && p[1] == '"';
}
