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
    if (!entry_is_item(e))
        round_free(e->round);
    items_unref(e->run.items);
    config_unref(e->run.config);
    free(e);
}

struct entry *entry_next(const struct schedule *s, const struct entry *e)
{
    const struct map_node *source = NULL;
    struct map_node *next;

    if (e != NULL && entry_is_item(e) && TAILQ_NEXT(e, of_round) != NULL)
        return TAILQ_NEXT(e, of_round);
    if (e != NULL && !entry_is_item(e) && e->round != NULL && !TAILQ_EMPTY(&e->round->all))
        return TAILQ_FIRST(&e->round->all);
    if (e != NULL)
        source = &entry_owner(e)->node;
    next = map_next(&s->entries, source);
    return next != NULL ? entry_of_node(next) : NULL;
}

bool entry_source_fails(const struct entry *e)
{
    const struct entry *owner = entry_owner(e);

    return owner->failures > 0 || (owner->round != NULL && owner->round->failing > 0);
}

void entry_set_failures(struct schedule *s, struct entry *e, unsigned failures)
{
    s->failing -= entry_source_fails(e);
    if (entry_is_item(e)) {
        e->round->failing -= e->failures > 0;
        e->round->failing += failures > 0;
    }
    e->failures = failures;
    s->failing += entry_source_fails(e);
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

void entry_drop_all(const struct schedule *s, struct entry_list *dropped)
{
    struct entry *e;

    while ((e = TAILQ_FIRST(dropped)) != NULL) {
        TAILQ_REMOVE(dropped, e, of_round);
        entry_drop(s, e);
    }
}

void entry_leave(struct schedule *s, struct entry *e, struct entry_list *dropped)
{
    struct entry *owner = entry_owner(e);

    if (e != owner) {
        entry_forget(s, e);
        TAILQ_INSERT_TAIL(dropped, e, of_round);
    }
    if (owner->source != NULL || owner->place == ENTRY_OUT ||
        (owner->round != NULL && owner->round->out > 0))
        return;
    entry_forget(s, owner);
    TAILQ_INSERT_TAIL(dropped, owner, of_round);
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
    if (e->place == ENTRY_QUEUED) {
        TAILQ_REMOVE(&e->round->queued, e, turn);
        s->queued--;
    }
    if (e->place == ENTRY_DUE)
        heap_remove(&s->lanes[entry_lane(e)].heap, &e->item);
    if (e->place == ENTRY_WAITING)
        line_unwait(&s->lines, e->line, &e->waiter);
    e->place = ENTRY_NOWHERE;
}

void entry_forget(struct schedule *s, struct entry *e)
{
    entry_withdraw(s, e);
    if (entry_is_item(e))
        round_forget(s, e);
    else
        map_remove(&s->entries, &e->node);
    line_put(&s->lines, e->line);
    line_put(&s->lines, e->next_line);
    e->line = NULL;
    e->next_line = NULL;
}
