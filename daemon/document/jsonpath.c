/* What is asked of a compiled path, and what is done with the nodes that it selects. */
#include "gatherd/jsonpath.h"

#include "document/jsonpath_walk.h"

/*
 * Far more than a path takes that is written for its document: one that goes over all of it takes a
 * step or two a node, and few documents are nested so deep that selecting everything would give
 * their bytes more often.
 */
#define FREE_STEPS   UINT64_C(100000000) /* a few tenths of a second */
#define STEPS_A_NODE UINT64_C(32)        /* and path */
#define STEPS_A_BYTE UINT64_C(4)         /* and path */

/* What selecting a node costs. Its place in the list takes 8 bytes, and 8 more while that grows. */
#define STEPS_SELECTED 8u
#define BYTES_A_NODE   8u /* of JSON text that has to be written first */

const char *jsonpath_text(const struct jsonpath *path)
{
    return path->text;
}

bool jsonpath_is_singular(const struct jsonpath *path)
{
    return path->query.singular;
}

static bool names_one(const struct segment *segment)
{
    return segment->count == 1 && segment->selectors->kind <= SELECTOR_INDEX;
}

bool jsonpath_ends_in_choice(const struct jsonpath *path)
{
    const struct query *query = &path->query;

    return query->count > 0 && !names_one(&query->segments[query->count - 1]);
}

struct slice jsonpath_single_name(const struct jsonpath *path)
{
    const struct query *query = &path->query;

    if (query->count == 1 && query->singular && query->steps->kind == SELECTOR_NAME)
        return query->steps->name;
    return (struct slice){NULL, 0};
}

struct slice jsonpath_last_name(const struct jsonpath *path)
{
    const struct query *query = &path->query;

    for (size_t i = query->count; i > 0; i--) {
        const struct segment *segment = &query->segments[i - 1];

        if (segment->count == 1 && segment->selectors->kind == SELECTOR_NAME)
            return segment->selectors->name;
    }
    return (struct slice){NULL, 0};
}

void jsonpath_begin(struct jsonpath_session *session, struct arena *arena,
                    const struct node *document, size_t bytes, size_t paths)
{
    *session = (struct jsonpath_session){
        .arena = arena,
        .steps_left = FREE_STEPS + (STEPS_A_NODE * document->span + STEPS_A_BYTE * bytes) * paths,
    };
}

/* --- Lists --- */

struct list_sink {
    struct sink sink;
    struct node_list list;
    size_t capacity;
};

static bool grow(struct list_sink *to, struct evaluation *e)
{
    size_t capacity = to->capacity == 0 ? 16 : to->capacity * 2;
    void *nodes =
        arena_grow(e->session->arena, to->list.nodes, to->capacity * sizeof(*to->list.nodes),
                   capacity * sizeof(*to->list.nodes));

    if (nodes == NULL) {
        e->status = JSONPATH_NOMEM;
        return false;
    }
    to->list.nodes = nodes;
    to->capacity = capacity;
    return true;
}

static uint64_t size_of(const struct node *node)
{
    if (node->raw_length > 0)
        return node->raw_length;
    return (uint64_t)BYTES_A_NODE * node->span + (node_is_container(node) ? 0 : node->length);
}

static bool append(struct sink *sink, struct evaluation *e, const struct node *node)
{
    struct list_sink *to = (struct list_sink *)sink;

    if (!spend(e, STEPS_SELECTED + size_of(node)))
        return false;
    if (to->list.count == to->capacity && !grow(to, e))
        return false;
    to->list.nodes[to->list.count++] = node;
    return true;
}

enum jsonpath_status jsonpath_select(const struct jsonpath *path, const struct node *root,
                                     struct jsonpath_session *session, struct node_list *list)
{
    struct evaluation e = {.root = root, .session = session};
    struct list_sink to = {.sink = {append}};

    walk_query(&e, &path->query, path->query.count, root, &to.sink);
    *list = to.list;
    return e.status;
}

/* --- The first --- */

struct first_sink {
    struct sink sink;
    const struct node *found;
};

static bool take_first(struct sink *sink, struct evaluation *e, const struct node *node)
{
    (void)e;
    ((struct first_sink *)sink)->found = node;
    return false;
}

/* Of the first `count` segments. */
static enum jsonpath_status find(const struct query *query, size_t count, const struct node *root,
                                 struct jsonpath_session *session, const struct node **found)
{
    struct evaluation e = {.root = root, .session = session};
    struct first_sink first = {.sink = {take_first}};

    walk_query(&e, query, count, root, &first.sink);
    *found = first.found;
    return e.status;
}

enum jsonpath_status jsonpath_find(const struct jsonpath *path, const struct node *root,
                                   struct jsonpath_session *session, const struct node **found)
{
    return find(&path->query, path->query.count, root, session, found);
}

/* --- How far --- */

struct choice_sink {
    struct sink sink;
    const struct segment *next;
    bool found;
};

/* Whether one selector may select nothing of a node without anything being wrong with the node. */
static bool may_choose_nothing(const struct selector *selector, const struct node *node)
{
    switch (selector->kind) {
    case SELECTOR_FILTER:
        return node_is_container(node);
    case SELECTOR_SLICE:
        return node->type == NODE_ARRAY;
    case SELECTOR_NAME:
    case SELECTOR_INDEX:
    case SELECTOR_WILDCARD:
        break;
    }
    return false;
}

static bool look_for_choice(struct sink *sink, struct evaluation *e, const struct node *node)
{
    struct choice_sink *choice = (struct choice_sink *)sink;
    const struct segment *next = choice->next;

    (void)e;
    if (next->descendant || !names_one(next))
        choice->found = node_is_container(node) && node->length == 0;
    for (size_t i = 0; i < next->count && !choice->found; i++)
        choice->found = may_choose_nothing(&next->selectors[i], node);
    return !choice->found;
}

enum jsonpath_status jsonpath_reach(const struct jsonpath *path, const struct node *root,
                                    struct jsonpath_session *session, struct jsonpath_reach *reach)
{
    const struct query *query = &path->query;
    struct evaluation e = {.root = root, .session = session};
    struct choice_sink choice = {.sink = {look_for_choice}};
    size_t count = 0;

    *reach = (struct jsonpath_reach){.node = root};
    while (count < query->count) {
        const struct node *node;
        enum jsonpath_status status = find(query, count + 1, root, session, &node);

        if (status != JSONPATH_OK)
            return status;
        if (node == NULL)
            break;
        reach->node = node;
        count++;
    }
    reach->part_length = count == 0 ? 1 : query->segments[count - 1].end;
    if (count == query->count)
        return JSONPATH_OK;
    choice.next = &query->segments[count];
    walk_query(&e, query, count, root, &choice.sink);
    reach->chosen = choice.found;
    return e.status;
}

void jsonpath_explain_too_long(const struct jsonpath *path, struct text *out)
{
    text_add(out, path->text);
    text_add(out, " goes over this document too often; name more of the way instead of .. and *, "
                  "filter earlier, and write regular expressions that cannot match in many ways");
}
