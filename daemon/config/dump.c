/*
 * The configuration in force as YAML: defaults filled in, variables and included files in their
 * place, and *** for what is not to be shown (see masks.h).
 *
 * The table of keys drives it, so a new key shows without a line here, and a new kind of value is
 * one row in the table of writers. What it writes can be loaded again, but for what *** hides.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/dump.h"
#include "config/load.h"
#include "config/masks.h"
#include "config/table_name.h"
#include "config/yaml_text.h"
#include "gatherd/secret.h"
#include "gatherd/units.h"

/* --- Lines. --- */

void dump_begin_line(struct dump *d)
{
    if (!d->begun && d->out->length > 0)
        text_format(d->out, "\n%*s", (int)(2 * d->depth), "");
    d->begun = false;
}

void dump_name(struct dump *d, const char *name)
{
    dump_begin_line(d);
    yaml_put_text(d->out, name, false);
    text_char(d->out, ':');
}

void dump_string(struct dump *d, const char *string, bool tainted)
{
    text_clear(&d->scratch);
    masks_write(d->load, &d->scratch, string, tainted);
    if (text_failed(&d->scratch))
        d->out->failed = true;
    yaml_put_text(d->out, text_string(&d->scratch), true);
}

void dump_mask(struct dump *d)
{
    yaml_put_text(d->out, MASK, true);
}

static void put_keys(struct dump *d, const struct key_set *set, const char *target);

void dump_mapping(struct dump *d, const struct key_set *set, const char *target)
{
    size_t before = d->out->length;

    d->depth++;
    put_keys(d, set, target);
    d->depth--;
    if (d->out->length == before)
        text_add(d->out, d->begun ? "{}" : " {}");
    d->begun = false;
}

/* --- Values. --- */

static int64_t number_of(const struct key *key, const char *target)
{
    const char *place = target + key->offset;
    unsigned narrow;
    uint8_t byte;
    int64_t value;

    switch (key->width) {
    case sizeof(byte):
        memcpy(&byte, place, sizeof(byte));
        return byte;
    case sizeof(narrow):
        memcpy(&narrow, place, sizeof(narrow));
        return narrow;
    default:
        assert(key->width == sizeof(value));
        memcpy(&value, place, sizeof(value));
        return value;
    }
}

const void *dump_pointer(const struct key *key, const char *target)
{
    const void *pointer;

    assert(key->width == sizeof(pointer));
    memcpy(&pointer, target + key->offset, sizeof(pointer));
    return pointer;
}

size_t dump_count(const struct key *key, const char *target)
{
    size_t count;

    memcpy(&count, target + key->count_offset, sizeof(count));
    return count;
}

/* NULL: the value is none of the choices, as when there is none. */
static const char *choice_of(const struct key *key, const char *target)
{
    const struct choice *choice = key->choices;

    if (key->width == 0)
        return key->fallback;
    while (choice->name != NULL && choice->value != (unsigned)number_of(key, target))
        choice++;
    return choice->name;
}

static void write_number(struct dump *d, const struct shown *shown)
{
    char text[UNITS_TEXT_SIZE];
    int64_t value;

    text_char(d->out, ' ');
    if (shown->tainted) {
        dump_mask(d);
        return;
    }
    value = number_of(shown->key, shown->target);
    if (shown->key->kind == KIND_BOOLEAN && shown->key->choices != NULL)
        text_add(d->out, choice_of(shown->key, shown->target));
    else if (shown->key->kind == KIND_BOOLEAN)
        text_add(d->out, value != 0 ? "true" : "false");
    else if (shown->key->kind == KIND_DURATION)
        text_add(d->out, units_format_duration(value, text));
    else if (shown->key->kind == KIND_SIZE)
        text_add(d->out, units_format_size(value, text));
    else if (shown->key->kind == KIND_PERCENT)
        text_format(d->out, "%lld%%", (long long)value);
    else
        text_format(d->out, "%lld", (long long)value);
}

static struct span span_of(const struct key *key, const char *target)
{
    struct span span;

    memcpy(&span, target + key->offset, sizeof(span));
    return span;
}

static void write_span(struct dump *d, const struct shown *shown)
{
    struct span span = span_of(shown->key, shown->target);
    char text[UNITS_TEXT_SIZE];

    text_char(d->out, ' ');
    if (shown->tainted)
        dump_mask(d);
    else if (span.is_time)
        text_add(d->out, units_format_duration(span.amount, text));
    else
        text_format(d->out, "%lld", (long long)span.amount);
}

