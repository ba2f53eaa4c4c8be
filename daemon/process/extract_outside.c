/* Fields whose value is not in the record: of the document, of the answer, or of the request. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gatherd/clock.h"
#include "gatherd/jsonpath.h"
#include "process/extractor.h"

/* A node of text that is not in the body, in the arena. NULL: out of memory. */
static struct node *make_node(struct extractor *e, enum node_type type, const char *text,
                              size_t length)
{
    struct node *node = arena_alloc(e->arena, sizeof(*node));
    const char *copy = arena_copy(e->arena, text, length);

    if (node == NULL || copy == NULL)
        return NULL;
    *node = (struct node){.type = (uint8_t)type,
                          .integer = type == NODE_NUMBER,
                          .length = (uint32_t)length,
                          .span = 1,
                          .text = copy};
    return node;
}

static int put_text(struct extractor *e, const char *text, size_t length, const struct node **node)
{
    *node = make_node(e, NODE_STRING, text, length);
    return *node == NULL ? -1 : 0;
}

static int put_number(struct extractor *e, int64_t number, const struct node **node)
{
    char text[24];
    int length = snprintf(text, sizeof(text), "%" PRId64, number);

    *node = make_node(e, NODE_NUMBER, text, (size_t)length);
    return *node == NULL ? -1 : 0;
}

static int put_time(struct extractor *e, int64_t at_ms, const struct node **node)
{
    char text[CLOCK_TEXT_SIZE];

    return put_text(e, clock_format(at_ms, text), CLOCK_TEXT_SIZE - 1, node);
}

static int put_fact(struct extractor *e, enum request_fact fact, const struct node **node)
{
    const struct run *run = e->result->run;

    switch (fact) {
    case FACT_PAGE:
        return run_page(run) == 0 ? 0 : put_number(e, run_page(run), node);
    case FACT_URL:
        return run->response.url == NULL
                   ? 0
                   : put_text(e, run->response.url, strlen(run->response.url), node);
    case FACT_STATUS:
        return run->response.status == 0 ? 0 : put_number(e, run->response.status, node);
    case FACT_SCHEDULED_AT:
        return put_time(e, run->scheduled_at_ms, node);
    case FACT_NONE:
        break;
    }
    return 0;
}

/*
 * A header that is there several times has the values of all (RFC 9110, 5.2). It may hold bytes
 * that are no text.
 */
static int put_header(struct extractor *e, const char *name, const struct node **node)
{
    const struct response *response = &e->result->run->response;
    size_t place = 0;
    struct slice value;

    text_clear(&e->scratch);
    if (!response_header(response, name, &place, &value))
        return 0;
    do {
        text_add(&e->scratch, e->scratch.length == 0 ? "" : ", ");
        text_visible(&e->scratch, value.data, value.length);
    } while (response_header(response, name, &place, &value));
    if (text_failed(&e->scratch))
        return -1;
    return put_text(e, text_string(&e->scratch), e->scratch.length, node);
}

/* Records come in the order of the text, but for a few. */
bool extract_follow_line(struct extractor *e, const struct node *record)
{
    const struct node *line = e->document;
    const struct node *next;

    if (e->lines == NULL || record->raw == NULL)
        return false;
    if (record->raw < line->raw)
        line = node_first(e->lines);
    for (;;) {
        next = node_next(line);
        if (next >= node_end(e->lines) || next->raw > record->raw)
            break;
        line = next;
    }
    if (line == e->document)
        return false;
    e->document = line;
    return true;
}

int extract_find_outside(struct extractor *e, const struct field *field, const struct node **node)
{
    *node = NULL;
    if (field->document != NULL) {
        *node = jsonpath_first(field->document, e->document);
        return 0;
    }
    if (field->header != NULL)
        return put_header(e, field->header, node);
    return put_fact(e, field->fact, node);
}
