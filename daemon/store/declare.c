#include "store/declare.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/items.h"
#include "gatherd/text.h"
#include "store/history.h"

/* The columns of one mapping; the names of those that come first are in `names`. */
struct declared {
    struct row_set set;
    struct text names;
};

static size_t item_count(const struct source *source, const struct mapping *mapping)
{
    if (source->for_each == NULL || mapping != &source->mapping)
        return 0; /* children know them by the key of their parent */
    return source->for_each->values != NULL ? source->for_each->values->name_count
                                            : source->for_each->field_count;
}

/* Of a statement's rows the names are known when they come. */
static const char *item_name(const struct source *source, size_t i)
{
    const struct for_each *for_each = source->for_each;

    return for_each->values != NULL ? for_each->values->names[i] : for_each->fields[i];
}

/* Names first, all in one text that no longer moves; then columns that borrow from it. */
static int add_items(struct declared *d, const struct source *source, const struct mapping *mapping)
{
    size_t count = item_count(source, mapping);
    const char *name;

    for (size_t i = 0; i < count; i++) {
        text_add(&d->names, "_item_");
        text_append(&d->names, item_name(source, i), strlen(item_name(source, i)) + 1);
    }
    if (text_failed(&d->names))
        return -1;
    name = text_string(&d->names);
    for (size_t i = 0; i < count; i++, name += strlen(name) + 1)
        d->set.columns[d->set.column_count++] = (struct column){.name = slice_of(name)};
    return 0;
}

/* A column that leads to the parent is like the parent's. */
static enum field_type link_type(const struct mapping *mapping, const struct mapping *parent,
                                 const struct row_set *parents, size_t link)
{
    size_t count;
    const char *const *identity;

    if (link + 1 == mapping->link_count) /* LINK_INDEX */
        return FIELD_INTEGER;
    assert(parent != NULL); /* of a source only LINK_INDEX is a link */
    identity = mapping_identity(parent, &count);
    for (size_t i = 0; i < parents->column_count; i++) {
        if (slice_equals(parents->columns[i].name, identity[link]))
            return parents->columns[i].type;
    }
    return FIELD_UNDECLARED;
}

static void add_columns(struct declared *d, const struct mapping *mapping,
                        const struct mapping *parent, const struct row_set *parents)
{
    for (size_t i = 0; i < mapping->link_count; i++)
        d->set.columns[d->set.column_count++] = (struct column){
            .name = slice_of(mapping->links[i]), .type = link_type(mapping, parent, parents, i)};
    for (size_t i = 0; i < mapping->field_count; i++)
        d->set.columns[d->set.column_count++] = (struct column){
            .name = slice_of(mapping->fields[i].name), .type = mapping->fields[i].rule.type};
}

static int fill(struct declared *d, const struct source *source, const struct mapping *mapping,
                const struct mapping *parent, const struct row_set *parents)
{
    size_t count = item_count(source, mapping) + mapping->link_count + mapping->field_count;

    d->set.columns = calloc(count + 1, sizeof(d->set.columns[0]));
    if (d->set.columns == NULL || add_items(d, source, mapping) == -1)
        return -1;
    add_columns(d, mapping, parent, parents);
    return 0;
}

struct declaration {
    struct schema *schema;
    const struct source *source;
    const struct outcome *outcome;
    const struct moment *moment;
};

static int fit(const struct declaration *d, const struct mapping *mapping,
               const struct row_set *set, struct error *err)
{
    if (schema_fit(d->schema, mapping, set, d->outcome, d->moment, err) == NULL)
        return -1;
    if (mapping->write_mode != WRITE_HISTORY)
        return 0;
    return history_fit(d->schema, mapping, set, d->outcome, d->moment, err) == NULL ? -1 : 0;
}

/* `parent` NULL: of the source; else `parents` are its columns. */
static int declare_table(const struct declaration *declaration, const struct mapping *mapping,
                         const struct mapping *parent, const struct row_set *parents,
                         struct error *err)
{
    struct declared d = {0};
    int rc = -1;

    if (fill(&d, declaration->source, mapping, parent, parents) == -1)
        schema_no_memory(err);
    else
        rc = fit(declaration, mapping, &d.set, err);
    for (size_t i = 0; i < mapping->child_count && rc == 0; i++)
        rc = declare_table(declaration, &mapping->children[i], mapping, &d.set, err);
    free(d.set.columns);
    text_free(&d.names);
    return rc;
}

int declare_tables(struct schema *schema, const struct source *source,
                   const struct outcome *outcome, const struct moment *moment, struct error *err)
{
    const struct declaration declaration = {schema, source, outcome, moment};

    return declare_table(&declaration, &source->mapping, NULL, NULL, err);
}
