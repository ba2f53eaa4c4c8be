#include "store/table.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/history.h"
#include "store/repeats.h"

int table_bind_value(sqlite3_stmt *stmt, int index, const struct value *value)
{
    switch (value->type) {
    case VALUE_INTEGER:
        return sqlite3_bind_int64(stmt, index, value->integer);
    case VALUE_REAL:
        return sqlite3_bind_double(stmt, index, value->real);
    case VALUE_TEXT:
        /* A NULL pointer would bind NULL. */
        return sqlite3_bind_text64(stmt, index, value->text == NULL ? "" : value->text,
                                   value->length, SQLITE_STATIC, SQLITE_UTF8);
    case VALUE_BLOB:
        return sqlite3_bind_blob64(stmt, index, value->text == NULL ? "" : value->text,
                                   value->length, SQLITE_STATIC);
    default:
        return sqlite3_bind_null(stmt, index);
    }
}

int table_bind_row(sqlite3_stmt *stmt, const struct row_set *set, const struct row *row)
{
    int rc = SQLITE_OK;
    size_t i;

    assert(row->count <= set->column_count);
    for (i = 0; i < row->count && rc == SQLITE_OK; i++)
        rc = table_bind_value(stmt, (int)i + 1, &row->values[i]);
    for (; i < set->column_count && rc == SQLITE_OK; i++)
        rc = sqlite3_bind_null(stmt, (int)i + 1);
    return rc;
}

int table_bind_key(const struct layout *layout, sqlite3_stmt *stmt, const struct row *row)
{
    int rc = SQLITE_OK;

    for (size_t k = 0; k < layout->key_count && rc == SQLITE_OK; k++)
        rc = table_bind_value(stmt, (int)layout->key[k] + 1, &row->values[layout->key[k]]);
    return rc;
}

/* The number of the key column that the row lacks, or key_count. */
static size_t missing_key(const struct layout *layout, const struct row *row)
{
    size_t k = 0;

    while (k < layout->key_count && layout->key[k] < row->count &&
           row->values[layout->key[k]].type != VALUE_NULL)
        k++;
    return k;
}

static enum row_fate fate_of_written(const struct layout *layout)
{
    if (!layout->updates && layout->mode != WRITE_INSERT_ONLY)
        return ROW_INSERTED;
    if (sqlite3_changes(layout->db) == 0)
        return ROW_UNCHANGED;
    if (layout->mode == WRITE_INSERT_ONLY || sqlite3_last_insert_rowid(layout->db) != 0)
        return ROW_INSERTED;
    return ROW_UPDATED; /* only an INSERT sets the rowid */
}

static void count_row(struct writing *w, enum row_fate fate)
{
    w->outcome->inserted += fate == ROW_INSERTED;
    w->outcome->updated += fate == ROW_UPDATED;
    w->outcome->unchanged += fate == ROW_UNCHANGED || fate == ROW_REPEATED;
    w->present += fate != ROW_LEFT && fate != ROW_REPEATED;
}

/* The database said no: to this row, or to everything? */
static int refuse_row(const struct layout *layout, int failure, const struct row *row,
                      const struct rejecter *rejecter, struct error *err)
{
    struct error cause = {0};

    sqlite_fail(layout->db, failure, "", &cause);
    if (cause.code == ERROR_FAILED && sqlite3_get_autocommit(layout->db) == 0)
        return rejecter->reject(rejecter->context, row, cause.text, err);
    *err = cause;
    return -1;
}

static int refuse_keyless(const struct mapping *mapping, size_t missing, const struct row *row,
                          const struct rejecter *rejecter, struct error *err)
{
    char reason[512];

    snprintf(reason, sizeof(reason), "primary key \"%s\" is missing",
             mapping->primary_key[missing]);
    return rejecter->reject(rejecter->context, row, reason, err);
}

int table_fail(const struct writing *w, int failure, const char *table, struct error *err)
{
    sqlite3 *db = w->layout->db;
    struct error cause = {0};

    sqlite_fail(db, failure, "", &cause);
    error_wrap(&cause, "table \"%s\"", table);
    *err = cause;
    if (cause.code == ERROR_FAILED && sqlite3_get_autocommit(db) == 0)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return -1;
}

