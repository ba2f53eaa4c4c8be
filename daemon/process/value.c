#include "process/value.h"

#include <stdio.h>
#include <string.h>

#include "gatherd/clock.h"
#include "gatherd/decimal.h"
#include "gatherd/timestamp.h"

static void set_text(struct value *value, struct slice text)
{
    value->type = VALUE_TEXT;
    value->length = (uint32_t)text.length;
    value->text = text.data;
}

static void set_integer(struct value *value, int64_t integer)
{
    value->type = VALUE_INTEGER;
    value->integer = integer;
}

static void set_real(struct value *value, double real)
{
    value->type = VALUE_REAL;
    value->real = real;
}

int value_json_text(const struct node *node, struct arena *arena, struct slice *json)
{
    struct text written = {0};
    char *copy;

    if (node->raw_length > 0) {
        *json = (struct slice){node->raw, node->raw_length};
        return 0;
    }
    node_write_json(node, &written);
    copy = text_failed(&written) || written.length > UINT32_MAX
               ? NULL
               : arena_copy(arena, text_string(&written), written.length);
    *json = (struct slice){copy, copy == NULL ? 0 : written.length};
    text_free(&written);
    return copy == NULL ? -1 : 0;
}

static enum value_fit json_value(const struct node *node, struct arena *arena, struct value *value)
{
    struct slice json;

    if (value_json_text(node, arena, &json) == -1)
        return VALUE_NOMEM;
    set_text(value, json);
    return VALUE_FITS;
}

/* Digits with or without a minus, as JSON writes integers; false: more than 64 bits hold. */
static bool read_integer(const struct node *node, int64_t *integer)
{
    const char *p = node->text;
    const char *end = p + node->length;
    bool negative = *p == '-';
    uint64_t n = 0;

    p += negative;
    if (end - p > 19)
        return false;
    for (; p < end; p++) /* 19 digits stay below 10^19, and 64 bits reach beyond */
        n = n * 10 + (uint64_t)(*p - '0');
    if (n > (uint64_t)INT64_MAX + negative)
        return false;
    *integer = (int64_t)(negative ? -n : n);
    return true;
}

static void undeclared_number(const struct node *node, struct value *value)
{
    struct decimal decimal;
    int64_t integer;
    double real;

    if (node->integer && read_integer(node, &integer))
        set_integer(value, integer);
    else if (!node->integer && decimal_read(node_slice(node), &decimal) &&
             decimal_to_exact_real(&decimal, &real))
        set_real(value, real);
    else
        set_text(value, node_slice(node));
}

static enum value_fit undeclared_value(const struct node *node, struct arena *arena,
                                       struct value *value)
{
    switch (node->type) {
    case NODE_NUMBER:
        undeclared_number(node, value);
        return VALUE_FITS;
    case NODE_STRING:
        set_text(value, node_slice(node));
        return VALUE_FITS;
    case NODE_FALSE:
    case NODE_TRUE:
        set_integer(value, node->type == NODE_TRUE);
        return VALUE_FITS;
    default:
        return json_value(node, arena, value);
    }
}

static enum value_fit text_value(const struct node *node, struct value *value)
{
    switch (node->type) {
    case NODE_STRING:
    case NODE_NUMBER:
        set_text(value, node_slice(node));
        return VALUE_FITS;
    case NODE_FALSE:
    case NODE_TRUE:
        set_text(value, slice_of(node->type == NODE_TRUE ? "true" : "false"));
        return VALUE_FITS;
    default:
        return VALUE_MISFIT;
    }
}

/* The one way to write an integer: no plus, no leading zero, no -0, no fraction, no exponent. */
static bool is_canonical_integer(struct slice text)
{
    const char *p = text.data;
    const char *end = p + text.length;

    if (p < end && *p == '-')
        p++;
    if (p == end || (*p == '0' && text.length > 1))
        return false;
    for (; p < end; p++) {
        if (*p < '0' || *p > '9')
            return false;
    }
    return true;
}

void value_as_key(struct value *value)
{
    struct slice text = {value->text, value->length};
    struct decimal decimal;
    int64_t integer;

    if (value->type != VALUE_TEXT || !is_canonical_integer(text))
        return;
    if (decimal_read(text, &decimal) && decimal_to_integer(&decimal, &integer))
        set_integer(value, integer);
}

static enum value_fit integer_value(const struct node *node, struct value *value)
{
    struct decimal decimal;
    int64_t integer;

    if (node->type != NODE_NUMBER &&
        !(node->type == NODE_STRING && is_canonical_integer(node_slice(node))))
        return VALUE_MISFIT;
    if (!decimal_read(node_slice(node), &decimal) || !decimal_to_integer(&decimal, &integer))
        return VALUE_MISFIT;
    set_integer(value, integer);
    return VALUE_FITS;
}

static enum value_fit real_value(const struct node *node, struct value *value)
{
    struct decimal decimal;
    double real;

