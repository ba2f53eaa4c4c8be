/*
 * One pass over the text, without recursion. A value is written as the next node; while a container
 * is open, its `span` holds the distance back to the container around it (0: none) and, when
 * another is open within it, its `length` the children so far. White space is looked for only where
 * the expected character is not there at once, so compact JSON never pays for it.
 *
 * Plain strings and short numbers are taken here, in one look of 16 bytes; all others, and all that
 * is wrong, leave this file for json_string.c and json_explain.c.
 */
#include "document/json_reader.h"

#include <string.h>

#include "document/json_scan.h"
#include "document/utf8.h"

#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

/* The compiler takes these for too large to be copied into the loop; measured, it gains 2 %. */
#define INLINE static inline __attribute__((always_inline))

/* Real answers have 8 to 16 bytes a node; where there are more nodes, the array grows. */
#define BYTES_PER_NODE 8
#define SPARE_NODES    16

/* Makes the array of nodes twice as large; false: memory is out. */
static bool grow_nodes(struct reader *r)
{
    size_t bytes = r->capacity * sizeof(*r->nodes);
    struct node *nodes = arena_grow(r->arena, r->nodes, bytes, bytes * 2);

    if (nodes == NULL) {
        json_fail_memory(r);
        return false;
    }
    r->nodes = nodes;
    r->capacity *= 2;
    return true;
}

INLINE void put_scalar(struct node *node, enum node_type type, const char *text,
                       const char *text_end)
{
    node->type = (uint8_t)type;
    node->integer = false;
    node->length = (uint32_t)(text_end - text);
    node->span = 1;
    node->raw_length = (uint32_t)(text_end - text);
    node->text = text;
    node->raw = text;
}

/* `p` is behind the opening quote. */
INLINE const char *read_string(struct reader *r, const char *p, struct node *node)
{
    const char *stop = scan_plain(p, r->end);

    if (unlikely(*stop != '"'))
        return json_read_string(r, p, stop, node);
    put_scalar(node, NODE_STRING, p, stop);
    node->raw = p - 1;
    node->raw_length = (uint32_t)(stop - p) + 2;
    return stop + 1;
}

static const char *skip_digits(const char *p)
{
    while (is_digit(*p))
        p++;
    return p;
}

/* Any number, digit by digit; NULL when it is none. A NUL behind the text ends it. */
static const char *scan_long_number(const char *p, bool *integer)
{
    if (*p == '-')
        p++;
    if (!is_digit(*p) || (*p == '0' && is_digit(p[1])))
        return NULL;
    p = skip_digits(p);
    *integer = *p != '.' && (*p | 0x20) != 'e';
    if (*p == '.') {
        if (!is_digit(p[1]))
            return NULL;
        p = skip_digits(p + 1);
    }
    if ((*p | 0x20) == 'e') {
        p += p[1] == '+' || p[1] == '-' ? 2 : 1;
        if (!is_digit(*p))
            return NULL;
        p = skip_digits(p);
    }
    return p;
}

INLINE const char *read_number(struct reader *r, const char *p, struct node *node)
{
    bool integer = true;
    const char *stop = scan_number(p, r->end, &integer);

    if (unlikely(stop == NULL)) {
        stop = scan_long_number(p, &integer);
        if (stop == NULL)
            return json_explain_number(r, p);
    }
    put_scalar(node, NODE_NUMBER, p, stop);
    node->integer = integer;
    return stop;
}

INLINE const char *read_word(struct reader *r, const char *p, const char *word, size_t length,
                             enum node_type type, struct node *node)
{
    if (unlikely((size_t)(r->end - p) < length || memcmp(p, word, length) != 0))
        return json_explain(r, p, EXPECTED_VALUE);
    put_scalar(node, type, p, p + length);
    return p + length;
}

/* The scalar at `p`; `expected` is for what stands there when there is none. */
INLINE const char *read_scalar(struct reader *r, const char *p, struct node *node,
                               enum expected expected)
{
    if (*p == '"')
        return read_string(r, p + 1, node);
    if (is_digit(*p) || *p == '-')
        return read_number(r, p, node);
    if (*p == 'n')
        return read_word(r, p, "null", 4, NODE_NULL, node);
    if (*p == 't')
        return read_word(r, p, "true", 4, NODE_TRUE, node);
    if (*p == 'f')
        return read_word(r, p, "false", 5, NODE_FALSE, node);
    return json_explain(r, p, expected);
}

