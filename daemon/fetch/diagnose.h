/*
 * diagnose.h - what became of a request, from what libcurl and our callbacks know of it.
 */
#ifndef GATHERD_FETCH_DIAGNOSE_H
#define GATHERD_FETCH_DIAGNOSE_H

#include <curl/curl.h>

#include "fetch/transfer.h"

/* Notes in the run where the time of its last request went. */
void diagnose_timing(struct transfer *transfer);

/*
 * Sets the fault for a time limit that has passed: which of the two it was, and where the time
 * went: `where`, or as far as the request had come.
 */
void diagnose_timeout(struct transfer *transfer, const char *where);

/* Sets the fault for `code`; what our callbacks found goes before what libcurl makes of it. */
void diagnose_failure(struct transfer *transfer, CURLcode code);

#endif
