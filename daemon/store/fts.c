#include "store/fts.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/text.h"
#include "store/names.h"

struct fts {
    sqlite3 *db;
    const struct table *table;
    struct text name;    /* owned, as the next two: of the FTS5 table */
    struct text columns; /* quoted, with commas; empty: there is nothing to search */
    struct text made_by; /* the statement that makes it */
};

static void fts_free(struct fts *fts)
{
    text_free(&fts->name);
    text_free(&fts->columns);
    text_free(&fts->made_by);
}

/* --- What is wanted --- */

/* The columns with `prefix` before each ("new.", "old." or nothing). */
static void put_columns(struct text *sql, const struct table *table, const struct mapping *mapping,
                        const char *prefix)
{
    const char *separator = "";

    for (size_t i = 0; i < mapping->fts_count; i++) {
        const struct table_column *column = table_find_named(table, mapping->fts[i]);

        if (column == NULL)
            continue; /* it comes with its first value */
        text_add(sql, separator);
        text_add(sql, prefix);
        name_quote(sql, column->name);
        separator = ", ";
    }
}

/* An option of FTS5: content='posts'. */
static void put_option(struct text *sql, const char *name, const char *value)
{
    text_format(sql, ", %s='", name);
    for (const char *p = value; *p != '\0'; p++) {
        text_char(sql, *p);
        if (*p == '\'')
            text_char(sql, *p);
    }
    text_char(sql, '\'');
}

static int describe(struct fts *fts, const struct mapping *mapping, struct error *err)
{
    const char *rowid = table_rowid_name(fts->table);

    text_format(&fts->name, "%s_fts", fts->table->name);
    put_columns(&fts->columns, fts->table, mapping, "");
    if (fts->columns.length > 0 && rowid == NULL) {
        error_set(
            err, ERROR_FAILED,
            "table \"%s\" has columns rowid, _rowid_ and oid, so full-text search cannot tell "
            "its rows apart; give one of them another name with fields",
            fts->table->name);
        return -1;
    }
    text_add(&fts->made_by, "CREATE VIRTUAL TABLE ");
    name_quote(&fts->made_by, text_string(&fts->name));
    text_add(&fts->made_by, " USING fts5(");
    text_append(&fts->made_by, text_string(&fts->columns), fts->columns.length);
    put_option(&fts->made_by, "content", fts->table->name);
    put_option(&fts->made_by, "content_rowid", rowid == NULL ? "" : rowid);
    text_char(&fts->made_by, ')');
    return text_failed(&fts->name) || text_failed(&fts->columns) || text_failed(&fts->made_by)
               ? schema_no_memory(err)
               : 0;
}

/* --- What is there --- */

/* Owned; NULL without an error set: there is nothing of that name. */
static char *read_statement(sqlite3 *db, const char *name, struct error *err)
{
    static const char query[] = "SELECT coalesce(sql, '') FROM main.sqlite_schema"
                                " WHERE name = ? COLLATE NOCASE";
    sqlite3_stmt *stmt = NULL;
    char *sql = NULL;

    if (sqlite_prepare(db, query, &stmt, err) == -1)
        return NULL;
    sqlite_bind_string(stmt, 1, name);
    if (sqlite_step(stmt, "schema", err) == 1) {
        sql = strdup(sqlite_column_string(stmt, 0));
        if (sql == NULL)
            schema_no_memory(err);
    }
    sqlite3_finalize(stmt);
    return sql;
}

static void name_trigger(struct text *name, const char *table, const char *event)
{
    text_format(name, "_gatherd_fts_%s_%s", table, event);
}

/* main."_gatherd_fts_posts_insert"; where there is no memory for the name, `sql` has failed. */
static void put_trigger_name(struct text *sql, const char *table, const char *event)
{
    struct text name = {0};

    name_trigger(&name, table, event);
    text_add(sql, "main.");
    name_quote(sql, text_string(&name));
    sql->failed |= text_failed(&name);
    text_free(&name);
}

/* Whoever made our triggers made the table of words. 1, 0 or -1. */
static int is_ours(sqlite3 *db, const char *table, struct error *err)
{
    struct error cause = {0};
    struct text name = {0};
    char *sql = NULL;
    int ours;

    name_trigger(&name, table, "insert");
    if (text_failed(&name))
        schema_no_memory(&cause);
    else
        sql = read_statement(db, text_string(&name), &cause);
    ours = cause.code != ERROR_NONE ? -1 : sql != NULL;
    if (ours == -1)
        *err = cause;
    free(sql);
    text_free(&name);
    return ours;
}

/* --- Making and removing --- */

static int drop(struct fts *fts, struct error *err)
{
    static const char *const events[] = {"insert", "delete", "update"};
    struct text sql = {0};
    int rc;

    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        text_add(&sql, "DROP TRIGGER IF EXISTS ");
        put_trigger_name(&sql, fts->table->name, events[i]);
        text_add(&sql, ";");
    }
    text_add(&sql, "DROP TABLE main.");
    name_quote(&sql, text_string(&fts->name));
    rc = text_failed(&sql) ? schema_no_memory(err) : sqlite_exec(fts->db, text_string(&sql), err);
    text_free(&sql);
    return rc;
}

