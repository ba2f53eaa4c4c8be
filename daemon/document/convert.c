#include "gatherd/convert.h"

#include <string.h>
#include <strings.h>

#include "document/convert_time.h"

static void set_text(struct value *value, struct slice text)
{
    value->type = VALUE_TEXT;
    value->length = (uint32_t)text.length;
    value->text = text.data;
}

/* A number or a string; false: neither. Blanks around a string do not count. */
static bool scalar_text(const struct node *node, struct slice *text)
{
    *text = node_slice(node);
    if (node->type == NODE_STRING)
        *text = slice_trim(*text);
    return node->type == NODE_STRING || node->type == NODE_NUMBER;
}

/* Numbers by JSON's grammar, strings also as others write them. */
static bool read_decimal(const struct node *node, struct slice text, struct decimal *decimal)
{
    return node->type == NODE_NUMBER ? decimal_read(text, decimal)
                                     : decimal_read_freely(text, decimal);
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
    struct slice text;
    int64_t integer;

    if (!scalar_text(node, &text) || (node->type == NODE_STRING && !is_canonical_integer(text)) ||
        !decimal_read(text, &decimal) || !decimal_to_integer(&decimal, &integer))
        return VALUE_MISFIT;
    set_integer(value, integer);
    return VALUE_FITS;
}

static enum value_fit real_value(const struct node *node, struct value *value)
{
    struct decimal decimal;
    struct slice text;
    double real;

    if (!scalar_text(node, &text) || !read_decimal(node, text, &decimal) ||
        !decimal_to_nearest_real(&decimal, text, &real))
        return VALUE_MISFIT;
    set_real(value, real);
    return VALUE_FITS;
}

/* Whether a number that was read freely stands there as decimal_write_plain() would write it. */
static bool is_plain_decimal(struct slice text, const struct decimal *decimal)
{
    const char *digits = text.data + (*text.data == '-');
    const char *end = text.data + text.length;

    if (*text.data == '+' || (decimal->mantissa == 0 && decimal->negative) || digits == end ||
        *digits == '.' || end[-1] == '.' ||
        (*digits == '0' && digits + 1 < end && digits[1] != '.'))
        return false;
    return memchr(text.data, 'e', text.length) == NULL &&
           memchr(text.data, 'E', text.length) == NULL;
}

static enum value_fit decimal_value(const struct node *node, struct arena *arena,
                                    struct value *value)
{
    struct text written = {0};
    struct decimal decimal;
    struct slice text;
    const char *copy;

    if (!scalar_text(node, &text) || !read_decimal(node, text, &decimal))
        return VALUE_MISFIT;
    if (is_plain_decimal(text, &decimal)) {
        set_text(value, text);
        return VALUE_FITS;
    }
    if (!decimal_write_plain(text, &written))
        return VALUE_MISFIT;
    copy = text_failed(&written) ? NULL : arena_copy(arena, text_string(&written), written.length);
    text_free(&written);
    if (copy == NULL)
        return VALUE_NOMEM;
    set_text(value, slice_of(copy));
    return VALUE_FITS;
}

static bool is_word(struct slice text, const char *word)
{
    return text.length == strlen(word) && strncasecmp(text.data, word, text.length) == 0;
}

/* -1: none of the words. */
static int boolean_of_text(struct slice text)
{
    static const char *const words[][2] = {{"false", "true"}, {"0", "1"}, {"no", "yes"},
                                           {"n", "y"},        {"f", "t"}, {"off", "on"}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        for (int truth = 0; truth < 2; truth++) {
            if (is_word(text, words[i][truth]))
                return truth;
        }
    }
    return -1;
}

static enum value_fit boolean_value(const struct node *node, struct value *value)
{
    struct decimal decimal;
    int64_t integer = -1;

    if (node->type == NODE_TRUE || node->type == NODE_FALSE)
        integer = node->type == NODE_TRUE;
    else if (node->type == NODE_STRING)
        integer = boolean_of_text(slice_trim(node_slice(node)));
    else if (node->type != NODE_NUMBER || !decimal_read(node_slice(node), &decimal) ||
             !decimal_to_integer(&decimal, &integer))
        return VALUE_MISFIT;
    if (integer != 0 && integer != 1)
        return VALUE_MISFIT;
    set_integer(value, integer);
    return VALUE_FITS;
}

static enum value_fit blob_value(const struct node *node, enum binary_encoding encoding,
                                 struct arena *arena, struct value *value)
{
    size_t length;
    char *bytes;

    if (node->type != NODE_STRING)
        return VALUE_MISFIT;
    bytes = arena_alloc(arena, binary_room(encoding, node->length));
    if (bytes == NULL)
        return VALUE_NOMEM;
    if (!binary_decode(encoding, node_slice(node), bytes, &length))
        return VALUE_MISFIT;
    *value = (struct value){.type = VALUE_BLOB, .length = (uint32_t)length, .text = bytes};
    return VALUE_FITS;
}

/* Formats of nothing but text have no null: an empty cell stands for it where text is not meant. */
static bool is_no_value(const struct node *node, enum field_type type)
{
    return node->type == NODE_NULL || (node_is_untyped(node) && node->length == 0 &&
                                       type != FIELD_UNDECLARED && type != FIELD_TEXT);
}

enum value_fit value_from_node(const struct node *node, const struct value_rule *rule,
                               struct arena *arena, struct value *value)
{
    value->type = VALUE_NULL;
    value->length = 0;
    if (is_no_value(node, rule->type))
        return VALUE_FITS;
    switch (rule->type) {
    case FIELD_UNDECLARED:
        return undeclared_value(node, arena, value);
    case FIELD_TEXT:
        return text_value(node, value);
    case FIELD_INTEGER:
        return integer_value(node, value);
    case FIELD_REAL:
        return real_value(node, value);
    case FIELD_DECIMAL:
        return decimal_value(node, arena, value);
    case FIELD_BOOLEAN:
        return boolean_value(node, value);
    case FIELD_JSON:
        return json_value(node, arena, value);
    case FIELD_TIMESTAMP:
        return timestamp_value(node, rule, arena, value);
    case FIELD_DURATION:
        return duration_value(node, rule, value);
    case FIELD_BLOB:
        return blob_value(node, rule->encoding, arena, value);
    }
    return VALUE_MISFIT; /* no such type */
}

/* --- Values that mean nothing --- */

void null_value_set(struct null_value *null, const char *text, size_t length)
{
    *null = (struct null_value){.text = text, .length = length};
    null->is_number = decimal_read((struct slice){text, length}, &null->number);
}

static bool is_same_number(const struct node *node, const struct null_value *null)
{
    struct decimal number;

    return null->is_number && decimal_read(node_slice(node), &number) &&
           decimal_equals(&number, &null->number);
}

static bool is_among(const struct node *node, const struct null_value *nulls, size_t count)
{
    struct slice text = node_slice(node);

    if (node_is_container(node))
        return false;
    if (node->type == NODE_TRUE || node->type == NODE_FALSE)
        text = slice_of(node->type == NODE_TRUE ? "true" : "false");
    for (size_t i = 0; i < count; i++) {
        if (slice_same(text, (struct slice){nulls[i].text, nulls[i].length}) ||
            (node->type == NODE_NUMBER && is_same_number(node, &nulls[i])))
            return true;
    }
    return false;
}

bool value_stands_for_none(const struct node *node, enum field_type type,
                           const struct null_value *nulls, size_t count)
{
    return is_no_value(node, type) || is_among(node, nulls, count);
}
