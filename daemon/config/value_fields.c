/* `fields`: columns, each with a JSONPath or a mapping of path, type and what the type needs. */
#include <string.h>

#include "config/load.h"
#include "config/table_name.h"
#include "config/value_list.h"

/* SQLite ignores the case of ASCII letters in names. */
static bool check_column(struct load *load, const struct where *where, const struct item *key,
                         struct config_map *seen)
{
    const char *problem =
        strlen(key->text) < key->length ? "holds a NUL character" : column_name_problem(key->text);
    struct slice name = {lower_copy(load, key->text, key->length), key->length};
    const struct item *before;

    if (problem != NULL) {
        load_mistake(load, place_of(load, key), where, "%s %s",
                     load_quote(load, key->text, key->length), problem);
        return false;
    }
    if (name.data == NULL)
        return false;
    before = config_map_get(seen, name);
    if (before != NULL) {
        load_mistake(load, place_of(load, key), where,
                     "SQLite ignores case, so this is the column %s of line %u again; rename one",
                     load_quote(load, before->text, before->length), before->line);
        return false;
    }
    if (config_map_put(seen, name, (void *)key) == -1)
        load_out_of_memory(load);
    return true;
}

/* The keys that say where the value comes from. */
static const unsigned origins[] = {FIELD_KEY_PATH, FIELD_KEY_SQL, FIELD_KEY_DOCUMENT,
                                   FIELD_KEY_HEADER, FIELD_KEY_REQUEST};

static bool check_origin(struct load *load, const struct where *where, const struct item *item,
                         const struct given *given)
{
    const struct key *keys = field_key_set.keys;
    unsigned first = FIELD_KEY_COUNT;

    for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
        const struct item *at = given->at[origins[i]];
        struct where here = where_key(where, keys[origins[i]].name);

        if (at == NULL)
            continue;
        if (first == FIELD_KEY_COUNT) {
            first = origins[i];
            continue;
        }
        load_mistake(load, place_of(load, at), &here,
                     "%s says already where the value comes from; remove one of the two",
                     keys[first].name);
        return false;
    }
    if (first != FIELD_KEY_COUNT)
        return true;
    load_mistake(load, place_of(load, item), where,
                 "nothing says where its values come from; add path, as in path: %s, or one of "
                 "sql, document, header and request",
                 keys[FIELD_KEY_PATH].example);
    return false;
}

static bool check_document(struct load *load, const struct where *where, const struct field *field,
                           const struct given *given)
{
    struct where here = where_key(where, field_key_set.keys[FIELD_KEY_DOCUMENT].name);

    if (!is_given(given, FIELD_KEY_DOCUMENT) || jsonpath_is_singular(field->document))
        return true;
    load_mistake(load, place_of(load, given->at[FIELD_KEY_DOCUMENT]), &here,
                 "must lead to one value: write a path of names and indexes");
    return false;
}

static bool load_long_form(struct load *load, const struct where *where, struct item *item,
                           struct field *field)
{
    struct given given = {0};
    bool good = load_keys(load, where, item, &field_key_set, field, &given, false);

    good = check_origin(load, where, item, &given) && good;
    good = check_document(load, where, field, &given) && good;
    return check_field(load, where, field, &given) && good;
}

static bool load_field(struct load *load, const struct where *where, const struct entry *entry,
                       struct field *field)
{
    const struct key *path = &field_key_set.keys[FIELD_KEY_PATH];

    field->name = load_keep(load, entry->key->text, entry->key->length);
    if (field->name == NULL)
        return false;
    if (entry->value->kind == ITEM_SCALAR)
        return load_path(load, where, path, entry->value, field);
    if (entry->value->kind == ITEM_MAPPING)
        return load_long_form(load, where, entry->value, field);
    load_mistake(load, place_of(load, entry->value), where,
                 "found a list; write a JSONPath, or a mapping with path and type");
    return false;
}

static bool load_all(struct load *load, const struct where *where, struct item *item,
                     struct field *fields)
{
    struct config_map seen = {0};
    bool good = true;
    size_t i = 0;

    for (const struct entry *e = item->first; e != NULL; e = e->next) {
        struct where here = where_text(where, e->key->text, e->key->length);

        good = check_column(load, &here, e->key, &seen) && good;
        good = load_field(load, &here, e, &fields[i++]) && good;
    }
    config_map_free(&seen);
    return good;
}

bool load_fields(struct load *load, const struct where *where, const struct key *key,
                 struct item *item, void *target)
{
    struct field *fields;
    size_t count;
    bool good;

    if (reuse_list(key, item, target, &good))
        return good;
    if (!require_mapping(load, where, key, item))
        return false;
    count = count_entries(item);
    if ((int64_t)count < key->low || (int64_t)count > key->high) {
        load_mistake(load, place_of(load, item), where,
                     count == 0 ? "no field in it; remove the key to take every member of a record"
                                : "more columns than a SQLite table can have; write at most 1998");
        return false;
    }
    fields = load_alloc(load, load->arena, count * sizeof(fields[0]));
    good = fields != NULL && load_all(load, where, item, fields);
    return finish_list(key, item, target, fields, count, good);
}
