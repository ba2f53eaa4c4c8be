/*
 * Reading for people: a connection that cannot write, attach or checkpoint.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gatherd/store.h"
#include "store/sqlite.h"

struct store_reader {
    sqlite3 *db;
};

/* What stands in the way more often than anything else, in words of its own. */
static int check_path(const char *path, struct error *err)
{
    struct stat st;
    int missing = stat(path, &st);

    if (missing == 0 && !S_ISREG(st.st_mode))
        error_set(err, ERROR_UNAVAILABLE, "%s is %s, not a database file", path,
                  S_ISDIR(st.st_mode) ? "a folder" : "no ordinary file");
    else if (missing == -1 && (errno == ENOENT || errno == ENOTDIR))
        error_set(err, ERROR_UNAVAILABLE,
                  "%s is not there; `gatherd run` makes it when it starts for the first time",
                  path);
    else
        return 0; /* what else is wrong shows when it is opened */
    return -1;
}

struct store_reader *store_reader_open(const char *path, struct error *err)
{
    struct store_reader *reader = calloc(1, sizeof(*reader));

    if (reader == NULL) {
        error_set(err, ERROR_NOMEM, "%s: out of memory", path);
        return NULL;
    }
    if (check_path(path, err) == -1 || sqlite_open_reader(path, &reader->db, err) == -1) {
        free(reader);
        return NULL;
    }
    sqlite_forbid_attach(reader->db);
    return reader;
}

void store_reader_close(struct store_reader *reader)
{
    if (reader == NULL)
        return;
    sqlite3_close(reader->db);
    free(reader);
}

static void fail(struct store_reader *reader, int rc, struct error *err)
{
    if ((rc & 0xff) == SQLITE_AUTH)
        error_set(err, ERROR_FAILED,
                  "query: other files cannot be attached here; open the database with sqlite3 for "
                  "that");
    else
        sqlite_fail(reader->db, rc, "query", err);
}

static void read_value(sqlite3_stmt *stmt, int index, struct value *value)
{
    *value = (struct value){0};
    switch (sqlite3_column_type(stmt, index)) {
    case SQLITE_INTEGER:
        value->type = VALUE_INTEGER;
        value->integer = sqlite3_column_int64(stmt, index);
        break;
    case SQLITE_FLOAT:
        value->type = VALUE_REAL;
        value->real = sqlite3_column_double(stmt, index);
        break;
    case SQLITE_TEXT:
        value->type = VALUE_TEXT;
        value->text = (const char *)sqlite3_column_text(stmt, index);
        value->length = (uint32_t)sqlite3_column_bytes(stmt, index);
        break;
    case SQLITE_BLOB:
        value->type = VALUE_BLOB;
        value->text = sqlite3_column_blob(stmt, index);
        value->length = (uint32_t)sqlite3_column_bytes(stmt, index);
        break;
    default:
        value->type = VALUE_NULL;
        break;
    }
}

struct output {
    const char **names;   /* owned */
    struct value *values; /* owned */
    size_t count;
};

static int output_open(struct output *output, sqlite3_stmt *stmt)
{
    output->count = (size_t)sqlite3_column_count(stmt);
    output->names = calloc(output->count + 1, sizeof(output->names[0]));
    output->values = calloc(output->count + 1, sizeof(output->values[0]));
    if (output->names == NULL || output->values == NULL)
        return -1;
    for (size_t i = 0; i < output->count; i++) {
        output->names[i] = sqlite3_column_name(stmt, (int)i);
        if (output->names[i] == NULL)
            return -1;
    }
    return 0;
}

static void output_close(struct output *output)
{
    free(output->names);
    free(output->values);
}

/* Hands out the rows. 1: a hook asked to end, 0: all done, -1: failed. */
static int run_statement(struct store_reader *reader, sqlite3_stmt *stmt,
                         const struct store_query_hooks *hooks, struct error *err)
{
    struct output out = {0};
    int ended = 0;
    int rc = SQLITE_DONE;

    if (output_open(&out, stmt) == -1) {
        error_set(err, ERROR_NOMEM, "query: out of memory");
        output_close(&out);
        return -1;
    }
    if (out.count > 0)
        ended = hooks->columns(hooks->context, out.names, out.count);
    while (ended == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        for (size_t i = 0; i < out.count; i++)
            read_value(stmt, (int)i, &out.values[i]);
        ended = hooks->row(hooks->context, out.values, out.count);
    }
    output_close(&out);
    if (rc == SQLITE_DONE || ended != 0)
        return ended != 0;
    fail(reader, rc, err);
    return -1;
}

static int query_one(struct store_reader *reader, const char **sql,
                     const struct store_query_hooks *hooks, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v3(reader->db, *sql, -1, 0, &stmt, sql);

    if (rc != SQLITE_OK) {
        fail(reader, rc, err);
        return -1;
    }
    if (stmt == NULL)
        return 0; /* white space or a comment */
    if (sqlite3_stmt_readonly(stmt) == 0) {
        error_set(err, ERROR_FAILED,
                  "query: only statements that read are possible here; open the database with "
                  "sqlite3 to change it");
        rc = -1;
    } else {
        rc = run_statement(reader, stmt, hooks, err);
    }
    sqlite3_finalize(stmt);
    return rc;
}

int store_query(struct store_reader *reader, const char *sql, const struct store_query_hooks *hooks,
                struct error *err)
{
    int rc = 0;

    while (rc == 0 && *sql != '\0')
        rc = query_one(reader, &sql, hooks, err);
    /* A BEGIN left open would keep the log from shrinking. */
    if (sqlite3_get_autocommit(reader->db) == 0)
        sqlite3_exec(reader->db, "ROLLBACK", NULL, NULL, NULL);
    return rc == -1 ? -1 : 0;
}
