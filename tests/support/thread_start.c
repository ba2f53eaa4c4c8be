#include "thread_start.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*routine)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*routine)(void *), void *argument);

static atomic_int left = INT_MAX;

void thread_start_fail_after(int count)
{
    atomic_store(&left, count);
}

void thread_start_stop_failing(void)
{
    atomic_store(&left, INT_MAX);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*routine)(void *), void *argument)
{
    if (atomic_load(&left) != INT_MAX && atomic_fetch_sub(&left, 1) <= 0)
        return EAGAIN;
    return __real_pthread_create(thread, attributes, routine, argument);
}

/* 0 too when the thread has ended meanwhile. */
static unsigned has_prefix(const char *task, const char *prefix)
{
    char path[PATH_MAX];
    char name[32] = "";
    FILE *file;

    snprintf(path, sizeof(path), "/proc/self/task/%s/comm", task);
    file = fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fgets(name, sizeof(name), file) == NULL)
        name[0] = '\0';
    fclose(file);
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

unsigned thread_count(const char *prefix)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    unsigned count = 0;

    while (tasks != NULL && (task = readdir(tasks)) != NULL) {
        if (task->d_name[0] != '.')
            count += has_prefix(task->d_name, prefix);
    }
    if (tasks != NULL)
        closedir(tasks);
    return count;
}
