/*
 * show.h - what a query says, on standard output.
 */
#ifndef GATHERD_CLI_SHOW_H
#define GATHERD_CLI_SHOW_H

#include "cli/format.h"

/* Runs the SQL read-only and prints its rows, or why it cannot. Returns the exit status. */
int show_query(const char *database, const char *sql, enum format format);

#endif
