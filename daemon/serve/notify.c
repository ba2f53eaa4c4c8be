#include "gatherd/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The address in $NOTIFY_SOCKET: a path, or a name in the abstract namespace behind an '@'. */
static int socket_address(const char *name, struct sockaddr_un *address, socklen_t *length)
{
    size_t bytes = strlen(name);

    if ((name[0] != '/' && name[0] != '@') || bytes >= sizeof(address->sun_path)) {
        errno = EINVAL;
        return -1;
    }
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, name, bytes);
    if (name[0] == '@')
        address->sun_path[0] = '\0';
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + bytes);
    return 0;
}

static int send_to(const char *name, const char *message, size_t length)
{
    struct sockaddr_un address;
    socklen_t address_length;
    ssize_t sent;
    int saved;
    int fd;

    if (socket_address(name, &address, &address_length) == -1)
        return -1;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return -1;
    sent = sendto(fd, message, length, MSG_NOSIGNAL, (struct sockaddr *)&address, address_length);
    saved = errno;
    close(fd);
    errno = saved;
    return sent == -1 ? -1 : 0;
}

int notify_send(const char *format, ...)
{
    const char *name = getenv("NOTIFY_SOCKET");
    char message[512];
    va_list args;
    int length;

    if (name == NULL || name[0] == '\0')
        return 0;
    va_start(args, format);
    length = vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof(message)) {
        errno = EMSGSIZE;
        return -1;
    }
    return send_to(name, message, (size_t)length);
}

/* $WATCHDOG_PID, where set, must be ours: it may have been inherited (sd_watchdog_enabled(3)). */
int64_t notify_watchdog_interval_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    char *end;
    long long value;

    if (usec == NULL || (pid != NULL && strtoll(pid, NULL, 10) != (long long)getpid()))
        return 0;
    errno = 0;
    value = strtoll(usec, &end, 10);
    if (errno != 0 || end == usec || *end != '\0' || value <= 0)
        return 0;
    return value / 2000 > 0 ? value / 2000 : 1;
}
