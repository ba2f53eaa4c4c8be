/*
 * store.h - the face of the database: what the rest of gatherd knows of it.
 *
 * One connection writes, behind one mutex; waiting for it is what forms the next batch. The store
 * opens, checks, upgrades and locks the database, evolves its tables, and commits batches. SQLite's
 * types stay behind this header, so another database can stand here one day. All calls but
 * store_open() and store_close() may come from any thread.
 */
#ifndef GATHERD_STORE_H
#define GATHERD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/config.h"
#include "gatherd/error.h"
#include "gatherd/row.h"

struct store; /* opaque */

struct store_options {
    enum synchronous synchronous;
};

/*
 * Opens or creates the database, takes its lock, recovers what a crash left, brings its internal
 * tables up to date. NULL with ERROR_UNAVAILABLE: another gatherd has it, it is newer than this
 * program, it is not gatherd's, or its folder is missing; ERROR_PERMISSION, ERROR_IO and
 * ERROR_SPACE as they say.
 */
struct store *store_open(const char *path, const struct store_options *options, struct error *err);

/* Final checkpoint, then closes and unlocks. NULL is allowed. */
void store_close(struct store *store);

/*
 * Makes sure that each source of the configuration has its row in _gatherd_sources, and fills
 * states[i] for config->sources[i], which own what they remember: see source_states_free(). Rows of
 * sources that are gone stay, with their history.
 */
int store_register(struct store *store, const struct config *config, struct source_state *states,
                   struct error *err);

/*
 * Writes the whole batch in one transaction: rows, schema changes, source state, run records, dead
 * letters; fills the counts of each result. A row that the database refuses goes to the dead
 * letters with the reason, and the rest goes on. A table that cannot take a run at all turns it
 * into a failed run (RUN_FAILED_STORE, with run->failures counted on from the last saved one, and
 * due at run->refused_due_ms) whose body is kept, and harms no other run. Without STORE_OK results
 * and runs are as they were.
 *
 * A result with `more` leaves its run unfinished: the rows are committed and the run's row says how
 * far it has come, but the source's state stays. When a later page fails, what the run appended is
 * removed in the transaction that records the failure.
 */
enum store_status store_commit(struct store *store, struct batch *batch, struct error *err);

/*
 * Ends a run of which pages were committed and no more will come (run_unfinished_id()), as failed:
 * what it appended is removed. The same is done to all such runs when the store is opened, which a
 * crash left, and when it is closed. ERROR_SPACE and ERROR_BUSY: try again later.
 */
int store_interrupt(struct store *store, int64_t run_id, const char *why, struct error *err);

/*
 * The id that a source has in the database, and changes of what it remembers there; a run that
 * carries it is for the caller to change. store_forget_state() forgets cursor and validators, those
 * of all items too. 0, or -1: the state is as it was.
 */
int store_source_id(struct store *store, const char *source, int64_t *id, struct error *err);
int store_set_cursor(struct store *store, int64_t source_id, const char *cursor, struct error *err);
int store_forget_state(struct store *store, int64_t source_id, struct error *err);

/*
 * The items of source->for_each: from the configuration, or read from the database on a connection
 * of its own that keeps no commit waiting; with the saved state of each. A table that is not there
 * yet has none. NULL: why not, in words for people. `alive` is called now and then while it takes
 * time; it may be NULL.
 */
struct found_items *store_find_items(const struct store *store, const struct source *source,
                                     int64_t source_id, void (*alive)(void *), void *context,
                                     struct error *err);

/*
 * A little upkeep, for maintenance ticks: deletes rows beyond their table's retention and kept
 * bodies whose time is over, gives free pages back, and makes dictionaries of bodies. It takes the
 * writer for some milliseconds; `*more` says that there is more to do soon. ERROR_SPACE and
 * ERROR_BUSY: a later tick may try again.
 */
int store_tend(struct store *store, bool *more, struct error *err);

/* Moves the WAL into the database where no reader is in the way; main calls it on maintenance
 * ticks. */
int store_checkpoint(struct store *store, struct error *err);

/* --- What a mapping makes of its tables --- */

struct schema_change {
    const char *table;
    const char *column; /* NULL: it is about the table */
    /*
     * create_table, add_column, settle, widen, rename or rekey, as in _gatherd_schema_changes;
     * unfilled: no record fills the column any more, and it keeps its values; refused: the table
     * cannot take it, for the reason in `to`.
     */
    const char *what;
    const char *from; /* types, keys, names; NULL: nothing */
    const char *to;
    bool open; /* the column takes the type of its first values */
};

struct schema_diff_hooks {
    void *context;
    void (*source)(void *context, const struct source *source); /* its changes follow */
    /* All is borrowed for the call. Returns 0; -1 leaves the rest of this source out. */
    int (*change)(void *context, const struct schema_change *change);
};

/*
 * Reports what each source would change in the tables that are there, as far as the configuration
 * says it: what is not declared comes with the rows. Reads only; also while gatherd runs, and of a
 * database that is not there yet. Any thread, no store is needed.
 */
int store_schema_diff(const char *path, const struct source *const *sources, size_t count,
                      const struct schema_diff_hooks *hooks, struct error *err);

/* Does it, all in one transaction; ERROR_FAILED: a table cannot take it, and nothing was changed.
 */
int store_schema_apply(struct store *store, const struct source *const *sources, size_t count,
                       struct error *err);

/* --- Reading: each query has a read-only connection of its own. --- */

struct store_reader; /* opaque; one thread */

struct store_reader *store_reader_open(const char *path, struct error *err);
void store_reader_close(struct store_reader *reader);

struct store_query_hooks {
    void *context;
    /* Before the first row, also when there is none. Non-zero ends the query, here and below. */
    int (*columns)(void *context, const char *const *names, size_t count);
    /* Names and values are borrowed for the call. */
    int (*row)(void *context, const struct value *values, size_t count);
};

/*
 * Runs one read-only statement, or several, each in turn with its own names. An attempt to write or
 * to attach another file is an error (ERROR_FAILED). 0 too when a hook ended the query.
 */
int store_query(struct store_reader *reader, const char *sql, const struct store_query_hooks *hooks,
                struct error *err);

#endif
