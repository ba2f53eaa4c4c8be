/*
 * migrate.h - whose file it is, and gatherd's own tables in it, version by version.
 *
 * application_id says that a database is gatherd's, user_version counts the migrations applied. A
 * file of another program, or of a newer gatherd, is refused before anything in it changes.
 */
#ifndef GATHERD_STORE_MIGRATE_H
#define GATHERD_STORE_MIGRATE_H

#include "gatherd/error.h"
#include "store/sqlite.h"

/* 0: empty, or gatherd's and not newer than this program; -1: refused. `path` is for the text. */
int migrate_check(sqlite3 *db, const char *path, struct error *err);

/* Applies the migrations that the database has not seen, in one transaction. */
int migrate_run(sqlite3 *db, struct error *err);

#endif
