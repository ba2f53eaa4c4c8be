/* The statements of a layout. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/layout.h"
#include "store/names.h"
#include "store/walk.h"

/* `a OR b OR ...` nests in SQLite's parser, to 1,000 levels at most: long chains get brackets. */
#define TERMS_MAX 500u

/* What the statement is made of; each column of the table stands in one role at most. */
struct roles {
    const struct table *table;
    const struct table_column **given; /* owned: the set's columns, in its order */
    size_t given_count;
    const struct table_column **absent; /* owned: members that no record of the set has */
    size_t absent_count;
    bool has_mark; /* the table has COLUMN_MISSING_SINCE: who is given is not missing */
    bool replayed; /* what is given may be old: a row that was fetched later stays */
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
    enum write_mode mode = mapping->write_mode;

    if (mapping->field_count > 0 ||
        (mode != WRITE_UPSERT && mode != WRITE_REPLACE && mode != WRITE_HISTORY))
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
    const struct table_column *mark = table_find_name(table, COLUMN_MISSING_SINCE);
    bool *is_given = calloc(table->count + 1, sizeof(*is_given));

    *roles = (struct roles){.table = table, .replayed = set->replayed};
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
    roles->has_mark = mark != NULL && mark->member == NULL && !set->replayed;
    free(is_given);
    return 0;
}

/* --- Pieces --- */

static void put_list(struct text *sql, const struct table_column *const *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        name_quote(sql, columns[i]->name);
        text_add(sql, ", ");
    }
}

static void put_table(struct text *sql, const struct roles *roles)
{
    text_add(sql, "main.");
    name_quote(sql, roles->table->name);
}

/* What a column is held against, to tell whether it differs. */
enum against { AGAINST_EXCLUDED, AGAINST_PARAMETER, AGAINST_NULL };

static void put_differs(struct text *sql, const char *name, enum against against, size_t parameter)
{
    name_quote(sql, name);
    text_add(sql, " IS NOT ");
    if (against == AGAINST_NULL) {
        text_add(sql, "NULL");
    } else if (against == AGAINST_PARAMETER) {
        text_format(sql, "?%zu", parameter);
    } else {
        text_add(sql, "excluded.");
        name_quote(sql, name);
    }
}

static void put_term(struct text *sql, size_t *terms, const char *name, enum against against,
                     size_t parameter)
{
    if (*terms > 0)
        text_add(sql, *terms % TERMS_MAX == 0 ? ") OR (" : " OR ");
    put_differs(sql, name, against, parameter);
    ++*terms;
}

/* Whether the row of the table is another than the one given; in brackets, 0 where it cannot be. */
static void put_any_difference(struct text *sql, const struct roles *roles, enum against against,
                               bool with_key)
{
    size_t terms = 0;

    text_char(sql, '(');
    for (size_t i = 0; i < roles->given_count; i++) {
        if (with_key || roles->given[i]->key == 0)
            put_term(sql, &terms, roles->given[i]->name, against, i + 1);
    }
    for (size_t i = 0; i < roles->absent_count; i++)
        put_term(sql, &terms, roles->absent[i]->name, AGAINST_NULL, 0);
    if (roles->has_mark)
        put_term(sql, &terms, COLUMN_MISSING_SINCE, AGAINST_NULL, 0);
    text_add(sql, terms == 0 ? "0)" : ")");
}

static bool has_updates(const struct roles *roles)
{
    for (size_t i = 0; i < roles->given_count; i++) {
        if (roles->given[i]->key == 0)
            return true;
    }
    return roles->absent_count > 0 || roles->has_mark;
}

/* " WHERE k1 = ?3 AND k2 = ?1" */
static void put_where_key(struct text *sql, const struct roles *roles)
{
    const char *separator = " WHERE ";

    for (size_t i = 0; i < roles->given_count; i++) {
        if (roles->given[i]->key == 0)
            continue;
        text_add(sql, separator);
        name_quote(sql, roles->given[i]->name);
        text_format(sql, " = ?%zu", i + 1);
        separator = " AND ";
    }
}

