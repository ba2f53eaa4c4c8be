/* Rules that bind the keys that say how rows are written, to each other and to how rows come. */
#include <string.h>

#include "config/load.h"
#include "config/suggest.h"
#include "config/table_name.h"
#include "config/value_list.h"

#define DEFAULT_MAX_SHRINK 50

static struct where where_row(const struct where *where, unsigned row)
{
    return where_key(where, source_key_set.keys[row].name);
}

/* --- write_mode --- */

static bool is_keyless(enum write_mode mode)
{
    return mode == WRITE_APPEND || mode == WRITE_REPLACE;
}

static const char *mode_name(enum write_mode mode)
{
    const struct choice *c = source_key_set.keys[SOURCE_WRITE_MODE].choices;

    while (c->value != (unsigned)mode)
        c++;
    return c->name;
}

void check_write_mode(struct load *load, const struct where *where, const struct item *item,
                      struct source *source, const struct given *given)
{
    struct where here = where_row(where, SOURCE_WRITE_MODE);
    const struct item *written = given->at[SOURCE_WRITE_MODE];
    bool keyed = source->mapping.primary_key_count > 0;

    if (!is_sound(given, SOURCE_WRITE_MODE) || !is_sound(given, SOURCE_PRIMARY_KEY))
        return;
    if (written == NULL && !load->mode_is_default) {
        source->mapping.write_mode = keyed ? WRITE_UPSERT : WRITE_APPEND;
        return;
    }
    if (source->mapping.write_mode == WRITE_APPEND && keyed) {
        load_mistake(
            load, place_of(load, written != NULL ? written : given->at[SOURCE_PRIMARY_KEY]), &here,
            "append keeps every row, so a primary_key has no use; remove it, or "
            "write upsert, insert_only, replace or history");
        return;
    }
    if (!is_keyless(source->mapping.write_mode) && !keyed) {
        load_mistake(load, place_of(load, written != NULL ? written : item), &here,
                     "%s needs a primary_key; name the columns that say which record a row is",
                     mode_name(source->mapping.write_mode));
        return;
    }
}

/* --- What a mode asks of the rest --- */

struct check {
    struct load *load;
    const struct where *where;
    struct source *source;
    const struct given *given;
};

/* About a key that stands in the source, or else about its write_mode, which may be a default. */
static void refuse(const struct check *c, unsigned row, const char *problem)
{
    const struct item *at = c->given->at[row];
    struct where here = where_row(c->where, row);

    if (at == NULL)
        at = c->given->at[SOURCE_NAME];
    if (at != NULL)
        load_mistake(c->load, place_of(c->load, at), &here, "%s", problem);
}

/* Who looks for what is gone must have seen all that is there. */
static void check_whole(const struct check *c, unsigned row)
{
    const struct source *source = c->source;

    if (is_sound(c->given, SOURCE_INCREMENTAL) && source->incremental != NULL)
        refuse(c, row,
               "with incremental a run brings only what is new, so what it does not bring is not "
               "gone; remove one of the two");
    if (is_sound(c->given, SOURCE_PAGINATION) && source->pagination != NULL &&
        source->pagination->stop_at_max_pages)
        refuse(c, row,
               "a run that stops at max_pages has not seen all there is, so what it does not bring "
               "is not gone; set pagination.on_max_pages to fail");
}

static void check_on_missing(const struct check *c)
{
    const struct mapping *mapping = &c->source->mapping;

    if (mapping->on_missing == MISSING_KEEP)
        return;
    if (mapping->write_mode == WRITE_REPLACE)
        refuse(c, SOURCE_ON_MISSING,
               "replace removes by itself what a run did not bring; remove on_missing");
    else if (mapping->write_mode != WRITE_UPSERT && mapping->write_mode != WRITE_HISTORY)
        refuse(c, SOURCE_ON_MISSING,
               "is for write_mode upsert and history, which know a row again by its primary_key; "
               "remove it, or write one of them");
    else
        check_whole(c, SOURCE_ON_MISSING);
}

static void check_max_shrink(const struct check *c)
{
    struct mapping *mapping = &c->source->mapping;

    if (mapping->write_mode == WRITE_REPLACE || mapping->on_missing == MISSING_DELETE) {
        if (mapping->max_shrink == NO_MAX_SHRINK)
            mapping->max_shrink = DEFAULT_MAX_SHRINK;
        return;
    }
    mapping->max_shrink = NO_MAX_SHRINK; /* of defaults, for others */
    if (c->given->at[SOURCE_MAX_SHRINK] != NULL)
        refuse(c, SOURCE_MAX_SHRINK,
               "nothing is ever taken away from this table; remove it, or write write_mode: "
               "replace or on_missing: delete");
}

/* --- ignore --- */

