#include "fetch/draft.h"

#include <string.h>
#include <strings.h>

void draft_start(struct draft *draft, struct arena *arena, const char *url)
{
    *draft = (struct draft){.arena = arena, .method = "GET"};
    draft->url = arena_copy(arena, url, strlen(url));
    draft->failed = draft->url == NULL;
}

/* The lists. */

static void add(struct draft *draft, struct draft_list *list, const char *name, const char *value)
{
    struct name_value pair = {arena_copy(draft->arena, name, strlen(name)),
                              arena_copy(draft->arena, value, strlen(value))};

    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 8 : 2 * list->capacity;
        struct name_value *items =
            arena_grow(draft->arena, list->items, list->capacity * sizeof(list->items[0]),
                       capacity * sizeof(list->items[0]));

        if (items == NULL) {
            draft->failed = true;
            return;
        }
        list->items = items;
        list->capacity = capacity;
    }
    if (pair.name == NULL || pair.value == NULL)
        draft->failed = true;
    else
        list->items[list->count++] = pair;
}

static void drop(struct draft_list *list, const char *name,
                 int (*compare)(const char *a, const char *b))
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (compare(list->items[i].name, name) != 0)
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

void draft_add_param(struct draft *draft, const char *name, const char *value)
{
    add(draft, &draft->params, name, value);
}

void draft_add_header(struct draft *draft, const char *name, const char *value)
{
    add(draft, &draft->headers, name, value);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether `length` bytes of a query, percent-decoded, are `name`. */
static bool is_encoded(const char *p, size_t length, const char *name)
{
    const char *end = p + length;

    for (; p < end && *name != '\0'; p++, name++) {
        char c = *p == '+' ? ' ' : *p;

        if (c == '%' && end - p > 2 && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
            c = (char)(hex_digit(p[1]) * 16 + hex_digit(p[2]));
            p += 2;
        }
        if (c != *name)
            return false;
    }
    return p == end && *name == '\0';
}

/* Takes the params of that name out of the URL's own query. */
static void drop_from_query(struct draft *draft, const char *name)
{
    size_t length = strcspn(draft->url, "#");
    const char *query = memchr(draft->url, '?', length);
    size_t at = query != NULL ? (size_t)(query - draft->url) + 1 : length;
    size_t kept = at;
    char *url;

    if (query == NULL || (url = arena_copy(draft->arena, draft->url, length)) == NULL) {
        draft->failed = draft->failed || query != NULL;
        return;
    }
    while (at < length) {
        size_t pair = strcspn(url + at, "&");
        bool dropped = is_encoded(url + at, strcspn(url + at, "&="), name);
        size_t whole = at + pair < length ? pair + 1 : pair; /* with the & behind it */

        if (!dropped) {
            memmove(url + kept, url + at, whole);
            kept += whole;
        }
        at += whole;
    }
    url[kept] = '\0';
    draft->url = url;
}

void draft_set_param(struct draft *draft, const char *name, const char *value)
{
    drop(&draft->params, name, strcmp);
    drop_from_query(draft, name);
    add(draft, &draft->params, name, value);
}

void draft_set_header(struct draft *draft, const char *name, const char *value)
{
    drop(&draft->headers, name, strcasecmp);
    add(draft, &draft->headers, name, value);
}

void draft_drop_header(struct draft *draft, const char *name)
{
    drop(&draft->headers, name, strcasecmp);
}

void draft_add_field(struct draft *draft, const char *name, const char *value)
{
    add(draft, &draft->form, name, value);
}

void draft_drop_field(struct draft *draft, const char *name)
{
    drop(&draft->form, name, strcmp);
}

void draft_set_digest(struct draft *draft, const char *username, const char *password)
{
    draft->username = arena_copy(draft->arena, username, strlen(username));
    draft->password = arena_copy(draft->arena, password, strlen(password));
    if (draft->username == NULL || draft->password == NULL)
        draft->failed = true;
}

const char *draft_header(const struct draft *draft, const char *name)
{
    for (size_t i = 0; i < draft->headers.count; i++) {
        if (strcasecmp(draft->headers.items[i].name, name) == 0)
            return draft->headers.items[i].value;
    }
    return NULL;
}

void draft_refuse(struct draft *draft, const char *problem)
{
    if (draft->problem != NULL)
        return;
    draft->problem = arena_copy(draft->arena, problem, strlen(problem));
    if (draft->problem == NULL)
        draft->failed = true;
}

/* The URL. */

/* As it was written, but for blanks, controls and bytes beyond ASCII behind the host, which no URL
 * may have and people write; a host beyond ASCII is libcurl's to translate. */
static void add_written(struct text *out, const char *url, size_t length)
{
    const char *start = memmem(url, length, "://", 3);
    size_t authority = start == NULL ? 0 : (size_t)(start - url) + 3;

    while (authority < length && strchr("/?", url[authority]) == NULL)
        authority++;
    text_append(out, url, authority);
    for (size_t i = authority; i < length; i++) {
        unsigned char c = (unsigned char)url[i];

        if (c > ' ' && c < 0x7f)
            text_char(out, (char)c);
        else
            text_url_escape(out, c);
    }
}

void draft_write_url(const struct draft *draft, struct text *out)
{
    size_t length = strcspn(draft->url, "#"); /* a fragment is never sent */
    bool has_query = memchr(draft->url, '?', length) != NULL;

    add_written(out, draft->url, length);
    for (size_t i = 0; i < draft->params.count; i++) {
        char last = text_string(out)[out->length == 0 ? 0 : out->length - 1];

        if (!has_query)
            text_char(out, '?');
        else if (last != '?' && last != '&')
            text_char(out, '&');
        has_query = true;
        text_url_encoded(out, draft->params.items[i].name, strlen(draft->params.items[i].name));
        text_char(out, '=');
        text_url_encoded(out, draft->params.items[i].value, strlen(draft->params.items[i].value));
    }
}
