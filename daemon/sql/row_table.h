/*
 * row_table.h - the present row as a table for SQLite: nothing is stored, SQLite asks for the cells
 * it needs.
 *
 * It is an eponymous virtual table with one row after the other and no end: a statement that reads
 * it is stepped once for each row and never reset in between. It has the columns that an expression
 * reads, with their affinity, and a name that stands nowhere in the expression, so that the
 * expression cannot read it by itself.
 */
#ifndef GATHERD_SQL_ROW_TABLE_H
#define GATHERD_SQL_ROW_TABLE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/expression.h"
#include "gatherd/text.h"
#include "gatherd/value.h"

#define ROW_TABLE_NAME_SIZE 48

struct row_table {
    char name[ROW_TABLE_NAME_SIZE];
    char *declaration; /* owned */
    size_t column_count;
    bool declaring; /* SQLite reads the declaration: it is ours, and may do what it needs */

    /* The present row: column i is cell places[i], or NULL where that is `count` or more. */
    const struct value *cells;
    size_t count;
    const uint32_t *places;
};

/* A name that `text` does not hold; two with different serial numbers differ. */
void row_table_name(struct row_table *table, const char *text, unsigned serial);

/*
 * Makes the connection know the table, by its name, with these columns; what it knew by that name
 * before is forgotten. Returns SQLite's code. `table` is borrowed until row_table_remove().
 */
int row_table_declare(struct row_table *table, sqlite3 *db, const struct expression_column *columns,
                      size_t count);

/* Makes the connection forget it; no statement reads it any more. */
void row_table_remove(struct row_table *table, sqlite3 *db);

#endif