static bool is_in(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static bool is_field_or_any(const struct mapping *mapping, const char *name,
                            struct suggestion *near)
{
    for (size_t i = 0; i < mapping->field_count; i++) {
        if (strcmp(mapping->fields[i].name, name) == 0)
            return true;
        suggest_offer(near, mapping->fields[i].name, name, strlen(name));
    }
    return mapping->field_count == 0;
}

static void check_ignored(const struct check *c, const struct where *where, const char *name,
                          struct item *item)
{
    const struct mapping *mapping = &c->source->mapping;
    const char *quoted = load_quote_scalar(c->load, &(struct scalar){.item = item});
    struct place place = place_of(c->load, item);
    struct suggestion near = {0};

    if (is_in(name, mapping->primary_key, mapping->primary_key_count))
        load_mistake(c->load, place, where,
                     "%s is part of the primary_key, so it never changes; remove it", quoted);
    else if (mapping->field_count == 0 && is_in(name, mapping->exclude, mapping->exclude_count))
        load_mistake(c->load, place, where, "%s is excluded, so it is no column; remove it",
                     quoted);
    else if (!is_item_column(c->source, name) && !is_field_or_any(mapping, name, &near))
        load_mistake(c->load, place, where, "%s is not among the fields%s%s%s", quoted,
                     near.word == NULL ? "; remove it" : "; did you mean \"",
                     near.word == NULL ? "" : near.word, near.word == NULL ? "" : "\"?");
}

static void check_ignore(const struct check *c)
{
    struct where here = where_row(c->where, SOURCE_IGNORE);
    struct item *names = c->given->at[SOURCE_IGNORE];

    if (!is_given(c->given, SOURCE_IGNORE))
        return;
    if (c->source->mapping.write_mode != WRITE_HISTORY) {
        refuse(c, SOURCE_IGNORE,
               "says which changes make no version, and only write_mode: history has versions; "
               "remove it, or write that");
        return;
    }
    for (size_t i = 0; i < c->source->mapping.ignore_count; i++) {
        struct where at = where_index(&here, i);

        check_ignored(c, names->kind == ITEM_LIST ? &at : &here, c->source->mapping.ignore[i],
                      list_element(names, i));
    }
}

/* --- Tables beside the source's own --- */

static struct where *copy_where(struct load *load, const struct where *where)
{
    struct where *copy = load_alloc(load, load->notes, sizeof(*copy));

    if (copy == NULL)
        return NULL;
    *copy = *where;
    if (where->up != NULL)
        copy->up = copy_where(load, where->up);
    return copy;
}

void note_further_table(struct load *load, const char *name, struct place place,
                        const struct where *where, size_t source)
{
    struct further_table *table = load_alloc(load, load->notes, sizeof(*table));

    if (table == NULL)
        return;
    *table = (struct further_table){
        .name = name, .place = place, .where = copy_where(load, where), .source = source};
    if (load->last_further_table == NULL)
        load->further_tables = table;
    else
        load->last_further_table->next = table;
    load->last_further_table = table;
}

bool name_versions(struct load *load, const struct where *where, struct place place,
                   struct mapping *mapping, size_t source)
{
    struct text name = {0};
    bool good;

    if (mapping->write_mode != WRITE_HISTORY)
        return true;
    text_format(&name, "%s_history", mapping->table);
    if (text_failed(&name))
        load_out_of_memory(load);
    good = table_name_problem(text_string(&name)) == NULL;
    if (good) {
        mapping->history_table = load_keep(load, text_string(&name), name.length);
        note_further_table(load, mapping->history_table, place, where, source);
    } else {
        load_mistake(load, place, where,
                     "the name of its table of versions, with _history behind it, would be too "
                     "long; choose a shorter table");
    }
    text_free(&name);
    return good;
}

static void name_own_versions(const struct check *c)
{
    const struct given *given = c->given;
    const struct item *at = given->at[given->at[SOURCE_TABLE] != NULL ? SOURCE_TABLE : SOURCE_NAME];
    struct where here = where_row(c->where, SOURCE_TABLE);

    if (c->source->mapping.table != NULL && at != NULL)
        name_versions(c->load, &here, place_of(c->load, at), &c->source->mapping,
                      (size_t)(c->source - c->load->config->sources));
}

void check_write(struct load *load, const struct where *where, struct source *source,
                 const struct given *given)
{
    const struct check c = {load, where, source, given};

    if (!is_sound(given, SOURCE_WRITE_MODE) || !is_sound(given, SOURCE_PRIMARY_KEY))
        return;
    if (source->mapping.write_mode == WRITE_REPLACE)
        check_whole(&c, SOURCE_WRITE_MODE);
    if (is_sound(given, SOURCE_ON_MISSING)) {
        check_on_missing(&c);
        check_max_shrink(&c);
    }
    if (is_sound(given, SOURCE_FIELDS) && is_sound(given, SOURCE_EXCLUDE))
        check_ignore(&c);
    name_own_versions(&c);
}
