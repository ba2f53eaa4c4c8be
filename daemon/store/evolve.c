/*
 * How a table changes to take new rows.
 *
 * Types and columns change by a new text in sqlite_schema (SQLite manual, ALTER TABLE, "Making
 * Other Kinds Of Table Schema Changes"): nothing stored is rewritten, and any number of columns
 * costs one step. ALTER TABLE ADD COLUMN is not used: newer SQLite checks every row of a STRICT
 * table for each column it adds. The new text is tried in an empty database first, so that what
 * reaches the file is a statement SQLite reads as we meant it. A new key needs the table rebuilt.
 *
 * All of it happens inside the caller's transaction and savepoint.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/ddl.h"
#include "store/fts.h"
#include "store/names.h"
#include "store/schema.h"

/* The SQL of the table as it stands; owned by the caller. */
static char *read_sql(sqlite3 *db, const struct table *table, struct error *err)
{
    static const char query[] = "SELECT sql FROM main.sqlite_schema"
                                " WHERE type = 'table' AND name = ? COLLATE NOCASE";
    sqlite3_stmt *stmt = NULL;
    char *sql = NULL;

    if (sqlite_prepare(db, query, &stmt, err) == -1)
        return NULL;
    sqlite_bind_string(stmt, 1, table->name);
    if (sqlite_step(stmt, "schema", err) == 1) {
        sql = strdup(sqlite_column_string(stmt, 0));
        if (sql == NULL)
            schema_no_memory(err);
    } else {
        error_set(err, ERROR_FAILED, "\"%s\" is no table; choose another table", table->name);
    }
    sqlite3_finalize(stmt);
    return sql;
}

static bool same_columns(const struct table *a, const struct table *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct table_column *x = &a->columns[i];
        const struct table_column *y = &b->columns[i];

        if (strcmp(x->name, y->name) != 0 || x->kind != y->kind || x->key != y->key ||
            x->generated != y->generated)
            return false;
    }
    return true;
}

/* Whether SQLite reads the statement as the table that was planned. */
static int try_sql(const char *sql, const struct table *table, const char *name, struct error *err)
{
    struct table *made = table_create(name);
    struct error cause = {0};
    sqlite3 *empty = NULL;
    int rc = -1;

    if (made == NULL || sqlite3_open(":memory:", &empty) != SQLITE_OK) {
        schema_no_memory(err);
        goto out;
    }
    if (sqlite_exec(empty, sql, &cause) == -1 || table_read_columns(empty, made, &cause) == -1 ||
        !same_columns(made, table))
        error_set(
            err, cause.code == ERROR_NOMEM ? ERROR_NOMEM : ERROR_FAILED,
            "table \"%s\" cannot be changed to fit what came%s%s; rename it, or choose another "
            "table",
            table->name, cause.code == ERROR_NONE ? "" : ": ", cause.text);
    else
        rc = 0;
out:
    sqlite3_close(empty);
    table_free(made);
    return rc;
}

static int bump_schema_version(sqlite3 *db, struct error *err)
{
    char sql[64];
    int64_t version = 0;

    if (sqlite_integer(db, "PRAGMA schema_version", &version, err) == -1)
        return -1;
    snprintf(sql, sizeof(sql), "PRAGMA schema_version = %u", (unsigned)version + 1);
    return sqlite_exec(db, sql, err);
}

static int replace_sql(sqlite3 *db, const struct table *table, const char *sql, struct error *err)
{
    static const char update[] = "UPDATE main.sqlite_schema SET sql = ?"
                                 " WHERE type = 'table' AND name = ? COLLATE NOCASE";
    sqlite3_stmt *stmt = NULL;
    int rc = -1;

    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, (int *)NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, (int *)NULL);
    if (sqlite_prepare(db, update, &stmt, err) == 0) {
        sqlite_bind_string(stmt, 1, sql);
        sqlite_bind_string(stmt, 2, table->name);
        rc = sqlite_run(stmt, "schema", err);
        sqlite3_finalize(stmt);
    }
    /* Every connection, this one included, reads the schema anew when its version differs. */
    if (rc == 0)
        rc = bump_schema_version(db, err);
    sqlite3_db_config(db, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0, (int *)NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
    return rc;
}

/*
 * SQLite stores 5.0 in a REAL column as the integer 5 and makes it REAL when reading (file format,
 * 2.1). A column of type ANY does not: what was REAL is written as REAL once.
 */
