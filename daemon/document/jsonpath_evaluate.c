/* Filters: logical expressions, tests, functions (RFC 9535, 2.3.5 and 2.4). */
#include "document/jsonpath_walk.h"
#include "document/regexp.h"
#include "document/utf8.h"

/* --- Queries that only have to be counted --- */

struct counter {
    struct sink sink;
    const struct node *first;
    uint64_t count;
    uint64_t enough; /* to be counted so far */
};

static bool count_one(struct sink *sink, struct evaluation *e, const struct node *node)
{
    struct counter *counter = (struct counter *)sink;

    (void)e;
    if (counter->count == 0)
        counter->first = node;
    return ++counter->count < counter->enough;
}

static struct counter count_nodes(struct evaluation *e, const struct query *query,
                                  const struct node *current, uint64_t enough)
{
    struct counter counter = {.sink = {count_one}, .enough = enough};

    walk_query(e, query, query->count, current, &counter.sink);
    return counter;
}

/* --- Values --- */

static struct comparand call_value(struct evaluation *e, const struct call *call,
                                   const struct node *current);

static struct comparand of_node(const struct node *node)
{
    return (struct comparand){.node = node};
}

static struct comparand of_count(uint64_t count)
{
    return (struct comparand){.counted = true, .count = count};
}

static const struct comparand nothing;

static struct comparand operand_value(struct evaluation *e, const struct operand *operand,
                                      const struct node *current)
{
    switch (operand->kind) {
    case OPERAND_LITERAL:
        return (struct comparand){.node = &operand->literal->node,
                                  .number = &operand->literal->number};
    case OPERAND_QUERY:
        return of_node(walk_singular(e, operand->query, current));
    case OPERAND_CALL:
        return call_value(e, operand->call, current);
    case OPERAND_NONE:
        break;
    }
    return nothing;
}

/* --- Functions --- */

/* In Unicode characters. */
static uint64_t count_characters(struct evaluation *e, struct slice text)
{
    uint64_t count = 0;

    if (!spend(e, text.length / 4))
        return 0;
    for (size_t i = 0; i < text.length; i++)
        count += !utf8_continues((unsigned char)text.data[i]);
    return count;
}

static struct comparand length_of(struct evaluation *e, const struct comparand *value)
{
    const struct node *node = value->node;

    if (node == NULL)
        return nothing;
    if (node_is_container(node))
        return of_count(node->length);
    return node->type == NODE_STRING ? of_count(count_characters(e, node_slice(node))) : nothing;
}

static struct comparand call_value(struct evaluation *e, const struct call *call,
                                   const struct node *current)
{
    const struct operand *argument = &call->arguments[0];
    struct comparand value;
    struct counter counter;

    switch (call->function->id) {
    case FUNCTION_LENGTH:
        value = operand_value(e, argument, current);
        return length_of(e, &value);
    case FUNCTION_COUNT:
        return of_count(count_nodes(e, argument->query, current, UINT64_MAX).count);
    case FUNCTION_VALUE:
        counter = count_nodes(e, argument->query, current, 2);
        return counter.count == 1 ? of_node(counter.first) : nothing;
    case FUNCTION_MATCH:
    case FUNCTION_SEARCH:
        break; /* no values */
    }
    return nothing;
}

static bool settle(struct evaluation *e, enum regexp_result result)
{
    if (result == REGEXP_NOMEM)
        e->status = JSONPATH_NOMEM;
    else if (result == REGEXP_TOO_LONG)
        spend(e, UINT64_MAX);
    return result == REGEXP_MATCH;
}

static bool is_string(const struct comparand *value)
{
    return value->node != NULL && value->node->type == NODE_STRING;
}

static bool run_regexp(struct evaluation *e, const struct call *call, struct slice subject,
                       struct slice text)
{
    struct jsonpath_session *session = e->session;
    enum regexp_extent extent = call->function->id == FUNCTION_MATCH ? REGEXP_WHOLE : REGEXP_PART;

    if (session->regexps == NULL)
        session->regexps = regexp_runner_create(session->arena);
    if (session->regexps == NULL) {
        e->status = JSONPATH_NOMEM;
        return false;
    }
    if (call->regexp != NULL)
        return settle(e, regexp_run(session->regexps, call->regexp, subject, &session->steps_left));
    return settle(e,
                  regexp_run_text(session->regexps, text, extent, subject, &session->steps_left));
}

/* match() and search(). */
static bool call_is_true(struct evaluation *e, const struct call *call, const struct node *current)
{
    struct comparand subject = operand_value(e, &call->arguments[0], current);
    struct comparand text = operand_value(e, &call->arguments[1], current);

    if (e->status != JSONPATH_OK || !is_string(&subject) || !is_string(&text))
        return false;
    return run_regexp(e, call, node_slice(subject.node), node_slice(text.node));
}

/* --- Logical expressions --- */

static bool test(struct evaluation *e, const struct operand *operand, const struct node *current)
{
    if (operand->kind == OPERAND_CALL)
        return call_is_true(e, operand->call, current);
    if (operand->query->singular)
        return walk_singular(e, operand->query, current) != NULL;
    return count_nodes(e, operand->query, current, 1).count > 0;
}

static bool compare(struct evaluation *e, const struct expression *expression,
                    const struct node *current)
{
    struct comparand left = operand_value(e, &expression->left, current);
    struct comparand right = operand_value(e, &expression->right, current);

    return e->status == JSONPATH_OK && compare_values(e, expression->comparison, &left, &right);
}

/* Whether one of the operands is `wanted`; those behind it are not looked at. */
static bool has_operand(struct evaluation *e, const struct expression *expression,
                        const struct node *current, bool wanted)
{
    for (size_t i = 0; i < expression->count; i++) {
        if (evaluate_filter(e, &expression->operands[i], current) == wanted ||
            e->status != JSONPATH_OK)
            return true;
    }
    return false;
}

bool evaluate_filter(struct evaluation *e, const struct expression *expression,
                     const struct node *current)
{
    bool passes = false;

    switch (expression->kind) {
    case EXPRESSION_OR:
        passes = has_operand(e, expression, current, true);
        break;
    case EXPRESSION_AND:
        passes = !has_operand(e, expression, current, false);
        break;
    case EXPRESSION_NOT:
        passes = !evaluate_filter(e, &expression->operands[0], current);
        break;
    case EXPRESSION_COMPARISON:
        passes = compare(e, expression, current);
        break;
    case EXPRESSION_TEST:
        passes = test(e, &expression->left, current);
        break;
    case EXPRESSION_NONE:
        break;
    }
    return passes && e->status == JSONPATH_OK;
}
