/* What is calculated for a row: the fields with sql, and whether `where` lets it in. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "gatherd/column_name.h"
#include "gatherd/computer.h"
#include "gatherd/convert.h"
#include "gatherd/json.h"
#include "process/extractor.h"

/* How well a column answers to a name that an expression writes; the best one is meant. */
enum likeness {
    UNLIKE,
    LIKE_COLUMN, /* it is the name that the member's column has in the database */
    LIKE_FOLDED, /* ... the member's own but for the case of ASCII letters */
    LIKE_EXACT,
};

/* A column that an expression reads. */
struct reading {
    size_t expression;
    size_t column; /* among those of the expression */
    struct slice name;
    enum likeness likeness; /* of the place that was found */
};

struct calculator {
    const struct computation *computation;
    struct calculations *calculations;
    uint32_t **places; /* for each expression, of the columns it reads */
    struct reading *readings;
    size_t reading_count;
    size_t seen; /* columns of the row that have been held against them */
};

/* --- Which columns are meant. --- */

static bool is_folded(struct slice member, struct slice name)
{
    if (member.length != name.length)
        return false;
    for (size_t i = 0; i < name.length; i++) {
        char a = member.data[i];
        char b = name.data[i];

        a = (char)(a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a);
        b = (char)(b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b);
        if (a != b)
            return false;
    }
    return true;
}

static enum likeness likeness_of(struct slice member, struct slice name)
{
    char column[NAME_SIZE];

    if (slice_same(member, name))
        return LIKE_EXACT;
    if (is_folded(member, name))
        return LIKE_FOLDED;
    if (member.length + 1 < name.length || name.length > NAME_MAX_BYTES)
        return UNLIKE; /* a column's name is not longer than its member's, but for a `_` */
    return is_folded((struct slice){column, name_from_member(member, column)}, name) ? LIKE_COLUMN
                                                                                     : UNLIKE;
}

/* Columns come with the records that have them. */
static void look_at_columns(struct extractor *e, struct calculator *c)
{
    for (; c->seen < e->column_count; c->seen++) {
        for (size_t i = 0; i < c->reading_count; i++) {
            struct reading *reading = &c->readings[i];
            enum likeness likeness = likeness_of(e->columns[c->seen].name, reading->name);

            if (likeness <= reading->likeness)
                continue;
            reading->likeness = likeness;
            c->places[reading->expression][reading->column] = (uint32_t)c->seen;
        }
    }
}

void extract_forget_columns(struct extractor *e)
{
    struct calculator *c = e->calculator;

    if (c == NULL || c->seen <= e->column_count)
        return;
    for (size_t i = 0; i < c->reading_count; i++) {
        c->readings[i].likeness = UNLIKE;
        c->places[c->readings[i].expression][c->readings[i].column] = NO_CELL;
    }
    c->seen = 0;
}

/* --- Preparing. --- */

static int prepare_expression(struct extractor *e, struct calculator *c, size_t i)
{
    const struct expression *expression = &c->computation->expressions.list[i];

    c->places[i] = arena_alloc(e->arena, expression->column_count * sizeof(*c->places[i]));
    if (c->places[i] == NULL)
        return -1;
    for (size_t n = 0; n < expression->column_count; n++) {
        c->places[i][n] = NO_CELL;
        c->readings[c->reading_count++] = (struct reading){
            .expression = i, .column = n, .name = slice_of(expression->columns[n].name)};
    }
    return 0;
}

static int prepare_readings(struct extractor *e, struct calculator *c)
{
    const struct expression_set *set = &c->computation->expressions;
    size_t count = 0;

    for (size_t i = 0; i < set->count; i++)
        count += set->list[i].column_count;
    c->places = arena_alloc(e->arena, set->count * sizeof(*c->places));
    c->readings = arena_alloc(e->arena, count * sizeof(*c->readings));
    if (c->places == NULL || c->readings == NULL)
        return -1;
    for (size_t i = 0; i < set->count; i++) {
        if (prepare_expression(e, c, i) == -1)
            return -1;
    }
    return 0;
}

/* Nothing can be made of the whole response. */
static int stop(struct extractor *e, const struct error *err)
{
    e->stopped = arena_copy(e->arena, err->text, strlen(err->text));
    return e->stopped == NULL ? -1 : 0;
}

int extract_prepare_computed(struct extractor *e)
{
    const struct computation *computation = e->mapping->computation;
    struct error err = {0};
    struct calculator *c;

    if (computation == NULL)
        return 0;
    assert(e->computer != NULL);
    c = arena_alloc(e->arena, sizeof(*c));
    if (c == NULL)
        return -1;
    *c = (struct calculator){.computation = computation};
    c->calculations = computer_prepare(e->computer, &computation->expressions, &err);
    if (c->calculations == NULL)
        return err.code == ERROR_NOMEM ? -1 : stop(e, &err);
    if (prepare_readings(e, c) == -1)
        return -1;
    e->calculator = c;
    return 0;
}

/* --- A value to its cell. --- */

/* The text of a number, as JSON would have it. SQLite's reals are finite or infinite. */
static int write_number(const struct value *value, char *text, size_t size)
{
    int length;

    if (value->type == VALUE_INTEGER)
        return snprintf(text, size, "%lld", (long long)value->integer);
    length = snprintf(text, size, "%.17g", value->real);
    for (int digits = 15; digits < 17; digits++) {
        char shorter[40];
        double back;

        snprintf(shorter, sizeof(shorter), "%.*g", digits, value->real);
        if (sscanf(shorter, "%lf", &back) == 1 && back == value->real)
            return snprintf(text, size, "%s", shorter);
    }
    return length;
}

