/*
 * csv_reader.h - what the parts of the CSV reader share: csv.c walks the rows, csv_header.c makes
 * the names of the columns.
 *
 * A function that reads returns where it stopped, or NULL after an error was noted.
 */
#ifndef GATHERD_DOCUMENT_CSV_READER_H
#define GATHERD_DOCUMENT_CSV_READER_H

#include "gatherd/csv.h"

struct csv_reader {
    const char *text;
    const char *end; /* a NUL stands there */
    const struct csv_options *options;
    struct arena *arena;
    size_t comment_length;
    char delimiter;
    char quote; /* counts where `quoted` */
    bool quoted;
    bool sure; /* the operator said what the delimiter is */

    struct node *nodes; /* in the arena */
    size_t used;
    size_t capacity;
    struct node *names; /* one a column */
    uint32_t columns;
    uint32_t rows; /* objects so far */

    struct csv_misfit *misfits;
    size_t misfit_count;
    size_t misfit_capacity;

    enum csv_status status;
    struct csv_error *error;
};

/* The cells of one row, for those that are not objects. */
struct csv_cells {
    struct node *list; /* in the arena */
    uint32_t count;
};

/* Each notes an error at `at` and returns NULL. */
const char *csv_fail(struct csv_reader *r, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));
const char *csv_fail_memory(struct csv_reader *r) __attribute__((cold));

/* Behind the lines from `p` on that are empty or comments. */
const char *csv_skip_lines(const struct csv_reader *r, const char *p);

/* The row at `p`; returns where it ends, at its line break or the end of the text. */
const char *csv_read_cells(struct csv_reader *r, const char *p, struct csv_cells *cells);

/* Behind the line break at `p`, if there is one. */
const char *csv_behind_break(const struct csv_reader *r, const char *p);

/* Finds the header and names the columns; returns where the rows begin. */
const char *csv_read_header(struct csv_reader *r, const char *p, struct slice *header);

#endif
