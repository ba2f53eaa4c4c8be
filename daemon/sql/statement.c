#include "sql/statement.h"

#include "gatherd/text.h"

int statement_prepare(struct sandbox *sandbox, const struct row_table *table,
                      const struct expression *expression, sqlite3_stmt **stmt)
{
    struct text sql = {0};
    int rc = SQLITE_NOMEM;

    /* On lines of its own: it may end in a comment. */
    text_format(&sql, "SELECT (\n%s\n)%s FROM \"%s\"", expression->text,
                expression->is_condition ? " IS TRUE" : "", table->name);
    sandbox->table = table;
    sandbox->denied = DENIED_NOTHING;
    if (!text_failed(&sql))
        rc = sqlite3_prepare_v3(sandbox->db, text_string(&sql), -1, SQLITE_PREPARE_PERSISTENT, stmt,
                                NULL);
    text_free(&sql);
    return rc;
}

/* As a BLOB, a text is not copied for the sake of a NUL behind it. */
static void read_value(sqlite3_stmt *stmt, struct value *value)
{
    *value = (struct value){0};
    switch (sqlite3_column_type(stmt, 0)) {
    case SQLITE_INTEGER:
        value->type = VALUE_INTEGER;
        value->integer = sqlite3_column_int64(stmt, 0);
        break;
    case SQLITE_FLOAT:
        value->type = VALUE_REAL;
        value->real = sqlite3_column_double(stmt, 0);
        break;
    case SQLITE_TEXT:
    case SQLITE_BLOB:
        value->type = sqlite3_column_type(stmt, 0) == SQLITE_TEXT ? VALUE_TEXT : VALUE_BLOB;
        value->text = sqlite3_column_blob(stmt, 0);
        value->length = (uint32_t)sqlite3_column_bytes(stmt, 0);
        break;
    default:
        value->type = VALUE_NULL;
    }
}

static enum computed fail(const struct sandbox *sandbox, int rc, struct error *err)
{
    rc &= 0xff;
    if (rc == SQLITE_NOMEM) {
        error_set(err, ERROR_NOMEM, "sql: out of memory");
        return COMPUTED_NOMEM;
    }
    if (sandbox->over_time) {
        error_set(err, ERROR_FAILED, "%s", sandbox_over_time);
        return COMPUTED_STOPPED;
    }
    error_set(err, ERROR_FAILED, "%s",
              sandbox->over_budget  ? sandbox_over_budget
              : rc == SQLITE_TOOBIG ? sandbox_too_long
                                    : sqlite3_errmsg(sandbox->db));
    return COMPUTED_NOTHING;
}

enum computed statement_evaluate(struct sandbox *sandbox, sqlite3_stmt *stmt, struct value *value,
                                 struct error *err)
{
    enum computed computed;
    int rc = SQLITE_INTERRUPT;

    if (sandbox_begin_row(sandbox)) {
        rc = sqlite3_step(stmt);
        if (rc == SQLITE_ROW && !sandbox->asked_time) {
            read_value(stmt, value);
            return COMPUTED;
        }
    }
    *value = (struct value){0};
    if (rc == SQLITE_ROW) {
        error_set(err, ERROR_FAILED, "%s", sandbox_no_time);
        computed = COMPUTED_NOTHING;
    } else {
        computed = fail(sandbox, rc, err);
    }
    sqlite3_reset(stmt); /* the next row begins anew */
    return computed;
}
