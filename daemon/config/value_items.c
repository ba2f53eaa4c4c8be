/* `values` of for_each: items that stand in the configuration. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "config/masks.h"
#include "config/value_list.h"
#include "gatherd/items.h"

#define MOST_NAME_BYTES 64

/* --- Values. --- */

static bool is_same_integer(const char *text, int64_t integer)
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%lld", (long long)integer);
    return strcmp(text, digits) == 0;
}

/* The column keeps what is written: 007 is no number there, nor is what a double cannot hold. */
static void set_type(const struct scalar *scalar, struct item_value *value)
{
    char *end;

    value->type = ITEM_VALUE_TEXT;
    value->text = (struct slice){scalar->text, scalar->length};
    if (!scalar->plain || scalar->substituted)
        return;
    switch (scalar_class(scalar->text, scalar->length)) {
    case SCALAR_BOOLEAN:
        value->type = ITEM_VALUE_INTEGER;
        value->integer = scalar->text[0] == 't';
        return;
    case SCALAR_INTEGER:
        errno = 0;
        value->integer = strtoll(scalar->text, NULL, 10);
        if (errno == 0 && is_same_integer(scalar->text, value->integer))
            value->type = ITEM_VALUE_INTEGER;
        return;
    case SCALAR_REAL:
        errno = 0;
        value->real = strtod(scalar->text, &end);
        if (errno == 0 && *end == '\0' && scalar->length <= 15)
            value->type = ITEM_VALUE_REAL;
        return;
    default:
        return;
    }
}

static bool read_value(struct load *load, const struct where *where, struct item *item,
                       struct item_value *value, bool *substituted)
{
    struct scalar scalar;

    if (!load_scalar(load, where, item, "a text, number or boolean", &scalar))
        return false;
    set_type(&scalar, value);
    *substituted = scalar.substituted;
    return true;
}

/* --- Names: those of the first mapping are those of all. --- */

struct names {
    const char *list[ITEMS_MAX_NAMES];
    size_t count;
    const struct item *first; /* mapping; NULL: the items are plain values */
};

