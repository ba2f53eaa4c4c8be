/*
 * A dictionary from bodies that were kept: what small ones of a source have in common, so that each
 * need not say it again. Reading, making and trying it takes no mutex but for moments.
 */
#include <stdlib.h>

#include "gatherd/clock.h"
#include "gatherd/log.h"
#include "store/parts.h"

#define MOST_SAMPLES     200
#define MOST_BYTES       (1024u * 1024) /* of all samples */
#define DICTIONARY_BYTES (16u * 1024)   /* twice as much saved no more */
#define TRIAL_EACH       4              /* every fourth body is no sample: on them it is tried */
#define LEAST_GAIN       10             /* percent; with less it is not worth its place */

struct trial {
    int64_t source_id;
    struct text samples;
    struct text others;
    size_t sample_sizes[MOST_SAMPLES];
    size_t other_sizes[MOST_SAMPLES];
    unsigned sample_count;
    unsigned other_count;
    char bytes[DICTIONARY_BYTES]; /* the dictionary */
    size_t length;
};

/* A source that has kept enough since it was tried last. */
static int64_t choose_source(struct raw_table *raw)
{
    int64_t source_id = 0;

    pthread_mutex_lock(&raw->mutex);
    for (size_t i = 0; i < raw->source_count && source_id == 0; i++) {
        struct raw_source *source = &raw->sources[i];

        if (source->dictionary_id != 0 || source->without < source->wanted)
            continue;
        source_id = source->source_id;
        source->wanted *= 2; /* should it be of no use */
    }
    pthread_mutex_unlock(&raw->mutex);
    return source_id;
}

/* --- Samples. --- */

/* One that is damaged is no sample. */
static int add_body(struct trial *trial, sqlite3_stmt *stmt, unsigned number, struct error *err)
{
    const struct slice frame = {sqlite3_column_blob(stmt, 0),
                                (size_t)sqlite3_column_bytes(stmt, 0)};
    size_t size = (size_t)sqlite3_column_int64(stmt, 1);
    bool is_other = number % TRIAL_EACH == 0;
    struct text *to = is_other ? &trial->others : &trial->samples;
    struct error cause = {0};
    char *body;

    if (decompress(NULL, frame, size, &body, &cause) == -1) {
        if (cause.code != ERROR_NOMEM)
            return 0;
        *err = cause;
        return -1;
    }
    text_append(to, body, size);
    free(body);
    if (is_other)
        trial->other_sizes[trial->other_count++] = size;
    else
        trial->sample_sizes[trial->sample_count++] = size;
    return 0;
}

static int add_bodies(struct trial *trial, sqlite3_stmt *stmt, struct error *err)
{
    unsigned number = 0;
    int rc;

    while ((rc = sqlite_step(stmt, "_gatherd_raw", err)) == 1 &&
           trial->samples.length + trial->others.length < MOST_BYTES) {
        if (add_body(trial, stmt, number++, err) == -1)
            return -1;
    }
    if (rc == -1)
        return -1;
    if (!text_failed(&trial->samples) && !text_failed(&trial->others))
        return 0;
    error_set(err, ERROR_NOMEM, "out of memory for samples");
    return -1;
}

