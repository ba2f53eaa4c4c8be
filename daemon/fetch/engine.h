/*
 * engine.h - libcurl's multi handles and their sockets in one epoll loop.
 *
 * Knows easy handles, sockets and timers, and nothing of runs. Two measurements shape it. libcurl
 * walks its list of connections at each transfer, so a multi handle has at most
 * ENGINE_MAX_CONNECTIONS, those in flight and those kept together, and a large fetcher has several.
 * And a socket stays in the epoll between the requests of a kept connection, so that such a request
 * needs no epoll_ctl(2).
 *
 * All calls but engine_wake() come from the thread that owns it.
 */
#ifndef GATHERD_FETCH_ENGINE_H
#define GATHERD_FETCH_ENGINE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "gatherd/error.h"

struct engine; /* opaque */

#define ENGINE_MAX_CONNECTIONS 600

struct engine *engine_create(unsigned max_in_flight, struct error *err);

/* Closes all kept connections. No transfer may be in flight. NULL is allowed. */
void engine_free(struct engine *engine);

/*
 * Starts the transfer of `easy`; equal `affinity` brings transfers to the same kept connections.
 * Returns the number that engine_remove() needs, or -1 with `*code` set.
 */
int engine_add(struct engine *engine, CURL *easy, uint64_t affinity, CURLMcode *code);

/* Takes an easy handle out, finished or in the middle. */
void engine_remove(struct engine *engine, CURL *easy, int number);

/*
 * One turn of the loop: waits up to `timeout_ms` for sockets, libcurl's timers or a wake-up, and
 * lets libcurl work. True when there was a wake-up.
 */
bool engine_turn(struct engine *engine, int64_t timeout_ms);

/* A transfer that is over, or NULL. It stays added until engine_remove(). */
CURL *engine_next_done(struct engine *engine, CURLcode *code);

/* Ends the wait of the turn that runs, or of the next one. Any thread; cheap when repeated. */
void engine_wake(struct engine *engine);

/* Opens a socket for libcurl that the engine watches: for CURLOPT_OPENSOCKETFUNCTION. */
curl_socket_t engine_open_socket(struct engine *engine, const struct curl_sockaddr *address);

/* CURLOPT_CLOSESOCKETFUNCTION; `clientp` is the engine. */
int engine_close_socket(void *clientp, curl_socket_t fd);

#endif