static void write_choice(struct dump *d, const struct shown *shown)
{
    text_char(d->out, ' ');
    if (shown->tainted)
        dump_mask(d);
    else
        yaml_put_text(d->out, choice_of(shown->key, shown->target), true);
}

static void write_string(struct dump *d, const struct shown *shown)
{
    text_char(d->out, ' ');
    dump_string(d, dump_pointer(shown->key, shown->target), shown->tainted);
}

/* A relative path starts at the folder of the main file, which may be read from elsewhere. */
static void put_path(struct dump *d, const char *path, bool tainted)
{
    struct text whole = {0};

    if (*path != '/' && d->folder != NULL && !tainted)
        text_format(&whole, "%s/", d->folder);
    text_add(&whole, path);
    if (text_failed(&whole))
        d->out->failed = true;
    text_char(d->out, ' ');
    dump_string(d, text_string(&whole), tainted);
    text_free(&whole);
}

static void write_path(struct dump *d, const struct shown *shown)
{
    put_path(d, dump_pointer(shown->key, shown->target), shown->tainted);
}

static void write_jsonpath(struct dump *d, const struct shown *shown)
{
    text_char(d->out, ' ');
    dump_string(d, jsonpath_text(dump_pointer(shown->key, shown->target)), shown->tainted);
}

static void write_cron(struct dump *d, const struct shown *shown)
{
    const struct cron *cron = dump_pointer(shown->key, shown->target);

    text_char(d->out, ' ');
    dump_string(d, cron->text, shown->tainted);
}

/* A table that was named after its source hides what its source hides. */
static void write_table(struct dump *d, const struct shown *shown)
{
    const struct key *name = &source_key_set.keys[SOURCE_NAME];
    bool hidden = masks_given(d->load, shown->target, shown->key) == GIVEN_NOT &&
                  masks_given(d->load, shown->target, name) == GIVEN_TAINTED;

    text_char(d->out, ' ');
    dump_string(d, dump_pointer(shown->key, shown->target), shown->tainted || hidden);
}

static void write_secret(struct dump *d, const struct shown *shown)
{
    const struct secret *secret = dump_pointer(shown->key, shown->target);

    switch (secret->kind) {
    case SECRET_LITERAL:
        text_char(d->out, ' ');
        dump_mask(d);
        break;
    case SECRET_FILE: /* under the name of its twin: see put_key() */
        put_path(d, secret->text, shown->tainted);
        break;
    case SECRET_CREDENTIAL:
        text_add(d->out, " {credential: ");
        dump_string(d, secret->text, shown->tainted);
        text_char(d->out, '}');
        break;
    }
}

/* --- Mappings of further keys. --- */

static void write_group(struct dump *d, const struct shown *shown)
{
    dump_mapping(d, shown->key->keys, shown->target);
}

static void write_object(struct dump *d, const struct shown *shown)
{
    dump_mapping(d, shown->key->keys, dump_pointer(shown->key, shown->target));
}

static void put_elements(struct dump *d, const struct key_set *set, const char *objects,
                         size_t count, size_t size)
{
    d->depth++;
    for (size_t i = 0; i < count; i++) {
        dump_begin_line(d);
        text_add(d->out, "- ");
        d->begun = true;
        dump_mapping(d, set, objects + i * size);
    }
    d->depth--;
}

static void write_object_list(struct dump *d, const struct shown *shown)
{
    put_elements(d, shown->key->keys, dump_pointer(shown->key, shown->target),
                 dump_count(shown->key, shown->target), shown->key->keys->size);
}

static void write_object_map(struct dump *d, const struct shown *shown)
{
    const char *objects = dump_pointer(shown->key, shown->target);
    size_t count = dump_count(shown->key, shown->target);

    d->depth++;
    for (size_t i = 0; i < count; i++) {
        const char *object = objects + i * shown->key->keys->size;
        const char *name;

        memcpy(&name, object, sizeof(name)); /* its first member */
        dump_name(d, name);
        dump_mapping(d, shown->key->keys, object);
    }
    d->depth--;
}

static void write_sources(struct dump *d, const struct shown *shown)
{
    const struct config *config = (const struct config *)(const void *)shown->target;

    put_elements(d, &source_key_set, (const char *)config->sources, config->source_count,
                 sizeof(config->sources[0]));
}

/* --- The table, and what is left out. --- */

