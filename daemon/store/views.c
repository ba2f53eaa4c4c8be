#include "store/views.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/text.h"
#include "store/names.h"

static const struct name_value *find_view(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->view_count; i++) {
        if (name_same(config->views[i].name, name))
            return &config->views[i];
    }
    return NULL;
}

/* One statement with up to four texts. */
static int run(sqlite3 *db, const char *sql, const char *const texts[4], struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (sqlite_prepare(db, sql, &stmt, err) == -1)
        return -1;
    for (int i = 0; i < sqlite3_bind_parameter_count(stmt); i++)
        sqlite_bind_string(stmt, i + 1, texts[i]);
    rc = sqlite_run(stmt, "_gatherd_views", err);
    sqlite3_finalize(stmt);
    return rc;
}

static int note(sqlite3 *db, const char *change, const char *name, const struct moment *moment,
                const char *sql, struct error *err)
{
    static const char insert[] =
        "INSERT INTO _gatherd_schema_changes (at, table_name, change, new_value)"
        " VALUES (?, ?, ?, ?)";

    return run(db, insert, (const char *const[4]){moment->text, name, change, sql}, err);
}

/* --- Removing --- */

static int drop(sqlite3 *db, const char *name, const struct moment *moment, struct error *err)
{
    struct text sql = {0};
    int rc = -1;

    text_add(&sql, "DROP VIEW IF EXISTS main.");
    name_quote(&sql, name);
    if (text_failed(&sql))
        error_set(err, ERROR_NOMEM, "views: out of memory");
    else if (sqlite_exec(db, text_string(&sql), err) == 0 &&
             run(db, "DELETE FROM _gatherd_views WHERE name = ?", (const char *const[4]){name},
                 err) == 0)
        rc = note(db, "drop_view", name, moment, NULL, err);
    text_free(&sql);
    return rc;
}

/* The names of ours that are not as the configuration has them, each with its NUL. */
static int list_stale(sqlite3 *db, const struct config *config, struct text *names,
                      struct error *err)
{
    static const char sql[] =
        "SELECT v.name, v.sql, s.name IS NOT NULL FROM _gatherd_views AS v LEFT JOIN sqlite_schema"
        " AS s ON s.type = 'view' AND s.name = v.name COLLATE NOCASE";
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (sqlite_prepare(db, sql, &stmt, err) == -1)
        return -1;
    while ((rc = sqlite_step(stmt, "_gatherd_views", err)) == 1) {
        const char *name = sqlite_column_string(stmt, 0);
        const struct name_value *view = find_view(config, name);

        if (view == NULL || strcmp(view->value, sqlite_column_string(stmt, 1)) != 0 ||
            sqlite3_column_int(stmt, 2) == 0)
            text_append(names, name, strlen(name) + 1);
    }
    sqlite3_finalize(stmt);
    if (rc == 0 && text_failed(names)) {
        error_set(err, ERROR_NOMEM, "views: out of memory");
        return -1;
    }
    return rc;
}

static int drop_stale(sqlite3 *db, const struct config *config, const struct moment *moment,
                      struct error *err)
{
    struct text names = {0};
    int rc = list_stale(db, config, &names, err);

    for (size_t at = 0; rc == 0 && at < names.length; at += strlen(names.data + at) + 1)
        rc = drop(db, names.data + at, moment, err);
    text_free(&names);
    return rc;
}

/* --- Making --- */

/* 1: the database has something of that name; 0: not; -1: failed. */
static int is_there(sqlite3 *db, const char *query, const char *name, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (sqlite_prepare(db, query, &stmt, err) == -1)
        return -1;
    sqlite_bind_string(stmt, 1, name);
    rc = sqlite_step(stmt, "schema", err);
    sqlite3_finalize(stmt);
    return rc;
}

static int create(sqlite3 *db, const struct name_value *view, const struct moment *moment,
                  struct error *err)
{
    struct text sql = {0};
    int rc = -1;

    text_add(&sql, "CREATE VIEW main.");
    name_quote(&sql, view->name);
    text_format(&sql, " AS %s", view->value);
    if (text_failed(&sql))
        error_set(err, ERROR_NOMEM, "views: out of memory");
    else if (sqlite_exec(db, text_string(&sql), err) == 0 &&
             run(db, "INSERT INTO _gatherd_views (name, sql) VALUES (?, ?)",
                 (const char *const[4]){view->name, view->value}, err) == 0)
        rc = note(db, "create_view", view->name, moment, view->value, err);
    text_free(&sql);
    return rc;
}

static int fit_view(sqlite3 *db, const struct name_value *view, const struct moment *moment,
                    struct error *err)
{
    int ours =
        is_there(db, "SELECT 1 FROM _gatherd_views WHERE name = ? COLLATE NOCASE", view->name, err);
    int taken = ours != 0 ? 0
                          : is_there(db,
                                     "SELECT 1 FROM sqlite_schema WHERE type IN ('table', 'view')"
                                     " AND name = ? COLLATE NOCASE",
                                     view->name, err);

    if (ours == -1 || taken == -1)
        return -1;
    if (taken == 1) {
        error_set(err, ERROR_UNAVAILABLE,
                  "view \"%s\": the database has a table or view of that name which is not from "
                  "the configuration; rename one of them",
                  view->name);
        return -1;
    }
    return ours == 1 ? 0 : create(db, view, moment, err);
}

int views_fit(sqlite3 *db, const struct config *config, const struct moment *moment,
              struct error *err)
{
    if (drop_stale(db, config, moment, err) == -1)
        return -1;
    for (size_t i = 0; i < config->view_count; i++) {
        if (fit_view(db, &config->views[i], moment, err) == -1)
            return -1;
    }
    return 0;
}
