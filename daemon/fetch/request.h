/*
 * request.h - what libcurl is told about one request: the only place with curl_easy_setopt().
 *
 * An easy handle is used for one request after the other. What never changes is set once, when the
 * handle is made; a request sets only what differs, and none resets the handle.
 */
#ifndef GATHERD_FETCH_REQUEST_H
#define GATHERD_FETCH_REQUEST_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "fetch/draft.h"
#include "fetch/failure.h"
#include "fetch/response.h"
#include "fetch/route.h"
#include "fetch/tls_files.h"
#include "gatherd/config.h"

/* All borrowed for the life of the easy handle. */
struct request_setup {
    const char *user_agent;
    const char *ca_file; /* NULL: the system's authorities */
    char *error_text;    /* CURL_ERROR_SIZE bytes */
    struct receiver *receiver;
    void *transfer; /* given to the next two */
    curl_opensocket_callback open_socket;
    curl_prereq_callback before_request;
    void *engine; /* given to close_socket, also after the handle is gone */
    curl_closesocket_callback close_socket;
};

/* Sets what all requests have in common. 0, or -1 when libcurl refuses (memory). */
int request_prepare(CURL *easy, const struct request_setup *setup);

struct request {
    const char *url; /* borrowed during the call, as all of the draft */
    /*
     * What it says and carries. NULL: it goes to another origin than the source's, and is a GET
     * with nothing of that.
     */
    const struct draft *draft;
    bool own_origin; /* what the source says of its server and its certificate holds */
    struct route route;
    bool fresh;         /* over a connection of its own */
    int64_t timeout_ms; /* what is left of the attempt's time */
};

/* What libcurl reads during the request; {0} before the first. */
struct request_lists {
    struct curl_slist *headers;
    struct curl_slist *connect_to;
};

/*
 * Sets what differs; `files` are those that TLS needs. The lists that the handle uses take the
 * place of the last ones. 0, or -1 with the fault set.
 */
int request_set(CURL *easy, const struct source *source, const struct request *request,
                struct tls_files *files, struct request_lists *lists, struct fault *fault);

/* The request is over: takes headers, body and secrets out of the handle, and frees the lists. */
void request_forget(CURL *easy, struct request_lists *lists);

#endif
