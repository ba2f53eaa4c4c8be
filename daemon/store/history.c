#include "store/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/names.h"
#include "store/walk.h"

/* --- The table of versions --- */

static struct mapping versions_of(const struct mapping *mapping)
{
    struct mapping versions = *mapping;

    versions.table = mapping->history_table;
    versions.write_mode = WRITE_VERSIONS;
    versions.on_missing = MISSING_KEEP;
    versions.index_count = versions.fts_count = 0; /* those are of the present */
    return versions;
}

/* The values that a column of the table holds, as a row set would tell of them. */
static uint32_t values_of(const struct table_column *column)
{
    if (!column->settled)
        return 1u << VALUE_NULL;
    return column->kind == COLUMN_ANY ? 1u << VALUE_INTEGER | 1u << VALUE_TEXT
                                      : column_accepts(column);
}

/* A set without rows that has all the columns of the table. */
static int set_of_table(const struct table *table, struct row_set *set, struct error *err)
{
    *set = (struct row_set){.columns = calloc(table->count + 1, sizeof(struct column))};
    if (set->columns == NULL)
        return schema_no_memory(err);
    for (size_t i = 0; i < table->count; i++) {
        const struct table_column *column = &table->columns[i];

        if (column->member != NULL && !column->generated)
            set->columns[set->column_count++] =
                (struct column){.name = {column->member, column->member_length},
                                .type = FIELD_UNDECLARED,
                                .seen = values_of(column)};
    }
    return 0;
}

static void put_names(struct text *sql, const struct table *in, const struct row_set *set)
{
    for (size_t i = 0; i < set->column_count; i++) {
        name_quote(sql, table_find_member(in, set->columns[i].name)->name);
        text_add(sql, ", ");
    }
    text_add(sql, COLUMN_RUN_ID ", " COLUMN_FETCHED_AT);
}

/* What is there begins when it was written, as far as that is known. */
static int copy_present(sqlite3 *db, const struct table *from, const struct table *to,
                        const struct row_set *set, const struct moment *moment, struct error *err)
{
    struct scope scope = {.table = to};
    struct text sql = {0};
    int64_t copied;
    int rc;

    text_add(&sql, "INSERT INTO main.");
    name_quote(&sql, to->name);
    text_add(&sql, " (");
    put_names(&sql, to, set);
    text_add(&sql, ", " COLUMN_VALID_FROM ") SELECT ");
    put_names(&sql, from, set);
    text_add(&sql, ", coalesce(" COLUMN_FETCHED_AT ", ?2) FROM main.");
    name_quote(&sql, from->name);
    rc = scope_run(db, &scope, &sql, 0, moment->text, &copied, err);
    text_free(&sql);
    return rc;
}

/* The names stay the table's: what they point to must outlive the changes of the schema. */
static int begin_versions(struct schema *schema, const struct mapping *mapping,
                          const struct outcome *outcome, const struct moment *moment,
                          struct error *err)
{
    const struct mapping versions = versions_of(mapping);
    const struct table *present = schema_table(schema, mapping->table, err);
    const struct table *made;
    struct row_set set = {0};
    int rc = -1;

    if (present == NULL || set_of_table(present, &set, err) == -1)
        return -1;
    if (schema_fit(schema, &versions, &set, outcome, moment, err) != NULL) {
        made = schema_table(schema, versions.table, err);
        if (made != NULL)
            rc = copy_present(schema_connection(schema), present, made, &set, moment, err);
    }
    free(set.columns);
    return rc;
}

struct layout *history_fit(struct schema *schema, const struct mapping *mapping,
                           const struct row_set *set, const struct outcome *outcome,
                           const struct moment *moment, struct error *err)
{
    const struct mapping versions = versions_of(mapping);
    const struct table *table = schema_table(schema, versions.table, err);

    if (table == NULL)
        return NULL;
    if (!table->exists && begin_versions(schema, mapping, outcome, moment, err) == -1)
        return NULL;
    return schema_fit(schema, &versions, set, outcome, moment, err);
}

