#include "store/walk.h"

#include "store/names.h"

bool walk_finds_missing(const struct mapping *mapping)
{
    return mapping->write_mode == WRITE_REPLACE || mapping->on_missing != MISSING_KEEP;
}

bool walk_notes_seen(const struct mapping *mapping)
{
    return walk_finds_missing(mapping) && mapping_updates(mapping) && !mapping_is_child(mapping);
}

static void put_columns(struct text *sql, size_t key_count)
{
    text_add(sql, "run");
    for (size_t i = 1; i <= key_count; i++)
        text_format(sql, ", k%zu", i);
}

int walk_make_seen(sqlite3 *db, size_t key_count, struct error *err)
{
    struct text sql = {0};
    int rc;

    text_format(&sql, "CREATE TABLE IF NOT EXISTS " WALK_SEEN_TABLE " (", key_count);
    put_columns(&sql, key_count);
    text_add(&sql, ", PRIMARY KEY (");
    put_columns(&sql, key_count);
    text_add(&sql, ")) WITHOUT ROWID");
    rc = text_failed(&sql) ? schema_no_memory(err) : sqlite_exec(db, text_string(&sql), err);
    text_free(&sql);
    return rc;
}

static const char *key_name(const struct table *table, size_t place)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->columns[i].key == place)
            return table->columns[i].name;
    }
    return "";
}

void walk_put_unseen(struct text *sql, const struct table *table, size_t key_count)
{
    text_format(sql,
                "NOT EXISTS (SELECT 1 FROM " WALK_SEEN_TABLE " AS _gatherd_seen WHERE run = ?1",
                key_count);
    for (size_t place = 1; place <= key_count; place++) {
        /* The + takes its type from the column: with it the index of the keys would be of no use,
         * which makes a walk through all of them for each row. */
        text_format(sql, " AND _gatherd_seen.k%zu = +", place);
        name_quote(sql, table->name);
        text_char(sql, '.');
        name_quote(sql, key_name(table, place));
    }
    text_char(sql, ')');
}

int walk_make_gone(sqlite3 *db, size_t key_count, struct error *err)
{
    struct text sql = {0};
    int rc;

    text_format(&sql, "CREATE TABLE IF NOT EXISTS " WALK_GONE_TABLE " (", key_count);
    put_columns(&sql, key_count);
    text_char(&sql, ')');
    rc = text_failed(&sql) ? schema_no_memory(err) : sqlite_exec(db, text_string(&sql), err);
    text_free(&sql);
    return rc;
}

bool walk_put_gone(struct text *sql, const struct table *table, const char *const *members,
                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct table_column *column = table_find_member(table, slice_of(members[i]));

        if (column == NULL)
            return false;
        text_char(sql, i == 0 ? '(' : ',');
        name_quote(sql, column->name);
    }
    text_add(sql, ") IN (SELECT ");
    for (size_t i = 1; i <= count; i++)
        text_format(sql, "%sk%zu", i == 1 ? "" : ", ", i);
    text_format(sql, " FROM " WALK_GONE_TABLE " WHERE run = ?1)", count);
    return true;
}

static int forget_in(sqlite3 *db, const char *name, int64_t run_id, struct error *err)
{
    struct text sql = {0};
    sqlite3_stmt *stmt = NULL;
    int rc = -1;

    text_format(&sql, "DELETE FROM temp.%s WHERE run = ?", name);
    if (text_failed(&sql)) {
        schema_no_memory(err);
    } else if (sqlite_prepare(db, text_string(&sql), &stmt, err) == 0) {
        sqlite3_bind_int64(stmt, 1, run_id);
        rc = sqlite_run(stmt, name, err);
        sqlite3_finalize(stmt);
    }
    text_free(&sql);
    return rc;
}

int walk_forget(sqlite3 *db, int64_t run_id, struct error *err)
{
    static const char query[] = "SELECT name FROM sqlite_temp_schema"
                                " WHERE type = 'table' AND name LIKE '\\_gatherd\\_%' ESCAPE '\\'";
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (sqlite_prepare(db, query, &stmt, err) == -1)
        return -1;
    while ((rc = sqlite_step(stmt, "temp", err)) == 1) {
        if (forget_in(db, sqlite_column_string(stmt, 0), run_id, err) == -1) {
            rc = -1;
            break;
        }
    }
    sqlite3_finalize(stmt);
    return rc;
}
