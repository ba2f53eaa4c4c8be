/* Values as RFC 9535, 2.3.5.2.2, compares them. */
#include <string.h>

#include "document/jsonpath_walk.h"
#include "document/node_find.h"

#define BYTES_A_STEP 16u /* of texts; each digit of a number is a step */
#define NO_TYPE      (-1)

static int type_of(const struct comparand *value)
{
    if (value->node != NULL)
        return value->node->type;
    return value->counted ? NODE_NUMBER : NO_TYPE;
}

/* --- Numbers --- */

struct number {
    struct decimal decimal;
    struct slice text;
};

static bool number_of(struct evaluation *e, const struct comparand *value, struct number *number)
{
    *number = (struct number){{0}, {NULL, 0}};
    if (value->counted) {
        number->decimal.mantissa = value->count;
        return true;
    }
    number->text = node_slice(value->node);
    if (value->number != NULL) {
        number->decimal = *value->number;
        return true;
    }
    return spend(e, number->text.length) && decimal_read(number->text, &number->decimal);
}

/* Below, equal or above 0; `*ok` false: no numbers, or the evaluation failed. */
static int compare_numbers(struct evaluation *e, const struct comparand *left,
                           const struct comparand *right, bool *ok)
{
    struct number a;
    struct number b;

    *ok = number_of(e, left, &a) && number_of(e, right, &b);
    return *ok ? decimal_compare(&a.decimal, a.text, &b.decimal, b.text) : 0;
}

/* --- Strings --- */

/* By code points: the order of UTF-8's bytes is theirs. */
static int compare_strings(struct slice a, struct slice b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);

    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

static bool spend_on_text(struct evaluation *e, struct slice a, struct slice b)
{
    return spend(e, (a.length < b.length ? a.length : b.length) / BYTES_A_STEP);
}

/* --- Equality --- */

static bool same_nodes(struct evaluation *e, const struct node *a, const struct node *b);

static bool same_arrays(struct evaluation *e, const struct node *a, const struct node *b)
{
    const struct node *left = node_first(a);
    const struct node *right = node_first(b);

    for (uint32_t i = 0; i < a->length; i++) {
        if (!same_nodes(e, left, right))
            return false;
        left = node_next(left);
        right = node_next(right);
    }
    return true;
}

/* The value of the member of `object` with this name; `expected` is the member to look at first. */
static const struct node *find_value(struct evaluation *e, const struct node *object,
                                     const struct node *expected, struct slice name)
{
    if (is_named(expected, name))
        return expected + 1;
    return spend(e, object->length) ? find_member(object, name) : NULL;
}

/* Members in whatever order. They are mostly in the same, so the same place is looked at first. */
static bool same_objects(struct evaluation *e, const struct node *a, const struct node *b)
{
    const struct node *left = node_first(a);
    const struct node *right = node_first(b);

    for (uint32_t i = 0; i < a->length; i++) {
        const struct node *value = find_value(e, b, right, node_slice(left));

        /* Where a name stands twice, as many members need not be the same names. */
        if (value == NULL || !same_nodes(e, left + 1, value) ||
            find_value(e, a, left, node_slice(right)) == NULL)
            return false;
        left = node_next(left + 1);
        right = node_next(right + 1);
    }
    return true;
}

static bool same_nodes(struct evaluation *e, const struct node *a, const struct node *b)
{
    struct comparand left = {.node = a};
    struct comparand right = {.node = b};
    bool ok;

    if (a->type != b->type || !spend(e, STEPS_A_LEAP))
        return false;
    switch ((enum node_type)a->type) {
    case NODE_NUMBER:
        return compare_numbers(e, &left, &right, &ok) == 0 && ok;
    case NODE_STRING:
        return spend_on_text(e, node_slice(a), node_slice(b)) &&
               slice_same(node_slice(a), node_slice(b));
    case NODE_ARRAY:
        return a->length == b->length && same_arrays(e, a, b);
    case NODE_OBJECT:
        return a->length == b->length && same_objects(e, a, b);
    case NODE_NULL:
    case NODE_FALSE:
    case NODE_TRUE:
        break;
    }
    return true;
}

static bool equal(struct evaluation *e, const struct comparand *left, const struct comparand *right)
{
    int type = type_of(left);
    bool ok;

    if (type != type_of(right))
        return false;
    if (type == NO_TYPE)
        return true;
    if (type == NODE_NUMBER)
        return compare_numbers(e, left, right, &ok) == 0 && ok;
    return same_nodes(e, left->node, right->node);
}

/* --- Order --- */

/* Only numbers and strings have an order. */
static bool less(struct evaluation *e, const struct comparand *left, const struct comparand *right)
{
    int type = type_of(left);
    struct slice a;
    struct slice b;
    bool ok;

    if (type != type_of(right))
        return false;
    if (type == NODE_NUMBER)
        return compare_numbers(e, left, right, &ok) < 0 && ok;
    if (type != NODE_STRING)
        return false;
    a = node_slice(left->node);
    b = node_slice(right->node);
    return spend_on_text(e, a, b) && compare_strings(a, b) < 0;
}

bool compare_values(struct evaluation *e, enum comparison comparison, const struct comparand *left,
                    const struct comparand *right)
{
    switch (comparison) {
    case COMPARE_EQUAL:
        return equal(e, left, right);
    case COMPARE_UNEQUAL:
        return !equal(e, left, right);
    case COMPARE_LESS:
        return less(e, left, right);
    case COMPARE_LESS_OR_EQUAL:
        return less(e, left, right) || equal(e, left, right);
    case COMPARE_GREATER:
        return less(e, right, left);
    case COMPARE_GREATER_OR_EQUAL:
        return less(e, right, left) || equal(e, left, right);
    }
    return false;
}
