#include "fetch/page_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/page_link.h"

#define NUMBER_SIZE 24

static bool follows_links(const struct pagination *pagination)
{
    return pagination->type == PAGINATION_LINK_HEADER || pagination->type == PAGINATION_NEXT_URL;
}

/* A link that has been resolved stays resolved: another attempt changes nothing about it. */
static int resolve(struct run *run, struct fault *fault)
{
    struct pages *pages = run->pages;
    char *target = page_link_resolve(run->source, pages->url, pages->text, fault);

    if (target == NULL)
        return -1;
    free(pages->text);
    pages->text = target;
    return 0;
}

int page_request_prepare(struct run *run, struct fault *fault)
{
    const struct pagination *pagination = run->source->pagination;

    if (pagination == NULL)
        return 0;
    if (run->pages == NULL && (run->pages = pages_create(pagination)) == NULL) {
        fault_set(fault, RUN_FAILED_NETWORK, true, "out of memory for the pages of the run");
        return -1;
    }
    if (!follows_links(pagination) || run->pages->text == NULL)
        return 0;
    return resolve(run, fault);
}

const char *page_request_url(const struct run *run)
{
    if (run->pages == NULL || !follows_links(run->source->pagination))
        return NULL;
    return run->pages->text;
}

static void set(struct draft *draft, const struct pagination *pagination, const char *name,
                const char *value, bool is_number)
{
    switch (pagination->param_in) {
    case PARAM_IN_QUERY:
        draft_set_param(draft, name, value);
        break;
    case PARAM_IN_HEADER:
        draft_set_header(draft, name, value);
        break;
    case PARAM_IN_BODY: /* the configuration was checked for a form or a JSON object */
        draft_set_body_param(draft, name, value, is_number);
        break;
    }
}

static void set_number(struct draft *draft, const struct pagination *pagination, const char *name,
                       int64_t number)
{
    char text[NUMBER_SIZE];

    snprintf(text, sizeof(text), "%" PRId64, number);
    set(draft, pagination, name, text, true);
}

void page_request_add(const struct run *run, struct draft *draft)
{
    const struct pagination *pagination = run->source->pagination;

    if (pagination == NULL || page_request_url(run) != NULL)
        return;
    if (pagination->limit > 0)
        set_number(draft, pagination, pagination->limit_param, pagination->limit);
    if (pagination->type == PAGINATION_CURSOR && run->pages->text != NULL)
        set(draft, pagination, pagination->cursor_param, run->pages->text, false);
    else if (pagination->type == PAGINATION_PAGE)
        set_number(draft, pagination, pagination->page_param, run->pages->position);
    else if (pagination->type == PAGINATION_OFFSET)
        set_number(draft, pagination, pagination->offset_param, run->pages->position);
}

int page_request_moved(struct run *run, const char *url)
{
    char *copy;

    if (run->pages == NULL)
        return 0;
    copy = strdup(url);
    if (copy == NULL)
        return -1;
    free(run->pages->url);
    run->pages->url = copy;
    return 0;
}

/*
 * What tells two requests of a run apart: the URL, what is in the body, and a cursor that may be in
 * a header. Headers as a whole may hold the time, or a signature of it.
 */
int page_request_note(struct run *run, const char *url, const struct draft *draft)
{
    struct pages *pages = run->pages;
    struct hash128 parts[3] = {{0, 0}, {0, 0}, {0, 0}};

    if (pages == NULL)
        return 0;
    parts[0] = hash128_bytes(url, strlen(url));
    parts[1] = hash128_bytes(draft->body.data, draft->body.length);
    if (run->source->pagination->param_in == PARAM_IN_HEADER && pages->text != NULL)
        parts[2] = hash128_bytes(pages->text, strlen(pages->text));
    else if (run->source->pagination->param_in == PARAM_IN_HEADER)
        parts[2].low = (uint64_t)pages->position;
    pages->request = hash128_bytes(parts, sizeof(parts));
    return page_request_moved(run, url);
}
