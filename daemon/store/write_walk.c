/* The rows of a walk: see walk.h. What it did not bring is known at its end. */
#include "store/job.h"
#include "store/missing.h"
#include "store/replace.h"
#include "store/walk.h"

static const struct mapping *mapping_of(const struct job *job)
{
    return &job->result->run->source->mapping;
}

/* --- What is missing --- */

static int make_seen(struct job *job, struct error *err)
{
    job->outcome->noted = true;
    return walk_make_seen(job->store->db, mapping_of(job)->primary_key_count, err);
}

/* A second look at the rows of a walk of one response, whose keys are needed after all. */
static int note_present(struct job *job, struct error *err)
{
    struct writing writing;
    int rc;

    if (make_seen(job, err) == -1)
        return -1;
    rc = job_prepare(job, job->rows, &writing, err);
    if (rc != 1)
        return rc;
    rc = table_begin(&writing, job->fetched_ms, err);
    if (rc == 0)
        rc = table_note_seen(&writing, err);
    table_end(&writing);
    return rc;
}

static int settle(struct job *job, struct error *err)
{
    char time[CLOCK_TEXT_SIZE];
    const struct missing missing = {.db = job->store->db,
                                    .schema = job->store->schema,
                                    .result = job->result,
                                    .outcome = job->outcome,
                                    .time = clock_format(job->fetched_ms, time)};

    if (!job->notes_seen) {
        int any = missing_any(&missing, err);

        if (any != 1)
            return any;
        if (note_present(job, err) == -1)
            return -1;
    }
    return missing_settle(&missing, err);
}

/* --- All pages of a walk --- */

typedef int page_fn(struct job *job, void *context, struct error *err);

static int for_each_spooled(struct job *job, struct spool *spool, page_fn *function, void *context,
                            struct error *err)
{
    struct spool_piece piece;
    int rc;

    while ((rc = spool_next(spool, &piece, err)) == 1) {
        rc = job_take(job, &piece, err);
        if (rc == 0)
            rc = function(job, context, err);
        if (rc != 0)
            return rc;
    }
    return rc;
}

/* The earlier ones come out of the spool. Ends at the first function that does not return 0. */
static int for_each_page(struct job *job, page_fn *function, void *context, struct error *err)
{
    const struct run *run = job->result->run;
    struct spool *spool;
    int rc = 0;

    if (run_unfinished_id(run) != 0) {
        spool = spool_open(job->store->db, job->outcome->run_id, run->source, err);
        rc = spool == NULL ? -1 : for_each_spooled(job, spool, function, context, err);
        spool_close(spool);
    }
    if (job_take(job, NULL, err) == -1)
        return -1;
    return rc == 0 ? function(job, context, err) : rc;
}

static int write_page(struct job *job, void *context, struct error *err)
{
    (void)context;
    return job_write(job, err);
}

/* --- Replacing, with a key and without --- */

static int replace_by_key(struct job *job, struct error *err)
{
    job->notes_seen = run_unfinished_id(job->result->run) != 0;
    if (job->notes_seen && make_seen(job, err) == -1)
        return -1;
    return for_each_page(job, write_page, NULL, err) == -1 ? -1 : settle(job, err);
}

/* 0: the set is what comes next in its table; 1: it is not. */
static int compare_set(struct job *job, struct replacement *r, const struct row_set *set,
                       size_t table, struct error *err)
{
    struct writing writing;
    int rc = job_prepare(job, set, &writing, err);

    if (rc == 1)
        rc = replacement_compare(r, writing.layout, writing.set, table, err);
    else if (rc == 0)
        rc = 1;
    if (table == 0)
        job->outcome->unchanged += set->row_count;
    return rc == -1 ? -1 : rc == 0;
}

static int compare_page(struct job *job, void *context, struct error *err)
{
    struct replacement *r = context;
    int rc = compare_set(job, r, job->rows, 0, err);

    for (size_t i = 0; i < job->child_count && rc == 0; i++)
        rc = compare_set(job, r, &job->children[i], i + 1, err);
    return rc;
}

