#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gatherd/text.h"

struct lock {
    int fd;
    char *path;   /* owned */
    bool created; /* the file was not there before */
};

static enum error_code code_of(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return ERROR_UNAVAILABLE;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERROR_PERMISSION;
    case ENOSPC:
    case EDQUOT:
        return ERROR_SPACE;
    case ENOMEM:
        return ERROR_NOMEM;
    default:
        return ERROR_IO;
    }
}

/* The folder's part of a path, without the slash, "." when it has none, "/" for the root. */
static void put_folder(struct text *out, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        text_char(out, '.');
    else
        text_append(out, path, slash == path ? 1 : (size_t)(slash - path));
}

/*
 * FILE-lock, where FILE is the real path as far as it exists: reached through a symbolic link, the
 * same database must meet the same lock.
 */
static char *lock_path(const char *database, struct error *err)
{
    struct text text = {0};
    const char *base = strrchr(database, '/');
    char *real = realpath(database, NULL);

    if (real == NULL) {
        put_folder(&text, database);
        real = text_failed(&text) ? NULL : realpath(text_string(&text), NULL);
        if (text_failed(&text)) {
            text_free(&text);
            return NULL; /* the caller says so */
        }
        if (real == NULL) {
            error_set(err, code_of(errno), "%s: folder %s: %s; create it, or choose another path",
                      database, text_string(&text), strerror(errno));
            text_free(&text);
            return NULL;
        }
        text_clear(&text);
        text_format(&text, "%s/%s-lock", strcmp(real, "/") == 0 ? "" : real,
                    base == NULL ? database : base + 1);
    } else {
        text_format(&text, "%s-lock", real);
    }
    free(real);
    return text_take(&text);
}

/* The holder writes its number for people; the lock itself is the kernel's. */
static void report_holder(const struct lock *lock, const char *database, struct error *err)
{
    char number[16] = "";
    ssize_t length = pread(lock->fd, number, sizeof(number) - 1, 0);
    long pid = length > 0 ? strtol(number, NULL, 10) : 0;

    if (pid > 0)
        error_set(err, ERROR_UNAVAILABLE, "%s is in use by another gatherd (process %ld)", database,
                  pid);
    else
        error_set(err, ERROR_UNAVAILABLE, "%s is in use by another gatherd", database);
}

static int write_pid(const struct lock *lock)
{
    char number[16];
    int length = snprintf(number, sizeof(number), "%ld\n", (long)getpid());

    if (ftruncate(lock->fd, 0) == -1)
        return -1;
    return pwrite(lock->fd, number, (size_t)length, 0) == length ? 0 : -1;
}

static int open_lock(struct lock *lock)
{
    lock->fd = open(lock->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    lock->created = lock->fd != -1;
    if (lock->fd == -1 && errno == EEXIST)
        lock->fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    return lock->fd == -1 ? -1 : 0;
}

struct lock *lock_acquire(const char *database, struct error *err)
{
    struct lock *lock = calloc(1, sizeof(*lock));

    if (lock == NULL) {
        error_set(err, ERROR_NOMEM, "%s: out of memory", database);
        return NULL;
    }
    lock->fd = -1;
    lock->path = lock_path(database, err);
    if (lock->path == NULL) {
        error_set(err, ERROR_NOMEM, "%s: out of memory", database);
        goto fail;
    }
    if (open_lock(lock) == -1) {
        error_set(err, code_of(errno), "%s: cannot open: %s", lock->path, strerror(errno));
        goto fail;
    }
    if (flock(lock->fd, LOCK_EX | LOCK_NB) == -1) {
        if (errno == EWOULDBLOCK)
            report_holder(lock, database, err);
        else
            error_set(err, code_of(errno), "%s: cannot lock: %s", lock->path, strerror(errno));
        goto fail;
    }
    if (write_pid(lock) == -1) {
        error_set(err, code_of(errno), "%s: cannot write: %s", lock->path, strerror(errno));
        goto fail;
    }
    return lock;

fail:
    lock_release(lock, false);
    return NULL;
}

void lock_release(struct lock *lock, bool unused)
{
    if (lock == NULL)
        return;
    if (unused && lock->created)
        unlink(lock->path);
    if (lock->fd != -1)
        close(lock->fd);
    free(lock->path);
    free(lock);
}
