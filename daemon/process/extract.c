/*
 * From set to set: the rows of the source's own table first, then of each child those that are made
 * of the records of its parents' rows.
 */
#include "process/extract.h"

#include <stdio.h>

#include "gatherd/computer.h"
#include "process/extractor.h"
#include "process/incremental.h"
#include "process/reshape.h"

/* Cells (16 bytes each) that a response may take: what real tables need many times over. */
#define FREE_CELLS     (4u * 1024 * 1024)
#define CELLS_PER_BYTE 2u

/* --- One set --- */

/* What belongs to one table is forgotten, and the columns of another prepared. */
static int begin_set(struct extractor *e, const struct mapping *mapping, struct row_set *set,
                     const struct row_set *parents, size_t records)
{
    *e = (struct extractor){.arena = e->arena,
                            .result = e->result,
                            .document = e->lines == NULL ? e->document : node_first(e->lines),
                            .lines = e->lines,
                            .computer = e->computer,
                            .paths = e->paths,
                            .cells_left = e->cells_left,
                            .scratch = e->scratch,
                            .letters = e->letters,
                            .letter_count = e->letter_count,
                            .letter_capacity = e->letter_capacity,
                            .locator = e->locator,
                            .mapping = mapping,
                            .set = set};
    *set = (struct row_set){.mapping = mapping, .parents = parents};
    set->rows = arena_alloc(e->arena, records * sizeof(*set->rows));
    if (set->rows == NULL || members_init(&e->members, e->arena) == -1 ||
        extract_prepare_leading(e) == -1)
        return -1;
    if ((mapping->field_count > 0 ? extract_prepare_fields(e) : extract_prepare_members(e)) == -1)
        return -1;
    return extract_prepare_computed(e);
}

static void end_set(struct extractor *e)
{
    e->set->columns = e->columns;
    e->set->column_count = e->column_count;
    e->set->lacking = e->lacking;
}

/* The source's own table and that of a child have the same reasons. */
static int fail(struct extractor *e, const char *what, const char **failure)
{
    text_clear(&e->scratch);
    if (e->set->parents != NULL)
        text_format(&e->scratch, "table %s: ", e->mapping->table);
    text_add(&e->scratch, what);
    *failure = extract_keep_scratch(e);
    return *failure == NULL ? -1 : 0;
}

static int too_sparse(struct extractor *e, const char **failure)
{
    char what[200];

    snprintf(what, sizeof(what),
             "the records are too unlike for one table: %zu columns, and most of them empty; "
             "name the ones to keep with fields",
             e->column_count);
    return fail(e, what, failure);
}

static int frozen(struct extractor *e, size_t record, const char **failure)
{
    struct text what = {0};
    int rc;

    text_format(&what, "record %zu: %s; schema_contract takes no other types (freeze)", record,
                e->frozen);
    rc = text_failed(&what) ? -1 : fail(e, text_string(&what), failure);
    text_free(&what);
    return rc;
}

static int extract_records(struct extractor *e, const struct record *records, size_t count,
                           const char **failure)
{
    for (size_t i = 0; i < count; i++) {
        if (extract_record(e, &records[i], i) == -1)
            return -1;
        if (e->stopped != NULL)
            return fail(e, e->stopped, failure);
        if (e->cells_left == 0)
            return too_sparse(e, failure);
        if (e->frozen != NULL)
            return frozen(e, i + 1, failure);
    }
    return 0;
}

/* --- Children --- */

static size_t count_descendants(const struct mapping *mapping)
{
    size_t count = mapping->child_count;

    for (size_t i = 0; i < mapping->child_count; i++)
        count += count_descendants(&mapping->children[i]);
    return count;
}

static int explain_too_long(struct extractor *e, const struct jsonpath *path, const char **problem)
{
    text_clear(&e->scratch);
    jsonpath_explain_too_long(path, &e->scratch);
    *problem = extract_keep_scratch(e);
    return *problem == NULL ? -1 : 0;
}

