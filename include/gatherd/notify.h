/*
 * notify.h - tells systemd how the service is doing: sd_notify(3), the protocol itself.
 *
 * One datagram to the socket that $NOTIFY_SOCKET names. Without that variable nothing happens.
 */
#ifndef GATHERD_NOTIFY_H
#define GATHERD_NOTIFY_H

#include <stdint.h>

/* Sends assignments such as "READY=1\nSTATUS=...". 0 also when nobody listens; -1 with errno. */
int notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How often systemd wants to hear WATCHDOG=1, in milliseconds (half of $WATCHDOG_USEC); 0: never.
 */
int64_t notify_watchdog_interval_ms(void);

#endif