/* What can stand behind the dot of {item.NAME}. */
static bool check_name(struct load *load, const struct where *where, const struct item *name)
{
    size_t good = strspn(name->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789_-.");

    if (good == name->length && good > 0 && good <= MOST_NAME_BYTES)
        return true;
    load_mistake(load, place_of(load, name), where,
                 "%s is no name for {item.NAME}; use up to %d letters, digits, _ - and .",
                 load_quote(load, name->text, name->length), MOST_NAME_BYTES);
    return false;
}

static bool read_names(struct load *load, const struct where *where, struct item *mapping,
                       struct names *names)
{
    bool good = true;

    load_resolve(load, where, mapping);
    if (mapping->first == NULL || count_entries(mapping) > ITEMS_MAX_NAMES) {
        load_mistake(load, place_of(load, mapping), where,
                     "has %s; write 1 to %d names with their values",
                     mapping->first == NULL ? "no value" : "too many values", ITEMS_MAX_NAMES);
        return false;
    }
    names->first = mapping;
    for (const struct entry *e = mapping->first; e != NULL; e = e->next) {
        struct where here = where_text(where, e->key->text, e->key->length);

        good = check_name(load, &here, e->key) && good;
        names->list[names->count++] = e->key->text;
    }
    return good;
}

/* --- Items. --- */

struct reading {
    struct load *load;
    struct names names;
    struct items *items;
};

static bool add(struct reading *r, const struct item_value *values)
{
    if (items_add(r->items, values, NULL) == 0)
        return true;
    load_out_of_memory(r->load); /* a file is far below ITEMS_MAX_BYTES */
    return false;
}

static size_t find_name(const struct names *names, const struct item *name)
{
    size_t i = 0;

    while (i < names->count &&
           !slice_equals((struct slice){name->text, name->length}, names->list[i]))
        i++;
    return i;
}

/* Whatever else a variable may be needed for: what holds a secret stays out of the database. */
static bool refuse_secret(struct load *load, const struct where *where, const struct entry *e)
{
    if (!is_secret_name(e->key->text, e->key->length))
        return true;
    load_mistake(load, place_of(load, e->value), where,
                 "items are kept in the database, which is no place for a secret; poll with a "
                 "source for each, with auth");
    return false;
}

static bool read_named(struct reading *r, const struct where *where, const struct entry *e,
                       struct item_value *values, bool *there)
{
    struct where here = where_text(where, e->key->text, e->key->length);
    size_t i = find_name(&r->names, e->key);
    bool substituted;

    if (i == r->names.count) {
        load_mistake(r->load, place_of(r->load, e->key), &here,
                     "the first item, in line %u, has no such name; all have the same",
                     r->names.first->line);
        return false;
    }
    there[i] = true;
    return read_value(r->load, &here, e->value, &values[i], &substituted) &&
           (!substituted || refuse_secret(r->load, &here, e));
}

static bool read_mapping(struct reading *r, const struct where *where, struct item *mapping)
{
    struct item_value values[ITEMS_MAX_NAMES] = {0};
    bool there[ITEMS_MAX_NAMES] = {0};
    bool good = true;

    load_resolve(r->load, where, mapping);
    for (const struct entry *e = mapping->first; e != NULL; e = e->next)
        good = read_named(r, where, e, values, there) && good;
    for (size_t i = 0; i < r->names.count && good; i++) {
        if (there[i])
            continue;
        load_mistake(r->load, place_of(r->load, mapping), where,
                     "has no %s, which the first item, in line %u, has; all have the same names",
                     load_quote(r->load, r->names.list[i], strlen(r->names.list[i])),
                     r->names.first->line);
        good = false;
    }
    return good && add(r, values);
}

static bool read_item(struct reading *r, const struct where *where, struct item *item)
{
    struct item_value value = {0};
    bool substituted;

    if (r->names.first != NULL && item->kind == ITEM_MAPPING)
        return read_mapping(r, where, item);
    if (r->names.first == NULL && item->kind == ITEM_SCALAR)
        return read_value(r->load, where, item, &value, &substituted) && add(r, &value);
    load_mistake(r->load, place_of(r->load, item), where,
                 "found %s; write %s, as the first item is", item_words(item),
                 r->names.first != NULL ? "a mapping" : "a value");
    return false;
}

static bool read_all(struct reading *r, const struct where *where, const struct item *list)
{
    bool good = true;
    size_t i = 0;

    for (const struct entry *e = list->first; e != NULL; e = e->next) {
        struct where here = where_index(where, i++);

        good = read_item(r, &here, e->value) && good;
    }
    items_seal(r->items);
    return good;
}

static bool begin_list(struct reading *r, const struct where *where, const struct item *list)
{
    struct config_owner *owner = r->load->owner;
    struct where first = where_index(where, 0);

    if (list->first != NULL && list->first->value->kind == ITEM_MAPPING) {
        if (!read_names(r->load, &first, list->first->value, &r->names))
            return false;
    } else {
        r->names.list[r->names.count++] = ITEMS_ONLY_NAME;
    }
    if (!load_room(r->load, &owner->items, owner->items_count, &owner->items_capacity,
                   sizeof(owner->items[0])))
        return false;
    r->items = items_create(r->names.list, r->names.count);
    if (r->items == NULL) {
        load_out_of_memory(r->load);
        return false;
    }
    owner->items[owner->items_count++] = r->items;
    return true;
}

/* An alias may bring one list to several sources. */
bool load_items(struct load *load, const struct where *where, const struct key *key,
                struct item *item, void *target)
{
    struct reading reading = {.load = load};

    if (item->kind != ITEM_LIST) {
        refuse_kind_of(load, where, item, key);
        return false;
    }
    if (item->parsed_by != key) {
        item->parsed_by = key;
        item->parsed = begin_list(&reading, where, item) && read_all(&reading, where, item)
                           ? reading.items
                           : NULL;
    }
    if (item->parsed == NULL)
        return false;
    store_pointer(key, target, item->parsed);
    return true;
}
