/*
 * table.h - rows into a table: the hot path of the store.
 */
#ifndef GATHERD_STORE_TABLE_H
#define GATHERD_STORE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "gatherd/clock.h"
#include "gatherd/error.h"
#include "gatherd/row.h"
#include "store/layout.h"
#include "store/outcome.h"

/* Who is told of each row that is not written. -1 ends the writing. */
struct rejecter {
    int (*reject)(void *context, const struct row *row, const char *reason, struct error *err);
    void *context;
};

/* What became of a row. */
enum row_fate {
    ROW_LEFT, /* rejected, or not for the table as its parent is not */
    ROW_INSERTED,
    ROW_UPDATED,
    ROW_UNCHANGED,
};

/* The rows of one set on their way into their table. */
struct writing {
    struct layout *layout;
    const struct mapping *mapping;
    const struct row_set *set;
    struct outcome *outcome;
    const struct rejecter *rejecter;
    uint8_t *fates;                   /* enum row_fate of each row; NULL: nobody asks */
    char fetched_at[CLOCK_TEXT_SIZE]; /* while it is bound */
};

/* SQLite's code; the value is borrowed until the statement is reset. */
int table_bind_value(sqlite3_stmt *stmt, int index, const struct value *value);

/* What all rows have in common; until table_end() the writing stays where it is. */
void table_begin(struct writing *writing, int64_t fetched_ms);

/*
 * Writes the rows from `first` on, up to `end`, and counts them in the outcome. A row without its
 * key, or refused by the database, goes to `rejecter`, and the rest goes on. -1 with ERROR_FAILED:
 * the database undid the whole transaction because of this run.
 */
int table_write(struct writing *writing, size_t first, size_t end, struct error *err);

void table_end(struct writing *writing);

#endif
