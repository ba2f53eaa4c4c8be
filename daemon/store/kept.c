/* Bodies and dead letters, one after the other. */
#include "gatherd/kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/clock.h"
#include "store/letter_choice.h"
#include "store/parts.h"

/* Where a reader stands: behind this one. */
struct place {
    int64_t run_id; /* of bodies */
    int64_t id;
    size_t number; /* of the ids that are named */
};

struct kept_reader {
    struct store *store; /* borrowed */
    sqlite3 *db;
    sqlite3_stmt *next;
    char *source; /* owned: of the bodies; NULL: they are dead letters */
    struct letter_choice choice;
    int64_t *ids; /* owned: of the choice */
    int64_t source_id;
    int64_t last_id; /* there were none behind it */
    char since[CLOCK_TEXT_SIZE];
    char until[CLOCK_TEXT_SIZE];
    size_t count;
    struct place place;
    struct place mark;
};

void kept_clear(struct kept *kept)
{
    free(kept->source);
    items_unref(kept->items);
    position_free(kept->position);
    free(kept->response.content_type);
    free(kept->response.url);
    free(kept->response.body);
    text_free(&kept->response.head);
    *kept = (struct kept){0};
}

static int no_memory(struct error *err)
{
    error_set(err, ERROR_NOMEM, "out of memory for what was kept");
    return -1;
}

/* --- Opening. --- */

static struct kept_reader *create(struct store *store, struct error *err)
{
    struct kept_reader *reader = calloc(1, sizeof(*reader));

    if (reader == NULL) {
        no_memory(err);
        return NULL;
    }
    reader->store = store;
    if (sqlite_open_reader(store->path, &reader->db, err) == 0)
        return reader;
    free(reader);
    return NULL;
}

void kept_close(struct kept_reader *reader)
{
    if (reader == NULL)
        return;
    sqlite3_finalize(reader->next);
    sqlite3_close(reader->db);
    free(reader->source);
    free((char *)reader->choice.source);
    free(reader->ids);
    free(reader);
}

int kept_has_table(struct kept_reader *reader, const char *table, bool *exists, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (sqlite_prepare(reader->db, "SELECT 1 FROM sqlite_schema WHERE name = ? COLLATE NOCASE",
                       &stmt, err) == -1)
        return -1;
    sqlite_bind_string(stmt, 1, table);
    rc = sqlite_step(stmt, "schema", err);
    sqlite3_finalize(stmt);
    *exists = rc == 1;
    return rc == -1 ? -1 : 0;
}

size_t kept_count(const struct kept_reader *reader)
{
    return reader->count;
}

void kept_mark(struct kept_reader *reader)
{
    reader->mark = reader->place;
}

void kept_go_back(struct kept_reader *reader)
{
    reader->place = reader->mark;
}

/* Steps a statement of count and greatest id, and finalizes it. */
static int read_extent(struct kept_reader *reader, sqlite3_stmt *stmt, struct error *err)
{
    int rc = sqlite_step(stmt, "", err);

    if (rc == 1) {
        reader->count = (size_t)sqlite3_column_int64(stmt, 0);
        reader->last_id = sqlite3_column_int64(stmt, 1);
    }
    sqlite3_finalize(stmt);
    return rc == 1 ? 0 : -1;
}

/* --- Bodies. --- */

/*
 * Whole runs, by when their first response was there, one after the other. Those of a run that is
 * under way, or was cut off, wait for its end: where rows are appended they may yet be taken back.
 */
#define BODIES                                                                \
    " FROM _gatherd_raw AS r WHERE r.source_id = ?1"                          \
    " AND (SELECT f.fetched_at FROM _gatherd_raw AS f WHERE f.source_id = ?1" \
    " AND f.run_id = r.run_id ORDER BY f.id LIMIT 1) BETWEEN ?2 AND ?3"       \
    " AND NOT EXISTS (SELECT 1 FROM _gatherd_runs AS u WHERE u.id = r.run_id" \
    " AND u.outcome = 'unfinished')"

static const char count_bodies[] = "SELECT count(*), max(r.id)" BODIES;

