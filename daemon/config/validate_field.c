/* Rules that bind the keys of one field, and the value of its default. */
#include <string.h>

#include "config/load.h"

static struct where where_row(const struct where *where, unsigned row)
{
    return where_key(where, field_key_set.keys[row].name);
}

static bool refuse(struct load *load, const struct where *where, const struct given *given,
                   unsigned row, const char *problem)
{
    struct where here = where_row(where, row);

    load_mistake(load, place_of(load, given->at[row]), &here, "%s", problem);
    return false;
}

/* --- Keys that belong to a type --- */

struct belonging {
    unsigned row;
    enum field_type types[2];
    const char *problem;
};

static const struct belonging belongings[] = {
    {FIELD_KEY_UNIT,
     {FIELD_TIMESTAMP, FIELD_DURATION},
     "only a timestamp and a duration have a unit; add type: timestamp or type: duration, or "
     "remove it"},
    {FIELD_KEY_FORMAT,
     {FIELD_TIMESTAMP, FIELD_TIMESTAMP},
     "only a timestamp has a format; add type: timestamp, or remove it"},
    {FIELD_KEY_TIMEZONE,
     {FIELD_TIMESTAMP, FIELD_TIMESTAMP},
     "only a timestamp has a time zone; add type: timestamp, or remove it"},
    {FIELD_KEY_ENCODING,
     {FIELD_BLOB, FIELD_BLOB},
     "only a blob has an encoding; add type: blob, or remove it"},
};

static bool check_belongings(struct load *load, const struct where *where,
                             const struct field *field, const struct given *given)
{
    bool good = true;

    if (!is_sound(given, FIELD_KEY_TYPE))
        return true;
    for (size_t i = 0; i < sizeof(belongings) / sizeof(belongings[0]); i++) {
        const struct belonging *b = &belongings[i];

        if (is_given(given, b->row) && field->rule.type != b->types[0] &&
            field->rule.type != b->types[1])
            good = refuse(load, where, given, b->row, b->problem);
    }
    return good;
}

static bool check_zone(struct load *load, const struct where *where, const struct field *field,
                       const struct given *given)
{
    if (!is_given(given, FIELD_KEY_TIMEZONE) || !is_given(given, FIELD_KEY_FORMAT) ||
        !timestamp_pattern_has_zone(field->rule.format))
        return true;
    return refuse(load, where, given, FIELD_KEY_TIMEZONE,
                  "the format says itself which zone its times are in; remove one of the two");
}

/* --- default --- */

/* The node that a value from an API would be. */
static struct node node_of(const struct constant *constant)
{
    struct node node = {.type = NODE_STRING,
                        .length = (uint32_t)strlen(constant->text),
                        .span = 1,
                        .text = constant->text};

    if (node.length == 0) { /* one of a format without types would be as good as null */
        node.raw = "\"\"";
        node.raw_length = 2;
    } else if (constant->is_json) {
        node.type = constant->text[0] == '{' ? NODE_OBJECT : NODE_ARRAY;
        node.raw = constant->text;
        node.raw_length = node.length;
    } else if (constant->is_word && constant->text[0] == 't') {
        node.type = NODE_TRUE;
    } else if (constant->is_word && constant->text[0] == 'f') {
        node.type = NODE_FALSE;
    } else if (constant->is_word) {
        node.type = NODE_NUMBER;
        node.integer = strpbrk(constant->text, ".eE") == NULL;
    }
    return node;
}

static void refuse_default(struct load *load, const struct where *where, const struct field *field,
                           const struct node *node, struct item *item)
{
    struct where here = where_row(where, FIELD_KEY_DEFAULT);
    struct scalar scalar = {.item = item};
    struct text problem = {0};
    struct text json = {0};

    node_write_json(node, &json);
    value_put_misfit(&problem, (struct slice){text_string(&json), json.length}, &field->rule);
    if (text_failed(&json) || text_failed(&problem))
        load_out_of_memory(load);
    else
        load_mistake(load, place_of(load, item), &here,
                     strchr(text_string(&problem), ';') != NULL
                         ? "%s %s"
                         : "%s %s; write a default of the column's type",
                     item->kind == ITEM_SCALAR ? load_quote_scalar(load, &scalar)
                                               : item_words(item),
                     text_string(&problem));
    text_free(&problem);
    text_free(&json);
}

/* A default goes through the same door as what comes. */
static bool set_default(struct load *load, const struct where *where, struct field *field,
                        struct item *item)
{
    struct constant *constant = (struct constant *)field->fallback; /* made while it was read */
    struct node node = node_of(constant);

    switch (value_from_node(&node, &field->rule, load->arena, &constant->value)) {
    case VALUE_FITS:
        return true;
    case VALUE_MISFIT:
        refuse_default(load, where, field, &node, item);
        return false;
    case VALUE_NOMEM:
        break;
    }
    load_out_of_memory(load);
    return false;
}

static bool check_default(struct load *load, const struct where *where, struct field *field,
                          const struct given *given)
{
    if (!is_given(given, FIELD_KEY_DEFAULT))
        return true;
    if (field->required && is_given(given, FIELD_KEY_REQUIRED))
        return refuse(load, where, given, FIELD_KEY_DEFAULT,
                      "a default stands in for what is missing, so required has no use; remove one "
                      "of the two");
    for (unsigned row = FIELD_KEY_TYPE; row <= FIELD_KEY_ENCODING; row++) {
        if (!is_sound(given, row)) /* what the default has to be is not known */
            return true;
    }
    return set_default(load, where, field, given->at[FIELD_KEY_DEFAULT]);
}

bool check_field(struct load *load, const struct where *where, struct field *field,
                 const struct given *given)
{
    bool good = check_belongings(load, where, field, given);

    if (field->rule.type == FIELD_BLOB && field->rule.encoding == BINARY_NONE)
        field->rule.encoding = BINARY_BASE64;
    good = check_zone(load, where, field, given) && good;
    return good && check_default(load, where, field, given);
}
