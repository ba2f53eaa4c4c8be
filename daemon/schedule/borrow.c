/* Lending a run that is not under way to somebody who changes what it remembers. */
#include "gatherd/schedule.h"

#include <assert.h>

#include "schedule/entry.h"

struct run *schedule_borrow(struct schedule *s, const char *source, bool *known)
{
    struct map_node *node;
    struct entry *e = NULL;
    struct run *run = NULL;

    pthread_mutex_lock(&s->mutex);
    node = map_find(&s->entries, source);
    if (node != NULL)
        e = entry_of_node(node);
    *known = e != NULL && e->source != NULL;
    if (e != NULL)
        e->wanted = e->place == ENTRY_OUT || e->begun;
    if (*known && !e->wanted) {
        e->lent_idle = e->place == ENTRY_NOWHERE;
        if (!e->lent_idle)
            entry_withdraw(s, e);
        e->place = ENTRY_OUT;
        s->out++;
        run = &e->run;
        run->config = config_ref(s->config);
        run->source = e->source;
    }
    pthread_mutex_unlock(&s->mutex);
    return run;
}

void schedule_give_back(struct schedule *s, struct run *run, bool now_due, struct instant now)
{
    struct entry *e = entry_of_run(run);
    struct entry_list gone = TAILQ_HEAD_INITIALIZER(gone);
    struct config *config = run->config;
    uint64_t wakes;

    pthread_mutex_lock(&s->mutex);
    assert(e->place == ENTRY_OUT);
    lines_set_now(&s->lines, now.monotonic_ms);
    run->config = NULL;
    run->source = NULL;
    e->place = ENTRY_NOWHERE;
    s->out--;
    if (e->source == NULL) {
        entry_leave(s, e, &gone);
    } else if (now_due) {
        entry_due_now(e, now);
        entry_queue(s, e, e->due_ms);
    } else if (!e->lent_idle) {
        entry_queue(s, e, e->due_ms);
    }
    if (schedule_is_idle(s))
        pthread_cond_broadcast(&s->idle);
    wakes = schedule_collect_wakes(s);
    pthread_mutex_unlock(&s->mutex);
    config_unref(config);
    entry_drop_all(s, &gone);
    schedule_send_wakes(s, wakes);
}
