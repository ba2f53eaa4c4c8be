/*
 * functions.h - the functions that an expression may use.
 *
 * Those that give the same value for the same arguments, and need no more time than in proportion
 * to their length. SQLite's instr(), replace() and trim() of two arguments can need the product of
 * both lengths, which is hours where a server chooses them: ours take their place.
 */
#ifndef GATHERD_SQL_FUNCTIONS_H
#define GATHERD_SQL_FUNCTIONS_H

#include <sqlite3.h>
#include <stdbool.h>

/* Whether there is a function of that name, ignoring case. */
bool functions_has(const char *name);

/* Puts ours in the place of SQLite's. Returns SQLite's code. */
int functions_replace(sqlite3 *db);

#endif
