#include "fetch/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct range4 {
    uint32_t network;
    unsigned bits;
};

/* IANA IPv4 Special-Purpose Address Registry (RFC 6890), and multicast. */
static const struct range4 closed4[] = {
    {0x00000000, 8},  /* 0.0.0.0/8: "this network"; Linux connects 0.0.0.0 to itself */
    {0x0a000000, 8},  /* 10.0.0.0/8 */
    {0x64400000, 10}, /* 100.64.0.0/10: shared by carriers */
    {0x7f000000, 8},  /* 127.0.0.0/8 */
    {0xa9fe0000, 16}, /* 169.254.0.0/16: link-local, and the metadata of clouds */
    {0xac100000, 12}, /* 172.16.0.0/12 */
    {0xc0000000, 24}, /* 192.0.0.0/24 */
    {0xc0000200, 24}, /* 192.0.2.0/24: documentation */
    {0xc0a80000, 16}, /* 192.168.0.0/16 */
    {0xc6120000, 15}, /* 198.18.0.0/15: benchmarks */
    {0xc6336400, 24}, /* 198.51.100.0/24: documentation */
    {0xcb007100, 24}, /* 203.0.113.0/24: documentation */
    {0xe0000000, 3},  /* 224.0.0.0/4 multicast, 240.0.0.0/4 reserved, broadcast */
};

struct range6 {
    uint8_t network[16];
    unsigned bits;
    int v4_at; /* where an IPv4 address stands inside, which then decides; -1: closed */
};

/* IANA IPv6 Special-Purpose Address Registry, multicast, and the ways to wrap IPv4. */
static const struct range6 special6[] = {
    {{[10] = 0xff, [11] = 0xff}, 96, 12},           /* ::ffff:a.b.c.d */
    {{0}, 96, 12},                                  /* ::a.b.c.d, :: and ::1 */
    {{0x00, 0x64, 0xff, 0x9b}, 96, 12},             /* 64:ff9b::a.b.c.d, NAT64 */
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, -1}, /* 64:ff9b:1::/48 */
    {{0x01}, 64, -1},                               /* 100::/64: discarded */
    {{0x20, 0x01}, 23, -1},                         /* 2001::/23: Teredo and others */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, -1},             /* documentation */
    {{0x20, 0x02}, 16, 2},                          /* 2002::/16: 6to4 */
    {{0x3f, 0xff}, 20, -1},                         /* documentation */
    {{0xfc}, 7, -1},                                /* unique local */
    {{0xfe, 0x80}, 9, -1},                          /* fe80::/10 link-local, fec0::/10 site-local */
    {{0xff}, 8, -1},                                /* multicast */
};

static bool is_public4(uint32_t ip)
{
    for (size_t i = 0; i < COUNT(closed4); i++) {
        if ((ip ^ closed4[i].network) >> (32 - closed4[i].bits) == 0)
            return false;
    }
    return true;
}

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned bytes = bits / 8;

    return memcmp(a, b, bytes) == 0 &&
           (bits % 8 == 0 || (a[bytes] ^ b[bytes]) >> (8 - bits % 8) == 0);
}

static bool is_public6(const uint8_t ip[16])
{
    for (size_t i = 0; i < COUNT(special6); i++) {
        const struct range6 *range = &special6[i];
        uint32_t inner;

        if (!same_prefix(ip, range->network, range->bits))
            continue;
        if (range->v4_at == -1)
            return false;
        memcpy(&inner, ip + range->v4_at, sizeof(inner));
        return is_public4(ntohl(inner));
    }
    return true;
}

bool address_is_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return is_public4(ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr));
    if (address->sa_family == AF_INET6)
        return is_public6(((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr);
    return false;
}

bool address_text_is_public(const char *text)
{
    char plain[INET6_ADDRSTRLEN];
    size_t length = strcspn(text, "%"); /* without the zone of fe80::1%eth0 */
    struct in_addr v4;
    struct in6_addr v6;

    if (length >= sizeof(plain))
        return false;
    memcpy(plain, text, length);
    plain[length] = '\0';
    if (inet_pton(AF_INET, plain, &v4) == 1)
        return is_public4(ntohl(v4.s_addr));
    return inet_pton(AF_INET6, plain, &v6) == 1 && is_public6(v6.s6_addr);
}
