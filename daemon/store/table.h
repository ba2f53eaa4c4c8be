/*
 * table.h - rows into a table: the hot path of the store.
 */
#ifndef GATHERD_STORE_TABLE_H
#define GATHERD_STORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/clock.h"
#include "gatherd/error.h"
#include "gatherd/row.h"
#include "gatherd/text.h"
#include "store/layout.h"
#include "store/outcome.h"

/* Who is told of each row that is not written. -1 ends the writing. */
struct rejecter {
    int (*reject)(void *context, const struct row *row, const char *reason, struct error *err);
    void *context;
};

/* What became of a row. */
enum row_fate {
    ROW_LEFT,     /* rejected, or not for the table as its parent is not */
    ROW_REPEATED, /* its key comes again behind it, and that row counts */
    ROW_INSERTED,
    ROW_UPDATED,
    ROW_UNCHANGED,
};

/* The rows of one set on their way into their table. */
struct writing {
    struct layout *layout;
    struct layout *versions; /* WRITE_HISTORY: of the table of versions */
    const struct mapping *mapping;
    const struct row_set *set;
    struct outcome *outcome;
    const struct rejecter *rejecter;
    uint8_t *fates;  /* enum row_fate of each row; NULL: nobody asks */
    bool notes_seen; /* the keys are noted for the end of the walk: walk.h */
    size_t present;  /* rows that are in the table, so far */

    /* From table_begin() to table_end(). */
    char fetched_at[CLOCK_TEXT_SIZE];
    bool *repeated;      /* owned: see repeats.h */
    struct text changed; /* names of the columns of a new version */
};

/* SQLite's code; the value is borrowed until the statement is reset. */
int table_bind_value(sqlite3_stmt *stmt, int index, const struct value *value);

/* The same for all values of a row, and for a statement that has those of its key alone. */
int table_bind_row(sqlite3_stmt *stmt, const struct row_set *set, const struct row *row);
int table_bind_key(const struct layout *layout, sqlite3_stmt *stmt, const struct row *row);

/*
 * What all rows have in common; until table_end() the writing stays where it is. -1: out of memory,
 * and table_end() is due all the same.
 */
int table_begin(struct writing *writing, int64_t fetched_ms, struct error *err);

/*
 * Writes the rows from `first` on, up to `end`, and counts them in the outcome. Of rows with the
 * same key the last counts, unless the first is kept. A row without its key, or refused by the
 * database, goes to `rejecter`, and the rest goes on. -1 with ERROR_FAILED: the table cannot take
 * the run, and the whole transaction was undone because of it.
 */
int table_write(struct writing *writing, size_t first, size_t end, struct error *err);

/* Notes the keys of all rows that are in the table, as notes_seen does while they are written. */
int table_note_seen(struct writing *writing, struct error *err);

void table_end(struct writing *writing);

/* --- For history.c. --- */

/* Writes one row with layout->insert. One that is refused goes to the rejecter, and is ROW_LEFT. */
int table_insert_row(struct writing *writing, const struct row *row, enum row_fate *fate,
                     struct error *err);

/*
 * A statement of ours beside the rows failed: the transaction is undone, since what was written of
 * the run cannot stay. -1.
 */
int table_fail(const struct writing *writing, int failure, const char *table, struct error *err);

#endif
