/*
 * What a table lacks to take some rows: marked in its columns, not yet done.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/ddl.h"
#include "store/names.h"
#include "store/schema.h"

void plan_free(struct plan *plan)
{
    free(plan->old_key);
    free(plan->new_key);
    *plan = (struct plan){0};
}

int schema_no_memory(struct error *err)
{
    error_set(err, ERROR_NOMEM, "schema: out of memory");
    return -1;
}

static enum column_kind declared_kind(enum field_type type)
{
    switch (type) {
    case FIELD_INTEGER:
    case FIELD_BOOLEAN:
        return COLUMN_INTEGER;
    case FIELD_REAL:
    case FIELD_DURATION:
        return COLUMN_REAL;
    case FIELD_TEXT:
    case FIELD_DECIMAL:
    case FIELD_JSON:
    case FIELD_TIMESTAMP:
        return COLUMN_TEXT;
    case FIELD_BLOB:
        return COLUMN_BLOB;
    case FIELD_UNDECLARED:
        break;
    }
    return COLUMN_ANY;
}

/* The type that takes every value seen as it is. */
static enum column_kind seen_kind(uint32_t seen)
{
    switch (seen & ~(1u << VALUE_NULL)) {
    case 1u << VALUE_INTEGER:
        return COLUMN_INTEGER;
    case 1u << VALUE_REAL:
        return COLUMN_REAL;
    case 1u << VALUE_TEXT:
        return COLUMN_TEXT;
    case 1u << VALUE_BLOB:
        return COLUMN_BLOB;
    default:
        return COLUMN_ANY;
    }
}

static bool has_values(const struct column *column)
{
    return column->type != FIELD_UNDECLARED || (column->seen & ~(1u << VALUE_NULL)) != 0;
}

static enum column_kind wanted_kind(const struct column *column)
{
    return column->type != FIELD_UNDECLARED ? declared_kind(column->type) : seen_kind(column->seen);
}

static bool is_free_name(const struct table *table, const char *name)
{
    return table_find_name(table, name) == NULL && !name_is_own(name);
}

/* The member's name, with the first free suffix where another column has it. */
static void choose_name(const struct table *table, struct slice member, char name[NAME_SIZE])
{
    size_t length = name_from_member(member, name);

    for (unsigned suffix = 2; !is_free_name(table, name); suffix++)
        snprintf(name + length, NAME_SIZE - length, "_%u", suffix);
}

/*
 * A new member: a new column, or in a table that gatherd did not make, the column of that name. In
 * a table of ours a column without a member is the user's own work and is not written over.
 */
static struct table_column *plan_member(struct table *table, struct slice member, struct plan *plan,
                                        struct error *err)
{
    char name[NAME_SIZE];
    struct table_column *column;

    plan->changes = true;
    name_from_member(member, name);
    column = table->exists && !table->known ? table_find_name(table, name) : NULL;
    if (column != NULL && column->member == NULL && !column->generated) {
        column->change = CHANGE_ADOPT;
        if (table_set_member(table, column, member) == -1) {
            schema_no_memory(err);
            return NULL;
        }
        return column;
    }
    choose_name(table, member, name);
    column = table_add_column(table, name, &member);
    if (column == NULL) {
        schema_no_memory(err);
        return NULL;
    }
    column->change = CHANGE_ADD;
    return column;
}

static void plan_type(struct table_column *column, const struct column *came, struct plan *plan)
{
    enum column_kind kind = wanted_kind(came);

    if (column->change == CHANGE_ADD) {
        column->kind = kind;
        column->settled = has_values(came);
    } else if (!column->settled && has_values(came)) {
        column->change = CHANGE_SETTLE;
        column->was = column->kind;
        column->kind = kind;
        column->settled = true;
        plan->changes = true;
    } else if (column->settled && column->kind != COLUMN_ANY &&
               (came->type != FIELD_UNDECLARED ? kind != column->kind
                                               : (came->seen & ~column_accepts(column)) != 0)) {
        column->change = CHANGE_WIDEN;
        column->was = column->kind;
        column->kind = COLUMN_ANY;
        plan->changes = true;
    }
}

static int plan_columns(struct table *table, const struct row_set *set, struct plan *plan,
                        struct error *err)
{
    for (size_t i = 0; i < set->column_count; i++) {
        struct table_column *column = table_find_member(table, set->columns[i].name);

        if (column == NULL)
            column = plan_member(table, set->columns[i].name, plan, err);
        if (column == NULL)
            return -1;
        plan_type(column, &set->columns[i], plan);
    }
    return 0;
}

static char *key_text(const struct table *table)
{
    struct text text = {0};

    ddl_key(table, &text);
    if (text.length == 0)
        text_add(&text, "none");
    return text_take(&text);
}

static size_t key_length(const struct table *table)
{
    size_t count = 0;

    for (size_t i = 0; i < table->count; i++)
        count += table->columns[i].key > 0;
    return count;
}

/* Column `i` of the key that the mapping wants; a version's last one is where it begins. */
static struct table_column *key_column(struct table *table, const struct mapping *mapping, size_t i,
                                       struct plan *plan, struct error *err)
{
    struct table_column *column;

    if (i == mapping->primary_key_count)
        return table_find_name(table, COLUMN_VALID_FROM);
    column = table_find_member(table, slice_of(mapping->primary_key[i]));
    return column != NULL ? column
                          : plan_member(table, slice_of(mapping->primary_key[i]), plan, err);
}

static size_t wanted_key_length(const struct mapping *mapping)
{
    if (mapping->write_mode == WRITE_APPEND)
        return 0;
    return mapping->primary_key_count + (mapping->write_mode == WRITE_VERSIONS);
}

