/*
 * item_state.h - what is remembered of each item of a source with for_each, in _gatherd_state.
 *
 * An item that its source has no more keeps its row: should it come back, it goes on where it was.
 */
#ifndef GATHERD_STORE_ITEM_STATE_H
#define GATHERD_STORE_ITEM_STATE_H

#include "gatherd/error.h"
#include "gatherd/row.h"
#include "store/outcome.h"
#include "store/sqlite.h"

struct item_state {
    sqlite3_stmt *update;
    sqlite3_stmt *failures;
};

int item_state_open(struct item_state *state, sqlite3 *db, struct error *err);
void item_state_close(struct item_state *state);

/* Makes found->states and fills them with what is saved, in one walk. Needs no open state. */
int item_state_load(sqlite3 *db, const struct source *source, int64_t source_id,
                    struct found_items *found, struct error *err);

/* How many runs of the run's item in a row have failed, by the database. */
int item_state_failures(struct item_state *state, const struct run *run, unsigned *failures,
                        struct error *err);

/* Moves the row of the run's item on by one run. */
int item_state_update(struct item_state *state, const struct run *run,
                      const struct outcome *outcome, struct error *err);

#endif
