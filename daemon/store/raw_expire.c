/*
 * Bodies whose time is over go, row by row, in transactions that end after a few milliseconds: the
 * writer is never kept for long.
 */
#include "gatherd/clock.h"
#include "store/parts.h"

/* A row of many pages may take longer than what is left of it; the commit waits for the disk. */
#define BUDGET_US (15 * 1000)

#define LOOK_EVERY_MS (30 * 1000)

/* One of the sources that have bodies. */
struct holder {
    int64_t source_id;
    int64_t keep_ms; /* by the configuration; 0: it says nothing (any more) */
};

static int next_holder(struct store *store, struct holder *holder, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (sqlite_prepare(store->db, "SELECT min(source_id) FROM _gatherd_raw WHERE source_id > ?",
                       &stmt, err) == -1)
        return -1;
    sqlite3_bind_int64(stmt, 1, holder->source_id);
    rc = sqlite_step(stmt, "_gatherd_raw", err);
    if (rc == 1 && sqlite3_column_type(stmt, 0) == SQLITE_NULL)
        rc = 0;
    if (rc == 1)
        holder->source_id = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    holder->keep_ms = rc == 1 ? raw_keep_ms(&store->raw, holder->source_id) : 0;
    return rc;
}

/*
 * What the configuration does not speak of any more stays as long as it said at that time, and as
 * long as what came before it: only the oldest is looked at.
 */
static const char delete_configured[] =
    "DELETE FROM _gatherd_raw WHERE id = (SELECT id FROM _gatherd_raw"
    " WHERE source_id = ?1 AND fetched_at < ?2 ORDER BY fetched_at LIMIT 1)";
static const char delete_others[] =
    "DELETE FROM _gatherd_raw WHERE id = (SELECT id FROM _gatherd_raw"
    " WHERE source_id = ?1 ORDER BY fetched_at LIMIT 1) AND keep_until < ?2";

/* 1: time is up, and there may be more; 0: all that was due has gone. */
static int delete_of(struct store *store, const struct holder *holder, int64_t now_ms,
                     int64_t end_us, struct error *err)
{
    const char *sql = holder->keep_ms > 0 ? delete_configured : delete_others;
    char before[CLOCK_TEXT_SIZE];
    sqlite3_stmt *stmt = NULL;
    int deleted = 1;
    int rc = 0;

    if (sqlite_prepare(store->db, sql, &stmt, err) == -1)
        return -1;
    clock_format(now_ms - holder->keep_ms, before);
    while (rc == 0 && deleted > 0 && clock_monotonic_us() < end_us) {
        sqlite3_bind_int64(stmt, 1, holder->source_id);
        sqlite_bind_string(stmt, 2, before);
        rc = sqlite_run(stmt, "_gatherd_raw", err);
        deleted = sqlite3_changes(store->db);
    }
    sqlite3_finalize(stmt);
    return rc == -1 ? -1 : deleted > 0;
}

/* A dictionary is needed as long as its source has bodies, or gets them. */
static int delete_dictionaries(struct store *store, struct error *err)
{
    static const char sql[] =
        "SELECT DISTINCT source_id FROM _gatherd_dictionaries AS d WHERE NOT EXISTS"
        " (SELECT 1 FROM _gatherd_raw WHERE source_id = d.source_id)";
    sqlite3_stmt *unused = NULL;
    sqlite3_stmt *gone = NULL;
    int rc = -1;

    if (sqlite_prepare(store->db, sql, &unused, err) == 0 &&
        sqlite_prepare(store->db, "DELETE FROM _gatherd_dictionaries WHERE source_id = ?", &gone,
                       err) == 0) {
        while ((rc = sqlite_step(unused, "_gatherd_dictionaries", err)) == 1) {
            int64_t source_id = sqlite3_column_int64(unused, 0);

            if (raw_keep_ms(&store->raw, source_id) > 0)
                continue;
            sqlite3_bind_int64(gone, 1, source_id);
            if (sqlite_run(gone, "_gatherd_dictionaries", err) == -1)
                break;
        }
        rc = rc == 0 ? 0 : -1;
    }
    sqlite3_finalize(unused);
    sqlite3_finalize(gone);
    return rc;
}

static int expire(struct store *store, int64_t now_ms, bool *more, struct error *err)
{
    int64_t end_us = clock_monotonic_us() + BUDGET_US;
    struct holder holder = {.source_id = INT64_MIN};
    int rc = 0;

    *more = false;
    if (store_begin(store, err) == -1)
        return -1;
    while (!*more && (rc = next_holder(store, &holder, err)) == 1) {
        rc = delete_of(store, &holder, now_ms, end_us, err);
        *more = rc == 1;
        if (rc == -1)
            return -1;
    }
    if (!*more && (rc == -1 || delete_dictionaries(store, err) == -1))
        return -1;
    return store_end(store, err);
}

int store_expire_bodies(struct store *store, bool *more, struct error *err)
{
    int64_t now = clock_monotonic_ms();
    int rc;

    *more = false;
    if (now < store->expire_at_ms)
        return 0;
    store->expire_at_ms = now + LOOK_EVERY_MS;
    rc = expire(store, clock_wall_ms(), more, err);
    if (rc == -1)
        store_roll_back(store);
    if (*more)
        store->expire_at_ms = now;
    return rc;
}
