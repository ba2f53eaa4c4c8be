#include "store/dead_letters.h"

#include <inttypes.h>
#include <stdio.h>

#include "gatherd/clock.h"
#include "gatherd/hash.h"
#include "gatherd/items.h"
#include "store/names.h"
#include "store/raw.h"

/* A row of SQLite has a limit (10^9 bytes by default); the other columns need little of it. */
#define ROW_REST_BYTES (64 * 1024)

/* An older response that is replayed says nothing new of content that came again later. */
static const char insert_sql[] =
    "INSERT INTO _gatherd_dead_letters"
    " (run_id, source, table_name, kind, position, line, column, reason, content_type, content,"
    " bytes, hash, first_at, last_at, page, generation, failure, http_status, head, item,"
    " item_values, scheduled_at, fetched_at, records_before, url)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13, ?14,"
    " (SELECT max(generation) FROM _gatherd_generations WHERE source = ?2 AND fingerprint = ?15),"
    " ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?24, ?25)"
    " ON CONFLICT (hash, source, reason, kind, item) DO UPDATE SET run_id = excluded.run_id,"
    " table_name = excluded.table_name, position = excluded.position, line = excluded.line,"
    " column = excluded.column, last_at = excluded.last_at, page = excluded.page,"
    " generation = excluded.generation, failure = excluded.failure,"
    " http_status = excluded.http_status, head = excluded.head,"
    " scheduled_at = excluded.scheduled_at, fetched_at = excluded.fetched_at,"
    " records_before = excluded.records_before, url = excluded.url, occurrences = occurrences + ?23"
    " WHERE run_id IS NULL OR run_id <= excluded.run_id";

static const char forget_sql[] = "DELETE FROM _gatherd_dead_letters WHERE run_id = ?1"
                                 " AND page IS ?2 AND kind <> 'body' AND source = ?3";

static const char remove_sql[] = "DELETE FROM _gatherd_dead_letters WHERE id = ?";

/* Another letter has the same content and the new reason: it takes this one's place. */
static const char merge_sql[] =
    "DELETE FROM _gatherd_dead_letters AS other WHERE id <> ?1 AND reason = ?2"
    " AND (hash, source, kind, item) = (SELECT hash, source, kind, item"
    " FROM _gatherd_dead_letters WHERE id = ?1)";

static const char refuse_sql[] =
    "UPDATE _gatherd_dead_letters SET reason = ?2, last_at = ?3, generation ="
    " (SELECT max(generation) FROM _gatherd_generations"
    " WHERE source = _gatherd_dead_letters.source AND fingerprint = ?4) WHERE id = ?1";

int dead_letters_open(struct dead_letters *letters, sqlite3 *db, struct error *err)
{
    if (sqlite_prepare(db, insert_sql, &letters->insert, err) == -1 ||
        sqlite_prepare(db, forget_sql, &letters->forget, err) == -1 ||
        sqlite_prepare(db, remove_sql, &letters->remove, err) == -1 ||
        sqlite_prepare(db, merge_sql, &letters->merge, err) == -1)
        return -1;
    return sqlite_prepare(db, refuse_sql, &letters->refuse, err);
}

void dead_letters_close(struct dead_letters *letters)
{
    sqlite3_finalize(letters->insert);
    sqlite3_finalize(letters->forget);
    sqlite3_finalize(letters->remove);
    sqlite3_finalize(letters->merge);
    sqlite3_finalize(letters->refuse);
    text_free(&letters->record);
    text_free(&letters->head);
    text_free(&letters->item);
}

static int no_memory(struct error *err)
{
    error_set(err, ERROR_NOMEM, "dead letters: out of memory");
    return -1;
}

