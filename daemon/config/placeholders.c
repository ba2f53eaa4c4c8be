/* Templates in the configuration: what is wrong with their placeholders, and where. */
#include <string.h>

#include "config/load.h"
#include "config/suggest.h"
#include "gatherd/items.h"
#include "gatherd/template.h"

/* The values that exist only beside a key of the source. */
static bool has_cursor(const struct source *source)
{
    return source->incremental != NULL && source->incremental->initial_value != NULL;
}

/* Where nothing else bounds a request, the time of the request does if the positions are times. */
static bool has_cursor_end(const struct source *source)
{
    const struct incremental *inc = source->incremental;
    int64_t wall_ms;

    return inc != NULL && (inc->end != NULL || inc->step.amount != 0 ||
                           (inc->initial_value != NULL &&
                            cursor_time(&inc->rule, slice_of(inc->initial_value), &wall_ms)));
}

static const struct {
    enum template_name name;
    bool (*is_there)(const struct source *source); /* NULL: never */
    const char *key;
    const char *what; /* it says */
} needs[] = {
    {TEMPLATE_CURSOR, has_cursor, "incremental",
     "with initial_value where it begins, and what "
     "moves it"},
    {TEMPLATE_CURSOR_END, has_cursor_end, "incremental", "with step or end where a request ends"},
    {TEMPLATE_ITEM, NULL, "for_each", "which items there are"},
};

/* --- What is wrong whatever the source. --- */

/* The nearest word to what was written, or NULL. */
static const char *near_word(const struct placeholder *p)
{
    struct suggestion near = {0};

    if (p->name == TEMPLATE_UNKNOWN) {
        for (enum template_name name = 0; name < TEMPLATE_UNKNOWN; name++)
            suggest_offer(&near, template_name_text(name), p->word.data, p->word.length);
    } else if (p->name <= TEMPLATE_NOW && p->format.data != NULL) {
        for (const char *const *format = template_formats; *format != NULL; format++)
            suggest_offer(&near, *format, p->format.data, p->format.length);
    }
    return near.word;
}

static void report_unknown(struct load *load, struct place place, const struct where *where,
                           const struct placeholder *p, const char *brace)
{
    const char *quoted = load_quote(load, p->whole.data, p->whole.length);
    const char *near = near_word(p);

    if (near != NULL)
        load_mistake(load, place, where,
                     "%s is no run-time value; did you mean {%s}? For the character { write %s",
                     quoted, near, brace);
    else
        load_mistake(load, place, where,
                     "%s is no run-time value; write {scheduled_at}, {previous_scheduled_at}, "
                     "{now}, {cursor}, {cursor_end} or {item.NAME}, and %s for the character {",
                     quoted, brace);
}

static void report(struct load *load, struct place place, const struct where *where,
                   const struct placeholder *p, const char *brace, const struct error *err)
{
    const char *near;

    if (p->closed && p->name == TEMPLATE_UNKNOWN) {
        report_unknown(load, place, where, p, brace);
        return;
    }
    near = near_word(p);
    load_mistake(load, place, where, "%s %s%s%s%s",
                 load_quote(load, p->whole.data, p->whole.length), err->text,
                 near == NULL ? "" : "; did you mean ", near == NULL ? "" : near,
                 near == NULL ? "" : "?");
}

/*
 * The place of a placeholder in the file. No variable stands inside of one, so it is found as it
 * was written; `from` is where in the item's text the one before it ends.
 */
static struct place place_of_placeholder(const struct load *load, const struct item *item,
                                         struct slice whole, size_t *from)
{
    const char *found = memmem(item->text + *from, item->length - *from, whole.data, whole.length);
    size_t offset;

    if (found == NULL)
        return place_of(load, item);
    offset = (size_t)(found - item->text);
    *from = offset + whole.length;
    return place_in(load, item, count_characters(item->text, offset));
}

bool check_placeholders(struct load *load, const struct where *where, const struct scalar *scalar,
                        const char *brace)
{
    struct slice text = {scalar->text, scalar->length};
    struct placeholder p;
    size_t place = 0;
    size_t from = 0;
    bool good = true;

    if (template_is_constant(scalar->text))
        return true;
    while (template_next(text, &place, &p)) {
        struct error err = {0};
        struct place at = place_of_placeholder(load, scalar->item, p.whole, &from);

        if (template_check(&p, &err) == -1) {
            report(load, at, where, &p, brace, &err);
            good = false;
        }
    }
    return good;
}

