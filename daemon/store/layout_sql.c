/* The statements of a layout. */
#include <assert.h>
#include <stdlib.h>

#include "store/layout.h"
#include "store/names.h"

/* `a OR b OR ...` nests in SQLite's parser, to 1,000 levels at most: long chains get brackets. */
#define TERMS_MAX 500u

/* What the statement is made of; each column of the table stands in one role at most. */
struct roles {
    const struct table *table;
    const struct table_column **given; /* owned: the set's columns, in its order */
    size_t given_count;
    const struct table_column **absent; /* owned: members that no record of the set has */
    size_t absent_count;
};

static bool is_excluded(const struct mapping *mapping, const struct table_column *column)
{
    struct slice member = {column->member, column->member_length};

    for (size_t i = 0; i < mapping->exclude_count; i++) {
        if (slice_equals(member, mapping->exclude[i]))
            return true;
    }
    return false;
}

/*
 * A missing member is NULL. In one record among others it is, because the others bring the column;
 * the same must hold when no record of the response has it, or an upsert would keep the old value
 * or not by chance. With `fields` every column is always there, and a field taken out of the
 * configuration keeps its values.
 */
static void find_absent(struct roles *roles, const struct mapping *mapping, const bool *is_given)
{
    if (mapping->write_mode != WRITE_UPSERT || mapping->field_count > 0)
        return;
    for (size_t i = 0; i < roles->table->count; i++) {
        const struct table_column *column = &roles->table->columns[i];

        if (column->member != NULL && column->key == 0 && !is_given[i] && !column->generated &&
            !is_excluded(mapping, column))
            roles->absent[roles->absent_count++] = column;
    }
}

static void roles_free(struct roles *roles)
{
    free(roles->given);
    free(roles->absent);
}

static int find_roles(struct roles *roles, const struct table *table, const struct mapping *mapping,
                      const struct row_set *set)
{
    bool *is_given = calloc(table->count + 1, sizeof(*is_given));

    *roles = (struct roles){.table = table};
    roles->given = calloc(set->column_count + 1, sizeof(const struct table_column *));
    roles->absent = calloc(table->count + 1, sizeof(const struct table_column *));
    if (is_given == NULL || roles->given == NULL || roles->absent == NULL) {
        free(is_given);
        return -1;
    }
    for (size_t i = 0; i < set->column_count; i++) {
        const struct table_column *column = table_find_member(table, set->columns[i].name);

        assert(column != NULL); /* plan_make() saw to it */
        roles->given[roles->given_count++] = column;
        is_given[column - table->columns] = true;
    }
    find_absent(roles, mapping, is_given);
    free(is_given);
    return 0;
}

static void put_list(struct text *sql, const struct table_column *const *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        name_quote(sql, columns[i]->name);
        text_add(sql, ", ");
    }
}

static void put_insert(struct text *sql, const struct roles *roles)
{
    text_add(sql, "INSERT INTO main.");
    name_quote(sql, roles->table->name);
    text_add(sql, " (");
    put_list(sql, roles->given, roles->given_count);
    text_add(sql, COLUMN_RUN_ID ", " COLUMN_FETCHED_AT ") VALUES (");
    for (size_t i = 0; i < roles->given_count; i++)
        text_add(sql, "?, ");
    text_add(sql, "?, ?)");
}

static void put_term(struct text *sql, size_t *terms, const char *name, bool given)
{
    if (*terms > 0)
        text_add(sql, *terms % TERMS_MAX == 0 ? ") OR (" : " OR ");
    name_quote(sql, name);
    text_add(sql, given ? " IS NOT excluded." : " IS NOT NULL");
    if (given)
        name_quote(sql, name);
    ++*terms;
}

/* An unchanged row is not touched: neither the table nor the log on disk grows. */
static void put_update(struct text *sql, const struct roles *roles)
{
    size_t terms = 0;

    text_add(sql, "DO UPDATE SET ");
    for (size_t i = 0; i < roles->given_count; i++) {
        if (roles->given[i]->key > 0)
            continue;
        name_quote(sql, roles->given[i]->name);
        text_add(sql, " = excluded.");
        name_quote(sql, roles->given[i]->name);
        text_add(sql, ", ");
    }
    for (size_t i = 0; i < roles->absent_count; i++) {
        name_quote(sql, roles->absent[i]->name);
        text_add(sql, " = NULL, ");
    }
    text_add(sql, COLUMN_RUN_ID " = excluded." COLUMN_RUN_ID ", " COLUMN_FETCHED_AT
                                " = excluded." COLUMN_FETCHED_AT " WHERE (");
    for (size_t i = 0; i < roles->given_count; i++) {
        if (roles->given[i]->key == 0)
            put_term(sql, &terms, roles->given[i]->name, true);
    }
    for (size_t i = 0; i < roles->absent_count; i++)
        put_term(sql, &terms, roles->absent[i]->name, false);
    text_char(sql, ')');
}

