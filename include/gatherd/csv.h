/*
 * csv.h - separated values (RFC 4180) to nodes: each row an object of header name to string.
 *
 * A cell may stand in quotes, and holds the delimiter, line breaks and doubled quotes then; a quote
 * that does not begin its cell is a character like any other. A line feed, a carriage return or
 * both end a row. Rows without anything are passed over. Nothing is guessed: every value is the
 * string that came.
 *
 * A name of the header that stands there twice gets _2 behind it, the next one _3; one that is
 * empty is column_N, N being its place; blanks around a name do not belong to it. A row that does
 * not have as many cells as the header is none of the records, but comes in a list of its own.
 */
#ifndef GATHERD_CSV_H
#define GATHERD_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/arena.h"
#include "gatherd/node.h"

/* Wider tables are refused, and so is a text of which more rows are rejected. */
#define CSV_MAX_COLUMNS 65536u
#define CSV_MAX_MISFITS 100000u

/* The key `csv` of a source. */
struct csv_options {
    const char *delimiter;    /* one character; NULL: csv_read() is told */
    const char *quote;        /* one character; "": cells are never quoted */
    const char *comment;      /* what lines begin with that are passed over; NULL: nothing */
    unsigned header_row;      /* of the rows behind skip_rows, from 1; 0: there is none */
    unsigned skip_rows;       /* lines before all others, whatever they hold */
    const char *const *names; /* instead of the header's */
    size_t name_count;
    bool trim; /* blanks around a cell do not belong to it */
};

extern const struct csv_options csv_defaults;

enum csv_status {
    CSV_OK,
    CSV_INVALID, /* see the error */
    CSV_NOMEM,
};

struct csv_error {
    char message[200]; /* what is wrong, in words for people */
    size_t offset;     /* of the byte it is about, from 0 */
};

/* A row that is not as the others are. */
struct csv_misfit {
    struct node row; /* NODE_STRING: its text, without the line break */
    uint32_t cells;  /* it has so many ... */
    uint32_t odd;    /* ... of which this one, from 1, has text behind its closing quote; 0: none */
};

struct csv_table {
    const struct node *root; /* the array of the objects */
    uint32_t columns;
    struct slice header;              /* the row with the names, as it came; empty: there is none */
    const struct csv_misfit *misfits; /* in the order of the text */
    size_t misfit_count;
};

/*
 * Reads all of `text`, which is UTF-8 with a NUL behind it and may begin with a byte order mark; it
 * outlives the table, which is in `arena`. `delimiter` is what separates cells where the options do
 * not say it. A quote that is not closed is an error, and so is a header that cannot be one.
 */
enum csv_status csv_read(const char *text, size_t length, const struct csv_options *options,
                         char delimiter, struct arena *arena, struct csv_table *table,
                         struct csv_error *error);

#endif