bool load_words(struct load *load, const struct where *where, const struct key *key,
                struct item *item, const char *expected, struct scalar *scalar)
{
    if (!key->templates)
        return load_scalar(load, where, item, expected, scalar);
    return load_template(load, where, item, expected, scalar) &&
           check_placeholders(load, where, scalar, TEXT_BRACE);
}

/* --- What is wrong in this source. --- */

/* What the values of one source are looked for with. */
struct search {
    struct load *load;
    const struct where *where;
    const struct item *item; /* the source's */
    const struct source *source;
    const struct given *given;
    unsigned row;
};

/* Finds a placeholder in the scalars of an item; false: it is not there, it comes from defaults. */
static bool find_in_item(const struct load *load, const struct item *item, struct slice whole,
                         struct place *place)
{
    size_t from = 0;

    if (item == NULL)
        return false;
    if (item->kind == ITEM_SCALAR) {
        *place = place_of_placeholder(load, item, whole, &from);
        return from > 0;
    }
    for (const struct entry *e = item->first; e != NULL; e = e->next) {
        if (find_in_item(load, e->value, whole, place))
            return true;
    }
    return false;
}

/* Where it stands; false: in defaults, and the place is that of the source. */
static bool find_place(const struct search *s, const struct placeholder *p, struct place *place)
{
    *place = place_of(s->load, s->item);
    return find_in_item(s->load, s->given->at[s->row], p->whole, place);
}

static void refuse_value(const struct search *s, const struct placeholder *p, size_t need)
{
    struct where here = where_key(s->where, source_key_set.keys[s->row].name);
    struct place place;
    bool written = find_place(s, p, &place);

    load_mistake(
        s->load, place, &here,
        "%s%s needs the key \"%s\", which says %s; add it, or write %s for the character {",
        load_quote(s->load, p->whole.data, p->whole.length), written ? "" : " (from defaults)",
        needs[need].key, needs[need].what, s->row == SOURCE_URL ? URL_BRACE : TEXT_BRACE);
}

/* Calls `visit` for each placeholder of a text until it returns true. */
typedef bool visit_fn(const void *context, const struct placeholder *placeholder);

static bool visit_text(const char *text, visit_fn *visit, const void *context)
{
    struct placeholder p;
    size_t place = 0;

    if (text == NULL || template_is_constant(text))
        return false;
    while (template_next(slice_of(text), &place, &p)) {
        if (visit(context, &p))
            return true;
    }
    return false;
}

static bool visit_pairs(const struct name_value *pairs, size_t count, visit_fn *visit,
                        const void *context)
{
    for (size_t i = 0; i < count; i++) {
        if (visit_text(pairs[i].value, visit, context))
            return true;
    }
    return false;
}

/* The texts of one key. */
static bool visit_row(const struct source *source, unsigned row, visit_fn *visit,
                      const void *context)
{
    switch (row) {
    case SOURCE_URL:
        return visit_text(source->url, visit, context);
    case SOURCE_HEADERS:
        return visit_pairs(source->headers, source->header_count, visit, context);
    case SOURCE_PARAMS:
        return visit_pairs(source->params, source->param_count, visit, context);
    case SOURCE_FORM:
        return visit_pairs(source->form, source->form_count, visit, context);
    case SOURCE_BODY:
        return source->body != NULL && visit_text(source->body->text, visit, context);
    default:
        return false;
    }
}

/* The keys that are templates. */
static const unsigned rows[] = {SOURCE_URL, SOURCE_HEADERS, SOURCE_PARAMS, SOURCE_BODY,
                                SOURCE_FORM};

static bool is_local(const void *context, const struct placeholder *p)
{
    (void)context;
    return template_is_local(p);
}

bool tells_local_time(const struct source *source, const struct given *given)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!is_sound(given, rows[i]) || visit_row(source, rows[i], is_local, NULL))
            return true;
    }
    return false;
}

/* --- What it says of items. --- */

/* The names that an item of this source has; 0: they are known when sql has run. */
static size_t known_names(const struct for_each *for_each, const char *const **names)
{
    if (for_each->values != NULL && for_each->values->count > 0) {
        *names = for_each->values->names;
        return for_each->values->name_count;
    }
    *names = for_each->fields;
    return for_each->field_count;
}

