/* Out of the spool. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/arena.h"
#include "gatherd/text.h"
#include "store/schema.h"
#include "store/spool.h"
#include "store/spool_format.h"

#define ARENA_KEEP_BYTES (2u * 1024 * 1024)

struct spool {
    sqlite3_stmt *next;
    const struct source *source; /* borrowed */
    int64_t run_id;
    int64_t last_id;
    struct text bytes; /* of a piece, while it is read */
    size_t at;
    struct arena *arena; /* of the piece that was read last */
};

struct spool *spool_open(sqlite3 *db, int64_t run_id, const struct source *source,
                         struct error *err)
{
    struct spool *spool = calloc(1, sizeof(*spool));

    if (spool != NULL)
        spool->arena = arena_create(ARENA_KEEP_BYTES);
    if (spool == NULL || spool->arena == NULL) {
        schema_no_memory(err);
        spool_close(spool);
        return NULL;
    }
    spool->run_id = run_id;
    spool->source = source;
    if (sqlite_exec(db, SPOOL_CREATE, err) == 0 &&
        sqlite_prepare(db,
                       "SELECT id, piece FROM temp._gatherd_spool WHERE run = ? AND id > ?"
                       " ORDER BY id LIMIT 1",
                       &spool->next, err) == 0)
        return spool;
    spool_close(spool);
    return NULL;
}

void spool_close(struct spool *spool)
{
    if (spool == NULL)
        return;
    sqlite3_finalize(spool->next);
    text_free(&spool->bytes);
    arena_free(spool->arena);
    free(spool);
}

/* --- One piece: what we wrote ourselves in this process is read without a doubt about it. --- */

static const char *take_bytes(struct spool *spool, size_t length)
{
    const char *bytes = spool->bytes.data + spool->at;

    assert(length <= spool->bytes.length - spool->at);
    spool->at += length;
    return bytes;
}

static void take(struct spool *spool, void *data, size_t size)
{
    memcpy(data, take_bytes(spool, size), size);
}

static void take_value(struct spool *spool, struct value *value)
{
    take(spool, value, sizeof(*value));
    if (value->type == VALUE_TEXT || value->type == VALUE_BLOB)
        value->text = take_bytes(spool, value->length);
}

static void take_row(struct spool *spool, struct value *values, struct row *row,
                     struct spooled *origin)
{
    struct spool_row_head head;

    take(spool, &head, sizeof(head));
    for (size_t i = 0; i < head.count; i++)
        take_value(spool, &values[i]);
    *row = (struct row){
        .values = values, .count = head.count, .position = head.position, .parent = head.parent};
    origin->line = head.line;
    origin->column = head.column;
    if (head.record_length == SIZE_MAX)
        return;
    origin->record.content.length = head.record_length;
    origin->record.content.data = take_bytes(spool, head.record_length);
}

static void take_columns(struct spool *spool, struct row_set *set)
{
    for (size_t i = 0; i < set->column_count; i++) {
        take(spool, &set->columns[i], sizeof(set->columns[i]));
        set->columns[i].name.data = take_bytes(spool, set->columns[i].name.length);
    }
}

static int take_lacking(struct spool *spool, struct row_set *set, size_t count)
{
    bool *lacking;

    if (count == 0)
        return 0;
    lacking = arena_alloc(spool->arena, count * sizeof(*lacking));
    if (lacking == NULL)
        return -1;
    take(spool, lacking, count * sizeof(*lacking));
    set->lacking = lacking;
    return 0;
}

static int take_set(struct spool *spool, struct row_set *set, struct spooled **origins,
                    const struct spooled *origin)
{
    struct spool_set_head head;
    struct value *values;

    take(spool, &head, sizeof(head));
    set->column_count = head.column_count;
    set->row_count = head.row_count;
    set->columns = arena_alloc(spool->arena, head.column_count * sizeof(*set->columns));
    set->rows = arena_alloc(spool->arena, head.row_count * sizeof(*set->rows));
    *origins = arena_alloc(spool->arena, head.row_count * sizeof(**origins));
    values = arena_alloc(spool->arena, head.value_count * sizeof(*values));
    if (set->columns == NULL || set->rows == NULL || *origins == NULL || values == NULL)
        return -1;
    take_columns(spool, set);
    if (take_lacking(spool, set, head.lacking_count) == -1)
        return -1;
    for (size_t i = 0; i < head.row_count; i++) {
        (*origins)[i] = *origin;
        take_row(spool, values, &set->rows[i], &(*origins)[i]);
        values += set->rows[i].count;
    }
    return 0;
}

/* In the order in which the extractor fills them: each child, and behind it its own children. */
static void lead_to_parents(const struct mapping *mapping, const struct row_set *parents,
                            struct row_set **next)
{
    for (size_t i = 0; i < mapping->child_count; i++) {
        struct row_set *set = (*next)++;

        set->mapping = &mapping->children[i];
        set->parents = parents;
        lead_to_parents(set->mapping, set, next);
    }
}

static int take_piece(struct spool *spool, struct spool_piece *piece)
{
    struct spool_head head;
    struct spooled origin = {0};
    struct row_set *next;

    take(spool, &head, sizeof(head));
    origin.record.content_type = take_bytes(spool, head.type_length);
    origin.record.page = head.page;
    piece->fetched_ms = head.fetched_ms;
    piece->child_count = head.set_count - 1;
    piece->children = arena_alloc(spool->arena, head.set_count * sizeof(*piece->children));
    piece->origins = arena_alloc(spool->arena, head.set_count * sizeof(*piece->origins));
    if (piece->children == NULL || piece->origins == NULL)
        return -1;
    memset(piece->children, 0, head.set_count * sizeof(*piece->children));
    piece->rows.mapping = &spool->source->mapping;
    next = piece->children;
    if (piece->child_count > 0)
        lead_to_parents(&spool->source->mapping, &piece->rows, &next);
    assert(next == piece->children + piece->child_count);
    for (size_t i = 0; i < head.set_count; i++) {
        struct row_set *set = i == 0 ? &piece->rows : &piece->children[i - 1];

        if (take_set(spool, set, &piece->origins[i], &origin) == -1)
            return -1;
    }
    return 0;
}

/* A copy: no statement may be at work while the schema changes. */
static int read_bytes(struct spool *spool, struct error *err)
{
    int rc;

    text_clear(&spool->bytes);
    sqlite3_bind_int64(spool->next, 1, spool->run_id);
    sqlite3_bind_int64(spool->next, 2, spool->last_id);
    rc = sqlite_step(spool->next, "rows that wait for the last page", err);
    if (rc == 1) {
        spool->last_id = sqlite3_column_int64(spool->next, 0);
        text_append(&spool->bytes, sqlite3_column_blob(spool->next, 1),
                    (size_t)sqlite3_column_bytes(spool->next, 1));
    }
    sqlite3_reset(spool->next);
    return rc == 1 && text_failed(&spool->bytes) ? schema_no_memory(err) : rc;
}

int spool_next(struct spool *spool, struct spool_piece *piece, struct error *err)
{
    int rc = read_bytes(spool, err);

    *piece = (struct spool_piece){0};
    spool->at = 0;
    arena_reset(spool->arena);
    if (rc == 1 && take_piece(spool, piece) == -1)
        return schema_no_memory(err);
    return rc;
}
