#include "store/children.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/history.h"
#include "store/names.h"
#include "store/table.h"

#define FEW 32u /* so many keys are compared with each other sooner than looked for */

static int no_memory(struct error *err)
{
    error_set(err, ERROR_NOMEM, "rows: out of memory");
    return -1;
}

void family_free(struct family *family)
{
    free(family->there.list);
    free(family->present.list);
    free(family->parent_key);
}

/* --- The parent --- */

/* Columns of the parents' key: how many, and their places in the set. */
static int find_parent_key(struct family *family, struct error *err)
{
    const struct row_set *parents = family->set->parents;
    const char *const *names = mapping_identity(parents->mapping, &family->parent_key_count);

    if (family->parent_key != NULL)
        return 0;
    family->parent_key = calloc(family->parent_key_count, sizeof(family->parent_key[0]));
    if (family->parent_key == NULL)
        return no_memory(err);
    for (size_t k = 0; k < family->parent_key_count; k++) {
        size_t i = 0;

        while (i < parents->column_count && !slice_equals(parents->columns[i].name, names[k]))
            i++;
        family->parent_key[k] = i;
    }
    return 0;
}

/* As the first parameters; the parent is in its table, so it has its key. */
static int bind_parent(const struct family *family, sqlite3_stmt *stmt)
{
    const struct row *row = &family->set->parents->rows[family->parent];
    int rc = SQLITE_OK;

    for (size_t k = 0; k < family->parent_key_count && rc == SQLITE_OK; k++) {
        assert(family->parent_key[k] < row->count);
        rc = table_bind_value(stmt, (int)k + 1, &row->values[family->parent_key[k]]);
    }
    return rc;
}

/* --- Rowids --- */

static int add_rowid(struct rowids *rowids, int64_t rowid, struct error *err)
{
    size_t capacity = rowids->capacity == 0 ? 64 : 2 * rowids->capacity;
    int64_t *list = rowids->list;

    if (rowids->count == rowids->capacity) {
        list = realloc(list, capacity * sizeof(*list));
        if (list == NULL)
            return no_memory(err);
        rowids->list = list;
        rowids->capacity = capacity;
    }
    list[rowids->count++] = rowid;
    return 0;
}

/* Those that a statement with its parameters gives, which is reset. */
static int add_rowids(struct rowids *rowids, sqlite3_stmt *stmt, struct error *err)
{
    int rc;

    while ((rc = sqlite_step(stmt, "", err)) == 1) {
        rc = add_rowid(rowids, sqlite3_column_int64(stmt, 0), err);
        if (rc == -1)
            break;
    }
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return rc;
}

static int find_there(struct family *family, const struct layout *layout, struct error *err)
{
    int rc = bind_parent(family, layout->siblings);

    family->there.count = 0;
    if (rc == SQLITE_OK && family->set->replayed)
        rc = sqlite3_bind_text(layout->siblings, (int)family->parent_key_count + 1, family->time,
                               -1, SQLITE_STATIC);
    if (rc != SQLITE_OK) {
        sqlite_fail(family->db, rc, "", err);
        return -1;
    }
    return add_rowids(&family->there, layout->siblings, err);
}

/* SQLite says which row a key is, since it decides which values are equal. */
static int find_present(struct family *family, const struct layout *layout, size_t first,
                        size_t end, struct error *err)
{
    family->present.count = 0;
    for (size_t i = first; i < end; i++) {
        const struct row *row = &family->set->rows[i];
        int rc = SQLITE_OK;

        for (size_t k = 0; k < layout->key_count && rc == SQLITE_OK; k++)
            rc = table_bind_value(layout->sibling, (int)k + 1, &row->values[layout->key[k]]);
        if (rc != SQLITE_OK) {
            sqlite_fail(family->db, rc, "", err);
            return -1;
        }
        if (add_rowids(&family->present, layout->sibling, err) == -1)
            return -1;
    }
    return 0;
}

/* --- Keys that are distinct without asking --- */