int table_insert_row(struct writing *w, const struct row *row, enum row_fate *fate,
                     struct error *err)
{
    const struct layout *layout = w->layout;
    int rc;

    *fate = ROW_LEFT;
    if (layout->updates)
        sqlite3_set_last_insert_rowid(layout->db, 0);
    rc = table_bind_row(layout->insert, w->set, row);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(layout->insert);
    if (rc == SQLITE_DONE)
        *fate = fate_of_written(layout);
    else if (refuse_row(layout, rc, row, w->rejecter, err) == -1)
        return -1;
    sqlite3_reset(layout->insert);
    return 0;
}

/* One that was refused is not in the table, or is there as it was before: the table knows. */
static int note_seen(const struct writing *w, const struct row *row, struct error *err)
{
    sqlite3_stmt *stmt = w->layout->seen;
    int rc = table_bind_key(w->layout, stmt, row);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc != SQLITE_DONE)
        return table_fail(w, rc, w->mapping->table, err);
    sqlite3_reset(stmt);
    return 0;
}

/* The record is there all the same. */
static int refuse(const struct writing *w, const struct row *row, bool has_key, struct error *err)
{
    if (w->rejecter->reject(w->rejecter->context, row, row->refused, err) == -1)
        return -1;
    return w->notes_seen && has_key ? note_seen(w, row, err) : 0;
}

static int write_row(struct writing *w, size_t i, enum row_fate *fate, struct error *err)
{
    const struct layout *layout = w->layout;
    const struct row *row = &w->set->rows[i];
    size_t missing = missing_key(layout, row);
    int rc;

    *fate = ROW_LEFT;
    if (row->refused != NULL)
        return refuse(w, row, missing == layout->key_count, err);
    if (missing < layout->key_count)
        return refuse_keyless(w->mapping, missing, row, w->rejecter, err);
    if (w->repeated != NULL && w->repeated[i]) {
        *fate = ROW_REPEATED;
        return 0;
    }
    rc = layout->mode == WRITE_HISTORY ? history_write_row(w, row, fate, err)
                                       : table_insert_row(w, row, fate, err);
    return rc == 0 && w->notes_seen ? note_seen(w, row, err) : rc;
}

int table_begin(struct writing *w, int64_t fetched_ms, struct error *err)
{
    struct layout *layout = w->layout;
    int own = (int)w->set->column_count + 1;

    errno = 0; /* sqlite_fail() looks at it */
    /* These keep their values from row to row. */
    clock_format(fetched_ms, w->fetched_at);
    sqlite3_bind_int64(layout->insert, own, w->outcome->run_id);
    sqlite_bind_string(layout->insert, own + 1, w->fetched_at);
    if (layout->seen != NULL)
        sqlite3_bind_int64(layout->seen, own, w->outcome->run_id);
    return layout->updates ? repeats_find(layout, w->set, &w->repeated, err) : 0;
}

int table_write(struct writing *w, size_t first, size_t end, struct error *err)
{
    int rc = 0;

    for (size_t i = first; i < end && rc == 0; i++) {
        enum row_fate fate;

        rc = write_row(w, i, &fate, err);
        count_row(w, fate);
        if (w->fates != NULL)
            w->fates[i] = (uint8_t)fate;
    }
    return rc;
}

int table_note_seen(struct writing *w, struct error *err)
{
    int rc = 0;

    for (size_t i = 0; i < w->set->row_count && rc == 0; i++) {
        const struct row *row = &w->set->rows[i];

        if (missing_key(w->layout, row) == w->layout->key_count)
            rc = note_seen(w, row, err);
    }
    return rc;
}

/* What is bound is borrowed. */
static void unbind(const struct layout *layout)
{
    sqlite3_stmt *const statements[] = {layout->insert, layout->find, layout->compare, layout->end,
                                        layout->seen};

    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        if (statements[i] == NULL)
            continue;
        sqlite3_reset(statements[i]);
        sqlite3_clear_bindings(statements[i]);
    }
}

void table_end(struct writing *w)
{
    unbind(w->layout);
    if (w->versions != NULL)
        unbind(w->versions);
    free(w->repeated);
    w->repeated = NULL;
    text_free(&w->changed);
}