/* Text that is no UTF-8 would be damaged by whoever reads it as text. */
static void bind_content(sqlite3_stmt *stmt, int index, const char *data, size_t length)
{
    size_t most = (size_t)sqlite3_limit(sqlite3_db_handle(stmt), SQLITE_LIMIT_LENGTH, -1);
    size_t kept = length < most - ROW_REST_BYTES ? length : most - ROW_REST_BYTES;

    if (utf8_valid(data, kept))
        sqlite_bind_bytes(stmt, index, data, kept);
    else
        sqlite3_bind_blob64(stmt, index, data, kept, SQLITE_STATIC);
}

static void bind_number(sqlite3_stmt *stmt, int index, size_t number, bool known)
{
    if (known)
        sqlite3_bind_int64(stmt, index, (sqlite3_int64)number);
    else
        sqlite3_bind_null(stmt, index);
}

const char *dead_letters_record_type(const struct result *result)
{
    return result->form.content_type == NULL ? "application/json" : result->form.content_type;
}

void dead_letters_write_record(const struct result *result, const struct node *record,
                               struct text *out)
{
    struct slice source = node_source(record);

    text_clear(out);
    if (result->form.content_type == NULL) {
        node_write_json(record, out);
        return;
    }
    text_append(out, result->form.head.data, result->form.head.length);
    text_append(out, source.data, source.length);
}

/* The body of the response, or of it one record, which may be of an earlier page. */
static int find_content(struct dead_letters *letters, const struct result *result,
                        const struct dead_letter *letter, struct kept_record *content,
                        struct error *err)
{
    const struct response *response = &result->run->response;

    *content = (struct kept_record){
        {response->body, response->body_bytes}, response->content_type, run_page(result->run)};
    if (letter->kept != NULL) {
        *content = *letter->kept;
    } else if (letter->record != NULL) {
        dead_letters_write_record(result, letter->record, &letters->record);
        if (text_failed(&letters->record))
            return no_memory(err);
        content->content = (struct slice){text_string(&letters->record), letters->record.length};
        content->content_type = dead_letters_record_type(result);
    }
    if (content->content.data == NULL)
        content->content = (struct slice){"", 0};
    return 0;
}

/* --- Adding. --- */

/* What a replay needs of the response and its run, beside the content. */
static int bind_response(struct dead_letters *letters, const struct run *run, bool is_body,
                         struct error *err)
{
    sqlite3_stmt *stmt = letters->insert;

    text_clear(&letters->head);
    text_clear(&letters->item);
    if (is_body || raw_needs_head(&run->source->mapping))
        raw_write_head(&run->response.head, &run->source->mapping, &letters->head);
    if (run->item != NULL)
        items_write_values(run->items, run->item, &letters->item);
    if (text_failed(&letters->head) || text_failed(&letters->item))
        return no_memory(err);
    if (run->response.status != 0)
        sqlite3_bind_int(stmt, 17, run->response.status);
    if (letters->head.length > 0)
        bind_content(stmt, 18, text_string(&letters->head), letters->head.length);
    sqlite_bind_string(stmt, 19, run_item_key(run));
    if (run->item != NULL)
        sqlite_bind_bytes(stmt, 20, text_string(&letters->item), letters->item.length);
    return 0;
}

static void bind_hash(sqlite3_stmt *stmt, int index, struct slice content)
{
    struct hash128 hash = hash128_bytes(content.data, content.length);
    char hex[33];

    snprintf(hex, sizeof(hex), "%016" PRIx64 "%016" PRIx64, hash.high, hash.low);
    sqlite3_bind_text(stmt, index, hex, -1, SQLITE_TRANSIENT);
}

static size_t records_before(const struct run *run)
{
    if (run->replayed != NULL)
        return run->replayed->records_before;
    return run->pages == NULL ? 0 : run->pages->tally.records;
}

static const char *kind_of(const struct dead_letter *letter)
{
    if (letter->record == NULL && letter->kept == NULL)
        return "body";
    return letter->table != NULL ? "child" : "record";
}

