#include "store/validators.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/hash.h"
#include "store/names.h"

#define HASH_DIGITS 32

int validators_open(struct validators_table *table, sqlite3 *db, struct error *err)
{
    static const char load[] = "SELECT fingerprint, request, etag, last_modified, body_hash"
                               " FROM _gatherd_state WHERE source_id = ? AND item = ''";
    static const char save[] =
        "INSERT INTO _gatherd_state"
        " (source_id, item, fingerprint, request, etag, last_modified, body_hash, run_id)"
        " VALUES (?1, ?8, ?2, ?3, ?4, ?5, ?6, ?7)"
        " ON CONFLICT (source_id, item) DO UPDATE SET fingerprint = excluded.fingerprint,"
        " request = excluded.request, etag = excluded.etag,"
        " last_modified = excluded.last_modified, body_hash = excluded.body_hash,"
        " run_id = excluded.run_id";
    static const char forget[] =
        "UPDATE _gatherd_state SET fingerprint = NULL, request = NULL, etag = NULL,"
        " last_modified = NULL, body_hash = NULL, run_id = NULL"
        " WHERE source_id = ?1 AND item = coalesce(?2, item) AND fingerprint IS NOT NULL";
    static const char known[] = "SELECT 1 FROM _gatherd_columns WHERE table_name = ? LIMIT 1";

    table->db = db;
    if (sqlite_prepare(db, load, &table->load, err) == -1 ||
        sqlite_prepare(db, save, &table->save, err) == -1 ||
        sqlite_prepare(db, forget, &table->forget, err) == -1)
        return -1;
    return sqlite_prepare(db, known, &table->known, err);
}

void validators_close(struct validators_table *table)
{
    sqlite3_finalize(table->load);
    sqlite3_finalize(table->save);
    sqlite3_finalize(table->forget);
    sqlite3_finalize(table->known);
}

/* --- Reading and writing. --- */

static void write_hash(struct hash128 hash, char text[HASH_DIGITS + 1])
{
    snprintf(text, HASH_DIGITS + 1, "%016" PRIx64 "%016" PRIx64, hash.high, hash.low);
}

/* People can edit the table: anything but 32 digits is no hash. */
static bool read_hash(const char *text, struct hash128 *hash)
{
    if (strlen(text) != HASH_DIGITS || strspn(text, "0123456789abcdef") != HASH_DIGITS)
        return false;
    return sscanf(text, "%16" SCNx64 "%16" SCNx64, &hash->high, &hash->low) == 2;
}

/* Text or blob; a NUL ends it, since no header has one. Empty: NULL. */
static struct slice column_bytes(sqlite3_stmt *stmt, int column)
{
    const char *data = sqlite3_column_blob(stmt, column);
    size_t length = (size_t)sqlite3_column_bytes(stmt, column);

    return (struct slice){data, data == NULL ? 0 : strnlen(data, length)};
}

static struct validators *read_row(sqlite3_stmt *stmt, struct error *err)
{
    struct validators *v = validators_create(column_bytes(stmt, 2), column_bytes(stmt, 3));

    if (v == NULL) {
        error_set(err, ERROR_NOMEM, "_gatherd_state: out of memory");
        return NULL;
    }
    v->fingerprint = (uint64_t)sqlite3_column_int64(stmt, 0);
    v->request = (uint16_t)sqlite3_column_int(stmt, 1);
    v->has_body_hash = read_hash(sqlite_column_string(stmt, 4), &v->body_hash);
    return v;
}

int validators_read(sqlite3_stmt *stmt, struct validators **validators, struct error *err)
{
    *validators = NULL;
    if (sqlite3_column_type(stmt, 0) == SQLITE_NULL)
        return 0;
    *validators = read_row(stmt, err);
    return *validators == NULL ? -1 : 0;
}

static int load(sqlite3_stmt *stmt, int64_t source_id, struct validators **validators,
                struct error *err)
{
    int rc;

    sqlite3_bind_int64(stmt, 1, source_id);
    rc = sqlite_step(stmt, "_gatherd_state", err);
    if (rc == 1)
        rc = validators_read(stmt, validators, err);
    sqlite3_reset(stmt);
    return rc == -1 ? -1 : 0;
}

/* Bytes beyond ASCII are allowed in an entity tag and need not be UTF-8. */
static void bind_header(sqlite3_stmt *stmt, int index, const char *value)
{
    size_t length = value == NULL ? 0 : strlen(value);

    if (value == NULL || utf8_valid(value, length))
        sqlite_bind_string(stmt, index, value);
    else
        sqlite3_bind_blob64(stmt, index, value, length, SQLITE_STATIC);
}

