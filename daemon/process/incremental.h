/*
 * incremental.h - which records of a page are new, and how far they take the position.
 */
#ifndef GATHERD_PROCESS_INCREMENTAL_H
#define GATHERD_PROCESS_INCREMENTAL_H

#include "gatherd/run.h"
#include "process/records.h"

/*
 * Looks at the position of each record. Those that are in the table already (a source without a
 * primary key cannot tell by the key) are marked as known, those without a position as on_missing
 * says; the others are noted in run->state.position. `*failure` says why the page cannot be used: a
 * record without a position, or one that does not compare. What is said lies in the arena of
 * `paths`. 0, or -1: out of memory; it can be
 * called again.
 */
int incremental_select(struct run *run, struct records *records, struct jsonpath_session *paths,
                       const char **failure);

#endif
