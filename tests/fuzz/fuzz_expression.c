/*
 * Checks any text, up to its first NUL, as an expression, and calculates those that are right for
 * some rows: nothing but a value or a reason may come of it, and the same value for the same row.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/computer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Columns are a, b and c. */
static bool find(void *context, const char *name, enum column_affinity *affinity)
{
    (void)context;
    *affinity = *name == 'a' ? AFFINITY_REAL : *name == 'b' ? AFFINITY_TEXT : AFFINITY_NONE;
    return *name >= 'a' && *name <= 'c' && name[1] == '\0';
}

static bool is_text(const struct value *value)
{
    return value->type == VALUE_TEXT || value->type == VALUE_BLOB;
}

static bool is_same(const struct value *a, const struct value *b)
{
    if (a->type != b->type)
        return false;
    if (is_text(a))
        return a->length == b->length &&
               (a->length == 0 || memcmp(a->text, b->text, a->length) == 0);
    return a->type == VALUE_NULL || a->integer == b->integer; /* of reals the bits */
}

static void calculate(struct calculations *calculations, const uint32_t places[3],
                      const struct value cells[3])
{
    struct error err = {0};
    struct value first;
    struct value again;
    enum computed computed = computer_evaluate(calculations, 0, cells, 3, places, &first, &err);
    char *copy;

    if (computed != COMPUTED) {
        assert(computed != COMPUTED_NOMEM && err.text[0] != '\0');
        return;
    }
    copy = malloc(first.length + 1u);
    if (is_text(&first) && first.length > 0)
        first.text = memcpy(copy, first.text, first.length);
    assert(computer_evaluate(calculations, 0, cells, 3, places, &again, &err) == COMPUTED);
    assert(is_same(&first, &again));
    free(copy);
}

static void calculate_rows(const struct expression *expression)
{
    static const struct value rows[][3] = {
        {{.type = VALUE_NULL}, {.type = VALUE_NULL}, {.type = VALUE_NULL}},
        {{.type = VALUE_REAL, .real = 6.5},
         {.type = VALUE_TEXT, .length = 10, .text = "2024-02-29"},
         {.type = VALUE_TEXT, .length = 17, .text = "[1,{\"x\":[2,\"y\"]}]"}},
        {{.type = VALUE_REAL, .real = -1e300},
         {.type = VALUE_TEXT, .length = 3, .text = "now"},
         {.type = VALUE_INTEGER, .integer = INT64_MIN}},
    };
    struct expression_set set = {expression, 1, {1, 1}};
    struct computer *computer = computer_create();
    uint32_t places[3] = {NO_CELL, NO_CELL, NO_CELL};
    struct calculations *calculations;
    struct error err = {0};

    assert(computer != NULL && expression->column_count <= 3);
    computer_begin(computer);
    calculations = computer_prepare(computer, &set, &err);
    assert(calculations != NULL);
    for (size_t i = 0; i < expression->column_count; i++)
        places[i] = (uint32_t)(expression->columns[i].name[0] - 'a');
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        calculate(calculations, places, rows[i]);
    computer_free(computer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct column_finder finder = {NULL, find};
    struct expression_checker *checker = expression_checker_create();
    struct arena *arena = arena_create(0);
    struct expression_mistake mistake;
    struct expression expression;
    char *text = malloc(size + 1);

    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    assert(checker != NULL && arena != NULL);
    if (expression_check(checker, text, size % 2 == 0, &finder, arena, &expression, &mistake) ==
        0) {
        calculate_rows(&expression);
    } else {
        assert(mistake.kind != MISTAKE_NOMEM && mistake.words[0] != '\0');
        assert(!mistake.has_offset || mistake.offset <= strlen(text));
    }
    expression_checker_free(checker);
    arena_free(arena);
    free(text);
    return 0;
}
