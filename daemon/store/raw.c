#include "store/raw.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/clock.h"
#include "gatherd/items.h"
#include "gatherd/log.h"
#include "store/positions.h"

/* A row of SQLite has a limit, 10^9 bytes; the other columns need little of it. */
#define MOST_FRAME_BYTES 999000000u

int raw_open(struct raw_table *raw, const char *path, sqlite3 *db, struct error *err)
{
    static const char insert[] =
        "INSERT INTO _gatherd_raw (run_id, source_id, item, item_values, page, scheduled_at,"
        " fetched_at, http_status, content_type, cursor, ties, keep_until, head_bytes, bytes,"
        " dictionary, content, url) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

    raw->path = path;
    pthread_mutex_init(&raw->mutex, NULL);
    return sqlite_prepare(db, insert, &raw->insert, err);
}

void raw_close(struct raw_table *raw)
{
    if (raw->path == NULL)
        return; /* never opened */
    sqlite3_finalize(raw->insert);
    text_free(&raw->scratch);
    for (size_t i = 0; i < raw->dictionary_count; i++)
        dictionary_unref(raw->dictionaries[i]);
    sqlite3_close(raw->reader);
    free(raw->sources);
    pthread_mutex_destroy(&raw->mutex);
}

static int no_memory(struct error *err)
{
    error_set(err, ERROR_NOMEM, "_gatherd_raw: out of memory");
    return -1;
}

/* --- Sources. --- */

static int compare_sources(const void *a, const void *b)
{
    const struct raw_source *first = a;
    const struct raw_source *second = b;

    return (first->source_id > second->source_id) - (first->source_id < second->source_id);
}

static struct raw_source *find_source(struct raw_table *raw, int64_t source_id)
{
    const struct raw_source key = {.source_id = source_id};

    if (raw->source_count == 0)
        return NULL;
    return bsearch(&key, raw->sources, raw->source_count, sizeof(key), compare_sources);
}

static int read_number(sqlite3 *db, const char *sql, int64_t source_id, int64_t *number,
                       struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc;

    *number = 0;
    if (sqlite_prepare(db, sql, &stmt, err) == -1)
        return -1;
    sqlite3_bind_int64(stmt, 1, source_id);
    sqlite3_bind_int64(stmt, 2, RAW_SMALL_BYTES);
    sqlite3_bind_int64(stmt, 3, RAW_SAMPLES);
    rc = sqlite_step(stmt, "_gatherd_raw", err);
    if (rc == 1)
        *number = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return rc == -1 ? -1 : 0;
}

/* What the database knows of the bodies of a source. */
static int read_source(sqlite3 *db, struct raw_source *source, struct error *err)
{
    static const char dictionary[] = "SELECT max(id) FROM _gatherd_dictionaries WHERE source_id ="
                                     " ?1 AND ?2 IS NOT NULL AND ?3 IS NOT NULL";
    static const char without[] =
        "SELECT count(*) FROM (SELECT 1 FROM _gatherd_raw WHERE source_id = ?1"
        " AND head_bytes + bytes <= ?2 LIMIT ?3)";
    int64_t count;

    source->wanted = RAW_SAMPLES;
    if (read_number(db, dictionary, source->source_id, &source->dictionary_id, err) == -1)
        return -1;
    if (source->dictionary_id != 0)
        return 0;
    if (read_number(db, without, source->source_id, &count, err) == -1)
        return -1;
    source->without = (size_t)count;
    return 0;
}

static int configure(struct raw_table *raw, sqlite3 *db, struct raw_source *sources,
                     const struct config *config, const struct source_state *states, size_t *count,
                     struct error *err)
{
    for (size_t i = 0; i < config->source_count; i++) {
        const struct raw_source *known = find_source(raw, states[i].id);
        struct raw_source *source = &sources[*count];

        if (config->sources[i].store_raw_ms == 0)
            continue;
        *source = (struct raw_source){.source_id = states[i].id};
        if (known != NULL)
            *source = *known;
        else if (read_source(db, source, err) == -1)
            return -1;
        source->keep_ms = config->sources[i].store_raw_ms;
        ++*count;
    }
    return 0;
}

int raw_configure(struct raw_table *raw, sqlite3 *db, const struct config *config,
                  const struct source_state *states, struct error *err)
{
    struct raw_source *sources = calloc(config->source_count + 1, sizeof(*sources));
    size_t count = 0;
    int rc;

    if (sources == NULL)
        return no_memory(err);
    pthread_mutex_lock(&raw->mutex);
    rc = configure(raw, db, sources, config, states, &count, err);
    if (rc == 0) {
        struct raw_source *old = raw->sources;

        qsort(sources, count, sizeof(*sources), compare_sources);
        raw->sources = sources;
        raw->source_count = count;
        sources = old;
    }
    pthread_mutex_unlock(&raw->mutex);
    free(sources);
    return rc;
}

int64_t raw_keep_ms(struct raw_table *raw, int64_t source_id)
{
    const struct raw_source *source;
    int64_t keep_ms;

    pthread_mutex_lock(&raw->mutex);
    source = find_source(raw, source_id);
    keep_ms = source == NULL ? 0 : source->keep_ms;
    pthread_mutex_unlock(&raw->mutex);
    return keep_ms;
}