static const char next_body[] =
    "SELECT r.id, r.run_id, r.fetched_at, r.page, r.scheduled_at, r.item_values, r.http_status,"
    " r.content_type, r.cursor, r.ties, r.head_bytes, r.bytes, r.dictionary, r.content,"
    " EXISTS (SELECT 1 FROM _gatherd_raw AS m WHERE m.source_id = ?1 AND m.run_id = r.run_id"
    " AND m.id > r.id), r.url" BODIES
    " AND (r.run_id, r.id) > (?4, ?5) AND r.id <= ?6 ORDER BY r.run_id, r.id LIMIT 1";

static int find_source_id(struct kept_reader *reader, struct error *err)
{
    return store_source_id(reader->store, reader->source, &reader->source_id, err);
}

static int count_of_bodies(struct kept_reader *reader, struct error *err)
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite_prepare(reader->db, count_bodies, &stmt, err) == -1)
        return -1;
    sqlite3_bind_int64(stmt, 1, reader->source_id);
    sqlite_bind_string(stmt, 2, reader->since);
    sqlite_bind_string(stmt, 3, reader->until);
    return read_extent(reader, stmt, err);
}

struct kept_reader *kept_open_bodies(struct store *store, const char *source, int64_t since_ms,
                                     int64_t until_ms, struct error *err)
{
    struct kept_reader *reader = create(store, err);

    if (reader == NULL)
        return NULL;
    clock_format(since_ms, reader->since);
    clock_format(until_ms - 1, reader->until);
    reader->source = strdup(source);
    if (reader->source == NULL)
        no_memory(err);
    else if (find_source_id(reader, err) == 0 && count_of_bodies(reader, err) == 0 &&
             sqlite_prepare(reader->db, next_body, &reader->next, err) == 0)
        return reader;
    kept_close(reader);
    return NULL;
}

static int64_t read_time(sqlite3_stmt *stmt, int column)
{
    int64_t ms;

    return clock_parse(sqlite_column_string(stmt, column), &ms) == -1 ? 0 : ms;
}

/* False: out of memory. NULL stays NULL. */
static bool copy_column(sqlite3_stmt *stmt, int column, char **copy)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);

    *copy = text == NULL ? NULL : strdup(text);
    return text == NULL || *copy != NULL;
}

/* What cannot be used is said of this one; what the machine lacks ends the reading. */
static int note_problem(struct kept *kept, const struct error *cause, const char *what,
                        struct error *err)
{
    if (cause->code == ERROR_NOMEM) {
        error_set(err, cause->code, "%s", cause->text);
        return -1;
    }
    snprintf(kept->problem, sizeof(kept->problem), "%s%s", what, cause->text);
    return 0;
}

static int read_item(sqlite3_stmt *stmt, int column, struct kept *kept, struct error *err)
{
    struct error cause = {0};
    const struct slice json = {sqlite_column_string(stmt, column),
                               (size_t)sqlite3_column_bytes(stmt, column)};

    if (json.length == 0)
        return 0;
    kept->items = items_read_values(json, &cause);
    return kept->items != NULL ? 0 : note_problem(kept, &cause, "", err);
}

/* Head and body are one frame. */
static int split_content(struct kept *kept, char *content, size_t head_bytes, size_t bytes)
{
    text_append(&kept->response.head, content, head_bytes);
    memmove(content, content + head_bytes, bytes + 1);
    kept->response.body = content;
    kept->response.body_bytes = bytes;
    return text_failed(&kept->response.head) ? -1 : 0;
}

static bool has_sizes(sqlite3_stmt *stmt, size_t *head_bytes, size_t *bytes)
{
    int64_t head = sqlite3_column_int64(stmt, 10);
    int64_t body = sqlite3_column_int64(stmt, 11);

    *head_bytes = (size_t)head;
    *bytes = (size_t)body;
    return head >= 0 && body >= 0 && head <= UINT32_MAX && body <= UINT32_MAX;
}

static int read_content(struct kept_reader *reader, struct kept *kept, struct error *err)
{
    sqlite3_stmt *stmt = reader->next;
    const struct slice frame = {sqlite3_column_blob(stmt, 13),
                                (size_t)sqlite3_column_bytes(stmt, 13)};
    struct dictionary *dictionary = NULL;
    struct error cause = {0};
    size_t head_bytes;
    size_t bytes;
    char *content;
    int rc = -1;

    if (!has_sizes(stmt, &head_bytes, &bytes)) {
        error_set(&cause, ERROR_FAILED, "damaged: its size is none");
        return note_problem(kept, &cause, "the body is ", err);
    }
    if (sqlite3_column_type(stmt, 12) != SQLITE_NULL) {
        dictionary = raw_dictionary(&reader->store->raw, sqlite3_column_int64(stmt, 12), &cause);
        if (dictionary == NULL)
            return note_problem(kept, &cause, "the body cannot be read: ", err);
    }
    if (decompress(dictionary, frame, head_bytes + bytes, &content, &cause) == -1)
        rc = note_problem(kept, &cause, "the body is ", err);
    else
        rc = split_content(kept, content, head_bytes, bytes) == -1 ? no_memory(err) : 0;
    dictionary_unref(dictionary);
    return rc;
}