static inline bool may_be_space(char c)
{
    return (unsigned char)c <= ' ';
}

static inline const char *skip_space(const struct reader *r, const char *p)
{
    return may_be_space(*p) ? scan_space(p, r->end, r->newline) : p;
}

/*
 * The array or object at `p` with everything in it. `node` is always the next node to write. The
 * room for a name and its value is made together.
 */
static const char *read_container(struct reader *r, const char *p)
{
    struct node *node = r->nodes + r->used;
    struct node *limit = r->nodes + r->capacity - 2;
    struct node *open = NULL;
    struct node *closed;
    size_t open_at;
    uint32_t count = 0; /* children of `open` that are complete */
    unsigned depth = 0;

open_container:
    if (unlikely(++depth > JSON_MAX_DEPTH))
        return json_fail(r, p, "nested deeper than %d levels", JSON_MAX_DEPTH);
    if (open != NULL)
        open->length = count;
    node->type = *p == '{' ? NODE_OBJECT : NODE_ARRAY;
    node->integer = false;
    node->span = open == NULL ? 0 : (uint32_t)(node - open);
    node->text = p;
    node->raw = p;
    open = node++;
    count = 0;
    p = skip_space(r, p + 1);
    if (open->type == NODE_OBJECT) {
        if (*p == '}')
            goto close_container;
        goto member;
    }
    if (*p == ']')
        goto close_container;

element:
    if (unlikely(node >= limit))
        goto more_room;
    p = skip_space(r, p);
    if (*p == '{' || *p == '[')
        goto open_container;
    p = read_scalar(r, p, node, EXPECTED_ELEMENT);
    if (unlikely(p == NULL))
        return NULL;
    node++;

element_done:
    count++;
    if (unlikely(may_be_space(*p)))
        p = scan_space(p, r->end, r->newline);
    if (likely(*p == ',')) {
        p++;
        goto element;
    }
    if (likely(*p == ']'))
        goto close_container;
    return json_explain(r, p, EXPECTED_MORE_ELEMENTS);

member:
    if (unlikely(node >= limit))
        goto more_room;
    p = skip_space(r, p);
    if (unlikely(*p != '"'))
        return json_explain(r, p, EXPECTED_NAME);
    p = read_string(r, p + 1, node);
    if (unlikely(p == NULL))
        return NULL;
    node++;
    p = skip_space(r, p);
    if (unlikely(*p != ':'))
        return json_explain(r, p, EXPECTED_COLON);
    p = skip_space(r, p + 1);
    if (*p == '{' || *p == '[')
        goto open_container;
    p = read_scalar(r, p, node, EXPECTED_VALUE);
    if (unlikely(p == NULL))
        return NULL;
    node++;

member_done:
    count++;
    if (unlikely(may_be_space(*p)))
        p = scan_space(p, r->end, r->newline);
    if (likely(*p == ',')) {
        p++;
        goto member;
    }
    if (unlikely(*p != '}'))
        return json_explain(r, p, EXPECTED_MORE_MEMBERS);

close_container:
    p++;
    closed = open;
    open = closed->span == 0 ? NULL : closed - closed->span;
    closed->length = count;
    closed->span = (uint32_t)(node - closed);
    closed->raw_length = (uint32_t)(p - closed->raw);
    if (open == NULL) {
        r->used = (size_t)(node - r->nodes);
        return p;
    }
    depth--;
    count = open->length;
    if (open->type == NODE_OBJECT)
        goto member_done;
    goto element_done;

more_room:
    r->used = (size_t)(node - r->nodes);
    open_at = (size_t)(open - r->nodes);
    if (!grow_nodes(r))
        return NULL;
    node = r->nodes + r->used;
    open = r->nodes + open_at;
    limit = r->nodes + r->capacity - 2;
    if (open->type == NODE_OBJECT)
        goto member;
    goto element;
}

/* The document at `p`, which is not white space. Its root is r->nodes[r->used] before. */
static const char *read_document(struct reader *r, const char *p)
{
    if (r->capacity - r->used < SPARE_NODES && !grow_nodes(r))
        return NULL;
    if (*p == '{' || *p == '[')
        return read_container(r, p);
    p = read_scalar(r, p, r->nodes + r->used, EXPECTED_VALUE);
    r->used++;
    return p;
}

