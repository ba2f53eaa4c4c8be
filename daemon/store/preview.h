/*
 * preview.h - the schema of a database without its rows, in memory: what is done to it is a
 * rehearsal of what would be done to the file.
 */
#ifndef GATHERD_STORE_PREVIEW_H
#define GATHERD_STORE_PREVIEW_H

#include "gatherd/error.h"
#include "store/sqlite.h"

/*
 * Copies what the database `from` has of tables, indexes, views and triggers, and what
 * _gatherd_columns says, to a new database in memory, with gatherd's own tables up to date there.
 * NULL: failed; the caller closes it.
 */
sqlite3 *preview_open(sqlite3 *from, struct error *err);

#endif
