/* Rows of fields: each column has a path from the record, or is calculated later. */
#include <string.h>

#include "gatherd/convert.h"
#include "gatherd/jsonpath.h"
#include "process/extractor.h"

#define MOST_NAMES 4096u /* remembered beside the wanted ones, to pass over them quickly */
#define NO_FIELD   UINT32_MAX

static int prepare_path(struct extractor *e, size_t i, const struct jsonpath *path)
{
    struct slice name = jsonpath_single_name(path);
    struct member *member;

    e->finders[i].by_name = name.data != NULL;
    e->finders[i].singular = jsonpath_is_singular(path);
    if (!e->finders[i].by_name)
        return 0;
    member = members_find(&e->members, name);
    if (member == NULL)
        return members_add(&e->members, name, (uint32_t)i) == NULL ? -1 : 0;
    e->finders[i].same = member->target;
    member->target = (uint32_t)i;
    return 0;
}

static int prepare_field(struct extractor *e, size_t i)
{
    const struct field *field = &e->mapping->fields[i];

    e->columns[e->column_count++] = extract_column(e, slice_of(field->name), field->rule.type);
    e->finders[i] = (struct finder){.field = field,
                                    .same = NO_FIELD,
                                    .nulls = field->null_values,
                                    .null_count = field->null_value_count};
    if (field->null_values == NULL) {
        e->finders[i].nulls = e->mapping->null_values;
        e->finders[i].null_count = e->mapping->null_value_count;
    }
    if (field->path != NULL)
        return prepare_path(e, i, field->path);
    e->finders[i].is_outside = field->sql == NULL;
    return field->sql != NULL ? 0 : extract_find_outside(e, field, &e->finders[i].found);
}

