#include "gatherd/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot_read(const char *path, int number, struct error *err)
{
    bool forbidden = number == EACCES || number == EPERM;

    error_set(err, forbidden ? ERROR_PERMISSION : ERROR_UNAVAILABLE,
              "the file with the secret, %s, cannot be read: %s", path, strerror(number));
    return -1;
}

/*
 * `shared` allows others to read it: systemd gives a service its credentials by an access control
 * list, whose mask shows as the group's bits, in a folder that only the service may enter.
 */
static int check_file(const char *path, int fd, bool shared, struct error *err)
{
    struct stat status;

    if (fstat(fd, &status) == -1)
        return cannot_read(path, errno, err);
    if (!S_ISREG(status.st_mode)) {
        error_set(err, ERROR_CONFIG, "%s is no regular file; name one that holds the secret", path);
        return -1;
    }
    if (!shared && (status.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) != 0) {
        error_set(err, ERROR_PERMISSION,
                  "%s holds a secret and is open to others (mode %03o); make it its owner's alone: "
                  "chmod 600",
                  path, (unsigned)(status.st_mode & 0777));
        return -1;
    }
    return 0;
}

/* Reads at most SECRET_MAX_BYTES and one more. */
static int read_all(const char *path, int fd, struct text *out, struct error *err)
{
    char buffer[4096];
    size_t total = 0;

    while (total <= SECRET_MAX_BYTES) {
        ssize_t bytes = read(fd, buffer, sizeof(buffer));

        if (bytes == -1 && errno == EINTR)
            continue;
        if (bytes == -1)
            return cannot_read(path, errno, err);
        if (bytes == 0)
            break;
        text_append(out, buffer, (size_t)bytes);
        total += (size_t)bytes;
    }
    explicit_bzero(buffer, sizeof(buffer));
    return 0;
}

/* Editors and echo(1) end a file with a line break that is no part of the secret. */
static void drop_line_break(struct text *text, size_t start)
{
    size_t length = text->length;

    if (length == start || text->data[length - 1] != '\n')
        return;
    length--;
    if (length > start && text->data[length - 1] == '\r')
        length--;
    text->data[length] = '\0';
    text->length = length;
}

static int check_content(const char *path, const struct text *text, size_t start, struct error *err)
{
    size_t length = text->length - start;

    if (text_failed(text))
        error_set(err, ERROR_NOMEM, "out of memory for a secret");
    else if (length == 0)
        error_set(err, ERROR_UNAVAILABLE, "%s is empty; write the secret into it", path);
    else if (length > SECRET_MAX_BYTES)
        error_set(err, ERROR_CONFIG, "%s is too long for a secret: more than %u KiB", path,
                  SECRET_MAX_BYTES / 1024);
    else if (memchr(text->data + start, '\0', length) != NULL)
        error_set(err, ERROR_CONFIG, "%s holds a NUL byte, which no secret may have", path);
    else
        return 0;
    return -1;
}

static int read_file(const char *path, bool shared, struct text *out, struct error *err)
{
    size_t start = out->length;
    /* Without O_NONBLOCK a pipe with nobody at its other end would hold the thread. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int rc = -1;

    if (fd == -1)
        return cannot_read(path, errno, err);
    if (check_file(path, fd, shared, err) == 0 && read_all(path, fd, out, err) == 0) {
        drop_line_break(out, start);
        rc = check_content(path, out, start, err);
    }
    close(fd);
    return rc;
}

static int read_credential(const char *name, struct text *out, struct error *err)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    struct text path = {0};
    int rc = -1;

    if (folder == NULL || *folder == '\0') {
        error_set(err, ERROR_UNAVAILABLE,
                  "the credential %s: there is no $CREDENTIALS_DIRECTORY; start gatherd by systemd "
                  "with LoadCredential=%s:PATH",
                  name, name);
        return -1;
    }
    text_format(&path, "%s/%s", folder, name);
    if (text_failed(&path)) {
        error_set(err, ERROR_NOMEM, "out of memory for a secret");
    } else {
        rc = read_file(path.data, true, out, err);
        if (rc == -1)
            error_wrap(err, "the credential %s", name);
    }
    text_free(&path);
    return rc;
}

int secret_read(const struct secret *secret, struct text *out, struct error *err)
{
    switch (secret->kind) {
    case SECRET_FILE:
        return read_file(secret->text, false, out, err);
    case SECRET_CREDENTIAL:
        return read_credential(secret->text, out, err);
    case SECRET_LITERAL:
        break;
    }
    text_add(out, secret->text);
    if (!text_failed(out))
        return 0;
    error_set(err, ERROR_NOMEM, "out of memory for a secret");
    return -1;
}

void secret_wipe(struct text *text)
{
    if (text->data != NULL)
        explicit_bzero(text->data, text->capacity);
    text_clear(text);
}
