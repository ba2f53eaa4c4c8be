/*
 * The rows of one result into its tables: the source's own first, then those of its children, each
 * behind its parents. Only what is in its table has children there.
 */
#include <stdlib.h>

#include "store/children.h"
#include "store/history.h"
#include "store/job.h"
#include "store/walk.h"

/* --- Rows that are rejected --- */

static size_t number_of(const struct job *job, const struct row_set *set)
{
    return set == job->rows ? 0 : (size_t)(set - job->children) + 1;
}

static void find_origin(struct job *job, const struct row *row, struct dead_letter *letter)
{
    const struct spooled *origin;

    if (job->piece == NULL) {
        letter->record = row->record;
        if (row->record != NULL && row->record->raw != NULL && job->result->body != NULL)
            json_locate(&job->locator, (size_t)(row->record->raw - job->result->body),
                        &letter->line, &letter->column);
        return;
    }
    origin = &job->piece->origins[number_of(job, job->set)][row - job->view.set->rows];
    letter->line = origin->line;
    letter->column = origin->column;
    letter->kept = &origin->record;
}

static int reject_row(void *context, const struct row *row, const char *reason, struct error *err)
{
    struct job *job = context;
    struct dead_letter letter = {.position = row->position, .reason = reason};

    if (job->set != job->rows)
        letter.table = job->set->mapping->table;
    find_origin(job, row, &letter);
    return store_add_letter(job->store, job->result, job->outcome, &letter, job->moment, err);
}

/* --- The sets at hand --- */

const struct mapping *job_mapping(const struct job *job, const struct row_set *set)
{
    return set == job->rows ? &job->result->run->source->mapping : set->mapping;
}

static size_t count_rows(const struct job *job)
{
    size_t count = job->rows->row_count;

    for (size_t i = 0; i < job->child_count; i++)
        count += job->children[i].row_count;
    return count;
}

static uint8_t *fates_of(const struct job *job, const struct row_set *set)
{
    uint8_t *fates = job->fates;

    if (fates == NULL || set == job->rows)
        return fates;
    fates += job->rows->row_count;
    for (const struct row_set *s = job->children; s != set; s++)
        fates += s->row_count;
    return fates;
}

int job_take(struct job *job, const struct spool_piece *piece, struct error *err)
{
    const struct result *result = job->result;

    job->piece = piece;
    job->rows = piece != NULL ? &piece->rows : &result->rows;
    job->children = piece != NULL ? piece->children : result->children;
    job->child_count = piece != NULL ? piece->child_count : result->child_count;
    job->fetched_ms = piece != NULL ? piece->fetched_ms : job->outcome->fetched_ms;
    free(job->fates);
    job->fates = NULL;
    if (job->child_count == 0)
        return 0;
    job->fates = calloc(count_rows(job) + 1, sizeof(job->fates[0]));
    if (job->fates != NULL)
        return 0;
    error_set(err, ERROR_NOMEM, "rows: out of memory");
    return -1;
}

void job_free(struct job *job)
{
    contract_view_free(&job->view);
    free(job->fates);
}

int job_prepare(struct job *job, const struct row_set *set, struct writing *writing,
                struct error *err)
{
    const struct mapping *mapping = job_mapping(job, set);
    struct schema *schema = job->store->schema;
    const struct table *table;

    job->set = set;
    contract_view_free(&job->view);
    *writing = (struct writing){.mapping = mapping,
                                .outcome = set == job->rows ? job->outcome : &job->child_outcome,
                                .rejecter = &job->rejecter,
                                .fates = fates_of(job, set)};
    if (set->row_count == 0 && set->column_count == 0)
        return 0;
    table = schema_table(schema, mapping->table, err);
    if (table == NULL || contract_apply(job->store->db, table, mapping, set, job->outcome,
                                        job->moment, &job->view, err) == -1)
        return -1;
    writing->set = job->view.set;
    writing->layout = schema_fit(schema, mapping, writing->set, job->outcome, job->moment, err);
    if (writing->layout == NULL)
        return -1;
    if (mapping->write_mode != WRITE_HISTORY)
        return 1;
    writing->versions = history_fit(schema, mapping, writing->set, job->outcome, job->moment, err);
    return writing->versions == NULL ? -1 : 1;
}

static int write_own_rows(struct job *job, struct error *err)
{
    struct writing writing;
    int rc = job_prepare(job, job->rows, &writing, err);

    if (rc != 1)
        return rc;
    writing.notes_seen = job->notes_seen;
    rc = table_begin(&writing, job->fetched_ms, err);
    if (rc == 0)
        rc = table_write(&writing, 0, writing.set->row_count, err);
    table_end(&writing);
    job->outcome->present += writing.present;
    return rc;
}

