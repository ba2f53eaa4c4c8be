#include "gatherd/steer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/clock.h"
#include "gatherd/log.h"

struct walk {
    struct walk *next;
    struct walk_report report;
    char source[];
};

void steer_open(struct steer *steer, struct schedule *schedule, struct store *store)
{
    *steer = (struct steer){.schedule = schedule, .store = store};
    pthread_mutex_init(&steer->mutex, NULL);
}

void steer_close(struct steer *steer)
{
    while (steer->walks != NULL) {
        struct walk *walk = steer->walks;

        steer->walks = walk->next;
        free(walk);
    }
    config_unref(steer->config);
    pthread_mutex_destroy(&steer->mutex);
}

void steer_set_config(struct steer *steer, struct config *config)
{
    struct config *old;

    pthread_mutex_lock(&steer->mutex);
    old = steer->config;
    steer->config = config_ref(config);
    pthread_mutex_unlock(&steer->mutex);
    config_unref(old);
}

struct config *steer_config(struct steer *steer)
{
    struct config *config;

    pthread_mutex_lock(&steer->mutex);
    config = config_ref(steer->config);
    pthread_mutex_unlock(&steer->mutex);
    return config;
}

bool steer_begin_replay(struct steer *steer)
{
    bool begun;

    pthread_mutex_lock(&steer->mutex);
    begun = !steer->replaying;
    steer->replaying = true;
    pthread_mutex_unlock(&steer->mutex);
    return begun;
}

void steer_end_replay(struct steer *steer)
{
    pthread_mutex_lock(&steer->mutex);
    steer->replaying = false;
    pthread_mutex_unlock(&steer->mutex);
}

/* --- Borrowing. --- */

/* The run of the source, or NULL and what to answer. */
static struct run *borrow(struct steer *steer, const char *source, enum steering *answer,
                          struct error *err)
{
    bool known;
    struct run *run = schedule_borrow(steer->schedule, source, &known);

    *answer = STEER_BUSY;
    if (run == NULL && !known) {
        *answer = STEER_FAILED;
        error_set(err, ERROR_USAGE, "no enabled source is named \"%s\"", source);
    }
    return run;
}

static void give_back(struct steer *steer, struct run *run, bool now_due)
{
    schedule_give_back(steer->schedule, run, now_due, clock_now());
}

static int check_incremental(const struct source *source, struct error *err)
{
    if (source->for_each != NULL) {
        error_set(err, ERROR_USAGE,
                  "source \"%s\" has a cursor for each of its items (for_each), which can be reset "
                  "together and not set or walked",
                  source->name);
        return -1;
    }
    if (source->incremental != NULL)
        return 0;
    error_set(err, ERROR_USAGE,
              "source \"%s\" has no cursor: nothing says `incremental` in its configuration",
              source->name);
    return -1;
}

/* --- State. --- */

static int put_cursor(struct steer *steer, struct run *run, const char *cursor, struct error *err)
{
    const struct source *source = run->source;
    struct position *position;

    if (check_incremental(source, err) == -1)
        return -1;
    if (!cursor_is_valid(&source->incremental->rule, slice_of(cursor))) {
        error_set(err, ERROR_USAGE,
                  "\"%.60s\" is no position of the type that incremental says in source \"%s\"",
                  cursor, source->name);
        return -1;
    }
    position = position_create(cursor);
    if (position == NULL) {
        error_set(err, ERROR_NOMEM, "out of memory");
        return -1;
    }
    if (store_set_cursor(steer->store, run->source_id, cursor, err) == -1) {
        position_free(position);
        return -1;
    }
    position_free(run->state.position);
    run->state.position = position;
    return 0;
}

enum steering steer_set_cursor(struct steer *steer, const char *source, const char *cursor,
                               struct error *err)
{
    enum steering answer;
    struct run *run = borrow(steer, source, &answer, err);

    if (run == NULL)
        return answer;
    answer = put_cursor(steer, run, cursor, err) == -1 ? STEER_FAILED : STEER_DONE;
    give_back(steer, run, false);
    return answer;
}

enum steering steer_reset(struct steer *steer, const char *source, struct error *err)
{
    enum steering answer;
    struct run *run = borrow(steer, source, &answer, err);
    bool has_items;

    if (run == NULL)
        return answer;
    answer = STEER_FAILED;
    has_items = run->source->for_each != NULL;
    if (has_items && schedule_forget_items(steer->schedule, run) > 0) {
        answer = STEER_BUSY; /* what is out would save what it has learned */
    } else if (store_forget_state(steer->store, run->source_id, err) == 0) {
        run_state_clear(&run->state);
        answer = STEER_DONE;
    }
    /* A round that was cut short begins again. */
    give_back(steer, run, has_items && answer == STEER_DONE);
    return answer;
}

