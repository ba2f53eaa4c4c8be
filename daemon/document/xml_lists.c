#include "document/xml_lists.h"

#include <stdlib.h>

#include "document/jsonpath_ast.h"

/* Where a path has come to: any number of steps at once, because of unions. */
struct walk {
    struct xml_lists *lists;
    const struct xml_array *root; /* what $ is */
    struct xml_array at;          /* uint32_t */
    struct xml_array next;        /* where the present segment leads */
    bool named; /* the last segment was names: what follows may treat them as lists */
    bool failed;
};

void xml_lists_free(struct xml_lists *lists)
{
    free(lists->steps.items);
    free(lists->places.items);
}

/* --- Making the steps --- */

static void add_position(struct walk *w, struct xml_array *positions, uint32_t step)
{
    uint32_t *added = xml_array_add(positions, sizeof(*added));

    if (added == NULL)
        w->failed = true;
    else
        *added = step;
}

/* The step from `from` that is like `wanted`, which is added where there is none. */
static void follow(struct walk *w, uint32_t from, struct xml_step wanted)
{
    struct xml_array *steps = &w->lists->steps;
    struct xml_step *step;

    for (uint32_t i = xml_step(w->lists, from)->first; i != 0; i = step->next) {
        step = xml_step(w->lists, i);
        if (step->any == wanted.any && step->deep == wanted.deep &&
            slice_same(step->name, wanted.name)) {
            add_position(w, &w->next, i);
            return;
        }
    }
    step = xml_array_add(steps, sizeof(*step));
    if (step == NULL) {
        w->failed = true;
        return;
    }
    wanted.next = xml_step(w->lists, from)->first;
    *step = wanted;
    xml_step(w->lists, from)->first = (uint32_t)steps->count - 1;
    add_position(w, &w->next, (uint32_t)steps->count - 1);
}

static void follow_from_all(struct walk *w, struct xml_step wanted)
{
    for (size_t i = 0; i < w->at.count && !w->failed; i++)
        follow(w, ((uint32_t *)w->at.items)[i], wanted);
}

/* Whether a step leads to the root element, which is never one of several. */
static bool leads_to_root(const struct walk *w, uint32_t step)
{
    const struct xml_step *from_document = xml_step(w->lists, XML_STEP_DOCUMENT);

    for (uint32_t i = from_document->first; i != 0; i = xml_step(w->lists, i)->next) {
        if (i == step)
            return !xml_step(w->lists, i)->deep;
    }
    return step == XML_STEP_DOCUMENT || step == XML_STEP_ENTRY;
}

/*
 * A wildcard, index, slice or filter: behind a name it says that the element is a list, and what
 * comes then is from its elements on. Otherwise it selects among the children of an element.
 */
static void choose(struct walk *w, bool descendant)
{
    for (size_t i = 0; i < w->at.count && !w->failed; i++) {
        uint32_t at = ((uint32_t *)w->at.items)[i];

        if (!descendant && w->named && !leads_to_root(w, at)) {
            xml_step(w->lists, at)->list = true;
            add_position(w, &w->next, at);
        } else {
            follow(w, at, (struct xml_step){.any = true, .deep = descendant});
        }
    }
}

static void want_text(struct walk *w)
{
    for (size_t i = 0; i < w->at.count; i++)
        xml_step(w->lists, ((uint32_t *)w->at.items)[i])->text = true;
}

static void walk_expression(struct walk *w, const struct expression *expression);

/* The filters of a segment look at what it leads to. */
static void walk_filters(struct walk *w, const struct segment *segment)
{
    for (size_t i = 0; i < segment->count; i++) {
        if (segment->selectors[i].kind == SELECTOR_FILTER)
            walk_expression(w, segment->selectors[i].filter);
    }
}

static void walk_segment(struct walk *w, const struct segment *segment)
{
    bool chooses = false;
    struct xml_array done;

    w->next.count = 0;
    for (size_t i = 0; i < segment->count; i++) {
        const struct selector *selector = &segment->selectors[i];

        if (selector->kind != SELECTOR_NAME) {
            chooses = true;
        } else if (slice_equals(selector->name, "#text")) {
            want_text(w);
        } else {
            follow_from_all(w,
                            (struct xml_step){.name = selector->name, .deep = segment->descendant});
        }
    }
    if (chooses)
        choose(w, segment->descendant);
    w->named = !chooses;
    done = w->at;
    w->at = w->next;
    w->next = done;
    walk_filters(w, segment);
}

static void walk_query(struct walk *w, const struct query *query)
{
    for (size_t i = 0; i < query->count && !w->failed; i++)
        walk_segment(w, &query->segments[i]);
}

/* A query in a filter, from each node that is filtered or from the root. */
static void walk_inner(struct walk *w, const struct query *query)
{
    const struct xml_array *from = query->relative ? &w->at : w->root;
    struct walk inner = {.lists = w->lists, .root = w->root};

    for (size_t i = 0; i < from->count && !inner.failed; i++)
        add_position(&inner, &inner.at, ((const uint32_t *)from->items)[i]);
    walk_query(&inner, query);
    w->failed = w->failed || inner.failed;
    free(inner.at.items);
    free(inner.next.items);
}

static void walk_operand(struct walk *w, const struct operand *operand)
{
    if (operand->kind == OPERAND_QUERY)
        walk_inner(w, operand->query);
    for (size_t i = 0; operand->kind == OPERAND_CALL && i < MOST_ARGUMENTS; i++)
        walk_operand(w, &operand->call->arguments[i]);
}

static void walk_expression(struct walk *w, const struct expression *expression)
{
    walk_operand(w, &expression->left);
    walk_operand(w, &expression->right);
    for (size_t i = 0; i < expression->count; i++)
        walk_expression(w, &expression->operands[i]);
}

