/*
 * The body of a request: text, or a mapping or a list that becomes JSON.
 *
 * Numbers, booleans and nothing keep their type where they stand without quotes, also when a
 * variable brought them; what stands in quotes is a string whatever it looks like.
 */
#include <string.h>

#include "config/load.h"
#include "config/masks.h"
#include "config/yaml_text.h"
#include "gatherd/template.h"

#define LONGEST_BYTES YAML_MAX_BYTES

/* RFC 8259, 6. YAML knows more forms: 007, +1, .5, 1., .inf. */
static bool is_json_number(const char *text)
{
    static const char digits[] = "0123456789";
    const char *p = text + (*text == '-');
    size_t whole = strspn(p, digits);

    if (whole == 0 || (whole > 1 && *p == '0'))
        return false;
    p += whole;
    if (*p == '.') {
        size_t fraction = strspn(p + 1, digits);

        if (fraction == 0)
            return false;
        p += 1 + fraction;
    }
    if (*p == 'e' || *p == 'E') {
        p += 1 + (p[1] == '-' || p[1] == '+');
        if (strspn(p, digits) == 0)
            return false;
        p += strspn(p, digits);
    }
    return *p == '\0';
}

/* JSON is written once as it is sent, and once for a dump: as YAML, with *** for what is hidden. */
struct writer {
    struct load *load;
    const struct key *key;
    struct text *out;
    bool for_dump;
};

static bool put_number(struct writer *w, const struct where *where, const struct scalar *scalar)
{
    if (is_json_number(scalar->text)) {
        text_append(w->out, scalar->text, scalar->length);
        return true;
    }
    load_mistake(
        w->load, place_of(w->load, scalar->item), where,
        "%s is not a number in JSON; write one as in 7, 0.5 or 1e3, or put it in quotes if "
        "it is text",
        load_quote_scalar(w->load, scalar));
    return false;
}

/* Below a name that speaks of a secret everything is one. */
static bool is_secret(const struct where *where)
{
    for (; where != NULL; where = where->up) {
        if (where->name != NULL && is_secret_name(where->name, where->length))
            return true;
    }
    return false;
}

/* The whole JSON is a template; names hold no placeholders. */
static void put_member(struct text *out, const struct item *name)
{
    struct text json = {0};

    text_json_string(&json, name->text, name->length);
    template_add_literal(out, text_string(&json), json.length);
    out->failed = out->failed || text_failed(&json);
    text_free(&json);
}

static void put_name(struct writer *w, const struct item *name)
{
    if (w->for_dump)
        yaml_put_text(w->out, name->text, false);
    else if (w->key->templates)
        put_member(w->out, name);
    else
        text_json_string(w->out, name->text, name->length);
    text_add(w->out, w->for_dump ? ": " : ":");
}

static void put_hidden(struct writer *w, const struct where *where, const struct scalar *scalar)
{
    struct text shown = {0};

    if (is_secret(where))
        text_add(&shown, MASK);
    else
        masks_write(w->load, &shown, scalar->text, scalar->substituted);
    yaml_put_text(w->out, text_string(&shown), true);
    w->out->failed = w->out->failed || text_failed(&shown);
    text_free(&shown);
}

static bool put_word(struct writer *w, const struct where *where, const struct scalar *scalar)
{
    enum scalar_class class =
        scalar->plain ? scalar_class(scalar->text, scalar->length) : SCALAR_TEXT;

    if (w->for_dump && (class == SCALAR_TEXT || scalar->substituted || is_secret(where))) {
        put_hidden(w, where, scalar);
        return true;
    }
    switch (class) {
    case SCALAR_NULL:
        text_add(w->out, "null");
        return true;
    case SCALAR_BOOLEAN:
        text_add(w->out, scalar->text);
        return true;
    case SCALAR_INTEGER:
    case SCALAR_REAL:
        return put_number(w, where, scalar);
    case SCALAR_TEXT:
        break;
    }
    text_json_string(w->out, scalar->text, scalar->length);
    return true;
}

