#include "store/scope.h"

#include <string.h>

#include "gatherd/convert.h"
#include "store/names.h"

#define ITEM_PREFIX "_item_" /* of the columns' members */

static const struct table_column *item_column(const struct table *table, const char *name)
{
    const size_t prefix = strlen(ITEM_PREFIX);
    size_t length = strlen(name);

    for (size_t i = 0; i < table->count; i++) {
        const struct table_column *column = &table->columns[i];

        if (column->member != NULL && column->member_length == prefix + length &&
            memcmp(column->member, ITEM_PREFIX, prefix) == 0 &&
            memcmp(column->member + prefix, name, length) == 0)
            return column;
    }
    return NULL;
}

bool scope_find(struct scope *scope, const struct table *table, const struct run *run)
{
    *scope = (struct scope){.table = table, .item = run->item};
    if (!table->exists)
        return false;
    for (size_t i = 0; run->item != NULL && i < run->items->name_count; i++) {
        scope->columns[i] = item_column(table, run->items->names[i]);
        if (scope->columns[i] == NULL)
            return false;
        scope->count++;
    }
    return true;
}

void scope_put(struct text *sql, const struct scope *scope, unsigned first)
{
    for (unsigned i = 0; i < scope->count; i++) {
        text_add(sql, " AND ");
        name_quote(sql, scope->table->name);
        text_char(sql, '.');
        name_quote(sql, scope->columns[i]->name);
        text_format(sql, " IS ?%u", first + i);
    }
}

/* As the column has it: in a key, text that is an integer is that integer. */
static void bind_text(sqlite3_stmt *stmt, int index, const struct table_column *column,
                      struct slice text)
{
    struct value value = {.type = VALUE_TEXT, .text = text.data, .length = (uint32_t)text.length};

    if (column->key != 0)
        value_as_key(&value);
    if (value.type == VALUE_INTEGER)
        sqlite3_bind_int64(stmt, index, value.integer);
    else
        sqlite_bind_bytes(stmt, index, text.data, text.length);
}

void scope_bind(sqlite3_stmt *stmt, const struct scope *scope, unsigned first)
{
    for (unsigned i = 0; i < scope->count; i++) {
        const struct item_value *value = &scope->item->values[i];
        int index = (int)(first + i);

        if (value->type == ITEM_VALUE_INTEGER)
            sqlite3_bind_int64(stmt, index, value->integer);
        else if (value->type == ITEM_VALUE_REAL)
            sqlite3_bind_double(stmt, index, value->real);
        else
            bind_text(stmt, index, scope->columns[i], value->text);
    }
}

int scope_count(sqlite3 *db, const struct scope *scope, const char *where, int64_t *count,
                struct error *err)
{
    struct text sql = {0};
    sqlite3_stmt *stmt = NULL;
    int rc = -1;

    text_add(&sql, "SELECT count(*) FROM main.");
    name_quote(&sql, scope->table->name);
    if (scope->count > 0 || *where != '\0') /* else SQLite counts without looking at rows */
        text_add(&sql, " WHERE 1");
    scope_put(&sql, scope, 1);
    text_add(&sql, where);
    if (text_failed(&sql)) {
        schema_no_memory(err);
    } else if (sqlite_prepare(db, text_string(&sql), &stmt, err) == 0) {
        scope_bind(stmt, scope, 1);
        rc = sqlite_step(stmt, scope->table->name, err);
        if (rc == 1)
            *count = sqlite3_column_int64(stmt, 0);
    }
    sqlite3_finalize(stmt);
    text_free(&sql);
    return rc == 1 ? 0 : -1;
}

int scope_run(sqlite3 *db, const struct scope *scope, const struct text *sql, int64_t number,
              const char *string, int64_t *changes, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (text_failed(sql))
        return schema_no_memory(err);
    if (sqlite_prepare(db, text_string(sql), &stmt, err) == -1)
        return -1;
    sqlite3_bind_int64(stmt, 1, number);
    sqlite_bind_string(stmt, 2, string);
    scope_bind(stmt, scope, 3);
    rc = sqlite_run(stmt, "", err);
    if (rc == -1)
        error_wrap(err, "table \"%s\"", scope->table->name);
    *changes = sqlite3_changes64(db);
    sqlite3_finalize(stmt);
    return rc;
}
