#include "store/table.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/clock.h"
#include "store/names.h"

#define LAYOUTS_MAX 4 /* shapes remembered for a table; one more costs preparing it again */

/* `a OR b OR ...` nests in SQLite's parser, to 1,000 levels at most: long chains get brackets. */
#define TERMS_MAX 500u

struct layout {
    struct layout *next;
    char *signature; /* owned */
    size_t signature_length;
    sqlite3 *db;
    sqlite3_stmt *insert;
    enum write_mode mode;
    uint32_t *accepts; /* owned: for each column of the set, the types its column takes */
    size_t *key;       /* owned: for each key column its place in the set, NOT_IN_SET: none */
    size_t key_count;
};

#define NOT_IN_SET SIZE_MAX

/* --- Signatures --- */

static void sign_string(struct text *signature, uint32_t type, const char *data, size_t length)
{
    uint32_t head[2] = {type, (uint32_t)length};

    text_append(signature, (const char *)head, sizeof(head));
    text_append(signature, data, length);
}

static void sign_names(struct text *signature, const char *const *names, size_t count)
{
    uint32_t n = (uint32_t)count;

    text_append(signature, (const char *)&n, sizeof(n));
    for (size_t i = 0; i < count; i++)
        sign_string(signature, 0, names[i], strlen(names[i]));
}

int layout_sign(struct text *signature, const struct mapping *mapping, const struct row_set *set,
                struct error *err)
{
    uint32_t head[2] = {mapping->write_mode, mapping->field_count > 0};

    text_clear(signature);
    text_append(signature, (const char *)head, sizeof(head));
    sign_names(signature, mapping->primary_key, mapping->primary_key_count);
    sign_names(signature, mapping->exclude, mapping->exclude_count);
    for (size_t i = 0; i < set->column_count; i++) {
        const struct column *column = &set->columns[i];

        sign_string(signature, column->type, column->name.data, column->name.length);
    }
    if (!text_failed(signature))
        return 0;
    error_set(err, ERROR_NOMEM, "rows: out of memory");
    return -1;
}

struct layout *layout_find(struct table *table, const struct text *signature)
{
    for (struct layout **link = &table->layouts; *link != NULL; link = &(*link)->next) {
        struct layout *layout = *link;

        if (layout->signature_length != signature->length ||
            memcmp(layout->signature, signature->data, signature->length) != 0)
            continue;
        *link = layout->next;
        layout->next = table->layouts;
        table->layouts = layout;
        return layout;
    }
    return NULL;
}

bool layout_fits(const struct layout *layout, const struct row_set *set)
{
    for (size_t i = 0; i < set->column_count; i++) {
        if ((set->columns[i].seen & ~layout->accepts[i]) != 0)
            return false;
    }
    return true;
}

/* --- The statement --- */

/* What the statement is made of; each column of the table stands in one role at most. */
struct roles {
    const struct table *table;
    const struct table_column **given; /* owned: the set's columns, in its order */
    size_t given_count;
    const struct table_column **absent; /* owned: members that no record of the set has */
    size_t absent_count;
};

static bool is_excluded(const struct mapping *mapping, const struct table_column *column)
{
    struct slice member = {column->member, column->member_length};

    for (size_t i = 0; i < mapping->exclude_count; i++) {
        if (slice_equals(member, mapping->exclude[i]))
            return true;
    }
    return false;
}

/*
 * A missing member is NULL. In one record among others it is, because the others bring the column;
 * the same must hold when no record of the response has it, or an upsert would keep the old value
 * or not by chance. With `fields` every column is always there, and a field taken out of the
 * configuration keeps its values.
 */
static void find_absent(struct roles *roles, const struct mapping *mapping, const bool *is_given)
{
    if (mapping->write_mode != WRITE_UPSERT || mapping->field_count > 0)
        return;
    for (size_t i = 0; i < roles->table->count; i++) {
        const struct table_column *column = &roles->table->columns[i];

        if (column->member != NULL && column->key == 0 && !is_given[i] && !column->generated &&
            !is_excluded(mapping, column))
            roles->absent[roles->absent_count++] = column;
    }
}