static size_t trimmed_length(const struct value *text)
{
    size_t length = text->length;

    while (length > 0 && text->text[length - 1] == ' ')
        length--;
    return length;
}

/* In any column that takes both as they are, whichever of SQLite's collations a user gave it. */
static bool differ(const struct value *a, const struct value *b)
{
    size_t length;

    if (a->type != b->type)
        return false;
    if (a->type == VALUE_INTEGER)
        return a->integer != b->integer;
    if (a->type != VALUE_TEXT)
        return false;
    length = trimmed_length(a);
    return length != trimmed_length(b) || strncasecmp(a->text, b->text, length) != 0;
}

/* What a parent's children have in common is not compared. */
static bool keys_differ(const struct layout *layout, size_t first_key, const struct row *a,
                        const struct row *b)
{
    for (size_t k = first_key; k < layout->key_count; k++) {
        if (differ(&a->values[layout->key[k]], &b->values[layout->key[k]]))
            return true;
    }
    return false;
}

/* False: they may be the same, or there are too many to compare each with each. */
static bool are_distinct(const struct family *family, const struct layout *layout, size_t first,
                         size_t end)
{
    const struct mapping *mapping = family->set->mapping;
    const struct row *rows = family->set->rows;

    if (mapping->child_key_count == 0)
        return true; /* the place in the list is distinct */
    if (end - first > FEW)
        return false;
    for (size_t i = first; i < end; i++) {
        for (size_t k = first; k < i; k++) {
            if (!keys_differ(layout, mapping->link_count - 1, &rows[i], &rows[k]))
                return false;
        }
    }
    return true;
}

