/* Logical expressions: what stands behind the ? of a filter (RFC 9535, 2.3.5.1). */
#include <stdlib.h>
#include <string.h>

#include "document/jsonpath_parser.h"

static bool read_or(struct compiler *c, struct expression *expression);

/* The comparison at `p` and its length; 0: there is none. */
static size_t comparison_at(const char *p, enum comparison *comparison)
{
    static const struct {
        const char *text;
        enum comparison comparison;
    } operators[] = {
        {"==", COMPARE_EQUAL},         {"!=", COMPARE_UNEQUAL},
        {"<=", COMPARE_LESS_OR_EQUAL}, {">=", COMPARE_GREATER_OR_EQUAL},
        {"<", COMPARE_LESS},           {">", COMPARE_GREATER},
    };

    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        size_t length = strlen(operators[i].text);

        if (strncmp(p, operators[i].text, length) == 0) {
            *comparison = operators[i].comparison;
            return length;
        }
    }
    return 0;
}

static bool at_comparison(const char *p)
{
    enum comparison ignored;

    return comparison_at(p, &ignored) > 0;
}

bool parser_at_operator(const char *p)
{
    return at_comparison(p) || strncmp(p, "&&", 2) == 0 || strncmp(p, "||", 2) == 0;
}

/* --- Operands --- */

/* No operand begins at c->p: says what it may have been meant for. */
static bool refuse_operand(struct compiler *c)
{
    const char *p = c->p;

    switch (*p) {
    case '\0':
    case ']':
    case ')':
    case ',':
        return REFUSE(c, p,
                      "the condition ends where a path from @ or $, a text, a number or a "
                      "function should stand");
    case '+':
        return REFUSE(c, p, "a number has no '+' before it");
    case '.':
        return REFUSE(c, p, "a number begins with a digit, a path with @ or $");
    case '[':
    case '{':
        return REFUSE(c, p, "arrays and objects cannot be written in a path");
    case '/':
        return REFUSE(c, p, "a regular expression is given to match() or search() as a text");
    case '=':
        return REFUSE(c, p, "'=' where a value should stand; equality is written ==");
    case '>':
        return REFUSE(c, p, "'>' where a value should stand; inequality is written !=");
    case '*':
        return REFUSE(c, p, "'*' where a value should stand; all children are @.*");
    default:
        return REFUSE(c, p,
                      "%s where a path from @ or $, a text, a number or a function should stand",
                      parser_show(p).text);
    }
}

static bool read_query(struct compiler *c, struct operand *operand, struct operand_place *place)
{
    struct query *query = calloc(1, sizeof(*query));

    if (query == NULL)
        return parser_out_of_memory(c);
    *operand = (struct operand){.kind = OPERAND_QUERY, .query = query};
    return parser_read_query(c, query, &place->shape);
}

static bool read_call(struct compiler *c, struct operand *operand)
{
    struct call *call = calloc(1, sizeof(*call));

    if (call == NULL)
        return parser_out_of_memory(c);
    *operand = (struct operand){.kind = OPERAND_CALL, .call = call};
    return parser_read_call(c, call);
}

bool parser_read_operand(struct compiler *c, struct operand *operand, struct operand_place *place)
{
    const char *p = c->p;
    size_t length = parser_name_length(p);

    *place = (struct operand_place){.start = p};
    if (*p == '@' || *p == '$')
        return read_query(c, operand, place);
    if (length > 0 && p[length + strspn(p + length, " \t\n\r")] == '(')
        return read_call(c, operand);
    if (length > 0 || *p == '\'' || *p == '"' || *p == '-' || parser_is_digit(*p))
        return parser_read_literal(c, operand);
    return refuse_operand(c);
}

bool parser_check_value(struct compiler *c, const struct operand *operand,
                        const struct operand_place *place, const char *whose)
{
    if (operand->kind == OPERAND_CALL && operand->call->function->result != TYPE_VALUE)
        return REFUSE(c, place->start, "%s() is true or false; %s takes a value",
                      operand->call->function->name, whose);
    if (operand->kind != OPERAND_QUERY)
        return true;
    if (place->shape.plural != NULL)
        return REFUSE(c, place->shape.plural,
                      "%s takes one value, and from here the path may select many; write names and "
                      "indexes only, or use value() or count()",
                      whose);
    if (place->shape.blank != NULL)
        return REFUSE(c, place->shape.blank,
                      "white space in the brackets of a path that stands for one value");
    return true;
}

/* --- Tests and comparisons --- */

/* Whether an operand alone is a condition. */
static bool check_test(struct compiler *c, const struct operand *operand, const char *start)
{
    if (operand->kind == OPERAND_LITERAL)
        return REFUSE(c, start, "a literal alone is no condition; compare it with something");
    if (operand->kind == OPERAND_CALL && operand->call->function->result == TYPE_VALUE)
        return REFUSE(c, start, "%s() alone is no condition; compare it, as in %s",
                      operand->call->function->name, operand->call->function->example);
    return true;
}

static bool read_right(struct compiler *c, struct expression *expression)
{
    struct operand_place place;

    parser_skip_blanks(c);
    if (!parser_read_operand(c, &expression->right, &place) ||
        !parser_check_value(c, &expression->right, &place, "a comparison"))
        return false;
    parser_skip_blanks(c);
    if (at_comparison(c->p))
        return REFUSE(c, c->p, "a comparison has two sides; join comparisons with && or ||");
    return true;
}

