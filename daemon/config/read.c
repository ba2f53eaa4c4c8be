/* A mapping whose keys are in the table, into the struct that the table describes. */
#include <assert.h>
#include <string.h>

#include "config/load.h"
#include "config/masks.h"
#include "config/suggest.h"
#include "config/value_list.h"

bool is_given(const struct given *given, unsigned row)
{
    return given->at[row] != NULL && is_sound(given, row);
}

bool is_sound(const struct given *given, unsigned row)
{
    return !given->bad[row];
}

static bool load_group(struct load *load, const struct where *where, const struct key *key,
                       struct item *item, void *target)
{
    struct given given = {0};

    return require_mapping(load, where, key, item) &&
           load_keys(load, where, item, key->keys, target, &given, false);
}

bool load_object_keys(struct load *load, const struct where *where, const struct key_set *set,
                      struct item *item, void *object)
{
    struct given given = {0};

    load_fallbacks(load, set, object);
    return load_keys(load, where, item, set, object, &given, false) &&
           (set->check == NULL || set->check(load, where, item, object, &given));
}

/* An alias brings one mapping to many sources: it is read once, and its struct serves them all. */
static bool load_object(struct load *load, const struct where *where, const struct key *key,
                        struct item *item, void *target)
{
    if (item->parsed_by != key) {
        void *object;

        if (!require_mapping(load, where, key, item))
            return false;
        object = load_alloc(load, load->arena, key->keys->size);
        if (object != NULL && !load_object_keys(load, where, key->keys, item, object))
            object = NULL;
        item->parsed_by = key;
        item->parsed = object;
    }
    if (item->parsed == NULL)
        return false;
    store_pointer(key, target, item->parsed);
    return true;
}

/* What is read by itself once everything else is known: here only its kind is checked. */
static bool load_late(struct load *load, const struct where *where, const struct key *key,
                      struct item *item, void *target)
{
    bool good = item->kind == ITEM_LIST || (key->kind == KIND_INCLUDE && item->kind == ITEM_SCALAR);

    (void)target;
    if (key->kind == KIND_DEFAULTS)
        return require_mapping(load, where, key, item);
    if (!good)
        refuse_kind_of(load, where, item, key);
    return good;
}

static load_value_fn *const readers[KIND_COUNT_OF_KINDS] = {
    [KIND_BOOLEAN] = load_boolean,
    [KIND_COUNT] = load_count,
    [KIND_DURATION] = load_duration,
    [KIND_SIZE] = load_size,
    [KIND_PERCENT] = load_percent,
    [KIND_SPAN] = load_span,
    [KIND_CHOICE] = load_choice,
    [KIND_DATABASE] = load_database,
    [KIND_FILE] = load_file_path,
    [KIND_TEXT] = load_plain_text,
    [KIND_NAME] = load_name,
    [KIND_URL] = load_url,
    [KIND_PROXY] = load_proxy,
    [KIND_ENDPOINT] = load_endpoint,
    [KIND_TABLE] = load_table,
    [KIND_PATH] = load_path,
    [KIND_CRON] = load_cron,
    [KIND_TIMEZONE] = load_timezone,
    [KIND_NAMES] = load_names,
    [KIND_NAME_LISTS] = load_name_lists,
    [KIND_VIEWS] = load_views,
    [KIND_NULL_VALUES] = load_null_values,
    [KIND_PATTERN] = load_pattern,
    [KIND_CONSTANT] = load_constant,
    [KIND_HEADERS] = load_headers,
    [KIND_PARAMS] = load_params,
    [KIND_STATUS_CODES] = load_status_codes,
    [KIND_BODY] = load_body,
    [KIND_FIELDS] = load_fields,
    [KIND_ITEMS] = load_items,
    [KIND_SECRET] = load_secret,
    [KIND_GROUP] = load_group,
    [KIND_OBJECT] = load_object,
    [KIND_OBJECT_LIST] = load_object_list,
    [KIND_OBJECT_MAP] = load_object_map,
    [KIND_DEFAULTS] = load_late,
    [KIND_INCLUDE] = load_late,
    [KIND_SOURCES] = load_late,
};

static bool is_twin(const struct key *key, struct slice name)
{
    return key->twin != NULL && slice_equals(name, key->twin);
}

static const struct key *find_key(const struct key_set *set, struct slice name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (slice_equals(name, set->keys[i].name) || is_twin(&set->keys[i], name))
            return &set->keys[i];
    }
    return NULL;
}

/* Who has a key of this name; NULL: nobody. */
static const char *holder_of(struct slice name)
{
    for (size_t i = 0; key_sets[i] != NULL; i++) {
        if (find_key(key_sets[i], name) != NULL)
            return key_sets[i]->holder;
    }
    return NULL;
}

static void offer_keys(struct suggestion *near, const struct key_set *set, struct slice name)
{
    for (size_t i = 0; i < set->count; i++) {
        suggest_offer(near, set->keys[i].name, name.data, name.length);
        if (set->keys[i].twin != NULL)
            suggest_offer(near, set->keys[i].twin, name.data, name.length);
    }
}