static void refuse_bare_item(const struct search *s, struct place place, const struct where *where,
                             const char *const *names, size_t count)
{
    load_mistake(s->load, place, where,
                 "{item} stands for an item of one value, and these have %zu; write the name of "
                 "one, as in {item.%.64s}",
                 count, names[0]);
}

static void refuse_item_name(const struct search *s, struct place place, const struct where *where,
                             const struct placeholder *p, const char *const *names, size_t count)
{
    const char *quoted = load_quote(s->load, p->whole.data, p->whole.length);
    struct suggestion near = {0};

    for (size_t i = 0; i < count; i++)
        suggest_offer(&near, names[i], p->member.data, p->member.length);
    if (near.word != NULL)
        load_mistake(s->load, place, where,
                     "%s is no value of the items; did you mean {item.%.64s}?", quoted, near.word);
    else
        load_mistake(s->load, place, where,
                     "%s is no value of the items; write one of theirs, as in {item.%.64s}", quoted,
                     names[0]);
}

static void check_item(const struct search *s, const struct placeholder *p)
{
    struct where here = where_key(s->where, source_key_set.keys[s->row].name);
    const char *const *names;
    size_t count = known_names(s->source->for_each, &names);
    struct place place;
    size_t i = 0;

    if (count == 0 || (p->member.data == NULL && count == 1))
        return;
    find_place(s, p, &place);
    if (p->member.data == NULL) {
        refuse_bare_item(s, place, &here, names, count);
        return;
    }
    while (i < count && !slice_equals(p->member, names[i]))
        i++;
    if (i == count)
        refuse_item_name(s, place, &here, p, names, count);
}

/* The names that the request says, each once. */
struct said {
    struct load *load;
    const char *names[ITEMS_MAX_NAMES + 1];
    size_t count;
};

/* Kept texts are equal when their pointers are. */
static bool note_item(const void *context, const struct placeholder *p)
{
    struct said *said = (struct said *)context;
    const char *name;
    size_t i = 0;

    if (p->name != TEMPLATE_ITEM)
        return false;
    name = load_keep(said->load, p->member.length > 0 ? p->member.data : "", p->member.length);
    while (i < said->count && said->names[i] != name)
        i++;
    if (i == said->count && said->count < sizeof(said->names) / sizeof(said->names[0]))
        said->names[said->count++] = name;
    return false;
}

/* Without any, all items would be one request. */
static void note_items(struct load *load, const struct where *where, struct source *source,
                       const struct given *given)
{
    struct said said = {.load = load};
    struct where here = where_key(where, source_key_set.keys[SOURCE_FOR_EACH].name);
    const char **names;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!is_sound(given, rows[i]))
            return;
        visit_row(source, rows[i], note_item, &said);
    }
    if (said.count == 0)
        load_mistake(load, place_of(load, given->at[SOURCE_FOR_EACH]), &here,
                     "no request says which item it is for; write {item.NAME} in url, params, "
                     "headers, body or form");
    names = load_alloc(load, load->arena, (said.count + 1) * sizeof(names[0]));
    if (names == NULL)
        return;
    memcpy(names, said.names, said.count * sizeof(names[0]));
    source->item_names = names;
}

/* --- All of it. --- */

static bool check_need(const void *context, const struct placeholder *p)
{
    const struct search *s = context;

    if (p->name == TEMPLATE_ITEM && s->given->at[SOURCE_FOR_EACH] != NULL) {
        if (s->source->for_each != NULL)
            check_item(s, p);
        return false;
    }
    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        if (needs[i].name == p->name &&
            (needs[i].is_there == NULL || !needs[i].is_there(s->source)))
            refuse_value(s, p, i);
    }
    return false;
}

void check_values(struct load *load, const struct where *where, const struct item *item,
                  struct source *source, const struct given *given)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct search search = {load, where, item, source, given, rows[i]};

        if (is_sound(given, rows[i]) && is_sound(given, SOURCE_INCREMENTAL))
            visit_row(source, rows[i], check_need, &search);
    }
    if (is_given(given, SOURCE_FOR_EACH))
        note_items(load, where, source, given);
}
