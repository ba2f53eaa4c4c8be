#include "test.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/clock.h"
#include "gatherd/processor.h"

#define MOST_RUNS    512
#define LONG_MS      60000
#define MOST_BATCHES 512

/* What the hooks saw. The processors write it, the test reads it after they are joined. */
struct watched {
    struct queue *queue;
    struct source source;
    struct run runs[MOST_RUNS];
    size_t run_count;

    pthread_mutex_t mutex; /* guards everything below */
    bool refuse;           /* the commit fails each run, as a table may */
    int retries;           /* commits still to be refused with STORE_RETRY */
    bool fail_in_retry;    /* those mark the first run as failed, as a real one may */
    bool fatal_commit;
    size_t batch_sizes[MOST_BATCHES];
    size_t batches;
    size_t rows;
    size_t letters;
    size_t plans;
    size_t committed;
    size_t finished;
    size_t next_pages; /* of them */
    size_t fatals;
    struct error fatal;
    size_t committed_at_first_finish;
    size_t unfinished_at_commit;
    size_t dirty; /* results that came to a commit with counts of an earlier try */
    size_t failed;
    size_t out_of_order; /* committed or finished with something wrong */
    char thread_name[16];
    bool signals_blocked;
};

struct fixture {
    struct watched watched;
    struct processor *processors[4];
    size_t processor_count;
};

static void on_plan(void *context, struct run *run)
{
    struct watched *w = context;

    pthread_mutex_lock(&w->mutex);
    w->plans++;
    run->next_due_ms = 42;
    pthread_mutex_unlock(&w->mutex);
}

static void look_at_thread(struct watched *w)
{
    sigset_t blocked;

    pthread_getname_np(pthread_self(), w->thread_name, sizeof(w->thread_name));
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    w->signals_blocked = sigismember(&blocked, SIGTERM) == 1 &&
                         sigismember(&blocked, SIGHUP) == 1 && sigismember(&blocked, SIGINT) == 1;
}

static void take_results(struct watched *w, struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct result *result = &batch->results[i];

        if (w->refuse)
            run_fail(result->run, RUN_FAILED_STORE, "not this one");
        w->rows += result->rows.row_count;
        w->letters += result->dead_letter_count;
        w->failed += result->run->failure != RUN_OK;
        w->dirty += result->inserted != 0 || result->rejected != 0;
        w->out_of_order += result->run->next_due_ms != 42; /* planned before the commit */
        result->inserted = result->rows.row_count;
    }
}

static enum store_status on_commit(void *context, struct batch *batch, struct error *err)
{
    struct watched *w = context;
    enum store_status status = STORE_OK;

    pthread_mutex_lock(&w->mutex);
    look_at_thread(w);
    if (w->retries > 0) {
        w->retries--;
        batch->results[0].inserted = 99;
        batch->results[0].rejected = 99;
        if (w->fail_in_retry)
            run_fail(batch->results[0].run, RUN_FAILED_STORE, "from a rolled back transaction");
        error_set(err, ERROR_SPACE, "database or disk is full");
        status = STORE_RETRY;
    } else if (w->fatal_commit) {
        error_set(err, ERROR_IO, "disk I/O error");
        status = STORE_FATAL;
    } else {
        w->unfinished_at_commit = queue_stats(w->queue).unfinished;
        w->batch_sizes[w->batches++ % MOST_BATCHES] = batch->count;
        take_results(w, batch);
    }
    pthread_mutex_unlock(&w->mutex);
    return status;
}

static void on_committed(void *context, const struct result *result)
{
    struct watched *w = context;

    pthread_mutex_lock(&w->mutex);
    w->committed++;
    w->out_of_order += result->inserted != result->rows.row_count;
    w->out_of_order += result->run->failure != RUN_OK && result->run->error == NULL;
    pthread_mutex_unlock(&w->mutex);
}

static void on_finished(void *context, struct run *run)
{
    struct watched *w = context;

    pthread_mutex_lock(&w->mutex);
    if (w->finished++ == 0)
        w->committed_at_first_finish = w->committed;
    w->out_of_order += run->response.body != NULL || run->error != NULL;
    pthread_mutex_unlock(&w->mutex);
}

static void on_next_page(void *context, struct run *run)
{
    struct watched *w = context;

    pthread_mutex_lock(&w->mutex);
    w->next_pages++;
    w->out_of_order += run->response.body != NULL || !run->pages->more;
    w->finished++;
    pthread_mutex_unlock(&w->mutex);
}