/* Without the arrays of zip there are no children, as without a list. */
static enum jsonpath_status add_children(struct extractor *e, const struct mapping *mapping,
                                         const struct node *parent, struct records *records)
{
    const struct node *object;

    if (mapping->zip == NULL)
        return records_add(mapping->records, mapping->key_as != NULL, parent, &e->paths, records);
    object = jsonpath_first(mapping->zip, parent);
    if (object == NULL || object->type == NODE_NULL)
        return JSONPATH_OK;
    return reshape_zip(mapping->zip, parent, e->arena, records) == -1 ? JSONPATH_NOMEM
                                                                      : JSONPATH_OK;
}

/*
 * The records of all parents' rows in one list; ends[i] is where those of the parent i end. A path
 * that leads to the same nodes from many parents could make more of them than there are bytes.
 */
static int select_children(struct extractor *e, const struct mapping *mapping,
                           const struct row_set *parents, struct records *records, size_t *ends,
                           const char **problem)
{
    *records = (struct records){0};
    *problem = NULL;
    for (size_t i = 0; i < parents->row_count && *problem == NULL; i++) {
        size_t first = records->count;

        switch (add_children(e, mapping, parents->rows[i].record, records)) {
        case JSONPATH_OK:
            break;
        case JSONPATH_TOO_LONG:
            return explain_too_long(e, mapping->records, problem);
        case JSONPATH_NOMEM:
            return -1;
        }
        if (reshape_records(mapping, e->arena, records, first) == -1)
            return -1;
        ends[i] = records->count;
        if (records->count > e->cells_left)
            *problem = "its path finds more records than the answer is large";
    }
    return 0;
}

static int extract_child(struct extractor *e, const struct mapping *mapping,
                         const struct row_set *parents, struct row_set *set, const char **failure)
{
    size_t *ends = arena_alloc(e->arena, parents->row_count * sizeof(*ends));
    struct records records;
    size_t start = 0;
    const char *problem;

    if (ends == NULL || select_children(e, mapping, parents, &records, ends, &problem) == -1 ||
        begin_set(e, mapping, set, parents, records.count) == -1)
        return -1;
    if (problem != NULL)
        return fail(e, problem, failure);
    for (size_t i = 0; i < parents->row_count && *failure == NULL; start = ends[i++]) {
        extract_set_parent(e, i);
        if (extract_records(e, records.list + start, ends[i] - start, failure) == -1)
            return -1;
    }
    end_set(e);
    return 0;
}

/* Fills the sets from *next on: each child, and behind it its own children. */
static int extract_children(struct extractor *e, const struct row_set *parents,
                            struct row_set **next, const char **failure)
{
    const struct mapping *mapping = parents->mapping;

    for (size_t i = 0; i < mapping->child_count && *failure == NULL; i++) {
        struct row_set *set = (*next)++;

        if (extract_child(e, &mapping->children[i], parents, set, failure) == -1)
            return -1;
        if (*failure == NULL && extract_children(e, set, next, failure) == -1)
            return -1;
    }
    return 0;
}

static int extract_descendants(struct extractor *e, const char **failure)
{
    struct result *result = e->result;
    size_t count = count_descendants(result->rows.mapping);
    struct row_set *next;

    if (count == 0)
        return 0;
    next = arena_alloc(e->arena, count * sizeof(*next));
    if (next == NULL)
        return -1;
    result->children = next;
    result->child_count = count;
    return extract_children(e, &result->rows, &next, failure);
}

/* --- All of them --- */

static int extract_all(struct extractor *e, const struct mapping *mapping,
                       const struct records *records, const char **failure)
{
    struct result *result = e->result;

    if (begin_set(e, mapping, &result->rows, NULL, records->count) == -1 ||
        extract_records(e, records->list, records->count, failure) == -1)
        return -1;
    end_set(e);
    if (*failure == NULL && extract_descendants(e, failure) == -1)
        return -1;
    result->dead_letters = e->letters;
    result->dead_letter_count = e->letter_count;
    return 0;
}

