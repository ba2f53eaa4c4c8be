/* The command's side of the control socket. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gatherd/control.h"
#include "gatherd/text.h"
#include "serve/control_wire.h"

/* Text of the daemon's comes in pieces of at most this; what is longer is no answer of ours. */
#define MAX_PIECE_BYTES (16u * 1024 * 1024)

/* The descriptor, or -1 with errno. */
static int connect_to(const char *path)
{
    struct sockaddr_un address;
    int folder;
    int saved;
    int fd;

    if (wire_address(path, &address, &folder) == -1)
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd != -1 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == -1) {
        saved = errno;
        close(fd);
        errno = saved;
        fd = -1;
    }
    saved = errno;
    if (folder != -1)
        close(folder);
    errno = saved;
    return fd;
}

static int send_question(int fd, size_t count, const char *const *words)
{
    struct text question = {0};
    int rc = -1;

    for (size_t i = 0; i < count; i++)
        text_append(&question, words[i], strlen(words[i]) + 1);
    errno = ENOMEM;
    if (!text_failed(&question))
        rc = wire_send(fd, 'q', text_string(&question), question.length);
    text_free(&question);
    return rc;
}

static int copy_piece(int fd, size_t length, FILE *out)
{
    char *piece = malloc(length + 1);
    int rc = -1;

    if (piece != NULL && wire_receive(fd, piece, length) == 0) {
        fwrite(piece, 1, length, out); /* that it failed shows when the stream is flushed */
        fflush(out);
        rc = 0;
    }
    free(piece);
    return rc;
}

/* 0 with the status, or -1 with errno. */
static int receive_answer(int fd, FILE *out, FILE *complaints, int *status)
{
    for (;;) {
        struct frame_head head;
        uint8_t byte;

        if (wire_receive_head(fd, &head) == -1)
            return -1;
        if (head.kind == 'x' && head.length == 1) {
            if (wire_receive(fd, &byte, 1) == -1)
                return -1;
            *status = byte;
            return 0;
        }
        if ((head.kind != 'o' && head.kind != 'e') || head.length > MAX_PIECE_BYTES) {
            errno = EPROTO;
            return -1;
        }
        if (copy_piece(fd, head.length, head.kind == 'o' ? out : complaints) == -1)
            return -1;
    }
}

enum control_outcome control_ask(const char *path, size_t count, const char *const *words,
                                 FILE *out, FILE *complaints, int *status, struct error *err)
{
    int fd = connect_to(path);
    int rc;

    if (fd == -1 && (errno == ENOENT || errno == ECONNREFUSED))
        return CONTROL_NOBODY;
    if (fd == -1) {
        error_set(err, errno == EACCES ? ERROR_PERMISSION : ERROR_UNAVAILABLE,
                  errno == EACCES ? "%s: %s; ask as the daemon's user or as root" : "%s: %s", path,
                  strerror(errno));
        return CONTROL_FAILED;
    }
    rc = send_question(fd, count, words);
    if (rc == 0)
        rc = receive_answer(fd, out, complaints, status);
    if (rc == -1)
        error_set(err, ERROR_UNAVAILABLE, "%s: the daemon did not answer: %s", path,
                  strerror(errno));
    close(fd);
    return rc == -1 ? CONTROL_FAILED : CONTROL_ANSWERED;
}
