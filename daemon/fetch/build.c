#include "fetch/build.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "fetch/page_request.h"
#include "gatherd/template.h"
#include "gatherd/zone.h"

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

/* What the templates of one request are rendered with; NULL: its texts are none. */
struct values {
    const struct run *run;
    int64_t now_ms;
};

static bool find_position(const struct position *position, bool end, struct template_value *value)
{
    const char *text = position == NULL ? NULL : end ? position->to : position->from;

    value->is_time = false;
    value->text = slice_of(text);
    return text != NULL;
}

static bool find_item_value(const struct run *run, const struct placeholder *placeholder,
                            struct template_value *value)
{
    const struct item_value *found = NULL;

    if (run->item != NULL)
        found = items_value(run->items, run->item, placeholder->member);
    if (found == NULL)
        return false;
    value->is_time = false;
    value->text = found->text;
    return true;
}

static bool find_value(const void *context, const struct placeholder *placeholder,
                       struct template_value *value)
{
    const struct values *values = context;
    const struct run *run = values->run;

    switch (placeholder->name) {
    case TEMPLATE_SCHEDULED_AT:
        value->at_ms = run->scheduled_at_ms;
        break;
    case TEMPLATE_PREVIOUS_SCHEDULED_AT:
        value->at_ms = run->previous_scheduled_at_ms;
        break;
    case TEMPLATE_NOW:
        value->at_ms = values->now_ms;
        break;
    case TEMPLATE_CURSOR:
        return find_position(run->state.position, false, value);
    case TEMPLATE_CURSOR_END:
        return find_position(run->state.position, true, value);
    case TEMPLATE_ITEM:
        return find_item_value(run, placeholder, value);
    default:
        return false;
    }
    value->is_time = true;
    value->offset_ms = zone_period_at(run->source->zone, value->at_ms).offset_ms;
    return true;
}

/*
 * The text with its values, in the draft's arena; text without a brace, which is nearly all, is
 * given back as it is. "" when there is none, and the draft says why.
 */
static const char *render(struct draft *draft, const struct values *values, const char *text,
                          enum template_escape escape)
{
    struct error err = {0};
    struct text out = {0};
    const char *rendered = NULL;

    if (values == NULL || template_is_constant(text))
        return text;
    if (template_render(slice_of(text), escape, find_value, values, &out, &err) == -1)
        draft_refuse(draft, err.text);
    if (!text_failed(&out))
        rendered = arena_copy(draft->arena, text_string(&out), out.length);
    if (rendered == NULL)
        draft->failed = true;
    text_free(&out);
    return rendered == NULL ? "" : rendered;
}

/* What the operator says that a text is, or what it looks like, decides how values go into it. */
static enum template_escape escape_of(const struct draft *draft, const char *text)
{
    const char *type = draft_header(draft, "Content-Type");
    struct placeholder first;
    size_t place = 0;

    if (type != NULL)
        return strcasestr(type, "json") != NULL              ? TEMPLATE_JSON
               : strcasestr(type, "form-urlencoded") != NULL ? TEMPLATE_QUERY
                                                             : TEMPLATE_PLAIN;
    while (isspace((unsigned char)*text))
        text++;
    if (template_next(slice_of(text), &place, &first) && first.offset == 0)
        return TEMPLATE_PLAIN;
    return *text == '{' || *text == '[' ? TEMPLATE_JSON : TEMPLATE_PLAIN;
}

static void add_body(const struct request_body *body, const struct values *values,
                     struct draft *draft)
{
    if (body != NULL && body->is_json)
        draft_set_body(draft, DRAFT_JSON, render(draft, values, body->text, TEMPLATE_JSON));
    else if (body != NULL)
        draft_set_body(draft, DRAFT_TEXT,
                       render(draft, values, body->text, escape_of(draft, body->text)));
}

static void add_form(const struct name_value *form, size_t count, const struct values *values,
                     struct draft *draft)
{
    if (form == NULL)
        return;
    draft_set_form(draft);
    for (size_t i = 0; i < count; i++)
        draft_add_field(draft, form[i].name, render(draft, values, form[i].value, TEMPLATE_PLAIN));
}

static void add_own_words(const struct source *source, const struct values *values, bool params,
                          struct draft *draft)
{
    for (size_t i = 0; params && i < source->param_count; i++)
        draft_add_param(draft, source->params[i].name,
                        render(draft, values, source->params[i].value, TEMPLATE_PLAIN));
    for (size_t i = 0; i < source->header_count; i++)
        draft_add_header(draft, source->headers[i].name,
                         render(draft, values, source->headers[i].value, TEMPLATE_HEADER));
    draft_set_method(draft, method_name(source->method));
    add_body(source->body, values, draft);
    add_form(source->form, source->form_count, values, draft);
}

/* A link to the next page has it already. */
static void add_position(const struct run *run, struct draft *draft)
{
    const struct incremental *rule = run->source->incremental;

    if (rule == NULL)
        return;
    if (rule->param != NULL && run->state.position->from != NULL)
        draft_set_param(draft, rule->param, run->state.position->from);
    if (rule->end_param != NULL && run->state.position->to != NULL)
        draft_set_param(draft, rule->end_param, run->state.position->to);
}

void build_request(const struct run *run, int64_t now_ms, struct arena *arena, struct draft *draft)
{
    const char *page_url = page_request_url(run);
    const struct source *source = run->source;
    struct values values = {run, now_ms};

    arena_reset(arena);
    draft_start(draft, arena, page_url != NULL ? page_url : source->url);
    if (page_url == NULL) /* what a server sent is no template */
        draft->url = render(draft, &values, source->url, TEMPLATE_URL);
    add_own_words(source, &values, page_url == NULL, draft);
    if (page_url == NULL)
        add_position(run, draft);
    page_request_add(run, draft);
    draft_finish(draft);
}

void build_login(const struct login *login, struct arena *arena, struct draft *draft)
{
    draft_start(draft, arena, login->url);
    draft_set_method(draft, method_name(login->method));
    for (size_t i = 0; i < login->header_count; i++)
        draft_add_header(draft, login->headers[i].name, login->headers[i].value);
    add_body(login->body, NULL, draft);
    add_form(login->form, login->form_count, NULL, draft);
}
