#include "gatherd/computer.h"

#include <stdlib.h>
#include <string.h>

#include "sql/statement.h"

/* Statements that are kept: some kilobytes each. A response may have more, until it ends. */
#define KEPT_STATEMENTS 1000

struct calculation {
    struct row_table table;
    sqlite3_stmt *stmt; /* owned */
};

struct calculations {
    struct computer *computer;
    struct hash128 hash;
    uint64_t response; /* that used it last */
    struct calculations *next;
    size_t count;
    struct calculation list[];
};

struct computer {
    struct sandbox sandbox;
    uint64_t response;         /* counts them */
    unsigned serial;           /* of the next table */
    struct calculations *sets; /* owned, used last comes first */
};

struct computer *computer_create(void)
{
    return calloc(1, sizeof(struct computer));
}

static void free_set(struct computer *computer, struct calculations *set)
{
    for (size_t i = 0; i < set->count; i++) {
        sqlite3_finalize(set->list[i].stmt);
        row_table_remove(&set->list[i].table, computer->sandbox.db);
    }
    free(set);
}

void computer_free(struct computer *computer)
{
    if (computer == NULL)
        return;
    while (computer->sets != NULL) {
        struct calculations *next = computer->sets->next;

        free_set(computer, computer->sets);
        computer->sets = next;
    }
    sandbox_close(&computer->sandbox);
    free(computer);
}

void computer_begin(struct computer *computer)
{
    computer->response++;
    sandbox_begin_response(&computer->sandbox);
}

/* --- What is kept. --- */

/* Found, it becomes the first. */
static struct calculations *find(struct computer *computer, struct hash128 hash)
{
    for (struct calculations **link = &computer->sets; *link != NULL; link = &(*link)->next) {
        struct calculations *set = *link;

        if (set->hash.low != hash.low || set->hash.high != hash.high)
            continue;
        *link = set->next;
        set->next = computer->sets;
        computer->sets = set;
        return set;
    }
    return NULL;
}

/* Those used longest ago are the last ones of the list. */
static void make_room(struct computer *computer, size_t count)
{
    struct calculations **link = &computer->sets;
    size_t kept = count;

    while (*link != NULL) {
        struct calculations *set = *link;

        kept += set->count;
        if (kept <= KEPT_STATEMENTS || set->response == computer->response) {
            link = &set->next;
            continue;
        }
        *link = set->next;
        free_set(computer, set);
    }
}

/* --- Compiling. --- */

static int fail(struct computer *computer, int rc, struct error *err)
{
    if ((rc & 0xff) == SQLITE_NOMEM)
        error_set(err, ERROR_NOMEM, "sql: out of memory");
    else
        error_set(err, ERROR_FAILED, "sql: %s", sqlite3_errmsg(computer->sandbox.db));
    return -1;
}

static int compile(struct computer *computer, struct calculation *calculation,
                   const struct expression *expression, struct error *err)
{
    sqlite3 *db = computer->sandbox.db;
    int rc;

    row_table_name(&calculation->table, expression->text, computer->serial++);
    rc = row_table_declare(&calculation->table, db, expression->columns, expression->column_count);
    if (rc == SQLITE_OK)
        rc = statement_prepare(&computer->sandbox, &calculation->table, expression,
                               &calculation->stmt);
    return rc == SQLITE_OK ? 0 : fail(computer, rc, err);
}

static struct calculations *create(struct computer *computer, const struct expression_set *from,
                                   struct error *err)
{
    struct calculations *set = calloc(1, sizeof(*set) + from->count * sizeof(set->list[0]));

    if (set == NULL) {
        error_set(err, ERROR_NOMEM, "sql: out of memory");
        return NULL;
    }
    set->computer = computer;
    set->hash = from->hash;
    set->count = from->count;
    for (size_t i = 0; i < from->count; i++) {
        if (compile(computer, &set->list[i], &from->list[i], err) == -1) {
            free_set(computer, set);
            return NULL;
        }
    }
    return set;
}

struct calculations *computer_prepare(struct computer *computer, const struct expression_set *from,
                                      struct error *err)
{
    struct calculations *set = find(computer, from->hash);

    if (set == NULL) {
        if (computer->sandbox.db == NULL && sandbox_open(&computer->sandbox, err) == -1)
            return NULL;
        make_room(computer, from->count);
        set = create(computer, from, err);
        if (set == NULL)
            return NULL;
        set->next = computer->sets;
        computer->sets = set;
    }
    set->response = computer->response;
    return set;
}

enum computed computer_evaluate(struct calculations *set, size_t index, const struct value *cells,
                                size_t count, const uint32_t *places, struct value *value,
                                struct error *err)
{
    struct calculation *calculation = &set->list[index];

    calculation->table.cells = cells;
    calculation->table.count = count;
    calculation->table.places = places;
    return statement_evaluate(&set->computer->sandbox, calculation->stmt, value, err);
}
