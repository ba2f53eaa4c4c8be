#include "store/table.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

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

static int bind_row(const struct layout *layout, const struct row_set *set, const struct row *row)
{
    int rc = SQLITE_OK;
    size_t i;

    assert(row->count <= set->column_count);
    for (i = 0; i < row->count && rc == SQLITE_OK; i++)
        rc = table_bind_value(layout->insert, (int)i + 1, &row->values[i]);
    for (; i < set->column_count && rc == SQLITE_OK; i++)
        rc = sqlite3_bind_null(layout->insert, (int)i + 1);
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
    if (layout->mode == WRITE_APPEND)
        return ROW_INSERTED;
    if (sqlite3_changes(layout->db) == 0)
        return ROW_UNCHANGED;
    if (layout->mode == WRITE_INSERT_ONLY || sqlite3_last_insert_rowid(layout->db) != 0)
        return ROW_INSERTED;
    return ROW_UPDATED; /* only an INSERT sets the rowid */
}

static void count_row(struct outcome *outcome, enum row_fate fate)
{
    outcome->inserted += fate == ROW_INSERTED;
    outcome->updated += fate == ROW_UPDATED;
    outcome->unchanged += fate == ROW_UNCHANGED;
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

static int write_row(const struct writing *w, const struct row *row, enum row_fate *fate,
                     struct error *err)
{
    const struct layout *layout = w->layout;
    size_t missing = missing_key(layout, row);
    int rc;

    *fate = ROW_LEFT;
    if (row->refused != NULL)
        return w->rejecter->reject(w->rejecter->context, row, row->refused, err);
    if (missing < layout->key_count)
        return refuse_keyless(w->mapping, missing, row, w->rejecter, err);
    if (layout->mode == WRITE_UPSERT)
        sqlite3_set_last_insert_rowid(layout->db, 0);
    rc = bind_row(layout, w->set, row);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(layout->insert);
    if (rc == SQLITE_DONE)
        *fate = fate_of_written(layout);
    else if (refuse_row(layout, rc, row, w->rejecter, err) == -1)
        return -1;
    sqlite3_reset(layout->insert);
    return 0;
}

void table_begin(struct writing *writing, int64_t fetched_ms)
{
    struct layout *layout = writing->layout;
    int own = (int)writing->set->column_count + 1;

    errno = 0; /* sqlite_fail() looks at it */
    /* These two keep their values from row to row. */
    sqlite3_bind_int64(layout->insert, own, writing->outcome->run_id);
    sqlite_bind_string(layout->insert, own + 1, clock_format(fetched_ms, writing->fetched_at));
}

int table_write(struct writing *writing, size_t first, size_t end, struct error *err)
{
    int rc = 0;

    for (size_t i = first; i < end && rc == 0; i++) {
        enum row_fate fate;

        rc = write_row(writing, &writing->set->rows[i], &fate, err);
        count_row(writing->outcome, fate);
        if (writing->fates != NULL)
            writing->fates[i] = (uint8_t)fate;
    }
    return rc;
}

void table_end(struct writing *writing)
{
    sqlite3_reset(writing->layout->insert);
    sqlite3_clear_bindings(writing->layout->insert); /* what they point to is borrowed */
}