static bool put_scalar(struct writer *w, const struct where *where, struct item *item)
{
    struct scalar scalar;

    if (item->plain && scalar_class(item->text, item->length) == SCALAR_NULL) {
        text_add(w->out, "null");
        return true;
    }
    return load_words(w->load, where, w->key, item, "a value", &scalar) &&
           put_word(w, where, &scalar);
}

static bool put_value(struct writer *w, const struct where *where, struct item *item);

static bool put_list(struct writer *w, const struct where *where, const struct item *list)
{
    bool good = true;
    size_t i = 0;

    text_char(w->out, '[');
    for (const struct entry *e = list->first; e != NULL; e = e->next) {
        struct where here = where_index(where, i);

        text_add(w->out, i++ == 0 ? "" : w->for_dump ? ", " : ",");
        good = put_value(w, &here, e->value) && good;
    }
    text_char(w->out, ']');
    return good;
}

static bool put_mapping(struct writer *w, const struct where *where, struct item *mapping)
{
    bool good = true;

    load_resolve(w->load, where, mapping);
    text_char(w->out, '{');
    for (const struct entry *e = mapping->first; e != NULL; e = e->next) {
        struct where here = where_text(where, e->key->text, e->key->length);

        text_add(w->out, e == mapping->first ? "" : w->for_dump ? ", " : ",");
        put_name(w, e->key);
        good = put_value(w, &here, e->value) && good;
    }
    text_char(w->out, '}');
    return good;
}

/* Aliases can make a long text of a short file: past the limit nothing more is written. */
static bool put_value(struct writer *w, const struct where *where, struct item *item)
{
    if (w->out->length > LONGEST_BYTES)
        return true;
    if (item->kind == ITEM_LIST)
        return put_list(w, where, item);
    if (item->kind == ITEM_MAPPING)
        return put_mapping(w, where, item);
    return put_scalar(w, where, item);
}

static void note_for_dump(struct load *load, const struct where *where, const struct key *key,
                          struct item *item, const struct text *json)
{
    struct text shown = {0};
    struct writer writer = {load, key, &shown, true};

    put_value(&writer, where, item);
    masks_text(load, json, &shown);
    text_free(&shown);
}

const char *load_json(struct load *load, const struct where *where, const struct key *key,
                      struct item *item)
{
    struct text json = {0};
    struct writer writer = {load, key, &json, false};
    const char *kept = NULL;

    if (put_value(&writer, where, item)) {
        if (text_failed(&json))
            load_out_of_memory(load);
        else if (json.length > LONGEST_BYTES)
            load_mistake(load, place_of(load, item), where,
                         "longer than 1 MiB as JSON; write less");
        else
            kept = load_keep(load, json.data, json.length);
    }
    if (kept != NULL && load->masks != NULL)
        note_for_dump(load, where, key, item, &json);
    text_free(&json);
    return kept;
}

static const char *read_text(struct load *load, const struct where *where, const struct key *key,
                             struct item *item)
{
    static const char expected[] = "text, or a mapping or a list, which is sent as JSON";
    struct scalar scalar;

    if (!load_words(load, where, key, item, expected, &scalar) ||
        !require_text(load, where, expected, &scalar))
        return NULL;
    return load_keep(load, scalar.text, scalar.length);
}

static struct request_body *read_body(struct load *load, const struct where *where,
                                      const struct key *key, struct item *item)
{
    struct request_body *body = load_alloc(load, load->arena, sizeof(*body));

    if (body == NULL)
        return NULL;
    body->is_json = item->kind != ITEM_SCALAR;
    body->text =
        body->is_json ? load_json(load, where, key, item) : read_text(load, where, key, item);
    return body->text == NULL ? NULL : body;
}

bool load_body(struct load *load, const struct where *where, const struct key *key,
               struct item *item, void *target)
{
    if (item->parsed_by != key) { /* an alias brings one item to many sources */
        item->parsed = read_body(load, where, key, item);
        item->parsed_by = key;
    }
    if (item->parsed == NULL)
        return false;
    store_pointer(key, target, item->parsed);
    return true;
}
