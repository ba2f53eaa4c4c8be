/*
 * Deleting what is beyond a bound. A row goes after its descendants, and in one transaction with
 * them where a step can take them all; of one with more, each step takes a part, and the row itself
 * stays until they are gone: whatever comes between, it is found again, and nothing is left that
 * leads nowhere.
 */
#include <stdlib.h>

#include "gatherd/clock.h"
#include "gatherd/text.h"
#include "store/names.h"
#include "store/retention_parts.h"

#define MOST_TABLES 64 /* deleted from with a row: a mapping and its children */
#define PIECE       64 /* rows of a table of children between two looks at the clock */

struct cut {
    struct store *store;
    struct bounded *b;
    int64_t start_us;
    sqlite3_stmt *oldest;
    sqlite3_stmt *removals[MOST_TABLES]; /* of the children, the row itself last */
    size_t removal_count;
    bool not_ready;
    int64_t rows;
    int64_t children;
    bool all; /* there was no further row to go */
};

static void cut_end(struct cut *cut)
{
    sqlite3_finalize(cut->oldest);
    for (size_t i = 0; i < cut->removal_count; i++)
        sqlite3_finalize(cut->removals[i]);
}

static int add_removal(struct cut *cut, struct text *sql, bool complete, bool indexed,
                       struct error *err)
{
    int rc;

    if (cut->removal_count == MOST_TABLES) {
        error_set(err, ERROR_FAILED, "more than %d tables of children", MOST_TABLES - 1);
        return -1;
    }
    rc = retention_prepare(cut->store->db, sql, complete, indexed,
                           &cut->removals[cut->removal_count], err);
    cut->removal_count += rc == 1;
    cut->not_ready = cut->not_ready || rc == 0;
    return rc == -1 ? -1 : 0;
}

/* A child that was never written has no table, and nothing to delete. */
static int add_child(struct cut *cut, const struct mapping *child, struct text *sql,
                     struct error *err)
{
    const struct table *table = schema_table(cut->store->schema, cut->b->table, err);
    const struct table *below = schema_table(cut->store->schema, child->table, err);

    if (table == NULL || below == NULL)
        return -1;
    if (!below->exists)
        return 0;
    if (table_need_rowid(below, err) == NULL)
        return -1;
    return add_removal(cut, sql, retention_put_children(sql, table, cut->b->mapping, below, child),
                       true, err);
}

/* From below. */
static int add_children(struct cut *cut, const struct mapping *mapping, struct text *sql,
                        struct error *err)
{
    for (size_t i = 0; i < mapping->child_count; i++) {
        const struct mapping *child = &mapping->children[i];

        if (add_children(cut, child, sql, err) == -1 || add_child(cut, child, sql, err) == -1)
            return -1;
    }
    return 0;
}

static int add_removals(struct cut *cut, struct error *err)
{
    const struct bounded *b = cut->b;
    const struct table *table = schema_table(cut->store->schema, b->table, err);
    struct text sql = {0};
    int rc = table == NULL ? -1 : 0;

    if (rc == 0 && b->own == OWN_NONE && b->mapping->write_mode != WRITE_HISTORY)
        rc = add_children(cut, b->mapping, &sql, err);
    if (rc == 0 && (table = schema_table(cut->store->schema, b->table, err)) != NULL) {
        const char *rowid = table_rowid_name(table);

        text_add(&sql, "DELETE FROM main.");
        name_quote(&sql, table->name);
        text_format(&sql, " WHERE %s = ?1", rowid == NULL ? "" : rowid);
        rc = add_removal(cut, &sql, rowid != NULL, false, err);
    }
    text_free(&sql);
    return table == NULL ? -1 : rc;
}

static bool is_enough(const struct cut *cut)
{
    return cut->rows + cut->children >= cut->b->limit ||
           clock_monotonic_us() - cut->start_us > RETENTION_STEP_US;
}

/* Piece by piece, until there is no further one: 1; or the step has taken its part: 0; or -1. */
static int remove_below(struct cut *cut, sqlite3_stmt *removal, int64_t rowid, struct error *err)
{
    int64_t removed;

    do {
        sqlite3_bind_int64(removal, 1, rowid);
        sqlite3_bind_int64(removal, 2, PIECE);
        if (sqlite_run(removal, cut->b->table, err) == -1)
            return -1;
        removed = sqlite3_changes64(cut->store->db);
        cut->children += removed;
    } while (removed == PIECE && !is_enough(cut));
    return removed < PIECE;
}