/* --- INSERT --- */

static void put_insert(struct text *sql, const struct roles *roles, enum write_mode mode)
{
    text_add(sql, "INSERT INTO ");
    put_table(sql, roles);
    text_add(sql, " (");
    put_list(sql, roles->given, roles->given_count);
    text_add(sql, COLUMN_RUN_ID ", " COLUMN_FETCHED_AT);
    if (mode == WRITE_VERSIONS)
        text_add(sql, ", " COLUMN_VALID_FROM ", " COLUMN_CHANGED);
    text_add(sql, ") VALUES (");
    for (size_t i = 0; i < roles->given_count; i++)
        text_add(sql, "?, ");
    text_add(sql, mode == WRITE_VERSIONS ? "?, ?, ?, ?)" : "?, ?)");
}

/* An unchanged row is not touched: neither the table nor the log on disk grows. */
static void put_update(struct text *sql, const struct roles *roles)
{
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
    if (roles->has_mark)
        text_add(sql, COLUMN_MISSING_SINCE " = NULL, ");
    text_add(sql, COLUMN_RUN_ID " = excluded." COLUMN_RUN_ID ", " COLUMN_FETCHED_AT
                                " = excluded." COLUMN_FETCHED_AT " WHERE ");
    put_any_difference(sql, roles, AGAINST_EXCLUDED, false);
    if (roles->replayed)
        text_add(sql, " AND " COLUMN_FETCHED_AT " <= excluded." COLUMN_FETCHED_AT);
}

static void put_conflict(struct text *sql, const struct roles *roles, enum write_mode mode)
{
    const char *separator = " ON CONFLICT (";

    for (size_t i = 0; i < roles->table->count; i++) {
        if (roles->table->columns[i].key == 0)
            continue;
        text_add(sql, separator);
        name_quote(sql, roles->table->columns[i].name);
        separator = ", ";
    }
    text_add(sql, ") ");
    if (mode != WRITE_INSERT_ONLY && has_updates(roles))
        put_update(sql, roles);
    else
        text_add(sql, "DO NOTHING");
}

/* --- What else a mode asks --- */

/* Whether the row of that key differs; no row: there is none. */
static void put_find_by_key(struct text *sql, const struct roles *roles)
{
    text_add(sql, "SELECT ");
    put_any_difference(sql, roles, AGAINST_PARAMETER, false);
    text_add(sql, " FROM ");
    put_table(sql, roles);
    put_where_key(sql, roles);
}

/* For each column that may change whether it does: see layout->changes. */
static void put_changes(struct text *sql, const struct roles *roles)
{
    const char *separator = "SELECT ";

    for (size_t i = 0; i < roles->given_count; i++) {
        if (roles->given[i]->key > 0)
            continue;
        text_add(sql, separator);
        put_differs(sql, roles->given[i]->name, AGAINST_PARAMETER, i + 1);
        separator = ", ";
    }
    for (size_t i = 0; i < roles->absent_count; i++) {
        text_add(sql, separator);
        put_differs(sql, roles->absent[i]->name, AGAINST_NULL, 0);
        separator = ", ";
    }
    if (*separator == 'S')
        text_add(sql, "SELECT NULL");
    text_add(sql, " FROM ");
    put_table(sql, roles);
    put_where_key(sql, roles);
}

/* The next row of one run in the order of writing: its place, and whether it differs. */
static void put_find_by_place(struct text *sql, const struct roles *roles, const char *rowid)
{
    text_format(sql, "SELECT %s, ", rowid);
    put_any_difference(sql, roles, AGAINST_PARAMETER, true);
    text_add(sql, " FROM ");
    put_table(sql, roles);
    text_format(sql, " WHERE " COLUMN_RUN_ID " = ?%zu AND %s > ?%zu ORDER BY %s LIMIT 1",
                roles->given_count + 1, rowid, roles->given_count + 2, rowid);
}

