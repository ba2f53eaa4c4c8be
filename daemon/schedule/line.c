/*
 * Whose turn it is. Every change ends in refresh_host() or refresh_limit(), which put the lines and
 * timers of one host or one limit where they belong; so what is in a lane's heap of those who are
 * ready may start at once, and nothing has to be searched for.
 */
#include "schedule/line.h"

#include <assert.h>

/*
 * Lanes that share a rate limit leave what has come free for so long to the one whose first has
 * been due longest. Without it a fetcher that always wakes a little sooner would get everything;
 * were it for ever, one that has no room for more would hold up the others.
 */
#define LEAVE_TO_OTHERS_MS 10

static struct spot *spot_of(struct heap_item *item)
{
    return (struct spot *)((char *)item - offsetof(struct spot, item));
}

static struct line *line_of(struct heap_item *item)
{
    return (struct line *)((char *)spot_of(item) - offsetof(struct line, ready));
}

static struct share *share_of_ready(struct heap_item *item)
{
    return (struct share *)((char *)spot_of(item) - offsetof(struct share, ready));
}

static struct share *share_of_timer(struct heap_item *item)
{
    return (struct share *)((char *)spot_of(item) - offsetof(struct share, timer));
}

static struct host *host_of_timer(struct heap_item *item)
{
    return (struct host *)((char *)spot_of(item) - offsetof(struct host, timer));
}

/* Into the heap with this key, out of it with NEVER. True: it came in, or its key changed. */
static bool set_spot(struct heap *heap, struct spot *spot, int64_t key)
{
    if (spot->key == key)
        return false;
    if (spot->key != NEVER)
        heap_remove(heap, &spot->item);
    if (key != NEVER)
        heap_push(heap, &spot->item, key);
    spot->key = key;
    return key != NEVER;
}

static void set_timer(struct lines *lines, unsigned lane, struct spot *timer, int64_t at_ms)
{
    if (set_spot(&lines->lanes[lane].timers, timer, at_ms))
        lines->news |= UINT64_C(1) << lane;
}

static void set_ready(struct lines *lines, unsigned lane, struct spot *ready, int64_t due_ms)
{
    if (set_spot(&lines->lanes[lane].ready, ready, due_ms))
        lines->news |= UINT64_C(1) << lane;
}

/* Since when the first of a share's open lines is due; NEVER: none is open. */
static int64_t share_due_ms(const struct share *share)
{
    int64_t due_ms;

    return heap_first(&share->open, &due_ms) != NULL ? due_ms : NEVER;
}

/* The lane whose first has been due longest. */
static unsigned preferred_lane(const struct lines *lines, const struct limit *limit)
{
    unsigned best = 0;

    for (unsigned lane = 1; lane < lines->lane_count; lane++) {
        if (share_due_ms(&limit->shares[lane]) < share_due_ms(&limit->shares[best]))
            best = lane;
    }
    return best;
}

static void refresh_limit(struct lines *lines, struct limit *limit)
{
    unsigned preferred = preferred_lane(lines, limit);
    int64_t open_ms = pace_open_ms(&limit->pace);

    for (unsigned lane = 0; lane < lines->lane_count; lane++) {
        struct share *share = &limit->shares[lane];
        int64_t at_ms = open_ms + (lane == preferred ? 0 : LEAVE_TO_OTHERS_MS);
        int64_t due_ms = share_due_ms(share);
        bool now = at_ms <= lines->now_ms;

        set_ready(lines, lane, &share->ready, now ? due_ms : NEVER);
        set_timer(lines, lane, &share->timer, due_ms != NEVER && !now ? at_ms : NEVER);
    }
}

static void refresh_line(struct lines *lines, struct line *line, bool host_is_open)
{
    const struct waiter *first = TAILQ_FIRST(&line->waiting);
    int64_t due_ms = host_is_open && first != NULL ? first->due_ms : NEVER;
    unsigned lane = line->host->lane;

    if (line->limit == NULL) {
        set_ready(lines, lane, &line->ready, due_ms);
        return;
    }
    if (line->ready.key == due_ms)
        return;
    line->limit->open -= line->ready.key != NEVER;
    line->limit->open += due_ms != NEVER;
    set_spot(&line->limit->shares[lane].open, &line->ready, due_ms);
    refresh_limit(lines, line->limit);
}

