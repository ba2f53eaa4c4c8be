/*
 * state.h - _gatherd_sources: what is known of each source from one run to the next.
 */
#ifndef GATHERD_STORE_STATE_H
#define GATHERD_STORE_STATE_H

#include "gatherd/config.h"
#include "gatherd/error.h"
#include "gatherd/row.h"
#include "gatherd/store.h"
#include "gatherd/text.h"
#include "store/outcome.h"
#include "store/sqlite.h"

struct state {
    sqlite3_stmt *add;
    sqlite3_stmt *load;
    sqlite3_stmt *update;
    sqlite3_stmt *failures;
    struct text url; /* both reused */
    struct text error;
};

int state_open(struct state *state, sqlite3 *db, struct error *err);
void state_close(struct state *state);

/* Adds the source's row where it is missing, and reads what it says. */
int state_register(struct state *state, const struct source *source, const char *now,
                   struct source_state *saved, struct error *err);

/* How many runs in a row have failed, by the database. */
int state_failures(struct state *state, int64_t source_id, unsigned *failures, struct error *err);

/* Moves the source's row on by one run. */
int state_update(struct state *state, const struct result *result, const struct outcome *outcome,
                 const struct moment *moment, struct error *err);

#endif
