/*
 * The face of the store: opening and closing, and the one transaction that takes a batch.
 *
 * A commit goes: BEGIN IMMEDIATE; for each result its rows (which may change its table first), its
 * dead letters, its run, its source's state; COMMIT. What is learned on the way is kept in
 * outcomes and reaches results and runs after the COMMIT only, so a batch that was rolled back can
 * be given again as it is.
 */
#include "gatherd/store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gatherd/json.h"
#include "gatherd/log.h"
#include "store/dead_letters.h"
#include "store/item_list.h"
#include "store/item_state.h"
#include "store/lock.h"
#include "store/migrate.h"
#include "store/outcome.h"
#include "store/positions.h"
#include "store/runs.h"
#include "store/schema.h"
#include "store/sqlite.h"
#include "store/state.h"
#include "store/table.h"
#include "store/unfinished.h"
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
    struct outcome *outcomes; /* owned: of the batch at hand, reused */
    size_t capacity;
};

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
        dead_letters_open(&store->dead_letters, db, err) == -1)
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
        sqlite3_finalize(store->begin);
        sqlite3_finalize(store->commit);
        sqlite3_finalize(store->data_version);
        sqlite3_close(store->db);
    }
    lock_release(store->lock, unused);
    pthread_mutex_destroy(&store->mutex);
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

static void roll_back(struct store *store)
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

static int begin(struct store *store, struct error *err)
{
    if (sqlite_run(store->begin, "begin", err) == -1)
        return -1;
    return check_data_version(store, err);
}

static int commit(struct store *store, struct error *err)
{
    if (sqlite_run(store->commit, "commit", err) == -1)
        return -1;
    schema_committed(store->schema);
    return 0;
}

/* --- One result --- */

struct rejection {
    struct store *store;
    const struct result *result;
    struct outcome *outcome;
    const struct moment *moment;
    struct json_locator locator; /* in the body */
};

static int reject_row(void *context, const struct row *row, const char *reason, struct error *err)
{
    struct rejection *r = context;
    struct dead_letter letter = {
        .record = row->record, .position = row->position, .reason = reason};

    if (row->record != NULL && row->record->raw != NULL && r->result->body != NULL)
        json_locate(&r->locator, (size_t)(row->record->raw - r->result->body), &letter.line,
                    &letter.column);
    r->outcome->rejected++;
    return dead_letters_add(&r->store->dead_letters, r->result, r->outcome, &letter, r->moment,
                            err);
}

/* When the response was there: now, less the time it waited. */
static int64_t fetched_ms(const struct run *run, const struct moment *moment)
{
    if (run->received_mono_us == 0)
        return moment->wall_ms;
    return moment->wall_ms - (moment->monotonic_us - run->received_mono_us) / 1000;
}

static int write_rows(struct store *store, const struct result *result, struct outcome *outcome,
                      const struct moment *moment, struct error *err)
{
    struct rejection rejection = {store, result, outcome, moment, {.body = result->body}};
    const struct rejecter rejecter = {reject_row, &rejection};
    const struct mapping *mapping = &result->run->source->mapping;
    struct layout *layout;

    outcome->unchanged = result->left_out;
    if (result->rows.row_count == 0 && result->rows.column_count == 0)
        return 0;
    layout = schema_fit(store->schema, mapping, &result->rows, outcome, moment, err);
    if (layout == NULL)
        return -1;
    return layout_write(layout, mapping, &result->rows, fetched_ms(result->run, moment), outcome,
                        &rejecter, err);
}

static int saved_failures(struct store *store, const struct run *run, unsigned *failures,
                          struct error *err)
{
    if (run->item != NULL)
        return item_state_failures(&store->item_state, run, failures, err);
    return state_failures(&store->state, run->source_id, failures, err);
}

