#include "store/layout.h"

#include <stdlib.h>
#include <string.h>

#include "store/retention.h"

#define LAYOUTS_MAX 4 /* shapes remembered for a table; one more costs preparing it again */

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
    uint32_t head[5] = {mapping->write_mode, mapping->field_count > 0, mapping->on_missing,
                        mapping->goes_with_parent, set->replayed};
    const char *time = retention_column(mapping);

    text_clear(signature);
    text_append(signature, (const char *)head, sizeof(head));
    sign_names(signature, mapping->primary_key, mapping->primary_key_count);
    sign_names(signature, mapping->links, mapping->link_count);
    sign_names(signature, mapping->exclude, mapping->exclude_count);
    for (size_t i = 0; i < mapping->index_count; i++)
        sign_names(signature, mapping->indexes[i].names, mapping->indexes[i].count);
    sign_names(signature, mapping->fts, mapping->fts_count);
    sign_names(signature, mapping->ignore, mapping->ignore_count);
    sign_names(signature, &time, time != NULL);
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

/* --- Layouts --- */

static void layout_free(struct layout *layout)
{
    if (layout == NULL)
        return;
    sqlite3_finalize(layout->insert);
    sqlite3_finalize(layout->find);
    sqlite3_finalize(layout->compare);
    sqlite3_finalize(layout->end);
    sqlite3_finalize(layout->seen);
    for (size_t i = 0; i < layout->change_count; i++)
        free(layout->changes[i].json_name);
    free(layout->changes);
    sqlite3_finalize(layout->siblings);
    sqlite3_finalize(layout->sibling);
    sqlite3_finalize(layout->remove);
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
    layout->updates = mapping_updates(mapping);
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

    if (layout == NULL || fill(layout, table, mapping, set, signature) == -1) {
        error_set(err, ERROR_NOMEM, "rows: out of memory");
        layout_free(layout);
        return NULL;
    }
    layout->db = db;
    if (layout_prepare(layout, table, mapping, set, err) == -1) {
        layout_free(layout);
        return NULL;
    }
    keep(table, layout);
    return layout;
}
