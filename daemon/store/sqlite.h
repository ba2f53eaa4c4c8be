/*
 * sqlite.h - SQLite as the store uses it: opening, statements, and its errors as struct error.
 *
 * The error's code says what may be done: ERROR_SPACE and ERROR_BUSY mean that the transaction may
 * be tried again; ERROR_FAILED means that one statement was at fault and was undone, and the
 * transaction goes on; after any other code the process must stop. Every function here that takes
 * an error returns 0, or -1 with it filled.
 */
#ifndef GATHERD_STORE_SQLITE_H
#define GATHERD_STORE_SQLITE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "gatherd/config.h"
#include "gatherd/error.h"

/* "gthd", in the header of the file: file(1) and we know it by that. */
#define SQLITE_APPLICATION_ID 0x67746864

/* Opens the file for writing, creating it where it is missing; changes nothing in it yet. */
int sqlite_open_writer(const char *path, sqlite3 **db, struct error *err);

/* WAL and the other settings of the connection that writes, once the file is known as ours. */
int sqlite_configure_writer(sqlite3 *db, enum synchronous synchronous, struct error *err);

/* Between the two a commit moves the WAL sooner, and so less of it at once. */
void sqlite_begin_upkeep(sqlite3 *db);
void sqlite_end_upkeep(sqlite3 *db);

/* Opens an existing file of ours for reading; never checkpoints. */
int sqlite_open_reader(const char *path, sqlite3 **db, struct error *err);

/* The connection cannot attach other files: SQLite would make one that is not there. */
void sqlite_forbid_attach(sqlite3 *db);

/*
 * Fills the error from the connection's last failure `rc`: "DOING: what SQLite said"; DOING may be
 * "". errno was cleared before the call that failed.
 */
void sqlite_fail(sqlite3 *db, int rc, const char *doing, struct error *err);

/* Runs statements that return nothing. */
int sqlite_exec(sqlite3 *db, const char *sql, struct error *err);

/* Prepares one statement that is kept and used often. The caller finalizes it. */
int sqlite_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **stmt, struct error *err);

/* 1: a row; 0: no more, and the statement is reset; -1: failed, and the statement is reset. */
int sqlite_step(sqlite3_stmt *stmt, const char *doing, struct error *err);

/* Steps to the end, resets, and drops the bindings, which may be borrowed. */
int sqlite_run(sqlite3_stmt *stmt, const char *doing, struct error *err);

/* The integer that a query of one row and column gives; 0 for NULL. */
int sqlite_integer(sqlite3 *db, const char *sql, int64_t *value, struct error *err);

/* Text that lives until the statement has run; NULL binds NULL. */
void sqlite_bind_string(sqlite3_stmt *stmt, int index, const char *string);
void sqlite_bind_bytes(sqlite3_stmt *stmt, int index, const char *data, size_t length);

/* A column's text, "" for NULL; borrowed until the next step. */
const char *sqlite_column_string(sqlite3_stmt *stmt, int index);

#endif
