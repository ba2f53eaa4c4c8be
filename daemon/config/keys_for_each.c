/* The keys of `for_each`, and what binds them. */
#include <string.h>

#include "config/key_row.h"
#include "config/load.h"
#include "gatherd/items.h"

#define MOST_SQL_BYTES (64 * KIB)

enum for_each_key {
    KEY_VALUES,
    KEY_SQL,
    KEY_SOURCE,
    KEY_FIELDS,
    KEY_MAX_ITEMS,
    KEY_TIMEOUT,
};

static const struct key for_each_keys[] = {
    [KEY_VALUES] = {.name = "values",
                    .kind = KIND_ITEMS,
                    TO(struct for_each, values),
                    .instead = "none",
                    .about = "The items themselves: values, each {item}, or mappings of names to "
                             "values, each {item.NAME}. They are kept in the database.",
                    .example = "[{\"id\": 7, \"lang\": \"en\"}, {\"id\": 8, \"lang\": \"fr\"}]"},
    [KEY_SQL] = {.name = "sql",
                 .kind = KIND_TEXT,
                 TO(struct for_each, sql),
                 RANGE(1, MOST_SQL_BYTES),
                 .instead = "none",
                 .about = "A statement that reads from the database; each of its rows is an item, "
                          "each of its columns a value.",
                 .example = "SELECT id FROM repositories WHERE archived = 0"},
    [KEY_SOURCE] = {.name = "source",
                    .kind = KIND_NAME,
                    TO(struct for_each, source),
                    RANGE(1, 128),
                    .instead = "none",
                    .about = "The source whose rows are the items.",
                    .example = "repositories"},
    [KEY_FIELDS] = {.name = "fields",
                    .kind = KIND_NAMES,
                    LIST_TO(struct for_each, fields, field_count),
                    RANGE(1, ITEMS_MAX_NAMES),
                    .instead = "needed with source",
                    .about = "Which of its columns: an item is each combination of values that "
                             "they have.",
                    .example = "[\"id\"]"},
    [KEY_MAX_ITEMS] = {.name = "max_items",
                       .kind = KIND_COUNT,
                       TO(struct for_each, max_items),
                       RANGE(1, 1000000),
                       .fallback = "100000",
                       .about = "With more items the round fails.",
                       .example = "500"},
    [KEY_TIMEOUT] = {.name = "timeout",
                     .kind = KIND_DURATION,
                     TO(struct for_each, timeout_ms),
                     RANGE(10, 10 * MINUTE_MS),
                     .fallback = "10s",
                     .about = "Longest time to read the items from the database.",
                     .example = "1m"},
};

static bool mistake_at(struct load *load, const struct where *where, const struct item *item,
                       enum for_each_key row, const char *words)
{
    struct where here = where_key(where, for_each_keys[row].name);

    load_mistake(load, place_of(load, item), &here, "%s", words);
    return false;
}

static bool check_one_origin(struct load *load, const struct where *where, const struct item *item,
                             const struct given *given)
{
    const struct item *origin = NULL;

    for (unsigned row = KEY_VALUES; row <= KEY_SOURCE; row++) {
        if (given->at[row] == NULL)
            continue;
        if (origin != NULL)
            return mistake_at(load, where, given->at[row], row,
                              "the items come from one place: values, sql or source; remove the "
                              "others");
        origin = given->at[row];
    }
    if (origin != NULL)
        return true;
    load_mistake(load, place_of(load, item), where,
                 "does not say what the items are; write values, sql, or source with fields");
    return false;
}

static bool check_fields(struct load *load, const struct where *where, const struct given *given)
{
    if (given->at[KEY_SOURCE] != NULL && given->at[KEY_FIELDS] == NULL)
        return mistake_at(load, where, given->at[KEY_SOURCE], KEY_SOURCE,
                          "needs fields, which say what of its rows the items are; add them, as "
                          "in fields: [id]");
    if (given->at[KEY_SOURCE] == NULL && given->at[KEY_FIELDS] != NULL)
        return mistake_at(load, where, given->at[KEY_FIELDS], KEY_FIELDS,
                          "belongs to source; remove it, or write source beside it");
    return true;
}

static bool check_count(struct load *load, const struct where *where,
                        const struct for_each *for_each, const struct given *given)
{
    struct where here = where_key(where, for_each_keys[KEY_VALUES].name);

    if (for_each->values == NULL || for_each->values->count <= for_each->max_items)
        return true;
    load_mistake(load, place_of(load, given->at[KEY_VALUES]), &here,
                 "%zu items are more than max_items allows; raise it, or remove some",
                 for_each->values->count);
    return false;
}

static bool check_for_each(struct load *load, const struct where *where, struct item *item,
                           void *object, const struct given *given)
{
    return check_one_origin(load, where, item, given) && check_fields(load, where, given) &&
           check_count(load, where, object, given);
}

const struct key_set for_each_key_set = {
    .title = "sources[].for_each",
    .holder = "for_each",
    .keys = for_each_keys,
    .count = COUNT(for_each_keys),
    .size = sizeof(struct for_each),
    .check = check_for_each,
};
