/* Values that are a text or a list of them: names and status codes. */
#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "config/value_list.h"

#define BAD_LIST SIZE_MAX

bool reuse_list(const struct key *key, const struct item *item, void *target, bool *good)
{
    if (item->parsed_by != key)
        return false;
    *good = item->parsed_count != BAD_LIST;
    if (*good)
        store_list(key, target, item->parsed, item->parsed_count);
    return true;
}

bool is_bad_list(const struct item *item)
{
    return item->parsed_by != NULL && item->parsed_count == BAD_LIST;
}

bool finish_list(const struct key *key, struct item *item, void *target, const void *array,
                 size_t count, bool good)
{
    item->parsed_by = key;
    item->parsed = array;
    item->parsed_count = good ? count : BAD_LIST;
    if (good)
        store_list(key, target, array, count);
    return good;
}

struct item *list_element(struct item *list, size_t i)
{
    const struct entry *e;

    if (list->kind == ITEM_SCALAR)
        return list;
    for (e = list->first; i > 0; e = e->next)
        i--;
    return e->value;
}

size_t count_entries(const struct item *item)
{
    size_t count = 0;

    if (item->kind == ITEM_SCALAR)
        return 1;
    for (const struct entry *e = item->first; e != NULL; e = e->next)
        count++;
    return count;
}

/* --- A scalar or a list of them. --- */

/* Reads one element into array[i]. */
typedef bool element_fn(struct load *load, const struct where *where, const struct key *key,
                        struct item *item, void *array, size_t i);

static bool load_elements(struct load *load, const struct where *where, const struct key *key,
                          struct item *item, void *array, element_fn *element)
{
    bool good = true;
    size_t i = 0;

    if (item->kind == ITEM_SCALAR)
        return element(load, where, key, item, array, 0);
    for (const struct entry *e = item->first; e != NULL; e = e->next, i++) {
        struct where here = where_index(where, i);

        good = element(load, &here, key, e->value, array, i) && good;
    }
    return good;
}

static bool refuse_mapping(struct load *load, const struct where *where, const struct key *key,
                           const struct item *item)
{
    if (item->kind == ITEM_MAPPING)
        refuse_kind_of(load, where, item, key);
    return item->kind != ITEM_MAPPING;
}

static bool load_name_element(struct load *load, const struct where *where, const struct key *key,
                              struct item *item, void *array, size_t i)
{
    const char **names = array;
    struct scalar scalar;

    (void)key;
    if (!load_text(load, where, item, "a name", &scalar))
        return false;
    if (scalar.length == 0) {
        load_mistake(load, place_of(load, item), where, "an empty name; write one or remove it");
        return false;
    }
    names[i] = load_keep(load, scalar.text, scalar.length);
    return names[i] != NULL;
}

/* Each name once. Equal names are one kept text, so pointers tell. */
static bool check_unique(struct load *load, const struct where *where, const struct item *list,
                         const char **names)
{
    struct config_map seen = {0};
    bool good = true;
    size_t i = 0;

    for (const struct entry *e = list->first; e != NULL; e = e->next, i++) {
        struct where here = where_index(where, i);
        struct slice name = slice_of(names[i]);

        if (config_map_get(&seen, name) != NULL) {
            load_mistake(load, place_of(load, e->value), &here,
                         "this name stands twice in the list; remove one");
            good = false;
        } else if (config_map_put(&seen, name, e->value) == -1) {
            load_out_of_memory(load);
        }
    }
    config_map_free(&seen);
    return good;
}

bool load_names(struct load *load, const struct where *where, const struct key *key,
                struct item *item, void *target)
{
    size_t count = count_entries(item);
    const char **names;
    bool good;

    if (reuse_list(key, item, target, &good))
        return good;
    if (!refuse_mapping(load, where, key, item))
        return false;
    if ((int64_t)count < key->low || (int64_t)count > key->high) {
        load_mistake(load, place_of(load, item), where,
                     count == 0 ? "an empty list; name at least one, or remove the key"
                                : "too many names; write at most %lld",
                     (long long)key->high);
        return false;
    }
    names = load_alloc(load, load->arena, count * sizeof(names[0]));
    good = names != NULL && load_elements(load, where, key, item, names, load_name_element) &&
           (item->kind == ITEM_SCALAR || check_unique(load, where, item, names));
    return finish_list(key, item, target, names, count, good);
}

static bool load_list_element(struct load *load, const struct where *where, const struct key *key,
                              struct item *item, void *array, size_t i)
{
    static const struct key names = {.kind = KIND_NAMES,
                                     .offset = 0,
                                     .width = sizeof(const char *const *),
                                     .count_offset = offsetof(struct name_list, count),
                                     .low = 1,
                                     .high = 64};

    (void)key;
    return load_names(load, where, &names, item, (struct name_list *)array + i);
}

bool load_name_lists(struct load *load, const struct where *where, const struct key *key,
                     struct item *item, void *target)
{
    size_t count = count_entries(item);
    struct name_list *lists;
    bool good;

    if (reuse_list(key, item, target, &good))
        return good;
    if (!refuse_mapping(load, where, key, item))
        return false;
    if ((int64_t)count > key->high) {
        load_mistake(load, place_of(load, item), where, "too many; write at most %lld",
                     (long long)key->high);
        return false;
    }
    lists = load_alloc(load, load->arena, count * sizeof(lists[0]));
    good = lists != NULL && load_elements(load, where, key, item, lists, load_list_element);
    return finish_list(key, item, target, lists, count, good);
}

/* "200" or "200-299", whole. */
static bool parse_range(const char *text, struct status_range *range)
{
    size_t length = strlen(text);

    if (strspn(text, "0123456789") < 3 || (length != 3 && length != 7))
        return false;
    range->low = atoi(text);
    range->high = length == 3 ? range->low : atoi(text + 4);
    return length == 3 || (text[3] == '-' && strspn(text + 4, "0123456789") == 3);
}

static bool load_status_element(struct load *load, const struct where *where, const struct key *key,
                                struct item *item, void *array, size_t i)
{
    struct status_range *range = (struct status_range *)array + i;
    struct scalar scalar;
    const char *problem = NULL;

    if (!load_scalar(load, where, item, "a status such as 200, or a range such as 200-299",
                     &scalar))
        return false;
    if (!parse_range(scalar.text, range))
        problem = "is neither a status such as 200 nor a range such as 200-299; write one of them";
    else if (range->low > range->high)
        problem = "runs backwards; write the lower status first";
    else if (range->low < key->low || range->high > key->high)
        problem = "is out of range; write statuses from 200 to 599";
    if (problem != NULL)
        load_mistake(load, place_of(load, item), where, "%s %s", load_quote_scalar(load, &scalar),
                     problem);
    return problem == NULL;
}

bool load_status_codes(struct load *load, const struct where *where, const struct key *key,
                       struct item *item, void *target)
{
    size_t count = count_entries(item);
    struct status_range *ranges;
    bool good;

    if (reuse_list(key, item, target, &good))
        return good;
    if (!refuse_mapping(load, where, key, item))
        return false;
    if (count == 0) {
        load_mistake(load, place_of(load, item), where,
                     "an empty list; name a status, or remove the key");
        return false;
    }
    ranges = load_alloc(load, load->arena, count * sizeof(ranges[0]));
    good = ranges != NULL && load_elements(load, where, key, item, ranges, load_status_element);
    return finish_list(key, item, target, ranges, count, good);
}