/* --- Backfill. --- */

static struct walk **find(struct steer *steer, const char *source)
{
    struct walk **link = &steer->walks;

    while (*link != NULL && strcmp((*link)->source, source) != 0)
        link = &(*link)->next;
    return link;
}

/* False: there is one already. */
static bool add_walk(struct steer *steer, struct walk *walk)
{
    struct walk **link;
    bool added;

    pthread_mutex_lock(&steer->mutex);
    link = find(steer, walk->source);
    added = *link == NULL;
    if (added)
        *link = walk;
    pthread_mutex_unlock(&steer->mutex);
    return added;
}

static void remove_walk(struct steer *steer, const char *source)
{
    struct walk **link;
    struct walk *walk;

    pthread_mutex_lock(&steer->mutex);
    link = find(steer, source);
    walk = *link;
    if (walk != NULL)
        *link = walk->next;
    pthread_mutex_unlock(&steer->mutex);
    free(walk);
}

static struct walk *make_walk(const char *source)
{
    struct walk *walk = calloc(1, sizeof(*walk) + strlen(source) + 1);

    if (walk != NULL)
        memcpy(walk->source, source, strlen(source) + 1);
    return walk;
}

static int start_walk(struct run *run, const char *from, const char *to, struct error *err)
{
    if (check_incremental(run->source, err) == -1)
        return -1;
    if (run->source->mapping.primary_key_count == 0) {
        error_set(err, ERROR_USAGE,
                  "source \"%s\" has no primary_key: rows of the past would come twice",
                  run->source->name);
        return -1;
    }
    if (run->state.position == NULL)
        run->state.position = position_create(NULL);
    if (run->state.position == NULL) {
        error_set(err, ERROR_NOMEM, "out of memory");
        return -1;
    }
    return position_start_backfill(run->state.position, run->source->incremental, from, to, err);
}

enum steering steer_start_backfill(struct steer *steer, const char *source, const char *from,
                                   const char *to, struct error *err)
{
    struct walk *walk = make_walk(source);
    enum steering answer = STEER_FAILED;
    struct run *run;

    if (walk == NULL) {
        error_set(err, ERROR_NOMEM, "out of memory");
        return STEER_FAILED;
    }
    if (!add_walk(steer, walk)) {
        error_set(err, ERROR_BUSY, "source \"%s\" is being backfilled already", source);
        free(walk);
        return STEER_FAILED;
    }
    run = borrow(steer, source, &answer, err);
    if (run != NULL) {
        answer = start_walk(run, from, to, err) == -1 ? STEER_FAILED : STEER_DONE;
        give_back(steer, run, answer == STEER_DONE);
    }
    if (answer != STEER_DONE)
        remove_walk(steer, source);
    return answer;
}

void steer_report(struct steer *steer, const char *source, struct walk_report *report)
{
    struct walk *walk;

    pthread_mutex_lock(&steer->mutex);
    walk = *find(steer, source);
    *report = walk != NULL ? walk->report : (struct walk_report){0};
    pthread_mutex_unlock(&steer->mutex);
}

enum steering steer_stop_backfill(struct steer *steer, const char *source)
{
    enum steering answer;
    struct run *run = borrow(steer, source, &answer, NULL);

    if (answer == STEER_BUSY && run == NULL)
        return STEER_BUSY;
    if (run != NULL) {
        if (run->state.position != NULL)
            position_stop_backfill(run->state.position);
        give_back(steer, run, false);
    }
    remove_walk(steer, source);
    return STEER_DONE;
}

static void note(struct walk_report *report, const struct result *result)
{
    const struct run *run = result->run;
    const struct position *position = run->state.position;
    bool ok = run->failure == RUN_OK;

    report->runs++;
    report->inserted += result->total.inserted;
    report->updated += result->total.updated;
    report->rejected += result->total.rejected;
    report->done = ok && position->last;
    snprintf(report->error, sizeof(report->error), "%s",
             ok                   ? ""
             : run->error != NULL ? run->error
                                  : run_failure_name(run->failure));
    if (ok && position->to != NULL)
        snprintf(report->to, sizeof(report->to), "%s", position->to);
}

void steer_note(struct steer *steer, const struct result *result)
{
    const struct position *position = result->run->state.position;
    struct walk *walk;

    if (position == NULL || !position->walking)
        return;
    pthread_mutex_lock(&steer->mutex);
    walk = *find(steer, result->run->source->name);
    if (walk != NULL)
        note(&walk->report, result);
    pthread_mutex_unlock(&steer->mutex);
}
