/* Functions: their table, their arguments, and whether the types fit (RFC 9535, 2.4). */
#include <string.h>

#include "document/jsonpath_parser.h"
#include "document/regexp.h"

static const struct function functions[] = {
    {"length", "length(@.name) > 3", FUNCTION_LENGTH, TYPE_VALUE, 1, {TYPE_VALUE}},
    {"count", "count(@.*) > 3", FUNCTION_COUNT, TYPE_VALUE, 1, {TYPE_NODES}},
    {"match", "match(@.id, '[0-9]+')", FUNCTION_MATCH, TYPE_LOGICAL, 2, {TYPE_VALUE, TYPE_VALUE}},
    {"search", "search(@.name, 'a.c')", FUNCTION_SEARCH, TYPE_LOGICAL, 2, {TYPE_VALUE, TYPE_VALUE}},
    {"value", "value(@..id) == 3", FUNCTION_VALUE, TYPE_VALUE, 1, {TYPE_NODES}},
};

static bool find_function(struct compiler *c, struct call *call)
{
    const char *start = c->p;
    size_t length = parser_name_length(start);

    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        const struct function *function = &functions[i];

        if (strlen(function->name) == length && strncmp(function->name, start, length) == 0)
            call->function = function;
    }
    if (call->function == NULL)
        return REFUSE(
            c, start,
            "there is no such function; there are length(), count(), value(), match() and "
            "search()");
    c->p += length;
    if (*c->p != '(')
        return REFUSE(c, c->p, "white space between %s and its '('", call->function->name);
    return true;
}

static bool refuse_count(struct compiler *c, const struct function *function)
{
    return REFUSE(c, c->p, "%s() takes %s, as in %s", function->name,
                  function->argument_count == 1 ? "one argument" : "two arguments",
                  function->example);
}

static bool refuse_logical(struct compiler *c, const struct function *function, const char *at)
{
    return REFUSE(c, at, "%s() takes no condition; it is used as in %s", function->name,
                  function->example);
}

/* Whether the operand is of the type that the function takes there (2.4.3). */
static bool check_argument(struct compiler *c, const struct function *function, size_t index,
                           const struct operand *operand, const struct operand_place *place)
{
    char whose[16];

    if (function->arguments[index] == TYPE_NODES) {
        if (operand->kind != OPERAND_QUERY)
            return REFUSE(c, place->start, "%s() takes a path, as in %s", function->name,
                          function->example);
        return true;
    }
    stpcpy(stpcpy(whose, function->name), "()");
    return parser_check_value(c, operand, place, whose);
}

static bool read_argument(struct compiler *c, const struct function *function, size_t index,
                          struct operand *operand, struct operand_place *place)
{
    if (*c->p == '!' || *c->p == '(')
        return refuse_logical(c, function, c->p);
    if (*c->p == ')' || index == function->argument_count)
        return refuse_count(c, function);
    if (!parser_read_operand(c, operand, place))
        return false;
    parser_skip_blanks(c);
    if (parser_at_operator(c->p))
        return refuse_logical(c, function, place->start);
    return check_argument(c, function, index, operand, place);
}

/* The regular expression of match() and search(), where it is known already. */
static bool compile_regexp(struct compiler *c, struct call *call, const char *quoted)
{
    const struct operand *argument = &call->arguments[1];
    enum regexp_extent extent = call->function->id == FUNCTION_MATCH ? REGEXP_WHOLE : REGEXP_PART;
    struct error err = {0};
    size_t offset = 0;

    if (argument->kind != OPERAND_LITERAL || argument->literal->node.type != NODE_STRING)
        return true;
    call->regexp = regexp_compile(node_slice(&argument->literal->node), extent, &offset, &err);
    if (call->regexp != NULL)
        return true;
    if (err.code == ERROR_NOMEM)
        return parser_out_of_memory(c);
    return REFUSE(c, parser_locate_quoted(quoted, offset), "no regular expression (I-Regexp): %s",
                  err.text);
}

static bool read_arguments(struct compiler *c, struct call *call)
{
    const struct function *function = call->function;
    struct operand_place place;
    size_t count = 0;

    do {
        c->p++; /* over the parenthesis or the comma */
        parser_skip_blanks(c);
        if (!read_argument(c, function, count, &call->arguments[count % MOST_ARGUMENTS], &place))
            return false;
        count++;
    } while (*c->p == ',');
    if (*c->p == '\0')
        return REFUSE(c, c->p, "the parenthesis that closes is missing");
    if (*c->p != ')')
        return REFUSE(c, c->p, "%s where ',' or ')' should stand", parser_show(c->p).text);
    if (count != function->argument_count)
        return refuse_count(c, function);
    return function->result != TYPE_LOGICAL || compile_regexp(c, call, place.start);
}

bool parser_read_call(struct compiler *c, struct call *call)
{
    if (!parser_deeper(c, c->p) || !find_function(c, call) || !read_arguments(c, call))
        return false;
    c->p++; /* over the parenthesis */
    c->level--;
    return true;
}
