/*
 * indexes.h - the indexes that gatherd keeps of a table: those of the configuration, and in tables
 * of append one by _fetched_at, by which such tables are read.
 *
 * Ours have names of their own, `_gatherd_TABLE(COLUMN,COLUMN)`; what users made by hand is never
 * touched, and one of theirs, or the key, that serves as well spares ours.
 */
#ifndef GATHERD_STORE_INDEXES_H
#define GATHERD_STORE_INDEXES_H

#include "gatherd/config.h"
#include "gatherd/error.h"
#include "store/outcome.h"
#include "store/schema.h"

/*
 * Makes the indexes that the table lacks, as far as it has their columns, and removes those of ours
 * that are wanted no more; `changed` says whether there was anything to do.
 */
int indexes_fit(sqlite3 *db, const struct schema_log *log, const struct table *table,
                const struct mapping *mapping, int64_t run_id, const struct moment *moment,
                bool *changed, struct error *err);

#endif
