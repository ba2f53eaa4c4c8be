/*
 * jsonpath_walk.h - running a compiled path: jsonpath_walk.c follows segments and selectors,
 * jsonpath_evaluate.c decides filters, jsonpath_compare.c compares values. They call each other as
 * deep as the path nests, which the compiler limits.
 *
 * Nodes are not collected from segment to segment: each is followed to the end of the query before
 * the next is looked at, which gives the same order, and whoever wants only the first, or their
 * number, needs no memory.
 */
#ifndef GATHERD_DOCUMENT_JSONPATH_WALK_H
#define GATHERD_DOCUMENT_JSONPATH_WALK_H

#include "document/jsonpath_ast.h"
#include "gatherd/jsonpath.h"

struct evaluation {
    const struct node *root; /* $ */
    struct jsonpath_session *session;
    enum jsonpath_status status; /* of the first failure */
};

/* From one child to the next: it may lie far away, where the processor has to wait for it. */
#define STEPS_A_LEAP 6u

/* False, noted in the status: there are not so many steps left. */
static inline bool spend(struct evaluation *e, uint64_t steps)
{
    struct jsonpath_session *session = e->session;

    if (session->steps_left >= steps) {
        session->steps_left -= steps;
        return true;
    }
    session->steps_left = 0;
    if (e->status == JSONPATH_OK)
        e->status = JSONPATH_TOO_LONG;
    return false;
}

/* Who takes the nodes that a query selects: false to have no more of them. */
struct sink {
    bool (*take)(struct sink *sink, struct evaluation *e, const struct node *node);
};

/*
 * Hands the nodes that a query selects to `sink`, as far as its segment `count`; `current` is @.
 * False: the sink had enough, or the evaluation failed.
 */
bool walk_query(struct evaluation *e, const struct query *query, size_t count,
                const struct node *current, struct sink *sink);

/* The node of a singular query, or NULL: there is none, or the evaluation failed. */
const struct node *walk_singular(struct evaluation *e, const struct query *query,
                                 const struct node *current);

/* Whether `current` passes a filter; false when the evaluation failed. */
bool evaluate_filter(struct evaluation *e, const struct expression *expression,
                     const struct node *current);

/* A value to compare, or Nothing: neither a node nor counted. */
struct comparand {
    const struct node *node;
    const struct decimal *number; /* of the node, where it was read before; NULL: it was not */
    bool counted;                 /* no node: the result of length() or count() */
    uint64_t count;
};

/* RFC 9535, 2.3.5.2.2; false when the evaluation failed. */
bool compare_values(struct evaluation *e, enum comparison comparison, const struct comparand *left,
                    const struct comparand *right);

#endif
