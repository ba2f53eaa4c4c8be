/* The statements of retention. */
#include <string.h>

#include "gatherd/text.h"
#include "store/names.h"
#include "store/retention.h"
#include "store/schema.h"

const char *retention_column(const struct mapping *mapping)
{
    if (mapping->write_mode == WRITE_VERSIONS)
        return mapping->retention != NULL || mapping->goes_with_parent ? COLUMN_VALID_TO : NULL;
    if (mapping->write_mode == WRITE_HISTORY || mapping->retention == NULL)
        return NULL;
    return mapping->retention->column != NULL ? mapping->retention->column : COLUMN_FETCHED_AT;
}

static const struct table_column *find_column(const struct table *table, const char *name)
{
    const struct table_column *column = table_find_member(table, slice_of(name));

    return column != NULL ? column : table_find_name(table, name);
}

static bool put_column(struct text *sql, const struct table *table, const char *name)
{
    const struct table_column *column = find_column(table, name);

    if (column == NULL)
        return false;
    name_quote(sql, column->name);
    return true;
}

/* What an unfinished run has brought goes as a whole if it fails, and is counted then. */
bool retention_put_oldest(struct text *sql, const struct table *table, const char *column)
{
    const struct table_column *time = find_column(table, column);
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
    const struct table_column *time = find_column(table, column);
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

/* Those that lead to an ancestor come first among the columns that lead to the parent. */
bool retention_put_children(struct text *sql, const struct table *table,
                            const struct mapping *mapping, const struct table *child,
                            const struct mapping *child_mapping)
{
    size_t count;
    const char *const *names = mapping_identity(mapping, &count);
    const char *rowid = table_rowid_name(table);
    bool in_run = mapping->primary_key_count == 0;
    bool found = rowid != NULL && count > 0;

    text_add(sql, "DELETE FROM main.");
    name_quote(sql, child->name);
    text_add(sql, in_run ? " WHERE (" COLUMN_FETCHED_AT ", " COLUMN_RUN_ID ", " : " WHERE (");
    for (size_t i = 0; i < count && found; i++) {
        text_add(sql, i == 0 ? "" : ", ");
        found = put_column(sql, child, child_mapping->links[i]);
    }
    text_add(sql,
             in_run ? ") = (SELECT " COLUMN_FETCHED_AT ", " COLUMN_RUN_ID ", " : ") = (SELECT ");
    for (size_t i = 0; i < count && found; i++) {
        text_add(sql, i == 0 ? "" : ", ");
        found = put_column(sql, table, names[i]);
    }
    text_add(sql, " FROM main.");
    name_quote(sql, table->name);
    text_format(sql, " WHERE %s = ?1)", found ? rowid : "");
    return found;
}
