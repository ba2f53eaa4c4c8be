#include "document/jsonpath_ast.h"

#include <stdlib.h>

#include "document/regexp.h"

/* Room for one more element of `size` bytes. NULL: out of memory, and the old list stands. */
static void *reserve(void *list, size_t count, size_t *capacity, size_t size)
{
    size_t more = *capacity == 0 ? 1 : *capacity * 2;

    if (count < *capacity)
        return list;
    list = reallocarray(list, more, size);
    if (list != NULL)
        *capacity = more;
    return list;
}

struct segment *ast_add_segment(struct query *query)
{
    struct segment *list =
        reserve(query->segments, query->count, &query->capacity, sizeof(*query->segments));

    if (list == NULL)
        return NULL;
    query->segments = list;
    list[query->count] = (struct segment){0};
    return &list[query->count++];
}

struct selector *ast_add_selector(struct segment *segment, enum selector_kind kind)
{
    struct selector *list =
        reserve(segment->selectors, segment->count, &segment->capacity, sizeof(*list));

    if (list == NULL)
        return NULL;
    segment->selectors = list;
    list[segment->count] = (struct selector){.kind = kind};
    return &list[segment->count++];
}

struct expression *ast_add_operand(struct expression *expression)
{
    struct expression *list =
        reserve(expression->operands, expression->count, &expression->capacity, sizeof(*list));

    if (list == NULL)
        return NULL;
    expression->operands = list;
    list[expression->count] = (struct expression){0};
    return &list[expression->count++];
}

static void free_selector(struct selector *selector)
{
    if (selector->kind == SELECTOR_NAME)
        free((char *)selector->name.data);
    if (selector->kind == SELECTOR_FILTER && selector->filter != NULL) {
        ast_free_expression(selector->filter);
        free(selector->filter);
    }
}

void ast_free_query(struct query *query)
{
    for (size_t i = 0; i < query->count; i++) {
        struct segment *segment = &query->segments[i];

        for (size_t k = 0; k < segment->count; k++)
            free_selector(&segment->selectors[k]);
        free(segment->selectors);
    }
    free(query->segments);
    free(query->steps);
}

static void free_call(struct call *call)
{
    for (size_t i = 0; i < MOST_ARGUMENTS; i++)
        ast_free_operand(&call->arguments[i]);
    regexp_free(call->regexp);
    free(call);
}

void ast_free_operand(struct operand *operand)
{
    switch (operand->kind) {
    case OPERAND_NONE:
        break;
    case OPERAND_LITERAL:
        free((char *)operand->literal->node.text);
        free(operand->literal);
        break;
    case OPERAND_QUERY:
        ast_free_query(operand->query);
        free(operand->query);
        break;
    case OPERAND_CALL:
        free_call(operand->call);
        break;
    }
    operand->kind = OPERAND_NONE;
}

void ast_free_expression(struct expression *expression)
{
    ast_free_operand(&expression->left);
    ast_free_operand(&expression->right);
    for (size_t i = 0; i < expression->count; i++)
        ast_free_expression(&expression->operands[i]);
    free(expression->operands);
}