static int make_number(struct extractor *e, const struct value *value, struct node *node)
{
    char text[40];
    int length = write_number(value, text, sizeof(text));

    *node = (struct node){.type = NODE_NUMBER,
                          .integer = value->type == VALUE_INTEGER,
                          .length = (uint32_t)length,
                          .span = 1};
    node->text = arena_copy(e->arena, text, (size_t)length);
    node->raw = node->text;
    node->raw_length = node->length;
    return node->text == NULL ? -1 : 0;
}

static enum extracted misfit(struct extractor *e, size_t field, const char *what,
                             struct value *cell)
{
    *cell = (struct value){.type = VALUE_NULL};
    text_clear(&e->scratch);
    text_format(&e->scratch, "column \"%s\": %s", e->mapping->fields[field].name, what);
    return extract_misfit(e, extract_keep_scratch(e));
}

/* Text of a column of type json is JSON, as that of json_object() is. */
static enum extracted set_json(struct extractor *e, size_t field, struct slice text,
                               struct value *cell)
{
    const struct node *root;
    struct json_error error;

    switch (json_read(text.data, text.length, e->arena, &root, &error)) {
    case JSON_OK:
        return extract_set_field(e, field, root, cell);
    case JSON_NOMEM:
        return EXTRACTED_NOMEM;
    default:
        return misfit(e, field, "the value is no JSON; write json_quote() around a text", cell);
    }
}

static enum extracted set_text(struct extractor *e, size_t field, const struct value *value,
                               struct value *cell)
{
    const char *copy = arena_copy(e->arena, value->text, value->length);
    struct node node = {.type = NODE_STRING, .length = value->length, .span = 1, .text = copy};

    if (copy == NULL)
        return EXTRACTED_NOMEM;
    if (e->mapping->fields[field].rule.type == FIELD_JSON)
        return set_json(e, field, (struct slice){copy, value->length}, cell);
    return extract_set_field(e, field, &node, cell);
}

/* Bytes have no JSON: they are for columns that take what comes. */
static enum extracted set_blob(struct extractor *e, size_t field, const struct value *value,
                               struct value *cell)
{
    enum field_type type = e->mapping->fields[field].rule.type;

    if (type != FIELD_UNDECLARED && type != FIELD_BLOB)
        return misfit(e, field, "the value is a BLOB, and the column has another type", cell);
    *cell = *value;
    cell->text = arena_copy(e->arena, value->text, value->length);
    return cell->text == NULL ? EXTRACTED_NOMEM : EXTRACTED_ROW;
}

/* A number of an undeclared column stays what SQLite made it: 5.0 is a real. */
static bool is_as_declared(const struct extractor *e, size_t field, const struct value *value)
{
    enum field_type type = e->mapping->fields[field].rule.type;

    if ((value->type != VALUE_INTEGER && value->type != VALUE_REAL) ||
        e->finders[field].null_count > 0)
        return false;
    return type == FIELD_UNDECLARED ||
           type == (value->type == VALUE_INTEGER ? FIELD_INTEGER : FIELD_REAL);
}

/* By way of a node, a value that was calculated meets what a value that came meets. */
static enum extracted set_cell(struct extractor *e, size_t field, const struct value *value,
                               struct value *cell)
{
    struct node node = {.type = NODE_NULL, .span = 1};

    if (is_as_declared(e, field, value)) {
        *cell = *value;
        return EXTRACTED_ROW;
    }
    switch ((enum value_type)value->type) {
    case VALUE_TEXT:
        return set_text(e, field, value, cell);
    case VALUE_BLOB:
        return set_blob(e, field, value, cell);
    case VALUE_INTEGER:
    case VALUE_REAL:
        if (make_number(e, value, &node) == -1)
            return EXTRACTED_NOMEM;
        break;
    case VALUE_NULL:
        break;
    }
    return extract_set_field(e, field, &node, cell);
}

/* --- A row. --- */

static enum extracted refuse(struct extractor *e, size_t field, const struct error *err)
{
    text_clear(&e->scratch);
    if (field == COMPUTED_WHERE)
        text_add(&e->scratch, "where: ");
    else
        text_format(&e->scratch, "column \"%s\": ", e->mapping->fields[field].name);
    text_visible(&e->scratch, err->text, strlen(err->text));
    return extract_reject(e, extract_keep_scratch(e));
}

static enum extracted compute(struct extractor *e, size_t i)
{
    struct calculator *c = e->calculator;
    size_t field = c->computation->fields[i];
    struct error err = {0};
    struct value value;

    switch (computer_evaluate(c->calculations, i, e->cells, e->column_count, c->places[i], &value,
                              &err)) {
    case COMPUTED:
        break;
    case COMPUTED_NOTHING:
        return refuse(e, field, &err);
    case COMPUTED_STOPPED:
        return stop(e, &err) == -1 ? EXTRACTED_NOMEM : EXTRACTED_STOPPED;
    case COMPUTED_NOMEM:
        return EXTRACTED_NOMEM;
    }
    if (field == COMPUTED_WHERE)
        return value.integer != 0 ? EXTRACTED_ROW : EXTRACTED_FILTERED;
    return set_cell(e, field, &value, &e->cells[e->leading_count + field]);
}

enum extracted extract_computed(struct extractor *e)
{
    enum extracted outcome = EXTRACTED_ROW;

    if (e->calculator == NULL)
        return EXTRACTED_ROW;
    look_at_columns(e, e->calculator);
    for (size_t i = 0;
         i < e->calculator->computation->expressions.count && outcome == EXTRACTED_ROW; i++)
        outcome = compute(e, i);
    return outcome;
}
