/*
 * http_server.h - a small HTTP server on 127.0.0.1 for tests: a thread a connection, and a handler
 * that writes whatever it likes.
 */
#ifndef GATHERD_TEST_HTTP_SERVER_H
#define GATHERD_TEST_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct http_server; /* opaque */

struct http_request {
    const char *method;
    const char *target; /* "/path?query" */
    const char *head;   /* all of the request's head, for http_header() */
    const char *body;   /* as Content-Length counts it, with a NUL behind it */
    size_t body_bytes;
    unsigned connection; /* which connection this is, counted from 1 */
};

/*
 * Answers one request on `fd`, with http_reply() or by hand; true keeps the connection open. Called
 * from many threads at once.
 */
typedef bool http_handler(int fd, const struct http_request *request, void *context);

/* Fails the test when it cannot listen. `address` is an IPv4 address of this machine. */
struct http_server *http_server_start(const char *address, http_handler *handler, void *context);

/* Closes every connection and joins every thread. */
void http_server_stop(struct http_server *server);

unsigned http_server_port(const struct http_server *server);
unsigned http_server_connections(const struct http_server *server); /* accepted so far */
unsigned http_server_open(const struct http_server *server);        /* connections, now */
unsigned http_server_requests(const struct http_server *server);    /* answered so far */

/* "HTTP/1.1 STATUS", the header lines given ("A: b\r\nC: d\r\n"), Content-Length, and the body. */
void http_reply(int fd, int status, const char *headers, const char *body);
void http_send(int fd, const char *data, size_t length);

/* The value of a request header, copied into `value`; false when it is not there. */
bool http_header(const struct http_request *request, const char *name, char *value, size_t size);

#endif
