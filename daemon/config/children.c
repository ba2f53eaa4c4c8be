/*
 * Tables of lists in records: what a child has from its parent, and what that binds.
 *
 * It is known once the source has been read, and filled in at all depths: the columns that lead to
 * the parent, the key that begins with them, the write mode, what stands for no value, and a table
 * where none is given.
 */
#include <string.h>
#include <strings.h>

#include "config/load.h"
#include "config/masks.h"
#include "config/table_name.h"
#include "config/value_list.h"

bool is_link_column(const char *name)
{
    return strcasecmp(name, LINK_INDEX) == 0 ||
           strncasecmp(name, LINK_PREFIX, strlen(LINK_PREFIX)) == 0;
}

/* The value of a key of a mapping that was read; NULL: it is not there. */
static struct item *find_value(const struct item *mapping, const char *name)
{
    for (const struct entry *e = mapping->first; e != NULL; e = e->next) {
        if (slice_equals((struct slice){e->key->text, e->key->length}, name))
            return e->value;
    }
    return NULL;
}

static const char *key_name(enum mapping_key key)
{
    return child_key_set.keys[key].name;
}

/* --- By itself --- */

static void check_child_fields(struct load *load, const struct where *where,
                               const struct item *item, const struct mapping *child)
{
    struct where fields = where_key(where, key_name(MAPPING_FIELDS));

    for (size_t i = 0; i < child->field_count; i++) {
        const char *name = child->fields[i].name;

        if (is_link_column(name))
            load_mistake(load, place_of(load, item), &fields,
                         "%s: " LINK_INDEX " and names that begin with " LINK_PREFIX
                         " are the columns that lead to the parent; rename it",
                         load_quote(load, name, strlen(name)));
    }
}

static void check_child_key(struct load *load, const struct where *where, struct item *item,
                            const struct mapping *child)
{
    struct where key = where_key(where, key_name(MAPPING_PRIMARY_KEY));

    for (size_t i = 0; i < child->child_key_count; i++) {
        const char *name = child->child_key[i];
        struct where at = where_index(&key, i);

        if (is_link_column(name))
            load_mistake(
                load, place_of(load, list_element(item, i)), item->kind == ITEM_LIST ? &at : &key,
                "%s leads to the parent and needs no mention; name what tells the children "
                "of one parent apart, or remove the key: then it is " LINK_INDEX,
                load_quote(load, name, strlen(name)));
    }
}

bool check_child(struct load *load, const struct where *where, struct item *item, void *object,
                 const struct given *given)
{
    struct mapping *child = object;
    const struct mapping_check check = {
        .load = load, .where = where, .mapping = child, .given = given, .keys = child_key_set.keys};
    unsigned before = load->errors;

    check_mapping(&check);
    if (given->at[MAPPING_RECORDS] == NULL && given->at[MAPPING_ZIP] == NULL)
        load_mistake(load, place_of(load, item), where,
                     "nothing says where its records are; add records, as in $.labels[*]");
    if (is_given(given, MAPPING_FIELDS))
        check_child_fields(load, where, given->at[MAPPING_FIELDS], child);
    if (is_given(given, MAPPING_PRIMARY_KEY))
        check_child_key(load, where, given->at[MAPPING_PRIMARY_KEY], child);
    return load->errors == before;
}

/* --- From its parent --- */

struct completion {
    struct load *load;
    const struct where *where;
    const struct item *item; /* where the child is written */
    const struct mapping *parent;
    bool parent_is_hidden; /* its table was named by a variable */
    size_t source;
    struct mapping *child;
};

static struct place place_of_key(const struct completion *c, enum mapping_key key)
{
    const struct item *value = find_value(c->item, key_name(key));

    return place_of(c->load, value != NULL ? value : c->item);
}

/* "_parent_id" of "id", "_parent_index" of "_index" */
static const char *link_name(struct load *load, const char *name)
{
    struct text text = {0};
    const char *kept;

    text_add(&text, LINK_PREFIX);
    text_add(&text, *name == '_' ? name + 1 : name);
    if (text_failed(&text))
        load_out_of_memory(load);
    kept = load_keep(load, text_string(&text), text.length);
    text_free(&text);
    return kept;
}

