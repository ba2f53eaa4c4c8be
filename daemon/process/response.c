#include <assert.h>

#include "gatherd/processor.h"
#include "process/decode.h"
#include "process/extract.h"
#include "process/page.h"
#include "process/unchanged.h"

#define STATUS_NO_CONTENT 204

/* The whole body becomes the run's one dead letter, because of the run's failure. */
static void keep_body(const struct run *run, struct dead_letter *letter, struct result *result)
{
    if (run->response.body == NULL)
        return; /* nothing came: the run's own record says all there is to say */
    letter->reason = run->error != NULL ? run->error : run_failure_name(run->failure);
    result->dead_letters = letter;
    result->dead_letter_count = 1;
}

/*
 * Fails the run with what is wrong in its body. The run is touched only when nothing can fail any
 * more, so that a caller who is out of memory may try again.
 */
static int fail(struct run *run, struct dead_letter position, enum run_failure failure,
                const char *reason, struct arena *arena, struct result *result)
{
    struct dead_letter *letter = arena_alloc(arena, sizeof(*letter));

    if (letter == NULL)
        return -1;
    *letter = position;
    *result = (struct result){.run = run, .body = run->response.body};
    run_fail(run, failure, "%s", reason);
    keep_body(run, letter, result);
    return 0;
}

static int keep_failed_fetch(struct run *run, struct arena *arena, struct result *result)
{
    struct dead_letter *letter = arena_alloc(arena, sizeof(*letter));

    if (letter == NULL)
        return -1;
    *letter = (struct dead_letter){0};
    keep_body(run, letter, result);
    return 0;
}

/* RFC 9110, 15.3.5: there is no content, and that is the answer. */
static bool is_answer_without_content(const struct response *response)
{
    return response->status == STATUS_NO_CONTENT && response->body_bytes == 0;
}

/* Decides what follows; `root` NULL: an answer without content. */
static int find_next_page(struct run *run, const struct node *root, struct arena *arena,
                          struct result *result)
{
    struct page_step step;

    if (run->replayed != NULL) {
        result->more = run->replayed->more; /* the way was gone */
        return 0;
    }
    if (run->source->pagination == NULL)
        return 0;
    assert(run->pages != NULL);
    if (page_decide(run, root, result->records, arena, &step) == -1)
        return -1;
    switch (step.verdict) {
    case PAGE_BROKEN:
        return fail(run, (struct dead_letter){0}, RUN_FAILED_PAGES, step.reason, arena, result);
    case PAGE_FOLLOWS:
        if (pages_follow(run->pages, step.text, step.position) == -1)
            return -1;
        run->pages->exchange = step.exchange;
        result->more = true;
        break;
    case PAGE_LAST:
        pages_end(run->pages);
        break;
    }
    unchanged_check_pages(run, result);
    return 0;
}

/*
 * How far the position is with this response. Records in descending order that have come to what is
 * known make another page needless; in ascending order each page can be saved by itself.
 */
static int settle_position(struct run *run, struct result *result)
{
    const struct incremental *rule = run->source->incremental;

    if (rule == NULL || run->failure != RUN_OK || run->replayed != NULL)
        return 0;
    if (result->more && run->state.position->passed) {
        pages_end(run->pages);
        result->more = false;
    }
    if (position_settle(run->state.position, rule) == -1)
        return -1;
    run->again = !result->more && position_has_more(run->state.position);
    return 0;
}

static int decode(const struct run *run, struct arena *arena, struct decoded *decoded)
{
    if (run->replayed != NULL && run->replayed->is_record)
        return decode_record(&run->response, run->source, arena, decoded);
    return decode_response(&run->response, run->source, arena, decoded);
}

static int process_answer(struct run *run, struct arena *arena, struct computer *computer,
                          struct result *result)
{
    struct decoded decoded;
    const char *failure;

    if (run->failure != RUN_OK)
        return keep_failed_fetch(run, arena, result);
    if (run->silent || run->not_modified)
        return 0;
    if (run->ignored || is_answer_without_content(&run->response))
        return find_next_page(run, NULL, arena, result);
    if (run->replayed == NULL && unchanged_compare(run) == -1)
        return -1;
    if (run->not_modified)
        return 0;
    if (decode(run, arena, &decoded) == -1)
        return -1;
    if (decoded.root == NULL)
        return fail(run, (struct dead_letter){.line = decoded.line, .column = decoded.column},
                    decoded.failure, decoded.reason, arena, result);
    result->body = decoded.text;
    result->form = decoded.form;
    if (extract_rows(run->source, &decoded, arena, computer, result, &failure) == -1)
        return -1;
    if (failure != NULL)
        return fail(run, (struct dead_letter){0}, RUN_FAILED_RECORDS, failure, arena, result);
    return find_next_page(run, decoded.root, arena, result);
}

int process_response(struct run *run, struct arena *arena, struct computer *computer,
                     struct result *result)
{
    *result = (struct result){.run = run, .body = run->response.body};
    run->again = false;
    if (run->source->incremental != NULL && position_start_page(run->state.position) == -1)
        return -1;
    if (process_answer(run, arena, computer, result) == -1)
        return -1;
    result->rows.replayed = run->replayed != NULL;
    for (size_t i = 0; i < result->child_count; i++)
        result->children[i].replayed = run->replayed != NULL;
    return settle_position(run, result);
}
