/* The keys of `pagination`, and what binds them to its type. */
#include <string.h>

#include "config/key_row.h"
#include "config/load.h"

#define MOST_NAME_BYTES 256
#define MOST_HOSTS      100

enum pagination_key {
    KEY_TYPE,
    KEY_NEXT_URL_PATH,
    KEY_CURSOR_PATH,
    KEY_CURSOR_PARAM,
    KEY_PAGE_PARAM,
    KEY_BASE_PAGE,
    KEY_OFFSET_PARAM,
    KEY_LIMIT,
    KEY_LIMIT_PARAM,
    KEY_PARAM_IN,
    KEY_TOTAL_PATH,
    KEY_TOTAL_PAGES_PATH,
    KEY_HAS_MORE_PATH,
    KEY_STOP_AFTER_EMPTY_PAGE,
    KEY_MAX_PAGES,
    KEY_ON_MAX_PAGES,
    KEY_ALLOWED_HOSTS,
    KEY_COUNT,
};

static const struct choice pagination_type_choices[] = {
    {"link_header", PAGINATION_LINK_HEADER}, {"next_url", PAGINATION_NEXT_URL},
    {"cursor", PAGINATION_CURSOR},           {"page", PAGINATION_PAGE},
    {"offset", PAGINATION_OFFSET},           {NULL, 0},
};

static const struct choice param_in_choices[] = {
    {"query", PARAM_IN_QUERY},
    {"header", PARAM_IN_HEADER},
    {"body", PARAM_IN_BODY},
    {NULL, 0},
};

static const struct choice on_max_pages_choices[] = {{"fail", false}, {"stop", true}, {NULL, 0}};

static const struct key pagination_keys[] = {
    [KEY_TYPE] = {.name = "type",
                  .kind = KIND_CHOICE,
                  TO(struct pagination, type),
                  .choices = pagination_type_choices,
                  .required = true,
                  .about = "How a page leads to the next: the Link header with rel=\"next\", a URL "
                           "in the body, a cursor in the body that is sent back, page numbers, or "
                           "offsets.",
                  .example = "cursor"},
    [KEY_NEXT_URL_PATH] = {.name = "next_url_path",
                           .kind = KIND_PATH,
                           TO(struct pagination, next_url_path),
                           .instead = "needed for next_url",
                           .about =
                               "JSONPath of the next page's URL, absolute or relative; nothing "
                               "there, null or \"\" ends the run.",
                           .example = "$.links.next"},
    [KEY_CURSOR_PATH] = {.name = "cursor_path",
                         .kind = KIND_PATH,
                         TO(struct pagination, cursor_path),
                         .instead = "needed for cursor",
                         .about =
                             "JSONPath of the cursor, a string or a number; nothing there, null "
                             "or \"\" ends the run.",
                         .example = "$.meta.next_cursor"},
    [KEY_CURSOR_PARAM] = {.name = "cursor_param",
                          .kind = KIND_TEXT,
                          TO(struct pagination, cursor_param),
                          RANGE(1, MOST_NAME_BYTES),
                          .instead = "cursor",
                          .about = "The parameter that takes the cursor, from the second page on.",
                          .example = "after"},
    [KEY_PAGE_PARAM] = {.name = "page_param",
                        .kind = KIND_TEXT,
                        TO(struct pagination, page_param),
                        RANGE(1, MOST_NAME_BYTES),
                        .instead = "page",
                        .about = "The parameter that takes the page number.",
                        .example = "page[number]"},
    [KEY_BASE_PAGE] = {.name = "base_page",
                       .kind = KIND_COUNT,
                       TO(struct pagination, base_page),
                       RANGE(0, 1000000000),
                       .instead = "1",
                       .about = "The number of the first page.",
                       .example = "0"},
    [KEY_OFFSET_PARAM] = {.name = "offset_param",
                          .kind = KIND_TEXT,
                          TO(struct pagination, offset_param),
                          RANGE(1, MOST_NAME_BYTES),
                          .instead = "offset",
                          .about =
                              "The parameter that takes the offset: how many records have been "
                              "received so far.",
                          .example = "skip"},
    [KEY_LIMIT] = {.name = "limit",
                   .kind = KIND_COUNT,
                   TO(struct pagination, limit),
                   RANGE(1, 1000000000),
                   .instead = "none is sent",
                   .about =
                       "How many records a page is asked to have; fewer are no sign of the end.",
                   .example = "100"},
    [KEY_LIMIT_PARAM] = {.name = "limit_param",
                         .kind = KIND_TEXT,
                         TO(struct pagination, limit_param),
                         RANGE(1, MOST_NAME_BYTES),
                         .instead = "limit",
                         .about = "The parameter that takes limit.",
                         .example = "per_page"},
    [KEY_PARAM_IN] =
        {.name = "param_in",
         .kind = KIND_CHOICE,
         TO(struct pagination, param_in),
         .choices = param_in_choices,
         .fallback = "query",
         .about = "Where the parameters go; they replace the source's of the same name. In a JSON "
                  "body dots lead into objects: variables.after.",
         .example = "header"},
    [KEY_TOTAL_PATH] = {.name = "total_path",
                        .kind = KIND_PATH,
                        TO(struct pagination, total_path),
                        .instead = "not told",
                        .about =
                            "JSONPath of the number of records on all pages: the run ends when "
                            "so many have been received.",
                        .example = "$.meta.total"},
    [KEY_TOTAL_PAGES_PATH] = {.name = "total_pages_path",
                              .kind = KIND_PATH,
                              TO(struct pagination, total_pages_path),
                              .instead = "not told",
                              .about = "JSONPath of the number of pages.",
                              .example = "$.meta.pages"},
    [KEY_HAS_MORE_PATH] = {.name = "has_more_path",
                           .kind = KIND_PATH,
                           TO(struct pagination, has_more_path),
                           .instead = "not told",
                           .about = "JSONPath of true or false: whether another page follows.",
                           .example = "$.has_more"},
    [KEY_STOP_AFTER_EMPTY_PAGE] = {.name = "stop_after_empty_page",
                                   .kind = KIND_BOOLEAN,
                                   TO(struct pagination, stop_after_empty_page),
                                   .instead = "true for page and offset, else false",
                                   .about = "Whether a page without records is the last one.",
                                   .example = "false"},
    [KEY_MAX_PAGES] = {.name = "max_pages",
                       .kind = KIND_COUNT,
                       TO(struct pagination, max_pages),
                       RANGE(1, 1000000),
                       .fallback = "1000",
                       .about = "Most pages of one run.",
                       .example = "20"},
    [KEY_ON_MAX_PAGES] = {.name = "on_max_pages",
                          .kind = KIND_CHOICE,
                          TO(struct pagination, stop_at_max_pages),
                          .choices = on_max_pages_choices,
                          .fallback = "fail",
                          .about =
                              "What becomes of a run when more pages follow after max_pages: it "
                              "fails, or it stops there and is a success.",
                          .example = "stop"},
    [KEY_ALLOWED_HOSTS] = {.name = "allowed_hosts",
                           .kind = KIND_NAMES,
                           LIST_TO(struct pagination, allowed_hosts, allowed_host_count),
                           RANGE(1, MOST_HOSTS),
                           .instead = "the source's own alone",
                           .about = "Further hosts, or host:port, that links may lead to; the "
                                    "source's headers and authorization go there, too.",
                           .example = "[\"eu.api.example.org\"]"},
};