/* Whether a path says anything: one of names alone does not. */
static bool is_telling(const struct jsonpath *path)
{
    const struct query *query = &path->query;

    for (size_t i = 0; i < query->count; i++) {
        for (size_t k = 0; k < query->segments[i].count; k++) {
            const struct selector *selector = &query->segments[i].selectors[k];

            if (selector->kind != SELECTOR_NAME || slice_equals(selector->name, "#text"))
                return true;
        }
    }
    return false;
}

static void walk_path(struct walk *w, const struct jsonpath *path)
{
    struct xml_array root = {0};

    for (size_t i = 0; i < w->at.count && !w->failed; i++)
        add_position(w, &root, ((uint32_t *)w->at.items)[i]);
    w->root = &root;
    walk_query(w, &path->query);
    w->root = NULL;
    free(root.items);
}

/* Where a path of records leads there is a list. */
static void mark_records(struct walk *w, bool of_document)
{
    for (size_t i = 0; i < w->at.count; i++) {
        uint32_t at = ((uint32_t *)w->at.items)[i];
        struct xml_step *step = xml_step(w->lists, at);

        if (leads_to_root(w, at) || step->any)
            continue;
        step->list = true;
        step->records = step->records || of_document;
    }
}

/* Puts `w` where a path leads. */
static void walk_to(struct walk *w, const struct xml_path *path)
{
    if (path == NULL) {
        w->at.count = 0;
        add_position(w, &w->at, XML_STEP_DOCUMENT);
        return;
    }
    walk_to(w, path->from);
    w->named = false;
    if (path->path != NULL && !w->failed)
        walk_path(w, path->path);
    else if (path->from == NULL)
        add_position(w, &w->at, XML_STEP_ENTRY);
    if (path->records && path->path != NULL && !w->failed)
        mark_records(w, path->from == NULL);
}

int xml_lists_make(struct xml_lists *lists, const struct xml_options *options)
{
    struct walk w = {.lists = lists};

    *lists = (struct xml_lists){0};
    for (int i = XML_STEP_DOCUMENT; i <= XML_STEP_ENTRY; i++) {
        struct xml_step *step = xml_array_add(&lists->steps, sizeof(*step));

        if (step == NULL)
            return -1;
        *step = (struct xml_step){0};
    }
    for (size_t i = 0; i < options->path_count && !w.failed; i++) {
        const struct xml_path *path = &options->paths[i];

        if (path->path != NULL && (path->records || is_telling(path->path)))
            walk_to(&w, path);
    }
    free(w.at.items);
    free(w.next.items);
    return w.failed ? -1 : 0;
}

void xml_lists_resolve(struct xml_lists *lists, const struct xml_tree *tree)
{
    for (uint32_t i = 0; i < lists->steps.count; i++) {
        struct xml_step *step = xml_step(lists, i);

        step->name_place = XML_NO_NAME;
        for (uint32_t k = 0; k < tree->names.count && step->name.length > 0; k++) {
            if (slice_same(xml_name(tree, k)->text, step->name))
                step->name_place = k;
        }
    }
}

/* --- Where an element is --- */

static int push_place(struct xml_lists *lists, uint32_t step, bool deep_only,
                      struct xml_places *places)
{
    struct xml_place *place = xml_array_add(&lists->places, sizeof(*place));

    if (place == NULL)
        return -1;
    *place = (struct xml_place){step, deep_only};
    places->count++;
    return 0;
}

int xml_places_begin(struct xml_lists *lists, uint32_t step, struct xml_places *places)
{
    *places = (struct xml_places){lists->places.count, 0};
    if (xml_step(lists, step)->first == 0)
        return 0;
    return push_place(lists, step, false, places);
}

int xml_places_enter(struct xml_lists *lists, struct xml_places parent, uint32_t name,
                     struct xml_places *child)
{
    *child = (struct xml_places){lists->places.count, 0};
    for (size_t i = 0; i < parent.count; i++) {
        struct xml_place from = *xml_place(lists, parent.first + i);
        const struct xml_step *step;
        bool deeper = false;

        for (uint32_t s = xml_step(lists, from.step)->first; s != 0; s = step->next) {
            step = xml_step(lists, s);
            deeper = deeper || step->deep;
            if ((!from.deep_only || step->deep) && (step->any || step->name_place == name) &&
                push_place(lists, s, false, child) == -1)
                return -1;
        }
        if (deeper && push_place(lists, from.step, true, child) == -1)
            return -1;
    }
    return 0;
}

bool xml_places_list(const struct xml_lists *lists, struct xml_places places)
{
    for (size_t i = 0; i < places.count; i++) {
        const struct xml_place *place = xml_place(lists, places.first + i);

        if (!place->deep_only && xml_step(lists, place->step)->list)
            return true;
    }
    return false;
}

bool xml_places_text(const struct xml_lists *lists, struct xml_places places)
{
    for (size_t i = 0; i < places.count; i++) {
        const struct xml_place *place = xml_place(lists, places.first + i);

        if (!place->deep_only && xml_step(lists, place->step)->text)
            return true;
    }
    return false;
}

const struct xml_step *xml_places_records(const struct xml_lists *lists, struct xml_places places,
                                          size_t n)
{
    for (size_t i = 0; i < places.count; i++) {
        const struct xml_place *place = xml_place(lists, places.first + i);
        const struct xml_step *step;

        for (uint32_t s = xml_step(lists, place->step)->first; s != 0; s = step->next) {
            step = xml_step(lists, s);
            if (!place->deep_only && step->records && !step->deep && n-- == 0)
                return step;
        }
    }
    return NULL;
}
