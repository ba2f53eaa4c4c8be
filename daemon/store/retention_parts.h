/*
 * retention_parts.h - what the parts of retention share: the state of one table that is bounded.
 */
#ifndef GATHERD_STORE_RETENTION_PARTS_H
#define GATHERD_STORE_RETENTION_PARTS_H

#include "store/parts.h"
#include "store/retention.h"

#define RETENTION_STEP_US (10 * 1000) /* after it a step takes no further row */

/* One table that is bounded. */
struct bounded {
    const char *table;
    const char *column;            /* NULL: one of gatherd's own tables, see `own` */
    const struct mapping *mapping; /* copied as far as it says how to find children; NULL: own */
    enum own { OWN_NONE, OWN_RUNS, OWN_LETTERS } own;
    struct retention bounds;

    int64_t due_ms; /* monotonic */
    bool told;      /* that it cannot be done */
    unsigned waits; /* in a row, for an index */

    /* Of the pass at hand. */
    bool counting;
    bool counted;
    int64_t count;
    char *time; /* owned: of the last row counted; NULL: none */
    int64_t rowid;
    int64_t limit; /* rows of the next step */
    int64_t busy_us;
    int64_t longest_us;
    int64_t steps;
    int64_t deleted;
    int64_t deleted_children;
};

/*
 * retention_sql.c: 1: `*stmt` is prepared; 0: its time has not come, since a table or an index is
 * not there; or -1.
 *
 * `sql`, which is cleared, may be `complete` or lack a column; `indexed` says that it must not walk
 * through a table or sort it.
 */
int retention_prepare(sqlite3 *db, struct text *sql, bool complete, bool indexed,
                      sqlite3_stmt **stmt, struct error *err);

/* The rows of the table from one of its ends on. */
int retention_prepare_walk(struct store *store, const struct bounded *b, bool oldest,
                           sqlite3_stmt **stmt, struct error *err);

/*
 * retention_cut.c: deletes what is beyond the bounds, in one transaction, at most b->limit rows
 * with those of children; `*all`: nothing is left to delete. 1, 0: as above; or -1.
 */
int retention_cut(struct store *store, struct bounded *b, int64_t start_us, bool *all,
                  struct error *err);

#endif
