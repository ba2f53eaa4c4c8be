/*
 * jsonpath.h - JSONPath (RFC 9535): compiled once, run on many documents.
 *
 * The whole of the standard: names, indexes, wildcards, slices, filters, unions of them,
 * descendants, and the functions length, count, match, search and value. Numbers compare exactly,
 * however many digits they have, and strings by their code points. A compiled path is immutable and
 * may be used by any number of threads at once.
 */
#ifndef GATHERD_JSONPATH_H
#define GATHERD_JSONPATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/arena.h"
#include "gatherd/error.h"
#include "gatherd/node.h"

struct jsonpath; /* opaque */

/*
 * NULL: `text` is no path by the standard; err->text says what is wrong, without a position,
 * `*column` is where in `text`, in characters from 1. A regular expression of match() or search()
 * that is no I-Regexp (RFC 9485) is refused as well, where the standard has it match nothing.
 */
struct jsonpath *jsonpath_compile(const char *text, size_t *column, struct error *err);

void jsonpath_free(struct jsonpath *path); /* NULL is allowed */

/* The path as it was given. */
const char *jsonpath_text(const struct jsonpath *path);

/* A path of names and indexes only selects at most one node (RFC 9535, 2.3.5.1: singular query). */
bool jsonpath_is_singular(const struct jsonpath *path);

/*
 * The last segment is neither one name nor one index: what the path selects was not named, but
 * found in an array or object. It may have been looked for further down: $..items ends in a name.
 */
bool jsonpath_ends_in_choice(const struct jsonpath *path);

/* For a path `$.name` (one name, no more): the name; an empty slice for any other path. */
struct slice jsonpath_single_name(const struct jsonpath *path);

/*
 * The only node of a singular path, or NULL when the document has none; NULL for any other path.
 * Allocates nothing.
 */
const struct node *jsonpath_first(const struct jsonpath *path, const struct node *root);

/*
 * What running paths on one document takes, for one thread. A path such as $..*..* multiplies what
 * it meets, and a document can be made to suit it; so all paths together have a number of steps for
 * the document, in proportion to its size: each path may go over all of it many times. A node
 * looked at, a name compared, a few bytes of a text are a step each. A node that is selected counts
 * with its bytes, all below it included, so what is made of the nodes is limited as well, where
 * they contain each other.
 */
struct jsonpath_session {
    struct arena *arena; /* borrowed */
    uint64_t steps_left;
    struct regexp_runner *regexps; /* in the arena; NULL before the first match() or search() */
};

/*
 * So many `paths` will be run on `document`, which was read from `bytes`, or on what lies below it.
 * Nothing has to be freed.
 */
void jsonpath_begin(struct jsonpath_session *session, struct arena *arena,
                    const struct node *document, size_t bytes, size_t paths);

enum jsonpath_status {
    JSONPATH_OK,
    JSONPATH_NOMEM,
    JSONPATH_TOO_LONG, /* no steps are left: the document is not used */
};

struct node_list {
    const struct node **nodes; /* in the arena */
    size_t count;
};

/* All nodes selected, in document order of the RFC. */
enum jsonpath_status jsonpath_select(const struct jsonpath *path, const struct node *root,
                                     struct jsonpath_session *session, struct node_list *list);

/* The first of them, of any path; NULL: nothing is selected. */
enum jsonpath_status jsonpath_find(const struct jsonpath *path, const struct node *root,
                                   struct jsonpath_session *session, const struct node **found);

/* How far a path leads in a document of which it selects nothing. */
struct jsonpath_reach {
    const struct node *node; /* the first one that the longest part selecting anything selects */
    size_t part_length;      /* of that part, in bytes of the path's text */
    bool chosen; /* what follows chooses among what is there, and a container is there: a wildcard
                    and an empty one, a filter and any, a slice and an array */
};
enum jsonpath_status jsonpath_reach(const struct jsonpath *path, const struct node *root,
                                    struct jsonpath_session *session, struct jsonpath_reach *reach);

/* What to do when no steps are left, for messages: `path` is the one that had none. */
void jsonpath_explain_too_long(const struct jsonpath *path, struct text *out);

/* The last name in a path that is no union's: "b" of `$.a.b[*]`; an empty slice where none is. */
struct slice jsonpath_last_name(const struct jsonpath *path);

#endif