/* Checks what can be seen at once; where the text begins, behind a byte order mark, or NULL. */
static const char *begin(struct reader *r, size_t length)
{
    const char *p = r->body;

    if (r->error != NULL)
        memset(r->error, 0, sizeof(*r->error));
    if (length > UINT32_MAX)
        return json_fail(r, p, "the body has %zu bytes; the most that can be read is 4 GiB",
                         length);
    if (length >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        p += 3;
    if (json_explain_body(r, p))
        return NULL;
    r->capacity = length / BYTES_PER_NODE + SPARE_NODES;
    r->nodes = arena_alloc(r->arena, r->capacity * sizeof(*r->nodes));
    return r->nodes == NULL ? json_fail_memory(r) : p;
}

enum json_status json_read(const char *body, size_t length, struct arena *arena,
                           const struct node **root, struct json_error *error)
{
    struct reader r = {
        .body = body, .end = body + length, .arena = arena, .newline = '\n', .error = error};
    const char *p = begin(&r, length);

    if (p == NULL)
        return r.status;
    p = read_document(&r, scan_space(p, r.end, r.newline));
    if (p == NULL)
        return r.status;
    p = scan_space(p, r.end, r.newline);
    if (p != r.end) {
        json_explain_rest(&r, p);
        return r.status;
    }
    *root = r.nodes;
    return JSON_OK;
}

/* Reads the documents behind the root, which is made when they are counted. */
static bool read_lines(struct reader *r, const char *p, uint32_t *count)
{
    for (;;) {
        p = scan_space(p, r->end, '\n');
        if (p == r->end)
            return true;
        p = read_document(r, p);
        if (p == NULL)
            return false;
        ++*count;
        p = scan_space(p, r->end, r->newline);
        if (!reader_at_end(r, p)) {
            json_explain_rest(r, p);
            return false;
        }
    }
}

/* Behind white space and the separators of a sequence. */
static const char *skip_between(const struct reader *r, const char *p, bool *sequence)
{
    for (;;) {
        p = scan_space(p, r->end, '\n');
        if (p == r->end || *p != JSON_RECORD_SEPARATOR)
            return p;
        *sequence = true;
        p++;
    }
}

/* Whether nothing tells a value that ends at `stop` from one that goes on. */
static bool may_go_on(const struct reader *r, const char *stop, bool sequence)
{
    bool closed = strchr("]}\"", stop[-1]) != NULL;

    if (stop == r->end)
        return sequence && !closed;
    return !closed && strchr(" \t\r\n{[", *stop) == NULL;
}

static bool read_stream(struct reader *r, const char *p, uint32_t *count)
{
    bool sequence = false;

    for (;;) {
        p = skip_between(r, p, &sequence);
        if (p == r->end)
            return true;
        p = read_document(r, p);
        if (p == NULL)
            return false;
        if (may_go_on(r, p, sequence)) {
            if (p == r->end)
                json_fail(r, p, "no line feed is behind the last value, which may be cut off");
            else
                json_explain_rest(r, p);
            return false;
        }
        ++*count;
    }
}

typedef bool read_documents_fn(struct reader *r, const char *p, uint32_t *count);

static enum json_status read_several(struct reader *r, size_t length, read_documents_fn *read,
                                     const struct node **root)
{
    const char *p = begin(r, length);
    uint32_t count = 0;

    if (p == NULL || !read(r, p, &count))
        return r->status;
    r->nodes[0] = (struct node){.type = NODE_ARRAY, .length = count, .span = (uint32_t)r->used};
    *root = r->nodes;
    return JSON_OK;
}

enum json_status json_read_lines(const char *body, size_t length, struct arena *arena,
                                 const struct node **root, struct json_error *error)
{
    struct reader r = {.body = body,
                       .end = body + length,
                       .arena = arena,
                       .newline = ' ',
                       .error = error,
                       .used = 1};

    return read_several(&r, length, read_lines, root);
}

enum json_status json_read_stream(const char *body, size_t length, struct arena *arena,
                                  const struct node **root, struct json_error *error)
{
    struct reader r = {.body = body,
                       .end = body + length,
                       .arena = arena,
                       .newline = '\n',
                       .error = error,
                       .used = 1};

    return read_several(&r, length, read_stream, root);
}
