#include "store/dependents.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/hash.h"
#include "gatherd/text.h"
#include "store/fts.h"
#include "store/indexes.h"
#include "store/names.h"
#include "store/retention.h"

#define LEAST_CAPACITY 64

struct fitted {
    uint64_t table; /* hash of its name; 0: empty */
    uint64_t wants; /* hash of all that decides what is made; 0: nothing is known */
};

/* --- What was seen to fit --- */

static uint64_t table_key(const char *table)
{
    uint64_t hash = name_hash(table);

    return hash == 0 ? 1 : hash;
}

/* Where it is, or the empty place where it belongs; there is one. */
static struct fitted *find(const struct dependents *dependents, uint64_t table)
{
    size_t at = (size_t)table & (dependents->capacity - 1);

    while (dependents->slots[at].table != 0 && dependents->slots[at].table != table)
        at = (at + 1) & (dependents->capacity - 1);
    return &dependents->slots[at];
}

static bool grow(struct dependents *dependents)
{
    struct dependents grown = {.capacity = dependents->capacity == 0 ? LEAST_CAPACITY
                                                                     : dependents->capacity * 2,
                               .count = dependents->count};

    grown.slots = calloc(grown.capacity, sizeof(grown.slots[0]));
    if (grown.slots == NULL)
        return false;
    for (size_t i = 0; i < dependents->capacity; i++) {
        if (dependents->slots[i].table != 0)
            *find(&grown, dependents->slots[i].table) = dependents->slots[i];
    }
    free(dependents->slots);
    *dependents = grown;
    return true;
}

/* Without memory it is looked at again the next time. */
static void remember(struct dependents *dependents, uint64_t table, uint64_t wants)
{
    struct fitted *fitted;

    if ((dependents->count + 1) * 2 > dependents->capacity && !grow(dependents))
        return;
    fitted = find(dependents, table);
    dependents->count += fitted->table == 0;
    *fitted = (struct fitted){table, wants};
}

static bool is_fitted(const struct dependents *dependents, uint64_t table, uint64_t wants)
{
    return dependents->capacity > 0 && find(dependents, table)->wants == wants;
}

void dependents_forget_table(struct dependents *dependents, const char *table)
{
    if (dependents->capacity > 0)
        find(dependents, table_key(table))->wants = 0;
}

void dependents_forget(struct dependents *dependents)
{
    free(dependents->slots);
    *dependents = (struct dependents){0};
}

/* --- What a mapping wants --- */

static void put_name(struct text *wants, const char *name)
{
    text_append(wants, name, strlen(name) + 1);
}

/* All that indexes_fit() and fts_fit() read of a mapping. 0: there was no memory for it. */
static uint64_t hash_wants(const struct mapping *mapping)
{
    const char *time = retention_column(mapping);
    struct text wants = {0};
    uint64_t hash;

    text_format(&wants, "%d %d %d ", (int)mapping->write_mode, mapping->goes_with_parent,
                mapping->primary_key_count > 0);
    put_name(&wants, mapping->link_count > 0 ? mapping->links[0] : "");
    put_name(&wants, time == NULL ? "" : time);
    for (size_t i = 0; i < mapping->index_count; i++) {
        for (size_t j = 0; j < mapping->indexes[i].count; j++)
            put_name(&wants, mapping->indexes[i].names[j]);
        put_name(&wants, "");
    }
    for (size_t i = 0; i < mapping->fts_count; i++)
        put_name(&wants, mapping->fts[i]);
    hash = text_failed(&wants) ? 0 : hash_bytes(text_string(&wants), wants.length);
    text_free(&wants);
    return hash;
}

/* --- Fitting --- */

static int fit(sqlite3 *db, const struct schema_log *log, const struct table *table,
               const struct mapping *mapping, int64_t run_id, const struct moment *moment,
               bool *changed, struct error *err)
{
    bool by_index = false;
    int rc = indexes_fit(db, log, table, mapping, run_id, moment, &by_index, err);

    *changed = *changed || by_index;
    return rc == -1 ? -1 : fts_fit(db, log, table, mapping, run_id, moment, changed, err);
}

/* A savepoint of its own: what is impossible fails this run, and the others of the batch go on. */
static int fit_or_undo(sqlite3 *db, const struct schema_log *log, const struct table *table,
                       const struct mapping *mapping, int64_t run_id, const struct moment *moment,
                       bool *changed, struct error *err)
{
    struct error cause = {0};
    struct error undo = {0};

    if (sqlite_exec(db, "SAVEPOINT dependents", err) == -1)
        return -1;
    if (fit(db, log, table, mapping, run_id, moment, changed, &cause) == 0)
        return sqlite_exec(db, "RELEASE dependents", err);
    *err = cause;
    if (cause.code == ERROR_FAILED &&
        sqlite_exec(db, "ROLLBACK TO dependents; RELEASE dependents", &undo) == -1)
        *err = undo;
    return -1;
}

int dependents_fit(struct dependents *dependents, sqlite3 *db, const struct schema_log *log,
                   const struct table *table, const struct mapping *mapping, int64_t run_id,
                   const struct moment *moment, bool *changed, struct error *err)
{
    uint64_t key = table_key(table->name);
    uint64_t wants = hash_wants(mapping);

    if (wants != 0 && is_fitted(dependents, key, wants))
        return 0;
    if (fit_or_undo(db, log, table, mapping, run_id, moment, changed, err) == -1)
        return -1;
    remember(dependents, key, wants);
    return 0;
}