static void on_fatal(void *context, const struct error *err)
{
    struct watched *w = context;

    pthread_mutex_lock(&w->mutex);
    w->fatals++;
    w->fatal = *err;
    pthread_mutex_unlock(&w->mutex);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->watched.queue = queue_create(0, 0);
    assert_non_null(f->watched.queue);
    f->watched.source.name = "test";
    pthread_mutex_init(&f->watched.mutex, NULL);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < f->watched.run_count; i++) {
        run_clear_response(&f->watched.runs[i]);
        pages_free(f->watched.runs[i].pages);
    }
    queue_free(f->watched.queue);
    pthread_mutex_destroy(&f->watched.mutex);
    free(f);
    return 0;
}

static struct run *put(struct fixture *f, const char *body)
{
    struct watched *w = &f->watched;
    struct run *run = &w->runs[w->run_count++];

    run->source = &w->source;
    run->response.status = 200;
    run->response.body = strdup(body);
    run->response.body_bytes = strlen(body);
    assert_int_equal(queue_put(w->queue, run, run->response.body_bytes, QUEUE_NO_WAIT), QUEUE_OK);
    return run;
}

static struct processor *start(struct fixture *f, size_t batch_max_rows)
{
    struct processor_options options = {.number = 7, .batch_max_rows = batch_max_rows};
    struct processor_hooks hooks = {.context = &f->watched,
                                    .plan = on_plan,
                                    .commit = on_commit,
                                    .committed = on_committed,
                                    .finished = on_finished,
                                    .next_page = on_next_page,
                                    .fatal = on_fatal};
    struct error err = {0};
    struct processor *p = processor_start(&options, f->watched.queue, &hooks, &err);

    assert_string_equal(err.text, "");
    assert_non_null(p);
    f->processors[f->processor_count++] = p;
    return p;
}

static void join_all(struct fixture *f)
{
    for (size_t i = 0; i < f->processor_count; i++)
        processor_free(f->processors[i]);
    f->processor_count = 0;
}

/* Everything is done, in order, and nothing was left. */
static void drain(struct fixture *f)
{
    struct watched *w = &f->watched;

    queue_shutdown(w->queue, QUEUE_DRAIN, NULL, NULL);
    join_all(f);
    assert_int_equal(w->out_of_order, 0);
    assert_int_equal(w->dirty, 0);
    assert_int_equal(w->committed, w->run_count);
    assert_int_equal(w->finished, w->run_count);
    assert_int_equal(queue_stats(w->queue).unfinished, 0);
    assert_int_equal(queue_stats(w->queue).length, 0);
}

static void what_is_put_is_committed_and_then_done(void **state)
{
    struct fixture *f = *state;
    struct watched *w = &f->watched;

    start(f, 1000);
    for (int i = 0; i < 20; i++)
        put(f, "[{\"a\":1},{\"a\":2}]");
    assert_int_equal(queue_join(w->queue, LONG_MS), QUEUE_OK);
    pthread_mutex_lock(&w->mutex);
    assert_int_equal(w->rows, 40); /* join returned: all of it has been committed */
    assert_int_equal(w->committed, 20);
    pthread_mutex_unlock(&w->mutex);
    drain(f);
    assert_int_equal(w->plans, 20);
}

/* Two pages and a last one: page numbers, with a total of pages that the bodies tell. */
static void put_pages(struct fixture *f)
{
    static const struct pagination pagination = {
        .type = PAGINATION_PAGE, .base_page = 1, .max_pages = 10, .stop_after_empty_page = true};
    static const char *const bodies[] = {"[1,2]", "[3]", "[]"};

    f->watched.source.pagination = &pagination;
    for (int i = 0; i < 3; i++) {
        f->watched.runs[i].pages = pages_create(&pagination);
        put(f, bodies[i]);
    }
}

static void a_run_whose_page_has_a_follower_goes_back_for_it(void **state)
{
    struct fixture *f = *state;

    put_pages(f);
    start(f, 1000);
    drain(f);
    assert_int_equal(f->watched.next_pages, 2);
    assert_int_equal(f->watched.plans, 3); /* the table may refuse any of them */
}

static void a_page_that_is_refused_is_the_last(void **state)
{
    struct fixture *f = *state;

    put_pages(f);
    f->watched.refuse = true;
    start(f, 1000);
    drain(f);
    assert_int_equal(f->watched.next_pages, 0);
}

static void a_page_goes_on_after_a_commit_that_was_tried_again(void **state)
{
    struct fixture *f = *state;

    put_pages(f);
    f->watched.retries = 2;
    f->watched.fail_in_retry = true;
    start(f, 1000);
    drain(f);
    assert_int_equal(f->watched.next_pages, 2);
}

static void nothing_is_done_before_its_commit(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 5; i++)
        put(f, "{}");
    start(f, 1000);
    drain(f);
    assert_int_equal(f->watched.batches, 1);
    assert_int_equal(f->watched.unfinished_at_commit, 5);
}

