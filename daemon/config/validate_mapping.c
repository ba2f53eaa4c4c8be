/* Rules that bind the keys of one mapping: its fields, its key, and what it leaves out. */
#include <string.h>

#include "config/load.h"
#include "config/suggest.h"
#include "config/value_list.h"

static struct where where_of(const struct mapping_check *c, enum mapping_key key)
{
    return where_key(c->where, c->keys[c->first + key].name);
}

static struct item *written(const struct mapping_check *c, enum mapping_key key)
{
    return c->given->at[c->first + key];
}

static bool is_key_given(const struct mapping_check *c, enum mapping_key key)
{
    return is_given(c->given, c->first + key);
}

static bool is_key_sound(const struct mapping_check *c, enum mapping_key key)
{
    return is_sound(c->given, c->first + key);
}

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* Whether `name` is a field; if not, `near` is offered those there are. */
static bool is_field(const struct mapping *mapping, const char *name, struct suggestion *near)
{
    for (size_t i = 0; i < mapping->field_count; i++) {
        if (strcmp(mapping->fields[i].name, name) == 0)
            return true;
        suggest_offer(near, mapping->fields[i].name, name, strlen(name));
    }
    return false;
}

/* --- primary_key --- */

static void check_key_column(const struct mapping_check *c, const struct where *where,
                             const char *name, struct item *item)
{
    const struct mapping *mapping = c->mapping;
    struct suggestion near = {0};
    const char *quoted;

    if (c->source == NULL && is_link_column(name))
        return; /* check_child() says more of it */
    if (c->source != NULL && is_item_column(c->source, name))
        return; /* which there are is known with the items */
    quoted = load_quote_scalar(c->load, &(struct scalar){.item = item});
    if (mapping->field_count > 0 && !is_field(mapping, name, &near)) {
        if (near.word != NULL)
            load_mistake(c->load, place_of(c->load, item), where,
                         "%s is not among the fields; did you mean \"%s\"?", quoted, near.word);
        else
            load_mistake(c->load, place_of(c->load, item), where,
                         "%s is not among the fields; add it there with its path", quoted);
        return;
    }
    if (mapping->field_count == 0 && is_among(name, mapping->exclude, mapping->exclude_count))
        load_mistake(c->load, place_of(c->load, item), where,
                     "%s is excluded, so it is no column; remove it from exclude", quoted);
}

static void check_primary_key(const struct mapping_check *c)
{
    struct where here = where_of(c, MAPPING_PRIMARY_KEY);
    struct item *names = written(c, MAPPING_PRIMARY_KEY);
    const struct mapping *mapping = c->mapping;
    const char *const *key = c->source != NULL ? mapping->primary_key : mapping->child_key;
    size_t count = c->source != NULL ? mapping->primary_key_count : mapping->child_key_count;

    if (!is_key_given(c, MAPPING_PRIMARY_KEY) || !is_key_sound(c, MAPPING_FIELDS) ||
        !is_key_sound(c, MAPPING_EXCLUDE))
        return;
    for (size_t i = 0; i < count; i++) {
        struct where at = where_index(&here, i);

        check_key_column(c, names->kind == ITEM_LIST ? &at : &here, key[i], list_element(names, i));
    }
}

/* --- indexes and fts --- */

static void check_column_names(const struct mapping_check *c, const struct where *where,
                               struct item *list, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct where at = where_index(where, i);

        if (names[i][0] != '_') /* what gatherd adds is known with the rows */
            check_key_column(c, list->kind == ITEM_LIST ? &at : where, names[i],
                             list_element(list, i));
    }
}

static void check_indexes(const struct mapping_check *c)
{
    struct where here = where_of(c, MAPPING_INDEXES);
    struct item *list = written(c, MAPPING_INDEXES);

    if (!is_key_given(c, MAPPING_INDEXES) || !is_key_sound(c, MAPPING_FIELDS) ||
        !is_key_sound(c, MAPPING_EXCLUDE))
        return;
    for (size_t i = 0; i < c->mapping->index_count; i++) {
        struct where at = where_index(&here, i);

        check_column_names(c, &at, list_element(list, i), c->mapping->indexes[i].names,
                           c->mapping->indexes[i].count);
    }
}

static void check_fts(const struct mapping_check *c)
{
    struct where here = where_of(c, MAPPING_FTS);

    if (is_key_given(c, MAPPING_FTS) && is_key_sound(c, MAPPING_FIELDS) &&
        is_key_sound(c, MAPPING_EXCLUDE))
        check_column_names(c, &here, written(c, MAPPING_FTS), c->mapping->fts,
                           c->mapping->fts_count);
}

/* --- exclude and fields --- */

static void check_exclude(const struct mapping_check *c)
{
    struct where here = where_of(c, MAPPING_EXCLUDE);
    struct mapping *mapping = c->mapping;

    if (mapping->field_count == 0)
        return;
    if (written(c, MAPPING_EXCLUDE) == NULL) { /* a default, for sources without fields */
        mapping->exclude = NULL;
        mapping->exclude_count = 0;
        return;
    }
    if (!is_key_given(c, MAPPING_EXCLUDE) || mapping->exclude_count == 0)
        return;
    load_mistake(c->load, place_of(c->load, written(c, MAPPING_EXCLUDE)), &here,
                 "fields name every column, so exclude has no use; remove one of the two");
}

