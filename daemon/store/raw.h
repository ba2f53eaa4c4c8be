/*
 * raw.h - _gatherd_raw: bodies of answers, kept with `store_raw`, compressed.
 *
 * A body is compressed before its batch takes the store's mutex, and written with its rows. Small
 * ones of a source have much in common: after enough of them a dictionary is made of some
 * (raw_train.c), which later ones are compressed with.
 *
 * Lock order: the store's mutex, then this one's.
 */
#ifndef GATHERD_STORE_RAW_H
#define GATHERD_STORE_RAW_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/compress.h"
#include "gatherd/error.h"
#include "gatherd/row.h"
#include "gatherd/text.h"
#include "store/outcome.h"
#include "store/sqlite.h"

/* Bodies with their head up to this size are compressed with a dictionary. */
#define RAW_SMALL_BYTES (64u * 1024)

/* So many small bodies without one, and it is time to make a dictionary. */
#define RAW_SAMPLES 100u

/* Dictionaries in memory: ready to use each takes some 400 KiB. */
#define RAW_DICTIONARIES 16u

/* What is known of a source whose bodies are or were kept. */
struct raw_source {
    int64_t source_id;
    int64_t keep_ms;       /* store_raw of the configuration; 0: kept no more */
    int64_t dictionary_id; /* 0: none yet */
    size_t without;        /* small bodies that were kept without one */
    size_t wanted;         /* so many of them, and it is time to make one */
};

struct raw_table {
    const char *path; /* of the database; borrowed */
    sqlite3_stmt *insert;
    struct text scratch; /* of the insert */

    pthread_mutex_t mutex;      /* guards everything below */
    struct raw_source *sources; /* owned, in the order of their ids */
    size_t source_count;
    sqlite3 *reader;                                   /* opened when it is needed; NULL before */
    struct dictionary *dictionaries[RAW_DICTIONARIES]; /* owned references, the last used first */
    size_t dictionary_count;
};

int raw_open(struct raw_table *raw, const char *path, sqlite3 *db, struct error *err);
void raw_close(struct raw_table *raw);

/*
 * Takes over what the configuration says of each source, states[i] being that of sources[i], and
 * reads what the database knows of their bodies. The caller holds the store's mutex.
 */
int raw_configure(struct raw_table *raw, sqlite3 *db, const struct config *config,
                  const struct source_state *states, struct error *err);

/* How long the configuration keeps bodies of this source; 0: it does not. */
int64_t raw_keep_ms(struct raw_table *raw, int64_t source_id);

/* The body of one result, ready to be written; length 0: it is not to be kept. */
struct raw_body {
    char *frame; /* owned */
    size_t length;
    size_t head_bytes;
    int64_t dictionary_id; /* 0: none */
};

/*
 * Compresses the bodies that are to be kept, one for each result. NULL: none is, or memory is out,
 * which is logged. Without the store's mutex; raw_bodies_free() afterwards.
 */
struct raw_body *raw_pack(struct raw_table *raw, const struct batch *batch);
void raw_bodies_free(struct raw_body *bodies, size_t count);

/* Writes one in the transaction that is open. */
int raw_add(struct raw_table *raw, const struct result *result, const struct raw_body *body,
            const struct outcome *outcome, int64_t fetched_ms, struct error *err);

/* What a run kept goes with its rows, which were taken back. */
int raw_forget_run(sqlite3 *db, int64_t run_id, struct error *err);

/*
 * The headers that may be kept: those that are fields of the mapping, which are in its tables
 * anyway, and else none that could hold a secret, by its name or because its value is a URL with a
 * query. As text_visible() writes them, as fields of the mapping have them too.
 */
void raw_write_head(const struct text *head, const struct mapping *mapping, struct text *out);

/* Whether a field of the mapping, or of its children, is a header. */
bool raw_needs_head(const struct mapping *mapping);

/* The dictionary of this number, with a reference of the caller's. NULL: there is none, or why not.
 */
struct dictionary *raw_dictionary(struct raw_table *raw, int64_t id, struct error *err);

#endif
