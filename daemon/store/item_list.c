#include "store/item_list.h"

#include <string.h>

#include "gatherd/clock.h"
#include "gatherd/units.h"
#include "store/names.h"

#define INSTRUCTIONS 20000 /* of SQLite's machine between two looks at the clock: below 1 ms */

struct reading {
    sqlite3 *db;
    const struct source *source;
    void (*alive)(void *context);
    void *context;
    int64_t deadline_ms; /* monotonic */
    bool timed_out;
    struct items *items;
};

/* --- What stops a statement. --- */

static int look_at_clock(void *context)
{
    struct reading *r = context;

    if (r->alive != NULL)
        r->alive(r->context);
    r->timed_out = clock_monotonic_ms() > r->deadline_ms;
    return r->timed_out;
}

static void fail(const struct reading *r, int rc, struct error *err)
{
    char timeout[UNITS_TEXT_SIZE];

    if (r->timed_out)
        error_set(err, ERROR_FAILED,
                  "for_each: reading the items took longer than %s; make the statement faster, or "
                  "raise for_each.timeout",
                  units_format_duration(r->source->for_each->timeout_ms, timeout));
    else if ((rc & 0xff) == SQLITE_AUTH)
        error_set(err, ERROR_FAILED, "for_each: sql cannot attach other files");
    else
        sqlite_fail(r->db, rc, "for_each", err);
}

/* --- Rows to items. --- */

static bool read_value(sqlite3_stmt *stmt, int column, struct item_value *value)
{
    int type = sqlite3_column_type(stmt, column);

    if (type == SQLITE_NULL || type == SQLITE_BLOB)
        return false;
    *value = (struct item_value){.type = ITEM_VALUE_TEXT};
    if (type == SQLITE_INTEGER) {
        value->type = ITEM_VALUE_INTEGER;
        value->integer = sqlite3_column_int64(stmt, column);
    } else if (type == SQLITE_FLOAT) {
        value->type = ITEM_VALUE_REAL;
        value->real = sqlite3_column_double(stmt, column);
    }
    value->text.data = sqlite_column_string(stmt, column);
    value->text.length = (size_t)sqlite3_column_bytes(stmt, column);
    return true;
}

static int add_row(struct reading *r, sqlite3_stmt *stmt, struct error *err)
{
    struct item_value values[ITEMS_MAX_NAMES];
    struct items *items = r->items;
    size_t max = r->source->for_each->max_items;

    for (size_t i = 0; i < items->name_count; i++) {
        if (!read_value(stmt, (int)i, &values[i])) {
            items->left_out++;
            return 0;
        }
    }
    if (items_add(items, values, err) == -1) {
        error_wrap(err, "for_each");
        return -1;
    }
    if (items->count <= max)
        return 0;
    error_set(err, ERROR_FAILED,
              "for_each: there are more than %zu items; select fewer, or raise for_each.max_items",
              max);
    return -1;
}

static int read_rows(struct reading *r, sqlite3_stmt *stmt, struct error *err)
{
    int rc;

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (add_row(r, stmt, err) == -1)
            return -1;
    }
    if (rc == SQLITE_DONE)
        return 0;
    fail(r, rc, err);
    return -1;
}

static int create(struct reading *r, const char *const *names, size_t count, struct error *err)
{
    r->items = items_create(names, count);
    if (r->items != NULL)
        return 0;
    error_set(err, ERROR_NOMEM, "for_each: out of memory");
    return -1;
}

/* --- sql --- */

/* The names of the statement's columns are those of the items. */
static int create_for(struct reading *r, sqlite3_stmt *stmt, struct error *err)
{
    const char *names[ITEMS_MAX_NAMES];
    int count = sqlite3_column_count(stmt);

    if (count > ITEMS_MAX_NAMES) {
        error_set(err, ERROR_FAILED, "for_each: sql gives %d columns; select at most %d", count,
                  ITEMS_MAX_NAMES);
        return -1;
    }
    for (int i = 0; i < count; i++) {
        names[i] = sqlite3_column_name(stmt, i);
        for (int before = 0; names[i] != NULL && before < i; before++) {
            if (!name_same(names[before], names[i]))
                continue;
            error_set(err, ERROR_FAILED,
                      "for_each: sql gives two columns named \"%.60s\"; tell them apart with AS",
                      names[i]);
            return -1;
        }
        if (names[i] == NULL) {
            error_set(err, ERROR_NOMEM, "for_each: out of memory");
            return -1;
        }
    }
    return create(r, names, (size_t)count, err);
}

/* Whether there is more than white space, comments and semicolons. */
static bool has_statement(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int rc = SQLITE_OK;

    while (rc == SQLITE_OK && stmt == NULL && *sql != '\0')
        rc = sqlite3_prepare_v2(db, sql, -1, &stmt, &sql);
    sqlite3_finalize(stmt);
    return rc != SQLITE_OK || stmt != NULL;
}

