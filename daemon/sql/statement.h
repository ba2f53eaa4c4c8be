/*
 * statement.h - one expression as a statement over the row table.
 */
#ifndef GATHERD_SQL_STATEMENT_H
#define GATHERD_SQL_STATEMENT_H

#include <sqlite3.h>

#include "gatherd/computer.h"
#include "sql/row_table.h"
#include "sql/sandbox.h"

/*
 * The statement that is stepped for each row. `table` has been named and declared. Returns SQLite's
 * code; the sandbox says what it denied.
 */
int statement_prepare(struct sandbox *sandbox, const struct row_table *table,
                      const struct expression *expression, sqlite3_stmt **stmt);

/* The value for the row that the table has: see computer_evaluate(). */
enum computed statement_evaluate(struct sandbox *sandbox, sqlite3_stmt *stmt, struct value *value,
                                 struct error *err);

#endif
