/*
 * The face of the store: opening and closing, and the one transaction that takes a batch.
 *
 * A commit goes: BEGIN IMMEDIATE; for each result its rows (which may change its table first), its
 * dead letters, its run, its source's state; COMMIT. What is learned on the way is kept in
 * outcomes and reaches results and runs after the COMMIT only, so a batch that was rolled back can
 * be given again as it is.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gatherd/log.h"
#include "store/migrate.h"
#include "store/parts.h"
#include "store/unfinished.h"

/* --- Opening and closing --- */

static int check_kind(const char *path, struct error *err)
{
    struct stat st;

    if (stat(path, &st) == -1 || S_ISREG(st.st_mode))
        return 0; /* what else is wrong shows when it is locked and opened */
    error_set(err, ERROR_UNAVAILABLE, "%s is %s, not a database file; choose another path", path,
              S_ISDIR(st.st_mode) ? "a folder" : "no ordinary file");
    return -1;
}

static int prepare_statements(struct store *store, struct error *err)
{
    sqlite3 *db = store->db;

    if (sqlite_prepare(db, "BEGIN IMMEDIATE", &store->begin, err) == -1 ||
        sqlite_prepare(db, "COMMIT", &store->commit, err) == -1 ||
        sqlite_prepare(db, "PRAGMA data_version", &store->data_version, err) == -1 ||
        runs_open(&store->runs, db, err) == -1 || state_open(&store->state, db, err) == -1 ||
        validators_open(&store->validators, db, err) == -1 ||
        positions_open(&store->positions, db, err) == -1 ||
        item_state_open(&store->item_state, db, err) == -1 ||
        dead_letters_open(&store->dead_letters, db, err) == -1 ||
        generations_open(&store->generations, db, err) == -1 ||
        raw_open(&store->raw, store->path, db, err) == -1)
        return -1;
    store->schema = schema_create(db, err);
    return store->schema == NULL ? -1 : 0;
}

/*
 * Run ids are never used twice, though old runs may be deleted: each source's last run is noted
 * with the source, and sources stay.
 */
static int read_next_run_id(struct store *store, struct error *err)
{
    static const char sql[] = "SELECT 1 + max(coalesce((SELECT max(id) FROM _gatherd_runs), 0),"
                              " coalesce((SELECT max(last_run_id) FROM _gatherd_sources), 0))";

    return sqlite_integer(store->db, sql, &store->next_run_id, err);
}

static int prepare_database(struct store *store, const struct store_options *options,
                            struct error *err)
{
    struct error cause = {0};

    if (sqlite_configure_writer(store->db, options->synchronous, &cause) == 0 &&
        migrate_run(store->db, &cause) == 0 && prepare_statements(store, &cause) == 0 &&
        read_next_run_id(store, &cause) == 0 &&
        unfinished_end(store->db, 0, "gatherd ended before the run's last page", &cause) == 0)
        return 0;
    if (cause.code == ERROR_FAILED) /* "no such table: _gatherd_runs" */
        error_set(err, ERROR_UNAVAILABLE,
                  "%s: its internal tables are damaged (%s); restore a backup, or choose another "
                  "path",
                  store->path, cause.text);
    else
        error_set(err, cause.code, "%s: %s", store->path, cause.text);
    return -1;
}

static void release(struct store *store, bool unused)
{
    if (store->db != NULL) {
        schema_free(store->schema);
        runs_close(&store->runs);
        state_close(&store->state);
        validators_close(&store->validators);
        positions_close(&store->positions);
        item_state_close(&store->item_state);
        dead_letters_close(&store->dead_letters);
        generations_close(&store->generations);
        raw_close(&store->raw);
        sqlite3_finalize(store->begin);
        sqlite3_finalize(store->commit);
        sqlite3_finalize(store->data_version);
        sqlite3_close(store->db);
    }
    lock_release(store->lock, unused);
    pthread_mutex_destroy(&store->mutex);
    retention_list_free(store->retention);
    free(store->outcomes);
    free(store->path);
    free(store);
}

struct store *store_open(const char *path, const struct store_options *options, struct error *err)
{
    struct store *store = calloc(1, sizeof(*store));
    bool foreign = false;

