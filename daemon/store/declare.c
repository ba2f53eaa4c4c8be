#include "store/declare.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/items.h"
#include "gatherd/text.h"

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

static int fill(struct declared *d, const struct source *source, const struct mapping *mapping)
{
    d->set.columns =
        calloc(item_count(source, mapping) + mapping->link_count + mapping->field_count + 1,
               sizeof(d->set.columns[0]));
    if (d->set.columns == NULL || add_items(d, source, mapping) == -1)
        return -1;
    for (size_t i = 0; i < mapping->link_count; i++)
        d->set.columns[d->set.column_count++] =
            (struct column){.name = slice_of(mapping->links[i])};
    for (size_t i = 0; i < mapping->field_count; i++)
        d->set.columns[d->set.column_count++] = (struct column){
            .name = slice_of(mapping->fields[i].name), .type = mapping->fields[i].rule.type};
    return 0;
}

static int declare(struct schema *schema, const struct source *source,
                   const struct mapping *mapping, const struct outcome *outcome,
                   const struct moment *moment, struct error *err)
{
    struct declared d = {0};
    int rc = -1;

    if (fill(&d, source, mapping) == -1)
        schema_no_memory(err);
    else if (schema_fit(schema, mapping, &d.set, outcome, moment, err) != NULL)
        rc = 0;
    free(d.set.columns);
    text_free(&d.names);
    for (size_t i = 0; i < mapping->child_count && rc == 0; i++)
        rc = declare(schema, source, &mapping->children[i], outcome, moment, err);
    return rc;
}

int declare_tables(struct schema *schema, const struct source *source,
                   const struct outcome *outcome, const struct moment *moment, struct error *err)
{
    return declare(schema, source, &source->mapping, outcome, moment, err);
}
