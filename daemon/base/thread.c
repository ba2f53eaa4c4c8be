#include "gatherd/thread.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 16 /* with its NUL: what pthread_setname_np(3) takes */

/* What a new thread needs to begin; it frees this itself. */
struct beginning {
    char name[NAME_SIZE];
    void *(*body)(void *);
    void *argument;
};

/* The name is set from inside, so that nothing runs under the starter's. */
static void *begin(void *argument)
{
    struct beginning beginning = *(struct beginning *)argument;

    free(argument);
    pthread_setname_np(pthread_self(), beginning.name); /* without it the thread runs as well */
    return beginning.body(beginning.argument);
}

static int create_without_signals(pthread_t *thread, struct beginning *beginning)
{
    sigset_t all;
    sigset_t before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(thread, NULL, begin, beginning);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

int thread_start(pthread_t *thread, const char *stage, unsigned number, void *(*body)(void *),
                 void *argument, struct error *err)
{
    struct beginning *beginning = malloc(sizeof(*beginning));
    int rc;

    if (beginning == NULL) {
        error_set(err, ERROR_NOMEM, "%s %u: out of memory", stage, number);
        return -1;
    }
    *beginning = (struct beginning){.body = body, .argument = argument};
    snprintf(beginning->name, sizeof(beginning->name), "%s-%u", stage, number);
    rc = create_without_signals(thread, beginning);
    if (rc == 0)
        return 0;
    free(beginning);
    error_set(err, ERROR_UNAVAILABLE, "%s %u: cannot start its thread: %s", stage, number,
              strerror(rc));
    return -1;
}
