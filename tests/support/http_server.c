#include "http_server.h"

#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CONNECTIONS 4096
#define MAX_HEAD        (64 * 1024)
#define MAX_REQUEST     (4 * 1024 * 1024)

struct connection {
    struct http_server *server;
    unsigned number;
    int fd;
    pthread_t thread;
};

struct http_server {
    int listener;
    unsigned port;
    http_handler *handler;
    void *context;
    pthread_t acceptor;
    atomic_uint connections;
    atomic_uint open;
    atomic_uint requests;

    pthread_mutex_t mutex; /* guards what follows */
    bool stopping;
    unsigned count;
    struct connection *all[MAX_CONNECTIONS];
};

void http_send(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);

        if (sent <= 0)
            return; /* the client is gone, which is its right */
        data += sent;
        length -= (size_t)sent;
    }
}

void http_reply(int fd, int status, const char *headers, const char *body)
{
    char *all;
    int length = asprintf(&all, "HTTP/1.1 %d Some Phrase\r\n%sContent-Length: %zu\r\n\r\n%s",
                          status, headers, strlen(body), body);

    assert_true(length > 0);
    http_send(fd, all, (size_t)length);
    free(all);
}

bool http_header(const struct http_request *request, const char *name, char *value, size_t size)
{
    const char *line = strchr(request->head, '\n');
    size_t length = strlen(name);

    for (; line != NULL; line = strchr(line, '\n')) {
        line++;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            const char *start = line + length + 1 + strspn(line + length + 1, " ");

            snprintf(value, size, "%.*s", (int)strcspn(start, "\r\n"), start);
            return true;
        }
    }
    return false;
}

/* What has come of a connection's requests and was not answered yet. */
struct pending {
    char *data; /* with a NUL behind it */
    size_t length;
    size_t capacity;
};

static bool make_room(struct pending *pending, size_t need)
{
    if (need >= MAX_REQUEST)
        return false;
    if (need >= pending->capacity) {
        pending->capacity = need + 1;
        pending->data = realloc(pending->data, pending->capacity);
        assert_non_null(pending->data);
    }
    return true;
}

/* Reads until `need` bytes are there. */
static bool read_body(int fd, struct pending *pending, size_t need)
{
    if (!make_room(pending, need))
        return false;
    while (pending->length < need) {
        ssize_t got = recv(fd, pending->data + pending->length, need - pending->length, 0);

        if (got <= 0)
            return false;
        pending->length += (size_t)got;
        pending->data[pending->length] = '\0';
    }
    return true;
}

/* Reads one head; what follows it is the body, or belongs to the next request. */
static bool read_head(int fd, struct pending *pending)
{
    while (strstr(pending->data, "\r\n\r\n") == NULL) {
        size_t room = pending->length + 1 < MAX_HEAD ? MAX_HEAD - 1 - pending->length : 0;
        ssize_t got = room > 0 ? recv(fd, pending->data + pending->length, room, 0) : 0;

        if (got <= 0)
            return false;
        pending->length += (size_t)got;
        pending->data[pending->length] = '\0';
    }
    return true;
}

static bool answer(const struct connection *c, struct pending *pending)
{
    size_t head = (size_t)(strstr(pending->data, "\r\n\r\n") - pending->data) + 4;
    char method[20] = "";
    char target[16 * 1024] = "";
    char length[20] = "0";
    char *copy = strndup(pending->data, head);
    struct http_request request = {
        .method = method, .target = target, .head = copy, .connection = c->number};
    size_t end;
    char saved;
    bool keep;

    assert_non_null(copy);
    sscanf(copy, "%19s %16383s", method, target);
    http_header(&request, "Content-Length", length, sizeof(length));
    request.body_bytes = strtoul(length, NULL, 10);
    end = head + request.body_bytes;
    if (!read_body(c->fd, pending, end)) {
        free(copy);
        return false;
    }
    request.body = pending->data + head;
    saved = pending->data[end];
    pending->data[end] = '\0';
    keep = c->server->handler(c->fd, &request, c->server->context);
    pending->data[end] = saved;
    memmove(pending->data, pending->data + end, pending->length - end + 1);
    pending->length -= end;
    free(copy);
    atomic_fetch_add(&c->server->requests, 1);
    return keep;
}

static void *serve(void *argument)
{
    struct connection *c = argument;
    struct pending pending = {.data = calloc(1, MAX_HEAD), .capacity = MAX_HEAD};

    while (pending.data != NULL && read_head(c->fd, &pending) && answer(c, &pending))
        ;
    free(pending.data);
    atomic_fetch_sub(&c->server->open, 1);
    shutdown(c->fd, SHUT_RDWR); /* closed after the join, so that its number stays its own */
    return NULL;
}

static bool add(struct http_server *server, int fd)
{
    struct connection *c = calloc(1, sizeof(*c));
    bool added = false;

    if (c == NULL)
        return false;
    *c = (struct connection){.server = server, .fd = fd};
    c->number = atomic_fetch_add(&server->connections, 1) + 1;
    atomic_fetch_add(&server->open, 1);
    pthread_mutex_lock(&server->mutex);
    if (!server->stopping && server->count < MAX_CONNECTIONS &&
        pthread_create(&c->thread, NULL, serve, c) == 0) {
        server->all[server->count++] = c;
        added = true;
    }
    pthread_mutex_unlock(&server->mutex);
    if (!added) {
        atomic_fetch_sub(&server->open, 1);
        free(c);
    }
    return added;
}

static void *accept_all(void *argument)
{
    struct http_server *server = argument;
    int on = 1;
    int fd;

    while ((fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC)) != -1) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (!add(server, fd))
            close(fd);
    }
    return NULL;
}

struct http_server *http_server_start(const char *address, http_handler *handler, void *context)
{
    struct http_server *server = calloc(1, sizeof(*server));
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t size = sizeof(name);

    assert_non_null(server);
    server->handler = handler;
    server->context = context;
    pthread_mutex_init(&server->mutex, NULL);
    assert_int_equal(inet_pton(AF_INET, address, &name.sin_addr), 1);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->listener != -1);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(server->listener, 1024), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&name, &size), 0);
    server->port = ntohs(name.sin_port);
    assert_int_equal(pthread_create(&server->acceptor, NULL, accept_all, server), 0);
    return server;
}

void http_server_stop(struct http_server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->acceptor, NULL);
    close(server->listener);
    pthread_mutex_lock(&server->mutex);
    server->stopping = true;
    for (unsigned i = 0; i < server->count; i++)
        shutdown(server->all[i]->fd, SHUT_RDWR);
    pthread_mutex_unlock(&server->mutex);
    for (unsigned i = 0; i < server->count; i++) {
        pthread_join(server->all[i]->thread, NULL);
        close(server->all[i]->fd);
        free(server->all[i]);
    }
    pthread_mutex_destroy(&server->mutex);
    free(server);
}

unsigned http_server_port(const struct http_server *server)
{
    return server->port;
}

unsigned http_server_connections(const struct http_server *server)
{
    return atomic_load(&((struct http_server *)server)->connections);
}

unsigned http_server_open(const struct http_server *server)
{
    return atomic_load(&((struct http_server *)server)->open);
}

unsigned http_server_requests(const struct http_server *server)
{
    return atomic_load(&((struct http_server *)server)->requests);
}
