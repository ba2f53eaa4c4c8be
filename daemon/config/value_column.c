/* Values of a field: what stands for none, its default, and how its times are written. */
#include <string.h>

#include "config/load.h"
#include "config/value_list.h"

/* --- null_values --- */

static bool load_null_value(struct load *load, const struct where *where, struct item *item,
                            struct null_value *null)
{
    struct scalar scalar;
    const char *text;

    if (item->kind == ITEM_SCALAR && item->plain &&
        scalar_class(item->text, item->length) == SCALAR_NULL) {
        load_mistake(load, place_of(load, item), where,
                     "null is no value in any case; write \"\" for the empty text, or remove it");
        return false;
    }
    if (!load_scalar(load, where, item, "a text, number or boolean", &scalar))
        return false;
    text = load_keep(load, scalar.text, scalar.length);
    if (text == NULL)
        return false;
    null_value_set(null, text, scalar.length);
    return true;
}

static bool load_all(struct load *load, const struct where *where, struct item *item,
                     struct null_value *nulls)
{
    bool good = true;
    size_t i = 0;

    if (item->kind == ITEM_SCALAR)
        return load_null_value(load, where, item, &nulls[0]);
    for (const struct entry *e = item->first; e != NULL; e = e->next, i++) {
        struct where here = where_index(where, i);

        good = load_null_value(load, &here, e->value, &nulls[i]) && good;
    }
    return good;
}

/* An empty list of a field says that those of the source do not count: it is no NULL. */
bool load_null_values(struct load *load, const struct where *where, const struct key *key,
                      struct item *item, void *target)
{
    size_t count = count_entries(item);
    struct null_value *nulls;
    bool good;

    if (reuse_list(key, item, target, &good))
        return good;
    if (item->kind == ITEM_MAPPING) {
        refuse_kind_of(load, where, item, key);
        return false;
    }
    if ((int64_t)count > key->high) {
        load_mistake(load, place_of(load, item), where, "%zu are too many; write at most %lld",
                     count, (long long)key->high);
        return false;
    }
    nulls = load_alloc(load, load->arena, (count + 1) * sizeof(nulls[0]));
    good = nulls != NULL && load_all(load, where, item, nulls);
    return finish_list(key, item, target, nulls, count, good);
}

/* --- format --- */

bool load_pattern(struct load *load, const struct where *where, const struct key *key,
                  struct item *item, void *target)
{
    struct error err = {0};
    struct scalar scalar;
    const char *kept;
    size_t offset;

    if (!load_text(load, where, item, "a pattern of strptime(3)", &scalar))
        return false;
    if (timestamp_check_pattern(scalar.text, &offset, &err) == -1) {
        offset = count_characters(scalar.text, offset);
        load_mistake(load, scalar.substituted ? place_of(load, item) : place_in(load, item, offset),
                     where, "%s %s", load_quote_scalar(load, &scalar), err.text);
        return false;
    }
    kept = load_keep(load, scalar.text, scalar.length);
    if (kept == NULL)
        return false;
    store_pointer(key, target, kept);
    return true;
}

/* --- default --- */

/* Numbers that JSON cannot write are text, as they are in a quoted scalar: 007, .inf. */
static bool is_word(const struct scalar *scalar)
{
    struct decimal decimal;

    if (!scalar->plain)
        return false;
    switch (scalar_class(scalar->text, scalar->length)) {
    case SCALAR_BOOLEAN:
        return true;
    case SCALAR_INTEGER:
    case SCALAR_REAL:
        return decimal_read((struct slice){scalar->text, scalar->length}, &decimal);
    default:
        return false;
    }
}

static bool load_word(struct load *load, const struct where *where, struct item *item,
                      struct constant *constant)
{
    struct scalar scalar;

    if (!load_scalar(load, where, item, "a value of the column's type", &scalar))
        return false;
    constant->text = load_keep(load, scalar.text, scalar.length);
    constant->is_word = is_word(&scalar);
    return constant->text != NULL;
}

bool load_constant(struct load *load, const struct where *where, const struct key *key,
                   struct item *item, void *target)
{
    struct constant *constant = load_alloc(load, load->arena, sizeof(*constant));

    if (constant == NULL)
        return false;
    constant->is_json = item->kind != ITEM_SCALAR;
    if (constant->is_json)
        constant->text = load_json(load, where, key, item);
    else if (!load_word(load, where, item, constant))
        return false;
    if (constant->text == NULL)
        return false;
    store_pointer(key, target, constant);
    return true;
}
