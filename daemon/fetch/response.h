/*
 * response.h - takes in one HTTP response as libcurl delivers it, within bounds.
 *
 * libcurl bounds neither a decompressed body nor one without a length, and it reports success on
 * bodies whose framing contradicts itself, or which are compressed and cut off. So header and body
 * bytes are counted here, what can be checked of the framing is checked, and the body is decoded
 * here (decoding.h).
 */
#ifndef GATHERD_FETCH_RESPONSE_H
#define GATHERD_FETCH_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fetch/decoding.h"
#include "fetch/failure.h"
#include "gatherd/config.h"
#include "gatherd/run.h"

/* All header lines of one request's answers together, interim (1xx) ones and trailers included. */
#define RESPONSE_MAX_HEAD_BYTES (256u * 1024)

struct receiver {
    const struct source *source; /* borrowed: its limits */
    int64_t max_body_bytes;      /* of the decoded body */
    bool is_final;               /* every status is an answer, redirects too */
    struct response *response;   /* borrowed: where the answer goes */
    size_t head_bytes;           /* counted against RESPONSE_MAX_HEAD_BYTES */
    bool head_done;              /* the head of the final response is complete */
    unsigned answers;            /* final heads: two where libcurl answered a challenge by itself */

    /* From the head of the final response; owned strings, NULL: no such header. */
    char *location;
    char *retry_after;
    int64_t length;            /* Content-Length; -1: none */
    struct decoding *decoding; /* owned: Content-Encoding; NULL: what comes out is what was sent */
    bool chunked;

    size_t discarded; /* bytes of a redirect's body: counted, not kept */
    struct fault fault;
};

/* Forgets the last answer and gets ready for one that goes into `response`, which is empty. */
void receiver_start(struct receiver *receiver, const struct source *source,
                    struct response *response);

/* The same for a request that is not the source's own: no redirect is followed. */
void receiver_start_other(struct receiver *receiver, const struct source *source,
                          int64_t max_body_bytes, struct response *response);

/* Frees what the receiver holds; the response is the run's. */
void receiver_clear(struct receiver *receiver);

/* CURLOPT_HEADERFUNCTION and CURLOPT_WRITEFUNCTION; `userdata` is the receiver. */
size_t receiver_on_header(char *data, size_t size, size_t count, void *userdata);
size_t receiver_on_body(char *data, size_t size, size_t count, void *userdata);

/*
 * libcurl says the answer is complete, `sent` bytes before decompression: whether it is. Otherwise
 * the fault is set. Gives memory that was asked for in vain back.
 */
void receiver_finish(struct receiver *receiver, int64_t sent);

/* Empties a response and frees what it owns. */
void response_clear(struct response *response);

/* 301, 302, 303, 307 or 308, and the source does not call it success. */
bool response_is_redirect(const struct source *source, int status);

#endif
