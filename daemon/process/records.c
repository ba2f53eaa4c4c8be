#include "process/records.h"

#include <string.h>

const char record_left_out[] = "left out";

struct selector {
    const struct jsonpath *path;
    struct arena *arena;
    struct records *records;
    bool may_lack; /* a page without its list has no records */
};

static int reserve(struct selector *s, size_t more)
{
    struct records *r = s->records;
    size_t capacity = r->capacity;
    struct record *list;

    if (more <= r->capacity - r->count)
        return 0;
    capacity = r->count + more > 2 * capacity ? r->count + more : 2 * capacity;
    list = arena_grow(s->arena, r->list, r->capacity * sizeof(*list), capacity * sizeof(*list));
    if (list == NULL)
        return -1;
    r->list = list;
    r->capacity = capacity;
    return 0;
}

static int add(struct selector *s, const struct node *node, const char *rejected)
{
    if (reserve(s, 1) == -1)
        return -1;
    s->records->list[s->records->count++] = (struct record){node, rejected};
    return 0;
}

static int add_elements(struct selector *s, const struct node *array)
{
    struct record *next;

    if (reserve(s, array->length) == -1)
        return -1;
    next = s->records->list + s->records->count;
    if (array->length > 0) {
        for (const struct node *n = node_first(array); n < node_end(array); n = node_next(n))
            *next++ = (struct record){n, NULL};
    }
    s->records->count += array->length;
    return 0;
}

/* --- Reasons --- */

#define NAMES_SHOWN     6
#define MOST_NAME_BYTES 40

/* "an object with error, message", "an array of 3", "a string": what stands there instead. */
static void describe(const struct node *node, struct text *out)
{
    const struct node *name = node_first(node);

    if (node->type == NODE_ARRAY) {
        text_format(out, "an array of %u", node->length);
        return;
    }
    if (node->type != NODE_OBJECT) {
        text_add(out, node->type == NODE_NULL ? "" : "a ");
        text_add(out, node_type_name(node));
        return;
    }
    text_add(out, node->length == 0 ? "an empty object" : "an object with ");
    for (uint32_t i = 0; i < node->length; i++, name = node_next(node_next(name))) {
        if (i == NAMES_SHOWN || name->length > MOST_NAME_BYTES) {
            text_add(out, i == 0 ? "other members" : ", ...");
            return;
        }
        text_add(out, i == 0 ? "" : ", ");
        text_visible(out, name->text, name->length);
    }
}

static const char *keep(struct selector *s, struct text *reason)
{
    const char *kept =
        text_failed(reason) ? NULL : arena_copy(s->arena, text_string(reason), reason->length);

    text_free(reason);
    return kept;
}

static const char *scalar_reason(struct selector *s, const struct node *node)
{
    struct text reason = {0};

    text_format(&reason, "records: %s selects ", jsonpath_text(s->path));
    describe(node, &reason);
    text_add(&reason, ", where an array or object of records was expected");
    return keep(s, &reason);
}

/* --- Segments of a path: what stands between its dots and brackets --- */

/* Length of the segment at `p`, a path that is known to compile. */
static size_t segment_length(const char *p)
{
    const char *start = p;
    int depth = 0;
    char quote = '\0';

    p += strspn(p, "."); /* one, or two of a descendant segment */
    for (; *p != '\0'; p++) {
        if (quote != '\0') {
            if (*p == '\\' && p[1] != '\0')
                p++;
            else if (*p == quote)
                quote = '\0';
        } else if (depth > 0 && (*p == '"' || *p == '\'')) {
            quote = *p;
        } else if (*p == '[' || *p == ']') {
            if (*p == '[' && depth == 0 && p > start && p[-1] != '.')
                break;
            depth += *p == '[' ? 1 : -1;
        } else if (*p == '.' && depth == 0) {
            break;
        }
    }
    return (size_t)(p - start);
}

/* A path of its own from a part of another: "$", then `length` bytes of `segments`. */
static struct jsonpath *part_of_path(struct arena *arena, const char *segments, size_t length)
{
    char *text;

    while (length > 0 && strchr(" \t\r\n", segments[length - 1]) != NULL)
        length--; /* blanks may stand between segments, not behind the last */
    text = arena_alloc(arena, length + 2);
    if (text == NULL)
        return NULL;
    text[0] = '$';
    memcpy(text + 1, segments, length);
    text[length + 1] = '\0';
    return jsonpath_compile(text, &(size_t){0}, NULL);
}

