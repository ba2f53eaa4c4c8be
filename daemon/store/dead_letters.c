#include "store/dead_letters.h"

#include <inttypes.h>
#include <stdio.h>

#include "gatherd/hash.h"
#include "store/names.h"

/* A row of SQLite has a limit (10^9 bytes by default); the other columns need little of it. */
#define ROW_REST_BYTES (64 * 1024)

int dead_letters_open(struct dead_letters *letters, sqlite3 *db, struct error *err)
{
    static const char insert[] =
        "INSERT INTO _gatherd_dead_letters"
        " (run_id, source, table_name, kind, position, line, column, reason, content_type, content,"
        " bytes, hash, first_at, last_at, page)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13, ?14)"
        " ON CONFLICT (hash, source, reason, kind) DO UPDATE SET run_id = excluded.run_id,"
        " table_name = excluded.table_name, position = excluded.position, line = excluded.line,"
        " column = excluded.column, last_at = excluded.last_at, page = excluded.page,"
        " occurrences = occurrences + 1";

    return sqlite_prepare(db, insert, &letters->insert, err);
}

void dead_letters_close(struct dead_letters *letters)
{
    sqlite3_finalize(letters->insert);
    text_free(&letters->record);
}

/* Text that is no UTF-8 would be damaged by whoever reads it as text. */
static void bind_content(sqlite3_stmt *stmt, const char *data, size_t length)
{
    size_t most = (size_t)sqlite3_limit(sqlite3_db_handle(stmt), SQLITE_LIMIT_LENGTH, -1);
    size_t kept = length < most - ROW_REST_BYTES ? length : most - ROW_REST_BYTES;

    if (utf8_valid(data, kept))
        sqlite_bind_bytes(stmt, 10, data, kept);
    else
        sqlite3_bind_blob64(stmt, 10, data, kept, SQLITE_STATIC);
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
        if (text_failed(&letters->record)) {
            error_set(err, ERROR_NOMEM, "dead letters: out of memory");
            return -1;
        }
        content->content = (struct slice){text_string(&letters->record), letters->record.length};
        content->content_type = dead_letters_record_type(result);
    }
    if (content->content.data == NULL)
        content->content = (struct slice){"", 0};
    return 0;
}

int dead_letters_add(struct dead_letters *letters, const struct result *result,
                     const struct outcome *outcome, const struct dead_letter *letter,
                     const struct moment *moment, struct error *err)
{
    const struct run *run = result->run;
    sqlite3_stmt *stmt = letters->insert;
    bool is_record = letter->record != NULL || letter->kept != NULL;
    struct kept_record content;
    struct hash128 hash;
    char hex[33];

    if (find_content(letters, result, letter, &content, err) == -1)
        return -1;
    hash = hash128_bytes(content.content.data, content.content.length);
    snprintf(hex, sizeof(hex), "%016" PRIx64 "%016" PRIx64, hash.high, hash.low);
    sqlite3_bind_int64(stmt, 1, outcome->run_id);
    sqlite_bind_string(stmt, 2, run->source->name);
    sqlite_bind_string(stmt, 3, letter->table != NULL ? letter->table : run->source->mapping.table);
    sqlite_bind_string(stmt, 4, is_record ? "record" : "body");
    bind_number(stmt, 5, letter->position, is_record);
    bind_number(stmt, 6, letter->line, letter->line > 0);
    bind_number(stmt, 7, letter->column, letter->line > 0);
    sqlite_bind_string(stmt, 8, letter->reason);
    sqlite_bind_string(stmt, 9, content.content_type);
    bind_content(stmt, content.content.data, content.content.length);
    sqlite3_bind_int64(stmt, 11, (sqlite3_int64)content.content.length);
    sqlite_bind_string(stmt, 12, hex);
    sqlite_bind_string(stmt, 13, moment->text);
    bind_number(stmt, 14, content.page, content.page > 0);
    return sqlite_run(stmt, "_gatherd_dead_letters", err);
}
