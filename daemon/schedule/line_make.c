/* Hosts, rate limits and lines: made for who names them first, gone with who names them last. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "schedule/line.h"

static struct host *host_of(struct map_node *node)
{
    return (struct host *)((char *)node - offsetof(struct host, node));
}

static struct limit *limit_of(struct map_node *node)
{
    return (struct limit *)((char *)node - offsetof(struct limit, node));
}

struct host *hosts_next(const struct lines *lines, const struct host *host)
{
    struct map_node *node = map_next(&lines->hosts, host != NULL ? &host->node : NULL);

    return node != NULL ? host_of(node) : NULL;
}

struct limit *limits_next(const struct lines *lines, const struct limit *limit)
{
    struct map_node *node = map_next(&lines->limits, limit != NULL ? &limit->node : NULL);

    return node != NULL ? limit_of(node) : NULL;
}

struct limit *limit_find(const struct lines *lines, const char *name)
{
    struct map_node *node = map_find(&lines->limits, name);

    return node != NULL ? limit_of(node) : NULL;
}

/* --- Lanes. --- */

static unsigned lane_of(const struct host *host, unsigned lane_count)
{
    return (unsigned)(host->node.hash % lane_count);
}

/* Room for what a heap can come to hold, doubling, so that n of them are copied about once. */
static int reserve(struct heap *heap, size_t most)
{
    if (most <= heap->capacity)
        return 0;
    return heap_reserve(heap, most < 4 ? 4 : most * 2);
}

static int reserve_lane(struct line_lane *lane, size_t more)
{
    if (reserve(&lane->ready, lane->most + more) == -1)
        return -1;
    return reserve(&lane->timers, lane->most + more);
}

static void free_line_lanes(struct line_lane *lanes, unsigned count)
{
    for (unsigned i = 0; lanes != NULL && i < count; i++) {
        heap_free(&lanes[i].ready);
        heap_free(&lanes[i].timers);
    }
    free(lanes);
}

static void free_shares(struct share *shares, unsigned count)
{
    for (unsigned i = 0; shares != NULL && i < count; i++)
        heap_free(&shares[i].open);
    free(shares);
}

static struct share *create_shares(struct limit *limit, unsigned count)
{
    struct share *shares;

    assert(count > 0);
    shares = calloc(count, sizeof(*shares));
    for (unsigned i = 0; shares != NULL && i < count; i++) {
        shares[i].limit = limit;
        shares[i].ready = (struct spot){.key = NEVER, .of_share = true};
        shares[i].timer = (struct spot){.key = NEVER, .of_share = true};
    }
    return shares;
}

/* --- Another number of lanes: everything is made first, then it cannot fail. --- */

struct deal {
    unsigned count;
    struct line_lane *lanes;
    struct share **shares; /* of each limit, in the order of limits_next() */
    size_t limits;
};

static void free_deal(struct deal *deal)
{
    free_line_lanes(deal->lanes, deal->count);
    for (size_t i = 0; deal->shares != NULL && i < deal->limits; i++)
        free_shares(deal->shares[i], deal->count);
    free(deal->shares);
}

static size_t limit_number(const struct lines *lines, const struct limit *limit)
{
    size_t number = 0;

    for (struct limit *l = limits_next(lines, NULL); l != limit; l = limits_next(lines, l))
        number++;
    return number;
}

/* How many lines each lane and each share gets. */
static void count_lines(const struct lines *lines, struct deal *deal)
{
    for (struct host *host = hosts_next(lines, NULL); host != NULL;
         host = hosts_next(lines, host)) {
        unsigned lane = lane_of(host, deal->count);
        for (const struct line *line = LIST_FIRST(&host->lines); line != NULL;
             line = LIST_NEXT(line, of_host)) {
            struct share *shares;

            deal->lanes[lane].most++;
            if (line->limit == NULL)
                continue;
            shares = deal->shares[limit_number(lines, line->limit)];
            assert(shares != NULL); /* every limit has been given its own */
            shares[lane].most_open++;
        }
    }
}

