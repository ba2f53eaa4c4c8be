#include "store/replace.h"

#include <stdlib.h>

#include "store/names.h"
#include "store/scope.h"
#include "store/table.h"

static const struct mapping *mapping_of(const struct replacement *r)
{
    return &r->run->source->mapping;
}

/* --- What is there --- */

static int read_runs(struct replacement *r, const struct scope *scope, struct error *err)
{
    struct text sql = {0};
    sqlite3_stmt *stmt = NULL;
    int rc = -1;

    text_add(&sql, "SELECT count(*), count(" COLUMN_RUN_ID "), min(" COLUMN_RUN_ID
                   "), max(" COLUMN_RUN_ID ") FROM main.");
    name_quote(&sql, scope->table->name);
    text_add(&sql, " WHERE 1");
    scope_put(&sql, scope, 1);
    if (text_failed(&sql)) {
        schema_no_memory(err);
    } else if (sqlite_prepare(r->db, text_string(&sql), &stmt, err) == 0) {
        scope_bind(stmt, scope, 1);
        rc = sqlite_step(stmt, scope->table->name, err);
    }
    if (rc == 1) {
        r->there = sqlite3_column_int64(stmt, 0);
        if (r->there == sqlite3_column_int64(stmt, 1) &&
            sqlite3_column_int64(stmt, 2) == sqlite3_column_int64(stmt, 3))
            r->run_id = sqlite3_column_int64(stmt, 2);
    }
    sqlite3_finalize(stmt);
    text_free(&sql);
    return rc == 1 ? 0 : -1;
}

int replacement_begin(struct replacement *r, size_t tables, struct error *err)
{
    const struct table *table = schema_table(r->schema, mapping_of(r)->table, err);
    struct scope scope;

    r->last = calloc(tables, sizeof(r->last[0]));
    if (r->last == NULL)
        return schema_no_memory(err);
    for (size_t i = 0; i < tables; i++)
        r->last[i] = INT64_MIN;
    if (table == NULL)
        return -1;
    if (!scope_find(&scope, table, r->run))
        return 0;
    if (read_runs(r, &scope, err) == -1)
        return -1;
    return r->run_id != 0;
}

void replacement_end(struct replacement *r)
{
    free(r->last);
}

/* --- Comparing --- */

static int compare_row(const struct replacement *r, const struct layout *layout,
                       const struct row_set *set, const struct row *row, int64_t *last,
                       struct error *err)
{
    int own = (int)set->column_count + 1;
    int rc = table_bind_row(layout->find, set, row);
    int same = 0;

    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(layout->find, own, r->run_id);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(layout->find, own + 1, *last);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(layout->find);
    if (rc == SQLITE_ROW) {
        same = sqlite3_column_int(layout->find, 1) == 0;
        *last = sqlite3_column_int64(layout->find, 0);
    } else if (rc != SQLITE_DONE) {
        sqlite_fail(layout->db, rc, mapping_of(r)->table, err);
        same = -1;
    }
    sqlite3_reset(layout->find);
    return same;
}

int replacement_compare(struct replacement *r, const struct layout *layout,
                        const struct row_set *set, size_t table, struct error *err)
{
    int same = 1;

    for (size_t i = 0; i < set->row_count && same == 1; i++)
        same = compare_row(r, layout, set, &set->rows[i], &r->last[table], err);
    sqlite3_clear_bindings(layout->find); /* what they point to is borrowed */
    return same;
}

int replacement_is_whole(struct replacement *r, const struct mapping *mapping, size_t table,
                         struct error *err)
{
    const struct table *known = schema_table(r->schema, mapping->table, err);
    const char *rowid;
    struct text sql = {0};
    int64_t left = 0;
    int rc;

    if (known == NULL)
        return -1;
    if (!known->exists)
        return 1;
    rowid = table_need_rowid(known, err);
    if (rowid == NULL)
        return -1;
    text_add(&sql, "SELECT EXISTS (SELECT 1 FROM main.");
    name_quote(&sql, known->name);
    text_format(&sql, " WHERE " COLUMN_RUN_ID " = %lld AND %s > %lld)", (long long)r->run_id, rowid,
                (long long)r->last[table]);
    rc = text_failed(&sql) ? schema_no_memory(err)
                           : sqlite_integer(r->db, text_string(&sql), &left, err);
    text_free(&sql);
    return rc == -1 ? -1 : left == 0;
}

/* --- Removing --- */

/* Of an item those of the runs that wrote its own rows. */
static int clear_child(struct replacement *r, const struct mapping *child, const struct scope *own,
                       struct error *err)
{
    const struct table *table = schema_table(r->schema, child->table, err);
    struct text sql = {0};
    int64_t removed = 0;
    int rc;

    if (table == NULL)
        return -1;
    if (!table->exists)
        return 0;
    text_add(&sql, "DELETE FROM main.");
    name_quote(&sql, table->name);
    if (own->count > 0) {
        text_add(&sql, " WHERE " COLUMN_RUN_ID " IN (SELECT " COLUMN_RUN_ID " FROM main.");
        name_quote(&sql, own->table->name);
        text_add(&sql, " WHERE 1");
        scope_put(&sql, own, 3);
        text_char(&sql, ')');
    }
    rc = scope_run(r->db, own, &sql, 0, NULL, &removed, err);
    r->outcome->child_rows += (size_t)removed;
    text_free(&sql);
    return rc;
}

static int clear_children(struct replacement *r, const struct mapping *parent,
                          const struct scope *own, struct error *err)
{
    for (size_t i = 0; i < parent->child_count; i++) {
        if (clear_child(r, &parent->children[i], own, err) == -1 ||
            clear_children(r, &parent->children[i], own, err) == -1)
            return -1;
    }
    return 0;
}

static int clear_own(struct replacement *r, const struct scope *scope, struct error *err)
{
    struct text sql = {0};
    int64_t removed = 0;
    int rc;

    text_add(&sql, "DELETE FROM main.");
    name_quote(&sql, scope->table->name);
    text_add(&sql, " WHERE 1");
    scope_put(&sql, scope, 3);
    rc = scope_run(r->db, scope, &sql, 0, NULL, &removed, err);
    r->outcome->deleted += (size_t)removed;
    text_free(&sql);
    return rc;
}

int replacement_clear(struct replacement *r, struct error *err)
{
    const struct table *table = schema_table(r->schema, mapping_of(r)->table, err);
    struct scope scope;

    if (table == NULL)
        return -1;
    if (!scope_find(&scope, table, r->run))
        return 0;
    if (clear_children(r, mapping_of(r), &scope, err) == -1)
        return -1;
    return clear_own(r, &scope, err);
}
