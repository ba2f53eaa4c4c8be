#include "gatherd/expression.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/text.h"
#include "sql/row_table.h"
#include "sql/sandbox.h"
#include "sql/scan.h"
#include "sql/statement.h"

#define MOST_COLUMNS 500 /* that one expression reads */

struct expression_checker {
    struct sandbox sandbox;
    struct row_table table;
    struct expression_column *columns; /* owned: of the expression at hand */
    size_t capacity;
};

struct check {
    struct expression_checker *checker;
    const struct column_finder *finder;
    struct arena *arena;
    struct expression *expression;
    struct expression_mistake *mistake;
};

struct expression_checker *expression_checker_create(void)
{
    struct expression_checker *checker = calloc(1, sizeof(*checker));

    if (checker != NULL && sandbox_open(&checker->sandbox, NULL) == -1) {
        free(checker);
        return NULL;
    }
    return checker;
}

void expression_checker_free(struct expression_checker *checker)
{
    if (checker == NULL)
        return;
    row_table_remove(&checker->table, checker->sandbox.db);
    sandbox_close(&checker->sandbox);
    free(checker->columns);
    free(checker);
}

/* --- What SQLite says, in words of ours. --- */

static int out_of_memory(struct check *c)
{
    *c->mistake = (struct expression_mistake){.kind = MISTAKE_NOMEM};
    return -1;
}

static int say(struct check *c, const char *words)
{
    snprintf(c->mistake->words, sizeof(c->mistake->words), "%s", words);
    return -1;
}

static int say_name(struct check *c, enum mistake_kind kind, const char *format, const char *name)
{
    c->mistake->kind = kind;
    snprintf(c->mistake->name, sizeof(c->mistake->name), "%s", name);
    snprintf(c->mistake->words, sizeof(c->mistake->words), format, name);
    return -1;
}

static int explain_table(struct check *c, const char *name)
{
    return say_name(c, MISTAKE_OTHER,
                    "there is no table \"%s\" here; an expression sees the columns of its own row, "
                    "json_each() and json_tree()",
                    name);
}

static bool begins(const char *text, const char *start)
{
    return sqlite3_strnicmp(text, start, (int)strlen(start)) == 0;
}

static int explain_function(struct check *c, const char *name)
{
    if (begins(name, "current_"))
        return say(c, sandbox_no_time);
    if (begins(name, "random"))
        return say(c, "random() and randomblob() give another value each time, and the same record "
                      "is to give the same row; remove it");
    return say_name(c, MISTAKE_FUNCTION, "there is no function %s() here", name);
}

static int explain_denied(struct check *c)
{
    const struct sandbox *sandbox = &c->checker->sandbox;

    switch (sandbox->denied) {
    case DENIED_TABLE:
        return explain_table(c, sandbox->denied_name);
    case DENIED_FUNCTION:
        return explain_function(c, sandbox->denied_name);
    case DENIED_RECURSION:
        return say(c, "WITH RECURSIVE has no place in an expression; calculate without it");
    default:
        return say(c, "an expression only calculates with the columns of its row");
    }
}

/* The rest of `said` behind `start`, or NULL. */
static const char *behind(const char *said, const char *start)
{
    return strncmp(said, start, strlen(start)) == 0 ? said + strlen(start) : NULL;
}

static int explain_words(struct check *c, const char *said)
{
    const char *name;

    if ((name = behind(said, "no such function: ")) != NULL)
        return explain_function(c, name);
    if ((name = behind(said, "no such table: ")) != NULL)
        return explain_table(c, name);
    if ((name = behind(said, "misuse of aggregate: ")) != NULL ||
        (name = behind(said, "misuse of aggregate function ")) != NULL ||
        (name = behind(said, "misuse of window function ")) != NULL)
        return say_name(c, MISTAKE_OTHER,
                        "%s needs several rows, and an expression is about one; use it in a query "
                        "or a view",
                        name);
    return say(c, said);
}

