/*
 * spool.h - the rows of a walk that replaces its tables, kept until its last page is there.
 *
 * They lie in a TEMP table (walk.h), as they came and in pieces of some hundred KiB, so that a walk
 * of any length takes the memory of one. With each row goes its record as the dead letters hold it:
 * a table may refuse the row when the page that it stood on is long gone.
 */
#ifndef GATHERD_STORE_SPOOL_H
#define GATHERD_STORE_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "gatherd/error.h"
#include "gatherd/row.h"
#include "store/sqlite.h"

/* Adds the rows of the run's page at hand. */
int spool_add(sqlite3 *db, int64_t run_id, const struct result *result, int64_t fetched_ms,
              struct error *err);

/* Where a row came from. */
struct spooled {
    struct kept_record record; /* no data: none */
    unsigned line;
    unsigned column;
};

/* A part of a page: some rows of the source's own, and all their descendants. */
struct spool_piece {
    struct row_set rows; /* rows here have no record: see origins */
    struct row_set *children;
    size_t child_count;
    struct spooled **origins; /* of the rows of each set; the source's own first */
    int64_t fetched_ms;
};

struct spool; /* opaque */

/* Reads what a run of the source has added, in order. NULL: failed. */
struct spool *spool_open(sqlite3 *db, int64_t run_id, const struct source *source,
                         struct error *err);
void spool_close(struct spool *spool); /* NULL is allowed */

/* 1: the next piece, which lives until the next call; 0: no more; -1: failed. */
int spool_next(struct spool *spool, struct spool_piece *piece, struct error *err);

#endif
