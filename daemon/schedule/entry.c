#include "schedule/entry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct entry *entry_create(const char *name)
{
    size_t size = strlen(name) + 1;
    struct entry *e = calloc(1, sizeof(*e) + size);

    if (e == NULL)
        return NULL;
    memcpy(e->name, name, size);
    run_clear_response(&e->run);
    return e;
}

void entry_free(struct entry *e)
{
    if (e == NULL)
        return;
    run_clear_response(&e->run);
    pages_free(e->run.pages);
    run_state_clear(&e->run.state);
    config_unref(e->run.config);
    free(e);
}

unsigned entry_lane(const struct entry *e)
{
    return e->line->host->lane;
}

void entry_drop(const struct schedule *s, struct entry *e)
{
    int64_t run_id = e != NULL ? run_unfinished_id(&e->run) : 0;

    entry_free(e);
    if (run_id != 0 && s->dropped != NULL)
        s->dropped(s->dropped_context, run_id);
}

void entry_queue(struct schedule *s, struct entry *e, int64_t due_ms)
{
    assert(e->place == ENTRY_NOWHERE);
    e->due_ms = due_ms;
    e->place = ENTRY_DUE;
    heap_push(&s->lanes[entry_lane(e)].heap, &e->item, due_ms);
    s->lines.news |= UINT64_C(1) << entry_lane(e);
}

void entry_wait(struct schedule *s, struct entry *e)
{
    assert(e->place == ENTRY_NOWHERE);
    e->place = ENTRY_WAITING;
    e->waiter.due_ms = e->due_ms;
    line_wait(&s->lines, e->line, &e->waiter);
}

void entry_withdraw(struct schedule *s, struct entry *e)
{
    assert(e->place != ENTRY_OUT);
    if (e->place == ENTRY_DUE)
        heap_remove(&s->lanes[entry_lane(e)].heap, &e->item);
    if (e->place == ENTRY_WAITING)
        line_unwait(&s->lines, e->line, &e->waiter);
    e->place = ENTRY_NOWHERE;
}

void entry_forget(struct schedule *s, struct entry *e)
{
    entry_withdraw(s, e);
    map_remove(&s->entries, &e->node);
    line_put(&s->lines, e->line);
    line_put(&s->lines, e->next_line);
    e->line = NULL;
    e->next_line = NULL;
}
