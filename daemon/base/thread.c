#include "gatherd/thread.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE 16 /* with its NUL: what pthread_setname_np(3) takes */

int thread_start(pthread_t *thread, const char *stage, unsigned number, void *(*body)(void *),
                 void *argument, struct error *err)
{
    char name[NAME_SIZE];
    sigset_t all;
    sigset_t before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(thread, NULL, body, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        error_set(err, ERROR_UNAVAILABLE, "%s %u: cannot start its thread: %s", stage, number,
                  strerror(rc));
        return -1;
    }
    snprintf(name, sizeof(name), "%s-%u", stage, number);
    pthread_setname_np(*thread, name); /* without it the thread runs as well */
    return 0;
}
