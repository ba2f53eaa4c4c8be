#include "gatherd/prometheus.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "document/prometheus_parts.h"
#include "gatherd/charset.h"
#include "gatherd/clock.h"
#include "gatherd/json.h"
#include "gatherd/timestamp.h"

/* Few samples are shorter, and each has this many nodes besides its labels'. */
#define BYTES_PER_SAMPLE 40
#define NODES_PER_SAMPLE 11
#define SPARE_NODES      64

/* --- Errors and small steps --- */

const char *prometheus_fail(struct prometheus_reader *r, const char *at, const char *format, ...)
{
    va_list args;

    if (r->status != PROMETHEUS_OK)
        return NULL;
    r->status = PROMETHEUS_INVALID;
    if (r->error == NULL)
        return NULL;
    va_start(args, format);
    vsnprintf(r->error->message, sizeof(r->error->message), format, args);
    va_end(args);
    r->error->offset = (size_t)(at - r->text);
    json_position(r->text, r->error->offset, &r->error->line, &r->error->column);
    return NULL;
}

const char *prometheus_fail_memory(struct prometheus_reader *r)
{
    r->status = PROMETHEUS_NOMEM;
    if (r->error != NULL)
        *r->error = (struct prometheus_error){.message = "out of memory"};
    return NULL;
}

static bool is_line_end(const char *p)
{
    return *p == '\n' || (*p == '\r' && p[1] == '\n');
}

/* The word at `p`, up to white space. */
static struct slice word_at(const char *p)
{
    return (struct slice){p, strcspn(p, " \t\r\n")};
}

/* --- Nodes --- */

static struct node *add_nodes(struct prometheus_reader *r, size_t count)
{
    if (r->capacity - r->used < count) {
        size_t bytes = r->capacity * sizeof(*r->nodes);
        size_t capacity = 2 * r->capacity + count;
        struct node *nodes = capacity > UINT32_MAX
                                 ? NULL
                                 : arena_grow(r->arena, r->nodes, bytes, capacity * sizeof(*nodes));

        if (nodes == NULL) {
            prometheus_fail_memory(r);
            return NULL;
        }
        r->nodes = nodes;
        r->capacity = capacity;
    }
    r->used += count;
    return r->nodes + r->used - count;
}

static struct node string_node(struct slice text)
{
    return (struct node){.type = NODE_STRING,
                         .length = (uint32_t)text.length,
                         .span = 1,
                         .text = text.data == NULL ? "" : text.data};
}

static struct node word_node(const char *word)
{
    return string_node(slice_of(word));
}

static struct node null_node(void)
{
    return (struct node){.type = NODE_NULL, .length = 4, .span = 1, .text = "null"};
}

/* --- Values --- */

static bool is_word(struct slice text, const char *word)
{
    return strlen(word) == text.length && strncasecmp(text.data, word, text.length) == 0;
}

/* NaN and infinities, as Go writes them and as it reads them. */
static const char *special_value(struct slice text)
{
    bool negative = text.length > 0 && *text.data == '-';
    struct slice bare = text;

    if (is_word(text, "NaN"))
        return "NaN";
    if (text.length > 0 && (*text.data == '+' || *text.data == '-'))
        bare = (struct slice){text.data + 1, text.length - 1};
    if (!is_word(bare, "Inf") && !is_word(bare, "Infinity"))
        return NULL;
    return negative ? "-Inf" : "+Inf";
}

static const char *skip_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

/* The parts of a decimal number; false: it is none. */
static bool split_number(struct slice text, struct slice *whole, struct slice *fraction,
                         struct slice *exponent)
{
    const char *end = text.data + text.length;
    const char *p = text.data;

    if (p < end && (*p == '+' || *p == '-'))
        p++;
    *whole = (struct slice){p, (size_t)(skip_digits(p, end) - p)};
    p += whole->length;
    *fraction = (struct slice){p, 0};
    if (p < end && *p == '.') {
        p++;
        *fraction = (struct slice){p, (size_t)(skip_digits(p, end) - p)};
        p += fraction->length;
    }
    *exponent = (struct slice){p, 0};
    if (whole->length + fraction->length == 0)
        return false;
    if (p < end && (*p == 'e' || *p == 'E')) {
        const char *digits = p + 1;

        if (digits < end && (*digits == '+' || *digits == '-'))
            digits++;
        *exponent = (struct slice){p, (size_t)(end - p)};
        p = skip_digits(digits, end);
        if (p == digits)
            return false;
    }
    return p == end;
}

/* The number as JSON writes it, where Go writes more freely: +1, 007, .5 and 5. */
static const char *rewrite_number(struct prometheus_reader *r, bool negative, struct slice whole,
                                  struct slice fraction, struct slice exponent,
                                  struct slice *number)
{
    size_t size = 4 + whole.length + fraction.length + exponent.length;
    char *copy = arena_alloc(r->arena, size);

