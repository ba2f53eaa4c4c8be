#include "fetch/token_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gatherd/arena.h"
#include "gatherd/json.h"
#include "gatherd/secret.h"

/* Tokens of settings that are no more stay until so many others have come. */
#define MOST_LINES 1000u
#define MOST_BYTES (16u * 1024 * 1024)

#define SETTINGS_TEXT_SIZE 33

void token_file_key_set(struct token_file_key *key, struct hash128 settings, const char *configured)
{
    uint8_t digest[SHA256_BYTES];

    key->settings = settings;
    sha256(configured, strlen(configured), digest);
    sha256_text(digest, key->configured);
}

static char *settings_text(const struct token_file_key *key, char text[SETTINGS_TEXT_SIZE])
{
    snprintf(text, SETTINGS_TEXT_SIZE, "%016" PRIx64 "%016" PRIx64, key->settings.high,
             key->settings.low);
    return text;
}

/* Reading. */

static int cannot(const char *what, const char *path, int number, struct error *err)
{
    enum error_code code = number == EACCES || number == EPERM || number == EROFS ? ERROR_PERMISSION
                           : number == ENOSPC || number == EDQUOT                 ? ERROR_SPACE
                                                                                  : ERROR_IO;

    error_set(err, code, "the file of refresh tokens, %s, cannot be %s: %s", path, what,
              strerror(number));
    return -1;
}

