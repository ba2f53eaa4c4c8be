#include "fetch/tls_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files kept at a time: looking along so many costs less than one of them to read. */
#define MOST_FILES 256

struct tls_file {
    char *path; /* owned */
    struct stat read_as;
    char *data; /* owned, with a NUL behind it */
    size_t length;
    uint64_t used_at; /* in calls: who waits longest makes room */
};

struct tls_files {
    struct tls_file files[MOST_FILES];
    size_t count;
    uint64_t calls;
};

struct tls_files *tls_files_create(void)
{
    return calloc(1, sizeof(struct tls_files));
}

static void forget(struct tls_file *file)
{
    if (file->data != NULL)
        explicit_bzero(file->data, file->length);
    free(file->data);
    free(file->path);
    *file = (struct tls_file){0};
}

void tls_files_free(struct tls_files *files)
{
    if (files == NULL)
        return;
    for (size_t i = 0; i < files->count; i++)
        forget(&files->files[i]);
    free(files);
}

static int cannot_read(const char *path, int number, struct error *err)
{
    enum error_code code = number == ENOMEM                      ? ERROR_NOMEM
                           : number == EACCES || number == EPERM ? ERROR_PERMISSION
                                                                 : ERROR_UNAVAILABLE;

    error_set(err, code, "%s cannot be read: %s", path, strerror(number));
    return -1;
}

/* Whether it is the same file with the same content, as far as stat(2) can tell. */
static bool is_unchanged(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Reads `file->read_as.st_size` bytes, or fewer where the file has become shorter meanwhile. */
static int read_content(struct tls_file *file, int fd)
{
    size_t size = (size_t)file->read_as.st_size;
    size_t length = 0;
    char *data = malloc(size + 1);

    if (data == NULL)
        return ENOMEM;
    while (length < size) {
        ssize_t got = read(fd, data + length, size - length);
        int number = errno;

        if (got == 0)
            break;
        if (got == -1 && number == EINTR)
            continue;
        if (got == -1) {
            explicit_bzero(data, length);
            free(data);
            return number;
        }
        length += (size_t)got;
    }
    data[length] = '\0';
    file->data = data;
    file->length = length;
    return 0;
}

static int read_file(struct tls_file *file, const char *path, struct error *err)
{
    /* Without O_NONBLOCK a pipe with nobody at its other end would hold the thread. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int number = 0;
    int rc = -1;

    if (fd == -1)
        return cannot_read(path, errno, err);
    if (fstat(fd, &file->read_as) == -1)
        cannot_read(path, errno, err);
    else if (!S_ISREG(file->read_as.st_mode))
        error_set(err, ERROR_UNAVAILABLE, "%s is no regular file", path);
    else if (file->read_as.st_size > TLS_FILE_MAX_BYTES)
        error_set(err, ERROR_UNAVAILABLE, "%s is larger than %u KiB", path,
                  TLS_FILE_MAX_BYTES / 1024);
    else if ((number = read_content(file, fd)) != 0)
        cannot_read(path, number, err);
    else
        rc = 0;
    close(fd);
    return rc;
}

/* The place of the file, or one for it: a new one, or that of the file used longest ago. */
static struct tls_file *place_of(struct tls_files *files, const char *path)
{
    struct tls_file *oldest = &files->files[0];

    for (size_t i = 0; i < files->count; i++) {
        struct tls_file *file = &files->files[i];

        if (file->path != NULL && strcmp(file->path, path) == 0)
            return file;
        if (file->used_at < oldest->used_at)
            oldest = file;
    }
    if (files->count < MOST_FILES && (files->count == 0 || oldest->path != NULL))
        oldest = &files->files[files->count++];
    forget(oldest);
    return oldest;
}

int tls_files_get(struct tls_files *files, const char *path, struct slice *content,
                  struct error *err)
{
    struct tls_file *file = place_of(files, path);
    struct tls_file fresh = {0};
    struct stat now;

    if (file->path == NULL || stat(path, &now) == -1 || !is_unchanged(&now, &file->read_as)) {
        if (read_file(&fresh, path, err) == -1 || (fresh.path = strdup(path)) == NULL) {
            forget(&fresh);
            forget(file); /* what it held is not to be used any more */
            error_set(err, ERROR_NOMEM, "out of memory for %s", path); /* unless it says more */
            return -1;
        }
        forget(file);
        *file = fresh;
    }
    file->used_at = ++files->calls;
    *content = (struct slice){file->data, file->length};
    return 0;
}
