/*
 * extractor.h - what the parts of the extractor share: one for each response.
 *
 * extract.c goes from set to set, extract_row.c from record to row, and the columns of a row are
 * made by extract_leading.c (what comes first), extract_members.c and extract_fields.c;
 * extract_computed.c calculates the rest.
 */
#ifndef PROCESS_EXTRACTOR_H
#define PROCESS_EXTRACTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/arena.h"
#include "gatherd/config.h"
#include "gatherd/json.h"
#include "gatherd/row.h"
#include "process/extract.h"
#include "process/members.h"
#include "process/records.h"

#define MOST_VALUE_BYTES 1000000000u /* SQLite's own limit of a value */

enum extracted {
    EXTRACTED_ROW,
    EXTRACTED_REJECTED, /* e->reason says why */
    EXTRACTED_FILTERED, /* `where` leaves it out */
    EXTRACTED_STOPPED,  /* e->stopped says why nothing can be made of the response */
    EXTRACTED_NOMEM,
};

/* How a field of the configuration is found in a record. */
struct finder {
    const struct field *field;
    uint32_t same;            /* the next field with the same single name, or none */
    bool by_name;             /* $.name: the walk over the members finds it */
    bool singular;            /* jsonpath_first() finds it */
    const struct node *found; /* of the present record, or outside of all */
    bool is_outside;
    const struct null_value *nulls; /* what stands for no value */
    size_t null_count;
};

struct extractor {
    /* Of the response. */
    struct arena *arena;
    struct result *result;
    const struct node *document; /* the root; of lines, that of the present record */
    const struct node *lines;    /* their array; NULL: the document is the only one */
    struct computer *computer;   /* NULL: nothing is calculated */
    const char *stopped;         /* why the response is of no use; NULL: it is */
    struct jsonpath_session paths;
    size_t cells_left;
    struct text scratch;
    const char *reason;
    const char *frozen; /* why schema_contract takes nothing of this response; NULL: it does */
    struct dead_letter *letters;
    size_t letter_count;
    size_t letter_capacity;
    struct json_locator locator; /* of the last dead letter, in the body */

    /* Of the rows of one table: begun anew for each. */
    const struct mapping *mapping;
    struct row_set *set;
    struct members members;
    struct calculator *calculator; /* NULL: nothing is calculated */
    struct finder *finders;        /* one a field; NULL without fields */
    struct value *cells;           /* of the present record; one a column */
    struct column *columns;
    size_t column_count;
    size_t column_capacity;
    const struct column *leading; /* the first columns of each row ... */
    struct value *leading_values; /* ... and what they hold in the present one */
    size_t leading_count;
    size_t item_count;      /* of them, those that an item of the source has values for */
    size_t *parent_columns; /* of the parents, for each leading column but the last */
    struct value *index;    /* of them, that of LINK_INDEX; NULL: none */
    size_t first_index;     /* what it is for the first record */
    size_t parent;          /* of the present record, among the rows of set->parents */
    bool *lacking;          /* as in struct row_set; NULL as long as none was rejected */
};

/* --- extract_row.c --- */

/* The record cannot become a row; a reason of NULL says that memory is out. */
enum extracted extract_reject(struct extractor *e, const char *reason);

/* What stands in the scratch text, in the arena. NULL: out of memory. */
const char *extract_keep_scratch(struct extractor *e);

/* A column of that name; `name` is borrowed. */
struct column extract_column(const struct extractor *e, struct slice name, enum field_type type);

/* One record to a row of e->set, which has room for it, or to a dead letter. -1: out of memory. */
int extract_record(struct extractor *e, const struct record *record, size_t position);

/* --- extract_leading.c --- */

/* Names the first columns and gives the item's their values. -1: out of memory. */
int extract_prepare_leading(struct extractor *e);

/* Gives those that lead to the parent their values, for the parent's row of that place. */
void extract_set_parent(struct extractor *e, size_t parent);

/* A member of a record has the name of the leading column `i`. */
enum extracted extract_reject_leading(struct extractor *e, struct slice name, size_t i);

/* --- extract_members.c --- */

int extract_prepare_members(struct extractor *e); /* -1: out of memory */
enum extracted extract_members(struct extractor *e, const struct node *record);

/* --- extract_outside.c --- */

/* What a field has that is not in the record, for all of a response but what is in its document;
 * NULL: nothing. -1: out of memory. */
int extract_find_outside(struct extractor *e, const struct field *field, const struct node **node);

/* Of a body of lines, makes that of the record the document. Whether it is another one. */
bool extract_follow_line(struct extractor *e, const struct node *record);

/* --- extract_fields.c --- */

int extract_prepare_fields(struct extractor *e); /* -1: out of memory */
enum extracted extract_fields(struct extractor *e, const struct node *record);

/*
 * A value is not of the declared type, for a reason that NULL stands for when memory is out: its
 * cell is NULL, and the contract says what follows.
 */
enum extracted extract_misfit(struct extractor *e, const char *reason);

/* A value for field `i`, which it may fit or not. */
enum extracted extract_set_field(struct extractor *e, size_t i, const struct node *found,
                                 struct value *cell);

/* --- extract_computed.c --- */

int extract_prepare_computed(struct extractor *e); /* -1: out of memory */

/* Calculates what the mapping has, of the cells there are. */
enum extracted extract_computed(struct extractor *e);

/* Columns that came with the last record have gone. */
void extract_forget_columns(struct extractor *e);

#endif
