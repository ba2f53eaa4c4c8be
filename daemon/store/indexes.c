#include "store/indexes.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/text.h"
#include "store/names.h"
#include "store/retention.h"

#define MOST_COLUMNS 64

/* One that is wanted: the table's columns in their order. */
struct wanted {
    const struct table_column *columns[MOST_COLUMNS];
    size_t count;
    struct text name; /* owned */
};

struct fitting {
    sqlite3 *db;
    const struct schema_log *log;
    const struct table *table;
    int64_t run_id;
    const struct moment *moment;
    struct text kept; /* owned: the names of ours that are wanted, each with its NUL */
    bool changed;
};

/* False: a column is not there yet. */
static bool find_columns(const struct table *table, const char *const *names, size_t count,
                         struct wanted *wanted)
{
    text_clear(&wanted->name);
    text_format(&wanted->name, "_gatherd_%s(", table->name);
    for (wanted->count = 0; wanted->count < count; wanted->count++) {
        const struct table_column *column = table_find_named(table, names[wanted->count]);

        if (column == NULL)
            return false;
        text_format(&wanted->name, "%s%s", wanted->count == 0 ? "" : ",", column->name);
        wanted->columns[wanted->count] = column;
    }
    text_char(&wanted->name, ')');
    return true;
}

/* --- Whether the table has an index that serves --- */

static bool begins_with(sqlite3_stmt *stmt, const struct wanted *wanted, struct error *err, int *rc)
{
    for (size_t i = 0; i < wanted->count; i++) {
        *rc = sqlite_step(stmt, "indexes", err);
        if (*rc != 1 || !name_same(sqlite_column_string(stmt, 0), wanted->columns[i]->name))
            return false;
    }
    return true;
}

static int serves(const struct fitting *f, const char *index, const struct wanted *wanted,
                  bool *serving, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = 0;

    if (sqlite_prepare(f->db, "SELECT name FROM pragma_index_info(?)", &stmt, err) == -1)
        return -1;
    sqlite_bind_string(stmt, 1, index);
    *serving = begins_with(stmt, wanted, err, &rc);
    sqlite3_finalize(stmt);
    return rc == -1 ? -1 : 0;
}

/* Ours of that name is the wanted one; of the others any that begins with the same columns. */
static int is_there(const struct fitting *f, const struct wanted *wanted, bool *there,
                    struct error *err)
{
    static const char sql[] = "SELECT name FROM pragma_index_list(?) WHERE partial = 0";
    sqlite3_stmt *stmt = NULL;
    int rc;

    *there = false;
    if (sqlite_prepare(f->db, sql, &stmt, err) == -1)
        return -1;
    sqlite_bind_string(stmt, 1, f->table->name);
    while (!*there && (rc = sqlite_step(stmt, "indexes", err)) == 1) {
        const char *name = sqlite_column_string(stmt, 0);
        bool ours = strncmp(name, "_gatherd_", 9) == 0;

        if (ours)
            *there = strcmp(name, text_string(&wanted->name)) == 0;
        else if (serves(f, name, wanted, there, err) == -1) {
            rc = -1;
            break;
        }
    }
    sqlite3_finalize(stmt);
    return *there || rc == 0 ? 0 : -1;
}

/* --- Making and removing --- */

/* The one by time comes and goes with the write mode: nobody asked for it. */
static bool is_automatic(const char *name)
{
    static const char end[] = "(" COLUMN_FETCHED_AT ")";
    size_t length = strlen(name);

    return length >= strlen(end) && strcmp(name + length - strlen(end), end) == 0;
}

static int note(const struct fitting *f, const char *change, const char *name, struct error *err)
{
    if (is_automatic(name))
        return 0;
    return schema_log_change(f->log, f->table->name, change, name, f->run_id, f->moment, err);
}

static int make(struct fitting *f, const struct wanted *wanted, struct error *err)
{
    struct text sql = {0};
    int rc;

    text_add(&sql, "CREATE INDEX main.");
    name_quote(&sql, text_string(&wanted->name));
    text_add(&sql, " ON ");
    name_quote(&sql, f->table->name);
    for (size_t i = 0; i < wanted->count; i++) {
        text_add(&sql, i == 0 ? " (" : ", ");
        name_quote(&sql, wanted->columns[i]->name);
    }
    text_char(&sql, ')');
    rc = text_failed(&sql) ? schema_no_memory(err) : sqlite_exec(f->db, text_string(&sql), err);
    text_free(&sql);
    f->changed = true;
    return rc == -1 ? -1 : note(f, "create_index", text_string(&wanted->name), err);
}