static void bind_letter(sqlite3_stmt *stmt, const struct run *run, const struct outcome *outcome,
                        const struct dead_letter *letter)
{
    bool is_record = letter->record != NULL || letter->kept != NULL;

    sqlite3_bind_int64(stmt, 1, outcome->run_id);
    sqlite_bind_string(stmt, 2, run->source->name);
    sqlite_bind_string(stmt, 3, letter->table != NULL ? letter->table : run->source->mapping.table);
    sqlite_bind_string(stmt, 4, kind_of(letter));
    bind_number(stmt, 5, letter->position, is_record);
    bind_number(stmt, 6, letter->line, letter->line > 0);
    bind_number(stmt, 7, letter->column, letter->line > 0);
    sqlite_bind_string(stmt, 8, letter->reason);
    sqlite3_bind_int64(stmt, 15, (sqlite3_int64)run->source->mapping_fingerprint);
    sqlite_bind_string(stmt, 16, is_record ? NULL : run_failure_name(outcome->failure));
    sqlite3_bind_int(stmt, 23, run->replayed == NULL);
    bind_number(stmt, 24, records_before(run), is_record);
    sqlite_bind_string(stmt, 25, run->response.url);
}

int dead_letters_add(struct dead_letters *letters, const struct result *result,
                     const struct outcome *outcome, const struct dead_letter *letter,
                     const struct moment *moment, struct error *err)
{
    const struct run *run = result->run;
    sqlite3_stmt *stmt = letters->insert;
    struct kept_record content;
    char scheduled[CLOCK_TEXT_SIZE];
    char fetched[CLOCK_TEXT_SIZE];

    if (find_content(letters, result, letter, &content, err) == -1 ||
        bind_response(letters, run, letter->record == NULL && letter->kept == NULL, err) == -1)
        return -1;
    bind_letter(stmt, run, outcome, letter);
    sqlite_bind_string(stmt, 9, content.content_type);
    bind_content(stmt, 10, content.content.data, content.content.length);
    sqlite3_bind_int64(stmt, 11, (sqlite3_int64)content.content.length);
    bind_hash(stmt, 12, content.content);
    sqlite_bind_string(stmt, 13, moment->text);
    bind_number(stmt, 14, content.page, content.page > 0);
    if (run->scheduled_at_ms != 0)
        sqlite_bind_string(stmt, 21, clock_format(run->scheduled_at_ms, scheduled));
    sqlite_bind_string(stmt, 22, clock_format(outcome->fetched_ms, fetched));
    return sqlite_run(stmt, "_gatherd_dead_letters", err);
}

/* --- Replaying. --- */

int dead_letters_forget(struct dead_letters *letters, const struct run *run, struct error *err)
{
    sqlite3_bind_int64(letters->forget, 1, run->replayed->run_id);
    bind_number(letters->forget, 2, run->replayed->page, run->replayed->page > 0);
    sqlite_bind_string(letters->forget, 3, run->source->name);
    return sqlite_run(letters->forget, "_gatherd_dead_letters", err);
}

int dead_letters_remove(struct dead_letters *letters, int64_t id, struct error *err)
{
    sqlite3_bind_int64(letters->remove, 1, id);
    return sqlite_run(letters->remove, "_gatherd_dead_letters", err);
}

int dead_letters_refuse(struct dead_letters *letters, const struct run *run, const char *reason,
                        const struct moment *moment, struct error *err)
{
    sqlite3_bind_int64(letters->merge, 1, run->replayed->letter_id);
    sqlite_bind_string(letters->merge, 2, reason);
    if (sqlite_run(letters->merge, "_gatherd_dead_letters", err) == -1)
        return -1;
    sqlite3_bind_int64(letters->refuse, 1, run->replayed->letter_id);
    sqlite_bind_string(letters->refuse, 2, reason);
    sqlite_bind_string(letters->refuse, 3, moment->text);
    sqlite3_bind_int64(letters->refuse, 4, (sqlite3_int64)run->source->mapping_fingerprint);
    return sqlite_run(letters->refuse, "_gatherd_dead_letters", err);
}