/* The run fails; nothing of it is in its table, and the body is kept. */
static int write_refused(struct store *store, const struct result *result, struct outcome *outcome,
                         const struct moment *moment, struct error *err)
{
    struct dead_letter letter = {.reason = outcome->refusal.text};

    outcome->failure = RUN_FAILED_STORE;
    if (saved_failures(store, result->run, &outcome->failures, err) == -1)
        return -1;
    outcome->failures++;
    if (result->run->response.body == NULL)
        return 0;
    return dead_letters_add(&store->dead_letters, result, outcome, &letter, moment, err);
}

static int write_dead_letters(struct store *store, const struct result *result,
                              struct outcome *outcome, const struct moment *moment,
                              struct error *err)
{
    for (size_t i = 0; i < result->dead_letter_count; i++) {
        const struct dead_letter *letter = &result->dead_letters[i];

        outcome->rejected += letter->record != NULL;
        if (dead_letters_add(&store->dead_letters, result, outcome, letter, moment, err) == -1)
            return -1;
    }
    return 0;
}

static void refuse(struct outcome *outcome, const struct error *cause)
{
    outcome->refusal = *cause;
    outcome->inserted = outcome->updated = outcome->unchanged = 0;
}

/*
 * The run ends here without success: what its earlier pages appended goes, since the next run
 * appends it again. Rows with a key stay, for the next run writes the same ones. The transaction
 * may be undone by a trigger of the user's, as in write_rows(): then it is written again without
 * this.
 */
static int take_back(struct store *store, const struct result *result, struct outcome *outcome,
                     struct error *err)
{
    const struct source *source = result->run->source;
    struct error cause = {0};

    if (source->mapping.write_mode != WRITE_APPEND || outcome->kept.code != ERROR_NONE)
        return 0;
    if (unfinished_remove_rows(store->db, source->mapping.table, outcome->run_id,
                               (int64_t)outcome->total.inserted, &cause) == 0) {
        outcome->total.inserted = 0;
        return 0;
    }
    if (cause.code != ERROR_FAILED) {
        *err = cause;
        return -1;
    }
    outcome->kept = cause;
    log_warning("rows of a failed run could not be removed", LOG_STR("source", source->name),
                LOG_STR("table", source->mapping.table), LOG_STR("error", cause.text));
    return sqlite3_get_autocommit(store->db) != 0 ? -1 : 0;
}

static void begin_outcome(struct store *store, const struct result *result, struct outcome *outcome)
{
    const struct run *run = result->run;

    outcome->run_id = run_unfinished_id(run);
    outcome->total = run->pages != NULL ? run->pages->tally : (struct tally){0};
    if (outcome->run_id == 0)
        outcome->run_id = store->next_run_id++;
    outcome->failure = run->failure;
    outcome->failures = run->failures;
}

static void sum_up(const struct result *result, struct outcome *outcome)
{
    const struct tally tally = {
        .bytes = result->run->response.body_bytes,
        .records = result->records,
        .inserted = outcome->inserted,
        .updated = outcome->updated,
        .unchanged = outcome->unchanged,
        .rejected = outcome->rejected,
    };

    tally_add(&outcome->total, &tally);
    outcome->unfinished = result->more && outcome->failure == RUN_OK;
}

static int write_result(struct store *store, const struct result *result, struct outcome *outcome,
                        const struct moment *moment, struct error *err)
{
    begin_outcome(store, result, outcome);
    if (outcome->failure == RUN_OK && outcome->refusal.code == ERROR_NONE) {
        struct error cause = {0};

        if (write_rows(store, result, outcome, moment, &cause) == -1) {
            if (cause.code != ERROR_FAILED) {
                *err = cause;
                return -1;
            }
            refuse(outcome, &cause);
            if (sqlite3_get_autocommit(store->db) != 0)
                return -1; /* a trigger of the user's undid the transaction: see write_batch() */
        }
    }
    if (outcome->refusal.code != ERROR_NONE &&
        write_refused(store, result, outcome, moment, err) == -1)
        return -1;
    if (outcome->failure != RUN_OK && run_unfinished_id(result->run) != 0 &&
        take_back(store, result, outcome, err) == -1)
        return -1;
    if (write_dead_letters(store, result, outcome, moment, err) == -1)
        return -1;
    sum_up(result, outcome);
    if (runs_add(&store->runs, result, outcome, moment, err) == -1 ||
        validators_update(&store->validators, result, outcome, err) == -1 ||
        positions_update(&store->positions, result, outcome, err) == -1)
        return -1;
    if (outcome->unfinished)
        return 0;
    if (result->run->item != NULL &&
        item_state_update(&store->item_state, result->run, outcome, err) == -1)
        return -1;
    return state_update(&store->state, result, outcome, moment, err);
}

