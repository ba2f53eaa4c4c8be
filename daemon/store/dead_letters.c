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

static const char *content_type_of(const struct result *result, const struct dead_letter *letter)
{
    if (letter->record == NULL)
        return result->run->response.content_type;
    return result->form.content_type == NULL ? "application/json" : result->form.content_type;
}

/* The record in the form that the format has for it. */
static void write_record(const struct result *result, const struct node *record, struct text *out)
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

int dead_letters_add(struct dead_letters *letters, const struct result *result,
                     const struct outcome *outcome, const struct dead_letter *letter,
                     const struct moment *moment, struct error *err)
{
    const struct run *run = result->run;
    sqlite3_stmt *stmt = letters->insert;
    struct slice content = {run->response.body, run->response.body_bytes};
    struct hash128 hash;
    char hex[33];

    if (letter->record != NULL) {
        write_record(result, letter->record, &letters->record);
        if (text_failed(&letters->record)) {
            error_set(err, ERROR_NOMEM, "dead letters: out of memory");
            return -1;
        }
        content = (struct slice){text_string(&letters->record), letters->record.length};
    }
    if (content.data == NULL)
        content = (struct slice){"", 0};
    hash = hash128_bytes(content.data, content.length);
    snprintf(hex, sizeof(hex), "%016" PRIx64 "%016" PRIx64, hash.high, hash.low);
    sqlite3_bind_int64(stmt, 1, outcome->run_id);
    sqlite_bind_string(stmt, 2, run->source->name);
    sqlite_bind_string(stmt, 3, letter->table != NULL ? letter->table : run->source->mapping.table);
    sqlite_bind_string(stmt, 4, letter->record != NULL ? "record" : "body");
    bind_number(stmt, 5, letter->position, letter->record != NULL);
    bind_number(stmt, 6, letter->line, letter->line > 0);
    bind_number(stmt, 7, letter->column, letter->line > 0);
    sqlite_bind_string(stmt, 8, letter->reason);
    sqlite_bind_string(stmt, 9, content_type_of(result, letter));
    bind_content(stmt, content.data, content.length);
    sqlite3_bind_int64(stmt, 11, (sqlite3_int64)content.length);
    sqlite_bind_string(stmt, 12, hex);
    sqlite_bind_string(stmt, 13, moment->text);
    bind_number(stmt, 14, run_page(run), run_page(run) > 0);
    return sqlite_run(stmt, "_gatherd_dead_letters", err);
}
