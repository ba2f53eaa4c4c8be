/* The threads of the pipeline: started, replaced when a reload asks for others, joined. */
#include <stdlib.h>
#include <time.h>

#include "gatherd/clock.h"
#include "pipeline/parts.h"

#define USER_AGENT    "gatherd/" GATHERD_VERSION
#define START_WAIT_MS (10 * 1000) /* for a new thread's first turn: a machine that is busy */
#define START_LOOK_MS 1

static struct fetcher *start_fetcher(struct pipeline *p, const struct config *config, unsigned lane,
                                     struct error *err)
{
    struct fetcher_options options = {
        .lane = lane,
        .max_in_flight = config->max_in_flight,
        .user_agent = USER_AGENT,
        .tokens = p->tokens,
    };
    struct fetcher_hooks hooks = pipeline_fetcher_hooks(p);

    return fetcher_start(&options, p->queue, &hooks, err);
}

static struct processor *start_processor(struct pipeline *p, const struct config *config,
                                         unsigned number, struct error *err)
{
    struct processor_options options = {
        .number = number,
        .batch_max_rows = config->batch_max_rows,
    };
    struct processor_hooks hooks = pipeline_processor_hooks(p);

    return processor_start(&options, p->queue, &hooks, err);
}

/* Puts a thread that was told to end on the list; without memory for that, waits for it here. */
static void retire(struct pipeline *p, struct fetcher *fetcher, struct processor *processor)
{
    struct retired *entry = malloc(sizeof(*entry));

    if (entry == NULL) {
        fetcher_free(fetcher);
        processor_free(processor);
        return;
    }
    *entry = (struct retired){fetcher, processor, p->retired};
    p->retired = entry;
}

static bool has_ended(const struct retired *entry)
{
    return entry->fetcher != NULL ? fetcher_has_ended(entry->fetcher)
                                  : processor_has_ended(entry->processor);
}

/* Whether this retired thread is to be joined now. */
typedef bool reap_choice(const struct retired *entry);

static bool is_fetcher(const struct retired *entry)
{
    return entry->fetcher != NULL;
}

static bool is_any(const struct retired *entry)
{
    (void)entry;
    return true;
}

static void reap(struct pipeline *p, reap_choice *chosen)
{
    struct retired **link = &p->retired;

    while (*link != NULL) {
        struct retired *entry = *link;

        if (!chosen(entry)) {
            link = &entry->next;
            continue;
        }
        *link = entry->next;
        fetcher_free(entry->fetcher);
        processor_free(entry->processor);
        free(entry);
    }
}

/* From here on the schedule's wake-ups go to `fetchers`. */
static void set_lanes(struct pipeline *p, struct fetcher **fetchers, unsigned count)
{
    pthread_rwlock_wrlock(&p->lanes_lock);
    p->lanes = fetchers;
    p->lane_count = count;
    pthread_rwlock_unlock(&p->lanes_lock);
}

void crew_dismiss(struct pipeline *p, struct crew *crew, int64_t grace_ms)
{
    for (unsigned i = 0; i < crew->fetcher_count; i++) {
        if (crew->fetchers[i] == NULL)
            continue;
        fetcher_stop(crew->fetchers[i], grace_ms);
        retire(p, crew->fetchers[i], NULL);
    }
    for (unsigned i = 0; i < crew->processor_count; i++) {
        if (crew->processors[i] == NULL)
            continue;
        processor_retire(crew->processors[i]);
        retire(p, NULL, crew->processors[i]);
    }
    free(crew->fetchers);
    free(crew->processors);
    *crew = (struct crew){0};
}

/* Every new thread has made its first turn: a heartbeat is 0 before. */
static bool all_run(const struct crew *crew)
{
    for (unsigned i = 0; i < crew->fetcher_count; i++) {
        if (crew->fetchers[i] != NULL && fetcher_stats(crew->fetchers[i]).heartbeat_ms == 0)
            return false;
    }
    for (unsigned i = 0; i < crew->processor_count; i++) {
        if (crew->processors[i] != NULL && processor_stats(crew->processors[i]).heartbeat_ms == 0)
            return false;
    }
    return true;
}

