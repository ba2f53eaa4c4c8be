/*
 * transfer.h - one attempt of one run: its request, the redirects it is sent through, its outcome.
 *
 * A transfer owns an easy handle, which serves one run after the other.
 */
#ifndef GATHERD_FETCH_TRANSFER_H
#define GATHERD_FETCH_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "fetch/engine.h"
#include "fetch/failure.h"
#include "fetch/request.h"
#include "fetch/response.h"
#include "fetch/route.h"
#include "fetch/tls_files.h"
#include "fetch/token_hop.h"
#include "gatherd/arena.h"
#include "gatherd/run.h"
#include "gatherd/text.h"

struct transfer_options {
    /* All borrowed for the life of the transfer. */
    const char *user_agent;
    const char *ca_file;
    struct arena *scratch; /* where requests are made: empty again when each has been sent */
    struct tls_files *tls_files;
    struct token_cache *tokens; /* NULL: no source needs one */
};

struct transfer {
    CURL *easy; /* owned */
    struct request_setup setup;
    struct engine *engine;
    struct arena *scratch;
    struct tls_files *tls_files;
    size_t place; /* the fetcher's: where it stands in its list */
    char error_text[CURL_ERROR_SIZE];
    struct receiver receiver;

    uint64_t affinity; /* of the run it has, or had last: libcurl keeps that host's TLS session */

    struct token_hop hop; /* the token that the run's source needs, if it does */
    struct hidden hidden; /* secrets in the attempt's requests */

    struct run *run;            /* borrowed; NULL while it rests */
    struct text url;            /* of the request under way */
    struct route route;         /* ... and which way it goes */
    struct request_lists lists; /* owned: libcurl reads them during the request */
    int lane;                   /* of engine_add(); -1: not added */
    int64_t deadline_ms;        /* monotonic: `timeout` covers all hops */
    int64_t now_ms;             /* Unix time of its begin: redirects keep what was rendered */
    unsigned redirects;         /* followed so far */
    uint16_t request;           /* which one: see validators.h */
    bool own_origin;            /* no redirect has led to another origin */
    bool as_get;                /* a redirect has made it a GET that carries nothing */
    bool from_public;           /* the first request went to a public address, as far as is known */
    int open_errno;             /* why no socket could be opened; 0: none was refused */
};

/* NULL: out of memory. */
struct transfer *transfer_create(struct engine *engine, const struct transfer_options *options);
void transfer_free(struct transfer *transfer); /* NULL is allowed */

/* Equal for sources of one host: their transfers share connections and TLS sessions. */
uint64_t transfer_affinity(const struct source *source);

/* Both tell whether it is under way; if not it is over, and the run holds the answer or failure. */
bool transfer_begin(struct transfer *transfer, struct run *run);

/* libcurl is through with its request; a redirect makes it go on. */
bool transfer_go_on(struct transfer *transfer, CURLcode code);

/*
 * Until when (monotonic) it waits for a token that another transfer gets; INT64_MAX: it does not.
 * transfer_resume() makes it ask again, as the two above.
 */
int64_t transfer_waits_until_ms(const struct transfer *transfer);
bool transfer_resume(struct transfer *transfer);

/* When (monotonic) its present request has to be over. */
int64_t transfer_request_deadline_ms(const struct transfer *transfer);

/* Stops it in the middle. */
void transfer_abort(struct transfer *transfer);

/* --- transfer_reach.c: to which addresses it may go --- */

/* Chooses the way of the request for transfer->url. False: it may not be made, the fault is set. */
bool transfer_may_ask(struct transfer *transfer);

/* The answer to a first request is a redirect: notes whether that was a public address. */
void transfer_note_origin(struct transfer *transfer);

/* CURLOPT_OPENSOCKETFUNCTION and CURLOPT_PREREQFUNCTION; `clientp` is the transfer. */
curl_socket_t transfer_open_socket(void *clientp, curlsocktype purpose,
                                   struct curl_sockaddr *address);
int transfer_before_request(void *clientp, char *ip, char *local_ip, int port, int local_port);

#endif