static bool has_updates(const struct roles *roles)
{
    for (size_t i = 0; i < roles->given_count; i++) {
        if (roles->given[i]->key == 0)
            return true;
    }
    return roles->absent_count > 0;
}

static void put_conflict(struct text *sql, const struct roles *roles, enum write_mode mode)
{
    const char *separator = " ON CONFLICT (";

    if (mode == WRITE_APPEND)
        return;
    for (size_t i = 0; i < roles->table->count; i++) {
        if (roles->table->columns[i].key == 0)
            continue;
        text_add(sql, separator);
        name_quote(sql, roles->table->columns[i].name);
        separator = ", ";
    }
    text_add(sql, ") ");
    if (mode == WRITE_UPSERT && has_updates(roles))
        put_update(sql, roles);
    else
        text_add(sql, "DO NOTHING");
}

/* Takes the text, and frees it. */
static int prepare(const struct layout *layout, struct text *sql, const struct table *table,
                   sqlite3_stmt **stmt, struct error *err)
{
    int rc = -1;

    if (text_failed(sql)) {
        error_set(err, ERROR_NOMEM, "rows: out of memory");
    } else {
        rc = sqlite_prepare(layout->db, text_string(sql), stmt, err);
        error_wrap(rc == -1 ? err : NULL, "table \"%s\"", table->name);
    }
    text_free(sql);
    return rc;
}

static int prepare_insert(struct layout *layout, const struct roles *roles, struct error *err)
{
    struct text sql = {0};

    put_insert(&sql, roles);
    put_conflict(&sql, roles, layout->mode);
    return prepare(layout, &sql, roles->table, &layout->insert, err);
}

/* --- Children that may vanish --- */

/* Selects the rowids of rows with these values. */
static int prepare_find(const struct layout *layout, const struct table *table, const char *rowid,
                        const char *const *members, size_t count, sqlite3_stmt **stmt,
                        struct error *err)
{
    struct text sql = {0};

    text_format(&sql, "SELECT %s FROM main.", rowid);
    name_quote(&sql, table->name);
    for (size_t i = 0; i < count; i++) {
        text_add(&sql, i == 0 ? " WHERE " : " AND ");
        name_quote(&sql, table_find_member(table, slice_of(members[i]))->name);
        text_format(&sql, " = ?%zu", i + 1);
    }
    return prepare(layout, &sql, table, stmt, err);
}

static int prepare_remove(struct layout *layout, const struct table *table, const char *rowid,
                          struct error *err)
{
    struct text sql = {0};

    text_add(&sql, "DELETE FROM main.");
    name_quote(&sql, table->name);
    text_format(&sql, " WHERE %s = ?", rowid);
    return prepare(layout, &sql, table, &layout->remove, err);
}

static int prepare_vanishing(struct layout *layout, const struct table *table,
                             const struct mapping *mapping, struct error *err)
{
    const char *rowid = table_rowid_name(table);

    if (rowid == NULL) {
        error_set(err, ERROR_FAILED,
                  "table \"%s\" has columns rowid, _rowid_ and oid, so SQLite has no name left for "
                  "its rows; give one of them another name with fields",
                  table->name);
        return -1;
    }
    if (prepare_find(layout, table, rowid, mapping->links, mapping->link_count - 1,
                     &layout->siblings, err) == -1 ||
        prepare_find(layout, table, rowid, mapping->primary_key, mapping->primary_key_count,
                     &layout->sibling, err) == -1)
        return -1;
    return prepare_remove(layout, table, rowid, err);
}

int layout_prepare(struct layout *layout, const struct table *table, const struct mapping *mapping,
                   const struct row_set *set, struct error *err)
{
    bool vanishes = mapping->link_count > 1 && mapping->write_mode == WRITE_UPSERT;
    struct roles roles = {0};
    int rc = -1;

    if (find_roles(&roles, table, mapping, set) == -1)
        error_set(err, ERROR_NOMEM, "rows: out of memory");
    else
        rc = prepare_insert(layout, &roles, err);
    roles_free(&roles);
    return rc == 0 && vanishes ? prepare_vanishing(layout, table, mapping, err) : rc;
}