static bool host_has_room(const struct host *host)
{
    return host->in_flight < host->max_concurrent;
}

static bool host_is_open(const struct lines *lines, const struct host *host)
{
    return host_has_room(host) && pace_open_ms(&host->pace) <= lines->now_ms;
}

static void refresh_host(struct lines *lines, struct host *host)
{
    bool open = host_is_open(lines, host);
    bool later = !open && host_has_room(host) && host->waiting > 0;

    set_timer(lines, host->lane, &host->timer, later ? pace_open_ms(&host->pace) : NEVER);
    for (struct line *line = LIST_FIRST(&host->lines); line != NULL;
         line = LIST_NEXT(line, of_host))
        refresh_line(lines, line, open);
}

void lines_refresh_all(struct lines *lines)
{
    for (struct host *host = hosts_next(lines, NULL); host != NULL; host = hosts_next(lines, host))
        refresh_host(lines, host);
}

void lines_close_all(struct lines *lines)
{
    for (struct host *host = hosts_next(lines, NULL); host != NULL;
         host = hosts_next(lines, host)) {
        set_timer(lines, host->lane, &host->timer, NEVER);
        for (struct line *line = LIST_FIRST(&host->lines); line != NULL;
             line = LIST_NEXT(line, of_host))
            refresh_line(lines, line, false);
    }
}

void lines_set_now(struct lines *lines, int64_t now_ms)
{
    if (now_ms > lines->now_ms)
        lines->now_ms = now_ms;
}

void host_set(struct lines *lines, struct host *host, unsigned max_concurrent, int64_t spacing_ms)
{
    bool changed = pace_set(&host->pace, 1, spacing_ms, 1, lines->now_ms);

    changed = changed || host->max_concurrent != max_concurrent;
    host->max_concurrent = max_concurrent;
    if (changed) /* each of thousands of sources brings the same */
        refresh_host(lines, host);
}

void limit_set(struct lines *lines, struct limit *limit, unsigned requests, int64_t per_ms,
               unsigned burst)
{
    if (pace_set(&limit->pace, requests, per_ms, burst, lines->now_ms))
        refresh_limit(lines, limit);
}

/* Where others wait for the same limit, whatever their host, it is their turn first. */
bool line_may_start(const struct lines *lines, const struct line *line)
{
    const struct limit *limit = line->limit;

    return TAILQ_EMPTY(&line->waiting) && host_is_open(lines, line->host) &&
           (limit == NULL || (limit->open == 0 && pace_open_ms(&limit->pace) <= lines->now_ms));
}

void line_started(struct lines *lines, struct line *line)
{
    line->host->in_flight++;
    pace_spend(&line->host->pace, lines->now_ms);
    refresh_host(lines, line->host);
    if (line->limit == NULL)
        return;
    pace_spend(&line->limit->pace, lines->now_ms);
    refresh_limit(lines, line->limit);
}

void line_ended(struct lines *lines, struct line *line)
{
    assert(line->host->in_flight > 0);
    line->host->in_flight--;
    refresh_host(lines, line->host);
}

/* --- Waiting, and what is told of it. --- */

static void set_notice(struct lines *lines, struct notice *notice, enum notice_state state)
{
    lines->notices -= notice->state == NOTICE_DUE;
    lines->notices += state == NOTICE_DUE;
    notice->state = state;
}

static void note_joined(struct lines *lines, const struct pace *pace, size_t waiting,
                        struct notice *notice)
{
    if (notice->state != NOTICE_NONE || lines->now_ms < notice->quiet_until_ms ||
        pace_wait_ms(pace, waiting, lines->now_ms) < LINES_LONG_WAIT_MS)
        return;
    notice->quiet_until_ms = lines->now_ms + LINES_QUIET_MS;
    set_notice(lines, notice, NOTICE_DUE);
}

