#include "schedule/host.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct host *host_of(struct map_node *node)
{
    return (struct host *)((char *)node - offsetof(struct host, node));
}

struct host *hosts_next(const struct hosts *hosts, const struct host *host)
{
    struct map_node *node = map_next(&hosts->map, host != NULL ? &host->node : NULL);

    return node != NULL ? host_of(node) : NULL;
}

bool host_has_room(const struct hosts *hosts, const struct host *host)
{
    return host->in_flight < hosts->max_concurrent;
}

static void leave_ready(struct hosts *hosts, struct host *host)
{
    if (host->ready)
        TAILQ_REMOVE(&hosts->ready[host->lane], host, ready_link);
    host->ready = false;
}

/* Puts the host where it belongs after any change: ready is who has room and a line. */
static void refresh(struct hosts *hosts, struct host *host)
{
    bool ready = host_has_room(hosts, host) && !TAILQ_EMPTY(&host->waiting);

    if (ready == host->ready)
        return;
    if (!ready) {
        leave_ready(hosts, host);
        return;
    }
    TAILQ_INSERT_TAIL(&hosts->ready[host->lane], host, ready_link);
    host->ready = true;
}

static void deal(struct hosts *hosts, struct host *host)
{
    host->lane = (unsigned)(host->node.hash % hosts->lane_count);
}

int hosts_set_lanes(struct hosts *hosts, unsigned lanes)
{
    struct host_list *ready;

    assert(lanes > 0);
    ready = calloc(lanes, sizeof(*ready));
    if (ready == NULL)
        return -1;
    for (unsigned i = 0; i < lanes; i++)
        TAILQ_INIT(&ready[i]);
    for (struct host *host = hosts_next(hosts, NULL); host != NULL; host = hosts_next(hosts, host))
        leave_ready(hosts, host);
    free(hosts->ready);
    hosts->ready = ready;
    hosts->lane_count = lanes;
    for (struct host *host = hosts_next(hosts, NULL); host != NULL;
         host = hosts_next(hosts, host)) {
        deal(hosts, host);
        refresh(hosts, host);
    }
    return 0;
}

void hosts_free(struct hosts *hosts)
{
    assert(hosts->map.count == 0);
    map_free(&hosts->map);
    free(hosts->ready);
    *hosts = (struct hosts){0};
}

void hosts_set_limit(struct hosts *hosts, unsigned max_concurrent)
{
    hosts->max_concurrent = max_concurrent;
    for (struct host *host = hosts_next(hosts, NULL); host != NULL; host = hosts_next(hosts, host))
        refresh(hosts, host);
}

static struct host *host_create(struct hosts *hosts, const char *name)
{
    size_t size = strlen(name) + 1;
    struct host *host = NULL;

    if (map_reserve(&hosts->map, hosts->map.count + 1) == 0)
        host = calloc(1, sizeof(*host) + size);
    if (host == NULL)
        return NULL;
    memcpy(host->name, name, size);
    TAILQ_INIT(&host->waiting);
    map_insert(&hosts->map, &host->node, host->name);
    deal(hosts, host);
    return host;
}

struct host *host_get(struct hosts *hosts, const char *name)
{
    struct map_node *node = map_find(&hosts->map, name);
    struct host *host = node != NULL ? host_of(node) : host_create(hosts, name);

    if (host != NULL)
        host->references++;
    return host;
}

void host_put(struct hosts *hosts, struct host *host)
{
    if (host == NULL || --host->references > 0)
        return;
    assert(host->in_flight == 0 && TAILQ_EMPTY(&host->waiting));
    map_remove(&hosts->map, &host->node);
    free(host);
}

/* A ready host that had its turn goes behind the others. */
void host_transfer_started(struct hosts *hosts, struct host *host)
{
    host->in_flight++;
    leave_ready(hosts, host);
    refresh(hosts, host);
}

void host_transfer_ended(struct hosts *hosts, struct host *host)
{
    assert(host->in_flight > 0);
    host->in_flight--;
    refresh(hosts, host);
}

void host_wait(struct hosts *hosts, struct host *host, struct host_waiter *waiter)
{
    TAILQ_INSERT_TAIL(&host->waiting, waiter, link);
    hosts->waiting++;
    refresh(hosts, host);
}

void host_unwait(struct hosts *hosts, struct host *host, struct host_waiter *waiter)
{
    TAILQ_REMOVE(&host->waiting, waiter, link);
    hosts->waiting--;
    refresh(hosts, host);
}

struct host_waiter *hosts_first_ready(const struct hosts *hosts, unsigned lane)
{
    struct host *host = TAILQ_FIRST(&hosts->ready[lane]);

    return host != NULL ? TAILQ_FIRST(&host->waiting) : NULL;
}