static int restore_reals(sqlite3 *db, const struct table *table, struct error *err)
{
    int rc = 0;

    for (size_t i = 0; i < table->count && rc == 0; i++) {
        const struct table_column *column = &table->columns[i];
        struct text sql = {0};

        if (column->change != CHANGE_WIDEN || column->was != COLUMN_REAL || column->generated)
            continue;
        text_add(&sql, "UPDATE main.");
        name_quote(&sql, table->name);
        text_add(&sql, " SET ");
        name_quote(&sql, column->name);
        text_add(&sql, " = CAST(");
        name_quote(&sql, column->name);
        text_add(&sql, " AS REAL) WHERE typeof(");
        name_quote(&sql, column->name);
        text_add(&sql, ") = 'integer'");
        rc = text_failed(&sql) ? schema_no_memory(err) : sqlite_exec(db, text_string(&sql), err);
        text_free(&sql);
    }
    return rc;
}

/*
 * In a key of no declared type text that is a canonical integer is that integer
 * (gatherd/convert.h). A column that was TEXT may hold such text, from the time when its type was
 * declared.
 */
static int restore_keys(sqlite3 *db, const struct table *table, struct error *err)
{
    int rc = 0;

    for (size_t i = 0; i < table->count && rc == 0; i++) {
        const struct table_column *column = &table->columns[i];
        struct text sql = {0};
        struct text name = {0};

        if (column->change != CHANGE_WIDEN || column->was != COLUMN_TEXT || column->key == 0)
            continue;
        name_quote(&name, column->name);
        text_add(&sql, "UPDATE main.");
        name_quote(&sql, table->name);
        text_format(&sql,
                    " SET %s = CAST(%s AS INTEGER) WHERE typeof(%s) = 'text'"
                    " AND CAST(CAST(%s AS INTEGER) AS TEXT) = %s",
                    text_string(&name), text_string(&name), text_string(&name), text_string(&name),
                    text_string(&name));
        rc = text_failed(&sql) || text_failed(&name) ? schema_no_memory(err)
                                                     : sqlite_exec(db, text_string(&sql), err);
        text_free(&sql);
        text_free(&name);
    }
    return rc;
}

/* What a wider type would make of values that are stored already. */
static int restore_values(sqlite3 *db, const struct table *table, struct error *err)
{
    return restore_reals(db, table, err) == -1 ? -1 : restore_keys(db, table, err);
}

static int change_in_place(sqlite3 *db, const struct table *table, const char *old_sql,
                           struct error *err)
{
    struct text sql = {0};
    int rc = -1;

    if (ddl_rewrite(old_sql, table, false, NULL, &sql, err) == 0 &&
        try_sql(text_string(&sql), table, table->name, err) == 0 &&
        replace_sql(db, table, text_string(&sql), err) == 0)
        rc = restore_values(db, table, err);
    text_free(&sql);
    return rc;
}

static void put_stored_columns(const struct table *table, struct text *sql)
{
    const char *separator = "";

    for (size_t i = 0; i < table->count; i++) {
        if (table->columns[i].change == CHANGE_ADD || table->columns[i].generated)
            continue;
        text_add(sql, separator);
        name_quote(sql, table->columns[i].name);
        separator = ", ";
    }
}

static int copy_rows(sqlite3 *db, const struct table *table, const char *to, const char *key,
                     struct error *err)
{
    struct text sql = {0};
    int rc = -1;

    text_add(&sql, "INSERT INTO main.");
    name_quote(&sql, to);
    text_add(&sql, " (");
    put_stored_columns(table, &sql);
    text_add(&sql, ") SELECT ");
    put_stored_columns(table, &sql);
    text_add(&sql, " FROM main.");
    name_quote(&sql, table->name);
    if (text_failed(&sql)) {
        schema_no_memory(err);
    } else {
        struct error cause = {0};

        rc = sqlite_exec(db, text_string(&sql), &cause);
        if (rc == -1 && (sqlite3_errcode(db) & 0xff) == SQLITE_CONSTRAINT)
            error_set(err, ERROR_FAILED,
                      "table \"%s\" cannot have %s: rows there have equal or missing values in it; "
                      "remove them, or choose another table",
                      table->name, key);
        else if (rc == -1)
            error_set(err, cause.code, "table \"%s\": %s", table->name, cause.text);
    }
    text_free(&sql);
    return rc;
}