static int fill_body(struct kept_reader *reader, struct kept *kept, struct error *err)
{
    sqlite3_stmt *stmt = reader->next;

    kept->facts.run_id = sqlite3_column_int64(stmt, 1);
    kept->facts.fetched_ms = read_time(stmt, 2);
    kept->facts.page = (unsigned)sqlite3_column_int(stmt, 3);
    kept->scheduled_ms = read_time(stmt, 4);
    kept->response.status = sqlite3_column_int(stmt, 6);
    kept->facts.more = sqlite3_column_int(stmt, 14) != 0;
    kept->source = strdup(reader->source);
    if (kept->source == NULL || !copy_column(stmt, 7, &kept->response.content_type) ||
        !copy_column(stmt, 15, &kept->response.url))
        return no_memory(err);
    if (positions_read(stmt, 8, &kept->position, err) == -1 || read_item(stmt, 5, kept, err) == -1)
        return -1;
    return kept->problem[0] != '\0' ? 0 : read_content(reader, kept, err);
}

static int step_body(struct kept_reader *reader, struct error *err)
{
    sqlite3_stmt *stmt = reader->next;
    int rc;

    sqlite3_bind_int64(stmt, 1, reader->source_id);
    sqlite_bind_string(stmt, 2, reader->since);
    sqlite_bind_string(stmt, 3, reader->until);
    sqlite3_bind_int64(stmt, 4, reader->place.run_id);
    sqlite3_bind_int64(stmt, 5, reader->place.id);
    sqlite3_bind_int64(stmt, 6, reader->last_id);
    rc = sqlite_step(stmt, "_gatherd_raw", err);
    if (rc == 1) {
        reader->place.id = sqlite3_column_int64(stmt, 0);
        reader->place.run_id = sqlite3_column_int64(stmt, 1);
    }
    return rc;
}

/* --- Dead letters. --- */

/* Letters from before these columns were there have what the run and the letter itself say. */
static const char next_letter[] =
    "SELECT l.id, l.run_id, coalesce(l.fetched_at, l.last_at), l.page, l.scheduled_at,"
    " l.item_values, l.http_status, l.content_type, l.kind, l.content, l.head,"
    " coalesce(l.failure, r.failure), l.source, coalesce(l.records_before, 0) + l.position, l.url,"
    " l.reason LIKE 'zip: %'"
    " FROM _gatherd_dead_letters AS l LEFT JOIN _gatherd_runs AS r ON r.id = l.run_id"
    " WHERE l.id > ?1 AND l.id <= ?2 AND (?3 IS NULL OR l.source = ?3)"
    " AND (?4 IS NULL OR l.last_at < ?4) ORDER BY l.id LIMIT 1";

static int count_of_letters(struct kept_reader *reader, struct error *err)
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite_prepare(reader->db,
                       "SELECT count(*), max(id) FROM _gatherd_dead_letters WHERE (?1 IS NULL OR"
                       " source = ?1) AND (?2 IS NULL OR last_at < ?2)",
                       &stmt, err) == -1)
        return -1;
    sqlite_bind_string(stmt, 1, reader->choice.source);
    letter_choice_bind_before(stmt, 2, &reader->choice);
    return read_extent(reader, stmt, err);
}

static int copy_choice(struct kept_reader *reader, const struct letter_choice *choice,
                       struct error *err)
{
    reader->choice.before_ms = choice->before_ms;
    reader->choice.id_count = choice->id_count;
    reader->ids = calloc(choice->id_count + 1, sizeof(reader->ids[0]));
    if (choice->source != NULL)
        reader->choice.source = strdup(choice->source);
    if (reader->ids == NULL || (choice->source != NULL && reader->choice.source == NULL))
        return no_memory(err);
    if (choice->id_count > 0)
        memcpy(reader->ids, choice->ids, choice->id_count * sizeof(reader->ids[0]));
    reader->choice.ids = reader->ids;
    return 0;
}

