#include "process/extract.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "gatherd/items.h"
#include "gatherd/json.h"
#include "gatherd/jsonpath.h"
#include "process/incremental.h"
#include "process/members.h"
#include "process/records.h"
#include "process/value.h"

#define FIRST_COLUMNS    16u
#define MOST_NAMES       4096u /* remembered beside the wanted ones, to pass over them quickly */
#define NO_FIELD         UINT32_MAX
#define MOST_VALUE_BYTES 1000000000u /* SQLite's own limit of a value */

/* Cells (16 bytes each) that a response may take: what real tables need many times over. */
#define FREE_CELLS     (4u * 1024 * 1024)
#define CELLS_PER_BYTE 2u

enum outcome {
    OUTCOME_ROW,
    OUTCOME_REJECTED, /* e->reason says why */
    OUTCOME_NOMEM,
};

/* How a field of the configuration is found in a record. */
struct finder {
    uint32_t same;            /* the next field with the same single name, or NO_FIELD */
    bool by_name;             /* $.name: the walk over the members finds it */
    bool singular;            /* jsonpath_first() finds it */
    const struct node *found; /* of the present record */
};

struct extractor {
    const struct mapping *mapping;
    struct arena *arena;
    struct result *result;
    struct members members;
    struct finder *finders; /* one a field; NULL without fields */
    struct value *cells;    /* of the present record; one a column */
    struct column *columns;
    size_t column_count;
    size_t column_capacity;
    const struct value *item; /* the first columns of each row; NULL: no item */
    size_t item_count;
    size_t cells_left;
    struct text scratch;
    const char *reason;

    struct dead_letter *letters;
    size_t letter_count;
    size_t letter_capacity;
    struct json_locator locator; /* of the last dead letter, in the body */
};

static enum outcome reject(struct extractor *e, const char *reason)
{
    e->reason = reason;
    return reason == NULL ? OUTCOME_NOMEM : OUTCOME_REJECTED;
}

/* What stands in the scratch text, in the arena. NULL: out of memory. */
static const char *keep_scratch(struct extractor *e)
{
    if (text_failed(&e->scratch))
        return NULL;
    return arena_copy(e->arena, text_string(&e->scratch), e->scratch.length);
}

/* --- The values of the item --- */

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

static int prepare_item(struct extractor *e, const struct run *run)
{
    struct value *values;

    if (run->item == NULL)
        return 0;
    values = arena_alloc(e->arena, run->items->name_count * sizeof(*values));
    if (values == NULL)
        return -1;
    for (size_t i = 0; i < run->items->name_count; i++)
        values[i] = value_of_item(&run->item->values[i]);
    e->item = values;
    e->item_count = run->items->name_count;
    return 0;
}

/* "_item_id" */
static int name_item_column(struct extractor *e, const char *name, struct column *column)
{
    const char *copy;

    text_clear(&e->scratch);
    text_add(&e->scratch, EXTRACT_ITEM_PREFIX);
    text_add(&e->scratch, name);
    copy = keep_scratch(e);
    if (copy == NULL)
        return -1;
    *column = (struct column){.name = {copy, e->scratch.length}, .type = FIELD_UNDECLARED};
    return 0;
}

static void set_item_cells(struct extractor *e)
{
    if (e->item_count > 0)
        memcpy(e->cells, e->item, e->item_count * sizeof(*e->cells));
}

/* --- Without fields: every member is a column --- */

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

static int prepare_members(struct extractor *e)
{
    for (size_t i = 0; i < e->mapping->exclude_count; i++) {
        struct slice name = slice_of(e->mapping->exclude[i]);

        if (members_find(&e->members, name) == NULL &&
            members_add(&e->members, name, MEMBER_UNWANTED) == NULL)
            return -1;
    }
    return 0;
}

/* The columns of the item come first; their names are taken. */
static int prepare_item_columns(struct extractor *e, const struct run *run)
{
    for (size_t i = 0; i < e->item_count; i++) {
        struct column *column;

        if (reserve_column(e) == -1)
            return -1;
        column = &e->columns[e->column_count];
        if (name_item_column(e, run->items->names[i], column) == -1)
            return -1;
        if (members_find(&e->members, column->name) == NULL &&
            members_add(&e->members, column->name, (uint32_t)e->column_count) == NULL)
            return -1;
        e->column_count++;
    }
    return 0;
}