/* Whether the tables end where the walk does. */
static int compare_ends(struct replacement *r, const struct mapping *mapping, size_t *table,
                        struct error *err)
{
    int rc = replacement_is_whole(r, mapping, (*table)++, err);

    for (size_t i = 0; i < mapping->child_count && rc == 1; i++)
        rc = compare_ends(r, &mapping->children[i], table, err);
    return rc;
}

/* 1: the walk brought what is there, row by row. */
static int is_same(struct job *job, struct replacement *r, struct error *err)
{
    const struct mapping *mapping = mapping_of(job);
    size_t table = 0;
    int rc = replacement_begin(r, mapping_count_tables(mapping), err);

    if (rc != 1)
        return rc;
    rc = for_each_page(job, compare_page, r, err);
    if (rc != 0)
        return rc == -1 ? -1 : 0;
    return compare_ends(r, mapping, &table, err);
}

static int write_anew(struct job *job, struct replacement *r, struct error *err)
{
    job->outcome->unchanged = job->result->left_out; /* what had been counted as the same */
    if (replacement_clear(r, err) == -1 || for_each_page(job, write_page, NULL, err) == -1)
        return -1;
    return missing_check_shrink(mapping_of(job), job->outcome, r->there,
                                (int64_t)job->outcome->inserted, err);
}

static int replace_by_place(struct job *job, struct error *err)
{
    struct replacement r = {.db = job->store->db,
                            .schema = job->store->schema,
                            .run = job->result->run,
                            .outcome = job->outcome};
    int rc = is_same(job, &r, err);

    if (rc == 0)
        rc = write_anew(job, &r, err);
    else if (rc == 1)
        rc = 0;
    replacement_end(&r);
    return rc;
}

/* --- One response of a walk --- */

/*
 * A record that could not be read is there and has an unknown key: which rows are gone is not known
 * then. An answer that is to be ignored says nothing of the table, unless it ends the pages.
 */
static bool leaves_gaps(const struct job *job)
{
    const struct run *run = job->result->run;

    if ((run->pages != NULL && run->pages->gaps) || (run->ignored && run_page(run) <= 1))
        return true;
    if (mapping_of(job)->write_mode == WRITE_REPLACE)
        return false;
    for (size_t i = 0; i < job->result->dead_letter_count; i++) {
        if (job->result->dead_letters[i].table == NULL) /* a child's has no part in its key */
            return true;
    }
    return false;
}

static int replace(struct job *job, struct error *err)
{
    bool paged = job->result->more || run_unfinished_id(job->result->run) != 0;

    job->outcome->noted = paged;
    if (job->result->more)
        return spool_add(job->store->db, job->outcome->run_id, job->result, job->fetched_ms, err);
    if (job->outcome->gaps)
        return 0;
    return mapping_of(job)->primary_key_count > 0 ? replace_by_key(job, err)
                                                  : replace_by_place(job, err);
}

static int update(struct job *job, struct error *err)
{
    job->notes_seen = job->result->more || run_unfinished_id(job->result->run) != 0;
    if (job->notes_seen && make_seen(job, err) == -1)
        return -1;
    if (job_write(job, err) == -1)
        return -1;
    return job->result->more || job->outcome->gaps ? 0 : settle(job, err);
}

/* Without an answer of its own it is no walk: nothing is missing from what was not asked for. */
static bool is_no_answer(const struct run *run)
{
    return run_is_round(run) || run->silent || run->not_modified;
}

int job_write_walk(struct job *job, struct error *err)
{
    sqlite3 *db = job->store->db;
    struct error cause = {0};
    int rc;

    if (is_no_answer(job->result->run))
        return 0;
    job->outcome->gaps = leaves_gaps(job);
    rc = mapping_of(job)->write_mode == WRITE_REPLACE ? replace(job, &cause) : update(job, &cause);
    if (rc == 0)
        return 0;
    *err = cause;
    /* Some of the rows may be written: the run is refused, and nothing of it can stay. */
    if (cause.code == ERROR_FAILED && sqlite3_get_autocommit(db) == 0)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return -1;
}
