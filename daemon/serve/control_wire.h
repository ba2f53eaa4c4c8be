/*
 * control_wire.h - frames and addresses, for both sides of the control socket.
 */
#ifndef GATHERD_SERVE_CONTROL_WIRE_H
#define GATHERD_SERVE_CONTROL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct frame_head {
    char kind;
    uint32_t length;
};

/* Both return 0, or -1 with errno; ECONNRESET: the other side closed in the middle. */
int wire_send(int fd, char kind, const void *data, size_t length);
int wire_receive_head(int fd, struct frame_head *head);
int wire_receive(int fd, void *data, size_t length);

/*
 * The address of a socket file. A path that is too long for one is reached through a descriptor of
 * its folder, which is returned in `*folder` (else -1) and has to stay open while the address is
 * used. 0, or -1 with errno (ENAMETOOLONG: the file's name alone is too long).
 */
int wire_address(const char *path, struct sockaddr_un *address, int *folder);

#endif