static int wait_until_all_run(const struct crew *crew, struct error *err)
{
    const struct timespec look = {0, START_LOOK_MS * 1000000};
    int64_t deadline = clock_monotonic_ms() + START_WAIT_MS;

    while (!all_run(crew)) {
        if (clock_monotonic_ms() > deadline) {
            error_set(err, ERROR_UNAVAILABLE, "threads did not begin to run within %d seconds",
                      START_WAIT_MS / 1000);
            return -1;
        }
        nanosleep(&look, NULL);
    }
    return 0;
}

static int start_crew(struct pipeline *p, const struct config *config, struct crew *crew,
                      struct error *err)
{
    bool all = p->config != NULL && p->config->max_in_flight != config->max_in_flight;

    for (unsigned i = p->processor_count; i < config->processors; i++) {
        crew->processors[i] = start_processor(p, config, i, err);
        if (crew->processors[i] == NULL)
            return -1;
    }
    for (unsigned i = all ? 0 : p->fetcher_count; i < config->fetchers; i++) {
        crew->fetchers[i] = start_fetcher(p, config, i, err);
        if (crew->fetchers[i] == NULL)
            return -1;
    }
    return wait_until_all_run(crew, err);
}

int crew_hire(struct pipeline *p, const struct config *config, struct crew *crew, struct error *err)
{
    *crew = (struct crew){0};
    crew->fetchers = calloc(config->fetchers, sizeof(struct fetcher *));
    crew->processors = calloc(config->processors, sizeof(struct processor *));
    if (crew->fetchers == NULL || crew->processors == NULL) {
        error_set(err, ERROR_NOMEM, "threads: out of memory");
        return -1;
    }
    crew->fetcher_count = config->fetchers;
    crew->processor_count = config->processors;
    return start_crew(p, config, crew, err);
}

void crew_hand_over(struct pipeline *p, struct crew *crew, const struct config *config)
{
    for (unsigned i = 0; i < p->fetcher_count; i++) {
        if (i < crew->fetcher_count && crew->fetchers[i] == NULL) {
            crew->fetchers[i] = p->fetchers[i];
            continue;
        }
        fetcher_stop(p->fetchers[i], config->shutdown_timeout_ms);
        retire(p, p->fetchers[i], NULL);
    }
    for (unsigned i = 0; i < p->processor_count; i++) {
        if (i < crew->processor_count && crew->processors[i] == NULL) {
            crew->processors[i] = p->processors[i];
            processor_set_batch_max_rows(p->processors[i], config->batch_max_rows);
            continue;
        }
        processor_retire(p->processors[i]);
        retire(p, NULL, p->processors[i]);
    }
    set_lanes(p, crew->fetchers, crew->fetcher_count);
    free(p->fetchers);
    free(p->processors);
    p->fetchers = crew->fetchers;
    p->fetcher_count = crew->fetcher_count;
    p->processors = crew->processors;
    p->processor_count = crew->processor_count;
    for (unsigned i = 0; i < p->fetcher_count; i++)
        fetcher_wake(p->fetchers[i]);
}

void crew_stop_fetchers(struct pipeline *p, int64_t grace_ms)
{
    set_lanes(p, NULL, 0);
    for (unsigned i = 0; i < p->fetcher_count; i++)
        fetcher_stop(p->fetchers[i], grace_ms);
    for (struct retired *entry = p->retired; entry != NULL; entry = entry->next) {
        if (entry->fetcher != NULL)
            fetcher_stop(entry->fetcher, grace_ms);
    }
    for (unsigned i = 0; i < p->fetcher_count; i++)
        fetcher_free(p->fetchers[i]);
    p->fetcher_count = 0;
    reap(p, is_fetcher);
}

void crew_reap_ended(struct pipeline *p)
{
    reap(p, has_ended);
}

void crew_reap_all(struct pipeline *p)
{
    reap(p, is_any);
}
