#include "store/schema.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/hash.h"
#include "store/dependents.h"
#include "store/layout.h"
#include "store/names.h"

/*
 * How many tables are remembered. One costs a few KiB, and its statements about as much as their
 * SQL is long; reading it anew costs about as much as writing 100 rows.
 */
#define TABLES_MAX 512
#define BUCKETS    1024u /* a power of two */

struct schema {
    sqlite3 *db;
    struct schema_log log;
    sqlite3_stmt *members;
    struct text signature; /* of the rows at hand; see layout.h */
    struct table *newest;  /* used last */
    struct table *oldest;
    size_t count;
    bool changed; /* a table, in the present transaction */
    struct dependents dependents;
    struct table *buckets[BUCKETS];
};

/* --- One table --- */

struct table *table_create(const char *name)
{
    struct table *table = calloc(1, sizeof(*table));

    if (table != NULL)
        table->name = strdup(name);
    if (table == NULL || table->name == NULL) {
        free(table);
        return NULL;
    }
    return table;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    layouts_free(table->layouts);
    for (size_t i = 0; i < table->count; i++) {
        free(table->columns[i].name);
        free(table->columns[i].member);
    }
    free(table->columns);
    free(table->by_name.slots);
    free(table->by_member.slots);
    free(table->refused_key);
    free(table->refusal);
    free(table->name);
    free(table);
}

static uint64_t member_hash(const struct table_column *column)
{
    return hash_bytes(column->member, column->member_length);
}

static void index_put(struct name_index *index, uint64_t hash, size_t number)
{
    size_t at = (size_t)hash & (index->capacity - 1);

    while (index->slots[at] != 0)
        at = (at + 1) & (index->capacity - 1);
    index->slots[at] = (uint32_t)number + 1;
}

/* Both indexes are at most half full. */
static int grow_indexes(struct table *table)
{
    size_t capacity = table->by_name.capacity == 0 ? 32 : table->by_name.capacity * 2;
    uint32_t *names = calloc(capacity, sizeof(*names));
    uint32_t *members = calloc(capacity, sizeof(*members));

    if (names == NULL || members == NULL) {
        free(names);
        free(members);
        return -1;
    }
    free(table->by_name.slots);
    free(table->by_member.slots);
    table->by_name = (struct name_index){names, capacity};
    table->by_member = (struct name_index){members, capacity};
    for (size_t i = 0; i < table->count; i++) {
        const struct table_column *column = &table->columns[i];

        index_put(&table->by_name, name_hash(column->name), i);
        if (column->member != NULL)
            index_put(&table->by_member, member_hash(column), i);
    }
    return 0;
}

int table_set_member(struct table *table, struct table_column *column, struct slice member)
{
    assert(column->member == NULL);
    column->member = malloc(member.length + 1);
    if (column->member == NULL)
        return -1;
    if (member.length > 0)
        memcpy(column->member, member.data, member.length);
    column->member[member.length] = '\0';
    column->member_length = member.length;
    index_put(&table->by_member, member_hash(column), (size_t)(column - table->columns));
    return 0;
}

struct table_column *table_add_column(struct table *table, const char *name,
                                      const struct slice *member)
{
    struct table_column *column;

    if (table->count == table->capacity) {
        size_t capacity = table->capacity == 0 ? 16 : table->capacity * 2;
        struct table_column *columns =
            realloc(table->columns, capacity * sizeof(table->columns[0]));

        if (columns == NULL)
            return NULL;
        table->columns = columns;
        table->capacity = capacity;
    }
    if ((table->count + 1) * 2 > table->by_name.capacity && grow_indexes(table) == -1)
        return NULL;
    column = &table->columns[table->count];
    *column = (struct table_column){.name = strdup(name), .kind = COLUMN_ANY};
    if (column->name == NULL)
        return NULL;
    index_put(&table->by_name, name_hash(name), table->count);
    table->count++;
    return member != NULL && table_set_member(table, column, *member) == -1 ? NULL : column;
}

struct table_column *table_find_name(const struct table *table, const char *name)
{
    const struct name_index *index = &table->by_name;

    if (index->capacity == 0)
        return NULL;
    for (size_t at = (size_t)name_hash(name);; at++) {
        uint32_t number = index->slots[at & (index->capacity - 1)];

        if (number == 0)
            return NULL;
        if (name_same(table->columns[number - 1].name, name))
            return &table->columns[number - 1];
    }
}