/* --- One row --- */

enum found { FOUND_NONE, FOUND_SAME, FOUND_OTHER, FOUND_FAILED };

static enum found find_row(struct writing *w, const struct row *row, struct error *err)
{
    sqlite3_stmt *stmt = w->layout->find;
    enum found found = FOUND_NONE;
    int rc = table_bind_row(stmt, w->set, row);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        found = sqlite3_column_int(stmt, 0) != 0 ? FOUND_OTHER : FOUND_SAME;
    else if (rc != SQLITE_DONE) {
        table_fail(w, rc, w->mapping->table, err);
        found = FOUND_FAILED;
    }
    sqlite3_reset(stmt);
    return found;
}

/* The names of the columns that differ, as a JSON list in w->changed. 1: a version; 0: none. */
static int list_changes(struct writing *w, const struct row *row, struct error *err)
{
    struct layout *layout = w->layout;
    int rc = table_bind_row(layout->compare, w->set, row);

    text_clear(&w->changed);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(layout->compare);
    if (rc != SQLITE_ROW)
        return table_fail(w, rc, w->mapping->table, err);
    for (size_t i = 0; i < layout->change_count; i++) {
        if (layout->changes[i].ignored || sqlite3_column_int(layout->compare, (int)i) == 0)
            continue;
        text_char(&w->changed, w->changed.length == 0 ? '[' : ',');
        text_add(&w->changed, layout->changes[i].json_name);
    }
    sqlite3_reset(layout->compare);
    if (w->changed.length == 0)
        return 0;
    text_char(&w->changed, ']');
    return text_failed(&w->changed) ? schema_no_memory(err) : 1;
}

/* The later of the response's time and of one that must not be reached. */
static void take_later(char time[CLOCK_TEXT_SIZE], const char *other, int64_t more_ms)
{
    int64_t ms;

    if (clock_parse(other, &ms) == -1) /* somebody wrote what is no time of ours */
        return;
    if (strcmp(time, other) < 0 || (more_ms > 0 && strcmp(time, other) == 0))
        clock_format(ms + more_ms, time);
}

/* Ends the version that is valid, and finds from when on the next one can be. */
static int end_last(struct writing *w, const struct row *row, char from[CLOCK_TEXT_SIZE],
                    struct error *err)
{
    struct layout *versions = w->versions;
    int64_t rowid = 0;
    bool open = false;
    int rc = table_bind_key(versions, versions->find, row);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(versions->find);
    if (rc == SQLITE_ROW) {
        rowid = sqlite3_column_int64(versions->find, 0);
        open = sqlite3_column_type(versions->find, 2) == SQLITE_NULL;
        take_later(from, sqlite_column_string(versions->find, 1), 1);
        take_later(from, sqlite_column_string(versions->find, 2), 0);
        rc = SQLITE_DONE;
    }
    sqlite3_reset(versions->find);
    if (rc == SQLITE_DONE && open) {
        sqlite_bind_string(versions->end, 1, from);
        sqlite3_bind_int64(versions->end, 2, rowid);
        rc = sqlite3_step(versions->end);
        sqlite3_reset(versions->end);
    }
    return rc == SQLITE_DONE ? 0 : table_fail(w, rc, w->mapping->history_table, err);
}

/* `changed` NULL: the row was not there before. */
static int add_version(struct writing *w, const struct row *row, const char *changed,
                       struct error *err)
{
    sqlite3_stmt *stmt = w->versions->insert;
    int own = (int)w->set->column_count + 1;
    char from[CLOCK_TEXT_SIZE];
    int rc;