/* What the records are in: of a feed, when nothing says where they are, its entries. */
static const struct node *records_root(const struct source *source, const struct decoded *decoded)
{
    bool entries = decoded->entries != NULL && source->mapping.records == NULL;

    return entries ? decoded->entries : decoded->root;
}

/* The paths below a mapping that are looked for in an answer and may lead anywhere in it. */
static size_t count_mapping_paths(const struct mapping *mapping)
{
    size_t count = mapping->records != NULL && !jsonpath_is_singular(mapping->records);

    for (size_t i = 0; i < mapping->field_count; i++)
        count += mapping->fields[i].path != NULL && !jsonpath_is_singular(mapping->fields[i].path);
    for (size_t i = 0; i < mapping->child_count; i++)
        count += count_mapping_paths(&mapping->children[i]);
    return count;
}

static size_t count_paths(const struct source *source)
{
    size_t count = count_mapping_paths(&source->mapping);

    if (source->incremental != NULL)
        count += !jsonpath_is_singular(source->incremental->cursor_path);
    return count;
}

/* A line that has no such arrays is rejected alone. */
static int zip_lines(const struct mapping *mapping, const struct node *lines, struct arena *arena,
                     struct records *records)
{
    for (const struct node *line = lines + 1; line < node_end(lines); line = node_next(line)) {
        if (reshape_zip(mapping->zip, line, arena, records) == -1)
            return -1;
    }
    return 0;
}

static int zip_records(const struct mapping *mapping, const struct decoded *decoded,
                       struct arena *arena, struct records *records)
{
    if (decoded->lines)
        return zip_lines(mapping, decoded->root, arena, records);
    if (reshape_zip(mapping->zip, decoded->root, arena, records) == -1)
        return -1;
    if (records->count == 1 && records->list[0].rejected != NULL)
        *records = (struct records){.failure = records->list[0].rejected};
    return 0;
}

static int select_records(struct extractor *e, const struct source *source,
                          const struct decoded *decoded, struct records *records)
{
    const struct mapping *mapping = &source->mapping;

    *records = (struct records){0};
    if (mapping->zip != NULL)
        return zip_records(mapping, decoded, e->arena, records);
    return records_select(mapping->records, mapping->key_as != NULL, records_root(source, decoded),
                          decoded->lines, source->pagination != NULL || source->may_lack_records,
                          &e->paths, records);
}

int extract_rows(const struct source *source, const struct decoded *decoded, struct arena *arena,
                 struct computer *computer, struct result *result, const char **failure)
{
    struct extractor e = {.arena = arena,
                          .document = decoded->root,
                          .lines =
                              decoded->lines && decoded->root->length > 0 ? decoded->root : NULL,
                          .computer = computer,
                          .result = result,
                          .cells_left = FREE_CELLS + CELLS_PER_BYTE * decoded->text_bytes,
                          .locator = {.body = result->body}};
    struct records records;
    int rc;

    *failure = NULL;
    if (computer != NULL)
        computer_begin(computer);
    jsonpath_begin(&e.paths, arena, decoded->root, decoded->text_bytes, count_paths(source));
    if (select_records(&e, source, decoded, &records) == -1 ||
        records_add_rejected(&records, decoded->rejected, decoded->rejected_count, arena) == -1 ||
        reshape_records(&source->mapping, arena, &records, 0) == -1)
        return -1;
    result->records = records.count;
    if (records.failure != NULL) {
        *failure = records.failure;
        return 0;
    }
    if (source->incremental != NULL) {
        if (incremental_select(result->run, &records, &e.paths, failure) == -1)
            return -1;
        if (*failure != NULL)
            return 0;
    }
    rc = extract_all(&e, &source->mapping, &records, failure);
    text_free(&e.scratch);
    return rc;
}