struct table_column *table_find_member(const struct table *table, struct slice member)
{
    const struct name_index *index = &table->by_member;

    if (index->capacity == 0)
        return NULL;
    for (size_t at = (size_t)hash_bytes(member.data, member.length);; at++) {
        uint32_t number = index->slots[at & (index->capacity - 1)];
        struct table_column *column;

        if (number == 0)
            return NULL;
        column = &table->columns[number - 1];
        if (slice_same(member, (struct slice){column->member, column->member_length}))
            return column;
    }
}

struct table_column *table_find_named(const struct table *table, const char *name)
{
    struct table_column *column = table_find_member(table, slice_of(name));

    return column != NULL ? column : table_find_name(table, name);
}

const char *table_need_rowid(const struct table *table, struct error *err)
{
    const char *name = table_rowid_name(table);

    if (name == NULL)
        error_set(err, ERROR_FAILED,
                  "table \"%s\" has columns rowid, _rowid_ and oid, so SQLite has no name left for "
                  "its rows; give one of them another name with fields",
                  table->name);
    return name;
}

static const char *const kind_names[] = {"INTEGER", "REAL", "TEXT", "BLOB", "ANY"};

const char *column_kind_name(enum column_kind kind)
{
    return kind_names[kind];
}

const char *column_type_text(const struct table_column *column)
{
    return column->kind == COLUMN_INTEGER && column->key > 0 ? "INT" : kind_names[column->kind];
}

static enum column_kind kind_of_type(const char *type)
{
    if (name_same(type, "INT"))
        return COLUMN_INTEGER;
    for (size_t i = 0; i < sizeof(kind_names) / sizeof(kind_names[0]); i++) {
        if (name_same(type, kind_names[i]))
            return (enum column_kind)i;
    }
    return COLUMN_ANY;
}

uint32_t column_accepts(const struct table_column *column)
{
    static const uint32_t of_kind[] = {
        1u << VALUE_INTEGER, 1u << VALUE_REAL, 1u << VALUE_TEXT, 1u << VALUE_BLOB, UINT32_MAX,
    };

    return 1u << VALUE_NULL | (column->settled ? of_kind[column->kind] : 0);
}

const char *table_rowid_name(const struct table *table)
{
    static const char *const names[] = {"rowid", "_rowid_", "oid"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (table_find_name(table, names[i]) == NULL)
            return names[i];
    }
    return NULL;
}

int table_read_columns(sqlite3 *db, struct table *table, struct error *err)
{
    struct text sql = {0};
    sqlite3_stmt *stmt = NULL;
    unsigned keys = 0;
    int rc = -1;

    text_add(&sql, "PRAGMA main.table_xinfo(");
    name_quote(&sql, table->name);
    text_char(&sql, ')');
    if (text_failed(&sql))
        goto no_memory;
    if (sqlite_prepare(db, text_string(&sql), &stmt, err) == -1)
        goto out;
    while ((rc = sqlite_step(stmt, "schema", err)) == 1) {
        struct table_column *column = table_add_column(table, sqlite_column_string(stmt, 1), NULL);

        if (column == NULL)
            goto no_memory;
        column->kind = kind_of_type(sqlite_column_string(stmt, 2));
        column->is_integer = name_same(sqlite_column_string(stmt, 2), "INTEGER");
        column->key = (unsigned)sqlite3_column_int(stmt, 5);
        column->generated = sqlite3_column_int(stmt, 6) > 1;
        column->settled = true;
        keys += column->key > 0;
    }
    for (size_t i = 0; i < table->count; i++) {
        struct table_column *column = &table->columns[i];

        column->is_rowid = column->key > 0 && keys == 1 && column->is_integer;
    }
    table->exists = table->count > 0;
    goto out;

no_memory:
    error_set(err, ERROR_NOMEM, "schema: out of memory");
    rc = -1;
out:
    sqlite3_finalize(stmt);
    text_free(&sql);
    return rc;
}

