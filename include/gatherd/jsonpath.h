/*
 * jsonpath.h - JSONPath (RFC 9535): compiled once, run on many documents.
 *
 * Selectors: names (.name, ['name']), indexes (negative too), wildcards, slices, and unions of them
 * in one bracket. A compiled path is immutable and may be used by any number of threads at once.
 */
#ifndef GATHERD_JSONPATH_H
#define GATHERD_JSONPATH_H

#include <stdbool.h>
#include <stddef.h>

#include "gatherd/arena.h"
#include "gatherd/error.h"
#include "gatherd/node.h"

struct jsonpath; /* opaque */

/*
 * NULL: `text` is not a path we accept; err->text says what is wrong, without a position, `*column`
 * is where in `text`, in characters from 1. What the RFC has and we do not (filters, descendants,
 * functions) is refused as "not supported".
 */
struct jsonpath *jsonpath_compile(const char *text, size_t *column, struct error *err);

void jsonpath_free(struct jsonpath *path); /* NULL is allowed */

/* The path as it was given. */
const char *jsonpath_text(const struct jsonpath *path);

/* A path of names and indexes only selects at most one node (RFC 9535, 2.3.5.1: singular query). */
bool jsonpath_is_singular(const struct jsonpath *path);

/* The path ends in a wildcard: it selects the members of objects or the elements of arrays. */
bool jsonpath_ends_in_wildcard(const struct jsonpath *path);

/*
 * The only node of a singular path, or NULL when the document has none; NULL for any other path.
 * Allocates nothing.
 */
const struct node *jsonpath_first(const struct jsonpath *path, const struct node *root);

struct node_list {
    const struct node **nodes; /* in the arena */
    size_t count;
};

/* All nodes selected, in document order of the RFC. -1: out of memory. */
int jsonpath_select(const struct jsonpath *path, const struct node *root, struct arena *arena,
                    struct node_list *list);

/* For a path `$.name` (one name, no more): the name; an empty slice for any other path. */
struct slice jsonpath_single_name(const struct jsonpath *path);

/* The last name in a path that is no union's: "b" of `$.a.b[*]`; an empty slice where none is. */
struct slice jsonpath_last_name(const struct jsonpath *path);

#endif