static int plan_key(struct table *table, const struct mapping *mapping, struct plan *plan,
                    struct error *err)
{
    size_t wanted = wanted_key_length(mapping);
    bool same = wanted == key_length(table);

    for (size_t i = 0; i < wanted; i++) {
        struct table_column *column = key_column(table, mapping, i, plan, err);

        if (column == NULL)
            return -1;
        same = same && column->key > 0;
    }
    if (same)
        return 0;
    plan->old_key = key_text(table);
    for (size_t i = 0; i < table->count; i++)
        table->columns[i].key = 0;
    for (size_t i = 0; i < wanted; i++)
        key_column(table, mapping, i, plan, err)->key = (unsigned)i + 1;
    plan->new_key = key_text(table);
    plan->rekey = table->exists;
    plan->changes = true;
    return plan->old_key == NULL || plan->new_key == NULL ? schema_no_memory(err) : 0;
}

/* The columns of gatherd's own, with the mode that needs them. */
static bool needs_own(const struct mapping *mapping, const char *name)
{
    if (strcmp(name, COLUMN_RUN_ID) == 0 || strcmp(name, COLUMN_FETCHED_AT) == 0)
        return true;
    if (strcmp(name, COLUMN_MISSING_SINCE) == 0)
        return mapping->on_missing == MISSING_MARK;
    return mapping->write_mode == WRITE_VERSIONS;
}

static int plan_own_columns(struct table *table, const struct mapping *mapping, struct plan *plan,
                            struct error *err)
{
    static const struct {
        const char *name;
        enum column_kind kind;
    } own[] = {
        {COLUMN_RUN_ID, COLUMN_INTEGER},     {COLUMN_FETCHED_AT, COLUMN_TEXT},
        {COLUMN_MISSING_SINCE, COLUMN_TEXT}, {COLUMN_VALID_FROM, COLUMN_TEXT},
        {COLUMN_VALID_TO, COLUMN_TEXT},      {COLUMN_CHANGED, COLUMN_TEXT},
    };

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        struct table_column *column = table_find_name(table, own[i].name);

        if (column != NULL || !needs_own(mapping, own[i].name))
            continue;
        column = table_add_column(table, own[i].name, NULL);
        if (column == NULL)
            return schema_no_memory(err);
        column->kind = own[i].kind;
        column->settled = true;
        column->change = CHANGE_ADD;
        plan->changes = true;
    }
    return 0;
}

static int check_size(sqlite3 *db, const struct table *table, struct error *err)
{
    size_t columns = (size_t)sqlite3_limit(db, SQLITE_LIMIT_COLUMN, -1);
    size_t variables = (size_t)sqlite3_limit(db, SQLITE_LIMIT_VARIABLE_NUMBER, -1);
    size_t most = columns < variables ? columns : variables;

    if (table->count <= most)
        return 0;
    error_set(
        err, ERROR_FAILED,
        "table \"%s\" would need %zu columns, and SQLite allows %zu; name the members to keep "
        "under \"fields\", or leave some out with \"exclude\"",
        table->name, table->count, most);
    return -1;
}

static int check_name(const struct table *table, struct error *err)
{
    if (strncasecmp(table->name, "sqlite_", 7) != 0 &&
        strncasecmp(table->name, "_gatherd_", 9) != 0)
        return 0;
    error_set(err, ERROR_FAILED,
              "table \"%s\": names that begin with sqlite_ or _gatherd_ are reserved; choose "
              "another table",
              table->name);
    return -1;
}

/* A table that gatherd did not make is taken as it is when it keeps values as they come. */
static int check_foreign(sqlite3 *db, const struct table *table, struct error *err)
{
    static const char sql[] = "SELECT type, wr, strict FROM pragma_table_list"
                              " WHERE schema = 'main' AND name = ? COLLATE NOCASE";
    sqlite3_stmt *stmt = NULL;
    const char *problem = NULL;
    int rc;

    if (sqlite_prepare(db, sql, &stmt, err) == -1)
        return -1;
    sqlite_bind_string(stmt, 1, table->name);
    rc = sqlite_step(stmt, "schema", err);
    if (rc == 1 && strcmp(sqlite_column_string(stmt, 0), "table") != 0)
        problem = "it is no ordinary table";
    else if (rc == 1 && sqlite3_column_int(stmt, 1) != 0)
        problem = "it is WITHOUT ROWID";
    else if (rc == 1 && sqlite3_column_int(stmt, 2) == 0)
        problem = "it is not STRICT";
    if (problem != NULL) {
        error_set(
            err, ERROR_FAILED,
            "\"%s\" was not made by gatherd and cannot be written to: %s; rename it, or choose "
            "another table",
            table->name, problem);
        rc = -1;
    }
    sqlite3_finalize(stmt);
    return rc == -1 ? -1 : 0;
}

int plan_make(sqlite3 *db, struct table *table, const struct mapping *mapping,
              const struct row_set *set, struct plan *plan, struct error *err)
{
    if (check_name(table, err) == -1)
        return -1;
    if (table->exists && !table->known && check_foreign(db, table, err) == -1)
        return -1;
    if (plan_columns(table, set, plan, err) == -1)
        return -1;
    /* The key of a version has a column of our own; in all other tables those come last. */
    if (mapping->write_mode == WRITE_VERSIONS && plan_own_columns(table, mapping, plan, err) == -1)
        return -1;
    if (plan_key(table, mapping, plan, err) == -1 ||
        plan_own_columns(table, mapping, plan, err) == -1)
        return -1;
    return plan->changes ? check_size(db, table, err) : 0;
}
