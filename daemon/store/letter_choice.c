/* Dead letters that are dropped, a few in each transaction. */
#include "store/letter_choice.h"

#include "gatherd/clock.h"
#include "store/parts.h"

/* Then the writer is free for others. */
#define BUDGET_US (15 * 1000)

void letter_choice_bind_before(sqlite3_stmt *stmt, int index, const struct letter_choice *choice)
{
    char before[CLOCK_TEXT_SIZE];

    if (choice->before_ms == 0)
        sqlite3_bind_null(stmt, index);
    else
        sqlite3_bind_text(stmt, index, clock_format(choice->before_ms, before), -1,
                          SQLITE_TRANSIENT);
}

/* How far a drop has come. */
struct dropping {
    const struct letter_choice *choice;
    sqlite3_stmt *find; /* the next one behind an id */
    int64_t last_id;
    size_t number; /* of the ids that are named */
    size_t count;
};

/* 1: `*id` is the next one. */
static int find_next(struct dropping *d, int64_t *id, struct error *err)
{
    int rc;

    if (d->choice->id_count > 0) {
        if (d->number == d->choice->id_count)
            return 0;
        *id = d->choice->ids[d->number++];
        return 1;
    }
    sqlite3_bind_int64(d->find, 1, d->last_id);
    sqlite_bind_string(d->find, 2, d->choice->source);
    letter_choice_bind_before(d->find, 3, d->choice);
    rc = sqlite_step(d->find, "_gatherd_dead_letters", err);
    if (rc == 1)
        *id = d->last_id = sqlite3_column_int64(d->find, 0);
    sqlite3_reset(d->find);
    return rc;
}

/* 1: time is up, and there may be more. */
static int drop_some(struct store *store, struct dropping *d, struct error *err)
{
    int64_t end_us = clock_monotonic_us() + BUDGET_US;
    int64_t id = 0;
    int rc;

    if (store_begin(store, err) == -1)
        return -1;
    do {
        rc = find_next(d, &id, err);
        if (rc != 1)
            break;
        if (dead_letters_remove(&store->dead_letters, id, err) == -1)
            return -1;
        d->count += (size_t)sqlite3_changes(store->db);
    } while (clock_monotonic_us() < end_us);
    if (rc == -1 || store_end(store, err) == -1)
        return -1;
    return rc;
}

static int drop_step(struct store *store, struct dropping *d, struct error *err)
{
    const struct dropping before = *d;
    int rc;

    pthread_mutex_lock(&store->mutex);
    rc = drop_some(store, d, err);
    if (rc == -1)
        store_roll_back(store);
    pthread_mutex_unlock(&store->mutex);
    if (rc == -1)
        *d = before;
    return rc;
}

static int prepare(struct store *store, struct dropping *d, struct error *err)
{
    int rc;

    pthread_mutex_lock(&store->mutex);
    rc = sqlite_prepare(store->db,
                        "SELECT id FROM _gatherd_dead_letters WHERE id > ?1"
                        " AND (?2 IS NULL OR source = ?2) AND (?3 IS NULL OR last_at < ?3)"
                        " ORDER BY id LIMIT 1",
                        &d->find, err);
    pthread_mutex_unlock(&store->mutex);
    return rc;
}

int store_drop_letters(struct store *store, const struct letter_choice *choice, size_t *count,
                       struct error *err)
{
    struct dropping d = {.choice = choice, .last_id = INT64_MIN};
    struct error cause = {0};
    int rc = prepare(store, &d, &cause);

    if (rc == 0) {
        do {
            rc = drop_step(store, &d, &cause);
        } while (rc == 1);
    }
    pthread_mutex_lock(&store->mutex);
    sqlite3_finalize(d.find);
    pthread_mutex_unlock(&store->mutex);
    *count = d.count;
    if (rc == -1)
        error_set(err, cause.code, "%s: %s", store->path, cause.text);
    return rc;
}
