#include "process/records.h"

#include <assert.h>
#include <string.h>

const char record_left_out[] = "left out";

struct selector {
    const struct jsonpath *path;
    struct jsonpath_session *paths;
    struct arena *arena;
    struct records *records;
    bool may_lack;  /* a page without its list has no records */
    bool named;     /* the members of objects are the records */
    bool exhausted; /* no steps are left for the path */
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
    s->records->list[s->records->count++] = (struct record){.node = node, .rejected = rejected};
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
            *next++ = (struct record){.node = n};
    }
    s->records->count += array->length;
    return 0;
}

static int add_members(struct selector *s, const struct node *object)
{
    if (reserve(s, object->length) == -1)
        return -1;
    for (const struct node *name = object + 1; name < node_end(object);
         name = node_next(node_next(name)))
        s->records->list[s->records->count++] =
            (struct record){.node = node_next(name), .name = name};
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

static const char *nothing_reason(struct selector *s, const struct jsonpath_reach *reach)
{
    struct text reason = {0};

    text_format(&reason, "records: %s selects nothing; ", jsonpath_text(s->path));
    if (reach->part_length == 1)
        text_add(&reason, "the document");
    else
        text_append(&reason, jsonpath_text(s->path), reach->part_length);
    text_add(&reason, " is ");
    describe(reach->node, &reason);
    return keep(s, &reason);
}

/* The document needs more steps than a path may take. */
static int too_long(struct selector *s, const char **reason)
{
    struct text words = {0};

    s->exhausted = true;
    text_add(&words, "records: ");
    jsonpath_explain_too_long(s->path, &words);
    *reason = keep(s, &words);
    return *reason == NULL ? -1 : 0;
}

/* --- Members of objects, with their names --- */

static const char *nameless_reason(struct selector *s, const struct node *node)
{
    struct text reason = {0};

    text_format(&reason, "records: %s selects ", s->path == NULL ? "$" : jsonpath_text(s->path));
    describe(node, &reason);
    text_add(&reason, ", where key_as needs an object whose members are the records");
    return keep(s, &reason);
}

static int add_named(struct selector *s, const struct node *node, const char **reason)
{
    if (node->type == NODE_OBJECT)
        return add_members(s, node);
    if (node->type == NODE_NULL && s->may_lack)
        return 0;
    *reason = nameless_reason(s, node);
    return *reason == NULL ? -1 : 0;
}

static int add_all_named(struct selector *s, const struct node_list *nodes, const char **reason)
{
    for (size_t i = 0; i < nodes->count && *reason == NULL; i++) {
        if (add_named(s, nodes->nodes[i], reason) == -1)
            return -1;
    }
    return 0;
}

/* --- One document --- */

/*
 * Whether the list is not there, or null in its place or on the way to it: not whether something
 * else stands there.
 */
static bool lacks_list(const struct selector *s, const struct node *furthest)
{
    return s->may_lack && (furthest->type == NODE_NULL || furthest->type == NODE_OBJECT ||
                           (furthest->type == NODE_ARRAY && furthest->length == 0));
}

static int select_nothing(struct selector *s, const struct node *document, const char **reason)
{
    struct jsonpath_reach reach;

    switch (jsonpath_reach(s->path, document, s->paths, &reach)) {
    case JSONPATH_OK:
        break;
    case JSONPATH_TOO_LONG:
        return too_long(s, reason);
    case JSONPATH_NOMEM:
        return -1;
    }
    if (reach.chosen || lacks_list(s, reach.node))
        return 0;
    *reason = nothing_reason(s, &reach);
    return *reason == NULL ? -1 : 0;
}

static int select_named(struct selector *s, const struct node *document, const char **reason)
{
    const struct node *node = document;
    struct node_list nodes = {&node, 1};

    if (s->path != NULL && jsonpath_is_singular(s->path)) {
        node = jsonpath_first(s->path, document);
        nodes.count = node != NULL;
    } else if (s->path != NULL) {
        switch (jsonpath_select(s->path, document, s->paths, &nodes)) {
        case JSONPATH_OK:
            break;
        case JSONPATH_TOO_LONG:
            return too_long(s, reason);
        case JSONPATH_NOMEM:
            return -1;
        }
    }
    return nodes.count == 0 ? select_nothing(s, document, reason)
                            : add_all_named(s, &nodes, reason);
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
    bool one_by_one = jsonpath_ends_in_choice(s->path);

    if (reserve(s, nodes->count) == -1)
        return -1;
    for (size_t i = 0; i < nodes->count; i++) {
        const struct node *node = nodes->nodes[i];
        bool expand = !one_by_one && node->type == NODE_ARRAY;

        if ((expand ? add_elements(s, node) : add(s, node, NULL)) == -1)
            return -1;
    }
    return 0;
}

static int select_many(struct selector *s, const struct node *document, const char **reason)
{
    struct node_list nodes;

    switch (jsonpath_select(s->path, document, s->paths, &nodes)) {
    case JSONPATH_OK:
        return nodes.count == 0 ? select_nothing(s, document, reason) : add_nodes(s, &nodes);
    case JSONPATH_TOO_LONG:
        return too_long(s, reason);
    case JSONPATH_NOMEM:
        break;
    }
    return -1;
}

static int select_from(struct selector *s, const struct node *document, const char **reason)
{
    *reason = NULL;
    if (s->named)
        return select_named(s, document, reason);
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
        if (s->exhausted) {
            s->records->failure = reason;
            return 0;
        }
    }
    if (rejected == root->length)
        s->records->failure = first_reason;
    return 0;
}

