/* The statements of retention. */
#include <string.h>

#include "gatherd/text.h"
#include "store/names.h"
#include "store/retention_parts.h"

const char *retention_column(const struct mapping *mapping)
{
    if (mapping->write_mode == WRITE_VERSIONS)
        return mapping->retention != NULL || mapping->goes_with_parent ? COLUMN_VALID_TO : NULL;
    if (mapping->write_mode == WRITE_HISTORY || mapping->retention == NULL)
        return NULL;
    return mapping->retention->column != NULL ? mapping->retention->column : COLUMN_FETCHED_AT;
}

static bool put_column(struct text *sql, const struct table *table, const char *name)
{
    const struct table_column *column = table_find_named(table, name);

    if (column == NULL)
        return false;
    name_quote(sql, column->name);
    return true;
}

/* What an unfinished run has brought goes as a whole if it fails, and is counted then. */
bool retention_put_oldest(struct text *sql, const struct table *table, const char *column)
{
    const struct table_column *time = table_find_named(table, column);
    const char *rowid = table_rowid_name(table);

    if (time == NULL || rowid == NULL || table_find_name(table, COLUMN_RUN_ID) == NULL)
        return false;
    text_format(sql, "SELECT %s, (", rowid);
    name_quote(sql, time->name);
    text_format(sql, ", %s) <= (?1, ?2) OR ", rowid);
    name_quote(sql, time->name);
    text_add(sql, " < ?3, " COLUMN_RUN_ID
                  " IN (SELECT id FROM _gatherd_runs WHERE outcome = 'unfinished') FROM main.");
    name_quote(sql, table->name);
    text_add(sql, " WHERE ");
    name_quote(sql, time->name);
    text_add(sql, " IS NOT NULL ORDER BY ");
    name_quote(sql, time->name);
    text_format(sql, ", %s LIMIT ?4", rowid);
    return true;
}

bool retention_put_newest(struct text *sql, const struct table *table, const char *column)
{
    const struct table_column *time = table_find_named(table, column);
    const char *rowid = table_rowid_name(table);

    if (time == NULL || rowid == NULL)
        return false;
    text_add(sql, "SELECT ");
    name_quote(sql, time->name);
    text_format(sql, ", %s FROM main.", rowid);
    name_quote(sql, table->name);
    text_add(sql, " WHERE (");
    name_quote(sql, time->name);
    text_format(sql, ", %s) < (?1, ?2) ORDER BY ", rowid);
    name_quote(sql, time->name);
    text_format(sql, " DESC, %s DESC", rowid);
    return true;
}

/* The + takes its type from the ancestor's column: with it, no index over a column of another type
 * would be of use, as that of a table whose first row has not come. */
static bool put_ancestor(struct text *sql, const struct table *table, const char *const *names,
                         size_t count)
{
    bool found = true;

    for (size_t i = 0; i < count && found; i++) {
        text_add(sql, i == 0 ? "+" : ", +");
        found = put_column(sql, table, names[i]);
    }
    text_add(sql, " FROM main.");
    name_quote(sql, table->name);
    return found;
}

/* Those that lead to an ancestor come first among the columns that lead to the parent. */
bool retention_put_children(struct text *sql, const struct table *table,
                            const struct mapping *mapping, const struct table *child,
                            const struct mapping *child_mapping)
{
    size_t count;
    const char *const *names = mapping_identity(mapping, &count);
    const char *place = table_rowid_name(table);
    const char *child_place = table_rowid_name(child);
    bool in_run = mapping->primary_key_count == 0;
    bool found = place != NULL && child_place != NULL && count > 0;

    if (!found)
        return false;
    text_add(sql, "DELETE FROM main.");
    name_quote(sql, child->name);
    text_format(sql, " WHERE %s IN (SELECT %s FROM main.", child_place, child_place);
    name_quote(sql, child->name);
    text_add(sql, in_run ? " WHERE (" COLUMN_FETCHED_AT ", " COLUMN_RUN_ID ", " : " WHERE (");
    for (size_t i = 0; i < count && found; i++) {
        text_add(sql, i == 0 ? "" : ", ");
        found = put_column(sql, child, child_mapping->links[i]);
    }
    text_add(sql,
             in_run ? ") = (SELECT " COLUMN_FETCHED_AT ", " COLUMN_RUN_ID ", " : ") = (SELECT ");
    found = found && put_ancestor(sql, table, names, count);
    text_format(sql, " WHERE %s = ?1) LIMIT ?2)", place);
    return found;
}