/* The indexes and triggers of a table, as statements; dropping it drops them too. */
static int read_dependents(sqlite3 *db, const struct table *table, struct text *sql,
                           struct error *err)
{
    static const char query[] = "SELECT sql FROM main.sqlite_schema"
                                " WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
                                " AND tbl_name = ? COLLATE NOCASE ORDER BY type, rowid";
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (sqlite_prepare(db, query, &stmt, err) == -1)
        return -1;
    sqlite_bind_string(stmt, 1, table->name);
    while ((rc = sqlite_step(stmt, "schema", err)) == 1) {
        text_add(sql, sqlite_column_string(stmt, 0));
        text_add(sql, "\n;\n"); /* the text may end in a comment */
    }
    sqlite3_finalize(stmt);
    return rc == 0 && text_failed(sql) ? schema_no_memory(err) : rc;
}

static int swap_tables(sqlite3 *db, const struct table *table, const char *made, struct error *err)
{
    struct text dependents = {0};
    struct text sql = {0};
    int rc = -1;

    if (read_dependents(db, table, &dependents, err) == -1)
        goto out;
    text_add(&sql, "DROP TABLE main.");
    name_quote(&sql, table->name);
    text_add(&sql, "; ALTER TABLE main.");
    name_quote(&sql, made);
    text_add(&sql, " RENAME TO ");
    name_quote(&sql, table->name);
    text_add(&sql, ";\n");
    text_append(&sql, text_string(&dependents), dependents.length);
    if (text_failed(&sql))
        schema_no_memory(err);
    else
        rc = sqlite_exec(db, text_string(&sql), err);
    if (rc == -1)
        error_wrap(err, "table \"%s\"", table->name);
out:
    text_free(&sql);
    text_free(&dependents);
    return rc;
}

/* SQLite manual, ALTER TABLE: make the new one, copy, drop the old one, rename. */
static int rebuild(sqlite3 *db, const struct table *table, const struct plan *plan,
                   const char *old_sql, struct error *err)
{
    static const char made[] = "_gatherd_rebuilt";
    const char *key = plan->new_key == NULL ? "its primary key" : plan->new_key;
    struct text sql = {0};
    int rc = -1;

    if (ddl_rewrite(old_sql, table, plan->rekey, made, &sql, err) == -1 ||
        try_sql(text_string(&sql), table, made, err) == -1)
        goto out;
    /* Views and triggers that speak of the table keep its name and must not be rewritten. */
    sqlite3_db_config(db, SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, 1, (int *)NULL);
    if (sqlite_exec(db, text_string(&sql), err) == 0 && copy_rows(db, table, made, key, err) == 0)
        rc = swap_tables(db, table, made, err);
    sqlite3_db_config(db, SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, 0, (int *)NULL);
out:
    text_free(&sql);
    return rc;
}

static bool retypes_rowid(const struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->columns[i].is_rowid && table->columns[i].change == CHANGE_WIDEN)
            return true;
    }
    return false;
}

static bool changes_text(const struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct table_column *column = &table->columns[i];

        if (column->change == CHANGE_ADD || column->change == CHANGE_WIDEN ||
            (column->change == CHANGE_SETTLE && column->kind != column->was))
            return true;
    }
    return false;
}

static int change_existing(sqlite3 *db, const struct table *table, const struct plan *plan,
                           struct error *err)
{
    char *sql;
    int rc;

    if (!plan->rekey && !changes_text(table))
        return 0;
    sql = read_sql(db, table, err);
    if (sql == NULL)
        return -1;
    /* What moves here are no new rows: the user's triggers are not told. */
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, (int *)NULL);
    if (plan->rekey || retypes_rowid(table))
        rc = rebuild(db, table, plan, sql, err);
    else
        rc = change_in_place(db, table, sql, err);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, (int *)NULL);
    free(sql);
    return rc;
}

/* --- Its record --- */

struct entry {
    const char *column;
    const char *change;
    struct slice old_value; /* a member's name may hold NUL bytes */
    const char *new_value;
};

