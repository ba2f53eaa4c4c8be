/* Rules that bind several keys of one source, or several sources. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "config/table_name.h"
#include "gatherd/units.h"

static struct where where_row(const struct where *where, unsigned row)
{
    return where_key(where, source_key_set.keys[row].name);
}

/* --- Durations that bound each other. --- */

/* The first must not be above (or, for a floor, below) the second. */
struct bound {
    unsigned row;
    unsigned limit;
    bool is_floor;
    const char *limit_name;
    const char *advice;
};

static const struct bound bounds[] = {
    {SOURCE_CONNECT_TIMEOUT, SOURCE_TIMEOUT, false, "timeout of",
     "connecting is part of the request: write at most"},
    {SOURCE_JITTER, SOURCE_INTERVAL, false, "interval of",
     "polls would overtake each other: write at most"},
    {SOURCE_MAX_INTERVAL, SOURCE_INTERVAL, true, "interval of",
     "backing off cannot make polls more frequent: write at least"},
};

static int64_t *duration(struct source *source, unsigned row)
{
    return (int64_t *)(void *)((char *)source + source_key_set.keys[row].offset);
}

static bool is_beyond(struct source *source, const struct bound *bound)
{
    int64_t value = *duration(source, bound->row);
    int64_t limit = *duration(source, bound->limit);

    return bound->is_floor ? value < limit : value > limit;
}

static const char *limit_name(const struct source *source, const struct bound *bound)
{
    bool is_gap = bound->limit == SOURCE_INTERVAL && source->cron != NULL;

    return is_gap ? "shortest gap of cron," : bound->limit_name;
}

/* What the operator wrote here is held against its limit; a default gives way to it. */
static void check_bound(struct load *load, const struct where *where, const struct bound *bound,
                        struct source *source, const struct given *given)
{
    struct where here = where_row(where, bound->row);
    char value[UNITS_TEXT_SIZE];
    char limit[UNITS_TEXT_SIZE];

    if (!is_sound(given, bound->row) || !is_sound(given, bound->limit) || !is_beyond(source, bound))
        return;
    if (given->at[bound->row] == NULL) {
        *duration(source, bound->row) = *duration(source, bound->limit);
        return;
    }
    load_mistake(load, place_of(load, given->at[bound->row]), &here, "%s is %s the %s %s; %s that",
                 units_format_duration(*duration(source, bound->row), value),
                 bound->is_floor ? "below" : "above", limit_name(source, bound),
                 units_format_duration(*duration(source, bound->limit), limit), bound->advice);
}

/* In defaults only what stands there together; a source may set the other one. */
void check_defaults(struct load *load, const struct where *where, const struct given *given)
{
    struct source copy = load->base;

    check_one_rhythm(load, where, given);
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        if (is_given(given, bounds[i].row) && is_given(given, bounds[i].limit))
            check_bound(load, where, &bounds[i], &copy, given);
    }
    check_request_defaults(load, where, given);
    check_rate_limit_name(load, where, &copy, given);
    check_format(load, where, &copy, given);
}

/* --- The table, its key and its columns. --- */

static void check_table(struct load *load, const struct where *where, struct source *source,
                        const struct given *given)
{
    struct where here = where_row(where, SOURCE_NAME);
    struct text made = {0};
    const char *problem;

    if (given->at[SOURCE_TABLE] != NULL || !is_given(given, SOURCE_NAME))
        return;
    table_name_make(&made, source->name);
    if (text_failed(&made))
        load_out_of_memory(load);
    problem = table_name_problem(text_string(&made));
    if (problem != NULL)
        load_mistake(load, place_of(load, given->at[SOURCE_NAME]), &here,
                     "the table made of this name, %s, %s", text_string(&made), problem);
    else
        source->mapping.table = load_keep(load, text_string(&made), made.length);
    text_free(&made);
}

/* Rows that are asked for again would be appended again. */
static void check_lookback(struct load *load, const struct where *where,
                           const struct source *source, const struct item *item,
                           const struct given *given)
{
    struct where here = where_row(where, SOURCE_INCREMENTAL);
    const struct item *written = given->at[SOURCE_INCREMENTAL];

    if (!is_sound(given, SOURCE_INCREMENTAL) || !is_sound(given, SOURCE_PRIMARY_KEY) ||
        source->incremental == NULL || source->incremental->lookback.amount == 0 ||
        source->mapping.primary_key_count > 0)
        return;
    load_mistake(load, place_of(load, written != NULL ? written : item), &here,
                 "lookback asks again for rows that are there, and without a primary_key they come "
                 "twice; add one, or remove lookback");
}

/* What is wrong with the source's own key and mode is no fault of its children. */
static void check_source_children(struct load *load, const struct where *where,
                                  const struct item *item, struct source *source,
                                  const struct given *given)
{
    if (source->mapping.table != NULL && is_sound(given, SOURCE_CHILDREN) &&
        is_sound(given, SOURCE_PRIMARY_KEY) && is_sound(given, SOURCE_WRITE_MODE) &&
        is_sound(given, SOURCE_FIELDS))
        complete_children(load, where, source, item);
}

static void check_source_sql(struct load *load, const struct where *where, const struct item *item,
                             struct source *source, const struct given *given)
{
    if (is_sound(given, SOURCE_FIELDS) && is_sound(given, SOURCE_EXCLUDE) &&
        is_sound(given, SOURCE_WHERE))
        check_sql(load, where, item, source, &source->mapping);
}