/* Where SQLite says that it is, when it is within the text. */
static void note_offset(struct check *c, size_t start)
{
    int offset = sqlite3_error_offset(c->checker->sandbox.db);

    c->mistake->has_offset = offset >= (int)start;
    c->mistake->offset = c->mistake->has_offset ? (size_t)offset - start : 0;
    if (c->mistake->offset > strlen(c->expression->text)) /* at the bracket behind it */
        c->mistake->offset = strlen(c->expression->text);
}

/* The bracket behind the text cannot be what is wrong. */
static bool is_at_end(const struct check *c)
{
    const char *text = c->expression->text;

    return c->mistake->has_offset &&
           strspn(text + c->mistake->offset, " \t\r\n") == strlen(text + c->mistake->offset);
}

static int explain(struct check *c, int rc, size_t start)
{
    const struct sandbox *sandbox = &c->checker->sandbox;
    const char *said = sqlite3_errmsg(sandbox->db);

    if ((rc & 0xff) == SQLITE_NOMEM)
        return out_of_memory(c);
    note_offset(c, start);
    if (sandbox->denied != DENIED_NOTHING)
        return explain_denied(c);
    if (is_at_end(c) && strstr(said, "syntax error") != NULL)
        return say(c, "it ends too early; something is missing at the end");
    return explain_words(c, said);
}

/* --- Columns. --- */

/* The columns that are known so far are made known to SQLite. */
static int declare(struct check *c)
{
    struct expression_checker *checker = c->checker;

    return row_table_declare(&checker->table, checker->sandbox.db, checker->columns,
                             c->expression->column_count);
}

static bool is_known(const struct check *c, const char *name)
{
    for (size_t i = 0; i < c->expression->column_count; i++) {
        if (strcmp(c->checker->columns[i].name, name) == 0)
            return true;
    }
    return false;
}

static int make_room(struct expression_checker *checker, size_t count)
{
    size_t capacity = checker->capacity == 0 ? 8 : 2 * checker->capacity;
    struct expression_column *columns;

    if (count < checker->capacity)
        return 0;
    columns = realloc(checker->columns, capacity * sizeof(*columns));
    if (columns == NULL)
        return -1;
    checker->columns = columns;
    checker->capacity = capacity;
    return 0;
}

static int add_column(struct check *c, const char *name, enum column_affinity affinity)
{
    struct expression_checker *checker = c->checker;
    char *copy = arena_copy(c->arena, name, strlen(name));

    if (copy == NULL || make_room(checker, c->expression->column_count) == -1)
        return out_of_memory(c);
    checker->columns[c->expression->column_count++] = (struct expression_column){copy, affinity};
    return 0;
}

/* A column that SQLite does not know yet. 0: now it does. */
static int find_column(struct check *c, const char *name, size_t start)
{
    enum column_affinity affinity = AFFINITY_NONE;

    note_offset(c, start);
    if (is_known(c, name))
        return say_name(c, MISTAKE_OTHER,
                        "\"%s\": a column has no table's name before it here; write its own alone",
                        name);
    if (c->expression->column_count == MOST_COLUMNS)
        return say(c, "the expression reads more than 500 columns; make it simpler");
    if (!c->finder->find(c->finder->context, name, &affinity))
        return say_name(c, MISTAKE_COLUMN, "there is no column %s", name);
    return add_column(c, name, affinity);
}

/* --- Checking. --- */

/*
 * Where a WHERE has it, the expression cannot hold an aggregate or a window function. Each column
 * that it reads is an error first, and then known.
 */
