/*
 * schema.h - the data tables: what is known of each, and how it grows to fit what came.
 *
 * What is known is a copy of the database's own schema and of _gatherd_columns, kept for the tables
 * in use. It is read anew after every change, and forgotten when the change is rolled back or when
 * another program wrote to the database, so it cannot differ from the file.
 *
 * An error of code ERROR_FAILED concerns one run only: its table cannot take it.
 */
#ifndef GATHERD_STORE_SCHEMA_H
#define GATHERD_STORE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/error.h"
#include "gatherd/row.h"
#include "store/outcome.h"
#include "store/sqlite.h"

enum column_kind { COLUMN_INTEGER, COLUMN_REAL, COLUMN_TEXT, COLUMN_BLOB, COLUMN_ANY };

enum column_change {
    CHANGE_NONE,
    CHANGE_ADOPT, /* was there already, in a table that gatherd did not make */
    CHANGE_ADD,
    CHANGE_SETTLE, /* held NULLs only, now takes the type of its first values */
    CHANGE_WIDEN,
};

struct table_column {
    char *name;   /* owned */
    char *member; /* owned: the record's spelling; NULL: gatherd's own, or added by the user */
    size_t member_length;
    enum column_kind kind;
    bool settled;    /* a value other than NULL came, or the type was declared */
    bool generated;  /* by an expression of the user's; cannot be written */
    bool is_rowid;   /* INTEGER PRIMARY KEY: SQLite keeps it outside the row */
    bool is_integer; /* declared INTEGER, not INT */
    unsigned key;    /* its place in the primary key, from 1; 0: not in it */

    /* While the table is being changed. */
    enum column_change change;
    enum column_kind was;
};

struct name_index {
    uint32_t *slots; /* owned; number of the column + 1; 0: empty */
    size_t capacity; /* a power of two, or 0 */
};

struct layout; /* see layout.h */

struct table {
    char *name;  /* owned */
    bool exists; /* in the database */
    bool known;  /* _gatherd_columns speaks of it */
    struct table_column *columns;
    size_t count;
    size_t capacity;
    struct name_index by_name;
    struct name_index by_member;
    struct layout *layouts; /* owned, the last one used first */

    /* A change of its key that was tried and is impossible with the rows there. */
    char *refused_key; /* owned; NULL: none */
    char *refusal;     /* owned */

    struct table *chain; /* in its bucket */
    struct table *newer; /* in the order of use */
    struct table *older;
};

struct schema; /* opaque */

struct schema *schema_create(sqlite3 *db, struct error *err);
void schema_free(struct schema *schema); /* before the connection closes; NULL is allowed */

/*
 * Makes the table of the mapping fit the rows, and returns how they are written. The layout is
 * borrowed until the next call. NULL on error.
 */
struct layout *schema_fit(struct schema *schema, const struct mapping *mapping,
                          const struct row_set *set, const struct outcome *outcome,
                          const struct moment *moment, struct error *err);

/* The connection that the tables are in. */
sqlite3 *schema_connection(const struct schema *schema);

/* What is known of a table, which may not exist; borrowed until two others were asked for. */
const struct table *schema_table(struct schema *schema, const char *name, struct error *err);

/* After a roll-back: what this transaction changed is read anew. */
void schema_rolled_back(struct schema *schema);

/* A part of the transaction was undone. */
void schema_undone(struct schema *schema);

/* After a commit. */
void schema_committed(struct schema *schema);

/* Another program wrote to the database: everything is read anew. */
void schema_forget(struct schema *schema);

/* --- Shared by schema.c, plan.c, evolve.c and the layouts. --- */

/* Reads the columns of a table, of any connection; none: no such table. */
int table_read_columns(sqlite3 *db, struct table *table, struct error *err);

struct table *table_create(const char *name);
void table_free(struct table *table);

/* Appends a column and returns it, NULL: out of memory. `member` of length 0 and NULL: none. */
struct table_column *table_add_column(struct table *table, const char *name,
                                      const struct slice *member);
int table_set_member(struct table *table, struct table_column *column, struct slice member);

struct table_column *table_find_name(const struct table *table, const char *name);
struct table_column *table_find_member(const struct table *table, struct slice member);

/* As configurations name columns: by the record's spelling, else by the column's own. */
struct table_column *table_find_named(const struct table *table, const char *name);

/* What SQLite calls the rowid, which a column may hide; NULL: columns have all three names. */
const char *table_rowid_name(const struct table *table);

/* The same where there must be one: NULL with the error. */
const char *table_need_rowid(const struct table *table, struct error *err);

/* The type as it is written in SQL; INT where INTEGER would make the column a rowid. */
const char *column_type_text(const struct table_column *column);
const char *column_kind_name(enum column_kind kind);

/* Bits (1 << enum value_type) of the values that a column of undeclared type takes as it is. */
uint32_t column_accepts(const struct table_column *column);

/* Sets the error; returns -1. */
int schema_no_memory(struct error *err);

/* Bookkeeping of evolve.c. */
struct schema_log {
    sqlite3_stmt *change; /* into _gatherd_schema_changes */
    sqlite3_stmt *column; /* into _gatherd_columns */
    sqlite3_stmt *forget; /* out of _gatherd_columns */
};

/* Notes a change of what belongs to a table. */
int schema_log_change(const struct schema_log *log, const char *table, const char *change,
                      const char *what, int64_t run_id, const struct moment *moment,
                      struct error *err);

/* What a table lacks to take some rows. */
struct plan {
    bool changes; /* anything at all */
    bool rekey;
    char *old_key; /* owned: "(id)", "none" */
    char *new_key; /* owned */
};

/*
 * Marks in the table's columns what has to change for the rows; nothing is written. With
 * plan->changes the table no longer shows the database and must be dropped after evolve_apply().
 */
int plan_make(sqlite3 *db, struct table *table, const struct mapping *mapping,
              const struct row_set *set, struct plan *plan, struct error *err);
int evolve_apply(sqlite3 *db, const struct schema_log *log, struct table *table,
                 const struct plan *plan, int64_t run_id, const struct moment *moment,
                 struct error *err);
void plan_free(struct plan *plan);

#endif
