/*
 * reshape.h - records that are not objects of their columns yet: key_as, zip, columns and flatten.
 *
 * Each makes a new object out of the nodes of the old one; text stays borrowed, and the new node
 * has its place in the body, so whatever follows (fields, children, dead letters) sees an ordinary
 * record. Doing it a second time changes nothing: a dead letter can be read again.
 */
#ifndef GATHERD_PROCESS_RESHAPE_H
#define GATHERD_PROCESS_RESHAPE_H

#include "gatherd/arena.h"
#include "gatherd/config.h"
#include "gatherd/node.h"
#include "process/records.h"

/*
 * zip: adds the objects that have one element of each array in the object at `path`; members that
 * are no arrays are left out. Where it is no such object, or the arrays are of different lengths,
 * the document itself is added as a rejected record. 0, or -1: out of memory.
 */
int reshape_zip(const struct jsonpath *path, const struct node *document, struct arena *arena,
                struct records *records);

/*
 * What the mapping says of records, for those from `first` on. One that cannot be reshaped is
 * rejected. 0, or -1: out of memory.
 */
int reshape_records(const struct mapping *mapping, struct arena *arena, struct records *records,
                    size_t first);

#endif