void line_wait(struct lines *lines, struct line *line, struct waiter *waiter)
{
    bool first = TAILQ_EMPTY(&line->waiting);

    TAILQ_INSERT_TAIL(&line->waiting, waiter, link);
    line->length++;
    line->host->waiting++;
    lines->waiting++;
    note_joined(lines, &line->host->pace, line->host->waiting, &line->host->notice);
    if (line->limit != NULL) {
        line->limit->waiting++;
        note_joined(lines, &line->limit->pace, line->limit->waiting, &line->limit->notice);
    }
    if (first)
        refresh_host(lines, line->host);
}

static void note_left(struct lines *lines, struct line *line)
{
    struct host *host = line->host;
    struct limit *limit = line->limit;

    line->length--;
    lines->waiting--;
    if (--host->waiting == 0)
        set_notice(lines, &host->notice, NOTICE_NONE);
    if (limit != NULL && --limit->waiting == 0)
        set_notice(lines, &limit->notice, NOTICE_NONE);
}

void line_unwait(struct lines *lines, struct line *line, struct waiter *waiter)
{
    bool first = TAILQ_FIRST(&line->waiting) == waiter;

    TAILQ_REMOVE(&line->waiting, waiter, link);
    note_left(lines, line);
    if (first)
        refresh_host(lines, line->host);
}

bool host_block(struct lines *lines, struct host *host, int64_t until_ms)
{
    bool later = pace_block(&host->pace, until_ms);

    if (later)
        set_notice(lines, &host->notice, NOTICE_GIVEN);
    refresh_host(lines, host);
    return later;
}

bool limit_block(struct lines *lines, struct limit *limit, int64_t until_ms)
{
    bool later = pace_block(&limit->pace, until_ms);

    if (later)
        set_notice(lines, &limit->notice, NOTICE_GIVEN);
    refresh_limit(lines, limit);
    return later;
}

static void open_timers(struct lines *lines, unsigned lane)
{
    struct heap_item *item;
    int64_t at_ms;

    while ((item = heap_first(&lines->lanes[lane].timers, &at_ms)) != NULL &&
           at_ms <= lines->now_ms) {
        if (spot_of(item)->of_share)
            refresh_limit(lines, share_of_timer(item)->limit);
        else
            refresh_host(lines, host_of_timer(item));
    }
}

struct waiter *lines_first_ready(struct lines *lines, unsigned lane)
{
    struct heap_item *item;
    int64_t due_ms;

    open_timers(lines, lane);
    item = heap_first(&lines->lanes[lane].ready, &due_ms);
    if (item != NULL && spot_of(item)->of_share)
        item = heap_first(&share_of_ready(item)->open, &due_ms);
    return item != NULL ? TAILQ_FIRST(&line_of(item)->waiting) : NULL;
}

bool lines_next_opening(const struct lines *lines, unsigned lane, int64_t *at_ms)
{
    return heap_first(&lines->lanes[lane].timers, at_ms) != NULL;
}

size_t lines_held_up(const struct lines *lines)
{
    size_t count = 0;

    for (struct host *host = hosts_next(lines, NULL); host != NULL;
         host = hosts_next(lines, host)) {
        if (pace_open_ms(&host->pace) > lines->now_ms) {
            count += host->waiting;
            continue;
        }
        for (const struct line *line = LIST_FIRST(&host->lines); line != NULL;
             line = LIST_NEXT(line, of_host)) {
            if (line->limit != NULL && pace_open_ms(&line->limit->pace) > lines->now_ms)
                count += line->length;
        }
    }
    return count;
}

bool lines_next_notice(struct lines *lines, const struct host **host, const struct limit **limit)
{
    *host = NULL;
    *limit = NULL;
    if (lines->notices == 0)
        return false;
    for (struct limit *l = limits_next(lines, NULL); l != NULL; l = limits_next(lines, l)) {
        if (l->notice.state == NOTICE_DUE) {
            set_notice(lines, &l->notice, NOTICE_GIVEN);
            *limit = l;
            return true;
        }
    }
    for (struct host *h = hosts_next(lines, NULL); h != NULL; h = hosts_next(lines, h)) {
        if (h->notice.state == NOTICE_DUE) {
            set_notice(lines, &h->notice, NOTICE_GIVEN);
            *host = h;
            return true;
        }
    }
    return false;
}