struct kept_reader *kept_open_letters(struct store *store, const struct letter_choice *choice,
                                      struct error *err)
{
    struct kept_reader *reader = create(store, err);

    if (reader == NULL)
        return NULL;
    if (copy_choice(reader, choice, err) == 0 && count_of_letters(reader, err) == 0 &&
        sqlite_prepare(reader->db, next_letter, &reader->next, err) == 0) {
        if (choice->id_count > 0)
            reader->count = choice->id_count;
        return reader;
    }
    kept_close(reader);
    return NULL;
}

static int fill_content(sqlite3_stmt *stmt, struct kept *kept, struct error *err)
{
    const char *content = sqlite3_column_blob(stmt, 9);
    size_t bytes = (size_t)sqlite3_column_bytes(stmt, 9);
    const char *head = sqlite3_column_blob(stmt, 10);

    if (head != NULL)
        text_append(&kept->response.head, head, (size_t)sqlite3_column_bytes(stmt, 10));
    kept->response.body = malloc(bytes + 1);
    if (kept->response.body == NULL || text_failed(&kept->response.head))
        return no_memory(err);
    if (bytes > 0)
        memcpy(kept->response.body, content, bytes);
    kept->response.body[bytes] = '\0';
    kept->response.body_bytes = bytes;
    return 0;
}

static int fill_letter(struct kept_reader *reader, struct kept *kept, struct error *err)
{
    sqlite3_stmt *stmt = reader->next;

    kept->facts.letter_id = sqlite3_column_int64(stmt, 0);
    kept->facts.run_id = sqlite3_column_int64(stmt, 1);
    kept->facts.fetched_ms = read_time(stmt, 2);
    kept->facts.page = (unsigned)sqlite3_column_int(stmt, 3);
    kept->facts.is_record = strcmp(sqlite_column_string(stmt, 8), "body") != 0;
    kept->is_child = strcmp(sqlite_column_string(stmt, 8), "child") == 0;
    kept->facts.records_before = (size_t)sqlite3_column_int64(stmt, 13);
    kept->is_zip = sqlite3_column_int(stmt, 15) != 0;
    kept->scheduled_ms = read_time(stmt, 4);
    kept->response.status = sqlite3_column_int(stmt, 6);
    snprintf(kept->failure, sizeof(kept->failure), "%s", sqlite_column_string(stmt, 11));
    kept->source = strdup(sqlite_column_string(stmt, 12));
    if (kept->source == NULL || !copy_column(stmt, 7, &kept->response.content_type) ||
        !copy_column(stmt, 14, &kept->response.url))
        return no_memory(err);
    if (read_item(stmt, 5, kept, err) == -1)
        return -1;
    return fill_content(stmt, kept, err);
}

static int step_letter_behind(struct kept_reader *reader, int64_t id, int64_t last,
                              struct error *err)
{
    sqlite3_bind_int64(reader->next, 1, id);
    sqlite3_bind_int64(reader->next, 2, last);
    sqlite_bind_string(reader->next, 3, reader->choice.source);
    letter_choice_bind_before(reader->next, 4, &reader->choice);
    return sqlite_step(reader->next, "_gatherd_dead_letters", err);
}

static int step_letter(struct kept_reader *reader, struct error *err)
{
    int rc = 0;

    while (rc == 0 && reader->place.number < reader->choice.id_count) {
        int64_t id = reader->ids[reader->place.number++];

        rc = step_letter_behind(reader, id - 1, id, err);
    }
    if (reader->choice.id_count > 0)
        return rc;
    rc = step_letter_behind(reader, reader->place.id, reader->last_id, err);
    if (rc == 1)
        reader->place.id = sqlite3_column_int64(reader->next, 0);
    return rc;
}

/* --- Reading. --- */

int kept_next(struct kept_reader *reader, struct kept *kept, struct error *err)
{
    bool are_bodies = reader->source != NULL;
    int rc = are_bodies ? step_body(reader, err) : step_letter(reader, err);

    *kept = (struct kept){0};
    if (rc == 1)
        rc = (are_bodies ? fill_body : fill_letter)(reader, kept, err) == -1 ? -1 : 1;
    if (rc == -1)
        kept_clear(kept);
    sqlite3_reset(reader->next); /* no snapshot is held between two of them */
    return rc;
}
