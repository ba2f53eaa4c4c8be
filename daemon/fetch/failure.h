/*
 * failure.h - why a transfer failed, in the terms of a run and in words for people.
 */
#ifndef GATHERD_FETCH_FAILURE_H
#define GATHERD_FETCH_FAILURE_H

#include <curl/curl.h>
#include <stdbool.h>

#include "gatherd/run.h"
#include "gatherd/text.h"

/* What our own callbacks found wrong; they can only tell libcurl to stop, not why. */
struct fault {
    enum run_failure kind; /* RUN_OK: nothing */
    bool retryable;
    char text[300];
};

/* The first fault is kept. */
void fault_set(struct fault *fault, enum run_failure kind, bool retryable, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Every CURLcode belongs to a kind of failure; none is fatal for the process. What libcurl says
 * (`words`) tells some that share a code apart.
 */
enum run_failure failure_of_curl(CURLcode code, const char *words, bool *retryable);

/*
 * Appends what libcurl says, made fit for logs and the database: without what follows a "?" in a
 * word and what stands before an "@" (queries and user names of URLs), and printable.
 */
void failure_add_clean(struct text *out, const char *words);

/*
 * Appends why a transfer failed, for people: what `code` means, what libcurl says of it (`words`,
 * cleaned; "": nothing), and what to do about it where that is known.
 */
void failure_describe(struct text *out, CURLcode code, const char *words);

/* Whether another attempt may help: 408, 429, 5xx. */
bool failure_status_is_retryable(int status);

/* "Service Unavailable" for 503; NULL for a status that no standard names. */
const char *failure_reason_phrase(int status);

#endif