static int compile(struct check *c)
{
    static const char format[] = "SELECT 1 FROM \"%s\" WHERE (\n";
    struct expression_checker *checker = c->checker;
    sqlite3_stmt *stmt = NULL;
    struct text sql = {0};
    size_t start;
    int found = 0;

    text_format(&sql, format, checker->table.name);
    start = sql.length;
    text_format(&sql, "%s\n)", c->expression->text);
    if (text_failed(&sql))
        found = out_of_memory(c);
    while (found == 0) {
        const char *name;
        int rc = declare(c);

        checker->sandbox.denied = DENIED_NOTHING;
        if (rc == SQLITE_OK)
            rc = sqlite3_prepare_v2(checker->sandbox.db, text_string(&sql), -1, &stmt, NULL);
        if (rc == SQLITE_OK)
            break;
        name = behind(sqlite3_errmsg(checker->sandbox.db), "no such column: ");
        found =
            name != NULL && (rc & 0xff) == SQLITE_ERROR && checker->sandbox.denied == DENIED_NOTHING
                ? find_column(c, name, start)
                : explain(c, rc, start);
    }
    sqlite3_finalize(stmt);
    text_free(&sql);
    return found;
}

/* What fails, or has no end, while all columns are NULL. The former may be as it should be. */
static int try_out(struct check *c)
{
    struct expression_checker *checker = c->checker;
    struct sandbox *sandbox = &checker->sandbox;
    sqlite3_stmt *stmt = NULL;
    struct error err = {0};
    struct value value;
    int rc = statement_prepare(sandbox, &checker->table, c->expression, &stmt);

    if (rc != SQLITE_OK)
        return explain(c, rc, 0);
    checker->table.count = 0;
    sandbox_begin_response(sandbox);
    switch (statement_evaluate(sandbox, stmt, &value, &err)) {
    case COMPUTED:
        break;
    case COMPUTED_NOTHING:
        if (sandbox->over_budget || sandbox->asked_time)
            rc = say(c, err.text);
        else
            snprintf(c->mistake->warning, sizeof(c->mistake->warning), "%s", err.text);
        break;
    case COMPUTED_STOPPED:
        rc = say(c, err.text);
        break;
    case COMPUTED_NOMEM:
        rc = out_of_memory(c);
        break;
    }
    sqlite3_finalize(stmt);
    return rc;
}

static int keep_columns(struct check *c)
{
    size_t count = c->expression->column_count;
    struct expression_column *columns = arena_alloc(c->arena, count * sizeof(*columns));

    if (columns == NULL)
        return out_of_memory(c);
    if (count > 0)
        memcpy(columns, c->checker->columns, count * sizeof(*columns));
    c->expression->columns = columns;
    return 0;
}

static int check(struct check *c)
{
    const char *problem = scan_expression(c->expression->text, &c->mistake->offset);
    uint32_t *places;
    int rc;

    if (problem != NULL) {
        c->mistake->has_offset = true;
        return say(c, problem);
    }
    row_table_name(&c->checker->table, c->expression->text, 0);
    c->checker->sandbox.table = &c->checker->table;
    if (compile(c) == -1)
        return -1;
    places = calloc(c->expression->column_count + 1, sizeof(*places));
    if (places == NULL)
        return out_of_memory(c);
    c->checker->table.places = places;
    rc = try_out(c);
    free(places);
    return rc == 0 ? keep_columns(c) : rc;
}

int expression_check(struct expression_checker *checker, const char *text, bool is_condition,
                     const struct column_finder *finder, struct arena *arena,
                     struct expression *expression, struct expression_mistake *mistake)
{
    struct check c = {checker, finder, arena, expression, mistake};
    int rc;

    *mistake = (struct expression_mistake){0};
    *expression = (struct expression){.text = text, .is_condition = is_condition};
    rc = check(&c);
    row_table_remove(&checker->table, checker->sandbox.db);
    return rc;
}

struct hash128 expression_set_hash(const struct expression_set *set, struct text *scratch)
{
    text_clear(scratch);
    for (size_t i = 0; i < set->count; i++) {
        const struct expression *e = &set->list[i];

        text_append(scratch, e->text, strlen(e->text) + 1);
        text_format(scratch, "%d %zu", e->is_condition, e->column_count);
        for (size_t n = 0; n < e->column_count; n++) {
            text_append(scratch, e->columns[n].name, strlen(e->columns[n].name) + 1);
            text_format(scratch, "%d", (int)e->columns[n].affinity);
        }
    }
    return hash128_bytes(text_string(scratch), scratch->length);
}