    memcpy(from, w->fetched_at, sizeof(from));
    if (end_last(w, row, from, err) == -1)
        return -1;
    rc = table_bind_row(stmt, w->set, row);
    sqlite3_bind_int64(stmt, own, w->outcome->run_id);
    sqlite_bind_string(stmt, own + 1, w->fetched_at);
    sqlite_bind_string(stmt, own + 2, from);
    sqlite_bind_string(stmt, own + 3, changed);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    return rc == SQLITE_DONE ? 0 : table_fail(w, rc, w->mapping->history_table, err);
}

int history_write_row(struct writing *w, const struct row *row, enum row_fate *fate,
                      struct error *err)
{
    enum found found = find_row(w, row, err);
    int is_version = 1;

    *fate = ROW_UNCHANGED;
    if (found == FOUND_FAILED)
        return -1;
    if (found == FOUND_SAME)
        return 0;
    if (found == FOUND_OTHER)
        is_version = list_changes(w, row, err);
    if (is_version == -1 || table_insert_row(w, row, fate, err) == -1)
        return -1;
    if ((*fate != ROW_INSERTED && *fate != ROW_UPDATED) || is_version == 0)
        return 0;
    return add_version(w, row, found == FOUND_OTHER ? text_string(&w->changed) : NULL, err);
}

/* --- Rows that go --- */

/* " AND v.k1 = c.k1 ..." of two tables of one mapping. */
static void put_same_key(struct text *sql, const struct table *versions,
                         const struct table *present, const struct mapping *mapping)
{
    for (size_t i = 0; i < mapping->primary_key_count; i++) {
        struct slice member = slice_of(mapping->primary_key[i]);

        text_add(sql, i == 0 ? "c." : " AND c.");
        name_quote(sql, table_find_member(present, member)->name);
        text_add(sql, " = v.");
        name_quote(sql, table_find_member(versions, member)->name);
    }
}

int history_put_end_of_family(struct text *sql, struct schema *schema,
                              const struct mapping *mapping, size_t parent_key_count,
                              struct error *err)
{
    const struct table *versions = schema_table(schema, mapping->history_table, err);
    const struct table *present = schema_table(schema, mapping->table, err);

    if (versions == NULL || present == NULL)
        return -1;
    if (!versions->exists || !present->exists)
        return 0;
    text_add(sql, "UPDATE main.");
    name_quote(sql, versions->name);
    text_format(sql,
                " AS v SET " COLUMN_VALID_TO " = max(?%zu, v." COLUMN_VALID_FROM
                ") WHERE v." COLUMN_VALID_TO " IS NULL",
                parent_key_count + 1);
    for (size_t i = 0; i < parent_key_count; i++) {
        text_add(sql, " AND v.");
        name_quote(sql, table_find_member(versions, slice_of(mapping->links[i]))->name);
        text_format(sql, " = ?%zu", i + 1);
    }
    text_add(sql, " AND NOT EXISTS (SELECT 1 FROM main.");
    name_quote(sql, present->name);
    text_add(sql, " AS c WHERE ");
    put_same_key(sql, versions, present, mapping);
    text_char(sql, ')');
    return 1;
}

int history_end_gone(struct schema *schema, const struct mapping *mapping, const char *const *key,
                     size_t key_count, int64_t run_id, const char *time, struct error *err)
{
    const struct table *versions = schema_table(schema, mapping->history_table, err);
    struct scope scope = {.table = versions};
    struct text sql = {0};
    int64_t ended;
    int rc = 0;

    if (versions == NULL)
        return -1;
    text_add(&sql, "UPDATE main.");
    name_quote(&sql, versions->name);
    text_add(&sql, " SET " COLUMN_VALID_TO " = max(?2, " COLUMN_VALID_FROM
                   ") WHERE " COLUMN_VALID_TO " IS NULL AND ");
    if (versions->exists && walk_put_gone(&sql, versions, key, key_count))
        rc = scope_run(schema_connection(schema), &scope, &sql, run_id, time, &ended, err);
    text_free(&sql);
    return rc;
}
