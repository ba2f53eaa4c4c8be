/* Values that are mappings whose keys are the operator's own: headers and query parameters. */
#include <ctype.h>
#include <string.h>

#include "config/load.h"
#include "config/value_list.h"

bool require_mapping(struct load *load, const struct where *where, const struct key *key,
                     struct item *item)
{
    if (item->kind != ITEM_MAPPING) {
        refuse_kind_of(load, where, item, key);
        return false;
    }
    load_resolve(load, where, item);
    return true;
}

/* Case does not count: "accept" and "Accept" are one header (RFC 9110, 5.1). */
char *lower_copy(struct load *load, const char *text, size_t length)
{
    char *copy = arena_copy(load->items, text, length);

    if (copy == NULL) {
        load_out_of_memory(load);
        return NULL;
    }
    for (size_t i = 0; i < length; i++)
        copy[i] = (char)tolower((unsigned char)copy[i]);
    return copy;
}

bool is_token(const char *name, size_t length)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return length > 0 && strspn(name, token) >= length;
}

const char *header_name_problem(const char *name, size_t length)
{
    /* Those that say how the message travels; a wrong one breaks the connection for others. */
    static const char *const ours[] = {
        "Content-Length",
        "Transfer-Encoding",
        "Connection",
        "Keep-Alive",
        "Upgrade",
        "TE",
        "Trailer",
        "Expect",
        NULL,
    };

    if (!is_token(name, length))
        return "not a header's name; use letters, digits and -, as in X-Api-Key";
    for (const char *const *own = ours; *own != NULL; own++) {
        if (strcasecmp(name, *own) == 0)
            return "gatherd sets this header itself; remove it";
    }
    if (strcasecmp(name, "Accept-Encoding") == 0)
        return "gatherd asks for the encodings it can undo; remove it";
    if (strncasecmp(name, "Proxy-", 6) == 0)
        return "headers for proxies are not sent to servers; remove it";
    return NULL;
}

static bool check_header_value(struct load *load, const struct where *where,
                               const struct scalar *scalar)
{
    for (const char *p = scalar->text; *p != '\0'; p++) {
        if (((unsigned char)*p >= 0x20 && *p != 0x7f) || *p == '\t')
            continue;
        load_mistake(load, place_of(load, scalar->item), where, "%s",
                     *p == '\n' || *p == '\r'
                         ? "a header's value is one line; remove the line break"
                         : "a control character in a header's value; remove it");
        return false;
    }
    return true;
}

static bool load_header(struct load *load, const struct where *where, const struct key *key,
                        const struct entry *entry, struct name_value *header)
{
    const char *problem = header_name_problem(entry->key->text, entry->key->length);
    struct scalar value;

    if (problem != NULL) {
        load_mistake(load, place_of(load, entry->key), where, "%s", problem);
        return false;
    }
    if (!load_words(load, where, key, entry->value, "the header's value as text", &value) ||
        !check_header_value(load, where, &value))
        return false;
    header->name = load_keep(load, entry->key->text, entry->key->length);
    header->value = load_keep(load, value.text, value.length);
    return header->name != NULL && header->value != NULL;
}

/* False when a header of this name, in whatever case, has been there. */
static bool note_header(struct load *load, const struct where *where, const struct item *key,
                        struct config_map *seen)
{
    char *name = lower_copy(load, key->text, key->length);
    struct slice slice = {name, key->length};

    if (name == NULL)
        return false;
    if (config_map_get(seen, slice) != NULL) {
        load_mistake(load, place_of(load, key), where,
                     "this header stands twice, differing only in case; remove one");
        return false;
    }
    if (config_map_put(seen, slice, name) == -1)
        load_out_of_memory(load);
    return true;
}

bool load_headers(struct load *load, const struct where *where, const struct key *key,
                  struct item *item, void *target)
{
    struct config_map seen = {0};
    struct name_value *headers;
    size_t count = 0;
    bool good;

    if (reuse_list(key, item, target, &good))
        return good;
    if (!require_mapping(load, where, key, item))
        return false;
    headers = load_alloc(load, load->arena, count_entries(item) * sizeof(headers[0]));
    good = headers != NULL;
    for (const struct entry *e = item->first; e != NULL && headers != NULL; e = e->next) {
        struct where here = where_text(where, e->key->text, e->key->length);

        good = note_header(load, &here, e->key, &seen) && good;
        good = load_header(load, &here, key, e, &headers[count++]) && good;
    }
    config_map_free(&seen);
    return finish_list(key, item, target, headers, count, good);
}

static bool load_param(struct load *load, const struct where *where, const struct key *key,
                       const struct item *name, struct item *item, struct name_value *param)
{
    struct scalar value;

    if (!load_words(load, where, key, item, "a text, number or boolean, or a list of them", &value))
        return false;
    param->name = load_keep(load, name->text, name->length);
    param->value = load_keep(load, value.text, value.length);
    return param->name != NULL && param->value != NULL;
}

/* A list repeats the name, once for each element. */
static bool load_param_entry(struct load *load, const struct where *where, const struct key *key,
                             const struct entry *entry, struct name_value *params, size_t *count)
{
    bool good = true;
    size_t i = 0;

    if (entry->key->length == 0 || strlen(entry->key->text) < entry->key->length) {
        load_mistake(load, place_of(load, entry->key), where,
                     "not a parameter's name; write text without NUL");
        return false;
    }
    if (entry->value->kind != ITEM_LIST)
        return load_param(load, where, key, entry->key, entry->value, &params[(*count)++]);
    for (const struct entry *e = entry->value->first; e != NULL; e = e->next) {
        struct where here = where_index(where, i++);

        good = load_param(load, &here, key, entry->key, e->value, &params[(*count)++]) && good;
    }
    return good;
}

bool load_params(struct load *load, const struct where *where, const struct key *key,
                 struct item *item, void *target)
{
    struct name_value *params;
    size_t room = 0;
    size_t count = 0;
    bool good;

    if (reuse_list(key, item, target, &good))
        return good;
    if (!require_mapping(load, where, key, item))
        return false;
    for (const struct entry *e = item->first; e != NULL; e = e->next)
        room += e->value->kind == ITEM_LIST ? count_entries(e->value) : 1;
    params = load_alloc(load, load->arena, room * sizeof(params[0]));
    good = params != NULL;
    for (const struct entry *e = item->first; e != NULL && params != NULL; e = e->next) {
        struct where here = where_text(where, e->key->text, e->key->length);

        good = load_param_entry(load, &here, key, e, params, &count) && good;
    }
    return finish_list(key, item, target, params, count, good);
}
