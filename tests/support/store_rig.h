/*
 * store_rig.h - a store on a database in a folder of its own, and runs made by hand for it.
 *
 * A feed is one source with its run and the result of its last response. Rows are added value by
 * value; each gets a line {"row":N} of a body as its record, so that positions can be checked.
 */
#ifndef GATHERD_TEST_STORE_RIG_H
#define GATHERD_TEST_STORE_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/row.h"
#include "gatherd/store.h"

struct rig {
    char folder[64];
    char path[96]; /* of the database */
    struct store *store;
};

/* A new folder, and an open store in it (`rig_setup`) or none yet (`rig_make`). */
struct rig *rig_make(void);
void rig_free(struct rig *rig);
int rig_setup(void **state); /* for cmocka: *state is a struct rig */
int rig_teardown(void **state);

void rig_open(struct rig *rig);
void rig_close(struct rig *rig);

/* What a person does with the sqlite3 program; the test fails when SQLite does. */
void rig_exec(const struct rig *rig, const char *sql);

/* Rows as text: values joined by |, rows by newlines, NULL as NULL. Owned by the caller. */
char *rig_query(const struct rig *rig, const char *sql);

/* The test fails unless the query gives exactly `expected`. */
void rig_expect(const struct rig *rig, const char *sql, const char *expected);

/* integrity_check says ok, and every table has the columns _gatherd_columns speaks of. */
void rig_expect_sound(const struct rig *rig);

#define NUL          ((struct value){.type = VALUE_NULL})
#define INT(number)  ((struct value){.type = VALUE_INTEGER, .integer = (number)})
#define REAL(number) ((struct value){.type = VALUE_REAL, .real = (number)})
#define TEXT(string) \
    ((struct value){.type = VALUE_TEXT, .text = (string), .length = sizeof(string) - 1})
#define BLOB(string) \
    ((struct value){.type = VALUE_BLOB, .text = (string), .length = sizeof(string) - 1})

struct feed {
    struct source source;
    struct run run;
    struct result result;
    const char *key[8];
    struct column *columns; /* owned */
    struct row *rows;       /* owned */
    struct value **values;  /* owned: of each row */
    struct node *nodes;     /* owned: record of each row */
    size_t *offsets;        /* owned: of each record in the body */
    size_t capacity;        /* of the arrays of rows */
    struct text body;
};

/* A source of that name and table, registered in the rig's store if that is open. */
struct feed *feed_create(struct rig *rig, const char *name, enum write_mode mode);
void feed_free(struct feed *feed); /* NULL is allowed */

/* Its primary key; "a,b" for two columns. */
void feed_key(struct feed *feed, const char *names); /* "": none */

/* Forgets rows and columns and the last answer. */
void feed_clear(struct feed *feed);

/* Appends a column: `type` FIELD_UNDECLARED or a declared one. */
void feed_column(struct feed *feed, const char *name, enum field_type type);

/* Undeclared columns from a list: "id,name". */
void feed_columns(struct feed *feed, const char *names);

/* Appends a row of `count` values, whose text is borrowed until feed_clear(). */
void feed_row(struct feed *feed, size_t count, const struct value *values);
#define ROW(feed, ...)                                                             \
    feed_row((feed), sizeof((struct value[]){__VA_ARGS__}) / sizeof(struct value), \
             (struct value[]){__VA_ARGS__})

/* The result, its pointers set: once all rows are added. */
struct result feed_result(struct feed *feed);

/* Commits one feed alone; the result is in feed->result. */
enum store_status feed_commit(struct rig *rig, struct feed *feed, struct error *err);

/* The same, and it must succeed. Afterwards the feed is clear for the next rows. */
void feed_save(struct rig *rig, struct feed *feed);

#endif