/* --- The batch --- */

static void read_clocks(struct moment *moment)
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

    if (begin(store, err) == -1)
        return -1;
    read_clocks(&moment);
    for (size_t i = 0; i < batch->count; i++) {
        if (write_result(store, &batch->results[i], &store->outcomes[i], &moment, err) == -1)
            return -1;
    }
    return commit(store, err);
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
        outcome->kept = (struct error){0};
        outcome->inserted = outcome->updated = outcome->unchanged = outcome->rejected = 0;
    }
    return 0;
}

/* For another attempt: only what is refused is remembered. */
static void restart_outcomes(struct store *store, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct outcome *outcome = &store->outcomes[i];

        outcome->inserted = outcome->updated = outcome->unchanged = outcome->rejected = 0;
    }
}

static void publish_page(const struct outcome *outcome, struct result *result)
{
    struct pages *pages = result->run->pages;

    result->requests -= pages->requests;
    pages->requests = result->run->requests;
    pages->run_id = outcome->unfinished ? outcome->run_id : 0;
    pages->tally = outcome->total;
}

static void publish(const struct store *store, struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct outcome *outcome = &store->outcomes[i];
        struct result *result = &batch->results[i];

        result->inserted = outcome->inserted;
        result->updated = outcome->updated;
        result->unchanged = outcome->unchanged;
        result->rejected = outcome->rejected;
        validators_settle(result->run, outcome);
        result->total = outcome->total;
        result->requests = result->run->requests;
        if (outcome->refusal.code != ERROR_NONE) {
            run_fail(result->run, RUN_FAILED_STORE, "%s", outcome->refusal.text);
            result->run->failures = outcome->failures;
        }
        if (result->run->pages != NULL)
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
            roll_back(store);
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
    enum store_status status;

    pthread_mutex_lock(&store->mutex);
    status = commit_locked(store, batch, err);
    pthread_mutex_unlock(&store->mutex);
    return status;
}

/* --- The rest --- */

/* A cursor without `incremental` waits until there is one again. */
static int load_position(struct store *store, const struct source *source,
                         struct source_state *saved, struct error *err)
{
    if (source->incremental == NULL)
        return 0;
    return positions_load(&store->positions, saved->id, &saved->state.position, err);
}

static int register_sources(struct store *store, const struct config *config,
                            struct source_state *states, struct error *err)
{
    struct moment moment;

    if (begin(store, err) == -1)
        return -1;
    read_clocks(&moment);
    for (size_t i = 0; i < config->source_count; i++) {
        const struct source *source = &config->sources[i];
        struct source_state *saved = &states[i];

        saved->state = (struct run_state){0};
        if (state_register(&store->state, source, moment.text, saved, err) == -1 ||
            validators_load(&store->validators, source, saved->id, &saved->state.validators, err) ==
                -1 ||
            load_position(store, source, saved, err) == -1)
            return -1;
    }
    return commit(store, err);
}

int store_register(struct store *store, const struct config *config, struct source_state *states,
                   struct error *err)
{
    struct error cause = {0};
    int rc;

    pthread_mutex_lock(&store->mutex);
    rc = register_sources(store, config, states, &cause);
    if (rc == -1)
        roll_back(store);
    /* Every page of the schema and of the sources was read, and most are not needed again soon. */
    sqlite3_db_release_memory(store->db);
    pthread_mutex_unlock(&store->mutex);
    if (rc == -1)
        error_set(err, cause.code, "%s: %s", store->path, cause.text);
    return rc;
}