static enum outcome reject_item_member(struct extractor *e, struct slice name)
{
    text_clear(&e->scratch);
    text_add(&e->scratch, "the record has a member ");
    text_visible(&e->scratch, name.data, name.length);
    text_add(&e->scratch, ", which is the column of the item; name the ones to keep with fields");
    return reject(e, keep_scratch(e));
}

static enum outcome add_column(struct extractor *e, struct slice name, struct member **member)
{
    if (e->column_count == EXTRACT_MAX_COLUMNS) {
        text_clear(&e->scratch);
        text_format(&e->scratch,
                    "the record needs more than %d columns; name the ones to keep with fields",
                    EXTRACT_MAX_COLUMNS);
        return reject(e, keep_scratch(e));
    }
    if (reserve_column(e) == -1)
        return OUTCOME_NOMEM;
    *member = members_add(&e->members, name, (uint32_t)e->column_count);
    if (*member == NULL)
        return OUTCOME_NOMEM;
    e->columns[e->column_count++] = (struct column){.name = name, .type = FIELD_UNDECLARED};
    return OUTCOME_ROW;
}

/* One member to its cell; a later one of the same name takes its place. */
static enum outcome set_cell(struct extractor *e, struct slice name, const struct node *value)
{
    struct member *member = members_find(&e->members, name);
    enum outcome outcome;

    if (member == NULL) {
        outcome = add_column(e, name, &member);
        if (outcome != OUTCOME_ROW)
            return outcome;
    }
    if (member->target == MEMBER_UNWANTED)
        return OUTCOME_ROW;
    if (member->target < e->item_count)
        return reject_item_member(e, name);
    if (value_from_node(value, FIELD_UNDECLARED, TIME_UNIT_NONE, e->arena,
                        &e->cells[member->target]) == VALUE_NOMEM)
        return OUTCOME_NOMEM;
    return OUTCOME_ROW;
}

static enum outcome cells_of_members(struct extractor *e, const struct node *record)
{
    const struct node *end = node_end(record);
    enum outcome outcome = OUTCOME_ROW;

    if (record->type != NODE_OBJECT)
        return set_cell(e, slice_of("value"), record);
    for (const struct node *name = record + 1; name < end && outcome == OUTCOME_ROW;) {
        const struct node *value = node_next(name);

        outcome = set_cell(e, node_slice(name), value);
        name = node_next(value);
    }
    return outcome;
}

/* A record that is rejected leaves no columns behind. */
static enum outcome fill_from_members(struct extractor *e, const struct node *record)
{
    size_t columns = e->column_count;
    uint32_t names = e->members.count;
    enum outcome outcome;

    memset(e->cells, 0, columns * sizeof(*e->cells)); /* 0 is VALUE_NULL */
    set_item_cells(e);
    members_begin(&e->members);
    outcome = cells_of_members(e, record);
    if (outcome == OUTCOME_REJECTED) {
        e->column_count = columns;
        members_truncate(&e->members, names);
    }
    return outcome;
}

/* --- With fields --- */

static int prepare_field(struct extractor *e, size_t i)
{
    const struct field *field = &e->mapping->fields[i];
    struct slice name = jsonpath_single_name(field->path);
    struct member *member;

    e->columns[e->column_count++] =
        (struct column){.name = slice_of(field->name), .type = field->type};
    e->finders[i] = (struct finder){.same = NO_FIELD,
                                    .by_name = name.data != NULL,
                                    .singular = jsonpath_is_singular(field->path)};
    if (!e->finders[i].by_name)
        return 0;
    member = members_find(&e->members, name);
    if (member == NULL)
        return members_add(&e->members, name, (uint32_t)i) == NULL ? -1 : 0;
    e->finders[i].same = member->target;
    member->target = (uint32_t)i;
    return 0;
}