static const char *statement_problem(const struct reading *r, sqlite3_stmt *stmt, const char *rest)
{
    if (stmt == NULL)
        return "for_each: sql holds no statement; write a SELECT";
    if (sqlite3_stmt_readonly(stmt) == 0)
        return "for_each: sql changes the database; only a statement that reads can give items";
    if (sqlite3_column_count(stmt) == 0)
        return "for_each: sql gives no columns; write a SELECT";
    if (has_statement(r->db, rest))
        return "for_each: sql holds several statements; write one";
    return NULL;
}

static int run_sql(struct reading *r, const char *sql, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    const char *rest = "";
    const char *problem;
    int rc = sqlite3_prepare_v2(r->db, sql, -1, &stmt, &rest);

    if (rc != SQLITE_OK) {
        fail(r, rc, err);
        return -1;
    }
    problem = statement_problem(r, stmt, rest);
    if (problem != NULL)
        error_set(err, ERROR_FAILED, "%s", problem);
    rc = problem == NULL && create_for(r, stmt, err) == 0 ? read_rows(r, stmt, err) : -1;
    sqlite3_finalize(stmt);
    return rc;
}

/* --- The table of a source. --- */

static bool has_column(sqlite3 *db, const char *table, const char *column)
{
    return sqlite3_table_column_metadata(db, "main", table, column, NULL, NULL, NULL, NULL, NULL) ==
           SQLITE_OK;
}

/* The column that a member of the records has become; its own name where it has become none. */
static int find_column(struct reading *r, const char *table, const char *member, struct text *sql,
                       struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    const char *column = member;
    int rc;

    if (sqlite_prepare(r->db,
                       "SELECT column_name FROM _gatherd_columns WHERE table_name = ? AND member = "
                       "?",
                       &stmt, err) == -1)
        return -1;
    sqlite_bind_string(stmt, 1, table);
    sqlite_bind_string(stmt, 2, member);
    rc = sqlite_step(stmt, "for_each", err);
    if (rc == 1)
        column = sqlite_column_string(stmt, 0);
    if (rc != -1 && has_column(r->db, table, column)) {
        name_quote(sql, column);
        rc = 0;
    } else if (rc != -1) {
        error_set(err, ERROR_FAILED,
                  "for_each: the table %s of source %s has no column %s; name one that it has",
                  table, r->source->for_each->source, member);
        rc = -1;
    }
    sqlite3_finalize(stmt);
    return rc;
}

static int write_select(struct reading *r, const char *table, struct text *sql, struct error *err)
{
    const struct for_each *for_each = r->source->for_each;

    text_add(sql, "SELECT ");
    for (size_t i = 0; i < for_each->field_count; i++) {
        text_add(sql, i == 0 ? "" : ", ");
        if (find_column(r, table, for_each->fields[i], sql, err) == -1)
            return -1;
    }
    text_add(sql, " FROM main.");
    name_quote(sql, table);
    if (!text_failed(sql))
        return 0;
    error_set(err, ERROR_NOMEM, "for_each: out of memory");
    return -1;
}

static int select_rows(struct reading *r, const char *sql, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = -1;

    if (sqlite_prepare(r->db, sql, &stmt, err) == 0)
        rc = read_rows(r, stmt, err);
    sqlite3_finalize(stmt);
    return rc;
}

/* A table that is not there yet has no rows, and the source no items. */
static int read_table(struct reading *r, struct error *err)
{
    const struct for_each *for_each = r->source->for_each;
    const char *table = config_find_source(r->source->config, for_each->source)->mapping.table;
    struct text sql = {0};
    int rc = create(r, for_each->fields, for_each->field_count, err);

    if (rc == 0 && has_column(r->db, table, NULL))
        rc = write_select(r, table, &sql, err) == 0 ? select_rows(r, text_string(&sql), err) : -1;
    text_free(&sql);
    return rc;
}

struct items *item_list_read(sqlite3 *db, const struct source *source, void (*alive)(void *),
                             void *context, struct error *err)
{
    const struct for_each *for_each = source->for_each;
    struct reading r = {
        .db = db,
        .source = source,
        .alive = alive,
        .context = context,
        .deadline_ms = clock_monotonic_ms() + for_each->timeout_ms,
    };
    int rc;

    sqlite_forbid_attach(db);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, (int)ITEMS_MAX_BYTES);
    sqlite3_progress_handler(db, INSTRUCTIONS, look_at_clock, &r);
    rc = for_each->sql != NULL ? run_sql(&r, for_each->sql, err) : read_table(&r, err);
    sqlite3_progress_handler(db, 0, NULL, NULL);
    if (rc == 0)
        return r.items;
    items_unref(r.items);
    return NULL;
}
