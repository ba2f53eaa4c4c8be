/*
 * server.h - runs a server program beside a test.
 */
#ifndef GATHERD_TEST_SERVER_H
#define GATHERD_TEST_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct server; /* opaque */

/* Starts argv[0] (found through PATH); NULL: there is no such program. It dies with the test. */
struct server *server_start(const char *const argv[]);

/* The first line that it prints, without its end; false when it ends before or prints none within
 * 30 seconds. */
bool server_read_line(struct server *server, char *line, size_t size);

/* Waits up to 30 seconds until something listens on a port of 127.0.0.1. */
bool server_wait_port(unsigned port);

/* Ends it with SIGTERM and waits. NULL is allowed. */
void server_stop(struct server *server);

/* A port of 127.0.0.1 that was free a moment ago. */
unsigned server_free_port(void);

/*
 * The path of a program among the shared tools, or NULL when it is not there:
 * $GATHERD_SHARED/tools/NAME, or ../shared/tools/NAME beside the sources.
 */
const char *server_shared_tool(const char *name, char *path, size_t size);

#endif