    if (store == NULL || (store->path = strdup(path)) == NULL) {
        free(store);
        error_set(err, ERROR_NOMEM, "%s: out of memory", path);
        return NULL;
    }
    pthread_mutex_init(&store->mutex, NULL); /* with default attributes it cannot fail */
    if (check_kind(path, err) == -1)
        goto fail;
    store->lock = lock_acquire(path, err);
    if (store->lock == NULL || sqlite_open_writer(path, &store->db, err) == -1)
        goto fail;
    foreign = migrate_check(store->db, path, err) == -1;
    if (!foreign && prepare_database(store, options, err) == 0)
        return store;
fail:
    release(store, foreign);
    return NULL;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    /* What this cannot do, for want of space or because of a lock, the next start does. */
    unfinished_end(store->db, 0, "gatherd was stopped before the run's last page", NULL);
    /* A reader in the way leaves some of the log where it is, and nothing is lost. */
    sqlite3_wal_checkpoint_v2(store->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    release(store, false);
}

/* --- Transactions --- */

void store_roll_back(struct store *store)
{
    /* After some failures SQLite has done it already. */
    if (sqlite3_get_autocommit(store->db) == 0)
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    schema_rolled_back(store->schema);
}

/* What we know of tables is void when somebody else wrote: a table dropped or changed by hand. */
static int check_data_version(struct store *store, struct error *err)
{
    int64_t version = 0;
    int rc = sqlite_step(store->data_version, "", err);

    if (rc == 1)
        version = sqlite3_column_int64(store->data_version, 0);
    sqlite3_reset(store->data_version);
    if (rc == -1)
        return -1;
    if (version != store->last_data_version)
        schema_forget(store->schema);
    store->last_data_version = version;
    return 0;
}

int store_begin(struct store *store, struct error *err)
{
    if (sqlite_run(store->begin, "begin", err) == -1)
        return -1;
    return check_data_version(store, err);
}

int store_end(struct store *store, struct error *err)
{
    if (sqlite_run(store->commit, "commit", err) == -1)
        return -1;
    schema_committed(store->schema);
    return 0;
}

/* --- The batch --- */

void store_read_clocks(struct moment *moment)
{
    moment->wall_ms = clock_wall_ms();
    moment->monotonic_us = clock_monotonic_us();
    clock_format(moment->wall_ms, moment->text);
}

/*
 * -1 without an error set: the run of one result, now marked as refused, undid the transaction (a
 * trigger with RAISE(ROLLBACK)), and the batch must be written again without that run's rows.
 */
static int write_batch(struct store *store, const struct batch *batch, struct error *err)
{
    struct moment moment;

    if (store_begin(store, err) == -1)
        return -1;
    store_read_clocks(&moment);
    for (size_t i = 0; i < batch->count; i++) {
        if (store_write_result(store, &batch->results[i], &store->outcomes[i], &moment, err) == -1)
            return -1;
    }
    return store_end(store, err);
}

static int clear_outcomes(struct store *store, size_t count, struct error *err)
{
    if (count > store->capacity) {
        struct outcome *outcomes = realloc(store->outcomes, count * sizeof(*outcomes));

        if (outcomes == NULL) {
            error_set(err, ERROR_NOMEM, "out of memory");
            return -1;
        }
        store->outcomes = outcomes;
        store->capacity = count;
    }
    for (size_t i = 0; i < count; i++) {
        struct outcome *outcome = &store->outcomes[i];

        outcome->refusal.code = ERROR_NONE;
        outcome->refusal.text[0] = '\0';
        outcome->refused_as = RUN_FAILED_STORE;
        outcome->kept = (struct error){0};
        outcome->body = store->bodies != NULL ? &store->bodies[i] : NULL;
        outcome_clear_counts(outcome);
    }
    return 0;
}

static void restart_outcomes(struct store *store, size_t count)
{
    for (size_t i = 0; i < count; i++)
        outcome_clear_counts(&store->outcomes[i]);
}

static void publish_page(const struct outcome *outcome, struct result *result)
{
    struct pages *pages = result->run->pages;

    result->requests -= pages->requests;
    pages->requests = result->run->requests;
    pages->run_id = outcome->unfinished ? outcome->run_id : 0;
    pages->tally = outcome->total;
    pages->gaps = outcome->gaps;
    pages->fetched_ms = outcome->fetched_ms;
}

static void publish(const struct store *store, struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct outcome *outcome = &store->outcomes[i];
        struct result *result = &batch->results[i];

        result->inserted = outcome->inserted;
        result->updated = outcome->updated;
        result->unchanged = outcome->unchanged;
        result->deleted = outcome->deleted;
        result->marked = outcome->marked;
        result->rejected = outcome->rejected;
        result->child_rows = outcome->child_rows;
        validators_settle(result->run, outcome);
        result->total = outcome->total;
        result->requests = result->run->requests;
        if (outcome->refusal.code != ERROR_NONE) {
            run_fail(result->run, outcome->refused_as, "%s", outcome->refusal.text);
            result->run->failures = outcome->failures;
        }
        if (result->run->replayed != NULL)
            memcpy(result->run->replayed->reason, outcome->reason, sizeof(outcome->reason));
        else if (result->run->pages != NULL)
            publish_page(outcome, result);
    }
}