/* --- Preparing them --- */

/* What takes a walk through the table, or a sort, waits for the index. */
static int is_direct(sqlite3 *db, const char *sql, bool *direct, struct error *err)
{
    struct text explain = {0};
    sqlite3_stmt *stmt = NULL;
    int rc;

    text_format(&explain, "EXPLAIN QUERY PLAN %s", sql);
    rc = text_failed(&explain) ? schema_no_memory(err)
                               : sqlite_prepare(db, text_string(&explain), &stmt, err);
    text_free(&explain);
    *direct = true;
    while (rc != -1 && (rc = sqlite_step(stmt, "retention", err)) == 1) {
        const char *detail = sqlite_column_string(stmt, 3);

        if (strstr(detail, "TEMP B-TREE") != NULL ||
            (strncmp(detail, "SCAN ", 5) == 0 && strstr(detail, " USING ") == NULL))
            *direct = false;
    }
    sqlite3_finalize(stmt);
    return rc;
}

int retention_prepare(sqlite3 *db, struct text *sql, bool complete, bool indexed,
                      sqlite3_stmt **stmt, struct error *err)
{
    bool direct = true;
    int rc = 0;

    if (complete && text_failed(sql))
        rc = schema_no_memory(err);
    else if (complete && indexed)
        rc = is_direct(db, text_string(sql), &direct, err);
    if (rc == 0 && complete && direct)
        rc = sqlite_prepare(db, text_string(sql), stmt, err) == -1 ? -1 : 1;
    text_clear(sql);
    return rc;
}

/* Runs by their ids, which grow with time; letters by the time they last came. */
static const char *own_oldest(enum own own)
{
    if (own == OWN_RUNS)
        return "SELECT id, id <= ?2 OR finished_at < ?3, outcome = 'unfinished'"
               " FROM _gatherd_runs ORDER BY id LIMIT ?4";
    return "SELECT id, (last_at, id) <= (?1, ?2) OR last_at < ?3, 0 FROM _gatherd_dead_letters"
           " WHERE last_at IS NOT NULL ORDER BY last_at, id LIMIT ?4";
}

static const char *own_newest(enum own own)
{
    if (own == OWN_RUNS)
        return "SELECT '', id FROM _gatherd_runs WHERE id < ?2 ORDER BY id DESC";
    return "SELECT last_at, id FROM _gatherd_dead_letters WHERE (last_at, id) < (?1, ?2)"
           " ORDER BY last_at DESC, id DESC";
}

/* The table's statement: 1, 0 or -1 as retention_prepare(). */
int retention_prepare_walk(struct store *store, const struct bounded *b, bool oldest,
                           sqlite3_stmt **stmt, struct error *err)
{
    const struct table *table;
    struct text sql = {0};
    bool complete = true;
    int rc;

    if (b->own != OWN_NONE)
        return sqlite_prepare(store->db, oldest ? own_oldest(b->own) : own_newest(b->own), stmt,
                              err) == -1
                   ? -1
                   : 1;
    table = schema_table(store->schema, b->table, err);
    if (table == NULL)
        return -1;
    complete = table->exists && (oldest ? retention_put_oldest(&sql, table, b->column)
                                        : retention_put_newest(&sql, table, b->column));
    rc = retention_prepare(store->db, &sql, complete, true, stmt, err);
    text_free(&sql);
    return rc;
}
