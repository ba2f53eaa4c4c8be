/*
 * row.h - what a processor hands to the store: the rows of some runs, and what became of them.
 *
 * Everything here lives in the processor's arena or in the bodies of its runs and is borrowed by
 * store_commit() for the time of the call.
 */
#ifndef GATHERD_ROW_H
#define GATHERD_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/node.h"
#include "gatherd/position.h"
#include "gatherd/run.h"
#include "gatherd/value.h"

struct column {
    struct slice name;    /* a member's name in the record's spelling, or a field's name */
    enum field_type type; /* declared, or FIELD_UNDECLARED */
    bool is_key;          /* part of the primary key, and of no declared type: see value_as_key() */
    uint32_t seen;        /* bit (1 << enum value_type) for each type among the values */
};

struct row {
    const struct value *values; /* for the first `count` columns; further ones are NULL */
    size_t count;
    const struct node *record; /* what it was made of, for a dead letter */
    size_t position;           /* of the record among the records of its response, from 0; of a
                                  child in the list of its parent */
    const char *refused;       /* why the table's contract leaves it out; NULL: it does not */
    size_t parent;             /* of a child: its place among the rows of its parents */
};

/* The rows of one response, for one table. */
struct row_set {
    struct column *columns; /* first those of mapping->links, but for those of an item */
    size_t column_count;
    struct row *rows;
    size_t row_count;
    bool replayed; /* what they are made of may be old: a row that was fetched later stays */

    /* Of children; their rows are in the order of their parents'. */
    const struct mapping *mapping;
    const struct row_set *parents;
    const bool *lacking; /* for each row of the parents, that a child was rejected; NULL: none */
};

/* A record as the dead letters hold it, from a page that is gone. */
struct kept_record {
    struct slice content;
    const char *content_type;
    unsigned page;
};

/* A record that cannot become a row, or a body that cannot be decoded. */
struct dead_letter {
    const struct node *record;      /* NULL: the whole body of the run's response */
    size_t position;                /* of the record, as in struct row */
    const char *table;              /* of a child; NULL: the source's */
    const struct kept_record *kept; /* in place of `record`, when that is no more */
    unsigned line;                  /* in the body, from 1; 0: not known */
    unsigned column;
    const char *reason;
};

/*
 * How the dead letters hold a record that was not read from JSON: as it came (node_source()), with
 * what is needed to read it again before it. content_type NULL: as JSON.
 */
struct record_form {
    const char *content_type;
    struct slice head; /* "date,value\n" of a CSV table */
};

/* One run and what it produced. */
struct result {
    struct run *run;  /* its failure says whether it succeeded */
    const char *body; /* the text that the records were read from, for their line and column */
    struct record_form form;
    struct row_set rows;
    struct row_set *children; /* of all depths, parents before their children */
    size_t child_count;
    const struct dead_letter *dead_letters;
    size_t dead_letter_count;
    size_t records;  /* selected in the response */
    size_t filtered; /* rows that `where` left out, those of children included */
    size_t left_out; /* of them, for what `incremental` knows of them: nothing becomes of these */
    bool more;       /* run->pages says which request follows: the run does not end here */

    /* Filled by store_commit(). */
    size_t inserted;
    size_t updated;
    size_t unchanged;
    size_t deleted;     /* rows that are gone, by `replace` or `on_missing` */
    size_t marked;      /* rows that `on_missing` has newly marked as missing */
    size_t rejected;    /* records in the dead letters, those of dead_letters included; no bodies */
    size_t child_rows;  /* inserted, updated or removed in the tables of children */
    unsigned requests;  /* sent for this response */
    struct tally total; /* of the run so far, this response included */
};

/*
 * Whether the commit of a result that is no failure moves the position: the last page of a run
 * does, and each one of records in ascending order.
 */
static inline bool moves_position(const struct result *result)
{
    const struct incremental *rule = result->run->source->incremental;

    return rule != NULL && (!result->more || rule->row_order == ROW_ORDER_ASC);
}

/* The rows of all its tables. */
static inline size_t result_row_count(const struct result *result)
{
    size_t count = result->rows.row_count;

    for (size_t i = 0; i < result->child_count; i++)
        count += result->children[i].row_count;
    return count;
}

/* What one transaction takes. */
struct batch {
    struct result *results;
    size_t count;
};

/* What became of the transaction. */
enum store_status {
    STORE_OK,
    STORE_RETRY, /* no space, or locked by another: rolled back whole, try the same batch again */
    STORE_FATAL, /* I/O error, corruption, out of memory: stop the process (see the error's code) */
};

#endif
