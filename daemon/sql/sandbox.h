/*
 * sandbox.h - a SQLite connection in which an expression can do nothing but calculate.
 *
 * There is no database in it. An authorizer allows SELECT, the functions of a list, json_each,
 * json_tree and the one row there is (row_table.h); everything else, what later versions of SQLite
 * bring included, is refused. Its clock never answers, so a value cannot hang on the time, not even
 * where a record brings the word "now". Whatever takes long is stopped.
 */
#ifndef GATHERD_SQL_SANDBOX_H
#define GATHERD_SQL_SANDBOX_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "gatherd/error.h"
#include "sql/row_table.h"

/* What the authorizer refused last. */
enum denied {
    DENIED_NOTHING,
    DENIED_TABLE,
    DENIED_FUNCTION,
    DENIED_RECURSION,
    DENIED_OTHER,
};

struct sandbox {
    sqlite3 *db;     /* owned; NULL: not open */
    sqlite3_vfs vfs; /* the system's, without its clock */
    char vfs_name[32];
    const struct row_table *table; /* borrowed: that may be read */

    enum denied denied;
    char denied_name[128]; /* of the table or function */

    unsigned turns;     /* of the progress handler, for the present row */
    bool over_budget;   /* the present row took too many instructions ... */
    bool over_time;     /* ... or the response too much of the processor's time */
    bool asked_time;    /* the present row asked for the time of day */
    unsigned rows;      /* begun since the time was looked at */
    int64_t cpu_end_ms; /* on this thread's CPU clock; 0: there is no limit */
};

/* The words of what a row, or a response, may not do. */
extern const char sandbox_over_budget[];
extern const char sandbox_over_time[];
extern const char sandbox_no_time[];
extern const char sandbox_too_long[];

/* The sandbox must not be moved from here on. 0, or -1: out of memory, as a rule. */
int sandbox_open(struct sandbox *sandbox, struct error *err);
void sandbox_close(struct sandbox *sandbox); /* one that was never opened, too: {0} */

void sandbox_begin_response(struct sandbox *sandbox);

/* False: the response has used up its time. */
bool sandbox_begin_row(struct sandbox *sandbox);

#endif