/* --- Dictionaries. --- */

/* Caller holds raw->mutex. */
static struct dictionary *read_dictionary(struct raw_table *raw, int64_t id, struct error *err)
{
    struct dictionary *dictionary = NULL;
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (raw->reader == NULL && sqlite_open_reader(raw->path, &raw->reader, err) == -1)
        return NULL;
    if (sqlite_prepare(raw->reader, "SELECT content FROM _gatherd_dictionaries WHERE id = ?", &stmt,
                       err) == -1)
        return NULL;
    sqlite3_bind_int64(stmt, 1, id);
    rc = sqlite_step(stmt, "_gatherd_dictionaries", err);
    if (rc == 1)
        dictionary = dictionary_create(id, sqlite3_column_blob(stmt, 0),
                                       (size_t)sqlite3_column_bytes(stmt, 0), err);
    else if (rc == 0)
        error_set(err, ERROR_FAILED, "it is not there");
    sqlite3_finalize(stmt);
    if (dictionary == NULL)
        error_wrap(err, "dictionary %lld", (long long)id);
    return dictionary;
}

/* The last one used goes first; the one that was not used for longest has to go. */
static void put_first(struct raw_table *raw, struct dictionary *dictionary, size_t from)
{
    if (from == RAW_DICTIONARIES)
        dictionary_unref(raw->dictionaries[--from]);
    memmove(&raw->dictionaries[1], &raw->dictionaries[0], from * sizeof(raw->dictionaries[0]));
    raw->dictionaries[0] = dictionary;
}

static struct dictionary *find_dictionary(struct raw_table *raw, int64_t id, struct error *err)
{
    struct dictionary *dictionary;

    for (size_t i = 0; i < raw->dictionary_count; i++) {
        dictionary = raw->dictionaries[i];
        if (dictionary_id(dictionary) == id) {
            put_first(raw, dictionary, i);
            return dictionary;
        }
    }
    dictionary = read_dictionary(raw, id, err);
    if (dictionary == NULL)
        return NULL;
    put_first(raw, dictionary, raw->dictionary_count);
    if (raw->dictionary_count < RAW_DICTIONARIES)
        raw->dictionary_count++;
    return dictionary;
}

struct dictionary *raw_dictionary(struct raw_table *raw, int64_t id, struct error *err)
{
    struct dictionary *dictionary;

    pthread_mutex_lock(&raw->mutex);
    dictionary = find_dictionary(raw, id, err);
    if (dictionary != NULL)
        dictionary_ref(dictionary);
    pthread_mutex_unlock(&raw->mutex);
    return dictionary;
}

/* --- Packing. --- */

static bool is_to_keep(const struct result *result)
{
    const struct run *run = result->run;

    return run->source->store_raw_ms > 0 && run->replayed == NULL && run->failure == RUN_OK &&
           !run->not_modified && !run->ignored && run->response.body_bytes > 0;
}

/* Without it the body takes more room, and that is all. */
static struct dictionary *choose_dictionary(struct raw_table *raw, int64_t source_id)
{
    struct dictionary *dictionary = NULL;
    const struct raw_source *source;
    struct error err = {0};

    pthread_mutex_lock(&raw->mutex);
    source = find_source(raw, source_id);
    if (source != NULL && source->dictionary_id != 0)
        dictionary = find_dictionary(raw, source->dictionary_id, &err);
    if (dictionary != NULL)
        dictionary_ref(dictionary);
    pthread_mutex_unlock(&raw->mutex);
    if (err.code != ERROR_NONE)
        log_debug("a body is compressed without its dictionary", LOG_STR("error", err.text));
    return dictionary;
}

static int pack_one(struct raw_table *raw, const struct run *run, struct raw_body *body,
                    struct error *err)
{
    const struct slice content = {run->response.body, run->response.body_bytes};
    struct dictionary *dictionary = NULL;
    struct text head = {0};
    int rc = -1;

    raw_write_head(&run->response.head, &run->source->mapping, &head);
    if (text_failed(&head)) {
        no_memory(err);
    } else {
        const struct slice first = {text_string(&head), head.length};

        if (head.length + content.length <= RAW_SMALL_BYTES)
            dictionary = choose_dictionary(raw, run->source_id);
        rc = compress_pieces(dictionary, first, content, &body->frame, &body->length, err);
        body->head_bytes = head.length;
        body->dictionary_id = dictionary == NULL ? 0 : dictionary_id(dictionary);
    }
    dictionary_unref(dictionary);
    text_free(&head);
    if (rc == -1 || body->length <= MOST_FRAME_BYTES)
        return rc;
    error_set(err, ERROR_FAILED, "it is too large for a row of SQLite, compressed as well");
    return -1;
}

/* Rows go before copies: they are stored all the same. */
static void say_not_kept(const struct run *run, const char *why)
{
    log_error("a body is not kept", LOG_STR("source", run->source->name),
              LOG_INT("bytes", run->response.body_bytes), LOG_STR("error", why));
}