/* Joins to the columns what _gatherd_columns says of them; a column dropped by hand is left out. */
static int read_members(struct schema *schema, struct table *table, struct error *err)
{
    sqlite3_stmt *stmt = schema->members;
    int rc;

    sqlite_bind_string(stmt, 1, table->name);
    while ((rc = sqlite_step(stmt, "schema", err)) == 1) {
        struct slice member = {(const char *)sqlite3_column_text(stmt, 0), 0};
        struct table_column *column = table_find_name(table, sqlite_column_string(stmt, 1));

        member.length = (size_t)sqlite3_column_bytes(stmt, 0);
        table->known = true;
        if (column == NULL || column->member != NULL)
            continue;
        column->settled = sqlite3_column_int(stmt, 2) != 0 || column->kind != COLUMN_ANY;
        if (table_set_member(table, column, member) == -1) {
            error_set(err, ERROR_NOMEM, "schema: out of memory");
            rc = -1;
            break;
        }
    }
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return rc;
}

static struct table *read_table(struct schema *schema, const char *name, struct error *err)
{
    struct table *table = table_create(name);

    if (table == NULL)
        error_set(err, ERROR_NOMEM, "schema: out of memory");
    if (table == NULL || table_read_columns(schema->db, table, err) == -1 ||
        (table->exists && read_members(schema, table, err) == -1)) {
        table_free(table);
        return NULL;
    }
    return table;
}

/* --- The tables in use --- */

static struct table **bucket_of(struct schema *schema, const char *name)
{
    return &schema->buckets[name_hash(name) & (BUCKETS - 1)];
}

static void unlink_use(struct schema *schema, struct table *table)
{
    *(table->newer != NULL ? &table->newer->older : &schema->newest) = table->older;
    *(table->older != NULL ? &table->older->newer : &schema->oldest) = table->newer;
    table->newer = table->older = NULL;
}

static void link_newest(struct schema *schema, struct table *table)
{
    table->older = schema->newest;
    *(table->older != NULL ? &table->older->newer : &schema->oldest) = table;
    schema->newest = table;
}

static void drop(struct schema *schema, struct table *table)
{
    struct table **link = bucket_of(schema, table->name);

    while (*link != table)
        link = &(*link)->chain;
    *link = table->chain;
    unlink_use(schema, table);
    schema->count--;
    table_free(table);
}

static struct table *get_table(struct schema *schema, const char *name, struct error *err)
{
    struct table **bucket = bucket_of(schema, name);
    struct table *table = *bucket;

    while (table != NULL && !name_same(table->name, name))
        table = table->chain;
    if (table != NULL) {
        unlink_use(schema, table);
        link_newest(schema, table);
        return table;
    }
    table = read_table(schema, name, err);
    if (table == NULL)
        return NULL;
    table->chain = *bucket;
    *bucket = table;
    link_newest(schema, table);
    if (++schema->count > TABLES_MAX) {
        assert(schema->oldest != table);
        drop(schema, schema->oldest);
    }
    return table;
}

sqlite3 *schema_connection(const struct schema *schema)
{
    return schema->db;
}

const struct table *schema_table(struct schema *schema, const char *name, struct error *err)
{
    return get_table(schema, name, err);
}

void schema_forget(struct schema *schema)
{
    while (schema->newest != NULL)
        drop(schema, schema->newest);
    dependents_forget(&schema->dependents);
}

void schema_rolled_back(struct schema *schema)
{
    if (schema->changed)
        schema_forget(schema);
    schema->changed = false;
}

void schema_undone(struct schema *schema)
{
    if (schema->changed)
        schema_forget(schema); /* and it stays changed: what was before may still be rolled back */
}

void schema_committed(struct schema *schema)
{
    schema->changed = false;
}

struct schema *schema_create(sqlite3 *db, struct error *err)
{
    static const char change[] =
        "INSERT INTO _gatherd_schema_changes"
        " (at, table_name, column_name, change, old_value, new_value, run_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)";
    static const char column[] =
        "INSERT INTO _gatherd_columns"
        " (table_name, member, column_name, type, settled, added_at, added_by_run)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (table_name, member) DO UPDATE SET"
        " column_name = excluded.column_name, type = excluded.type, settled = excluded.settled";
    static const char forget[] = "DELETE FROM _gatherd_columns WHERE table_name = ?";
    static const char members[] = "SELECT member, column_name, settled FROM _gatherd_columns"
                                  " WHERE table_name = ?";
    struct schema *schema = calloc(1, sizeof(*schema));

    if (schema == NULL) {
        error_set(err, ERROR_NOMEM, "schema: out of memory");
        return NULL;
    }
    schema->db = db;
    if (sqlite_prepare(db, change, &schema->log.change, err) == 0 &&
        sqlite_prepare(db, column, &schema->log.column, err) == 0 &&
        sqlite_prepare(db, forget, &schema->log.forget, err) == 0 &&
        sqlite_prepare(db, members, &schema->members, err) == 0)
        return schema;
    schema_free(schema);
    return NULL;
}

