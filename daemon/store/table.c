#include "store/table.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "gatherd/clock.h"

static int bind_value(sqlite3_stmt *stmt, int index, const struct value *value)
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
        rc = bind_value(layout->insert, (int)i + 1, &row->values[i]);
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

static void count_row(const struct layout *layout, struct outcome *outcome)
{
    if (layout->mode == WRITE_APPEND)
        outcome->inserted++;
    else if (sqlite3_changes(layout->db) == 0)
        outcome->unchanged++;
    else if (layout->mode == WRITE_INSERT_ONLY || sqlite3_last_insert_rowid(layout->db) != 0)
        outcome->inserted++;
    else
        outcome->updated++; /* only an INSERT sets the rowid */
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

static int write_row(const struct layout *layout, const struct mapping *mapping,
                     const struct row_set *set, const struct row *row, struct outcome *outcome,
                     const struct rejecter *rejecter, struct error *err)
{
    size_t missing = missing_key(layout, row);
    int rc;

    if (missing < layout->key_count)
        return refuse_keyless(mapping, missing, row, rejecter, err);
    if (layout->mode == WRITE_UPSERT)
        sqlite3_set_last_insert_rowid(layout->db, 0);
    rc = bind_row(layout, set, row);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(layout->insert);
    if (rc == SQLITE_DONE)
        count_row(layout, outcome);
    else if (refuse_row(layout, rc, row, rejecter, err) == -1)
        return -1;
    sqlite3_reset(layout->insert);
    return 0;
}

int layout_write(struct layout *layout, const struct mapping *mapping, const struct row_set *set,
                 int64_t fetched_ms, struct outcome *outcome, const struct rejecter *rejecter,
                 struct error *err)
{
    int own = (int)set->column_count + 1;
    char fetched_at[CLOCK_TEXT_SIZE];
    int rc = 0;

    errno = 0; /* sqlite_fail() looks at it */
    /* These two keep their values from row to row. */
    sqlite3_bind_int64(layout->insert, own, outcome->run_id);
    sqlite_bind_string(layout->insert, own + 1, clock_format(fetched_ms, fetched_at));
    for (size_t i = 0; i < set->row_count && rc == 0; i++)
        rc = write_row(layout, mapping, set, &set->rows[i], outcome, rejecter, err);
    sqlite3_reset(layout->insert);
    sqlite3_clear_bindings(layout->insert); /* what they point to is borrowed */
    return rc;
}