static int reserve_deal(struct deal *deal)
{
    for (unsigned lane = 0; lane < deal->count; lane++) {
        if (reserve_lane(&deal->lanes[lane], deal->limits) == -1)
            return -1;
        deal->lanes[lane].most += deal->limits;
        for (size_t i = 0; i < deal->limits; i++) {
            struct share *share;

            assert(deal->shares[i] != NULL);
            share = &deal->shares[i][lane];
            if (reserve(&share->open, share->most_open) == -1)
                return -1;
        }
    }
    return 0;
}

static int prepare_deal(const struct lines *lines, struct deal *deal)
{
    size_t i = 0;

    deal->lanes = calloc(deal->count, sizeof(*deal->lanes));
    deal->shares = calloc(deal->limits + 1, sizeof(struct share *));
    if (deal->lanes == NULL || deal->shares == NULL)
        return -1;
    for (struct limit *l = limits_next(lines, NULL); l != NULL; l = limits_next(lines, l)) {
        deal->shares[i] = create_shares(l, deal->count);
        if (deal->shares[i++] == NULL)
            return -1;
    }
    count_lines(lines, deal);
    return reserve_deal(deal);
}

/* The deal gets the old lanes and shares, to be freed. */
static void swap_deal(struct lines *lines, struct deal *deal)
{
    struct deal old = {.count = lines->lane_count,
                       .lanes = lines->lanes,
                       .shares = deal->shares,
                       .limits = deal->limits};
    size_t i = 0;

    lines_close_all(lines);
    lines->lanes = deal->lanes;
    lines->lane_count = deal->count;
    for (struct limit *l = limits_next(lines, NULL); l != NULL; l = limits_next(lines, l), i++) {
        struct share *shares = l->shares;

        l->shares = deal->shares[i];
        old.shares[i] = shares;
    }
    for (struct host *host = hosts_next(lines, NULL); host != NULL; host = hosts_next(lines, host))
        host->lane = lane_of(host, lines->lane_count);
    lines_refresh_all(lines);
    *deal = old;
}

int lines_set_lanes(struct lines *lines, unsigned count)
{
    struct deal deal = {.count = count, .limits = lines->limits.count};
    int rc;

    assert(count > 0 && count <= LINES_MAX_LANES);
    rc = prepare_deal(lines, &deal);
    if (rc == 0)
        swap_deal(lines, &deal);
    free_deal(&deal);
    return rc;
}

void lines_free(struct lines *lines)
{
    assert(lines->hosts.count == 0 && lines->limits.count == 0);
    map_free(&lines->hosts);
    map_free(&lines->limits);
    free_line_lanes(lines->lanes, lines->lane_count);
    *lines = (struct lines){0};
}

/* --- Hosts and rate limits. --- */

static struct host *host_create(struct lines *lines, const char *name)
{
    size_t size = strlen(name) + 1;
    struct host *host = NULL;

    if (map_reserve(&lines->hosts, lines->hosts.count + 1) == 0)
        host = calloc(1, sizeof(*host) + size);
    if (host == NULL)
        return NULL;
    memcpy(host->name, name, size);
    host->max_concurrent = 1;
    host->timer.key = NEVER;
    map_insert(&lines->hosts, &host->node, host->name);
    host->lane = lane_of(host, lines->lane_count);
    return host;
}

static void drop_host(struct lines *lines, struct host *host)
{
    if (host == NULL || !LIST_EMPTY(&host->lines))
        return;
    assert(host->in_flight == 0 && host->timer.key == NEVER);
    lines->notices -= host->notice.state == NOTICE_DUE;
    map_remove(&lines->hosts, &host->node);
    free(host);
}

static struct host *find_or_create_host(struct lines *lines, const char *name)
{
    struct map_node *node = map_find(&lines->hosts, name);

    return node != NULL ? host_of(node) : host_create(lines, name);
}

static struct limit *limit_create(struct lines *lines, const char *name)
{
    size_t size = strlen(name) + 1;
    struct limit *limit;