void schema_free(struct schema *schema)
{
    if (schema == NULL)
        return;
    schema_forget(schema);
    sqlite3_finalize(schema->log.change);
    sqlite3_finalize(schema->log.column);
    sqlite3_finalize(schema->log.forget);
    sqlite3_finalize(schema->members);
    text_free(&schema->signature);
    free(schema);
}

/* --- Fitting --- */

/*
 * Copying a large table only to find that the key is impossible would cost the same at each run:
 * the refusal is remembered with the table until another program writes to the database.
 */
static void remember_refusal(struct schema *schema, const char *name, const char *key,
                             const char *refusal)
{
    struct table *table = get_table(schema, name, NULL);

    if (table == NULL)
        return;
    free(table->refused_key);
    free(table->refusal);
    table->refused_key = strdup(key);
    table->refusal = strdup(refusal);
}

static bool is_refused(const struct table *table, const struct plan *plan)
{
    return plan->rekey && table->refused_key != NULL && table->refusal != NULL &&
           strcmp(table->refused_key, plan->new_key) == 0;
}

/*
 * Carries the plan out and returns the table as it is then; the one planned with is gone.
 *
 * The change is a savepoint of its own: where it turns out to be impossible, it is undone, this run
 * fails, and the others of the batch go on. Rows need none, a single INSERT is undone by itself.
 */
static struct table *change_table(struct schema *schema, struct table *table, const char *name,
                                  const struct plan *plan, const struct outcome *outcome,
                                  const struct moment *moment, struct error *err)
{
    struct error cause = {0};

    if (sqlite_exec(schema->db, "SAVEPOINT change", err) == -1) {
        drop(schema, table);
        return NULL;
    }
    dependents_forget_table(&schema->dependents, name);
    if (evolve_apply(schema->db, &schema->log, table, plan, outcome->run_id, moment, &cause) == 0) {
        drop(schema, table);
        if (sqlite_exec(schema->db, "RELEASE change", err) == -1)
            return NULL;
        schema->changed = true;
        return get_table(schema, name, err);
    }
    drop(schema, table);
    error_set(err, cause.code, "%s", cause.text);
    if (cause.code == ERROR_FAILED) {
        struct error undo = {0};

        if (sqlite_exec(schema->db, "ROLLBACK TO change; RELEASE change", &undo) == -1)
            *err = undo;
        else if (plan->rekey)
            remember_refusal(schema, name, plan->new_key, cause.text);
    }
    return NULL;
}

static struct table *fit_table(struct schema *schema, struct table *table,
                               const struct mapping *mapping, const struct row_set *set,
                               const struct outcome *outcome, const struct moment *moment,
                               struct error *err)
{
    struct plan plan = {0};

    if (plan_make(schema->db, table, mapping, set, &plan, err) == -1) {
        drop(schema, table);
        table = NULL;
    } else if (is_refused(table, &plan)) {
        error_set(err, ERROR_FAILED, "%s", table->refusal);
        drop(schema, table);
        remember_refusal(schema, mapping->table, plan.new_key, err->text);
        table = NULL;
    } else if (plan.changes) {
        table = change_table(schema, table, mapping->table, &plan, outcome, moment, err);
    }
    plan_free(&plan);
    return table;
}

struct layout *schema_fit(struct schema *schema, const struct mapping *mapping,
                          const struct row_set *set, const struct outcome *outcome,
                          const struct moment *moment, struct error *err)
{
    struct table *table = get_table(schema, mapping->table, err);
    struct layout *layout;

    if (table == NULL || layout_sign(&schema->signature, mapping, set, err) == -1)
        return NULL;
    layout = layout_find(table, &schema->signature);
    if (layout != NULL && layout_fits(layout, set))
        return layout;
    table = fit_table(schema, table, mapping, set, outcome, moment, err);
    if (table == NULL)
        return NULL;
    layout = layout_find(table, &schema->signature);
    if (layout != NULL)
        return layout;
    if (dependents_fit(&schema->dependents, schema->db, &schema->log, table, mapping,
                       outcome->run_id, moment, &schema->changed, err) == -1)
        return NULL;
    return layout_add(schema->db, table, mapping, set, &schema->signature, err);
}
