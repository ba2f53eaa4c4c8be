/*
 * thread.h - starts a thread the way all of ours are started.
 *
 * Every signal is blocked in it, and in the threads that it starts (libcurl's resolvers): signals
 * belong to the main thread.
 */
#ifndef GATHERD_THREAD_H
#define GATHERD_THREAD_H

#include <pthread.h>

#include "gatherd/error.h"

/*
 * Starts `body` with `argument` under the name "STAGE-NUMBER", which ps(1) and debuggers show, cut
 * to the 15 characters that Linux allows. 0, or -1 with ERROR_UNAVAILABLE or ERROR_NOMEM; the
 * caller joins it.
 */
int thread_start(pthread_t *thread, const char *stage, unsigned number, void *(*body)(void *),
                 void *argument, struct error *err);

#endif