static int prepare_fields(struct extractor *e, const struct run *run)
{
    size_t count = e->mapping->field_count;
    size_t columns = e->item_count + count;

    e->finders = arena_alloc(e->arena, count * sizeof(*e->finders));
    e->columns = arena_alloc(e->arena, columns * sizeof(*e->columns));
    e->cells = arena_alloc(e->arena, columns * sizeof(*e->cells));
    if (e->finders == NULL || e->columns == NULL || e->cells == NULL)
        return -1;
    for (size_t i = 0; i < e->item_count; i++) {
        if (name_item_column(e, run->items->names[i], &e->columns[e->column_count++]) == -1)
            return -1;
    }
    for (size_t i = 0; i < count; i++) {
        if (prepare_field(e, i) == -1)
            return -1;
    }
    set_item_cells(e);
    return 0;
}

/* One walk finds every field whose path is a name. */
static int walk_members(struct extractor *e, const struct node *record)
{
    const struct node *end = node_end(record);

    members_begin(&e->members);
    for (const struct node *name = record + 1; name < end;) {
        const struct node *value = node_next(name);
        struct member *member = members_find(&e->members, node_slice(name));

        if (member == NULL && e->members.count < e->mapping->field_count + MOST_NAMES) {
            member = members_add(&e->members, node_slice(name), MEMBER_UNWANTED);
            if (member == NULL)
                return -1;
        }
        if (member != NULL && member->target != MEMBER_UNWANTED) {
            for (uint32_t f = member->target; f != NO_FIELD; f = e->finders[f].same)
                e->finders[f].found = value;
        }
        name = node_next(value);
    }
    return 0;
}

static enum outcome misfit(struct extractor *e, const struct field *field, struct slice json)
{
    return reject(e, value_misfit_reason(field->name, json, field->type, field->unit, e->arena));
}

static enum outcome set_field(struct extractor *e, const struct field *field,
                              const struct node *found, struct value *cell)
{
    struct slice json;

    *cell = (struct value){.type = VALUE_NULL};
    if (found == NULL)
        return OUTCOME_ROW;
    switch (value_from_node(found, field->type, field->unit, e->arena, cell)) {
    case VALUE_FITS:
        return OUTCOME_ROW;
    case VALUE_MISFIT:
        if (value_json_text(found, e->arena, &json) == -1)
            return OUTCOME_NOMEM;
        return misfit(e, field, json);
    case VALUE_NOMEM:
        break;
    }
    return OUTCOME_NOMEM;
}

static int write_array(struct extractor *e, const struct node_list *nodes)
{
    text_clear(&e->scratch);
    for (size_t i = 0; i < nodes->count && e->scratch.length <= MOST_VALUE_BYTES; i++) {
        struct slice json;

        if (value_json_text(nodes->nodes[i], e->arena, &json) == -1)
            return -1;
        text_char(&e->scratch, i == 0 ? '[' : ',');
        text_append(&e->scratch, json.data, json.length);
    }
    text_char(&e->scratch, ']');
    return text_failed(&e->scratch) ? -1 : 0;
}

/* All that a path with a wildcard or slice finds, as one JSON array. */
static enum outcome set_list(struct extractor *e, const struct field *field,
                             const struct node *record, struct value *cell)
{
    struct node_list nodes;
    struct slice json;

    *cell = (struct value){.type = VALUE_NULL};
    if (jsonpath_select(field->path, record, e->arena, &nodes) == -1)
        return OUTCOME_NOMEM;
    if (nodes.count == 0)
        return OUTCOME_ROW;
    if (write_array(e, &nodes) == -1)
        return OUTCOME_NOMEM;
    json = (struct slice){text_string(&e->scratch), e->scratch.length};
    if ((field->type != FIELD_UNDECLARED && field->type != FIELD_JSON) ||
        json.length > MOST_VALUE_BYTES)
        return misfit(e, field, json);
    cell->text = arena_copy(e->arena, json.data, json.length);
    cell->length = (uint32_t)json.length;
    cell->type = VALUE_TEXT;
    return cell->text == NULL ? OUTCOME_NOMEM : OUTCOME_ROW;
}

static enum outcome fill_from_fields(struct extractor *e, const struct node *record)
{
    enum outcome outcome = OUTCOME_ROW;

    for (size_t i = 0; i < e->mapping->field_count; i++)
        e->finders[i].found = NULL;
    if (record->type == NODE_OBJECT && walk_members(e, record) == -1)
        return OUTCOME_NOMEM;
    for (size_t i = 0; i < e->mapping->field_count && outcome == OUTCOME_ROW; i++) {
        const struct finder *finder = &e->finders[i];
        const struct field *field = &e->mapping->fields[i];
        struct value *cell = &e->cells[e->item_count + i];

        if (finder->by_name)
            outcome = set_field(e, field, finder->found, cell);
        else if (finder->singular)
            outcome = set_field(e, field, jsonpath_first(field->path, record), cell);
        else
            outcome = set_list(e, field, record, cell);
    }
    return outcome;
}