    if (copy == NULL)
        return prometheus_fail_memory(r);
    while (whole.length > 1 && *whole.data == '0')
        whole = (struct slice){whole.data + 1, whole.length - 1};
    number->length =
        (size_t)snprintf(copy, size, "%s%.*s%s%.*s%.*s", negative ? "-" : "",
                         whole.length == 0 ? 1 : (int)whole.length,
                         whole.length == 0 ? "0" : whole.data, fraction.length == 0 ? "" : ".",
                         (int)fraction.length, fraction.data, (int)exponent.length, exponent.data);
    number->data = copy;
    return copy;
}

/* A double holds any integer of so many digits. */
#define MOST_EXACT_DIGITS 15

static const char *read_value(struct prometheus_reader *r, const char *p, struct node *node)
{
    struct slice text = word_at(p);
    const char *special = special_value(text);
    struct slice whole;
    struct slice fraction;
    struct slice exponent;
    bool point;

    if (special != NULL) {
        *node = word_node(special);
        return p + text.length;
    }
    if (!split_number(text, &whole, &fraction, &exponent))
        return prometheus_fail(r, p, "expected a value, a number");
    *node = string_node(text);
    node->type = NODE_NUMBER;
    point = fraction.data != whole.data + whole.length;
    node->integer = !point && exponent.length == 0 && whole.length > MOST_EXACT_DIGITS;
    if (*p == '+' || whole.length == 0 || (whole.length > 1 && *whole.data == '0') ||
        (point && fraction.length == 0)) {
        struct slice number = {NULL, 0};

        if (rewrite_number(r, *p == '-', whole, fraction, exponent, &number) == NULL)
            return NULL;
        node->text = number.data;
        node->length = (uint32_t)number.length;
    }
    return p + text.length;
}

/* Milliseconds since 1970, or OpenMetrics' seconds. */
static const char *read_time(struct prometheus_reader *r, const char *p, struct node *node)
{
    struct slice text = word_at(p);
    struct decimal decimal;
    int64_t wall_ms;
    char *formatted;

    if (!decimal_read(text, &decimal) ||
        !timestamp_from_number(&decimal, r->open_metrics ? TIME_UNIT_S : TIME_UNIT_MS, &wall_ms))
        return prometheus_fail(r, p, "expected a time stamp in %s, or the end of the line",
                               r->open_metrics ? "seconds" : "milliseconds");
    formatted = arena_alloc(r->arena, CLOCK_TEXT_SIZE);
    if (formatted == NULL)
        return prometheus_fail_memory(r);
    *node = word_node(clock_format(wall_ms, formatted));
    return p + text.length;
}

/* --- Samples --- */

static const char *skip_line(const char *p)
{
    return p + strcspn(p, "\n");
}

static const char *skip_blank(const char *p)
{
    return p + strspn(p, " \t");
}

/* Value, time stamp and exemplar: what stands behind name and labels. */
static const char *read_numbers(struct prometheus_reader *r, const char *p, struct node *value,
                                struct node *time)
{
    p = read_value(r, p, value);
    if (p == NULL)
        return NULL;
    p = skip_blank(p);
    if (!is_line_end(p) && *p != '#' && *p != '\0') {
        p = read_time(r, p, time);
        if (p == NULL)
            return NULL;
        p = skip_blank(p);
    }
    if (*p == '#' && r->open_metrics)
        p = skip_line(p); /* an exemplar: what it is about is in the sample */
    if (*p == '\0')
        return prometheus_fail(r, p, "the last line has no line break: the text was cut off");
    return is_line_end(p) ? p : prometheus_fail(r, p, "expected the end of the line");
}

/* The labels as an object, sorted by name. */
static int put_labels(struct prometheus_reader *r)
{
    struct node *nodes = add_nodes(r, 1 + 2 * r->labels.count);
    const struct prometheus_label *labels = r->labels.items;

    if (nodes == NULL)
        return -1;
    nodes[0] = (struct node){.type = NODE_OBJECT,
                             .length = (uint32_t)r->labels.count,
                             .span = (uint32_t)(1 + 2 * r->labels.count),
                             .text = ""};
    for (size_t i = 0; i < r->labels.count; i++) {
        nodes[1 + 2 * i] = string_node(labels[i].name);
        nodes[2 + 2 * i] = string_node(labels[i].value);
    }
    return 0;
}

static int put_sample(struct prometheus_reader *r, const char *start, const char *end,
                      struct slice name, struct node value, struct node time)
{
    size_t place = r->used;
    struct node *nodes = add_nodes(r, 4);

