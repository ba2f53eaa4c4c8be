#include "gatherd/jsonpath.h"

#include "document/jsonpath_ast.h"
#include "document/node_find.h"

const char *jsonpath_text(const struct jsonpath *path)
{
    return path->text;
}

bool jsonpath_is_singular(const struct jsonpath *path)
{
    return path->singular;
}

static const struct selector *only_selector(const struct segment *segment)
{
    return segment->count == 1 ? segment->selectors : NULL;
}

bool jsonpath_ends_in_wildcard(const struct jsonpath *path)
{
    const struct selector *last;

    if (path->count == 0)
        return false;
    last = only_selector(&path->segments[path->count - 1]);
    return last != NULL && last->kind == SELECTOR_WILDCARD;
}

struct slice jsonpath_single_name(const struct jsonpath *path)
{
    if (path->count == 1 && path->singular && path->segments[0].selectors->kind == SELECTOR_NAME)
        return path->segments[0].selectors->name;
    return (struct slice){NULL, 0};
}

struct slice jsonpath_last_name(const struct jsonpath *path)
{
    for (size_t i = path->count; i > 0; i--) {
        const struct segment *segment = &path->segments[i - 1];

        if (segment->count == 1 && segment->selectors->kind == SELECTOR_NAME)
            return segment->selectors->name;
    }
    return (struct slice){NULL, 0};
}

/* The node that a name or an index selects, or NULL. */
static inline const struct node *select_one(const struct selector *selector,
                                            const struct node *node)
{
    if (selector->kind == SELECTOR_NAME)
        return find_member(node, selector->name);
    return node_element(node, selector->index);
}

const struct node *jsonpath_first(const struct jsonpath *path, const struct node *root)
{
    const struct node *node = root;

    if (!path->singular)
        return NULL;
    for (size_t i = 0; i < path->count && node != NULL; i++)
        node = select_one(&path->steps[i], node);
    return node;
}

/* A list while it grows; arena_grow() wants to know what it holds. */
struct growing {
    struct node_list list;
    size_t capacity;
    struct arena *arena;
};

static bool append(struct growing *to, const struct node *node)
{
    if (to->list.count == to->capacity) {
        size_t capacity = to->capacity == 0 ? 16 : to->capacity * 2;
        void *nodes = arena_grow(to->arena, to->list.nodes, to->capacity * sizeof(node),
                                 capacity * sizeof(node));

        if (nodes == NULL)
            return false;
        to->list.nodes = nodes;
        to->capacity = capacity;
    }
    to->list.nodes[to->list.count++] = node;
    return true;
}

static bool select_children(const struct node *node, struct growing *to)
{
    size_t step = node->type == NODE_OBJECT ? 1 : 0; /* over the name */

    if (!node_is_container(node))
        return true;
    for (const struct node *child = node + 1 + step; child < node_end(node);
         child = node_next(child) + step) {
        if (!append(to, child))
            return false;
    }
    return true;
}

static int64_t between(int64_t value, int64_t lowest, int64_t highest)
{
    if (value < lowest)
        return lowest;
    return value > highest ? highest : value;
}

static int64_t from_end(int64_t index, int64_t length)
{
    return index >= 0 ? index : length + index;
}

/* The elements a slice takes: every `stride`-th from `first` to `last`, both of them included. */
struct extent {
    int64_t first;
    int64_t last;
    int64_t stride;
    bool backwards;
};

/* RFC 9535, 2.3.4.2.2. An extent whose first is above its last is empty. */
static struct extent slice_extent(const struct selector_slice *slice, int64_t length)
{
    int64_t start = from_end(slice->has_start ? slice->start : 0, length);
    int64_t end = slice->has_end ? from_end(slice->end, length) : length;
    struct extent extent = {.first = 0, .last = -1, .stride = slice->step};

    if (slice->step > 0) {
        extent.first = between(start, 0, length);
        extent.last = between(end, 0, length) - 1;
    } else if (slice->step < 0) {
        int64_t upper = slice->has_start ? between(start, -1, length - 1) : length - 1;
        int64_t lower = slice->has_end ? between(end, -1, length - 1) : -1;

        /* Walked from below, the first is the last that the slice would reach from above. */
        extent.backwards = true;
        extent.stride = -slice->step;
        extent.last = upper;
        extent.first =
            lower < upper ? upper - (upper - lower - 1) / extent.stride * extent.stride : upper + 1;
    }
    return extent;
}

/* Turns the order of the nodes from `first` on. */
static void reverse_from(struct node_list *list, size_t first)
{
    for (size_t last = list->count; first + 1 < last; first++) {
        const struct node *node = list->nodes[first];

        last--;
        list->nodes[first] = list->nodes[last];
        list->nodes[last] = node;
    }
}

static bool select_slice(const struct selector_slice *slice, const struct node *node,
                         struct growing *to)
{
    size_t before = to->list.count;
    const struct node *element;
    struct extent extent;
    int64_t next;

    if (node->type != NODE_ARRAY)
        return true;
    extent = slice_extent(slice, node->length);
    next = extent.first;
    element = node_first(node);
    for (int64_t i = 0; next <= extent.last; i++, element = node_next(element)) {
        if (i != next)
            continue;
        if (!append(to, element))
            return false;
        next += extent.stride;
    }
    if (extent.backwards)
        reverse_from(&to->list, before);
    return true;
}

/* Appends what one selector selects of one node; false: out of memory. */
static bool select_nodes(const struct selector *selector, const struct node *node,
                         struct growing *to)
{
    const struct node *one;

    switch (selector->kind) {
    case SELECTOR_NAME:
    case SELECTOR_INDEX:
        one = select_one(selector, node);
        return one == NULL || append(to, one);
    case SELECTOR_WILDCARD:
        return select_children(node, to);
    case SELECTOR_SLICE:
        return select_slice(&selector->slice, node, to);
    }
    return true;
}

static bool apply_segment(const struct segment *segment, const struct node_list *from,
                          struct growing *to)
{
    for (size_t i = 0; i < from->count; i++) {
        for (size_t k = 0; k < segment->count; k++) {
            if (!select_nodes(&segment->selectors[k], from->nodes[i], to))
                return false;
        }
    }
    return true;
}

int jsonpath_select(const struct jsonpath *path, const struct node *root, struct arena *arena,
                    struct node_list *list)
{
    struct growing from = {.arena = arena};

    if (!append(&from, root))
        return -1;
    for (size_t i = 0; i < path->count; i++) {
        struct growing to = {.arena = arena};

        if (!apply_segment(&path->segments[i], &from.list, &to))
            return -1;
        from = to;
    }
    *list = from.list;
    return 0;
}
