/*
 * What a mapping would change, and changing it.
 *
 * To see it, the same is done as with rows, in a copy of the schema (preview.h); what the copy then
 * notes in _gatherd_schema_changes is the answer, so the rehearsal cannot differ from the play.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/declare.h"
#include "store/migrate.h"
#include "store/names.h"
#include "store/parts.h"
#include "store/preview.h"

struct diff {
    sqlite3 *db;      /* the database; read only */
    sqlite3 *preview; /* its schema */
    struct schema *schema;
    const struct schema_diff_hooks *hooks;
};

static int report(struct diff *diff, const struct schema_change *change)
{
    return diff->hooks->change(diff->hooks->context, change);
}

/* --- What the preview noted --- */

static int report_noted(struct diff *diff, struct error *err)
{
    static const char sql[] =
        "SELECT s.table_name, s.column_name, s.change, s.old_value, s.new_value,"
        " coalesce(c.settled, 1) FROM _gatherd_schema_changes AS s LEFT JOIN _gatherd_columns AS c"
        " ON c.table_name = s.table_name AND c.column_name = s.column_name ORDER BY s.id";
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (sqlite_prepare(diff->preview, sql, &stmt, err) == -1)
        return -1;
    while ((rc = sqlite_step(stmt, "_gatherd_schema_changes", err)) == 1) {
        const struct schema_change change = {
            .table = (const char *)sqlite3_column_text(stmt, 0),
            .column = (const char *)sqlite3_column_text(stmt, 1),
            .what = (const char *)sqlite3_column_text(stmt, 2),
            .from = (const char *)sqlite3_column_text(stmt, 3),
            .to = (const char *)sqlite3_column_text(stmt, 4),
            .open = sqlite3_column_int(stmt, 5) == 0,
        };

        if (report(diff, &change) == -1)
            break;
    }
    sqlite3_finalize(stmt);
    return rc == -1 ? -1 : 0;
}

/* --- A key that the rows do not allow --- */

static void put_key(const struct table *table, const char *before, const char *behind,
                    const char *separator, struct text *sql)
{
    const char *between = "";

    for (size_t i = 0; i < table->count; i++) {
        if (table->columns[i].key == 0)
            continue;
        text_add(sql, between);
        text_add(sql, before);
        name_quote(sql, table->columns[i].name);
        text_add(sql, behind);
        between = separator;
    }
}

/* Whether the table has each column of the key already; a new one is NULL in every row. */
static bool has_key_columns(struct diff *diff, const struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct table_column *column = &table->columns[i];

        if (column->key > 0 &&
            sqlite3_table_column_metadata(diff->db, "main", table->name, column->name, NULL, NULL,
                                          NULL, NULL, NULL) != SQLITE_OK)
            return false;
    }
    return true;
}

static int count_rows(struct diff *diff, const struct table *table, int64_t *count,
                      struct error *err)
{
    struct text sql = {0};
    int rc;

    text_add(&sql, "SELECT count(*) FROM main.");
    name_quote(&sql, table->name);
    rc = text_failed(&sql) ? schema_no_memory(err)
                           : sqlite_integer(diff->db, text_string(&sql), count, err);
    text_free(&sql);
    return rc;
}

static int count_keys(struct diff *diff, const struct table *table, int64_t *count,
                      struct error *err)
{
    struct text sql = {0};
    int rc;

    *count = 0;
    if (!has_key_columns(diff, table))
        return 0;
    text_add(&sql, "SELECT count(*) FROM (SELECT DISTINCT ");
    put_key(table, "", "", ", ", &sql);
    text_add(&sql, " FROM main.");
    name_quote(&sql, table->name);
    text_add(&sql, " WHERE ");
    put_key(table, "", " IS NOT NULL", " AND ", &sql);
    text_char(&sql, ')');
    rc = text_failed(&sql) ? schema_no_memory(err)
                           : sqlite_integer(diff->db, text_string(&sql), count, err);
    text_free(&sql);
    return rc;
}

static bool has_key(const struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->columns[i].key > 0)
            return true;
    }
    return false;
}

static bool is_rekeyed(struct diff *diff, const char *table)
{
    static const char sql[] = "SELECT 1 FROM _gatherd_schema_changes"
                              " WHERE change = 'rekey' AND table_name = ?";
    sqlite3_stmt *stmt = NULL;
    bool found = false;

    if (sqlite_prepare(diff->preview, sql, &stmt, NULL) == -1)
        return false;
    sqlite_bind_string(stmt, 1, table);
    found = sqlite_step(stmt, "schema", NULL) == 1;
    sqlite3_finalize(stmt);
    return found;
}

