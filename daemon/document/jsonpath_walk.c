#include "document/jsonpath_walk.h"

#include "document/node_find.h"

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
    const struct query *query = &path->query;
    const struct node *node = root;

    if (!query->singular)
        return NULL;
    for (size_t i = 0; i < query->count && node != NULL; i++)
        node = select_one(&query->steps[i], node);
    return node;
}

/* What passing over all children costs, at most. */
static inline uint64_t steps_over(const struct node *node)
{
    uint64_t children = node_is_container(node) ? node->length : 0;
    bool flat = node->span <= 1 + 2 * children;

    return 1 + (flat ? children : STEPS_A_LEAP * children);
}

const struct node *walk_singular(struct evaluation *e, const struct query *query,
                                 const struct node *current)
{
    const struct node *node = query->relative ? current : e->root;

    for (size_t i = 0; i < query->count && node != NULL; i++) {
        if (!spend(e, steps_over(node)))
            return NULL;
        node = select_one(&query->steps[i], node);
    }
    return node;
}

/* --- Selectors that select many --- */

/* A query on its way from segment to segment. */
struct walk {
    struct evaluation *e;
    const struct query *query;
    size_t count; /* of its segments that are followed */
    struct sink *sink;
};

static bool walk_on(const struct walk *w, size_t segment, const struct node *node);

/* All children, or those that pass a filter. */
static bool walk_children(const struct walk *w, size_t segment, const struct expression *filter,
                          const struct node *node)
{
    size_t step = node->type == NODE_OBJECT ? 1 : 0; /* over the name */

    if (!node_is_container(node))
        return true;
    for (const struct node *child = node + 1 + step; child < node_end(node);
         child = node_next(child) + step) {
        if (!spend(w->e, STEPS_A_LEAP))
            return false;
        if (filter != NULL && !evaluate_filter(w->e, filter, child)) {
            if (w->e->status != JSONPATH_OK)
                return false;
            continue;
        }
        if (!walk_on(w, segment + 1, child))
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

/* The elements a slice takes: from `first` on, every `step`-th, `count` of them. */
struct extent {
    int64_t first;
    int64_t step;
    int64_t count;
};

/* RFC 9535, 2.3.4.2.2. */
static struct extent slice_extent(const struct selector_slice *slice, int64_t length)
{
    int64_t start = from_end(slice->has_start ? slice->start : 0, length);
    int64_t end = slice->has_end ? from_end(slice->end, length) : length;
    struct extent extent = {.step = slice->step};
    int64_t last;

    if (slice->step > 0) {
        extent.first = between(start, 0, length);
        last = between(end, 0, length) - 1;
        extent.count = last < extent.first ? 0 : (last - extent.first) / slice->step + 1;
    } else if (slice->step < 0) {
        extent.first = slice->has_start ? between(start, -1, length - 1) : length - 1;
        last = slice->has_end ? between(end, -1, length - 1) + 1 : 0;
        extent.count = last > extent.first ? 0 : (extent.first - last) / -slice->step + 1;
    }
    return extent;
}

/* The elements of an array whose elements are containers can only be found from its beginning. */
static const struct node **list_elements(struct evaluation *e, const struct node *array)
{
    const struct node **elements =
        arena_alloc(e->session->arena, array->length * sizeof(*elements));
    const struct node *element = node_first(array);

    if (elements == NULL) {
        e->status = JSONPATH_NOMEM;
        return NULL;
    }
    for (uint32_t i = 0; i < array->length; i++, element = node_next(element))
        elements[i] = element;
    return elements;
}

static bool walk_forwards(const struct walk *w, size_t segment, struct extent extent,
                          const struct node *array)
{
    const struct node *element = node_first(array);
    int64_t next = extent.first;

    for (int64_t i = 0; extent.count > 0; i++, element = node_next(element)) {
        if (i != next)
            continue;
        if (!walk_on(w, segment + 1, element))
            return false;
        next += extent.step;
        extent.count--;
    }
    return true;
}

static bool walk_backwards(const struct walk *w, size_t segment, struct extent extent,
                           const struct node *array)
{
    bool flat = array->span == 1 + (uint64_t)array->length;
    const struct node **elements = flat ? NULL : list_elements(w->e, array);

    if (!flat && elements == NULL)
        return false;
    for (int64_t i = extent.first; extent.count > 0; i += extent.step, extent.count--) {
        if (!walk_on(w, segment + 1, flat ? node_first(array) + i : elements[i]))
            return false;
    }
    return true;
}

static bool walk_slice(const struct walk *w, size_t segment, const struct selector_slice *slice,
                       const struct node *node)
{
    struct extent extent;

    if (node->type != NODE_ARRAY)
        return true;
    extent = slice_extent(slice, node->length);
    if (extent.count == 0)
        return true;
    if (!spend(w->e, steps_over(node)))
        return false;
    return extent.step > 0 ? walk_forwards(w, segment, extent, node)
                           : walk_backwards(w, segment, extent, node);
}

/* --- Segments --- */

static bool walk_selector(const struct walk *w, size_t segment, const struct selector *selector,
                          const struct node *node)
{
    const struct node *one;

    switch (selector->kind) {
    case SELECTOR_NAME:
    case SELECTOR_INDEX:
        if (!spend(w->e, steps_over(node)))
            return false;
        one = select_one(selector, node);
        return one == NULL || walk_on(w, segment + 1, one);
    case SELECTOR_WILDCARD:
        return walk_children(w, segment, NULL, node);
    case SELECTOR_SLICE:
        return walk_slice(w, segment, &selector->slice, node);
    case SELECTOR_FILTER:
        return walk_children(w, segment, selector->filter, node);
    }
    return true;
}

static bool walk_selectors(const struct walk *w, size_t segment, const struct node *node)
{
    const struct segment *at = &w->query->segments[segment];

    for (size_t i = 0; i < at->count; i++) {
        if (!walk_selector(w, segment, &at->selectors[i], node))
            return false;
    }
    return true;
}

/*
 * The nodes of a document lie in the order in which descendants are visited (RFC 9535, 2.5.2.2).
 * Names of members lie among them; they have no children, nor have other nodes that are no
 * containers.
 */
static bool walk_descendants(const struct walk *w, size_t segment, const struct node *node)
{
    if (!spend(w->e, node->span))
        return false;
    for (const struct node *below = node; below < node_next(node); below++) {
        if (node_is_container(below) && !walk_selectors(w, segment, below))
            return false;
    }
    return true;
}

/* Follows one node from `segment` on. Calls itself only where a segment may select many. */
static bool walk_on(const struct walk *w, size_t segment, const struct node *node)
{
    for (; segment < w->count; segment++) {
        const struct segment *at = &w->query->segments[segment];

        if (at->descendant)
            return walk_descendants(w, segment, node);
        if (at->count != 1 || at->selectors->kind > SELECTOR_INDEX)
            return walk_selectors(w, segment, node);
        if (!spend(w->e, steps_over(node)))
            return false;
        node = select_one(at->selectors, node);
        if (node == NULL)
            return true;
    }
    return w->sink->take(w->sink, w->e, node);
}

bool walk_query(struct evaluation *e, const struct query *query, size_t count,
                const struct node *current, struct sink *sink)
{
    struct walk walk = {e, query, count, sink};

    return walk_on(&walk, 0, query->relative ? current : e->root);
}
