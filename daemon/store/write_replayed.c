/*
 * A result that is replayed, in the transaction of its batch. Its rows have the run and the time of
 * the response that they are made of, so that a replay said again finds them: with a key a row is
 * updated unless it was fetched later; without one, or where rows are only inserted, those that the
 * response had made go first. The record of the run, the state of the source and its validators
 * stay as they are.
 */
#include "gatherd/clock.h"
#include "store/names.h"
#include "store/parts.h"

static void begin_outcome(const struct run *run, struct outcome *outcome)
{
    outcome->run_id = run->replayed->run_id;
    outcome->fetched_ms = run->replayed->fetched_ms;
    outcome->total = (struct tally){0};
    outcome->failure = run->failure;
    outcome->failures = run->failures;
    outcome->unfinished = false;
    outcome->validators_change = VALIDATORS_KEEP;
}

/* --- What the response made before. --- */

static int remove_from(sqlite3 *db, const char *table, const struct replayed *replayed,
                       struct error *err)
{
    char fetched_at[CLOCK_TEXT_SIZE];
    struct text sql = {0};
    sqlite3_stmt *stmt = NULL;
    int rc = -1;

    text_add(&sql, "DELETE FROM main.");
    name_quote(&sql, table);
    text_add(&sql, " WHERE " COLUMN_RUN_ID " = ? AND " COLUMN_FETCHED_AT " = ?");
    if (text_failed(&sql)) {
        schema_no_memory(err);
    } else if (sqlite_prepare(db, text_string(&sql), &stmt, err) == 0) {
        sqlite3_bind_int64(stmt, 1, replayed->run_id);
        sqlite_bind_string(stmt, 2, clock_format(replayed->fetched_ms, fetched_at));
        rc = sqlite_run(stmt, table, err);
        sqlite3_finalize(stmt);
    }
    text_free(&sql);
    return rc;
}

/* With its children. A table that is not there, or not yet, has none. */
static int remove_family(sqlite3 *db, const struct mapping *mapping,
                         const struct replayed *replayed, struct error *err)
{
    if (sqlite3_table_column_metadata(db, "main", mapping->table, COLUMN_RUN_ID, NULL, NULL, NULL,
                                      NULL, NULL) == SQLITE_OK &&
        remove_from(db, mapping->table, replayed, err) == -1)
        return -1;
    for (size_t i = 0; i < mapping->child_count; i++) {
        if (remove_family(db, &mapping->children[i], replayed, err) == -1)
            return -1;
    }
    return 0;
}

/* A record of a dead letter was in no table yet. */
static int remove_rows(struct store *store, const struct run *run, struct error *err)
{
    const struct mapping *mapping = &run->source->mapping;

    if (run->replayed->letter_id != 0 || mapping->write_mode == WRITE_UPSERT)
        return 0;
    return remove_family(store->db, mapping, run->replayed, err);
}

static int forget_letters(struct store *store, const struct run *run, struct error *err)
{
    if (run->replayed->letter_id != 0 || run->replayed->aside)
        return 0;
    return dead_letters_forget(&store->dead_letters, run, err);
}

/* --- And makes now. --- */

static int write_anew(struct store *store, const struct result *result, struct outcome *outcome,
                      const struct moment *moment, struct error *err)
{
    if (remove_rows(store, result->run, err) == -1 ||
        forget_letters(store, result->run, err) == -1 ||
        store_write_rows(store, result, outcome, moment, err) == -1)
        return -1;
    return store_write_dead_letters(store, result, outcome, moment, err);
}

/* The table cannot take it: all is as it was. */
static int refuse(struct store *store, struct outcome *outcome, const struct error *cause,
                  struct error *err)
{
    outcome->refusal = *cause;
    outcome->failure = RUN_FAILED_STORE;
    outcome_clear_counts(outcome);
    if (sqlite3_get_autocommit(store->db) != 0)
        return -1; /* a trigger of the user's undid the transaction: it is written again */
    schema_undone(store->schema);
    return sqlite_exec(store->db, "ROLLBACK TO replayed; RELEASE replayed", err);
}

static int try_rows(struct store *store, const struct result *result, struct outcome *outcome,
                    const struct moment *moment, struct error *err)
{
    struct error cause = {0};

    if (outcome->refusal.code != ERROR_NONE) {
        outcome->failure = RUN_FAILED_STORE;
        return 0;
    }
    if (sqlite_exec(store->db, "SAVEPOINT replayed", err) == -1)
        return -1;
    if (write_anew(store, result, outcome, moment, &cause) == 0)
        return sqlite_exec(store->db, "RELEASE replayed", err);
    if (cause.code == ERROR_FAILED)
        return refuse(store, outcome, &cause, err);
    *err = cause;
    return -1;
}

/* --- The dead letter that it was. --- */

static int settle_letter(struct store *store, const struct run *run, const struct outcome *outcome,
                         const struct moment *moment, struct error *err)
{
    const char *reason = outcome->reason;

    if (run->replayed->letter_id == 0)
        return 0;
    if (outcome->failure == RUN_OK && (outcome->rejected == 0 || !run->replayed->is_record))
        return dead_letters_remove(&store->dead_letters, run->replayed->letter_id, err);
    if (outcome->refusal.code != ERROR_NONE)
        reason = outcome->refusal.text;
    else if (run->failure != RUN_OK)
        reason = run->error != NULL ? run->error : run_failure_name(run->failure);
    return dead_letters_refuse(&store->dead_letters, run, reason, moment, err);
}

int store_write_replayed(struct store *store, const struct result *result, struct outcome *outcome,
                         const struct moment *moment, struct error *err)
{
    begin_outcome(result->run, outcome);
    if (outcome->failure == RUN_OK && try_rows(store, result, outcome, moment, err) == -1)
        return -1;
    return settle_letter(store, result->run, outcome, moment, err);
}