static int fit_one(struct fitting *f, const char *const *names, size_t count, struct wanted *wanted,
                   struct error *err)
{
    bool there;

    if (!find_columns(f->table, names, count, wanted))
        return 0;
    if (text_failed(&wanted->name))
        return schema_no_memory(err);
    text_append(&f->kept, text_string(&wanted->name), wanted->name.length + 1);
    if (is_there(f, wanted, &there, err) == -1)
        return -1;
    return there ? 0 : make(f, wanted, err);
}

static bool is_kept(const struct fitting *f, const char *name)
{
    for (size_t at = 0; at < f->kept.length; at += strlen(f->kept.data + at) + 1) {
        if (strcmp(f->kept.data + at, name) == 0)
            return true;
    }
    return false;
}

/* The names first: an index cannot be dropped while the list of them is read. */
static int list_unwanted(const struct fitting *f, struct text *names, struct error *err)
{
    static const char sql[] = "SELECT name FROM pragma_index_list(?)"
                              " WHERE name GLOB '_gatherd_*(*)'";
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (sqlite_prepare(f->db, sql, &stmt, err) == -1)
        return -1;
    sqlite_bind_string(stmt, 1, f->table->name);
    while ((rc = sqlite_step(stmt, "indexes", err)) == 1) {
        const char *name = sqlite_column_string(stmt, 0);

        if (!is_kept(f, name))
            text_append(names, name, strlen(name) + 1);
    }
    sqlite3_finalize(stmt);
    return rc == 0 && text_failed(names) ? schema_no_memory(err) : rc;
}

static int drop(struct fitting *f, const char *name, struct error *err)
{
    struct text sql = {0};
    int rc;

    text_add(&sql, "DROP INDEX main.");
    name_quote(&sql, name);
    rc = text_failed(&sql) ? schema_no_memory(err) : sqlite_exec(f->db, text_string(&sql), err);
    text_free(&sql);
    f->changed = true;
    return rc == -1 ? -1 : note(f, "drop_index", name, err);
}

static int drop_unwanted(struct fitting *f, struct error *err)
{
    struct text names = {0};
    int rc = list_unwanted(f, &names, err);

    for (size_t at = 0; rc == 0 && at < names.length; at += strlen(names.data + at) + 1)
        rc = drop(f, names.data + at, err);
    text_free(&names);
    return rc;
}

/*
 * The order in which rows grow old. Children without a key go with a parent that is known by its
 * run and its place there.
 */
static int fit_by_time(struct fitting *f, const struct mapping *mapping, struct wanted *wanted,
                       struct error *err)
{
    bool appends = mapping->write_mode == WRITE_APPEND;
    const char *names[] = {COLUMN_FETCHED_AT, COLUMN_RUN_ID,
                           mapping->link_count > 0 ? mapping->links[0] : NULL};
    const char *time = retention_column(mapping);
    bool by_place = mapping->goes_with_parent && mapping->write_mode == WRITE_REPLACE &&
                    mapping->primary_key_count == 0;
    bool first = appends || by_place;

    if (first && fit_one(f, names, mapping->goes_with_parent ? 3 : 1, wanted, err) == -1)
        return -1;
    if (time == NULL || (first && strcmp(time, COLUMN_FETCHED_AT) == 0))
        return 0;
    return fit_one(f, &time, 1, wanted, err);
}

static int fit_all(struct fitting *f, const struct mapping *mapping, struct wanted *wanted,
                   struct error *err)
{
    if (fit_by_time(f, mapping, wanted, err) == -1)
        return -1;
    for (size_t i = 0; i < mapping->index_count; i++) {
        if (fit_one(f, mapping->indexes[i].names, mapping->indexes[i].count, wanted, err) == -1)
            return -1;
    }
    if (text_failed(&f->kept)) /* what is wanted would be dropped */
        return schema_no_memory(err);
    return drop_unwanted(f, err);
}

int indexes_fit(sqlite3 *db, const struct schema_log *log, const struct table *table,
                const struct mapping *mapping, int64_t run_id, const struct moment *moment,
                bool *changed, struct error *err)
{
    struct fitting f = {.db = db, .log = log, .table = table, .run_id = run_id, .moment = moment};
    struct wanted wanted = {0};
    int rc = fit_all(&f, mapping, &wanted, err);

    *changed = f.changed;
    text_free(&wanted.name);
    text_free(&f.kept);
    return rc;
}