static enum store_status status_of(const struct error *cause)
{
    return cause->code == ERROR_SPACE || cause->code == ERROR_BUSY ? STORE_RETRY : STORE_FATAL;
}

static enum store_status commit_locked(struct store *store, struct batch *batch, struct error *err)
{
    struct error cause = {0};
    int64_t first_run_id = store->next_run_id;

    if (clear_outcomes(store, batch->count, &cause) == 0) {
        for (;;) {
            if (write_batch(store, batch, &cause) == 0) {
                publish(store, batch);
                return STORE_OK;
            }
            store_roll_back(store);
            store->next_run_id = first_run_id;
            if (cause.code != ERROR_NONE)
                break;
            restart_outcomes(store, batch->count);
        }
    }
    if (cause.code == ERROR_FAILED) /* our own statements do not fail so on a sound database */
        cause.code = ERROR_INTERNAL;
    error_set(err, cause.code, "%s: %s", store->path, cause.text);
    return status_of(&cause);
}

enum store_status store_commit(struct store *store, struct batch *batch, struct error *err)
{
    struct raw_body *bodies = raw_pack(&store->raw, batch);
    enum store_status status;

    pthread_mutex_lock(&store->mutex);
    store->bodies = bodies;
    status = commit_locked(store, batch, err);
    store->bodies = NULL;
    pthread_mutex_unlock(&store->mutex);
    raw_bodies_free(bodies, batch->count);
    return status;
}

/* --- Upkeep --- */

int store_tend(struct store *store, bool *more, struct error *err)
{
    struct error cause = {0};
    bool more_bodies = false;
    int rc;

    *more = false;
    pthread_mutex_lock(&store->mutex);
    sqlite_begin_upkeep(store->db);
    rc = retention_step(store, more, &cause);
    if (rc == 0 && !*more)
        rc = vacuum_step(&store->vacuum, store->db, more, &cause);
    if (rc == 0)
        rc = store_expire_bodies(store, &more_bodies, &cause);
    sqlite_end_upkeep(store->db);
    pthread_mutex_unlock(&store->mutex);
    *more = *more || more_bodies;
    if (rc == 0)
        rc = store_make_dictionary(store, &cause);
    if (rc == -1)
        error_set(err, cause.code, "%s: %s", store->path, cause.text);
    return rc;
}

int store_checkpoint(struct store *store, struct error *err)
{
    struct error cause = {0};
    int rc;

    pthread_mutex_lock(&store->mutex);
    rc = sqlite3_wal_checkpoint_v2(store->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (rc != SQLITE_OK)
        sqlite_fail(store->db, rc, "checkpoint", &cause);
    pthread_mutex_unlock(&store->mutex);
    if (cause.code == ERROR_NONE || cause.code == ERROR_BUSY)
        return 0; /* a reader in the way: the next one takes what is left */
    error_set(err, cause.code, "%s: %s", store->path, cause.text);
    return -1;
}
