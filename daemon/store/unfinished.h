/*
 * unfinished.h - what a run of many pages leaves behind when it ends before its last one.
 *
 * Its row in _gatherd_runs says 'unfinished' from its first commit on. Where rows are appended it
 * also names their tables, because they must go: the run is made again from its first page. Several
 * names stand in one text, with a comma between: none of them holds one.
 */
#ifndef GATHERD_STORE_UNFINISHED_H
#define GATHERD_STORE_UNFINISHED_H

#include <stdint.h>

#include "gatherd/config.h"
#include "gatherd/error.h"
#include "gatherd/text.h"
#include "store/sqlite.h"

/* Appends the names of the tables of a source. -1: out of memory. */
int unfinished_list_tables(struct text *tables, const struct mapping *mapping, struct error *err);

/*
 * Removes the rows that a run appended to tables, `expected` of them in all; a table that is gone
 * has none. -1 with ERROR_FAILED: a table does not let them go (a trigger of the user's).
 */
int unfinished_remove_rows(sqlite3 *db, const char *tables, int64_t run_id, int64_t expected,
                           struct error *err);

/*
 * Ends one unfinished run, or all with `run_id` 0, as failed: 'interrupted', for the reason given.
 * Each in a transaction of its own. A run that is none of them is passed over.
 */
int unfinished_end(sqlite3 *db, int64_t run_id, const char *why, struct error *err);

#endif