    if (map_reserve(&lines->limits, lines->limits.count + 1) == -1)
        return NULL;
    for (unsigned i = 0; i < lines->lane_count; i++) {
        if (reserve_lane(&lines->lanes[i], 1) == -1)
            return NULL;
    }
    limit = calloc(1, sizeof(*limit) + size);
    if (limit == NULL)
        return NULL;
    memcpy(limit->name, name, size);
    limit->shares = create_shares(limit, lines->lane_count);
    if (limit->shares == NULL) {
        free(limit);
        return NULL;
    }
    for (unsigned i = 0; i < lines->lane_count; i++)
        lines->lanes[i].most++;
    map_insert(&lines->limits, &limit->node, limit->name);
    return limit;
}

static void drop_limit(struct lines *lines, struct limit *limit)
{
    if (limit == NULL || limit->lines > 0)
        return;
    assert(limit->open == 0 && limit->waiting == 0);
    lines->notices -= limit->notice.state == NOTICE_DUE;
    for (unsigned i = 0; i < lines->lane_count; i++)
        lines->lanes[i].most--;
    map_remove(&lines->limits, &limit->node);
    free_shares(limit->shares, lines->lane_count);
    free(limit);
}

static struct limit *find_or_create_limit(struct lines *lines, const char *name)
{
    struct limit *limit = limit_find(lines, name);

    return limit != NULL ? limit : limit_create(lines, name);
}

/* --- Lines. --- */

bool line_is_for(const struct line *line, const char *host, const char *limit)
{
    const char *own = line->limit != NULL ? line->limit->name : NULL;

    return strcmp(line->host->name, host) == 0 &&
           (own == NULL || limit == NULL ? own == limit : strcmp(own, limit) == 0);
}

static struct line *find_line(const struct host *host, const char *limit)
{
    for (struct line *line = LIST_FIRST(&host->lines); line != NULL;
         line = LIST_NEXT(line, of_host)) {
        if (line_is_for(line, host->name, limit))
            return line;
    }
    return NULL;
}

static int reserve_line(struct lines *lines, const struct host *host, struct limit *limit)
{
    struct share *share = limit != NULL ? &limit->shares[host->lane] : NULL;

    if (reserve_lane(&lines->lanes[host->lane], 1) == -1)
        return -1;
    return share != NULL ? reserve(&share->open, share->most_open + 1) : 0;
}

static struct line *line_create(struct lines *lines, struct host *host, struct limit *limit)
{
    struct line *line;

    if (reserve_line(lines, host, limit) == -1)
        return NULL;
    line = calloc(1, sizeof(*line));
    if (line == NULL)
        return NULL;
    line->host = host;
    line->limit = limit;
    line->ready.key = NEVER;
    TAILQ_INIT(&line->waiting);
    LIST_INSERT_HEAD(&host->lines, line, of_host);
    lines->lanes[host->lane].most++;
    if (limit != NULL) {
        limit->lines++;
        limit->shares[host->lane].most_open++;
    }
    return line;
}

struct line *line_get(struct lines *lines, const char *host_name, const char *limit_name)
{
    struct host *host = find_or_create_host(lines, host_name);
    struct limit *limit = NULL;
    struct line *line;

    if (host == NULL)
        return NULL;
    line = find_line(host, limit_name);
    if (line == NULL && limit_name != NULL)
        limit = find_or_create_limit(lines, limit_name);
    if (line == NULL && (limit != NULL || limit_name == NULL))
        line = line_create(lines, host, limit);
    if (line != NULL) {
        line->references++;
        return line;
    }
    drop_host(lines, host);
    drop_limit(lines, limit);
    return NULL;
}

void line_put(struct lines *lines, struct line *line)
{
    struct host *host;
    struct limit *limit;

    if (line == NULL || --line->references > 0)
        return;
    assert(TAILQ_EMPTY(&line->waiting) && line->ready.key == NEVER);
    host = line->host;
    limit = line->limit;
    LIST_REMOVE(line, of_host);
    lines->lanes[host->lane].most--;
    if (limit != NULL) {
        limit->lines--;
        limit->shares[host->lane].most_open--;
    }
    free(line);
    drop_host(lines, host);
    drop_limit(lines, limit);
}