/* Its last version: place, from when, until when. */
static void put_find_version(struct text *sql, const struct roles *roles, const char *rowid)
{
    text_format(sql, "SELECT %s, " COLUMN_VALID_FROM ", " COLUMN_VALID_TO " FROM ", rowid);
    put_table(sql, roles);
    put_where_key(sql, roles);
    text_add(sql, " ORDER BY " COLUMN_VALID_FROM " DESC LIMIT 1");
}

static void put_end_version(struct text *sql, const struct roles *roles, const char *rowid)
{
    text_add(sql, "UPDATE ");
    put_table(sql, roles);
    text_format(sql, " SET " COLUMN_VALID_TO " = ?1 WHERE %s = ?2", rowid);
}

/* Notes the key as the table has it, whatever its collation made of the one given. */
static void put_note_seen(struct text *sql, const struct roles *roles, size_t key_count)
{
    text_format(sql, "INSERT OR IGNORE INTO " WALK_SEEN_TABLE " SELECT ?%zu", key_count,
                roles->given_count + 1);
    for (size_t place = 1; place <= key_count; place++) {
        text_add(sql, ", ");
        for (size_t i = 0; i < roles->table->count; i++) {
            if (roles->table->columns[i].key == place)
                name_quote(sql, roles->table->columns[i].name);
        }
    }
    text_add(sql, " FROM ");
    put_table(sql, roles);
    put_where_key(sql, roles);
}

/* --- Preparing --- */

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

    put_insert(&sql, roles, layout->mode);
    if (layout->updates || layout->mode == WRITE_INSERT_ONLY)
        put_conflict(&sql, roles, layout->mode);
    return prepare(layout, &sql, roles->table, &layout->insert, err);
}

static bool is_ignored(const struct mapping *mapping, const struct table_column *column)
{
    struct slice member = {column->member, column->member_length};

    if (mapping_is_child(mapping) && slice_equals(member, LINK_INDEX))
        return true; /* the list was put in another order, and its elements are the same */
    for (size_t i = 0; i < mapping->ignore_count; i++) {
        if (slice_equals(member, mapping->ignore[i]))
            return true;
    }
    return false;
}

static int add_change(struct layout *layout, const struct mapping *mapping,
                      const struct table_column *column)
{
    struct change *change = &layout->changes[layout->change_count];
    struct text name = {0};

    text_json_string(&name, column->name, strlen(column->name));
    change->json_name = text_take(&name);
    change->ignored = is_ignored(mapping, column);
    layout->change_count += change->json_name != NULL;
    return change->json_name == NULL ? -1 : 0;
}

/* In the order of put_changes(). */
static int name_changes(struct layout *layout, const struct roles *roles,
                        const struct mapping *mapping)
{
    int rc = 0;

    layout->changes =
        calloc(roles->given_count + roles->absent_count + 1, sizeof(layout->changes[0]));
    if (layout->changes == NULL)
        return -1;
    for (size_t i = 0; i < roles->given_count && rc == 0; i++) {
        if (roles->given[i]->key == 0)
            rc = add_change(layout, mapping, roles->given[i]);
    }
    for (size_t i = 0; i < roles->absent_count && rc == 0; i++)
        rc = add_change(layout, mapping, roles->absent[i]);
    return rc;
}

static int prepare_history(struct layout *layout, const struct roles *roles,
                           const struct mapping *mapping, struct error *err)
{
    struct text find = {0};
    struct text changes = {0};

    if (name_changes(layout, roles, mapping) == -1) {
        error_set(err, ERROR_NOMEM, "rows: out of memory");
        return -1;
    }
    put_find_by_key(&find, roles);
    if (prepare(layout, &find, roles->table, &layout->find, err) == -1)
        return -1;
    put_changes(&changes, roles);
    return prepare(layout, &changes, roles->table, &layout->compare, err);
}