static void all_of_a_batch_is_reported_before_the_first_run_goes_back(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 5; i++)
        put(f, "{}");
    start(f, 1000);
    drain(f);
    assert_int_equal(f->watched.batch_sizes[0], 5);
    assert_int_equal(f->watched.committed_at_first_finish, 5);
}

static void a_batch_ends_when_it_has_its_rows(void **state)
{
    static const size_t sizes[] = {2, 2, 1};
    struct fixture *f = *state;

    for (int i = 0; i < 5; i++)
        put(f, "{\"a\":1}");
    start(f, 2);
    drain(f);
    assert_int_equal(f->watched.batches, 3);
    assert_memory_equal(f->watched.batch_sizes, sizes, sizeof(sizes));
}

static void a_response_with_more_rows_than_a_batch_has_one_of_its_own(void **state)
{
    static const size_t sizes[] = {1, 1, 2};
    struct fixture *f = *state;

    put(f, "[1,2,3]");
    put(f, "[1,2,3,4]");
    put(f, "[1]");
    put(f, "[1]");
    start(f, 2);
    drain(f);
    assert_int_equal(f->watched.batches, 3);
    assert_memory_equal(f->watched.batch_sizes, sizes, sizeof(sizes));
    assert_int_equal(f->watched.rows, 9);
}

static void responses_without_rows_make_one_batch(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 100; i++)
        put(f, "[]");
    start(f, 2);
    drain(f);
    assert_int_equal(f->watched.batches, 1);
}

static void more_than_one_turn_takes_is_all_committed(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 500; i++)
        put(f, "{\"a\":1}");
    start(f, 100000);
    drain(f);
    assert_int_equal(f->watched.rows, 500);
    assert_true(f->watched.batches >= 2);
}

static void a_new_limit_holds_for_the_next_batch(void **state)
{
    struct fixture *f = *state;
    struct watched *w = &f->watched;
    struct processor *p;

    p = start(f, 1000);
    put(f, "{\"a\":1}");
    assert_int_equal(queue_join(w->queue, LONG_MS), QUEUE_OK);
    processor_set_batch_max_rows(p, 1);
    for (int i = 0; i < 4; i++)
        put(f, "{\"a\":1}");
    drain(f);
    assert_int_equal(w->batches, 5);
}

static void a_commit_without_space_is_tried_again_with_the_same_batch(void **state)
{
    struct fixture *f = *state;
    struct watched *w = &f->watched;

    w->retries = 3;
    w->fail_in_retry = true;
    put(f, "{\"a\":1}");
    put(f, "not json");
    start(f, 1000);
    assert_int_equal(queue_join(w->queue, LONG_MS), QUEUE_OK);
    assert_int_equal(processor_stats(f->processors[0]).commit_retries, 3);
    drain(f);
    assert_int_equal(w->batches, 1);
    assert_int_equal(w->batch_sizes[0], 2);
    assert_int_equal(w->rows, 1);
    assert_int_equal(w->letters, 1);
    assert_int_equal(w->failed, 1); /* the one that was not JSON, as before the first try */
    assert_int_equal(w->plans, 2 * 4);
}

static void items_are_held_while_the_commit_is_tried_again(void **state)
{
    struct fixture *f = *state;
    struct watched *w = &f->watched;

    w->retries = 2;
    put(f, "{}");
    start(f, 1000);
    drain(f); /* also shows that a shutdown waits for what is held */
    assert_int_equal(w->unfinished_at_commit, 1);
    assert_int_equal(w->batches, 1);
}

static void a_fatal_commit_is_reported_once_and_nothing_is_done(void **state)
{
    struct fixture *f = *state;
    struct watched *w = &f->watched;

    w->fatal_commit = true;
    put(f, "{\"a\":1}");
    put(f, "{\"a\":2}");
    start(f, 1);
    join_all(f); /* ends by itself */
    assert_int_equal(w->fatals, 1);
    assert_int_equal(w->fatal.code, ERROR_IO);
    assert_string_equal(w->fatal.text, "disk I/O error");
    assert_int_equal(w->committed, 0);
    assert_int_equal(w->finished, 0);
    assert_int_equal(queue_stats(w->queue).unfinished, 2);
    assert_non_null(w->runs[0].response.body); /* untouched */
}

static void a_drained_shutdown_ends_it_after_the_last_item(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 100; i++)
        put(f, "{\"a\":1}");
    queue_shutdown(f->watched.queue, QUEUE_DRAIN, NULL, NULL);
    start(f, 3);
    drain(f);
    assert_int_equal(f->watched.rows, 100);
}

static void an_idle_processor_ends_at_shutdown(void **state)
{
    struct fixture *f = *state;

    start(f, 1000);
    drain(f);
    assert_int_equal(f->watched.batches, 0);
}