static bool read_test_or_comparison(struct compiler *c, struct expression *expression)
{
    struct operand_place place;
    size_t length;

    expression->kind = EXPRESSION_TEST;
    if (!parser_read_operand(c, &expression->left, &place))
        return false;
    parser_skip_blanks(c);
    length = comparison_at(c->p, &expression->comparison);
    if (length == 0)
        return check_test(c, &expression->left, place.start);
    if (!parser_check_value(c, &expression->left, &place, "a comparison"))
        return false;
    expression->kind = EXPRESSION_COMPARISON;
    c->p += length;
    return read_right(c, expression);
}

/* --- Parentheses, not, and, or --- */

/* What stands behind a condition is nothing that may. */
static bool refuse_behind(struct compiler *c)
{
    const char *p = c->p;
    size_t length = parser_name_length(p);

    if (*p == '\0')
        return REFUSE(c, p, "the bracket that closes is missing");
    if (p[0] == '=' && p[1] == '~')
        return REFUSE(c, p, "there is no =~; use match() or search()");
    if (*p == '=')
        return REFUSE(c, p, "equality is written ==");
    if (*p == '&' || *p == '|')
        return REFUSE(c, p, "%s is written %c%c", *p == '&' ? "and" : "or", *p, *p);
    if ((length == 3 && strncmp(p, "and", 3) == 0) || (length == 2 && strncmp(p, "or", 2) == 0))
        return REFUSE(c, p, "%.*s is written %s", (int)length, p, *p == 'a' ? "&&" : "||");
    if (length == 2 && strncmp(p, "in", 2) == 0)
        return REFUSE(c, p, "there is no in; compare with each value, joined with ||");
    if (p[-1] == '@' || p[-1] == '$')
        return REFUSE(c, p, "%s where '.' or '[' should stand", parser_show(p).text);
    if (*p == '(')
        return REFUSE(c, p, "a function stands before what it is about, as in length(@.name)");
    if (*p == '-' || *p == '+' || *p == '*' || *p == '/' || *p == '%')
        return REFUSE(c, p,
                      "%s where an operator should stand: nothing is computed in a path, and "
                      "a name with it stands in quotes, as in @['name']",
                      parser_show(p).text);
    return REFUSE(c, p, "%s where an operator, ')' or ']' should stand", parser_show(p).text);
}

static bool read_parentheses(struct compiler *c, struct expression *expression)
{
    const char *start = c->p;

    if (!parser_deeper(c, start))
        return false;
    c->p++;
    parser_skip_blanks(c);
    if (!read_or(c, expression))
        return false;
    if (*c->p == '\0' || *c->p == ']')
        return REFUSE(c, c->p, "the parenthesis that closes is missing");
    if (*c->p != ')')
        return refuse_behind(c);
    c->p++;
    c->level--;
    parser_skip_blanks(c);
    if (at_comparison(c->p))
        return REFUSE(c, start,
                      "what stands in parentheses is true or false; it cannot be compared");
    return true;
}

static bool read_not(struct compiler *c, struct expression *expression)
{
    const char *start = c->p++;
    struct expression *operand;

    expression->kind = EXPRESSION_NOT;
    operand = ast_add_operand(expression);
    if (operand == NULL)
        return parser_out_of_memory(c);
    if (*c->p == '=')
        return REFUSE(c, start, "a value is missing before !=");
    parser_skip_blanks(c);
    if (*c->p == '!')
        return REFUSE(c, c->p, "'!' twice");
    if (*c->p == '(')
        return read_parentheses(c, operand);
    if (!read_test_or_comparison(c, operand))
        return false;
    if (operand->kind == EXPRESSION_COMPARISON)
        return REFUSE(c, start, "'!' before a comparison; put the comparison in parentheses");
    return true;
}

static bool read_basic(struct compiler *c, struct expression *expression)
{
    switch (*c->p) {
    case '!':
        return read_not(c, expression);
    case '(':
        return read_parentheses(c, expression);
    default:
        return read_test_or_comparison(c, expression);
    }
}

/* One operand needs no operator around it. */
static void unwrap(struct expression *expression)
{
    struct expression *operands = expression->operands;

    if (expression->count != 1)
        return;
    *expression = operands[0];
    free(operands);
}

typedef bool part_reader(struct compiler *c, struct expression *expression);

/* Any number of parts with `word` between them; all of them in one list, however many. */
static bool read_chain(struct compiler *c, struct expression *expression, enum expression_kind kind,
                       const char *word, part_reader *read_part)
{
    bool more;

    expression->kind = kind;
    do {
        struct expression *part = ast_add_operand(expression);

        if (part == NULL)
            return parser_out_of_memory(c);
        if (!read_part(c, part))
            return false;
        parser_skip_blanks(c);
        more = strncmp(c->p, word, 2) == 0;
        if (more)
            c->p += 2;
        parser_skip_blanks(c);
    } while (more);
    unwrap(expression);
    return true;
}

static bool read_and(struct compiler *c, struct expression *expression)
{
    return read_chain(c, expression, EXPRESSION_AND, "&&", read_basic);
}

static bool read_or(struct compiler *c, struct expression *expression)
{
    return read_chain(c, expression, EXPRESSION_OR, "||", read_and);
}

bool parser_read_filter(struct compiler *c, struct expression *expression)
{
    if (!read_or(c, expression))
        return false;
    return *c->p == ',' || *c->p == ']' || refuse_behind(c);
}