int store_interrupt(struct store *store, int64_t run_id, const char *why, struct error *err)
{
    struct error cause = {0};
    int rc;

    pthread_mutex_lock(&store->mutex);
    rc = unfinished_end(store->db, run_id, why, &cause);
    pthread_mutex_unlock(&store->mutex);
    if (rc == -1)
        error_set(err, cause.code, "%s: %s", store->path, cause.text);
    return rc;
}

static int read_source_id(struct store *store, const char *source, int64_t *id, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc =
        sqlite_prepare(store->db, "SELECT id FROM _gatherd_sources WHERE name = ?", &stmt, err);

    if (rc == 0) {
        sqlite_bind_string(stmt, 1, source);
        rc = sqlite_step(stmt, "_gatherd_sources", err);
    }
    if (rc == 1)
        *id = sqlite3_column_int64(stmt, 0);
    else if (rc == 0)
        error_set(err, ERROR_UNAVAILABLE, "source \"%s\" has not been polled yet", source);
    sqlite3_finalize(stmt);
    return rc == 1 ? 0 : -1;
}

int store_source_id(struct store *store, const char *source, int64_t *id, struct error *err)
{
    int rc;

    pthread_mutex_lock(&store->mutex);
    rc = read_source_id(store, source, id, err);
    pthread_mutex_unlock(&store->mutex);
    return rc;
}

/* What somebody says of the state of a source: with `forget` the validators go too. */
static int write_state(struct store *store, int64_t source_id, const char *cursor, bool forget,
                       struct error *err)
{
    if (begin(store, err) == -1 || positions_set(&store->positions, source_id, cursor, err) == -1)
        return -1;
    if (forget && validators_forget(&store->validators, source_id, NULL, err) == -1)
        return -1;
    return commit(store, err);
}

static int change_state(struct store *store, int64_t source_id, const char *cursor, bool forget,
                        struct error *err)
{
    struct error cause = {0};
    int rc;

    pthread_mutex_lock(&store->mutex);
    rc = write_state(store, source_id, cursor, forget, &cause);
    if (rc == -1)
        roll_back(store);
    pthread_mutex_unlock(&store->mutex);
    if (rc == -1)
        error_set(err, cause.code, "%s: %s", store->path, cause.text);
    return rc;
}

int store_set_cursor(struct store *store, int64_t source_id, const char *cursor, struct error *err)
{
    return change_state(store, source_id, cursor, false, err);
}

int store_forget_state(struct store *store, int64_t source_id, struct error *err)
{
    return change_state(store, source_id, NULL, true, err);
}

/* --- Items --- */

static struct items *list_items(sqlite3 *db, const struct source *source, void (*alive)(void *),
                                void *context, struct error *err)
{
    struct items *values = source->for_each->values;

    return values != NULL ? items_ref(values) : item_list_read(db, source, alive, context, err);
}

static struct found_items *find_items(sqlite3 *db, const struct source *source, int64_t source_id,
                                      void (*alive)(void *), void *context, struct error *err)
{
    struct found_items *found = calloc(1, sizeof(*found));

    if (found == NULL) {
        error_set(err, ERROR_NOMEM, "for_each: out of memory");
        return NULL;
    }
    found->items = list_items(db, source, alive, context, err);
    if (found->items != NULL && item_state_load(db, source, source_id, found, err) == 0)
        return found;
    found_items_free(found);
    return NULL;
}

struct found_items *store_find_items(const struct store *store, const struct source *source,
                                     int64_t source_id, void (*alive)(void *), void *context,
                                     struct error *err)
{
    struct found_items *found;
    sqlite3 *db;

    if (sqlite_open_reader(store->path, &db, err) == -1)
        return NULL;
    found = find_items(db, source, source_id, alive, context, err);
    sqlite3_close(db);
    return found;
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