/* Which types take a key: bit (1 << enum pagination_type). */
#define FOR(type)  (1u << (type))
#define FOR_LINKS  (FOR(PAGINATION_LINK_HEADER) | FOR(PAGINATION_NEXT_URL))
#define FOR_COUNTS (FOR(PAGINATION_PAGE) | FOR(PAGINATION_OFFSET))

static const struct {
    unsigned types;
    const char *names;
} takers[KEY_COUNT] = {
    [KEY_NEXT_URL_PATH] = {FOR(PAGINATION_NEXT_URL), "next_url"},
    [KEY_CURSOR_PATH] = {FOR(PAGINATION_CURSOR), "cursor"},
    [KEY_CURSOR_PARAM] = {FOR(PAGINATION_CURSOR), "cursor"},
    [KEY_PAGE_PARAM] = {FOR(PAGINATION_PAGE), "page"},
    [KEY_BASE_PAGE] = {FOR(PAGINATION_PAGE), "page"},
    [KEY_OFFSET_PARAM] = {FOR(PAGINATION_OFFSET), "offset"},
    [KEY_TOTAL_PATH] = {FOR_COUNTS, "page and offset"},
    [KEY_TOTAL_PAGES_PATH] = {FOR(PAGINATION_PAGE), "page"},
    [KEY_ALLOWED_HOSTS] = {FOR_LINKS, "link_header and next_url"},
};

static bool mistake_at(struct load *load, const struct where *where, const struct item *item,
                       unsigned row, const char *what)
{
    struct where here = where_key(where, pagination_keys[row].name);

    load_mistake(load, place_of(load, item), &here, "%s", what);
    return false;
}

static bool check_takers(struct load *load, const struct where *where,
                         const struct pagination *pagination, const struct given *given)
{
    bool sound = true;

    for (unsigned row = 0; row < KEY_COUNT; row++) {
        struct where here = where_key(where, pagination_keys[row].name);

        if (given->at[row] == NULL || takers[row].types == 0 ||
            (takers[row].types & FOR(pagination->type)) != 0)
            continue;
        load_mistake(load, place_of(load, given->at[row]), &here,
                     "belongs to type %s, and the type is %s; remove one of the two",
                     takers[row].names, pagination_type_choices[pagination->type].name);
        sound = false;
    }
    return sound;
}

