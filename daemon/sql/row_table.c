#include "sql/row_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/computer.h"

void row_table_name(struct row_table *table, const char *text, unsigned serial)
{
    unsigned number = 0;

    do {
        snprintf(table->name, sizeof(table->name), "gatherd_%u", number++);
    } while (strcasestr(text, table->name) != NULL);
    snprintf(table->name + strlen(table->name), sizeof(table->name) - strlen(table->name), "_%u",
             serial);
}

/* --- What SQLite calls. --- */

struct row_vtab {
    sqlite3_vtab base; /* first: SQLite's own */
    const struct row_table *table;
};

struct row_cursor {
    sqlite3_vtab_cursor base;
    const struct row_table *table;
};

static int row_connect(sqlite3 *db, void *context, int count, const char *const *arguments,
                       sqlite3_vtab **out, char **words)
{
    struct row_table *table = context;
    struct row_vtab *vtab;
    int rc;

    (void)count;
    (void)arguments;
    (void)words;
    table->declaring = true;
    rc = sqlite3_declare_vtab(db, table->declaration);
    table->declaring = false;
    if (rc != SQLITE_OK)
        return rc;
    vtab = sqlite3_malloc64(sizeof(*vtab));
    if (vtab == NULL)
        return SQLITE_NOMEM;
    *vtab = (struct row_vtab){.table = table};
    *out = &vtab->base;
    return SQLITE_OK;
}

static int row_disconnect(sqlite3_vtab *vtab)
{
    sqlite3_free(vtab);
    return SQLITE_OK;
}

static int row_best_index(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
    (void)vtab;
    info->estimatedCost = 1;
    info->estimatedRows = 1;
    return SQLITE_OK;
}

static int row_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out)
{
    struct row_cursor *cursor = sqlite3_malloc64(sizeof(*cursor));

    if (cursor == NULL)
        return SQLITE_NOMEM;
    *cursor = (struct row_cursor){.table = ((struct row_vtab *)(void *)vtab)->table};
    *out = &cursor->base;
    return SQLITE_OK;
}

static int row_close(sqlite3_vtab_cursor *cursor)
{
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static int row_filter(sqlite3_vtab_cursor *cursor, int number, const char *text, int count,
                      sqlite3_value **values)
{
    (void)cursor;
    (void)number;
    (void)text;
    (void)count;
    (void)values;
    return SQLITE_OK;
}

static int row_next(sqlite3_vtab_cursor *cursor)
{
    (void)cursor;
    return SQLITE_OK;
}

static int row_eof(sqlite3_vtab_cursor *cursor)
{
    (void)cursor;
    return 0;
}

static int row_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int column)
{
    const struct row_table *table = ((struct row_cursor *)(void *)cursor)->table;
    const struct value *value;
    uint32_t place;

    place = (size_t)column < table->column_count ? table->places[column] : NO_CELL;
    if (place >= table->count)
        return SQLITE_OK; /* NULL */
    value = &table->cells[place];
    switch ((enum value_type)value->type) {
    case VALUE_INTEGER:
        sqlite3_result_int64(context, value->integer);
        break;
    case VALUE_REAL:
        sqlite3_result_double(context, value->real);
        break;
    case VALUE_TEXT:
        sqlite3_result_text64(context, value->length == 0 ? "" : value->text, value->length,
                              SQLITE_STATIC, SQLITE_UTF8);
        break;
    case VALUE_BLOB:
        sqlite3_result_blob64(context, value->length == 0 ? "" : value->text, value->length,
                              SQLITE_STATIC);
        break;
    case VALUE_NULL:
        break;
    }
    return SQLITE_OK;
}

/* WITHOUT ROWID, it needs no xRowid; without xCreate, it is there without a CREATE. */
static const sqlite3_module row_module = {
    .xConnect = row_connect,
    .xBestIndex = row_best_index,
    .xDisconnect = row_disconnect,
    .xOpen = row_open,
    .xClose = row_close,
    .xFilter = row_filter,
    .xNext = row_next,
    .xEof = row_eof,
    .xColumn = row_column,
};

/* --- Making it known. --- */

static const char *type_name(enum column_affinity affinity)
{
    switch (affinity) {
    case AFFINITY_INTEGER:
        return "INTEGER";
    case AFFINITY_REAL:
        return "REAL";
    case AFFINITY_TEXT:
        return "TEXT";
    case AFFINITY_NONE:
        break;
    }
    return "BLOB"; /* in a table that is not STRICT, ANY would turn text into numbers */
}

static void put_name(struct text *sql, const char *name)
{
    text_char(sql, '"');
    for (; *name != '\0'; name++) {
        if (*name == '"')
            text_char(sql, '"');
        text_char(sql, *name);
    }
    text_char(sql, '"');
}

/* A table without a rowid has a primary key: a column more, hidden, under the table's own name. */
static char *write_declaration(const struct row_table *table,
                               const struct expression_column *columns, size_t count)
{
    struct text sql = {0};

    text_add(&sql, "CREATE TABLE x(");
    for (size_t i = 0; i < count; i++) {
        put_name(&sql, columns[i].name);
        text_format(&sql, " %s, ", type_name(columns[i].affinity));
    }
    put_name(&sql, table->name);
    text_add(&sql, " HIDDEN PRIMARY KEY) WITHOUT ROWID");
    return text_take(&sql);
}

int row_table_declare(struct row_table *table, sqlite3 *db, const struct expression_column *columns,
                      size_t count)
{
    char *declaration = write_declaration(table, columns, count);

    if (declaration == NULL)
        return SQLITE_NOMEM;
    free(table->declaration);
    table->declaration = declaration;
    table->column_count = count;
    return sqlite3_create_module_v2(db, table->name, &row_module, table, NULL);
}

void row_table_remove(struct row_table *table, sqlite3 *db)
{
    if (db != NULL && table->declaration != NULL)
        sqlite3_create_module_v2(db, table->name, NULL, NULL, NULL);
    free(table->declaration);
    table->declaration = NULL;
}
