/* Rules that bind the keys of a source that say what is sent, and how. */
#include <string.h>

#include "config/load.h"
#include "gatherd/auth.h"

static struct where where_row(const struct where *where, unsigned row)
{
    return where_key(where, source_key_set.keys[row].name);
}

static void check_one_body(struct load *load, const struct where *where, const struct given *given)
{
    struct where here = where_row(where, SOURCE_FORM);

    if (given->at[SOURCE_BODY] != NULL && given->at[SOURCE_FORM] != NULL)
        load_mistake(load, place_of(load, given->at[SOURCE_FORM]), &here,
                     "a request carries a body or a form, not both; remove one of them");
}

/* What a source says itself goes before what defaults say. */
static void choose_body(struct source *source, const struct given *given)
{
    if (given->at[SOURCE_BODY] != NULL) {
        source->form = NULL;
        source->form_count = 0;
    } else if (given->at[SOURCE_FORM] != NULL) {
        source->body = NULL;
    }
}

void check_request_defaults(struct load *load, const struct where *where, const struct given *given)
{
    check_one_body(load, where, given);
}

/* The header that auth sets; NULL: none that a source may not add to. */
static const char *header_of_auth(const struct auth *auth)
{
    switch (auth->type) {
    case AUTH_NONE:
        return NULL;
    case AUTH_API_KEY:
    case AUTH_SESSION:
        return auth->in == AUTH_IN_HEADER ? auth->name : NULL;
    default:
        return "Authorization";
    }
}

/* Where both are defaults nobody is asked, and auth is what counts. */
static void check_auth_header(struct load *load, const struct where *where,
                              const struct source *source, const struct given *given)
{
    struct where headers = where_row(where, SOURCE_HEADERS);
    const char *name;

    if (!is_given(given, SOURCE_HEADERS) || !is_sound(given, SOURCE_AUTH) || source->auth == NULL)
        return;
    name = header_of_auth(source->auth);
    for (size_t i = 0; i < source->header_count && name != NULL; i++) {
        if (strcasecmp(source->headers[i].name, name) == 0)
            load_mistake(load, place_of(load, given->at[SOURCE_HEADERS]), &headers,
                         "auth sets the header %s; remove it here, or remove auth", name);
    }
}

/* A form, an object that became JSON, or nothing yet, which becomes a form. */
static bool takes_body_params(const struct source *source)
{
    if (source->body != NULL)
        return source->body->is_json && source->body->text[0] == '{';
    return source->form != NULL || source->method != METHOD_GET;
}

static void check_page_params(struct load *load, const struct where *where,
                              const struct source *source, const struct given *given)
{
    struct where here = where_row(where, SOURCE_PAGINATION);
    const struct pagination *pagination = source->pagination;
    const struct item *item = given->at[SOURCE_PAGINATION];

    if (pagination == NULL || pagination->param_in != PARAM_IN_BODY ||
        !is_sound(given, SOURCE_PAGINATION) || !is_sound(given, SOURCE_BODY) ||
        !is_sound(given, SOURCE_FORM) || takes_body_params(source))
        return;
    if (item == NULL) /* from defaults: the source is what does not fit */
        item = given->at[SOURCE_NAME];
    if (item != NULL)
        load_mistake(load, place_of(load, item), &here,
                     "param_in: body needs a request with a form, or with a body that is a "
                     "mapping; add one, or write param_in: query");
}

void check_request(struct load *load, const struct where *where, struct source *source,
                   const struct given *given)
{
    check_one_body(load, where, given);
    choose_body(source, given);
    check_auth_header(load, where, source, given);
    if (source->method == METHOD_BY_BODY)
        source->method = source->body != NULL || source->form != NULL ? METHOD_POST : METHOD_GET;
    check_page_params(load, where, source, given);
}
