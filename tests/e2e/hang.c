/*
 * hang.c - preloaded into gatherd by e2e_service.py: makes a thread hang, or start late.
 *
 * While the file $HANG_FILE holds the name of a thread, that thread does not come back from
 * epoll_wait() or pthread_cond_clockwait(). The thread of the creation number $LATE_THREAD (from 1)
 * sleeps for $LATE_MS milliseconds before it runs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static int is_to_hang(void)
{
    const char *path = getenv("HANG_FILE");
    char wanted[32] = "";
    char name[16] = "";
    FILE *file = path == NULL ? NULL : fopen(path, "r");

    if (file == NULL)
        return 0;
    if (fgets(wanted, sizeof(wanted), file) == NULL)
        wanted[0] = '\0';
    fclose(file);
    prctl(PR_GET_NAME, name);
    return strcmp(wanted, name) == 0;
}

static void hang(void)
{
    while (is_to_hang())
        usleep(50000);
}

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
    int (*real)(int, struct epoll_event *, int, int) =
        (int (*)(int, struct epoll_event *, int, int))dlsym(RTLD_NEXT, "epoll_wait");

    hang();
    return real(fd, events, max, timeout);
}

int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                           const struct timespec *until)
{
    typedef int clockwait(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
    clockwait *real = (clockwait *)dlsym(RTLD_NEXT, "pthread_cond_clockwait");

    if (is_to_hang()) { /* not with the mutex: only this thread is to hang */
        pthread_mutex_unlock(mutex);
        hang();
        pthread_mutex_lock(mutex);
    }
    return real(condition, mutex, clock, until);
}

struct start {
    void *(*routine)(void *);
    void *argument;
};

static void *run_late(void *argument)
{
    struct start start = *(struct start *)argument;

    free(argument);
    usleep((useconds_t)atoi(getenv("LATE_MS")) * 1000);
    return start.routine(start.argument);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*routine)(void *),
                   void *argument)
{
    typedef int create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    static atomic_int created;
    create *real = (create *)dlsym(RTLD_NEXT, "pthread_create");
    const char *late = getenv("LATE_THREAD");
    struct start *start;

    if (late == NULL || atoi(late) != ++created)
        return real(thread, attributes, routine, argument);
    start = malloc(sizeof(*start));
    *start = (struct start){routine, argument};
    return real(thread, attributes, run_late, start);
}