int records_select(const struct jsonpath *path, bool named, const struct node *root, bool lines,
                   bool may_lack, struct jsonpath_session *paths, struct records *records)
{
    struct selector s = {.path = path,
                         .paths = paths,
                         .arena = paths->arena,
                         .records = records,
                         .may_lack = may_lack,
                         .named = named};

    *records = (struct records){0};
    if (path == NULL && !named) {
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

int records_append(struct records *records, const struct record *record, struct arena *arena)
{
    struct selector s = {.arena = arena, .records = records};

    if (reserve(&s, 1) == -1)
        return -1;
    records->list[records->count++] = *record;
    return 0;
}

int records_append_elements(struct records *records, const struct node *array, struct arena *arena)
{
    return add_elements(&(struct selector){.arena = arena, .records = records}, array);
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
    assert(records->list != NULL);
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

static int add_list(struct selector *s, const struct node *node)
{
    if (node == NULL || node->type == NODE_NULL)
        return 0;
    if (s->named)
        return node->type == NODE_OBJECT ? add_members(s, node) : 0;
    return node->type == NODE_ARRAY ? add_elements(s, node) : add(s, node, NULL);
}

static int add_lists(struct selector *s, const struct node_list *nodes)
{
    for (size_t i = 0; i < nodes->count; i++) {
        if (add_list(s, nodes->nodes[i]) == -1)
            return -1;
    }
    return 0;
}

enum jsonpath_status records_add(const struct jsonpath *path, bool named, const struct node *parent,
                                 struct jsonpath_session *paths, struct records *records)
{
    struct selector s = {
        .path = path, .paths = paths, .arena = paths->arena, .records = records, .named = named};
    struct node_list nodes;
    enum jsonpath_status status;
    int rc;

    if (jsonpath_is_singular(path)) {
        rc = add_list(&s, jsonpath_first(path, parent));
    } else {
        status = jsonpath_select(path, parent, paths, &nodes);
        if (status != JSONPATH_OK)
            return status;
        rc = named ? add_lists(&s, &nodes) : add_nodes(&s, &nodes);
    }
    return rc == -1 ? JSONPATH_NOMEM : JSONPATH_OK;
}
