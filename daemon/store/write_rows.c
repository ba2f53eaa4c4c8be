/*
 * The rows of one result into its tables: the source's own first, then those of its children, each
 * behind its parents. Only what is in its table has children there.
 */
#include <stdlib.h>

#include "gatherd/json.h"
#include "store/children.h"
#include "store/contract.h"
#include "store/parts.h"
#include "store/table.h"

struct rejection {
    struct store *store;
    const struct result *result;
    struct outcome *outcome;
    const struct moment *moment;
    const char *table;           /* of children; NULL: the source's */
    struct json_locator locator; /* in the body */
};

struct job {
    struct store *store;
    const struct result *result;
    struct outcome *outcome;
    const struct moment *moment;
    struct outcome children; /* counts of their rows */
    struct rejection rejection;
    struct rejecter rejecter;
    int64_t fetched_ms;
    struct contract_view view; /* of the rows of the table at hand */
    uint8_t *fates;            /* owned: of all rows, set behind set; NULL: there are no children */
};

static int reject_row(void *context, const struct row *row, const char *reason, struct error *err)
{
    struct rejection *r = context;
    struct dead_letter letter = {
        .record = row->record, .position = row->position, .table = r->table, .reason = reason};

    if (row->record != NULL && row->record->raw != NULL && r->result->body != NULL)
        json_locate(&r->locator, (size_t)(row->record->raw - r->result->body), &letter.line,
                    &letter.column);
    r->outcome->rejected++;
    return dead_letters_add(&r->store->dead_letters, r->result, r->outcome, &letter, r->moment,
                            err);
}

/* When the response was there: now, less the time it waited. */
static int64_t fetched_ms(const struct run *run, const struct moment *moment)
{
    if (run->received_mono_us == 0)
        return moment->wall_ms;
    return moment->wall_ms - (moment->monotonic_us - run->received_mono_us) / 1000;
}

static uint8_t *fates_of(const struct job *job, const struct row_set *set)
{
    uint8_t *fates = job->fates;

    if (fates == NULL || set == &job->result->rows)
        return fates;
    fates += job->result->rows.row_count;
    for (const struct row_set *s = job->result->children; s != set; s++)
        fates += s->row_count;
    return fates;
}

/* The table is made to fit; `writing` is ready for table_begin(). */
static int prepare_writing(struct job *job, const struct mapping *mapping,
                           const struct row_set *set, struct writing *writing, struct error *err)
{
    struct schema *schema = job->store->schema;
    const struct table *table = schema_table(schema, mapping->table, err);

    contract_view_free(&job->view);
    if (table == NULL || contract_apply(job->store->db, table, mapping, set, job->outcome,
                                        job->moment, &job->view, err) == -1)
        return -1;
    *writing = (struct writing){.mapping = mapping,
                                .set = job->view.set,
                                .outcome = set->parents == NULL ? job->outcome : &job->children,
                                .rejecter = &job->rejecter,
                                .fates = fates_of(job, set)};
    writing->layout = schema_fit(schema, mapping, writing->set, job->outcome, job->moment, err);
    return writing->layout == NULL ? -1 : 0;
}

static int write_own_rows(struct job *job, struct error *err)
{
    const struct row_set *set = &job->result->rows;
    struct writing writing;
    int rc;

    if (prepare_writing(job, &job->result->run->source->mapping, set, &writing, err) == -1)
        return -1;
    table_begin(&writing, job->fetched_ms);
    rc = table_write(&writing, 0, set->row_count, err);
    table_end(&writing);
    return rc;
}

/* --- Children --- */

/* Of what was there before, insert_only keeps the children too. */
static bool takes_children(enum write_mode mode, uint8_t fate)
{
    return fate == ROW_INSERTED || (mode == WRITE_UPSERT && fate != ROW_LEFT);
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
    if (writing->mapping->write_mode != WRITE_UPSERT ||
        !is_whole(writing->set, writing->fates, family->parent, first, end))
        return 0;
    return children_remove_vanished(family, writing->layout, first, end, err);
}

static int write_families(struct job *job, struct writing *writing, struct error *err)
{
    const struct row_set *set = writing->set;
    const uint8_t *parent_fates = fates_of(job, set->parents);
    struct family family = {.db = job->store->db, .schema = job->store->schema, .set = set};
    size_t first = 0;
    int rc = 0;

    for (size_t p = 0; p < set->parents->row_count && rc == 0; p++) {
        size_t end = first;

        while (end < set->row_count && set->rows[end].parent == p)
            end++;
        family.parent = p;
        if (takes_children(writing->mapping->write_mode, parent_fates[p]))
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
    int rc;

    if (prepare_writing(job, set->mapping, set, &writing, err) == -1)
        return -1;
    job->rejection.table = set->mapping->table;
    table_begin(&writing, job->fetched_ms);
    rc = write_families(job, &writing, err);
    table_end(&writing);
    return rc;
}

/* --- All of them --- */

static int write_sets(struct job *job, struct error *err)
{
    const struct result *result = job->result;

    if (write_own_rows(job, err) == -1)
        return -1;
    job->children.run_id = job->outcome->run_id;
    for (size_t i = 0; i < result->child_count; i++) {
        if (write_children(job, &result->children[i], err) == -1)
            return -1;
    }
    job->outcome->child_rows += job->children.inserted + job->children.updated;
    return 0;
}

/* What one table cannot take is in none of them: the others are undone. */
static int write_together(struct job *job, struct error *err)
{
    sqlite3 *db = job->store->db;
    struct error cause = {0};

    job->fates = calloc(result_row_count(job->result) + 1, sizeof(job->fates[0]));
    if (job->fates == NULL) {
        error_set(err, ERROR_NOMEM, "rows: out of memory");
        return -1;
    }
    if (sqlite_exec(db, "SAVEPOINT family", err) == -1)
        return -1;
    if (write_sets(job, &cause) == 0)
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

int store_write_rows(struct store *store, const struct result *result, struct outcome *outcome,
                     const struct moment *moment, struct error *err)
{
    struct job job = {.store = store,
                      .result = result,
                      .outcome = outcome,
                      .moment = moment,
                      .rejection = {store, result, outcome, moment, NULL, {.body = result->body}},
                      .fetched_ms = fetched_ms(result->run, moment)};
    int rc;

    outcome->unchanged = result->left_out;
    if (result->rows.row_count == 0 && result->rows.column_count == 0)
        return 0;
    job.rejecter = (struct rejecter){reject_row, &job.rejection};
    rc = result->child_count == 0 ? write_own_rows(&job, err) : write_together(&job, err);
    contract_view_free(&job.view);
    free(job.fates);
    return rc;
}
