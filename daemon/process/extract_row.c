/* From a record to a row of its table, or to a dead letter. */
#include <string.h>

#include "gatherd/convert.h"
#include "process/extractor.h"

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
    set->rows[set->row_count++] = (struct row){.values = values,
                                               .count = count,
                                               .record = record->node,
                                               .position = position,
                                               .parent = e->parent};
    e->cells_left -= count < e->cells_left ? count : e->cells_left;
    return 0;
}

/* A child that is not there might be one of those that were: nothing of its parent is removed. */
static int note_lacking(struct extractor *e)
{
    size_t count;

    if (e->set->parents == NULL)
        return 0;
    if (e->lacking == NULL) {
        count = e->set->parents->row_count;
        e->lacking = arena_alloc(e->arena, count * sizeof(*e->lacking));
        if (e->lacking == NULL)
            return -1;
        memset(e->lacking, 0, count * sizeof(*e->lacking));
    }
    e->lacking[e->parent] = true;
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
    *letters = (struct dead_letter){.record = record->node,
                                    .position = position,
                                    .table = e->set->parents != NULL ? e->mapping->table : NULL,
                                    .reason = e->reason};
    if (record->node->raw != NULL)
        json_locate(&e->locator, (size_t)(record->node->raw - e->result->body), &letters->line,
                    &letters->column);
    return 0;
}

static enum extracted fill_cells(struct extractor *e, const struct record *record, size_t position)
{
    if (record->rejected != NULL)
        return extract_reject(e, record->rejected);
    if (record->node->type == NODE_NULL)
        return extract_reject(e, "the record is null");
    if (e->index != NULL)
        e->index->integer = (int64_t)(e->first_index + position);
    if (e->leading_count > 0)
        memcpy(e->cells, e->leading_values, e->leading_count * sizeof(*e->cells));
    return e->finders != NULL ? extract_fields(e, record->node) : extract_members(e, record->node);
}

/* A record that becomes no row leaves no columns behind. */
static enum extracted complete_cells(struct extractor *e, const struct record *record,
                                     size_t position)
{
    size_t columns = e->column_count;
    uint32_t names = e->members.count;
    enum extracted outcome = fill_cells(e, record, position);

    if (outcome != EXTRACTED_ROW)
        return outcome;
    outcome = extract_computed(e);
    if (outcome == EXTRACTED_ROW || e->finders != NULL)
        return outcome;
    e->column_count = columns;
    members_truncate(&e->members, names);
    extract_forget_columns(e);
    return outcome;
}

int extract_record(struct extractor *e, const struct record *record, size_t position)
{
    if (record->rejected == record_left_out) {
        e->result->left_out++;
        return 0;
    }
    switch (complete_cells(e, record, position)) {
    case EXTRACTED_ROW:
        return add_row(e, record, position);
    case EXTRACTED_REJECTED:
        return note_lacking(e) == -1 ? -1 : add_letter(e, record, position);
    case EXTRACTED_FILTERED:
        e->result->filtered++;
        return 0;
    case EXTRACTED_STOPPED:
        return 0;
    case EXTRACTED_NOMEM:
        break;
    }
    return -1;
}
