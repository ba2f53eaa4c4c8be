/*
 * expression.h - SQL expressions over the columns of one row: checked once, with what they need to
 * be calculated for many rows (computer.h).
 *
 * An expression sees the columns of its own row and SQLite's functions, and nothing else: no table,
 * no file, no clock, no chance. So the same row gives the same value, today and when it is read
 * again next year. It may hold a SELECT over its own values, as in (SELECT sum(value) FROM
 * json_each(scores)); json_each and json_tree are the only tables there are.
 */
#ifndef GATHERD_EXPRESSION_H
#define GATHERD_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "gatherd/arena.h"
#include "gatherd/error.h"
#include "gatherd/hash.h"
#include "gatherd/text.h"

/* The longest text of one. */
#define EXPRESSION_MAX_BYTES 16384

/* How a column compares: as one of that type does in a STRICT table (SQLite's manual, datatype3).
 */
enum column_affinity {
    AFFINITY_NONE, /* each value as what it is: ANY and BLOB */
    AFFINITY_INTEGER,
    AFFINITY_REAL,
    AFFINITY_TEXT,
};

struct expression_column {
    const char *name; /* as the expression writes it */
    enum column_affinity affinity;
};

/* Immutable; in the arena that it was checked into. */
struct expression {
    const char *text;
    bool is_condition;                       /* its value is 1 where it is true, else 0 */
    const struct expression_column *columns; /* it reads, each once */
    size_t column_count;
};

/* Several that belong together, and what tells them from others. */
struct expression_set {
    const struct expression *list;
    size_t count;
    struct hash128 hash; /* expression_set_hash() */
};

struct hash128 expression_set_hash(const struct expression_set *set, struct text *scratch);

/* --- Checking. --- */

/* Says which columns there are. */
struct column_finder {
    void *context;
    bool (*find)(void *context, const char *name, enum column_affinity *affinity);
};

enum mistake_kind {
    MISTAKE_OTHER,    /* `words` say it all */
    MISTAKE_COLUMN,   /* there is no column `name` */
    MISTAKE_FUNCTION, /* there is no function `name` here */
    MISTAKE_NOMEM,
};

struct expression_mistake {
    enum mistake_kind kind;
    bool has_offset;
    size_t offset; /* of the mistake, in bytes of the text */
    char name[128];
    char words[512];   /* what is wrong and what to do */
    char warning[512]; /* no mistake: what is wrong while every column is NULL; "": nothing */
};

struct expression_checker; /* opaque; one thread */

/* NULL: out of memory. */
struct expression_checker *expression_checker_create(void);
void expression_checker_free(struct expression_checker *checker); /* NULL is allowed */

/*
 * 0: `expression` is filled, all of it in `arena` but for the text, which is borrowed. -1: the
 * mistake says why not.
 */
int expression_check(struct expression_checker *checker, const char *text, bool is_condition,
                     const struct column_finder *finder, struct arena *arena,
                     struct expression *expression, struct expression_mistake *mistake);

/* The names of the functions there are, sorted; for "did you mean". */
const char *const *expression_functions(size_t *count);

#endif
