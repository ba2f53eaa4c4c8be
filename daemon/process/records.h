/*
 * records.h - which nodes of a document are its records.
 *
 * Without a path: the elements of an array, or the document itself; of a body of lines, the lines.
 * With a path, applied to the document or to each line of a body of lines:
 * - a path that ends in a name or an index ($.data, $.pages[*].data, $..items): an object is one
 *   record, and of an array the elements are the records. RFC 9535 would give the array as one
 *   node, but nobody who writes $.features means that. A scalar, where names and indexes are the
 *   whole way, is no place for records.
 * - a path that ends in a wildcard, a slice or a filter selects the records one by one, of any
 *   type: elements of an array, or the values of an object's members.
 *
 * Selecting nothing is a failure, so that a path with a slip does not go unnoticed, but for a
 * choice among what is there that comes out empty: a wildcard and an array or object that is empty,
 * a filter and any array or object, a slice and any array. That is an answer without records. In a
 * body of lines, a line of which nothing is selected is rejected alone, as long as another line has
 * what was asked for.
 */
#ifndef GATHERD_PROCESS_RECORDS_H
#define GATHERD_PROCESS_RECORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "gatherd/arena.h"
#include "gatherd/jsonpath.h"
#include "gatherd/node.h"

struct record {
    const struct node *node;
    const char *rejected;    /* NULL, or why this one (a line) has no records, or: */
    const struct node *name; /* of the member that it is, where names count; NULL: it has none */
};

/* As `rejected`: nothing becomes of it, since the table has it, or it is to be left out. */
extern const char record_left_out[];

struct records {
    struct record *list; /* in the arena, in document order */
    size_t count;
    size_t capacity;
    const char *failure; /* NULL, or why the document is not what was configured */
};

/*
 * `named`: the path leads to objects, their members are the records, and the names count (key_as).
 * `lines`: root is the array of a body's lines. `may_lack`: null or no list at all means no
 * records, as in one page of several. Their list is in the arena of `paths`. 0, or -1: out of
 * memory.
 */
int records_select(const struct jsonpath *path, bool named, const struct node *root, bool lines,
                   bool may_lack, struct jsonpath_session *paths, struct records *records);

/* Adds one; or each element of an array. 0, or -1: out of memory. */
int records_append(struct records *records, const struct record *record, struct arena *arena);
int records_append_elements(struct records *records, const struct node *array, struct arena *arena);

/* Puts what the reader has rejected among the records, in the order of the text. 0 or -1. */
int records_add_rejected(struct records *records, const struct record *rejected, size_t count,
                         struct arena *arena);

/*
 * Adds the records that `path` leads to from the record of a parent, in order. A path that ends in
 * a name or an index gives the elements of an array, or else the node itself, of whatever type; one
 * that ends in a wildcard, a slice or a filter gives what it selects. Nothing there, or null where
 * a list might be, is no record and no failure. `named` as above, of what is an object.
 */
enum jsonpath_status records_add(const struct jsonpath *path, bool named, const struct node *parent,
                                 struct jsonpath_session *paths, struct records *records);

#endif
