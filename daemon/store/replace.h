/*
 * replace.h - write_mode: replace, of tables without a primary key: their rows cannot be told
 * apart, so the whole set is as it was, or is written anew.
 *
 * All rows there are of one run then, the last that wrote them. First the set that came is held
 * against them, table by table and in the order of writing; what is the same costs nothing. With a
 * primary key the rows are written as in an upsert, and what was not seen goes: see missing.h.
 */
#ifndef GATHERD_STORE_REPLACE_H
#define GATHERD_STORE_REPLACE_H

#include <stddef.h>
#include <stdint.h>

#include "gatherd/error.h"
#include "gatherd/row.h"
#include "store/layout.h"
#include "store/outcome.h"
#include "store/schema.h"

struct replacement {
    /* Set by who uses it. */
    sqlite3 *db;
    struct schema *schema;
    const struct run *run;
    struct outcome *outcome;

    int64_t there;  /* rows of the source's own table before */
    int64_t run_id; /* of the run that wrote them all; 0: there are none, or several wrote them */
    int64_t *last;  /* owned: rowid of the last row that was the same, of each table */
};

/* Looks at what is there. 1: it may be the same; 0: it is not; or -1. */
int replacement_begin(struct replacement *replacement, size_t tables, struct error *err);

/* Holds the rows of a set against those of table number `table` that come next. As above. */
int replacement_compare(struct replacement *replacement, const struct layout *layout,
                        const struct row_set *set, size_t table, struct error *err);

/* Whether nothing of a table is left behind the rows that were compared. As above. */
int replacement_is_whole(struct replacement *replacement, const struct mapping *mapping,
                         size_t table, struct error *err);

/* Removes the rows of all tables. */
int replacement_clear(struct replacement *replacement, struct error *err);

void replacement_end(struct replacement *replacement);

#endif
