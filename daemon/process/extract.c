#include "process/extract.h"

#include "process/extractor.h"
#include "process/incremental.h"

/* Cells (16 bytes each) that a response may take: what real tables need many times over. */
#define FREE_CELLS     (4u * 1024 * 1024)
#define CELLS_PER_BYTE 2u

static int too_sparse(struct extractor *e, const char **failure)
{
    text_clear(&e->scratch);
    text_format(&e->scratch,
                "the records are too unlike for one table: %zu columns, and most of them empty; "
                "name the ones to keep with fields",
                e->column_count);
    *failure = extract_keep_scratch(e);
    return *failure == NULL ? -1 : 0;
}

static int extract_all(struct extractor *e, const struct records *records, const char **failure)
{
    struct result *result = e->result;

    e->set->rows = arena_alloc(e->arena, records->count * sizeof(*e->set->rows));
    if (e->set->rows == NULL)
        return -1;
    for (size_t i = 0; i < records->count; i++) {
        if (extract_record(e, &records->list[i], i) == -1)
            return -1;
        if (e->cells_left == 0)
            return too_sparse(e, failure);
    }
    e->set->columns = e->columns;
    e->set->column_count = e->column_count;
    result->dead_letters = e->letters;
    result->dead_letter_count = e->letter_count;
    return 0;
}

static int prepare(struct extractor *e, const struct run *run)
{
    if (members_init(&e->members, e->arena) == -1 || extract_prepare_leading(e, run) == -1)
        return -1;
    return e->mapping->field_count > 0 ? extract_prepare_fields(e) : extract_prepare_members(e);
}

int extract_rows(const struct source *source, const struct decoded *decoded, struct arena *arena,
                 struct result *result, const char **failure)
{
    struct extractor e = {.mapping = &source->mapping,
                          .set = &result->rows,
                          .arena = arena,
                          .result = result,
                          .cells_left = FREE_CELLS + CELLS_PER_BYTE * decoded->text_bytes,
                          .locator = {.body = result->body}};
    struct records records;
    int rc = -1;

    *failure = NULL;
    if (records_select(source->mapping.records, decoded->root, decoded->lines,
                       source->pagination != NULL, arena, &records) == -1 ||
        records_add_rejected(&records, decoded->rejected, decoded->rejected_count, arena) == -1)
        return -1;
    result->records = records.count;
    if (records.failure != NULL) {
        *failure = records.failure;
        return 0;
    }
    if (source->incremental != NULL) {
        if (incremental_select(result->run, &records, arena, failure) == -1)
            return -1;
        if (*failure != NULL)
            return 0;
    }
    if (prepare(&e, result->run) == 0)
        rc = extract_all(&e, &records, failure);
    text_free(&e.scratch);
    return rc;
}