/* A page leads to one page: what a path finds must be one value. */
static bool check_paths(struct load *load, const struct where *where, const struct given *given,
                        const struct pagination *pagination)
{
    static const unsigned rows[] = {KEY_NEXT_URL_PATH, KEY_CURSOR_PATH, KEY_TOTAL_PATH,
                                    KEY_TOTAL_PAGES_PATH, KEY_HAS_MORE_PATH};
    bool sound = true;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct jsonpath *path;

        if (!is_given(given, rows[i]))
            continue;
        memcpy(&path, (const char *)pagination + pagination_keys[rows[i]].offset, sizeof(path));
        if (!jsonpath_is_singular(path))
            sound = mistake_at(load, where, given->at[rows[i]], rows[i],
                               "selects any number of values; write a path of names and indexes "
                               "only");
    }
    return sound;
}

static bool check_needed(struct load *load, const struct where *where, struct item *item,
                         const struct pagination *pagination, const struct given *given)
{
    bool is_cursor = pagination->type == PAGINATION_CURSOR;
    unsigned row = is_cursor ? KEY_CURSOR_PATH : KEY_NEXT_URL_PATH;

    if ((is_cursor || pagination->type == PAGINATION_NEXT_URL) && given->at[row] == NULL)
        return mistake_at(load, where, item, row,
                          is_cursor ? "type cursor needs it; write where the next cursor stands"
                                    : "type next_url needs it; write where the next URL stands");
    if (given->at[KEY_LIMIT_PARAM] != NULL && given->at[KEY_LIMIT] == NULL)
        return mistake_at(load, where, given->at[KEY_LIMIT_PARAM], KEY_LIMIT_PARAM,
                          "without limit nothing is sent in it; add limit");
    return true;
}

/* Without a word about the end, page after page would be asked for until max_pages. */
static bool check_end(struct load *load, const struct where *where,
                      const struct pagination *pagination, const struct given *given)
{
    if ((FOR_COUNTS & FOR(pagination->type)) == 0 || pagination->stop_after_empty_page ||
        given->at[KEY_TOTAL_PATH] != NULL || given->at[KEY_TOTAL_PAGES_PATH] != NULL ||
        given->at[KEY_HAS_MORE_PATH] != NULL)
        return true;
    return mistake_at(load, where, given->at[KEY_STOP_AFTER_EMPTY_PAGE], KEY_STOP_AFTER_EMPTY_PAGE,
                      "nothing would end the run; add total_path, total_pages_path or "
                      "has_more_path");
}

/* RFC 9110, 5.6.2. */
static bool is_header_name(const char *name)
{
    return name[strspn(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
}

static bool check_header(struct load *load, const struct where *where,
                         const struct pagination *pagination, const struct given *given)
{
    static const unsigned rows[] = {KEY_CURSOR_PARAM, KEY_PAGE_PARAM, KEY_OFFSET_PARAM,
                                    KEY_LIMIT_PARAM};
    bool sound = true;

    for (size_t i = 0; pagination->param_in == PARAM_IN_HEADER && i < COUNT(rows); i++) {
        const char *name;

        if (!is_given(given, rows[i]))
            continue;
        memcpy(&name, (const char *)pagination + pagination_keys[rows[i]].offset, sizeof(name));
        if (!is_header_name(name))
            sound = mistake_at(load, where, given->at[rows[i]], rows[i],
                               "is no name of a header; use letters, digits, - and _");
    }
    return sound;
}

/* Defaults of keys that belong to one type: no other type has them, in a dump either. */
static void fill_in(struct pagination *pagination, const struct given *given)
{
    if (pagination->type == PAGINATION_CURSOR && given->at[KEY_CURSOR_PARAM] == NULL)
        pagination->cursor_param = "cursor";
    if (pagination->type == PAGINATION_PAGE && given->at[KEY_PAGE_PARAM] == NULL)
        pagination->page_param = "page";
    if (pagination->type == PAGINATION_PAGE && given->at[KEY_BASE_PAGE] == NULL)
        pagination->base_page = 1;
    if (pagination->type == PAGINATION_OFFSET && given->at[KEY_OFFSET_PARAM] == NULL)
        pagination->offset_param = "offset";
    if (given->at[KEY_LIMIT] != NULL && given->at[KEY_LIMIT_PARAM] == NULL)
        pagination->limit_param = "limit";
    if (given->at[KEY_STOP_AFTER_EMPTY_PAGE] == NULL)
        pagination->stop_after_empty_page = (FOR_COUNTS & FOR(pagination->type)) != 0;
}

static bool check_pagination(struct load *load, const struct where *where, struct item *item,
                             void *object, const struct given *given)
{
    struct pagination *pagination = object;

    if (!is_given(given, KEY_TYPE))
        return false; /* that has been reported */
    fill_in(pagination, given);
    return check_takers(load, where, pagination, given) &&
           check_paths(load, where, given, pagination) &&
           check_needed(load, where, item, pagination, given) &&
           check_end(load, where, pagination, given) &&
           check_header(load, where, pagination, given);
}

const struct key_set pagination_key_set = {
    .title = "sources[].pagination",
    .holder = "a pagination",
    .keys = pagination_keys,
    .count = COUNT(pagination_keys),
    .size = sizeof(struct pagination),
    .check = check_pagination,
};
