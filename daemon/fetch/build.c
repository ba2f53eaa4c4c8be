#include "fetch/build.h"

#include "fetch/page_request.h"

static const char *method_name(enum request_method method)
{
    static const char *const names[] = {
        [METHOD_GET] = "GET",
        [METHOD_POST] = "POST",
        [METHOD_PUT] = "PUT",
        [METHOD_PATCH] = "PATCH",
    };

    return names[method];
}

static void add_body(const struct source *source, struct draft *draft)
{
    if (source->body != NULL)
        draft_set_body(draft, source->body->is_json ? DRAFT_JSON : DRAFT_TEXT, source->body->text);
    if (source->form == NULL)
        return;
    draft_set_form(draft);
    for (size_t i = 0; i < source->form_count; i++)
        draft_add_field(draft, source->form[i].name, source->form[i].value);
}

static void add_own_words(const struct source *source, bool params, struct draft *draft)
{
    for (size_t i = 0; params && i < source->param_count; i++)
        draft_add_param(draft, source->params[i].name, source->params[i].value);
    for (size_t i = 0; i < source->header_count; i++)
        draft_add_header(draft, source->headers[i].name, source->headers[i].value);
    draft_set_method(draft, method_name(source->method));
    add_body(source, draft);
}

void build_request(const struct run *run, struct arena *arena, struct draft *draft)
{
    const char *page_url = page_request_url(run);

    arena_reset(arena);
    draft_start(draft, arena, page_url != NULL ? page_url : run->source->url);
    add_own_words(run->source, page_url == NULL, draft);
    page_request_add(run, draft);
    draft_finish(draft);
}
