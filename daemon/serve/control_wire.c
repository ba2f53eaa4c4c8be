#include "serve/control_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_BYTES 5

static int send_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);

        if (sent == -1 && errno == EINTR)
            continue;
        if (sent == -1)
            return -1;
        data += sent;
        length -= (size_t)sent;
    }
    return 0;
}

int wire_send(int fd, char kind, const void *data, size_t length)
{
    uint32_t bytes = (uint32_t)length;
    char head[HEAD_BYTES] = {kind};

    memcpy(head + 1, &bytes, sizeof(bytes));
    if (send_all(fd, head, sizeof(head)) == -1)
        return -1;
    return send_all(fd, data, length);
}

int wire_receive(int fd, void *data, size_t length)
{
    char *p = data;

    while (length > 0) {
        ssize_t got = recv(fd, p, length, 0);

        if (got == -1 && errno == EINTR)
            continue;
        if (got == 0)
            errno = ECONNRESET;
        if (got <= 0)
            return -1;
        p += got;
        length -= (size_t)got;
    }
    return 0;
}

int wire_receive_head(int fd, struct frame_head *head)
{
    char bytes[HEAD_BYTES];

    if (wire_receive(fd, bytes, sizeof(bytes)) == -1)
        return -1;
    head->kind = bytes[0];
    memcpy(&head->length, bytes + 1, sizeof(head->length));
    return 0;
}

static int open_folder(const char *path, const char *slash)
{
    char *folder = slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
    int fd = -1;

    if (folder != NULL)
        fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    return fd;
}

static int through_folder(const char *path, struct sockaddr_un *address, int *folder)
{
    const char *slash = strrchr(path, '/');
    int length;

    if (slash == NULL) {
        errno = ENAMETOOLONG;
        return -1;
    }
    *folder = open_folder(path, slash);
    if (*folder == -1)
        return -1;
    length = snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d%s", *folder,
                      slash);
    if (length > 0 && (size_t)length < sizeof(address->sun_path))
        return 0;
    close(*folder);
    *folder = -1;
    errno = ENAMETOOLONG;
    return -1;
}

int wire_address(const char *path, struct sockaddr_un *address, int *folder)
{
    size_t length = strlen(path);

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    *folder = -1;
    if (length >= sizeof(address->sun_path))
        return through_folder(path, address, folder);
    memcpy(address->sun_path, path, length + 1);
    return 0;
}