/* Whether a segment selects any number of children (wildcard, slice, union): "$" + it is not
 * singular. */
static int is_plural(struct arena *arena, const char *segment, size_t length, bool *plural)
{
    struct jsonpath *path = part_of_path(arena, segment, length);

    if (path == NULL)
        return -1;
    *plural = !jsonpath_is_singular(path);
    jsonpath_free(path);
    return 0;
}

static const char *segments_of(const struct jsonpath *path)
{
    return strchr(jsonpath_text(path), '$') + 1;
}

/* Whether the last segment is plural; the path itself may be in any case. */
static int ends_plural(struct selector *s, bool *plural)
{
    const char *last = segments_of(s->path);

    *plural = jsonpath_ends_in_wildcard(s->path);
    if (*plural || *last == '\0')
        return 0;
    while (last[segment_length(last)] != '\0')
        last += segment_length(last);
    return is_plural(s->arena, last, strlen(last), plural);
}

static bool has_empty_container(const struct node_list *nodes)
{
    for (size_t i = 0; i < nodes->count; i++) {
        if (node_is_container(nodes->nodes[i]) && nodes->nodes[i]->length == 0)
            return true;
    }
    return false;
}

/*
 * Whether a path selects nothing only because a container is empty: the longest part of the path
 * that selects something selects an empty one, and the segment behind it asks for any children.
 * Walked from the front; only an answer without records pays for it.
 */
static int stops_at_empty(struct selector *s, const struct node *document, bool *empty)
{
    const char *segments = segments_of(s->path);
    size_t before = 0;

    *empty = false;
    while (segments[before] != '\0') {
        size_t length = segment_length(segments + before);
        struct jsonpath *path = part_of_path(s->arena, segments, before);
        struct node_list nodes;
        bool plural;
        int rc;

        if (path == NULL)
            return -1;
        rc = jsonpath_select(path, document, s->arena, &nodes);
        jsonpath_free(path);
        if (rc == -1 || is_plural(s->arena, segments + before, length, &plural) == -1)
            return -1;
        if (nodes.count == 0)
            return 0;
        *empty = plural && has_empty_container(&nodes);
        before += length;
    }
    return 0;
}

/*
 * How far the path leads: the length of its longest part, from the front, that selects something,
 * and the first node that this part selects.
 */
static int furthest(struct selector *s, const struct node *document, size_t *length,
                    const struct node **node)
{
    const char *segments = segments_of(s->path);
    size_t next = segment_length(segments);

    *length = 0;
    *node = document;
    while (segments[next] != '\0') {
        struct jsonpath *path = part_of_path(s->arena, segments, next);
        struct node_list nodes;
        int rc;

        if (path == NULL)
            return -1;
        rc = jsonpath_select(path, document, s->arena, &nodes);
        jsonpath_free(path);
        if (rc == -1)
            return -1;
        if (nodes.count == 0)
            return 0;
        *length = next;
        *node = nodes.nodes[0];
        next += segment_length(segments + next);
    }
    return 0;
}

static const char *nothing_reason(struct selector *s, const struct node *document)
{
    struct text reason = {0};
    const struct node *node;
    size_t length;

    if (furthest(s, document, &length, &node) == -1)
        return NULL;
    text_format(&reason, "records: %s selects nothing; ", jsonpath_text(s->path));
    if (length == 0)
        text_add(&reason, "the document");
    else
        text_format(&reason, "$%.*s", (int)length, segments_of(s->path));
    text_add(&reason, " is ");
    describe(node, &reason);
    return keep(s, &reason);
}

/* --- One document --- */

/*
 * Whether the list is not there, or null in its place or on the way to it: not whether something
 * else stands there.
 */
static int lacks_list(struct selector *s, const struct node *document, bool *lacks)
{
    const struct node *node;
    size_t length;

    *lacks = false;
    if (!s->may_lack)
        return 0;
    if (furthest(s, document, &length, &node) == -1)
        return -1;
    *lacks = node->type == NODE_NULL || node->type == NODE_OBJECT ||
             (node->type == NODE_ARRAY && node->length == 0);
    return 0;
}

static int select_nothing(struct selector *s, const struct node *document, const char **reason)
{
    bool empty;

    if (lacks_list(s, document, &empty) == -1)
        return -1;
    if (empty)
        return 0;
    if (!jsonpath_is_singular(s->path) && stops_at_empty(s, document, &empty) == -1)
        return -1;
    if (empty)
        return 0;
    *reason = nothing_reason(s, document);
    return *reason == NULL ? -1 : 0;
}