static void check_item_columns(const struct mapping_check *c)
{
    struct where here = where_of(c, MAPPING_FIELDS);
    const struct item *fields = written(c, MAPPING_FIELDS);

    if (c->source == NULL || !is_key_sound(c, MAPPING_FIELDS) || fields == NULL)
        return;
    for (size_t i = 0; i < c->mapping->field_count; i++) {
        const char *name = c->mapping->fields[i].name;

        if (is_item_column(c->source, name))
            load_mistake(c->load, place_of(c->load, fields), &here,
                         "%s: " ITEM_COLUMN_PREFIX
                         " begins the columns of an item's values; rename it",
                         load_quote(c->load, name, strlen(name)));
    }
}

/* --- What records are --- */

static void refuse(const struct mapping_check *c, enum mapping_key key, const char *what)
{
    struct where here = where_of(c, key);

    load_mistake(c->load, place_of(c->load, written(c, key)), &here, "%s", what);
}

/* The path leads to the object, and not to its members one by one. */
static bool leads_to_object(const struct jsonpath *path)
{
    return path == NULL || !jsonpath_ends_in_choice(path);
}

static void check_shape(const struct mapping_check *c)
{
    const struct mapping *mapping = c->mapping;
    bool zipped = is_key_given(c, MAPPING_ZIP);

    if (zipped && is_key_given(c, MAPPING_RECORDS))
        refuse(c, MAPPING_ZIP, "records says already where they are; remove one of the two");
    else if (zipped && is_key_sound(c, MAPPING_ZIP) && !jsonpath_is_singular(mapping->zip))
        refuse(c, MAPPING_ZIP, "must lead to one object: write a path of names, as in $.hourly");
    if (zipped && is_key_given(c, MAPPING_KEY_AS))
        refuse(c, MAPPING_KEY_AS,
               "zip makes records without names of their own; remove one of the two");
    else if (is_key_given(c, MAPPING_KEY_AS) && is_key_sound(c, MAPPING_RECORDS) &&
             !leads_to_object(mapping->records))
        refuse(c, MAPPING_KEY_AS,
               "records must lead to the object whose members are the records, as in $.rates");
    if (zipped && is_key_given(c, MAPPING_COLUMNS))
        refuse(c, MAPPING_COLUMNS, "zip names the columns; remove one of the two");
    if (written(c, MAPPING_FLATTEN) == NULL && mapping->field_count > 0)
        c->mapping->flatten = NULL; /* a default, for sources without fields */
    if (is_key_given(c, MAPPING_FLATTEN) && is_key_sound(c, MAPPING_FIELDS) &&
        mapping->field_count > 0)
        refuse(c, MAPPING_FLATTEN,
               "fields name every column, and reach inside of objects; remove one of the two");
}

/* --- schema_contract --- */

static void check_contract(const struct mapping_check *c)
{
    struct where here = where_of(c, MAPPING_SCHEMA_CONTRACT);
    struct where columns = where_key(&here, "columns");

    if (!is_key_given(c, MAPPING_SCHEMA_CONTRACT) || !is_key_sound(c, MAPPING_FIELDS) ||
        c->mapping->field_count == 0 || c->mapping->schema_contract->columns == CONTRACT_EVOLVE)
        return;
    load_mistake(
        c->load, place_of(c->load, written(c, MAPPING_SCHEMA_CONTRACT)), &columns,
        "fields name every column, so no record brings another one; remove one of the two");
}

/* --- retention --- */

static const struct field *find_field(const struct mapping *mapping, const char *name)
{
    for (size_t i = 0; i < mapping->field_count; i++) {
        if (strcmp(mapping->fields[i].name, name) == 0)
            return &mapping->fields[i];
    }
    return NULL;
}

/* Where a source has it from defaults, the mistake is the source's. */
static struct place place_of_retention(const struct mapping_check *c)
{
    const struct item *item = written(c, MAPPING_RETENTION);

    return place_of(c->load, item != NULL ? item : c->given->at[SOURCE_NAME]);
}

/* Only a declared type says that every value of the column is a time, written in one way. */
static void check_retention(const struct mapping_check *c)
{
    struct where here = where_of(c, MAPPING_RETENTION);
    struct where column = where_key(&here, "column");
    const struct retention *retention = c->mapping->retention;
    const struct field *field;

    if (retention == NULL || retention->column == NULL || !is_key_sound(c, MAPPING_RETENTION) ||
        !is_key_sound(c, MAPPING_FIELDS) || strcmp(retention->column, "_fetched_at") == 0 ||
        (written(c, MAPPING_RETENTION) == NULL && c->given->at[SOURCE_NAME] == NULL))
        return;
    field = find_field(c->mapping, retention->column);
    if (field != NULL && field->rule.type == FIELD_TIMESTAMP)
        return;
    load_mistake(c->load, place_of_retention(c), &column,
                 field == NULL ? "%s is not among the fields; add it there with type: timestamp"
                               : "%s is no timestamp; give the field type: timestamp",
                 load_quote(c->load, retention->column, strlen(retention->column)));
}

/* The versions have their own time. */
void check_retention_mode(struct load *load, const struct where *where, const struct item *item,
                          const struct mapping *mapping)
{
    struct where retention = where_key(where, "retention");
    struct where column = where_key(&retention, "column");

    if (mapping->write_mode == WRITE_HISTORY && mapping->retention != NULL &&
        mapping->retention->column != NULL)
        load_mistake(load, place_of(load, item), &column,
                     "with write_mode history versions grow old by _valid_to; remove the column");
}

void check_mapping(const struct mapping_check *check)
{
    check_shape(check);
    check_retention(check);
    check_contract(check);
    check_primary_key(check);
    check_indexes(check);
    check_fts(check);
    check_exclude(check);
    check_item_columns(check);
}
