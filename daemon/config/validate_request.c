/* Rules that bind the keys of a source that say what is sent, and how. */
#include "config/load.h"

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

void check_request(struct load *load, const struct where *where, struct source *source,
                   const struct given *given)
{
    check_one_body(load, where, given);
    choose_body(source, given);
    if (source->method == METHOD_BY_BODY)
        source->method = source->body != NULL || source->form != NULL ? METHOD_POST : METHOD_GET;
}
