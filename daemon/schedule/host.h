/*
 * host.h - politeness: at most so many transfers of a host at once, the others stand in line.
 *
 * A host is counted by those who name it and goes with the last of them. It belongs to one lane, by
 * its hash. A host that has both somebody waiting and room is in its lane's list of ready hosts, so
 * that a transfer's end costs O(1) and nobody searches. Not for several threads.
 */
#ifndef GATHERD_SCHEDULE_HOST_H
#define GATHERD_SCHEDULE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "schedule/map.h"

/* Embedded in what waits for a host. */
struct host_waiter {
    TAILQ_ENTRY(host_waiter) link;
};

struct host {
    struct map_node node;
    TAILQ_ENTRY(host) ready_link;      /* while ready */
    TAILQ_HEAD(, host_waiter) waiting; /* first in, first out */
    size_t references;
    unsigned in_flight;
    unsigned lane;
    bool ready;  /* in its lane's list */
    char name[]; /* "name:port" */
};

TAILQ_HEAD(host_list, host);

struct hosts {
    struct map map;
    unsigned max_concurrent; /* transfers of one host at once; 0: nothing may start */
    unsigned lane_count;
    struct host_list *ready; /* owned, one a lane, in the order they became ready */
    size_t waiting;          /* over all hosts */
};

/* Deals the hosts to so many lanes. 0, or -1: out of memory, nothing has changed. */
int hosts_set_lanes(struct hosts *hosts, unsigned lanes);

/* Every reference is back. */
void hosts_free(struct hosts *hosts);

/* A new limit, at once; transfers above it go on. */
void hosts_set_limit(struct hosts *hosts, unsigned max_concurrent);

/* The host of that name, with one reference more. NULL: out of memory. */
struct host *host_get(struct hosts *hosts, const char *name);
void host_put(struct hosts *hosts, struct host *host); /* one reference less; NULL is allowed */

/* Every host once: hosts_next(hosts, NULL) is the first, NULL comes after the last. */
struct host *hosts_next(const struct hosts *hosts, const struct host *host);

bool host_has_room(const struct hosts *hosts, const struct host *host);
void host_transfer_started(struct hosts *hosts, struct host *host);
void host_transfer_ended(struct hosts *hosts, struct host *host);

/* Into the line of this host at its end, and out of it from any place. */
void host_wait(struct hosts *hosts, struct host *host, struct host_waiter *waiter);
void host_unwait(struct hosts *hosts, struct host *host, struct host_waiter *waiter);

/* The first in the line of the host that has been ready longest; it stays there. NULL: none. */
struct host_waiter *hosts_first_ready(const struct hosts *hosts, unsigned lane);

#endif