    if (nodes == NULL)
        return -1;
    nodes[0] = (struct node){.type = NODE_OBJECT, .length = 5, .text = end, .raw = start};
    nodes[1] = word_node("name");
    nodes[2] = string_node(name);
    nodes[3] = word_node("labels");
    if (put_labels(r) == -1)
        return -1;
    nodes = add_nodes(r, 6);
    if (nodes == NULL)
        return -1;
    nodes[0] = word_node("value");
    nodes[1] = value;
    nodes[2] = word_node("type");
    nodes[3] = word_node(prometheus_type_of(r, name));
    nodes[4] = word_node("time");
    nodes[5] = time;
    r->nodes[place].span = (uint32_t)(r->used - place);
    r->nodes[0].length++;
    return 0;
}

static const char *read_sample(struct prometheus_reader *r, const char *start)
{
    struct slice name = {NULL, 0};
    struct node value = null_node();
    struct node time = null_node();
    const char *p = prometheus_read_name(r, start, &name);

    if (p == NULL)
        return NULL;
    p = read_numbers(r, skip_blank(p), &value, &time);
    return p == NULL || put_sample(r, start, p, name, value, time) == -1 ? NULL : p;
}

/* --- The text --- */

/* Whether the last line is # EOF. */
static bool ends_in_eof(const char *text, size_t length)
{
    static const char mark[] = "# EOF";
    size_t size = sizeof(mark) - 1;

    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    return length >= size && memcmp(text + length - size, mark, size) == 0 &&
           (length == size || text[length - size - 1] == '\n');
}

/* # TYPE, # EOF, or a line that says nothing to us. */
static const char *read_comment(struct prometheus_reader *r, const char *p)
{
    const char *word = skip_blank(p + 1);
    struct slice keyword = word_at(word);

    if (r->open_metrics && slice_equals(keyword, "EOF")) {
        r->ended = true;
        p = word + keyword.length;
    } else if (slice_equals(keyword, "TYPE")) {
        p = prometheus_read_type(r, skip_blank(word + keyword.length));
    } else {
        p = skip_line(p);
    }
    if (p != NULL && *p == '\0' && !r->ended)
        return prometheus_fail(r, p, "the last line has no line break: the text was cut off");
    return p;
}

static const char *read_line(struct prometheus_reader *r, const char *p)
{
    p = skip_blank(p);
    if (is_line_end(p) || p == r->end)
        return p;
    if (r->ended)
        return prometheus_fail(r, p, "a line behind # EOF");
    if (*p == '#')
        return read_comment(r, p);
    return read_sample(r, p);
}

static void read_all(struct prometheus_reader *r)
{
    const char *p = r->text;

    if (r->end - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        p += 3;
    while (p < r->end) {
        p = read_line(r, p);
        if (p == NULL)
            return;
        p += *p == '\r';
        if (p < r->end && *p != '\n') {
            prometheus_fail(r, p, "expected the end of the line");
            return;
        }
        p++;
    }
    if (r->open_metrics && !r->ended)
        prometheus_fail(r, r->end, "there is no # EOF at the end: the text was cut off");
}

static bool begin(struct prometheus_reader *r, size_t length)
{
    size_t valid;

    if (length > UINT32_MAX) {
        prometheus_fail(r, r->text, "the body has %zu bytes; the most that can be read is 4 GiB",
                        length);
        return false;
    }
    valid = charset_check_utf8((struct slice){r->text, length});
    if (valid < length || memchr(r->text, '\0', length) != NULL) {
        prometheus_fail(r, valid < length ? r->text + valid : r->text + strlen(r->text),
                        valid < length ? "a byte that is not UTF-8" : "a NUL byte");
        return false;
    }
    r->capacity = length / BYTES_PER_SAMPLE * NODES_PER_SAMPLE + SPARE_NODES;
    r->nodes = arena_alloc(r->arena, r->capacity * sizeof(*r->nodes));
    if (r->nodes == NULL) {
        prometheus_fail_memory(r);
        return false;
    }
    r->nodes[r->used++] = (struct node){.type = NODE_ARRAY, .text = ""};
    return true;
}

enum prometheus_status prometheus_read(const char *text, size_t length, bool open_metrics,
                                       struct arena *arena, const struct node **root,
                                       struct prometheus_error *error)
{
    struct prometheus_reader r = {.text = text,
                                  .end = text + length,
                                  .arena = arena,
                                  .open_metrics = open_metrics || ends_in_eof(text, length),
                                  .error = error};

    if (error != NULL)
        *error = (struct prometheus_error){0};
    if (begin(&r, length))
        read_all(&r);
    if (r.status == PROMETHEUS_OK) {
        r.nodes[0].span = (uint32_t)r.used;
        *root = r.nodes;
    }
    prometheus_free_parts(&r);
    return r.status;
}
