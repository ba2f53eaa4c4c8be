#include "fetch_rig.h"

#include "test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATIENCE_MS 30000

struct rig {
    struct queue *queue;
    struct fetcher *fetcher;
    unsigned attempts;

    pthread_mutex_t mutex; /* guards what follows */
    struct rig_counts counts;
    struct run *due[RIG_RUNS];
    size_t due_count;
    struct run *runs[RIG_RUNS]; /* owned: all that were made */
    size_t run_count;
    struct source *sources[RIG_RUNS]; /* owned */
    size_t source_count;
};

static const struct status_range success[] = {{200, 299}};

static struct run *take(void *context, unsigned lane, int64_t *wait_ms)
{
    struct rig *rig = context;
    struct run *run = NULL;

    assert_int_equal(lane, 3);
    pthread_mutex_lock(&rig->mutex);
    *wait_ms = -1;
    if (rig->due_count > 0) {
        run = rig->due[0];
        rig->due_count--;
        memmove(rig->due, rig->due + 1, rig->due_count * sizeof(rig->due[0]));
        rig->counts.taken++;
    }
    pthread_mutex_unlock(&rig->mutex);
    return run;
}

static void transfer_ended(void *context, struct run *run)
{
    struct rig *rig = context;

    (void)run;
    pthread_mutex_lock(&rig->mutex);
    rig->counts.ended++;
    pthread_mutex_unlock(&rig->mutex);
}

static int64_t retry_delay(void *context, const struct run *run)
{
    struct rig *rig = context;

    pthread_mutex_lock(&rig->mutex);
    rig->counts.retry_after_ms = run->retry_after_ms;
    pthread_mutex_unlock(&rig->mutex);
    return run->attempt + 1 < rig->attempts ? 0 : -1;
}

static void retry(void *context, struct run *run, int64_t delay_ms)
{
    struct rig *rig = context;

    assert_int_equal(delay_ms, 0);
    assert_null(run->response.body);
    assert_null(run->error);
    run->attempt++;
    pthread_mutex_lock(&rig->mutex);
    rig->counts.retried++;
    rig->due[rig->due_count++] = run;
    pthread_mutex_unlock(&rig->mutex);
}

static void give_up(void *context, struct run *run)
{
    struct rig *rig = context;

    assert_null(run->response.body);
    pthread_mutex_lock(&rig->mutex);
    rig->counts.given_up++;
    pthread_mutex_unlock(&rig->mutex);
}

struct rig *rig_start(const struct rig_options *options)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct fetcher_options fetcher = {
        .lane = 3,
        .max_in_flight = options->max_in_flight == 0 ? 64 : options->max_in_flight,
        .user_agent = "gatherd/test",
        .ca_file = options->ca_file,
    };
    struct fetcher_hooks hooks = {rig, take, transfer_ended, retry_delay, retry, give_up};
    struct error err = {0};

    assert_non_null(rig);
    pthread_mutex_init(&rig->mutex, NULL);
    rig->attempts = options->attempts;
    rig->queue = queue_create(options->queue_items == 0 ? RIG_RUNS : options->queue_items, 0);
    assert_non_null(rig->queue);
    assert_int_equal(fetcher_global_start(&err), 0);
    rig->fetcher = fetcher_start(&fetcher, rig->queue, &hooks, &err);
    assert_non_null(rig->fetcher);
    return rig;
}

void rig_end(struct rig *rig)
{
    if (rig->fetcher != NULL) {
        fetcher_stop(rig->fetcher, 0);
        fetcher_free(rig->fetcher);
    }
    queue_free(rig->queue);
    for (size_t i = 0; i < rig->run_count; i++) {
        run_clear_response(rig->runs[i]);
        run_state_clear(&rig->runs[i]->state);
        free(rig->runs[i]);
    }
    for (size_t i = 0; i < rig->source_count; i++) {
        free((char *)rig->sources[i]->url);
        free(rig->sources[i]);
    }
    fetcher_global_stop();
    pthread_mutex_destroy(&rig->mutex);
    free(rig);
}

struct source *rig_source(struct rig *rig, const char *url)
{
    struct source *source = calloc(1, sizeof(*source));

    assert_non_null(source);
    assert_true(rig->source_count < RIG_RUNS);
    *source = (struct source){
        .name = "test",
        .url = strdup(url),
        .host = "127.0.0.1:80",
        .timeout_ms = 20000,
        .connect_timeout_ms = 10000,
        .max_body_bytes = 1024 * 1024,
        .max_redirects = 5,
        .success = success,
        .success_count = 1,
        .host_gap_ms = 1000,
    };
    rig->sources[rig->source_count++] = source;
    return source;
}

struct run *rig_make_run(struct rig *rig, const struct source *source)
{
    struct run *run = calloc(1, sizeof(*run));

    assert_non_null(run);
    run->source = source;
    pthread_mutex_lock(&rig->mutex);
    assert_true(rig->run_count < RIG_RUNS);
    rig->runs[rig->run_count++] = run;
    pthread_mutex_unlock(&rig->mutex);
    return run;
}

void rig_add_run(struct rig *rig, struct run *run)
{
    pthread_mutex_lock(&rig->mutex);
    assert_true(rig->due_count < RIG_RUNS);
    rig->due[rig->due_count++] = run;
    pthread_mutex_unlock(&rig->mutex);
    fetcher_wake(rig->fetcher);
}

struct run *rig_add(struct rig *rig, const struct source *source)
{
    struct run *run = rig_make_run(rig, source);

    rig_add_run(rig, run);
    return run;
}

struct run *rig_get(struct rig *rig)
{
    void *run = NULL;

    assert_int_equal(queue_get(rig->queue, &run, PATIENCE_MS), QUEUE_OK);
    assert_int_equal(queue_task_done(rig->queue), QUEUE_OK);
    return run;
}

struct run *rig_fetch(struct rig *rig, const char *url)
{
    struct run *run = rig_add(rig, rig_source(rig, url));

    assert_ptr_equal(rig_get(rig), run);
    return run;
}

struct fetcher *rig_fetcher(struct rig *rig)
{
    return rig->fetcher;
}

struct queue *rig_queue(struct rig *rig)
{
    return rig->queue;
}

struct rig_counts rig_counts(struct rig *rig)
{
    struct rig_counts counts;

    pthread_mutex_lock(&rig->mutex);
    counts = rig->counts;
    pthread_mutex_unlock(&rig->mutex);
    return counts;
}

bool rig_wait_in_flight(struct rig *rig, size_t wanted)
{
    for (int i = 0; i < PATIENCE_MS / 5; i++) {
        if (fetcher_stats(rig->fetcher).in_flight == wanted)
            return true;
        nanosleep(&(struct timespec){0, 5 * 1000000L}, NULL);
    }
    return false;
}