struct raw_body *raw_pack(struct raw_table *raw, const struct batch *batch)
{
    struct raw_body *bodies = NULL;

    for (size_t i = 0; i < batch->count; i++) {
        const struct run *run = batch->results[i].run;
        struct error err = {0};

        if (!is_to_keep(&batch->results[i]))
            continue;
        if (bodies == NULL)
            bodies = calloc(batch->count, sizeof(*bodies));
        if (bodies == NULL)
            say_not_kept(run, "out of memory");
        else if (pack_one(raw, run, &bodies[i], &err) == -1) {
            say_not_kept(run, err.text);
            bodies[i].length = 0;
        }
    }
    return bodies;
}

void raw_bodies_free(struct raw_body *bodies, size_t count)
{
    for (size_t i = 0; bodies != NULL && i < count; i++)
        free(bodies[i].frame);
    free(bodies);
}

/* --- Writing. --- */

/* What `incremental` knows of the records before, where only that keeps a row from coming twice. */
static int bind_position(struct raw_table *raw, const struct run *run, struct error *err)
{
    const struct position *position = run->state.position;

    if (run->source->incremental == NULL || run->source->mapping.primary_key_count > 0 ||
        position == NULL || position->saved.cursor == NULL)
        return 0;
    if (positions_write_ties(&position->saved.ties, &raw->scratch, err) == -1)
        return -1;
    sqlite_bind_string(raw->insert, 10, position->saved.cursor);
    if (raw->scratch.length > 0)
        sqlite3_bind_blob64(raw->insert, 11, raw->scratch.data, raw->scratch.length,
                            SQLITE_TRANSIENT);
    return 0;
}

static int bind_item(struct raw_table *raw, const struct run *run, struct error *err)
{
    if (run->item == NULL)
        return 0;
    text_clear(&raw->scratch);
    items_write_values(run->items, run->item, &raw->scratch);
    if (text_failed(&raw->scratch))
        return no_memory(err);
    sqlite_bind_string(raw->insert, 3, run->item->key);
    sqlite3_bind_text64(raw->insert, 4, text_string(&raw->scratch), raw->scratch.length,
                        SQLITE_TRANSIENT, SQLITE_UTF8);
    return 0;
}

static void note_kept(struct raw_table *raw, int64_t source_id, const struct raw_body *body,
                      size_t bytes)
{
    struct raw_source *source;

    if (body->dictionary_id != 0 || body->head_bytes + bytes > RAW_SMALL_BYTES)
        return;
    pthread_mutex_lock(&raw->mutex);
    source = find_source(raw, source_id);
    if (source != NULL)
        source->without++;
    pthread_mutex_unlock(&raw->mutex);
}

int raw_add(struct raw_table *raw, const struct result *result, const struct raw_body *body,
            const struct outcome *outcome, int64_t fetched_ms, struct error *err)
{
    const struct run *run = result->run;
    sqlite3_stmt *stmt = raw->insert;
    char scheduled[CLOCK_TEXT_SIZE];
    char fetched[CLOCK_TEXT_SIZE];
    char until[CLOCK_TEXT_SIZE];

    if (bind_position(raw, run, err) == -1 || bind_item(raw, run, err) == -1)
        return -1;
    sqlite3_bind_int64(stmt, 1, outcome->run_id);
    sqlite3_bind_int64(stmt, 2, run->source_id);
    if (run_page(run) > 0)
        sqlite3_bind_int64(stmt, 5, run_page(run));
    sqlite_bind_string(stmt, 6, clock_format(run->scheduled_at_ms, scheduled));
    sqlite_bind_string(stmt, 7, clock_format(fetched_ms, fetched));
    sqlite3_bind_int(stmt, 8, run->response.status);
    sqlite_bind_string(stmt, 9, run->response.content_type);
    sqlite_bind_string(stmt, 12, clock_format(fetched_ms + run->source->store_raw_ms, until));
    sqlite3_bind_int64(stmt, 13, (sqlite3_int64)body->head_bytes);
    sqlite3_bind_int64(stmt, 14, (sqlite3_int64)run->response.body_bytes);
    if (body->dictionary_id != 0)
        sqlite3_bind_int64(stmt, 15, body->dictionary_id);
    sqlite3_bind_blob64(stmt, 16, body->frame, body->length, SQLITE_STATIC);
    sqlite_bind_string(stmt, 17, run->response.url);
    if (sqlite_run(stmt, "_gatherd_raw", err) == -1)
        return -1;
    note_kept(raw, run->source_id, body, run->response.body_bytes);
    return 0;
}

int raw_forget_run(sqlite3 *db, int64_t run_id, struct error *err)
{
    static const char sql[] = "DELETE FROM _gatherd_raw WHERE source_id ="
                              " (SELECT source_id FROM _gatherd_runs WHERE id = ?1)"
                              " AND run_id = ?1";
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (sqlite_prepare(db, sql, &stmt, err) == -1)
        return -1;
    sqlite3_bind_int64(stmt, 1, run_id);
    rc = sqlite_run(stmt, "_gatherd_raw", err);
    sqlite3_finalize(stmt);
    return rc;
}