static int log_entry(const struct schema_log *log, const char *table, const struct entry *entry,
                     int64_t run_id, const struct moment *moment, struct error *err)
{
    sqlite_bind_string(log->change, 1, moment->text);
    sqlite_bind_string(log->change, 2, table);
    sqlite_bind_string(log->change, 3, entry->column);
    sqlite_bind_string(log->change, 4, entry->change);
    if (entry->old_value.data != NULL)
        sqlite_bind_bytes(log->change, 5, entry->old_value.data, entry->old_value.length);
    sqlite_bind_string(log->change, 6, entry->new_value);
    if (run_id != 0) /* 0: it was asked for, and no run brought it */
        sqlite3_bind_int64(log->change, 7, run_id);
    return sqlite_run(log->change, "_gatherd_schema_changes", err);
}

int schema_log_change(const struct schema_log *log, const char *table, const char *change,
                      const char *what, int64_t run_id, const struct moment *moment,
                      struct error *err)
{
    const struct entry entry = {.change = change, .new_value = what};

    return log_entry(log, table, &entry, run_id, moment, err);
}

static int save_member(const struct schema_log *log, const struct table *table,
                       const struct table_column *column, int64_t run_id,
                       const struct moment *moment, struct error *err)
{
    sqlite_bind_string(log->column, 1, table->name);
    sqlite_bind_bytes(log->column, 2, column->member, column->member_length);
    sqlite_bind_string(log->column, 3, column->name);
    sqlite_bind_string(log->column, 4, column_kind_name(column->kind));
    sqlite3_bind_int(log->column, 5, column->settled);
    sqlite_bind_string(log->column, 6, moment->text);
    if (run_id != 0)
        sqlite3_bind_int64(log->column, 7, run_id);
    return sqlite_run(log->column, "_gatherd_columns", err);
}

static int record_column(const struct schema_log *log, const struct table *table,
                         const struct table_column *column, int64_t run_id,
                         const struct moment *moment, struct error *err)
{
    const char *kind = column_kind_name(column->kind);
    struct slice member = {column->member, column->member_length};
    struct entry entry = {.column = column->name, .new_value = kind};

    if (column->change == CHANGE_NONE)
        return 0;
    if (column->change == CHANGE_ADD && table->exists)
        entry.change = "add_column";
    if (column->change == CHANGE_WIDEN || column->change == CHANGE_SETTLE) {
        entry.change = column->change == CHANGE_WIDEN ? "widen" : "settle";
        entry.old_value = slice_of(column_kind_name(column->was));
    }
    if (entry.change != NULL && log_entry(log, table->name, &entry, run_id, moment, err) == -1)
        return -1;
    if (column->member == NULL)
        return 0;
    if (column->change == CHANGE_ADD && !slice_equals(member, column->name)) {
        entry = (struct entry){column->name, "rename", member, column->name};
        if (log_entry(log, table->name, &entry, run_id, moment, err) == -1)
            return -1;
    }
    return save_member(log, table, column, run_id, moment, err);
}

static int create_table(sqlite3 *db, const struct schema_log *log, const struct table *table,
                        int64_t run_id, const struct moment *moment, struct error *err)
{
    struct entry entry = {.change = "create_table"};
    struct text sql = {0};
    int rc = -1;

    ddl_create(table, &sql);
    if (text_failed(&sql)) {
        schema_no_memory(err);
        goto out;
    }
    if (sqlite_exec(db, text_string(&sql), err) == -1) {
        error_wrap(err, "table \"%s\"", table->name);
        goto out;
    }
    /* What is still known of a table of this name speaks of one that was dropped by hand. */
    sqlite_bind_string(log->forget, 1, table->name);
    entry.new_value = text_string(&sql);
    if (sqlite_run(log->forget, "_gatherd_columns", err) == 0)
        rc = log_entry(log, table->name, &entry, run_id, moment, err);
out:
    text_free(&sql);
    return rc;
}

int evolve_apply(sqlite3 *db, const struct schema_log *log, struct table *table,
                 const struct plan *plan, int64_t run_id, const struct moment *moment,
                 struct error *err)
{
    const struct entry rekey = {NULL, "rekey", slice_of(plan->old_key), plan->new_key};
    int rc = table->exists ? change_existing(db, table, plan, err)
                           : create_table(db, log, table, run_id, moment, err);

    if (rc == 0 && plan->rekey)
        rc = log_entry(log, table->name, &rekey, run_id, moment, err);
    for (size_t i = 0; i < table->count && rc == 0; i++)
        rc = record_column(log, table, &table->columns[i], run_id, moment, err);
    /* Rows that were copied have other rowids, and no trigger saw what was rewritten. */
    if (rc == 0 && table->exists)
        rc = fts_rebuild(db, table->name, err);
    return rc;
}