static void roles_free(struct roles *roles)
{
    free(roles->given);
    free(roles->absent);
}

static int find_roles(struct roles *roles, const struct table *table, const struct mapping *mapping,
                      const struct row_set *set)
{
    bool *is_given = calloc(table->count + 1, sizeof(*is_given));

    *roles = (struct roles){.table = table};
    roles->given = calloc(set->column_count + 1, sizeof(const struct table_column *));
    roles->absent = calloc(table->count + 1, sizeof(const struct table_column *));
    if (is_given == NULL || roles->given == NULL || roles->absent == NULL) {
        free(is_given);
        return -1;
    }
    for (size_t i = 0; i < set->column_count; i++) {
        const struct table_column *column = table_find_member(table, set->columns[i].name);

        assert(column != NULL); /* plan_make() saw to it */
        roles->given[roles->given_count++] = column;
        is_given[column - table->columns] = true;
    }
    find_absent(roles, mapping, is_given);
    free(is_given);
    return 0;
}

static void put_list(struct text *sql, const struct table_column *const *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        name_quote(sql, columns[i]->name);
        text_add(sql, ", ");
    }
}

static void put_insert(struct text *sql, const struct roles *roles)
{
    text_add(sql, "INSERT INTO main.");
    name_quote(sql, roles->table->name);
    text_add(sql, " (");
    put_list(sql, roles->given, roles->given_count);
    text_add(sql, COLUMN_RUN_ID ", " COLUMN_FETCHED_AT ") VALUES (");
    for (size_t i = 0; i < roles->given_count; i++)
        text_add(sql, "?, ");
    text_add(sql, "?, ?)");
}

static void put_term(struct text *sql, size_t *terms, const char *name, bool given)
{
    if (*terms > 0)
        text_add(sql, *terms % TERMS_MAX == 0 ? ") OR (" : " OR ");
    name_quote(sql, name);
    text_add(sql, given ? " IS NOT excluded." : " IS NOT NULL");
    if (given)
        name_quote(sql, name);
    ++*terms;
}

/* An unchanged row is not touched: neither the table nor the log on disk grows. */
static void put_update(struct text *sql, const struct roles *roles)
{
    size_t terms = 0;

    text_add(sql, "DO UPDATE SET ");
    for (size_t i = 0; i < roles->given_count; i++) {
        if (roles->given[i]->key > 0)
            continue;
        name_quote(sql, roles->given[i]->name);
        text_add(sql, " = excluded.");
        name_quote(sql, roles->given[i]->name);
        text_add(sql, ", ");
    }
    for (size_t i = 0; i < roles->absent_count; i++) {
        name_quote(sql, roles->absent[i]->name);
        text_add(sql, " = NULL, ");
    }
    text_add(sql, COLUMN_RUN_ID " = excluded." COLUMN_RUN_ID ", " COLUMN_FETCHED_AT
                                " = excluded." COLUMN_FETCHED_AT " WHERE (");
    for (size_t i = 0; i < roles->given_count; i++) {
        if (roles->given[i]->key == 0)
            put_term(sql, &terms, roles->given[i]->name, true);
    }
    for (size_t i = 0; i < roles->absent_count; i++)
        put_term(sql, &terms, roles->absent[i]->name, false);
    text_char(sql, ')');
}

static bool has_updates(const struct roles *roles)
{
    for (size_t i = 0; i < roles->given_count; i++) {
        if (roles->given[i]->key == 0)
            return true;
    }
    return roles->absent_count > 0;
}

