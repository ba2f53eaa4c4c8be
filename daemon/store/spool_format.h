/*
 * spool_format.h - what a piece of the spool is made of: its head and the type of its content, then
 * set by set a head, the columns, what the parents lack, and the rows with their values behind
 * them.
 *
 * It is written and read by one process, so it is in the machine's own order.
 */
#ifndef GATHERD_STORE_SPOOL_FORMAT_H
#define GATHERD_STORE_SPOOL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPOOL_CREATE                                                                       \
    "CREATE TABLE IF NOT EXISTS temp._gatherd_spool (id INTEGER PRIMARY KEY, run, piece);" \
    "CREATE INDEX IF NOT EXISTS temp._gatherd_spool_run ON _gatherd_spool (run)"

struct spool_head {
    int64_t fetched_ms;
    size_t set_count;
    size_t type_length; /* of the content type, with its NUL */
    unsigned page;
};

struct spool_set_head {
    size_t column_count;
    size_t row_count;
    size_t value_count;   /* of all rows */
    size_t lacking_count; /* rows of the parents, or 0: nothing is lacking */
};

struct spool_row_head {
    size_t count;
    size_t position;
    size_t parent;
    size_t record_length; /* SIZE_MAX: no record */
    unsigned line;
    unsigned column;
};

#endif