/* 1; 0: there are descendants left, and so it stays; or -1. */
static int remove_row(struct cut *cut, int64_t rowid, struct error *err)
{
    sqlite3_stmt *own = cut->removals[cut->removal_count - 1];

    for (size_t i = 0; i + 1 < cut->removal_count; i++) {
        int rc = remove_below(cut, cut->removals[i], rowid, err);

        if (rc != 1)
            return rc;
    }
    sqlite3_bind_int64(own, 1, rowid);
    if (sqlite_run(own, cut->b->table, err) == -1)
        return -1;
    cut->rows += sqlite3_changes64(cut->store->db);
    return 1;
}

static void bind_bounds(struct cut *cut, char cutoff[CLOCK_TEXT_SIZE])
{
    const struct bounded *b = cut->b;

    if (b->counted) {
        sqlite_bind_string(cut->oldest, 1, b->time);
        sqlite3_bind_int64(cut->oldest, 2, b->rowid);
    }
    if (b->bounds.age_ms > 0)
        sqlite_bind_string(cut->oldest, 3,
                           clock_format(clock_wall_ms() - b->bounds.age_ms, cutoff));
    sqlite3_bind_int64(cut->oldest, 4, b->limit);
}

/* Which rows, before any of them goes: a walk and its deletions would disturb each other. */
static int find_oldest(struct cut *cut, int64_t *rowids, size_t *count, struct error *err)
{
    char cutoff[CLOCK_TEXT_SIZE];
    int64_t seen = 0;
    int rc;

    bind_bounds(cut, cutoff);
    while ((rc = sqlite_step(cut->oldest, cut->b->table, err)) == 1) {
        seen++;
        if (sqlite3_column_int(cut->oldest, 1) == 0)
            break;
        if (sqlite3_column_int(cut->oldest, 2) == 0)
            rowids[(*count)++] = sqlite3_column_int64(cut->oldest, 0);
    }
    sqlite3_reset(cut->oldest);
    /* Rows of unfinished runs alone wait for their end. */
    cut->all = rc == 1 || seen < cut->b->limit || *count == 0;
    return rc == -1 ? -1 : 0;
}

static int remove_rows(struct cut *cut, const int64_t *rowids, size_t count, struct error *err)
{
    size_t done = 0;
    int rc = 1;

    if (count == 0)
        return 0;
    if (store_begin(cut->store, err) == -1)
        return -1;
    while (rc == 1 && done < count) {
        rc = remove_row(cut, rowids[done], err);
        done += rc == 1;
        if (is_enough(cut))
            break;
    }
    if (rc == -1)
        return -1;
    cut->all = cut->all && done == count;
    return store_end(cut->store, err);
}

static int cut_rows(struct cut *cut, struct error *err)
{
    int64_t *rowids;
    size_t count = 0;
    int rc;

    rowids = malloc((size_t)cut->b->limit * sizeof(*rowids));
    if (rowids == NULL)
        return schema_no_memory(err);
    rc = find_oldest(cut, rowids, &count, err);
    if (rc == 0)
        rc = remove_rows(cut, rowids, count, err);
    free(rowids);
    return rc;
}

/* 1, 0: the table is not ready; or -1. */
int retention_cut(struct store *store, struct bounded *b, int64_t start_us, bool *all,
                  struct error *err)
{
    struct cut cut = {.store = store, .b = b, .start_us = start_us};
    int rc = retention_prepare_walk(store, b, true, &cut.oldest, err);

    if (rc == 1 && add_removals(&cut, err) == -1)
        rc = -1;
    if (rc == 1 && cut.not_ready)
        rc = 0;
    if (rc == 1 && cut_rows(&cut, err) == -1)
        rc = -1;
    cut_end(&cut);
    *all = cut.all;
    if (rc != 1)
        return rc;
    b->deleted += cut.rows;
    b->deleted_children += cut.children;
    return 1;
}