static int prepare_versions(struct layout *layout, const struct roles *roles, struct error *err)
{
    const char *rowid = table_need_rowid(roles->table, err);
    struct text find = {0};
    struct text end = {0};

    if (rowid == NULL)
        return -1;
    put_find_version(&find, roles, rowid);
    if (prepare(layout, &find, roles->table, &layout->find, err) == -1)
        return -1;
    put_end_version(&end, roles, rowid);
    return prepare(layout, &end, roles->table, &layout->end, err);
}

static int prepare_find_by_place(struct layout *layout, const struct roles *roles,
                                 struct error *err)
{
    const char *rowid = table_need_rowid(roles->table, err);
    struct text sql = {0};

    if (rowid == NULL)
        return -1;
    put_find_by_place(&sql, roles, rowid);
    return prepare(layout, &sql, roles->table, &layout->find, err);
}

static int prepare_seen(struct layout *layout, const struct roles *roles, struct error *err)
{
    struct text sql = {0};

    if (walk_make_seen(layout->db, layout->key_count, err) == -1)
        return -1;
    put_note_seen(&sql, roles, layout->key_count);
    return prepare(layout, &sql, roles->table, &layout->seen, err);
}

/* --- Children that may vanish --- */

/* Selects the rowids of rows with these values. */
static int prepare_rowids(const struct layout *layout, const struct table *table, const char *rowid,
                          const char *const *members, size_t count, bool not_later,
                          sqlite3_stmt **stmt, struct error *err)
{
    struct text sql = {0};

    text_format(&sql, "SELECT %s FROM main.", rowid);
    name_quote(&sql, table->name);
    for (size_t i = 0; i < count; i++) {
        text_add(&sql, i == 0 ? " WHERE " : " AND ");
        name_quote(&sql, table_find_member(table, slice_of(members[i]))->name);
        text_format(&sql, " = ?%zu", i + 1);
    }
    if (not_later)
        text_format(&sql, " AND " COLUMN_FETCHED_AT " <= ?%zu", count + 1);
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

/* What was fetched later than a response that is replayed has not vanished. */
static int prepare_vanishing(struct layout *layout, const struct roles *roles,
                             const struct mapping *mapping, struct error *err)
{
    const struct table *table = roles->table;
    const char *rowid = table_need_rowid(table, err);

    if (rowid == NULL)
        return -1;
    if (prepare_rowids(layout, table, rowid, mapping->links, mapping->link_count - 1,
                       roles->replayed, &layout->siblings, err) == -1 ||
        prepare_rowids(layout, table, rowid, mapping->primary_key, mapping->primary_key_count,
                       false, &layout->sibling, err) == -1)
        return -1;
    return prepare_remove(layout, table, rowid, err);
}

/* --- All that a mode needs --- */

static int prepare_all(struct layout *layout, const struct roles *roles,
                       const struct mapping *mapping, struct error *err)
{
    if (prepare_insert(layout, roles, err) == -1)
        return -1;
    if (walk_notes_seen(mapping) && prepare_seen(layout, roles, err) == -1)
        return -1;
    if (layout->updates && mapping_is_child(mapping) &&
        prepare_vanishing(layout, roles, mapping, err) == -1)
        return -1;
    switch (layout->mode) {
    case WRITE_HISTORY:
        return prepare_history(layout, roles, mapping, err);
    case WRITE_VERSIONS:
        return prepare_versions(layout, roles, err);
    case WRITE_REPLACE:
        return layout->key_count > 0 ? 0 : prepare_find_by_place(layout, roles, err);
    default:
        return 0;
    }
}

int layout_prepare(struct layout *layout, const struct table *table, const struct mapping *mapping,
                   const struct row_set *set, struct error *err)
{
    struct roles roles = {0};
    int rc = -1;

    if (find_roles(&roles, table, mapping, set) == -1)
        error_set(err, ERROR_NOMEM, "rows: out of memory");
    else
        rc = prepare_all(layout, &roles, mapping, err);
    roles_free(&roles);
    return rc;
}
