/*
 * parts.h - what a store is made of, for the files that are its face.
 *
 * Whoever calls what is declared here holds store->mutex.
 */
#ifndef GATHERD_STORE_PARTS_H
#define GATHERD_STORE_PARTS_H

#include <pthread.h>
#include <stdint.h>

#include "gatherd/store.h"
#include "store/dead_letters.h"
#include "store/generations.h"
#include "store/item_state.h"
#include "store/lock.h"
#include "store/outcome.h"
#include "store/positions.h"
#include "store/raw.h"
#include "store/retention.h"
#include "store/runs.h"
#include "store/schema.h"
#include "store/sqlite.h"
#include "store/state.h"
#include "store/vacuum.h"
#include "store/validators.h"

struct store {
    /* Set by store_open(), never changed. */
    char *path; /* owned */
    struct lock *lock;

    pthread_mutex_t mutex; /* guards everything below */
    sqlite3 *db;
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
    sqlite3_stmt *data_version;
    int64_t last_data_version; /* changes when another connection writes */
    int64_t next_run_id;
    struct schema *schema;
    struct runs runs;
    struct state state;
    struct validators_table validators;
    struct positions_table positions;
    struct item_state item_state;
    struct dead_letters dead_letters;
    struct retention_list *retention; /* owned; NULL: before store_register() */
    struct vacuum vacuum;
    struct generations generations;
    int64_t expire_at_ms;          /* monotonic: when bodies are looked at for their age */
    struct raw_table raw;          /* has a mutex of its own */
    const struct raw_body *bodies; /* of the batch at hand, borrowed; NULL: none is kept */
    struct outcome *outcomes;      /* owned: of the batch at hand, reused */
    size_t capacity;
};

/* --- store.c: transactions. --- */

int store_begin(struct store *store, struct error *err);
int store_end(struct store *store, struct error *err); /* COMMIT */
void store_roll_back(struct store *store);
void store_read_clocks(struct moment *moment);

/* --- write_rows.c --- */

/*
 * Writes the rows of one result into its tables and counts them, and what was rejected. -1 with
 * ERROR_FAILED: a table cannot take this run, and nothing of it is in any of its tables, or it
 * undid the transaction.
 */
int store_write_rows(struct store *store, const struct result *result, struct outcome *outcome,
                     const struct moment *moment, struct error *err);

/* --- write_result.c --- */

/*
 * Writes all that becomes of one result, in the transaction that is open, and notes it in
 * `outcome`. -1 without an error set: the run, now marked as refused in its outcome, undid the
 * transaction (a trigger with RAISE(ROLLBACK), a set that shrank too much), and the batch must be
 * written again without its rows.
 */
int store_write_result(struct store *store, const struct result *result, struct outcome *outcome,
                       const struct moment *moment, struct error *err);

/*
 * What becomes of a result that is replayed: its rows, in the place of those that the run made of
 * the response before; dead letters; and nothing else.
 */
int store_write_replayed(struct store *store, const struct result *result, struct outcome *outcome,
                         const struct moment *moment, struct error *err);

/* A record or body that is none: a dead letter, where the result is one to leave them. */
int store_add_letter(struct store *store, const struct result *result, struct outcome *outcome,
                     const struct dead_letter *letter, const struct moment *moment,
                     struct error *err);

/* Those records of a result that never became rows. */
int store_write_dead_letters(struct store *store, const struct result *result,
                             struct outcome *outcome, const struct moment *moment,
                             struct error *err);

/* --- Upkeep --- */

/*
 * raw_expire.c: deletes bodies whose time is over, in one short transaction, and looks for them now
 * and then.
 */
int store_expire_bodies(struct store *store, bool *more, struct error *err);

/*
 * raw_train.c, without the mutex: makes a dictionary for one source that has enough bodies, if
 * there is one. Takes up to some 100 ms, in which the mutex is free but for the writing.
 */
int store_make_dictionary(struct store *store, struct error *err);

#endif