/* Kept texts are equal when their pointers are. */
static bool is_link_again(const struct mapping *child, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (child->links[k] == child->links[i])
            return true;
    }
    return false;
}

static bool make_links(const struct completion *c)
{
    size_t count;
    const char *const *identity = mapping_identity(c->parent, &count);
    const char **links = load_alloc(c->load, c->load->arena, (count + 1) * sizeof(links[0]));

    if (links == NULL)
        return false;
    c->child->links = links;
    c->child->link_count = count + 1;
    for (size_t i = 0; i < count; i++) {
        links[i] = link_name(c->load, identity[i]);
        if (links[i] == NULL)
            return false;
        if (!is_link_again(c->child, i))
            continue;
        load_mistake(c->load, place_of(c->load, c->item), c->where,
                     "two columns of the key of table %s would both be called %s here; give one "
                     "of them another name with fields",
                     c->parent->table, links[i]);
        return false;
    }
    links[count] = LINK_INDEX;
    return true;
}

/* The parent's columns come first, so one parent's children lie side by side in the index. */
static bool make_key(const struct completion *c)
{
    struct mapping *child = c->child;
    size_t leading = child->link_count - 1;
    const char **key;

    if (child->child_key_count == 0) {
        child->primary_key = child->links;
        child->primary_key_count = child->link_count;
        return true;
    }
    key = load_alloc(c->load, c->load->arena, (leading + child->child_key_count) * sizeof(key[0]));
    if (key == NULL)
        return false;
    memcpy(key, child->links, leading * sizeof(key[0]));
    memcpy(key + leading, child->child_key, child->child_key_count * sizeof(key[0]));
    child->primary_key = key;
    child->primary_key_count = leading + child->child_key_count;
    return true;
}

static bool complete_key(const struct completion *c)
{
    struct where here = where_key(c->where, key_name(MAPPING_PRIMARY_KEY));

    if (c->parent->primary_key_count > 0)
        return make_key(c);
    if (c->child->child_key_count == 0)
        return true;
    load_mistake(c->load, place_of_key(c, MAPPING_PRIMARY_KEY), &here,
                 "the rows of table %s are appended and have no primary_key, so their children "
                 "have none; remove it, or give the source one",
                 c->parent->table);
    return false;
}

/* PARENT_NAME, of the last name in the path of its records. */
static bool make_table(const struct completion *c)
{
    bool zipped = c->child->records == NULL;
    const struct jsonpath *path = zipped ? c->child->zip : c->child->records;
    struct where here = where_key(c->where, key_name(zipped ? MAPPING_ZIP : MAPPING_RECORDS));
    struct slice last = jsonpath_last_name(path);
    struct text whole = {0};
    struct text made = {0};
    const char *problem = NULL;

    text_format(&whole, "%s_%.*s", c->parent->table, (int)last.length, last.data);
    table_name_make(&made, text_string(&whole));
    if (text_failed(&whole) || text_failed(&made))
        load_out_of_memory(c->load);
    if (last.length == 0)
        problem = "there is no name in it to make a table of; add a table";
    else if (table_name_problem(text_string(&made)) != NULL)
        problem = "no table's name can be made of it; add a table";
    if (problem != NULL)
        load_mistake(c->load, place_of_key(c, MAPPING_RECORDS), &here, "%s", problem);
    else
        c->child->table = load_keep(c->load, text_string(&made), made.length);
    text_free(&whole);
    text_free(&made);
    return c->child->table != NULL;
}

/* A table that was named after a hidden one is hidden too. */
static bool complete_table(const struct completion *c)
{
    const struct where here = where_key(c->where, key_name(MAPPING_TABLE));
    bool made = c->child->table == NULL;

    if (made && !make_table(c))
        return false;
    if (made && c->parent_is_hidden && c->load->masks != NULL)
        masks_note(c->load, c->child, &child_key_set.keys[MAPPING_TABLE], true);
    note_further_table(c->load, c->child->table, place_of_key(c, MAPPING_TABLE), &here, c->source);
    return name_versions(c->load, &here, place_of_key(c, MAPPING_TABLE), c->child, c->source);
}

