#include "store/missing.h"

#include "store/history.h"
#include "store/names.h"
#include "store/scope.h"
#include "store/walk.h"

static const struct mapping *mapping_of(const struct missing *m)
{
    return &m->result->run->source->mapping;
}

/* 1, 0: the table has no row that the walk is about, or -1. */
static int find_scope(const struct missing *m, struct scope *scope, struct error *err)
{
    const struct table *table = schema_table(m->schema, mapping_of(m)->table, err);

    if (table == NULL)
        return -1;
    return scope_find(scope, table, m->result->run) ? 1 : 0;
}

/* Of rows that are marked already there is nothing more to say. */
static const char *unmarked(const struct missing *m)
{
    return mapping_of(m)->on_missing == MISSING_MARK ? " AND " COLUMN_MISSING_SINCE " IS NULL" : "";
}

int missing_any(const struct missing *m, struct error *err)
{
    struct scope scope;
    int64_t there = 0;
    int rc = find_scope(m, &scope, err);

    if (rc != 1)
        return rc;
    if (scope_count(m->db, &scope, unmarked(m), &there, err) == -1)
        return -1;
    return there != (int64_t)m->outcome->present;
}

int missing_check_shrink(const struct mapping *mapping, struct outcome *outcome, int64_t old,
                         int64_t new, struct error *err)
{
    if (new >= old || (double)(old - new) * 100.0 <= (double)old * mapping->max_shrink)
        return 0;
    outcome->refused_as = RUN_FAILED_SHRINK;
    error_set(err, ERROR_FAILED,
              "%lld records came where table \"%s\" has %lld, which is more taken away than "
              "max_shrink (%u%%) allows; nothing was removed. If they are really gone, raise "
              "max_shrink",
              (long long)new, mapping->table, (long long)old, mapping->max_shrink);
    return -1;
}

/* --- What to do with them --- */

static int run(const struct missing *m, const struct scope *scope, struct text *sql,
               int64_t *changes, struct error *err)
{
    int rc = scope_run(m->db, scope, sql, m->outcome->run_id, m->time, changes, err);

    text_free(sql);
    return rc;
}

/* The keys of the rows that the run has not seen, once and for all that follows. */
static int note_gone(const struct missing *m, const struct scope *scope, int64_t *count,
                     struct error *err)
{
    const struct mapping *mapping = mapping_of(m);
    struct text sql = {0};

    if (walk_make_seen(m->db, mapping->primary_key_count, err) == -1 ||
        walk_make_gone(m->db, mapping->primary_key_count, err) == -1)
        return -1;
    text_format(&sql, "INSERT INTO " WALK_GONE_TABLE " SELECT ?1", mapping->primary_key_count);
    for (size_t i = 0; i < mapping->primary_key_count; i++) {
        text_add(&sql, ", ");
        name_quote(&sql, table_find_member(scope->table, slice_of(mapping->primary_key[i]))->name);
    }
    text_add(&sql, " FROM main.");
    name_quote(&sql, scope->table->name);
    text_add(&sql, " WHERE ");
    walk_put_unseen(&sql, scope->table, mapping->primary_key_count);
    text_add(&sql, unmarked(m));
    scope_put(&sql, scope, 3);
    return run(m, scope, &sql, count, err);
}

static int mark(const struct missing *m, const struct scope *scope, struct error *err)
{
    const struct mapping *mapping = mapping_of(m);
    struct text sql = {0};
    int64_t marked = 0;

    text_add(&sql, "UPDATE main.");
    name_quote(&sql, scope->table->name);
    text_add(&sql, " SET " COLUMN_MISSING_SINCE " = ?2 WHERE ");
    walk_put_gone(&sql, scope->table, mapping->primary_key, mapping->primary_key_count);
    if (run(m, scope, &sql, &marked, err) == -1)
        return -1;
    m->outcome->marked += (size_t)marked;
    return 0;
}

/* Of one table; `key` are the members that lead to the source's rows. */
static int remove_from(const struct missing *m, const struct mapping *mapping,
                       const char *const *key, struct error *err)
{
    size_t key_count = mapping_of(m)->primary_key_count;
    const struct table *table = schema_table(m->schema, mapping->table, err);
    struct scope scope = {.table = table};
    struct text sql = {0};
    int64_t removed = 0;

    if (table == NULL)
        return -1;
    if (!table->exists)
        return 0;
    if (mapping->write_mode == WRITE_HISTORY &&
        history_end_gone(m->schema, mapping, key, key_count, m->outcome->run_id, m->time, err) ==
            -1)
        return -1;
    text_add(&sql, "DELETE FROM main.");
    name_quote(&sql, table->name);
    text_add(&sql, " WHERE ");
    if (!walk_put_gone(&sql, table, key, key_count)) {
        text_free(&sql);
        return 0;
    }
    if (run(m, &scope, &sql, &removed, err) == -1)
        return -1;
    if (mapping == mapping_of(m))
        m->outcome->deleted += (size_t)removed;
    else
        m->outcome->child_rows += (size_t)removed;
    return 0;
}

/* What leads from a descendant to its parent begins with what leads to the source's own row. */
static int remove_children(const struct missing *m, const struct mapping *parent, struct error *err)
{
    for (size_t i = 0; i < parent->child_count; i++) {
        const struct mapping *child = &parent->children[i];

        if (remove_children(m, child, err) == -1 || remove_from(m, child, child->links, err) == -1)
            return -1;
    }
    return 0;
}

static int remove_rows(const struct missing *m, const struct scope *scope, int64_t count,
                       struct error *err)
{
    const struct mapping *mapping = mapping_of(m);
    int64_t added = (int64_t)(m->outcome->total.inserted + m->outcome->inserted);
    int64_t there = 0;

    if (scope_count(m->db, scope, "", &there, err) == -1 ||
        missing_check_shrink(mapping, m->outcome, there - added, there - count, err) == -1)
        return -1;
    if (remove_children(m, mapping, err) == -1)
        return -1;
    return remove_from(m, mapping, mapping->primary_key, err);
}

int missing_settle(const struct missing *m, struct error *err)
{
    struct scope scope;
    int64_t count = 0;
    int rc = find_scope(m, &scope, err);

    if (rc != 1)
        return rc;
    if (note_gone(m, &scope, &count, err) == -1)
        return -1;
    if (count == 0)
        return 0;
    return mapping_of(m)->on_missing == MISSING_MARK ? mark(m, &scope, err)
                                                     : remove_rows(m, &scope, count, err);
}
