/* Rows without fields: every member of a record is a column. */
#include <assert.h>
#include <string.h>

#include "gatherd/convert.h"
#include "process/extractor.h"

#define FIRST_COLUMNS 16u

static int reserve_column(struct extractor *e)
{
    size_t capacity = e->column_capacity == 0 ? FIRST_COLUMNS : 2 * e->column_capacity;
    struct column *columns;
    struct value *cells;

    if (e->column_count < e->column_capacity)
        return 0;
    columns = arena_grow(e->arena, e->columns, e->column_capacity * sizeof(*columns),
                         capacity * sizeof(*columns));
    if (columns == NULL)
        return -1;
    e->columns = columns;
    cells = arena_grow(e->arena, e->cells, e->column_capacity * sizeof(*cells),
                       capacity * sizeof(*cells));
    if (cells == NULL)
        return -1;
    e->cells = cells;
    e->column_capacity = capacity;
    return 0;
}

static int prepare_exclude(struct extractor *e)
{
    for (size_t i = 0; i < e->mapping->exclude_count; i++) {
        struct slice name = slice_of(e->mapping->exclude[i]);

        if (members_find(&e->members, name) == NULL &&
            members_add(&e->members, name, MEMBER_UNWANTED) == NULL)
            return -1;
    }
    return 0;
}

/* The leading columns come first; their names are taken. */
static int prepare_leading_columns(struct extractor *e)
{
    for (size_t i = 0; i < e->leading_count; i++) {
        struct slice name = e->leading[i].name;

        if (reserve_column(e) == -1)
            return -1;
        e->columns[e->column_count] = e->leading[i];
        if (members_find(&e->members, name) == NULL &&
            members_add(&e->members, name, (uint32_t)e->column_count) == NULL)
            return -1;
        e->column_count++;
    }
    return 0;
}

int extract_prepare_members(struct extractor *e)
{
    if (reserve_column(e) == -1 || prepare_exclude(e) == -1)
        return -1;
    return prepare_leading_columns(e);
}

static enum extracted add_column(struct extractor *e, struct slice name, struct member **member)
{
    if (e->column_count == EXTRACT_MAX_COLUMNS) {
        text_clear(&e->scratch);
        text_format(&e->scratch,
                    "the record needs more than %d columns; name the ones to keep with fields",
                    EXTRACT_MAX_COLUMNS);
        return extract_reject(e, extract_keep_scratch(e));
    }
    if (reserve_column(e) == -1)
        return EXTRACTED_NOMEM;
    *member = members_add(&e->members, name, (uint32_t)e->column_count);
    if (*member == NULL)
        return EXTRACTED_NOMEM;
    e->columns[e->column_count++] = extract_column(e, name, FIELD_UNDECLARED);
    return EXTRACTED_ROW;
}

static enum extracted set_value(struct extractor *e, const struct node *node, struct value *cell)
{
    static const struct value_rule undeclared = {.type = FIELD_UNDECLARED};
    const struct mapping *mapping = e->mapping;

    *cell = (struct value){.type = VALUE_NULL};
    if (value_is_missing(node, FIELD_UNDECLARED, mapping->null_values, mapping->null_value_count))
        return EXTRACTED_ROW;
    return value_from_node(node, &undeclared, e->arena, cell) == VALUE_NOMEM ? EXTRACTED_NOMEM
                                                                             : EXTRACTED_ROW;
}

/* One member to its cell; a later one of the same name takes its place. */
static enum extracted set_cell(struct extractor *e, struct slice name, const struct node *value)
{
    struct member *member = members_find(&e->members, name);
    enum extracted outcome;

    if (member == NULL) {
        outcome = add_column(e, name, &member);
        if (outcome != EXTRACTED_ROW)
            return outcome;
        assert(member != NULL);
    }
    if (member->target == MEMBER_UNWANTED)
        return EXTRACTED_ROW;
    if (member->target < e->leading_count)
        return extract_reject_leading(e, name, member->target);
    return set_value(e, value, &e->cells[member->target]);
}

static enum extracted cells_of_members(struct extractor *e, const struct node *record)
{
    const struct node *end = node_end(record);
    enum extracted outcome = EXTRACTED_ROW;

    if (record->type != NODE_OBJECT)
        return set_cell(e, slice_of("value"), record);
    for (const struct node *name = record + 1; name < end && outcome == EXTRACTED_ROW;) {
        const struct node *value = node_next(name);

        outcome = set_cell(e, node_slice(name), value);
        name = node_next(value);
    }
    return outcome;
}

/* A record that is rejected leaves no columns behind. */
enum extracted extract_members(struct extractor *e, const struct node *record)
{
    size_t columns = e->column_count;
    uint32_t names = e->members.count;
    enum extracted outcome;

    /* 0 is VALUE_NULL */
    memset(e->cells + e->leading_count, 0, (columns - e->leading_count) * sizeof(*e->cells));
    members_begin(&e->members);
    outcome = cells_of_members(e, record);
    if (outcome == EXTRACTED_REJECTED) {
        e->column_count = columns;
        members_truncate(&e->members, names);
    }
    return outcome;
}
