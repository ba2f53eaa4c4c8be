/*
 * The columns that come first in each row and are no part of its record: the values of an item, and
 * what leads from a child to its parent.
 */
#include "gatherd/items.h"
#include "process/extractor.h"

#define NO_COLUMN SIZE_MAX

static struct value value_of_item(const struct item_value *from)
{
    struct value value = {.type = VALUE_TEXT, .length = (uint32_t)from->text.length};

    switch (from->type) {
    case ITEM_VALUE_INTEGER:
        return (struct value){.type = VALUE_INTEGER, .integer = from->integer};
    case ITEM_VALUE_REAL:
        return (struct value){.type = VALUE_REAL, .real = from->real};
    case ITEM_VALUE_TEXT:
        break;
    }
    value.text = from->text.data;
    return value;
}

/* "_item_id" */
static int name_item_column(struct extractor *e, const char *name, struct column *column)
{
    const char *copy;

    text_clear(&e->scratch);
    text_add(&e->scratch, EXTRACT_ITEM_PREFIX);
    text_add(&e->scratch, name);
    copy = extract_keep_scratch(e);
    if (copy == NULL)
        return -1;
    *column = extract_column(e, (struct slice){copy, e->scratch.length}, FIELD_UNDECLARED);
    return 0;
}

static int prepare_item(struct extractor *e, struct column *columns)
{
    const struct run *run = e->result->run;

    for (size_t i = 0; i < e->item_count; i++) {
        if (name_item_column(e, run->items->names[i], &columns[i]) == -1)
            return -1;
        e->leading_values[i] = value_of_item(&run->item->values[i]);
    }
    return 0;
}

/* The place of a column in a set, or NO_COLUMN: no record had that member. */
static size_t find_column(const struct row_set *set, const char *name)
{
    for (size_t i = 0; i < set->column_count; i++) {
        if (slice_equals(set->columns[i].name, name))
            return i;
    }
    return NO_COLUMN;
}

/* A column that leads to the parent is like the parent's, of the type that this returns. */
static enum field_type find_parent_link(const struct extractor *e, const char *identity,
                                        size_t *link)
{
    const struct row_set *parents = e->set->parents;

    *link = find_column(parents, identity);
    return *link == NO_COLUMN ? FIELD_UNDECLARED : parents->columns[*link].type;
}

static int prepare_links(struct extractor *e, struct column *columns)
{
    const struct mapping *mapping = e->mapping;
    const char *const *identity = NULL;
    size_t count = 0;

    if (e->set->parents != NULL)
        identity = mapping_identity(e->set->parents->mapping, &count);
    e->parent_columns = arena_alloc(e->arena, count * sizeof(*e->parent_columns));
    if (e->parent_columns == NULL)
        return -1;
    for (size_t i = 0; i < mapping->link_count; i++) {
        enum field_type type = FIELD_INTEGER; /* LINK_INDEX is the last */

        if (i < count)
            type = find_parent_link(e, identity[i], &e->parent_columns[i]);
        columns[i] = extract_column(e, slice_of(mapping->links[i]), type);
    }
    if (mapping->link_count == 0)
        return 0;
    e->index = &e->leading_values[e->item_count + count];
    e->index->type = VALUE_INTEGER;
    return 0;
}

/* How many records of this run came before this response's. */
static size_t records_before(const struct run *run)
{
    if (run->replayed != NULL)
        return run->replayed->records_before;
    return run->pages == NULL ? 0 : run->pages->tally.records;
}

int extract_prepare_leading(struct extractor *e)
{
    const struct run *run = e->result->run;
    bool is_child = e->set->parents != NULL;
    size_t items = is_child || run->item == NULL ? 0 : run->items->name_count;
    size_t count = items + e->mapping->link_count;
    struct column *columns = arena_alloc(e->arena, count * sizeof(*columns));

    e->leading_values = arena_alloc(e->arena, count * sizeof(*e->leading_values));
    if (columns == NULL || e->leading_values == NULL)
        return -1;
    e->leading = columns;
    e->leading_count = count;
    e->item_count = items;
    e->first_index = is_child ? 0 : records_before(run);
    return prepare_item(e, columns) == -1 ? -1 : prepare_links(e, columns + items);
}

void extract_set_parent(struct extractor *e, size_t parent)
{
    const struct row *row = &e->set->parents->rows[parent];
    size_t links = e->mapping->link_count - 1;

    e->parent = parent;
    for (size_t i = 0; i < links; i++) {
        size_t column = e->parent_columns[i];

        e->leading_values[i] =
            column < row->count ? row->values[column] : (struct value){.type = VALUE_NULL};
    }
}

enum extracted extract_reject_leading(struct extractor *e, struct slice name, size_t i)
{
    text_clear(&e->scratch);
    text_add(&e->scratch, "the record has a member ");
    text_visible(&e->scratch, name.data, name.length);
    text_format(&e->scratch, ", which is %s; name the ones to keep with fields",
                i < e->item_count ? "the column of the item"
                                  : "a column by which parents and children know each other");
    return extract_reject(e, extract_keep_scratch(e));
}
