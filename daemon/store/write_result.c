/* One result in the transaction of its batch: rows, dead letters, its run, its source's state. */
#include <stdio.h>

#include "gatherd/log.h"
#include "store/parts.h"
#include "store/unfinished.h"
#include "store/walk.h"

/* The first reason is told to whoever replays. */
int store_add_letter(struct store *store, const struct result *result, struct outcome *outcome,
                     const struct dead_letter *letter, const struct moment *moment,
                     struct error *err)
{
    const struct replayed *replayed = result->run->replayed;

    outcome->rejected += letter->record != NULL || letter->kept != NULL;
    if (replayed != NULL && outcome->reason[0] == '\0')
        snprintf(outcome->reason, sizeof(outcome->reason), "%s", letter->reason);
    if (replayed != NULL && (replayed->aside || replayed->is_record))
        return 0;
    return dead_letters_add(&store->dead_letters, result, outcome, letter, moment, err);
}

/*
 * When the response was there: now, less the time it waited. Each page of a run has a time of its
 * own, so that a replay finds the rows of each.
 */
static int64_t fetched_ms(const struct run *run, const struct moment *moment)
{
    int64_t ms = moment->wall_ms;

    if (run->received_mono_us != 0)
        ms -= (moment->monotonic_us - run->received_mono_us) / 1000;
    if (run->pages != NULL && ms <= run->pages->fetched_ms)
        ms = run->pages->fetched_ms + 1;
    return ms;
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

    outcome->failure = outcome->refused_as;
    if (saved_failures(store, result->run, &outcome->failures, err) == -1)
        return -1;
    outcome->failures++;
    if (result->run->response.body == NULL)
        return 0;
    return dead_letters_add(&store->dead_letters, result, outcome, &letter, moment, err);
}

int store_write_dead_letters(struct store *store, const struct result *result,
                             struct outcome *outcome, const struct moment *moment,
                             struct error *err)
{
    for (size_t i = 0; i < result->dead_letter_count; i++) {
        if (store_add_letter(store, result, outcome, &result->dead_letters[i], moment, err) == -1)
            return -1;
    }
    return 0;
}

static void refuse(struct outcome *outcome, const struct error *cause)
{
    outcome->refusal = *cause;
    outcome_clear_counts(outcome);
}

/*
 * The run ends here without success: what its earlier pages appended goes, since the next run
 * appends it again. Rows with a key stay, for the next run writes the same ones. The transaction
 * may be undone by a trigger of the user's, as in store_write_rows(): then it is written again
 * without this.
 */
static int take_back(struct store *store, const struct result *result, struct outcome *outcome,
                     struct error *err)
{
    const struct source *source = result->run->source;
    struct text tables = {0};
    struct error cause = {0};
    int rc;

    if (source->mapping.write_mode != WRITE_APPEND || outcome->kept.code != ERROR_NONE)
        return 0;
    rc = unfinished_list_tables(&tables, &source->mapping, &cause);
    if (rc == 0)
        rc = unfinished_remove_rows(store->db, text_string(&tables), outcome->run_id,
                                    (int64_t)(outcome->total.inserted + outcome->total.child_rows),
                                    &cause);
    text_free(&tables);
    if (rc == 0) {
        outcome->total.inserted = outcome->total.child_rows = 0;
        return raw_forget_run(store->db, outcome->run_id, err);
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

static void begin_outcome(struct store *store, const struct result *result, struct outcome *outcome,
                          const struct moment *moment)
{
    const struct run *run = result->run;

    outcome->run_id = run_unfinished_id(run);
    outcome->total = run->pages != NULL ? run->pages->tally : (struct tally){0};
    if (outcome->run_id == 0)
        outcome->run_id = store->next_run_id++;
    outcome->failure = run->failure;
    outcome->failures = run->failures;
    outcome->fetched_ms = fetched_ms(run, moment);
}

static void sum_up(const struct result *result, struct outcome *outcome)
{
    const struct tally tally = {
        .bytes = result->run->response.body_bytes,
        .records = result->records,
        .inserted = outcome->inserted,
        .updated = outcome->updated,
        .unchanged = outcome->unchanged,
        .filtered = outcome->failure == RUN_OK ? result->filtered : 0,
        .deleted = outcome->deleted,
        .marked = outcome->marked,
        .rejected = outcome->rejected,
        .child_rows = outcome->child_rows,
    };

    tally_add(&outcome->total, &tally);
    outcome->unfinished = result->more && outcome->failure == RUN_OK;
}

/* However the run has ended: what its pages have kept for the end is needed no more. */
static int end_walk(struct store *store, const struct result *result, const struct outcome *outcome,
                    struct error *err)
{
    bool kept = outcome->noted || run_unfinished_id(result->run) != 0;

    if (outcome->unfinished || !kept || !walk_finds_missing(&result->run->source->mapping))
        return 0;
    return walk_forget(store->db, outcome->run_id, err);
}

/* One that failed is among the dead letters. */
static int keep_body(struct store *store, const struct result *result,
                     const struct outcome *outcome, struct error *err)
{
    if (outcome->failure != RUN_OK || outcome->body == NULL || outcome->body->length == 0)
        return 0;
    return raw_add(&store->raw, result, outcome->body, outcome, outcome->fetched_ms, err);
}

int store_write_result(struct store *store, const struct result *result, struct outcome *outcome,
                       const struct moment *moment, struct error *err)
{
    if (result->run->replayed != NULL)
        return store_write_replayed(store, result, outcome, moment, err);
    begin_outcome(store, result, outcome, moment);
    if (outcome->failure == RUN_OK && outcome->refusal.code == ERROR_NONE) {
        struct error cause = {0};

        if (store_write_rows(store, result, outcome, moment, &cause) == -1) {
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
    if (store_write_dead_letters(store, result, outcome, moment, err) == -1)
        return -1;
    sum_up(result, outcome);
    if (end_walk(store, result, outcome, err) == -1 || keep_body(store, result, outcome, err) == -1)
        return -1;
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
