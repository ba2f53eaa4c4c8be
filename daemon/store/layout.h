/*
 * layout.h - how rows of one shape are written into one table.
 *
 * A layout is the columns of a row set in their order, the write mode, and the statements prepared
 * for them. A source sends the same shape again and again, so a table keeps the last few; which one
 * fits is found by its signature, a string of all it depends on.
 *
 * All statements take the values of a row as their first parameters, in the order of the set, or of
 * them those of the key alone.
 */
#ifndef GATHERD_STORE_LAYOUT_H
#define GATHERD_STORE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/error.h"
#include "gatherd/row.h"
#include "store/schema.h"
#include "store/sqlite.h"

#define NOT_IN_SET SIZE_MAX

/* A column whose value may change from one version of a row to the next. */
struct change {
    char *json_name; /* owned: its name as a JSON string */
    bool ignored;    /* it alone makes no new version */
};

struct layout {
    struct layout *next;
    char *signature; /* owned */
    size_t signature_length;
    sqlite3 *db;
    enum write_mode mode;
    uint32_t *accepts; /* owned: for each column of the set, the types its column takes */
    size_t *key;       /* owned: for each key column its place in the set, NOT_IN_SET: none */
    size_t key_count;

    bool updates; /* a row whose key is there is made as it came, where it differs */

    /*
     * Behind the values come the run and the time. WRITE_VERSIONS: then from when the version is
     * valid, and what changed.
     */
    sqlite3_stmt *insert;

    /*
     * WRITE_HISTORY: whether the row of that key differs; no row: it is not there. WRITE_REPLACE
     * without a key: behind the values come a run and a rowid; of the rows of that run the next
     * one, and whether it differs. WRITE_VERSIONS: rowid, beginning and end of the last version of
     * that key.
     */
    sqlite3_stmt *find;

    sqlite3_stmt *compare;  /* WRITE_HISTORY: for each of `changes` whether its column differs */
    struct change *changes; /* owned */
    size_t change_count;
    sqlite3_stmt *end;  /* WRITE_VERSIONS: (time, rowid) ends that version */
    sqlite3_stmt *seen; /* behind the values comes the run: notes that it has seen the key */

    /* Of children that may vanish; else NULL. Their parameters are other ones. */
    sqlite3_stmt *siblings; /* rowids of one parent's, by its key */
    sqlite3_stmt *sibling;  /* rowid of one, by its own key */
    sqlite3_stmt *remove;   /* one, by its rowid */
};

/* Writes the signature of rows of this mapping into `signature`, which is reused. */
int layout_sign(struct text *signature, const struct mapping *mapping, const struct row_set *set,
                struct error *err);

/* The table's layout of that signature, now the first of its list; NULL: none. */
struct layout *layout_find(struct table *table, const struct text *signature);

/* Whether the table's columns take the types of these values without a change. */
bool layout_fits(const struct layout *layout, const struct row_set *set);

/* Makes and keeps a layout for a table that fits. NULL: failed. */
struct layout *layout_add(sqlite3 *db, struct table *table, const struct mapping *mapping,
                          const struct row_set *set, const struct text *signature,
                          struct error *err);

void layouts_free(struct layout *first);

/* --- layout_sql.c --- */

/* Prepares the statements that the layout's mode needs. */
int layout_prepare(struct layout *layout, const struct table *table, const struct mapping *mapping,
                   const struct row_set *set, struct error *err);

#endif
