/*
 * runs.h - _gatherd_runs: one row a run, written in the transaction that commits it.
 *
 * A run of many pages has its row from the first of them on, with what came so far; a run of one
 * page costs one INSERT.
 */
#ifndef GATHERD_STORE_RUNS_H
#define GATHERD_STORE_RUNS_H

#include "gatherd/error.h"
#include "gatherd/row.h"
#include "gatherd/text.h"
#include "store/outcome.h"
#include "store/sqlite.h"

struct runs {
    sqlite3_stmt *insert;
    struct text error; /* reused, as the next */
    struct text tables;
};

int runs_open(struct runs *runs, sqlite3 *db, struct error *err);
void runs_close(struct runs *runs);

int runs_add(struct runs *runs, const struct result *result, const struct outcome *outcome,
             const struct moment *moment, struct error *err);

/*
 * The text for people about the run's failure, in this outcome, from the second page on with the
 * page; NULL: it succeeded. `text` is used and overwritten.
 */
const char *runs_error_text(struct text *text, const struct run *run,
                            const struct outcome *outcome);

#endif