/* --- Children --- */

/* Of what was there before, insert_only keeps the children too. */
static bool takes_children(const struct layout *layout, uint8_t fate)
{
    return fate == ROW_INSERTED ||
           (layout->updates && (fate == ROW_UPDATED || fate == ROW_UNCHANGED));
}

static bool is_whole(const struct row_set *set, const uint8_t *fates, size_t parent, size_t first,
                     size_t end)
{
    if (set->lacking != NULL && set->lacking[parent])
        return false;
    for (size_t i = first; i < end; i++) {
        if (fates[i] == ROW_LEFT)
            return false;
    }
    return true;
}

/* The children of one parent, and without those that it has no more. */
static int write_family(struct writing *writing, struct family *family, size_t first, size_t end,
                        struct error *err)
{
    if (table_write(writing, first, end, err) == -1)
        return -1;
    if (!writing->layout->updates ||
        !is_whole(writing->set, writing->fates, family->parent, first, end))
        return 0;
    return children_remove_vanished(family, writing->layout, first, end, err);
}

static int write_families(struct job *job, struct writing *writing, struct error *err)
{
    const struct row_set *set = writing->set;
    const uint8_t *parent_fates = fates_of(job, set->parents);
    struct family family = {.db = job->store->db,
                            .schema = job->store->schema,
                            .set = set,
                            .time = writing->fetched_at};
    size_t first = 0;
    int rc = 0;

    for (size_t p = 0; p < set->parents->row_count && rc == 0; p++) {
        size_t end = first;

        while (end < set->row_count && set->rows[end].parent == p)
            end++;
        family.parent = p;
        if (takes_children(writing->layout, parent_fates[p]))
            rc = write_family(writing, &family, first, end, err);
        first = end;
    }
    job->outcome->child_rows += family.removed;
    family_free(&family);
    return rc;
}

static int write_children(struct job *job, const struct row_set *set, struct error *err)
{
    struct writing writing;
    int rc = job_prepare(job, set, &writing, err);

    if (rc != 1)
        return rc;
    rc = table_begin(&writing, job->fetched_ms, err);
    if (rc == 0)
        rc = write_families(job, &writing, err);
    table_end(&writing);
    return rc;
}

/* --- All of them --- */

int job_write(struct job *job, struct error *err)
{
    if (job->rows->row_count == 0 && job->rows->column_count == 0)
        return 0;
    if (write_own_rows(job, err) == -1)
        return -1;
    job->child_outcome = (struct outcome){.run_id = job->outcome->run_id};
    for (size_t i = 0; i < job->child_count; i++) {
        if (write_children(job, &job->children[i], err) == -1)
            return -1;
    }
    job->outcome->child_rows += job->child_outcome.inserted + job->child_outcome.updated;
    return 0;
}

/* What one table cannot take is in none of them: the others are undone. */
static int write_together(struct job *job, struct error *err)
{
    sqlite3 *db = job->store->db;
    struct error cause = {0};

    if (sqlite_exec(db, "SAVEPOINT family", err) == -1)
        return -1;
    if (job_write(job, &cause) == 0)
        return sqlite_exec(db, "RELEASE family", err);
    *err = cause;
    if (cause.code != ERROR_FAILED || sqlite3_get_autocommit(db) != 0)
        return -1;
    schema_undone(job->store->schema);
    cause = (struct error){0};
    if (sqlite_exec(db, "ROLLBACK TO family; RELEASE family", &cause) == -1)
        *err = cause;
    return -1;
}

static int write_by_mode(struct job *job, struct error *err)
{
    if (walk_finds_missing(&job->result->run->source->mapping))
        return job_write_walk(job, err);
    return job->child_count == 0 ? job_write(job, err) : write_together(job, err);
}

int store_write_rows(struct store *store, const struct result *result, struct outcome *outcome,
                     const struct moment *moment, struct error *err)
{
    struct job job = {.store = store,
                      .result = result,
                      .outcome = outcome,
                      .moment = moment,
                      .locator = {.body = result->body}};
    int rc;

    outcome->unchanged = result->left_out;
    job.rejecter = (struct rejecter){reject_row, &job};
    rc = job_take(&job, NULL, err);
    if (rc == 0)
        rc = write_by_mode(&job, err);
    job_free(&job);
    return rc;
}