/* INSERT INTO "t_fts" (rowid, "a") VALUES (new.rowid, new."a"); */
static void put_add(struct text *sql, const struct fts *fts, const struct mapping *mapping)
{
    text_add(sql, "INSERT INTO ");
    name_quote(sql, text_string(&fts->name));
    text_format(sql, " (rowid, %s) VALUES (new.%s, ", text_string(&fts->columns),
                table_rowid_name(fts->table));
    put_columns(sql, fts->table, mapping, "new.");
    text_add(sql, "); ");
}

/* External content: FTS5 must be told the words that go. */
static void put_remove(struct text *sql, const struct fts *fts, const struct mapping *mapping)
{
    text_add(sql, "INSERT INTO ");
    name_quote(sql, text_string(&fts->name));
    text_add(sql, " (");
    name_quote(sql, text_string(&fts->name));
    text_format(sql, ", rowid, %s) VALUES ('delete', old.%s, ", text_string(&fts->columns),
                table_rowid_name(fts->table));
    put_columns(sql, fts->table, mapping, "old.");
    text_add(sql, "); ");
}

static void put_trigger(struct text *sql, const struct fts *fts, const char *event,
                        const char *of_columns)
{
    text_add(sql, "CREATE TRIGGER ");
    put_trigger_name(sql, fts->table->name, event);
    text_format(sql, " AFTER %s%s ON ", event, of_columns);
    name_quote(sql, fts->table->name);
    text_add(sql, " BEGIN ");
}

static void put_triggers(struct text *sql, const struct fts *fts, const struct mapping *mapping)
{
    struct text of_columns = {0};

    text_format(&of_columns, " OF %s", text_string(&fts->columns));
    put_trigger(sql, fts, "insert", "");
    put_add(sql, fts, mapping);
    text_add(sql, "END; ");
    put_trigger(sql, fts, "delete", "");
    put_remove(sql, fts, mapping);
    text_add(sql, "END; ");
    put_trigger(sql, fts, "update", text_string(&of_columns));
    put_remove(sql, fts, mapping);
    put_add(sql, fts, mapping);
    text_add(sql, "END; ");
    sql->failed |= text_failed(&of_columns);
    text_free(&of_columns);
}

static int make(struct fts *fts, const struct mapping *mapping, struct error *err)
{
    struct text sql = {0};
    int rc = -1;

    text_append(&sql, text_string(&fts->made_by), fts->made_by.length);
    text_add(&sql, "; ");
    put_triggers(&sql, fts, mapping);
    if (text_failed(&sql))
        schema_no_memory(err);
    else if (sqlite_exec(fts->db, text_string(&sql), err) == 0)
        rc = fts_rebuild(fts->db, fts->table->name, err);
    text_free(&sql);
    return rc;
}

static int refuse_foreign(const struct fts *fts, struct error *err)
{
    error_set(err, ERROR_FAILED,
              "\"%s\" is there and was not made by gatherd, so full-text search of \"%s\" has no "
              "place; rename it, or remove fts",
              text_string(&fts->name), fts->table->name);
    return -1;
}

static int note(const struct fts *fts, const struct schema_log *log, const char *change,
                int64_t run_id, const struct moment *moment, struct error *err)
{
    return schema_log_change(log, fts->table->name, change, text_string(&fts->name), run_id, moment,
                             err);
}

/* `there`: the statement of what has the name; NULL: nothing has. */
static int fit(struct fts *fts, const struct schema_log *log, const struct mapping *mapping,
               const char *there, int64_t run_id, const struct moment *moment, bool *changed,
               struct error *err)
{
    bool wanted = fts->columns.length > 0;
    int ours = 1;

    if (there == NULL ? !wanted : wanted && strcmp(there, text_string(&fts->made_by)) == 0)
        return 0;
    if (there != NULL)
        ours = is_ours(fts->db, fts->table->name, err);
    if (ours == -1)
        return -1;
    if (ours == 0)
        return wanted ? refuse_foreign(fts, err) : 0;
    *changed = true;
    if (there != NULL &&
        (drop(fts, err) == -1 || note(fts, log, "drop_fts", run_id, moment, err) == -1))
        return -1;
    if (!wanted)
        return 0;
    return make(fts, mapping, err) == -1 ? -1 : note(fts, log, "create_fts", run_id, moment, err);
}

int fts_fit(sqlite3 *db, const struct schema_log *log, const struct table *table,
            const struct mapping *mapping, int64_t run_id, const struct moment *moment,
            bool *changed, struct error *err)
{
    struct fts fts = {.db = db, .table = table};
    struct error cause = {0};
    char *there = NULL;
    int rc = describe(&fts, mapping, err);

    if (rc == 0) {
        there = read_statement(db, text_string(&fts.name), &cause);
        if (cause.code != ERROR_NONE) {
            *err = cause;
            rc = -1;
        } else {
            rc = fit(&fts, log, mapping, there, run_id, moment, changed, err);
        }
    }
    free(there);
    fts_free(&fts);
    return rc;
}

int fts_rebuild(sqlite3 *db, const char *table, struct error *err)
{
    struct text name = {0};
    struct text sql = {0};
    int rc = is_ours(db, table, err);

    if (rc != 1)
        return rc;
    text_format(&name, "%s_fts", table);
    text_add(&sql, "INSERT INTO main.");
    name_quote(&sql, text_string(&name));
    text_add(&sql, " (");
    name_quote(&sql, text_string(&name));
    text_add(&sql, ") VALUES ('rebuild')");
    rc = text_failed(&name) || text_failed(&sql) ? schema_no_memory(err)
                                                 : sqlite_exec(db, text_string(&sql), err);
    text_free(&name);
    text_free(&sql);
    return rc;
}