void check_source(struct load *load, const struct where *where, struct item *item,
                  struct source *source, const struct given *given)
{
    bool due = check_rhythm(load, where, source, given);
    const struct mapping_check mapping = {.load = load,
                                          .where = where,
                                          .source = source,
                                          .mapping = &source->mapping,
                                          .given = given,
                                          .keys = source_key_set.keys,
                                          .first = SOURCE_MAPPING};

    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        if (due || bounds[i].limit != SOURCE_INTERVAL)
            check_bound(load, where, &bounds[i], source, given);
    }
    check_rate_limit_name(load, where, source, given);
    check_format(load, where, source, given);
    check_answer_rules(load, where, item, source, given);
    check_table(load, where, source, given);
    check_write_mode(load, where, item, source, given);
    check_lookback(load, where, source, item, given);
    check_mapping(&mapping);
    check_write(load, where, source, given);
    check_source_children(load, where, item, source, given);
    check_source_sql(load, where, item, source, given);
    check_request(load, where, source, given);
    check_values(load, where, item, source, given);
    check_connection(load, where, source, given);
}

/* --- Among all sources. --- */

/* Names and tables are shown even when they came from a variable: they are on every log line. */
static void report_table(struct load *load, struct place place, const struct where *where,
                         const char *table, const struct place *first)
{
    load_mistake(load, place, where,
                 "the table %s is used twice (case does not count); the first is at %s:%u:%u, "
                 "give one of them another table",
                 table, load->files[first->file], first->line, first->column);
}

static void report_twice(struct load *load, size_t index, unsigned row, struct place place,
                         const struct place *first)
{
    struct where sources = where_key(NULL, "sources");
    struct where source = where_index(&sources, load->origins[index].index);
    struct where here = where_row(&source, row);
    const char *file = load->files[first->file];

    if (row == SOURCE_NAME)
        load_mistake(load, place, &here,
                     "the name %s is used twice; the first is at %s:%u:%u, rename one of them",
                     load->config->sources[index].name, file, first->line, first->column);
    else
        report_table(load, place, &here, load->config->sources[index].mapping.table, first);
}

/* `key` lives as long as the map. */
static void note_use(struct load *load, struct config_map *seen, struct slice key, size_t index,
                     unsigned row)
{
    struct origin *origin = &load->origins[index];
    struct place *place = row == SOURCE_NAME ? &origin->name : &origin->table;
    const struct place *first = config_map_get(seen, key);

    if (first != NULL)
        report_twice(load, index, row, *place, first);
    else if (config_map_put(seen, key, place) == -1)
        load_out_of_memory(load);
}

/* No data: out of memory. */
static struct slice lower_table(struct load *load, const char *table)
{
    size_t length = strlen(table);
    char *lower = load_alloc(load, load->notes, length + 1);

    for (size_t i = 0; lower != NULL && i < length; i++)
        lower[i] = (char)tolower((unsigned char)table[i]);
    return (struct slice){lower, length};
}

static void note_table(struct load *load, struct config_map *seen, size_t index)
{
    struct slice lower = lower_table(load, load->config->sources[index].mapping.table);

    if (lower.data != NULL)
        note_use(load, seen, lower, index, SOURCE_TABLE);
}

static void note_further_tables(struct load *load, struct config_map *seen, size_t index,
                                struct further_table **next)
{
    for (; *next != NULL && (*next)->source == index; *next = (*next)->next) {
        struct further_table *table = *next;
        struct slice key = lower_table(load, table->name);
        const struct place *first = key.data == NULL ? NULL : config_map_get(seen, key);

        if (first != NULL)
            report_table(load, table->place, table->where, table->name, first);
        else if (key.data != NULL && config_map_put(seen, key, &table->place) == -1)
            load_out_of_memory(load);
    }
}

/* A view, and what full-text search makes beside a table, have names as tables do. */
static void check_other_name(struct load *load, const struct config_map *seen, const char *key,
                             const char *name)
{
    struct where up = where_key(NULL, key);
    struct where here = where_text(&up, name, strlen(name));
    struct slice lower = lower_table(load, name);
    const struct place *first = lower.data == NULL ? NULL : config_map_get(seen, lower);

    if (first != NULL)
        load_mistake(load, *first, &here,
                     "this table has the name too (case does not count); rename one of them");
}

static void check_fts_tables(struct load *load, const struct config_map *seen,
                             const struct mapping *mapping)
{
    struct text name = {0};

    if (mapping->fts_count > 0 && mapping->table != NULL) {
        text_format(&name, "%s_fts", mapping->table);
        check_other_name(load, seen, "fts", text_string(&name));
        text_free(&name);
    }
    for (size_t i = 0; i < mapping->child_count; i++)
        check_fts_tables(load, seen, &mapping->children[i]);
}

static void check_other_names(struct load *load, const struct config_map *seen)
{
    const struct config *config = load->config;

    for (size_t i = 0; i < config->view_count; i++)
        check_other_name(load, seen, "views", config->views[i].name);
    for (size_t i = 0; i < config->source_count; i++)
        check_fts_tables(load, seen, &config->sources[i].mapping);
}

void check_collisions(struct load *load)
{
    struct config_map names = {0};
    struct config_map tables = {0};
    struct further_table *children = load->further_tables;

    for (size_t i = 0; i < load->config->source_count; i++) {
        const struct source *source = &load->config->sources[i];
        unsigned before = load->errors;

        if (source->name != NULL)
            note_use(load, &names, slice_of(source->name), i, SOURCE_NAME);
        /* One name twice is one mistake, not also one of the tables made of it. */
        if (source->mapping.table != NULL && load->errors == before)
            note_table(load, &tables, i);
        note_further_tables(load, &tables, i, &children);
    }
    check_other_names(load, &tables);
    config_map_free(&names);
    config_map_free(&tables);
}