/* A key in the wrong mapping is likelier than two slips in one word: it is looked for first. */
static void report_unknown(struct load *load, const struct where *where, const struct item *item,
                           const struct key_set *set)
{
    struct slice name = {item->text, item->length};
    struct place place = place_of(load, item);
    struct suggestion here = {0};
    struct suggestion elsewhere = {0};
    const char *holder = holder_of(name);

    if (load->mistake_count < MOST_MISTAKES) /* guessing is dear, and nobody would read it */
        offer_keys(&here, set, name);
    for (size_t i = 0; key_sets[i] != NULL && load->mistake_count < MOST_MISTAKES; i++)
        offer_keys(&elsewhere, key_sets[i], name);
    if (holder != NULL)
        load_mistake(load, place, where, "unknown key here; it belongs to %s", holder);
    else if (here.word != NULL)
        load_mistake(load, place, where, "unknown key; did you mean \"%s\"?", here.word);
    else if (elsewhere.word != NULL)
        load_mistake(load, place, where, "unknown key; did you mean \"%s\", which belongs to %s?",
                     elsewhere.word, holder_of(slice_of(elsewhere.word)));
    else
        load_mistake(load, place, where,
                     "unknown key; remove it, or begin it with x- to have it ignored");
}

/* An alias may bring a value that was read before: whether it is tainted is known of its item. */
static bool read_value(struct load *load, const struct where *where, load_value_fn *reader,
                       const struct key *key, struct item *item, void *target)
{
    bool tainted = load->tainted;
    bool good;

    load->tainted = false;
    good = reader(load, where, key, item, target);
    item->tainted = item->tainted || load->tainted;
    if (load->masks != NULL)
        masks_note(load, target, key, item->tainted);
    load->tainted = tainted || item->tainted;
    return good;
}

static bool load_one(struct load *load, const struct where *where, const struct entry *entry,
                     const struct key_set *set, void *target, struct given *given, bool in_defaults)
{
    struct where here = where_text(where, entry->key->text, entry->key->length);
    struct slice name = {entry->key->text, entry->key->length};
    const struct key *key = find_key(set, name);
    bool twin;
    size_t row;

    if (key == NULL) {
        report_unknown(load, &here, entry->key, set);
        return false;
    }
    if (in_defaults && key->own) {
        load_mistake(load, place_of(load, entry->key), &here,
                     "belongs to one source and cannot be a default; write it in each source");
        return false;
    }
    row = (size_t)(key - set->keys);
    twin = is_twin(key, name);
    if (key->twin != NULL && given->at[row] != NULL) {
        load_mistake(load, place_of(load, entry->key), &here,
                     "%s and %s are two places for one secret; remove one of them", key->name,
                     key->twin);
        given->bad[row] = true;
        return false;
    }
    given->at[row] = entry->value;
    given->bad[row] = !read_value(load, &here, twin ? load_secret_file : readers[key->kind], key,
                                  entry->value, target);
    return !given->bad[row];
}

static bool check_required(struct load *load, const struct where *where, const struct item *mapping,
                           const struct key_set *set, const struct given *given)
{
    const char *blank = strchr(set->holder, ' '); /* behind "a" or "an", where there is one */
    bool good = true;

    for (size_t i = 0; i < set->count; i++) {
        if (!set->keys[i].required || given->at[i] != NULL)
            continue;
        load_mistake(load, place_of(load, mapping), where,
                     "the key \"%s\" is missing; every %s has one, as in %s: %s", set->keys[i].name,
                     blank != NULL ? blank + 1 : set->holder, set->keys[i].name,
                     set->keys[i].example);
        good = false;
    }
    return good;
}

bool load_keys(struct load *load, const struct where *where, struct item *mapping,
               const struct key_set *set, void *target, struct given *given, bool in_defaults)
{
    bool good = true;

    assert(mapping->kind == ITEM_MAPPING && set->count <= MAX_KEYS);
    load_resolve(load, where, mapping);
    for (const struct entry *e = mapping->first; e != NULL; e = e->next) {
        if (!is_private_key(e->key))
            good = load_one(load, where, e, set, target, given, in_defaults) && good;
    }
    if (!in_defaults)
        good = check_required(load, where, mapping, set, given) && good;
    return good;
}

void load_fallbacks(struct load *load, const struct key_set *set, void *target)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct key *key = &set->keys[i];
        struct where where = where_key(NULL, key->name);
        struct item item = {.kind = ITEM_MAPPING};
        bool good;

        if (key->kind == KIND_GROUP)
            load_fallbacks(load, key->keys, target);
        if (key->fallback == NULL)
            continue;
        if (key->kind != KIND_OBJECT)
            item = (struct item){.kind = ITEM_SCALAR,
                                 .plain = true,
                                 .text = key->fallback,
                                 .length = strlen(key->fallback)};
        good = readers[key->kind](load, &where, key, &item, target);
        assert(good || load->out_of_memory);
        (void)good;
    }
}