/* --- Rows and dead letters --- */

/* The cells so far become a row; those behind the last value are left out. -1: out of memory. */
static int add_row(struct extractor *e, const struct record *record, size_t position)
{
    struct row_set *rows = &e->result->rows;
    size_t count = 0;
    struct value *values;

    for (size_t i = 0; i < e->column_count; i++) {
        e->columns[i].seen |= 1u << e->cells[i].type;
        if (e->cells[i].type != VALUE_NULL)
            count = i + 1;
    }
    values = arena_alloc(e->arena, count * sizeof(*values));
    if (values == NULL)
        return -1;
    memcpy(values, e->cells, count * sizeof(*values));
    rows->rows[rows->row_count++] = (struct row){values, count, record->node, position};
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

static enum outcome fill_cells(struct extractor *e, const struct record *record)
{
    if (record->rejected != NULL)
        return reject(e, record->rejected);
    if (record->node->type == NODE_NULL)
        return reject(e, "the record is null");
    return e->finders != NULL ? fill_from_fields(e, record->node)
                              : fill_from_members(e, record->node);
}

static int extract_record(struct extractor *e, const struct record *record, size_t position)
{
    if (record->rejected == record_left_out) {
        e->result->left_out++;
        return 0;
    }
    switch (fill_cells(e, record)) {
    case OUTCOME_ROW:
        return add_row(e, record, position);
    case OUTCOME_REJECTED:
        return add_letter(e, record, position);
    case OUTCOME_NOMEM:
        break;
    }
    return -1;
}

static int too_sparse(struct extractor *e, const char **failure)
{
    text_clear(&e->scratch);
    text_format(&e->scratch,
                "the records are too unlike for one table: %zu columns, and most of them empty; "
                "name the ones to keep with fields",
                e->column_count);
    *failure = keep_scratch(e);
    return *failure == NULL ? -1 : 0;
}

static int extract_all(struct extractor *e, const struct records *records, const char **failure)
{
    struct result *result = e->result;

    result->rows.rows = arena_alloc(e->arena, records->count * sizeof(*result->rows.rows));
    if (result->rows.rows == NULL)
        return -1;
    for (size_t i = 0; i < records->count; i++) {
        if (extract_record(e, &records->list[i], i) == -1)
            return -1;
        if (e->cells_left == 0)
            return too_sparse(e, failure);
    }
    result->rows.columns = e->columns;
    result->rows.column_count = e->column_count;
    result->dead_letters = e->letters;
    result->dead_letter_count = e->letter_count;
    return 0;
}

static int prepare(struct extractor *e, const struct run *run)
{
    if (members_init(&e->members, e->arena) == -1 || prepare_item(e, run) == -1)
        return -1;
    if (e->mapping->field_count > 0)
        return prepare_fields(e, run);
    if (reserve_column(e) == -1 || prepare_members(e) == -1)
        return -1;
    return prepare_item_columns(e, run);
}

int extract_rows(const struct source *source, const struct node *root, bool lines,
                 size_t body_bytes, struct arena *arena, struct result *result,
                 const char **failure)
{
    struct extractor e = {.mapping = &source->mapping,
                          .arena = arena,
                          .result = result,
                          .cells_left = FREE_CELLS + CELLS_PER_BYTE * body_bytes,
                          .locator = {.body = result->body}};
    struct records records;
    int rc = -1;

    *failure = NULL;
    if (records_select(source->mapping.records, root, lines, source->pagination != NULL, arena,
                       &records) == -1)
        return -1;
    result->records = records.count;
    if (records.failure != NULL) {
        *failure = records.failure;
        return 0;
    }
    if (source->incremental != NULL) {
        if (incremental_select(result->run, &records, arena, failure) == -1)
            return -1;
        if (*failure != NULL)
            return 0;
    }
    if (prepare(&e, result->run) == 0)
        rc = extract_all(&e, &records, failure);
    text_free(&e.scratch);
    return rc;
}
