#include "process/page.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "process/link.h"

#define REASON_SIZE 400

struct decider {
    const struct run *run;
    const struct pagination *pagination;
    const struct pages *pages;
    const struct node *root;
    size_t records;
    struct arena *arena;
    struct page_step *step;
    bool failed; /* out of memory */
};

enum answer { ANSWER_NONE, ANSWER_NO, ANSWER_YES };

static void last(struct decider *d)
{
    d->step->verdict = PAGE_LAST;
}

static void broken(struct decider *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The first reason is kept. */
static void broken(struct decider *d, const char *format, ...)
{
    char reason[REASON_SIZE];
    va_list args;

    if (d->step->verdict == PAGE_BROKEN)
        return;
    va_start(args, format);
    vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    d->step->verdict = PAGE_BROKEN;
    d->step->reason = arena_copy(d->arena, reason, strlen(reason));
    d->failed = d->failed || d->step->reason == NULL;
}

/* --- What the document says --- */

/* NULL: there is no such path, it finds nothing, or null. */
static const struct node *find(const struct decider *d, const struct jsonpath *path)
{
    const struct node *node;

    if (path == NULL || d->root == NULL)
        return NULL;
    node = jsonpath_first(path, d->root);
    return node == NULL || node->type == NODE_NULL ? NULL : node;
}

/* "total_path selects a string, where a whole number was expected". */
static void not_expected(struct decider *d, const char *key, const struct node *node,
                         const char *expected)
{
    const char *name = node_type_name(node);
    bool vowel = strchr("aeiou", name[0]) != NULL;

    broken(d, "%s selects %s %s, where %s was expected", key, vowel ? "an" : "a", name, expected);
}

static bool parse_whole(struct slice text, int64_t *number)
{
    char digits[24];
    char *end;

    if (text.length == 0 || text.length >= sizeof(digits))
        return false;
    memcpy(digits, text.data, text.length);
    digits[text.length] = '\0';
    if (strspn(digits, "0123456789") != text.length)
        return false;
    *number = strtoll(digits, &end, 10); /* beyond 64 bits: the greatest there is */
    return true;
}

/* A number of records or pages; -1: it is not told. */
static int64_t read_number(struct decider *d, const char *key, const struct jsonpath *path)
{
    const struct node *node = find(d, path);
    int64_t number = -1;

    if (node == NULL)
        return -1;
    if ((node->type == NODE_NUMBER || node->type == NODE_STRING) &&
        parse_whole(node_slice(node), &number))
        return number;
    not_expected(d, key, node, "a whole number");
    return -1;
}

static bool text_is(const struct node *node, const char *word)
{
    return node->length == strlen(word) && strncasecmp(node->text, word, node->length) == 0;
}

/* true and false as they are written in JSON, as numbers and as strings. */
static enum answer read_has_more(struct decider *d)
{
    const struct node *node = find(d, d->pagination->has_more_path);

    if (node == NULL)
        return ANSWER_NONE;
    if (node->type == NODE_TRUE || node->type == NODE_FALSE)
        return node->type == NODE_TRUE ? ANSWER_YES : ANSWER_NO;
    if (node->type == NODE_NUMBER || node->type == NODE_STRING) {
        if (text_is(node, "true") || text_is(node, "1"))
            return ANSWER_YES;
        if (text_is(node, "false") || text_is(node, "0"))
            return ANSWER_NO;
    }
    not_expected(d, "has_more_path", node, "true or false");
    return ANSWER_NONE;
}

/* --- Where the next page is --- */

static void follow_text(struct decider *d, const char *what, struct slice text)
{
    if (text.length > PAGES_MAX_TEXT_BYTES)
        broken(d, "the %s has %zu bytes; more than %u are not sent back", what, text.length,
               PAGES_MAX_TEXT_BYTES);
    else if (memchr(text.data, '\0', text.length) != NULL)
        broken(d, "the %s holds a NUL character", what);
    d->step->text = text;
}

/* Nothing leads on: the end, unless the document says otherwise. */
static void nothing_leads_on(struct decider *d, enum answer has_more, const char *what)
{
    if (has_more == ANSWER_YES)
        broken(d, "has_more_path says that pages follow, but %s", what);
    else
        last(d);
}

static void follow_header(struct decider *d, enum answer has_more)
{
    struct slice value;
    struct slice target;
    const char *problem = NULL;
    size_t place = 0;

    while (response_header(&d->run->response, "Link", &place, &value)) {
        switch (link_find_next(value, &target, &problem)) {
        case LINK_FOUND:
            follow_text(d, "link to the next page", target);
            return;
        case LINK_BROKEN:
            broken(d, "the Link header is broken: %s", problem);
            return;
        case LINK_NONE:
            break;
        }
    }
    nothing_leads_on(d, has_more, "there is no Link header with rel=\"next\"");
}

/* Many APIs end with null, "" or false, and not all of them with the same. */
static bool is_nothing(const struct node *node)
{
    return node == NULL || node->type == NODE_FALSE ||
           (node->type == NODE_STRING && node->length == 0);
}

static void follow_url(struct decider *d, enum answer has_more)
{
    const struct node *node = find(d, d->pagination->next_url_path);

    if (is_nothing(node))
        nothing_leads_on(d, has_more, "next_url_path selects nothing");
    else if (node->type != NODE_STRING)
        not_expected(d, "next_url_path", node, "a URL");
    else
        follow_text(d, "next URL", node_slice(node));
}

static void follow_cursor(struct decider *d, enum answer has_more)
{
    const struct node *node = find(d, d->pagination->cursor_path);

    if (is_nothing(node))
        nothing_leads_on(d, has_more, "cursor_path selects nothing");
    else if (node->type != NODE_STRING && node->type != NODE_NUMBER)
        not_expected(d, "cursor_path", node, "a string or a number");
    else
        follow_text(d, "cursor", node_slice(node));
}

static int64_t plus(int64_t a, uint64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* How many records came before the end of this response, in the count that a total is about. */
static int64_t received(const struct decider *d)
{
    if (d->pagination->type == PAGINATION_OFFSET)
        return plus(d->pages->position, d->records);
    return plus((int64_t)d->pages->tally.records, d->records);
}

static bool is_last_number(const struct decider *d, int64_t total_pages)
{
    return total_pages >= 0 &&
           d->pages->position >= plus(d->pagination->base_page, (uint64_t)total_pages) - 1;
}

/* An offset moves by what came, not by what was asked for: servers cap a limit as they like. */
static void follow_number(struct decider *d, enum answer has_more)
{
    const struct pagination *p = d->pagination;
    int64_t total = read_number(d, "total_path", p->total_path);
    int64_t pages = read_number(d, "total_pages_path", p->total_pages_path);

    if (d->step->verdict == PAGE_BROKEN)
        return;
    if ((total >= 0 && received(d) >= total) || is_last_number(d, pages))
        last(d);
    else if (!p->stop_after_empty_page && total < 0 && pages < 0 && has_more == ANSWER_NONE)
        broken(d,
               "nothing says whether more pages follow: %s selects nothing, and "
               "stop_after_empty_page is false",
               p->has_more_path != NULL      ? "has_more_path"
               : p->total_pages_path != NULL ? "total_pages_path"
                                             : "total_path");
    d->step->position = p->type == PAGINATION_OFFSET ? received(d) : plus(d->pages->position, 1);
}

static void follow(struct decider *d)
{
    enum answer has_more = read_has_more(d);

    if (d->step->verdict == PAGE_BROKEN)
        return;
    if (has_more == ANSWER_NO || (d->pagination->stop_after_empty_page && d->records == 0)) {
        last(d);
        return;
    }
    switch (d->pagination->type) {
    case PAGINATION_LINK_HEADER:
        follow_header(d, has_more);
        break;
    case PAGINATION_NEXT_URL:
        follow_url(d, has_more);
        break;
    case PAGINATION_CURSOR:
        follow_cursor(d, has_more);
        break;
    case PAGINATION_PAGE:
    case PAGINATION_OFFSET:
        follow_number(d, has_more);
        break;
    }
}

/* --- Whether we go there --- */

static struct hash128 exchange_of(const struct run *run)
{
    struct hash128 both[2] = {run->pages->request,
                              hash128_bytes(run->response.body, run->response.body_bytes)};

    return hash128_bytes(both, sizeof(both));
}

static void check_way(struct decider *d)
{
    const struct pagination *p = d->pagination;

    d->step->exchange = exchange_of(d->run);
    if (pages_repeat(d->pages, d->step->exchange))
        broken(d, "the same request has brought the same answer as on an earlier page: the pages "
                  "lead in a circle");
    else if (d->pages->number >= p->max_pages && p->stop_at_max_pages)
        last(d);
    else if (d->pages->number >= p->max_pages)
        broken(d,
               "max_pages (%u) are done and more follow; raise it, ask for less, or set "
               "on_max_pages: stop",
               p->max_pages);
}

int page_decide(const struct run *run, const struct node *root, size_t records, struct arena *arena,
                struct page_step *step)
{
    struct decider d = {
        .run = run,
        .pagination = run->source->pagination,
        .pages = run->pages,
        .root = root,
        .records = records,
        .arena = arena,
        .step = step,
    };

    *step = (struct page_step){.verdict = PAGE_FOLLOWS};
    follow(&d);
    if (step->verdict == PAGE_FOLLOWS)
        check_way(&d);
    return d.failed ? -1 : 0;
}
