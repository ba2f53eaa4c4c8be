/* Into the spool. */
#include <stdlib.h>
#include <string.h>

#include "gatherd/json.h"
#include "store/dead_letters.h"
#include "store/schema.h"
#include "store/spool.h"
#include "store/spool_format.h"

#define PIECE_BYTES (256u * 1024)

static const char doing[] = "rows that wait for the last page";

/* One set on its way; from `first` on its rows belong to the piece at hand. */
struct set_writer {
    const struct row_set *set;
    size_t parents; /* number of their set */
    size_t first;
    size_t next; /* to be written */
    size_t value_count;
    struct text rows;
};

struct writer {
    sqlite3_stmt *insert;
    int64_t run_id;
    int64_t fetched_ms;
    const struct result *result;
    struct set_writer *sets; /* owned; the source's own first */
    size_t set_count;
    struct text piece;
    struct text record;
    struct json_locator locator;
    size_t bytes; /* of the piece */
};

static void put(struct text *out, const void *data, size_t size)
{
    text_append(out, data, size);
}

/* --- Rows --- */

static void put_value(struct text *out, const struct value *value)
{
    put(out, value, sizeof(*value));
    if (value->type == VALUE_TEXT || value->type == VALUE_BLOB)
        put(out, value->text, value->length);
}

static void put_row(struct writer *w, struct set_writer *s)
{
    const struct row *row = &s->set->rows[s->next++];
    size_t first_parent = s->set->parents == NULL ? 0 : w->sets[s->parents].first;
    struct spool_row_head head = {.count = row->count,
                                  .position = row->position,
                                  .parent = row->parent - first_parent,
                                  .record_length = SIZE_MAX};
    size_t before = s->rows.length;

    text_clear(&w->record);
    if (row->record != NULL) {
        dead_letters_write_record(w->result, row->record, &w->record);
        head.record_length = w->record.length;
        if (row->record->raw != NULL && w->result->body != NULL)
            json_locate(&w->locator, (size_t)(row->record->raw - w->result->body), &head.line,
                        &head.column);
    }
    put(&s->rows, &head, sizeof(head));
    for (size_t i = 0; i < row->count; i++)
        put_value(&s->rows, &row->values[i]);
    put(&s->rows, text_string(&w->record), w->record.length);
    s->value_count += row->count;
    w->bytes += s->rows.length - before;
}

/* Rows are in the order of their parents, and parents come before their children. */
static void put_descendants(struct writer *w)
{
    for (size_t i = 1; i < w->set_count; i++) {
        struct set_writer *s = &w->sets[i];

        while (s->next < s->set->row_count &&
               s->set->rows[s->next].parent < w->sets[s->parents].next)
            put_row(w, s);
    }
}

/* --- Pieces --- */

static void put_columns(struct writer *w, const struct row_set *set)
{
    for (size_t i = 0; i < set->column_count; i++) {
        put(&w->piece, &set->columns[i], sizeof(set->columns[i]));
        put(&w->piece, set->columns[i].name.data, set->columns[i].name.length);
    }
}

static bool put_set(struct writer *w, struct set_writer *s)
{
    const struct set_writer *parents = &w->sets[s->parents];
    struct spool_set_head head = {.column_count = s->set->column_count,
                                  .row_count = s->next - s->first,
                                  .value_count = s->value_count};

    if (s->set->lacking != NULL)
        head.lacking_count = parents->next - parents->first;
    put(&w->piece, &head, sizeof(head));
    put_columns(w, s->set);
    if (head.lacking_count > 0)
        put(&w->piece, s->set->lacking + parents->first, head.lacking_count * sizeof(bool));
    put(&w->piece, text_string(&s->rows), s->rows.length);
    return !text_failed(&s->rows);
}

static bool put_piece(struct writer *w)
{
    const char *type = dead_letters_record_type(w->result);
    const struct spool_head head = {.fetched_ms = w->fetched_ms,
                                    .set_count = w->set_count,
                                    .type_length = strlen(type) + 1,
                                    .page = run_page(w->result->run)};
    bool good = true;

    text_clear(&w->piece);
    put(&w->piece, &head, sizeof(head));
    put(&w->piece, type, head.type_length);
    for (size_t i = 0; i < w->set_count; i++)
        good = put_set(w, &w->sets[i]) && good;
    return good && !text_failed(&w->piece) && !text_failed(&w->record);
}

/* What a set has written is needed by those of its children: all begin anew together. */
static void begin_piece(struct writer *w)
{
    for (size_t i = 0; i < w->set_count; i++) {
        struct set_writer *s = &w->sets[i];

        s->first = s->next;
        s->value_count = 0;
        text_clear(&s->rows);
    }
    w->bytes = 0;
}

static int flush(struct writer *w, struct error *err)
{
    int rc;

    if (!put_piece(w))
        return schema_no_memory(err);
    sqlite3_bind_int64(w->insert, 1, w->run_id);
    rc = sqlite3_bind_blob64(w->insert, 2, w->piece.data, w->piece.length, SQLITE_STATIC);
    if (rc != SQLITE_OK) {
        sqlite_fail(sqlite3_db_handle(w->insert), rc, doing, err);
        return -1;
    }
    if (sqlite_run(w->insert, doing, err) == -1)
        return -1;
    begin_piece(w);
    return 0;
}

static int put_rows(struct writer *w, struct error *err)
{
    struct set_writer *own = &w->sets[0];

    while (own->next < own->set->row_count) {
        put_row(w, own);
        put_descendants(w);
        if (w->bytes >= PIECE_BYTES && flush(w, err) == -1)
            return -1;
    }
    return own->next > own->first ? flush(w, err) : 0;
}

/* --- All of a page --- */

static size_t number_of(const struct result *result, const struct row_set *set)
{
    return set == NULL || set == &result->rows ? 0 : (size_t)(set - result->children) + 1;
}

static int begin(struct writer *w, sqlite3 *db, struct error *err)
{
    const struct result *result = w->result;

    w->set_count = result->child_count + 1;
    w->sets = calloc(w->set_count, sizeof(w->sets[0]));
    if (w->sets == NULL)
        return schema_no_memory(err);
    for (size_t i = 0; i < w->set_count; i++) {
        const struct row_set *set = i == 0 ? &result->rows : &result->children[i - 1];

        w->sets[i] = (struct set_writer){.set = set, .parents = number_of(result, set->parents)};
    }
    if (sqlite_exec(db, SPOOL_CREATE, err) == -1)
        return -1;
    return sqlite_prepare(db, "INSERT INTO temp._gatherd_spool (run, piece) VALUES (?, ?)",
                          &w->insert, err);
}

int spool_add(sqlite3 *db, int64_t run_id, const struct result *result, int64_t fetched_ms,
              struct error *err)
{
    struct writer w = {.run_id = run_id,
                       .fetched_ms = fetched_ms,
                       .result = result,
                       .locator = {.body = result->body}};
    int rc = -1;

    if (begin(&w, db, err) == 0)
        rc = put_rows(&w, err);
    sqlite3_finalize(w.insert);
    for (size_t i = 0; w.sets != NULL && i < w.set_count; i++)
        text_free(&w.sets[i].rows);
    free(w.sets);
    text_free(&w.piece);
    text_free(&w.record);
    return rc;
}