    if (node->type != NODE_NUMBER && node->type != NODE_STRING)
        return VALUE_MISFIT;
    if (!decimal_read(node_slice(node), &decimal) ||
        !decimal_to_nearest_real(&decimal, node_slice(node), &real))
        return VALUE_MISFIT;
    set_real(value, real);
    return VALUE_FITS;
}

static enum value_fit boolean_value(const struct node *node, struct value *value)
{
    int64_t integer;

    if (node->type == NODE_TRUE || node->type == NODE_FALSE)
        integer = node->type == NODE_TRUE;
    else if (node->type == NODE_STRING && slice_equals(node_slice(node), "true"))
        integer = 1;
    else if (node->type == NODE_STRING && slice_equals(node_slice(node), "false"))
        integer = 0;
    else if (node->type != NODE_NUMBER || !node->integer || !read_integer(node, &integer) ||
             (integer != 0 && integer != 1))
        return VALUE_MISFIT;
    set_integer(value, integer);
    return VALUE_FITS;
}

static enum value_fit timestamp_value(const struct node *node, enum time_unit unit,
                                      struct arena *arena, struct value *value)
{
    struct decimal decimal;
    int64_t wall_ms;
    char *text;

    if (node->type == NODE_NUMBER) {
        if (!decimal_read(node_slice(node), &decimal) ||
            !timestamp_from_number(&decimal, unit, &wall_ms))
            return VALUE_MISFIT;
    } else if (node->type != NODE_STRING || !timestamp_from_text(node_slice(node), &wall_ms)) {
        return VALUE_MISFIT;
    }
    text = arena_alloc(arena, CLOCK_TEXT_SIZE);
    if (text == NULL)
        return VALUE_NOMEM;
    set_text(value, slice_of(clock_format(wall_ms, text)));
    return VALUE_FITS;
}

/* Formats of nothing but text have no null: an empty cell stands for it where text is not meant. */
static bool is_no_value(const struct node *node, enum field_type type)
{
    return node_is_untyped(node) && node->length == 0 && type != FIELD_UNDECLARED &&
           type != FIELD_TEXT;
}

enum value_fit value_from_node(const struct node *node, enum field_type type, enum time_unit unit,
                               struct arena *arena, struct value *value)
{
    value->type = VALUE_NULL;
    value->length = 0;
    if (node->type == NODE_NULL || is_no_value(node, type))
        return VALUE_FITS;
    switch (type) {
    case FIELD_UNDECLARED:
        return undeclared_value(node, arena, value);
    case FIELD_TEXT:
        return text_value(node, value);
    case FIELD_INTEGER:
        return integer_value(node, value);
    case FIELD_REAL:
        return real_value(node, value);
    case FIELD_BOOLEAN:
        return boolean_value(node, value);
    case FIELD_JSON:
        return json_value(node, arena, value);
    case FIELD_TIMESTAMP:
        return timestamp_value(node, unit, arena, value);
    }
    return VALUE_MISFIT; /* no such type */
}

#define SHOWN_BYTES 60

/* Bytes to show of a long value: not more than fit, and no character cut in two. */
static int shown_length(struct slice json)
{
    size_t length = json.length;

    if (length > SHOWN_BYTES) {
        length = SHOWN_BYTES;
        while (length > 0 && ((unsigned char)json.data[length] & 0xc0) == 0x80)
            length--;
    }
    return (int)length;
}

static const char *misfit(struct slice json, enum field_type type, enum time_unit unit)
{
    char first = json.length == 0 ? '\0' : json.data[0];
    bool number = first == '-' || (first >= '0' && first <= '9');
    struct decimal decimal;

    switch (type) {
    case FIELD_TEXT:
        return "is not text";
    case FIELD_INTEGER:
        if (number && decimal_read(json, &decimal) && decimal.exponent < 0)
            return "is not an integer";
        return number ? "is not an integer of 64 bits" : "is not an integer";
    case FIELD_REAL:
        return number ? "is beyond the range of a real" : "is not a real";
    case FIELD_BOOLEAN:
        return "is not a boolean";
    case FIELD_TIMESTAMP:
        if (number && unit == TIME_UNIT_NONE)
            return "is not a timestamp without a unit; set unit to s, ms, us or ns";
        return "is not a timestamp";
    default:
        return "does not fit";
    }
}

const char *value_misfit_reason(const char *column, struct slice json, enum field_type type,
                                enum time_unit unit, struct arena *arena)
{
    int shown = shown_length(json);
    const char *why = misfit(json, type, unit);
    size_t size = strlen(column) + strlen(why) + (size_t)shown + sizeof("column \"\": ... ");
    char *reason = arena_alloc(arena, size);

    if (reason != NULL)
        snprintf(reason, size, "column \"%s\": %.*s%s %s", column, shown, json.data,
                 (size_t)shown < json.length ? "..." : "", why);
    return reason;
}
