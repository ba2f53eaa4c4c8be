/*
 * ddl.h - the text of a CREATE TABLE: taken apart, changed where it must, all else kept.
 *
 * Users may add to a table what we know nothing of: defaults, checks, generated columns, comments.
 * So a statement is not written anew from what we know; its tokens are read, and types, columns and
 * the key are replaced or added between them. What cannot be read that way is refused.
 */
#ifndef GATHERD_STORE_DDL_H
#define GATHERD_STORE_DDL_H

#include "gatherd/error.h"
#include "gatherd/text.h"
#include "store/schema.h"

/* The statement that makes the table from nothing. */
void ddl_create(const struct table *table, struct text *sql);

/* Appends PRIMARY KEY (...) of the columns that are in the key, if there are any. */
void ddl_key(const struct table *table, struct text *sql);

/*
 * Rewrites the statement `sql` that made the table in the database, by the changes marked in its
 * columns and, with `rekey`, for its key; under `new_name` where that is not NULL.
 * ERROR_FAILED: the statement is not one we can change.
 */
int ddl_rewrite(const char *sql, const struct table *table, bool rekey, const char *new_name,
                struct text *out, struct error *err);

#endif