static int read_bodies(const char *path, struct trial *trial, struct error *err)
{
    static const char sql[] = "SELECT content, head_bytes + bytes FROM _gatherd_raw"
                              " WHERE source_id = ?1 AND dictionary IS NULL"
                              " AND head_bytes + bytes <= ?2 ORDER BY fetched_at DESC LIMIT ?3";
    sqlite3_stmt *stmt = NULL;
    sqlite3 *db;
    int rc = -1;

    if (sqlite_open_reader(path, &db, err) == -1)
        return -1;
    if (sqlite_prepare(db, sql, &stmt, err) == 0) {
        sqlite3_bind_int64(stmt, 1, trial->source_id);
        sqlite3_bind_int64(stmt, 2, RAW_SMALL_BYTES);
        sqlite3_bind_int64(stmt, 3, MOST_SAMPLES);
        rc = add_bodies(trial, stmt, err);
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return rc;
}

/* --- Its use. --- */

static int measure(const struct trial *trial, const struct dictionary *dictionary, size_t *total,
                   struct error *err)
{
    const char *at = text_string(&trial->others);

    *total = 0;
    for (unsigned i = 0; i < trial->other_count; i++) {
        const struct slice body = {at, trial->other_sizes[i]};
        size_t length;
        char *frame;

        if (compress_pieces(dictionary, body, (struct slice){"", 0}, &frame, &length, err) == -1)
            return -1;
        free(frame);
        *total += length;
        at += body.length;
    }
    return 0;
}

/* 1: it saves enough; 0: it does not. */
static int try_dictionary(const struct trial *trial, size_t *without, size_t *with,
                          struct error *err)
{
    struct dictionary *dictionary = dictionary_create(1, trial->bytes, trial->length, err);
    int rc = -1;

    if (dictionary != NULL && measure(trial, NULL, without, err) == 0)
        rc = measure(trial, dictionary, with, err);
    dictionary_unref(dictionary);
    if (rc == -1)
        return -1;
    return *with * 100 <= *without * (100 - LEAST_GAIN);
}

/* --- Keeping it. --- */

static int insert(struct store *store, const struct trial *trial, int64_t *id, struct error *err)
{
    static const char sql[] = "INSERT INTO _gatherd_dictionaries"
                              " (source_id, made_at, samples, content) VALUES (?, ?, ?, ?)";
    sqlite3_stmt *stmt = NULL;
    char now[CLOCK_TEXT_SIZE];
    int rc = -1;

    if (sqlite_prepare(store->db, sql, &stmt, err) == -1)
        return -1;
    sqlite3_bind_int64(stmt, 1, trial->source_id);
    sqlite_bind_string(stmt, 2, clock_format(clock_wall_ms(), now));
    sqlite3_bind_int64(stmt, 3, trial->sample_count);
    sqlite3_bind_blob64(stmt, 4, trial->bytes, trial->length, SQLITE_STATIC);
    if (store_begin(store, err) == 0 && sqlite_run(stmt, "_gatherd_dictionaries", err) == 0) {
        *id = sqlite3_last_insert_rowid(store->db);
        rc = store_end(store, err);
    }
    sqlite3_finalize(stmt);
    if (rc == -1)
        store_roll_back(store);
    return rc;
}

static void use(struct raw_table *raw, int64_t source_id, int64_t dictionary_id)
{
    pthread_mutex_lock(&raw->mutex);
    for (size_t i = 0; i < raw->source_count; i++) {
        if (raw->sources[i].source_id == source_id)
            raw->sources[i].dictionary_id = dictionary_id;
    }
    pthread_mutex_unlock(&raw->mutex);
}

static int keep(struct store *store, const struct trial *trial, struct error *err)
{
    int64_t id = 0;
    int rc;

    pthread_mutex_lock(&store->mutex);
    rc = insert(store, trial, &id, err);
    pthread_mutex_unlock(&store->mutex);
    if (rc == 0)
        use(&store->raw, trial->source_id, id);
    return rc;
}

static int make(struct store *store, struct trial *trial, struct error *err)
{
    size_t without = 0;
    size_t with = 0;
    int rc;

    if (read_bodies(store->path, trial, err) == -1 ||
        dictionary_train(text_string(&trial->samples), trial->sample_sizes, trial->sample_count,
                         trial->bytes, sizeof(trial->bytes), &trial->length, err) == -1)
        return -1;
    rc = trial->length == 0 ? 0 : try_dictionary(trial, &without, &with, err);
    if (rc == 1)
        rc = keep(store, trial, err) == -1 ? -1 : 1;
    if (rc != -1)
        log_debug(rc == 1 ? "dictionary made for kept bodies"
                          : "kept bodies have too little in common for a dictionary",
                  LOG_INT("source_id", trial->source_id), LOG_INT("samples", trial->sample_count),
                  LOG_INT("bytes_without", without), LOG_INT("bytes_with", with));
    return rc == -1 ? -1 : 0;
}

int store_make_dictionary(struct store *store, struct error *err)
{
    int64_t source_id = choose_source(&store->raw);
    struct trial *trial;
    int rc;

    if (source_id == 0)
        return 0;
    trial = calloc(1, sizeof(*trial));
    if (trial == NULL) {
        error_set(err, ERROR_NOMEM, "out of memory for a dictionary");
        return -1;
    }
    trial->source_id = source_id;
    rc = make(store, trial, err);
    text_free(&trial->samples);
    text_free(&trial->others);
    free(trial);
    return rc;
}