static void put_conflict(struct text *sql, const struct roles *roles, enum write_mode mode)
{
    const char *separator = " ON CONFLICT (";

    if (mode == WRITE_APPEND)
        return;
    for (size_t i = 0; i < roles->table->count; i++) {
        if (roles->table->columns[i].key == 0)
            continue;
        text_add(sql, separator);
        name_quote(sql, roles->table->columns[i].name);
        separator = ", ";
    }
    text_add(sql, ") ");
    if (mode == WRITE_UPSERT && has_updates(roles))
        put_update(sql, roles);
    else
        text_add(sql, "DO NOTHING");
}

static int prepare_insert(struct layout *layout, const struct roles *roles, struct error *err)
{
    struct text sql = {0};
    int rc = -1;

    put_insert(&sql, roles);
    put_conflict(&sql, roles, layout->mode);
    if (text_failed(&sql)) {
        error_set(err, ERROR_NOMEM, "rows: out of memory");
    } else {
        rc = sqlite_prepare(layout->db, text_string(&sql), &layout->insert, err);
        error_wrap(rc == -1 ? err : NULL, "table \"%s\"", roles->table->name);
    }
    text_free(&sql);
    return rc;
}

/* --- Layouts --- */

static void layout_free(struct layout *layout)
{
    if (layout == NULL)
        return;
    sqlite3_finalize(layout->insert);
    free(layout->signature);
    free(layout->accepts);
    free(layout->key);
    free(layout);
}

void layouts_free(struct layout *first)
{
    while (first != NULL) {
        struct layout *next = first->next;

        layout_free(first);
        first = next;
    }
}

static void find_key(struct layout *layout, const struct mapping *mapping,
                     const struct row_set *set)
{
    for (size_t k = 0; k < layout->key_count; k++) {
        layout->key[k] = NOT_IN_SET;
        for (size_t i = 0; i < set->column_count; i++) {
            if (slice_equals(set->columns[i].name, mapping->primary_key[k]))
                layout->key[k] = i;
        }
    }
}

static int fill(struct layout *layout, const struct table *table, const struct mapping *mapping,
                const struct row_set *set, const struct text *signature)
{
    layout->mode = mapping->write_mode;
    layout->key_count = mapping->write_mode == WRITE_APPEND ? 0 : mapping->primary_key_count;
    layout->key = calloc(layout->key_count + 1, sizeof(layout->key[0]));
    layout->accepts = calloc(set->column_count + 1, sizeof(layout->accepts[0]));
    layout->signature = malloc(signature->length);
    if (layout->key == NULL || layout->accepts == NULL || layout->signature == NULL)
        return -1;
    memcpy(layout->signature, signature->data, signature->length);
    layout->signature_length = signature->length;
    find_key(layout, mapping, set);
    for (size_t i = 0; i < set->column_count; i++) {
        const struct column *column = &set->columns[i];

        /* A declared type is checked before the store, and again by STRICT, row by row. */
        layout->accepts[i] = column->type != FIELD_UNDECLARED
                                 ? UINT32_MAX
                                 : column_accepts(table_find_member(table, column->name));
    }
    return 0;
}

static void keep(struct table *table, struct layout *layout)
{
    struct layout **link = &table->layouts;

    layout->next = table->layouts;
    table->layouts = layout;
    for (size_t n = 0; *link != NULL && n < LAYOUTS_MAX; n++)
        link = &(*link)->next;
    layouts_free(*link);
    *link = NULL;
}

struct layout *layout_add(sqlite3 *db, struct table *table, const struct mapping *mapping,
                          const struct row_set *set, const struct text *signature,
                          struct error *err)
{
    struct layout *layout = calloc(1, sizeof(*layout));
    struct roles roles = {0};

    if (layout == NULL || fill(layout, table, mapping, set, signature) == -1 ||
        find_roles(&roles, table, mapping, set) == -1) {
        error_set(err, ERROR_NOMEM, "rows: out of memory");
        goto fail;
    }
    layout->db = db;
    if (prepare_insert(layout, &roles, err) == -1)
        goto fail;
    roles_free(&roles);
    keep(table, layout);
    return layout;

fail:
    roles_free(&roles);
    layout_free(layout);
    return NULL;
}

/* --- Rows --- */

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