/* Adds the records of one document. `*reason` is set when it has none where some were expected. */
static int select_one(struct selector *s, const struct node *document, const char **reason)
{
    const struct node *node = jsonpath_first(s->path, document);

    if (node == NULL)
        return select_nothing(s, document, reason);
    if (node->type == NODE_NULL && s->may_lack)
        return 0;
    if (node->type == NODE_ARRAY)
        return add_elements(s, node);
    else if (node->type == NODE_OBJECT)
        return add(s, node, NULL);
    else
        *reason = scalar_reason(s, node);
    return *reason == NULL ? -1 : 0;
}

/* Each of them, or of arrays, unless the path selects one by one, the elements. */
static int add_nodes(struct selector *s, const struct node_list *nodes)
{
    bool one_by_one;

    if (ends_plural(s, &one_by_one) == -1 || reserve(s, nodes->count) == -1)
        return -1;
    for (size_t i = 0; i < nodes->count; i++) {
        bool expand = !one_by_one && nodes->nodes[i]->type == NODE_ARRAY;

        if ((expand ? add_elements(s, nodes->nodes[i]) : add(s, nodes->nodes[i], NULL)) == -1)
            return -1;
    }
    return 0;
}

static int select_many(struct selector *s, const struct node *document, const char **reason)
{
    struct node_list nodes;

    if (jsonpath_select(s->path, document, s->arena, &nodes) == -1)
        return -1;
    return nodes.count == 0 ? select_nothing(s, document, reason) : add_nodes(s, &nodes);
}

static int select_from(struct selector *s, const struct node *document, const char **reason)
{
    *reason = NULL;
    return jsonpath_is_singular(s->path) ? select_one(s, document, reason)
                                         : select_many(s, document, reason);
}

static int select_from_lines(struct selector *s, const struct node *root)
{
    const char *first_reason = NULL;
    size_t rejected = 0;

    if (root->length == 0)
        return 0;
    for (const struct node *line = node_first(root); line < node_end(root);
         line = node_next(line)) {
        const char *reason;

        if (select_from(s, line, &reason) == -1)
            return -1;
        if (reason == NULL)
            continue;
        if (add(s, line, reason) == -1)
            return -1;
        first_reason = first_reason == NULL ? reason : first_reason;
        rejected++;
    }
    if (rejected == root->length)
        s->records->failure = first_reason;
    return 0;
}

int records_select(const struct jsonpath *path, const struct node *root, bool lines, bool may_lack,
                   struct arena *arena, struct records *records)
{
    struct selector s = {path, arena, records, may_lack};

    *records = (struct records){0};
    if (path == NULL) {
        if (lines || root->type == NODE_ARRAY)
            return add_elements(&s, root);
        if (root->type == NODE_NULL && may_lack)
            return 0;
        return add(&s, root, NULL);
    }
    if (lines)
        return select_from_lines(&s, root);
    return select_from(&s, root, &records->failure);
}

/* From the end, so that each record is moved once. */
int records_add_rejected(struct records *records, const struct record *rejected, size_t count,
                         struct arena *arena)
{
    struct selector s = {.arena = arena, .records = records};
    size_t left = records->count;

    if (count == 0 || records->failure != NULL)
        return 0;
    if (reserve(&s, count) == -1)
        return -1;
    records->count += count;
    while (count > 0) {
        const struct record *last = left == 0 ? NULL : &records->list[left - 1];
        bool behind = last != NULL && last->node->raw > rejected[count - 1].node->raw;

        records->list[left + count - 1] = behind ? *last : rejected[count - 1];
        left -= behind;
        count -= !behind;
    }
    return 0;
}

int records_add(const struct jsonpath *path, const struct node *parent, struct arena *arena,
                struct records *records)
{
    struct selector s = {path, arena, records, true};
    struct node_list nodes;
    const struct node *node;

    if (!jsonpath_is_singular(path)) {
        if (jsonpath_select(path, parent, arena, &nodes) == -1)
            return -1;
        return nodes.count == 0 ? 0 : add_nodes(&s, &nodes);
    }
    node = jsonpath_first(path, parent);
    if (node == NULL || node->type == NODE_NULL)
        return 0;
    return node->type == NODE_ARRAY ? add_elements(&s, node) : add(&s, node, NULL);
}
