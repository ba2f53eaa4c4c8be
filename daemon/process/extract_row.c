/* From a record to a row of its table, or to a dead letter. */
#include <string.h>

#include "process/extractor.h"
#include "process/value.h"

enum extracted extract_reject(struct extractor *e, const char *reason)
{
    e->reason = reason;
    return reason == NULL ? EXTRACTED_NOMEM : EXTRACTED_REJECTED;
}

const char *extract_keep_scratch(struct extractor *e)
{
    if (text_failed(&e->scratch))
        return NULL;
    return arena_copy(e->arena, text_string(&e->scratch), e->scratch.length);
}

static bool is_in_key(const struct mapping *mapping, struct slice name)
{
    for (size_t i = 0; i < mapping->primary_key_count; i++) {
        if (slice_equals(name, mapping->primary_key[i]))
            return true;
    }
    return false;
}

struct column extract_column(const struct extractor *e, struct slice name, enum field_type type)
{
    return (struct column){
        .name = name,
        .type = type,
        .is_key = type == FIELD_UNDECLARED && is_in_key(e->mapping, name),
    };
}

/* The cells so far become a row; those behind the last value are left out. -1: out of memory. */
static int add_row(struct extractor *e, const struct record *record, size_t position)
{
    struct row_set *set = e->set;
    size_t count = 0;
    struct value *values;

    for (size_t i = 0; i < e->column_count; i++) {
        if (e->columns[i].is_key)
            value_as_key(&e->cells[i]);
        e->columns[i].seen |= 1u << e->cells[i].type;
        if (e->cells[i].type != VALUE_NULL)
            count = i + 1;
    }
    values = arena_alloc(e->arena, count * sizeof(*values));
    if (values == NULL)
        return -1;
    memcpy(values, e->cells, count * sizeof(*values));
    set->rows[set->row_count++] = (struct row){values, count, record->node, position};
    e->cells_left -= count < e->cells_left ? count : e->cells_left;
    return 0;
}

static int add_letter(struct extractor *e, const struct record *record, size_t position)
{
    size_t capacity = e->letter_capacity == 0 ? 8 : 2 * e->letter_capacity;
    struct dead_letter *letters = e->letters;

    if (e->letter_count == e->letter_capacity) {
        letters = arena_grow(e->arena, letters, e->letter_capacity * sizeof(*letters),
                             capacity * sizeof(*letters));
        if (letters == NULL)
            return -1;
        e->letters = letters;
        e->letter_capacity = capacity;
    }
    letters += e->letter_count++;
    *letters =
        (struct dead_letter){.record = record->node, .position = position, .reason = e->reason};
    if (record->node->raw != NULL)
        json_locate(&e->locator, (size_t)(record->node->raw - e->result->body), &letters->line,
                    &letters->column);
    return 0;
}

static enum extracted fill_cells(struct extractor *e, const struct record *record)
{
    if (record->rejected != NULL)
        return extract_reject(e, record->rejected);
    if (record->node->type == NODE_NULL)
        return extract_reject(e, "the record is null");
    if (e->leading_count > 0)
        memcpy(e->cells, e->leading_values, e->leading_count * sizeof(*e->cells));
    return e->finders != NULL ? extract_fields(e, record->node) : extract_members(e, record->node);
}

int extract_record(struct extractor *e, const struct record *record, size_t position)
{
    if (record->rejected == record_left_out) {
        e->result->left_out++;
        return 0;
    }
    switch (fill_cells(e, record)) {
    case EXTRACTED_ROW:
        return add_row(e, record, position);
    case EXTRACTED_REJECTED:
        return add_letter(e, record, position);
    case EXTRACTED_NOMEM:
        break;
    }
    return -1;
}