static int save(sqlite3_stmt *stmt, const struct run *run, int64_t run_id, struct error *err)
{
    const struct validators *v = run->learned;
    char hash[HASH_DIGITS + 1];

    write_hash(v->body_hash, hash);
    sqlite3_bind_int64(stmt, 1, run->source_id);
    sqlite3_bind_int64(stmt, 2, (sqlite3_int64)v->fingerprint);
    sqlite3_bind_int(stmt, 3, v->request);
    bind_header(stmt, 4, v->etag);
    sqlite_bind_string(stmt, 5, v->last_modified);
    sqlite_bind_string(stmt, 6, v->has_body_hash ? hash : NULL);
    sqlite3_bind_int64(stmt, 7, run_id);
    sqlite_bind_string(stmt, 8, run_item_key(run));
    return sqlite_run(stmt, "_gatherd_state", err);
}

int validators_forget(struct validators_table *table, int64_t source_id, const char *item,
                      struct error *err)
{
    sqlite3_bind_int64(table->forget, 1, source_id);
    sqlite_bind_string(table->forget, 2, item);
    return sqlite_run(table->forget, "_gatherd_state", err);
}

/* --- Tables that are gone. --- */

/* 1: the table was there once and is there no more; one that never was had no row to lose. */
static int is_lost(struct validators_table *table, const char *name, struct error *err)
{
    int rc;

    if (sqlite3_table_column_metadata(table->db, "main", name, NULL, NULL, NULL, NULL, NULL,
                                      NULL) == SQLITE_OK)
        return 0;
    sqlite_bind_string(table->known, 1, name);
    rc = sqlite_step(table->known, "_gatherd_columns", err);
    sqlite3_reset(table->known);
    sqlite3_clear_bindings(table->known);
    return rc;
}

/* The same of any of a source's tables. */
static int is_any_lost(struct validators_table *table, const struct mapping *mapping,
                       struct error *err)
{
    int lost = is_lost(table, mapping->table, err);

    for (size_t i = 0; i < mapping->child_count && lost == 0; i++)
        lost = is_any_lost(table, &mapping->children[i], err);
    return lost;
}

int validators_load(struct validators_table *table, const struct source *source, int64_t source_id,
                    struct validators **validators, struct error *err)
{
    int lost;

    *validators = NULL;
    if (load(table->load, source_id, validators, err) == -1)
        return -1;
    if (*validators == NULL)
        return 0;
    lost = is_any_lost(table, &source->mapping, err);
    if (lost == 0)
        return 0;
    validators_free(*validators);
    *validators = NULL;
    return lost == -1 ? -1 : validators_forget(table, source_id, "", err);
}

/* --- What becomes of them. --- */

/*
 * A run that failed, or whose answer is not for the table, changed nothing, and what is known stays
 * true. After one that left records in
 * the dead letters it would not do to be told that nothing has changed: what refused them may be
 * mended in the database.
 */
static int decide(struct validators_table *table, const struct result *result,
                  struct outcome *outcome, struct error *err)
{
    const struct run *run = result->run;
    int lost;

    outcome->validators_change = VALIDATORS_KEEP;
    if (outcome->failure != RUN_OK || (run->ignored && !outcome->unfinished))
        return 0;
    outcome->validators_change = VALIDATORS_FORGET;
    if (outcome->rejected == 0 && !outcome->unfinished && run->learned != NULL)
        outcome->validators_change = VALIDATORS_LEARN;
    if (!run->not_modified)
        return 0;
    lost = is_any_lost(table, &run->source->mapping, err);
    if (lost == 1)
        outcome->validators_change = VALIDATORS_FORGET;
    else if (run->learned == NULL) /* a 304, which says less than the answer that we have */
        outcome->validators_change = VALIDATORS_KEEP;
    return lost == -1 ? -1 : 0;
}

int validators_update(struct validators_table *table, const struct result *result,
                      struct outcome *outcome, struct error *err)
{
    const struct run *run = result->run;

    if (decide(table, result, outcome, err) == -1)
        return -1;
    if (outcome->validators_change == VALIDATORS_FORGET && run->state.validators != NULL)
        return validators_forget(table, run->source_id, run_item_key(run), err);
    if (outcome->validators_change == VALIDATORS_LEARN &&
        !validators_same(run->learned, run->state.validators))
        return save(table->save, run, outcome->run_id, err);
    return 0;
}

void validators_settle(struct run *run, const struct outcome *outcome)
{
    struct validators *old = run->state.validators;

    if (outcome->validators_change == VALIDATORS_KEEP)
        return;
    run->state.validators = NULL;
    if (outcome->validators_change == VALIDATORS_LEARN) {
        run->state.validators = run->learned;
        run->learned = NULL;
    }
    validators_free(old);
}