int extract_prepare_fields(struct extractor *e)
{
    size_t count = e->mapping->field_count;
    size_t columns = e->leading_count + count;

    e->finders = arena_alloc(e->arena, count * sizeof(*e->finders));
    e->columns = arena_alloc(e->arena, columns * sizeof(*e->columns));
    e->cells = arena_alloc(e->arena, columns * sizeof(*e->cells));
    if (e->finders == NULL || e->columns == NULL || e->cells == NULL)
        return -1;
    if (e->leading_count > 0)
        memcpy(e->columns, e->leading, e->leading_count * sizeof(*e->columns));
    e->column_count = e->leading_count;
    for (size_t i = 0; i < count; i++) {
        if (prepare_field(e, i) == -1)
            return -1;
    }
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

static enum contract contract_of_types(const struct extractor *e)
{
    const struct schema_contract *contract = e->mapping->schema_contract;

    return contract == NULL ? CONTRACT_EVOLVE : contract->types;
}

enum extracted extract_misfit(struct extractor *e, const char *reason)
{
    enum contract types = contract_of_types(e);

    if (reason != NULL && types == CONTRACT_DISCARD_VALUE)
        return EXTRACTED_ROW;
    if (types == CONTRACT_FREEZE && e->frozen == NULL)
        e->frozen = reason;
    return extract_reject(e, reason);
}

/* A value that is discarded leaves NULL, but not in a column that promises a value. */
static enum extracted misfit(struct extractor *e, const struct field *field, struct slice json,
                             struct value *cell)
{
    bool discards = contract_of_types(e) == CONTRACT_DISCARD_VALUE;
    const char *reason;

    *cell = (struct value){.type = VALUE_NULL};
    if (discards && !field->required)
        return EXTRACTED_ROW; /* whatever the reason */
    reason = value_misfit_reason(field->name, json, &field->rule, e->arena);
    return discards ? extract_reject(e, reason) : extract_misfit(e, reason);
}

static void put_lack(struct text *out, const struct field *field)
{
    if (field->path != NULL)
        text_format(out, "the record has nothing at %s", jsonpath_text(field->path));
    else if (field->document != NULL)
        text_format(out, "the document has nothing at %s", jsonpath_text(field->document));
    else if (field->header != NULL)
        text_format(out, "the answer has no header %s", field->header);
    else
        text_add(out, "the request has no such number");
}

/* `found` is NULL, null, or what stands for none. */
static enum extracted reject_missing(struct extractor *e, const struct field *field,
                                     const struct node *found)
{
    struct slice json;

    text_clear(&e->scratch);
    text_format(&e->scratch, "column \"%s\" is required, and ", field->name);
    if (found == NULL) {
        put_lack(&e->scratch, field);
    } else {
        if (value_json_text(found, e->arena, &json) == -1)
            return EXTRACTED_NOMEM;
        text_append(&e->scratch, json.data, json.length);
        text_add(&e->scratch, found->type == NODE_NULL ? " is no value" : " stands for none");
    }
    return extract_reject(e, extract_keep_scratch(e));
}

/* What a column holds of a record that has no value for it. */
static enum extracted set_missing(struct extractor *e, const struct field *field,
                                  const struct node *found, struct value *cell)
{
    if (field->required)
        return reject_missing(e, field, found);
    *cell = field->fallback != NULL ? field->fallback->value : (struct value){.type = VALUE_NULL};
    return EXTRACTED_ROW;
}

static bool has_attributes_only(const struct node *object)
{
    for (const struct node *name = object + 1; name < node_end(object);) {
        if (name->length == 0 || *name->text != '@')
            return false;
        name = node_next(node_next(name));
    }
    return object->length > 0;
}

/*
 * What a column of a declared type takes of an XML element that has attributes: its text, or
 * nothing where it has none.
 */
static const struct node *text_of_element(const struct node *node, enum field_type type)
{
    const struct node *text;

    if (node == NULL || node->type != NODE_OBJECT || node->raw_length > 0 ||
        type == FIELD_UNDECLARED || type == FIELD_JSON)
        return node;
    text = node_member(node, (struct slice){"#text", 5});
    return text == NULL && !has_attributes_only(node) ? node : text;
}

enum extracted extract_set_field(struct extractor *e, size_t i, const struct node *found,
                                 struct value *cell)
{
    const struct finder *finder = &e->finders[i];
    const struct field *field = finder->field;
    struct slice json;

    found = text_of_element(found, field->rule.type);
    if (value_is_missing(found, field->rule.type, finder->nulls, finder->null_count))
        return set_missing(e, field, found, cell);
    switch (value_from_node(found, &field->rule, e->arena, cell)) {
    case VALUE_FITS:
        return EXTRACTED_ROW;
    case VALUE_MISFIT:
        if (value_json_text(found, e->arena, &json) == -1)
            return EXTRACTED_NOMEM;
        return misfit(e, field, json, cell);
    case VALUE_NOMEM:
        break;
    }
    return EXTRACTED_NOMEM;
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

static enum extracted fail_too_long(struct extractor *e, const struct field *field)
{
    text_clear(&e->scratch);
    text_format(&e->scratch, "fields.%s: ", field->name);
    jsonpath_explain_too_long(field->path, &e->scratch);
    e->stopped = extract_keep_scratch(e);
    return e->stopped == NULL ? EXTRACTED_NOMEM : EXTRACTED_STOPPED;
}

/* All that a path that may select many finds, as one JSON array. */
static enum extracted set_list(struct extractor *e, const struct field *field,
                               const struct node *record, struct value *cell)
{
    struct node_list nodes;
    struct slice json;

    switch (jsonpath_select(field->path, record, &e->paths, &nodes)) {
    case JSONPATH_OK:
        break;
    case JSONPATH_TOO_LONG:
        return fail_too_long(e, field);
    case JSONPATH_NOMEM:
        return EXTRACTED_NOMEM;
    }
    if (nodes.count == 0)
        return set_missing(e, field, NULL, cell);
    if (write_array(e, &nodes) == -1)
        return EXTRACTED_NOMEM;
    json = (struct slice){text_string(&e->scratch), e->scratch.length};
    if ((field->rule.type != FIELD_UNDECLARED && field->rule.type != FIELD_JSON) ||
        json.length > MOST_VALUE_BYTES)
        return misfit(e, field, json, cell);
    cell->text = arena_copy(e->arena, json.data, json.length);
    cell->length = (uint32_t)json.length;
    cell->type = VALUE_TEXT;
    return cell->text == NULL ? EXTRACTED_NOMEM : EXTRACTED_ROW;
}

/* Forgets what the last record had. What stands beside it is the same in one document. */
static int begin_record(struct extractor *e, const struct node *record)
{
    bool elsewhere = extract_follow_line(e, record);

    for (size_t i = 0; i < e->mapping->field_count; i++) {
        struct finder *finder = &e->finders[i];

        if (!finder->is_outside)
            finder->found = NULL;
        else if (elsewhere && finder->field->document != NULL &&
                 extract_find_outside(e, finder->field, &finder->found) == -1)
            return -1;
    }
    return 0;
}

enum extracted extract_fields(struct extractor *e, const struct node *record)
{
    enum extracted outcome = EXTRACTED_ROW;

    if (begin_record(e, record) == -1)
        return EXTRACTED_NOMEM;
    if (record->type == NODE_OBJECT && walk_members(e, record) == -1)
        return EXTRACTED_NOMEM;
    for (size_t i = 0; i < e->mapping->field_count && outcome == EXTRACTED_ROW; i++) {
        const struct finder *finder = &e->finders[i];
        const struct field *field = finder->field;
        struct value *cell = &e->cells[e->leading_count + i];

        if (field->sql != NULL)
            *cell = (struct value){.type = VALUE_NULL}; /* until it is calculated */
        else if (finder->by_name || finder->is_outside)
            outcome = extract_set_field(e, i, finder->found, cell);
        else if (finder->singular)
            outcome = extract_set_field(e, i, jsonpath_first(field->path, record), cell);
        else
            outcome = set_list(e, field, record, cell);
    }
    return outcome;
}
