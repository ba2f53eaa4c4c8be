/*
 * address.h - whether an IP address is one of the public internet.
 *
 * A redirect decides where we connect although nobody configured it, so a server could use us to
 * reach what only this machine can see. The test is made on the address that is connected to: names
 * and spellings (127.1, 0x7f000001, a name that resolves to 10.0.0.1) make no difference.
 */
#ifndef GATHERD_FETCH_ADDRESS_H
#define GATHERD_FETCH_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * False for what the IANA special-purpose registries call not globally reachable (loopback,
 * private, link-local, shared, documentation, reserved), for multicast, for IPv6 addresses that
 * wrap such an IPv4 address, and for families other than IPv4 and IPv6.
 */
bool address_is_public(const struct sockaddr *address);

/* The same for a numeric address as text; what is no address is not public. */
bool address_text_is_public(const char *text);

#endif