static int read_open_file(const char *path, int fd, struct text *out, struct error *err)
{
    char buffer[16 * 1024];
    struct stat status;
    ssize_t bytes = 0;

    if (fstat(fd, &status) == -1)
        return cannot("read", path, errno, err);
    if (!S_ISREG(status.st_mode) || (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        error_set(
            err, ERROR_PERMISSION,
            "the file of refresh tokens, %s, is open to others (mode %03o); chmod 600 it, and "
            "think of its tokens as known",
            path, (unsigned)(status.st_mode & 0777));
        return -1;
    }
    while (out->length <= MOST_BYTES && !out->failed &&
           ((bytes = read(fd, buffer, sizeof(buffer))) > 0 || (bytes == -1 && errno == EINTR)))
        text_append(out, buffer, bytes > 0 ? (size_t)bytes : 0);
    explicit_bzero(buffer, sizeof(buffer));
    if (bytes == -1)
        return cannot("read", path, errno, err);
    if (text_failed(out)) {
        error_set(err, ERROR_NOMEM, "out of memory for the refresh tokens");
        return -1;
    }
    return 0;
}

/* A file that is not there is empty. */
static int read_file(const char *path, struct text *out, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int rc;

    if (fd == -1 && errno == ENOENT)
        return 0;
    if (fd == -1)
        return cannot("read", path, errno, err);
    rc = read_open_file(path, fd, out, err);
    close(fd);
    return rc;
}

static struct slice member_text(const struct node *object, const char *name)
{
    const struct node *member = node_member(object, slice_of(name));

    return member != NULL && member->type == NODE_STRING ? node_slice(member) : (struct slice){0};
}

/* The lines of a file as an array of objects. */
static int parse(const char *path, const struct text *content, struct arena *arena,
                 const struct node **lines, struct error *err)
{
    struct json_error problem;

    switch (json_read_lines(text_string(content), content->length, arena, lines, &problem)) {
    case JSON_OK:
        return 0;
    case JSON_INVALID: /* what is wrong may be a piece of a token: the place has to do */
        error_set(err, ERROR_FAILED,
                  "the file of refresh tokens, %s, line %u, is not what gatherd wrote; mend it, or "
                  "remove the file and put new refresh tokens into the configuration",
                  path, problem.line);
        return -1;
    case JSON_NOMEM:
        break;
    }
    error_set(err, ERROR_NOMEM, "out of memory for the refresh tokens");
    return -1;
}

static bool is_of(const struct node *line, const struct token_file_key *key)
{
    char settings[SETTINGS_TEXT_SIZE];

    return slice_equals(member_text(line, "settings"), settings_text(key, settings));
}

/* The lines of the file; they live in what the caller gives, which may be without memory. */
static int load(const char *path, struct text *content, struct arena *arena,
                const struct node **lines, struct error *err)
{
    if (arena == NULL) {
        error_set(err, ERROR_NOMEM, "out of memory for the refresh tokens");
        return -1;
    }
    return read_file(path, content, err) == -1 ? -1 : parse(path, content, arena, lines, err);
}

int token_file_find(const char *path, const struct token_file_key *key, struct text *out,
                    bool *found, struct error *err)
{
    struct arena *arena = arena_create(0);
    const struct node *lines = NULL;
    struct text content = {0};
    int rc = load(path, &content, arena, &lines, err);

    *found = false;
    for (uint32_t i = 0; rc == 0 && i < lines->length; i++) {
        const struct node *line = node_element(lines, i);
        struct slice token = member_text(line, "refresh_token");

        if (!is_of(line, key) || token.length == 0 ||
            !slice_equals(member_text(line, "configured"), key->configured))
            continue;
        text_append(out, token.data, token.length);
        *found = true;
    }
    secret_wipe(&content);
    text_free(&content);
    arena_free(arena);
    return rc;
}

/* Writing. */

static void write_line(const struct token_file_key *key, const char *token, struct text *out)
{
    char settings[SETTINGS_TEXT_SIZE];

    text_format(out, "{\"settings\": \"%s\", \"configured\": \"%s\", \"refresh_token\": ",
                settings_text(key, settings), key->configured);
    text_json_string(out, token, strlen(token));
    text_add(out, "}\n");
}

/* What the file is to hold: the newest lines of other settings, and at the end the new one. */
static int compose(const char *path, const struct token_file_key *key, const char *token,
                   struct text *out, struct error *err)
{
    struct arena *arena = arena_create(0);
    const struct node *lines = NULL;
    struct text content = {0};
    int rc = load(path, &content, arena, &lines, err);

    for (uint32_t i = 0; rc == 0 && i < lines->length; i++) {
        const struct node *line = node_element(lines, i);

        if (is_of(line, key) || lines->length - i >= MOST_LINES)
            continue;
        node_write_json(line, out);
        text_char(out, '\n');
    }
    if (rc == 0)
        write_line(key, token, out);
    if (rc == 0 && text_failed(out)) {
        error_set(err, ERROR_NOMEM, "out of memory for the refresh tokens");
        rc = -1;
    }
    secret_wipe(&content);
    text_free(&content);
    arena_free(arena);
    return rc;
}

static int write_all(int fd, const struct text *content)
{
    size_t done = 0;

    while (done < content->length) {
        ssize_t bytes = write(fd, content->data + done, content->length - done);

        if (bytes == -1 && errno != EINTR)
            return -1;
        done += bytes > 0 ? (size_t)bytes : 0;
    }
    return fsync(fd);
}

/* The name of a file is on the disk when its folder is. */
static int sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
    int fd = folder == NULL ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd == -1 ? -1 : fsync(fd);

    if (fd != -1)
        close(fd);
    free(folder);
    return rc;
}

/* Under another name first: a crash leaves the old file or the new one, never a part. */
static int replace(const char *path, const struct text *content, struct error *err)
{
    struct text other = {0};
    int rc = -1;
    int fd;

    text_format(&other, "%s.new", path);
    if (text_failed(&other)) {
        error_set(err, ERROR_NOMEM, "out of memory for the refresh tokens");
        return -1;
    }
    unlink(other.data); /* what a crash left, whoever owns it */
    fd = open(other.data, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd != -1 && write_all(fd, content) == 0 && rename(other.data, path) == 0)
        rc = sync_folder(path);
    if (rc == -1) {
        cannot("written", path, errno, err);
        unlink(other.data);
    }
    if (fd != -1)
        close(fd);
    text_free(&other);
    return rc;
}

int token_file_save(const char *path, const struct token_file_key *key, const char *token,
                    struct error *err)
{
    struct text content = {0};
    int rc = compose(path, key, token, &content, err);

    if (rc == 0)
        rc = replace(path, &content, err);
    secret_wipe(&content);
    text_free(&content);
    return rc;
}
