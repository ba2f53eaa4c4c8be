/*
 * items.h - the items of a source with for_each: one target of its requests each.
 *
 * An item has a value for each of the list's names, which the request writes as {item.NAME} and the
 * rows carry as _item_NAME. Its key says which item it is from one list to the next: equal values,
 * as text, are the same item. A list is made by one thread, does not change once it is sealed, and
 * is counted from then on, so that runs can borrow from it; any thread may then read, take and drop
 * references.
 */
#ifndef GATHERD_ITEMS_H
#define GATHERD_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/error.h"
#include "gatherd/text.h"

/* Most names of a list, and most bytes that all of it may take. */
#define ITEMS_MAX_NAMES 16
#define ITEMS_MAX_BYTES (64u * 1024 * 1024)

/* The name of a list's only value where nobody gave one. */
#define ITEMS_ONLY_NAME "value"

enum item_value_type { ITEM_VALUE_TEXT, ITEM_VALUE_INTEGER, ITEM_VALUE_REAL };

struct item_value {
    enum item_value_type type;
    struct slice text; /* as it goes into a request; of a number its digits */
    union {
        int64_t integer;
        double real;
    };
};

struct source_item {
    const char *key;
    const struct item_value *values; /* one for each name */
};

struct items {
    const char *const *names;
    size_t name_count;
    struct source_item *list; /* each key once, in the order of the first that had it */
    size_t count;
    size_t left_out; /* rows that have no item in them: NULLs and BLOBs */

    /* items.c only. */
    struct items_parts *parts;
};

/* An empty list with these names, which are copied; it has one reference. NULL: out of memory. */
struct items *items_create(const char *const *names, size_t name_count);

/*
 * Adds an item unless the list has it; the values are copied. 0, or -1: out of memory, or beyond
 * ITEMS_MAX_BYTES.
 */
int items_add(struct items *items, const struct item_value *values, struct error *err);

/* Nothing is added any more: what only that needs is given back. */
void items_seal(struct items *items);

struct items *items_ref(struct items *items);
void items_unref(struct items *items); /* NULL is allowed; the last one frees */

/*
 * The value that {item.NAME} stands for, and {item} where `name` is empty and there is one value
 * alone. NULL: there is none.
 */
const struct item_value *items_value(const struct items *items, const struct source_item *item,
                                     struct slice name);

/*
 * Whether the items have each of these names ("": the only value; NULL ends them). -1 with which
 * one they do not, in words for people.
 */
int items_check_names(const struct items *items, const char *const *names, struct error *err);

/* Appends the values of an item by their names, as a JSON object: {"id":7,"lang":"en"}. */
void items_write_values(const struct items *items, const struct source_item *item,
                        struct text *out);

/*
 * A list of the one item that items_write_values() wrote, with one reference. NULL: out of memory
 * (ERROR_NOMEM), or the text is something else (ERROR_FAILED).
 */
struct items *items_read_values(struct slice json, struct error *err);

/* The place of a name, or items->name_count. */
size_t items_find_name(const struct items *items, struct slice name);

#endif