static void a_retired_processor_ends_and_leaves_the_queue_to_the_others(void **state)
{
    struct fixture *f = *state;
    struct watched *w = &f->watched;

    processor_retire(start(f, 1000));
    join_all(f);
    put(f, "{}"); /* the queue is still open */
    assert_int_equal(queue_stats(w->queue).length, 1);
    start(f, 1000);
    drain(f);
}

static void a_failed_run_travels_the_same_way(void **state)
{
    struct fixture *f = *state;
    struct watched *w = &f->watched;
    struct run *run = &w->runs[w->run_count++];

    run->source = &w->source;
    run_fail(run, RUN_FAILED_TIMEOUT, "no answer within 30s");
    assert_int_equal(queue_put(w->queue, run, 0, QUEUE_NO_WAIT), QUEUE_OK);
    start(f, 1000);
    drain(f);
    assert_int_equal(w->failed, 1);
    assert_int_equal(w->letters, 0);
    assert_int_equal(w->rows, 0);
}

static void a_body_that_is_no_json_harms_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct watched *w = &f->watched;

    put(f, "{\"a\":1}");
    put(f, "<html>");
    put(f, "{\"a\":2}");
    start(f, 1000);
    drain(f);
    assert_int_equal(w->rows, 2);
    assert_int_equal(w->letters, 1);
    assert_int_equal(w->failed, 1);
}

static void its_thread_has_a_name_and_no_signals(void **state)
{
    struct fixture *f = *state;
    sigset_t mask;

    put(f, "{}");
    start(f, 1000);
    drain(f);
    assert_string_equal(f->watched.thread_name, "processor-7");
    assert_true(f->watched.signals_blocked);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    assert_int_equal(sigismember(&mask, SIGTERM), 0); /* ours are as they were */
}

static void it_counts_and_shows_a_heartbeat(void **state)
{
    struct fixture *f = *state;
    int64_t before_ms = clock_monotonic_ms();
    struct processor *p;
    struct processor_stats stats;

    p = start(f, 1);
    put(f, "{\"a\":1}");
    put(f, "{\"a\":1}");
    assert_int_equal(queue_join(f->watched.queue, LONG_MS), QUEUE_OK);
    stats = processor_stats(p);
    assert_int_equal(stats.responses, 2);
    assert_int_equal(stats.batches, 2);
    assert_int_equal(stats.commit_retries, 0);
    assert_true(stats.heartbeat_ms >= before_ms);
    drain(f);
}

static void several_processors_share_the_work_without_losing_any(void **state)
{
    struct fixture *f = *state;
    struct watched *w = &f->watched;

    w->retries = 2;
    for (int i = 0; i < 4; i++)
        start(f, 5);
    for (int i = 0; i < MOST_RUNS; i++)
        put(f, i % 10 == 0 ? "]" : "[{\"a\":1},{\"b\":\"x\"}]");
    drain(f);
    assert_int_equal(w->failed, (MOST_RUNS + 9) / 10);
    assert_int_equal(w->letters, w->failed);
    assert_int_equal(w->rows, 2 * (MOST_RUNS - w->failed));
}

static void freeing_none_is_allowed(void **state)
{
    (void)state;
    processor_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(what_is_put_is_committed_and_then_done),
        TEST(a_run_whose_page_has_a_follower_goes_back_for_it),
        TEST(a_page_that_is_refused_is_the_last),
        TEST(a_page_goes_on_after_a_commit_that_was_tried_again),
        TEST(nothing_is_done_before_its_commit),
        TEST(all_of_a_batch_is_reported_before_the_first_run_goes_back),
        TEST(a_batch_ends_when_it_has_its_rows),
        TEST(a_response_with_more_rows_than_a_batch_has_one_of_its_own),
        TEST(responses_without_rows_make_one_batch),
        TEST(more_than_one_turn_takes_is_all_committed),
        TEST(a_new_limit_holds_for_the_next_batch),
        TEST(a_commit_without_space_is_tried_again_with_the_same_batch),
        TEST(items_are_held_while_the_commit_is_tried_again),
        TEST(a_fatal_commit_is_reported_once_and_nothing_is_done),
        TEST(a_drained_shutdown_ends_it_after_the_last_item),
        TEST(an_idle_processor_ends_at_shutdown),
        TEST(a_retired_processor_ends_and_leaves_the_queue_to_the_others),
        TEST(a_failed_run_travels_the_same_way),
        TEST(a_body_that_is_no_json_harms_nothing_else),
        TEST(its_thread_has_a_name_and_no_signals),
        TEST(it_counts_and_shows_a_heartbeat),
        TEST(several_processors_share_the_work_without_losing_any),
        cmocka_unit_test(freeing_none_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