static int check_key(struct diff *diff, const struct table *table, struct error *err)
{
    struct schema_change change = {.table = table->name, .what = "refused"};
    int64_t rows = 0;
    int64_t keys = 0;
    char why[160];

    if (!has_key(table) || !is_rekeyed(diff, table->name))
        return 0;
    if (count_rows(diff, table, &rows, err) == -1 || count_keys(diff, table, &keys, err) == -1)
        return -1;
    if (rows == keys)
        return 0;
    snprintf(why, sizeof(why), "%lld of %lld rows have equal or missing values in the key",
             (long long)(rows - keys), (long long)rows);
    change.to = why;
    report(diff, &change);
    return 0;
}

/* --- Columns that nothing fills any more --- */

static bool is_filled(const struct mapping *mapping, const struct table_column *column)
{
    struct slice member = {column->member, column->member_length};

    if (mapping->field_count == 0) {
        for (size_t i = 0; i < mapping->exclude_count; i++) {
            if (slice_equals(member, mapping->exclude[i]))
                return false;
        }
        return true;
    }
    for (size_t i = 0; i < mapping->field_count; i++) {
        if (slice_equals(member, mapping->fields[i].name))
            return true;
    }
    return column->key > 0 || member.data[0] == '_'; /* what gatherd puts before the fields */
}

static void report_unfilled(struct diff *diff, const struct mapping *mapping,
                            const struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct table_column *column = &table->columns[i];
        const struct schema_change change = {
            .table = table->name, .column = column->name, .what = "unfilled"};

        if (column->member != NULL && !is_filled(mapping, column))
            report(diff, &change);
    }
}

static int check_table(struct diff *diff, const struct mapping *mapping, struct error *err)
{
    const struct table *table = schema_table(diff->schema, mapping->table, err);

    if (table == NULL || check_key(diff, table, err) == -1)
        return -1;
    report_unfilled(diff, mapping, table);
    for (size_t i = 0; i < mapping->child_count; i++) {
        if (check_table(diff, &mapping->children[i], err) == -1)
            return -1;
    }
    return 0;
}

/* --- One source --- */

static int rehearse(struct diff *diff, const struct source *source, struct error *err)
{
    struct outcome outcome = {0};
    struct moment moment;

    store_read_clocks(&moment);
    if (sqlite_exec(diff->preview, "DELETE FROM _gatherd_schema_changes", err) == -1 ||
        declare_tables(diff->schema, source, &outcome, &moment, err) == -1)
        return -1;
    return report_noted(diff, err) == -1 ? -1 : check_table(diff, &source->mapping, err);
}

/* A database that is not there yet has no table. */
static int open_database(const char *path, sqlite3 **db, struct error *err)
{
    if (access(path, F_OK) == 0)
        return sqlite_open_reader(path, db, err);
    if (sqlite3_open(":memory:", db) != SQLITE_OK)
        return schema_no_memory(err);
    return migrate_run(*db, err);
}

int store_schema_diff(const char *path, const struct source *const *sources, size_t count,
                      const struct schema_diff_hooks *hooks, struct error *err)
{
    struct diff diff = {.hooks = hooks};
    int rc = -1;

    if (open_database(path, &diff.db, err) == -1)
        goto out;
    diff.preview = preview_open(diff.db, err);
    if (diff.preview == NULL)
        goto out;
    diff.schema = schema_create(diff.preview, err);
    rc = diff.schema == NULL ? -1 : 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        struct error cause = {0};

        hooks->source(hooks->context, sources[i]);
        rc = rehearse(&diff, sources[i], &cause);
        if (rc == -1 && cause.code == ERROR_FAILED) {
            const struct schema_change change = {
                .table = sources[i]->mapping.table, .what = "refused", .to = cause.text};

            rc = report(&diff, &change);
        } else if (rc == -1) {
            *err = cause;
        }
    }
out:
    schema_free(diff.schema);
    sqlite3_close(diff.preview);
    sqlite3_close(diff.db);
    return rc;
}

/* --- Doing it --- */

static int apply(struct store *store, const struct source *const *sources, size_t count,
                 struct error *err)
{
    struct outcome outcome = {0};
    struct moment moment;

    if (store_begin(store, err) == -1)
        return -1;
    store_read_clocks(&moment);
    for (size_t i = 0; i < count; i++) {
        if (declare_tables(store->schema, sources[i], &outcome, &moment, err) == -1) {
            error_wrap(err, "source \"%s\"", sources[i]->name);
            return -1;
        }
    }
    return store_end(store, err);
}

int store_schema_apply(struct store *store, const struct source *const *sources, size_t count,
                       struct error *err)
{
    int rc;

    pthread_mutex_lock(&store->mutex);
    rc = apply(store, sources, count, err);
    if (rc == -1)
        store_roll_back(store);
    pthread_mutex_unlock(&store->mutex);
    return rc;
}