static int compare_rowids(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

static bool is_present(const struct rowids *present, int64_t rowid)
{
    return present->count > 0 &&
           bsearch(&rowid, present->list, present->count, sizeof(rowid), compare_rowids) != NULL;
}

/* --- Removing --- */

/* Both columns of each pair, by whatever name they have in their tables. False: one is not there.
 */
static bool put_pairs(struct text *sql, const struct table *child, const struct table *parent,
                      const struct mapping *mapping, const struct mapping *parent_mapping)
{
    for (size_t i = 0; i < parent_mapping->primary_key_count; i++) {
        const struct table_column *link = table_find_member(child, slice_of(mapping->links[i]));
        const struct table_column *key =
            table_find_member(parent, slice_of(parent_mapping->primary_key[i]));

        if (link == NULL || key == NULL)
            return false;
        text_add(sql, i == 0 ? "parent." : " AND parent.");
        name_quote(sql, key->name);
        text_add(sql, " = child.");
        name_quote(sql, link->name);
    }
    return true;
}

/* Rows of one parent's descendants that lead to no row any more. False: there are none such. */
static bool put_orphans(struct text *sql, const struct family *family, const struct table *child,
                        const struct table *parent, const struct mapping *mapping,
                        const struct mapping *parent_mapping)
{
    text_add(sql, "DELETE FROM main.");
    name_quote(sql, child->name);
    text_add(sql, " AS child WHERE ");
    for (size_t k = 0; k < family->parent_key_count; k++) {
        const struct table_column *link = table_find_member(child, slice_of(mapping->links[k]));

        if (link == NULL)
            return false;
        text_add(sql, "child.");
        name_quote(sql, link->name);
        text_format(sql, " = ?%zu AND ", k + 1);
    }
    text_add(sql, "NOT EXISTS (SELECT 1 FROM main.");
    name_quote(sql, parent->name);
    text_add(sql, " AS parent WHERE ");
    if (!put_pairs(sql, child, parent, mapping, parent_mapping))
        return false;
    text_char(sql, ')');
    return true;
}

/* Behind the key of the parent the statement may have the time. */
static int run_for_parent(const struct family *family, const struct text *sql, int64_t *changed,
                          struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (text_failed(sql))
        return no_memory(err);
    if (sqlite_prepare(family->db, text_string(sql), &stmt, err) == -1)
        return -1;
    rc = bind_parent(family, stmt);
    if (rc != SQLITE_OK) {
        sqlite_fail(family->db, rc, "", err);
        rc = -1;
    } else {
        sqlite_bind_string(stmt, (int)family->parent_key_count + 1, family->time);
        rc = sqlite_run(stmt, "", err);
        *changed = sqlite3_changes64(family->db);
    }
    sqlite3_finalize(stmt);
    return rc;
}

/* What was removed from a table ends its versions. */
static int end_versions(const struct family *family, const struct mapping *mapping,
                        struct error *err)
{
    struct text sql = {0};
    int64_t ended;
    int rc;

    if (mapping->write_mode != WRITE_HISTORY)
        return 0;
    rc = history_put_end_of_family(&sql, family->schema, mapping, family->parent_key_count, err);
    if (rc == 1)
        rc = run_for_parent(family, &sql, &ended, err);
    error_wrap(rc == -1 ? err : NULL, "table \"%s\"", mapping->history_table);
    text_free(&sql);
    return rc;
}

static int remove_orphans(struct family *family, const struct mapping *parent_mapping,
                          struct error *err);

/*
 * The columns that lead from a descendant to its parent begin with those that lead to the family's
 * parent, and so does its key.
 */
static int remove_orphans_of(struct family *family, const struct mapping *mapping,
                             const struct mapping *parent_mapping, struct error *err)
{
    const struct table *parent = schema_table(family->schema, parent_mapping->table, err);
    const struct table *child = schema_table(family->schema, mapping->table, err);
    struct text sql = {0};
    int64_t removed = 0;
    int rc = 0;

    if (parent == NULL || child == NULL)
        return -1;
    if (child->exists && put_orphans(&sql, family, child, parent, mapping, parent_mapping))
        rc = run_for_parent(family, &sql, &removed, err);
    text_free(&sql);
    error_wrap(rc == -1 ? err : NULL, "table \"%s\": children that are gone", mapping->table);
    if (rc == -1 || removed == 0)
        return rc;
    family->removed += (size_t)removed;
    return end_versions(family, mapping, err) == -1 ? -1 : remove_orphans(family, mapping, err);
}

static int remove_orphans(struct family *family, const struct mapping *parent_mapping,
                          struct error *err)
{
    for (size_t i = 0; i < parent_mapping->child_count; i++) {
        if (remove_orphans_of(family, &parent_mapping->children[i], parent_mapping, err) == -1)
            return -1;
    }
    return 0;
}

static int remove_row(const struct layout *layout, int64_t rowid, struct error *err)
{
    sqlite3_bind_int64(layout->remove, 1, rowid);
    return sqlite_run(layout->remove, "children that are gone", err);
}

static int remove_absent(struct family *family, const struct layout *layout, struct error *err)
{
    size_t removed = 0;

    if (family->present.count > 0)
        qsort(family->present.list, family->present.count, sizeof(family->present.list[0]),
              compare_rowids);
    for (size_t i = 0; i < family->there.count; i++) {
        int64_t rowid = family->there.list[i];

        if (is_present(&family->present, rowid))
            continue;
        if (remove_row(layout, rowid, err) == -1) {
            error_wrap(err, "table \"%s\"", family->set->mapping->table);
            return -1;
        }
        removed++;
    }
    family->removed += removed;
    if (removed == 0)
        return 0;
    if (end_versions(family, family->set->mapping, err) == -1)
        return -1;
    return remove_orphans(family, family->set->mapping, err);
}

int children_remove_vanished(struct family *family, const struct layout *layout, size_t first,
                             size_t end, struct error *err)
{
    if (find_parent_key(family, err) == -1 || find_there(family, layout, err) == -1)
        return -1;
    if (family->there.count == 0 ||
        (family->there.count == end - first && are_distinct(family, layout, first, end)))
        return 0; /* all that came are there, so no others are */
    if (find_present(family, layout, first, end, err) == -1)
        return -1;
    return remove_absent(family, layout, err);
}
