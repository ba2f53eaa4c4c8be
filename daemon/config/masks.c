#include "config/masks.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What a variable brought is hidden wherever it stands, unless it is so short that it would be
 * found in everything; as part of its own text it is hidden in any case. */
#define LEAST_ANYWHERE 8

/* Who holds the value: a source by its place in the list (the array moves as it grows). */
struct mark_key {
    uintptr_t object;
    const struct key *key;
};

struct mark {
    struct mark_key key;
    bool tainted;
};

struct masks {
    struct config_map
        texts; /* text with variables filled in, to the same with *** in their place */
    struct config_map marks; /* struct mark, by its key */
    const char **values;     /* owned array: of variables, LEAST_ANYWHERE bytes or longer */
    size_t value_count;
    size_t value_capacity;
};

struct masks *masks_create(struct load *load)
{
    struct masks *masks = calloc(1, sizeof(*masks));

    if (masks == NULL)
        load_out_of_memory(load);
    return masks;
}

void masks_free(struct masks *masks)
{
    if (masks == NULL)
        return;
    config_map_free(&masks->texts);
    config_map_free(&masks->marks);
    free(masks->values);
    free(masks);
}

/* --- While the files are read. --- */

static char *note(struct load *load, const char *text, size_t length)
{
    char *copy = arena_copy(load->notes, text, length);

    if (copy == NULL)
        load_out_of_memory(load);
    return copy;
}

void masks_variable(struct load *load, const char *value)
{
    struct masks *masks = load->masks;

    if (strlen(value) < LEAST_ANYWHERE)
        return;
    for (size_t i = 0; i < masks->value_count; i++) {
        if (strcmp(masks->values[i], value) == 0)
            return;
    }
    if (load_room(load, &masks->values, masks->value_count, &masks->value_capacity,
                  sizeof(masks->values[0])) &&
        (value = note(load, value, strlen(value))) != NULL)
        masks->values[masks->value_count++] = value;
}

void masks_text(struct load *load, const struct text *text, const struct text *masked)
{
    const char *key = note(load, text_string(text), text->length);
    char *value = note(load, text_string(masked), masked->length);

    if (text_failed(masked) ||
        (key != NULL && value != NULL &&
         config_map_put(&load->masks->texts, (struct slice){key, text->length}, value) == -1))
        load_out_of_memory(load);
}

static uintptr_t object_of(const struct load *load, const void *target)
{
    uintptr_t first = (uintptr_t)load->config->sources;
    uintptr_t at = (uintptr_t)target;

    if (first == 0 || at < first ||
        at >= (uintptr_t)(load->config->sources + load->config->source_count))
        return at;
    return (at - first) / sizeof(struct source);
}

static struct mark *find_mark(const struct load *load, uintptr_t object, const struct key *key)
{
    struct mark_key sought = {object, key};

    return config_map_get(&load->masks->marks,
                          (struct slice){(const char *)&sought, sizeof(sought)});
}

void masks_note(struct load *load, const void *target, const struct key *key, bool tainted)
{
    struct mark *mark = load_alloc(load, load->notes, sizeof(*mark));

    if (mark == NULL)
        return;
    mark->key = (struct mark_key){object_of(load, target), key};
    mark->tainted = tainted;
    if (config_map_put(&load->masks->marks,
                       (struct slice){(const char *)&mark->key, sizeof(mark->key)}, mark) == -1)
        load_out_of_memory(load);
}

/* --- Afterwards. --- */

enum given_how masks_given(const struct load *load, const void *target, const struct key *key)
{
    uintptr_t object = object_of(load, target);
    const struct mark *mark = find_mark(load, object, key);

    if (mark == NULL && object < load->config->source_count)
        mark = find_mark(load, (uintptr_t)&load->base, key);
    if (mark == NULL)
        return GIVEN_NOT;
    return mark->tainted ? GIVEN_TAINTED : GIVEN_PLAIN;
}

static bool holds(const char *lower, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strstr(lower, *words) != NULL)
            return true;
    }
    return false;
}

bool is_secret_name(const char *name, size_t length)
{
    static const char *const words[] = {"auth",   "cookie",  "token",      "key",
                                        "secret", "passw",   "credential", "signature",
                                        "pwd",    "session", "api-key",    NULL};
    char lower[128];
    size_t i;

    for (i = 0; i < length && i + 1 < sizeof(lower); i++)
        lower[i] = (char)tolower((unsigned char)name[i]);
    lower[i] = '\0';
    return holds(lower, words) || (length == 3 && strncmp(lower, "sig", 3) == 0);
}

/* The longest value of a variable that begins at `p`; 0: none does. */
static size_t variable_at(const struct masks *masks, const char *p)
{
    size_t longest = 0;

    for (size_t i = 0; i < masks->value_count; i++) {
        size_t length = strlen(masks->values[i]);

        if (length > longest && strncmp(p, masks->values[i], length) == 0)
            longest = length;
    }
    return longest;
}

static void hide_variables(const struct masks *masks, struct text *out, const char *string)
{
    for (const char *p = string; *p != '\0';) {
        size_t length = variable_at(masks, p);

        if (length > 0)
            text_add(out, MASK);
        else
            text_char(out, *p);
        p += length > 0 ? length : 1;
    }
}

/* "user:password@" after "://". */
static const char *skip_user(struct text *out, const char *host)
{
    size_t authority = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', authority);

    if (at == NULL)
        return host;
    text_add(out, MASK);
    return at;
}

/* "a=1&token=x" behind a '?'. */
static const char *hide_parameters(struct text *out, const char *query)
{
    while (*query != '\0' && *query != '#') {
        size_t length = strcspn(query, "&#");
        const char *equals = memchr(query, '=', length);

        if (equals != NULL && is_secret_name(query, (size_t)(equals - query))) {
            text_append(out, query, (size_t)(equals + 1 - query));
            text_add(out, MASK);
        } else {
            text_append(out, query, length);
        }
        query += length;
        if (*query == '&')
            text_char(out, *query++);
    }
    return query;
}

static void hide_url_secrets(struct text *out, const char *string)
{
    const char *scheme = strstr(string, "://");
    const char *p = string;
    size_t length;

    if (scheme != NULL) {
        text_append(out, p, (size_t)(scheme + 3 - p));
        p = skip_user(out, scheme + 3);
        length = strcspn(p, "?");
        text_append(out, p, length);
        p += length;
        if (*p == '?') {
            text_char(out, *p++);
            p = hide_parameters(out, p);
        }
    }
    text_add(out, p);
}

const char *masks_shown(const struct load *load, const char *string)
{
    return config_map_get(&load->masks->texts, slice_of(string));
}

void masks_write(const struct load *load, struct text *out, const char *string, bool tainted)
{
    const char *known = masks_shown(load, string);
    struct text shown = {0};

    if (known == NULL && tainted)
        known = MASK;
    if (known != NULL)
        text_add(&shown, known);
    else
        hide_variables(load->masks, &shown, string);
    hide_url_secrets(out, text_string(&shown));
    out->failed = out->failed || text_failed(&shown);
    text_free(&shown);
}
