/* The columns that come first in each row and are no part of its record: the values of an item. */
#include "gatherd/items.h"
#include "process/extractor.h"

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

int extract_prepare_leading(struct extractor *e, const struct run *run)
{
    size_t count = run->item == NULL ? 0 : run->items->name_count;
    struct column *columns = arena_alloc(e->arena, count * sizeof(*columns));
    struct value *values = arena_alloc(e->arena, count * sizeof(*values));

    if (columns == NULL || values == NULL)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (name_item_column(e, run->items->names[i], &columns[i]) == -1)
            return -1;
        values[i] = value_of_item(&run->item->values[i]);
    }
    e->leading = columns;
    e->leading_values = values;
    e->leading_count = e->item_count = count;
    return 0;
}

enum extracted extract_reject_leading(struct extractor *e, struct slice name, size_t i)
{
    (void)i;
    text_clear(&e->scratch);
    text_add(&e->scratch, "the record has a member ");
    text_visible(&e->scratch, name.data, name.length);
    text_add(&e->scratch, ", which is the column of the item; name the ones to keep with fields");
    return extract_reject(e, extract_keep_scratch(e));
}
