/*
 * kept.h - answers that the database keeps: bodies (`store_raw`) and dead letters, read in order to
 * be replayed.
 *
 * A reader has a read-only connection of its own and holds no commit up. It reads what was there
 * when it was opened; what is gone meanwhile is passed over. One thread.
 */
#ifndef GATHERD_KEPT_H
#define GATHERD_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/error.h"
#include "gatherd/items.h"
#include "gatherd/position.h"
#include "gatherd/run.h"
#include "gatherd/store.h"

struct kept {
    char *source;              /* owned: its name */
    struct replayed facts;     /* run, time, page and which letter; `aside` is the caller's */
    int64_t scheduled_ms;      /* slot of the run; 0: not known */
    struct items *items;       /* for_each: the item alone; owned reference, NULL: none */
    struct position *position; /* owned: what `incremental` knew before; NULL: nothing is kept */
    struct response response;  /* owned; of a record its JSON text is the body */
    bool is_child;             /* the dead letter is a record in a list of another */
    bool is_zip;               /* the dead letter is no record yet, but the arrays of many */
    char failure[16];          /* of a dead letter that is a body: why its run failed */
    char problem[560];         /* it cannot be read, and why; "": it can */
};

void kept_clear(struct kept *kept);

struct kept_reader; /* opaque */

/*
 * The bodies of a source, run by run: of runs whose first was there from `since_ms` on and before
 * `until_ms`.
 */
struct kept_reader *kept_open_bodies(struct store *store, const char *source, int64_t since_ms,
                                     int64_t until_ms, struct error *err);

/* Which dead letters: those named, or those of which all that is said is true. */
struct letter_choice {
    const int64_t *ids;
    size_t id_count;    /* 0: none is named */
    const char *source; /* NULL: of any */
    int64_t before_ms;  /* Unix time that the last one of its kind came before; 0: at any */
};

struct kept_reader *kept_open_letters(struct store *store, const struct letter_choice *choice,
                                      struct error *err);

void kept_close(struct kept_reader *reader); /* NULL is allowed */

/* Whether there is a table of that name. */
int kept_has_table(struct kept_reader *reader, const char *table, bool *exists, struct error *err);

/* How many there were when it was opened. */
size_t kept_count(const struct kept_reader *reader);

/*
 * Reads the next one: 1, 0 after the last, or -1. One that cannot be read, because it is damaged,
 * is a `problem` of its own and no error.
 */
int kept_next(struct kept_reader *reader, struct kept *kept, struct error *err);

/* Goes back to where kept_mark() was called last, or to the beginning. */
void kept_mark(struct kept_reader *reader);
void kept_go_back(struct kept_reader *reader);

/*
 * Removes dead letters, a few in each transaction, so that commits go on between them. `*count` is
 * how many. 0, or -1: some may be gone.
 */
int store_drop_letters(struct store *store, const struct letter_choice *choice, size_t *count,
                       struct error *err);

#endif