static bool is_hidden(const struct load *load, const struct mapping *mapping,
                      const struct key *table)
{
    return load->masks != NULL && masks_given(load, mapping, table) == GIVEN_TAINTED;
}

static void complete_list(struct load *load, const struct where *where, struct mapping *mapping,
                          const struct item *list, size_t source, bool hidden);

static void complete_child(const struct completion *c)
{
    struct mapping *child = c->child;
    const struct item *list = find_value(c->item, key_name(MAPPING_CHILDREN));
    bool hidden;

    child->write_mode = c->parent->write_mode;
    child->goes_with_parent = c->parent->retention != NULL || c->parent->goes_with_parent;
    if (child->null_values == NULL) {
        child->null_values = c->parent->null_values;
        child->null_value_count = c->parent->null_value_count;
    }
    if (child->schema_contract == NULL)
        child->schema_contract = c->parent->schema_contract;
    if (!complete_table(c) || !make_links(c) || !complete_key(c))
        return;
    check_retention_mode(c->load, c->where, c->item, child);
    check_sql(c->load, c->where, c->item, &c->load->config->sources[c->source], child);
    hidden = is_hidden(c->load, child, &child_key_set.keys[MAPPING_TABLE]);
    complete_list(c->load, c->where, child, list, c->source, hidden);
}

static void complete_list(struct load *load, const struct where *where, struct mapping *mapping,
                          const struct item *list, size_t source, bool hidden)
{
    struct where children = where_key(where, key_name(MAPPING_CHILDREN));
    /* Its elements are this mapping's own: see struct key_set, completed. */
    struct mapping *child = (struct mapping *)mapping->children;

    for (size_t i = 0; i < mapping->child_count; i++) {
        struct where here = where_index(&children, i);

        complete_child(&(struct completion){.load = load,
                                            .where = &here,
                                            .item = list_element((struct item *)list, i),
                                            .parent = mapping,
                                            .parent_is_hidden = hidden,
                                            .source = source,
                                            .child = &child[i]});
    }
}

/* The number of a record is a column where its children need it to find it. */
static bool link_source(struct load *load, const struct where *where, struct mapping *mapping,
                        const struct item *item)
{
    static const char *const link[] = {LINK_INDEX};
    struct where fields = where_key(where, key_name(MAPPING_FIELDS));

    if (mapping->primary_key_count > 0)
        return true;
    mapping->links = link;
    mapping->link_count = 1;
    for (size_t i = 0; i < mapping->field_count; i++) {
        if (strcasecmp(mapping->fields[i].name, LINK_INDEX) != 0)
            continue;
        load_mistake(load, place_of(load, find_value(item, key_name(MAPPING_FIELDS))), &fields,
                     "without a primary_key " LINK_INDEX
                     " is the column by which children know their parent; rename it");
        return false;
    }
    return true;
}

static bool is_source_hidden(const struct load *load, const struct source *source)
{
    const struct key *keys = source_key_set.keys;
    enum given_how table;

    if (load->masks == NULL)
        return false;
    table = masks_given(load, source, &keys[SOURCE_TABLE]);
    return table == GIVEN_TAINTED ||
           (table == GIVEN_NOT && masks_given(load, source, &keys[SOURCE_NAME]) == GIVEN_TAINTED);
}

void complete_children(struct load *load, const struct where *where, struct source *source,
                       const struct item *item)
{
    struct mapping *mapping = &source->mapping;

    check_retention_mode(load, where, item, mapping);
    if (mapping->child_count > 0 && link_source(load, where, mapping, item))
        complete_list(load, where, mapping, find_value(item, key_name(MAPPING_CHILDREN)),
                      (size_t)(source - load->config->sources), is_source_hidden(load, source));
}