static write_value_fn *const writers[KIND_COUNT_OF_KINDS] = {
    [KIND_BOOLEAN] = write_number,
    [KIND_COUNT] = write_number,
    [KIND_DURATION] = write_number,
    [KIND_SIZE] = write_number,
    [KIND_PERCENT] = write_number,
    [KIND_CHOICE] = write_choice,
    [KIND_SPAN] = write_span,
    [KIND_DATABASE] = write_path,
    [KIND_FILE] = write_path,
    [KIND_TEXT] = write_string,
    [KIND_NAME] = write_string,
    [KIND_URL] = write_string,
    [KIND_ENDPOINT] = write_string,
    [KIND_TABLE] = write_table,
    [KIND_PATH] = write_jsonpath,
    [KIND_CRON] = write_cron,
    [KIND_TIMEZONE] = write_string,
    [KIND_NAMES] = dump_write_names,
    [KIND_NAME_LISTS] = dump_write_name_lists,
    [KIND_VIEWS] = dump_write_pairs,
    [KIND_NULL_VALUES] = dump_write_null_values,
    [KIND_PATTERN] = write_string,
    [KIND_CONSTANT] = dump_write_constant,
    [KIND_HEADERS] = dump_write_pairs,
    [KIND_PARAMS] = dump_write_pairs,
    [KIND_PROXY] = dump_write_proxy,
    [KIND_BODY] = dump_write_body,
    [KIND_STATUS_CODES] = dump_write_status_codes,
    [KIND_FIELDS] = dump_write_fields,
    [KIND_ITEMS] = dump_write_items,
    [KIND_SECRET] = write_secret,
    [KIND_GROUP] = write_group,
    [KIND_OBJECT] = write_object,
    [KIND_OBJECT_LIST] = write_object_list,
    [KIND_OBJECT_MAP] = write_object_map,
    [KIND_SOURCES] = write_sources,
};

/* Without a default, a number that nobody gave is 0 or whatever else stands for none. */
static bool has_number(const struct key *key, const char *target, enum given_how how)
{
    int64_t value;

    if (key->width == 0)
        return false;
    value = number_of(key, target);
    return key->fallback != NULL || how != GIVEN_NOT ||
           (value != 0 && (key->kind == KIND_BOOLEAN || (value >= key->low && value <= key->high)));
}

static bool has_value(const struct key *key, const char *target, enum given_how how)
{
    switch (key->kind) {
    case KIND_BOOLEAN:
    case KIND_COUNT:
    case KIND_DURATION:
    case KIND_SIZE:
    case KIND_PERCENT:
        return has_number(key, target, how);
    case KIND_SPAN:
        return span_of(key, target).amount != 0;
    case KIND_CHOICE:
        return choice_of(key, target) != NULL;
    case KIND_NAMES:
    case KIND_NAME_LISTS:
    case KIND_VIEWS:
    case KIND_HEADERS:
    case KIND_PARAMS:
    case KIND_STATUS_CODES:
    case KIND_FIELDS:
    case KIND_OBJECT_LIST:
    case KIND_OBJECT_MAP:
        return dump_count(key, target) > 0;
    case KIND_DEFAULTS: /* they are in the sources */
    case KIND_INCLUDE:  /* ... as the included ones are in the list */
        return false;
    case KIND_GROUP:
    case KIND_SOURCES:
        return true;
    default:
        return dump_pointer(key, target) != NULL;
    }
}

static const char *name_of(const struct key *key, const char *target)
{
    const struct secret *secret;

    if (key->kind != KIND_SECRET)
        return key->name;
    secret = dump_pointer(key, target);
    return secret->kind == SECRET_FILE ? key->twin : key->name;
}

/* With cron the interval is what follows from it. */
static bool is_replaced(const struct key *key, const char *target)
{
    const struct source *source = (const struct source *)(const void *)target;

    return key == &source_key_set.keys[SOURCE_INTERVAL] && source->cron != NULL;
}

static void put_key(struct dump *d, const struct key *key, const char *target)
{
    enum given_how how = masks_given(d->load, target, key);
    struct shown shown = {key, target, how == GIVEN_TAINTED};

    if (!has_value(key, target, how) || is_replaced(key, target))
        return;
    dump_name(d, name_of(key, target));
    writers[key->kind](d, &shown);
}

static void put_keys(struct dump *d, const struct key_set *set, const char *target)
{
    for (size_t i = 0; i < set->count; i++)
        put_key(d, &set->keys[i], target);
}

void write_dump(struct load *load)
{
    struct dump d = {.load = load, .out = load->dump, .folder = getcwd(NULL, 0)};

    text_add(d.out, "# What is in force of ");
    text_visible(d.out, load->config->path, strlen(load->config->path));
    text_format(d.out, "; %s stands for what is not shown.", MASK);
    put_keys(&d, &root_key_set, (const char *)load->config);
    text_char(d.out, '\n');
    text_free(&d.scratch);
    free(d.folder);
}
